"""Calibration: figures against hand-worked and library values, the labelled set, and the command."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from proofgym.errors import BadInput
from proofgym.verifiers.judge import calibration, rules
from proofgym.verifiers.judge.calibration import Example, Isotonic, Platt, auc, calibrate, examples, kappa, measure, svg
from proofgym.verifiers.judge.judge import Judge

ROWS = examples()


def test_the_labelled_set_is_balanced_varied_and_beyond_rules() -> None:
    assert len(ROWS) >= 200
    assert sum(row.correct for row in ROWS) * 2 == len(ROWS)
    assert min(Counter(row.kind for row in ROWS).values()) >= 10
    assert len({row.answer for row in ROWS}) >= 0.98 * len(ROWS)
    decided = [
        row for row in ROWS
        for rule in (rules.plain, rules.symbolic) if row.reference and rule(row.reference, row.answer) is not None
    ]  # fmt: skip
    assert decided == []


def test_neither_length_nor_place_gives_the_label_of_the_labelled_set_away() -> None:
    lengths = np.array([len(row.answer) for row in ROWS], dtype=np.float64)
    truth = np.array([row.correct for row in ROWS])
    assert 0.4 < (auc(truth, lengths) or 0) < 0.6
    assert abs(float(truth[::2].mean()) - 0.5) < 0.02


def test_a_perfect_a_contrary_and_a_constant_judge_get_the_figures_they_deserve(scripted: Any) -> None:
    labels = {row.answer.split("\n")[0]: row.correct for row in ROWS}

    def judged(mark: Any) -> Any:
        def script(prompt: str, call: str) -> str:
            quote = prompt.split("<<<CANDIDATE ")[1].split("\n")[1].removeprefix("| ")
            right = int(mark(labels[quote]))
            scores = {"same": right} if "- same:" in prompt else {"valid": 2 * right, "complete": right, "clear": 1}
            return json.dumps({"call": call, "critique": "", "final_answer": quote, "faults": [], "scores": scores})

        return measure(calibrate(Judge(scripted(script)), ROWS, workers=4))

    perfect, contrary, constant = (judged(mark) for mark in (bool, lambda x: not x, lambda x: True))
    assert (perfect.accuracy[0], perfect.kappa[0], perfect.auc[0], perfect.ece) == (1.0, 1.0, 1.0, 0.0)
    assert (contrary.accuracy[0], contrary.kappa[0], contrary.auc[0], contrary.ece) == (0.0, -1.0, 0.0, 1.0)
    assert (constant.accuracy[0], constant.kappa[0], constant.auc[0], constant.ece) == (0.5, 0.0, 0.5, 0.5)
    assert constant.false_positive[0] == 1.0
    assert perfect.calls == len(ROWS)
    assert sum(n for n, _, _ in perfect.by_kind.values()) == len(ROWS)


def test_an_unjudged_example_is_counted_and_in_no_figure(scripted: Any) -> None:
    found = measure(calibrate(Judge(scripted(lambda prompt, call: "?")), ROWS[:4]))
    assert (found.n, found.unjudged, found.accuracy, found.ece) == (4, 4, None, None)
    assert "4 unjudged" in str(found)
    assert (found.calls, found.prompt_tokens) == (8, 800)


def test_kappa_agrees_with_the_table_of_cohen_and_auc_with_counting() -> None:
    truth = np.array([True] * 25 + [False] * 25)
    said = np.array([True] * 20 + [False] * 5 + [True] * 10 + [False] * 15)
    assert kappa(truth, said) == pytest.approx(0.4)
    assert kappa(truth[:25], truth[:25]) is None
    rng = np.random.default_rng([1, 2])
    truth, belief = rng.random(60) < 0.5, rng.integers(8, size=60) / 8
    pairs = [(a > b) + 0.5 * (a == b) for a in belief[truth] for b in belief[~truth]]
    assert auc(truth, belief) == pytest.approx(np.mean(pairs))


def test_maps_rise_stay_in_the_unit_interval_and_lower_the_calibration_error() -> None:
    rng = np.random.default_rng([3, 4])
    belief = rng.random(600)
    truth = rng.random(600) < belief**3  # an overconfident judge

    def error(p: np.ndarray) -> float:
        return sum(abs(mean - share) * n for mean, share, n in calibration.reliability(p, truth)) / len(p)

    for fitted in (Isotonic.fit(belief, truth), Platt.fit(belief, truth)):
        mapped = np.array([fitted(x) for x in belief])
        assert ((mapped >= 0) & (mapped <= 1)).all()
        order = np.argsort(belief)
        assert (np.diff(mapped[order]) >= -1e-12).all()
        assert error(mapped) < 0.4 * error(belief)
    with pytest.raises(BadInput):
        Platt.fit(np.array([0.5]), np.array([True, False]))


def test_a_plot_is_well_formed_and_shows_every_bin() -> None:
    found = measure([])
    assert ElementTree.fromstring(svg(found, '<none> & "nothing"')) is not None
    bins = ((0.05, 0.1, 3), (0.95, 0.9, 7))
    plot = svg(calibration.Calibration(10, 0, None, None, None, None, None, None, {}, bins))
    assert plot.count("<circle") == 2


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[1]",
        "{}",
        '{"question": "q", "answer": "a", "correct": 1}',
        '{"question": 1, "answer": "a", "correct": true}',
        "",
    ],
)
def test_a_line_that_is_no_example_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    (tmp_path / "rows.jsonl").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"line 1|no examples"):
        examples(tmp_path / "rows.jsonl")
    assert Example("q", None, "a", True).kind == ""
