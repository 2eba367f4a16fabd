"""Words for reports: values and output shortened, and what an ending of a job means for a case."""

from __future__ import annotations

import re
import reprlib
from typing import TYPE_CHECKING, Any

from proofgym.sandboxes import Opaque, Outcome
from proofgym.verifiers.code.report import Ending, Fate

if TYPE_CHECKING:
    from proofgym.sandboxes import Result
    from proofgym.verifiers.code.compare import Comparator
    from proofgym.verifiers.code.task import Case

__all__ = ["ended", "opaque", "printed", "short", "shown", "tampered", "text", "unrun", "wanted"]

LIMITS = (Outcome.TIMEOUT, Outcome.CPU, Outcome.MEMORY, Outcome.OUTPUT, Outcome.PROCESSES)
_MOST_OUTPUT = 2_000

_repr = reprlib.Repr()
_repr.maxlist = _repr.maxtuple = _repr.maxset = _repr.maxfrozenset = _repr.maxdict = 20
_repr.maxstring = _repr.maxother = 160
_repr.maxlong = 60


def _repr_int(value: int, _level: int) -> str:
    """Python refuses to print integers of more than 4300 digits, and takes quadratic time for those it prints."""
    return f"<an integer of {value.bit_length()} bits>" if value.bit_length() > 400 else repr(value)


_repr.repr_int = _repr_int  # type: ignore[method-assign, assignment]


def shown(value: Any) -> str:
    """A value, shortened.

    >>> shown([1] * 100)
    '[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, ...]'
    """
    return short(_repr.repr(value), 400)


def opaque(value: Opaque) -> str:
    """What a value that did not travel was."""
    return f"no plain value but {short(value.type_name, 60)!r}"


def wanted(compare: Comparator, expected: Any) -> str:
    """What would have been accepted."""
    return f"one of {shown(expected)}" if compare.any_of else shown(expected)


def short(words: str, most: int = 300) -> str:
    """One line of at most `most` characters."""
    words = words[: 2 * most].replace("\n", "\\n").replace("\r", "\\r")
    return words if len(words) <= most else words[: most - 3] + "..."


def text(data: bytes) -> str:
    """Printed bytes as text."""
    return data.decode("utf-8", "replace")


def printed(case: Case, result: Result) -> str:
    """The end of what a visible case printed, for whoever repairs the program; nothing of hidden ones."""
    if not case.visible:
        return ""
    said = text(result.stdout[-_MOST_OUTPUT:]) + text(result.stderr[-_MOST_OUTPUT:])
    return said[-_MOST_OUTPUT:]


def tampered(case: Case, result: Result) -> Fate:
    """The fate of every case of a submission that was caught forging."""
    return Fate(
        case.name, Ending.TAMPERED, short(result.detail or "it wrote where only answers go"), None, "", case.visible
    )


def unrun(case: Case, patience: int) -> Fate:
    """The fate of a case that came too late."""
    return Fate(
        case.name,
        Ending.UNRUN,
        f"not run: {patience} cases before it ran past a limit, or long to no answer",
        None,
        "",
        case.visible,
    )


def ended(case: Case, result: Result) -> Fate:
    """The fate of a case that gave no answer, from how its job ended."""
    ending, detail = Ending.ERROR, result.detail
    if result.outcome in LIMITS:
        ending = Ending.LIMIT
        detail = f"{result.outcome.value}: {detail or 'it ran past its limit'}"
    elif result.outcome is Outcome.CRASH:
        detail = f"it died of signal {result.signal}" if result.signal else detail or "it crashed"
    elif not detail or detail.startswith("it ended before"):
        said = last_line(result.stderr)
        status = f"it ended with status {result.exit_code} before it had answered"
        detail = f"{status}: {said}" if said else status
    return Fate(
        case.name, ending, short(detail), None, printed(case, result), case.visible, wall_s=result.wall_s,
        cpu_s=result.cpu_s, memory_mb=result.max_rss_kb / 1024,
    )  # fmt: skip


def last_line(stderr: bytes) -> str:
    """The last line that says something, as that of a traceback does."""
    lines = [line.strip() for line in text(stderr[-4_000:]).split("\n") if line.strip()]
    return short(lines[-1], 200) if lines else ""


_MESSAGE = re.compile(r"error|expected|cannot|undefined", re.IGNORECASE)


def complaint(stderr: bytes) -> str:
    """A compiler's first complaint."""
    lines = [line.strip() for line in text(stderr[:20_000]).split("\n") if line.strip()]
    return short(next((line for line in lines if _MESSAGE.search(line)), lines[0] if lines else ""), 200)
