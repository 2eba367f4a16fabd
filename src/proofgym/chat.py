"""A language model behind a chat API, for evaluation and for judges.

    model = ApiModel.parse("qwen2.5-7b@http://localhost:8000/v1")
    model.complete([{"role": "user", "content": "What is 2 + 2?"}]).text

Every endpoint that speaks OpenAI's chat completions will do: OpenAI itself, vLLM, llama.cpp, Ollama, a gateway. The
`openai` client (`pip install 'proofgym[api]'`) holds the connection, retries with backoff, obeys Retry-After and keeps
the timeouts. An endpoint that fails all the same raises `ModelUnavailable`, which is `Unjudged`: a model that was not
reached has no score. The key is read from the environment and is never stored, shown or written to a run.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from proofgym.errors import BadInput, Unjudged, need

__all__ = ["ApiModel", "ChatModel", "ContextFull", "ModelUnavailable", "Reply", "ToolCall", "Usage"]

_SURROGATE = re.compile("[\ud800-\udfff]")


class ModelUnavailable(Unjudged):
    """The model could not be asked: unreachable, refused, too slow, or its answer was no chat completion."""


class ContextFull(ModelUnavailable):
    """The endpoint refused the conversation because it is longer than the model can read."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function that the model wants called; `arguments` is the text that it wrote and may be damaged JSON."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the endpoint counted them (0 where it does not say), and their price if one is known.

    >>> Usage(10, 5, 0.5) + Usage(1, 1)
    Usage(prompt_tokens=11, completion_tokens=6, cost_usd=0.5)
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None

    def __add__(self, other: Usage) -> Usage:
        costs = [cost for cost in (self.cost_usd, other.cost_usd) if cost is not None]
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            sum(costs) if costs else None,
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model wrote.

    Args:
        text: Its message; empty if it only called tools. A lone surrogate, which is no character, is U+FFFD.
        tool_calls: In the order that it made them.
        cut: It was stopped by `max_tokens`.
        model: The name under which the endpoint answered.
    """

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    cut: bool = False
    model: str = ""


class ChatModel(Protocol):
    """Whatever continues a conversation; safe to ask from many threads."""

    name: str

    def complete(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        temperature: float = 0.0,
        max_tokens: int = 512,
        seed: int | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        json_schema: Mapping[str, Any] | None = None,
    ) -> Reply:
        """Continue the conversation.

        Args:
            messages: `{"role": ..., "content": ...}`, oldest first, in the form of chat completions.
            temperature: 0 asks for the likeliest text.
            max_tokens: Of the reply, at most.
            seed: Asks for repeatable sampling; endpoints promise it at best.
            tools: Functions that the model may call: `{"type": "function", "function": {"name": ..., ...}}`.
            json_schema: Asks for a reply that fits this schema. Check it all the same.
        Raises:
            ModelUnavailable: After the retries.
        """
        ...


@dataclass
class ApiModel:
    """A model behind an OpenAI-compatible endpoint.

    Args:
        name: As the endpoint calls it.
        url: The endpoint, such as `http://localhost:8000/v1`; none for the client's default.
        key_env: The environment variable with the key. Beside a `url` it may be unset: local servers need no key.
        timeout_s: For one request; a connection is given at most 10 s of it.
        retries: After a failed connection, a timeout, 408, 409, 429, 5xx, or an answer that is no completion.
        price: US dollars for a million prompt tokens and a million completion tokens.
        requests_per_minute: Requests, retries among them, start at most this often.

    `dropped` names the parameters that the endpoint refuses and that are therefore no longer sent.
    """

    name: str
    url: str | None = None
    key_env: str = "OPENAI_API_KEY"
    timeout_s: float = 120.0
    retries: int = 4
    price: tuple[float, float] | None = None
    requests_per_minute: float | None = None
    dropped: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        if not self.name or "://" in self.name:
            raise BadInput(f"a model behind an API is NAME@URL with an http or https address, found {self.name!r}")
        if self.url is not None:
            parts = urlsplit(self.url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise BadInput(f"an endpoint is an http or https address, found {self.url!r}")
            if parts.username or parts.password:
                raise BadInput(f"keys come from the environment ({self.key_env}), never from the address")
        if self.timeout_s <= 0 or self.retries < 0 or (self.requests_per_minute or 1) <= 0:
            raise BadInput("timeout_s and requests_per_minute are above 0, and retries at least 0")
        self._lock = threading.Lock()
        self._client: Any = None
        self._renamed = False  # whether the endpoint wants max_completion_tokens

    @classmethod
    def parse(
        cls,
        text: str,
        *,
        key_env: str = "OPENAI_API_KEY",
        timeout_s: float = 120.0,
        retries: int = 4,
        price: tuple[float, float] | None = None,
        requests_per_minute: float | None = None,
    ) -> ApiModel:
        """The model that `NAME@URL`, or `NAME` alone, stands for.

        >>> ApiModel.parse("org/model@2@https://example.org/v1").name
        'org/model@2'

        Raises:
            BadInput: For a text that is neither.
        """
        name, at, rest = text.rpartition("@http")
        url = "http" + rest if at else None
        return cls(name if at else text, url, key_env, timeout_s, retries, price, requests_per_minute)

    def check(self) -> None:
        """Ask one short question, to learn before anything is played whether the model can be reached.

        Raises:
            ModelUnavailable: If it cannot.
            BadInput: If a key is needed and the environment holds none.
            MissingExtra: Without the `openai` client.
        """
        self.complete([{"role": "user", "content": "Say yes."}], max_tokens=16)

    def complete(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        temperature: float = 0.0,
        max_tokens: int = 512,
        seed: int | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        json_schema: Mapping[str, Any] | None = None,
    ) -> Reply:
        """Continue the conversation; see `ChatModel.complete`."""
        client = self._connected()
        asked: dict[str, Any] = {"model": self.name, "messages": _text_only(list(messages)), "temperature": temperature}
        asked["max_tokens"] = max_tokens
        if seed is not None:
            asked["seed"] = seed
        if tools:
            asked["tools"] = list(tools)
        if json_schema is not None:
            schema = {"name": "answer", "schema": dict(json_schema)}
            asked["response_format"] = {"type": "json_schema", "json_schema": schema}
        nonsense = ""
        for attempt in range(self.retries + 1):
            if attempt:
                time.sleep(min(0.5 * 2 ** (attempt - 1), 8.0))
            answer = self._request(client, asked)
            reply = _read(answer, self.price)
            if isinstance(reply, Reply):
                return reply
            nonsense = reply
        raise ModelUnavailable(f"{self.where} answered {nonsense}, {self.retries + 1} times")

    def close(self) -> None:
        """Let go of the connections; the next question opens new ones."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    @property
    def where(self) -> str:
        """The model and its endpoint, for sentences."""
        return f"{self.name} at {self.url}" if self.url else self.name

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                openai = need("openai", "api")
                key = os.environ.get(self.key_env)
                if not key and self.url is None:
                    raise BadInput(f"{self.name} needs a key: set {self.key_env}, or name an endpoint (api:NAME@URL)")
                timeout = openai.Timeout(self.timeout_s, connect=min(10.0, self.timeout_s))
                hooks = {"request": [_Pace(self.requests_per_minute)]}  # so that the client's retries are counted too
                self._client = openai.OpenAI(
                    api_key=key or "none", base_url=self.url, max_retries=self.retries, timeout=timeout,
                    http_client=openai.DefaultHttpxClient(event_hooks=hooks, timeout=timeout),
                )  # fmt: skip
            return self._client

    def _request(self, client: Any, asked: Mapping[str, Any]) -> Any:
        """One request with the client's retries, and again without what the endpoint says it does not take."""
        import openai

        while True:
            sent = {key: value for key, value in asked.items() if key not in self.dropped}
            if self._renamed:
                sent["max_completion_tokens"] = sent.pop("max_tokens")
            try:
                # `chat.completions.create` would walk through the conversation by its types: 7 ms for 40 messages.
                return client.post("/chat/completions", cast_to=object, body=sent)
            except openai.APITimeoutError as error:
                raise ModelUnavailable(f"{self.where} did not answer within {self.timeout_s:g} s") from error
            except openai.APIConnectionError as error:
                cause = error.__cause__ or error
                raise ModelUnavailable(f"{self.where} could not be reached ({_short(cause)})") from error
            except openai.APIStatusError as error:
                if error.status_code in (400, 422) and self._adapted(error, sent):
                    continue
                if _is_too_long(error):
                    raise ContextFull(f"{self.where} cannot read so long a conversation ({_short(error)})") from error
                raise ModelUnavailable(
                    f"{self.where} refused with status {error.status_code}: {_short(error)}"
                ) from error
            except openai.OpenAIError as error:
                raise ModelUnavailable(f"{self.where} failed ({_short(error)})") from error
            except (ValueError, RecursionError):  # a body that calls itself JSON and is none
                return None

    def _adapted(self, error: Any, sent: Mapping[str, Any]) -> bool:
        """Whether the refusal names a parameter that can be spelled otherwise or left out."""
        said = str(error.message)
        if "max_tokens" in sent and "max_completion_tokens" in said:
            self._renamed = True
            return True
        named = [name for name in ("temperature", "seed", "response_format") if name in sent]
        refused = [name for name in named if error.param == name or f"'{name}'" in said or f'"{name}"' in said]
        self.dropped.update(refused)
        return bool(refused)


