"""The tools: `reset` asks a task, `act` plays, `verdict` says how it ended; `hint`, where offered, asks an expert.

The client is the policy, so it reads what a policy may read: observations, and once the episode is over, status and
reward. Grounds, credits and states stay here. What nobody can judge is an error of the tool, never a score of 0.

The package reads the tools' annotations as they stand, so this module does not postpone them.
"""

import asyncio
import itertools
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import BaseModel, Field

from proofgym import __version__
from proofgym.adapters.server.sessions import Sessions
from proofgym.adapters.server.settings import Settings
from proofgym.errors import BadInput

__all__ = ["create"]

Episode = Annotated[str | None, Field(description="The episode, as `reset` named it. Without it, the latest one.")]
_LISTED = 60


class Asked(BaseModel):
    """A new episode and what is asked."""

    episode: str = Field(description="Its name; give it to the other tools when several episodes run.")
    observation: str
    turns_left: int | None = Field(description="How many actions may be played.")
    actions: list[str] | None = Field(description="Legal actions, where the environment lists them; the first 60.")


class Played(BaseModel):
    """What an action came to."""

    observation: str
    done: bool = Field(description="Whether the episode is over; `verdict` then says how it ended.")
    turns_left: int | None
    actions: list[str] | None


class Judged(BaseModel):
    """How an episode ended."""

    status: Literal["correct", "partial", "wrong", "malformed", "limit", "none"]
    score: float | None = Field(description="In [0, 1]; null if the environment gives rewards only.")
    reward: float = Field(description="All that the episode paid, its steps included.")


class Hint(BaseModel):
    """What an expert would play now."""

    action: str


@dataclass
class _Episode:
    session: str
    turns: int = 0
    paid: float = 0.0
    judged: Judged | None = None
    fault: str = ""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class _Desk:
    """The episodes that clients play."""

    def __init__(self, settings: Settings, max_turns: int | None) -> None:
        self._settings, self._max_turns = settings, max_turns
        self._sessions = Sessions(settings)
        self._episodes: OrderedDict[str, _Episode] = OrderedDict()
        self._numbers = itertools.count(1)

    async def reset(self, seed: int | None, index: int | None) -> Asked:
        if index is not None and seed is None:
            raise ToolError("an index counts the tasks of a seed: give a seed too")
        await self._make_room()
        made = await self._call("create", env=self._settings.envs[0])
        options = {"index": index} if index is not None else None
        found = await self._call("reset", session=made["session"], seed=seed, options=options)
        name = f"episode-{next(self._numbers)}-{made['session'][-8:]}"
        self._episodes[name] = _Episode(made["session"])
        actions = _actions(found["info"])
        return Asked(episode=name, observation=found["observation"], turns_left=self._max_turns, actions=actions)

    async def act(self, action: str, name: str | None) -> Played:
        episode = self._find(name)
        async with episode.lock:
            if episode.judged is not None or episode.fault:
                raise ToolError("the episode is over: reset asks the next task")
            try:
                found = await self._call("step", session=episode.session, action=action)
            except _Unjudged as error:
                episode.fault = str(error)
                raise
            episode.turns += 1
            episode.paid += found["reward"]
            done = found["terminated"] or found["truncated"]
            if done:
                verdict = found["info"].get("verdict") or {"status": "none", "score": None}
                episode.judged = Judged(status=verdict["status"], score=verdict["score"], reward=episode.paid)
                await self._call("close", session=episode.session)
            left = None if self._max_turns is None else max(0, self._max_turns - episode.turns)
            actions = None if done else _actions(found["info"])
            return Played(observation=found["observation"], done=done, turns_left=left, actions=actions)

    async def verdict(self, name: str | None) -> Judged:
        episode = self._find(name)
        if episode.fault:
            raise ToolError(f"{episode.fault} (the episode has no score)")
        if episode.judged is None:
            raise ToolError("the episode is not over: play on with act")
        return episode.judged

    async def hint(self, name: str | None) -> Hint:
        episode = self._find(name)
        async with episode.lock:
            if episode.judged is not None or episode.fault:
                raise ToolError("the episode is over: reset asks the next task")
            return Hint(**await self._call("oracle", session=episode.session))

    def close(self) -> None:
        self._sessions.close()

    def _find(self, name: str | None) -> _Episode:
        if name is None and self._episodes:
            return next(reversed(self._episodes.values()))
        episode = self._episodes.get(name or "")
        if episode is None:
            raise ToolError(f"no episode {name[:80]!r}; reset makes one" if name else "no episode yet: reset makes one")
        return episode

    async def _make_room(self) -> None:
        """Forget the oldest episodes that are over; refuse when those that run fill the house."""
        self._sessions.reap()
        for name in list(self._episodes):
            if len(self._episodes) < self._settings.max_sessions:
                return
            episode = self._episodes[name]
            over = episode.judged is not None or bool(episode.fault)
            if over or self._sessions.handle("show", {"session": episode.session}).status == 404:
                del self._episodes[name]
        if len(self._episodes) >= self._settings.max_sessions:
            raise ToolError(f"{len(self._episodes)} episodes are running, as many as are allowed; finish one first")

    async def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        """In a thread, so that a slow judge keeps nobody else waiting."""
        work = asyncio.to_thread(self._sessions.handle, operation, request)
        try:
            reply = await asyncio.wait_for(work, self._settings.step_timeout_s)
        except asyncio.TimeoutError:
            raise _Unjudged(f"unjudged: it took more than {self._settings.step_timeout_s:g} s") from None
        body: dict[str, Any] = json.loads(reply.body)
        if reply.status < 400:
            return body
        kind = body["type"].rpartition(":")[2]
        raise (_Unjudged if kind in ("unjudged", "no-such-session") else ToolError)(f"{kind}: {body['detail']}")


