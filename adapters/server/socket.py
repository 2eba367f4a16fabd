"""The websocket side: many sessions over one connection, messages answered as they are done.

A message is `{"id": N, "op": "step", "session": ..., "action": ..., "call": ...}`, or `{"id": N, "op": "batch",
"calls": [...]}`; its reply is `{"id": N, "status": 200, "body": {...}}`. The body is what the HTTP path would have
answered. When the connection breaks off, the sessions made over it live on for the grace, so that their client can come
back.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from proofgym.adapters.server.dispatch import Dispatcher, checked
from proofgym.adapters.server.sessions import Problem, Reply, failure

__all__ = ["serve"]

_AT_ONCE = 64  # messages of one connection in work; further ones wait in the connection


async def serve(websocket: WebSocket, dispatcher: Dispatcher) -> None:
    """Answer one connection until it ends."""
    await websocket.accept()
    made: set[str] = set()
    working: set[asyncio.Task[None]] = set()
    room = asyncio.Semaphore(_AT_ONCE)

    async def answer(text: str) -> None:
        try:
            number, reply = await _answer(text, dispatcher, made)
            if websocket.application_state is WebSocketState.CONNECTED:
                await websocket.send_text(f'{{"id":{number},"status":{reply.status},"body":{reply.body.decode()}}}')
        except (WebSocketDisconnect, RuntimeError):  # it broke off while we worked; the client will ask again
            pass
        finally:
            room.release()

    try:
        while True:
            text = await websocket.receive_text()
            await room.acquire()
            task = asyncio.create_task(answer(text))
            working.add(task)
            task.add_done_callback(working.discard)
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary message, which we do not speak
        pass
    finally:
        await asyncio.gather(*working, return_exceptions=True)
        if made and not dispatcher.draining:
            await dispatcher.orphan(sorted(made))


async def _answer(text: str, dispatcher: Dispatcher, made: set[str]) -> tuple[int, Reply]:
    number = 0
    try:
        message = _message(text)
        found = message.pop("id", 0)
        number = found if type(found) is int and 0 <= found < 2**53 else 0
        operation = message.pop("op", None)
        if operation == "envs":
            return number, dispatcher.offered()
        if operation == "batch":
            return number, await _batch(message, dispatcher, made)
        operation, request = checked(operation, message)
        reply = await dispatcher.call(operation, request)
        _note(operation, request, reply, made)
        return number, reply
    except Problem as problem:
        return number, failure(problem.kind, str(problem))


def _message(text: str) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Problem("bad-input", f"a message is a JSON object ({type(error).__name__})") from None
    if not isinstance(message, dict):
        raise Problem("bad-input", "a message is a JSON object")
    return message


async def _batch(message: dict[str, Any], dispatcher: Dispatcher, made: set[str]) -> Reply:
    from proofgym.adapters.server.app import batched

    calls = message.get("calls")
    if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
        raise Problem("bad-input", "a batch has a list of calls, each a JSON object")
    body = await batched(dispatcher, calls)
    if any(call.get("op") in ("create", "fork", "close") for call in calls):
        for call, reply in zip(calls, json.loads(body)["replies"], strict=True):
            if reply["status"] == 201:
                made.add(reply["body"]["session"])
            elif call.get("op") == "close":
                made.discard(str(call.get("session")))
    return Reply(200, body, {})


def _note(operation: str, request: dict[str, Any], reply: Reply, made: set[str]) -> None:
    if reply.status == 201:
        made.add(json.loads(reply.body)["session"])
    elif operation == "close":
        made.discard(request["session"])
