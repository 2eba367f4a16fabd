"""Other suites' environments: their content decides the split, their chance is their own, their faults no score."""

from __future__ import annotations

import asyncio
import copy
import importlib.util
import json
import math
import random
import threading
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from proofgym.adapters import imports
from proofgym.adapters.imports.base import Chance, Foreign, Imported, Reply, plain_state
from proofgym.adapters.imports.openenv import to_payload, to_text
from proofgym.envs.base import fork
from proofgym.envs.spaces import AnyText
from proofgym.envs.task import split_of
from proofgym.errors import BadInput, MissingExtra, NotForkable, Unjudged
from proofgym.verifiers import Status


class Guessing(Foreign):
    """Draws everything from the process's generators, as foreign engines do."""

    copies: ClassVar[bool] = True

    def __init__(self) -> None:
        self.chance = Chance()
        self.secret = 0

    def open(self, seed: int) -> str:
        with self.chance.lent(seed):
            self.secret = random.randrange(1000)
        self.last = "Guess a number below 1000."
        return self.last

    def content(self, first: str) -> Any:
        return [first, self.secret]

    def act(self, action: str) -> Reply:
        with self.chance.lent():
            mood = random.choice(["warm", "cold"]) + str(np.random.rand())  # noqa: NPY002
        if action == "crash":
            raise RuntimeError("the engine fell over")
        if action == "nan":
            return Reply("", math.nan)
        self.last = mood
        if action == str(self.secret):
            return Reply("yes", 1.0, terminated=True)
        return Reply(mood, 0.25 if action == "closer" else 0.0)


class Remote(Guessing):
    copies: ClassVar[bool] = False


class Forgetful(Remote):
    def open(self, seed: int) -> str:
        first = super().open(seed)
        self.chance = Chance()  # what follows comes from wherever the process is
        return first


class Game(Imported):
    family = "guessing"
    engine: ClassVar[type[Guessing]] = Guessing

    def make_foreign(self, instance: Mapping[str, Any]) -> Foreign:
        return self.engine()

    def settings(self) -> Mapping[str, Any]:
        return {}


class RemoteGame(Game):
    engine = Remote


class ForgetfulGame(Game):
    engine = Forgetful


@pytest.fixture
def game() -> Game:
    made = Game()
    made.reset(seed=1)
    return made


@pytest.mark.filterwarnings("ignore:.*render modes.*")
def test_an_imported_environment_is_one_of_gymnasium(game: Game) -> None:
    check_env(Game())


def _chance() -> Any:
    return random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002


def test_the_engines_chance_is_its_own(game: Game) -> None:
    before = _chance()
    said = [game.step("no")[0] for _ in range(3)]
    assert _chance() == before
    other, third = Game(), Game()
    other.reset(seed=1)
    third.reset(seed=2)
    woven = []
    for _ in range(3):  # two episodes side by side, in a process that draws as well
        third.step("no")
        random.random()
        woven.append(other.step("no")[0])
    assert woven == said


def test_the_content_and_not_the_seed_decides_the_split() -> None:
    by_secret: dict[int, str] = {}
    for split in ("train", "test"):
        env = Game(split=split)
        for index in range(150):
            env.reset(seed=3, options={"index": index})
            assert env.task.split == split_of(env.task.fingerprint) == split
            secret = env._foreign.secret  # type: ignore[union-attr]
            assert by_secret.setdefault(secret, split) == split


@pytest.mark.parametrize("kind", [Game, RemoteGame])
def test_forks_and_restored_episodes_go_on_alike(kind: type[Game]) -> None:
    env = kind()
    env.reset(seed=4)
    env.step("closer")
    twin = fork(env)
    third = kind()
    third.restore(json.loads(json.dumps(env.state())))
    following = [env.step("no")[:2] for _ in range(3)]
    assert [twin.step("no")[:2] for _ in range(3)] == following
    assert [third.step("no")[:2] for _ in range(3)] == following
    assert third.unfinished().parts["earned"] == env.unfinished().parts["earned"] == 0.25


def test_an_engine_that_answers_otherwise_is_not_restored() -> None:
    env = ForgetfulGame()
    env.reset(seed=4)
    env.step("no")
    random.seed(11)
    np.random.seed(12)  # noqa: NPY002
    with pytest.raises(NotForkable, match="not deterministic"):
        ForgetfulGame().restore(env.state())


def test_rewards_make_the_verdict(game: Game) -> None:
    secret = str(game._foreign.secret)  # type: ignore[union-attr]
    _, reward, terminated, _, info = game.step(secret)
    assert (reward, terminated, info["verdict"].status) == (1.0, True, Status.CORRECT)
    game.reset(seed=1)
    game.max_turns = 2
    game.step("closer")
    *_, truncated, info = game.step("no")
    assert truncated
    assert info["verdict"].status is Status.PARTIAL
    assert info["verdict"].score == 0.25


