"""The audit passes what is honest and finds what is planted, each defect by the check that is there for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import proofgym
from proofgym.bench import audit as package
from proofgym.bench.audit import AuditReport, Outcome, audit, cheats
from proofgym.bench.audit.chance import at_most
from proofgym.bench.audit.child import Child, ChildFailed, ChildLost
from proofgym.bench.audit.core import CHECKS
from proofgym.bench.audit.many import audit_many, file_name
from proofgym.bench.audit.samples import sample_kwargs
from proofgym.bench.audit.splits import near_duplicates
from proofgym.envs.registry import ENTRIES
from proofgym.errors import BadInput, UnknownEnv

PLANTED = Path(__file__).with_name("planted.py")

# One of each kind: a sum, a proof by turns, a puzzle at once and in moves, a chance game, a program, a world, a tutor.
SAMPLE = [
    "proofgym/Arithmetic-v0", "proofgym/CodeFunction-v0", "proofgym/CraftingWorld-v0", "proofgym/GSM8K-v0",
    "proofgym/MathTutor-v0", "proofgym/Minesweeper-v0", "proofgym/Sudoku4-v0", "proofgym/TopSpinSteps-v0",
    "proofgym/ToyProof-v0",
]  # fmt: skip

DEFECTS = [
    ("WrongOracle", "oracle", "the oracle earns 0 of 1"),
    ("LowFloor", "floor", "where 0 is stated"),
    ("Lists", "floor", "all answers in"),
    ("PaysCheats", "cheats", "the cheat 'correct' earns 1"),
    ("PaysForgery", "forged", "a grader's message"),
    ("Crashes", "junk", "open brackets"),
    ("Slow", "junk", "equal signs"),
    ("Unseeded", "seed", "asked again"),
    ("HashOrder", "seed", "PYTHONHASHSEED"),
    ("HashVerifier", "verifier", "PYTHONHASHSEED"),
    ("ThreadVerifier", "verifier", "another thread"),
    ("SharedFork", "fork", "fork"),
    ("Forgets", "fork", "fork"),
    ("Forgets", "restore", "restored"),
    ("Tuples", "restore", "no JSON"),
    ("OneList", "neighbours", "share 59"),
    ("SplitsMeet", "splits", "a validation task is a train task"),
    ("NearTwins", "splits", "nearly repeat a training question"),
    ("LeakInText", "leak", "hint"),
    ("LeakInInfo", "leak", "info['metadata']['gold']"),
    ("Farm", "cycles", "lead back to the same state"),
    ("Farm", "potential", "where the potential changes"),
    ("Overpays", "potential", "where the potential changes"),
    ("Overpays", "bounds", "more than the maximum"),
    ("ScoredFault", "faults", "a turn is paid 0.0"),
    ("SwallowedFault", "faults", "with judge broken"),
    ("NotNumbers", "bounds", "no finite number"),
    ("PaysTwice", "bounds", "credits sum to"),
    ("NoSpace", "gymnasium", "check_env"),
    ("NoSpace", "bounds", "outside its space"),
    ("Foreign", "neighbours", "share 59"),
    ("ForeignHole", "forged", "a reward line"),
    ("ForeignZero", "faults", "with score broken"),
]


def planted(name: str, *only: str, depth: str = "quick", **kwargs: Any) -> AuditReport:
    return audit(f"{PLANTED}:{name}", depth=depth, only=only or None, **kwargs)


def shown(report: AuditReport) -> str:
    return "\n".join(f"{f.outcome.value} {f.check}: {f.figure}" for f in report.findings)


@pytest.mark.parametrize(("name", "check", "said"), DEFECTS, ids=[f"{name}-{check}" for name, check, _ in DEFECTS])
def test_a_planted_defect_is_found_with_a_recipe(
    name: str, check: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cheats, "SLOW_S", 0.3)
    depth = "default" if check in ("neighbours", "splits") else "quick"
    checks = ["oracle", check] if check == "bounds" else [check]
    finding = planted(name, *dict.fromkeys(["floor", *checks] if name == "NotNumbers" else checks), depth=depth)[check]
    assert finding.outcome is Outcome.FAIL, finding
    assert said in finding.figure
    assert finding.recipe is not None
    assert name in finding.recipe.code()


@pytest.mark.parametrize("name", ["Sums", "Line"])
def test_honest_environments_pass_every_check(name: str) -> None:
    report = planted(name)
    assert report.passed, shown(report)
    assert not report.of("unclear")
    turns = {"cycles", "potential"} if name == "Sums" else set()
    assert {finding.check for finding in report.of("n.a.")} == turns


def test_what_cannot_be_asked_of_a_stranger_is_said() -> None:
    report = planted("ForeignSafe")
    reasons = {finding.check: finding.figure for finding in report.of("n.a.")}
    assert set(reasons) == {"oracle", "floor", "cheats", "fork", "restore", "splits", "leak", "cycles", "potential"}
    assert "no oracle()" in reasons["oracle"]
    assert "no chance level is stated" in reasons["floor"]
    assert "differ by seed alone" in reasons["splits"]
    assert report.exit_code == 0
    assert planted("ForeignSafe", "floor", floor=0.05)["floor"].outcome is Outcome.PASS


@pytest.mark.parametrize("env_id", SAMPLE)
def test_ours_pass(env_id: str, why_not: Callable[[str], str]) -> None:
    if reason := why_not(env_id):
        pytest.skip(reason)
    report = audit(env_id, kwargs=sample_kwargs(env_id), depth="quick")
    assert report.passed, shown(report)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.domain != "imports"], ids=lambda entry: entry.id)
def test_all_of_ours_pass(entry: Any) -> None:
    report = audit(entry.id, kwargs=sample_kwargs(entry.id), depth="quick")
    if report.skipped:
        pytest.skip(report.findings[0].figure)
    assert report.passed, shown(report)


def test_a_report_survives_json_and_says_how_to_repeat_it() -> None:
    report = planted("LowFloor", "floor", "oracle")
    again = AuditReport.from_json(json.loads(report.dumps()))
    assert again.to_json() == report.to_json()
    assert again.exit_code == 1
    assert not again.passed
    recipe = again["floor"].recipe
    assert recipe is not None
    assert recipe.actions
    scope: dict[str, Any] = {}
    code = "import runpy, proofgym\nfrom proofgym.envs.base import reset_item\n" + recipe.code()
    exec(code.replace("env.step(", "result = env.step("), scope)
    assert scope["result"][1] == 1.0, "the recipe, pasted, shows what the report says"


def test_a_missing_tool_makes_nothing_pass() -> None:
    report = audit("proofgym/external.Jericho-v0", depth="quick")
    if not report.skipped:
        pytest.skip("jericho is installed here")
    assert not report.passed
    assert all("jericho" in finding.figure for finding in report.findings)
    assert len(report.findings) == len(CHECKS)


def test_a_class_is_audited_by_its_file_and_the_package_can_be_called() -> None:
    import runpy

    from proofgym.envs.puzzles.sudoku import Sudoku4

    assert package(Sudoku4, depth="quick", only=["oracle"]).passed
    with pytest.raises(BadInput, match="a class that lies in a file"):
        audit(dict, depth="quick")  # type: ignore[arg-type]
    assert "Sums" in runpy.run_path(str(PLANTED))


@pytest.mark.parametrize(
    ("target", "kind", "said"),
    [
        ("proofgym/Sudoku44-v0", UnknownEnv, "did you mean"),
        ("nowhere.py:Env", BadInput, "no file"),
        (f"{PLANTED}:Nobody", BadInput, "nothing to call"),
        (f"{PLANTED}:honest", BadInput, "cannot be made"),
    ],
)
def test_a_mistaken_request_is_told_in_one_sentence(target: str, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        audit(target, depth="quick")


def test_unknown_depths_and_checks_are_refused() -> None:
    with pytest.raises(BadInput, match="depth is one of"):
        audit("proofgym/Sudoku4-v0", depth="deep")
    with pytest.raises(BadInput, match="no check 'flor'"):
        audit("proofgym/Sudoku4-v0", only=["flor"])


@pytest.mark.parametrize(
    ("values", "verdict"),
    [([0.0] * 30, "consistent"), ([1.0] + [0.0] * 29, "consistent"), ([0.9] * 30, "violated"), ([0.0] * 4, "too few"),
     ([1.0] * 2, "violated"), ([-0.5, 0.5] * 40, "consistent"), ([-0.5, 1.0] * 400, "violated")],
)  # fmt: skip
def test_a_mean_is_judged_against_what_was_stated(values: list[float], verdict: str) -> None:
    assert at_most(0.01, values).verdict == verdict


def test_a_true_claim_is_hardly_ever_called_violated() -> None:
    import numpy as np

    rng = np.random.default_rng(0)
    called = sum(at_most(0.3, rng.binomial(1, 0.3, size=40).tolist()).verdict == "violated" for _ in range(2000))
    mixed = sum(at_most(0.3, rng.beta(3, 7, size=40).tolist()).verdict == "violated" for _ in range(500))
    assert called + mixed <= 6


def test_near_duplicates_are_those_that_share_more_than_the_frame() -> None:
    frame = "In the town of Oberau the market opens at {} and closes at {}; how long is it open on a day of {}?"
    train = [frame.format(*numbers) for numbers in ((7, 12, "rain"), (8, 15, "snow"), (9, 18, "sun"), (6, 11, "fog"))]
    assert near_duplicates(train, [frame.format(10, 17, "hail")]) == []
    long = [f"{text} {' '.join(str(k * 7919 + n) for n in range(0, 900, 37))}" for k, text in enumerate(train, 1)]
    assert near_duplicates(long, [long[2].replace("sun", "Sun  ").upper()])[0][:2] == (2, 0)


def test_many_are_audited_side_by_side_kept_and_gone_on_with(tmp_path: Path) -> None:
    names = [f"{PLANTED}:{name}" for name in ("Sums", "Dies", "PaysCheats")]
    made: list[str] = []
    reports = audit_many(
        [(name, {}) for name in names], depth="quick", jobs=2, out=tmp_path, started=made.append
    )  # fmt: skip
    assert [report.exit_code for report in reports] == [0, 1, 1]
    assert "exit code 3" in reports[1].findings[0].figure, "an environment that kills its process has failed"
    assert reports[2].of("fail")[0].check == "cheats"
    assert sorted(made) == sorted(names)
    (tmp_path / file_name(names[2])).write_text("{ half a rep", encoding="utf-8")
    made.clear()
    again = audit_many([(name, {}) for name in names], depth="quick", jobs=2, out=tmp_path, started=made.append)
    assert made == [names[2]], "what is there is not made again; a half-written file is"
    assert [report.exit_code for report in again] == [0, 1, 1]


def test_a_child_that_raises_dies_or_hangs_is_told_apart() -> None:
    child = Child("0")
    with pytest.raises(ChildFailed, match="there is no file"):
        child.ask({"op": "items", "target": "no.py:X", "kwargs": {}, "items": []})
    with pytest.raises(ChildLost, match="exit code 3"):
        child.ask({"op": "items", "target": f"{PLANTED}:Dies", "kwargs": {}, "items": [[0, 0]]})
    child.close()
    slow = Child("0")
    with pytest.raises(ChildLost, match="did not answer within"):
        slow.ask({"op": "scripts", "target": f"{PLANTED}:Slow", "kwargs": {}, "scripts": [[0, 0, ["===="]]]}, 0.5)
    assert not slow.alive


def test_what_an_audit_broke_is_mended_again() -> None:
    for env_id in ("proofgym/MathTutor-v0", "proofgym/Zebra-v0"):
        assert audit(env_id, depth="quick", only=["faults"])["faults"].outcome is Outcome.PASS
        env = proofgym.make(env_id)  # shares its judges with the environments that were broken
        env.reset(seed=0)
        info: dict[str, Any] = {}
        while "verdict" not in info:
            *_, info = env.step(env.unwrapped.oracle())  # type: ignore[attr-defined]
        assert info["verdict"].correct
