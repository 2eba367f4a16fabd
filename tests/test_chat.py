"""A chat model behind an endpoint, against a server that answers well, badly, late and not at all."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from proofgym.chat import ApiModel, ContextFull, ModelUnavailable, ToolCall, Usage
from proofgym.errors import BadInput, Unjudged

pytest.importorskip("openai", reason="needs the openai client (pip install 'proofgym[api]')")


def completion(text: str | None = "four", *, finish: str = "stop", **message: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": text, **message}
    return {
        "id": "c", "object": "chat.completion", "created": 1, "model": "served-name",
        "choices": [{"index": 0, "message": said, "finish_reason": finish}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }  # fmt: skip


@dataclass
class Endpoint:
    """What the server shall answer next, and what it was asked."""

    url: str = ""
    script: list[Any] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    state = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with state.lock:
                state.asked.append(body)
                state.times.append(time.monotonic())
                state.keys.append(self.headers["Authorization"])
                answer = state.script.pop(0) if state.script else completion()
            status, headers, data = answer if isinstance(answer, tuple) else (200, {}, answer)
            if status == "late":
                time.sleep(data)
                status, data = 200, completion()
            if status == "hang up":
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            raw = data if isinstance(data, bytes) else json.dumps(data).encode()
            try:
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)
            except OSError:  # the client gave up waiting
                pass

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's word
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


ASK = [{"role": "user", "content": "What is 2 + 2?"}]
NOW = {"Retry-After-Ms": "1"}


def model(endpoint: Endpoint, **options: Any) -> ApiModel:
    return ApiModel.parse(f"m@{endpoint.url}", **{"timeout_s": 5.0, "retries": 2, **options})


def refusal(message: str, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", **fields}}


def test_a_reply_carries_text_tokens_and_their_price(endpoint: Endpoint) -> None:
    reply = model(endpoint, price=(2.0, 8.0)).complete(ASK, temperature=0.7, max_tokens=9, seed=3)
    assert (reply.text, reply.cut, reply.model) == ("four", False, "served-name")
    assert reply.usage == Usage(10, 5, pytest.approx((10 * 2 + 5 * 8) / 1e6))
    [asked] = endpoint.asked
    assert asked == {"model": "m", "messages": ASK, "temperature": 0.7, "max_tokens": 9, "seed": 3}


def test_the_key_comes_from_the_environment_and_a_local_server_needs_none(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", "secret-1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    asked = model(endpoint, key_env="SOME_KEY")
    asked.complete(ASK)
    model(endpoint).complete(ASK)
    assert endpoint.keys == ["Bearer secret-1", "Bearer none"]
    assert "secret-1" not in repr(asked)
    with pytest.raises(BadInput, match="set OPENAI_API_KEY"):
        ApiModel.parse("m").complete(ASK)


@pytest.mark.parametrize("text", ["@http://x", "m@ftp://x", "m@http://", "m@http://user:pass@x/v1", ""])
def test_what_names_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        ApiModel.parse(text)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_passing_fault_is_retried(endpoint: Endpoint, status: int) -> None:
    endpoint.script = [(status, NOW, refusal("busy")), (status, NOW, refusal("busy"))]
    assert model(endpoint).complete(ASK).text == "four"
    assert len(endpoint.asked) == 3


def test_retry_after_is_obeyed(endpoint: Endpoint) -> None:
    endpoint.script = [(429, {"Retry-After": "1"}, refusal("slow down"))]
    model(endpoint).complete(ASK)
    assert endpoint.times[1] - endpoint.times[0] >= 0.99


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((500, NOW, refusal("on fire")), "status 500: on fire"),
        ((429, NOW, b"<html>"), "status 429"),
        ((401, {}, refusal("no such key")), "status 401: no such key"),
        ((404, {}, refusal("no model m")), "status 404: no model m"),
        (("hang up", {}, None), "could not be reached"),
        ((200, {}, b'{"choices": [{'), "no chat completion"),
        ((200, {"Content-Type": "text/html"}, b"<html>log in</html>"), "no chat completion"),
        ((200, {}, b"[" * 100_000), "no chat completion"),
        ({"choices": []}, "no chat completion"),
        ({"choices": "many"}, "no chat completion"),
        ({"choices": [{"index": 0}]}, "no message"),
        ({"error": "overloaded"}, "no chat completion"),
        ({"choices": [[]]}, "no chat completion"),
        ([1, 2], "no chat completion"),
        ({"choices": [{"message": "hi"}]}, "no message"),
        (completion(content=7), "of type int"),
    ],
)  # fmt: skip
def test_an_endpoint_that_fails_is_unavailable_and_says_why(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, answer: Any, said: str
) -> None:
    monkeypatch.setattr("proofgym.chat.time.sleep", lambda _: None)
    endpoint.script = [answer] * 9
    with pytest.raises(ModelUnavailable, match=said) as caught:
        model(endpoint, retries=1).complete(ASK)
    assert isinstance(caught.value, Unjudged)
    assert "\n" not in str(caught.value)
    assert len(endpoint.asked) == (1 if said.startswith("status 40") else 2)


def test_nonsense_is_asked_again(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proofgym.chat.time.sleep", lambda _: None)
    endpoint.script = [{"choices": None}]
    assert model(endpoint).complete(ASK).text == "four"


def test_a_late_answer_is_a_timeout(endpoint: Endpoint) -> None:
    endpoint.script = [("late", {}, 0.6)]
    with pytest.raises(ModelUnavailable, match=r"within 0\.2 s"):
        model(endpoint, timeout_s=0.2, retries=0).complete(ASK)


def test_nobody_at_home_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    with pytest.raises(ModelUnavailable, match=f"m at {address} could not be reached"):
        ApiModel.parse(f"m@{address}", retries=0).check()


def test_tool_calls_arrive_as_the_model_wrote_them(endpoint: Endpoint) -> None:
    called = [{"id": "1", "type": "function", "function": {"name": "act", "arguments": '{"command": "go'}}]
    endpoint.script = [completion(None, finish="tool_calls", tool_calls=called)]
    tools = [{"type": "function", "function": {"name": "act", "parameters": {"type": "object"}}}]
    reply = model(endpoint).complete(ASK, tools=tools)
    assert reply.text == ""
    assert reply.tool_calls == (ToolCall("1", "act", '{"command": "go'),)
    assert endpoint.asked[0]["tools"] == tools


def test_what_some_servers_spell_otherwise_is_read(endpoint: Endpoint) -> None:
    parsed = {"type": "function", "function": {"name": "act", "arguments": {"command": "go"}}}
    parts = [{"type": "text", "text": "on"}, {"type": "image"}, 7, {"type": "text", "text": "e"}]
    endpoint.script = [{**completion(content=parts, tool_calls=[parsed, 3, {"function": None}]), "usage": None}]
    reply = model(endpoint).complete(ASK)
    assert (reply.text, reply.tool_calls) == ("one", (ToolCall("", "act", '{"command": "go"}'),))
    assert reply.usage == Usage()


def test_a_schema_is_asked_for_and_given_up_where_the_endpoint_has_none(endpoint: Endpoint) -> None:
    refused = (400, {}, refusal("unknown field", param="response_format"))
    endpoint.script = [completion(), refused]
    asked = model(endpoint)
    asked.complete(ASK, json_schema={"type": "object"})
    assert endpoint.asked[0]["response_format"]["json_schema"]["schema"] == {"type": "object"}
    asked.complete(ASK, json_schema={"type": "object"})
    assert "response_format" not in endpoint.asked[2]
    assert asked.dropped == {"response_format"}


def test_an_endpoint_that_spells_the_limit_otherwise_is_asked_its_way(endpoint: Endpoint) -> None:
    said = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    endpoint.script = [(400, {}, refusal(said, param="max_tokens", code="unsupported_parameter"))]
    asked = model(endpoint)
    asked.complete(ASK, max_tokens=7)
    asked.complete(ASK, max_tokens=7)
    assert [body.get("max_completion_tokens") for body in endpoint.asked] == [None, 7, 7]


def test_a_conversation_too_long_has_a_name_of_its_own(endpoint: Endpoint) -> None:
    said = "This model's maximum context length is 64 tokens."
    endpoint.script = [(400, {}, refusal(said, code="context_length_exceeded"))]
    with pytest.raises(ContextFull, match="so long a conversation"):
        model(endpoint).complete(ASK)


def test_text_that_no_encoding_holds_goes_out_and_comes_in(endpoint: Endpoint) -> None:
    endpoint.script = [completion("a\ud800b"), completion(None, finish="length")]
    asked = model(endpoint)
    assert asked.complete([{"role": "user", "content": "x\udfffy"}]).text == "a\ufffdb"
    assert asked.complete(ASK).cut


def test_requests_keep_to_the_rate_and_threads_share_it(endpoint: Endpoint) -> None:
    asked = model(endpoint, requests_per_minute=60 / 0.05)
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _: asked.complete(ASK).text, range(6)))
    assert replies == ["four"] * 6
    assert max(endpoint.times) - min(endpoint.times) >= 0.2
