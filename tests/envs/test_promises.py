"""What every environment of the registry promises, tested in one loop over it.

The claims about one environment share its instance and its items: an item is drawn once, and put back by `restore`,
which is exact (a claim of its own here). `proofgym audit` makes the same claims with more items and better statistics;
`make test-all` runs it on all environments.
"""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import proofgym
from proofgym.envs.base import VerifiableEnv
from proofgym.envs.registry import ENTRIES
from proofgym.envs.task import split_of
from proofgym.errors import BadInput, EpisodeOver

IDS = [entry.id for entry in ENTRIES if not entry.needs]
# Where every answer runs in a sandbox, or hundreds of families and worlds share a few classes that are tested closely
# in files of their own, this loop asks a sixteenth as often; with PROOFGYM_THOROUGH=1 in the environment it does not.
FAMILIES = {entry.id for entry in ENTRIES if entry.target.startswith("proofgym.envs.puzzles.environments:")}
FEW = FAMILIES | {entry.id for entry in ENTRIES if entry.domain in ("code", "proof", "worlds")}
MOVES = {entry.id for entry in ENTRIES if entry.max_turns > 1 and entry.domain in ("puzzles", "worlds")}
Play = Callable[..., float]
SEED = 5

JUNK = [
    "", " ", "\n\n", "\x00", "nan", "inf", "-inf", "1e400", "0", "1", "-1", "[]", "{}", "foo", "Yes", "A", "None",
    "true", "(" * 4000, ")" * 4000, "{" * 4000, "9" * 5000, "9**9**9", "__import__('os').abort()",
    "<answer></answer>", "####", "Answer:", "\\boxed{", "٤٢", "𝟜𝟚", "½", "\ud800", "🙂" * 100, "#### 1\n#### 2",
    "a = b = c", "1 2 3 4 5", "row 9 column 9 = 9", "clear", "\r\n\r\n", "=" * 3000, "\t1\t", "1/0", "0/0", "0" * 8000,
    "#" * 8000,
]  # fmt: skip


