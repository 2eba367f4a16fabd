"""A person at the keyboard: numbers, hints, several lines, leaving; and the card that `show` prints."""

from __future__ import annotations

import io
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import proofgym
from proofgym.bench import show
from proofgym.bench.play import play
from proofgym.envs import trajectory
from proofgym.envs.base import TurnResult, VerifiableEnv
from proofgym.envs.registry import EnvEntry
from proofgym.envs.wrappers import RecordEpisodes
from proofgym.errors import Unjudged
from proofgym.verifiers import Credit, Verdict


class Doors(VerifiableEnv):
    """Asks which door to open.

    Action: the name of a door,
    or a speech of two lines.
    """

    family, floor, default_max_turns = "doors", 0.5, 3

    def generate(self, rng: Any) -> dict[str, Any]:
        return {"n": int(rng.integers(1000))}

    def begin(self, instance: Any) -> str:
        self.seen: list[str] = []
        return "Doors: left\x1b[31m, right"

    def turn(self, action: str) -> TurnResult:
        self.seen.append(action)
        if action == "break":
            raise Unjudged("the judge fell ill")
        credits_ = [Credit(0, len(action), 0.25 if action == "right" else -0.5, "door", "a [draught]")]
        return TurnResult("Open.", credits_, Verdict.right("through") if action == "right" else None, action == "right")

    def save(self) -> dict[str, Any]:
        return {"seen": self.seen}

    def load(self, data: Any) -> None:
        self.seen = list(data["seen"])

    def oracle(self) -> str:
        return "right"

    def admissible(self) -> list[str]:
        return ["left [hinge]", "right"]


def lines(*typed: str) -> Callable[[str], str]:
    feed: Iterator[str] = iter(typed)

    def read(prompt: str) -> str:
        try:
            return next(feed)
        except StopIteration:
            raise EOFError from None

    return read


def game(*typed: str) -> tuple[float | None, str, Doors]:
    out = io.StringIO()
    env = Doors()
    return play(env, read=lines(*typed), console=Console(file=out, width=100)), out.getvalue(), env


def test_a_number_picks_from_the_list_and_a_hint_costs_nothing() -> None:
    earned, printed, env = game("?", "1", "", "2")
    assert env.seen == ["left [hinge]", "right"]
    assert earned == pytest.approx(-0.25)
    for said in ("1 left [hinge]", "2 right", "the expert plays  right", "a [draught]", "correct", "through", "-0.25"):
        assert said in printed
    assert "\x1b[31m" not in printed


def test_several_lines_are_one_answer() -> None:
    _, _, env = game('"""', "one", "  two", '"""', ":quit")
    assert env.seen == ["one\n  two"]


@pytest.mark.parametrize("typed", [(":quit",), (), (":help", ":nonsense"), ('"""', "unfinished")])
def test_leaving_early_earns_nothing_and_plays_nothing(typed: tuple[str, ...]) -> None:
    earned, printed, env = game(*typed)
    assert earned is None
    assert env.seen == []
    assert "left after" in printed


def test_a_move_is_taken_back_exactly_and_told_at_the_end() -> None:
    earned, printed, _ = game("left", ":undo", ":undo", ":score", "right")
    assert earned == pytest.approx(0.25)
    for said in ("taken back; +0 so far", "there is no move to take back", "with 1 undo"):
        assert said in printed


