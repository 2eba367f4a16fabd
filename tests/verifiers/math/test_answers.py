"""Pairs of answers that are the same, and pairs that are not, each judged in both directions."""

from __future__ import annotations

import pytest

from proofgym.errors import Unjudged
from proofgym.verifiers import Status, math

SAME = [
    ("0.001", "1e-3"),
    ("320000", "3.2e5"),
    ("1/3", r"0.\overline{3}"),
    ("1/3", "0.(3)"),
    ("1/3", "0.333..."),
    ("1000", "€1,000"),
    ("1000", "¥1000"),
    ("123", "１２３"),
    (r"\sqrt{2}", "√2"),
    ("1/2", "½"),
    ("x^2", "x²"),
    (r"\infty", "∞"),
    ("1234567", "1 234 567"),
    (r"\emptyset", r"\varnothing"),
    ("-1", "i^2"),
    ("-1", r"e^{i\pi}"),
    ("2i", "(1+i)^2"),
    ("1/2", r"\sin 30^\circ"),
    (r"\frac{-1\pm\sqrt5}{2}", r"\frac{-1+\sqrt5}{2}, \frac{-1-\sqrt5}{2}"),
    ("x>3", "2x>6"),
    (r"-1<x\le4", r"4\ge x>-1"),
    (r"(-\infty,1]\cup[5,\infty)", "x<=1 or x>=5"),
    ("2ab", "2ba"),
    (r"\ln 2", r"\log_e 2"),
    (r"\{x|-1<x<1\}", "(-1,1)"),
    ("73", "**73**"),
    (r"\begin{cases}1&x>0\\0&x\le0\end{cases}", r"\begin{cases}1&\text{if }x>0\\0&\text{if }x\le0\end{cases}"),
    ("3x-y+13=0", "y=3x+13"),
    ("1-1/e", r"1-\frac{1}{\mathrm{e}}"),
    ("2/4", "1/2"),
    ("x^2-1", "(x-1)(x+1)"),
    (r"\sin^2 x+\cos^2 x", "1"),
    (r"\sin 2x", r"2\sin x\cos x"),
    (r"\sqrt{x^2}", "|x|"),
    (r"\sqrt{3+2\sqrt2}", r"1+\sqrt2"),
    (r"\log_2 8", "3"),
    (r"\frac{n!}{(n-2)!}", "n(n-1)"),
    (r"\binom{n}{2}", r"\frac{n(n-1)}{2}"),
    (r"\cos n\pi", "(-1)^n"),
    ("n(n+1)/2", r"\sum_{k=1}^{n} k"),
    ("x=2 or x=3", "x^2-5x+6=0"),
    ("2,3", "x=2 or x=3"),
    ("(1,2)", "(1, 2)"),
    (r"\{1,2\}", "{2,1}"),
    (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", "[[1,2],[3,4]]"),
    ("no solution", r"\emptyset"),
    (r"\text{None}", "no solutions"),
    ("undefined", "DNE"),
    ("B", r"\text{(B)}"),
    ("(B) 12", "12"),
    ("(B) 12", "B"),
    ("12", "(B) 12"),
    ("10 cm", "0.1 m"),
    ("10", "10 cm"),
    (r"45^\circ", "45"),
    (r"180^\circ", r"\pi"),
    (r"25\%", "1/4"),
    ("3 million", "3000000"),
    ("35", "三十五"),
    ("21", "twenty-one"),
    ("2^{100}", "1267650600228229401496703205376"),
    (r"\mathbb{R}", r"(-\infty,\infty)"),
    (r"x\ne 2", r"(-\infty,2)\cup(2,\infty)"),
    (r"\mathbb{R}\setminus\{2\}", r"(-\infty,2)\cup(2,\infty)"),
    ("x^2<4", "(-2,2)"),
    ("|x|<2", "-2<x<2"),
    (r"\int_0^1 x^2 dx", "1/3"),
    (r"\lim_{x\to0}\frac{\sin x}{x}", "1"),
    (r"\sum_{k=1}^{\infty} \frac{1}{k^2}", r"\frac{\pi^2}{6}"),
    ("1:2:3", "2:4:6"),
    (r"x\equiv 1 \pmod 5", r"x \equiv 1 (mod 5)"),
    ("3+4i", "4i+3"),
    ("|3+4i|", "5"),
    ("0.1", "1/10"),
    ("10^{10^{10}}", "10^{10^{10}}"),
    (r"2\arcsin\sqrt a", r"\arccos(1-2a)"),
    ("a>b>c", "c<b<a"),
    ("2x+4y=6", "x+2y=3"),
    ("f(x)=x^2", "f(t)=t^2"),
    ("y=x^2", "f(x)=x^2"),
    ("y=2x", "2x"),
    (r"\frac{1}{\sqrt2}", r"\frac{\sqrt2}{2}"),
    (r"3 \frac{1}{2}", "7/2"),
    ("1,234", "1234"),
    (r"1\,234\,567", "1234567"),
    ("ABC", "ABC"),
    (r"\overline{AB}", r"\overline{AB}"),
    (r"\text{yes}", "Yes"),
    (r"\frac{\pi}{6}", r"30^\circ"),
    (r"x \in [0,1]", r"0\le x\le 1"),
    ("a_n=2^n", "2^n"),
    (r"2\sqrt{3}\approx 3.46", r"2\sqrt3"),
    ("5", "10/2=5"),
    ("5", "x=10/2=5"),
    ("p=5,q=2", "q=2,p=5"),
    ("1/0.5", "2"),
    (r"\left( \frac{3}{4}, -1 \right]", "(0.75, -1]"),
]
DIFFERENT = [
    ("1/3", "0.33"),
    ("1/2^{99}", "1/2^{98}"),
    ("1/2004!", "1/2006!"),
    (r"\frac{2^{2005}+1}{3\cdot2^{2006}}", r"\frac{1}{3\cdot2^{2006}}"),
    (r"1,2,\ldots,n", r"1,3,5,\ldots,2n-1"),
    ("4", r"4\sqrt(2)"),
    ("101_2", "101_3"),
    (r"\begin{cases}1&x>0\\0&x\le0\end{cases}", r"\begin{cases}2&x>0\\0&x\le0\end{cases}"),
    ("7", "1=2=3=7"),
    ("7", "8=7"),
    ("7", "7+0x or anything"),
    ("1", "1e999999999"),
    ("3x-y+13=0", "3x+4y+14=0"),
    ("1-1/e", r"1+\frac{1}{\mathrm{e}}"),
    ("40,50,20", "40,60,10"),
    ("28", "2800"),
    ("0.28", "28"),
    (r"\sqrt{x^2}", "x"),
    (r"\sqrt{2}+\sqrt{3}", "3.1462643699419723"),
    ("1", "1-10^{-300}"),
    ("1", r"\cos(10^{-300})"),
    ("0", "10^{-5000}"),
    ("2", "x=2 or x=3"),
    ("2", "2 or 3"),
    ("2", "2, 3"),
    ("(1,2)", "(2,1)"),
    ("[1,2]", "(1,2)"),
    ("(B) 12", "C"),
    ("(B) 12", "(C) 12"),
    ("10 cm", "10 m"),
    (r"25\%", "25"),
    ("2^{100}", "1267650600228229401496703205377"),
    ("10^{10^{10}}", "5"),
    ("5", "9^{9^{9^9}}"),
    ("5", "(10^9)!"),
    ("5", "((100!)!)!"),
    ("5", r"\binom{10^9}{5\cdot10^8}"),
    ("5", "(x+y+z+w)^{3000}"),
    ("5", "e^{e^{e^{e^{e}}}}"),
    ("5", "10^{-10^{10}}"),
    ("5", r"\sum_{k=1}^{10^{9}} k"),
    ("5", r"\prod_{k=1}^{10^{9}} k"),
    ("5", r"\int_0^1 x^x dx"),
    ("a>b>c", "a<b<c"),
    ("f(x)=x^2", "f(t)=t^3"),
    ("f(x)=x^2", "g(x)=x^2"),
    ("x=3", "y=3"),
    ("ABC", "ACB2"),
    ("yes", "no"),
    (r"x \in [0,1]", r"0\le x< 1"),
    (r"2\sqrt{3}", r"2\sqrt{3}\approx 5"),
    ("5", "10/2=6"),
    ("5", "x=10/2=6=5"),
    ("p=5,q=2", "q=5,p=2"),
    ("2", "1/0"),
]
MORE_SAME = [
    (r"\begin{pmatrix}6&8\end{pmatrix}", r"\begin{pmatrix}1&2\end{pmatrix}+\begin{pmatrix}5&6\end{pmatrix}"),
    ("12:05", "12:05"),
    (r"2\begin{pmatrix}1&0\\0&1\end{pmatrix}", r"\begin{pmatrix}2&0\\0&1\end{pmatrix}\begin{pmatrix}1&0\\0&2\end{pmatrix}"),  # noqa: E501
    (r"|AB|=1", "1"), (r"0<f(x)<1", "(0,1)"), (r"\\frac{1}{2}", r"\frac12"), (r"x_1=1,\quadx_2=2", "1,2"),
    ("28 pct", r"28\%"),
    (r"\frac{1}{2}", "0.5"), ("1/2", "2/4"), ("7", "7.0"), ("-3", "−3"), ("1e3", "1000"), (r"10^{-2}", "0.01"),
    ("$12.50", "12.5"), (r"\$5", "5 dollars"), ("50 cents", "$0.50"), ("2 hours", "120 minutes"), ("3 km", "3000 m"),
    (r"12\text{ cm}^2", "12"), (r"5^{\text{th}}", "5"), ("90^\\circ", r"\frac{\pi}{2}"), (r"\tan 45^\circ", "1"),
    (r"\sqrt[3]{27}", "3"), (r"\sqrt{12}", r"2\sqrt{3}"), (r"\frac{1}{1+\sqrt2}", r"\sqrt2-1"), ("8^{1/3}", "2"),
    (r"e^{\ln 5}", "5"), (r"\log_{10} 1000", "3"), (r"\ln e^2", "2"), (r"\lg 100", "2"), ("5!", "120"), ("6!!", "48"),
    (r"\binom{5}{2}", "10"), (r"{5 \choose 2}", "10"), (r"\gcd(12, 18)", "6"), (r"\lfloor 2.7\rfloor", "2"),
    (r"\lceil 2.1 \rceil", "3"), ("17 \\bmod 5", "2"), ("1111_2", "15"), ("FF_{16}", "255"), ("(a+b)^2", "b^2+2ab+a^2"),
    ("xy", "yx"), ("x_1+x_2", "x_2+x_1"), (r"\frac{x}{2}+\frac{x}{3}", r"\frac{5x}{6}"), (r"\frac{x^2-1}{x+1}", "x-1"),
    ("2^{x+1}", r"2\cdot 2^x"), ("y=2x+1", "2x-y+1=0"), ("x+y=2", "2x+2y=4"), ("x=1", "1=x"),
    (r"x\ge 2", r"[2,\infty)"),
    (r"3x-6\le 0", r"x\le 2"), ("(2,5)", "2<x<5"), (r"[0,1]\cup[1,2]", "[0,2]"), (r"\{1,2,2\}", r"\{1,2\}"),
    (r"\{1\}", "1"), ("1, 2 and 3", "3,2,1"), (r"\left\{\frac12,1\right\}", r"\{1,0.5\}"), (r"\pm 3", "3, -3"),
    (r"2\pm\sqrt3", r"2-\sqrt3, 2+\sqrt3"), (r"\langle 1,2,3\rangle", "(1,2,3)"), ("i^3", "-i"),
    (r"\frac{1}{1+i}", r"\frac{1-i}{2}"),
    (r"\begin{bmatrix}1\\2\end{bmatrix}", r"\begin{pmatrix}1\\2\end{pmatrix}"),
    (r"\begin{vmatrix}1&2\\3&4\end{vmatrix}", "-2"),
    (r"\text{Tuesday}", "tuesday"), ("no real solutions", r"\varnothing"), ("C", r"\textbf{(C)}"), ("2:4", "1/2"),
    ("三百二十一", "321"), ("３．５", "3.5"), ("x⁻¹", r"\frac{1}{x}"), ("∛8", "2"), ("½", "0.5"),
    ("1½", "1.5"), ("log₂8", "3"),
    (r"\dfrac{3}{4}", "3/4"), (r"\frac34", "0.75"), (r"\mathrm{e}", "e"), (r"\pi r^2", "π r²"), (r"3,\!500", "3500"),
    (r"f(x)=2x", "y=2x"), (r"\sin(\pi-x)", r"\sin x"), (r"\frac{\sin x}{\cos x}", r"\tan x"),
    ("0.1\\overline{6}", "1/6"),
    (r"\infty", "+∞"), (r"x^2+y^2=1", "y^2+x^2-1=0"), (r"\sum_{k=1}^{4} k^2", "30"), (r"\prod_{k=1}^{4} k", "24"),
    (r"\int_0^{\pi}\sin x\,dx", "2"), ("12,345,678", "12345678"), (r"\frac{22}{7}", r"3\frac17"),
    (r"e^{x}", r"\exp(x)"),
    (r"|x|\le 2", "[-2,2]"), (r"\cos 2x", r"1-2\sin^2 x"), ("(x-1)(x-2)=0", r"\{1,2\}"), (r"a\neq 0", r"a\ne 0"),
]  # fmt: skip
MORE_DIFFERENT = [
    ("x<3", "x(x-1)(x-2)(x-3)+x<3"), ("no solution", r"\{x|x=x\}"), ("no solution", "x=x"),
    ("12:00", "1:00"), ("12:05", "12/5"), (r"\begin{pmatrix}1&2\end{pmatrix}+\begin{pmatrix}5&6\end{pmatrix}", "(6,9)"),
    (r"e^{\pi\sqrt{163}}", "262537412640768744"), (r"\ln(10^{300}+1)", r"\ln(10^{300})"),
    (r"\sqrt{10^{400}+1}", "10^{200}"),
    (r"\sin(10^{-200})", "10^{-200}"), (r"\arctan(10^{100})", r"\frac{\pi}{2}"), (r"\tanh 1000", "1"),
    ("x+10^{-200}", "x"),
    (r"\sqrt{2}+e^{-5000}", r"\sqrt{2}"), (r"\cos(\pi+10^{-99})", "-1"),
    (r"\frac{\sqrt2}{10^{500}}", r"\frac{\sqrt2}{10^{501}}"),
    ("1", "-1"), ("1/2", "1/3"), ("0.5", "0.50001"), (r"\pi", "3.14"), (r"\pi", "3.141592653589793"),
    (r"\sqrt2", "1.41421356237309504880168872420969807856967"),
    ("100", "1000"), ("1,000", "1"), ("5 cm", "5 kg"), ("1 hour", "1 minute"), ("30^\\circ", "30^{\\circ}+1"),
    ("50\\%", "0.05"),
    (r"2^{1000}", r"2^{1000}+1"), (r"1000!", r"1000!+1"), (r"10^{-400}", r"10^{-401}"), (r"10^{-400}", "0"), ("x", "y"),
    ("x+1", "x+2"), ("x^2", "x^3"), (r"\sin x", r"\cos x"), (r"\ln x", r"\log_{10} x"), (r"|x|", "x"), ("2x", "2"),
    ("x>3", r"x\ge 3"),
    ("x>3", "x<3"), ("(1,2)", "[1,2]"), ("(1,2]", "[1,2)"), (r"(0,1)\cup(2,3)", "(0,3)"), (r"\{1,2\}", r"\{1,2,3\}"),
    ("1,2", "1,2,2"),
    ("(1,2,3)", "(3,2,1)"), (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{pmatrix}1&3\\2&4\end{pmatrix}"),
    ("x=2", "x=-2"),
    (r"\pm 2", "2"), ("2+3i", "2-3i"), ("A", "B"), ("odd", "even"), ("odd", "dod"), (r"\emptyset", "0"),
    (r"\infty", r"-\infty"),
    ("y=x+1", "y=x-1"), ("x^2+y^2=1", "x^2-y^2=1"), ("10_2", "10_3"), ("3!", "3"), ("3", "1=2=3"), ("6", "5+1=7"),
    ("3", "3 or 4"),
    ("3", "not 3"), ("3", "3 apples or 4 pears"), ("3", "3, 4"), ("3", "1,2,3"), ("12", "1 2"),
    ("7", "7 + 0*x or anything"),
    (r"\frac{1}{3}", "0.333"), ("2:3", "3:2"), ("a<b<c", "c<b<a"), (r"f(x)=x", "f(x)=2x"), ("2.5", "2.5.5"),
    ("1e3", "1e4"),
    ("x_1", "x_2"), (r"\bar{x}", "x"), ("x'", "x"), (r"\cos 30", r"\cos 30^\circ"), ("5", "5 is wrong"), ("-5", "5"),
    ("(2,3)", "2,4"),
]  # fmt: skip


def judged(gold: str, answer: str) -> bool:
    try:
        return math.verify_answer(gold, answer).correct
    except Unjudged:
        return False


@pytest.mark.parametrize(("left", "right"), [*SAME, *MORE_SAME])
def test_the_same_answer_in_another_form_is_right_in_both_directions(left: str, right: str) -> None:
    assert math.verify_answer(left, right).correct
    assert math.verify_answer(right, left).correct
    assert math.verify_answer(left, left).correct


@pytest.mark.parametrize(("left", "right"), [*DIFFERENT, *MORE_DIFFERENT])
def test_another_answer_is_never_right(left: str, right: str) -> None:
    assert not judged(left, right)
    assert not judged(right, left)


@pytest.mark.parametrize("gold", ["", "  ", r"\frac{1}{", "1/0", "@@", "((", "9" * 30_000, "8=7", r"\sqrt{2}\approx 5"])
def test_a_gold_that_cannot_be_read_is_unjudged(gold: str) -> None:
    with pytest.raises(Unjudged):
        math.verify_answer(gold, r"\sqrt{3}+x")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ("", Status.MALFORMED), (r"\frac{1}{", Status.MALFORMED), ("1/0", Status.MALFORMED),
        ("I do not know", Status.MALFORMED),
        ("2=3", Status.MALFORMED), ("((((", Status.MALFORMED), ("x" * 30_000, Status.LIMIT),
        ("1e999999999", Status.LIMIT),
        (r"9^{9^{9^{9}}}", Status.LIMIT), ("(" * 300 + "1" + ")" * 300, Status.LIMIT), ("4", Status.WRONG),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_read_is_malformed_and_one_too_big_is_at_the_limit(
    answer: str, status: Status
) -> None:
    assert math.verify_answer("5", answer).status is status


def test_integers_of_any_length_are_compared_digit_by_digit() -> None:
    digits = "7" * 19_999
    assert math.verify_answer(digits, "0" + digits[:-1] + "7").correct
    assert not math.verify_answer(digits, digits[:-1] + "8").correct
    assert math.verify_answer(digits[:9_999], f"{digits[:9_999]}.0").correct
