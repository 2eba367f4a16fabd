"""Environments in actors of a Ray cluster, for rollouts: the same `WorkerEnv`, and an episode survives its actor.

A remote environment remembers how its episode came about: the item and the actions. When its actor or the actor's node
dies, the episode is asked again on another one, the same actions are played, and each reply is compared with the first
one. If they agree, which holds for every environment whose chance comes from its seed, nobody notices; if they do not,
the episode is unjudged. So a lost node loses no episode, and none is counted twice.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from proofgym import errors
from proofgym.agents.rollout import TextEnv
from proofgym.agents.workers import EnvTable, Host, HostLost, Make, WorkerEnv
from proofgym.errors import ProofgymError, Unjudged, need

__all__ = ["RayEnv", "ray_envs"]

Played = tuple[str, tuple[Any, ...], Any]


def ray_envs(
    make: Make,
    count: int,
    *,
    actors: int | None = None,
    cpus: float = 1.0,
    resources: Mapping[str, float] | None = None,
    timeout_s: float = 120.0,
    address: str | None = None,
) -> list[TextEnv]:
    """Environments that live in a Ray cluster; close them with `workers.close_all`.

    Args:
        make: Makes one; it travels to the actors by Ray's pickle, so a function of a module that is installed there.
        count: How many environments.
        actors: How many actors they are dealt out to; by default as many as the cluster has room for.
        cpus: Processors that one actor takes up in Ray's books.
        resources: Further resources that an actor's node must have.
        timeout_s: Of one call. What takes longer is unjudged.
        address: Of the cluster; by default the one this process is connected to, or a new one on this machine.
    Raises:
        MissingExtra: If the extra `ray` is not installed.
    """
    ray = need("ray", "ray")
    if not ray.is_initialized():
        ray.init(address=address, log_to_driver=False, logging_level="warning")
    room = max(1, int(ray.cluster_resources().get("CPU", 1) / max(cpus, 1e-3)))
    options = {"num_cpus": cpus, "resources": dict(resources or {}), "max_restarts": 0, "max_concurrency": 64}
    hosts = [_RayHost(ray, make, options, timeout_s) for _ in range(min(actors or room, count))]
    for host in hosts:
        host.place()
    return [RayEnv(hosts[n % len(hosts)], hosts) for n in range(count)]


class RayEnv(WorkerEnv):
    """An environment in the cluster that is played again elsewhere when its actor is lost.

    Args:
        host: The actor where it lives.
        hosts: The actors where it may live.
        number: Of an environment that is there already.
    """

    def __init__(self, host: Host, hosts: list[_RayHost], number: int | None = None) -> None:
        super().__init__(host, number)
        self._hosts = hosts
        self._episode: list[Played] = []

    def fork(self) -> RayEnv:
        """A copy beside it, with the same past."""
        copy = RayEnv(self.host, self._hosts, self._call("fork"))
        copy._life, copy._before, copy._episode = self._life, list(self._before), list(self._episode)
        return copy

    def _fresh(self, *call: Any) -> Any:
        self._episode = []
        for _ in range(_TRIES):
            self._settle()
            try:
                found = super()._fresh(*call)
            except HostLost:
                continue
            # An episode without a seed of its own begins with the next item of the stream, which no other host can ask.
            if call[0] == "item" or call[1] is not None:
                self._episode = [(call[0], call[1:], found)]
            return found
        raise HostLost(f"{_TRIES} actors were lost while asking one item")

    def _call(self, *call: Any) -> Any:
        again = call[0] in ("step", "fork")
        for _ in range(_TRIES):
            try:
                found = super()._call(*call)
            except HostLost:
                if not (again and self._episode):
                    raise
                self._play_again()
                continue
            if call[0] == "step" and self._episode:
                self._episode.append((call[0], call[1:], found))
            return found
        raise HostLost(f"{_TRIES} actors were lost in one turn")

    def _play_again(self) -> None:
        """Bring another environment to where this one was."""
        past, self._episode = self._episode, []
        for _ in range(_TRIES):
            self._settle()
            try:
                (name, arguments, asked), *turns = past
                _agree(asked, WorkerEnv._fresh(self, name, *arguments))
                for name, arguments, found in turns:
                    _agree(found, WorkerEnv._call(self, name, *arguments))
            except HostLost:
                continue
            self._episode = past
            return
        raise HostLost(f"{_TRIES} actors were lost while playing an episode again")

    def _settle(self) -> None:
        """Make sure to be at an actor that lives: this one, or the one with the fewest environments.

        Raises:
            HostLost: If there is none, and none finds room in the cluster in time.
        """
        host = self.host
        assert isinstance(host, _RayHost)
        if host.alive or (host.life == 0 and host.arrives(_FIRST_S)):
            return
        self._number = None
        deadline = time.monotonic() + _ROOM_S
        while not (living := [host for host in self._hosts if host.alive]):
            if time.monotonic() > deadline:
                raise HostLost(f"no actor found room in the cluster within {_ROOM_S:g} s")
            self._hosts[0].arrives(1.0)
        self.host = min(living, key=lambda host: host.made)


_TRIES = 4
_FIRST_S = 20.0  # how long an environment waits for its own actor to come up before it moves in elsewhere
_ROOM_S = 600.0  # how long it waits for any


def _agree(first: Any, second: Any) -> None:
    """Observation, reward and end have to be the same; `info` is for the log and may hold times."""
    mine, theirs = (found[:1] if len(found) == 2 else found[:4] for found in (first, second))
    if repr(mine) != repr(theirs):
        raise Unjudged("the environment's actor was lost, and the same actions came out differently on another one")


class _RayHost:
    """An actor that serves environments. One that dies is placed anew; until there is room, others take its load."""

    def __init__(self, ray: Any, make: Make, options: Mapping[str, Any], timeout_s: float) -> None:
        self.life, self.name, self.made = 0, "", 0
        self._ray, self._make, self._options, self._timeout_s = ray, make, dict(options), timeout_s
        self._actor: Any = None
        self._coming: tuple[Any, Any] | None = None
        self._lock = threading.Lock()
        self._garbage: deque[tuple[int, int]] = deque()

    def place(self) -> None:
        """Ask the cluster for an actor, without waiting for it."""
        with self._lock:
            actor = self._ray.remote(_Environments).options(**self._options).remote(self._make)
            self._coming = actor, actor.ready.remote()

    @property
    def alive(self) -> bool:
        """Whether there is an actor that is not known to be dead."""
        return self._actor is not None or self.arrives(0.0)

    def arrives(self, timeout_s: float) -> bool:
        """Wait for the actor that was asked for."""
        if self._actor is not None:
            return True
        coming = self._coming
        if coming is None:
            return False
        actor, greeting = coming
        ready, _ = self._ray.wait([greeting], timeout=timeout_s)
        if not ready:
            return False
        try:
            self._ray.get(greeting)
        except self._ray.exceptions.RayError:  # it died on the way
            self.place()
            return False
        with self._lock:
            if self._coming is coming:
                self._actor, self._coming, self.made = actor, None, 0
                self.life += 1
        return self._actor is not None

    def call(self, name: str, env: int | None, *arguments: Any) -> Any:
        """Call and wait.

        Raises:
            HostLost: If the actor or its node died.
            Unjudged: If it took too long.
        """
        with self._lock:
            if self._actor is None:
                raise HostLost("the environment's actor is gone")
            actor, life = self._actor, self.life
            closing = []
            while self._garbage:
                number, its_life = self._garbage.popleft()
                if its_life == life:
                    closing.append(number)
        if name == "make":
            self.made += 1
        try:
            reply = actor.call.remote(name, env, arguments, closing)
            kind, value = self._ray.get(reply, timeout=self._timeout_s)
        except self._ray.exceptions.GetTimeoutError:
            raise Unjudged(f"the environment took more than {self._timeout_s:g} s over {name}") from None
        except self._ray.exceptions.RayError as error:
            self._bury(life)
            raise HostLost(f"the environment's actor is gone ({type(error).__name__})") from error
        if kind == "value":
            return value
        if kind == "proofgym":
            error_name, message = value
            raise getattr(errors, error_name, ProofgymError)(message)
        raise Unjudged(value)

    def forget(self, env: int, life: int) -> None:
        """Close an environment with the next call. Called by the garbage collector too, so it takes no lock."""
        self._garbage.append((env, life))

    def stop(self) -> None:
        """End the actor."""
        with self._lock:
            actors = [self._actor] if self._actor is not None else []
            actors += [self._coming[0]] if self._coming is not None else []
            self._actor = self._coming = None
        for actor in actors if self._ray.is_initialized() else ():
            self._ray.kill(actor)

    def _bury(self, life: int) -> None:
        with self._lock:
            if life != self.life or self._actor is None:
                return
            self._actor = None
        self.place()


class _Environments:
    """The actor. What goes wrong is returned, so that Ray's own errors mean Ray's."""

    def __init__(self, make: Make) -> None:
        self._table = EnvTable(make)

    def ready(self) -> None:
        """Answered once the actor is up."""

    def call(self, name: str, env: int | None, arguments: tuple[Any, ...], closing: list[int]) -> tuple[str, Any]:
        """One call, after closing what nobody holds any longer."""
        for number in closing:
            self._table.work("close", number, ())
        try:
            return "value", self._table.work(name, env, arguments)
        except ProofgymError as error:
            return "proofgym", (type(error).__name__, str(error))
        except Exception as error:
            return "fault", f"{type(error).__name__}: {error}"