def test_moves_taken_back_are_not_recorded(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    for typed in (("left", ":undo", "right"), ("left", ":undo", "left", ":quit")):
        play(RecordEpisodes(Doors(), path), read=lines(*typed), console=Console(file=io.StringIO()))
    won, left = trajectory.read(path)[0]
    assert [turn.action for turn in won.turns] == ["right"]
    assert ([turn.action for turn in left.turns], left.end) == (["left"], "truncated")


def test_a_backslash_plays_what_looks_like_a_command() -> None:
    _, printed, env = game("\\:quit", "\\2", ":nonsense", "\\\\", ":quit")
    assert env.seen == [":quit", "2", "\\"]
    assert "there is no command ':nonsense'" in printed


class Corridor(Doors):
    """Doors beyond what a screen holds."""

    def admissible(self) -> list[str]:
        return [f"door {n}" for n in range(1, 101)]


def test_a_long_list_comes_in_pages_and_can_be_searched() -> None:
    out = io.StringIO()
    env = Corridor()

    def read(prompt: str) -> str:
        out.write("\f")  # a page for each answer
        return next(typed)

    typed = iter([":more", ":more", ":more", ":list 77", ":list xyz", "77", ":quit"])
    play(env, read=read, console=Console(file=out))
    first, second, third, again, found, none, _, _ = out.getvalue().split("\f")
    assert "door 40" in first
    assert "door 41" not in first
    assert "60 more" in first
    assert "door 80" in second
    assert "100 door 100" in third
    assert "more" not in third
    assert "door 40" in again
    assert found.split() == ["77", "door", "77"]
    assert "no move holds 'xyz'; there are 100" in none
    assert env.seen == ["door 77"]


def test_without_colours_credits_are_marked_with_signs() -> None:
    _, printed, _ = game("left", "right")
    assert "{-left-}" in printed
    assert "{+right+}" in printed
    coloured = io.StringIO()
    console = Console(file=coloured, force_terminal=True, color_system="standard")
    play(Doors(), read=lines("right"), console=console)
    assert "{+" not in coloured.getvalue()
    assert "\x1b[" in coloured.getvalue()


@given(
    st.lists(st.text(max_size=12) | st.sampled_from(["9" * 6000, "٣", "²", ":", ":list [x", "?", ":undo", '"""', "\\"]))
)
def test_no_input_breaks_the_game(typed: list[str]) -> None:
    out = io.StringIO()
    try:
        play(Doors(), read=lines(*typed), console=Console(file=out))
    except Unjudged:
        assert "break" in typed
    out.getvalue().encode()


def test_bytes_that_are_no_text_are_said_to_be_so() -> None:
    typed = iter([b"\xff", b"right"])
    out = io.StringIO()
    assert play(Doors(), read=lambda _: next(typed).decode(), console=Console(file=out)) == 0.25
    assert "no text in this terminal's encoding" in out.getvalue()


def test_ctrl_c_tells_what_was_earned() -> None:
    typed = iter(["left"])

    def read(prompt: str) -> str:
        try:
            return next(typed)
        except StopIteration:
            raise KeyboardInterrupt from None

    out = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        play(Doors(), read=read, console=Console(file=out))
    assert "left after -0.5" in out.getvalue()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_in_a_terminal_tab_completes_a_move_and_ctrl_d_leaves() -> None:
    import pty

    main, side = pty.openpty()
    environ = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"}
    command = [sys.executable, "-m", "proofgym", "play", "Household"]
    with subprocess.Popen(command, stdin=side, stdout=side, stderr=side, env=environ, close_fds=True) as game_:
        os.close(side)
        seen = b""

        def until(said: bytes) -> None:
            nonlocal seen
            while said not in seen:
                ready, _, _ = select.select([main], [], [], 120)
                assert ready, f"waited for {said!r}, saw {seen!r}"
                seen += os.read(main, 4096)
            seen = seen.split(said, 1)[1]  # what comes after stays: one read may bring the next prompt too

        until(b"> ")
        os.write(main, b"inv\t\n")
        until(b"You are not carrying anything")
        until(b"> ")
        os.write(main, b"\x04")
        until(b"left after")
        assert game_.wait(20) == 0
    os.close(main)


def test_running_out_of_turns_ends_the_game() -> None:
    earned, printed, _ = game("3", "left", "left", "never asked")
    assert earned == pytest.approx(-1.5)
    assert "not finished within 3 turns" in printed


def test_a_fault_is_no_score() -> None:
    with pytest.raises(Unjudged):
        game("break")


def test_an_environment_without_an_expert_can_be_played() -> None:
    class Echo(gymnasium.Env[str, str]):
        def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[str, dict[str, Any]]:
            super().reset(seed=seed)
            return "say", {}

        def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
            return action, 1.0, True, False, {}

    out = io.StringIO()
    assert play(Echo(), read=lines("?", "hello"), console=Console(file=out)) == 1.0
    assert "no fork()" in out.getvalue() or "no expert" in out.getvalue()
    assert "total +1" in out.getvalue()


def test_card_of_every_environment_prints() -> None:
    for entry in proofgym.list_envs():
        if entry.id.startswith(("proofgym/GSM8K", "proofgym/MathDataset")) or entry.needs:
            continue  # fetches a data set, or somebody's engine
        out = io.StringIO()
        card = show.card(entry.id, seed=1)
        show.show(card, Console(file=out, width=100))
        assert entry.id in out.getvalue()
        assert not card.trouble
        assert sum(turn.reward for turn in card.turns) == pytest.approx(1.0)
        assert "correct" in out.getvalue()


def test_card_of_an_environment_that_cannot_be_made_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EnvEntry("proofgym/Doors-v0", f"{__name__}:Doors", "worlds", "Doors.", needs=("keys",))
    monkeypatch.setattr(show, "find", lambda name: entry)

    def broken(name: str, **rest: Any) -> Any:
        raise proofgym.errors.MissingExtra("keys is not installed; `pip install 'proofgym[keys]'` brings it")

    monkeypatch.setattr(show, "make", broken)
    monkeypatch.setattr("importlib.import_module", lambda name: __import__("types").SimpleNamespace(Doors=Doors))
    out = io.StringIO()
    show.show(show.card("Doors"), Console(file=out, width=100))
    assert "Action: the name of a door, or a speech of two lines." in out.getvalue()
    assert "no example: keys is not installed" in out.getvalue()
