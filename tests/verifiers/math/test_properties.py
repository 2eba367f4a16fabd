"""Every generated gold matches itself in all notations, and a changed one never does."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proofgym.errors import Unjudged
from proofgym.verifiers import math
from proofgym.verifiers.math.parser import parse
from proofgym.verifiers.math.tree import Node, Unreadable, dumps, loads

fractions = st.fractions(min_value=-(10**6), max_value=10**6, max_denominator=1000)
integers = st.integers(-(10**40), 10**40)


def matches(gold: str, answer: str) -> bool:
    try:
        return math.verify_answer(gold, answer).correct
    except Unjudged:
        return False


# -- numbers in all notations -----------------------------------------------------------------------------------------


def spellings(value: Fraction) -> list[str]:
    """A number in LaTeX, plain and Unicode notation, as a decimal where that is exact, and as a mixed number."""
    above, below, sign = abs(value.numerator), value.denominator, "-" if value < 0 else ""
    found = [
        f"{sign}{above}/{below}",
        f"{sign}\\frac{{{above}}}{{{below}}}",
        f"\\dfrac{{{sign}{above}}}{{{below}}}",
        f"−{above}/{below}" if sign else f"+{above}/{below}",
    ]
    if below == 1:
        found += [f"{sign}{above}", f"{sign}{above:,}", f"{sign}{above}.0", f"${sign}{above}$",
                  f"{sign}{above:,}".replace(",", "{,}"),
                  f"{sign}{above}".translate({ord(str(d)): chr(0xFF10 + d) for d in range(10)})]  # fmt: skip
    elif above > below:
        found.append(f"{sign}{above // below}\\frac{{{above % below}}}{{{below}}}")
    places = next((k for k in range(12) if 10**k % below == 0), None)
    if places is not None:
        digits = f"{above * 10**places // below:0{places + 1}d}"
        decimal = (
            f"{sign}{digits[: len(digits) - places]}.{digits[len(digits) - places :]}" if places else f"{sign}{digits}"
        )
        found += [decimal, f"{decimal}e0", f"{decimal}0" if places else decimal, f"\\text{{{decimal}}}"]
    return found


@given(value=fractions)
def test_a_number_matches_itself_in_all_notations(value: Fraction) -> None:
    written = spellings(value)
    for other in written:
        assert math.verify_answer(written[0], other).correct, other
        assert math.verify_answer(other, written[0]).correct, other


@given(value=fractions, other=fractions)
def test_another_number_never_matches(value: Fraction, other: Fraction) -> None:
    if value != other:
        assert not any(matches(spellings(value)[0], text) for text in spellings(other))


@given(value=integers, step=st.integers(1, 10**6))
def test_long_integers_are_exact(value: int, step: int) -> None:
    assert math.verify_answer(str(value), f"{value:,}").correct
    assert not matches(str(value), f"{value + step}.0")


@given(value=fractions, power=st.integers(5, 400))
def test_a_tiny_difference_is_a_difference(value: Fraction, power: int) -> None:
    assert not matches(f"{value}", f"{value}+10^{{-{power}}}")
    assert not matches(f"\\sqrt{{2}}+{value}", f"\\sqrt2+{value}+10^{{-{power}}}")


# -- expressions ------------------------------------------------------------------------------------------------------
leaves = st.one_of(
    st.integers(1, 12).map(lambda n: ("num", n)),
    st.sampled_from(["x", "y", "a"]).map(lambda s: ("sym", s)),
    st.just(("pi",)),
)


def grow(inner: st.SearchStrategy[tuple]) -> st.SearchStrategy[tuple]:  # type: ignore[type-arg]
    pair = st.tuples(inner, inner)
    return st.one_of(
        pair.map(lambda p: ("add", *p)), pair.map(lambda p: ("sub", *p)), pair.map(lambda p: ("mul", *p)),
        st.tuples(inner, st.integers(2, 9)).map(lambda p: ("over", *p)),
        st.tuples(inner, st.integers(2, 3)).map(lambda p: ("pow", *p)),
        inner.map(lambda p: ("sin", p)), inner.map(lambda p: ("sqrt", ("add", ("pow", p, 2), ("num", 1)))),
    )  # fmt: skip


expressions = st.recursive(leaves, grow, max_leaves=7)


def latex(t: tuple) -> str:  # type: ignore[type-arg]
    kind = t[0]
    if kind == "num" or kind == "sym":
        return str(t[1])
    if kind == "pi":
        return r"\pi"
    inner = [latex(part) if isinstance(part, tuple) else str(part) for part in t[1:]]
    return {
        "add": "\\left({}+{}\\right)", "sub": "\\left({}-{}\\right)", "mul": "{{{}}}\\cdot {{{}}}",
        "over": "\\frac{{{}}}{{{}}}",
        "pow": "\\left({}\\right)^{{{}}}", "sin": "\\sin\\left({}\\right)", "sqrt": "\\sqrt{{{}}}",
    }[kind].format(*inner)  # fmt: skip


def plain(t: tuple) -> str:  # type: ignore[type-arg]
    kind = t[0]
    if kind == "num" or kind == "sym":
        return str(t[1])
    if kind == "pi":
        return "pi"
    inner = [plain(part) if isinstance(part, tuple) else str(part) for part in t[1:]]
    return {
        "add": "({1} + {0})", "sub": "({} - {})", "mul": "({1})*({0})", "over": "({})/{}", "pow": "({})**{}",
        "sin": "sin({})",
        "sqrt": "sqrt({})",
    }[kind].format(*inner)  # fmt: skip


def unicode(t: tuple) -> str:  # type: ignore[type-arg]
    kind = t[0]
    if kind == "num" or kind == "sym":
        return str(t[1])
    if kind == "pi":
        return "π"
    inner = [unicode(part) if isinstance(part, tuple) else str(part) for part in t[1:]]
    if kind == "pow":
        return f"({inner[0]}){'²³'[t[2] - 2]}"
    return {
        "add": "({} + {})",
        "sub": "({} − {})",
        "mul": "({})×({})",
        "over": "({})÷{}",
        "sin": "sin({})",
        "sqrt": "√({})",
    }[kind].format(*inner)


slower = settings(suppress_health_check=[HealthCheck.too_slow])


@slower
@given(expression=expressions)
def test_an_expression_matches_itself_in_all_notations(expression: tuple) -> None:  # type: ignore[type-arg]
    written = [
        latex(expression),
        plain(expression),
        unicode(expression),
        f"${latex(expression)}$",
        f"z = {latex(expression)}",
    ]
    for other in written[1:]:
        assert math.verify_answer(written[0], other).correct, other
        assert math.verify_answer(other, written[0]).correct, other
    assert math.verify(plain(expression), f"So we get \\boxed{{{latex(expression)}}}.").correct


@slower
@given(
    expression=expressions,
    step=st.sampled_from(["+1", "-10^{-30}", "+\\frac{x^2+1}{10^{9}}", "+\\sqrt{2}", "+1/1000000"]),
)
def test_a_changed_expression_never_matches(expression: tuple, step: str) -> None:  # type: ignore[type-arg]
    assert not matches(latex(expression), plain(expression) + step)
    assert not matches(plain(expression) + step, latex(expression))


# -- structures -------------------------------------------------------------------------------------------------------
values = st.lists(fractions, min_size=2, max_size=5, unique=True)


@given(members=values, chance=st.randoms(use_true_random=False))
def test_sets_and_lists_match_in_any_order_and_tuples_in_theirs(members: list[Fraction], chance: object) -> None:
    shuffled = list(members)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    texts = [spellings(value)[1] for value in members]
    others = [str(value) for value in shuffled]
    assert math.verify_answer(", ".join(texts), " and ".join(others)).correct
    assert math.verify_answer(f"\\{{{','.join(texts)}\\}}", f"{{{', '.join(others)}}}").correct
    assert math.verify_answer(f"({', '.join(texts)})", f"\\left({','.join(map(str, members))}\\right)").correct
    if shuffled != members:
        assert not matches(f"({', '.join(texts)})", f"({', '.join(others)})")
    assert not matches(", ".join(texts), ", ".join(others[:-1]))
    assert not matches(f"\\{{{','.join(texts)}\\}}", f"\\{{{','.join(others)}, 1000001\\}}")


@given(
    ends=st.lists(fractions, min_size=2, max_size=2, unique=True).map(sorted),
    closed=st.tuples(st.booleans(), st.booleans()),
)
def test_an_interval_matches_its_inequality_and_no_other_ends(ends: list[Fraction], closed: tuple[bool, bool]) -> None:
    low, high = ends
    written = f"{'(['[closed[0]]}{low}, {high}{')]'[closed[1]]}"
    signs = [("<", "\\le ")[c] for c in closed]
    assert math.verify_answer(written, f"{low}{signs[0]}x{signs[1]}{high}").correct
    assert math.verify_answer(f"{high}{'>≥'[closed[1]]}x{'>≥'[closed[0]]}{low}", written).correct
    assert math.verify_answer(written, f"\\{{x \\mid {low}{signs[0]}x{signs[1]}{high}\\}}").correct
    assert not matches(written, f"{'(['[not closed[0]]}{low}, {high}{')]'[closed[1]]}")
    assert not matches(written, f"{low}{signs[0]}x{signs[1]}{high + 1}")


@given(
    rows=st.integers(1, 3).flatmap(
        lambda n: st.lists(st.lists(fractions, min_size=2, max_size=2), min_size=n, max_size=n)
    )
)
def test_a_matrix_matches_itself_and_no_other(rows: list[list[Fraction]]) -> None:
    written = [
        r"\\".join(" & ".join(map(str, row)) for row in some)
        for some in (rows, [[*rows[0][:-1], rows[0][-1] + 1], *rows[1:]])
    ]
    first, other = (f"\\begin{{pmatrix}}{text}\\end{{pmatrix}}" for text in written)
    assert math.verify_answer(first, f"\\begin{{bmatrix}} {written[0]} \\end{{bmatrix}}").correct
    assert not matches(first, other)


# -- trees ------------------------------------------------------------------------------------------------------------


@given(expression=expressions)
def test_a_tree_survives_its_json(expression: tuple) -> None:  # type: ignore[type-arg]
    tree = parse(latex(expression))
    assert loads(dumps(tree)) == tree


pieces = st.sampled_from(
    [*"0123456789xyzabe+-*/^_(){}[]|,;:.=<>!%$&'\\ \n∞½", "\\frac", "\\sqrt", "\\left(", "\\{", "\\cup", "\\pm", "or",
     "\\text{",
     "\\sum", "\\begin{pmatrix}", "\\end{pmatrix}", "\\\\", "\\int", "\\sin", "\\overline{", "\\lim_{x\\to"]
)  # fmt: skip


@given(text=st.lists(pieces, max_size=60).map("".join))
def test_the_parser_returns_a_tree_or_refuses(text: str) -> None:
    try:
        tree = parse(text)
    except Unreadable:
        return
    assert isinstance(tree, Node)
    assert loads(dumps(tree)) == tree


@pytest.mark.parametrize("alphabet", ["0123456789+-*/^(){}", "\\{}fracsqt12 ", "∞½²√π≤≥∪∩±°"])
@given(data=st.data())
def test_no_text_raises_anything_but_unjudged(alphabet: str, data: st.DataObject) -> None:
    text = data.draw(st.text(alphabet, max_size=40))
    verdict = math.verify_answer("5", text)
    assert 0 <= verdict.score <= 1
    assert math.verify("5", text).score <= 1
