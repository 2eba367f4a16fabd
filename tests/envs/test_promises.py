"""What every environment of the registry promises, tested in one loop over it."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from proofgym.envs.base import VerifiableEnv
from proofgym.envs.registry import ENTRIES
from proofgym.envs.task import split_of
from proofgym.errors import BadInput, EpisodeOver

IDS = [entry.id for entry in ENTRIES if not entry.needs]
# Where every answer runs in a sandbox, or hundreds of families and worlds share a few classes that are tested closely
# in files of their own, this loop asks a sixteenth as often; with PROOFGYM_THOROUGH=1 in the environment it does not.
FAMILIES = {entry.id for entry in ENTRIES if entry.target.startswith("proofgym.envs.puzzles.environments:")}
FEW = FAMILIES | {entry.id for entry in ENTRIES if entry.domain in ("code", "proof", "worlds")}
MOVES = {entry.id for entry in ENTRIES if entry.max_turns > 1 and (entry.id in FAMILIES or entry.domain == "worlds")}
MakeEnv = Callable[..., VerifiableEnv]
Play = Callable[..., float]

each_env = pytest.mark.parametrize("env_id", IDS)

JUNK = [
    "", " ", "\n\n", "\x00", "nan", "inf", "-inf", "1e400", "0", "1", "-1", "[]", "{}", "foo", "Yes", "A", "None",
    "true", "(" * 4000, ")" * 4000, "{" * 4000, "9" * 5000, "9**9**9", "__import__('os').abort()",
    "<answer></answer>", "####", "Answer:", "\\boxed{", "٤٢", "𝟜𝟚", "½", "\ud800", "🙂" * 100, "#### 1\n#### 2",
    "a = b = c", "1 2 3 4 5", "row 9 column 9 = 9", "clear", "\r\n\r\n", "=" * 3000, "\t1\t", "1/0", "0/0", "0" * 8000,
    "#" * 8000,
]  # fmt: skip


def some(env_id: str, count: int) -> int:
    """How often to ask, two times at least."""
    return max(2, count // 16) if env_id in FEW and not os.environ.get("PROOFGYM_THOROUGH") else count


def episode(env: VerifiableEnv, actions: list[str]) -> Iterator[tuple[str, float, bool, bool, dict[str, Any]]]:
    for action in actions:
        result = env.step(action)
        yield result
        if result[2] or result[3]:
            return


@each_env
def test_gymnasium_accepts_it(env_id: str, make_env: MakeEnv) -> None:
    check_env(make_env(env_id, render_mode="ansi"))


@each_env
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_the_oracle_earns_exactly_one(env_id: str, level: float, make_env: MakeEnv, play: Play) -> None:
    env = make_env(env_id, level=level)
    for index in range(some(env_id, 50 if level == 0.5 else 10)):
        observation, info = env.reset(seed=5, options={"index": index})
        reward = play(env, lambda *_: env.oracle(), observation, info)
        assert reward == pytest.approx(1.0, abs=1e-12), (index, observation)


@each_env
def test_the_verdict_on_the_oracle_is_correct(env_id: str, make_env: MakeEnv) -> None:
    env = make_env(env_id)
    for index in range(some(env_id, 20)):
        env.reset(seed=6, options={"index": index})
        info: dict[str, Any] = {}
        for *_, info in episode(env, [env.oracle()]):  # noqa: B007 - the last one is wanted
            pass
        while "verdict" not in info:
            *_, info = env.step(env.oracle())
        assert info["verdict"].correct
        assert info["verdict"].score == 1.0


@each_env
def test_blind_policies_earn_at_most_the_floor(env_id: str, make_env: MakeEnv, play: Play) -> None:
    env, rng = make_env(env_id), np.random.default_rng(1)
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
    for index in range(some(env_id, 80)):
        observation, info = env.reset(seed=77, options={"index": index})
        task = env.state()
        for rewards, policy in zip(earned, policies, strict=True):
            env.restore(task)
            rewards.append(play(env, policy, observation, info))
    for number, rewards in enumerate(earned):
        tolerance = 3 * max(float(np.std(rewards)), 0.11) / math.sqrt(len(rewards))
        assert np.mean(rewards) <= env.floor + tolerance, number


@each_env
def test_cheats_earn_nothing(env_id: str, make_env: MakeEnv) -> None:
    env = make_env(env_id)
    for index in range(some(env_id, 10)):
        env.reset(seed=3, options={"index": index})
        for cheat in env.cheats():
            env.reset(seed=3, options={"index": index})
            _, reward, _, _, info = env.step(cheat)
            assert reward <= 0.0, cheat
            assert "verdict" not in info or not info["verdict"].correct


@each_env
def test_the_same_seed_repeats_and_neighbours_differ(env_id: str, make_env: MakeEnv) -> None:
    one, other = make_env(env_id), make_env(env_id)
    first, info = one.reset(seed=11)
    assert other.reset(seed=11)[0] == first
    assert one.reset(seed=11)[1]["task"] == info["task"]
    rows = {seed: [one.reset(seed=seed, options={"index": i})[0] for i in range(4)] for seed in range(40, 44)}
    assert len({tuple(row) for row in rows.values()}) == 4
    for seed in (40, 41, 42):
        assert rows[seed][1:] != rows[seed + 1][:-1], "item i of seed s must not be item i - 1 of seed s + 1"


@each_env
def test_plain_resets_walk_through_the_items(env_id: str, make_env: MakeEnv) -> None:
    env = make_env(env_id)
    walked = [env.reset(seed=8)[0], *(env.reset()[0] for _ in range(4))]
    asked = [env.reset(seed=8, options={"index": i})[0] for i in (4, 2, 0, 3, 1)]
    assert asked == [walked[i] for i in (4, 2, 0, 3, 1)]


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


@each_env
def test_splits_never_meet(env_id: str, make_env: MakeEnv) -> None:
    seen: dict[str, set[str]] = {}
    size = some(env_id, 100) // (2 if env_id in FEW else 1)
    for split in ("train", "validation", "test"):
        env = make_env(env_id, split=split)
        items = [(s, i) for s in range(some(env_id, 5)) for i in range(size)]
        tasks = [env.reset(seed=s, options={"index": i})[1]["task"] for s, i in items]
        assert {task["split"] for task in tasks} == {split}
        seen[split] = {task["fingerprint"] for task in tasks}
        assert all(split_of(mark) == split for mark in seen[split])
    assert not seen["train"] & seen["validation"]
    assert not seen["train"] & seen["test"]
    assert not seen["validation"] & seen["test"]


@each_env
def test_a_fork_is_equal_and_independent(env_id: str, make_env: MakeEnv) -> None:
    env = make_env(env_id)
    rng = np.random.default_rng(2)
    for index in range(some(env_id, 5)):
        _, info = env.reset(seed=9, options={"index": index})
        if env.max_turns > 1:
            for _ in range(3 if "admissible" in info else 0):
                _, _, terminated, truncated, info = env.step(str(rng.choice(info["admissible"])))
                if terminated or truncated:
                    env.reset(seed=9, options={"index": index})
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
    env_kwargs: Callable[[str], dict[str, Any]], make_env: MakeEnv, why_not: Callable[[str], str]
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


@each_env
def test_junk_never_raises_and_earns_next_to_nothing(env_id: str, make_env: MakeEnv) -> None:
    env, rewards = make_env(env_id), []
    env.reset(seed=1)
    for junk in JUNK:
        observation, reward, terminated, truncated, info = env.step(junk)
        rewards.append(reward)
        assert env.observation_space.contains(observation)
        assert math.fsum(c.value for c in info["credits"]) == reward
        if terminated or truncated:
            env.reset()
    assert np.mean(rewards) <= 0.02


@each_env
def test_the_reward_is_the_sum_of_credits_and_of_terms(env_id: str, make_env: MakeEnv) -> None:
    env = make_env(env_id)
    for index in range(some(env_id, 10)):
        env.reset(seed=4, options={"index": index})
        oracle = env.oracle()
        for action in (
            oracle,
            oracle[:-1],
            oracle + "\nso it is",
            oracle[::-1],
            "thinking ...\n" + oracle,
            f"  {oracle}  ",
        ):
            env.reset(seed=4, options={"index": index})
            _, reward, _, _, info = env.step(action)
            assert reward == math.fsum(info["reward_terms"].values())
            assert reward == pytest.approx(math.fsum(c.value for c in info["credits"]), abs=1e-12)
            for credit in info["credits"]:
                assert 0 <= credit.start <= credit.end <= len(action)
                assert action[credit.start : credit.end].strip(), "a credit lies on text"
            if "verdict" in info and env.max_turns == 1:
                assert reward == pytest.approx(info["verdict"].score, abs=1e-12)


@each_env
def test_the_answer_is_not_shown(env_id: str, make_env: MakeEnv) -> None:
    env = make_env(env_id)
    if env_id in MOVES:
        pytest.skip("a single move is no answer: the rules name moves")
    for index in range(some(env_id, 30)):
        observation, info = env.reset(seed=14, options={"index": index})
        shown = observation + json.dumps({key: value for key, value in info.items() if key != "admissible"})
        assert env.oracle() not in shown
        assert "instance" not in info["task"]
        assert repr(env.task).count(env.oracle()) == 0, "a logged task gives its answer away"


@each_env
def test_observations_and_actions_lie_in_their_spaces(env_id: str, make_env: MakeEnv) -> None:
    for level in (0.0, 1.0):
        env = make_env(env_id, level=level)
        for index in range(some(env_id, 20)):
            observation, info = env.reset(seed=15, options={"index": index})
            assert env.observation_space.contains(observation)
            assert env.action_space.contains(env.oracle())
            assert 0.0 <= info["task"]["difficulty"] <= 1.0


@each_env
def test_an_answer_too_long_is_refused_without_a_fault(env_id: str, make_env: MakeEnv) -> None:
    env = make_env(env_id)
    env.reset(seed=1)
    observation, reward, terminated, _, info = env.step("1" * (env.action_limit + 1))
    assert reward == 0.0
    assert info["credits"] == []
    assert terminated == (env.max_turns == 1)
    assert "too long" in observation


@each_env
def test_a_foreign_instance_is_asked_or_refused_with_a_reason(env_id: str, make_env: MakeEnv) -> None:
    env = make_env(env_id, split="test")
    other = make_env(env_id, split="train")
    other.reset(seed=2)
    instance = json.loads(json.dumps(other.state()["instance"]))
    asked, info = env.reset(options={"instance": instance})
    assert asked == other.state()["observation"]
    assert info["task"]["split"] == "train", "a given instance is asked whatever the split"
    keys = list(instance)
    wrong: list[Any] = [{}, [], "text", 7, {"x": 1}]
    values: list[Any] = [{}, [None], -1.5, True]
    wrong += [{**instance, key: value} for key in keys for value in values if instance[key] is not value]
    for bad in wrong:
        with pytest.raises(BadInput):
            env.reset(options={"instance": bad})


@each_env
def test_misuse_is_told_in_words(env_id: str, make_env: MakeEnv, env_kwargs: Callable[[str], dict[str, Any]]) -> None:
    env = make_env(env_id)
    with pytest.raises(EpisodeOver, match="reset"):
        env.step("1")
    with pytest.raises(BadInput, match="colour"):
        env.reset(options={"colour": 1})
    with pytest.raises(BadInput, match="counted from 0"):
        env.reset(options={"index": -1})
    env.reset(seed=0)
    with pytest.raises(TypeError, match="text"):
        env.step(7)  # type: ignore[arg-type]
    for bad, said in (({"level": 2.0}, "level"), ({"split": "exam"}, "split"), ({"max_turns": 0}, "turn")):
        with pytest.raises(BadInput, match=said):
            type(env)(**{**env_kwargs(env_id), **bad})
    with pytest.raises(BadInput, match="family"):
        env.restore({**env.state(), "family": "another"})


@each_env
def test_its_documentation_says_what_is_seen_done_and_when_it_ends(env_id: str, make_env: MakeEnv) -> None:
    text = type(make_env(env_id)).__doc__ or ""
    for word in ("Observation:", "Action:", "Episode:"):
        assert word in text
