"""From trajectories to what each sampled token is taught: which step it belongs to, what that earned, against whom."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from proofgym.agents import advantages
from proofgym.agents.advantages import KINDS, AdvantageKind, Bools, Floats, Ints
from proofgym.agents.advantages.types import groups
from proofgym.agents.config import GRPO
from proofgym.agents.steps import grid_of, overlong, steps_of_turn
from proofgym.envs.trajectory import Trajectory

__all__ = ["Evidence", "Taught", "group_numbers", "teach", "token_advantages"]

PerToken = list[list[Floats]]
"""`[trajectory][turn]` -> one number a sampled token."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an estimator may need besides the episodes.

    Args:
        values: Of the state before each sampled token, from a value model.
        after: (B,) of the state after each trajectory's end, for those that were cut off.
        penalties: Subtracted from each token's reward: the KL, where it is part of the reward.
        greedy: (B,) what the policy's greedy answer to the same task earned.
        version: The policy's, against which a turn is stale; None accepts all.
    """

    values: PerToken | None = None
    after: Floats | None = None
    penalties: PerToken | None = None
    greedy: Floats | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Taught:
    """What every sampled token is taught.

    Args:
        advantages: Zeros for unjudged trajectories.
        returns: What the value model is to predict, `nan` where it is taught nothing; None without one.
        keep: `[trajectory][turn]` -> whether the token takes part in the loss.
        numbers: Counts for the log: tokens left out, and why.
    """

    advantages: PerToken
    returns: PerToken | None
    keep: list[list[Bools]]
    numbers: dict[str, float]


def token_advantages(
    episodes: Sequence[Trajectory], kind: AdvantageKind = "step", *, gamma: float = 1.0, scale: bool = True
) -> PerToken:
    """The advantage of every sampled token, for estimators that need the episodes only.

    Args:
        episodes: Trajectories of one task (same environment, seed and index) form a group. Unjudged ones take no part.
        kind: See `AdvantageKind`. For `step`, a token that closes a step (see `steps_of_turn`) is also taught what that
            step was paid above its siblings' mean.
        gamma: Discount a step, or a token, as the kind has it.
        scale: Divide by one standard deviation over the batch's steps, unless the kind brings its own.
    Returns:
        `[trajectory][turn]` -> one number a sampled token. Zeros for unjudged trajectories.
    """
    return teach(episodes, GRPO(advantage=kind, gamma=gamma, scale=scale)).advantages


def teach(episodes: Sequence[Trajectory], config: GRPO, evidence: Evidence | None = None) -> Taught:
    """Give every sampled token of a batch its advantage, by the estimator that the configuration names.

    Args:
        episodes: The whole batch: groups, scales and whitening look at all of it.
        config: The estimator and its constants.
        evidence: What the estimator needs besides; see `KINDS`.
    Raises:
        ValueError: If the estimator needs evidence that is not there.
    """
    evidence = evidence or Evidence()
    kind = config.advantage
    needs = KINDS[kind]
    if needs.value and evidence.values is None:
        raise ValueError(f"advantage {kind} needs the values of a value model")
    if needs.greedy and evidence.greedy is None:
        raise ValueError(f"advantage {kind} needs what greedy answers earned")
    group_B = group_numbers(episodes)
    returns: PerToken | None = None
    keep = _kept(episodes, config, evidence.version)
    if kind in ("step", "pure"):
        taught = _by_steps(episodes, config, group_B)
    elif kind == "gigpo":
        taught = _by_states(episodes, config, group_B)
    elif needs.unit == "token" or kind == "turn_gae":
        taught, returns = _by_values(episodes, config, evidence)
    elif needs.tree:
        taught = _by_tree(episodes, config, group_B, keep)
    else:
        taught = _by_trajectory(episodes, config, group_B, evidence)
    left_out = sum(int((~k).sum()) for e, turns in zip(episodes, keep, strict=True) for k in turns if not e.unjudged)
    return Taught(taught, returns, keep, {"left_out": float(left_out)})


def group_numbers(episodes: Sequence[Trajectory]) -> Ints:
    """One integer a task: the environment, the seed and the index."""
    numbers: dict[tuple[str, int, int], int] = {}
    return np.array([numbers.setdefault((e.env, e.seed, e.index), len(numbers)) for e in episodes], dtype=np.int64)


def _kept(episodes: Sequence[Trajectory], config: GRPO, version: int | None) -> list[list[Bools]]:
    """Which tokens may take part: not of truncated episodes if those are masked, nor of turns that are too old."""
    kept = []
    for episode in episodes:
        whole = not (config.truncated == "mask" and any(turn.cut for turn in episode.turns))
        oldest = -math.inf if version is None or not config.max_staleness else version - config.max_staleness
        kept.append(
            [
                np.full(len(turn.action_ids), whole and turn.policy_version >= oldest, dtype=np.bool_)
                for turn in episode.turns
            ]
        )
    return kept


# Steps ----------------------------------------------------------------------------------------------------------------


def _factor(table: Floats, mask: Bools, episodes: Sequence[Trajectory], config: GRPO) -> float:
    if not config.scale or KINDS[config.advantage].scaled:
        return 1.0
    judged = np.array([not episode.unjudged for episode in episodes], dtype=np.bool_)
    return advantages.batch_scale(table, mask & judged[:, None])


def _by_steps(episodes: Sequence[Trajectory], config: GRPO, group_B: Ints) -> PerToken:
    grid = grid_of(episodes, config)
    rewards_BK = grid.rewards_BK
    if config.advantage == "pure":
        rewards_BK = advantages.min_form_rewards(rewards_BK, grid.paid_BK, config.min_form_temperature)
    table = advantages.step_leave_one_out(rewards_BK, grid.mask_BK, group_B, config.gamma)
    paid_BK = advantages.step_leave_one_out(rewards_BK, grid.mask_BK, group_B, 0.0)
    if config.scale:
        factor = _factor(table, grid.mask_BK, episodes, config)
        table, paid_BK = table * factor, paid_BK * factor
    paid_BK = np.pad(paid_BK, ((0, 0), (0, 1)))  # column -1: a token that closes nothing
    return [
        [table[b, steps] + paid_BK[b, closed] for steps, closed in zip(grid.columns[b], grid.closes[b], strict=True)]
        for b in range(len(episodes))
    ]


def _by_states(episodes: Sequence[Trajectory], config: GRPO, group_B: Ints) -> PerToken:
    """GiGPO: a step is a turn, its anchor the state in which the turn began."""
    length = max((len(episode.turns) for episode in episodes), default=1) or 1
    rewards_BK, mask_BK = np.zeros((len(episodes), length)), np.zeros((len(episodes), length), dtype=np.bool_)
    anchors = [[""] * length for _ in episodes]
    for b, episode in enumerate(episodes):
        for t, turn in enumerate(episode.turns):
            rewards_BK[b, t], mask_BK[b, t] = turn.reward + overlong(turn, config), True
            anchors[b][t] = turn.anchor or turn.observation
        if episode.unjudged:
            rewards_BK[b], mask_BK[b, 0] = np.nan, True
    table = advantages.gigpo(
        rewards_BK, mask_BK, group_B, anchors,
        gamma=config.gamma, weight=config.gigpo_weight, ddof=config.std_ddof, eps=config.std_eps,
    )  # fmt: skip
    return [
        [np.full(len(turn.action_ids), table[b, t]) for t, turn in enumerate(episode.turns)]
        for b, episode in enumerate(episodes)
    ]


# Whole trajectories ---------------------------------------------------------------------------------------------------


def _returns(episodes: Sequence[Trajectory], config: GRPO) -> Floats:
    return np.array([e.reward + sum(overlong(turn, config) for turn in e.turns) for e in episodes])


def _by_trajectory(episodes: Sequence[Trajectory], config: GRPO, group_B: Ints, evidence: Evidence) -> PerToken:
    whole_B = _whole(episodes, config, group_B, evidence)
    if config.scale and not KINDS[config.advantage].scaled:  # by the deviation over steps, of which some have more
        mask_BK = grid_of(episodes, config).mask_BK
        whole_B = whole_B * _factor(np.where(mask_BK, whole_B[:, None], 0.0), mask_BK, episodes, config)
    return [
        [np.full(len(turn.action_ids), whole) for turn in episode.turns]
        for episode, whole in zip(episodes, whole_B.tolist(), strict=True)
    ]


def _whole(episodes: Sequence[Trajectory], config: GRPO, group_B: Ints, evidence: Evidence) -> Floats:
    returns_B, kind = _returns(episodes, config), config.advantage
    lengths_B = np.array([sum(len(turn.action_ids) for turn in episode.turns) for episode in episodes])
    if kind == "outcome":
        solved = np.array([float(e.verdict is not None and e.verdict.correct) for e in episodes])
        returns_B = np.where(np.isfinite(returns_B), solved, np.nan)
    if kind in ("grpo", "grpo_batch_std"):
        return advantages.trajectory_grpo(
            returns_B, group_B, ddof=config.std_ddof, eps=config.std_eps, batch_std=kind == "grpo_batch_std"
        )
    if kind == "opo":
        return advantages.opo(returns_B, lengths_B.astype(np.float64), group_B)
    if kind == "reinforce_pp_baseline":
        return advantages.reinforce_plus_plus_baseline(returns_B, lengths_B, group_B, ddof=config.whiten_ddof)
    if kind == "remax":
        assert evidence.greedy is not None
        return advantages.remax(returns_B, evidence.greedy)
    simple: dict[str, Callable[[Floats, Ints], Floats]] = {
        "trajectory": advantages.trajectory_leave_one_out, "outcome": advantages.trajectory_leave_one_out,
        "dr_grpo": advantages.dr_grpo, "gpg": advantages.gpg, "max_rl": advantages.max_rl,
        "pass_at_k": advantages.best_of_group,
    }  # fmt: skip
    return simple[kind](returns_B, group_B)


# Tokens and turns, with values ----------------------------------------------------------------------------------------


def _token_rewards(episode: Trajectory, config: GRPO, penalties: Sequence[Floats] | None) -> Floats:
    """What each sampled token of a trajectory is paid: a step's reward at the last token that belongs to it."""
    rewards = np.zeros(sum(len(turn.action_ids) for turn in episode.turns))
    done = 0
    for t, turn in enumerate(episode.turns):
        paid, steps, _ = steps_of_turn(turn)
        paid[-1] += overlong(turn, config)
        for step, value in enumerate(paid):
            place = done + int(np.searchsorted(steps, step, side="right")) - 1
            if len(rewards):
                rewards[min(max(place, 0), len(rewards) - 1)] += value
        if penalties is not None:
            rewards[done : done + len(steps)] -= penalties[t]
        done += len(steps)
    return rewards


