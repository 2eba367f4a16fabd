"""What tests of several chapters need: environments made with their data, and ways to play them."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import pytest
from hypothesis import settings

import proofgym
from proofgym.envs.base import VerifiableEnv
from proofgym.errors import Unjudged

settings.register_profile("proofgym", deadline=None, max_examples=60)
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "proofgym"))

MakeEnv = Callable[..., VerifiableEnv]

WORD_PROBLEMS = [
    ("A tram has 14 passengers. At the square 6 get off and 9 get on. How many ride on?", "14 - 6 + 9 = 17\n#### 17"),
    ("Ola plants 7 rows of 12 leeks. Hares eat 5. How many leeks are left?", "7 * 12 = 84\n84 - 5 = 79\n#### 79"),
    ("A rope of 90 m is cut into 6 equal parts. How long is one?", "90 / 6 = <<90/6=15>>15\n#### 15"),
    ("A lamp costs $1,150 and a table twice that. What do both cost?", "1150 * 3 = 3450\n#### 3,450"),
    ("Ice is at -8 degrees and warms by 3. How warm is it now?", "-8 + 3 = -5\n#### -5"),
    ("Half of 7 litres of paint is used. How many litres is that?", "7 / 2 = 3.5\n#### 3.5"),
    ("Nine jars hold 40 beans each. How many beans are there?", "9 * 40 = 360\n#### 360"),
    ("Mira reads 23 pages a day for 4 days. How many pages is that?", "23 * 4 = 92\n#### 92"),
    ("A crate of 48 plums is shared by 3 inns. How many does each get?", "48 / 3 = 16\n#### 16"),
    ("From 200 tiles 35 break and 20 are added. How many tiles are there?", "200 - 35 + 20 = 185\n#### 185"),
    ("A choir of 5 rows with 11 singers gains 4. How many sing?", "5 * 11 + 4 = 59\n#### 59"),
    ("Two kites need 13 m of string each. How much string is needed?", "2 * 13 = 26\n#### 26"),
]


@pytest.fixture(scope="session")
def word_problems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set in the form of GSM8K, with rows in every split."""
    path = tmp_path_factory.mktemp("data") / "word_problems.jsonl"
    rows = [json.dumps({"question": question, "answer": answer}) for question, answer in WORD_PROBLEMS]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def code_problems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set in the form of APPS, with rows in every split."""
    path = tmp_path_factory.mktemp("data") / "code_problems.jsonl"
    rows = []
    for k in range(2, 42):
        tests = {"fn_name": "work", "inputs": [[n] for n in range(4, 8)], "outputs": [[n * k + k] for n in range(4, 8)]}
        row = {
            "problem_id": k, "question": f"Return n times {k} plus {k}.", "input_output": json.dumps(tests),
            "solutions": json.dumps([f"def work(n):\n    return n * {k} + {k}"]), "difficulty": "introductory",
        }  # fmt: skip
        rows.append(json.dumps(row))
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def env_kwargs(word_problems: Path, code_problems: Path) -> Callable[[str], dict[str, Any]]:
    """The arguments that an environment cannot be made without, by its id."""
    needed: dict[str, dict[str, Any]] = {
        "proofgym/GSM8K-v0": {"path": str(word_problems)},
        "proofgym/MathDataset-v0": {"path": str(word_problems), "preset": "gsm8k"},
        "proofgym/CodeDataset-v0": {"path": str(code_problems), "format": "apps"},
        "proofgym/CodeTranslate-v0": {"language": "c"},  # the fastest to compile
    }
    return lambda env_id: dict(needed.get(env_id, {}))


@pytest.fixture(scope="session")
def why_not() -> Callable[[str], str]:
    """Why answers to an environment cannot be judged on this machine; empty if they can."""
    from proofgym.envs.registry import find
    from proofgym.sandboxes import Isolation, IsolationUnavailable, languages, probe

    @functools.lru_cache(maxsize=1)
    def no_sandbox() -> str:
        try:
            probe.choose(Isolation.NAMESPACED)
        except IsolationUnavailable as error:
            return f"no sandbox: {error}"
        return ""

    def why(env_id: str) -> str:
        if find(env_id).domain != "code":
            return ""
        if find(env_id).id == "proofgym/CodeTranslate-v0" and not languages.available()["c"]:
            return "no compiler for C"
        return no_sandbox()

    return why


@pytest.fixture
def make_env(why_not: Callable[[str], str], env_kwargs: Callable[[str], dict[str, Any]]) -> Iterator[MakeEnv]:
    """Make an environment by id, without Gymnasium's wrappers, and close it afterwards."""
    made: list[gymnasium.Env[str, str]] = []

    def make(env_id: str, **kwargs: Any) -> VerifiableEnv:
        if reason := why_not(env_id):
            pytest.skip(f"{env_id}: {reason}")
        env = proofgym.make(env_id, **{**env_kwargs(env_id), **kwargs})
        made.append(env)
        inner = env.unwrapped
        assert isinstance(inner, VerifiableEnv)
        return inner

    yield make
    for env in made:
        env.close()


@pytest.fixture(scope="session")
def play() -> Callable[..., float]:
    """Play the running episode to its end by a policy of the observation and `info`; returns the reward."""

    def run(env: VerifiableEnv, policy: Callable[[str, dict[str, Any]], str], observation: str, info: Any) -> float:
        reward, over = 0.0, False
        while not over:
            observation, gained, terminated, truncated, info = env.step(policy(observation, info))
            reward += gained
            over = terminated or truncated
        return reward

    return run


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Where large public data sets lie, by `PROOFGYM_DATA` or beside the repository; tests skip without it."""
    folder = Path(os.environ.get("PROOFGYM_DATA", Path(__file__).resolve().parents[1] / ".." / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no data folder at {folder}; set PROOFGYM_DATA")
    return folder


class Broken(VerifiableEnv):
    """A family whose grader fails on the action `break` and cannot judge `unjudged`."""

    family = "broken"
    floor = 0.0
    default_max_turns = 3

    def generate(self, rng: Any) -> dict[str, Any]:
        return {"n": int(rng.integers(1000))}

    def begin(self, instance: Any) -> str:
        return f"say {instance['n']}"

    def turn(self, action: str) -> Any:
        from proofgym.envs.base import TurnResult

        if action == "break":
            raise KeyError("our own bug")
        if action == "unjudged":
            raise Unjudged("the sandbox is gone")
        return TurnResult("again")

    def save(self) -> dict[str, Any]:
        return {}

    def load(self, data: Any) -> None:
        pass

    def oracle(self) -> str:
        return ""


@pytest.fixture
def broken() -> VerifiableEnv:
    """See `Broken`."""
    return Broken()
