"""Potential-based shaping telescopes, and leaves the best policies the best; other shaping does not."""

from __future__ import annotations

import functools
import itertools
import zlib
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import proofgym
from proofgym.envs.base import fork
from proofgym.envs.rewards import ComposedReward, PotentialShaping, exact
from proofgym.envs.task import canonical_json
from proofgym.errors import BadInput, Unjudged

WALKED = ["KeyMazeSteps", "Sudoku4Steps", "GridMission", "Household", "RiverCrossingSteps"]
SOLVED = ["IceSlidingSteps", "RiverCrossingSteps", "MazeSteps", "HanoiSteps", "KeyMazeSteps", "SokobanSteps"]
GAMMA = 0.9


@functools.cache
def made(name: str) -> gymnasium.Env[str, str]:
    return proofgym.make(name, level=0.0)


# Telescoping ----------------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(st.sampled_from(WALKED), st.sampled_from([1.0, 0.9, 0.5]), st.lists(st.integers(0, 99), min_size=1, max_size=12))
def test_what_shaping_adds_along_a_walk_is_the_potential_at_its_ends(name: str, gamma: float, walk: list[int]) -> None:
    env = PotentialShaping(made(name), gamma=gamma, scale=2.0)
    _, info = env.reset(seed=4)
    first, added, turns = 2.0 * info["potential"], 0.0, 0
    for number in walk:
        admissible = info["admissible"]
        action = "nonsense" if number == 99 else admissible[number % len(admissible)]
        _, _, terminated, _, info = env.step(action)
        added += gamma**turns * info["reward_terms"]["shaping"]
        turns += 1
        if terminated:
            break
    last = 0.0 if terminated else 2.0 * info["potential"]
    assert added == pytest.approx(gamma**turns * last - first, abs=1e-9)


@pytest.mark.parametrize("name", ["MazeSteps", "HanoiSteps", "KeyMazeSteps"])
def test_a_round_trip_pays_nothing(name: str) -> None:
    env = PotentialShaping(ComposedReward(made(name), "correctness"), potential=noise)
    _, info = env.reset(seed=1)
    start = key(env)
    _, there, _, _, info = env.step(info["admissible"][0])
    assert there != 0.0
    back = []
    for action in info["admissible"]:
        branch = fork(env)
        paid = branch.step(action)[1]
        if key(branch) == start:
            back.append(paid)
    assert back
    assert [there + paid for paid in back] == [pytest.approx(0.0, abs=1e-12)] * len(back)


def test_the_potential_of_an_end_is_zero_and_of_a_truncation_its_own() -> None:
    def last(at_truncation: Any, turns: int) -> tuple[float, bool, float]:
        env = PotentialShaping(
            ComposedReward(proofgym.make("IceSlidingSteps", level=0.0, max_turns=turns), "correctness"),
            potential=lambda _: 3.0, at_truncation=at_truncation,
        )  # fmt: skip
        env.reset(seed=1)
        for _ in range(turns):
            _, _, terminated, truncated, info = env.step(env.unwrapped.oracle())  # type: ignore[attr-defined]
            if terminated or truncated:
                break
        return info["reward_terms"]["shaping"], terminated, info["reward_terms"].get("correctness", 0.0)

    assert last("keep", 100) == (-3.0, True, 1.0)
    assert last("keep", 1) == (0.0, False, 0.0)
    assert last("zero", 1) == (-3.0, False, 0.0)


def test_a_learner_that_bootstraps_at_a_truncation_sees_the_same_return_less_the_first_potential() -> None:
    """With V' = V - Phi at the cut, the shaped return is the plain one less Phi(s0): the cut costs nothing."""
    env = PotentialShaping(proofgym.make("MazeSteps", level=0.0, max_turns=3), gamma=GAMMA)
    _, info = env.reset(seed=1)
    first, plain, shaped = info["potential"], 0.0, 0.0
    for turn in range(3):
        _, reward, _, truncated, info = env.step(env.unwrapped.oracle())  # type: ignore[attr-defined]
        plain += GAMMA**turn * (reward - info["reward_terms"]["shaping"])
        shaped += GAMMA**turn * reward
    assert truncated
    value = 0.7  # whatever the learner thinks
    assert shaped + GAMMA**3 * (value - info["potential"]) == pytest.approx(plain + GAMMA**3 * value - first)


@given(st.lists(st.floats(-5, 5), min_size=5, max_size=5))
@settings(max_examples=10)
def test_potentials_that_change_over_time_telescope_too(drawn: list[float]) -> None:
    told = iter(drawn)
    env = PotentialShaping(made("Sudoku4Steps"), gamma=0.8, potential=lambda _: next(told))
    _, info = env.reset(seed=2)
    added = 0.0
    for turn in range(4):
        _, _, _, _, info = env.step("nonsense")
        added += 0.8**turn * info["reward_terms"]["shaping"]
    assert added == pytest.approx(0.8**4 * drawn[4] - drawn[0])


def test_what_cannot_be_a_potential_is_refused() -> None:
    with pytest.raises(BadInput, match="gives no info"):
        PotentialShaping(proofgym.make("RunningTotal")).reset(seed=0)
    for gamma in (0.0, 1.5):
        with pytest.raises(BadInput, match="gamma"):
            PotentialShaping(made("MazeSteps"), gamma=gamma)
    with pytest.raises(BadInput, match="at_truncation"):
        PotentialShaping(made("MazeSteps"), at_truncation="sometimes")  # type: ignore[arg-type]
    broken: list[Callable[[Any], float]] = [lambda _: float("nan"), lambda _: 1 / 0]
    for potential in broken:
        with pytest.raises(Unjudged, match="potential"):
            PotentialShaping(made("MazeSteps"), potential=potential).reset(seed=0)


