"""A served environment as a Gymnasium environment: `proofgym.connect("http://host:8000")`.

>>> env = proofgym.connect("http://127.0.0.1:8000", env="Countdown")  # doctest: +SKIP
>>> question, info = env.reset(seed=0)  # doctest: +SKIP

One websocket carries the calls. When it breaks off, the client comes back and sends the same call with the same number;
the server answers a number that it has answered before with the same reply, so no action is ever played twice. What
cannot be saved is `Unjudged`: a session that is gone, a server that does not come back. It is never a reward of 0.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import secrets
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, overload
from urllib.parse import urlsplit, urlunsplit

import gymnasium
from gymnasium.envs.registration import EnvSpec

from proofgym.adapters.wire import ServerRefused, SessionLost, Unreachable, decode_info, error_of, problem
from proofgym.envs.spaces import AnyText
from proofgym.errors import BadInput, EpisodeOver, UnknownEnv, need

__all__ = ["Connection", "RemoteEnv", "connect"]

Info = dict[str, Any]

_TOKENS: dict[str, str] = {}  # given in this process, so that `env.spec` can connect again without holding a secret
_PAUSES_S = (0.05, 0.2, 0.5, 1.0, 2.0, 4.0)
_LARGEST = 64 << 20


@overload
def connect(
    url: str, token: str | None = None, *, env: str | None = None, num_envs: None = None, **args: Any
) -> RemoteEnv: ...
@overload
def connect(url: str, token: str | None = None, *, env: str | None = None, num_envs: int, **args: Any) -> Any: ...
def connect(
    url: str, token: str | None = None, *, env: str | None = None, num_envs: int | None = None, **args: Any
) -> Any:
    """Play a served environment, or several copies of it at once.

    Args:
        url: Where `proofgym serve` said that it serves.
        token: What the server wants to see; by default the variable PROOFGYM_TOKEN.
        env: Which environment, if the server offers several; `proofgym/` and the version may be left out.
        num_envs: A vector environment of so many copies, all played by one request a step.
        args: Arguments of the environment that the server lets clients choose: `split`, `level`, `max_turns`.
            `timeout_s` is how long one call may take.
    Returns:
        A `RemoteEnv`, or with `num_envs` a `RemoteVectorEnv`.
    Raises:
        UnknownEnv: If the server does not offer it.
        BadInput: For a URL that is none, or arguments that the server refuses.
        ServerRefused: For a wrong token, or when the server is full.
        Unreachable: If nobody answers.
        MissingExtra: If the extra `serve` is not installed.
    """
    base = _base(url)
    if token:
        _TOKENS[base] = token
    if num_envs is None:
        return RemoteEnv(url=base, env=env, **args)
    from proofgym.adapters.client_vector import RemoteVectorEnv

    return RemoteVectorEnv(url=base, env=env, num_envs=num_envs, **args)


class Connection:
    """One websocket to a server, opened when first needed and again when it broke; for one call at a time.

    Args:
        url: The server's.
        timeout_s: Of one call, from sending it to its reply.
        retries: How often a call is sent again after the connection broke.
    """

    def __init__(self, url: str, *, timeout_s: float = 180.0, retries: int = len(_PAUSES_S)) -> None:
        self.url, self._timeout_s, self._retries = url, timeout_s, retries
        self._lock = threading.RLock()
        self._numbers = itertools.count(1)
        self._socket: Any = None
        self._owner = os.getpid()

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """Make one call and return its body.

        Raises:
            ProofgymError: What the server's problem document stands for.
            Unreachable: After every retry.
        """
        status, body = self._exchange({"op": operation, **request})
        if status >= 400:
            raise error_of(body)
        return body

    def batch(self, calls: Sequence[Mapping[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
        """Make independent calls at once; each has a status of its own."""
        status, body = self._exchange({"op": "batch", "calls": list(calls)})
        if status >= 400:
            raise error_of(body)
        return [(reply["status"], reply["body"]) for reply in body["replies"]]

    def farewell(self, sessions: Sequence[str]) -> None:
        """Close sessions if the connection still stands, without insisting, and hang up."""
        if self._socket is not None and self._owner == os.getpid():
            self._retries, self._timeout_s = 0, 5.0
            with contextlib.suppress(Exception):
                self.batch([{"op": "close", "session": session} for session in sessions])
        self.close()

    def close(self) -> None:
        """Hang up. A later call connects again."""
        with self._lock:
            socket, self._socket = self._socket, None
            if socket is not None and self._owner == os.getpid():
                with contextlib.suppress(Exception):
                    socket.close()

    def _exchange(self, message: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        exceptions = need("websockets.exceptions", "serve")
        with self._lock:
            if self._owner != os.getpid():  # after a fork, the parent's socket is the parent's
                self._socket, self._owner = None, os.getpid()
            number = next(self._numbers)
            text = json.dumps({"id": number, **message}, separators=(",", ":"))
            deadline = time.monotonic() + self._timeout_s
            for attempt in range(self._retries + 1):
                try:
                    if self._socket is None:
                        self._socket = self._open()
                    self._socket.send(text)
                    while True:  # a reply to a call that we gave up on may still come in
                        reply = json.loads(self._socket.recv(timeout=max(0.0, deadline - time.monotonic())))
                        if reply["id"] == number:
                            return reply["status"], reply["body"]
                except TimeoutError as error:
                    self._drop()
                    raise Unreachable(f"{self.url} took more than {self._timeout_s:g} s") from error
                except exceptions.InvalidStatus as error:
                    raise self._refusal(error) from error
                except (OSError, exceptions.WebSocketException) as error:
                    if getattr(getattr(error, "rcvd", None), "code", 0) == 1009:
                        self._drop()
                        return 413, problem("too-large", "the message is larger than the server takes")
                    self._drop()
                    if attempt == self._retries or time.monotonic() > deadline:
                        raise Unreachable(f"{self.url} does not answer ({type(error).__name__}: {error})") from error
                    time.sleep(_PAUSES_S[min(attempt, len(_PAUSES_S) - 1)])
            raise AssertionError("the last attempt returns or raises")

    def _open(self) -> Any:
        client = need("websockets.sync.client", "serve")
        token = _TOKENS.get(self.url) or os.environ.get("PROOFGYM_TOKEN", "").strip()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        opening = client.connect(
            _websocket(self.url), additional_headers=headers, max_size=_LARGEST, compression=None, open_timeout=10.0,
            close_timeout=1.0, proxy=None,
        )  # fmt: skip
        return opening.__enter__()  # the one form that every version takes without a warning; `close` is its other end

    def _drop(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            with contextlib.suppress(Exception):
                socket.close()

    def _refusal(self, error: Any) -> Exception:
        """The handshake was answered by something else than a websocket."""
        response = error.response
        try:
            return error_of(json.loads(response.body))
        except (TypeError, ValueError, AttributeError):
            return ServerRefused(f"{self.url} answered {response.status_code}; does a proofgym server listen there?")


class RemoteEnv(gymnasium.Env[str, str]):
    """An environment whose episodes live on a server. It can be forked, and its state travels.

    Args:
        url: The server's.
        env: Which environment.
        args: The environment's arguments.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi"], "render_fps": 1}  # noqa: RUF012 - Gymnasium's spelling

    def __init__(
        self, *, url: str, env: str | None = None, render_mode: str | None = None, timeout_s: float = 180.0, **args: Any
    ) -> None:
        if render_mode not in (None, "ansi"):
            raise BadInput(f"the one render mode is 'ansi', found {render_mode!r}")
        self.render_mode = render_mode
        self._connection = Connection(_base(url), timeout_s=timeout_s)
        self._args = args
        self._observation = ""
        try:
            env_id = chosen(self._connection, env)
            made = self._connection.call("create", env=env_id, args=args, key=secrets.token_hex(16))
        except BaseException:
            self._connection.close()
            raise
        self._take(made)
        arguments = {"url": self._connection.url, "env": env_id, "timeout_s": timeout_s, **args}
        self.spec = spec_of(env_id, arguments)

    def _take(self, made: Mapping[str, Any]) -> None:
        told = made["env"]
        self._session: str | None = made["session"]
        self._call = int(made["call"])
        self.env_id, self.family, self.floor = told["id"], told["family"], told["floor"]
        self.max_turns: int | None = told["max_turns"]
        self.observation_space = AnyText(told["observation_limit"])
        self.action_space = AnyText(told["action_limit"])
        self._finalizer = weakref.finalize(self, _farewell, self._connection, made["session"])

    # Gymnasium's side -------------------------------------------------------------------------------------------------

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, Info]:
        """Ask the next item, item 0 of a new seed, or what `options` names. A session that is gone is made anew.

        Raises:
            BadInput: As the local environment.
            Unreachable: If the server does not answer.
        """
        super().reset(seed=seed)
        try:
            body = self._numbered("reset", seed=seed, options=options)
        except SessionLost:
            self._renew()
            body = self._numbered("reset", seed=seed, options=options)
        self._observation = body["observation"]
        return body["observation"], decode_info(body["info"])

    def reset_item(self, seed: int, index: int) -> tuple[str, Info]:
        """Item `index` of `seed`, the same one as the local environment asks; see `envs.base.reset_item`."""
        return self.reset(seed=seed, options={"index": index})

    def step(self, action: str) -> tuple[str, float, bool, bool, Info]:
        """Play one action.

        Raises:
            Unjudged: If it could not be judged there, the session is gone, or the server does not come back.
            EpisodeOver: Before the first `reset`, or after the episode ended.
        """
        if not isinstance(action, str):
            raise TypeError(f"an action is text, found {type(action).__name__}")
        body = self._numbered("step", action=str(action))
        self._observation = body["observation"]
        return (
            body["observation"], float(body["reward"]), body["terminated"], body["truncated"], decode_info(body["info"])
        )  # fmt: skip

    def render(self) -> str | None:
        """What the policy would read now, when the render mode is `ansi`."""
        return self._observation if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Close the session there and hang up. Safe to call twice."""
        self._session = None
        self._finalizer()

    # Forks and states -------------------------------------------------------------------------------------------------

    def fork(self) -> RemoteEnv:
        """An exact copy in mid-episode, in the same worker of the server, over a connection of its own."""
        made = self._connection.call("fork", session=self._open_session(), key=secrets.token_hex(16))
        other = type(self).__new__(type(self))
        other.__dict__.update({k: v for k, v in self.__dict__.items() if k not in ("_finalizer", "_np_random")})
        other._connection = Connection(self._connection.url, timeout_s=self._connection._timeout_s)
        other._take(made)
        return other

    def state(self) -> dict[str, Any]:
        """All that `restore` needs, here or in a local environment. It holds the answer: for the trainer only."""
        state: dict[str, Any] = self._connection.call("state", session=self._open_session())["state"]
        return state

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up where `state` was taken.

        Raises:
            ServerRefused: If the server did not sign it, unless it trusts its clients (`--trust-states`).
            BadInput: If it is no state of this environment.
        """
        try:
            body = self._numbered("restore", state=dict(state))
        except SessionLost:
            self._renew()
            body = self._numbered("restore", state=dict(state))
        self._observation = body["observation"]

    def oracle(self) -> str:
        """What an expert answers now, if the server tells."""
        return str(self._connection.call("oracle", session=self._open_session())["action"])

    def set_level(self, level: float) -> None:
        """Draw tasks of this difficulty from the next item on."""
        self._numbered("level", level=float(level))
        self._args = {**self._args, "level": float(level)}

    # Inside -----------------------------------------------------------------------------------------------------------

    def _open_session(self) -> str:
        if self._session is None:
            raise EpisodeOver("the environment is closed: connect again")
        return self._session

    def _numbered(self, operation: str, **request: Any) -> dict[str, Any]:
        """A call that changes the session. Its number is used up, whatever comes of it."""
        session = self._open_session()
        self._call += 1
        try:
            return self._connection.call(operation, session=session, call=self._call, **request)
        except Unreachable:
            self._call = 0  # nobody knows whether it was played; the next reset makes a new session
            self._session = "lost"
            raise

    def _renew(self) -> None:
        self._finalizer.detach()
        self._take(self._connection.call("create", env=self.env_id, args=self._args, key=secrets.token_hex(16)))


