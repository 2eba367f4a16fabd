"""A task of programming: what to write, in which language, and the cases it is judged by.

Five kinds, each with its own kind of `Case`:

    function     call `entry` of a Python module with `args` and `kwargs`; compare what it returns, or `raises`
    class        build `entry` with `args`, then make the calls in `steps`; each step's answer is compared
    stdio        run a program on `stdin`; compare what it prints
    pytest       run the test `node` of the suite in `files`, with the submission as the file `module`
    interactive  the program talks with the task's `interactor`, which is told `data` and gives the verdict

A task is plain data: `CodeTask.from_json` reads it with errors that name the field, `to_json` writes it, and equal
tasks are equal. Expected outputs stay on the host.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, Literal, TypeVar, get_args

from proofgym.errors import BadInput
from proofgym.sandboxes import Limits
from proofgym.sandboxes.languages import check
from proofgym.sandboxes.types import checked_path
from proofgym.verifiers.code.compare import Comparator
from proofgym.verifiers.code.values import dump, load

__all__ = ["Case", "CodeTask", "Integrity", "Kind", "Step"]

Kind = Literal["function", "class", "stdio", "pytest", "interactive"]
Integrity = Literal["values", "in_process"]
MOST_CASES = 2_000
DEFAULT_COMPARE, DEFAULT_LIMITS = Comparator(), Limits()

_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a method in a `class` case. Without `expected` or `raises`, any answer will do."""

    method: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    expected: Any = None
    raises: tuple[str, ...] = ()
    checked: bool = True

    def __post_init__(self) -> None:
        """Refuse a name that is none."""
        if type(self.method) is not str or not self.method.isidentifier():
            raise BadInput(f"method is {self.method!r}; give the name of a method")
        _names("raises", self.raises)

    def to_json(self) -> dict[str, Any]:
        """The fields that differ from the defaults, for `from_json`."""
        return _to_json(self, always=("expected",) if self.checked else ())

    @classmethod
    def from_json(cls, data: Any, where: str = "step") -> Step:
        """Read what `to_json` wrote, or a list `[method, args, expected]`."""
        if isinstance(data, (list, tuple)):
            if not 2 <= len(data) <= 3:
                raise BadInput(f"{where} is a list of {len(data)}; write [method, args] or [method, args, expected]")
            data = dict(zip(("method", "args", "expected"), data, strict=False))
        values = _object(cls, data, where)
        values.setdefault("checked", "expected" in values or "raises" in values)
        return _build(cls, values, where)


@dataclass(frozen=True, slots=True)
class Case:
    """One test. Which fields matter depends on the task's kind; see the module.

    Args:
        name: For reports; unique within a task. By default `case 1`, `case 2` and so on.
        expected: What comes back. For `stdio` the text to be printed; unused for `pytest` and `interactive`.
        raises: Names of exceptions, one of which is expected instead of a value (`function` only).
        visible: Whether the policy may see it: its input, what was expected and what came back.
        weight: Its share of the score, relative to the other cases.
        limits: For this case alone; else the task's.
        compare: For this case alone; else the task's.
    """

    name: str = ""
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    stdin: str = ""
    node: str = ""
    data: Any = None
    expected: Any = None
    raises: tuple[str, ...] = ()
    visible: bool = False
    weight: float = 1.0
    limits: Limits | None = None
    compare: Comparator | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without the task."""
        for name in ("name", "stdin", "node"):
            if not isinstance(getattr(self, name), str):
                raise BadInput(f"{name} is a {type(getattr(self, name)).__name__}; give text")
        if not isinstance(self.args, tuple):
            raise BadInput(f"args is a {type(self.args).__name__}; give a tuple")
        if type(self.visible) is not bool:
            raise BadInput(f"visible is {self.visible!r}; give true or false")
        if type(self.weight) not in (int, float) or not (math.isfinite(self.weight) and self.weight > 0):
            raise BadInput(f"weight is {self.weight!r}; give a finite number above 0")
        _names("raises", self.raises)

    def to_json(self) -> dict[str, Any]:
        """The fields that differ from the defaults, for `from_json`."""
        return _to_json(self)

    @classmethod
    def from_json(cls, data: Any, where: str = "case", limits: Limits | None = None) -> Case:
        """Read what `to_json` wrote. `limits` completes the case's own where it gives only some."""
        values = _object(cls, data, where)
        if "steps" in values:
            steps = _list(values["steps"], f"{where}.steps")
            values["steps"] = tuple(Step.from_json(step, f"{where}.steps[{at}]") for at, step in enumerate(steps))
        if values.get("limits") is not None:
            values["limits"] = _limits(values["limits"], f"{where}.limits", limits)
        if values.get("compare") is not None:
            values["compare"] = Comparator.from_json(values["compare"], f"{where}.compare")
        return _build(cls, values, where)


