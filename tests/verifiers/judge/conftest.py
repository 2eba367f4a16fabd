"""A judge that follows a script, and counts how often it is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from proofgym.chat import Reply, Usage

Script = Callable[[str, str], str]


class ScriptedModel:
    """Answers what a script says about the whole prompt and the call's token."""

    def __init__(self, script: Script, name: str = "scripted") -> None:
        self.script, self.name = script, name
        self.asked: list[list[Mapping[str, Any]]] = []
        self.seeds: list[int | None] = []

    def complete(
        self, messages: Sequence[Mapping[str, Any]], *, temperature: float = 0.0, max_tokens: int = 512,
        seed: int | None = None, tools: Any = None, json_schema: Any = None,
    ) -> Reply:  # fmt: skip
        self.asked.append(list(messages))
        self.seeds.append(seed)
        prompt = str(messages[1]["content"])
        found = re.search(r"<<<CANDIDATE ([0-9a-f]{12})>>>", prompt) or re.search(
            r"<<<FIRST CANDIDATE (\w+)>>>", prompt
        )
        return Reply(self.script(prompt, found[1] if found else ""), (), Usage(100, 10))


@pytest.fixture
def scripted() -> type[ScriptedModel]:
    return ScriptedModel


@pytest.fixture
def filled() -> Callable[..., str]:
    """A reply with a filled rubric."""

    def write(call: str, same: Any = 1, quote: str = "", critique: str = "as asked", faults: Any = ()) -> str:
        return json.dumps(
            {
                "call": call, "critique": critique, "final_answer": quote, "faults": list(faults),
                "scores": {"same": same},
            }
        )  # fmt: skip

    return write
