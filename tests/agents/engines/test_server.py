"""Servers over HTTP, against a small one of our own: token ids in and out, patience, faults that name themselves."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import proofgym
from proofgym.agents.engines.base import Request
from proofgym.agents.engines.server import ServerEngine, ServerFault
from proofgym.agents.rollout import Item
from proofgym.agents.sampling import Sample, Sampling
from proofgym.agents.streaming import stream
from proofgym.agents.tokens import CharFormat
from proofgym.errors import BadInput

FORM = CharFormat("0123456789")
Reply = Callable[[str, Any], tuple[int, Any]]


def sampled(body: Any) -> tuple[list[int], list[float]]:
    """What the fake model writes: a function of what it was asked."""
    prompt = body.get("prompt") or body["input_ids"]
    ids = [5 + (len(prompt) + n) % 10 for n in range(3)] + [CharFormat.END]
    return ids, [-0.5 - n for n in range(4)]


def reply(path: str, body: Any) -> tuple[int, Any]:
    """A well-behaved server of any kind."""
    if path == "/generate":
        ids, logprobs = sampled(body)
        entries = [[lp, i, None] for lp, i in zip(logprobs, ids, strict=True)]
        return 200, {"text": "?", "meta_info": {"output_token_logprobs": entries, "finish_reason": {"type": "stop"}}}
    if path == "/v1/completions":
        ids, logprobs = sampled(body)
        choice = {"text": "?", "token_ids": ids, "logprobs": {"token_logprobs": logprobs}, "finish_reason": "stop"}
        return 200, {"choices": [choice]}
    return 200, None


class Server:
    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.reply: Reply = reply
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                given = json.loads(body) if body else None
                outer.calls.append((self.path, given))
                status, answer = outer.reply(self.path, given)
                data = b"" if answer is None else answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                if status == 429:
                    self.send_header("Retry-After", "0")
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None: ...

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_address[1]}"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


def engine(server: Server, **kwargs: Any) -> ServerEngine:
    return ServerEngine(FORM, server.url, model="tiny", **{"slots": 8, "max_context": 500, "timeout_s": 5.0, **kwargs})


def ask(made: ServerEngine, *requests: Request) -> dict[int, Sample]:
    for request in requests:
        made.submit(request)
    found: dict[int, Sample] = {}
    while made.busy:
        found.update({r.session: s for r, s in made.poll(0.05)})
    return found


REQUEST = Request(1, [1, 5, 6, 2], Sampling(0.8, 7), (4, 2))


@pytest.mark.parametrize("dialect", ["vllm", "sglang", "trtllm"])
def test_token_ids_go_in_and_come_out(server: Server, dialect: Any) -> None:
    made = engine(server, dialect=dialect, version=6)
    sample = ask(made, REQUEST)[1]
    ids, logprobs = sampled({"prompt": REQUEST.context})
    assert (sample.ids, sample.logprobs, sample.cut, sample.version, sample.fault) == (ids, logprobs, False, 6, "")
    ((_path, body),) = server.calls
    settings = body.get("sampling_params", body)
    assert settings["temperature"] == 0.8
    assert settings["stop_token_ids"] == [CharFormat.END]
    assert settings.get("max_tokens", settings.get("max_new_tokens")) == 7
    assert (made.stats.generated, made.stats.read, made.stats.requests) == (4, 4, 1)
    made.close()


def test_a_key_is_a_seed(server: Server) -> None:
    made = engine(server)
    for key in ((1, 2), (1, 2), (1, 3)):
        ask(made, Request(1, [5], Sampling(), key))
    seeds = [body["seed"] for _, body in server.calls]
    assert seeds[0] == seeds[1] != seeds[2]
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_requests_are_in_flight_together(server: Server) -> None:
    inside, most = [0], [0]
    lock = threading.Lock()

    def slow(path: str, body: Any) -> tuple[int, Any]:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        time.sleep(0.1)
        with lock:
            inside[0] -= 1
        return reply(path, body)

    server.reply = slow
    made = engine(server, slots=4)
    found = ask(made, *[Request(n, [5] * (n + 1), Sampling(), (n,)) for n in range(8)])
    assert sorted(found) == list(range(8))
    assert most[0] == 4


def test_a_busy_server_is_asked_again(server: Server) -> None:
    refused = iter([429, 503, 429])

    def busy(path: str, body: Any) -> tuple[int, Any]:
        status = next(refused, 200)
        return (status, {"error": "busy"}) if status != 200 else reply(path, body)

    server.reply = busy
    assert ask(engine(server), REQUEST)[1].fault == ""
    assert len(server.calls) == 4


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((400, {"error": "too long"}), "answered 400: .*too long"),
        ((200, {"choices": []}), "cannot be read .IndexError"),
        ((200, b"<html>"), "cannot be read .TypeError"),
        ((200, {"choices": [{"text": "", "token_ids": [5, 6], "logprobs": {"token_logprobs": [-1.0]},
                             "finish_reason": "stop"}]}), "2 tokens and 1 log-probabilities"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_a_fault_with_its_reason(server: Server, answer: Any, said: str) -> None:
    server.reply = lambda path, body: answer
    sample = ask(engine(server), REQUEST)[1]
    assert sample.ids == []

    assert re.search(said, sample.fault)


def test_a_server_that_is_not_there_masks_the_episode(server: Server) -> None:
    made = engine(server)
    made._url = "http://127.0.0.1:9"
    made._http.connection_pool_kw["retries"] = 0
    env = proofgym.make("RunningTotal", style="bare")
    (found,) = stream(made, Sampling(1.0, 12), [env], [Item(0, 0)])
    assert found.unjudged
    assert "cannot be reached" in found.fault


def test_episodes_can_be_played_through_a_server(server: Server) -> None:
    envs = [proofgym.make("Sudoku4Steps", max_turns=3) for _ in range(4)]
    form = CharFormat("".join(sorted(set("Every row, column and 2x2 box of this 4x4 sudoku holds 1, 2, 3 0456789"))))
    made = ServerEngine(form, server.url, model="tiny", max_context=5000)
    found = list(stream(made, Sampling(1.0, 6), envs, [Item(0, n) for n in range(6)], workers=4))
    assert [len(e.turns) for e in found] == [3] * 6
    for episode in found:
        context: list[int] = []
        for turn in episode.turns:
            context += turn.prompt_ids
            assert turn.action_ids == sampled({"prompt": context})[0]
            context += turn.action_ids


def test_text_without_tokens_can_be_played_but_has_no_tokens(server: Server) -> None:
    server.reply = lambda path, body: (200, {"choices": [{"text": "1234567890", "finish_reason": "length"}]})
    env = proofgym.make("RunningTotal", style="bare")
    (found,) = stream(engine(server), Sampling(1.0, 12), [env], [Item(0, 0)])
    assert found.turns[0].action == "1234567890"
    assert found.turns[0].cut
    assert found.turns[0].action_ids == found.turns[0].logprobs == []


@pytest.mark.parametrize(
    ("dialect", "paths"),
    [("vllm", ["/collective_rpc", "/reset_prefix_cache"]), ("sglang", ["/update_weights_from_disk"])],
)
def test_new_weights_go_through_a_folder(server: Server, tmp_path: Path, dialect: Any, paths: list[str]) -> None:
    made = engine(
        server, dialect=dialect, sync_folder=tmp_path, save=lambda folder: Path(folder, "weights").write_bytes(b"w")
    )
    for version in (1, 1, 2):
        made.load((), version)
        assert made.version == version
    assert [path for path, _ in server.calls] == paths * 2
    (kept,) = tmp_path.iterdir()
    assert str(kept) in json.dumps(server.calls[-len(paths)][1])
    assert (kept / "weights").read_bytes() == b"w"
    assert ask(made, REQUEST)[1].version == 2


def test_weights_that_cannot_go_anywhere_are_refused(server: Server, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="sync_folder"):
        engine(server).load((), 1)
    with pytest.raises(BadInput, match="trtllm-serve has no call"):
        engine(server, dialect="trtllm", sync_folder=tmp_path, save=print).load((), 1)
    server.reply = lambda path, body: (500, {"error": "no such file"})
    broken = engine(server, sync_folder=tmp_path, save=print)
    with pytest.raises(ServerFault, match="no such file"):
        broken.load((), 1)
    assert broken.version == 0
    with pytest.raises(BadInput, match="a dialect is one of"):
        engine(server, dialect="tgi")


def test_sleep_and_wake_are_passed_on(server: Server) -> None:
    made = engine(server, sleeps=True)
    made.sleep()
    made.wake()
    engine(server).sleep()
    assert [path for path, _ in server.calls] == ["/sleep?level=1", "/wake_up"]
