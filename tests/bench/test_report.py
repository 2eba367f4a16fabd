"""The report: what it says, what it tolerates, and that nothing written by a policy can act in it."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import random
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.bench import report
from proofgym.bench.catalogue import as_json
from proofgym.bench.curves import beside, curves
from proofgym.bench.shown import shown
from proofgym.bench.spans import pieces
from proofgym.envs.trajectory import Trajectory, Turn, write
from proofgym.errors import BadInput
from proofgym.verifiers import Credit, Verdict

HOSTILE = (
    "</script><img src=x onerror=\"document.title='pwned'\"> \x00\x1b[31m \u202egnol\u202c \ud800 \"'>"
    "<script>1</script>"
)


def episode(item: int, correct: int = 10, action: str = "1 + 1 = 2\n", reason: str = "so many follow") -> Trajectory:
    credits_ = [Credit(0, min(9, len(action)), correct / 10, "step", reason)]
    verdict = Verdict.right(reason) if correct == 10 else Verdict.partial(correct / 10, reason)
    turn = Turn("what is 1 + 1?", action, correct / 10, credits_, verdict)
    return Trajectory("proofgym/RunningTotal-v0", {"fingerprint": f"{item:032x}"}, 0, item, 0, [turn], "terminated")


def unjudged(item: int) -> Trajectory:
    turn = Turn("what is 1 + 1?", "2", 0.0)
    return Trajectory("proofgym/RunningTotal-v0", {}, 0, item, 0, [turn], "unjudged", "the sandbox died")


def figures(mean: float, n: int = 30, unjudged: int = 0) -> dict[str, Any]:
    return {"mean": mean, "low": mean - 0.05, "high": mean + 0.05, "n": n, "unjudged": unjudged}


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    write(tmp_path / "episodes/before.jsonl", [episode(i, correct=i % 6) for i in range(30)])
    write(tmp_path / "episodes/after.jsonl", [episode(i, correct=5 + i % 6) for i in range(30)] + [unjudged(99)])
    steps = [{"stage": "warm_start", "step": s, "loss": 2 / (1 + s)} for s in range(20)]
    steps += [{"stage": "validation", "step": 19, "accuracy": 0.3, "accuracy_low": 0.2, "accuracy_high": 0.4}]
    for s in range(1, 20):
        steps += [{"stage": "grpo", "step": s, "loss": 0.1, "reward": s / 20}]
        steps += [{"stage": "validation", "step": s, "accuracy": s / 20, "accuracy_low": 0.1, "accuracy_high": 0.9}]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(step) + "\n" for step in steps))
    config = {"kind": "train", "version": "1.2", "commit": "abc123", "seed": 7, "command": "proofgym train demo"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    summary = {
        "env": "proofgym/RunningTotal-v0", "metric": "share of steps correct", "before": figures(0.37),
        "after": figures(0.71, unjudged=1), "seconds": 200.0, "updates": 60,
    }  # fmt: skip
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    return tmp_path


class Page(HTMLParser):
    """What a browser would make of the page: its elements, and the text between them."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self._quiet = 0
        self.feed(path.read_text(encoding="utf-8"))
        self.data: dict[str, Any] = json.loads(self.scripts[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._quiet += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._quiet -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._quiet:
            self.text += data
        elif self.elements[-1][0] == "script":
            self.scripts.append(data)

    def all(self, tag: str, name: str = "") -> list[dict[str, str | None]]:
        return [attrs for found, attrs in self.elements if found == tag and name in (attrs.get("class") or "")]


def test_page_tells_what_was_gained_and_how_sure_that_is(run_dir: Path) -> None:
    page = Page(report.write(run_dir))
    text = " ".join(page.text.split())
    for said in ("0.37", "[0.320, 0.420]", "0.71", "Share of steps correct", "n = 30", "a clear gain", "3 min 20 s"):
        assert said in text
    assert "Unjudged: 1." in text
    assert [(file["name"], file["total"], file["counts"]) for file in page.data["files"]] == [
        ("before", 30, {"partial": 25, "wrong": 5}), ("after", 31, {"solved": 5, "partial": 25, "unjudged": 1}),
    ]  # fmt: skip
    assert len(page.data["episodes"]) == 61
    assert "the sandbox died" in {episode["fault"] for episode in page.data["episodes"]}
    assert "incomplete" not in text
    assert {curve["aria-label"].split(".")[0] for curve in page.all("div") if curve.get("role") == "img"} == {  # type: ignore[union-attr]
        "Held-out accuracy", "Mean reward of sampled episodes", "Loss",
    }  # fmt: skip


def test_credits_lie_on_the_text_with_value_and_reason(run_dir: Path) -> None:
    episodes = Page(report.write(run_dir)).data["episodes"]
    best = next(episode for episode in episodes if episode["reward"] == 0.9)
    assert best["turns"][0]["pieces"] == [["1 + 1 = 2", "good", 1.0, [0]], ["\n"]]
    assert best["turns"][0]["credits"] == [[0.9, "step", "so many follow"]]
    assert {episode["turns"][0]["pieces"][0][1] for episode in episodes if episode["reward"] == 0} == {"zero"}


def test_the_same_run_makes_the_same_page(run_dir: Path) -> None:
    assert report.write(run_dir).read_bytes() == report.write(run_dir).read_bytes()


def test_page_fetches_nothing(run_dir: Path) -> None:
    path = report.write(run_dir)
    page = Page(path)
    assert not [tag for tag, _ in page.elements if tag in ("link", "img", "iframe", "object", "base", "image")]
    assert not [attrs for _, attrs in page.elements if attrs.keys() & {"src", "srcset", "data", "action"}]
    assert not re.findall(r"url\((?!#)|@import|https?://(?!www.w3.org)", path.read_text())
    (policy,) = [a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy
    assert {"default-src 'none'", "connect-src 'none'", "base-uri 'none'"} <= set(policy.split("; "))


def test_only_the_pages_own_script_may_run(run_dir: Path) -> None:
    page = Page(report.write(run_dir))
    digest = base64.b64encode(hashlib.sha256(page.scripts[1].encode()).digest()).decode()
    (policy,) = [a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert f"script-src 'sha256-{digest}';" in str(policy)


@pytest.mark.parametrize(
    "place", ["action", "observation", "reason", "label", "task", "fault", "config", "env", "file"]
)
def test_hostile_text_is_shown_and_never_acts(run_dir: Path, place: str) -> None:
    (run_dir / "metrics.jsonl").unlink()  # drawing takes most of the time
    bad = episode(1, 5)
    if place == "action":
        bad.turns[0].action = HOSTILE
    elif place == "observation":
        bad.turns[0].observation = HOSTILE
    elif place == "reason":
        bad = episode(1, 5, reason=HOSTILE)
    elif place == "label":
        bad.turns[0].credits = [Credit(0, 3, 0.25, HOSTILE), Credit(2, 4, 0.25, "b")]
    elif place == "task":
        bad.task["id"] = HOSTILE
    elif place == "fault":
        bad.end, bad.fault = "unjudged", HOSTILE
    elif place == "config":
        (run_dir / "config.json").write_text(json.dumps({"kind": HOSTILE, "seed": HOSTILE, "command": HOSTILE}))
    elif place == "env":
        (run_dir / "summary.json").write_text(
            json.dumps({"env": HOSTILE, "metric": HOSTILE, "results": [{"env": HOSTILE}]})
        )
    name = "<img src=x onerror=alert(1)>" if place == "file" else "hostile"
    write(run_dir / f"episodes/{name}.jsonl", [bad])
    path = report.write(run_dir)
    page = Page(path)
    assert len(page.all("script")) == 2
    assert not page.all("img")
    assert not [a for _, attrs in page.elements for a in attrs if a.startswith("on")]
    assert "\u202e" not in path.read_text()
    if place in ("config", "env"):
        assert "onerror" in page.text
    else:
        assert "onerror" in json.dumps(page.data)


def test_hidden_characters_are_shown_by_name() -> None:
    shown = str(report.visible("a\x00\x00\u202eb\ud800\tc\n\u200b"))
    assert "␀×2" in shown
    assert 'title="RIGHT-TO-LEFT OVERRIDE"' in shown
    assert "U+D800" in shown
    assert "\tc\n" in shown
    shown.encode()


@given(
    st.text(max_size=30),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.sampled_from([-1.0, 0.0, 0.5])), max_size=8),
)
def test_pieces_put_together_are_the_action(action: str, spans: list[tuple[int, int, float]]) -> None:
    credits_ = [Credit(min(a, b), max(a, b), value, "step") for a, b, value in spans]
    found = pieces(action, credits_)
    assert "".join(piece.text for piece in found) == action
    at = 0
    for piece in found:
        for place in range(at, at + len(piece.text)):
            value = sum(credit.value for credit in credits_ if credit.start <= place < credit.end)
            covered = any(credit.start <= place < credit.end for credit in credits_)
            kind = "good" if value > 0 else "bad" if value < 0 else "zero" if covered else "plain"
            assert piece.kind == kind
        at += len(piece.text)
    for credit in credits_:
        assert any(piece.note and "step" in piece.note for piece in found), credit


def test_a_page_of_a_large_run_holds_a_sample_of_every_outcome_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "_EPISODE_BYTES", 60_000)
    write(tmp_path / "episodes/train.jsonl", [episode(i, 5) for i in range(500)] + [unjudged(1), episode(2, 10)])
    data = Page(report.write(tmp_path)).data
    assert data["total"] == 502
    assert 10 < len(data["episodes"]) < 200
    assert {kept["label"] for kept in data["episodes"]} == {"partial", "unjudged", "solved"}


def test_huge_episodes_are_cut_and_counted(tmp_path: Path) -> None:
    long = episode(0, 5, action="x" * 100_000)
    long.turns[0].credits = [Credit(i, i + 1, 0.0, "step") for i in range(900)]
    long.turns *= 65
    write(tmp_path / "episodes/train.jsonl", [long])
    path = report.write(tmp_path)
    assert path.stat().st_size < 1_000_000
    (kept,) = Page(path).data["episodes"]
    assert (kept["turns"][0]["actionMore"], kept["turns"][0]["creditsMore"]) == (92_000, 400)
    assert len(kept["turns"]) < kept["allTurns"] == 65


def test_no_run_makes_a_page_of_five_megabytes(tmp_path: Path) -> None:
    wide = "\u4e2d" * 9000
    for item in range(3):  # trees of long attempts, in letters that take six bytes each
        leaves = []
        for sample in range(12):
            turn = Turn(wide, wide, 0.0, action_ids=[0], nodes=[sample], token_ends=[9000])
            leaves.append(Trajectory("proofgym/E-v0", {}, 0, item, sample, [turn] * 9, "truncated"))
        write(tmp_path / "episodes/train.jsonl", leaves)
    (tmp_path / "config.json").write_text(json.dumps({"kind": "train", "note": "x" * 10_000_000}))
    (tmp_path / "metrics.jsonl").write_text(
        "".join(f'{{"stage": "grpo", "step": {n}, "reward": {n * 7919 % 1000}}}\n' for n in range(5_000))
    )
    for n in range(9):
        (tmp_path / f"{n}.svg").write_text("<svg>" + "x" * 290_000 + "</svg>")
    assert report.write(tmp_path).stat().st_size < 5_000_000


@given(st.text() | st.text("<>&/!-\u2028\ud800\x00script", max_size=40))
def test_json_in_the_page_ends_no_script_and_comes_back_whole(text: str) -> None:
    written = as_json({"text": text})
    assert "<" not in written
    assert written.isascii()
    assert json.loads(written) == {"text": text}


@given(st.text(max_size=60), st.text(max_size=20))
def test_an_action_is_shown_whole_and_as_it_was(action: str, reason: str) -> None:
    turn = Turn("?", action, 0.5, [Credit(0, len(action) // 2, 0.5, reason, reason)])
    page = shown(Trajectory("e", {}, 0, 0, turns=[turn]).to_json())["turns"][0]
    assert "".join(piece[0] for piece in page["pieces"]) == action
    assert page["credits"] == [[0.5, reason, reason]]


def test_a_killed_run_still_reports_and_says_what_is_missing(run_dir: Path) -> None:
    (run_dir / "summary.json").unlink()
    (run_dir / "config.json").write_text('{"kind": "tra')
    with (run_dir / "metrics.jsonl").open("a") as file:
        file.write('[1, 2]\n{"stage": "grpo"}\n{"stage": "grpo", "st')
    with (run_dir / "episodes/after.jsonl").open("ab") as raw:
        raw.write(b"\xff\xfe\x00garbage\n" + b"[" * 100_000 + b'\n{"env": "half')
    text = " ".join(Page(report.write(run_dir)).text.split())
    for said in (
        "This report is incomplete", "summary.json is missing", "config.json could not be read",
        "3 lines of metrics.jsonl could not be read", "3 lines of episodes/after.jsonl could not be read",
        "the figures were computed from the episodes",
    ):  # fmt: skip
        assert said in text


def test_evaluation_rows_show_intervals_and_unjudged_apart(tmp_path: Path) -> None:
    row = {
        "env": "proofgym/GSM8K-v0", "n": 18, "unjudged": 2, "mean": -0.25, "low": None, "high": None, "solved": 0.5,
        "solved_low": 0.29, "solved_high": 0.71, "turns": 1.0, "tokens": 120.5, "seconds": 61.0,
    }  # fmt: skip
    (tmp_path / "summary.json").write_text(json.dumps({"results": [row]}))
    (tmp_path / "config.json").write_text(json.dumps({"kind": "eval", "model": "smollm2"}))
    text = " ".join(Page(report.write(tmp_path)).text.split())
    for said in (
        "smollm2 on GSM8K-v0",
        "evaluation",
        "smollm2",
        "−0.250",
        "no interval",
        "[0.290, 0.710]",
        "1 min 1 s",
    ):
        assert said in text


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="none of its files"):
        report.write(tmp_path)
    with pytest.raises(BadInput, match="no such directory"):
        report.write(tmp_path / "nowhere")


JUNK: list[Any] = [None, True, -1, 10**400, 1e308, float("nan"), "", HOSTILE, [], [[1]], {}, {"a": {}}, "grpo"]


def _spoil(data: Any, chance: random.Random) -> Any:
    """Replace or remove one value somewhere inside."""
    keys = list(data) if isinstance(data, dict) else list(range(len(data)))
    if not keys:
        return chance.choice(JUNK)
    key = chance.choice(keys)
    if isinstance(data[key], (dict, list)) and chance.random() < 0.7:
        data[key] = _spoil(data[key], chance)
    elif isinstance(data, dict) and chance.random() < 0.2:
        del data[key]
    else:
        data[key] = copy.deepcopy(chance.choice(JUNK))
    return data


def test_no_damage_to_a_value_stops_the_report(run_dir: Path) -> None:
    chance = random.Random(0)
    lines = {name: (run_dir / name).read_text().splitlines() for name in (
        "config.json", "summary.json", "metrics.jsonl", "episodes/after.jsonl",
    )}  # fmt: skip
    for _ in range(10):
        for name, good in lines.items():
            chosen = good if len(good) == 1 else chance.sample(good, 12)
            spoiled = [json.dumps(_spoil(json.loads(line), chance)) for line in chosen]
            (run_dir / name).write_text("\n".join(spoiled), encoding="utf-8")
        assert not Page(report.write(run_dir)).all("img")


def test_a_stage_that_restarts_counting_gets_its_own_panel_and_a_resumed_step_counts_once() -> None:
    rows = [
        {"stage": "warm_start", "step": 1, "loss": 2.0}, {"stage": "warm_start", "step": 2, "loss": 1.0},
        {"stage": "validation", "step": 2, "accuracy": 0.25}, {"stage": "validation", "step": 0, "accuracy": 0.31},
        {"stage": "grpo", "step": 1, "loss": 9.0}, {"stage": "grpo", "step": 2, "loss": 8.0},
        {"stage": "grpo", "step": 2, "loss": 7.0}, {"stage": "validation", "step": 2, "accuracy": 0.42},
    ]  # fmt: skip
    drawn = {curve.title: curve for curve in curves(rows)}
    assert drawn["Held-out accuracy"].words == (
        "warm start (supervised steps): 0.25 to 0.25; GRPO (updates): 0.31 to 0.42"
    )
    assert drawn["Loss"].words.endswith("GRPO (updates): 9 to 7")
    assert curves([]) == []


def test_learning_of_several_runs_is_drawn_together_where_they_share_it() -> None:
    def run(gain: float) -> list[dict[str, Any]]:
        rows = [{"stage": "grpo", "step": step, "reward": step * gain} for step in range(1, 5)]
        return [*rows, *({"stage": "validation", "step": step, "accuracy": step * gain} for step in (2, 4))]

    drawn = {curve.title: curve.words for curve in beside([("a", run(0.1)), ("none", []), ("b", run(0.2))])}
    assert drawn == {
        "Held-out accuracy": "a: 0.2 to 0.4; b: 0.4 to 0.8",
        "Mean reward of sampled episodes": "a: 0.1 to 0.4; b: 0.2 to 0.8",
    }
    assert beside([("a", run(0.1)), ("none", [])]) == []
