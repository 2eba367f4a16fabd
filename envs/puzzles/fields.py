"""Reads the fields of an instance from outside, and says which one is wrong, what was found and what is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from proofgym.errors import BadInput

__all__ = ["edges", "flag", "matrix", "one_of", "only", "rows", "text", "texts", "whole", "wholes"]


def only(data: Mapping[str, Any], *keys: str, optional: Sequence[str] = ()) -> None:
    """Refuse a missing or an unknown key."""
    for key in keys:
        if key not in data:
            raise BadInput(f"the instance lacks {key!r}; it has {sorted(map(str, data))[:12]}")
    unknown = [key for key in data if key not in keys and key not in optional]
    if unknown:
        raise BadInput(f"the instance has an unknown field {unknown[0]!r:.40}; the fields are {[*keys, *optional]}")


def _whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def whole(data: Mapping[str, Any], key: str, low: int, high: int) -> int:
    """A whole number in a range.

    >>> whole({"n": 3}, "n", 1, 9)
    3
    """
    value = data.get(key)
    if not _whole(value, low, high):
        raise BadInput(f"{key!r} is a whole number from {low} to {high}, found {value!r:.80}")
    return int(value)  # type: ignore[arg-type]


def flag(data: Mapping[str, Any], key: str) -> bool:
    """True or false."""
    value = data.get(key)
    if not isinstance(value, bool):
        raise BadInput(f"{key!r} is true or false, found {value!r:.80}")
    return value


def one_of(data: Mapping[str, Any], key: str, values: Sequence[str]) -> str:
    """One of some words."""
    value = data.get(key)
    if not isinstance(value, str) or value not in values:
        raise BadInput(f"{key!r} is one of {list(values)[:12]}, found {value!r:.80}")
    return value


def wholes(
    data: Mapping[str, Any], key: str, low: int, high: int, *, least: int = 1, most: int = 1000
) -> tuple[int, ...]:
    """A list of whole numbers in a range."""
    value = data.get(key)
    if not (
        isinstance(value, (list, tuple)) and least <= len(value) <= most and all(_whole(v, low, high) for v in value)
    ):
        raise BadInput(
            f"{key!r} is a list of {least} to {most} whole numbers from {low} to {high}, found {value!r:.80}"
        )
    return tuple(value)


def matrix(
    data: Mapping[str, Any], key: str, low: int, high: int, *, rows: int | None = None, columns: int | None = None,
    most: int = 64,
) -> tuple[tuple[int, ...], ...]:  # fmt: skip
    """A rectangular table of whole numbers in a range."""
    value = data.get(key)
    shape = f"{rows or 'some'} rows of {columns or 'equally many'} whole numbers from {low} to {high}"
    if not (isinstance(value, (list, tuple)) and 1 <= len(value) <= most and (rows is None or len(value) == rows)):
        raise BadInput(f"{key!r} is {shape}, found {value!r:.80}")
    read = []
    width = columns
    for number, row in enumerate(value, 1):
        fits = isinstance(row, (list, tuple)) and 1 <= len(row) <= most and all(_whole(v, low, high) for v in row)
        if not fits or (width is not None and len(row) != width):
            raise BadInput(f"{key!r} is {shape}; row {number} is {row!r:.80}")
        width = len(row)
        read.append(tuple(row))
    return tuple(read)


def text(data: Mapping[str, Any], key: str, alphabet: str | None = None, *, least: int = 1, most: int = 10_000) -> str:
    """A text of some characters."""
    value = data.get(key)
    if not (isinstance(value, str) and least <= len(value) <= most):
        raise BadInput(f"{key!r} is a text of {least} to {most} characters, found {value!r:.80}")
    if alphabet is not None and not set(alphabet).issuperset(value):
        strange = next(c for c in value if c not in alphabet)
        raise BadInput(f"{key!r} is made of {alphabet!r:.60}, found {strange!r}")
    return value


def texts(
    data: Mapping[str, Any], key: str, alphabet: str | None = None, *, least: int = 1, most: int = 1000,
    shortest: int = 1, longest: int = 1000,
) -> tuple[str, ...]:  # fmt: skip
    """A list of texts of some characters."""
    value = data.get(key)
    if not (isinstance(value, (list, tuple)) and least <= len(value) <= most):
        raise BadInput(f"{key!r} is a list of {least} to {most} texts, found {value!r:.80}")
    return tuple(text({key: item}, key, alphabet, least=shortest, most=longest) for item in value)


def rows(
    data: Mapping[str, Any],
    key: str,
    alphabet: str,
    *,
    count: int | None = None,
    width: int | None = None,
    most: int = 64,
) -> tuple[str, ...]:
    """A board: texts of equal length, one a row."""
    read = texts(data, key, alphabet, most=most, longest=most)
    wrong = next((i for i, row in enumerate(read, 1) if len(row) != (width or len(read[0]))), None)
    if wrong is not None:
        raise BadInput(f"{key!r} has rows of {width or len(read[0])} cells; row {wrong} has {len(read[wrong - 1])}")
    if count is not None and len(read) != count:
        raise BadInput(f"{key!r} has {count} rows, found {len(read)}")
    return read


def edges(
    data: Mapping[str, Any], key: str, nodes: int, *, weighted: bool = False, directed: bool = False, low: int = 1,
    high: int = 10**6, most: int = 5000,
) -> tuple[tuple[int, ...], ...]:  # fmt: skip
    """Edges of a graph as `[u, v]` or `[u, v, weight]`, nodes counted from 0, no loops and none twice."""
    value = data.get(key)
    form = f"[u, v{', weight' if weighted else ''}] with nodes from 0 to {nodes - 1}"
    if not (isinstance(value, (list, tuple)) and len(value) <= most):
        raise BadInput(f"{key!r} is a list of at most {most} edges {form}, found {value!r:.80}")
    seen: set[tuple[int, int]] = set()
    read = []
    for edge in value:
        fits = isinstance(edge, (list, tuple)) and len(edge) == 2 + weighted
        if not (
            fits and all(_whole(v, 0, nodes - 1) for v in edge[:2]) and all(_whole(w, low, high) for w in edge[2:])
        ):
            raise BadInput(f"{key!r} holds edges {form}, found {edge!r:.80}")
        ends = (edge[0], edge[1]) if directed else (min(edge[:2]), max(edge[:2]))
        if edge[0] == edge[1] or ends in seen:
            raise BadInput(f"{key!r} has a loop or a double edge: {edge!r:.80}")
        seen.add(ends)
        read.append(tuple(edge))
    return tuple(read)
