"""The HTTP side: paths, status codes, problem documents, health, metrics, the OpenAPI page.

Replies are JSON bytes as they come from where the session lives; nothing is decoded and encoded again on the way.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any

from fastapi import FastAPI, Path, Request, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from proofgym import __version__
from proofgym.adapters.server import models, openenv
from proofgym.adapters.server import socket as sockets
from proofgym.adapters.server.dispatch import Dispatcher, checked, complaint
from proofgym.adapters.server.guard import Guard
from proofgym.adapters.server.sessions import Problem, Reply, describe, failure, make_env
from proofgym.adapters.server.settings import Settings

__all__ = ["create_app"]

PROBLEM = "application/problem+json"
Id = Annotated[str, Path(max_length=80, description="As `POST /v1/sessions` gave it.")]


def create_app(settings: Settings) -> FastAPI:
    """The ASGI application of one server; its workers start with its lifespan."""
    dispatcher = Dispatcher(settings, _offers(settings))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await dispatcher.start()
        try:
            yield
        finally:
            await dispatcher.close()

    app = FastAPI(
        title="proofgym", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None,
        summary="Environments whose rewards are proved, not guessed.",
        description="Problems are RFC 9457 documents. One of type `urn:proofgym:unjudged` means that nobody could "
        "judge the answer: it holds no reward, and the episode is to be dropped or masked.",
        responses={401: _PROBLEM, 403: _PROBLEM, 413: _PROBLEM},
    )  # fmt: skip
    app.state.dispatcher = dispatcher
    app.add_middleware(Guard, settings=settings, refused=dispatcher.metrics.refuse)
    _add_problems(app)
    _add_sessions(app, dispatcher)
    _add_health(app, dispatcher)
    openenv.add(app, dispatcher)

    @app.websocket("/v1/ws")
    async def socket(websocket: WebSocket) -> None:
        await sockets.serve(websocket, dispatcher)

    return app


_PROBLEM: dict[str, Any] = {"model": models.ProblemDocument, "content": {PROBLEM: {}}, "description": "A problem"}


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return dict.fromkeys(statuses, _PROBLEM)


def _response(reply: Reply) -> Response:
    headers = {"retry-after": "5"} if reply.status in (429, 503) else None
    kind = PROBLEM if "problem" in reply.note or reply.status >= 400 else "application/json"
    return Response(reply.body, reply.status, headers, kind)


def _offers(settings: Settings) -> dict[str, dict[str, Any]]:
    """Make each environment once, so that one that cannot be made here is known before anybody asks for it."""
    offers = {}
    for env_id in settings.envs:
        env = make_env(env_id, **settings.env_args)
        try:
            offers[env_id] = describe(env_id, env)
        finally:
            env.close()
    return offers


def _add_sessions(app: FastAPI, dispatcher: Dispatcher) -> None:
    usual = _problems(404, 409, 422, 424, 503)

    async def call(operation: str, request: models._Request | None = None, session: str | None = None) -> Response:
        fields = request.model_dump(exclude_unset=True) if request is not None else {}
        if session is not None:
            fields["session"] = session
        return _response(await dispatcher.call(operation, fields))

    @app.get("/v1/envs", response_model=models.Environments, tags=["environments"])
    async def environments() -> Response:
        """What this server offers, and what a client may choose."""
        return _response(dispatcher.offered())

    @app.post(
        "/v1/sessions", status_code=201, response_model=models.Made, responses=usual | _problems(429), tags=["sessions"]
    )
    async def create(request: models.Create) -> Response:
        """Make an environment. `reset` asks its first task."""
        return await call("create", request)

    @app.get("/v1/sessions/{session}", response_model=models.Shown, responses=usual, tags=["sessions"])
    async def show(session: Id) -> Response:
        """A session as it stands. Asking does not keep it alive."""
        return await call("show", None, session)

    @app.delete("/v1/sessions/{session}", response_model=models.Closed, responses=usual, tags=["sessions"])
    async def close(session: Id) -> Response:
        """Close a session."""
        return await call("close", None, session)

    @app.post("/v1/sessions/{session}/reset", response_model=models.Asked, responses=usual, tags=["episodes"])
    async def reset(session: Id, request: models.Reset) -> Response:
        """Ask the next task, the first one of a seed, or a named one."""
        return await call("reset", request, session)

    @app.post("/v1/sessions/{session}/step", response_model=models.Played, responses=usual, tags=["episodes"])
    async def step(session: Id, request: models.Step) -> Response:
        """Play one action."""
        return await call("step", request, session)

    @app.post(
        "/v1/sessions/{session}/fork", status_code=201, response_model=models.Made,
        responses=usual | _problems(429), tags=["sessions"],
    )  # fmt: skip
    async def fork(session: Id, request: models.Fork) -> Response:
        """Copy a session in mid-episode; neither side sees what the other does afterwards."""
        return await call("fork", request, session)

    @app.get("/v1/sessions/{session}/state", response_model=models.State, responses=usual, tags=["trainer"])
    async def state(session: Id) -> Response:
        """The episode's whole state, signed. It holds the answer, so it is for the trainer, never for the policy."""
        return await call("state", None, session)

    @app.put("/v1/sessions/{session}/state", response_model=models.Restored, responses=usual, tags=["trainer"])
    async def restore(session: Id, request: models.Restore) -> Response:
        """Take up where a state was taken; only what this server signed is restored, unless it trusts its clients."""
        return await call("restore", request, session)

    @app.get("/v1/sessions/{session}/oracle", response_model=models.Oracle, responses=usual, tags=["trainer"])
    async def oracle(session: Id) -> Response:
        """What an expert would play now."""
        return await call("oracle", None, session)

    @app.put("/v1/sessions/{session}/level", response_model=models.Levelled, responses=usual, tags=["trainer"])
    async def level(session: Id, request: models.Level) -> Response:
        """How hard the tasks are from the next one on."""
        return await call("level", request, session)

    @app.post("/v1/batch", response_model=models.Batched, responses=usual, tags=["episodes"])
    async def batch(request: models.Batch) -> Response:
        """Carry out many calls at once, each `{"op": ..., "session": ..., ...}`; one that fails fails alone."""
        return Response(await batched(dispatcher, request.calls), media_type="application/json")


