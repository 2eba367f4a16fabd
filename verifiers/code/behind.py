"""The submission's side of a suite: imports it, and answers what the stand-in asks.

It runs as the source of a `calls` job in the submission's own sandbox, so all of it can be subverted by the
submission: what it sends are plain values, which the host reads with a strict decoder, and the suite compares.
"""

from __future__ import annotations

import builtins
import collections
import importlib
import io
import os
import sys
from typing import Any

_SCALARS = (type(None), bool, int, float, complex, str, bytes)
_MOST_PRINTED = 1 << 16


class _Held:
    """The objects that have been named to the other side, by number."""

    def __init__(self) -> None:
        self.things: list[Any] = [None]
        self.numbers: dict[int, int] = {}

    def number(self, thing: Any) -> int:
        if id(thing) not in self.numbers:
            self.numbers[id(thing)] = len(self.things)
            self.things.append(thing)
        return self.numbers[id(thing)]


def serve() -> None:
    """Answer questions from descriptor 4 on descriptor 3 until it closes."""
    wire: Any = sys.modules["proofgym_nanny_wire"]
    frames, held = wire.Frames(), _Held()
    while True:
        data = os.read(4, 1 << 16)
        if not data:
            return
        frames.feed(data)
        for _, _, body in list(frames):
            reply = _answer(wire.decode(body, most_nodes=wire.MAX_INPUT_NODES), held)
            try:
                packed = wire.encode(reply)
                if len(packed) > wire.MAX_ANSWERS:
                    raise OverflowError
            except (OverflowError, RecursionError):
                packed = wire.encode(
                    ("raise", ("OverflowError", "OverflowError", ["a value too large to hand over"]), "", [])
                )
            out = wire.frame(wire.VALUE, packed)
            while out:
                out = out[os.write(3, out) :]


def _answer(request: Any, held: _Held) -> Any:
    what, target, name, packed, named = request
    args = [_unpack(arg, held) for arg in packed]
    kwargs = {key: _unpack(arg, held) for key, arg in named.items()}
    before, caught = sys.stdout, io.StringIO()
    sys.stdout = caught
    try:
        status, value = "value", _pack(_do(what, target, name, args, kwargs, held), held)
    except BaseException as error:
        words = [word if type(word) in _SCALARS else str(type(word)) for word in error.args[:4]]
        status, value = "raise", (type(error).__name__, _base(type(error)), words)
    finally:
        sys.stdout = before
    changed = []
    for place, arg in enumerate(args):
        if type(arg) in (list, dict, set):
            changed.append((place, _pack(arg, held)))
    printed = caught.getvalue()[:_MOST_PRINTED]
    return status, value, printed.encode("utf-8", "replace").decode(), changed


def _do(what: str, target: int, name: str, args: list[Any], kwargs: dict[str, Any], held: _Held) -> Any:
    if what == "import":
        sys.modules.pop("solution", None)  # the runner has this module under that name
        held.things[0] = importlib.import_module(name)
        return None
    thing = held.things[target]
    if what == "get":
        if target == 0 and name == "__all__" and not hasattr(thing, name):
            return [key for key in vars(thing) if not key.startswith("_")]
        return getattr(thing, name)
    if what == "set":
        return setattr(thing, name, args[0])
    if what == "delete":
        return delattr(thing, name)
    if what == "call":
        return thing(*args, **kwargs)
    if what == "isinstance":
        return isinstance(args[0], thing)
    return _method(thing, name, args)


def _method(thing: Any, name: str, args: list[Any]) -> Any:
    """A special method, by the route that Python itself takes, with its detours where there are some."""
    plain: dict[str, Any] = {
        "__bool__": bool, "__iter__": iter, "__next__": next, "__str__": str, "__repr__": repr, "__len__": len,
    }  # fmt: skip
    if name in plain:
        return plain[name](thing)
    if name == "__contains__":
        return args[0] in thing
    if name == "__reversed__":
        return list(reversed(thing))
    answer = getattr(type(thing), name)(thing, *args)
    if answer is NotImplemented and len(args) == 1:
        if name == "__eq__":
            return thing is args[0]
        raise TypeError(f"{name} is not supported between {type(thing).__name__!r} and {type(args[0]).__name__!r}")
    return answer


def _base(kind: type[BaseException]) -> str:
    for above in kind.__mro__:
        if getattr(builtins, above.__name__, None) is above:
            return str(above.__name__)
    return "Exception"


def _pack(value: Any, held: _Held) -> Any:
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind in (list, tuple, set, frozenset):
        return (kind.__name__, [_pack(item, held) for item in value])
    if kind is dict:
        return ("dict", [(_pack(key, held), _pack(item, held)) for key, item in value.items()])
    if isinstance(value, type):
        if issubclass(value, BaseException):
            return ("error", value.__name__, _base(value))
        return ("class", held.number(value), value.__name__)
    if isinstance(value, tuple) and isinstance(getattr(kind, "_fields", None), tuple):
        return ("named", kind.__name__, list(kind._fields), [_pack(item, held) for item in value])
    for base in (int, float, str):
        if isinstance(value, base):
            return base(value) if base is not str else str.__str__(value)
    return ("ref", held.number(value), kind.__name__)


def _unpack(data: Any, held: _Held) -> Any:
    if type(data) is not tuple:
        return data
    tag, inner = data[0], data[1]
    if tag == "ref":
        return held.things[inner]
    if tag == "builtin":
        return getattr(builtins, inner)
    if tag == "error":
        return getattr(held.things[0], inner, None) or getattr(builtins, inner, Exception)
    if tag == "raised":
        return _unpack(inner, held)(*(_unpack(word, held) for word in data[2]))
    if tag == "named":
        return collections.namedtuple(inner, data[2])(*(_unpack(item, held) for item in data[3]))
    if tag == "dict":
        return {_unpack(key, held): _unpack(item, held) for key, item in inner}
    return getattr(builtins, tag)(_unpack(item, held) for item in inner)