@pytest.mark.parametrize("action", ["crash", "nan"])
def test_a_fault_of_the_engine_is_no_score(game: Game, action: str) -> None:
    with pytest.raises(Unjudged):
        game.step(action)


def test_plain_state_leaves_seeds_out_and_ends_on_cycles() -> None:
    class Knot:
        def __init__(self) -> None:
            self.me, self.seed, self.words = self, 5, {"b", "a"}
            self.board = np.arange(3)

    found = plain_state(Knot())
    assert found["words"] == ["a", "b"]
    assert found["board"] == [0, 1, 2]
    assert "seed" not in json.dumps(found)


# Gymnasium ------------------------------------------------------------------------------------------------------------


class Parrot(gymnasium.Env[str, str]):
    def __init__(self, word: str = "polly") -> None:
        self.observation_space, self.action_space, self.word = AnyText(100), AnyText(100), word

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        return f"Say {self.word} {int(self.np_random.integers(10**6))}", {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        return "", float(action == self.word), True, False, {}


class Numbers(Parrot):
    def reset(self, **kwargs: Any) -> Any:
        return np.zeros(2), {}


for name, kind in (("Parrot", Parrot), ("Numbers", Numbers)):
    if f"proofgym-tests/{name}-v0" not in gymnasium.registry:
        gymnasium.register(f"proofgym-tests/{name}-v0", entry_point=kind, disable_env_checker=True)


def test_a_strangers_environment_gets_splits_verdicts_and_forks() -> None:
    env = imports.GymnasiumText("proofgym-tests/Parrot-v0", settings={"word": "jacko"}, split="validation")
    first, info = env.reset(seed=0)
    assert info["task"]["split"] == "validation"
    assert first.startswith("Say jacko")
    assert fork(env).step("jacko")[4]["verdict"].correct
    assert env.step("polly")[4]["verdict"].status is Status.WRONG
    assert env.reset(seed=0)[0] == first


def test_what_does_not_speak_text_or_does_not_exist_is_refused() -> None:
    with pytest.raises(BadInput, match="only environments of text"):
        imports.GymnasiumText("proofgym-tests/Numbers-v0").reset(seed=0)
    with pytest.raises(BadInput, match="does not make 'proofgym-tests/Nobody-v0'"):
        imports.GymnasiumText("proofgym-tests/Nobody-v0")
    with pytest.raises(AttributeError, match="Nothing"):
        imports.Nothing  # noqa: B018


# OpenEnv --------------------------------------------------------------------------------------------------------------


def test_observations_and_actions_cross_the_wire() -> None:
    assert to_text({"board": "x", "score": 3, "done": False}) == '{"board": "x", "score": 3}'
    assert to_text({"prompt": "Hi", "options": [], "reward": 1}) == "Hi"
    assert to_payload("5", {"required": ["n"], "properties": {"n": {"type": "integer"}}}) == {"n": 5}
    assert to_payload("5", {"required": ["n"], "properties": {"n": {"type": "string"}}}) == {"n": "5"}
    assert to_payload("[" * 5000, {"required": ["n"]})["n"].startswith("[")
    with pytest.raises(BadInput, match="JSON object with x, y"):
        to_payload("5", {"required": ["x", "y"]})


def test_what_is_no_server_is_said_before_anything_is_asked() -> None:
    pytest.importorskip("websockets.sync.client")
    with pytest.raises(BadInput, match="has an address such as"):
        imports.OpenEnv(url="localhost:8000")
    with pytest.raises(BadInput, match="nothing at"):
        imports.OpenEnv(url="http://127.0.0.1:9", timeout_s=2)


@pytest.fixture
def openenv_server() -> Iterator[str]:
    """A server of OpenEnv's wire on one port for both protocols, as theirs is: a word game that obeys its seed."""
    server = pytest.importorskip("websockets.sync.server")
    http = pytest.importorskip("websockets.http11")
    headers = pytest.importorskip("websockets.datastructures").Headers
    schema = {"required": ["guess"], "properties": {"guess": {"type": "string"}}}

    def page(connection: Any, request: Any) -> Any:
        if request.path == "/schema":
            body = json.dumps({"action": schema}).encode()
            return http.Response(200, "OK", headers([("Content-Length", str(len(body)))]), body)
        return None

    def play(socket: Any) -> None:
        secret = ""
        for text in socket:
            message = json.loads(text)
            data = message["data"]
            told: dict[str, Any] = {"observation": {"text": "no"}, "reward": 0.0, "done": False}
            if message["type"] == "reset":
                secret = str(np.random.default_rng(data["seed"]).integers(100))
                told = {"observation": {"text": f"The word rhymes with {secret}."}, "reward": None, "done": False}
            elif data.get("guess") == "die":
                socket.close()
                return
            elif "guess" not in data:
                told = {"message": "guess: field required", "code": "VALIDATION_ERROR"}
            elif data["guess"] == "fail":
                told = {"message": "division by zero", "code": "EXECUTION_ERROR"}
            elif data["guess"] == secret:
                told = {"observation": {"text": "yes"}, "reward": 1.0, "done": True}
            kind = "error" if "code" in told else "observation"
            socket.send(json.dumps({"type": kind, "data": told}))

    made = server.serve(play, "127.0.0.1", 0, process_request=page)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{made.socket.getsockname()[1]}"
    made.shutdown()
    thread.join()


def test_an_openenv_server_is_played(openenv_server: str) -> None:
    env = imports.OpenEnv(url=openenv_server, timeout_s=10)
    first, info = env.reset(seed=5)
    secret = first.split()[-1].rstrip(".")
    assert info["task"]["split"] == "train"
    assert "refused" in env.step('{"word": "crane"}')[0]
    env.step("nothing")
    twin = fork(env)
    for one in (env, twin):
        _, reward, terminated, _, info = one.step(secret)
        assert (reward, terminated, info["verdict"].correct) == (1.0, True, True)
    assert env.reset(seed=5)[0] == first
    for fault in ("fail", "die"):
        env.reset(seed=5)
        with pytest.raises(Unjudged):
            env.step(fault)
    env.close()
    twin.close()


# The real packages ----------------------------------------------------------------------------------------------------


def test_a_missing_suite_names_its_extra() -> None:
    for kind, module in (("TextArena", "textarena"), ("Gem", "gem")):
        try:
            __import__(module)
        except ImportError:
            with pytest.raises(MissingExtra, match=rf"proofgym\[{module}\]"):
                getattr(imports, kind)()


@pytest.mark.parametrize("name", ["TowerOfHanoi-v0", "FrozenLake-v0", "Mastermind-v0", "2048-v0-ultra-easy"])
def test_textarenas_games(real: Any, name: str) -> None:
    real("textarena")
    env = next(_asked(lambda split: imports.TextArena(game=name, split=split)))
    first = env.reset(seed=1)[0]
    assert env.reset(seed=1)[0] == first
    twin, third = fork(env), copy.copy(env)
    third.restore(json.loads(json.dumps(env.state())))
    results = [one.step("[1 2]")[:4] for one in (env, twin, third)]
    assert results[0] == results[1] == results[2]


def test_a_game_for_two_is_refused(real: Any) -> None:
    real("textarena")
    with pytest.raises(BadInput, match="more than one player"):
        imports.TextArena(game="TicTacToe-v0").reset(seed=0)


def test_gems_games(real: Any) -> None:
    real("gem")
    env = imports.Gem(name="game:GuessTheNumber-v0-easy")
    env.reset(seed=3)
    outcomes = []
    for guess in range(1, 11):
        twin = fork(env)
        outcomes.append(twin.step(f"\\boxed{{{guess}}}")[4].get("verdict"))
    assert sum(verdict is not None and verdict.correct for verdict in outcomes) == 1


TASKSET = """
import verifiers.v1 as vf
__all__ = ["Sums"]
class Data(vf.TaskData):
    answer: str
class Sum(vf.Task[Data]):
    @vf.reward(weight=0.75)
    async def right(self, trace: vf.Trace) -> float:
        if trace.last_reply == "break":
            raise RuntimeError("no")
        return float(trace.last_reply == self.data.answer)
    @vf.reward(weight=0.25)
    async def short(self, trace: vf.Trace) -> float:
        return float(len(trace.last_reply) < 10)
class Sums(vf.Taskset[Sum]):
    def load(self):
        for n in range(60):
            yield Sum(Data(prompt=f"{n} + 1 = ?", answer=str(n + 1)), self.config.task)
"""


def test_a_taskset_of_verifiers(real: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.find_spec("verifiers")
    if spec is None or "site-packages" not in str(spec.origin):  # started here, `verifiers` is our own folder
        pytest.skip("verifiers is not installed here; `make test-adapters` brings it")
    real("verifiers.v1")
    (tmp_path / "sums_taskset.py").write_text(TASKSET)
    monkeypatch.syspath_prepend(str(tmp_path))
    env = imports.VerifiersTaskset(taskset="sums-taskset")

    def ask(action: str) -> Any:
        question = env.reset(seed=1)[0]
        return env.step(action or str(int(question.split()[0]) + 1))

    *_, info = ask("")
    assert info["verdict"].correct
    assert info["reward_terms"] == {"right": 0.75, "short": 0.25}
    assert ask("7 perhaps")[1] == 0.25
    with pytest.raises(Unjudged, match="raised"):
        ask("break")

    async def inside_a_loop() -> float:
        return float(ask("")[1])

    assert asyncio.run(inside_a_loop()) == 1.0
    with pytest.raises(BadInput, match="cannot be loaded"):
        imports.VerifiersTaskset(taskset="no-such-taskset")


def _asked(make: Any) -> Iterator[Any]:
    """The environment on the first split that has an item: a game of one item has it on one split only."""
    for split in ("train", "validation", "test"):
        env = make(split)
        try:
            env.reset(seed=1)
        except BadInput:
            continue
        yield env
