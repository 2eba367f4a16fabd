"""The index of a file of episodes and the catalogue over it: right, cached, and answering as a plain loop would."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.bench import branches, figures, index, report, runs
from proofgym.bench.catalogue import Catalogue, Query
from proofgym.envs.trajectory import Trajectory, Turn, write
from proofgym.errors import BadInput
from proofgym.verifiers import Credit, Status, Verdict

VERDICTS = [
    None, Verdict.right("all follow"), Verdict.partial(0.5, "half follow"), Verdict.wrong("none"),
    Verdict.malformed("no number"), Verdict.limit("ran 10 s"), Verdict.limit("ran 10 s", 0.25),
]  # fmt: skip


def episode(item: int, **changes: Any) -> Trajectory:
    verdict = VERDICTS[item % len(VERDICTS)]
    reward = verdict.score if verdict else 0.0
    task = {"family": f"family {item % 3}", "fingerprint": f"{item // 2:032x}", "difficulty": (item % 11) / 10}
    turns = [
        Turn(f"Question {item}?\n\n  Say it.", f"ünd {item}", reward, [Credit(0, 3, reward, "step", "said")], verdict)
    ]
    made = Trajectory(f"proofgym/E{item % 2}-v0", task, 7, item // 2, item % 2, turns, "terminated")
    for key, value in changes.items():
        setattr(made, key, value)
    return made


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    episodes = [episode(n) for n in range(40)]
    episodes += [episode(n, end="unjudged", fault="the sandbox died") for n in range(40, 44)]
    write(tmp_path / "run/episodes/a.jsonl", episodes[:30])
    with (tmp_path / "run/episodes/a.jsonl").open("ab") as file:
        file.write(b'{"env": "half\n\xff\xfe\n[1]\n')
    write(tmp_path / "run/episodes/b.jsonl", episodes[30:])
    return tmp_path / "run"


def opened(run_dir: Path) -> Catalogue:
    return Catalogue.of(report.open_runs(run_dir))


def test_every_row_leads_to_its_episode_and_says_what_the_trajectory_says(run_dir: Path) -> None:
    catalogue = opened(run_dir)
    assert [found.broken for found in catalogue.indexes] == [3, 0]
    assert len(catalogue.rows) == 44
    for number in range(44):
        data, head = catalogue.read(number), catalogue.head(number)
        assert data is not None
        told = Trajectory.from_json(data)
        outcome = runs.outcome(told)
        assert head["label"] == outcome or (outcome == "wrong" and head["label"] in ("malformed", "limit"))
        assert head["reward"] == (None if math.isnan(told.reward) else told.reward)
        assert (head["env"], head["family"], head["level"]) == (told.env, told.task["family"], told.task["difficulty"])
        assert head["gist"] == f"Question {number}? Say it."
        assert catalogue.find(catalogue.name(number)) == number
        assert [catalogue.read(other)["index"] for other in catalogue.attempts(number)] == [told.index]  # type: ignore[index]


@pytest.mark.parametrize("name", ["", "1", "0.0.99", "9.0.0", "-1.0.0", "0.0.0x", "0.0.٣", "0" * 400, "../../etc"])
def test_a_name_of_no_episode_finds_none(run_dir: Path, name: str) -> None:
    assert opened(run_dir).find(name) is None


def test_the_kept_index_is_the_same_and_used_only_while_the_file_is(run_dir: Path) -> None:
    path = run_dir / "episodes/a.jsonl"
    first = index.load(path)
    kept = run_dir / ".view/a.npz"
    stamp = kept.stat().st_mtime_ns
    again = index.load(path)
    assert kept.stat().st_mtime_ns == stamp
    assert again.rows.tobytes() == first.rows.tobytes()
    assert [again.gist(n) for n in range(30)] == [first.gist(n) for n in range(30)]
    assert (again.envs, again.families, again.tasks, again.broken) == (
        first.envs, first.families, first.tasks, first.broken,
    )  # fmt: skip
    write(path, [episode(99)])
    assert len(index.load(path).rows) == 31
    text = path.read_bytes().replace(b"Question 5?", b"Question 6?")
    path.write_bytes(text)
    os.utime(path, ns=(1, 1))
    assert index.load(path).gist(5) == "Question 6? Say it."


def test_a_damaged_or_lying_kept_index_is_made_anew(run_dir: Path) -> None:
    path, kept = run_dir / "episodes/a.jsonl", run_dir / ".view/a.npz"
    whole = index.load(path)
    good = kept.read_bytes()
    for bad in (b"", b"PK\x03\x04", good[:500], good[:-40], bytes(1000)):
        kept.write_bytes(bad)
        assert index.load(path).rows.tobytes() == whole.rows.tobytes()
    for column, value in (("offset", -5), ("length", 10**12), ("env", 77), ("label", -3)):
        lying = index.build(path)
        lying.rows[column][3] = value
        index._keep(lying, kept)
        assert index.load(path).rows.tobytes() == whole.rows.tobytes()


def test_a_run_on_a_disk_that_cannot_be_written_is_read_all_the_same(run_dir: Path) -> None:
    (run_dir / ".view").write_text("a file where the folder would be")
    assert len(opened(run_dir).rows) == 44


def test_a_file_that_shrank_under_the_index_gives_nothing_instead_of_nonsense(run_dir: Path) -> None:
    catalogue = opened(run_dir)
    (run_dir / "episodes/b.jsonl").write_text("{}\n")
    assert catalogue.read(43) is None


QUERIES = st.builds(
    Query,
    run=st.sampled_from([-1, 0, 3]), file=st.sampled_from([-1, 0, 1]),
    labels=st.lists(st.sampled_from(index.LABELS), max_size=2).map(tuple),
    env=st.sampled_from(["", "proofgym/E1-v0", "nobody"]), family=st.sampled_from(["", "family 2"]),
    levels=st.sampled_from([None, (0.2, 0.5), (1.0, 1.0)]),
    text=st.sampled_from(["", "question 1", "ÜND", "sandbox DIED", "follow", 'half"', "  Say", "zzz"]),
    sort=st.sampled_from(["order", "reward", "level"]), descending=st.booleans(),
)  # fmt: skip


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    folder = tmp_path_factory.mktemp("shared")
    episodes = [episode(n) for n in range(40)] + [episode(n, end="unjudged", fault="the sandbox died") for n in (1, 2)]
    write(folder / "episodes/a.jsonl", episodes[:25])
    write(folder / "episodes/b.jsonl", episodes[25:])
    return Catalogue.of(report.open_runs(folder))


@given(QUERIES)
def test_a_query_finds_what_a_loop_over_all_episodes_finds(shared: Catalogue, query: Query) -> None:
    def fits(number: int) -> bool:
        head, data = shared.head(number), shared.read(number)
        assert data is not None
        words = query.text.strip().lower()
        texts = [data["fault"], *(t["observation"] + "\0" + t["action"] for t in data["turns"])]
        texts += [t["verdict"]["reason"] for t in data["turns"] if t["verdict"]]
        texts += [c[4] for t in data["turns"] for c in t["credits"]]
        return (
            query.run in (-1, 0) and query.file in (-1, int(head["id"].split(".")[1]))
            and (not query.labels or head["label"] in query.labels) and query.env in ("", head["env"])
            and query.family in ("", head["family"])
            and (not query.levels or query.levels[0] <= head["level"] <= query.levels[1])
            and (not words or any(words in text.lower() for text in texts))
        )  # fmt: skip

    found = shared.select(query).tolist()
    assert sorted(found) == [number for number in range(len(shared.rows)) if fits(number)]
    if query.sort == "order":
        assert found == sorted(found, reverse=query.descending)
    else:
        values = [shared.head(number)[query.sort] for number in found]
        known = [value for value in values if value is not None]
        assert known == sorted(known, reverse=query.descending)
        assert None not in values[: len(known)]


def test_a_query_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(BadInput, match="sorted by one of"):
        Query(sort="beauty")
    with pytest.raises(BadInput, match="an outcome is one of"):
        Query(labels=("glorious",))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(["env", "task", "seed", "end", "turns", "fault", "sample", "source"]), json_values)
def test_what_the_trajectory_refuses_is_no_episode(key: str, value: Any) -> None:
    data = {**episode(3).to_json(), key: value}
    if index.readable(data):
        Trajectory.from_json(json.loads(json.dumps(data)))
        assert index.label(data) in index.LABELS


@given(
    st.sampled_from(["observation", "action", "reward", "credits", "verdict", "action_ids", "nodes"]),
    st.sampled_from(["", "status", "score", "parts"]),
    json_values,
)
def test_a_turn_of_the_wrong_kind_is_no_episode(key: str, inside: str, value: Any) -> None:
    data = episode(2).to_json()
    if inside:
        data["turns"][0]["verdict"][inside] = value
    else:
        data["turns"][0][key] = value
    if index.readable(data):
        assert index.label(data) in index.LABELS
        assert isinstance(index.reward(data), float)


def test_keys_of_a_later_version_are_let_through_and_shown() -> None:
    from proofgym.bench.shown import shown

    data = episode(1).to_json()
    data["turns"][0] |= {"usage": {"prompt_tokens": 12}, "tool_calls": [{"name": "add"}], "mood": "good"}
    assert index.readable(data)
    turn = shown(data)["turns"][0]
    assert "12" in turn["usage"]
    assert "add" in turn["tool_calls"]


# Figures --------------------------------------------------------------------------------------------------------------


def test_figures_leave_unjudged_episodes_out_and_count_them(run_dir: Path) -> None:
    catalogue = opened(run_dir)
    found = figures.figures(catalogue, np.arange(44))
    assert (found["n"], found["unjudged"]) == (40, 4)
    scores = [verdict.score if (verdict := VERDICTS[n % 7]) else 0.0 for n in range(40)]
    assert found["mean"] == pytest.approx(sum(scores) / 40)
    assert found["solved"] == pytest.approx(sum(VERDICTS[n % 7] is VERDICTS[1] for n in range(40)) / 40)
    assert found["low"] < found["mean"] < found["high"]  # type: ignore[operator]


def test_breakdowns_add_up_to_the_whole(run_dir: Path) -> None:
    catalogue = opened(run_dir)
    for by, rows in (("family", 3), ("env", 2), ("level", 5)):
        found = figures.breakdown(catalogue, by)
        assert len(found) == rows
        assert sum(row["cells"][0]["n"] for row in found) == 40
        assert sum(row["cells"][0]["unjudged"] for row in found) == 4


def test_runs_are_compared_on_the_tasks_that_both_were_judged_on(tmp_path: Path) -> None:
    for name, better in (("a", 0), ("b", 1)):
        turns = [(n, Status.CORRECT if n % 3 <= better else Status.WRONG) for n in range(12 + 2 * better)]
        episodes = []
        for n, status in turns:
            score = float(status is Status.CORRECT)
            turn = Turn("?", "!", score, [Credit(0, 1, score, "answer")], Verdict(status, score))
            end: Any = "unjudged" if (name, n) == ("a", 5) else "terminated"
            episodes.append(Trajectory("proofgym/E-v0", {"fingerprint": f"{n}"}, 0, n, 0, [turn], end))
        write(tmp_path / name / "episodes/E.jsonl", episodes)
    catalogue = Catalogue.of(report.open_runs([tmp_path / "a", tmp_path / "b"]))
    (row,) = figures.compared(catalogue)
    assert (row["run"], row["name"], row["n"]) == (1, "E-v0", 11)
    assert row["solved"]["difference"] == pytest.approx(4 / 11)
    assert row["solved"]["low"] > 0 > -row["solved"]["p"]
    assert "Compared with a" in report.render(catalogue)


def test_two_runs_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for parent in ("x", "y"):
        write(tmp_path / parent / "run/episodes/a.jsonl", [episode(1)])
    names = [run.name for run in report.open_runs([tmp_path / "x/run", tmp_path / "y/run"])]
    assert names == ["run (1)", "run (2)"]


# Trees ----------------------------------------------------------------------------------------------------------------


def leaf(sample: int, nodes: list[list[int]], reward: float, *, item: int = 0, end: Any = "terminated") -> Trajectory:
    turns = [
        Turn("?", "abcdef"[: len(numbers)], 0.0, action_ids=numbers, nodes=numbers,
             token_ends=list(range(1, len(numbers) + 1)))
        for numbers in nodes
    ]  # fmt: skip
    turns[-1].reward = reward
    turns[-1].verdict = Verdict.right() if reward == 1 else Verdict.wrong("no")
    return Trajectory("proofgym/E-v0", {"fingerprint": str(item)}, 0, item, sample, turns, end)


def test_a_tree_is_put_together_from_its_leaves(tmp_path: Path) -> None:
    grown = [
        leaf(0, [[0, 0, 1], [1, 1]], 1.0), leaf(1, [[0, 0, 2], [2]], 0.0), leaf(2, [[0, 0, 1], [3]], 0.0),
        leaf(3, [[4]], 1.0, end="unjudged"),
    ]  # fmt: skip
    later = [leaf(0, [[0]], 1.0), leaf(1, [[1]], 1.0)]  # the same item asked again: another tree
    write(tmp_path / "episodes/train.jsonl", [*grown, leaf(0, [[0]], 1.0, item=1), *later])
    catalogue = opened(tmp_path)
    assert [catalogue.branches(n) for n in range(7)] == [[0, 1, 2, 3]] * 4 + [[4]] + [[5, 6]] * 2
    drawn = report.tree_of(catalogue, 2)
    assert drawn is not None
    root, *nodes = drawn["nodes"]
    assert (root["value"], root["leaves"]) == (pytest.approx(1 / 3), 4)
    by_text = {(node["text"], node["turn"]): node for node in nodes}
    assert by_text["ab", 0]["value"] == pytest.approx(1 / 3)
    assert by_text["c\nab", 0]["value"] == 0.5
    assert [leaf_["label"] for leaf_ in drawn["leaves"]] == ["solved", "wrong", "wrong", "unjudged"]
    assert sorted(leaf_["row"] for leaf_ in drawn["leaves"]) == [0, 1, 2, 3]
    assert all(node["parent"] < number for number, node in enumerate(drawn["nodes"]))


@given(st.lists(st.lists(st.lists(st.integers(-2, 6), max_size=6), min_size=1, max_size=3), max_size=6))
def test_any_numbering_of_nodes_makes_a_tree_or_none(numbers: list[list[list[int]]]) -> None:
    leaves = [(str(n), leaf(n, nodes, 0.5).to_json() | {"end": "truncated"}) for n, nodes in enumerate(numbers)]
    drawn = branches.tree(leaves)
    if drawn is not None:
        assert len(drawn["leaves"]) == len(numbers)
        for number, node in enumerate(drawn["nodes"][1:], start=1):
            assert 0 <= node["parent"] < number
            assert node["depth"] == drawn["nodes"][node["parent"]]["depth"] + 1
