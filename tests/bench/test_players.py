"""Models behind an API as players: conversations, tools, faults, and runs that are killed and go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import gymnasium
import pytest
from rich.console import Console

import proofgym
from proofgym import __main__ as cli
from proofgym.agents.rollout import Item, rollout
from proofgym.bench.evaluate import Summary, evaluate
from proofgym.bench.journal import Journal
from proofgym.bench.players import ChatPlayer, ExpertPlayer, place
from proofgym.chat import ContextFull, ModelUnavailable, Reply, ToolCall, Usage
from proofgym.envs import trajectory
from proofgym.envs.trajectory import Trajectory
from proofgym.errors import BadInput

QUIET = Console(quiet=True)


class Solver:
    """A chat model that knows the answers: it is handed the questions of some items beforehand, and counts."""

    name = "solver"

    def __init__(self, env_id: str = "Countdown", n: int = 8, **kwargs: Any) -> None:
        self.known: dict[str, str] = {}
        self.asked: list[str] = []
        self.seen: list[dict[str, Any]] = []
        self.lock = threading.Lock()
        env: Any = proofgym.make(env_id, split="test", **kwargs)
        for index in range(n):
            question, _ = env.reset(seed=0, options={"index": index})
            self.known[question] = env.unwrapped.oracle()
        env.close()

    def complete(self, messages: Sequence[Mapping[str, Any]], **options: Any) -> Reply:
        question = messages[0]["content"]
        with self.lock:
            self.asked.append(question)
            self.seen.append({"messages": [dict(message) for message in messages], **options})
            count = self.asked.count(question)
        return self.answer(question, count)

    def answer(self, question: str, count: int) -> Reply:
        return Reply(self.known[question], usage=Usage(100, 7, 0.25))


def run(model: Any, folder: Path, env: str = "Countdown", **options: Any) -> Summary:
    return evaluate([env], model, **{"n": 8, "run_dir": folder, "console": QUIET, **options})


def episodes(folder: Path, name: str = "Countdown-v0") -> list[Trajectory]:
    found, broken = trajectory.read(folder / "episodes" / f"{name}.jsonl")
    assert not broken
    return found


def test_a_right_model_scores_one_and_every_token_is_accounted(tmp_path: Path) -> None:
    found = run(Solver(), tmp_path, k=2, temperature=1.0).results[0]
    assert (found.mean, found.solved, found.n, found.tasks) == (1.0, 1.0, 16, 8)
    assert (found.prompt_tokens, found.completion_tokens, found.cost_usd) == (1600, 112, 4.0)
    total = json.loads((tmp_path / "summary.json").read_text())["total"]
    assert total == {
        "episodes": 16, "unjudged": 0, "prompt_tokens": 1600, "completion_tokens": 112, "cost_usd": 4.0,
    }  # fmt: skip
    for episode in episodes(tmp_path):
        assert [turn.usage for turn in episode.turns] == [
            {"prompt_tokens": 100, "completion_tokens": 7, "cost_usd": 0.25}
        ]
    assert not (tmp_path / "replies.jsonl").exists()


def test_requests_are_seeded_by_item_and_attempt(tmp_path: Path) -> None:
    first, second = Solver(), Solver()
    run(first, tmp_path / "a", k=2, batch_size=1)
    run(second, tmp_path / "b", k=2, batch_size=5)
    seeds = [asked["seed"] for asked in first.seen]
    assert len(set(seeds)) == 16
    assert sorted(seeds) == sorted(asked["seed"] for asked in second.seen)


def test_a_model_that_fails_is_unjudged_and_asked_once_more_on_resume(tmp_path: Path) -> None:
    class Flaky(Solver):
        down = True

        def answer(self, question: str, count: int) -> Reply:
            if self.down and list(self.known).index(question) % 4 == 0:
                raise ModelUnavailable("m could not be reached (gone)")
            return super().answer(question, count)

    model = Flaky()
    found = run(model, tmp_path).results[0]
    assert (found.n, found.unjudged, found.mean) == (6, 2, 1.0)
    assert found.faults == {"m could not be reached (gone)": 2}
    assert {e.fault for e in episodes(tmp_path) if e.unjudged} == {"m could not be reached (gone)"}
    model.asked.clear()
    assert run(model, tmp_path, resume=True).results[0].unjudged == 2
    assert len(model.asked) == 2
    model.down = False
    model.asked.clear()
    again = run(model, tmp_path, resume=True).results[0]
    assert (again.n, again.unjudged) == (8, 0)
    assert len(model.asked) == 2
    model.asked.clear()
    assert run(model, tmp_path, resume=True).results[0].n == 8
    assert not model.asked


def test_a_full_context_ends_the_episode_as_it_stands(tmp_path: Path) -> None:
    class Short(Solver):
        def answer(self, question: str, count: int) -> Reply:
            raise ContextFull("too long")

    found = run(Short(), tmp_path).results[0]
    assert (found.n, found.unjudged, found.mean) == (8, 0, 0.0)


class Mover(Solver):
    """Plays a puzzle in moves by asking a twin of the environment for its oracle's whole line."""

    def __init__(self, n: int = 4, *, tools: bool = False, broken_after: int = 10**6) -> None:
        super().__init__("Sudoku4Steps", n)
        self.tools, self.broken_after = tools, broken_after
        self.lines: dict[str, list[str]] = {}
        env: Any = proofgym.make("Sudoku4Steps", split="test")
        for index in range(n):
            question, _ = env.reset(seed=0, options={"index": index})
            line, over = [], False
            while not over:
                line.append(env.unwrapped.oracle())
                _, _, terminated, truncated, _ = env.step(line[-1])
                over = terminated or truncated
            self.lines[question] = line
        env.close()

    def complete(self, messages: Sequence[Mapping[str, Any]], **options: Any) -> Reply:
        with self.lock:
            if len(self.asked) >= self.broken_after:
                raise ModelUnavailable("gone")
            self.asked.append(messages[0]["content"])
            self.seen.append({"messages": [dict(message) for message in messages], **options})
        done = sum(message["role"] in ("tool",) for message in messages) if self.tools else len(messages) // 2
        line = self.lines[messages[0]["content"]]
        if not self.tools:
            return Reply(line[done], usage=Usage(1, 1))
        both = [ToolCall("", "act", json.dumps({"command": move})) for move in line[done : done + 2]]
        return Reply("", tuple(both), Usage(1, 1))


