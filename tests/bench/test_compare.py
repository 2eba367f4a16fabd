"""Two runs are compared on what they share, and what they do not share is said."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats

from proofgym import __main__ as cli
from proofgym.bench import compare
from proofgym.bench.compare import compare_rows
from proofgym.bench.leaderboard import leaderboard
from proofgym.bench.rows import Row, Writer
from proofgym.envs.trajectory import Trajectory, Turn
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict


def row(index: int, reward: float, *, sample: int = 0, env: str = "e", task: str = "", **more: Any) -> Row:
    status = "unjudged" if math.isnan(reward) else "correct" if reward == 1.0 else "wrong"
    fields = {"family": "f", "difficulty": 0.5, **more}
    return Row(
        env, 0, index, sample, task or f"t{index}", fields["family"], fields["difficulty"], status, reward, 1, 0, 0,
        math.nan, "",
    )  # fmt: skip


def test_the_difference_is_scipys_paired_test_over_task_means() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 40, 3))
    rows_a = [row(i, a[i, s], sample=s) for i in range(40) for s in range(3)]
    rows_b = [row(i, b[i, s], sample=s) for i in range(40) for s in range(2)]  # fewer attempts
    found = compare_rows(rows_a, rows_b).overall
    x, y = a.mean(axis=1), b[:, :2].mean(axis=1)
    theirs = scipy.stats.ttest_rel(y, x)
    assert found.paired is not None
    assert found.paired.p == pytest.approx(theirs.pvalue)
    assert found.paired.difference == pytest.approx(float((y - x).mean()))
    interval = theirs.confidence_interval(0.95)
    assert (found.paired.low, found.paired.high) == pytest.approx((interval.low, interval.high))
    assert found.paired.effect == pytest.approx(float((y - x).mean() / (y - x).std(ddof=1)))
    assert (found.better, found.worse) == (int((y > x).sum()), int((y < x).sum()))
    assert found.more_tasks is not None
    assert found.more_tasks > 1000
    assert "more tasks" in found.sentence()


def test_what_is_not_shared_is_counted_and_not_compared() -> None:
    a = [row(i, 0.0) for i in range(10)] + [row(20, 1.0, task="old"), row(21, float("nan")), row(22, 1.0)]
    b = [row(i, float(i % 2)) for i in range(10)] + [row(20, 0.0, task="new"), row(21, 1.0), row(30, 0.0), row(31, 0.0)]
    found = compare_rows(a, b)
    assert found.overall.tasks == 10
    assert found.unmatched == {
        "the same item is another task in the other run": 1, "only in A": 1, "only in B": 2,
        "unjudged in one run or both": 1,
    }  # fmt: skip
    with pytest.raises(BadInput, match=r"share no task .*only in A: 1"):
        compare_rows([row(0, 1.0)], [row(1, 1.0)])
    with pytest.raises(BadInput, match="unjudged in one run or both: 1"):
        compare_rows([row(0, float("nan"))], [row(0, 1.0)])


def test_an_unjudged_attempt_is_no_zero() -> None:
    a = [row(i, 1.0) for i in range(4)]
    b = [row(i, value, sample=s) for i in range(4) for s, value in enumerate((1.0, float("nan")))]
    found = compare_rows(a, b).overall
    assert (found.a, found.b, found.better, found.worse) == (1.0, 1.0, 0, 0)
    assert "score the same" in found.sentence()


def test_parts_are_by_environment_family_and_level() -> None:
    a = [row(i, 0.0, env=e, family=f"f{i % 2}", difficulty=(i % 4) / 4) for e in ("x", "y") for i in range(20)]
    b = [row(i, float(e == "x" and i % 2), env=e, family=f"f{i % 2}", difficulty=(i % 4) / 4)
         for e in ("x", "y") for i in range(20)]  # fmt: skip
    found = compare_rows(a, b)
    assert {env: part.b for env, part in found.by_env.items()} == {"x": 0.5, "y": 0.0}
    assert found.by_family["x: f1"].b == 1.0
    assert sum(part.tasks for part in found.by_level.values()) == 40
    assert json.loads(json.dumps(found.to_json(), allow_nan=False))["by_env"]["x"]["paired"]["tasks"] == 20


def write(folder: Path, rewards: list[float], model: str = "m", first: int = 0) -> Path:
    folder.mkdir(parents=True)
    config = {"kind": "eval", "settings": {"model": model}}
    (folder / "config.json").write_text(json.dumps(config))
    writer = Writer(folder / "episodes" / "E-v0.jsonl")
    for index, reward in enumerate(rewards, start=first):
        verdict = Verdict.right() if reward == 1.0 else Verdict.wrong("no")
        turn = Turn("q", "a", reward, verdict=verdict)
        writer.add(Trajectory("proofgym/E-v0", {"fingerprint": f"{index}"}, 0, index, 0, [turn], "terminated"))
    writer.close()
    return folder


def test_runs_on_disk_are_compared_and_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = write(tmp_path / "a", [0.0, 1.0] * 20)
    b = write(tmp_path / "b", [1.0, 1.0, 0.0, 1.0] * 11)
    assert compare(a, b).overall.better == 10
    assert cli.main(["compare", str(a), str(b)]) == 0
    printed = capsys.readouterr().out
    for said in ("E-v0", "+0.250", "p = ", "95 % interval", "not compared: 4 tasks, only in"):
        assert said in printed.replace("\n", " ")
    assert cli.main(["compare", str(a), str(b), "--json", "--metric", "solved"]) == 0
    assert json.loads(capsys.readouterr().out)["overall"]["tasks"] == 40
    assert cli.main(["compare", str(a), str(tmp_path / "c")]) == 2
    assert "there is no such directory" in capsys.readouterr().err
    assert cli.main(["compare", str(a), str(b), "--metric", "taste"]) == 2
    assert "reward or solved" in capsys.readouterr().err


def test_the_leaderboard_orders_runs_and_calls_only_real_differences_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(1)
    luck = rng.random(60)
    for name, share in (("weak", 0.3), ("strong", 0.8), ("twin", 0.8)):
        write(tmp_path / "deep" / name, [float(u < share) for u in (luck if name != "twin" else rng.random(60))], name)
    write(tmp_path / "else", [1.0] * 5, "elsewhere", first=500)
    (tmp_path / "train" / "episodes").mkdir(parents=True)
    (tmp_path / "train" / "config.json").write_text('{"kind": "train"}')
    (tmp_path / "train" / "episodes" / "before.jsonl").write_text("")
    half = write(tmp_path / "half", [0.0, 1.0])
    with (half / "episodes" / "E-v0.jsonl").open("a") as file:
        file.write('{"env": "proofg')
    (half / "config.json").write_text("{")
    found = leaderboard(tmp_path)
    entries = {entry.run: entry for entry in found.envs["proofgym/E-v0"]}
    assert next(iter(entries)) == "else"
    assert "deep/weak" in entries["deep/strong"].beats
    assert "deep/twin" not in entries["deep/strong"].beats
    assert not entries["deep/weak"].beats
    assert "deep/weak" in entries["else"].uncompared
    assert any("1 damaged line of E-v0.jsonl" in problem for problem in found.problems)
    assert any("config.json is missing or damaged" in problem for problem in found.problems)
    page = tmp_path / "board.html"
    assert cli.main(["leaderboard", str(tmp_path), "--html", str(page)]) == 0
    printed = capsys.readouterr().out
    assert "deep/strong" in printed
    assert "shares no tasks with" in printed
    assert "deep/strong" in page.read_text()
    assert cli.main(["leaderboard", str(tmp_path), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["envs"]) == {"proofgym/E-v0"}
    assert cli.main(["leaderboard", str(tmp_path / "none")]) == 2
    assert "no such directory" in capsys.readouterr().err
