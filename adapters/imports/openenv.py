"""Environments behind OpenEnv servers, by its websocket wire: no code of theirs runs here."""

from __future__ import annotations

import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

from proofgym.adapters.imports.base import Foreign, Imported, Reply
from proofgym.errors import BadInput, Unjudged, need

__all__ = ["OpenEnv"]

_LARGEST = 16 * 2**20  # bytes of one message


class _Session(Foreign):
    def __init__(self, url: str, timeout_s: float, reset: Mapping[str, Any]) -> None:
        need("websockets.sync.client", "openenv")
        self.url, self.timeout_s, self.reset = url, timeout_s, dict(reset)
        self.schema = _action_schema(url, timeout_s)
        self.socket: Any = None
        self.opened = contextlib.ExitStack()

    def open(self, seed: int) -> str:
        self.close()
        connect = need("websockets.sync.client", "openenv").connect
        try:
            made = connect(_at(self.url, "/ws", socket=True), open_timeout=self.timeout_s, max_size=_LARGEST)
            self.socket = self.opened.enter_context(made)
        except (OSError, TimeoutError, need("websockets.exceptions", "openenv").WebSocketException) as error:
            raise Unjudged(f"no OpenEnv server answers at {self.url} ({type(error).__name__}: {error})") from error
        reply = self._ask("reset", {**self.reset, "seed": seed})
        return reply.text

    def act(self, action: str) -> Reply:
        try:
            payload = to_payload(action, self.schema)
        except BadInput as error:
            return Reply(str(error))  # the policy's mistake, which costs it a turn
        return self._ask("step", payload)

    def close(self) -> None:
        self.socket = None
        self.opened.close()

    def _ask(self, kind: str, data: Mapping[str, Any]) -> Reply:
        failures = (OSError, TimeoutError, ValueError, need("websockets.exceptions", "openenv").WebSocketException)
        try:
            self.socket.send(json.dumps({"type": kind, "data": data}))
            answer = json.loads(self.socket.recv(timeout=self.timeout_s))
            told = answer["data"]
            if answer["type"] == "error":
                if kind == "step" and told.get("code") == "VALIDATION_ERROR":
                    return Reply(f"The action was refused: {told.get('message', '')}"[:2000])
                raise Unjudged(f"the OpenEnv server failed at {kind}: {told.get('message', told)!r:.300}")
            reward = told.get("reward")
            self.last = to_text(told.get("observation"))
            return Reply(self.last, 0.0 if reward is None else float(reward), terminated=bool(told.get("done")))
        except (*failures, KeyError, TypeError, AttributeError) as error:
            self.close()
            raise Unjudged(f"the OpenEnv server broke off at {kind} ({type(error).__name__}: {error})") from error


class OpenEnv(Imported):
    """Plays an environment of an OpenEnv server (`pip install 'proofgym[openenv]'`).

    Observation: the text field of the server's observation if it has exactly one, else its JSON.
    Action: JSON of the server's action schema; where that has exactly one required field, the bare text fills it.
    Reward: the server's, step by step.

    A seed is sent with every reset. Whether the server obeys it, only its audit tells: several do not, and then neither
    splits nor forks of it mean anything (`restore` notices and refuses).

    Args:
        url: Where the server listens, such as `http://127.0.0.1:8000`.
        reset: More arguments of the server's reset.
        timeout_s: Of one message.
    Raises:
        MissingExtra: If websockets is not installed.
        BadInput: If the address is none, or nothing there speaks OpenEnv.
    """

    family = "openenv"
    observation_limit: ClassVar[int] = 262_144

    def __init__(
        self, *, url: str, reset: Mapping[str, Any] | None = None, timeout_s: float = 60.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
            raise BadInput(f"an OpenEnv server has an address such as http://127.0.0.1:8000, found {url!r:.200}")
        self.url, self.timeout_s = url.rstrip("/"), timeout_s
        self._reset = dict(reset or {})
        self.make_foreign(self.settings())

    def settings(self) -> Mapping[str, Any]:
        return {"url": self.url, "reset": self._reset}

    def make_foreign(self, instance: Mapping[str, Any]) -> Foreign:
        if instance.get("url") != self.url or not isinstance(instance.get("reset"), Mapping):
            raise BadInput(
                f"an instance of this environment has the 'url' {self.url} and 'reset', found {instance!r:.80}"
            )
        return _Session(self.url, self.timeout_s, instance["reset"])


def to_text(observation: Any) -> str:
    """What a policy reads of an observation: nothing that is told to the trainer.

    >>> to_text({"prompt": "Guess.", "done": False, "reward": None, "metadata": {}})
    'Guess.'
    >>> to_text({"board": [1, 2], "done": False})
    '{"board": [1, 2]}'
    """
    if isinstance(observation, str):
        return observation
    if not isinstance(observation, Mapping):
        return json.dumps(observation, ensure_ascii=False)
    told = {key: value for key, value in observation.items() if key not in ("done", "reward", "metadata", "info")}
    texts = [value for value in told.values() if isinstance(value, str)]
    if len(texts) == 1 and all(value in (None, "", [], {}) or value is texts[0] for value in told.values()):
        return texts[0]
    return json.dumps(told, ensure_ascii=False)


def to_payload(action: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A policy's text as an action of the server's schema.

    Raises:
        BadInput: If it is no JSON object and the schema has not exactly one required field to put it in.

    >>> to_payload("crane", {"required": ["guess"], "properties": {"guess": {"type": "string"}}})
    {'guess': 'crane'}
    >>> to_payload('{"guess": "crane"}', {"required": ["guess"]})
    {'guess': 'crane'}
    """
    try:
        found = json.loads(action)
    except (ValueError, RecursionError):
        found = action
    if isinstance(found, dict):
        return found
    required = list(schema.get("required") or ())
    if len(required) != 1:
        raise BadInput(f"write the action as a JSON object with {', '.join(required) or 'its fields'}")
    kind = (schema.get("properties") or {}).get(required[0], {}).get("type")
    return {required[0]: action if kind == "string" else found}


def _at(url: str, path: str, *, socket: bool = False) -> str:
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}[parts.scheme] if socket else parts.scheme
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + path, "", ""))


def _action_schema(url: str, timeout_s: float) -> Mapping[str, Any]:
    try:
        with urllib.request.urlopen(_at(url, "/schema"), timeout=timeout_s) as answer:  # noqa: S310 - http(s), checked
            schema = json.loads(answer.read(_LARGEST))["action"]
    except (urllib.error.URLError, TimeoutError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"nothing at {url} speaks OpenEnv: its /schema could not be read ({error})") from error
    if not isinstance(schema, Mapping):
        raise BadInput(f"the action schema of {url} is no object, found {schema!r:.80}")
    return schema