def test_a_conversation_goes_on_turn_by_turn(tmp_path: Path) -> None:
    model = Mover()
    found = run(model, tmp_path, "Sudoku4Steps", n=4, system=None).results[0]
    assert (found.mean, found.solved) == (1.0, 1.0)
    longest = max(model.seen, key=lambda asked: len(asked["messages"]))["messages"]
    assert [message["role"] for message in longest] == ["user", "assistant"] * (len(longest) // 2) + ["user"]
    assert all(asked["tools"] is None for asked in model.seen)


def test_tool_calls_play_and_several_in_one_reply_are_turns_in_order(tmp_path: Path) -> None:
    model = Mover(tools=True)
    found = run(model, tmp_path, "Sudoku4Steps", n=4, tools=True).results[0]
    assert (found.mean, found.solved) == (1.0, 1.0)
    assert model.seen[0]["tools"][0]["function"]["name"] == "act"
    for episode in episodes(tmp_path, "Sudoku4Steps-v0"):
        line = model.lines[episode.turns[0].observation]
        assert [turn.action for turn in episode.turns] == line
        assert [json.loads(turn.tool_calls[0]["arguments"])["command"] for turn in episode.turns] == line
        assert sum(turn.usage.get("prompt_tokens", 0) for turn in episode.turns) == (len(line) + 1) // 2
    talk = next(asked["messages"] for asked in model.seen if len(asked["messages"]) == 4)
    calls = [call["id"] for call in talk[1]["tool_calls"]]
    assert [message["tool_call_id"] for message in talk[2:]] == calls
    assert len(set(calls)) == 2


def test_damaged_tool_calls_are_moves_that_earn_nothing(tmp_path: Path) -> None:
    class Mad(Mover):
        def complete(self, messages: Sequence[Mapping[str, Any]], **options: Any) -> Reply:
            super().complete(messages, **options)
            turn = len(messages) // 2
            calls = [ToolCall("i", "act", '{"command": "r1'), ToolCall("i", "fly", "{}"), ToolCall("i", "act", "[1]")]
            return Reply("", (calls[turn % 3],))

    model = Mad(n=1, tools=True)
    found = run(model, tmp_path, "Sudoku4Steps", n=1, tools=True).results[0]
    assert (found.mean, found.unjudged) == (0.0, 0)
    for message in model.seen[-1]["messages"]:
        for call in message.get("tool_calls", ()):
            assert isinstance(json.loads(call["function"]["arguments"]), dict)  # servers parse what they are sent


def test_a_stopped_episode_goes_on_where_it_was_and_no_turn_is_asked_twice(tmp_path: Path) -> None:
    model = Mover(broken_after=11)
    first = run(model, tmp_path, "Sudoku4Steps", n=4, batch_size=2).results[0]
    assert first.unjudged > 0
    assert len(model.asked) == 11
    model.broken_after = 10**6
    second = run(model, tmp_path, "Sudoku4Steps", n=4, batch_size=2, resume=True).results[0]
    assert (second.n, second.unjudged, second.mean) == (4, 0, 1.0)
    assert len(model.asked) == sum(map(len, model.lines.values()))
    assert not (tmp_path / "replies.jsonl").exists()


def test_the_journal_survives_damage_and_knows_another_conversation(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    env = proofgym.make("Countdown", split="test")
    model = Solver(n=2)
    journal = Journal(path)
    player = ChatPlayer(model, journal=journal)
    list(rollout(player, [env], [Item(0, 0), Item(0, 1)]))
    journal.close(done=False)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1][:50])
    again = Journal(path)
    assert again.load({place("proofgym/Countdown-v0", Item(0, i)) for i in range(2)}) == 1
    list(rollout(ChatPlayer(model, journal=again), [env], [Item(0, 0), Item(0, 1)]))
    assert len(model.asked) == 3
    again.close(done=False)
    other = Journal(path)
    other.load({place("proofgym/Countdown-v0", Item(0, 0))})
    assert ChatPlayer(model, journal=other).play(env, Item(0, 0)) is not None
    assert len(model.asked) == 3
    other.load({place("proofgym/Countdown-v0", Item(0, 0))})
    model.known["Be brief."] = "another conversation"
    assert ChatPlayer(model, system="Be brief.", journal=other).play(env, Item(0, 0)) is not None
    assert len(model.asked) == 4
    other.close(done=True)
    assert not path.exists()


