"""Plain Python values as JSON and back, so that a task in a file can expect a tuple, a set or an infinity.

JSON's own values stand for themselves. The rest is an object with one key that starts with `$`:

    {"$tuple": [1, 2]}   {"$set": [1]}   {"$frozenset": [1]}   {"$bytes": "00ff"}   {"$float": "inf"}
    {"$complex": [0.0, 1.0]}   {"$dict": [[key, value], ...]}   for keys that are no text, or that start with `$`
"""

from __future__ import annotations

import math
from typing import Any

from proofgym.errors import BadInput

__all__ = ["dump", "load"]

_MOST_DEPTH = 64


def dump(value: Any, where: str = "value", depth: int = 0) -> Any:
    """Write a plain value as JSON data.

    Raises:
        BadInput: For anything that is not plain; the message starts with `where`.

    >>> dump((1, {"a": {2}}))
    {'$tuple': [1, {'a': {'$set': [2]}}]}
    """
    if depth > _MOST_DEPTH:
        raise BadInput(f"{where} is nested more than {_MOST_DEPTH} deep")
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return value if math.isfinite(value) else {"$float": repr(value)}
    if kind is complex:
        return {"$complex": [dump(value.real), dump(value.imag)]}
    if kind is bytes:
        return {"$bytes": value.hex()}
    if kind is list:
        return [dump(item, where, depth + 1) for item in value]
    if kind is tuple:
        return {"$tuple": [dump(item, where, depth + 1) for item in value]}
    if kind in (set, frozenset):
        items = [dump(item, where, depth + 1) for item in value]
        return {f"${kind.__name__}": sorted(items, key=repr)}
    if kind is dict:
        if all(type(key) is str and not key.startswith("$") for key in value):
            return {key: dump(item, where, depth + 1) for key, item in value.items()}
        return {"$dict": [[dump(key, where, depth + 1), dump(item, where, depth + 1)] for key, item in value.items()]}
    raise BadInput(f"{where} holds a {kind.__name__}, which is no plain value")


def load(data: Any, where: str = "value", depth: int = 0) -> Any:
    """Read what `dump` wrote.

    Raises:
        BadInput: For an object with `$` that we do not write; the message starts with `where`.

    >>> load({"$tuple": [1, {"a": {"$set": [2]}}]})
    (1, {'a': {2}})
    """
    if depth > _MOST_DEPTH:
        raise BadInput(f"{where} is nested more than {_MOST_DEPTH} deep")
    if isinstance(data, (list, tuple)):
        items = [load(item, where, depth + 1) for item in data]
        return tuple(items) if isinstance(data, tuple) else items
    if not isinstance(data, dict):
        return data
    tags = [key for key in data if isinstance(key, str) and key.startswith("$")]
    if not tags:
        return {key: load(item, where, depth + 1) for key, item in data.items()}
    try:
        ((tag, inner),) = data.items()
        return _tagged(tag, inner, where, depth)
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"{where}: {tags[0]!r} holds what it cannot: {error}") from None


def _tagged(tag: str, inner: Any, where: str, depth: int) -> Any:
    if tag == "$float" and inner in ("inf", "-inf", "nan"):
        return float(inner)
    if tag == "$complex":
        real, imag = (float(load(part, where, depth + 1)) for part in inner)
        return complex(real, imag)
    if tag == "$bytes":
        return bytes.fromhex(inner)
    if tag == "$tuple" and isinstance(inner, (list, tuple)):
        return tuple(load(item, where, depth + 1) for item in inner)
    if tag in ("$set", "$frozenset") and isinstance(inner, (list, tuple)):
        items = [load(item, where, depth + 1) for item in inner]
        return set(items) if tag == "$set" else frozenset(items)
    if tag == "$dict" and isinstance(inner, (list, tuple)):
        pairs = [(load(key, where, depth + 1), load(item, where, depth + 1)) for key, item in inner]
        return dict(pairs)
    raise BadInput(f"{where}: {tag!r} is no tag of ours, or holds what it cannot")
