"""Tools are another way to write an action: what a call comes to is what the text would."""

from __future__ import annotations

import json
from typing import Any

import gymnasium
import pytest
from hypothesis import given
from hypothesis import strategies as st

import proofgym
from proofgym.envs.tools import ActTool, ToolEnv, action_of, function, offered

WITH_TOOLS = ["Household", "Quest", "HanoiSteps"]


@pytest.mark.parametrize("env_id", WITH_TOOLS)
def test_calling_the_oracles_action_is_writing_it(env_id: str) -> None:
    called: Any = proofgym.make(env_id)
    called.reset(seed=3)
    wrote = proofgym.fork(called)
    toolbox = offered(called)
    assert isinstance(called.unwrapped, ToolEnv)
    assert toolbox is called.unwrapped
    [tool] = toolbox.tools()
    for _ in range(3):
        command = called.unwrapped.oracle()
        action = action_of(toolbox, tool["function"]["name"], json.dumps({"command": f" {command}\n"}))
        a, b = called.step(action), wrote.step(command)
        assert a[:4] == b[:4]
        if a[2] or a[3]:
            break


@given(
    st.text(max_size=20), st.one_of(st.text(max_size=40), st.builds(json.dumps, st.dictionaries(st.text(), st.text())))
)
def test_every_call_has_an_action(name: str, arguments: str) -> None:
    assert isinstance(action_of(ActTool(), name, arguments), str)


def test_damage_is_handed_on_and_earns_nothing() -> None:
    env: Any = proofgym.make("Sudoku4Steps")
    env.reset(seed=0)
    toolbox = offered(env)
    assert isinstance(toolbox, ActTool)  # it lists its moves and offers no tool of its own
    for name, arguments in (("act", "{"), ("act", "[" * 100_000), ("fly", "{}"), ("act", '{"command": 7}'), ("", "")):
        _, reward, _, _, _ = env.step(action_of(toolbox, name, arguments))
        assert reward == 0.0


def test_where_nothing_is_listed_nothing_is_offered() -> None:
    env = proofgym.make("Countdown")
    env.reset(seed=0)
    assert offered(env) is None

    class Listed(gymnasium.Env[str, str]):
        def admissible(self) -> list[str]:
            return ["left", "right"]

    found = offered(Listed())
    assert isinstance(found, ActTool)
    schema = function("act", "Act.", command="What to do.")["function"]["parameters"]
    assert (schema["type"], schema["additionalProperties"]) == ("object", False)
