"""Remembers what a model answered, on disk: the same question again costs nothing.

An entry's key is a hash of everything that the answer depends on: the model's name, all messages, the sampling and the
sample's seed, the schema, and the tools. Entries live in one SQLite file: written whole or not at all, shared by
threads and processes. An entry that does not agree with its own checksum is dropped and asked anew; a file that is no
database is moved aside.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from proofgym.chat import ChatModel, Reply, ToolCall, Usage

__all__ = ["CachedModel", "key"]

_BUSY_S = 30.0


def key(name: str, messages: Sequence[Mapping[str, Any]], **sampling: Any) -> str:
    """The address of one answer.

    >>> key("m", [{"role": "user", "content": "a"}], seed=1) == key("m", [{"role": "user", "content": "a"}], seed=2)
    False
    """
    content = json.dumps([name, list(messages), sampling], sort_keys=True, ensure_ascii=True, default=dict)
    return hashlib.sha256(content.encode()).hexdigest()


class CachedModel:
    """A chat model that asks another one only what it has not asked before.

    Args:
        model: Asked on a miss. Its name is part of every key: give different weights different names.
        path: The SQLite file; made on first use, its folder too.

    `hits` and `misses` count; a hit has an empty `Usage`, because nothing was spent.
    """

    def __init__(self, model: ChatModel, path: str | Path) -> None:
        self.model = model
        self.name = model.name
        self.path = Path(path)
        self.hits = self.misses = self.dropped = 0
        self._lock = threading.Lock()
        self._asking: dict[str, threading.Lock] = {}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._open()

    def complete(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        temperature: float = 0.0,
        max_tokens: int = 512,
        seed: int | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        json_schema: Mapping[str, Any] | None = None,
    ) -> Reply:
        """What the model answers, from the file if it is there. Whatever the model raises is not remembered."""
        address = key(
            self.name, messages, temperature=float(temperature), max_tokens=max_tokens, seed=seed,
            tools=None if tools is None else list(tools), json_schema=json_schema,
        )  # fmt: skip
        with self._lock:
            asking = self._asking.setdefault(address, threading.Lock())
        with asking:  # a second thread with the same question waits for the first one's answer
            try:
                found = self._read(address)
                if found is not None:
                    return replace(found, usage=Usage())
                reply = self.model.complete(
                    messages, temperature=temperature, max_tokens=max_tokens, seed=seed, tools=tools,
                    json_schema=json_schema,
                )  # fmt: skip
                self._write(address, reply)
            finally:
                with self._lock:
                    self._asking.pop(address, None)
        return reply

    def __len__(self) -> int:
        with self._lock:
            return int(self._base.execute("SELECT COUNT(*) FROM replies").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._base.close()

    # Inside -----------------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        for attempt in range(2):
            base = sqlite3.connect(self.path, timeout=_BUSY_S, check_same_thread=False, isolation_level=None)
            try:
                base.execute("PRAGMA journal_mode=WAL")
                base.execute("CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, sum TEXT, reply TEXT)")
                base.execute("SELECT key FROM replies LIMIT 1").fetchone()
            except sqlite3.OperationalError:
                base.close()
                raise
            except sqlite3.DatabaseError:  # not a database: keep it for whoever wants to look, and start anew
                base.close()
                if attempt:
                    raise
                self.path.replace(self.path.with_suffix(self.path.suffix + ".broken"))
                continue
            self._base = base
            return

    def _read(self, address: str) -> Reply | None:
        with self._lock:
            row = self._base.execute("SELECT sum, reply FROM replies WHERE key = ?", (address,)).fetchone()
            reply = None
            if row is not None:
                reply = _decode(address, *row)
                if reply is None:
                    self.dropped += 1
                    self._base.execute("DELETE FROM replies WHERE key = ?", (address,))
            self.hits += reply is not None
            self.misses += reply is None
            return reply

    def _write(self, address: str, reply: Reply) -> None:
        text = json.dumps(
            {
                "text": reply.text, "cut": reply.cut, "model": reply.model,
                "tool_calls": [[call.id, call.name, call.arguments] for call in reply.tool_calls],
                "likelihoods": getattr(reply, "likelihoods", None) or None,
                "usage": [reply.usage.prompt_tokens, reply.usage.completion_tokens, reply.usage.cost_usd],
            }
        )  # fmt: skip
        with self._lock:
            self._base.execute("INSERT OR REPLACE INTO replies VALUES (?, ?, ?)", (address, _sum(address, text), text))


def _sum(address: str, text: str) -> str:
    return hashlib.sha256(f"{address}\n{text}".encode()).hexdigest()[:16]


def _decode(address: str, checksum: Any, text: Any) -> Reply | None:
    if not isinstance(text, str) or checksum != _sum(address, text):
        return None
    data = json.loads(text)
    calls = tuple(ToolCall(*row) for row in data["tool_calls"])
    parts = data["text"], calls, Usage(*data["usage"]), bool(data["cut"]), data["model"]
    if data["likelihoods"]:
        from proofgym.verifiers.judge.local import GuidedReply

        return GuidedReply(*parts, data["likelihoods"])
    return Reply(*parts)