@dataclass(frozen=True, slots=True)
class CodeTask:
    """What a submission is judged by.

    Args:
        kind: See the module.
        cases: The tests; at least one.
        language: `python`, or for `stdio` and `interactive` any language the sandboxes know.
        entry: The function (`f`, or `Solution.f`) or the class.
        stub: Code that a submission may continue instead of writing `entry` anew: if it does not define `entry`, it is
            put after this.
        prelude: Trusted code that runs before the submission in its module, such as imports the statement promises.
        observe: For `function`: compare the returned `value`, or the `arguments` as the function left them (a list).
        compare: How outputs are compared. By default `value`, or `lines` for `stdio`.
        limits: For each case.
        files: Files beside the program; for `pytest`, the suite. Text, by relative path.
        module: For `pytest`: the file that the submission becomes.
        checker: Python source of `check(input, output, expected) -> bool | float | (that, reason)`, used where the
            comparator's kind is `checker`. Trusted, and run in a sandbox of its own.
        interactor: Python source of `interact(data, hear, say) -> bool | float | (that, reason)`. `hear()` gives the
            program's next line, or None after its last; `say(line)` answers. Trusted, in a sandbox of its own.
        integrity: For `pytest`. `values`: suite and submission run in two sandboxes, and only plain values pass between
            them. `in_process`: together, as pytest does it everywhere; forgeable, so `grade` wants to be asked for it.
        packages: Whether a submission may import the packages installed beside this interpreter. Whatever data lies in
            those packages it can read, too.
        fresh: Give each case a process of its own. Otherwise the cases of a `function` share one, as they do in
            HumanEval, and a program may remember between calls.
        reference: A right solution, for what is measured against one.
        origin: Where the task is from, for the log.
    """

    kind: Kind
    cases: tuple[Case, ...]
    language: str = "python"
    entry: str = ""
    stub: str = ""
    prelude: str = ""
    observe: Literal["value", "arguments"] = "value"
    compare: Comparator = DEFAULT_COMPARE
    limits: Limits = DEFAULT_LIMITS
    files: Mapping[str, str] = field(default_factory=dict)
    module: str = "solution.py"
    checker: str = ""
    interactor: str = ""
    integrity: Integrity = "values"
    packages: bool = False
    fresh: bool = False
    reference: str = ""
    origin: str = ""

    def __post_init__(self) -> None:
        """Refuse a task that cannot be judged, and name the field that is at fault."""
        for name, known in (("kind", Kind), ("observe", Literal["value", "arguments"]), ("integrity", Integrity)):
            if getattr(self, name) not in get_args(known):
                raise BadInput(f"{name} is {getattr(self, name)!r}; there are {', '.join(get_args(known))}")
        for name in ("entry", "stub", "prelude", "module", "checker", "interactor", "reference", "origin", "language"):
            if not isinstance(getattr(self, name), str):
                raise BadInput(f"{name} is a {type(getattr(self, name)).__name__}; give text")
        for name in ("packages", "fresh"):
            if type(getattr(self, name)) is not bool:
                raise BadInput(f"{name} is {getattr(self, name)!r}; give true or false")
        self._check_language()
        for name, text in self.files.items():
            try:
                checked_path(name)
            except ValueError as error:
                raise BadInput(f"files: {error}") from None
            if not isinstance(text, str):
                raise BadInput(f"files[{name!r}] is a {type(text).__name__}; give text")
        self._check_cases()

    def _check_language(self) -> None:
        if self.language == "python":
            pass
        elif self.kind not in ("stdio", "interactive"):
            raise BadInput(f"language is {self.language!r}; a task of kind {self.kind!r} is judged in python only")
        else:
            object.__setattr__(self, "language", check(self.language))
        if self.files and self.language != "python":
            raise BadInput("files is for programs in python; a compiled program is run alone")
        if self.kind in ("function", "class"):
            parts = self.entry.split(".")
            if not all(part.isidentifier() for part in parts) or (self.kind == "class" and len(parts) > 1):
                raise BadInput(f"entry is {self.entry!r}; name the {self.kind} that is judged")
        if self.kind == "interactive" and "def interact" not in self.interactor:
            raise BadInput("interactor is Python source that defines `interact(data, hear, say)`")
        if self.kind == "pytest" and not self.files:
            raise BadInput("files is empty; a pytest task brings its suite there")
        if self.kind == "stdio" and self.compare == Comparator():
            object.__setattr__(self, "compare", Comparator(kind="lines"))

    def _check_cases(self) -> None:
        if not self.cases or len(self.cases) > MOST_CASES:
            raise BadInput(f"cases holds {len(self.cases)}; give 1 to {MOST_CASES}")
        named = tuple(case if case.name else replace(case, name=f"case {at + 1}") for at, case in enumerate(self.cases))
        object.__setattr__(self, "cases", named)
        seen: set[str] = set()
        for at, case in enumerate(named):
            where = f"cases[{at}]"
            if case.name in seen:
                raise BadInput(f"{where}.name is {case.name!r}, as an earlier one is")
            seen.add(case.name)
            compare = case.compare or self.compare
            if self.kind == "class" and not case.steps:
                raise BadInput(f"{where}.steps is empty; a case of a class is a sequence of calls")
            if self.kind == "pytest" and "::" not in case.node:
                raise BadInput(f"{where}.node is {case.node!r}; name one test in full, such as 'test_it.py::test_sum'")
            if self.kind == "pytest" and case.node.partition("::")[0] not in self.files:
                raise BadInput(f"{where}.node is {case.node!r}, whose file is not among files")
            if self.kind in ("pytest", "interactive"):
                continue
            if compare.kind == "checker" and self.kind == "class":
                raise BadInput(f"{where} leaves it to a checker; the steps of a class are compared one by one")
            if compare.kind == "checker" and "def check" not in self.checker:
                raise BadInput(f"{where} leaves it to a checker, and checker does not define `check`")
            if self.kind == "stdio" and compare.kind == "value":
                raise BadInput(f"{where}.compare is of kind 'value'; printed text is compared by text, lines or tokens")
            if self.kind != "stdio" and compare.kind in ("text", "lines", "tokens") and not compare.any_of:
                wanted = [case.expected] if self.kind == "function" else [step.expected for step in case.steps]
                if not all(isinstance(text, str) or text is None for text in wanted):
                    raise BadInput(f"{where}.compare is for text, and what is expected is none")
            if self.kind == "stdio" and compare.kind != "checker":
                texts = case.expected if compare.any_of and isinstance(case.expected, list) else [case.expected]
                if not texts or not all(isinstance(text, str) for text in texts):
                    raise BadInput(f"{where}.expected is {case.expected!r:.60}; give the text to be printed")
            if compare.any_of and not (isinstance(case.expected, (list, tuple)) and case.expected) and not case.raises:
                raise BadInput(f"{where}.expected is {case.expected!r:.60}; `any_of` wants a list of what is accepted")

    @property
    def hidden(self) -> tuple[Case, ...]:
        """The cases that the policy must not see."""
        return tuple(case for case in self.cases if not case.visible)

    @property
    def visible(self) -> tuple[Case, ...]:
        """The cases that the policy may see."""
        return tuple(case for case in self.cases if case.visible)

    @property
    def fingerprint(self) -> str:
        """32 hexadecimal digits that name this content."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The fields that differ from the defaults, as JSON data that `from_json` reads back."""
        made = _to_json(self)
        made["cases"] = [case.to_json() for case in self.cases]
        return made

    @classmethod
    def from_json(cls, data: Any, where: str = "") -> CodeTask:
        """Read a task from JSON data.

        Raises:
            BadInput: The message names the field: `cases[2].weight is -1; ...`.

        >>> task = CodeTask.from_json({"kind": "function", "entry": "f", "cases": [{"args": [1], "expected": 2}]})
        >>> CodeTask.from_json(task.to_json()) == task
        True
        >>> CodeTask.from_json({"kind": "function", "entry": "f", "cases": [{"args": [1], "wieght": 2}]})
        Traceback (most recent call last):
        proofgym.errors.BadInput: cases[0].wieght is unknown; did you mean 'weight'?
        """
        values = _object(cls, data, where or "task", prefix=where)
        dot = f"{where}." if where else ""
        for needed in ("kind", "cases"):
            if needed not in values:
                raise BadInput(f"{dot}{needed} is missing")
        if "limits" in values:
            values["limits"] = _limits(values["limits"], f"{dot}limits", None)
        if "compare" in values:
            values["compare"] = Comparator.from_json(values["compare"], f"{dot}compare")
        if "files" in values and not isinstance(values["files"], Mapping):
            raise BadInput(f"{dot}files is a {type(values['files']).__name__}; give an object of path and text")
        limits = values.get("limits")
        cases = _list(values["cases"], f"{dot}cases")
        values["cases"] = tuple(Case.from_json(case, f"{dot}cases[{at}]", limits) for at, case in enumerate(cases))
        return _build(cls, values, where)


