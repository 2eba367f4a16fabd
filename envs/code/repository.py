"""Repair a repository: read it, search it, edit it, run its tests, hand it in."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.base import TurnResult
from proofgym.envs.code import tools
from proofgym.envs.code.base import CodeEnv, checked
from proofgym.envs.code.planted import Broken, break_one
from proofgym.envs.code.program import Draw
from proofgym.envs.code.templates import Repository, templates
from proofgym.envs.code.templates.repository import DRIVER
from proofgym.errors import BadInput
from proofgym.sandboxes import Limits
from proofgym.verifiers import Credit, Verdict
from proofgym.verifiers.code import Case, CodeReport, CodeTask, judge

__all__ = ["RepoRepair"]

_LIMITS = Limits(wall_s=3.0, cpu_s=3.0, memory_mb=256, processes=8, output_kb=64)
_SHOWN_TESTS, _HIDDEN_FAIL, _HIDDEN_PASS = 4, 6, 8
_TESTS = "tests"
_Drawn = tuple[str, Repository, Draw]


class RepoRepair(CodeEnv):
    """Asks to resolve an issue in a small repository with tools, and pays 1.0 when the repository handed in is right.

    Observation: the issue, the list of files, and the commands; after a turn, what the command said.
    Action: one command, `$ list`, `$ read`, `$ search`, `$ edit`, `$ write`, `$ delete`, `$ test`, `$ python` or
    `$ submit`, on a line of its own, with what belongs to it below; text before it is free.
    Episode: up to 24 turns; it ends with `$ submit`.

    The repository comes from one of five templates of several modules, and one or two bugs are planted by mutation.
    What is handed in runs in a fresh sandbox, without its tests folder and without any history, and is exercised by
    scripts that were never shown: those that failed must pass and those that passed must still pass. Results are
    compared outside; editing tests wins nothing.

    The repository is a plain dictionary of files within the state: `fork` copies it exactly, and what runs in a sandbox
    leaves it as it is.
    """

    family: ClassVar[str] = "code_repository"
    content_family: ClassVar[str] = "code_repository"
    floor: float = 0.0
    default_max_turns: ClassVar[int] = 24

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._code_task: CodeTask | None = None
        self._given: dict[str, str] = {}
        self._gold: dict[str, str] = {}
        self._failing: frozenset[str] = frozenset()
        self._driver = ""
        self._tree = tools.Tree({})

    def draw_content(self, rng: np.random.Generator) -> tuple[Any, _Drawn]:
        draw = Draw(rng, self.level)
        name = list(templates())[int(rng.integers(len(templates())))]
        repository = templates()[name](draw)
        return {"program": name, "spec": repository.knobs}, (name, repository, draw)

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        """The template and all that was drawn for it, whatever the bugs."""
        found = checked(instance, {"program": str, "knobs": str})
        return {"program": found["program"], "spec": found["knobs"]}

    def complete(self, drawn: _Drawn, rng: np.random.Generator) -> Mapping[str, Any] | None:
        name, repository, draw = drawn
        broken = break_one(repository, rng, bugs=2 if draw.chance(max(0.0, self.level - 0.4)) else 1)
        if broken is None:
            return None
        files, hidden = _laid_out(repository, broken)
        cases = tuple(
            Case(f"case {number}", args=(script,), expected=right)
            for number, (script, right, _) in enumerate(hidden, 1)
        )
        task = CodeTask("function", cases, entry="run", limits=_LIMITS)
        return {
            "program": name, "knobs": repository.knobs, "driver": repository.driver, "files": files,
            "gold": dict(broken.gold), "issue": _issue(repository, broken, self.level), "task": task.to_json(),
            "failing": [f"case {number}" for number, (_, right, now) in enumerate(hidden, 1) if right != now],
            "difficulty": round(min(1.0, 0.2 + 0.5 * self.level + 0.3 * (len(broken.gold) - 1)), 3),
        }  # fmt: skip

    def begin(self, instance: Mapping[str, Any]) -> str:
        found = checked(
            instance,
            {
                "program": str,
                "driver": str,
                "files": dict,
                "gold": dict,
                "issue": str,
                "task": dict,
                "failing": list,
                "difficulty": float,
            },
        )
        for name in ("files", "gold"):
            if not found[name] or not all(isinstance(part, str) for pair in found[name].items() for part in pair):
                raise BadInput(f"{name!r} holds texts by their paths, found {found[name]!r:.60}")
        self._code_task = CodeTask.from_json(found["task"], "task")
        names, failing = {case.name for case in self._code_task.cases}, found["failing"]
        if not failing or not all(isinstance(name, str) for name in failing) or not set(failing) <= names:
            raise BadInput(f"'failing' names some of the cases, found {failing!r:.60}")
        self._given, self._gold, self._failing = dict(found["files"]), dict(found["gold"]), frozenset(failing)
        self._driver = found["driver"]
        self._tree = tools.Tree(self._given)
        commands = (tools.__doc__ or "").split("\n\n")[1]
        return (
            f"{found['issue']}\n\nThe files:\n\n{self._tree.list('')}\n\nGive one command a turn:\n\n{commands}\n\n"
            f"Repair the package, then submit. It is tested with other operations; changes in tests/ do not count."
        )

    def turn(self, action: str) -> TurnResult:
        command = tools.command_of(action)
        if command is None or command.name not in tools.COMMANDS:
            known = ", ".join(tools.COMMANDS)
            return TurnResult(f"No command was found. Write one on a line such as `$ test`; there are {known}.")
        if command.name == "submit":
            return self._submit(command)
        try:
            return TurnResult(self._carried_out(command))
        except BadInput as error:
            return TurnResult(f"That did not work: {error}.")

    def _carried_out(self, command: tools.Command) -> str:
        tree = self._tree
        if command.name == "test":
            return tools.run_tests(self.pool(), tree.files)
        if command.name == "python":
            return tools.run_python(self.pool(), tools.fenced(command.body), tree.files)
        if command.name in ("edit", "write"):
            act = tree.edit if command.name == "edit" else tree.write
            return act(command.rest, command.body)
        return {"list": tree.list, "read": tree.read, "search": tree.search, "delete": tree.delete}[command.name](
            command.rest
        )

    def _submit(self, command: tools.Command) -> TurnResult:
        assert self._code_task is not None
        files = {path: text for path, text in self._tree.files.items() if not path.startswith(f"{_TESTS}/")}
        task = dataclasses.replace(self._code_task, files=files)
        report = judge(task, self._driver + DRIVER, pool=self.pool(), extract=False)
        verdict = self._verdict(report)
        credits_ = [Credit(command.start, command.end, 1.0, "resolved", verdict.reason)] if verdict.correct else []
        return TurnResult("", credits_, verdict, terminated=True)

    def _verdict(self, report: CodeReport) -> Verdict:
        repaired = [fate.passed for fate in report.tests if fate.name in self._failing]
        kept = [fate.passed for fate in report.tests if fate.name not in self._failing]
        parts = {"repaired": sum(repaired) / len(repaired), "kept": sum(kept) / len(kept) if kept else 1.0}
        said = f"{sum(repaired)} of {len(repaired)} failing scripts pass, {sum(kept)} of {len(kept)} others still do"
        if report.verdict.correct:
            return Verdict.right(said, **parts)
        return Verdict.wrong(said, **parts)

    def unfinished(self) -> Verdict:
        """Nothing was handed in."""
        return Verdict.wrong(f"not submitted within {self.max_turns} turns")

    def save(self) -> dict[str, Any]:
        """The files that differ from the given ones; None for those that are gone."""
        now = self._tree.files
        changed = {path: text for path, text in sorted(now.items()) if self._given.get(path) != text}
        return {"changed": changed, "gone": sorted(set(self._given) - set(now))}

    def load(self, data: Mapping[str, Any]) -> None:
        kept = {path: text for path, text in self._given.items() if path not in data["gone"]}
        self._tree = tools.Tree({**kept, **data["changed"]})

    def oracle(self) -> str:
        """The next module put right, then `$ submit`."""
        for path, text in self._gold.items():
            if self._tree.files.get(path) != text:
                return f"$ write {path}\n~~~~python\n{text}~~~~"
        return "$ submit"

    def cheats(self) -> Sequence[str]:
        return (
            *super().cheats(), "$ submit", "$ test", "$ write tests/__init__.py\n```\n```\n", "$ delete README.md",
            "$ write sitecustomize.py\n```python\nimport os\nos._exit(0)\n```",
            "$ python\n```python\nprint('resolved')\n```",
        )  # fmt: skip


_Row = tuple[list[list[Any]], Any, Any]


def _laid_out(repository: Repository, broken: Broken) -> tuple[dict[str, str], list[_Row]]:
    """The files, visible tests included, and the scripts kept back: none of them is in the issue or in a test."""
    bad, good = broken.scripts[: broken.failing], broken.scripts[broken.failing :]
    tests = "\n".join(
        f"    def test_{number}(self):\n        self.assertEqual(run({script!r}), {right!r})\n"
        for number, (script, right, _) in enumerate(good[:_SHOWN_TESTS], start=1)
    )
    files = {
        "README.md": f"# {repository.package}\n\n{repository.about}\n\nRun the tests with `python -m unittest`.\n",
        **broken.files,
        f"{_TESTS}/__init__.py": "",
        f"{_TESTS}/driver.py": repository.driver.lstrip("\n") + DRIVER,
        f"{_TESTS}/test_{repository.package}.py": (
            f"import unittest\n\nfrom tests.driver import run\n\n\nclass Scripts(unittest.TestCase):\n{tests}"
        ),
    }
    return files, [*bad[1 : 1 + _HIDDEN_FAIL], *good[_SHOWN_TESTS : _SHOWN_TESTS + _HIDDEN_PASS]]


def _issue(repository: Repository, broken: Broken, level: float) -> str:
    """What somebody reports: the first failing script, up to where it goes wrong."""
    script, right, now = broken.scripts[0]
    at = next(place for place, (a, b) in enumerate(zip(right, now, strict=True)) if a != b)
    lines = [_said(repository, operation) for operation in script[: at + 1]]
    where = f"\n\nIt has to do with {' and '.join(sorted(broken.gold))}." if level < 0.34 else ""
    return (
        f"Issue in the package `{repository.package}`: a wrong result.\n\n{repository.about}\n\nAfter\n\n    "
        + "\n    ".join(lines)
        + f"\n\nthe last of these gives {json.dumps(now[at])}, but it must give {json.dumps(right[at])} "
        f'(an exception is written ["error", its name]).{where}'
    )


def _said(repository: Repository, operation: list[Any]) -> str:
    return repository.operations[operation[0]].replace("{0}", ", ".join(map(repr, operation[1:])))