class Desk:
    """One environment with the items that were drawn for it, and twins of it in other splits and at other levels."""

    def __init__(self, env_id: str, kwargs: dict[str, Any]) -> None:
        self.id, self.kwargs = env_id, kwargs
        self.few = env_id in FEW and not os.environ.get("PROOFGYM_THOROUGH")
        self.world = any(entry.domain == "worlds" for entry in ENTRIES if entry.id == env_id)
        self._made: dict[tuple[Any, ...], VerifiableEnv] = {}
        self._drawn: dict[tuple[Any, ...], tuple[dict[str, Any], str, dict[str, Any]]] = {}

    def some(self, count: int) -> int:
        """How often to ask, two times at least."""
        return max(2, count // 16) if self.few else count

    def new(self, **kwargs: Any) -> VerifiableEnv:
        """An environment that nobody has used."""
        env = proofgym.make(self.id, **{**self.kwargs, **kwargs})
        inner = env.unwrapped
        assert isinstance(inner, VerifiableEnv)
        self._made[len(self._made), "new"] = inner
        return inner

    def env(self, **kwargs: Any) -> VerifiableEnv:
        """The environment with these arguments that all claims use."""
        key = tuple(sorted(kwargs.items()))
        if key not in self._made:
            self._made[key] = self.new(**kwargs)
        return self._made[key]

    def ask(self, index: int, seed: int = SEED, **kwargs: Any) -> tuple[VerifiableEnv, str, dict[str, Any]]:
        """The environment with an item asked; drawn the first time, put back later."""
        env, key = self.env(**kwargs), (index, seed, *sorted(kwargs.items()))
        if key in self._drawn:
            env.restore(self._drawn[key][0])
        else:
            observation, info = env.reset(seed=seed, options={"index": index})
            self._drawn[key] = env.state(), observation, info
        return env, *self._drawn[key][1:]

    def close(self) -> None:
        for env in self._made.values():
            env.close()


@pytest.fixture(scope="module", params=IDS)
def desk(
    request: pytest.FixtureRequest, why_not: Callable[[str], str], env_kwargs: Callable[[str], dict[str, Any]]
) -> Iterator[Desk]:
    if reason := why_not(request.param):
        pytest.skip(f"{request.param}: {reason}")
    made = Desk(request.param, env_kwargs(request.param))
    yield made
    made.close()


def some(env_id: str, count: int) -> int:
    """How often to ask, two times at least."""
    return max(2, count // 16) if env_id in FEW and not os.environ.get("PROOFGYM_THOROUGH") else count


def test_gymnasium_accepts_it(desk: Desk) -> None:
    check_env(desk.new(render_mode="ansi"))


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_the_oracle_earns_exactly_one_within_the_spaces(desk: Desk, level: float) -> None:
    kwargs = {} if level == 0.5 else {"level": level}
    for index in range((3 if level == 0.5 else 1) if desk.few else 50 if level == 0.5 else 20):
        env, observation, info = desk.ask(index, **kwargs)
        assert 0.0 <= info["task"]["difficulty"] <= 1.0
        rewards: list[float] = []
        terminated = truncated = False
        while not (terminated or truncated):
            action = env.oracle()
            assert env.observation_space.contains(observation)
            assert env.action_space.contains(action)
            observation, reward, terminated, truncated, info = env.step(action)
            rewards.append(reward)
        assert math.fsum(rewards) == pytest.approx(1.0, abs=1e-12), (index, observation)
        assert info["verdict"].correct
        assert info["verdict"].score == 1.0


def test_blind_policies_earn_at_most_the_floor(desk: Desk) -> None:
    rng = np.random.default_rng(1)
    letters = "0123456789 +-*/()=#.\n abc"

    def noise(*_: Any) -> str:
        return "".join(letters[i] for i in rng.integers(len(letters), size=30))

    def legal(_: str, info: dict[str, Any]) -> str:
        moves = info.get("admissible") or [""]
        return str(moves[int(rng.integers(len(moves)))])

    constants = ("", "0", "1", "5", "#### 0", "#### 10", "0" * 10, "row 1 column 1 = 1")
    policies: list[Callable[..., str]] = [
        *(lambda *_, text=text: text for text in constants),
        noise,
        legal,
        lambda observation, _: observation,
        lambda observation, _: observation.splitlines()[0] if observation else "",
    ]  # fmt: skip
    earned: list[list[float]] = [[] for _ in policies]
    for index in range((5 if desk.world else 2) if desk.few else 60):
        for number, (rewards, policy) in enumerate(zip(earned, policies, strict=True)):
            rewards.append(
                played(*desk.ask(index), policy, most=20 if desk.few else 1000, same=number < len(constants))
            )
    for number, rewards in enumerate(earned):
        tolerance = 3 * max(float(np.std(rewards)), 0.11) / math.sqrt(len(rewards))
        assert np.mean(rewards) <= desk.env().floor + tolerance, number


def played(
    env: VerifiableEnv, observation: str, info: dict[str, Any], policy: Callable[..., str], most: int, same: bool
) -> float:
    """What a policy earns; one that says the same is not heard again where that changed nothing."""
    reward, over, turns, before = 0.0, False, 0, None
    while not over and turns < most:
        observation, gained, terminated, truncated, info = env.step(policy(observation, info))
        reward, over, turns = reward + gained, terminated or truncated, turns + 1
        after = env.save() if same and not over else None
        if same and gained <= 0.0 and after == before:
            break
        before = after
    return reward


def test_cheats_earn_nothing(desk: Desk) -> None:
    for index in range(desk.some(10)):
        for cheat in desk.ask(index)[0].cheats():
            env, _, _ = desk.ask(index)
            _, reward, _, _, info = env.step(cheat)
            assert reward <= 0.0, cheat
            assert "verdict" not in info or not info["verdict"].correct


def test_the_same_seed_repeats_and_plain_resets_walk_through_its_items(desk: Desk) -> None:
    one, other, count = desk.env(), desk.new(), 3 if desk.few else 5
    walked = [one.reset(seed=SEED), *(one.reset() for _ in range(count - 1))]
    for index in (count - 1, *range(count - 1)):  # in another order, by another instance
        observation, info = other.reset(seed=SEED, options={"index": index})
        assert (observation, info["task"]) == (walked[index][0], walked[index][1]["task"])


def test_neighbouring_seeds_share_nothing(desk: Desk) -> None:
    count = 2 if desk.few else 4
    rows = {seed: [desk.ask(i, seed=seed)[1] for i in range(count)] for seed in range(SEED, SEED + 3)}
    assert len({tuple(row) for row in rows.values()}) == 3
    for seed in range(SEED, SEED + 2):
        assert rows[seed][1:] != rows[seed + 1][:-1], "item i of seed s must not be item i - 1 of seed s + 1"


_ITEMS = """
import json, sys, proofgym
arguments = json.loads(sys.argv[1])
items = {}
for env_id, kwargs, count in arguments["envs"]:
    env = proofgym.make(env_id, **kwargs).unwrapped
    for i in range(count) if arguments["forward"] else reversed(range(count)):
        text, info = env.reset(seed=21, options={"index": i})
        items[f"{env_id} {i}"] = [text, info, env.oracle(), env.state()["instance"]]
print(json.dumps(items, sort_keys=True))
"""


def test_items_are_equal_bytes_across_processes_hash_seeds_and_orders(
    env_kwargs: Callable[[str], dict[str, Any]], why_not: Callable[[str], str]
) -> None:
    outputs = []
    counts = {env_id: some(env_id, 12) for env_id in IDS if not why_not(env_id)}
    for hash_seed, forward in (("0", True), ("4711", False)):
        arguments = json.dumps({"forward": forward, "envs": [(i, env_kwargs(i), counts[i]) for i in counts]})
        run = subprocess.run(
            [sys.executable, "-c", _ITEMS, arguments],
            env={**os.environ, "PYTHONHASHSEED": hash_seed}, capture_output=True, check=True, timeout=240,
        )  # fmt: skip
        outputs.append(run.stdout)
    assert outputs[0] == outputs[1]
    assert len(json.loads(outputs[0])) == sum(counts.values())


def test_splits_never_meet(desk: Desk) -> None:
    """That the fingerprint decides the split is what keeps splits apart, however few or many tasks are asked."""
    for split in ("train", "validation", "test"):
        # Nine draws in ten are of no use to a held-out split, so where draws are dear one of its tasks is asked.
        count = 16 if not desk.few else 3 if split == "train" else 1
        for seed in (SEED, SEED + 1)[: 2 if count > 1 else 1]:
            for index in range(count):
                _, _, info = desk.ask(index, seed, **({} if split == "train" else {"split": split}))
                assert info["task"]["split"] == split
                assert split_of(info["task"]["fingerprint"]) == split


def test_a_fork_is_equal_and_independent(desk: Desk) -> None:
    rng = np.random.default_rng(2)
    for index in range(desk.some(5)):
        env, _, info = desk.ask(index)
        for _ in range(3 if env.max_turns > 1 and "admissible" in info else 0):
            _, _, terminated, truncated, info = env.step(str(rng.choice(info["admissible"])))
            if terminated or truncated:
                desk.ask(index)
                break
        fork = env.fork()
        assert fork.state() == env.state()
        assert type(fork) is type(env)
        before = json.dumps(env.state())
        ahead = [fork.step(fork.oracle())]
        while not (ahead[-1][2] or ahead[-1][3]):
            ahead.append(fork.step(fork.oracle()))
        assert json.dumps(env.state()) == before, "playing the fork moved the original"
        for expected in ahead:
            assert env.step(env.oracle()) == expected
        assert fork.reset()[0] == env.reset()[0], "the next item is the same on both sides"


_RESTORE = """
import json, sys, proofgym
data = json.loads(sys.stdin.read())
out = []
for env_id, kwargs, state in data:
    env = proofgym.make(env_id, **kwargs).unwrapped
    env.restore(state)
    assert env.state() == state
    result = env.step(env.oracle())
    out.append([result[0], result[1], result[2], env.reset()[0]])
print(json.dumps(out))
"""


def test_a_state_is_json_and_restores_in_a_new_process(
    env_kwargs: Callable[[str], dict[str, Any]], make_env: Callable[..., VerifiableEnv], why_not: Callable[[str], str]
) -> None:
    sent, expected = [], []
    for env_id in [env_id for env_id in IDS if not why_not(env_id)]:
        env = make_env(env_id)
        env.reset(seed=13, options={"index": 2})
        if env.max_turns > 1 and env.step(env.oracle())[2]:
            env.reset(seed=13, options={"index": 2})  # its first step was the last one
        sent.append((env_id, env_kwargs(env_id), env.state()))
        result = env.step(env.oracle())
        expected.append([result[0], result[1], result[2], env.reset()[0]])
    run = subprocess.run(
        [sys.executable, "-c", _RESTORE],
        input=json.dumps(sent),
        text=True,
        capture_output=True,
        check=True,
        timeout=240,
    )
    assert json.loads(run.stdout) == expected


def test_junk_never_raises_and_earns_next_to_nothing(desk: Desk) -> None:
    rewards = []
    env, _, _ = desk.ask(0)
    for junk in JUNK:
        observation, reward, terminated, truncated, info = env.step(junk)
        rewards.append(reward)
        assert env.observation_space.contains(observation)
        assert math.fsum(c.value for c in info["credits"]) == reward
        if terminated or truncated:
            desk.ask(0)
    assert np.mean(rewards) <= 0.02


def test_the_reward_is_the_sum_of_credits_and_of_terms(desk: Desk) -> None:
    for index in range(desk.some(10)):
        oracle = desk.ask(index)[0].oracle()
        for action in (
            oracle,
            oracle[:-1],
            oracle + "\nso it is",
            oracle[::-1],
            "thinking ...\n" + oracle,
            f"  {oracle}  ",
        ):
            env, _, _ = desk.ask(index)
            _, reward, _, _, info = env.step(action)
            assert reward == math.fsum(info["reward_terms"].values())
            assert reward == pytest.approx(math.fsum(c.value for c in info["credits"]), abs=1e-12)
            for credit in info["credits"]:
                assert 0 <= credit.start <= credit.end <= len(action)
                assert action[credit.start : credit.end].strip(), "a credit lies on text"
            if "verdict" in info and env.max_turns == 1:
                assert reward == pytest.approx(info["verdict"].score, abs=1e-12)


def test_the_answer_is_not_shown(desk: Desk) -> None:
    if desk.id in MOVES:
        pytest.skip("a single move is no answer: the rules name moves")
    for index in range(desk.some(50)):
        env, observation, info = desk.ask(index)
        shown = observation + json.dumps({key: value for key, value in info.items() if key != "admissible"})
        assert not re.search(rf"(?<!\w){re.escape(env.oracle())}(?!\w)", shown), "as more than a part of another word"
        assert "instance" not in info["task"]
        assert repr(env.task).count(env.oracle()) == 0, "a logged task gives its answer away"


def test_an_answer_too_long_is_refused_without_a_fault(desk: Desk) -> None:
    env, _, _ = desk.ask(0)
    observation, reward, terminated, _, info = env.step("1" * (env.action_limit + 1))
    assert reward == 0.0
    assert info["credits"] == []
    assert terminated == (env.max_turns == 1)
    assert "too long" in observation


def test_a_foreign_instance_is_asked_or_refused_with_a_reason(desk: Desk) -> None:
    env = desk.env(split="test")
    other, question, _ = desk.ask(0)
    instance = json.loads(json.dumps(other.state()["instance"]))
    asked, info = env.reset(options={"instance": instance})
    assert asked == question
    assert info["task"]["split"] == "train", "a given instance is asked whatever the split"
    keys = list(instance)
    wrong: list[Any] = [{}, [], "text", 7, {"x": 1}]
    values: list[Any] = [{}, [None], -1.5, True]
    other_than = [
        (key, value) for key in keys for value in values if [type(instance[key]), instance[key]] != [type(value), value]
    ]
    wrong += [{**instance, key: value} for key, value in other_than]
    for bad in wrong:
        with pytest.raises(BadInput):
            env.reset(options={"instance": bad})


def test_misuse_is_told_in_words(desk: Desk) -> None:
    env = desk.new()
    with pytest.raises(EpisodeOver, match="reset"):
        env.step("1")
    with pytest.raises(BadInput, match="colour"):
        env.reset(options={"colour": 1})
    with pytest.raises(BadInput, match="counted from 0"):
        env.reset(options={"index": -1})
    state = desk.ask(0)[0].state()
    env.restore(state)
    with pytest.raises(TypeError, match="text"):
        env.step(7)  # type: ignore[arg-type]
    for bad, said in (({"level": 2.0}, "level"), ({"split": "exam"}, "split"), ({"max_turns": 0}, "turn")):
        with pytest.raises(BadInput, match=said):
            type(env)(**{**desk.kwargs, **bad})
    with pytest.raises(BadInput, match="family"):
        env.restore({**state, "family": "another"})


def test_its_documentation_says_what_is_seen_done_and_when_it_ends(desk: Desk) -> None:
    text = type(desk.env()).__doc__ or ""
    for word in ("Observation:", "Action:", "Episode:"):
        assert word in text