def _by_values(episodes: Sequence[Trajectory], config: GRPO, evidence: Evidence) -> tuple[PerToken, PerToken | None]:
    counts = [[len(turn.action_ids) for turn in episode.turns] for episode in episodes]
    length = max((sum(row) for row in counts), default=1) or 1
    shape = (len(episodes), length)
    rewards_BT, values_BT, turn_BT = np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=np.int64)
    mask_BT = np.zeros(shape, dtype=np.bool_)
    for b, episode in enumerate(episodes):
        n = sum(counts[b])
        mask_BT[b, :n] = True
        turn_BT[b, :n] = np.repeat(np.arange(len(counts[b])), counts[b])
        penalties = evidence.penalties[b] if evidence.penalties is not None else None
        rewards_BT[b, :n] = _token_rewards(episode, config, penalties)
        if evidence.values is not None:
            values_BT[b, :n] = np.concatenate([*evidence.values[b], np.zeros(0)])
        if episode.unjudged:
            rewards_BT[b], mask_BT[b, 0] = np.nan, True
    judged_B = np.array([not episode.unjudged for episode in episodes], dtype=np.bool_)
    live = mask_BT & judged_B[:, None]
    if config.advantage == "reinforce_pp":
        table = advantages.reinforce_plus_plus(rewards_BT, mask_BT, gamma=config.gamma, ddof=config.whiten_ddof)
        return _split(table, counts), None
    ended = np.array([episode.end == "terminated" for episode in episodes])
    bootstrap_B = np.where(ended, 0.0, evidence.after if evidence.after is not None else 0.0)
    plan = config.value
    lam: Any = plan.lam
    if plan.adaptive_alpha > 0.0:
        lam = advantages.length_adaptive_lambda(live.sum(1).astype(np.float64), plan.adaptive_alpha)[:, None]
    critic_lam = plan.lam if plan.critic_lam is None else plan.critic_lam
    if config.advantage == "gae":
        table, returns = advantages.gae(
            rewards_BT, values_BT, mask_BT, gamma=config.gamma, lam=lam, bootstrap_B=bootstrap_B
        )
        if plan.critic_lam is not None or plan.adaptive_alpha > 0.0:
            _, returns = advantages.gae(
                rewards_BT, values_BT, mask_BT, gamma=config.gamma, lam=critic_lam, bootstrap_B=bootstrap_B
            )
    elif config.advantage == "bilevel_gae":
        table, returns = advantages.bilevel_gae(
            rewards_BT, values_BT, mask_BT, turn_BT, lam=plan.lam, turn_gamma=config.gamma, turn_lam=plan.turn_lam,
            bootstrap_B=bootstrap_B,
        )  # fmt: skip
    else:
        table, returns = _turn_gae(rewards_BT, values_BT, live, counts, config, bootstrap_B)
    returns = np.where(live, returns, np.nan)
    if plan.whiten:
        table = advantages.whiten(table, live, ddof=config.whiten_ddof)
    return _split(table, counts), _split(returns, counts)


