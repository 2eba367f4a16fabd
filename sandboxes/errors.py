"""What the sandboxes raise, as a branch of proofgym's one tree of exceptions.

    ProofgymError
    ├── Unjudged
    │   ├── InfraError            the machinery broke, three workers in a row: there is no score
    │   └── ToolchainMissing      a compiler or runtime this job needs is not installed
    ├── BadInput
    │   └── JobRefused            a job that is too large, or asks for impossible limits
    │       └── MissingProgram    a command whose program is not in the sandbox
    ├── IsolationUnavailable      (RuntimeError)  this machine cannot give the isolation that was asked for
    ├── PoolClosed                (RuntimeError)  a job was given to a pool after `close`
    ├── QueueFull                 (RuntimeError)  the queue stayed full for as long as the caller would wait
    └── ReplayDiverged            (RuntimeError)  a restored session did not repeat what the saved one did

`WorkerLost` is for backends only: the pool answers it with another worker, and callers never see it. Its `NoRoom` says
that no worker can be made now: the pool leaves the job to the workers there are.
"""

from __future__ import annotations

from proofgym.errors import BadInput, ProofgymError, Unjudged

__all__ = [
    "InfraError",
    "IsolationUnavailable",
    "JobRefused",
    "MissingProgram",
    "NoRoom",
    "PoolClosed",
    "QueueFull",
    "ReplayDiverged",
    "ToolchainMissing",
    "WorkerLost",
]


class InfraError(Unjudged):
    """The sandbox itself failed, again on two other workers. The job has no result and no score."""


class ToolchainMissing(Unjudged):
    """The compiler or runtime for a language is not installed, so nothing written in it can be judged here."""


class JobRefused(BadInput):
    """A job that cannot be run as asked: too large, or with limits that no machine can keep."""


class MissingProgram(JobRefused):
    """A command names a program that is neither in the sandbox nor among the job's own files."""


class IsolationUnavailable(ProofgymError, RuntimeError):
    """The machine cannot give the isolation that was asked for; the message says what failed and the cure."""


class PoolClosed(ProofgymError, RuntimeError):
    """A job was given to a pool that is closed."""


class QueueFull(ProofgymError, RuntimeError):
    """The pool's queue was full for as long as the caller was willing to wait."""


class ReplayDiverged(ProofgymError, RuntimeError):
    """Restoring a session re-ran its cells and one of them behaved differently: it depends on time or chance."""


class WorkerLost(Exception):
    """A worker broke while it held a job. The job has not been judged; run it elsewhere."""


class NoRoom(WorkerLost):
    """There is no place for another worker now. Nothing broke, and the job can wait."""
