"""Values measured from forks agree with exact ones; budgets, caches, faults and texts behave."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import proofgym
from proofgym.envs.base import TurnResult, VerifiableEnv
from proofgym.envs.rewards import Adaptive, Branching, Budget, ComposedReward, Fixed, credits_of, each, exact
from proofgym.envs.rewards.branching import Ask
from proofgym.envs.rewards.intervals import empirical_bernstein, wilson
from proofgym.envs.rewards.places import Path, Place, history_key, place_key, text_path, turn_path
from proofgym.envs.rewards.steps import cut
from proofgym.envs.task import canonical_json
from proofgym.errors import BadInput, NotForkable, Unjudged
from proofgym.verifiers import Verdict

TURNS = 6


def wander(observation: str, info: dict[str, Any], rng: np.random.Generator) -> str:
    """Any admissible move, each as likely."""
    listed = [action for action in info["admissible"] if action != "undo"]
    return listed[int(rng.integers(len(listed)))]


def slide(turns: int = TURNS, seed: int = 1) -> tuple[gymnasium.Env[str, str], str, dict[str, Any]]:
    env = ComposedReward(proofgym.make("IceSlidingSteps", level=0.0, max_turns=turns), "correctness")
    return env, *env.reset(seed=seed)


def oracle_actions(env: gymnasium.Env[str, str], turns: int) -> list[str]:
    from proofgym.envs.base import fork

    other, actions = fork(env), []
    for _ in range(turns):
        actions.append(other.unwrapped.oracle())  # type: ignore[attr-defined]
        _, _, terminated, truncated, _ = other.step(actions[-1])
        if terminated or truncated:
            break
    return actions


def exact_values(seed: int = 1) -> tuple[exact.World, Any]:
    env, _, info = slide(10**6, seed)
    name = lambda e: canonical_json(e.unwrapped.state()["inner"]["position"])  # noqa: E731
    world = exact.explore(env, info, name, actions=lambda i: [a for a in i["admissible"] if a != "undo"])
    policy = world.mask_SA / world.mask_SA.sum(axis=1, keepdims=True)
    return world, exact.values_by_turns_left(world, policy, TURNS, world.solved_SA.astype(np.float64))


# Values ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("measure", ["return", "solved"])
def test_measured_values_are_the_exact_ones_up_to_their_spread(measure: Any) -> None:
    world, values = exact_values()
    env, observation, info = slide()
    actions = oracle_actions(env, 10)
    path = turn_path(env, observation, info, actions, measure=measure)
    n = 200
    (steps,) = Branching(each(wander), measure=measure, plan=Fixed(n)).measure([path])
    state = 0
    for turn, (step, action) in enumerate(zip(steps, actions, strict=True)):
        expected = values[TURNS - turn, state]
        spread = math.sqrt(expected * (1 - expected) / n)
        assert step.before.n == n
        assert abs(step.before.mean - expected) < 4 * spread + 1e-9
        state = int(world.following_SA[state, world.actions[state].index(action)])
    assert state == -1
    assert steps[-1].after.exact
    total = sum(step.advantage for step in steps)
    assert total == pytest.approx(
        1.0 - steps[0].before.mean
    )  # advantages telescope to the outcome less the first value
    if measure == "solved":
        assert all(step.before.low <= step.before.mean <= step.before.high for step in steps)


def test_a_return_counts_what_steps_pay_and_discounts_what_comes_later() -> None:
    env = proofgym.make("IceSlidingSteps", level=0.0, max_turns=TURNS)
    observation, info = env.reset(seed=1)
    actions = oracle_actions(env, 10)
    best = lambda asks: [oracle_of(path, ask) for ask in asks]  # noqa: E731
    path = turn_path(env, observation, info, actions)

    def oracle_of(path: Path, ask: Ask) -> str:
        return actions[len(ask.history)]

    gamma = 0.5
    (steps,) = Branching(best, gamma=gamma, plan=Fixed(1)).measure([path])
    for step in steps:  # the policy would have done the same: no step is better or worse than it
        assert step.advantage == pytest.approx(0.0)
    rewards = [step.reward for step in steps]
    assert steps[0].before.mean == pytest.approx(sum(gamma**k * r for k, r in enumerate(rewards)))


def test_values_do_not_depend_on_how_many_finishes_run_at_once() -> None:
    env, observation, info = slide()
    path = turn_path(env, observation, info, oracle_actions(env, 10), measure="solved")
    found = [
        Branching(each(wander), measure="solved", plan=Fixed(20), seed=3, side_by_side=width).measure([path])
        for width in (1, 7, 1000)
    ]
    assert found[0] == found[1] == found[2]
    assert found[0] != Branching(each(wander), measure="solved", plan=Fixed(20), seed=4).measure([path])


def test_measuring_leaves_the_environment_where_it_was() -> None:
    env, observation, info = slide()
    before = env.state()  # type: ignore[attr-defined]
    path = turn_path(env, observation, info, oracle_actions(env, 10), measure="solved")
    Branching(each(wander), measure="solved", plan=Fixed(3)).measure([path])
    assert env.state() == before  # type: ignore[attr-defined]


def test_common_random_numbers_give_equal_places_equal_finishes() -> None:
    env = Shaky()
    observation, info = env.reset(seed=0)
    here = turn_path(env, observation, info, [], measure="solved", key=None).places[0]
    path = Path((here, here), ((0, 0, 0),), (0.0,))
    policy = each(lambda _, __, rng: "yes" if rng.random() < 0.5 else "no")
    (common,) = Branching(policy, measure="solved", plan=Fixed(51), common=True).measure([path])
    (own,) = Branching(policy, measure="solved", plan=Fixed(51)).measure([path])
    assert common[0].advantage == 0.0
    assert own[0].advantage != 0.0
    assert 0.0 < common[0].before.mean < 1.0


def any_move(observation: str, info: dict[str, Any], rng: np.random.Generator) -> str:
    listed = info.get("admissible") or ["nothing"]
    return str(listed[int(rng.integers(len(listed)))])


def _measured(env_id: str) -> None:
    env = proofgym.make(env_id, max_turns=4)
    observation, info = env.reset(seed=1)
    actions = oracle_actions(env, 4)
    for measure in ("return", "solved"):
        path = turn_path(env, observation, info, actions, measure=measure)
        (steps,) = Branching(each(any_move), measure=measure, plan=Fixed(2)).measure([path])
        value = sum(step.reward for step in steps) + steps[-1].after.mean - steps[0].before.mean
        assert sum(step.advantage for step in steps) == pytest.approx(value, abs=1e-9)
        assert [len(turn) for turn in credits_of(steps)] == [1] * len(actions)


@pytest.mark.parametrize("env_id", ["Household", "ToyProof", "MathTutor", "WebShop", "Mastermind"])
def test_environments_of_every_kind_are_measured(env_id: str) -> None:
    _measured(env_id)


@pytest.mark.slow
@pytest.mark.parametrize("env_id", [e.id for e in proofgym.list_envs() if e.max_turns > 1 and not e.needs])
def test_every_environment_of_several_turns_is_measured(env_id: str, why_not: Any) -> None:
    if reason := why_not(env_id):
        pytest.skip(reason)
    _measured(env_id)


# Caching and cost -----------------------------------------------------------------------------------------------------


def test_equal_places_share_their_finishes_across_paths_and_calls() -> None:
    env, observation, info = slide()
    actions = oracle_actions(env, 10)
    paths = [turn_path(env, observation, info, actions, measure="solved") for _ in range(3)]
    apart = [turn_path(env, observation, info, actions, measure="solved", key=None) for _ in range(3)]
    shared = Branching(each(wander), measure="solved", plan=Fixed(10))
    first = shared.measure(paths)
    assert first[0] == first[1] == first[2]
    assert shared.spent.finishes == 10 * len(actions)
    assert shared.measure(paths) == first
    assert shared.spent.finishes == 10 * len(actions)
    shared.forget()
    shared.measure(paths[:1])
    assert shared.spent.finishes == 20 * len(actions)
    alone = Branching(each(wander), measure="solved", plan=Fixed(10))
    alone.measure(apart)
    assert alone.spent.finishes == 30 * len(actions)


def test_places_are_equal_by_state_and_reading_and_not_by_item() -> None:
    env, observation, info = slide()
    other, told, _ = slide()
    assert place_key(env, observation) == place_key(other, told)
    assert place_key(env, observation) != place_key(env, observation, "prefix")
    assert history_key(env, observation) != history_key(env, observation, "", (("a", "b"),))
    move = wander(observation, info, np.random.default_rng(0))
    env.step(move)
    assert place_key(env, observation) != place_key(other, told)
    with pytest.raises(BadInput, match="no state"):
        place_key(gymnasium.Env(), "")


@pytest.mark.parametrize("plan", [Fixed(50), Adaptive(least=16, most=64, width=0.01, sign=False)])
def test_a_budget_is_kept_and_shared_fairly(plan: Any) -> None:
    env, observation, info = slide()
    path = turn_path(env, observation, info, oracle_actions(env, 10), measure="solved")
    branching = Branching(each(wander), measure="solved", plan=plan, budget=Budget(turns=150), side_by_side=8)
    (steps,) = branching.measure([path])
    assert 100 <= branching.spent.turns < 150 + TURNS
    counts = [step.before.n for step in steps]
    assert max(counts) - min(counts) <= 1
    assert min(counts) >= 1
    written = Branching(each(wander), measure="solved", plan=plan, budget=Budget(cost=300), side_by_side=8)
    written.measure([path])
    assert 200 <= written.spent.cost < 300 + 8 * 5 * TURNS


@pytest.mark.parametrize("sign", [True, False])
def test_adaptive_measuring_stops_where_a_step_is_settled(sign: bool) -> None:
    env, observation, info, text = totals(mistake=5)
    path = text_path(env, observation, info, text, by="character", measure="solved")
    plan = Adaptive(least=4, most=128, width=0.2, sign=sign)
    adaptive = Branching(digits(0.1), measure="solved", plan=plan)
    (steps,) = adaptive.measure([path])
    assert all(step.settled for step in steps)
    for step in steps:
        assert (step.high - step.low) / 2 <= 0.2 or (sign and (step.low > 0 or step.high < 0))
    assert steps[7].before.n < steps[2].before.n  # behind the mistake all finishes are alike, and few are enough
    fixed = Branching(digits(0.1), measure="solved", plan=Fixed(128))
    fixed.measure([path])
    assert adaptive.spent.turns < 0.8 * fixed.spent.turns


# Faults ---------------------------------------------------------------------------------------------------------------


class Shaky(VerifiableEnv):
    """Right on `yes`; half of its judgements fail."""

    family = "shaky"
    floor = 0.0
    default_max_turns = 2

    def generate(self, rng: np.random.Generator) -> dict[str, Any]:
        return {"n": int(rng.integers(1000))}

    def begin(self, instance: Any) -> str:
        return "?"

    def turn(self, action: str) -> TurnResult:
        if "fault" in action:
            raise Unjudged("gone")
        right = action.endswith("yes")
        return TurnResult("", (), Verdict.right() if right else Verdict.wrong("no"), terminated=True)

    def save(self) -> dict[str, Any]:
        return {}

    def load(self, data: Any) -> None:
        pass

    def oracle(self) -> str:
        return "yes"


def test_finishes_that_cannot_be_judged_are_dropped_and_counted() -> None:
    env = Shaky()
    observation, info = env.reset(seed=0)
    path = text_path(env, observation, info, "a\nb yes", measure="solved")
    policy = each(lambda _, __, rng: ["yes", "no", "fault", "fault"][int(rng.integers(4))])
    branching = Branching(policy, measure="solved", plan=Fixed(200))
    (steps,) = branching.measure([path])
    estimate = steps[0].before
    assert estimate.n + estimate.unjudged == 200
    assert 0.3 < estimate.mean < 0.7
    assert branching.spent.unjudged == sum(steps[k].before.unjudged for k in range(2))


def test_a_step_that_nobody_could_judge_has_no_credit() -> None:
    env = Shaky()
    observation, info = env.reset(seed=0)
    path = text_path(env, observation, info, "a\nyes", measure="solved")
    branching = Branching(each(lambda *_: "fault"), measure="solved", plan=Adaptive(least=2, most=4))
    (steps,) = branching.measure([path])
    assert not any(step.judged or step.settled for step in steps)
    assert credits_of(steps) == [[]]
    with pytest.raises(Unjudged, match="no finish"):
        branching.first_error(text_path(env, observation, info, "a\nno", measure="solved"))
    with pytest.raises(Unjudged, match="gone"):
        text_path(env, observation, info, "fault", measure="solved")


def test_mistaken_requests_are_refused() -> None:
    env = Shaky()
    observation, info = env.reset(seed=0)
    with pytest.raises(BadInput, match="over after 1 actions"):
        turn_path(env, observation, info, ["yes", "yes"])
    with pytest.raises(NotForkable):
        turn_path(gymnasium.Env(), "", {}, [])
    with pytest.raises(BadInput, match="laid out for 'return'"):
        Branching(each(wander), measure="solved").measure([turn_path(env, observation, info, ["yes"])])
    named = turn_path(env, observation, info, ["yes"], key=lambda *_: "here")
    with pytest.raises(BadInput, match="hexadecimal"):
        Branching(each(wander)).measure([named])
    with pytest.raises(BadInput, match="answered 0 times"):
        Branching(lambda _: []).measure([turn_path(env, observation, info, ["yes"])])
    for arguments in ({"measure": "luck"}, {"bounds": (1.0, 0.0)}, {"gamma": 0.0}, {"side_by_side": 0}):
        with pytest.raises(BadInput):
            Branching(each(wander), **arguments)  # type: ignore[arg-type]
    for plan in (lambda: Fixed(0), lambda: Adaptive(least=5, most=4), lambda: Adaptive(width=0.0)):
        with pytest.raises(BadInput):
            plan()


# Texts ----------------------------------------------------------------------------------------------------------------


def digits(wrong: float) -> Any:
    """Goes on with running totals, each wrong with a probability of its own."""

    def answer(asks: Sequence[Ask]) -> list[str]:
        found = []
        for ask in asks:
            start, *adds = map(int, ask.observation)
            text = ""
            total = int(ask.prefix[-1]) if ask.prefix else start
            for add in adds[len(ask.prefix) :]:
                total = (total + add + int(ask.rng.random() < wrong)) % 10
                text += str(total)
            found.append(text)
        return found

    return answer


def totals(mistake: int | None, steps: int = 8) -> tuple[Any, str, Any, str]:
    env = proofgym.make("RunningTotal", style="bare", steps=steps)
    observation, info = env.reset(seed=2)
    right = env.unwrapped.oracle()  # type: ignore[attr-defined]
    text = right if mistake is None else right[:mistake] + "".join(str((int(d) + 1) % 10) for d in right[mistake:])
    return env, observation, info, text


def test_the_steps_of_a_text_have_the_values_of_their_prefixes() -> None:
    env, observation, info, text = totals(mistake=5)
    path = text_path(env, observation, info, text, by="character", measure="solved")
    (steps,) = Branching(digits(0.1), measure="solved", plan=Fixed(500)).measure([path])
    for k, step in enumerate(steps):
        expected = 0.9 ** (8 - k) if k <= 5 else 0.0
        assert step.before.mean == pytest.approx(
            expected, abs=4 * math.sqrt(max(expected * (1 - expected), 1e-9) / 500)
        )
        assert (step.start, step.end) == (k, k + 1)
    assert steps[-1].after.exact
    (turn,) = credits_of(steps)
    assert min(turn, key=lambda credit: credit.value).start == 5
    assert sum(credit.value for credit in turn) == pytest.approx(-steps[0].before.mean)


@pytest.mark.parametrize("mistake", [0, 1, 4, 6, 7])
def test_the_first_error_is_found_by_looking_at_few_places(mistake: int) -> None:
    env, observation, info, text = totals(mistake)
    path = text_path(env, observation, info, text, by="character", measure="solved")
    branching = Branching(digits(0.1), measure="solved")
    found = branching.first_error(path, n=32)
    assert found.step == mistake
    assert len(found.looked) <= 2 + math.ceil(math.log2(len(path.spans)))


def test_no_first_error_where_there_is_none_or_nothing_can_be_said() -> None:
    env, observation, info, text = totals(None)
    path = text_path(env, observation, info, text, by="character", measure="solved")
    assert "ends well" in Branching(digits(0.1), measure="solved").first_error(path).reason
    env, observation, info, text = totals(3)
    path = text_path(env, observation, info, text, by="character", measure="solved")
    assert "from the start" in Branching(digits(1.0), measure="solved").first_error(path).reason


@given(st.text(alphabet="ab .!?。\n3", max_size=60), st.sampled_from(["line", "sentence", "character"]))
def test_the_steps_of_a_text_are_the_text(text: str, by: Any) -> None:
    spans = cut(text, by)
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(text[start:end].strip() for start, end in spans) or not text.strip()


def test_steps_end_where_a_function_says() -> None:
    assert cut("abcdef", lambda text: [2, 4]) == [(0, 2), (2, 4), (4, 6)]
    assert cut("", "line") == []
    for ends in ([3, 2], [0], [9], [2, 2]):
        with pytest.raises(BadInput, match="rising places"):
            cut("abcd", lambda _, ends=ends: ends)
    with pytest.raises(BadInput, match="cut by"):
        cut("ab", "word")  # type: ignore[arg-type]


# Intervals ------------------------------------------------------------------------------------------------------------


@given(st.integers(1, 200), st.floats(0.001, 0.5), st.data())
def test_intervals_hold_the_mean_and_shrink(n: int, miss: float, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    low, high = wilson(k, n, miss)
    assert 0.0 <= low <= k / n + 1e-12
    assert k / n - 1e-12 <= high <= 1.0
    wide = wilson(k, n, miss / 2)
    assert wide[0] <= low + 1e-12
    assert high <= wide[1] + 1e-12
    outcomes = [1.0] * k + [0.0] * (n - k)
    low, high = empirical_bernstein(outcomes, miss, 0.0, 1.0)
    assert 0.0 <= low <= k / n <= high <= 1.0


def test_wilson_is_the_textbook_formula() -> None:
    z, n, p = 1.959964, 50, 0.3
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert wilson(15, 50, 0.05) == (pytest.approx(centre - half, abs=1e-6), pytest.approx(centre + half, abs=1e-6))


def test_adaptive_intervals_miss_no_more_often_than_they_say() -> None:
    """One place of value 0.8 before and a known end: the interval of the step over many seeds, all looks counted."""
    env = Shaky()
    observation, info = env.reset(seed=0)
    place = turn_path(env, observation, info, [], measure="solved", key=None).places[0]
    path = Path((place, Place(None, worth=0.0)), ((0, 0, 0),), (0.0,))
    policy = each(lambda _, __, rng: "yes" if rng.random() < 0.8 else "no")
    plan = Adaptive(least=4, most=64, width=0.15, confidence=0.8, sign=False)
    missed = 0
    for seed in range(150):
        ((step,),) = Branching(policy, measure="solved", plan=plan, seed=seed).measure([path])
        missed += not step.low <= -0.8 <= step.high
    assert missed / 150 <= 0.2
