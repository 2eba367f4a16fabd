"""Our environments as a taskset of `verifiers` 0.4, and so in prime-rl.

    eval proofgym-verifiers --env.taskset.env Zebra --env.taskset.n 20 -m MODEL

One task is one item; the environment answers as the user, turn by turn. The reward of the trace is the sum of the
turns' rewards, and `trace.info["proofgym"]` keeps every turn's credits and the verdict. Who trains can do better than
the sum: `turn_advantages` gives each sampled token the credit of its own turn, in the form that `assign_advantages` of
a prime-rl algorithm takes. An episode that nobody could judge raises: verifiers records the error, scores nothing, and
asks again.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from proofgym.adapters.episode import Episode
from proofgym.adapters.rows import Row, rows
from proofgym.adapters.said import said_once
from proofgym.envs.registry import find
from proofgym.errors import BadInput, Unjudged, need

if TYPE_CHECKING:
    import verifiers.v1 as vf
else:
    vf = need("verifiers.v1", "verifiers")

__all__ = ["ProofgymConfig", "ProofgymData", "ProofgymEnv", "ProofgymEnvConfig", "ProofgymTask", "ProofgymTaskset"]

_PAGE = 256  # items drawn with one environment, so that an endless taskset holds none for ever


class ProofgymConfig(vf.TasksetConfig):
    """Which items are asked.

    Args:
        env: An environment's id; the prefix and the version may be left out.
        n: How many items; none means an endless taskset.
        seed: Which stream of tasks.
        split: train, validation or test.
        env_kwargs: More arguments of the environment, as JSON.
    """

    env: str = ""
    n: int | None = None
    seed: int = 0
    split: str = "train"
    env_kwargs: str = "{}"


class ProofgymData(vf.TaskData):
    """An item, without its answer: environment, arguments, seed, index, fingerprint."""

    row: dict[str, Any]


class ProofgymTask(vf.Task[ProofgymData]):
    """One item; what it pays is recorded by the environment that plays it."""

    @property
    def key(self) -> str:
        """The item's place and fingerprint, which outlive a reordering of the taskset."""
        row = self.data.row
        return f"{row['env']}/{row['seed']}/{row['index']}/{row['fingerprint'][:12]}"


class ProofgymTaskset(vf.Taskset[ProofgymTask, ProofgymConfig]):
    """Items of one of our environments.

    Raises:
        UnknownEnv: If there is no such environment; the message names the nearest.
        BadInput: If `env_kwargs` is no JSON object.
    """

    def __init__(self, config: ProofgymConfig) -> None:
        super().__init__(config)
        if not config.env:  # verifiers reads the defaults once before it reads the user's settings
            raise BadInput("which environment? --env.taskset.env NAME, as `proofgym list` shows them")
        find(config.env)
        self._kwargs = {"split": config.split, **_object(config.env_kwargs)}

    @property
    def bounded(self) -> bool:
        """Whether the items end; they do if `n` says how many, or a view of verifiers' bounds them."""
        return self.config.n is not None if self._bounded is None else bool(self._bounded)

    def load(self) -> Iterator[ProofgymTask]:
        """Draw the items, lazily."""
        n, seed = self.config.n, self.config.seed
        for start in itertools.count(0, _PAGE):
            count = _PAGE if n is None else min(_PAGE, n - start)
            if count <= 0:
                return
            for row in rows(self.config.env, count, seed=seed, start=start, **self._kwargs):
                yield self._task(row)

    def _task(self, row: Row) -> ProofgymTask:
        name = f"{row.env.split('/')[-1]}#{row.seed}:{row.index}"
        data = ProofgymData(name=name, prompt=row.prompt[-1]["content"], row=row.reference())
        return ProofgymTask(data, self.config.task)


class ProofgymEnvConfig(vf.EnvConfig):
    """Who plays: by default a plain chat loop in a process of this machine, since it runs no code of the model's."""

    player: vf.AgentConfig = vf.AgentConfig(harness={"id": "null"}, runtime={"type": "subprocess"})


