"""What came back against what was expected: plain values and texts, compared on the host by declared rules.

Nothing here runs anything of the submission: values have crossed the sandbox's wire, where an object with a friendly
`__eq__` has become an `Opaque`, which equals nothing. NaN equals nothing either.
"""

from __future__ import annotations

import cmath
import math
from collections import Counter
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

from proofgym.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

__all__ = ["Comparator", "CompareKind", "TypeRule"]

CompareKind = Literal["value", "text", "lines", "tokens", "checker"]
TypeRule = Literal["exact", "python", "json"]
MOST_MATCHED = 300
"""Most items of a collection in any order whose items are compared with a tolerance and are not just numbers."""


@dataclass(frozen=True, slots=True)
class Comparator:
    """How to compare an output with the expected one.

    Args:
        kind: `value` for what functions return; for printed text `text` (every character but trailing blank space at
            the end), `lines` (blank space at the end of lines and of the text is dropped) or `tokens` (words);
            `checker` leaves it to the task's own checker, in a sandbox of its own.
        types: For values. `exact`: the same types throughout, so True is not 1, 1 is not 1.0, a list is no tuple.
            `python`: as `==` has it, so True is 1 and 1.0. `json`: what JSON can tell apart: 1 is 1.0, a bool is
            no number, lists and tuples are alike.
        rel: Relative tolerance for floats, as a share of the expected number; also for numbers within printed text.
        abs: Absolute tolerance for floats. Either tolerance will do. An integer that was expected as an integer has
            none.
        unordered: How many outer levels of lists (or lines, or tokens: 1) may be in any order. Sets and dicts always
            may.
        any_of: `expected` is a list of which any one is accepted.
        case: For text: whether upper and lower case differ.

    >>> Comparator().agree(1.0, 1), Comparator().agree(True, 1), Comparator(types="python").agree(True, 1)
    (True, False, True)
    >>> Comparator(abs=0.01).agree([0.333], [1 / 3]), Comparator().agree(float("nan"), float("nan"))
    (True, False)
    >>> Comparator(kind="tokens", case=False).agree("YES  3\\n", "Yes\\n3")
    True
    """

    kind: CompareKind = "value"
    types: TypeRule = "json"
    rel: float = 0.0
    abs: float = 0.0
    unordered: int = 0
    any_of: bool = False
    case: bool = True

    def __post_init__(self) -> None:
        """Refuse rules that nobody could follow."""
        if self.kind not in get_args(CompareKind):
            raise BadInput(f"compare.kind is {self.kind!r}; there are {', '.join(get_args(CompareKind))}")
        if self.types not in get_args(TypeRule):
            raise BadInput(f"compare.types is {self.types!r}; there are {', '.join(get_args(TypeRule))}")
        for name in ("rel", "abs"):
            tolerance = getattr(self, name)
            if type(tolerance) not in (int, float) or not (math.isfinite(tolerance) and tolerance >= 0):
                raise BadInput(f"compare.{name} is {tolerance!r}; a tolerance is a finite number, 0 or more")
        if self.rel >= 1:
            raise BadInput(f"compare.rel is {self.rel}; a relative tolerance lies below 1")
        if type(self.unordered) not in (int, bool) or not 0 <= self.unordered <= 8:
            raise BadInput(f"compare.unordered is {self.unordered!r}; give the number of levels, 0 to 8")
        for name in ("any_of", "case"):
            if type(getattr(self, name)) is not bool:
                raise BadInput(f"compare.{name} is {getattr(self, name)!r}; give true or false")

    @classmethod
    def from_json(cls, data: str | Mapping[str, Any], where: str = "compare") -> Comparator:
        """Read a comparator: a kind's name, or an object of this class's fields.

        >>> Comparator.from_json("tokens") == Comparator.from_json({"kind": "tokens"})
        True
        """
        if isinstance(data, str):
            data = {"kind": data}
        known = [field.name for field in fields(cls)]
        if not hasattr(data, "keys"):
            raise BadInput(f"{where} is a {type(data).__name__}; give a kind's name or an object")
        for key in data:
            if key not in known:
                raise BadInput(f"{where}.{key} is unknown; there are {', '.join(known)}")
        try:
            return cls(**data)
        except BadInput as error:
            raise BadInput(str(error).replace("compare.", f"{where}.", 1)) from None

    def to_json(self) -> dict[str, Any]:
        """The fields that differ from the defaults, for `from_json`."""
        default = Comparator()
        pairs = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in pairs if value != getattr(default, name) or name == "kind"}

    @property
    def tolerant(self) -> bool:
        """Whether any tolerance is given."""
        return bool(self.rel or self.abs)

    def agree(self, got: Any, expected: Any) -> bool:
        """Whether `got` will do where `expected` was asked for. Never raises for a hostile `got`."""
        if self.kind == "checker":
            raise BadInput("a checker decides in a sandbox of its own; `judge` runs it")
        accepted = expected if self.any_of else [expected]
        one = self._values if self.kind == "value" else self._texts
        return any(one(got, candidate) for candidate in accepted)

    def _values(self, got: Any, expected: Any) -> bool:
        return _same(self, got, expected, int(self.unordered))

    def _texts(self, got: Any, expected: Any) -> bool:
        if type(got) is not str or type(expected) is not str:
            return False
        if not self.case:
            got, expected = got.casefold(), expected.casefold()
        if self.kind == "text":
            return bool(got.rstrip() == expected.rstrip())
        if self.kind == "tokens":
            return self._rows([got.split()], [expected.split()])
        rows = [[line.rstrip() for line in text.rstrip().split("\n")] for text in (got, expected)]
        if self.tolerant:
            return self._lines([line.split() for line in rows[0]], [line.split() for line in rows[1]])
        return Counter(rows[0]) == Counter(rows[1]) if self.unordered else rows[0] == rows[1]

    def _lines(self, got: list[list[str]], expected: list[list[str]]) -> bool:
        if len(got) != len(expected):
            return False
        if self.unordered:
            return _match(got, expected, lambda one, other: self._words(one, other))
        return all(map(self._words, got, expected))

    def _rows(self, got: list[list[str]], expected: list[list[str]]) -> bool:
        (ours,), (theirs,) = got, expected
        if len(ours) != len(theirs):
            return False
        if self.unordered:
            if not self.tolerant:
                return Counter(ours) == Counter(theirs)
            return _match(ours, theirs, self._word)
        return self._words(ours, theirs)

    def _words(self, got: Sequence[str], expected: Sequence[str]) -> bool:
        return len(got) == len(expected) and all(map(self._word, got, expected))

    def _word(self, got: str, expected: str) -> bool:
        if got == expected:
            return True
        if not self.tolerant or max(len(got), len(expected)) > 400:
            return False
        claimed, wanted = _number(got), _number(expected)
        return claimed is not None and wanted is not None and _near(self, claimed, wanted)


