"""Interactive problems: program and interactor in two sandboxes, lines between them, the verdict from the interactor.

The interactor is the task's own and trusted; the program sees only what it is told. What a `ValueError` from `interact`
says is that the program broke the protocol; any other exception is the interactor's own fault, and nobody could judge.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from proofgym.errors import Unjudged
from proofgym.sandboxes import Job, Outcome, Result, languages, wire
from proofgym.verifiers.code import checking, texts
from proofgym.verifiers.code.live import Talk
from proofgym.verifiers.code.report import Ending, Fate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proofgym.verifiers.code.live import Ended
    from proofgym.verifiers.code.pools import Runner
    from proofgym.verifiers.code.task import Case, CodeTask

__all__ = ["run"]

FAREWELL_S = 1.0
"""How long a program may live on after the interactor has its verdict."""

LAUNCH = """
import os, sys
from types import ModuleType
os.dup2(4, 0)
os.close(4)
module = ModuleType("__main__")
module.__file__ = "main.py"
sys.modules["__main__"] = module
with open("main.py", encoding="utf-8") as file:
    source = file.read()
exec(compile(source, "main.py", "exec", dont_inherit=True), module.__dict__)
"""

DRIVER = """

def __proofgym_interact(data):
    import os, sys
    held, lines, over = bytearray(), [], []

    def more():
        while len(held) < 4 or len(held) < 4 + int.from_bytes(held[:4], "little"):
            part = os.read(4, 1 << 16)
            if not part:
                over.append(True)
                return b""
            held.extend(part)
        size = int.from_bytes(held[:4], "little")
        body = bytes(held[4 : 4 + size])
        del held[: 4 + size]
        if not size:
            over.append(True)
        return body

    text = bytearray()

    def hear():
        while not lines and not over:
            text.extend(more())
            *whole, rest = bytes(text).split(b"\\n")
            if over and rest:
                whole.append(rest)
                rest = b""
            lines.extend(whole)
            text[:] = rest
        return lines.pop(0).decode("utf-8", "replace").rstrip("\\r") if lines else None

    def say(*words):
        body = (" ".join(map(str, words)) + "\\n").encode()
        while body:
            body = body[os.write(1, body) :]

    sys.stdout = sys.stderr
    return interact(data, hear, say)
"""


@dataclass(slots=True)
class _Seen:
    """What one conversation has brought so far."""

    answers: bytearray = field(default_factory=bytearray)
    said: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)


def run(task: CodeTask, code: str, cases: Sequence[Case], runner: Runner) -> list[Fate]:
    """Judge the cases of an `interactive` task, in their order."""
    program = _program(task, code, runner)
    if isinstance(program, Result):
        fate = texts.ended(cases[0], program)
        detail = texts.short(f"{program.detail}: {texts.complaint(program.stderr)}")
        return [replace(fate, name=case.name, visible=case.visible, detail=detail) for case in cases]
    return runner.side_by_side(task, cases, lambda case: _converse(task, program, case, runner))


def _program(task: CodeTask, code: str, runner: Runner) -> Job | Result:
    """The program as a live job, compiled where it must be; or the result of a compilation that failed."""
    if task.language == "python":
        return Job.script(LAUNCH, files={**task.files, "main.py": code})
    pool, made = runner.pool, []

    def execute(job: Job) -> Result:
        if job.limits is languages.COMPILING:
            return pool.run(job)
        made.append(job)
        return Result(Outcome.OK)

    result = pool._compiler.run(Job.compiled(task.language, code, limits=task.limits), execute)
    if not made:
        return result
    return replace(made[0], argv=("/bin/sh", "-c", 'exec "$@" <&4 4<&-', "sh", *made[0].argv))


def _converse(task: CodeTask, program: Job, case: Case, runner: Runner) -> Fate:
    limits = case.limits or task.limits
    judge = Job.calls(task.interactor + DRIVER, "__proofgym_interact", [(case.data,)])
    seen = _Seen()
    ends: dict[str, Ended] = {}
    with Talk() as talk:
        theirs = talk.begin("program", runner.pool, program, limits)
        ours = talk.begin("interactor", runner.pool, judge, replace(checking.LIMITS, wall_s=limits.wall_s + 15))
        runner.isolation, runner.gaps = theirs.worker.isolation.label, theirs.worker.gaps
        for event in talk.events(limits.wall_s + 60):
            if event.ended:
                ends[event.source] = event.ended
                if event.source == "program":
                    ours.feed(struct.pack("<I", 0))
                if len(ends) == 2 or event.source == "interactor":
                    break
            elif event.source == "program":
                if event.index == 1:
                    seen.said += event.data
                    ours.feed(struct.pack("<I", len(event.data)) + event.data)
                elif event.index == 2:
                    seen.stderr = (seen.stderr + event.data)[-4_000:]
            elif event.index == 1:
                theirs.feed(event.data)
            elif event.index == 3:
                seen.answers += event.data
        if "program" not in ends:
            for event in talk.events(FAREWELL_S):
                if event.source == "program" and event.ended:
                    ends["program"] = event.ended
                    break
    return _fate(case, seen, ends)


def _fate(case: Case, seen: _Seen, ends: dict[str, Ended]) -> Fate:
    points, reason = _verdict(case, seen, ends.get("interactor"))
    end = ends.get("program")
    said = texts.text(bytes(seen.said[:400]))
    output = (said + texts.text(bytes(seen.stderr)))[-2_000:] if case.visible else ""
    fate = Fate(case.name, Ending.PASSED, reason, texts.short(said, 400), output, case.visible, points=points)
    if end is not None:
        fate = replace(fate, wall_s=end.wall_s, cpu_s=end.cpu_s, memory_mb=end.max_rss_kb / 1024)
    if end is not None and end.outcome in texts.LIMITS:
        detail = f"{end.outcome.value}: {end.detail or 'it ran past its limit'}"
        return replace(fate, ending=Ending.LIMIT, points=0.0, detail=detail)
    if end is not None and end.outcome is not Outcome.OK:
        how = f"it died of signal {end.signal}" if end.signal else f"it ended with status {end.exit_code}"
        last = texts.last_line(bytes(seen.stderr))
        return replace(fate, ending=Ending.ERROR, points=0.0, detail=f"{how}: {last}" if last else how)
    if points < 1.0:
        return replace(fate, ending=Ending.FAILED, detail=reason or "the interactor did not accept it")
    return fate


def _verdict(case: Case, seen: _Seen, end: Ended | None) -> tuple[float, str]:
    answers: list[tuple[int, int, Any]] = []
    trouble = end.detail or str(end.outcome) if end is not None else "it did not end"
    try:
        answers = list(wire.read_answers(bytes(seen.answers)))
    except wire.Malformed as error:
        trouble = str(error)
    for kind, _, value in answers:
        if kind == wire.VALUE:
            return checking.read_points(value, "interact")
        if kind == wire.RAISED and value[0] == "ValueError":
            return 0.0, texts.short(f"it broke the protocol: {value[1]}")
        if kind == wire.RAISED:
            trouble = f"{value[0]}: {value[1]}"
    raise Unjudged(f"the task's own interactor fails on {case.name!r}: {texts.short(trouble)}")