_PLAIN = frozenset(("args", "kwargs", "expected", "data"))


def _names(name: str, value: Any) -> None:
    if not isinstance(value, tuple) or not all(isinstance(part, str) and part.isidentifier() for part in value):
        raise BadInput(f"{name} is {value!r}; give names of exceptions")


def _object(kind: type, data: Any, where: str, prefix: str | None = None) -> dict[str, Any]:
    """The fields of a JSON object, plain values read, lists of arguments as tuples."""
    if not isinstance(data, Mapping):
        raise BadInput(f"{where} is a {type(data).__name__}; give an object")
    dot = where + "." if prefix is None else f"{prefix}." if prefix else ""
    known = [one.name for one in fields(kind)]
    values: dict[str, Any] = {}
    for key, value in data.items():
        if key not in known:
            import difflib

            close = difflib.get_close_matches(str(key), known, n=1)
            raise BadInput(
                f"{dot}{key} is unknown; "
                + (f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}")
            )
        values[key] = load(value, f"{dot}{key}") if key in _PLAIN else value
    for key in ("args", "raises"):
        if key in values:
            one = [values[key]] if key == "raises" and isinstance(values[key], str) else values[key]
            values[key] = tuple(_list(one, f"{dot}{key}"))
    if not isinstance(values.get("kwargs", {}), Mapping):
        raise BadInput(f"{dot}kwargs is a {type(values['kwargs']).__name__}; give an object")
    return values