def _number(word: str) -> float | None:
    """A printed number, in plain ASCII notation: no `nan`, no underscores, no other scripts' digits."""
    if not word.isascii() or "_" in word or word.lstrip("+-")[:1] not in "0123456789.":
        return None
    try:
        number = float(word)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _near(rule: Comparator, got: complex, expected: complex) -> bool:
    try:
        apart = abs(got - expected)
        return bool(apart <= rule.abs or apart <= rule.rel * abs(expected))
    except OverflowError:
        return False


def _same(rule: Comparator, got: Any, expected: Any, levels: int) -> bool:
    ours, theirs = type(got), type(expected)
    if theirs in (bool, int, float, complex):
        return _numbers(rule, got, expected)
    if ours is not theirs:
        pair = {ours, theirs}
        alike = rule.types != "exact" and pair == {set, frozenset}
        if not (alike or (rule.types == "json" and pair == {list, tuple})):
            return False
    if theirs in (list, tuple):
        if len(got) != len(expected):
            return False
        if levels <= 0:
            return all(_same(rule, one, other, 0) for one, other in zip(got, expected, strict=True))
        return _any_order(rule, got, expected, levels)
    if theirs in (set, frozenset):
        return len(got) == len(expected) and _any_order(rule, list(got), list(expected), 1)
    if theirs is dict:
        return len(got) == len(expected) and _dicts(rule, got, expected, levels)
    if theirs in (str, bytes) or expected is None:
        return bool(got == expected)
    return False


