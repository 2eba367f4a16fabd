"""Whether the same seed asks the same, and the same answer is judged the same: here, in threads, in other processes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from proofgym.bench.audit.child import HASH_SEEDS, ChildFailed, ChildLost, shared
from proofgym.bench.audit.depth import Depth
from proofgym.bench.audit.finding import Finding, NotApplicable, failed, passed
from proofgym.bench.audit.probe import asked, transcript
from proofgym.bench.audit.subject import Item, Subject, plain
from proofgym.envs.base import reset_item

__all__ = ["check", "check_verifier", "portable"]

_THREADS = 4


def portable(subject: Subject) -> None:
    """Raise `NotApplicable` if another process could not make the environment."""
    try:
        json.dumps(subject.target.kwargs)
    except (TypeError, ValueError):
        raise NotApplicable("its arguments are no JSON, so no other process can make it") from None


def elsewhere(hash_seed: str, request: dict[str, Any]) -> Any:
    """Ask a process with another hash seed.

    Raises:
        Unjudged: If it could not judge.
    """
    from proofgym.errors import Unjudged

    try:
        return shared(hash_seed).ask(request)
    except ChildFailed as error:
        if error.unjudged:
            raise Unjudged(f"in a fresh process: {error}") from None
        raise


def check(subject: Subject, depth: Depth) -> Finding:
    """`reset(seed)` asks the same task: again, in a second instance, in processes with other hash seeds and order."""
    items = subject.items(depth.repeat)
    with subject.told(items[0]):
        first = [asked(subject.env, item.seed, item.index) for item in items]
        again = [asked(subject.env, item.seed, item.index) for item in reversed(items)][::-1]
        twin_env = subject.target.make()
        twin = [asked(twin_env.unwrapped if subject.ours else twin_env, item.seed, item.index) for item in items]
        twin_env.close()
    for found, where in ((again, "asked again in another order"), (twin, "in a second instance")):
        if (item := _differs(items, first, found)) is not None:
            return failed("seed", f"the same seed asks another task {where}", subject.recipe(item, note=where))
    here = f"{depth.repeat} items equal again, in a second instance"
    try:
        portable(subject)
    except NotApplicable as reason:
        return passed("seed", f"{here}; other processes were not asked: {reason}")
    for hash_seed, order in zip(HASH_SEEDS, (1, -1), strict=True):
        request = {"op": "items", **_made(subject), "items": [[i.seed, i.index] for i in items][::order]}
        try:
            found = elsewhere(hash_seed, request)[::order]
        except (ChildFailed, ChildLost) as error:
            return failed("seed", f"with PYTHONHASHSEED={hash_seed}: {error}", subject.recipe(items[0]))
        if (item := _differs(items, _through_json(first), found)) is not None:
            said = f"another process with PYTHONHASHSEED={hash_seed} asks another task"
            return failed("seed", said, subject.recipe(item, note=f"compare with PYTHONHASHSEED={hash_seed}"))
    return passed("seed", f"{here} and in processes with hash seeds {' and '.join(HASH_SEEDS)}")


def check_verifier(subject: Subject, depth: Depth) -> Finding:
    """The same actions come to the same observations, rewards and verdicts in threads and in other processes."""
    scripts = _scripts(subject, depth)

    def run() -> list[Any]:
        env = subject.target.make()
        inner = env.unwrapped if subject.ours else env
        try:
            out = []
            for item, actions in scripts:
                reset_item(inner, item.seed, item.index)
                out.append(transcript(inner, actions))
            return out
        finally:
            env.close()

    with subject.told(scripts[0][0], scripts[0][1]):
        first = run()
        if (where := _first(first, run())) is not None:
            return _disagrees(subject, scripts[where], "a second time")
        with ThreadPoolExecutor(_THREADS) as threads:
            for found in threads.map(lambda _: run(), range(_THREADS)):
                if (where := _first(first, found)) is not None:
                    return _disagrees(subject, scripts[where], "in another thread")
    here = f"{sum(map(len, first))} turns judged the same twice and in {_THREADS} threads"
    try:
        portable(subject)
    except NotApplicable as reason:
        return passed("verifier", f"{here}; other processes were not asked: {reason}")
    for hash_seed in HASH_SEEDS:
        request = {"op": "scripts", **_made(subject), "scripts": [[i.seed, i.index, list(a)] for i, a in scripts]}
        try:
            found = elsewhere(hash_seed, request)
        except (ChildFailed, ChildLost) as error:
            return failed("verifier", f"with PYTHONHASHSEED={hash_seed}: {error}", subject.recipe(scripts[0][0]))
        if (where := _first(_through_json(first), found)) is not None:
            return _disagrees(subject, scripts[where], f"in a process with PYTHONHASHSEED={hash_seed}")
    return passed("verifier", f"{here} and in processes with hash seeds {' and '.join(HASH_SEEDS)}")


def _scripts(subject: Subject, depth: Depth) -> list[tuple[Item, list[str]]]:
    scripts: list[tuple[Item, list[str]]] = []
    for item in subject.items(depth.repeat):
        good = list(subject.answers(item))[:12] if subject.has_oracle else []
        legal = [str(a) for a in (subject.ask(item)[2].get("admissible") or [])][:4]
        tries = [good, [text[: len(text) // 2] for text in good[:1]], [f"{text} 1" for text in good[:1]], legal, ["1"]]
        scripts += [(item, actions) for actions in tries if actions]
    return scripts


def _made(subject: Subject) -> dict[str, Any]:
    return {"target": subject.target.name, "kwargs": dict(subject.target.kwargs)}


def _through_json(value: Any) -> Any:
    return json.loads(json.dumps(plain(value)))


def _first(one: Sequence[Any], other: Sequence[Any]) -> int | None:
    return next((k for k, (a, b) in enumerate(zip(one, other, strict=True)) if a != b), None)


def _differs(items: Sequence[Item], one: Sequence[Any], other: Sequence[Any]) -> Item | None:
    where = _first(one, other)
    return None if where is None else items[where]


def _disagrees(subject: Subject, script: tuple[Item, list[str]], where: str) -> Finding:
    said = f"the same actions are judged otherwise {where}"
    return failed("verifier", said, subject.recipe(script[0], script[1], said))
