"""Suites of pytest and unittest: the tests in one sandbox, the submission in another, plain values between them.

In `values` integrity the suite's process imports a stand-in (`standin`) where the submission would be; each question
goes through the host to the submission's own sandbox (`behind`) and comes back as a plain value that the host has
decoded. Nothing of the submission runs beside pytest, so there is no hook, report, plugin or exit that it could forge.
What cannot cross (a callback, a file, a coroutine) makes the case unjudged; such suites need `in_process`, where suite
and submission share a process and a pass can be forged.

In both, each test runs in a process of its own, and only a report of `passed` is a pass: a skip, an expected failure
and a test that is not there have failed.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from proofgym.errors import Unjudged
from proofgym.sandboxes import Job, MissingProgram, Outcome, ToolchainMissing, wire
from proofgym.verifiers.code import pools, texts
from proofgym.verifiers.code.live import Talk
from proofgym.verifiers.code.report import Ending, Fate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from proofgym.sandboxes import Limits, Pool
    from proofgym.verifiers.code.live import Ended, Live
    from proofgym.verifiers.code.pools import Runner
    from proofgym.verifiers.code.task import Case, CodeTask

__all__ = ["run"]

SUITE_S, SUITE_MB = 10.0, 256
"""What the suite's own process may use beyond the case's limits: pytest itself takes about half a second."""

_FAULT = re.compile(rb"^E  +(.+)$", re.MULTILINE)


def run(task: CodeTask, code: str, cases: Sequence[Case], runner: Runner, trusted: Pool) -> list[Fate]:
    """Judge the cases of a `pytest` task, in their order.

    Args:
        runner: On whose pool the submission runs.
        trusted: Where the suite runs; its jobs can import pytest.
    """
    if task.integrity == "in_process":
        return _together(task, code, cases, pools.Runner(trusted, runner.patience), runner)
    fates = runner.side_by_side(task, cases, lambda case: _Trial(task, code, case).run(runner, trusted))
    caught = next((fate for fate in fates if fate.ending is Ending.TAMPERED), None)
    if caught is not None:
        return [replace(caught, name=case.name, visible=case.visible) for case in cases]
    return fates


# Apart ---------------------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=2)
def _source(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def stand_in(task: CodeTask) -> str:
    """The text of the stand-in, with the classes that may have operators of their own."""
    names = sorted(name for name in re.split(r"[\s,]+", task.entry) if name.isidentifier())
    return _source("standin.py").replace("frozenset(())", f"frozenset({names!r})", 1)


def _beside(task: CodeTask) -> dict[str, str]:
    """The files that may lie beside the submission: none of the tests, nothing that only tests use."""
    tests = {case.node.partition("::")[0] for case in task.cases}
    return {name: text for name, text in task.files.items() if name not in tests and not _is_test(name)}


def _is_test(name: str) -> bool:
    path = PurePosixPath(name)
    return (
        path.name in ("conftest.py", "pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml")
        or path.name.startswith("test_")
        or path.stem.endswith("_test")
        or any(part in ("test", "tests", "testing") for part in path.parts[:-1])
    )


@dataclass(slots=True)
class _Trial:
    """One test, its suite and the submission, while they talk."""

    task: CodeTask
    code: str
    case: Case
    heard: dict[str, bytearray] = field(default_factory=lambda: {"suite": bytearray(), "submission": bytearray()})
    printed: bytearray = field(default_factory=bytearray)
    outcome: str = "missing"
    asking: bool = False
    tampered: str = ""
    unable: str = ""
    ends: dict[str, Ended] = field(default_factory=dict)

    def run(self, runner: Runner, trusted: Pool) -> Fate:
        task, limits = self.task, self.case.limits or self.task.limits
        suite = Job("pytest", tests=(self.case.node,), files=_bytes({**task.files, task.module: stand_in(task)}))
        wider = replace(
            limits, wall_s=limits.wall_s + SUITE_S, cpu_s=limits.cpu_s + SUITE_S, memory_mb=limits.memory_mb + SUITE_MB
        )
        with Talk() as talk:
            ours = talk.begin("suite", trusted, suite, wider)
            theirs: Live | None = None
            for event in talk.events(wider.wall_s + 30):
                if event.ended:
                    self.ends[event.source] = event.ended
                    if event.source == "submission":
                        ours.stop()
                    else:
                        break
                elif event.index == 3:
                    self.heard[event.source] += event.data
                    if event.source == "suite":
                        for request in self._requests():
                            theirs = theirs or self._start(talk, runner, limits)
                            theirs.feed(request)
                    else:
                        self._reply(ours)
                    if self.tampered or self.unable:
                        break
                elif event.source == "suite":
                    self.printed = (self.printed + event.data)[-20_000:]
            if theirs is not None and "submission" not in self.ends:
                theirs.stop()  # its end says what it used
                ends = (event for event in talk.events(5) if event.ended and event.source == "submission")
                self.ends |= {event.source: event.ended for event in [next(ends, None)] if event and event.ended}
        return self._fate()

    def _start(self, talk: Talk, runner: Runner, limits: Limits) -> Live:
        files = {**_beside(self.task), self.task.module: self.code}
        job = Job.calls(_source("behind.py"), "serve", [()], files=files)
        live = talk.begin("submission", runner.pool, job, limits)
        runner.isolation, runner.gaps = live.worker.isolation.label, live.worker.gaps
        return live

    def _requests(self) -> list[bytes]:
        """Whole questions of the suite, ready to be passed on; what it reports is noted."""
        found = []
        for kind, index, body in _frames(self.heard["suite"]):
            if kind == wire.VALUE and index == 0:
                self.asking = True
                found.append(wire.frame(wire.VALUE, body))
            elif kind == wire.VALUE:
                self.unable = str(wire.decode(body))
            elif kind == wire.TEST:
                self.outcome = str(wire.decode(body)[1])
        return found

    def _reply(self, suite: Live) -> None:
        """Hand a whole answer of the submission to the suite, if it is one and was asked for."""
        try:
            for kind, index, body in _frames(self.heard["submission"]):
                if kind == wire.RAISED:
                    continue  # its runner says why it ends; its end follows
                if kind != wire.VALUE or index or not self.asking:
                    raise wire.Malformed("an answer that was not asked for")
                value = wire.decode(body)
                if not (type(value) is tuple and len(value) == 4 and value[0] in ("value", "raise")):
                    raise wire.Malformed("an answer of another shape")
                self.asking = False
                suite.feed(wire.frame(wire.VALUE, wire.encode(value)))
        except wire.Malformed as error:
            self.tampered = f"what came back is not what the runner writes: {error}"

    def _fate(self) -> Fate:
        case, ours, theirs = self.case, self.ends.get("suite"), self.ends.get("submission")
        output = texts.text(bytes(self.printed[-2_000:])) if case.visible else ""
        fate = Fate(case.name, Ending.PASSED, output=output, visible=case.visible, points=1.0, got=self.outcome)
        if theirs is not None:
            fate = replace(fate, wall_s=theirs.wall_s, cpu_s=theirs.cpu_s, memory_mb=theirs.max_rss_kb / 1024)
        if self.tampered:
            return _lost(fate, Ending.TAMPERED, self.tampered)
        if self.unable:
            raise Unjudged(f"{case.node}: {self.unable}; such a suite needs integrity 'in_process'")
        if theirs is not None and not theirs.stopped:
            if theirs.outcome in texts.LIMITS:
                return _lost(fate, Ending.LIMIT, f"{theirs.outcome.value}: {theirs.detail or 'it ran past its limit'}")
            how = f"signal {theirs.signal}" if theirs.signal else f"status {theirs.exit_code}"
            return _lost(fate, Ending.ERROR, f"it ended the process, with {how}, in the middle of the test")
        if ours is None or ours.outcome is Outcome.TIMEOUT:
            return _lost(fate, Ending.LIMIT, "timeout: the test was still running")
        return _reported(fate, self.outcome, ours.outcome, ours.exit_code, bytes(self.printed))


def _reported(fate: Fate, said: str, outcome: Outcome, exit_code: int | None, printed: bytes) -> Fate:
    if outcome in texts.LIMITS:
        return _lost(fate, Ending.LIMIT, f"{outcome.value}: the test ran past its limit")
    if said == "passed" and outcome is Outcome.OK and exit_code == 0:
        return fate
    faults = _FAULT.findall(printed)
    why = texts.short(texts.text(faults[0]).strip()) if faults else texts.last_line(printed)
    words = {"skipped": "it was skipped", "missing": "there was no such test", "passed": "its process ended badly"}
    head = words.get(said, said)
    ending = Ending.FAILED if said in ("failed", "skipped") else Ending.ERROR
    return _lost(fate, ending, f"{head}: {why}" if why else head)


def _lost(fate: Fate, ending: Ending, detail: str) -> Fate:
    return replace(fate, ending=ending, points=0.0, detail=detail)


def _frames(held: bytearray) -> list[tuple[int, int, bytes]]:
    """Cut whole frames off the front. Raises Malformed for what is no frame, or too large a one."""
    found = []
    while len(held) >= 8:
        kind, zero, index, length = wire.HEADER.unpack_from(held)
        if zero or kind not in (wire.VALUE, wire.RAISED, wire.END, wire.TEST) or length > wire.MAX_ANSWERS:
            raise wire.Malformed("a frame that nobody here writes")
        if len(held) < 8 + length:
            break
        found.append((kind, index, bytes(held[8 : 8 + length])))
        del held[: 8 + length]
    return found


def _bytes(files: Mapping[str, str]) -> dict[str, bytes]:
    return {name: text.encode("utf-8", "surrogateescape") for name, text in files.items()}


# Together ------------------------------------------------------------------------------------------------------------


def _together(task: CodeTask, code: str, cases: Sequence[Case], suite: Runner, runner: Runner) -> list[Fate]:
    fates: dict[str, Fate] = {}
    groups: dict[Any, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.limits or task.limits, []).append(case)
    for limits, group in groups.items():
        nodes = list(dict.fromkeys(case.node for case in group))
        try:
            result = suite.run(Job.pytest({**task.files, task.module: code}, nodes, limits=limits))
        except MissingProgram as error:
            raise ToolchainMissing(f"a suite needs pytest in its sandbox: {error}") from error
        runner.isolation, runner.gaps = suite.isolation, suite.gaps
        if result.outcome is Outcome.TAMPERED:
            return [texts.tampered(case, result) for case in cases]
        runs = dict(zip(nodes, result.runs, strict=True))
        for case in group:
            one, said = runs[case.node], result.tests.get(case.node, "missing")
            fate = Fate(
                case.name, Ending.PASSED, got=said, output=texts.printed(case, one), visible=case.visible, points=1.0,
                wall_s=one.wall_s, cpu_s=one.cpu_s, memory_mb=one.max_rss_kb / 1024,
            )  # fmt: skip
            if said == "timeout":
                fates[case.name] = _lost(fate, Ending.LIMIT, "timeout: the test was still running")
            else:
                fates[case.name] = _reported(fate, said, one.outcome, one.exit_code, one.stdout)
    return [fates[case.name] for case in cases]
