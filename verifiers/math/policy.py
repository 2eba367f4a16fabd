"""The conventions on which communities differ, as options with strict defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["STRICT", "MathPolicy"]


@dataclass(frozen=True, slots=True)
class MathPolicy:
    """Which differences between two answers do not matter.

    Args:
        units: `"drop"`: a unit may be left out, known units convert, unknown words do not count. `"keep"`: both sides
            need the same unit.
        percent: `"fraction"`: 25% is 0.25 and nothing else. `"either"`: it is also 25.
        degrees: `"drop"`: 45° may be written 45. `"keep"`: it may not. 180° is π in both.
        tuple_order: Whether the order of a bracketed tuple matters. That of a set never does.
        list_order: Whether the order of numbers separated by bare commas matters.
        rounding: `0`: a short decimal equals an exact value only if it is that value. `k > 0`: a decimal of at least
            `k` significant digits also equals the values that round to it.
        names: Whether `x = 3` may answer `3`, and `3` may answer `x = 3`.
        inequality_as_interval: Whether `x > 3` and `(3, ∞)` are the same answer.
        letter_case: Whether upper and lower case differ in text answers.
        evaluated: Whether the answer has to be carried out as far as the gold answer: `6*7` or an integral then do not
            answer `42`. Set it where the question can be answered by repeating it.
        identity: `"numeric"`: a symbolic identity with no exact proof is accepted if both sides agree to 50 digits and
            more at random points. `"exact"`: without a proof it is unjudged.
        max_chars: Of one answer, at most; of a response, 50 times that.
        budget_s: Wall seconds of symbolic work for one case.
        derivation_s: Wall seconds for all steps of one derivation; what is left then is not checkable.
    Raises:
        ValueError: For values out of range.
    """

    units: Literal["drop", "keep"] = "drop"
    percent: Literal["fraction", "either"] = "fraction"
    degrees: Literal["drop", "keep"] = "drop"
    tuple_order: bool = True
    list_order: bool = False
    rounding: int = 0
    names: bool = True
    inequality_as_interval: bool = True
    letter_case: bool = False
    evaluated: bool = False
    identity: Literal["numeric", "exact"] = "numeric"
    max_chars: int = 20_000
    budget_s: float = 2.0
    derivation_s: float = 20.0

    def __post_init__(self) -> None:
        """Refuse what could not be obeyed."""
        if self.units not in ("drop", "keep") or self.degrees not in ("drop", "keep"):
            raise ValueError(f"units and degrees are 'drop' or 'keep', found {self.units!r} and {self.degrees!r}")
        if self.percent not in ("fraction", "either"):
            raise ValueError(f"percent is 'fraction' or 'either', found {self.percent!r}")
        if self.identity not in ("numeric", "exact"):
            raise ValueError(f"identity is 'numeric' or 'exact', found {self.identity!r}")
        if not 0 <= self.rounding <= 50:
            raise ValueError(f"rounding is a number of digits from 0 to 50, found {self.rounding}")
        if not 1 <= self.max_chars <= 100_000 or not 0.01 <= self.budget_s <= 600:
            raise ValueError("max_chars lies in [1, 100000] and budget_s in [0.01, 600]")
        if not 0.01 <= self.derivation_s <= 3600:
            raise ValueError(f"derivation_s lies in [0.01, 3600], found {self.derivation_s}")


STRICT = MathPolicy()
