"""What crosses the wire between a proofgym server and its clients: `info` as JSON and back, and the kinds of problems.

Everything is JSON. Verdicts and credits travel as what their `to_json` writes and are rebuilt on the other side, so a
remote environment hands out the same objects as a local one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from proofgym.errors import BadInput, EpisodeOver, NotForkable, ProofgymError, Unjudged, UnknownEnv
from proofgym.verifiers import Credit, Verdict

__all__ = ["KINDS", "Kind", "ServerRefused", "SessionLost", "Unreachable", "decode_info", "dumps", "error_of"]

PREFIX = "urn:proofgym:"


class ServerRefused(ProofgymError, RuntimeError):
    """The server would not do it: no valid token, too many sessions, a body that is too large, a call out of turn."""


class SessionLost(Unjudged):
    """The episode's session is gone from the server: idle for too long, or lost with its worker process."""


class Unreachable(Unjudged):
    """The server did not answer, after every retry that is safe. Whatever was under way has no score."""


class Kind(NamedTuple):
    """One kind of problem: its HTTP status, its title, and the exception that a client raises for it."""

    status: int
    title: str
    error: type[ProofgymError]


KINDS: dict[str, Kind] = {
    "bad-input": Kind(422, "The request cannot be used", BadInput),
    "episode-over": Kind(409, "No episode is running", EpisodeOver),
    "forbidden": Kind(403, "Not allowed here", ServerRefused),
    "internal": Kind(500, "A bug of the server", Unjudged),
    "limit-reached": Kind(429, "A limit is reached", ServerRefused),
    "method-not-allowed": Kind(405, "The path has no such method", ServerRefused),
    "no-such-session": Kind(404, "No such session", SessionLost),
    "not-forkable": Kind(409, "The environment cannot be copied", NotForkable),
    "not-found": Kind(404, "No such path", ServerRefused),
    "out-of-step": Kind(409, "The call is out of turn", ServerRefused),
    "too-large": Kind(413, "The body is too large", ServerRefused),
    "unauthorized": Kind(401, "A valid token is needed", ServerRefused),
    "unavailable": Kind(503, "The server cannot take this now", Unjudged),
    "unjudged": Kind(424, "The answer could not be judged", Unjudged),
    "unknown-env": Kind(404, "No such environment", UnknownEnv),
}


def kind_of(error: ProofgymError) -> str:
    """The kind that a client sees for one of our exceptions.

    >>> kind_of(EpisodeOver("call reset() first"))
    'episode-over'
    """
    if isinstance(error, Unjudged):
        return "unjudged"
    for kind in ("unknown-env", "bad-input", "episode-over", "not-forkable"):
        if isinstance(error, KINDS[kind].error):
            return kind
    return "unjudged"


def problem(kind: str, detail: str) -> dict[str, Any]:
    """A problem document (RFC 9457).

    >>> problem("unjudged", "the sandbox died")["status"]
    424
    """
    status, title, _ = KINDS[kind]
    return {"type": PREFIX + kind, "title": title, "status": status, "detail": detail}


def error_of(document: Mapping[str, Any]) -> ProofgymError:
    """The exception that a problem document stands for. What is not known here is a refusal, never a score.

    >>> error_of(problem("episode-over", "call reset() first"))
    EpisodeOver('call reset() first')
    """
    kind = KINDS.get(str(document.get("type", "")).removeprefix(PREFIX))
    detail = str(document.get("detail") or document.get("title") or "the server gave no reason")
    return kind.error(detail) if kind else ServerRefused(detail)


def dumps(data: Any) -> bytes:
    """JSON bytes of a reply. Numbers that JSON lacks become null; lone surrogates stay what they are, as escapes.

    >>> dumps({"verdict": Verdict.right(), "x": float("nan")})
    b'{"verdict":{"status":"correct","score":1.0,"reason":"","parts":{}},"x":null}'
    """
    try:
        text = json.dumps(data, separators=(",", ":"), allow_nan=False, default=_plain)
    except ValueError:
        text = json.dumps(_finite(data), separators=(",", ":"), allow_nan=False, default=_plain)
    return text.encode("ascii")


def _plain(value: Any) -> Any:
    """What an environment may have put into its info, as JSON."""
    if isinstance(value, (Verdict, Credit)):
        return value.to_json()
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays
        return _finite(value.tolist())
    return str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def decode_info(info: Mapping[str, Any]) -> dict[str, Any]:
    """`info` as a local environment would have given it.

    >>> decode_info({"verdict": Verdict.right().to_json(), "credits": [[0, 2, 1.0, "answer", ""]]})["credits"]
    [Credit(start=0, end=2, value=1.0, label='answer', reason='')]
    """
    decoded = dict(info)
    if isinstance(decoded.get("verdict"), dict):
        decoded["verdict"] = Verdict.from_json(decoded["verdict"])
    if isinstance(decoded.get("credits"), list):
        decoded["credits"] = [Credit.from_json(credit) for credit in decoded["credits"]]
    return decoded