class ProofgymEnv(vf.Env[ProofgymEnvConfig]):
    """Plays an item with the model as its policy and the environment as its user."""

    async def run(self, task: ProofgymTask, agents: Any) -> None:
        """One episode.

        Raises:
            Unjudged: If nobody could judge it; verifiers then records an error instead of a reward.
        """
        row = Row.from_json(task.data.row)
        episode = await asyncio.to_thread(Episode, row.env, **row.kwargs)
        try:
            await asyncio.to_thread(episode.start, row.seed, row.index)
            episode.expect(row.fingerprint)
            async with agents.player.interaction(task) as interaction:
                segment = await interaction.turn()
                while not segment.terminated:
                    # Environments judge in sandboxes and provers: they must not hold up everybody's event loop.
                    outcome = await asyncio.to_thread(episode.act, segment.last_reply)
                    if outcome.unjudged is not None:
                        raise Unjudged(outcome.unjudged)
                    if outcome.done:
                        break
                    segment = await interaction.turn(outcome.observation)
            record(interaction.trace, episode)
        finally:
            await asyncio.to_thread(episode.close)


def record(trace: Any, episode: Episode) -> None:
    """Write what an episode earned into a trace: the sum as its reward, the rest where it can be read."""
    turns = episode.trajectory.turns
    if episode.paid > 1:
        said_once(
            "verifiers.scalar",
            f"verifiers takes one reward a trace: {episode.paid} credits were summed; the turns' own are in "
            "trace.info['proofgym'], and adapters.verifiers.turn_advantages makes advantages of them",
        )
    trace.record_reward("reward", episode.total)
    verdict = episode.verdict
    trace.record_metric("solved", float(verdict is not None and verdict.correct))
    trace.record_metric("turns", float(episode.turns))
    trace.info["proofgym"] = {
        "task": episode.task,
        "verdict": verdict.to_json() if verdict else None,
        "turns": [{"reward": turn.reward, "credits": [credit.to_json() for credit in turn.credits]} for turn in turns],
    }


def turn_advantages(traces: Sequence[Any], *, gamma: float = 1.0) -> list[list[float]]:
    """Step-level advantages for the attempts at one item: each turn its reward to go, minus the others' mean return.

    The baseline of an attempt depends on the other attempts alone, so the estimate is unbiased (leave-one-out; Kool,
    van Hoof and Welling 2019).

    Args:
        traces: Of one group; each finished and recorded by `ProofgymEnv`.
        gamma: Discount a turn.
    Returns:
        For each trace one value for each sampled token of its last branch, in order: what `assign_advantages` takes.
    Raises:
        BadInput: If a trace was not played by `ProofgymEnv`, or has not as many sampled messages as turns.
    """
    to_go = [_to_go(trace, gamma) for trace in traces]
    returns = [values[0] if values else 0.0 for values in to_go]
    advantages: list[list[float]] = []
    for number, (trace, values) in enumerate(zip(traces, to_go, strict=True)):
        others = [value for place, value in enumerate(returns) if place != number]
        baseline = float(np.mean(others)) if others else 0.0
        sampled = [sum(node.mask) for node in trace.branches[-1].nodes if node.sampled]
        if len(sampled) < len(values):
            raise BadInput(
                f"a trace of {len(values)} turns has {len(sampled)} sampled messages: its history was rewritten"
            )
        row: list[float] = []
        for turn, count in enumerate(sampled):  # an answer behind the last judged turn was cut off: nothing to credit
            row += [values[turn] - baseline if turn < len(values) else 0.0] * count
        advantages.append(row)
    return advantages


def _to_go(trace: Any, gamma: float) -> list[float]:
    played = trace.info.get("proofgym")
    if not isinstance(played, dict):
        raise BadInput("this trace was not played by ProofgymEnv: it has no info['proofgym']")
    values: list[float] = []
    following = 0.0
    for turn in reversed(played["turns"]):
        following = float(turn["reward"]) + gamma * following
        values.append(following)
    return values[::-1]


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise BadInput(f"env_kwargs is a JSON object, found {text!r:.80} ({error})") from error
    if not isinstance(found, dict):
        raise BadInput(f"env_kwargs is a JSON object, found {text!r:.80}")
    return found