def _turn_gae(
    rewards_BT: Floats, values_BT: Floats, live: Bools, counts: list[list[int]], config: GRPO, bootstrap_B: Floats
) -> tuple[Floats, Floats]:
    """GAE over turns; V is read before a turn's first token, and only there is it taught."""
    width = max((len(row) for row in counts), default=1) or 1
    rewards_BK, values_BK = np.zeros((len(counts), width)), np.zeros((len(counts), width))
    mask_BK = np.zeros((len(counts), width), dtype=np.bool_)
    for b, row in enumerate(counts):
        start = 0
        for k, n in enumerate(row):
            if n and live[b, 0]:
                rewards_BK[b, k] = rewards_BT[b, start : start + n].sum()
                values_BK[b, k], mask_BK[b, k] = values_BT[b, start], True
            start += n
    found, aims = advantages.gae(
        rewards_BK, values_BK, mask_BK, gamma=config.gamma, lam=config.value.lam, bootstrap_B=bootstrap_B
    )
    if config.value.critic_lam is not None:
        _, aims = advantages.gae(
            rewards_BK, values_BK, mask_BK, gamma=config.gamma, lam=config.value.critic_lam, bootstrap_B=bootstrap_B
        )
    table, returns = np.zeros(live.shape), np.full(live.shape, np.nan)
    for b, row in enumerate(counts):
        start = 0
        for k, n in enumerate(row):
            if mask_BK[b, k]:
                table[b, start : start + n], returns[b, start] = found[b, k], aims[b, k]
            start += n
    return table, returns


