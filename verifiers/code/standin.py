"""Stands in the suite's sandbox for the submission: every name leads to an object in the submission's own sandbox.

This file is written there under the submission's name (`solution.py`) and imported by the tests. Plain values cross as
copies; lists, dicts and sets that a call changed are changed here too; anything else stays where it is and is asked.
What a test compares is therefore a plain value, or it compares nothing: an operator between a foreign object and a
value of the suite is refused, because the object would learn what is expected. Only objects that the suite makes of the
classes that the task names in `entry` may have such operators.

It asks on file descriptor 3 and hears on 4, as frames of `wire`; the host stands between. Code of the submission never
runs here.
"""

from __future__ import annotations

import builtins
import os
import sys
import threading
from types import ModuleType
from typing import Any, NoReturn

if __name__.startswith("proofgym."):
    from proofgym.sandboxes import wire as _wire
else:
    _wire = sys.modules["proofgym_nanny_wire"]
_OPEN: frozenset[str] = frozenset(())  # the host writes the names in here
_SCALARS = (type(None), bool, int, float, complex, str, bytes)
_lock = threading.RLock()
_frames = _wire.Frames()
_errors: dict[str, type[BaseException]] = {}
_tuples: dict[tuple[str, tuple[str, ...]], Any] = {}


def _tell(index: int, message: Any) -> None:
    data = _wire.frame(_wire.VALUE, _wire.encode(message, strict=True), index)
    while data:
        data = data[os.write(3, data) :]


def _ask(
    what: str, target: int, name: str = "", args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
) -> Any:
    """One question and its answer; raises here what was raised there."""
    with _lock:
        packed = [_pack(arg) for arg in args], {key: _pack(arg) for key, arg in (kwargs or {}).items()}
        _tell(0, (what, target, name, *packed))
        while True:
            for _, _, body in _frames:
                return _hear(_wire.decode(body), args)
            data = os.read(4, 1 << 16)
            if not data:
                os._exit(3)
            _frames.feed(data)


def _hear(reply: Any, args: tuple[Any, ...]) -> Any:
    status, value, printed, changed = reply
    if printed:
        sys.stdout.write(printed)
    for place, now in changed:
        if type(args[place]) in (list, dict, set):
            _change(args[place], _unpack(now))
    if status == "value":
        return _unpack(value)
    name, base, words = value
    raise _error(name, base)(*(_unpack(word) for word in words))


def _change(held: Any, now: Any) -> None:
    if isinstance(held, list):
        held[:] = now
    elif held != now:
        held.clear()
        held.update(now)


def _cannot(value: Any) -> NoReturn:
    _tell(1, f"the suite hands the submission a {type(value).__name__}, which cannot cross between two sandboxes")
    os._exit(3)


def _pack(value: Any) -> Any:
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind in (list, tuple, set, frozenset):
        return (kind.__name__, [_pack(item) for item in value])
    if kind is dict:
        return ("dict", [(_pack(key), _pack(item)) for key, item in value.items()])
    if isinstance(value, Foreign):
        return ("ref", value._proofgym_ref)
    # What came from over there must be able to go back, or a submission could choose not to be judged.
    if isinstance(value, BaseException):
        return ("raised", _pack(type(value)), [_pack(word) for word in value.args])
    if isinstance(value, type) and issubclass(value, BaseException):
        return ("error", value.__name__)
    if isinstance(value, tuple) and type(value) in _tuples.values():
        return ("named", kind.__name__, list(kind._fields), [_pack(item) for item in value])
    name = getattr(value, "__name__", None)
    if isinstance(name, str) and getattr(builtins, name, None) is value:
        return ("builtin", name)
    _cannot(value)


def _unpack(data: Any) -> Any:
    if type(data) is not tuple:
        return data
    tag = data[0]
    if tag in ("list", "tuple", "set", "frozenset"):
        return getattr(builtins, tag)(_unpack(item) for item in data[1])
    if tag == "dict":
        return {_unpack(key): _unpack(item) for key, item in data[1]}
    if tag == "named":
        return _named(data[1], tuple(data[2]))(*(_unpack(item) for item in data[3]))
    if tag == "class":
        return ForeignClass(data[1], data[2])
    if tag == "error":
        return _error(data[1], data[2])
    return Foreign(data[1], data[2])


def _named(name: str, fields: tuple[str, ...]) -> Any:
    if (name, fields) not in _tuples:
        from collections import namedtuple

        _tuples[name, fields] = namedtuple(name, fields)
    return _tuples[name, fields]


