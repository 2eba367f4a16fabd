"""Frames and values: all that passes between the host, the worker and the untrusted child.

A frame is an 8-byte header and a body: kind (u8), a zero byte, index (u16), length (u32), little-endian. The same
frames go over a socket pair (embedded), a container's attach stream, and, from the child, its file descriptor 3.

    host -> worker   CONFIG  one value, once             JOB   see `nanny`        FEED  bytes for a live job     KILL
    worker -> host   READY   one value, once             FAILED  why it could not start
                     DATA    bytes of stream `index` (1 stdout, 2 stderr, 3 answers)
                     ARTIFACT  one value                 DONE  one value: how the job ended
    child -> host    VALUE   call `index` returned this  RAISED  (type, message)   END   all calls were made
    (inside DATA 3)  TEST    how a pytest test ended

What a child writes is hostile. The worker passes it on unread; only `read_answers` and `decode` here read it, on the
host: they accept exactly what `encode` writes, bounded in size, depth and count, or raise `Malformed`. Never pickle,
never eval. This module runs in all three places and imports only what a bare interpreter has.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["HEADER", "Frames", "Malformed", "Opaque", "decode", "encode", "encode_answer", "frame", "read_answers"]

HEADER = struct.Struct("<BBHI")
CONFIG, JOB, FEED, KILL = 1, 2, 3, 4
READY, FAILED, DATA, ARTIFACT, DONE = 16, 17, 18, 19, 20
VALUE, RAISED, END, TEST = 32, 33, 34, 35

MAX_FRAME = 64 << 20
MAX_ANSWER = 1 << 20
MAX_ANSWERS = 4 << 20
MAX_DEPTH = 40
MAX_NODES = 250_000
MAX_INPUT_NODES = 4_000_000
MAX_INT_BYTES = 1 << 16
MAX_COLLISIONS = 64

_U32 = struct.Struct("<I")
_F64 = struct.Struct("<d")


class Malformed(ValueError):
    """Bytes that our encoder does not write."""


class Opaque:
    """Stands for a value that does not travel: an object, a function, something too deep. It equals only itself."""

    __slots__ = ("type_name",)

    def __init__(self, type_name: str) -> None:
        self.type_name = type_name

    def __repr__(self) -> str:
        return f"Opaque({self.type_name!r})"


def frame(kind: int, body: bytes = b"", index: int = 0) -> bytes:
    """One frame, ready to send.

    >>> frame(END).hex()
    '2200000000000000'
    """
    return HEADER.pack(kind, 0, index, len(body)) + body


class Frames:
    """Cuts a stream of bytes from a *trusted* peer into frames; `feed` it what arrived, then iterate.

    >>> frames = Frames()
    >>> frames.feed(frame(DATA, b"hi", 1)[:9])
    >>> list(frames)
    []
    >>> frames.feed(b"i")
    >>> list(frames)
    [(18, 1, b'hi')]
    """

    def __init__(self, most: int = MAX_FRAME) -> None:
        self._held = bytearray()
        self._most = most

    def feed(self, data: bytes) -> None:
        """Add bytes that arrived."""
        self._held += data

    def __iter__(self) -> Iterator[tuple[int, int, bytes]]:
        held, at = self._held, 0
        try:
            while len(held) - at >= 8:
                kind, zero, index, length = HEADER.unpack_from(held, at)
                if zero or length > self._most:
                    raise Malformed(f"a frame header of {length} bytes from a worker")
                if len(held) - at - 8 < length:
                    return
                body = bytes(held[at + 8 : at + 8 + length])
                at += 8 + length
                yield kind, index, body
        finally:
            del held[:at]


def encode(value: Any, *, strict: bool = False) -> bytes:
    """Write a plain value as bytes. What is not plain, or too deep, becomes an `Opaque`; with `strict`, a TypeError.

    Subclasses of plain types travel as their base (an IntEnum as its int, a defaultdict as a dict), NumPy scalars as
    Python's.

    >>> decode(encode({"a": [1, 2.5, None], (1,): {b"x"}}))
    {'a': [1, 2.5, None], (1,): {b'x'}}
    >>> decode(encode(object()))
    Opaque('object')
    """
    out: list[bytes] = []
    _write(value, out, 0, [(MAX_INPUT_NODES if strict else MAX_NODES) - 1], strict)
    return b"".join(out)


def encode_answer(value: Any) -> bytes:
    """Write a value so that `read_answers` will take it: one that is too large becomes an `Opaque` as a whole."""
    try:
        data = encode(value)
    except (OverflowError, RecursionError):
        data = b""
    return data if 0 < len(data) <= MAX_ANSWER else encode(Opaque(f"a {type(value).__name__} too large to send"))


def _spend(count: int, left: list[int]) -> None:
    left[0] -= count
    if left[0] < 0:
        raise OverflowError("a value of too many parts")


def _write(value: Any, out: list[bytes], depth: int, left: list[int], strict: bool) -> None:
    kind = type(value)
    if value is None:
        out.append(b"N")
    elif kind is bool:
        out.append(b"T" if value else b"F")
    elif kind is int:
        size = value.bit_length() // 8 + 1
        if size > MAX_INT_BYTES:
            return _write_opaque("an int of more than 64 KiB", out, strict)
        out += (b"i", _U32.pack(size), value.to_bytes(size, "little", signed=True))
    elif kind is float:
        out += (b"f", _F64.pack(value))
    elif kind is str:
        try:
            text = value.encode()
        except UnicodeEncodeError:
            return _write_opaque("a str with lone surrogates", out, strict)
        out += (b"s", _U32.pack(len(text)), text)
    elif kind is bytes:
        out += (b"b", _U32.pack(len(value)), value)
    elif kind is complex:
        out += (b"c", _F64.pack(value.real), _F64.pack(value.imag))
    elif kind in _SEQUENCES:
        if depth >= MAX_DEPTH:
            return _write_opaque(f"a {kind.__name__} more than {MAX_DEPTH} deep", out, strict)
        _spend(len(value), left)
        out += (_SEQUENCES[kind], _U32.pack(len(value)))
        for item in value:
            _write(item, out, depth + 1, left, strict)
    elif kind is dict:
        if depth >= MAX_DEPTH:
            return _write_opaque(f"a dict more than {MAX_DEPTH} deep", out, strict)
        _spend(2 * len(value), left)
        out += (b"d", _U32.pack(len(value)))
        for key, item in value.items():
            _write(key, out, depth + 1, left, strict)
            _write(item, out, depth + 1, left, strict)
    elif kind is Opaque:
        _write_opaque(value.type_name, out, strict)
    else:
        for base in _BASES:
            if isinstance(value, base):
                plain = base(value) if base is not str else str.__str__(value)
                if type(plain) is base:
                    return _write(plain, out, depth, left, strict)
        if kind.__module__ == "numpy" and getattr(value, "shape", None) == () and hasattr(value, "item"):
            plain = value.item()
            if type(plain) in (bool, int, float, complex, str, bytes):
                return _write(plain, out, depth, left, strict)
        _write_opaque(kind.__name__, out, strict)
    return None


def _write_opaque(name: str, out: list[bytes], strict: bool) -> None:
    if strict:
        raise TypeError(f"{name} is no plain value")
    text = name.encode("utf-8", "replace")[:200].decode("utf-8", "ignore").encode()
    out += (b"o", _U32.pack(len(text)), text)


_SEQUENCES: dict[Any, bytes] = {list: b"l", tuple: b"t", set: b"S", frozenset: b"Z"}
_MAKERS = {ord("l"): list, ord("t"): tuple, ord("S"): set, ord("Z"): frozenset}
_BASES: tuple[Any, ...] = (int, float, complex, str, bytes, list, tuple, dict, set, frozenset)


def decode(data: bytes, *, most_nodes: int = MAX_NODES) -> Any:
    """Read what `encode` wrote, and nothing else.

    Time and memory are bounded by the length and `most_nodes`, also for keys that were chosen to collide in a dict.

    Raises:
        Malformed: For any other bytes.

    >>> decode(b"s" + bytes([255] * 4))
    Traceback (most recent call last):
    proofgym.sandboxes.wire.Malformed: cut short
    """
    reader = _Reader(data, most_nodes)
    value = reader.read(0)
    if reader.at != len(data):
        raise Malformed("bytes after the value")
    return value


class _Reader:
    __slots__ = ("at", "data", "left")

    def __init__(self, data: bytes, most_nodes: int) -> None:
        self.data, self.at, self.left = data, 0, most_nodes

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.data):
            raise Malformed("cut short")
        part, self.at = self.data[self.at : end], end
        return part

    def count(self) -> int:
        return int(_U32.unpack(self.take(4))[0])

    def read(self, depth: int) -> Any:
        self.left -= 1
        if self.left < 0:
            raise Malformed("more values than are allowed")
        if depth > MAX_DEPTH:
            raise Malformed("nested too deep")
        tag = self.take(1)[0]
        if tag == 0x4E:
            return None
        if tag == 0x54 or tag == 0x46:
            return tag == 0x54
        if tag == 0x69:
            size = self.count()
            if not 0 < size <= MAX_INT_BYTES:
                raise Malformed("an int of impossible size")
            return int.from_bytes(self.take(size), "little", signed=True)
        if tag == 0x66:
            return _F64.unpack(self.take(8))[0]
        if tag == 0x73:
            return self.text(self.count())
        if tag == 0x62:
            return self.take(self.count())
        if tag == 0x63:
            return complex(_F64.unpack(self.take(8))[0], _F64.unpack(self.take(8))[0])
        if tag == 0x6F:
            return Opaque(self.text(min(self.count(), 201)))
        if tag == 0x64:
            return self.pairs(depth)
        if tag in _MAKERS:
            return self.sequence(tag, depth)
        raise Malformed("an unknown tag")

    def text(self, count: int) -> str:
        try:
            return self.take(count).decode()
        except UnicodeDecodeError:
            raise Malformed("text that is not UTF-8") from None

    def sequence(self, tag: int, depth: int) -> Any:
        count = self.count()
        if count > self.left:
            raise Malformed("more values than are allowed")
        items = [self.read(depth + 1) for _ in range(count)]
        if tag == 0x6C:
            return items
        if tag == 0x74:
            return tuple(items)
        _check_keys(items)
        made = _MAKERS[tag](items)
        if len(made) != count:
            raise Malformed("an element twice in a set")
        return made

    def pairs(self, depth: int) -> dict[Any, Any]:
        count = self.count()
        if 2 * count > self.left:
            raise Malformed("more values than are allowed")
        keys, items = [], []
        for _ in range(count):
            keys.append(self.read(depth + 1))
            items.append(self.read(depth + 1))
        _check_keys(keys)
        made = dict(zip(keys, items))  # noqa: B905 - both grew in one loop, and 3.9 might run this in a container
        if len(made) != count:
            raise Malformed("a key twice in a dict")
        return made


def _check_keys(keys: list[Any]) -> None:
    """Refuse keys that cannot be hashed, or that were made to share a hash and so cost quadratic time."""
    try:
        distinct = len({hash(key) for key in keys})
    except TypeError:
        raise Malformed("a key that cannot be hashed") from None
    if len(keys) - distinct > MAX_COLLISIONS:
        raise Malformed("keys made to collide")


def read_answers(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """Read the hostile bytes of a child's channel: (kind, index, value) for each frame, in order.

    Raises:
        Malformed: At the first byte that our child-side code does not write.
    """
    at = 0
    while at < len(data):
        if len(data) - at < 8:
            raise Malformed("half a header")
        kind, zero, index, length = HEADER.unpack_from(data, at)
        if zero or kind not in (VALUE, RAISED, END, TEST):
            raise Malformed("an unknown kind of frame")
        if length > MAX_ANSWER or at + 8 + length > len(data):
            raise Malformed("a frame that is too long or cut short")
        body = data[at + 8 : at + 8 + length]
        at += 8 + length
        if kind == END:
            if body:
                raise Malformed("an end with a body")
            yield kind, index, None
            continue
        value = decode(body)
        if kind != VALUE and not (type(value) is tuple and [type(part) for part in value] == [str, str]):
            raise Malformed("an exception or a test's outcome that is no pair of texts")
        yield kind, index, value
