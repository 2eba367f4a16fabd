"""Turtle programs: the grammar, and what a program does."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.envs.puzzles.answers import Unreadable
from proofgym.envs.puzzles.turtle_program import TurtleProgram, _actions, _parsed
from proofgym.errors import BadInput

ROW = {"board": ["@******"], "heading": "east", "most": 4, "solution": "repeat 6 [ f ]"}


def test_by_hand() -> None:
    puzzle = TurtleProgram.from_instance(ROW)
    for told in ("repeat 6 [ f ]", "REPEAT 2 { forward, forward; f }", "repeat 3 [f f]", "f repeat 5(f)"):
        assert puzzle.verify(f"Answer: {told}").correct, told
    for told in ("f f f f f f", "repeat 7 [ f ]", "repeat 5 [ f ]", "l repeat 6 [ f ]", "r r r r repeat 6 [ f ]"):
        assert puzzle.verify(f"Answer: {told}").status.value == "wrong", told
    for told in (
        "repeat [ f ]",
        "repeat 3 f",
        "repeat 3 [ f",
        "f ]",
        "",
        "repeat 100 [ f ]",
        "jump",
        "repeat 3 [ f ) )",
    ):
        assert puzzle.verify(f"Answer: {told}").status.value == "malformed", told


@pytest.mark.parametrize(
    ("program", "does"),
    [("f l", "fl"), ("repeat 2 [ f repeat 3 [ r ] ]", "frrrfrrr"), ("repeat 0 [ f ] l", "l"), ("repeat 9 [ ] f", "f")],
)
def test_what_a_program_does(program: str, does: str) -> None:
    assert "".join(_actions(_parsed(program))) == does


def test_no_program_runs_for_long() -> None:
    before = time.process_time()
    assert len(_actions(_parsed("repeat 99 [ " * 5 + "f" + " ]" * 5))) == 2001
    assert time.process_time() - before < 0.1
    with pytest.raises(Unreadable, match="deep"):
        _parsed("repeat 99 [ " * 6 + "f" + " ]" * 6)


@given(st.text(alphabet="flr repeat123[](){},;", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        program = _parsed(text)
    except Unreadable:
        return
    assert len(_actions(program)) <= 2001


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"solution": "f"}, "marks are left"),
        ({"solution": "fly"}, "no program"),
        ({"most": 6}, "more marks than commands"),
        ({"board": ["******"]}, "one turtle"),
        ({"heading": "up"}, "heading"),
    ],
)
def test_instances_that_are_none_are_refused(change: dict[str, object], why: str) -> None:
    with pytest.raises(BadInput, match=why):
        TurtleProgram.from_instance({**ROW, **change})
    with pytest.raises(BadInput, match="brings a 'solution'"):
        TurtleProgram.from_instance({key: value for key, value in ROW.items() if key != "solution"})