def _list(value: Any, where: str) -> Sequence[Any]:
    if not isinstance(value, (list, tuple)):
        raise BadInput(f"{where} is a {type(value).__name__}; give a list")
    return value


def _limits(data: Any, where: str, base: Limits | None) -> Limits:
    if not isinstance(data, Mapping):
        raise BadInput(f"{where} is a {type(data).__name__}; give an object such as {{'wall_s': 2}}")
    known = [one.name for one in fields(Limits)]
    for key in data:
        if key not in known:
            raise BadInput(f"{where}.{key} is unknown; there are {', '.join(known)}")
    try:
        return replace(base or Limits(), **data)
    except (ValueError, TypeError) as error:
        raise BadInput(f"{where}.{error}") from None


def _build(kind: type[_Made], values: dict[str, Any], where: str) -> _Made:
    try:
        return kind(**values)
    except BadInput as error:
        raise BadInput(f"{where}.{error}" if where else str(error)) from None


def _to_json(one: Any, always: Sequence[str] = ()) -> dict[str, Any]:
    """The fields that differ from their defaults, and `always` some."""
    made: dict[str, Any] = {}
    for spec in fields(one):
        name, value = spec.name, getattr(one, spec.name)
        standard = spec.default if spec.default_factory is MISSING else spec.default_factory()
        if name not in always and type(value) is type(standard) and value == standard:
            continue
        if name in _PLAIN:
            made[name] = dump(list(value) if name == "args" else dict(value) if name == "kwargs" else value, name)
        elif isinstance(value, Limits):
            made[name] = {part.name: getattr(value, part.name) for part in fields(Limits)}
        elif isinstance(value, Comparator):
            made[name] = value.to_json()
        elif name == "steps":
            made[name] = [step.to_json() for step in value]
        elif isinstance(value, tuple):
            made[name] = list(value)
        elif isinstance(value, Mapping):
            made[name] = dict(value)
        else:
            made[name] = value
    return made
