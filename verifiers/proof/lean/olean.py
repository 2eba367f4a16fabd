"""Reads compiled Lean modules (.olean, format 2) in pure Python: which constants they declare, and of what type.

No Lean code runs here. The file may be hostile: every offset is checked, nothing recurses over it, and whatever does
not fit raises `BadOlean`.

Layout, as observed: 88 bytes of header ("olean", version, flags, 33 bytes of version string, 40 of git hash, the base
address), a root pointer, then compacted runtime objects. Pointers are absolute; minus the base they are offsets; a
pointer with bit 0 set is a small number. An object starts with its reference count, size, number of fields and tag.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from proofgym.errors import BadInput

__all__ = ["BadOlean", "Constant", "Module"]

KINDS = ("axiom", "def", "theorem", "opaque", "quot", "inductive", "constructor", "recursor")
MOST_BYTES = 512 << 20
MOST_OBJECTS = 20_000_000
_ARRAY, _STRING, _BIG = 246, 249, 250
_CHILDREN = {3: (), 4: (), 5: (0, 1), 6: (1, 2), 7: (1, 2), 8: (1, 2, 3), 10: (1,), 11: (2,)}  # of an Expr, by its tag


class BadOlean(BadInput):
    """Bytes that are no compiled module of a format we know."""


@dataclass(frozen=True, slots=True)
class Constant:
    """One declaration: its kind, the names of its universe parameters, and where its type and value lie."""

    name: str
    kind: str
    levels: tuple[str, ...]
    type_at: int
    value_at: int | None


@dataclass(frozen=True, slots=True)
class _Object:
    tag: int
    fields: tuple[int, ...]
    scalars: bytes


class Module:
    """One compiled module.

    Args:
        data: The bytes of the file.
    Raises:
        BadOlean: If they are no .olean of format 2.
    """

    def __init__(self, data: bytes) -> None:
        if len(data) > MOST_BYTES or len(data) < 96 or data[:5] != b"olean":
            raise BadOlean("these bytes are no .olean file")
        if data[5] != 2:
            raise BadOlean(f"an .olean of format {data[5]}; only format 2 is known (Lean 4.35)")
        self._data = data
        self._base, root = struct.unpack_from("<QQ", data, 80)
        self._memo: dict[int, _Object | str] = {}
        top = self._object(root)
        if len(top.fields) < 3:
            raise BadOlean("the root is no module")
        self.imports = tuple(self._name(self._object(at).fields[0]) for at in self._array(top.fields[0]))
        self.constants: dict[str, Constant] = {}
        for at in self._array(top.fields[2]):
            constant = self._constant(at)
            if constant.name in self.constants:
                raise BadOlean(f"{constant.name} is declared twice")
            self.constants[constant.name] = constant

    def mentions(self, constant: Constant) -> set[str]:
        """Names of the constants in its type and value."""
        out: set[str] = set()
        starts = [constant.type_at] if constant.value_at is None else [constant.type_at, constant.value_at]
        for at, found in self._expressions(starts):
            if found.tag == 4 or found.tag == 11:
                out.add(self._name(found.fields[0]))
            elif found.tag == 2:
                raise BadOlean(f"{constant.name} has a metavariable at {at}")
        return out

    def type_key(self, constant: Constant) -> str:
        """A hash of the type's structure: names of bound variables, kinds of binders and annotations do not count."""
        keys: dict[int, bytes] = {}
        levels: dict[int, bytes] = {}
        for at, found in self._expressions([constant.type_at], after=True):
            keys[at] = self._key(found, keys, levels)
        return keys[constant.type_at].hex() if not constant.type_at & 1 else "none"

    # Objects ----------------------------------------------------------------------------------------------------------

    def _get(self, pointer: int) -> _Object | str:
        known = self._memo.get(pointer)
        if known is not None:
            return known
        if len(self._memo) > MOST_OBJECTS:
            raise BadOlean("too many objects")
        try:
            made = self._read(pointer)
        except (struct.error, UnicodeDecodeError, IndexError, OverflowError) as error:
            raise BadOlean(f"a broken object at {pointer - self._base}: {error}") from error
        self._memo[pointer] = made
        return made

    def _read(self, pointer: int) -> _Object | str:
        at = pointer - self._base
        if pointer & 7 or not 88 <= at < len(self._data) - 8:
            raise BadOlean(f"a pointer out of the file: {pointer}")
        _, size, count, tag = struct.unpack_from("<iHBB", self._data, at)
        at += 8
        if tag <= 244:
            fields = struct.unpack_from(f"<{count}Q", self._data, at)
            return _Object(tag, fields, self._data[at + 8 * count : at - 8 + size])
        if tag == _ARRAY:
            (length,) = struct.unpack_from("<Q", self._data, at)
            if length > len(self._data) // 8:
                raise BadOlean("an array longer than the file")
            return _Object(tag, struct.unpack_from(f"<{length}Q", self._data, at + 16), b"")
        if tag == _STRING:
            (length,) = struct.unpack_from("<Q", self._data, at)
            if not 0 < length <= len(self._data):
                raise BadOlean("a string longer than the file")
            return self._data[at + 24 : at + 24 + length - 1].decode("utf-8")
        if tag == _BIG:
            _, limbs, where = struct.unpack_from("<iiQ", self._data, at)
            start, length = where - self._base, 8 * abs(limbs)
            if not 88 <= start <= start + length <= len(self._data):
                raise BadOlean("a number out of the file")
            return _Object(tag, (), self._data[start : start + length])
        return _Object(tag, (), b"")

    def _object(self, pointer: int) -> _Object:
        found = self._get(pointer) if not pointer & 1 else None
        if not isinstance(found, _Object):
            raise BadOlean("an object was expected")
        return found

    def _array(self, pointer: int) -> tuple[int, ...]:
        found = self._object(pointer)
        if found.tag != _ARRAY:
            raise BadOlean("an array was expected")
        return found.fields

    def _field(self, found: _Object, index: int) -> int:
        if index >= len(found.fields):
            raise BadOlean("an object has too few fields")
        return found.fields[index]

    def _list(self, pointer: int) -> Iterator[int]:
        count = 0
        while not pointer & 1:
            cell = self._object(pointer)
            yield self._field(cell, 0)
            pointer = self._field(cell, 1)
            count += 1
            if count > 10_000:
                raise BadOlean("a list without an end")

    def _name(self, pointer: int) -> str:
        """A name with its parts joined by points; a part that is no identifier is put in quotes, so none can pose."""
        parts: list[str] = []
        while not pointer & 1:
            found = self._object(pointer)
            last = self._field(found, 1)
            text = self._get(last) if not last & 1 else str(last >> 1)
            if not isinstance(text, str):
                raise BadOlean("a name of neither text nor number")
            number = bool(last & 1)
            plain = number or text.replace("'", "_").replace("!", "_").replace("?", "_").isidentifier()
            parts.append(text if plain else f"«{text.encode('unicode_escape').decode()}»")
            pointer = self._field(found, 0)
            if len(parts) > 1000:
                raise BadOlean("a name without an end")
        return ".".join(reversed(parts))

    def _constant(self, pointer: int) -> Constant:
        info = self._object(pointer)
        if info.tag >= len(KINDS):
            raise BadOlean(f"a declaration of kind {info.tag}")
        value = self._object(self._field(info, 0))
        head = self._object(self._field(value, 0))
        kind = KINDS[info.tag]
        levels = tuple(self._name(at) for at in self._list(self._field(head, 1)))
        body = self._field(value, 1) if kind in ("def", "theorem", "opaque") else None
        return Constant(self._name(self._field(head, 0)), kind, levels, self._field(head, 2), body)

    # Expressions ------------------------------------------------------------------------------------------------------

    def _expressions(self, starts: Iterable[int], *, after: bool = False) -> Iterator[tuple[int, _Object]]:
        """Every sub-expression once; children before their parents when `after`."""
        seen: set[int] = set()
        done: set[int] = set()
        stack = [(at, False) for at in starts]
        while stack:
            at, ready = stack.pop()
            if at & 1:
                continue
            found = self._object(at)
            if ready:
                if at not in done:
                    done.add(at)
                    yield at, found
                continue
            if at in seen:
                continue
            seen.add(at)
            if found.tag > 11:
                raise BadOlean(f"an expression of kind {found.tag}")
            if after:
                stack.append((at, True))
            else:
                yield at, found
            stack.extend((self._field(found, i), False) for i in _CHILDREN.get(found.tag, ()))

    def _key(self, found: _Object, keys: dict[int, bytes], levels: dict[int, bytes]) -> bytes:
        tag = found.tag
        if tag == 10:
            child = self._field(found, 1)
            return self._child(child, keys)
        parts: list[bytes] = [bytes([tag])]
        if tag == 0:
            parts.append(self._scalar(self._field(found, 0)))
        elif tag == 3:
            parts.append(self._level(self._field(found, 0), levels))
        elif tag == 4:
            parts.append(self._name(self._field(found, 0)).encode())
            parts += [self._level(at, levels) for at in self._list(self._field(found, 1))]
        elif tag == 9:
            literal = self._object(self._field(found, 0))
            parts += [bytes([literal.tag]), self._scalar(self._field(literal, 0))]
        elif tag in (1, 2):
            raise BadOlean("a type with a free variable")
        else:
            if tag == 11:
                parts += [self._name(self._field(found, 0)).encode(), self._scalar(self._field(found, 1))]
            parts += [self._child(self._field(found, i), keys) for i in _CHILDREN[tag]]
        return _hash(parts)

    def _child(self, pointer: int, keys: dict[int, bytes]) -> bytes:
        if pointer not in keys:
            raise BadOlean("an expression that contains itself")
        return keys[pointer]

    def _scalar(self, pointer: int) -> bytes:
        if pointer & 1:
            return b"n" + str(pointer >> 1).encode()
        found = self._get(pointer)
        if isinstance(found, str):
            return b"s" + found.encode("utf-8", "surrogatepass")
        return b"b" + found.scalars

    def _level(self, pointer: int, known: dict[int, bytes], depth: int = 0) -> bytes:
        if pointer & 1:
            return b"0"
        if pointer in known:
            return known[pointer]
        if depth > 200:
            raise BadOlean("a universe level nested too deep")
        found = self._object(pointer)
        if found.tag == 4:
            made = _hash([b"param", self._name(self._field(found, 0)).encode()])
        elif found.tag > 4:
            raise BadOlean("a universe level of no known kind")
        else:
            made = _hash([bytes([found.tag]), *(self._level(at, known, depth + 1) for at in found.fields)])
        known[pointer] = made
        return made


def _hash(parts: Iterable[bytes]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(4, "little"))
        digest.update(part)
    return digest.digest()
