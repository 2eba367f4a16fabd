"""Better and worse attempts at one task: a gradient step that tells them apart (DPO), and the pairs for TRL's trainer.

The step is our own because TRL's `DPOTrainer` makes tokens from text again: what it trains on need not be what was
sampled. On texts whose tokens agree the two losses are equal, and a test holds them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from proofgym.agents.batch import Batch, row_of
from proofgym.agents.forward import Scores
from proofgym.agents.learner import Learner
from proofgym.agents.losses import dpo
from proofgym.envs.trajectory import Trajectory, Turn

__all__ = ["Pair", "conversations", "pairs", "preference_step"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two attempts at one task.

    Args:
        better, worse: By their rewards.
        shared: How many tokens they begin with in common; those cancel.
    """

    better: Trajectory
    worse: Trajectory
    shared: int


def pairs(episodes: Sequence[Trajectory], margin: float) -> list[Pair]:
    """For each attempt that is better than another of its task, the pair that shares the most tokens.

    In rollouts that branch, that is a sibling: the two differ from where the branches part, so the preference is about
    the branch and nothing else.

    Args:
        episodes: Unjudged ones are left out.
        margin: By how much the better reward must be higher.
    Returns:
        In the order of the better attempts.
    """
    groups: dict[tuple[str, int, int], list[Trajectory]] = {}
    for episode in episodes:
        if not episode.unjudged and any(turn.action_ids for turn in episode.turns):
            groups.setdefault((episode.env, episode.seed, episode.index), []).append(episode)
    found = []
    for attempts in groups.values():
        for better in attempts:
            beaten = [worse for worse in attempts if better.reward - worse.reward >= margin]
            if beaten:
                shared = [_shared(better, worse) for worse in beaten]
                best = int(np.argmax(shared))
                found.append(Pair(better, beaten[best], shared[best]))
    return found


def _shared(a: Trajectory, b: Trajectory) -> int:
    left, right = ([i for turn in e.turns for i in (*turn.prompt_ids, *turn.action_ids)] for e in (a, b))
    return next((k for k, (x, y) in enumerate(zip(left, right, strict=False)) if x != y), min(len(left), len(right)))


def conversations(chosen: Sequence[Pair]) -> list[dict[str, Any]]:
    """Pairs as TRL's `DPOTrainer` takes them: `datasets.Dataset.from_list(conversations(pairs(episodes, 0.1)))`.

    The prompt ends with the observation after which the two attempts part; shared turns are part of it, so they are not
    trained on. Where they part in the middle of a text, the whole of that text is the completion's. In a completion of
    several turns TRL counts the observations too, which `preference_step` does not.

    Returns:
        Of each pair `prompt`, `chosen` and `rejected`, lists of messages.
    """
    return [_conversation(pair) for pair in chosen]


def _conversation(pair: Pair) -> dict[str, Any]:
    left, right = pair.better.turns, pair.worse.turns
    last = min(len(left), len(right)) - 1  # each completion needs a text of its own
    part = next((t for t in range(last) if left[t].action != right[t].action), last)
    while part and left[part].observation != right[part].observation:
        part -= 1  # the world, not the policy, parted them
    prompt = _messages(left[: part + 1])[:-1]
    return {"prompt": prompt, "chosen": _messages(left[part:])[1:], "rejected": _messages(right[part:])[1:]}


def _messages(turns: Sequence[Turn]) -> list[dict[str, str]]:
    said = [(turn.observation, turn.action) for turn in turns]
    return [
        {"role": role, "content": text} for both in said for role, text in zip(("user", "assistant"), both, strict=True)
    ]


def preference_step(learner: Learner, chosen: Sequence[Pair], beta: float) -> dict[str, float]:
    """One gradient step on the DPO loss of some pairs; none if it is not finite.

    A pair's log-probabilities are sums over its sampled tokens, so both halves of a pair go through one forward pass.

    Returns:
        The loss; `accuracy`, the share of pairs whose order the implicit reward has right; its mean margin; `skipped`.
    """
    rows = [
        [row_of(e, [np.zeros(len(turn.action_ids)) for turn in e.turns], number=i) for i, e in enumerate(both)]
        for both in ((pair.better, pair.worse) for pair in chosen)
    ]
    found: list[tuple[float, float]] = []

    def loss(scores: Scores, batch: Batch) -> Tensor:
        far = learner.reader.reference_logprobs(batch)
        gaps = scores.logprobs.new_zeros(2).index_add(0, batch.row_N, scores.logprobs - far)
        if batch.numbers[0] == 1:  # the longer of the two comes first in a batch
            gaps = gaps.flip(0)
        margin = float(beta * (gaps[0] - gaps[1]).detach())
        found.append((float(margin > 0), margin))
        return dpo(gaps[0], gaps[1], beta) / len(chosen)

    numbers = learner.step_on(rows, loss)
    both = learner.world.gather(found[: len(learner.world.share(rows))])
    right, margins = zip(*both, strict=True)
    return {**numbers, "accuracy": float(np.mean(right)), "margin": float(np.mean(margins))}
