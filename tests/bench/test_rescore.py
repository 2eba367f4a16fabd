"""Stored episodes are judged anew without a model: what flips, who was right, and what can no longer be judged."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from proofgym import __main__ as cli
from proofgym.bench.evaluate import evaluate
from proofgym.bench.rescore import rescore
from proofgym.envs import trajectory
from proofgym.envs.trajectory import Trajectory
from proofgym.errors import BadInput, Unjudged
from proofgym.verifiers import Verdict

QUIET = Console(quiet=True)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    evaluate(["Countdown"], "oracle", n=10, run_dir=folder, console=QUIET, env_kwargs={"level": 0.3})
    return folder


def episodes(folder: Path, name: str = "Countdown-v0") -> list[Trajectory]:
    return trajectory.read(folder / "episodes" / f"{name}.jsonl")[0]


def test_a_replay_in_an_unchanged_environment_flips_nothing(run: Path, tmp_path: Path) -> None:
    found = rescore(run)
    assert (found.episodes, found.flips, found.newly_unjudged, found.broken) == (10, [], 0, 0)
    assert found.paired is not None
    assert (found.paired.difference, found.paired.p) == (0.0, 1.0)
    assert [e.line() for e in episodes(found.run_dir)] == [e.line() for e in episodes(run)]
    assert found.run_dir == tmp_path.resolve() / "run-rescored-1"
    assert json.loads((found.run_dir / "config.json").read_text())["rescored"]["verifier"] == "env"
    assert rescore(run).run_dir.name == "run-rescored-2"


def test_it_shows_how_far_it_is(run: Path) -> None:
    shown = io.StringIO()
    rescore(run, console=Console(file=shown, width=80))
    assert "Countdown-v0" in shown.getvalue()
    assert "100%" in shown.getvalue()


def test_episodes_of_many_turns_are_replayed_turn_by_turn(tmp_path: Path) -> None:
    evaluate(["Sudoku4Steps"], "random", n=4, run_dir=tmp_path / "run", console=QUIET)
    found = rescore(tmp_path / "run")
    assert not found.flips
    assert [e.line() for e in episodes(found.run_dir, "Sudoku4Steps-v0")] == [
        e.line() for e in episodes(tmp_path / "run", "Sudoku4Steps-v0")
    ]


def test_a_changed_verdict_is_a_flip_and_labels_say_who_was_right(run: Path, tmp_path: Path) -> None:
    path = run / "episodes" / "Countdown-v0.jsonl"
    stored = episodes(run)
    for episode in stored[:3]:  # an old verifier that was wrong about three
        turn = episode.turns[-1]
        turn.verdict, turn.reward, turn.credits = Verdict.wrong("the old one did not like it"), 0.0, []
    path.write_text("".join(episode.line() + "\n" for episode in stored) + '{"env": "half')
    labels = tmp_path / "labels.jsonl"
    told = [{"env": "proofgym/Countdown-v0", "seed": 0, "index": i, "sample": 0, "correct": i != 1} for i in range(6)]
    labels.write_text("".join(json.dumps(label) + "\n" for label in told))
    found = rescore(run, labels=labels)
    assert [(flip.index, flip.solved, flip.right) for flip in found.flips] == [
        (0, True, "after"), (1, True, "before"), (2, True, "after"),
    ]  # fmt: skip
    flip = found.flips[0]
    assert flip.before is not None
    assert flip.after is not None
    assert flip.before["reason"] == "the old one did not like it"
    assert flip.after["status"] == "correct"
    assert found.paired is not None
    assert found.paired.difference == pytest.approx(0.3)
    assert (found.agreement["before"].mean, found.agreement["after"].mean) == (
        pytest.approx(4 / 6),
        pytest.approx(5 / 6),
    )
    assert found.broken == 1


def test_a_verifier_of_ones_own_sees_the_task_and_its_content(run: Path) -> None:
    seen: list[Mapping[str, Any]] = []

    def judge(task: Mapping[str, Any], answer: str) -> Verdict:
        seen.append(task)
        if task["index"] == 0:
            raise Unjudged("no opinion")
        if task["index"] == 1:
            raise ZeroDivisionError("oops")
        if task["index"] == 2:
            return 1.0  # type: ignore[return-value]
        return Verdict.partial(0.5, "half") if task["index"] % 2 else Verdict.right()

    found = rescore(run, judge)
    assert found.newly_unjudged == 3
    assert set(found.faults) == {
        "no opinion", "the verifier failed (ZeroDivisionError: oops)",
        "the verifier returned a float, not a Verdict",
    }  # fmt: skip
    assert found.paired is not None
    assert found.paired.n == 7
    new = episodes(found.run_dir)
    assert [e.reward for e in new[3:]] == [0.5, 1.0, 0.5, 1.0, 0.5, 1.0, 0.5]
    assert {"instance", "question", "fingerprint", "env", "seed", "index"} <= set(seen[0])
    assert seen[4]["question"] == new[4].turns[0].observation


def test_tasks_that_changed_are_unjudged_and_never_wrong(run: Path) -> None:
    config = json.loads((run / "config.json").read_text())
    config["settings"]["env_kwargs"]["level"] = 0.9
    (run / "config.json").write_text(json.dumps(config))
    found = rescore(run)
    assert (found.newly_unjudged, found.flips) == (10, [])
    assert set(found.faults) == {"the item is another task today"}
    assert found.results[0].mean is None
    config["settings"]["env_kwargs"] = {"nonsense": 1}
    (run / "config.json").write_text(json.dumps(config))
    again = rescore(run)
    assert again.newly_unjudged == 10
    assert all("cannot be made" in why for why in again.faults)


def test_an_episode_whose_model_was_lost_stays_unjudged(tmp_path: Path) -> None:
    from proofgym.chat import ModelUnavailable, Reply

    class Lost:
        name = "lost"
        lock = threading.Lock()

        def complete(self, messages: Any, **options: Any) -> Reply:
            if len(messages) > 2:
                raise ModelUnavailable("gone")
            return Reply("r1c1=1")

    evaluate(["Sudoku4Steps"], Lost(), n=3, run_dir=tmp_path / "run", console=QUIET)
    for verifier in ("env", lambda task, answer: Verdict.right()):
        found = rescore(tmp_path / "run", verifier)  # type: ignore[arg-type]
        assert (found.faults, found.newly_judged) == ({"gone": 3}, 0)


def test_the_command_prints_flips_and_refuses_what_it_cannot_use(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text(
        "from proofgym.verifiers import Verdict\n"
        "def strict(task, answer):\n    return Verdict.wrong('I like nothing\\x1b[31m')\n"
        "broken = 1\n"
    )
    assert cli.main(["rescore", str(run), "--verifier", f"{mine}:strict"]) == 0
    printed = capsys.readouterr().out
    for said in (
        "10 flips between solved and not",
        "before  correct 1",
        "after   wrong 0  I like nothing",
        "-100.0 points",
    ):
        assert said in printed
    assert "\x1b[31m" not in printed
    assert cli.main(["rescore", str(run), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["flips"] == []
    labels = tmp_path / "labels.jsonl"
    labels.write_text('{"env": "e"}\n')
    for arguments, said in (
        (["--verifier", "judge"], "module:function"),
        (["--verifier", "no_such_module:f"], "could not be loaded"),
        (["--verifier", f"{mine}:nothing"], "has no function 'nothing'"),
        (["--verifier", f"{mine}:broken"], "has no function 'broken'"),
        (["--verifier", "nowhere.py:f"], "does not exist"),
        (["--labels", str(labels)], "line 1: a label is"),
        (["--labels", "nowhere.jsonl"], "cannot be read"),
    ):
        assert cli.main(["rescore", str(run), *arguments]) == 2
        assert said in capsys.readouterr().err
    assert cli.main(["rescore", str(tmp_path / "none")]) == 2
    assert "no episodes of a run" in capsys.readouterr().err
    (run / "config.json").unlink()
    with pytest.raises(BadInput, match="rescoring needs the run's settings"):
        rescore(run)
