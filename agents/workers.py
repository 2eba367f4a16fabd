"""Environments in worker processes, so that they step while the policy generates and cannot take the trainer with them.

A `WorkerEnv` is an ordinary environment whose calls travel to a host process. A host serves several environments, each
call in a thread of its own: environments that wait (a sandbox, a network) overlap even on one host, environments that
compute are spread over hosts. A host that dies, or a call that takes too long, makes the episode unjudged; the next
reset starts afresh. Together with `Runner(workers=...)` no environment ever blocks the loop.

Hosts are spawned, not forked: a copied process with threads of torch in it may hang.
"""

from __future__ import annotations

import functools
import itertools
import multiprocessing
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from multiprocessing.connection import Connection
from typing import Any, Protocol

import gymnasium

from proofgym import errors
from proofgym.agents.rollout import TextEnv
from proofgym.envs.base import Info, fork, reset_item
from proofgym.errors import ProofgymError, Unjudged

__all__ = ["EnvTable", "Host", "HostLost", "WorkerEnv", "close_all", "worker_envs"]

Make = Callable[[], TextEnv]

_STUCK = 8  # calls that nobody waits for any longer, before their host is replaced


def worker_envs(make: Make, count: int, *, processes: int = 2, timeout_s: float = 120.0) -> list[TextEnv]:
    """Environments that live in worker processes.

    Args:
        make: Makes one; it is pickled, so a function of a module, or a `functools.partial` of one.
        count: How many environments.
        processes: How many hosts they are dealt out to.
        timeout_s: Of one call. What takes longer is unjudged.
    """
    hosts = [_Host(make, timeout_s) for _ in range(min(processes, count))]
    return [WorkerEnv(hosts[n % len(hosts)]) for n in range(count)]


def close_all(envs: Sequence[TextEnv]) -> None:
    """End the hosts of these environments."""
    for host in {id(env.host): env.host for env in envs if isinstance(env, WorkerEnv)}.values():
        host.stop()


class HostLost(Unjudged):
    """The process that held the environment is gone, and the episode with it."""


class Host(Protocol):
    """Where environments live. `life` counts how often it had to be replaced."""

    life: int
    name: str

    @property
    def alive(self) -> bool:
        """Whether it can be called."""

    def call(self, name: str, env: int | None, *arguments: Any) -> Any:
        """Call a method of an environment there, or make one, and wait."""

    def forget(self, env: int, life: int) -> None:
        """Close an environment some time soon; the garbage collector calls this."""

    def stop(self) -> None:
        """End it."""


class WorkerEnv(gymnasium.Env[str, str]):
    """An environment in another process.

    Args:
        host: Where it lives.
        number: Of an environment that is there already.
    """

    def __init__(self, host: Host, number: int | None = None) -> None:
        self.host = host
        self.name = host.name
        self._number, self._life = number, host.life if number is not None else -1
        self._before: list[tuple[str, tuple[Any, ...]]] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, Info]:
        """As in Gymnasium."""
        return self._fresh("reset", seed, options)

    def reset_item(self, seed: int, index: int) -> tuple[str, Info]:
        """See `envs.base.reset_item`."""
        return self._fresh("item", seed, index)

    def step(self, action: str) -> tuple[str, float, bool, bool, Info]:
        """As in Gymnasium.

        Raises:
            Unjudged: Also if the process died or took too long.
        """
        found: tuple[str, float, bool, bool, Info] = self._call("step", action)
        return found

    def set_level(self, level: float) -> None:
        """See `VerifiableEnv.set_level`; kept, should the process have to be replaced."""
        self._before = [("set_level", (level,))]
        if self._number is not None and self._life == self.host.life:
            self._call("set_level", level)

    def fork(self) -> WorkerEnv:
        """A copy beside it, in the same process."""
        return WorkerEnv(self.host, self._call("fork"))

    def close(self) -> None:
        """Forget the environment; the host goes on for the others."""
        if self._number is not None:
            self.host.forget(self._number, self._life)
        self._number = None

    def __del__(self) -> None:
        """Forks come and go by the thousand; each is closed where it lives when nobody here holds it."""
        self.close()

    def _fresh(self, *call: Any) -> tuple[str, Info]:
        if self._number is None or self._life != self.host.life or not self.host.alive:
            self._number = None
            self._number, self.name = self.host.call("make", None)
            self.host.name = self.name
            self._life = self.host.life
            for name, arguments in self._before:
                self._call(name, *arguments)
        found: tuple[str, Info] = self._call(*call)
        return found

    def _call(self, *call: Any) -> Any:
        if self._number is None or self._life != self.host.life:
            raise HostLost("the environment's process had to be replaced in mid-episode")
        try:
            return self.host.call(call[0], self._number, *call[1:])
        except _Stuck as error:
            self._number = None  # whatever it still does there, nobody looks any more
            raise Unjudged(str(error)) from None


class _Stuck(Exception):
    """A call that took too long."""


