"""The cache: the same question once, across threads and files, and damaged entries are asked anew."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from proofgym.chat import Reply, ToolCall, Usage
from proofgym.verifiers.judge.cache import CachedModel

ASK: list[dict[str, Any]] = [{"role": "user", "content": "?"}]


class Counting:
    name = "counting"

    def __init__(self) -> None:
        self.calls = 0
        self.lock = threading.Lock()

    def complete(self, messages: Any, **sampling: Any) -> Reply:
        with self.lock:
            self.calls += 1
        return Reply(f"{sampling['seed']}: é", (ToolCall("1", "f", "{}"),), Usage(3, 4, 0.5), True, "m")


def test_a_remembered_reply_is_the_same_and_costs_nothing(tmp_path: Path) -> None:
    inner = Counting()
    model = CachedModel(inner, tmp_path / "deep" / "cache.sqlite")
    first, second = (model.complete(ASK, seed=1) for _ in range(2))
    assert first.usage == Usage(3, 4, 0.5)
    assert second.usage == Usage()
    assert (second.text, second.tool_calls, second.cut, second.model) == (first.text, first.tool_calls, True, "m")
    again = CachedModel(inner, tmp_path / "deep" / "cache.sqlite")
    assert again.complete(ASK, seed=1).text == first.text
    assert (inner.calls, again.hits, again.misses, len(again)) == (1, 1, 0, 1)


@pytest.mark.parametrize(
    "other", [{"seed": 2}, {"temperature": 0.5}, {"max_tokens": 9}, {"json_schema": {"type": "object"}}, {"tools": []}]
)
def test_everything_that_the_answer_depends_on_is_in_the_key(tmp_path: Path, other: dict[str, Any]) -> None:
    model = CachedModel(Counting(), tmp_path / "c.sqlite")
    model.complete(ASK, seed=1)
    model.complete(ASK, **{"seed": 1, **other})
    model.complete([{"role": "user", "content": "!"}], seed=1)
    assert model.misses == 3


def test_a_damaged_entry_is_dropped_and_asked_anew(tmp_path: Path) -> None:
    inner = Counting()
    model = CachedModel(inner, tmp_path / "c.sqlite")
    model.complete(ASK, seed=1)
    model.close()
    base = sqlite3.connect(tmp_path / "c.sqlite")
    base.execute("UPDATE replies SET reply = substr(reply, 1, 20)")
    base.commit()
    base.close()
    again = CachedModel(inner, tmp_path / "c.sqlite")
    assert again.complete(ASK, seed=1).text == "1: é"
    assert (inner.calls, again.dropped) == (2, 1)
    assert again.complete(ASK, seed=1).usage == Usage()


def test_a_file_that_is_no_database_is_moved_aside(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    path.write_text("not a database, but somebody's notes " * 100, encoding="utf-8")
    model = CachedModel(Counting(), path)
    model.complete(ASK, seed=1)
    assert len(model) == 1
    assert (tmp_path / "c.sqlite.broken").read_text(encoding="utf-8").startswith("not a database")


def test_threads_with_one_question_ask_it_once(tmp_path: Path) -> None:
    inner = Counting()
    models = [CachedModel(inner, tmp_path / "c.sqlite") for _ in range(2)]
    threads = [threading.Thread(target=models[0].complete, args=(ASK,), kwargs={"seed": i % 3}) for i in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert inner.calls == 3
    for i in range(3):  # another door to the same file
        models[1].complete(ASK, seed=i)
    assert inner.calls == 3


def test_a_failure_is_not_remembered(tmp_path: Path) -> None:
    class Failing(Counting):
        def complete(self, messages: Any, **sampling: Any) -> Reply:
            if not self.calls:
                self.calls += 1
                raise RuntimeError("down")
            return super().complete(messages, **sampling)

    model = CachedModel(Failing(), tmp_path / "c.sqlite")
    with pytest.raises(RuntimeError):
        model.complete(ASK, seed=1)
    assert model.complete(ASK, seed=1).text == "1: é"
