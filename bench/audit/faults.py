"""Whether a fault in the judging is ever scored: each part that can be broken is broken, and a turn is played.

A dead sandbox, a lost prover or a judge that raises has to end in an exception (`Unjudged` in ours). An environment
that answers with a number instead has paid for a fault of its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from proofgym.bench.audit.depth import Depth
from proofgym.bench.audit.finding import Finding, NotApplicable, failed, passed
from proofgym.bench.audit.subject import Env, Subject
from proofgym.envs.base import reset_item
from proofgym.errors import EpisodeOver, Unjudged

__all__ = ["Injected", "check"]

Break = Callable[[Any, contextlib.ExitStack], bool]
"""Breaks a part of an environment until the stack is closed; whether there was such a part."""

JUDGES = (
    "verify", "judge", "grade", "score", "score_answer", "check_answer", "check", "evaluate", "reward", "compute_score",
    "compute_reward", "get_reward", "reward_func", "reward_function", "reward_fn", "verifier", "grader", "scorer",
    "_judge", "_verify", "_grade", "_score", "_check", "_reward", "_evaluate", "is_correct",
)  # fmt: skip
"""Names under which environments keep what judges."""


class Injected(RuntimeError):
    """The fault that was put in."""


def check(subject: Subject, _: Depth) -> Finding:
    """Break each part that judges; a turn that needs it raises, and is never given a number."""
    item = subject.items(1)[0]
    answer = subject.answers(item)[0] if subject.has_oracle else "1"
    tried: list[str] = []
    untouched: list[str] = []
    for name, broken in _ways(subject):
        # What judges may be shared with every environment of its kind, so whatever is broken is mended again.
        with contextlib.ExitStack() as mended:
            env = subject.target.make()
            mended.callback(env.close)
            inner: Any = env.unwrapped
            playing = inner if subject.ours else env
            reset_item(playing, item.seed, item.index)
            if not broken(inner, mended):
                continue
            said = _played(subject, playing, answer)
        if said == "not needed":
            untouched.append(name)
            continue
        tried.append(name)
        if said:
            what = f"with {name} broken, {said}"
            return failed("faults", what, subject.recipe(item, [answer], what))
    if not tried:
        raise NotApplicable(
            "nothing that judges was found to break"
            + (f" ({', '.join(untouched)} did not matter)" if untouched else "")
        )
    return passed("faults", f"no score with {', '.join(tried)} broken", broken=tried)


def _played(subject: Subject, env: Env, answer: str) -> str:
    """Why a turn under a fault is wrong; empty if it raised as it should; `not needed` if the fault was not met."""
    _Broken.calls = 0
    try:
        _, reward, _, _, info = env.step(answer)
    except Unjudged:
        if not subject.ours:
            return ""
        try:
            env.step(answer)
        except (EpisodeOver, Unjudged):
            return ""
        return "the episode goes on after Unjudged"
    except Exception as error:
        if subject.ours:
            return f"a turn raises {type(error).__name__} instead of Unjudged"
        return ""
    if not _Broken.calls:
        return "not needed"
    if info.get("unjudged") and reward != reward:  # NaN, and says why
        return ""
    return f"a turn is paid {reward!r}"


class _Broken:
    """Callable like what it replaces, and raises; any attribute of it does too. Counts how often it was reached."""

    calls = 0

    def __init__(self, error: type[Exception] = Injected) -> None:
        self.__dict__["error"] = error

    def __call__(self, *_: Any, **__: Any) -> Any:
        _Broken.calls += 1
        raise self.error("a fault that the audit put in")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self


def _ways(subject: Subject) -> Iterator[tuple[str, Break]]:
    inner: Any = subject.inner
    if subject.ours:
        yield "its turn", _set("turn")
    if callable(getattr(inner, "pool", None)):
        yield "its sandboxes", _dead_pool
    if hasattr(inner, "backend") and hasattr(inner, "_backend_given"):
        yield "its prover", _lost_prover
    if isinstance(getattr(type(inner), "puzzle", None), property):
        yield "its puzzle's rules", _broken_puzzle
    for holder_name, holder in _holders(inner):
        for name in JUDGES:
            if callable(getattr(holder, name, None)):
                label = f"{holder_name}.{name}" if holder_name else name
                yield label, _inside(holder_name, name)


def _holders(inner: Any) -> Iterator[tuple[str, Any]]:
    """The environment, and the objects that it keeps one level down."""
    yield "", inner
    for name, value in list(vars(inner).items()):
        if type(value).__module__ not in ("builtins", "numpy") and not isinstance(value, type):
            yield name, value


def _swap(target: Any, name: str, value: Any, mended: contextlib.ExitStack) -> None:
    """Put a value in the place of an attribute until `mended` is closed."""
    own = getattr(target, "__dict__", {})
    before = [own[name]] if name in own else []
    setattr(target, name, value)
    mended.callback(lambda: setattr(target, name, before[0]) if before else delattr(target, name))


def _set(name: str) -> Break:
    def put(inner: Any, mended: contextlib.ExitStack) -> bool:
        _swap(inner, name, _Broken(), mended)
        return True

    return put


def _inside(holder: str, name: str) -> Break:
    def put(inner: Any, mended: contextlib.ExitStack) -> bool:
        target = getattr(inner, holder) if holder else inner
        try:
            _swap(target, name, _Broken(), mended)
        except (AttributeError, TypeError):  # frozen or slotted: stand in for the whole object
            if not holder:
                return False
            _swap(inner, holder, _Wrapped(target, name), mended)
        return True

    return put


class _Wrapped:
    """An object that cannot be changed, with one of its methods broken."""

    def __init__(self, wrapped: Any, name: str) -> None:
        self.__dict__.update(wrapped=wrapped, name=name, broken=_Broken())

    def __getattr__(self, name: str) -> Any:
        return self.broken if name == self.name else getattr(self.wrapped, name)


def _dead_pool(inner: Any, mended: contextlib.ExitStack) -> bool:
    """A pool whose every job is lost, as one whose workers were killed and cannot be started again."""
    from proofgym.sandboxes.errors import InfraError

    _swap(inner, "_given_pool", _Broken(InfraError), mended)
    return True


def _lost_prover(inner: Any, mended: contextlib.ExitStack) -> bool:
    from proofgym.verifiers.proof import ProverLost

    _swap(inner, "_backend_given", _Broken(ProverLost), mended)
    return True


def _broken_puzzle(inner: Any, mended: contextlib.ExitStack) -> bool:
    puzzle = inner.puzzle
    wrapped: Any = puzzle
    for name in ("grade", "apply"):
        if callable(getattr(wrapped, name, None)):
            try:
                _swap(wrapped, name, _Broken(), mended)
            except (AttributeError, TypeError):
                return False
    return True
