"""Other people's engines under our interface; each is tested where it is installed, and named where it is not."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import proofgym
from proofgym.envs.worlds.external.base import ExternalWorld
from proofgym.errors import BadInput, MissingExtra, NotForkable

MODULES = {
    "ALFWorld": ("alfworld", {"level": 0.2}), "TextWorld": ("textworld", {"level": 0.2}),
    "ScienceWorld": ("scienceworld", {"tasks": ["find-living-thing"]}),
    "TextWorldExpress": ("textworld_express", {"games": ["coin"]}), "BabyAI": ("minigrid", {}),
    "Control": ("mujoco", {"tasks": ["InvertedPendulum-v5"]}), "Jericho": ("jericho", {}),
}  # fmt: skip
JAVA = ("ScienceWorld", "TextWorldExpress")

pytestmark = pytest.mark.filterwarnings("ignore")  # other people's code warns as it likes

each_engine = pytest.mark.parametrize("name", [name for name in MODULES if name != "Jericho"])


def made(name: str) -> Any:
    module, kwargs = MODULES[name]
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"needs {module}")
    if name in JAVA and shutil.which("java") is None:
        pytest.skip(f"{name} needs Java")
    return proofgym.make(f"external.{name}", **kwargs).unwrapped


@pytest.mark.parametrize("name", MODULES)
def test_a_missing_engine_is_named_with_its_extra(name: str) -> None:
    module, _ = MODULES[name]
    if importlib.util.find_spec(module) is not None:
        pytest.skip(f"{module} is installed")
    with pytest.raises(MissingExtra, match=r"pip install 'proofgym\["):
        proofgym.make(f"external.{name}")


@pytest.mark.slow
@each_engine
def test_an_engine_plays_and_its_score_becomes_credits(name: str) -> None:
    env: ExternalWorld = made(name)
    try:
        first, info = env.reset(seed=3)
        assert len(first) > 20
        earned = 0.0
        for command in ("look", "xyzzy", "", "turn left", "0.1"):
            _, reward, terminated, truncated, info = env.step(command)
            assert reward == pytest.approx(sum(credit.value for credit in info["credits"]))
            earned += reward
            if terminated or truncated:
                break
        assert -1.0 <= earned <= 1.0
        assert env.reset(seed=3)[0] == first or not env.deterministic
    finally:
        env.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ALFWorld", "TextWorld", "TextWorldExpress"])
def test_the_engines_own_solution_earns_one(name: str) -> None:
    env: ExternalWorld = made(name)
    try:
        env.reset(seed=4)
        earned, over = 0.0, False
        while not over:
            _, reward, over, _, info = env.step(env.oracle())
            earned += reward
        assert info["verdict"].correct
        assert earned == pytest.approx(1.0)
    finally:
        env.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ALFWorld", "TextWorld", "TextWorldExpress", "BabyAI", "Control"])
def test_a_fork_plays_on_alone(name: str) -> None:
    env: ExternalWorld = made(name)
    try:
        env.reset(seed=5)
        others = {"BabyAI": ("turn left", "go forward"), "Control": ("0.2", "-0.2")}
        moves = others.get(name, ("look", "inventory"))
        env.step(moves[0])
        fork = env.fork()
        assert json.loads(json.dumps(fork.state())) == env.state()
        ahead = fork.step(moves[1])
        assert env.step(moves[1])[:4] == ahead[:4]
        fork.close()
    finally:
        env.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ALFWorld", "TextWorld", "TextWorldExpress", "BabyAI", "Control"])
def test_the_same_commands_come_to_the_same_texts(name: str) -> None:
    env, other = made(name), made(name)
    try:
        rng = np.random.default_rng(2)
        assert env.deterministic
        assert env.reset(seed=6)[0] == other.reset(seed=6)[0]
        for _ in range(25):
            options = env.admissible()
            command = options[int(rng.integers(len(options)))] if options else f"{float(rng.uniform(-1, 1)):.3f}"
            ours, theirs = env.step(command), other.step(command)
            assert ours[:4] == theirs[:4]
            assert ours[4].get("admissible") == theirs[4].get("admissible")
            if ours[2]:
                break
    finally:
        env.close()
        other.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", JAVA)
def test_a_closed_engine_leaves_no_java_process(name: str) -> None:
    env = made(name)
    env.reset(seed=1)
    process = env._engine.env._gateway.java_process
    assert process.poll() is None
    env.close()
    env.close()
    assert process.returncode is not None
    assert process.stdin.closed
    assert process.stdout.closed


@pytest.mark.slow
@pytest.mark.parametrize(("task", "done"), [("InvertedPendulum-v5", True), ("HalfCheetah-v5", False)])
def test_a_steered_system_counts_as_done_by_what_it_earned(task: str, done: bool) -> None:
    made("Control").close()  # skips where it cannot be had
    env = proofgym.make("external.Control", tasks=[task]).unwrapped
    try:
        env.reset(seed=1)
        earned, over = 0.0, False
        position = angle = speed = turning = 0.0
        while not over:
            force = 10 * angle + 2 * turning + 0.5 * position + speed
            said, reward, over, _, info = env.step(f"{force:.3f}" if done else "0 0 0 0 0 0")
            earned += reward
            if done:
                position, angle, speed, turning = map(float, said.removeprefix("State: ").split())
        assert info["verdict"].correct == done
        assert (earned >= 0.9) == done
    finally:
        env.close()


@pytest.mark.slow
def test_a_closed_textworld_leaves_no_files() -> None:
    env = made("TextWorld")
    env.reset(seed=1)
    folder = Path(env._engine.folder.name)
    assert folder.is_dir()
    env.close()
    assert not folder.exists()


@pytest.mark.slow
def test_scienceworld_says_that_it_cannot_be_forked() -> None:
    env = made("ScienceWorld")
    try:
        env.reset(seed=1)
        with pytest.raises(NotForkable, match="not deterministic"):
            env.fork()
    finally:
        env.close()


def test_jericho_asks_for_story_files(tmp_path: Path) -> None:
    if importlib.util.find_spec("jericho") is None:
        pytest.skip("needs jericho")
    with pytest.raises(BadInput, match="no story files"):
        proofgym.make("external.Jericho", stories=str(tmp_path))


@pytest.mark.slow
def test_jericho_plays_a_story_file(tmp_path: Path) -> None:
    for module in ("jericho", "textworld"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"needs {module}")
    import textworld

    options = textworld.GameOptions()
    options.seeds, options.nb_rooms, options.nb_objects, options.quest_length = 7, 2, 4, 2
    options.path = str(tmp_path / "story.z8")
    _, game = textworld.make(options)
    env = proofgym.make("external.Jericho", stories=str(tmp_path)).unwrapped
    try:
        first, _ = env.reset(seed=0)
        assert len(first) > 100
        fork = env.fork()
        for command in game.metadata["walkthrough"]:
            said, reward, *_ = env.step(command)
            assert fork.step(command)[0] == said
            assert reward == 0.0  # Jericho knows the scores of published stories only
        assert "*** The End ***" in said
        fork.close()
    finally:
        env.close()
