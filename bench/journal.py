"""Every reply of an endpoint the moment it arrives, so that an interrupted episode is continued and not asked again.

Whole episodes are kept in the run's `episodes/`. What is lost when a run is killed in the middle of an episode is kept
here, `replies.jsonl` in the run's folder, until every episode of the run is whole and judged. A reply is given again
only to the conversation that it was given to: its key holds a hash of all messages before it.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Container
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from proofgym.chat import Reply, ToolCall, Usage

__all__ = ["Journal", "Thread"]


class Journal:
    """The replies of one run's unfinished episodes.

    Args:
        path: The file; it and its folder are made with the first reply.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, Reply] = {}
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = None

    def load(self, wanted: Container[str]) -> int:
        """Take up what an earlier session heard in these episodes; returns how many replies. Damaged lines are lost."""
        if self.path.is_file():
            with self.path.open("rb") as file:
                for line in file:
                    try:
                        data = json.loads(line)
                        if data["episode"] in wanted:
                            self._known[f"{data['episode']} {data['key']}"] = _reply(data["reply"])
                    except (ValueError, KeyError, TypeError, RecursionError):
                        continue
        return len(self._known)

    def heard(self, episode: str, key: str) -> Reply | None:
        """What the model said there in an earlier session; each is given out once."""
        return self._known.pop(f"{episode} {key}", None) if self._known else None

    def add(self, episode: str, key: str, reply: Reply) -> None:
        """Keep a reply; it is in the file before this returns."""
        line = json.dumps({"episode": episode, "key": key, "reply": asdict(reply)}, separators=(",", ":"))
        with self._lock:
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("ab")
                if self._file.tell():
                    self._file.write(b"\n")  # the last line may be half a line
            self._file.write(line.encode() + b"\n")
            self._file.flush()

    def close(self, *, done: bool) -> None:
        """Let go of the file, and of what is in it once every episode is whole."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
            if done:
                self.path.unlink(missing_ok=True)


class Thread:
    """One conversation's place in the journal: its key changes with every message."""

    def __init__(self, journal: Journal, episode: str) -> None:
        self.journal, self.episode = journal, episode
        self._hash = hashlib.blake2b(digest_size=12)

    def heard(self, *messages: dict[str, Any]) -> Reply | None:
        """The reply that followed these further messages in an earlier session."""
        for message in messages:
            self._hash.update(json.dumps(message, sort_keys=True).encode())
        return self.journal.heard(self.episode, self._hash.hexdigest())

    def add(self, reply: Reply) -> None:
        """Keep the reply to the messages so far."""
        self.journal.add(self.episode, self._hash.hexdigest(), reply)


def _reply(data: dict[str, Any]) -> Reply:
    calls = tuple(ToolCall(**call) for call in data["tool_calls"])
    return Reply(data["text"], calls, Usage(**data["usage"]), bool(data["cut"]), data["model"])
