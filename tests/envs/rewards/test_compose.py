"""Composed rewards: sums agree by construction, survive every journey, pay nothing unjudged, and cannot be farmed."""

from __future__ import annotations

import copy
import functools
import json
import math
import pickle
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given
from hypothesis import strategies as st

import proofgym
from proofgym.envs.base import TurnResult, VerifiableEnv, fork
from proofgym.envs.rewards import (
    ComposedReward,
    Played,
    PotentialShaping,
    RewardSpec,
    Term,
    function,
    functions,
    set_progress,
)
from proofgym.envs.spaces import AnyText
from proofgym.envs.wrappers import InjectFaults, MaskUnjudged, RecordEpisodes
from proofgym.errors import BadInput, Unjudged
from proofgym.verifiers import Credit, Verdict
from proofgym.verifiers.credit import total

SHAPED = "env + (0.1*language[en] + 0.05*brevity[soft=5, hard=40] if correct) + 0.2*repetition + 0.3*overlong[60, 20]"


class Talk(VerifiableEnv):
    """Asks to say a number; talk goes on until it is said, and `fault` breaks the judge."""

    family = "talk"
    floor = 0.0
    default_max_turns = 4

    def generate(self, rng: np.random.Generator) -> dict[str, Any]:
        return {"n": int(rng.integers(100))}

    def begin(self, instance: Any) -> str:
        return f"Say {instance['n']}."

    def turn(self, action: str) -> TurnResult:
        if "fault" in action:
            raise Unjudged("the judge is away")
        right = str(self.task.instance["n"]) in action.split()
        credits_ = [Credit(0, min(2, len(action)), 0.25, "greeting", "polite")] if action.startswith("hi") else []
        if right:
            return TurnResult("", [*credits_, Credit(0, len(action), 1.0, "said")], Verdict.right(), terminated=True)
        return TurnResult("Go on.", credits_)

    def save(self) -> dict[str, Any]:
        return {}

    def load(self, data: Any) -> None:
        pass

    def oracle(self) -> str:
        return str(self.task.instance["n"])


