"""What a template draws, and how a repository of our own is run in this process, without files and without traces."""

from __future__ import annotations

import ast
import builtins
import functools
import json
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from proofgym.envs.code.program import Draw, Exhausted, counted

__all__ = ["DRIVER", "TEMPLATES", "Loaded", "Repository", "fill", "template"]

DRIVER = '''
def run(script):
    """Carry out a script of operations; what each one returned, or the name of the exception that it raised."""
    world = start()
    results = []
    for operation, *arguments in script:
        try:
            results.append(do(world, operation, *arguments))
        except Exception as error:
            results.append(["error", type(error).__name__])
    return results
'''


@dataclass(frozen=True, slots=True)
class Repository:
    """A drawn repository.

    Args:
        package: The package's name.
        about: One paragraph on what it is for.
        files: Path to text. The package's modules import each other absolutely.
        driver: Trusted source of `start()` and `do(world, operation, *arguments)`, by which it is exercised.
        operations: What each operation stands for in Python, for the issue and the tests, such as
            `price -> Cart.price({0})`.
        script: Draws one script: a list of `[operation, *arguments]`.
        breakable: Modules in which a bug may be planted.
        knobs: Everything that was drawn, as one text: it makes two repositories the same or not.
    """

    package: str
    about: str
    files: Mapping[str, str]
    driver: str
    operations: Mapping[str, str]
    script: Callable[[], list[list[Any]]]
    breakable: Sequence[str]
    knobs: str


TEMPLATES: dict[str, Callable[[Draw], Repository]] = {}


def template(make: Callable[[Draw], Repository]) -> Callable[[Draw], Repository]:
    """Enter a function of a `Draw` into the table of templates, under its own name."""
    TEMPLATES[make.__name__] = make
    return make


def fill(text: str, values: Mapping[str, Any]) -> str:
    """Put values into the places `@name@` of a text.

    >>> fill("LIMIT = @limit@", {"limit": 3})
    'LIMIT = 3\\n'
    """
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    assert "@" not in text.replace("@property", "").replace("@dataclass", "").replace("@staticmethod", ""), text
    return text.strip("\n") + "\n"


@functools.lru_cache(maxsize=128)
def _code(text: str, path: str) -> types.CodeType:
    """A module of ours, compiled with its loops counted; most of a repository's modules have no bug in them."""
    return compile(counted(ast.parse(text)), path, "exec")


class Loaded:
    """A repository of our own, imported into this process under a finder of its own, with its loops counted.

    Args:
        files: Path to text; of these, the Python modules are loaded as they are imported.
        driver: See `Repository`.
        rounds: How many rounds of loops and calls one script may take.
    Raises:
        Exhausted: Loading it took too long.
    """

    def __init__(self, files: Mapping[str, str], driver: str, rounds: int) -> None:
        self._files, self._rounds, self._left = files, rounds, rounds
        self._modules: dict[str, types.ModuleType] = {}
        self._builtins = {**vars(builtins), "__import__": self._import, "_tick": self._tick}
        names = self._namespace("driver")
        exec(_code(driver + DRIVER, "<driver>"), names)
        self._run = names["run"]

    def run(self, script: list[list[Any]]) -> Any:
        """The results of a script, as JSON content. Raises `Exhausted`."""
        self._left = self._rounds
        results = json.loads(json.dumps(self._run(json.loads(json.dumps(script)))))
        if self._left < 0:
            raise Exhausted(f"more than {self._rounds} rounds")
        return results

    @property
    def rounds(self) -> int:
        """How many rounds the last script took."""
        return self._rounds - self._left

    def _tick(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Exhausted(f"more than {self._rounds} rounds")

    def _namespace(self, name: str) -> dict[str, Any]:
        return {"__name__": name, "__builtins__": self._builtins}

    def _import(self, name: str, globals_: Any = None, locals_: Any = None, wanted: Any = (), level: int = 0) -> Any:
        if self._path(name) is None:
            return builtins.__import__(name, globals_, locals_, wanted or (), level)
        for end in (at for at in range(len(name) + 1) if at == len(name) or name[at] == "."):
            self._load(name[:end])
        for inner in wanted or ():
            if self._path(f"{name}.{inner}") is not None:
                self._load(f"{name}.{inner}")
        return self._modules[name if wanted else name.partition(".")[0]]

    def _path(self, name: str) -> str | None:
        path = name.replace(".", "/")
        return next((found for found in (f"{path}.py", f"{path}/__init__.py") if found in self._files), None)

    def _load(self, name: str) -> None:
        if name in self._modules:
            return
        path = self._path(name)
        if path is None:
            raise ModuleNotFoundError(f"No module named {name!r}")
        module = self._modules[name] = types.ModuleType(name)
        module.__dict__["__builtins__"] = self._builtins
        exec(_code(self._files[path], path), module.__dict__)
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(self._modules[parent], last, module)