def _error(name: str, base: str) -> type[BaseException]:
    """A class of exceptions of that name: Python's own, or one made here below Python's own."""
    known = getattr(builtins, name, None)
    if isinstance(known, type) and issubclass(known, BaseException):
        return known
    if name not in _errors:
        above = getattr(builtins, base, Exception)
        if not (isinstance(above, type) and issubclass(above, BaseException)):
            above = Exception
        _errors[name] = type(name, (above,), {})
    return _errors[name]


class Foreign:
    """An object in the submission's sandbox. Open ones, which the suite made, may have operators of their own."""

    __slots__ = ("_proofgym_open", "_proofgym_ref", "_proofgym_type")

    def __init__(self, ref: int, type_name: str) -> None:
        object.__setattr__(self, "_proofgym_ref", ref)
        object.__setattr__(self, "_proofgym_type", type_name)
        object.__setattr__(self, "_proofgym_open", False)

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("_proofgym", "__array", "_repr_", "_ipython")):
            raise AttributeError(name)
        return _ask("get", self._proofgym_ref, name)

    def __setattr__(self, name: str, value: Any) -> None:
        _ask("set", self._proofgym_ref, name, (value,))

    def __delattr__(self, name: str) -> None:
        _ask("delete", self._proofgym_ref, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _ask("call", self._proofgym_ref, "", args, kwargs)

    def __eq__(self, other: object) -> Any:
        if isinstance(other, Foreign) and other._proofgym_ref == self._proofgym_ref:
            return True
        return self._own(other) and _ask("method", self._proofgym_ref, "__eq__", (other,)) is True

    def __ne__(self, other: object) -> Any:
        return not self == other

    def __hash__(self) -> int:
        return int(_ask("method", self._proofgym_ref, "__hash__")) if self._proofgym_open else hash(self._proofgym_ref)

    def _own(self, other: object) -> bool:
        """Whether an operator with `other` may be the submission's.

        Between two of its own objects no value of the suite is at stake. An object that was returned, even by an
        operator or a method of an open one, is not open.
        """
        return bool(self._proofgym_open or isinstance(other, Foreign))


class ForeignClass(Foreign):
    """A class in the submission's sandbox."""

    __slots__ = ()

    def __init__(self, ref: int, name: str) -> None:
        super().__init__(ref, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        made = _ask("call", self._proofgym_ref, "", args, kwargs)
        if type(made) is Foreign and self._proofgym_open:
            object.__setattr__(made, "_proofgym_open", True)
        return made

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, Foreign) and _ask("isinstance", self._proofgym_ref, "", (value,)) is True


def _forward(name: str, *, guarded: bool) -> Any:
    def method(self: Foreign, *args: Any) -> Any:
        if guarded and not self._own(args[0] if args else None):
            raise TypeError(
                f"{name} of an object of type {self._proofgym_type!r}, which is neither a plain value nor of a class "
                "that the task lets have operators"
            )
        return _ask("method", self._proofgym_ref, name, args)

    return method


_FREE = [
    "len",
    "iter",
    "next",
    "getitem",
    "setitem",
    "delitem",
    "bool",
    "str",
    "repr",
    "enter",
    "exit",
    "reversed",
    "neg",
    "pos",
    "abs",
    "invert",
    "int",
    "float",
    "index",
    "complex",
]
_GUARDED = [
    "contains",
    "lt",
    "le",
    "gt",
    "ge",
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and",
    "or",
    "xor",
    "lshift",
    "rshift",
    "round",
    "radd",
    "rsub",
    "rmul",
    "rtruediv",
    "rfloordiv",
    "rmod",
    "rpow",
    "rmatmul",
    "iadd",
    "isub",
    "imul",
]
for _name in _FREE:
    setattr(Foreign, f"__{_name}__", _forward(f"__{_name}__", guarded=False))
for _name in _GUARDED:
    setattr(Foreign, f"__{_name}__", _forward(f"__{_name}__", guarded=True))


class _Module(ModuleType):
    """The module itself: its names are looked up over there."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        found = _ask("get", 0, name)
        if (
            type(found) is ForeignClass and name in _OPEN
        ):  # by the name the suite uses; what it calls itself is no matter
            object.__setattr__(found, "_proofgym_open", True)
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__"):
            super().__setattr__(name, value)
        else:
            _ask("set", 0, name, (value,))


def _take_over(name: str) -> None:
    held = sys.modules[name].__dict__
    kept = _Module(name)
    for key in ("__file__", "__path__", "__spec__", "__loader__", "__package__", "__cached__"):
        if key in held:
            kept.__dict__[key] = held[key]
    kept.__dict__["_proofgym_keeps"] = held
    sys.modules[name] = kept
    _ask("import", 0, name)


if not __name__.startswith("proofgym."):
    _take_over(__name__)