def _split(table_BT: Floats, counts: list[list[int]]) -> PerToken:
    """Rows of a grid of tokens, cut into turns."""
    return [np.split(table_BT[b, : sum(row)], np.cumsum(row)[:-1]) if row else [] for b, row in enumerate(counts)]


# Trees ----------------------------------------------------------------------------------------------------------------


def _by_tree(episodes: Sequence[Trajectory], config: GRPO, group_B: Ints, keep: list[list[Bools]]) -> PerToken:
    """Estimators on branching rollouts. Text that leaves share is taught once, by the first judged leaf that has it."""
    paths, tokens = _paths(episodes)
    returns_B = _returns(episodes, config)
    taught: PerToken = [[np.zeros(len(turn.action_ids)) for turn in e.turns] for e in episodes]
    whole_B = np.zeros(len(episodes))
    if config.advantage == "tree_grpo":
        tree_B = np.array([path[0] if path else -1 for path in paths], dtype=np.int64)
        whole_B = advantages.tree_grpo(returns_B, tree_B, group_B, ddof=config.std_ddof, eps=config.std_eps)
    for rows in groups(group_B, np.isfinite(returns_B)):
        mine, earned = [paths[b] for b in rows], returns_B[rows]
        worth: dict[int, float] = {}
        if config.advantage in ("spo", "treerl"):
            estimate = advantages.spo if config.advantage == "spo" else advantages.treerl
            for path, found in zip(mine, estimate(mine, earned), strict=True):
                worth.update(zip(path, found.tolist(), strict=True))
        else:
            each = advantages.treepo(mine, earned) if config.advantage == "treepo" else whole_B[rows]
            for path, value in zip(mine, each.tolist(), strict=True):  # a shared node is taught the sum over its leaves
                for node in path:
                    worth[node] = worth.get(node, 0.0) + value
        seen: set[int] = set()
        for b in rows:
            for t, nodes in enumerate(tokens[b]):
                taught[b][t] = np.array([worth.get(int(n), 0.0) for n in nodes])
                keep[b][t] &= np.array([int(n) not in seen for n in nodes], dtype=np.bool_)
            seen.update(paths[b])
    if config.scale and not KINDS[config.advantage].scaled:
        flat = [x[k] for a, m in zip(taught, keep, strict=True) for x, k in zip(a, m, strict=True)]
        whole = np.concatenate([*flat, np.zeros(0)])
        factor = advantages.batch_scale(whole, np.ones(len(whole), dtype=np.bool_))
        taught = [[x * factor for x in turns] for turns in taught]
    return taught


def _paths(episodes: Sequence[Trajectory]) -> tuple[list[list[int]], list[list[Ints]]]:
    """Each trajectory's nodes in order, and the node of each token. One without nodes is a branch of its own."""
    paths, tokens = [], []
    for b, episode in enumerate(episodes):
        own = -2 - b  # below the root's -1, so no sampler's number
        nodes = [
            np.array(turn.nodes if turn.nodes else [own] * len(turn.action_ids), dtype=np.int64)
            for turn in episode.turns
        ]
        paths.append(list(dict.fromkeys(int(n) for turn in nodes for n in turn)) or [own])
        tokens.append(nodes)
    return paths, tokens