class _Host:
    """A process that serves environments; started when first needed, replaced when it dies."""

    def __init__(self, make: Make, timeout_s: float) -> None:
        self.life, self.name = 0, ""
        self._make, self._timeout_s = make, timeout_s
        self._process: Any = None
        self._pipe: Connection | None = None
        self._waiting: dict[int, Future[Any]] = {}
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._stuck = 0
        self._garbage: deque[tuple[int, int]] = deque()

    @property
    def alive(self) -> bool:
        """Whether there is a process to call."""
        return self._process is not None and self._process.is_alive() and self._pipe is not None

    def call(self, name: str, env: int | None, *arguments: Any) -> Any:
        """Call and wait.

        Raises:
            Unjudged: If the process died.
            _Stuck: If it took too long.
        """
        with self._lock:
            if not self.alive:
                if name != "make":
                    raise HostLost("the environment's process is gone")
                self._start()
            number, life = next(self._numbers), self.life
            future: Future[Any] = Future()
            self._waiting[number] = future
            assert self._pipe is not None
            try:
                while self._garbage:
                    old, its_life = self._garbage.popleft()
                    if its_life == self.life:
                        self._pipe.send((-1, "close", old, ()))
                self._pipe.send((number, name, env, arguments))
            except (OSError, ValueError) as error:
                self._waiting.pop(number, None)
                raise HostLost(f"the environment's process is gone ({error})") from error
        try:
            kind, value = future.result(self._timeout_s)
        except TooLate:
            with self._lock:
                self._waiting.pop(number, None)
                self._stuck += 1
                if self._stuck >= _STUCK and life == self.life and self._process is not None:
                    self._process.kill()
            raise _Stuck(f"the environment took more than {self._timeout_s:g} s over {name}") from None
        if kind == "value":
            return value
        if kind == "proofgym":
            error_name, message = value
            raise getattr(errors, error_name, ProofgymError)(message)
        raise (HostLost if kind == "lost" else Unjudged)(value)

    def forget(self, env: int, life: int) -> None:
        """Close an environment with the next call. Called by the garbage collector too, so it takes no lock."""
        self._garbage.append((env, life))

    def stop(self) -> None:
        """End the process."""
        with self._lock:
            process, self._process = self._process, None
            if process is not None:
                process.kill()
        if process is not None:
            process.join(10.0)

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._make), daemon=True, name="environments")
        self._process.start()
        theirs.close()
        self._pipe, self._stuck = ours, 0
        self.life += 1
        threading.Thread(target=self._listen, args=(ours, self._process), daemon=True, name="environments").start()

    def _listen(self, pipe: Connection, process: Any) -> None:
        while True:
            try:
                number, kind, value = pipe.recv()
            except (EOFError, OSError):
                break
            with self._lock:
                future = self._waiting.pop(number, None)
            if future is not None:
                future.set_result((kind, value))
        process.join(5.0)
        with self._lock:
            orphans = list(self._waiting.values()) if self._pipe is pipe else []
            if self._pipe is pipe:
                self._waiting.clear()
                self._pipe = None
        for future in orphans:
            future.set_result(("lost", f"the environment's process died (exit code {process.exitcode})"))
        pipe.close()


class EnvTable:
    """The environments of one host, by number."""

    def __init__(self, make: Make) -> None:
        self._make = make
        self._envs: dict[int, TextEnv] = {}
        self._numbers = itertools.count()

    def work(self, name: str, env: int | None, arguments: tuple[Any, ...]) -> Any:
        """Carry out one call."""
        envs = self._envs
        if name == "make":
            made = self._make()
            return self._add(made), made.spec.id if made.spec else type(made.unwrapped).__name__
        assert env is not None
        if name == "close":
            closing = envs.pop(env, None)
            return closing.close() if closing is not None else None
        if name == "fork":
            return self._add(fork(envs[env]))
        if name == "item":
            return reset_item(envs[env], *arguments)
        if name == "reset":
            return envs[env].reset(seed=arguments[0], options=arguments[1])
        if name == "set_level":
            return getattr(envs[env].unwrapped, name)(*arguments)
        return envs[env].step(*arguments)

    def _add(self, env: TextEnv) -> int:
        number = next(self._numbers)
        self._envs[number] = env
        return number


def _serve(pipe: Connection, make: Make) -> None:
    """The host process: one thread a call, so that a slow environment keeps no other waiting."""
    table = EnvTable(make)
    lock = threading.Lock()

    def answer(number: int, name: str, env: int | None, arguments: tuple[Any, ...]) -> None:
        reply: tuple[int, str, Any]
        try:
            reply = (number, "value", table.work(name, env, arguments))
        except ProofgymError as error:
            reply = (number, "proofgym", (type(error).__name__, str(error)))
        except Exception as error:
            reply = (number, "fault", f"{type(error).__name__}: {error}")
        if number < 0:
            return
        with lock:
            try:
                pipe.send(reply)
            except (OSError, EOFError):
                return
            except Exception as error:  # what an environment put into its info cannot travel
                pipe.send((number, "fault", f"{type(error).__name__}: {error}"))

    while True:
        try:
            call = pipe.recv()
        except (EOFError, OSError, KeyboardInterrupt):
            return
        threading.Thread(target=functools.partial(answer, *call), daemon=True).start()
