"""Rows say what the episodes say, whether they come from memory, from lines or from the index."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofgym.bench import rows
from proofgym.bench.summary import summarise
from proofgym.envs import trajectory
from proofgym.envs.trajectory import Trajectory, Turn
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

verdicts = st.sampled_from([None, Verdict.right(), Verdict.wrong("no"), Verdict.partial(0.5, "half")])
turns = st.builds(
    Turn, st.text(max_size=5), st.text(max_size=5), st.floats(-2, 2), verdict=verdicts,
    action_ids=st.lists(st.integers(0, 99), max_size=4), prompt_ids=st.lists(st.integers(0, 99), max_size=4),
    usage=st.sampled_from([{}, {"prompt_tokens": 5, "completion_tokens": 2}, {"prompt_tokens": 1, "cost_usd": 0.5}]),
)  # fmt: skip
some = st.builds(
    Trajectory, st.just("e"), st.sampled_from([{}, {"fingerprint": "ab", "family": "f", "difficulty": 0.25}]),
    st.integers(0, 3), st.integers(0, 99), st.integers(0, 3), st.lists(turns, max_size=3),
    st.sampled_from(["terminated", "truncated", "unjudged"]), st.sampled_from(["", "gone \ud800", "x" * 999]),
)  # fmt: skip


def same(a: list[rows.Row], b: list[rows.Row]) -> bool:
    return repr(a) == repr(b)  # nan is itself there


@settings(max_examples=25)
@given(st.lists(some, max_size=6))
def test_a_row_is_its_episode_wherever_it_comes_from(tmp_path_factory: Any, episodes: list[Trajectory]) -> None:
    path = tmp_path_factory.mktemp("run") / "e.jsonl"
    writer = rows.Writer(path)
    written = [writer.add(episode) for episode in episodes]
    writer.close()
    indexed = rows.read(path)
    rows.index_path(path).unlink()
    read = rows.read(path)
    assert same(written, indexed.rows)
    assert same(written, read.rows)
    for row, episode in zip(read.rows, episodes, strict=True):
        assert row.place == (episode.seed, episode.index, episode.sample)
        assert row.unjudged == episode.unjudged
        assert episode.unjudged or math.isclose(row.reward, episode.reward)
        verdict = episode.verdict
        assert row.solved == (not episode.unjudged and verdict is not None and verdict.correct)
        assert rows.episode_at(path, row) == episode


def test_text_that_looks_like_tokens_is_text_and_long_lines_count_their_tokens(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    text = '{"action_ids":[1,2,3],"prompt_ids":[' + "\\" * 3 + '"],"logprobs":[]}' * 50
    turns = [
        Turn(text, text, 0.5, action_ids=list(range(400)), logprobs=[-0.5] * 400, prompt_ids=[7]),
        Turn("", "", 0.0),
    ]
    trajectory.write(path, [Trajectory("e", {"family": text}, 0, 1, 0, turns, "terminated")])
    line = path.read_text()
    path.write_text(line + json.dumps(json.loads(line)) + "\n")  # somebody else's spelling
    for row in rows.read(path).rows:
        assert (row.tokens, row.prompt_tokens, row.family, row.reward) == (400, 1, text, 0.5)


def episode(index: int, reward: float = 1.0, **more: Any) -> Trajectory:
    turn = Turn("q", "a", reward, verdict=Verdict.right() if reward == 1.0 else Verdict.wrong("no"))
    return Trajectory("e", {"fingerprint": f"t{index}", **more}, 0, index, 0, [turn], "terminated")


def test_a_damaged_line_costs_itself_and_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    trajectory.write(path, [episode(i) for i in range(6)])
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = b"\xff\xfe\n"
    lines[2] = b'{"env": "e"}\n'
    lines[3] = b"[" * 100_000 + b"\n"
    lines[5] = lines[5][:30]
    path.write_bytes(b"".join(lines))
    for _ in range(2):  # read, then from the index
        found = rows.read(path)
        assert [row.index for row in found.rows] == [0, 4]
        assert found.broken == 4
    assert rows.episode_at(path, found.rows[1]).index == 4


@pytest.mark.parametrize(
    "change",
    [
        {"seed": "0"}, {"index": 1.5}, {"end": "lost"}, {"task": []}, {"turns": {}}, {"turns": [{"reward": "1"}]},
        {"turns": [{}]}, {"turns": [[]]}, {"env": None},
        {"turns": [{"reward": float("nan"), "prompt_ids": [], "action_ids": []}]},
        {"turns": [{"reward": 1e300, "prompt_ids": [], "action_ids": []}]}, {"seed": True},
    ],
)  # fmt: skip
def test_a_field_of_the_wrong_kind_is_no_episode(change: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="not an episode"):
        rows.row_of({**episode(0).to_json(), **change})


def test_an_index_of_yesterday_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    trajectory.write(path, [episode(0)])
    assert len(rows.read(path).rows) == 1
    trajectory.write(path, [episode(1)])
    assert len(rows.read(path).rows) == 2
    raw = path.read_bytes().replace(b'"reward":1.0', b'"reward":0.0')
    path.write_bytes(raw)  # as long as before
    os.utime(path, ns=(1, 1))
    assert [row.reward for row in rows.read(path).rows] == [0.0, 0.0]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"version": 1}', b"\xff"])
def test_a_damaged_index_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "e.jsonl"
    trajectory.write(path, [episode(i) for i in range(3)])
    rows.read(path)
    good = rows.index_path(path).read_bytes()
    rows.index_path(path).write_bytes(damage)
    assert len(rows.read(path).rows) == 3
    assert rows.index_path(path).read_bytes() == good
    data = json.loads(good)
    data["columns"]["reward"][1] = "many"
    rows.index_path(path).write_text(json.dumps(data))
    assert [row.reward for row in rows.read(path).rows] == [1.0, 1.0, 1.0]


def test_a_folder_that_cannot_be_written_is_read_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "e.jsonl"
    trajectory.write(path, [episode(0)])

    def refuse(*arguments: Any, **more: Any) -> Any:
        raise PermissionError

    monkeypatch.setattr(Path, "write_text", refuse)
    assert len(rows.read(path).rows) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_not_there_is_said() -> None:
    with pytest.raises(BadInput, match="does not exist"):
        rows.read(Path("nowhere.jsonl"))


def test_families_levels_and_faults_are_told_apart() -> None:
    lost = Trajectory("e", {"fingerprint": "z", "family": "f0", "difficulty": 0.9}, 0, 99, 0, [], "unjudged", "gone")
    played = [episode(i, float(i % 2), family=f"f{i % 3}", difficulty=i / 12) for i in range(12)]
    found = summarise("e", rows.of_episodes([*played, lost]))
    assert (found.n, found.unjudged, found.mean, found.faults) == (12, 1, 0.5, {"gone": 1})
    assert sum(part.n for part in found.by_family.values()) == sum(part.n for part in found.by_level.values()) == 12
    assert found.by_family["f0"].unjudged == found.by_level["0.8-1.0"].unjudged == 1
    assert found.more_tasks is not None
    assert found.more_tasks > 1000
    nothing = summarise("e", [])
    assert (nothing.n, nothing.mean, nothing.pass_at) == (0, None, {})
