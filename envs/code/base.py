"""What the environments of this chapter have in common: instances, judging, feedback, and the way an answer is paid."""

from __future__ import annotations

import copy
import dataclasses
import threading
from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from proofgym.envs.base import TurnResult, VerifiableEnv
from proofgym.envs.code import workbench
from proofgym.envs.code.cheating import cheats_against
from proofgym.envs.code.program import block
from proofgym.envs.task import Task, fingerprint, split_of
from proofgym.errors import BadInput
from proofgym.sandboxes import Pool
from proofgym.verifiers import Credit, Status, Verdict
from proofgym.verifiers.code import CodeReport, CodeTask, Fate, extract, judge
from proofgym.verifiers.code.extraction import defines

__all__ = ["CodeEnv", "OneProgram", "checked", "discreet", "feedback", "text_of"]

_DRAWS = 4000
_REMEMBERED = 512  # drawn items that are kept
_lock = threading.Lock()
_drawn: dict[tuple[Any, ...], tuple[Task, Any]] = {}
_SHOWN = 400  # characters of one value in the feedback


class CodeEnv(VerifiableEnv):
    """An environment that judges programs in the shared pool of sandboxes.

    Args:
        pool: Where programs run; by default the pool that all environments of this process share.
    """

    observation_limit: ClassVar[int] = 24_576
    action_limit: ClassVar[int] = 32_768
    content_family: ClassVar[str] = ""
    """The family whose fingerprints decide the split, where several environments ask about the same programs."""

    def __init__(self, *, pool: Pool | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._given_pool = pool

    def pool(self) -> Pool:
        """The sandboxes to judge in.

        Raises:
            Unjudged: There are none on this machine.
        """
        return self._given_pool or workbench.lease(self)

    def close(self) -> None:
        """Give the shared sandboxes back; they end with the last environment that needs them."""
        workbench.release(self)
        super().close()

    def draw_content(self, rng: Any) -> tuple[Any, Any]:
        """Draw what makes the task the task, and what `complete` needs to make the instance of it.

        The split is decided on the first, so that the work of completing an instance is done for the right split only.
        """
        raise NotImplementedError

    def complete(self, drawn: Any, rng: Any) -> Mapping[str, Any] | None:
        """The whole instance of what was drawn; None if it does not make a good task."""
        raise NotImplementedError

    def generate(self, rng: Any) -> Mapping[str, Any]:
        while True:
            _, drawn = self.draw_content(rng)
            instance = self.complete(drawn, rng)
            if instance is not None:
                return instance

    def _draw(self) -> Task:
        """Draw the item, or take it from the last few hundred: the siblings of a group all ask the same one."""
        key = (type(self), self.variant(), self.level, self.split, self._item_seed, self._item_index)
        with _lock:
            known = _drawn.pop(key, None)
            if known is not None:
                _drawn[key] = known
        if known is None:
            known = (self._draw_anew(), copy.deepcopy(self.np_random.bit_generator.state))
            with _lock:
                _drawn[key] = known
                while len(_drawn) > _REMEMBERED:
                    del _drawn[next(iter(_drawn))]
        self.np_random.bit_generator.state = copy.deepcopy(known[1])
        return known[0]

    def variant(self) -> tuple[Any, ...]:
        """The constructor's arguments that change what is drawn, besides level and split."""
        return ()

    def _draw_anew(self) -> Task:
        family = self.content_family or self.family
        for _ in range(_DRAWS):
            content, drawn = self.draw_content(self.np_random)
            if split_of(fingerprint(family, content)) != self.split:
                continue
            instance = self.complete(drawn, self.np_random)
            if instance is not None:
                task = self._as_task(instance)
                assert task.split == self.split, "an instance's content is what was drawn"
                return task
        raise BadInput(f"{self.family} at level {self.level} has no {self.split} task in {_DRAWS} draws")

    def _as_task(self, instance: Mapping[str, Any]) -> Task:
        mark = fingerprint(self.content_family or self.family, self.canonical(instance))
        return Task(self.family, instance, mark, self.difficulty(instance))

    def difficulty(self, instance: Mapping[str, Any]) -> float:
        return float(checked(instance, {"difficulty": float})["difficulty"])

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        """The program family and its specification, whatever the cases."""
        found = checked(instance, {"program": str, "spec": str})
        return {"program": found["program"], "spec": found["spec"]}


class OneProgram(CodeEnv):
    """Asks for one whole program, and pays for it by its cases: visible ones first, then hidden ones.

    With `max_turns` above 1 a program may be handed in again: each turn shows which visible case failed and how. The
    rewards of an episode sum to the best score reached, so handing the same in twice earns nothing.

    Args:
        partial: Pay the share of hidden cases passed, instead of 1.0 for all of them. The floor is then what a constant
            answer may earn.
        quality: Names of qualities, such as `lint` or `complexity`, that are measured of a right program and put into
            the verdict's parts. They change no reward; `proofgym.verifiers.code.quality` has them.
    """

    language = "python"
    partial_floor: ClassVar[float] = 0.45

    def __init__(self, *, partial: bool = False, quality: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.partial, self.quality = partial, tuple(quality)
        if partial:
            self.floor = self.partial_floor
        self._code_task: CodeTask | None = None
        self._paid = 0.0

    @abstractmethod
    def question(self, instance: Mapping[str, Any], task: CodeTask) -> str:
        """The whole question, visible cases included."""

    def begin(self, instance: Mapping[str, Any]) -> str:
        checked(instance, {"task": dict, "reference": str, "difficulty": float})
        self._code_task = task = CodeTask.from_json(instance["task"], "task")
        if not task.hidden:
            raise BadInput("task.cases has no hidden case; nothing could be judged")
        self._reference, self._paid = str(instance["reference"]), 0.0
        if self.quality and not task.reference:  # some qualities are measured against a right program
            self._code_task = task = dataclasses.replace(task, reference=self._reference)
        return self.question(instance, task)

    def turn(self, action: str) -> TurnResult:
        assert self._code_task is not None
        report = self.report(action)
        verdict = self.rated(report)
        gain = max(0.0, verdict.score - self._paid)
        self._paid += gain
        over = verdict.correct or self._turns >= self.max_turns
        start, end = report.span
        credits_ = [Credit(start, end, gain, "tests", verdict.reason)] if gain else []
        return TurnResult("" if over else self.feedback(report), credits_, verdict, terminated=over)

    def report(self, action: str) -> CodeReport:
        """Judge an answer by the visible cases, and by the hidden ones unless the visible ones have decided."""
        task = self._code_task
        assert task is not None
        unread = missing(task, action)
        if unread:
            return CodeReport(Verdict.malformed(unread), (), (0, len(action)))
        if task.visible:
            shown = judge(task, action, pool=self.pool(), partial=self.partial, only="visible")
            if not shown.verdict.correct and not self.partial:
                return shown
            hidden = self._judge_hidden(task, action)
            return CodeReport(
                hidden.verdict, (*shown.tests, *hidden.tests), hidden.span, hidden.code, hidden.isolation,
                hidden.integrity, hidden.gaps,
            )  # fmt: skip
        return self._judge_hidden(task, action)

    def _judge_hidden(self, task: CodeTask, action: str) -> CodeReport:
        return judge(
            task, action, pool=self.pool(), partial=self.partial, only="hidden", quality=self.quality
        )  # fmt: skip

    def rated(self, report: CodeReport) -> Verdict:
        """The verdict on a report; a family that asks for more than being right looks further here."""
        return discreet(report)

    def feedback(self, report: CodeReport) -> str:
        """What the policy reads after a program that was not accepted."""
        assert self._code_task is not None
        return feedback(self._code_task, report)

    def unfinished(self) -> Verdict:
        """What the best program of the episode came to; a single answer is always judged, so this is for turns lost."""
        return Verdict.partial(min(self._paid, 1 - 1e-9), "no program was right within the turns")

    def save(self) -> dict[str, Any]:
        return {"paid": self._paid}

    def load(self, data: Mapping[str, Any]) -> None:
        self._paid = float(data["paid"])

    def oracle(self) -> str:
        return block(self._reference, self.language)

    def cheats(self) -> Sequence[str]:
        assert self._code_task is not None
        return (*super().cheats(), *cheats_against(self._code_task))


def missing(task: CodeTask, action: str) -> str:
    """Why an answer is no program for the task, without running anything; empty if it may be one."""
    found = extract(action, task.language, task.entry)
    if found is None:
        return f"no {task.language} code was found in it"
    if task.kind in ("function", "class") and not task.stub and not defines(found.code, task.entry):
        return f"it defines no {task.entry!r}"
    return ""


def discreet(report: CodeReport) -> Verdict:
    """The verdict of a report, without what it quotes of hidden cases: `info` may come before a policy's eyes."""
    verdict = report.verdict
    if verdict.correct or verdict.status is Status.MALFORMED or not report.tests:
        return verdict
    if verdict.parts.get("tampered"):
        return dataclasses.replace(verdict, reason="it wrote where the verdict comes from")
    counts = Counter(fate.ending.value for fate in report.tests if not fate.passed)
    counted = ", ".join(f"{count} {ending}" for ending, count in sorted(counts.items()))
    passed = sum(fate.passed for fate in report.tests)
    return dataclasses.replace(verdict, reason=f"{passed} of {len(report.tests)} cases passed, {counted}")


def feedback(task: CodeTask, report: CodeReport) -> str:
    """Which visible cases failed: input, expected, what came back. Of hidden ones, only that some failed."""
    if not report.tests:
        return f"Not accepted: {report.verdict.reason}."
    shown = [fate for fate in report.tests if fate.visible]
    failed = [fate for fate in shown if not fate.passed]
    if not failed:
        said = f"All {len(shown)} visible cases passed. " if shown else ""
        return f"{said}Some hidden cases did not. Try again."
    lines = [f"{len(shown) - len(failed)} of {len(shown)} visible cases passed."]
    cases = {case.name: case for case in task.cases}
    for fate in failed[:3]:
        lines += ["", *_told(task, cases[fate.name], fate)]
    if len(failed) > 3:
        lines += ["", f"({len(failed) - 3} more failed.)"]
    return "\n".join(lines)


def _told(task: CodeTask, case: Any, fate: Fate) -> list[str]:
    lines = [f"{fate.name}: {fate.ending.value}"]
    if task.kind == "stdio":
        lines += [
            "input:",
            _short(case.stdin),
            "expected:",
            _short(str(case.expected)),
            "printed:",
            _short(fate.got or "(nothing)"),
        ]
        if fate.ending.value != "failed":
            lines.append(_short(fate.detail))
    elif task.kind == "class":
        lines.append(_short(fate.detail))
    else:
        arguments = ", ".join([*map(repr, case.args), *(f"{k}={v!r}" for k, v in case.kwargs.items())])
        got = fate.got if fate.got is not None else fate.detail
        lines.append(f"call: {task.entry}({_short(arguments)})")
        lines += [f"expected: {_short(repr(case.expected))}", f"got: {_short(got)}"]
    if fate.output:
        lines += ["printed:", _short(fate.output)]
    return lines


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 20] + f"... ({len(text)} characters)"


def text_of(task: CodeTask, case: Any) -> str:
    """A visible case as an example in the question."""
    if task.kind == "stdio":
        return f"Input:\n{case.stdin.rstrip()}\nOutput:\n{str(case.expected).rstrip()}"
    arguments = ", ".join(map(repr, case.args))
    if task.kind == "class":
        lines = [f">>> it = {task.entry}({arguments})"]
        for step in case.steps:
            lines += [f">>> it.{step.method}({', '.join(map(repr, step.args))})", repr(step.expected)]
        return "\n".join(lines)
    return f">>> {task.entry}({arguments})\n{case.expected!r}"


def checked(instance: Any, fields: Mapping[str, type]) -> dict[str, Any]:
    """The named fields of an instance, each of its type.

    Raises:
        BadInput: Something is missing or of another type; the message names the field.
    """
    if not isinstance(instance, Mapping):
        raise BadInput(f"an instance is an object, found {type(instance).__name__}")
    found: dict[str, Any] = {}
    for name, kind in fields.items():
        value = instance.get(name)
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            raise BadInput(f"an instance has a {kind.__name__} {name!r}, found {value!r:.60}")
        found[name] = value
        if kind is float and not 0.0 <= found[name] <= 1.0:
            raise BadInput(f"{name!r} lies in [0, 1], found {value}")
        if kind is str and not found[name].strip():
            raise BadInput(f"{name!r} is empty")
    return found
