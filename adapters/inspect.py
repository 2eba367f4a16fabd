"""Our environments as Inspect tasks: its models, its log viewer, our verdicts.

    # tasks.py
    from inspect_ai import task
    from proofgym.adapters.inspect import env_task

    @task
    def zebra():
        return env_task("Zebra", n=50)

    $ inspect eval tasks.py --model openai/gpt-4o-mini

A sample is an item, the solver plays it turn by turn, and the score is our verdict's; its parts, the credits and the
reward are in the score's metadata. What nobody could judge is `Score.unscored`: Inspect leaves it out of every metric.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from typing import Any

from proofgym.adapters.episode import Episode
from proofgym.adapters.rows import Row, rows
from proofgym.envs.registry import find
from proofgym.errors import Unjudged, UnknownEnv, need

__all__ = ["env_task", "play", "verdict"]

_KEY = "proofgym"


def env_task(
    env_id: str,
    *,
    n: int = 100,
    seed: int = 0,
    split: str = "test",
    system: str | None = None,
    epochs: int = 1,
    **env_kwargs: Any,
) -> Any:
    """An `inspect_ai.Task` of `n` items.

    Args:
        env_id: The prefix and the version may be left out.
        n, seed, split: Items 0 to n - 1 of `seed` on `split`, where the environment knows splits.
        system: A system message to put first.
        epochs: Attempts at each item.
        env_kwargs: What the environment is made with.
    Raises:
        gymnasium.error.Error: If there is no such environment.
        MissingExtra: If inspect_ai is not installed.
    """
    inspect = need("inspect_ai", "inspect")
    data = need("inspect_ai.dataset", "inspect")
    samples = []
    with contextlib.suppress(UnknownEnv):  # a stranger's environment knows no splits
        find(env_id)
        env_kwargs = {"split": split, **env_kwargs}
    for row in rows(env_id, n, seed=seed, system=system, **env_kwargs):
        said = [_message(message) for message in row.prompt]
        name = f"{row.env.split('/')[-1]}-{row.seed}-{row.index}"
        samples.append(data.Sample(input=said, target="", id=name, metadata={_KEY: row.reference()}))
    name = samples[0].metadata[_KEY]["env"].split("/")[-1]
    dataset = data.MemoryDataset(samples, name=name)
    return inspect.Task(dataset=dataset, solver=play(), scorer=verdict(), epochs=epochs, name=name)


def play() -> Any:
    """A solver that plays a sample's item with the model, until the environment ends the episode."""
    solvers = need("inspect_ai.solver", "inspect")
    models = need("inspect_ai.model", "inspect")

    @solvers.solver(name="proofgym_play")  # type: ignore[untyped-decorator, unused-ignore]
    def solver() -> Any:
        async def solve(state: Any, generate: Any) -> Any:
            row = Row.from_json(state.metadata[_KEY])
            episode = await asyncio.to_thread(Episode, row.env, **row.kwargs)
            try:
                await asyncio.to_thread(episode.start, row.seed, row.index)
                episode.expect(row.fingerprint)
                for _ in itertools.count():
                    state = await generate(state)
                    outcome = await asyncio.to_thread(episode.act, state.output.completion)
                    if outcome.done or state.completed:  # Inspect's own limits end an episode too
                        break
                    state.messages.append(models.ChatMessageUser(content=outcome.observation))
                state.store.set(_KEY, told(episode))
            except Unjudged as error:
                state.store.set(_KEY, {"unjudged": str(error)})
            finally:
                episode.close()
            state.completed = True
            return state

        return solve

    return solver()


def verdict() -> Any:
    """A scorer that reports the verdict of what `play` played; needs no model and no second judgement."""
    scorers = need("inspect_ai.scorer", "inspect")

    @scorers.scorer(metrics=[scorers.mean(), scorers.stderr()], name="proofgym_verdict")  # type: ignore[untyped-decorator, unused-ignore]
    def scorer() -> Any:
        async def score(state: Any, target: Any) -> Any:  # noqa: ARG001 - Inspect's signature
            found = state.store.get(_KEY)
            if not found:
                return scorers.Score.unscored(explanation="the episode was not played to its end")
            if found.get("unjudged"):
                return scorers.Score.unscored(explanation=found["unjudged"], metadata=found)
            return scorers.Score(value=found["score"], explanation=found["reason"], metadata=found)

        return score

    return scorer()


def told(episode: Episode) -> dict[str, Any]:
    """An episode as JSON content: reward, score, verdict, and each turn's credits; or why nobody could judge it."""
    if episode.unjudged is not None:
        return {"unjudged": episode.unjudged}
    verdict_ = episode.verdict
    return {
        "reward": episode.total,
        "score": verdict_.score if verdict_ else 0.0,
        "reason": verdict_.reason if verdict_ else "the model stopped before the end of the episode",
        "verdict": verdict_.to_json() if verdict_ else None,
        "credits": [[credit.to_json() for credit in turn.credits] for turn in episode.trajectory.turns],
        "task": episode.task,
    }


def _message(message: dict[str, str]) -> Any:
    models = need("inspect_ai.model", "inspect")
    kinds = {"system": models.ChatMessageSystem, "user": models.ChatMessageUser}
    return kinds[message["role"]](content=message["content"])
