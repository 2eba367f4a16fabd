"""One audit: every check on one environment, in a fixed order, each with an outcome whatever happens."""

from __future__ import annotations

import inspect
import platform
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium

from proofgym.bench.audit import blind, bounds, cheats, cycles, faults, forks, interface, leaks, oracle, repeat, splits
from proofgym.bench.audit.depth import Depth, depth_of
from proofgym.bench.audit.finding import AuditReport, Finding, NotApplicable, Outcome, Raised, failed
from proofgym.bench.audit.subject import Subject, Target
from proofgym.errors import BadInput, MissingExtra, Unjudged, UnknownEnv

__all__ = ["CHECKS", "Check", "audit", "chosen", "versions"]


class Check(NamedTuple):
    """A claim and the function that tries it."""

    name: str
    claim: str
    run: Callable[[Subject, Depth], Finding]


CHECKS: tuple[Check, ...] = (
    Check("gymnasium", "Gymnasium's check_env accepts it", interface.check),
    Check("oracle", "the oracle earns the maximum", oracle.check),
    Check("floor", "answer-blind policies earn the stated chance level at most", blind.check),
    Check("cheats", "its own cheats earn nothing", cheats.check),
    Check("forged", "forged verdicts and orders to the judge earn nothing", cheats.check_forged),
    Check("junk", "hostile texts are answered soon and earn nothing", cheats.check_junk),
    Check("seed", "the same seed asks the same task in any process, order and hash seed", repeat.check),
    Check(
        "verifier", "the same actions are judged the same in any thread, process and hash seed", repeat.check_verifier
    ),
    Check("fork", "a fork is equal and independent", forks.check),
    Check("restore", "a state is JSON and goes on in another process", forks.check_restore),
    Check("splits", "no held-out task is a training task, or nearly", splits.check),
    Check("neighbours", "neighbouring seeds share no tasks", splits.check_neighbours),
    Check("leak", "the answer is not in what the policy sees", leaks.check),
    Check("cycles", "no way back to the same state pays", cycles.check),
    Check("potential", "shaping telescopes", cycles.check_potential),
    Check("faults", "a fault in the judging is never a score", faults.check),
    Check("bounds", "rewards are finite, within bounds, and the sum of their credits", bounds.check),
)


def audit(
    env: str | type[gymnasium.Env[Any, Any]],
    *,
    kwargs: Mapping[str, Any] | None = None,
    depth: Depth | str = "default",
    seed: int = 0,
    floor: float | None = None,
    maximum: float = 1.0,
    only: Sequence[str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> AuditReport:
    """Try every promise of an environment, and report what held, what did not, and what could not be asked.

    Args:
        env: An id, ours or any registered one (`module:Id-v0` imports the module first); `file.py:name`; or a class
            that lies in a file.
        kwargs: What it is made with.
        depth: `quick`, `default` or `thorough`.
        seed: Of the audit's chance and of the items that are asked.
        floor: The chance level, in reward units an episode, for environments that state none.
        maximum: What the best policy earns in an episode.
        only: Names of checks to make; all by default.
        progress: Called with the name of each check before it is made.
    Raises:
        BadInput: For an unknown depth or check, or a file or class that cannot be used.
        UnknownEnv: For an id that is not registered.

    >>> report = audit("proofgym/Countdown-v0", depth="quick", only=["oracle", "cheats"])
    >>> report.passed, [finding.check for finding in report.findings]
    (True, ['oracle', 'cheats'])
    """
    chosen_depth = depth_of(depth)
    checks = chosen(only)
    target = _target(env, kwargs)
    started = time.process_time()

    def report(findings: list[Finding]) -> AuditReport:
        spent = time.process_time() - started
        return AuditReport(target.name, target.kwargs, chosen_depth.name, seed, findings, spent, versions())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            subject = Subject(target, seed=seed, floor=floor, maximum=maximum)
        except (MissingExtra, Unjudged) as missing:
            return report([_unavailable(check, missing) for check in checks])
        except (BadInput, UnknownEnv):
            raise
        except Exception as error:
            raise BadInput(f"{target.name} cannot be made: {type(error).__name__}: {error}") from error
        if subject.heavy:
            chosen_depth = chosen_depth.lighter()
        try:
            if (why := _cannot_judge(subject)) is not None:
                return report([_unavailable(check, why) for check in checks])
            findings = []
            for check in checks:
                if progress is not None:
                    progress(check.name)
                findings.append(_made(check, subject, chosen_depth))
            return report(findings)
        finally:
            subject.close()


def versions() -> dict[str, str]:
    """What an audit depends on."""
    from proofgym import __version__

    return {"proofgym": __version__, "gymnasium": gymnasium.__version__, "python": platform.python_version()}


def _made(check: Check, subject: Subject, depth: Depth) -> Finding:
    try:
        return check.run(subject, depth)
    except NotApplicable as reason:
        return Finding(check.name, Outcome.NOT_APPLICABLE, str(reason))
    except Raised as raised:
        return failed(check.name, f"it raises {raised}", raised.recipe)
    except Unjudged as error:
        return failed(
            check.name, f"an answer could not be judged: {error}"[:300], subject.recipe(note=str(error)[:300])
        )
    except Exception as error:
        said = f"{type(error).__name__}: {error}"[:300]
        return failed(check.name, f"the check stopped at {said}", subject.recipe(note=said))


def _cannot_judge(subject: Subject) -> Exception | None:
    """Why nothing can be judged on this machine: a tool that the first question or its own oracle's answer needs."""
    item = subject.items(1)[0]
    try:
        subject.play(item, subject.oracle_policy() if subject.has_oracle else (lambda _: ""), turns=3)
    except (Unjudged, MissingExtra) as error:
        return error
    except Raised as raised:
        cause = raised.__cause__
        return cause if isinstance(cause, (MissingExtra, Unjudged)) else None
    return None


def _unavailable(check: Check, missing: Exception) -> Finding:
    return Finding(check.name, Outcome.NOT_APPLICABLE, f"cannot be judged here: {missing}"[:300])


def chosen(only: Sequence[str] | None) -> list[Check]:
    """The checks of these names, all by default.

    Raises:
        BadInput: For a name that is none.
    """
    names = [check.name for check in CHECKS]
    unknown = [name for name in only or () if name not in names]
    if unknown:
        raise BadInput(f"no check {unknown[0]!r}; there are {', '.join(names)}")
    return [check for check in CHECKS if only is None or check.name in only]


def _target(env: str | type[gymnasium.Env[Any, Any]], kwargs: Mapping[str, Any] | None) -> Target:
    if isinstance(env, str):
        return Target(env, dict(kwargs or {}))
    try:
        source = inspect.getsourcefile(env)
    except TypeError:  # built in, or no class at all
        source = None
    if source is None or not Path(source).is_file():
        raise BadInput(f"an audit takes an id, file.py:name, or a class that lies in a file; found {env!r:.100}")
    return Target(f"{source}:{env.__qualname__}", dict(kwargs or {}))