def _farewell(connection: Connection, session: str) -> None:
    """Close a session that nobody here holds any longer, if that is quickly done; the server reaps it otherwise."""
    connection.farewell([session])


def chosen(connection: Connection, env: str | None) -> str:
    """The full id of an environment that the server offers: the one that was named, or the only one."""
    offered: list[str] = [told["id"] for told in connection.call("envs")["environments"]]
    if env is None:
        if len(offered) == 1:
            return offered[0]
        raise UnknownEnv(f"the server offers {', '.join(offered)}; name one with env=...")
    if env in offered:
        return env
    matches = [
        name for name in offered if env in (name.rpartition("/")[2], name.rpartition("/")[2].rpartition("-v")[0])
    ]
    if matches:
        return max(matches, key=lambda name: int(name.rpartition("-v")[2]))
    raise UnknownEnv(f"no environment {env!r} there; the server offers {', '.join(offered)}")


def spec_of(env_id: str, arguments: dict[str, Any]) -> EnvSpec:
    """A specification that connects again. It holds no token: that is found by the URL, or in the environment."""
    return EnvSpec(
        env_id, entry_point="proofgym.adapters.client:RemoteEnv", kwargs=arguments, order_enforce=False,
        disable_env_checker=True,
    )  # fmt: skip


def _base(url: str) -> str:
    """A server's URL in one form.

    >>> _base("http://localhost:8000/")
    'http://localhost:8000'
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise BadInput(f"a server's URL looks like http://host:8000, found {url!r}")
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def _websocket(url: str) -> str:
    return "ws" + url.removeprefix("http") + "/v1/ws"
