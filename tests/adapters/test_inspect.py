"""Inspect plays our environments, and its scores are our verdicts."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proofgym.adapters.episode import Episode
from proofgym.adapters.inspect import env_task, told
from proofgym.errors import MissingExtra


def test_an_episode_is_told_in_full() -> None:
    with Episode("Sudoku4Steps", max_turns=2) as episode:
        episode.start(0, 0)
        for _ in range(2):
            episode.act(episode.env.unwrapped.oracle())  # type: ignore[attr-defined]
        found = told(episode)
    assert found["reward"] == pytest.approx(episode.total)
    assert found["score"] == found["verdict"]["score"]
    assert len(found["credits"]) == 2
    assert "answer" not in found["task"]


def test_what_nobody_could_judge_has_no_score(flaky: str) -> None:
    with Episode(flaky) as episode:
        episode.start(0, 0)
        episode.act("break")
        assert told(episode) == {"unjudged": "the judge is on strike"}


def test_a_missing_inspect_names_its_extra() -> None:
    try:
        import inspect_ai  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtra, match=r"proofgym\[inspect\]"):
            env_task("Countdown", n=1)


answers: list[str] = []  # Inspect keeps the first model API of a name, and so the list that it reads


@pytest.fixture
def evaluate(real: Any, tmp_path: Path) -> Callable[..., Any]:
    """Run a task with a model that says what a list holds."""
    inspect = real("inspect_ai")
    models = real("inspect_ai.model")

    @models.modelapi(name="scripted")
    class Scripted(models.ModelAPI):  # type: ignore[misc, name-defined]
        async def generate(self, input: Any, tools: Any, tool_choice: Any, config: Any) -> Any:  # noqa: A002
            return models.ModelOutput.from_content("scripted", answers.pop(0))

        async def count_text_tokens(self, text: str) -> int:
            return len(text)

    def run(env_id: str, says: list[str], **kwargs: Any) -> Any:
        answers[:] = says
        task = env_task(env_id, n=2, **kwargs)
        [log] = inspect.eval(task, model="scripted/x", display="none", log_dir=str(tmp_path), max_samples=1)
        assert log.status == "success", log.error
        return log

    return run


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_inspect_scores_by_our_verdicts(evaluate: Callable[..., Any]) -> None:
    with Episode("RunningTotal", split="test") as oracle:
        right = []
        for index in range(2):
            oracle.start(0, index)
            right.append(oracle.env.unwrapped.oracle())  # type: ignore[attr-defined]
    log = evaluate("RunningTotal", [right[0], "no idea"])
    scores = [sample.scores["proofgym_verdict"] for sample in log.samples]
    assert [score.value for score in scores] == [1.0, 0.0]
    assert log.results.scores[0].metrics["mean"].value == 0.5
    assert scores[0].metadata["credits"][0]
    log = evaluate("Sudoku4Steps", ["row 1 column 1 = 1"] * 6, max_turns=3)
    assert [len(sample.messages) for sample in log.samples] == [6, 6]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_inspect_leaves_the_unjudged_out(evaluate: Callable[..., Any], flaky: str) -> None:
    log = evaluate(flaky, ["break", "aaaa", "e", "e"])
    values = [sample.scores["proofgym_verdict"].value for sample in log.samples]
    assert math.isnan(values[0])
    assert "strike" in log.samples[0].scores["proofgym_verdict"].explanation
    assert not math.isnan(values[1])
    assert log.results.scores[0].metrics["mean"].value == values[1]
