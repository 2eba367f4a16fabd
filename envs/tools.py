"""Native tool calls: what an environment offers a model that can call functions, and what a call comes to.

An environment offers tools by two methods: `tools()`, functions with JSON schemas as chat APIs take them, and
`tool_action(name, arguments)`, the action text that a call stands for. The action goes through `step` like any other
text, so rewards, verdicts and credits are the same whichever way the policy plays, and an episode can be replayed
without its tools. Where legal actions can be listed, one generic tool is offered: `act(command)`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

__all__ = ["ActTool", "ToolEnv", "action_of", "function", "offered"]


@runtime_checkable
class ToolEnv(Protocol):
    """An environment that can be played by calling functions."""

    def tools(self) -> list[dict[str, Any]]:
        """The functions that may be called now; see `function`."""
        ...

    def tool_action(self, name: str, arguments: Mapping[str, Any]) -> str:
        """The action that a call stands for. Total: a call that means nothing becomes an action that earns nothing."""
        ...


class ActTool:
    """Offers one tool, `act(command)`, for environments whose action is one command or move a turn."""

    tool_word: str = "command"

    def tools(self) -> list[dict[str, Any]]:
        """The function `act`."""
        said = f"Give one {self.tool_word} and read what it came to."
        return [function("act", said, command=f"The {self.tool_word}, exactly as the rules write it.")]

    def tool_action(self, name: str, arguments: Mapping[str, Any]) -> str:
        """The command itself, on one line; anything else as it was called, which no environment takes for a command."""
        command = arguments.get("command")
        if name == "act" and isinstance(command, str):
            return " ".join(command.split())
        return written(name, arguments)


def function(name: str, description: str, **parameters: str) -> dict[str, Any]:
    """A tool with text parameters, all of them required, in the form of chat completions.

    >>> function("act", "Act.", command="What to do.")["function"]["parameters"]["required"]
    ['command']
    """
    properties = {key: {"type": "string", "description": meaning} for key, meaning in parameters.items()}
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


def offered(env: Any) -> ToolEnv | None:
    """The environment itself where it offers tools, or a generic `act` where it lists its legal actions, or none."""
    inner = env.unwrapped
    if isinstance(inner, ToolEnv):
        return inner
    listed = getattr(inner, "admissible", None)
    return ActTool() if callable(listed) and listed() else None


def action_of(env: ToolEnv, name: str, arguments: str) -> str:
    """The action for a call as a model wrote it; damaged arguments are handed on as text, and judged as that.

    >>> action_of(ActTool(), "act", '{"command": "go  north"}'), action_of(ActTool(), "act", '{"command": "go')
    ('go north', 'act({"command": "go)')
    """
    try:
        data = json.loads(arguments)
    except (ValueError, RecursionError):
        data = None
    return env.tool_action(name, data) if isinstance(data, dict) else f"{name}({arguments})"


def written(name: str, arguments: Mapping[str, Any]) -> str:
    """A call as text."""
    return f"{name}({json.dumps(dict(arguments), ensure_ascii=False)})"
