"""Which worker holds which session: checks a call's form, sends it where it belongs, keeps the limits, counts it."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import pydantic

from proofgym.adapters import wire
from proofgym.adapters.server.hosts import Host, ProcessHost, ThreadHost
from proofgym.adapters.server.metrics import Metrics
from proofgym.adapters.server.models import REQUESTS
from proofgym.adapters.server.sessions import Problem, Reply, failure
from proofgym.adapters.server.settings import Settings

__all__ = ["Dispatcher", "complaint"]

_MAKING = ("create", "fork")


class Dispatcher:
    """All the workers of one server. A session's id begins with the name of the worker that holds it.

    Args:
        settings: The server's.
        offers: A description of each environment, by its id.
    """

    def __init__(self, settings: Settings, offers: Mapping[str, Mapping[str, Any]]) -> None:
        self.settings, self.offers = settings, offers
        self.metrics = Metrics(lambda: self.hosts)
        self.draining = False
        reaped, replaced = self.metrics.reaped.inc, self.metrics.replaced.inc
        self.hosts: list[Host] = (
            [ProcessHost(settings, f"w{n}", reaped, replaced) for n in range(settings.workers)]
            if settings.workers
            else [ThreadHost(settings, "w0", reaped)]
        )
        self._keys: OrderedDict[str, Host] = OrderedDict()
        self._by_name = {host.name: host for host in self.hosts}

    async def start(self) -> None:
        """Bring every worker up."""
        await asyncio.gather(*(host.start() for host in self.hosts))

    async def close(self) -> None:
        """Take no more calls; close every session and every worker."""
        self.draining = True
        await asyncio.gather(*(host.close() for host in self.hosts))

    def offered(self) -> Reply:
        """What can be made, and what a client may choose."""
        told = {"environments": list(self.offers.values()), "client_args": list(self.settings.client_args)}
        return Reply(200, wire.dumps(told), {})

    @property
    def live(self) -> int:
        """Live sessions, those being made included."""
        return sum(host.live + host.pending for host in self.hosts)

    @property
    def ready(self) -> bool:
        """Whether calls are taken."""
        return not self.draining and all(host.ready for host in self.hosts)

    async def call(self, operation: str, request: Mapping[str, Any]) -> Reply:
        """Carry out one call whose form was checked."""
        return (await self.batch([(operation, request)]))[0]

    async def batch(self, calls: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Reply]:
        """Carry out independent calls whose form was checked; replies in their order."""
        begun = time.perf_counter()
        replies: dict[int, Reply] = {}
        routed: dict[Host, list[int]] = {}
        for place, (operation, request) in enumerate(calls):
            try:
                host = self._route(operation, request)
            except Problem as found:
                replies[place] = failure(found.kind, str(found))
            else:
                host.pending += operation in _MAKING
                routed.setdefault(host, []).append(place)
        if len(routed) == 1 and not replies:
            host, places = routed.popitem()
            replies = dict(zip(places, await self._send(host, calls), strict=True))
        elif routed:
            sent = [self._send(host, [calls[place] for place in places]) for host, places in routed.items()]
            for places, part in zip(routed.values(), await asyncio.gather(*sent), strict=True):
                replies.update(zip(places, part, strict=True))
        seconds = time.perf_counter() - begun
        for place, reply in replies.items():
            self.metrics.count(calls[place][0], reply, seconds)
        return [replies[place] for place in range(len(calls))]

    async def orphan(self, sessions: Sequence[str]) -> None:
        """The connection that made these sessions broke off."""
        for name, host in self._by_name.items():
            held = [session for session in sessions if session.startswith(name + "-")]
            if held and host.ready:
                await host.calls([("orphan", {"sessions": held})])

    async def _send(self, host: Host, calls: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Reply]:
        making = sum(operation in _MAKING for operation, _ in calls)
        try:
            return await host.calls(calls)
        finally:
            host.pending -= making

    def _route(self, operation: str, request: Mapping[str, Any]) -> Host:
        if self.draining:
            raise Problem("unavailable", "the server is shutting down")
        if operation in _MAKING and self.live >= self.settings.max_sessions:
            raise Problem("limit-reached", f"{self.live} sessions are live, as many as this server holds; close some")
        if operation != "create":
            name = request["session"].partition("-")[0]
            host = self._by_name.get(name)
            if host is None:
                raise Problem("no-such-session", f"no session {request['session'][:80]!r}; create another")
            return host
        if request["env"] not in self.settings.envs:
            offered = ", ".join(self.settings.envs)
            raise Problem("unknown-env", f"no environment {request['env']!r} here; there are {offered}")
        key = request.get("key") or ""
        host = self._keys.get(key) or min(self.hosts, key=lambda host: host.live + host.pending)
        if key:  # the same key has to come to the same worker, which knows whether it made the session
            self._keys[key] = host
            self._keys.move_to_end(key)
            if len(self._keys) > 4 * self.settings.max_sessions:
                self._keys.popitem(last=False)
        return host


def checked(operation: object, fields: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A call in the form that `Dispatcher` takes, from what came over a websocket or in a batch.

    Raises:
        Problem: With what is wrong with it.
    """
    model = REQUESTS.get(operation) if isinstance(operation, str) else None
    if model is None:
        raise Problem("bad-input", f"no operation {str(operation)[:40]!r}; there are {', '.join(REQUESTS)}")
    assert isinstance(operation, str)
    rest = dict(fields)
    session = rest.pop("session", None)
    if operation != "create" and not (isinstance(session, str) and len(session) <= 80):
        raise Problem("bad-input", f"{operation} needs the session's id as text")
    try:
        request = model.model_validate(rest).model_dump(exclude_unset=True)
    except pydantic.ValidationError as error:
        raise Problem("bad-input", complaint(error.errors(include_url=False, include_input=False))) from None
    if operation != "create":
        request["session"] = session
    return operation, request


def complaint(errors: Sequence[Mapping[str, Any]]) -> str:
    """What pydantic found, in one line, without repeating what the client sent."""
    found = [
        f"{'.'.join(str(part) for part in error['loc'] if part != 'body')}: {error['msg']}" for error in errors[:5]
    ]
    return "; ".join(found).lstrip(": ")