def test_episodes_wait_for_nobody(tmp_path: Path) -> None:
    release = threading.Event()

    class Uneven(Solver):
        def answer(self, question: str, count: int) -> Reply:
            if question == next(iter(self.known)):
                assert release.wait(20)
            return super().answer(question, count)

    model = Uneven()
    done: list[int] = []

    def note(episode: Trajectory) -> None:
        done.append(episode.index)
        if len(done) == 7:
            release.set()

    envs = [proofgym.make("Countdown", split="test") for _ in range(2)]
    played = list(rollout(ChatPlayer(model), envs, [Item(0, i) for i in range(8)], on_episode=note))
    assert [episode.index for episode in played] == list(range(8))
    assert done == [1, 2, 3, 4, 5, 6, 7, 0]


def test_a_mistake_in_a_thread_reaches_the_caller() -> None:
    class Wrong(Solver):
        def answer(self, question: str, count: int) -> Reply:
            raise BadInput("no such thing")

    with pytest.raises(BadInput, match="no such thing"):
        list(rollout(ChatPlayer(Wrong()), [proofgym.make("Countdown", split="test")], [Item(0, 0)]))


def test_only_models_behind_an_api_have_tools(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="behind an API"):
        run("oracle", tmp_path / "run", tools=True)
    assert not (tmp_path / "run").exists()


