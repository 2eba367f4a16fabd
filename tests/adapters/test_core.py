"""One episode, its rows, and credits on tokens: what all adapters stand on."""

from __future__ import annotations

import json
import logging
import math
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.adapters.credit_tokens import ends_from_offsets, place, token_ends
from proofgym.adapters.episode import Episode, judge
from proofgym.adapters.rows import Row, judge_row, rows, start_row
from proofgym.adapters.said import said_once
from proofgym.errors import BadInput, EpisodeOver, UnknownEnv
from proofgym.verifiers import Credit


def test_an_unjudged_action_ends_the_episode_with_a_reason_and_no_number(flaky: str) -> None:
    with Episode(flaky) as episode:
        episode.start(0, 0)
        assert episode.act("ae").reward == 0.5
        outcome = episode.act("break")
        assert outcome.done
        assert math.isnan(outcome.reward)
        assert outcome.unjudged == "the judge is on strike"
        assert math.isnan(episode.total)
        with pytest.raises(EpisodeOver):
            episode.act("a")
        episode.start(0, 1)
        assert (episode.total, episode.turns, episode.unjudged) == (0.0, 0, None)


def test_credits_and_reward_agree(flaky: str) -> None:
    with Episode(flaky) as episode:
        episode.start(0, 0)
        outcome = episode.act("aeiou")
        assert outcome.reward == math.fsum(credit.value for credit in outcome.credits) == episode.total
        assert episode.paid == 5


def test_the_same_item_is_asked_again_and_neighbours_differ() -> None:
    with Episode("Countdown") as episode:
        first, second, again = episode.start(3, 4), episode.start(3, 5), episode.start(3, 4)
    assert first == again != second


def test_mistakes_are_named() -> None:
    with pytest.raises(UnknownEnv, match="did you mean"):
        Episode("Countdwn")
    with pytest.raises(BadInput, match="cannot be made with"):
        Episode("Countdown", colour="red")
    with pytest.raises(BadInput, match="names an item"):
        Row.from_json({"env": "Countdown"})
    with pytest.raises(EpisodeOver):
        Episode("Countdown").act("1")


def test_single_answers_are_judged_in_threads_side_by_side() -> None:
    found: dict[int, list[float]] = {}

    def work(k: int) -> None:
        found[k] = [judge("RunningTotal", 0, index, "4914444539").reward for index in range(20)]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0][0] == 1.0
    assert all(found[k] == found[0] for k in range(4))


def test_a_row_travels_as_json_and_asks_its_item(flaky: str) -> None:
    row = next(rows("RunningTotal", 1, seed=5, start=7, system="Be brief."))
    back = Row.from_json(json.loads(json.dumps(row.to_json())))
    assert back == row
    assert [message["role"] for message in back.prompt] == ["system", "user"]
    episode, observation = start_row(back)
    assert observation == row.prompt[1]["content"]
    answer = episode.env.unwrapped.oracle()  # type: ignore[attr-defined]
    assert judge_row(back, answer).reward == 1.0
    assert answer not in json.dumps(row.to_json())
    assert judge_row(next(rows(flaky, 1)), "break").unjudged == "the judge is on strike"


def test_a_row_of_another_task_is_refused() -> None:
    row = next(rows("RunningTotal", 1))
    changed = Row.from_json({**row.to_json(), "index": 1})
    with pytest.raises(BadInput, match="export the rows again"):
        judge_row(changed, "1")
    with pytest.raises(BadInput, match="export the rows again"):
        start_row(changed)


def test_what_is_lost_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "proofgym.adapters"):
        assert [said_once("x", "lost"), said_once("x", "lost"), said_once("y", "gone")] == [True, False, True]
    assert [record.message for record in caplog.records] == ["lost", "gone"]


def test_nothing_heavy_is_imported() -> None:
    names = [
        "trl",
        "verl",
        "openrlhf",
        "skyrl",
        "nemo_gym",
        "export",
        "cli",
        "episode",
        "rows",
        "credit_tokens",
        "said",
    ]
    code = (
        f"import sys\nfor m in {names}: __import__('proofgym.adapters.' + m)\n"
        "print([m for m in ('torch', 'transformers', 'trl', 'verl', 'openrlhf', 'pyarrow', 'ray') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


ENDS = st.lists(st.integers(0, 5), min_size=1, max_size=12).map(
    lambda steps: [sum(steps[: k + 1]) for k in range(len(steps))]
)


@given(ENDS, st.data())
def test_placed_rewards_sum_to_the_credits_and_stand_where_the_span_ends(ends: list[int], data: st.DataObject) -> None:
    spans = data.draw(st.lists(st.tuples(st.integers(0, 70), st.integers(0, 70), st.floats(-1, 1)), max_size=8))
    credits_ = [Credit(min(a, b), max(a, b), value, "x") for a, b, value in spans]
    placed = place(credits_, ends)
    assert math.isclose(placed.sum(), math.fsum(c.value for c in credits_), abs_tol=1e-9)
    for credit in credits_:
        at = next((k for k, end in enumerate(ends) if end >= credit.end), len(ends) - 1)
        assert place([credit], ends)[at] == credit.value


def test_a_credit_without_a_token_is_refused() -> None:
    assert place([], []).tolist() == []
    with pytest.raises(BadInput, match="no token"):
        place([Credit(0, 0, 1.0, "x")], [])


@given(st.text(max_size=30))
def test_token_ends_of_bytes_give_the_text_and_never_fall(text: str) -> None:
    ids = list(text.encode("utf-8", "replace"))
    shown, ends = token_ends(ids, lambda part: bytes(part).decode("utf-8", "replace"))
    assert shown == text.encode("utf-8", "replace").decode()
    assert ends == sorted(ends)
    assert not ids or ends[-1] == len(shown)


def test_offsets_of_special_tokens_write_nothing() -> None:
    assert ends_from_offsets([(0, 0), (0, 3), (3, 4), (0, 0)]) == [0, 3, 4, 4]
