"""Fields of rows as strangers fill them, read within bounds; what cannot be used is refused by the field's name."""

from __future__ import annotations

import base64
import json
import pickletools
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from proofgym.errors import BadInput
from proofgym.sandboxes import Limits

__all__ = [
    "LIMITS", "first_solution", "json_of", "level", "lines_of_json", "list_of_texts", "one_json", "python_solution",
    "rows_of_arguments", "text", "texts", "time_and_memory", "unpacked",
]  # fmt: skip

_MOST_TESTS = 64 << 20
LIMITS = Limits(wall_s=6.0, cpu_s=6.0, memory_mb=512)


def text(row: Mapping[str, Any], *names: str) -> str:
    """The first of the named fields that is a text with something in it."""
    for name in names:
        if isinstance(row.get(name), str) and row[name].strip():
            return str(row[name])
    raise BadInput(f"no text in {' or '.join(map(repr, names))}, found the fields {', '.join(map(str, row))[:100]}")


def texts(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The row as a dictionary, once all named fields are known to be texts."""
    for name in names:
        if not isinstance(row.get(name), str):
            raise BadInput(f"{name!r} is no text, found {row.get(name)!r:.40}")
    return dict(row)


def list_of_texts(row: Mapping[str, Any], name: str) -> list[str]:
    """A field that is a list of texts, and not an empty one."""
    value = row.get(name)
    if (
        not isinstance(value, Sequence)
        or isinstance(value, str)
        or not value
        or not all(isinstance(t, str) for t in value)
    ):
        raise BadInput(f"{name!r} is no list of texts, found {value!r:.40}")
    return list(value)


def json_of(row: Mapping[str, Any], name: str, kind: type) -> Any:
    """A field that holds JSON of the given kind, as text or already read."""
    value = row.get(name)
    if isinstance(value, str):
        if len(value) > _MOST_TESTS:
            raise BadInput(f"{name!r} has {len(value)} characters, more than {_MOST_TESTS}")
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise BadInput(f"{name!r} is no JSON: {error}") from None
    if not isinstance(value, kind):
        raise BadInput(f"{name!r} holds a {type(value).__name__}")
    return value


def rows_of_arguments(row: Mapping[str, Any], name: str) -> list[list[Any]]:
    """A field that is a list of lists of arguments."""
    value = row.get(name, [])
    if isinstance(value, str):
        value = json_of(row, name, list)
    if not isinstance(value, list) or not all(isinstance(args, list) for args in value):
        raise BadInput(f"{name!r} is no list of lists of arguments, found {value!r:.40}")
    return value


def lines_of_json(text: str) -> list[Any]:
    """The JSON value on each line of a text."""
    return [one_json(line) for line in text.split("\n") if line.strip()]


def one_json(text: str) -> Any:
    """The one JSON value that a text holds."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"'input' and 'output' of functional cases are JSON, found {text!r:.40} ({error})") from None


def time_and_memory(row: Mapping[str, Any]) -> Limits:
    """The row's own limits within ours: at least a second, for slower interpreters than those of the contest."""
    value, memory = row.get("time_limit"), row.get("memory_limit_bytes") or row.get("memory_limit")
    seconds = 0.0
    if isinstance(value, Mapping):
        seconds = float(value.get("seconds") or 0) + float(value.get("nanos") or 0) / 1e9
    elif isinstance(value, (int, float, str)) and not isinstance(value, bool):
        found = re.match(r"\s*(\d{1,4}(?:\.\d{1,6})?)", str(value))
        seconds = float(found[1]) if found else 0.0
    mib = 0
    if isinstance(memory, int) and not isinstance(memory, bool):
        mib = memory >> 20
    elif isinstance(memory, str):
        found = re.match(r"\s*(\d{1,5})(?:\.\d+)?\s*mega", memory)
        mib = int(found[1]) if found else 0
    wall = min(20.0, max(1.0, 2 * seconds)) if seconds else LIMITS.wall_s
    return replace(LIMITS, wall_s=wall, cpu_s=wall, memory_mb=min(2048, max(64, mib)) if mib else LIMITS.memory_mb)


def first_solution(row: Mapping[str, Any]) -> str:
    """The first of a row's solutions; empty where there is none."""
    value = row.get("solutions")
    try:
        value = json.loads(value) if isinstance(value, str) and value.strip() else value
    except (ValueError, RecursionError):
        return ""
    return value[0] if isinstance(value, list) and value and isinstance(value[0], str) else ""


def python_solution(row: Mapping[str, Any]) -> str:
    """The first solution in Python 3 of a row of CodeContests."""
    found = row.get("solutions")
    if not isinstance(found, Mapping):
        return ""
    languages, texts = list(found.get("language", ())), list(found.get("solution", ()))
    for wanted in (3, "PYTHON3"):
        for language, text in zip(languages, texts, strict=False):
            if language == wanted and isinstance(text, str):
                return text
    return ""


def level(word: Any) -> float:
    """A difficulty in [0, 1] by the word of a row."""
    names = ("introductory", "easy", "medium", "medium_hard", "interview", "hard", "very_hard", "competition")
    name = str(word).lower()
    return round((names.index(name) + 1) / len(names), 3) if name in names else 0.5


def unpacked(value: str, name: str) -> str:
    """The one text in base64 of zlib of a pickle, read out of its opcodes; nothing is unpickled."""
    try:
        reader = zlib.decompressobj()
        data = reader.decompress(base64.b64decode(value, validate=True), _MOST_TESTS)
        if reader.unconsumed_tail:
            raise BadInput(f"{name!r} unpacks to more than {_MOST_TESTS} bytes")
        texts = [arg for op, arg, _ in pickletools.genops(data) if "UNICODE" in op.name and isinstance(arg, str)]
    except (ValueError, zlib.error) as error:
        raise error if isinstance(error, BadInput) else BadInput(f"{name!r} cannot be unpacked: {error}") from None
    if len(texts) != 1:
        raise BadInput(f"{name!r} holds a pickle of something else than one text")
    return texts[0]
