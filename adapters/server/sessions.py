"""The table of running episodes: what each call does to its session. Plain, synchronous, safe from many threads.

A call comes in as an operation and a JSON object, and leaves as a status and JSON bytes. Calls that change a session
are numbered: the same number again gets the same reply and changes nothing, so a client whose connection broke may
safely ask once more. A call that nobody can judge is a problem document with a kind of its own; it holds no reward.
"""

from __future__ import annotations

import hashlib
import hmac
import inspect
import json
import math
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import gymnasium

from proofgym.adapters import wire
from proofgym.adapters.server.settings import Settings
from proofgym.envs.base import VerifiableEnv, fork
from proofgym.envs.registry import list_envs, make
from proofgym.envs.task import canonical_json
from proofgym.errors import BadInput, NotForkable, ProofgymError, Unjudged

__all__ = ["Call", "Problem", "Reply", "Sessions", "describe", "failure", "make_env"]

Call = tuple[str, Mapping[str, Any]]
"""An operation and its request."""


class Reply(NamedTuple):
    """The answer to one call: an HTTP status, JSON bytes, and what the metrics want to know."""

    status: int
    body: bytes
    note: dict[str, Any]


class Problem(Exception):
    """A call that cannot be answered as asked; `kind` is one of `wire.KINDS`."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


def failure(kind: str, detail: str, **note: Any) -> Reply:
    """A problem document as a reply."""
    document = wire.problem(kind, detail)
    return Reply(document["status"], wire.dumps(document), {"problem": kind, **note})


@dataclass
class _Session:
    """One episode after another, in one environment."""

    id: str
    env_id: str
    env: gymnasium.Env[str, str]
    args: dict[str, Any]
    expires: float
    key: str = ""
    call: int = 0
    reply: Reply | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Sessions:
    """Every live session of one worker.

    Args:
        settings: What may be made, and the limits.
        name: Put in front of every session id; the server routes by it.
        clock: Seconds that only go forward.
    """

    def __init__(self, settings: Settings, name: str = "w0", clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._name, self._clock = settings, name, clock
        self._live: dict[str, _Session] = {}
        self._keys: dict[str, str] = {}
        self._lock = threading.Lock()
        self._operations: dict[str, Callable[[Mapping[str, Any]], Reply]] = {
            "create": self._create, "fork": self._fork, "close": self._close, "show": self._show,
            "reset": self._numbered(self._reset), "step": self._numbered(self._step),
            "restore": self._numbered(self._restore), "level": self._numbered(self._level),
            "state": self._reading(self._state), "oracle": self._reading(self._oracle), "orphan": self._orphan,
        }  # fmt: skip

    def __len__(self) -> int:
        return len(self._live)

    def handle(self, operation: str, request: Mapping[str, Any]) -> Reply:
        """Carry out one call. Total: whatever goes wrong is a problem document."""
        try:
            return self._operations[operation](request)
        except Problem as found:
            return failure(found.kind, str(found))
        except ProofgymError as error:
            return failure(wire.kind_of(error), str(error))
        except Exception as error:
            return failure("internal", f"{operation} failed ({type(error).__name__}: {error})")

    def reap(self) -> int:
        """Close the sessions that nobody called for too long; those in the middle of a call are left alone."""
        now, reaped = self._clock(), 0
        for session in [session for session in list(self._live.values()) if session.expires < now]:
            if session.lock.acquire(blocking=False):
                try:
                    if session.expires < now:
                        self._forget(session)
                        reaped += 1
                finally:
                    session.lock.release()
        return reaped

    def abandon(self, session_id: str) -> None:
        """Take a session out whose call never returns. Its environment cannot be closed: a thread is still in it."""
        with self._lock:
            session = self._live.pop(session_id, None)
            if session is not None:
                self._keys.pop(session.key, None)

    def close(self) -> None:
        """Close every session."""
        for session in list(self._live.values()):
            self._forget(session)

    # Sessions come and go ---------------------------------------------------------------------------------------------

    def _create(self, request: Mapping[str, Any]) -> Reply:
        key = request.get("key")
        known = self._of_key(key)
        if known is not None:
            return self._made(known)
        env_id = request["env"]
        args = dict(request.get("args") or {})
        session = self._add(env_id, self._make(env_id, args), args, key)
        return self._made(session)

    def _fork(self, request: Mapping[str, Any]) -> Reply:
        known = self._of_key(request.get("key"))
        if known is None:
            parent = self._session(request)
            with parent.lock:
                copied = fork(parent.env)
            known = self._add(parent.env_id, copied, parent.args, request.get("key"))
        return self._made(known)

    def _made(self, session: _Session) -> Reply:
        told = {"session": session.id, "call": session.call, "env": describe(session.env_id, session.env)}
        return Reply(201, wire.dumps(told), {"env": session.env_id})

    def _close(self, request: Mapping[str, Any]) -> Reply:
        session = self._session(request)
        with session.lock:
            self._forget(session)
        return Reply(200, wire.dumps({"closed": session.id}), {"env": session.env_id})

    def _show(self, request: Mapping[str, Any]) -> Reply:
        session = self._session(request, touch=False)
        idle = max(0.0, session.expires - self._clock())
        told = {
            "session": session.id, "call": session.call, "expires_s": round(idle, 3),
            "env": describe(session.env_id, session.env),
        }  # fmt: skip
        return Reply(200, wire.dumps(told), {"env": session.env_id})

    def _orphan(self, request: Mapping[str, Any]) -> Reply:
        """The connection that made these broke off: they have the grace, unless somebody calls them again."""
        soon = self._clock() + self._settings.grace_s
        for session_id in request["sessions"]:
            session = self._live.get(session_id)
            if session is not None:
                session.expires = min(session.expires, soon)
        return Reply(200, b"{}", {})

    # What happens in an episode ---------------------------------------------------------------------------------------

    def _reset(self, session: _Session, request: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        options = request.get("options")
        try:
            observation, info = session.env.reset(seed=request.get("seed"), options=options)
        except (TypeError, ValueError, LookupError) as error:
            if not options or isinstance(error, ProofgymError):
                raise
            raise BadInput(f"{session.env_id} cannot use these options: {error}") from error
        return {"observation": observation, "info": info}, {}

    def _step(self, session: _Session, request: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        observation, reward, terminated, truncated, info = session.env.step(request["action"])
        reward = float(reward)
        if not math.isfinite(reward):
            raise Unjudged(f"the environment paid {reward}, which is no score")
        end = (
            getattr(getattr(info.get("verdict"), "status", None), "value", "none") if terminated or truncated else None
        )
        told = {
            "observation": observation, "reward": reward, "terminated": bool(terminated), "truncated": bool(truncated),
            "info": info,
        }  # fmt: skip
        return told, {"end": end} if end else {}

    def _restore(self, session: _Session, request: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Into a new environment, which takes the place of the old one only when all went well."""
        state = dict(request["state"])
        if not self._settings.trust_states and not self._is_ours(session.env_id, state):
            raise Problem("forbidden", "the state was not signed by this server; only states it gave out are restored")
        state.pop("signature", None)
        made = self._make(session.env_id, session.args)
        try:
            _stateful(made).restore(state)
            state_now = _stateful(made).state()  # what restored badly often shows when it is written down again
            json.dumps(state_now, allow_nan=False)
        except Exception as error:
            made.close()
            raise BadInput(f"no state of {session.env_id} ({type(error).__name__}: {error})"[:500]) from error
        old, session.env = session.env, made
        old.close()
        inner = made.unwrapped
        return {"observation": inner._observation if isinstance(inner, VerifiableEnv) else ""}, {}

    def _level(self, session: _Session, request: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        inner = session.env.unwrapped
        if not hasattr(inner, "set_level"):
            raise BadInput(f"{session.env_id} has no levels")
        inner.set_level(request["level"])
        session.args["level"] = request["level"]
        return {"level": request["level"]}, {}

    def _state(self, session: _Session) -> dict[str, Any]:
        if not self._settings.states:
            raise Problem("forbidden", "this server keeps states to itself, since a state holds the answer")
        state = json.loads(json.dumps(_stateful(session.env).state(), allow_nan=False))
        return {"state": {**state, "signature": self._sign(session.env_id, state)}}

    def _oracle(self, session: _Session) -> dict[str, Any]:
        if not self._settings.states:
            raise Problem("forbidden", "this server keeps its expert's answers to itself")
        inner = session.env.unwrapped
        if not hasattr(inner, "oracle"):
            raise BadInput(f"{session.env_id} has no expert")
        copied: Any = fork(session.env).unwrapped  # asking changes nothing; before the first reset it is EpisodeOver
        return {"action": str(copied.oracle())}

    # Inside -----------------------------------------------------------------------------------------------------------

    def _numbered(
        self, work: Callable[[_Session, Mapping[str, Any]], tuple[dict[str, Any], dict[str, Any]]]
    ) -> Callable[[Mapping[str, Any]], Reply]:
        def once(request: Mapping[str, Any]) -> Reply:
            session = self._session(request)
            with session.lock:
                call = request.get("call")
                if call is not None and call == session.call and session.reply is not None:
                    return session.reply._replace(note={"repeated": True})
                if call is not None and call <= session.call:
                    raise Problem("out-of-step", f"call {call} of a session that is at call {session.call} already")
                session.call = session.call + 1 if call is None else call
                note = {"env": session.env_id}
                try:
                    told, more = work(session, request)
                    session.reply = Reply(200, wire.dumps({**told, "call": session.call}), note | more)
                except Problem as found:
                    session.reply = failure(found.kind, str(found), **note)
                except ProofgymError as error:
                    session.reply = failure(wire.kind_of(error), str(error), **note)
                except Exception as error:  # not ours: an environment that broke has given no score
                    session.reply = failure(
                        "unjudged", f"the environment failed ({type(error).__name__}: {error})", **note
                    )
                session.expires = self._clock() + self._settings.ttl_s
                return session.reply

        return once

    def _reading(self, work: Callable[[_Session], dict[str, Any]]) -> Callable[[Mapping[str, Any]], Reply]:
        def read(request: Mapping[str, Any]) -> Reply:
            session = self._session(request)
            with session.lock:
                return Reply(200, wire.dumps(work(session)), {"env": session.env_id})

        return read

    def _session(self, request: Mapping[str, Any], *, touch: bool = True) -> _Session:
        session = self._live.get(request["session"])
        if session is None:
            raise Problem(
                "no-such-session",
                f"no session {request['session'][:80]!r}: it was closed, idle for more than "
                f"{self._settings.ttl_s:g} s, or lost with its worker; create another",
            )
        if touch:
            session.expires = self._clock() + self._settings.ttl_s
        return session

    def _make(self, env_id: str, args: Mapping[str, Any]) -> gymnasium.Env[str, str]:
        if env_id not in self._settings.envs:
            raise Problem("unknown-env", f"no environment {env_id!r} here; there are {', '.join(self._settings.envs)}")
        refused = sorted(set(args) - set(self._settings.client_args))
        if refused:
            raise BadInput(
                f"a client may choose {', '.join(self._settings.client_args) or 'no arguments'}, not {refused[0]!r}"
            )
        clash = sorted(set(args) & set(self._settings.env_args))
        if clash:
            raise BadInput(f"{clash[0]!r} is fixed by this server")
        try:
            made = make_env(env_id, **args, **self._settings.env_args)
            if isinstance(made, gymnasium.wrappers.OrderEnforcing) and isinstance(made.unwrapped, VerifiableEnv):
                return made.env  # ours refuse a step before a reset themselves, and a restored one needs no reset
            return made
        except ProofgymError:
            raise
        except (TypeError, ValueError) as error:
            raise BadInput(f"{env_id} cannot be made like this: {error}") from error

    def _add(self, env_id: str, env: gymnasium.Env[str, str], args: Mapping[str, Any], key: str | None) -> _Session:
        expires = self._clock() + self._settings.ttl_s
        session = _Session(f"{self._name}-{secrets.token_hex(16)}", env_id, env, dict(args), expires, key or "")
        with self._lock:
            known = self._keys.get(key) if key else None
            if known is None:
                self._live[session.id] = session
                if key:
                    self._keys[key] = session.id
        if known is not None:  # the same request came twice at once
            env.close()
            return self._live[known]
        return session

    def _of_key(self, key: str | None) -> _Session | None:
        return self._live.get(self._keys.get(key, "")) if key else None

    def _forget(self, session: _Session) -> None:
        with self._lock:
            self._live.pop(session.id, None)
            self._keys.pop(session.key, None)
        session.env.close()

    def _sign(self, env_id: str, state: Mapping[str, Any]) -> str:
        text = f"{env_id}\n{canonical_json(state)}".encode("utf-8", "surrogatepass")
        return hmac.new(self._settings.signing_key, text, hashlib.sha256).hexdigest()

    def _is_ours(self, env_id: str, state: Mapping[str, Any]) -> bool:
        unsigned = {key: value for key, value in state.items() if key != "signature"}
        try:
            expected = self._sign(env_id, unsigned)
        except ValueError:  # NaN, which no state of ours holds
            return False
        return hmac.compare_digest(expected.encode(), str(state.get("signature", "")).encode("utf-8", "replace"))


def make_env(env_id: str, **args: Any) -> gymnasium.Env[Any, Any]:
    """An environment by its id; `module:id` is anybody's, whose module is imported first, as in Gymnasium."""
    return (gymnasium.make if ":" in env_id else make)(env_id, disable_env_checker=True, **args)


def describe(env_id: str, env: gymnasium.Env[Any, Any]) -> dict[str, Any]:
    """What a client needs to know of an environment to stand in for it."""
    inner = env.unwrapped
    entry = next((entry for entry in list_envs() if entry.id == env_id), None)
    summary = entry.summary if entry else (inspect.getdoc(type(inner)) or "").partition("\n")[0]
    return {
        "id": env_id, "domain": entry.domain if entry else "", "summary": summary,
        "max_turns": getattr(inner, "max_turns", entry.max_turns if entry else None),
        "observation_limit": getattr(env.observation_space, "max_length", 1 << 20),
        "action_limit": getattr(env.action_space, "max_length", 1 << 20),
        "family": getattr(inner, "family", None), "floor": getattr(inner, "floor", None),
    }  # fmt: skip


def _stateful(env: gymnasium.Env[Any, Any]) -> Any:
    """The outermost layer that hands out its state."""
    layer: gymnasium.Env[Any, Any] = env
    while not (hasattr(layer, "state") and hasattr(layer, "restore")):
        if not isinstance(layer, gymnasium.Wrapper):
            raise NotForkable(f"{type(layer).__name__} has no state() and restore()")
        layer = layer.env
    return layer
