"""Run untrusted code fast, contained, and with a verdict it cannot forge.

>>> from proofgym.sandboxes import Job, Limits
>>> Job.calls("def double(n): return 2 * n", "double", [(1,), (2,)], limits=Limits(wall_s=1)).kind
'calls'

`Pool` runs jobs; a `Job` says what to run; a `Result` says how it ended and which values came back. Nothing here
knows a right answer: the caller compares, outside the sandbox. Broken machinery raises `InfraError`; it is no score.
"""

if __name__ != "proofgym.sandboxes":
    raise ImportError(
        f"this folder is `proofgym.sandboxes`; install proofgym and import it by that name, not as {__name__!r}"
    )

from proofgym.sandboxes.errors import (
    InfraError,
    IsolationUnavailable,
    JobRefused,
    MissingProgram,
    PoolClosed,
    QueueFull,
    ReplayDiverged,
    ToolchainMissing,
)
from proofgym.sandboxes.pool import JobFuture, Pool, Report, make_backend
from proofgym.sandboxes.session import Session, Snapshot
from proofgym.sandboxes.types import Answer, Artifact, Call, Isolation, Job, Limits, Metrics, Opaque, Outcome, Result

__all__ = [
    "Answer",
    "Artifact",
    "Call",
    "InfraError",
    "Isolation",
    "IsolationUnavailable",
    "Job",
    "JobFuture",
    "JobRefused",
    "Limits",
    "Metrics",
    "MissingProgram",
    "Opaque",
    "Outcome",
    "Pool",
    "PoolClosed",
    "QueueFull",
    "ReplayDiverged",
    "Report",
    "Result",
    "Session",
    "Snapshot",
    "ToolchainMissing",
    "make_backend",
]