class _Unjudged(ToolError):
    """An action that could not be judged: the tool fails, and the episode has no score."""


def _actions(info: Mapping[str, Any]) -> list[str] | None:
    listed = info.get("admissible")
    return listed[:_LISTED] if isinstance(listed, list) else None


def create(settings: Settings, told: Mapping[str, Any], *, hints: bool = False) -> MCPServer[Any]:
    """An MCP server of one environment.

    Args:
        settings: Which environment, its arguments, and the limits.
        told: The environment's description, as `sessions.describe` gives it.
        hints: Whether the tool `hint` is offered. It gives the answer away.
    """
    if len(settings.envs) != 1:
        raise BadInput(f"an MCP server offers one environment, found {len(settings.envs)}")
    turns = told["max_turns"]
    desk = _Desk(settings, turns)
    how = "One answer ends the episode." if turns == 1 else "Play with `act` until it says that the episode is done."
    server: MCPServer[Any] = MCPServer(
        told["id"], title=told["id"], description=told["summary"], version=__version__, log_level="WARNING",
        instructions=f"{told['summary']} Call `reset` for a task and read its observation. {how} "
        "`verdict` says how it ended.",
    )  # fmt: skip
    seeds = Field(default=None, ge=0, le=2**53, description="Which stream of tasks; without it, any task.")
    places = Field(default=None, ge=0, le=2**53, description="Which task of the stream, from 0.")
    limit = Field(max_length=told["action_limit"], description="All that you answer in this turn, as plain text.")

    async def reset(seed: Annotated[int | None, seeds] = None, index: Annotated[int | None, places] = None) -> Asked:
        return await desk.reset(seed, index)

    async def act(action: Annotated[str, limit], episode: Episode = None) -> Played:
        return await desk.act(action, episode)

    async def verdict(episode: Episode = None) -> Judged:
        return await desk.verdict(episode)

    async def hint(episode: Episode = None) -> Hint:
        return await desk.hint(episode)

    tools: list[tuple[Any, str, bool]] = [
        (reset, f"Begin an episode: {told['summary']}", False),
        (act, "Play one action and read what comes of it.", False),
        (verdict, "How an episode ended: its status, score and reward. Only after it is done.", True),
    ]
    if hints:
        tools.append((hint, "What an expert would play now.", True))
    for function, text, reads in tools:
        notes = ToolAnnotations(
            read_only_hint=reads, destructive_hint=False, idempotent_hint=reads, open_world_hint=False
        )
        server.add_tool(function, description=text, annotations=notes)
    return server