def _numbers(rule: Comparator, got: Any, expected: Any) -> bool:
    ours, theirs = type(got), type(expected)
    if ours not in (bool, int, float, complex):
        return False
    if (rule.types == "exact" and ours is not theirs) or (rule.types == "json" and (ours is bool) != (theirs is bool)):
        return False
    if got == expected:
        return True
    if not rule.tolerant or theirs not in (float, complex):
        return False
    try:
        claimed, wanted = complex(got), complex(expected)
    except OverflowError:
        return False
    return cmath.isfinite(claimed) and cmath.isfinite(wanted) and _near(rule, claimed, wanted)


def _dicts(rule: Comparator, got: dict[Any, Any], expected: dict[Any, Any], levels: int) -> bool:
    """By key, each key under the type rule. Keys have no tolerance."""
    keys = {_key(rule, key): item for key, item in got.items()}
    if len(keys) != len(got):
        return False
    for key, item in expected.items():
        name = _key(rule, key)
        if name not in keys or not _same(rule, keys[name], item, levels - 1):
            return False
    return True


def _any_order(rule: Comparator, got: Sequence[Any], expected: Sequence[Any], levels: int) -> bool:
    if not rule.tolerant:
        ours, theirs = ([_key(rule, item, levels - 1) for item in side] for side in (got, expected))
        # Equal contents have equal hashes. Looking at those first keeps values that were made to collide from
        # costing quadratic time: what is left collides no more than the expected values do.
        return Counter(map(hash, ours)) == Counter(map(hash, theirs)) and Counter(ours) == Counter(theirs)
    if all(type(item) in (int, float) for item in (*got, *expected)):
        if any(item != item for item in (*got, *expected)):
            return False
        # Intervals around sorted numbers are sorted too, so pairing by rank is the best there is.
        return all(_same(rule, one, other, 0) for one, other in zip(sorted(got), sorted(expected), strict=True))
    return _match(list(got), list(expected), lambda one, other: _same(rule, one, other, levels - 1))


def _key(rule: Comparator, value: Any, levels: int = 0) -> Hashable:
    """Something hashable, equal for two values exactly when they are the same under the rule without tolerance."""
    kind = type(value)
    if kind in (bool, int, float, complex):
        if value != value:
            return ("nan", object())
        named = kind.__name__ if rule.types == "exact" else kind is bool if rule.types == "json" else ""
        return ("number", named, value)
    if kind in (list, tuple):
        name = "list" if rule.types == "json" else kind.__name__
        keys = [_key(rule, item, levels - 1) for item in value]
        return (name, frozenset(Counter(keys).items())) if levels > 0 else (name, tuple(keys))
    if kind in (set, frozenset):
        return (kind.__name__ if rule.types == "exact" else "set", frozenset(_key(rule, item) for item in value))
    if kind is dict:
        return ("dict", frozenset((_key(rule, key), _key(rule, item, levels - 1)) for key, item in value.items()))
    if kind in (str, bytes) or value is None:
        return (kind.__name__, value)
    return ("opaque", object())


def _match(got: list[Any], expected: list[Any], same: Callable[[Any, Any], bool]) -> bool:
    """Whether the items can be paired off (Kuhn's augmenting paths)."""
    if len(expected) > MOST_MATCHED:
        raise BadInput(
            f"{len(expected)} items in any order with a tolerance; at most {MOST_MATCHED}, so write a checker"
        )
    fits = [[at for at, one in enumerate(got) if same(one, other)] for other in expected]
    owner: dict[int, int] = {}

    def place(number: int, seen: set[int]) -> bool:
        for at in fits[number]:
            if at not in seen:
                seen.add(at)
                if at not in owner or place(owner[at], seen):
                    owner[at] = number
                    return True
        return False

    return all(place(number, set()) for number in range(len(expected)))