async def batched(dispatcher: Dispatcher, calls: list[dict[str, Any]]) -> bytes:
    """Carry out a batch and write `{"replies": [...]}` around replies that are JSON already.

    Raises:
        Problem: If there are too many, or two for one session.
    """
    if len(calls) > dispatcher.settings.max_batch:
        raise Problem("limit-reached", f"{len(calls)} calls in a batch; at most {dispatcher.settings.max_batch}")
    sessions = [call["session"] for call in calls if isinstance(call.get("session"), str)]
    if len(set(sessions)) < len(sessions):
        raise Problem("bad-input", "a batch holds at most one call a session, since its calls run side by side")
    formed: list[Reply | int] = []
    good: list[tuple[str, Mapping[str, Any]]] = []
    for call in calls:
        try:
            good.append(checked(call.get("op"), {key: value for key, value in call.items() if key != "op"}))
            formed.append(len(good) - 1)
        except Problem as found:
            formed.append(failure(found.kind, str(found)))
    done = await dispatcher.batch(good) if good else []
    replies = [done[item] if isinstance(item, int) else item for item in formed]
    return b'{"replies":[%b]}' % b",".join(b'{"status":%d,"body":%b}' % (reply.status, reply.body) for reply in replies)


def _add_health(app: FastAPI, dispatcher: Dispatcher) -> None:
    @app.get("/health/live", tags=["health"], include_in_schema=False)
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/health/ready", tags=["health"], include_in_schema=False)
    async def ready() -> Response:
        if dispatcher.ready:
            return JSONResponse({"status": "ready"})
        return _response(failure("unavailable", "not every worker takes calls"))

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(dispatcher.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(_docs_page())


@lru_cache
def _docs_page() -> str:
    return files("proofgym.adapters.server").joinpath("docs.html").read_text("utf-8")


def _methods(app: FastAPI, request: Request) -> set[str]:
    matching = (r for r in app.routes if isinstance(r, APIRoute) and r.path_regex.match(request.url.path))
    return {method for route in matching for method in route.methods or ()}


def _add_problems(app: FastAPI) -> None:
    @app.exception_handler(RequestValidationError)
    async def unusable(_: Request, error: RequestValidationError) -> Response:
        return _response(failure("bad-input", complaint(error.errors())))

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        kinds = {404: "not-found", 405: "method-not-allowed", 400: "bad-input"}
        kind = kinds.get(error.status_code, "bad-input" if error.status_code < 500 else "internal")
        response = _response(failure(kind, str(error.detail)))
        response.headers.update(error.headers or {})
        if error.status_code == 405:  # a path may be spread over several routes, and the framework names the first
            response.headers["allow"] = ", ".join(sorted(_methods(app, request)))
        return response

    @app.exception_handler(Problem)
    async def ours(_: Request, error: Problem) -> Response:
        return _response(failure(error.kind, str(error)))

    @app.exception_handler(Exception)
    async def bug(_: Request, error: Exception) -> Response:
        return _response(failure("internal", type(error).__name__))
