"""The forms an answer can be asked in: the sentence that asks for it, and what leaves the work undone.

The verifier compares values, so it would take the question's own formula for an answer: the integral for its value, the
product for its expansion. A form says what an answer may not hold because it is still to be carried out. It is no test
of style: an unreduced fraction or a decimal of the same value is right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = [
    "EXPANDED",
    "EXPRESSION",
    "FRACTION",
    "INTEGER",
    "INTERVAL",
    "LINE",
    "LIST",
    "MATRIX",
    "PI",
    "RADICAL",
    "TUPLE",
    "Form",
]

_UNDONE = (
    r"!|∫|∑|∏|['′]|\\(?:int|lim|sum|prod|[dt]?binom|det|gcd|bmod|pmod|mod|log|partial|operatorname|(?:var)?phi|lfloor|lceil)"
    r"(?![a-z])|\b(?:gcd|lcm|mod|det|choose|lim|int|floor)\b|\\frac\s*\{\s*(?:\\mathrm\s*\{\s*)?d\b|\bd\s*/\s*d"
)
_PRODUCT = r"[*·×÷⋅]|\\(?:cdot|times|div|ast)(?![a-z])"
_POWER = r"[\^²³⁰¹⁴-⁹]"
_SUM = r"[0-9A-Za-z)}\]]\s*[-+−±]\s*[0-9A-Za-z(\\√]"
_ARITHMETIC = rf"{_UNDONE}|{_PRODUCT}|{_POWER}|{_SUM}|\\sqrt|√|\bsqrt|[0-9)}}]\s*[_(]"
_UNDER_ROOT = r"(?:\\sqrt|√|\bsqrt)\s*[{(][^{}()]*(?:[-+*^(]|\\cdot|\\times)"

_MATRIX = re.compile(r"\\(begin|end)\s*\{(?:[a-z]*matrix|array)\}(?:\s*\{[lcr|]*\})?")
_SCALED = re.compile(rf"(?:{_PRODUCT})\s*⟦")


@dataclass(frozen=True, slots=True)
class Form:
    """One form of answer.

    Args:
        name: With its article.
        asks: The sentence that asks for it.
        undone: What an answer of this form does not hold.
        brackets: Whether round and square brackets are part of the form and say nothing.
        named: Whether only what stands after the last `=` counts, because a name such as `f'(x) =` may come first.
    """

    name: str
    asks: str
    undone: re.Pattern[str]
    brackets: bool = False
    named: bool = False

    def refuses(self, answer: str) -> str:
        """Why this text is no finished answer, or nothing.

        >>> INTEGER.refuses("n = 120"), INTEGER.refuses("5!"), INTEGER.refuses("240/2")
        ('', "an integer has no '!' in it", "an integer has no '/' in it")
        >>> EXPRESSION.refuses("f'(x) = 2x"), EXPRESSION.refuses("int 2 dx")
        ('', "an expression has no 'int' in it")
        """
        text = answer.rpartition("=")[2] if self.named else answer
        text = _MATRIX.sub(lambda found: "⟦" if found[1] == "begin" else "⟧", text)
        text = text.replace(r"\left", "").replace(r"\right", "")
        if self.brackets:
            text = re.sub(r"[()\[\]]", " ", _SCALED.sub("⟦", text))
        found = self.undone.search(text)
        return "" if found is None else f"{self.name} has no {' '.join(found[0].split())[:20]!r} in it"


INTEGER = Form("an integer", "Give the answer as an integer.", re.compile(rf"{_ARITHMETIC}|[/⁄]|frac"))
FRACTION = Form(
    "a number",
    "Give the answer as an integer or a fraction in lowest terms, such as -3/4.",
    re.compile(_ARITHMETIC),
)
LIST = Form(
    "a list",
    "List them in increasing order, with commas between them; write fractions in lowest terms.",
    re.compile(_ARITHMETIC),
    brackets=True,
)
TUPLE = Form(
    "a tuple",
    "Give it in round brackets, with commas between the numbers; write fractions in lowest terms.",
    re.compile(rf"{_ARITHMETIC}|⟧\s*\S*\s*⟦"),
    brackets=True,
    named=True,
)
MATRIX = Form(
    "a matrix",
    r"Write it as \begin{pmatrix} ... \end{pmatrix}, with fractions in lowest terms.",
    re.compile(rf"{_ARITHMETIC}|⟧[^⟦]*⟦"),
    brackets=True,
    named=True,
)
RADICAL = Form(
    "a simplified number",
    r"Give the exact value, with \sqrt{} in simplest form where it is needed.",
    re.compile(rf"{_UNDONE}|{_POWER}|{_UNDER_ROOT}"),
)
PI = Form(
    "a multiple of pi",
    r"Give the exact value, as a multiple of \pi.",
    re.compile(rf"{_UNDONE}|{_PRODUCT}|{_POWER}|{_SUM}"),
)
EXPANDED = Form(
    "an expanded polynomial",
    "Give the expanded polynomial, like terms collected.",
    re.compile(rf"{_UNDONE}|[(\[]"),
    named=True,
)
EXPRESSION = Form("an expression", "Give a single expression in x.", re.compile(_UNDONE), named=True)
LINE = Form("a line", "Write it as y = mx + b.", re.compile(rf"{_UNDONE}|[(\[]"), named=True)
INTERVAL = Form(
    "an interval",
    r"Give the solution set as an interval, with \infty where it is unbounded.",
    re.compile(rf"{_ARITHMETIC}|[0-9]\s*[A-Za-z]"),
    brackets=True,
)