class _Pace:
    """Keeps requests apart: each waits for its turn."""

    def __init__(self, per_minute: float | None) -> None:
        self._gap_s = 60.0 / per_minute if per_minute else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def __call__(self, request: object) -> None:
        if not self._gap_s:
            return
        with self._lock:
            now = time.monotonic()
            start = max(now, self._next)
            self._next = start + self._gap_s
        if start > now:
            time.sleep(start - now)


def _read(answer: Any, price: tuple[float, float] | None) -> Reply | str:
    """The reply in a chat completion, or what was found in its place."""
    choices = answer.get("choices") if isinstance(answer, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return "with something that is no chat completion"
    message = choices[0].get("message")
    if not isinstance(message, dict):
        return "with a choice that holds no message"
    content = message.get("content")
    if isinstance(content, list):  # some servers answer in parts
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "".join(text for text in texts if isinstance(text, str))
    if content is not None and not isinstance(content, str):
        return f"with a message of type {type(content).__name__}"
    usage = _object(answer.get("usage"))
    prompt, completion = (_count(usage.get(key)) for key in ("prompt_tokens", "completion_tokens"))
    cost = (prompt * price[0] + completion * price[1]) / 1e6 if price else None
    listed = message.get("tool_calls")
    calls = tuple(_call(call) for call in (listed if isinstance(listed, list) else ()) if _object(call).get("function"))
    cut = choices[0].get("finish_reason") == "length"
    return Reply(_string(content), calls, Usage(prompt, completion, cost), cut, _string(answer.get("model")))


def _call(call: Mapping[str, Any]) -> ToolCall:
    function = _object(call["function"])
    arguments = function.get("arguments")
    if isinstance(arguments, dict):  # some servers hand them over parsed
        arguments = json.dumps(arguments)
    return ToolCall(_string(call.get("id")), _string(function.get("name")), _string(arguments))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _string(value: Any) -> str:
    return _characters(value) if isinstance(value, str) else ""


def _count(value: Any) -> int:
    return value if type(value) is int and 0 <= value < 2**53 else 0


def _characters(text: str) -> str:
    """The text without lone surrogates: JSON can spell them, no encoding can hold them."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _text_only(value: Any) -> Any:
    if isinstance(value, str):
        return _characters(value)
    if isinstance(value, Mapping):
        return {key: _text_only(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_text_only(item) for item in value]
    return value


def _is_too_long(error: Any) -> bool:
    said = str(error.message).lower()
    return error.code == "context_length_exceeded" or (
        error.status_code in (400, 413, 422) and "context" in said and ("length" in said or "size" in said)
    )


def _short(error: BaseException) -> str:
    """The first line of an error, at most 200 characters."""
    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, dict) else None
    text = said if isinstance(said, str) and said else str(error) or type(error).__name__
    line = " ".join(text.split())
    return line if len(line) <= 200 else line[:197] + "..."
