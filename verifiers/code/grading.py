"""Judge a submission: `grade` for a verdict, `judge` for every case's fate, `grade_many` for a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proofgym.verifiers.code.report import CodeReport
from proofgym.verifiers.code.task import CodeTask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from proofgym.errors import Unjudged
    from proofgym.sandboxes import Pool
    from proofgym.verifiers.verdict import Verdict

__all__ = ["grade", "grade_many", "judge"]


def grade(
    task: CodeTask | Mapping[str, Any],
    submission: str,
    *,
    pool: Pool | None = None,
    partial: bool = True,
    only: str = "all",
    extract: bool = True,
    quality: Sequence[str] = (),
    in_process: bool = False,
    patience: int = 3,
) -> Verdict:
    """Judge a submission by a task's cases. See `judge` for the arguments."""
    return judge(
        task, submission, pool=pool, partial=partial, only=only, extract=extract, quality=quality,
        in_process=in_process, patience=patience,
    ).verdict  # fmt: skip


def judge(
    task: CodeTask | Mapping[str, Any],
    submission: str,
    *,
    pool: Pool | None = None,
    partial: bool = True,
    only: str = "all",
    extract: bool = True,
    quality: Sequence[str] = (),
    in_process: bool = False,
    patience: int = 3,
) -> CodeReport:
    """Judge a submission and say what became of every case."""
    raise NotImplementedError


def grade_many(
    pairs: Iterable[tuple[CodeTask | Mapping[str, Any], str]], *, pool: Pool | None = None, **options: Any
) -> Iterator[Verdict | Unjudged]:
    """Verdicts in the order of the (task, submission) pairs, several at a time."""
    raise NotImplementedError