# The best policy ------------------------------------------------------------------------------------------------------


def key(env: gymnasium.Env[Any, Any]) -> str:
    return canonical_json(env.unwrapped.state()["inner"]["position"])  # type: ignore[attr-defined]


def moves(info: dict[str, Any]) -> list[str]:
    return [action for action in info["admissible"] if action != "undo"]


def noise(env: gymnasium.Env[Any, Any]) -> float:
    """A potential that knows nothing: a number made of the state's name."""
    return zlib.crc32(key(env).encode()) / 2**30 - 2.0


def solved(name: str, wrap: Callable[[gymnasium.Env[Any, Any]], gymnasium.Env[Any, Any]]) -> exact.World:
    env = wrap(ComposedReward(proofgym.make(name, level=0.0, max_turns=10**6), "correctness"))
    _, info = env.reset(seed=1)
    return exact.explore(env, info, key, actions=moves)


@pytest.mark.parametrize("name", SOLVED)
def test_the_best_actions_are_the_same_with_and_without_shaping(name: str) -> None:
    plain = solved(name, lambda env: env)
    assert plain.solved_SA.any()
    q = exact.optimal_values(plain, GAMMA)
    rng = np.random.default_rng(0)
    policy = rng.random(plain.mask_SA.shape) * plain.mask_SA
    policy /= policy.sum(axis=1, keepdims=True)
    for potential in (None, noise):
        shaped = solved(name, functools.partial(PotentialShaping, gamma=GAMMA, potential=potential))
        assert shaped.keys == plain.keys
        assert not np.allclose(shaped.reward_SA, plain.reward_SA)
        assert exact.best_actions(exact.optimal_values(shaped, GAMMA)) == exact.best_actions(q)
        # Theorem 1's stronger form: every policy's value moves by the potential, and by nothing else.
        phi_S = plain.potential_S if potential is None else _noise_of(name, plain)
        before, after = (exact.policy_values(world, policy, GAMMA) for world in (plain, shaped))
        assert after == pytest.approx(before - phi_S)


def _noise_of(name: str, world: exact.World) -> Any:
    return np.array([zlib.crc32(key_.encode()) / 2**30 - 2.0 for key_ in world.keys])


@pytest.mark.parametrize("name", SOLVED)
def test_a_bonus_for_coming_nearer_that_is_never_taken_back_changes_the_best_actions(name: str) -> None:
    plain = solved(name, lambda env: env)
    after = np.where(plain.following_SA >= 0, plain.potential_S[plain.following_SA], 1.0)
    bonus = np.maximum(0.0, after - plain.potential_S[:, None])
    q = exact.optimal_values(plain, GAMMA, plain.reward_SA + 50.0 * bonus * plain.mask_SA)
    best = exact.best_actions(q)
    assert best != exact.best_actions(exact.optimal_values(plain, GAMMA))
    # and it is played for ever where the way back is open: the best policy never reaches the goal
    state = 0
    for _ in range(1000):
        action = min(best[state])
        state = int(plain.following_SA[state, action])
        if state < 0:
            break
    assert (state >= 0) or name not in ("MazeSteps", "HanoiSteps")


def test_the_wrong_discount_changes_the_best_actions_somewhere() -> None:
    plain = solved("HanoiSteps", lambda env: env)
    shaped = solved("HanoiSteps", lambda env: PotentialShaping(env, 0.5, noise))
    same = [
        a == b
        for a, b in zip(
            exact.best_actions(exact.optimal_values(plain, GAMMA)),
            exact.best_actions(exact.optimal_values(shaped, GAMMA)),
            strict=True,
        )
    ]
    assert not all(same)


# The solver itself ----------------------------------------------------------------------------------------------------


def test_exact_values_are_those_of_a_walk_worked_by_hand() -> None:
    """Three states in a row; right from the last one pays 1 and ends. Half the time the policy goes left."""
    world = exact.World(
        ["a", "b", "c"], [["l", "r"]] * 3, np.ones((3, 2), dtype=np.bool_),
        np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 1.0]]), np.array([[0, 1], [0, 2], [1, -1]]),
        np.array([[False, False], [False, False], [False, True]]), np.zeros(3),
    )  # fmt: skip
    assert exact.optimal_values(world, 0.5).max(axis=1).tolist() == pytest.approx([0.25, 0.5, 1.0])
    half = np.full((3, 2), 0.5)
    table = exact.values_by_turns_left(world, half, 3)
    assert table[1].tolist() == [0.0, 0.0, 0.5]
    assert table[3].tolist() == [0.125, 0.25, 0.625]
    assert exact.policy_values(world, half, 1.0).tolist() == pytest.approx([1.0, 1.0, 1.0])
    walks = list(itertools.product("lr", repeat=3))
    assert sum(walk == ("r", "r", "r") for walk in walks) / len(walks) == table[3][0]


def test_a_world_too_large_or_cut_off_is_refused() -> None:
    env = proofgym.make("MazeSteps", level=0.0, max_turns=10**6)
    _, info = env.reset(seed=1)
    with pytest.raises(BadInput, match="more than 5 states"):
        exact.explore(env, info, key, actions=moves, limit=5)
    env = proofgym.make("MazeSteps", level=0.0, max_turns=2)
    _, info = env.reset(seed=1)
    with pytest.raises(BadInput, match="truncated"):
        exact.explore(env, info, key, actions=moves)
    with pytest.raises(BadInput, match="lists no actions"):
        exact.explore(env, info, key, actions=lambda _: [])
