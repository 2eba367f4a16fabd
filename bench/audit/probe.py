"""The other process: `python -m proofgym.bench.audit.probe` answers requests in JSON, one a line.

It asks and judges items again under another hash seed, takes up states, calls reward functions, and runs whole audits
for `--all`. What is audited may print: its standard output goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from proofgym.bench.audit.subject import Env, Target, plain
from proofgym.envs.base import reset_item
from proofgym.errors import Unjudged

__all__ = ["OPERATIONS", "transcript"]


def transcript(env: Env, actions: list[str]) -> list[Any]:
    """What came of each action, as JSON content, up to the end of the episode; grounds may tell times: they are out."""
    told: list[Any] = []
    for action in actions:
        try:
            observation, reward, terminated, truncated, info = env.step(action)
        except Unjudged:
            return [*told, "unjudged"]
        verdict = plain(info.get("verdict"))
        status = [verdict.get("status"), verdict.get("score")] if isinstance(verdict, dict) else verdict
        told.append([plain(observation), plain(reward), bool(terminated), bool(truncated), status])
        if terminated or truncated:
            break
    return told


def asked(env: Env, seed: int, index: int) -> list[Any]:
    """The observation, `info` and oracle of an item, as JSON content."""
    observation, info = reset_item(env, seed, index)
    inner: Any = env.unwrapped
    oracle = str(inner.oracle()) if callable(getattr(inner, "oracle", None)) else None
    return [plain(observation), plain(info), oracle]


def _items(request: Mapping[str, Any]) -> Any:
    env = Target(request["target"], request["kwargs"]).make()
    try:
        return [asked(env, seed, index) for seed, index in request["items"]]
    finally:
        env.close()


def _scripts(request: Mapping[str, Any]) -> Any:
    env = Target(request["target"], request["kwargs"]).make()
    out = []
    try:
        for seed, index, actions in request["scripts"]:
            reset_item(env, seed, index)
            out.append(transcript(env, actions))
    finally:
        env.close()
    return out


def _restore(request: Mapping[str, Any]) -> Any:
    env = Target(request["target"], request["kwargs"]).make()
    inner: Any = env.unwrapped
    out = []
    try:
        for state, actions in request["states"]:
            inner.restore(state)
            same = plain(inner.state()) == state
            told = transcript(inner, actions)
            out.append([same, told, plain(inner.reset()[0])])
    finally:
        env.close()
    return out


def _scores(request: Mapping[str, Any]) -> Any:
    from proofgym.bench.audit.reward_function import load, scored

    function = load(request["target"])
    return [plain(scored(function, row, completion)) for row, completion in request["calls"]]


def _audit(request: Mapping[str, Any]) -> Any:
    from proofgym.bench.audit.core import audit

    how = {key: request[key] for key in ("kwargs", "depth", "seed", "only", "floor") if key in request}
    return audit(request["target"], **how).to_json()


OPERATIONS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "items": _items, "scripts": _scripts, "restore": _restore, "scores": _scores, "audit": _audit,
}  # fmt: skip


def serve() -> None:
    """Answer requests until the pipe is closed."""
    replies = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    import proofgym  # noqa: F401 - registers

    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply: dict[str, Any] = {"value": OPERATIONS[request["op"]](request)}
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"[:500], "unjudged": isinstance(error, Unjudged)}
        replies.write(json.dumps(reply, ensure_ascii=True) + "\n")
        replies.flush()


if __name__ == "__main__":
    serve()
