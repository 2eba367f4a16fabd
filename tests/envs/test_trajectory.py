"""The trajectory format: what is written is read, and a damaged line costs that line only."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proofgym.envs.trajectory import Lines, Trajectory, Turn, read, write
from proofgym.errors import BadInput
from proofgym.verifiers import Credit, Verdict

text = st.text(st.characters(), max_size=20)  # line separators and surrogates included
number = st.floats(allow_nan=False, allow_infinity=False, width=32)
ids = st.lists(st.integers(0, 2**17), max_size=5)


@st.composite
def credits_(draw: st.DrawFn) -> Credit:
    start = draw(st.integers(0, 50))
    return Credit(start, start + draw(st.integers(0, 50)), draw(number), draw(text), draw(text))


verdicts = st.one_of(
    st.none(),
    st.builds(lambda reason: Verdict.right(reason, a=1.0), text),
    st.builds(lambda score, reason: Verdict.partial(score, reason), st.floats(0, 0.99), text),
    st.builds(Verdict.malformed, text),
)
turns = st.builds(
    Turn, text, text, number, st.lists(credits_(), max_size=3), verdicts, ids, ids, st.lists(number, max_size=5), ids,
    st.integers(0, 99), st.booleans(),
)  # fmt: skip
episodes = st.builds(
    Trajectory, text, st.dictionaries(text, st.one_of(text, number)), st.integers(0, 2**40), st.integers(0, 2**20),
    st.integers(0, 64), st.lists(turns, max_size=3), st.sampled_from(["terminated", "truncated", "unjudged"]), text,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(episodes, max_size=4))
def test_what_is_written_is_read(tmp_path: Path, written: list[Trajectory]) -> None:
    path = tmp_path / "e.jsonl"
    path.unlink(missing_ok=True)
    write(path, written)
    assert read(path) == (written, [])


@pytest.mark.parametrize(
    "damaged", ['{"env": "x"', "{}", "[]", "null", "3", "", '{"end": "won"}', "\x00", "[" * 99999, '{"turns": 5}']
)
def test_a_damaged_line_costs_that_line_only(tmp_path: Path, damaged: str) -> None:
    path = tmp_path / "e.jsonl"
    whole = Trajectory("e", {"id": "t"}, 1, 2, turns=[Turn("ask", "say", 0.5)])
    path.write_text(f"{whole.line()}\n{damaged}\n{whole.line()}\n", encoding="utf-8")
    assert read(path) == ([whole, whole], [2])


def test_a_half_written_last_line_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    whole = Trajectory("e", {}, 1, 2)
    path.write_text(f"{whole.line()}\n{whole.line()[:-9]}", encoding="utf-8")
    lines = Lines(path)
    assert list(lines) == [whole]
    assert lines.broken == [2]


def test_bytes_that_are_no_text_cost_their_line_only(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    whole = Trajectory("e", {}, 1, 2)
    path.write_bytes(whole.line().encode() + b"\n\xff\xfe\xfa\n" + whole.line().encode() + b"\n")
    assert read(path) == ([whole, whole], [2])


def test_numbers_that_are_not_finite_are_not_written() -> None:
    with pytest.raises(ValueError, match="JSON"):
        Trajectory("e", {}, 1, 2, turns=[Turn("", "", math.nan)]).line()


def test_an_unjudged_episode_has_no_reward() -> None:
    turn = Turn("", "", 0.25, verdict=Verdict.right())
    assert Trajectory("e", {}, 0, 0, turns=[turn, turn], end="terminated").reward == 0.5
    assert math.isnan(Trajectory("e", {}, 0, 0, turns=[turn], end="unjudged").reward)
    assert Trajectory("e", {}, 0, 0, turns=[turn, Turn("", "", 0.0)]).verdict == Verdict.right()


def test_unknown_fields_are_refused_with_their_name() -> None:
    data = Trajectory("e", {}, 0, 0).to_json()
    with pytest.raises(BadInput, match="colour"):
        Trajectory.from_json({**data, "colour": 1})