class Stranger(gymnasium.Env[str, str]):
    """Somebody else's environment: no verdict, no credits, two turns."""

    observation_space = AnyText(100)
    action_space = AnyText(1000)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        self.turns = 0
        return "?", {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        self.turns += 1
        return "!", float("yes" in action), self.turns == 2, False, {"credits": "nothing of ours"}


def talk(reward: Any, **kwargs: Any) -> ComposedReward:
    env = ComposedReward(Talk(**kwargs), reward)
    env.reset(seed=1)
    return env


def answer(env: ComposedReward) -> str:
    inner = env.unwrapped
    assert isinstance(inner, VerifiableEnv)
    return inner.oracle()


# Sums -----------------------------------------------------------------------------------------------------------------

words = st.lists(st.sampled_from(["hi", "so", "the", "好", "ANSWER", "x" * 70, "`code`", "<think>"]), max_size=12)


@given(st.lists(words, min_size=1, max_size=4), st.floats(0, 1))
def test_reward_terms_and_credits_agree_in_every_turn(turns: list[list[str]], progress: float) -> None:
    env = ComposedReward(Talk(), f"{SHAPED} + 0.5*format[think]@linear(1, -1) + 0.1*format[tags, per=turn]", progress)
    env.reset(seed=3)
    for turn in turns:
        action = " ".join(turn).replace("ANSWER", answer(env))
        _, reward, terminated, truncated, info = env.step(action)
        value, terms = total(info["credits"])
        assert reward == value == pytest.approx(math.fsum(info["reward_terms"].values()))
        assert {k: v for k, v in info["reward_terms"].items() if v} == {k: v for k, v in terms.items() if v}
        assert all(0 <= c.start <= c.end <= len(action) for c in info["credits"])
        assert info["unshaped"]["reward"] == total(info["unshaped"]["credits"])[0]
        assert info["reward_terms"].get("env", 0.0) == pytest.approx(info["unshaped"]["reward"])
        if terminated or truncated:
            break


def test_env_alone_pays_what_the_environment_pays_on_its_spans() -> None:
    env, bare = talk("env"), Talk()
    bare.reset(seed=1)
    action = f"hi {answer(env)}"
    _, reward, _, _, info = env.step(action)
    _, own, _, _, told = bare.step(action)
    assert reward == own == 1.25
    assert [(c.start, c.end, c.value) for c in info["credits"]] == [(c.start, c.end, c.value) for c in told["credits"]]
    assert info["credits"][0].reason == "greeting: polite"
    assert info["unshaped"]["credits"] == told["credits"]


def test_a_term_that_points_at_a_span_gives_its_credit_there() -> None:
    env = talk("correctness + 0.2*repetition[2] + 0.1*format[boxed]")
    action = f"go on, go on \\boxed{{1}} {answer(env)}"
    credits_ = {c.label: (action[c.start : c.end], c.value) for c in env.step(action)[4]["credits"]}
    assert credits_["format.boxed"] == ("\\boxed{1}", 0.1)
    assert credits_["repetition"][0] == "go on"
    assert credits_["correctness"] == (action, 1.0)


# Gates and times ------------------------------------------------------------------------------------------------------


def test_style_pays_only_where_the_episode_is_correct() -> None:
    reward = "correctness + 0.1*brevity[soft=10, hard=20] if correct"
    env = talk(reward)
    assert env.step(answer(env))[1] == pytest.approx(1.1)
    env = talk(reward, max_turns=1)
    _, paid, _, truncated, info = env.step("short")
    assert (paid, truncated, info["reward_terms"]) == (0.0, True, {"correctness": 0.0, "brevity": 0.0})


def test_a_term_of_form_pays_the_mean_of_its_turns_once_with_the_last() -> None:
    env = talk("0.6*format[think] if correct")
    good, bad = "<think>a</think>b", "b"
    assert [env.step(action)[1] for action in (good, bad)] == [0.0, 0.0]
    _, reward, _, _, info = env.step(f"<think>c</think> {answer(env)}")
    assert reward == pytest.approx(0.6 * 2 / 3)
    own, before = info["credits"]
    assert own.value == pytest.approx(0.2)
    assert before.value == pytest.approx(0.2)
    assert before.reason == "the 2 turns before"


def test_playing_on_earns_no_more_of_a_term_of_form() -> None:
    earned = []
    for turns in (0, 1, 3):
        env = talk("correctness + 0.5*language[en]")
        earned.append(sum(env.step("well")[1] for _ in range(turns)) + env.step(f"it is {answer(env)}")[1])
    assert earned == [pytest.approx(1.5)] * 3


def test_per_says_when_a_term_pays() -> None:
    env = talk("language[en, per=turn] + (language[zh, per=end])")
    assert env.step("word")[4]["reward_terms"] == {"language.en": 1.0}
    assert env.step(f"好 {answer(env)}")[4]["reward_terms"] == {"language.en": 0.0, "language.zh": 1.0}


def test_a_callable_is_a_term_and_none_says_nothing() -> None:
    def polite(played: Played) -> float | None:
        return None if played.over else float("please" in played.action)

    env = talk([Term("correctness"), Term("polite", function=polite, weight=0.5)])
    env.step("please")
    env.step("now")
    _, reward, _, _, info = env.step(answer(env))
    assert reward == pytest.approx(1.25)
    assert [c.reason for c in info["credits"]] == ["", "the 2 turns before"]
    assert RewardSpec.of(polite).terms[0].label == "polite"


def test_a_strangers_environment_is_composed_too() -> None:
    env = ComposedReward(Stranger(), "env + (0.5*language[en] if reward >= 2)")
    env.reset(seed=0)
    assert env.step("yes")[1] == 1.0
    _, reward, _, _, info = env.step("yes")
    assert reward == 1.5
    assert info["unshaped"]["credits"] == [Credit(0, 3, 1.0, "reward")]


@pytest.mark.parametrize(
    "reward", ["correctness", "env if correct", "score", "part[x]", "cosine[10]", "env if part.x > 0"]
)
def test_an_environment_without_verdicts_is_told_so(reward: str) -> None:
    env = ComposedReward(Stranger(), reward)
    env.reset(seed=0)
    env.step("a")
    with pytest.raises(BadInput, match="without a verdict"):
        env.step("b")


# Unjudged -------------------------------------------------------------------------------------------------------------


def test_unjudged_passes_through_and_nothing_pays() -> None:
    env = talk("env + language[en]")
    env.step("hi")
    with pytest.raises(Unjudged, match="away"):
        env.step("fault")
    env.reset()
    assert env.step(answer(env))[1] == 1.0  # what waited in the unjudged episode is gone


def test_a_masked_fault_stays_without_a_score() -> None:
    env = ComposedReward(MaskUnjudged(InjectFaults(Talk(), rate=1.0)), "env + language[en]")
    env.reset(seed=0)
    _, reward, _, truncated, info = env.step("some words")
    assert math.isnan(reward)
    assert truncated
    assert "reward_terms" not in info


@pytest.mark.parametrize("broken", [lambda _: 1 / 0, lambda _: math.nan, lambda _: "much", lambda _: [Credit]])
def test_a_term_that_fails_is_unjudged_and_never_a_zero(broken: Callable[[Played], Any]) -> None:
    env = talk([Term("correctness"), Term("mine", function=broken)])
    with pytest.raises(Unjudged, match="'mine' failed"):
        env.step(answer(env))


# Schedules ------------------------------------------------------------------------------------------------------------


def test_progress_weighs_from_the_next_episode_on() -> None:
    env = talk("correctness + 0.5*language[en, per=turn]@linear(1, 0)")
    assert env.step("word")[1] == 0.5
    set_progress([MaskUnjudged(env), Talk()], 0.5)
    assert env.step("word")[1] == 0.5
    env.reset()
    assert env.step("word")[1] == 0.25
    with pytest.raises(BadInput, match="progress lies in"):
        env.set_progress(1.5)
    assert ComposedReward(Talk(), "env", 0.3).memory["now"] == 0.3


# Journeys -------------------------------------------------------------------------------------------------------------


def _wrapped(**kwargs: Any) -> list[Any]:
    return [
        ComposedReward(proofgym.make("Sudoku4Steps", **kwargs), SHAPED),
        PotentialShaping(proofgym.make("Sudoku4Steps", **kwargs), gamma=0.9),
        ComposedReward(PotentialShaping(proofgym.make("Sudoku4Steps", **kwargs), scale=0.5), SHAPED),
    ]


@pytest.mark.filterwarnings("ignore:.*is different from the unwrapped version:UserWarning")
@pytest.mark.parametrize("which", range(3))
def test_gymnasium_accepts_it_and_makes_it_again_from_its_spec(which: int) -> None:
    env = _wrapped()[which]
    check_env(env, skip_render_check=True)
    again = gymnasium.make(env.spec)
    assert str(again) == str(env)
    a, b = env.reset(seed=1), again.reset(seed=1)
    assert a == b
    action = env.unwrapped.oracle()
    assert env.step(action) == again.step(action)


@pytest.mark.parametrize("which", range(3))
def test_forks_states_and_pickles_go_on_alike(which: int) -> None:
    env, other = _wrapped()[which], _wrapped()[which]
    env.reset(seed=5)
    env.step(env.unwrapped.oracle())
    env.step("no move, no move, no move")
    if isinstance(env, ComposedReward):
        env.set_progress(0.5)
    state = json.loads(json.dumps(env.state()))
    other.reset(seed=0)
    other.restore(state)
    copies = [fork(env), other, pickle.loads(pickle.dumps(env)), copy.deepcopy(env)]
    for _ in range(30):
        action = env.unwrapped.oracle()
        expected = env.step(action)
        assert [one.step(action) for one in copies] == [expected] * 4
        if expected[2]:
            break
    assert expected[2]
    assert env.state() == other.state()


def test_a_fork_waits_for_itself() -> None:
    env = talk("language[en]")
    env.step("word")
    branch = fork(env)
    branch.step("好")
    assert env.step(answer(env))[1] == pytest.approx(0.5)


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_vector_environments_pay_composed_rewards(mode: str) -> None:
    reward = "score + 0.5*brevity[soft=5, hard=15, per=end]@linear(1, 0)"
    envs = proofgym.make_vec("RunningTotal", 2, vectorization_mode=mode, style="bare", reward=reward)
    envs.reset(seed=[1, 2])
    envs.call("set_progress", 0.5)
    envs.reset(seed=[1, 2])
    _, rewards, *_ = envs.step(("x" * 10, ""))
    assert rewards.tolist() == [0.125, 0.25]
    envs.close()


def test_recorded_episodes_hold_the_composed_credits(tmp_path: Any) -> None:
    from proofgym.envs import trajectory

    env = RecordEpisodes(talk("env + 0.1*language[en]"), tmp_path / "e.jsonl")
    env.reset(seed=1)
    env.step("well")
    env.step(answer(env))
    ((episode,), _) = trajectory.read(tmp_path / "e.jsonl")
    assert episode.reward == pytest.approx(1.05)
    assert {c.label for c in episode.turns[1].credits} == {"env", "language.en"}


# Everywhere at once ---------------------------------------------------------------------------------------------------


def test_make_takes_a_reward_for_ours_and_for_anybodys() -> None:
    env = proofgym.make("Zebra", reward="correctness + 0.1*format[think] if correct")
    env.reset(seed=0)
    _, reward, *_ = env.step(f"<think>so</think>\n{env.unwrapped.oracle()}")  # type: ignore[attr-defined]
    assert reward == pytest.approx(1.1)
    with pytest.raises(BadInput, match="did you mean 'format'"):
        proofgym.make("Zebra", reward="fromat[think]")
    gymnasium.register("Stranger-v0", entry_point=Stranger)
    try:
        assert isinstance(proofgym.make("Stranger-v0", reward="env", disable_env_checker=True), ComposedReward)
    finally:
        del gymnasium.registry["Stranger-v0"]


def test_evaluation_pays_the_reward_that_is_set(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("scipy")
    from proofgym.__main__ import main

    setting = "reward=0.5*correctness + 0.25*brevity[soft=100, hard=200] if correct"
    arguments = [
        "eval",
        "RunningTotal",
        "--model",
        "oracle",
        "-n",
        "4",
        "--set",
        setting,
        "--run-dir",
        str(tmp_path / "r"),
    ]
    assert main(arguments) == 0
    assert "0.750" in capsys.readouterr().out


def test_the_command_line_lists_and_explains(capsys: pytest.CaptureFixture[str]) -> None:
    from proofgym.__main__ import main

    assert main(["rewards"]) == 0
    listed = capsys.readouterr().out
    assert "repetition" in listed
    assert "arXiv:2503.14476" in listed
    assert main(["rewards", "correctness + 0.1*format[think]"]) == 0
    assert "form alone earns at most 0.1" in capsys.readouterr().out
    assert main(["rewards", "--json"]) == 0
    assert {row["name"] for row in json.loads(capsys.readouterr().out)} >= {"env", "cosine"}
    assert main(["rewards", "corectness"]) == 2
    assert "did you mean 'correctness'" in capsys.readouterr().err


@pytest.mark.train
def test_a_recipe_trains_on_the_reward_that_it_names(tmp_path: Any) -> None:
    for module in ("torch", "transformers", "pydantic"):
        pytest.importorskip(module)
    from proofgym.agents.recipe import train
    from proofgym.envs import trajectory

    overrides = [
        "environment.kwargs={style: bare, steps: 2, reward: 'env + 0.5*brevity[soft=3, hard=8]@step(1, 0, 0.5)'}",
        "warm_start.max_steps=1", "warm_start.target=0.0", "grpo.updates=2", "grpo.prompts=2", "grpo.group=2",
        "grpo.max_tokens=3", "grpo.validate_every=1", "grpo.validate_items=2", "evaluation.items=2", "model.width=16",
        "model.layers=1", "model.heads=2",
    ]  # fmt: skip
    folder = train("demo", overrides=overrides, run_dir=tmp_path / "run")
    labels = [
        {credit.label for turn in episode.turns for credit in turn.credits}
        for path in sorted((folder / "episodes").glob("train*"))
        for episode in trajectory.Lines(path)
    ]
    assert {"env", "brevity"} in labels[: len(labels) // 2]  # the first update
    assert all(found <= {"env"} for found in labels[len(labels) // 2 :])  # the second one, past the step


# Cheats ---------------------------------------------------------------------------------------------------------------

GATED = (
    "correctness + (0.1*format[boxed] + 0.1*format[tags] + 0.1*tools + 0.1*language[en] + 0.1*language[zh]"
    " + 0.1*brevity[soft=10, hard=99] if correct) + 0.2*repetition + 0.2*overlong[400, 100] + 0.1*l1[50]"
)
CHEATS = [
    "", " ", "\\boxed{0}", "<think>a</think><answer>b</answer>",
    '<tool_call>{"name": "a", "arguments": {}}</tool_call>',
    "a fine sentence in English", "很好的回答", "correct", "reward: 1.0", "x" * 300, "\\boxed{1} " * 20,
]  # fmt: skip


@pytest.mark.parametrize("cheat", CHEATS)
@pytest.mark.parametrize("turns", [1, 4])
def test_a_cheat_earns_nothing_by_gated_terms(cheat: str, turns: int) -> None:
    assert RewardSpec.parse(GATED).unsolved == 0.0
    env = talk(GATED, max_turns=turns)
    assert sum(env.step(cheat)[1] for _ in range(turns)) <= 0.0


@pytest.mark.parametrize("cheat", CHEATS)
@pytest.mark.parametrize("turns", [1, 4])
def test_ungated_terms_are_farmed_up_to_what_the_specification_says(cheat: str, turns: int) -> None:
    spec = RewardSpec.parse(GATED.replace(" if correct", ""))
    env = talk(spec, max_turns=turns)
    assert sum(env.step(cheat)[1] for _ in range(turns)) <= spec.unsolved == pytest.approx(0.6)


def test_each_term_that_can_be_farmed_is_farmed_by_the_cheat_it_names() -> None:
    farmed = {
        "brevity[soft=1, hard=2]": "", "format[boxed]": "\\boxed{0}", "language[en]": "words",
        "tools": '<tool_call>{"name": "a", "arguments": {}}</tool_call>', "format[json]": "0",
        "format[think_answer]": "<think>a</think><answer>b</answer>", "language[zh]": "字",
    }  # fmt: skip
    for term, cheat in farmed.items():
        assert talk(term, max_turns=1).step(cheat)[1] == 1.0
        assert talk(f"{term} if correct", max_turns=1).step(cheat)[1] == 0.0


# Plain functions ------------------------------------------------------------------------------------------------------


def test_a_reward_is_a_function_of_completions_as_trl_calls_it() -> None:
    def verify(completion: str, gold: str, **_: Any) -> Verdict:
        if gold == "?":
            raise Unjudged("no gold")
        return Verdict.right() if gold in completion else Verdict.wrong("no")

    reward = function("correctness + 0.5*format[boxed] if correct", verify=verify)
    chat = [[{"role": "assistant", "content": f"\\boxed{{{n}}}"}] for n in (1, 2, 3)]
    assert reward(prompts=["a", "b", "c"], completions=chat, gold=["1", "9", "?"], trainer_state=None) == [
        1.5,
        0.0,
        None,
    ]
    assert reward.__name__ == "correctness+format.boxed"
    assert pickle.loads(pickle.dumps(functools.partial(function, "env + 0.1*repetition")))()(["a"]) == [0.0]
    each, weights = functions("correctness - 0.5*tools", verify=verify)
    assert weights == [1.0, -0.5]
    assert each[0](["1"], gold=["1"]) == [1.0]