def test_the_households_expert_reads_and_the_oracle_knows() -> None:
    env = proofgym.make("Household", split="test")
    [expert] = rollout(ExpertPlayer(), [env], [Item(0, 0)])
    assert expert.turns[0].action.startswith(("go to", "look", "open", "take"))
    assert not expert.unjudged
    plain: Any = proofgym.make("Countdown", split="test")
    [alias] = rollout(ExpertPlayer(), [plain], [Item(0, 0)])
    assert alias.reward == 1.0
    with pytest.raises(BadInput, match="neither an expert nor an oracle"):
        ExpertPlayer().seat([gymnasium.make("CartPole-v1")], [Item(0, 0)])  # type: ignore[list-item]


# Over HTTP, killed ----------------------------------------------------------------------------------------------------


@pytest.fixture
def served() -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """A slow endpoint that plays sudoku by the oracle's line; returns its address and what it was asked."""
    pytest.importorskip("openai", reason="needs the openai client (pip install 'proofgym[api]')")
    model = Mover(n=6)
    asked: list[tuple[str, int]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            messages = body["messages"]
            if messages[0]["content"] == "Say yes.":
                text = "yes"
            else:
                asked.append((messages[0]["content"], len(messages)))
                time.sleep(0.02)
                text = model.lines[messages[0]["content"]][len(messages) // 2]
            choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            used = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
            raw = json.dumps({"id": "c", "object": "chat.completion", "choices": [choice], "usage": used}).encode()
            try:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)
            except OSError:
                pass

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's word
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1", asked
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_a_run_killed_with_sigkill_goes_on_and_asks_nothing_twice(
    served: tuple[str, list[tuple[str, int]]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url, asked = served
    command = [
        "eval", "Sudoku4Steps", "--model", f"api:m@{url}", "-n", "6", "--batch-size", "2", "--price", "1,2",
        "--run-dir", str(tmp_path / "run"),
    ]  # fmt: skip
    program = [sys.executable, "-m", "proofgym", *command]
    child = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ})
    until = time.monotonic() + 60
    while len(asked) < 12:
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < until
        time.sleep(0.005)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    time.sleep(0.1)  # requests under way are answered into nothing
    before = list(asked)
    assert cli.main([*command, "--resume"]) == 0
    after = asked[len(before) :]
    # Only the requests that were under way when the kill came, at most one an episode, can be asked again.
    assert len(set(before) & set(after)) <= 2
    assert len(set(before)) == len(before)
    assert len(set(after)) == len(after)
    printed = capsys.readouterr().out
    assert "1.000" in printed
    assert "tokens read" in printed
    found = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert (found["results"][0]["n"], found["total"]["unjudged"]) == (6, 0)
    turns = sum(len(episode.turns) for episode in episodes(tmp_path / "run", "Sudoku4Steps-v0"))
    assert found["total"]["cost_usd"] == pytest.approx(turns * (3 * 1 + 2 * 2) / 1e6)
    asked.clear()
    assert cli.main([*command, "--resume"]) == 0
    assert not asked


def test_an_endpoint_that_is_not_there_is_one_sentence_before_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("openai", reason="needs the openai client (pip install 'proofgym[api]')")
    folder = tmp_path / "run"
    command = [
        "eval",
        "Countdown",
        "--model",
        "api:m@http://127.0.0.1:9/v1",
        "--retries",
        "0",
        "--run-dir",
        str(folder),
    ]
    assert cli.main(command) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("proofgym: m at http://127.0.0.1:9/v1 could not be reached")
    assert printed.err.count("\n") == 1
    assert not folder.exists()
