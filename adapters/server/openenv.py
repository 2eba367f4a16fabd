"""OpenEnv's protocol, so that its clients and the trainers that speak it can play our environments.

Each environment has a base URL of its own, `/openenv/NAME`; a server of one environment answers at its root too. An
OpenEnv action is `{"text": ...}` and an observation `{"text": ..., "info": {...}}`. The protocol has one number for the
reward and no word for "could not judge", so an unjudged step is an error with the code EXECUTION_ERROR and no reward,
after which the connection wants a reset. Lost on the way: spans of credit are in `info` only, and there is no fork.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from proofgym import __version__
from proofgym.adapters import wire
from proofgym.adapters.server.dispatch import Dispatcher, checked
from proofgym.adapters.server.sessions import Problem, Reply

__all__ = ["add", "short"]


def short(env_id: str) -> str:
    """The name of an environment in a path.

    >>> short("proofgym/Countdown-v0")
    'Countdown'
    """
    return env_id.rpartition("/")[2].rpartition("-v")[0] or env_id.rpartition("/")[2]


def add(app: FastAPI, dispatcher: Dispatcher) -> None:
    """Mount the protocol for each environment."""
    for env_id, offer in dispatcher.offers.items():
        router = _router(env_id, offer, dispatcher)
        app.include_router(router, prefix=f"/openenv/{short(env_id)}", include_in_schema=False)
        if len(dispatcher.offers) == 1:
            app.include_router(router, include_in_schema=False)


ACTION = {
    "type": "object", "title": "Action", "required": ["text"], "additionalProperties": False,
    "properties": {"text": {"type": "string"}, "metadata": {"type": "object"}},
}  # fmt: skip
OBSERVATION = {
    "type": "object", "title": "Observation", "required": ["text"],
    "properties": {"text": {"type": "string"}, "info": {"type": "object"}},
}  # fmt: skip
STATE = {
    "type": "object", "title": "State",
    "properties": {"episode_id": {"type": ["string", "null"]}, "step_count": {"type": "integer", "minimum": 0}},
}  # fmt: skip


def _router(env_id: str, offer: Mapping[str, Any], dispatcher: Dispatcher) -> APIRouter:
    router = APIRouter()

    @router.get("/health")
    async def health() -> Response:
        return JSONResponse(
            {"status": "healthy" if dispatcher.ready else "unhealthy"}, 200 if dispatcher.ready else 503
        )

    @router.get("/metadata")
    async def metadata() -> dict[str, Any]:
        return {"name": env_id, "description": offer["summary"], "version": __version__, "author": "proofgym"}

    @router.get("/schema")
    async def schema() -> dict[str, Any]:
        return {"action": ACTION, "observation": OBSERVATION, "state": STATE}

    @router.websocket("/ws")
    async def ws(websocket: WebSocket) -> None:
        await websocket.accept()
        episode = _Episode(env_id, dispatcher)
        try:
            while (reply := await episode.answer(await websocket.receive_text())) is not None:
                await websocket.send_text(json.dumps(reply))
            await websocket.close()
        except (WebSocketDisconnect, RuntimeError, KeyError):
            pass
        finally:
            await asyncio.shield(episode.close())

    return router


class _Episode:
    """One connection, which is one session."""

    def __init__(self, env_id: str, dispatcher: Dispatcher) -> None:
        self._env_id, self._dispatcher = env_id, dispatcher
        self._session = ""
        self._episode_id: str | None = None
        self._turns = 0

    async def answer(self, text: str) -> dict[str, Any] | None:
        """The reply to one message; nothing when it says goodbye."""
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return _error("INVALID_JSON", "a message is a JSON object")
        if not isinstance(message, dict):
            return _error("VALIDATION_ERROR", "a message is a JSON object")
        kind, data = message.get("type"), message.get("data") or {}
        if kind == "close":
            return None
        if kind == "state":
            return {"type": "state", "data": {"episode_id": self._episode_id, "step_count": self._turns}}
        if kind not in ("reset", "step"):
            return _error(
                "UNKNOWN_TYPE", f"unknown message type {str(kind)[:40]!r}; there are reset, step, state, close"
            )
        if not isinstance(data, dict):
            return _error("VALIDATION_ERROR", "data is a JSON object")
        try:
            return await (self._reset(data) if kind == "reset" else self._step(data))
        except Problem as found:
            return _error("VALIDATION_ERROR", str(found))

    async def close(self) -> None:
        """Close the session."""
        if self._session and not self._dispatcher.draining:
            await self._dispatcher.call("close", {"session": self._session})

    async def _reset(self, data: dict[str, Any]) -> dict[str, Any]:
        index = data.get("index")
        options = {"index": index} if index is not None else None
        asked = {"seed": data.get("seed"), "options": options}
        for _ in range(2):  # a session that was idle for too long, or lost with its worker, is made anew
            if not self._session:
                made = await self._dispatcher.call(*checked("create", {"env": self._env_id}))
                if made.status != 201:
                    return _failed(made)
                self._session = json.loads(made.body)["session"]
            reply = await self._dispatcher.call(*checked("reset", {**asked, "session": self._session}))
            if reply.note.get("problem") != "no-such-session":
                break
            self._session = ""
        if reply.status != 200:
            return _failed(reply)
        self._turns = 0
        found = json.loads(reply.body)
        self._episode_id = str(data.get("episode_id") or found["info"].get("task", {}).get("id") or "")[:255]
        return _observation(found, None, False)

    async def _step(self, data: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(data) - {"text", "metadata"})
        if unknown or not isinstance(data.get("text"), str):
            return _error("VALIDATION_ERROR", 'an action is {"text": "..."}')
        if not self._session:
            return _error("EXECUTION_ERROR", "no episode is running: send a reset first")
        reply = await self._dispatcher.call("step", {"session": self._session, "action": data["text"]})
        if reply.status != 200:
            return _failed(reply)
        self._turns += 1
        found = json.loads(reply.body)
        return _observation(found, found["reward"], found["terminated"] or found["truncated"])


def _observation(found: Mapping[str, Any], reward: float | None, done: bool) -> dict[str, Any]:
    seen = {"text": found["observation"], "info": found["info"]}
    return {"type": "observation", "data": {"observation": seen, "reward": reward, "done": done}}


def _error(code: str, message: str) -> dict[str, Any]:
    return {"type": "error", "data": {"message": message, "code": code}}


def _failed(reply: Reply) -> dict[str, Any]:
    found = json.loads(reply.body)
    kind = found["type"].removeprefix(wire.PREFIX)
    codes = {"limit-reached": "CAPACITY_REACHED", "bad-input": "VALIDATION_ERROR", "no-such-session": "SESSION_ERROR"}
    return _error(codes.get(kind, "EXECUTION_ERROR"), f"{kind}: {found['detail']}")
