"""Functions turned into programs that read standard input and print: one text form for each type."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from proofgym.envs.code.program import Program

__all__ = ["FORMS", "as_program", "formats", "parameters", "printable", "written", "written_result"]

_READ = {
    "int": "int(next(lines))",
    "str": "next(lines)",
    "list[int]": "[int(word) for word in next(lines).split()]",
    "list[str]": "[next(lines) for _ in range(int(next(lines)))]",
    "list[list[int]]": "[[int(word) for word in next(lines).split()] for _ in range(int(next(lines)))]",
}
_SAID = {
    "int": "a whole number on a line of its own",
    "str": "a line of text (it may be empty, and may begin or end with blanks)",
    "list[int]": "one line with the numbers of the list, separated by blanks (an empty line for an empty list)",
    "list[str]": "a line with the number of texts, then each text on a line of its own",
    "list[list[int]]": "a line with the number of rows, then each row as a line of numbers separated by blanks",
}
_PRINT = {
    "int": "print(result)",
    "str": "print(result)",
    "list[int]": 'print(" ".join(map(str, result)))',
    "list[str]": "print(len(result))\nfor text in result:\n    print(text)",
    "list[list[int]]": 'print(len(result))\nfor row in result:\n    print(" ".join(map(str, row)))',
}
_WRITE: Mapping[str, Callable[[Any], str]] = {
    "int": str,
    "str": str,
    "list[int]": lambda value: " ".join(map(str, value)),
    "list[str]": lambda value: "\n".join([str(len(value)), *value]),
    "list[list[int]]": lambda value: "\n".join([str(len(value)), *(" ".join(map(str, row)) for row in value)]),
}
FORMS = tuple(_READ)


def parameters(signature: str) -> tuple[list[tuple[str, str]], str]:
    """Names and types of a signature's parameters, and what it returns.

    >>> parameters("def f(a: int, b: list[int]) -> str")
    ([('a', 'int'), ('b', 'list[int]')], 'str')
    """
    found = re.fullmatch(r"def \w+\((.*)\)(?: -> (.*))?", signature)
    assert found is not None, signature
    parts = [part.partition(": ") for part in re.split(r", (?=\w+: )", found[1]) if part]
    return [(name, kind) for name, _, kind in parts], found[2] or ""


def printable(program: Program) -> bool:
    """Whether the program's arguments and result have a text form, and none of its texts has a line break in it."""
    if program.kind != "function":
        return False
    given, returned = parameters(program.signature)
    if returned not in FORMS or any(kind not in FORMS for _, kind in given):
        return False
    return all("\n" not in text for args, result in program.cases for text in _texts([*args, result]))


def _texts(values: list[Any]) -> list[str]:
    found: list[str] = []
    for value in values:
        found += [value] if isinstance(value, str) else _texts(value) if isinstance(value, list) else []
    return found


def formats(signature: str) -> str:
    """What stands where in the input and the output, in words."""
    given, returned = parameters(signature)
    lines = [f"- {name}: {_SAID[kind]}" for name, kind in given]
    return "Input, in this order:\n" + "\n".join(lines) + f"\nOutput: the result, {_SAID[returned]}."


def written(signature: str, args: list[Any]) -> str:
    """The standard input for these arguments."""
    given, _ = parameters(signature)
    return "".join(_WRITE[kind](value) + "\n" for (_, kind), value in zip(given, args, strict=True))


def written_result(signature: str, result: Any) -> str:
    """The standard output for this result."""
    return _WRITE[parameters(signature)[1]](result) + "\n"


def as_program(program: Program) -> str:
    """The reference as a program that reads standard input and prints."""
    given, returned = parameters(program.signature)
    reads = "\n".join(f"{name} = {_READ[kind]}" for name, kind in given)
    names = ", ".join(name for name, _ in given)
    return (
        f"import sys\n\n\n{program.source.rstrip()}\n\n\n"
        f'lines = iter(sys.stdin.read().split("\\n"))\n{reads}\nresult = {program.entry}({names})\n{_PRINT[returned]}\n'
    )
