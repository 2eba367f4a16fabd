"""The HTTP side: what each path answers, every kind of problem, and who may come in."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from proofgym.adapters.server import Settings
from proofgym.adapters.server.models import ProblemDocument
from proofgym.errors import BadInput

Serve = Callable[..., contextlib.AbstractContextManager[str]]
TOKEN = "a token of more than sixteen characters"


@pytest.fixture(scope="module")
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, trust_env=False) as client:
        yield client


def create(http: httpx.Client, env: str = "proofgym/Countdown-v0", **more: Any) -> str:
    made = http.post("/v1/sessions", json={"env": env, **more})
    assert made.status_code == 201, made.text
    session: str = made.json()["session"]
    return session


def problem(answer: httpx.Response, status: int, kind: str) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = ProblemDocument.model_validate(answer.json())
    assert (found.type, found.status) == (f"urn:proofgym:{kind}", status)
    assert "reward" not in answer.json()
    return found.detail


def test_a_session_goes_from_create_to_close(http: httpx.Client) -> None:
    session = create(http, args={"level": 0.3})
    asked = http.post(f"/v1/sessions/{session}/reset", json={"seed": 3}).json()
    assert "Reach" in asked["observation"]
    expert = http.get(f"/v1/sessions/{session}/oracle").json()["action"]
    played = http.post(f"/v1/sessions/{session}/step", json={"action": expert}).json()
    assert (played["reward"], played["terminated"], played["info"]["verdict"]["status"]) == (1.0, True, "correct")
    assert http.get(f"/v1/sessions/{session}").json()["call"] == 2
    assert http.delete(f"/v1/sessions/{session}").json() == {"closed": session}
    problem(http.get(f"/v1/sessions/{session}"), 404, "no-such-session")


def test_a_fork_goes_its_own_way(http: httpx.Client) -> None:
    session = create(http, "proofgym/Sudoku4Steps-v0")
    http.post(f"/v1/sessions/{session}/reset", json={"seed": 1})
    copy = http.post(f"/v1/sessions/{session}/fork", json={}).json()["session"]
    expert = http.get(f"/v1/sessions/{copy}/oracle").json()["action"]
    first = http.post(f"/v1/sessions/{copy}/step", json={"action": expert}).json()
    again = http.post(f"/v1/sessions/{session}/step", json={"action": expert}).json()
    assert first["reward"] > 0
    assert {**first, "call": 0} == {**again, "call": 0}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("POST", "/v1/sessions", {"env": "proofgym/Sudoku4-v0"}, 404, "unknown-env"),
        ("POST", "/v1/sessions", {"env": "proofgym/Countdown-v0", "args": {"path": "/etc/passwd"}}, 422, "bad-input"),
        ("POST", "/v1/sessions", {"env": "proofgym/Countdown-v0", "args": {"level": 7}}, 422, "bad-input"),
        ("POST", "/v1/sessions", {"env": "proofgym/Countdown-v0", "args": {"max_turns": "x"}}, 422, "bad-input"),
        ("POST", "/v1/sessions", {"environment": "proofgym/Countdown-v0"}, 422, "bad-input"),
        ("POST", "/v1/sessions", ["proofgym/Countdown-v0"], 422, "bad-input"),
        ("POST", "/v1/sessions/w0-none/reset", {}, 404, "no-such-session"),
        ("POST", "/v1/sessions/elsewhere/step", {"action": "x"}, 404, "no-such-session"),
        ("POST", "/v1/sessions/SESSION/step", {"action": "x"}, 409, "episode-over"),
        ("POST", "/v1/sessions/SESSION/step", {"action": 5}, 422, "bad-input"),
        ("POST", "/v1/sessions/SESSION/step", {}, 422, "bad-input"),
        ("POST", "/v1/sessions/SESSION/reset", {"seed": -1}, 422, "bad-input"),
        ("POST", "/v1/sessions/SESSION/reset", {"options": {"cheat": 1}}, 422, "bad-input"),
        ("POST", "/v1/sessions/SESSION/reset", {"options": {"index": "one"}}, 422, "bad-input"),
        ("POST", "/v1/sessions/SESSION/reset", {"options": {"instance": {"numbers": "x"}}}, 422, "bad-input"),
        ("PUT", "/v1/sessions/SESSION/level", {"level": 2}, 422, "bad-input"),
        ("GET", "/v1/sessions/SESSION/state", None, 409, "episode-over"),
        ("PUT", "/v1/sessions/SESSION/state", {"state": {"family": "countdown"}}, 403, "forbidden"),
        ("GET", "/v2", None, 404, "not-found"),
        ("PUT", "/v1/sessions", {}, 405, "method-not-allowed"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_a_problem_of_its_kind(
    http: httpx.Client, method: str, path: str, body: Any, status: int, kind: str
) -> None:
    path = path.replace("SESSION", create(http))
    problem(http.request(method, path, json=body), status, kind)


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 100_000, b'{"env": NaN}', b"1" * 10_000])
def test_a_body_that_is_no_request_is_bad_input(http: httpx.Client, body: bytes) -> None:
    answer = http.post("/v1/sessions", content=body, headers={"content-type": "application/json"})
    problem(answer, 422, "bad-input")


@pytest.mark.parametrize("action", ["unjudged", "bug", "nan"])
def test_what_nobody_can_judge_is_unjudged_and_holds_no_reward(http: httpx.Client, action: str) -> None:
    session = create(http, "tests/Broken-v0")
    http.post(f"/v1/sessions/{session}/reset", json={})
    if action == "nan":  # it pays nan from its next turn on
        http.post(f"/v1/sessions/{session}/step", json={"action": action})
    problem(http.post(f"/v1/sessions/{session}/step", json={"action": action}), 424, "unjudged")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused(serve: Serve, chunked: bool) -> None:
    with serve(max_body=4096) as url, httpx.Client(base_url=url, trust_env=False) as http:
        body = b'{"env": "' + b"x" * 8000 + b'"}'
        content = iter([body[:2000], body[2000:]]) if chunked else body
        answer = http.post("/v1/sessions", content=content, headers={"content-type": "application/json"})
        problem(answer, 413, "too-large")


def test_sessions_are_limited_counted_and_reaped(serve: Serve) -> None:
    with serve(max_sessions=2, ttl_s=0.4) as url, httpx.Client(base_url=url, trust_env=False) as http:
        sessions = [create(http) for _ in range(2)]
        full = http.post("/v1/sessions", json={"env": "proofgym/Countdown-v0"})
        problem(full, 429, "limit-reached")
        assert full.headers["retry-after"] == "5"
        http.delete(f"/v1/sessions/{sessions[0]}")
        create(http)
        deadline = time.monotonic() + 20
        while "proofgym_sessions 0.0" not in (told := http.get("/metrics").text):
            assert time.monotonic() < deadline, told
            time.sleep(0.05)
        assert "proofgym_sessions_reaped_total 2.0" in told
        assert 'proofgym_calls_total{op="create",result="limit-reached"} 1.0' in told
        problem(http.get(f"/v1/sessions/{sessions[1]}"), 404, "no-such-session")


def test_nobody_plays_without_the_token(serve: Serve) -> None:
    with serve(token=TOKEN) as url, httpx.Client(base_url=url, trust_env=False) as http:
        for headers in ({}, {"authorization": "Bearer no"}, {"authorization": TOKEN}, {"authorization": "Bearer \xff"}):
            for path in ("/v1/envs", "/metrics", "/nowhere"):
                answer = http.get(path, headers={k: v.encode("latin-1") for k, v in headers.items()})
                problem(answer, 401, "unauthorized")
                assert answer.headers["www-authenticate"] == "Bearer"
        assert http.get("/v1/envs", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
        assert http.get("/health/live").status_code == http.get("/health/ready").status_code == 200
        assert http.get("/docs").status_code == http.get("/openapi.json").status_code == 200


def test_a_page_in_a_browser_does_not_play_on_this_machine(http: httpx.Client) -> None:
    problem(http.get("/v1/envs", headers={"origin": "https://elsewhere.example"}), 403, "forbidden")
    problem(http.get("/v1/envs", headers={"host": "rebound.example:80"}), 403, "forbidden")
    assert http.get("/v1/envs", headers={"origin": str(http.base_url).rstrip("/")}).status_code == 200


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"host": "0.0.0.0"}, "a token"), ({"host": "example.org"}, "a token"), ({"token": "short"}, "16"),
        ({"envs": ()}, "at least one"), ({"workers": -1}, "workers"), ({"ttl_s": 0}, "ttl_s"),
    ],
)  # fmt: skip
def test_a_server_that_would_be_open_or_idle_is_not_built(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint):
        Settings(**{"envs": ("proofgym/Countdown-v0",), **settings})


def test_the_token_is_in_no_representation_of_the_settings() -> None:
    assert TOKEN not in repr(Settings(envs=("proofgym/Countdown-v0",), token=TOKEN))


def test_states_and_experts_stay_at_home_when_told_so(serve: Serve) -> None:
    with serve(states=False) as url, httpx.Client(base_url=url, trust_env=False) as http:
        session = create(http)
        http.post(f"/v1/sessions/{session}/reset", json={"seed": 1})
        problem(http.get(f"/v1/sessions/{session}/state"), 403, "forbidden")
        problem(http.get(f"/v1/sessions/{session}/oracle"), 403, "forbidden")


def test_a_batch_plays_many_and_fails_one_by_one(http: httpx.Client) -> None:
    sessions = [create(http) for _ in range(3)]
    calls: list[dict[str, Any]] = [{"op": "reset", "session": session, "seed": 5} for session in sessions]
    calls += [{"op": "step", "session": "w0-none", "action": "x"}, {"op": "dance"}, {"op": "step", "session": 5}]
    replies = http.post("/v1/batch", json={"calls": calls}).json()["replies"]
    assert [reply["status"] for reply in replies] == [200, 200, 200, 404, 422, 422]
    assert len({reply["body"]["observation"] for reply in replies[:3]}) == 1
    twice = [{"op": "reset", "session": sessions[0]}] * 2
    problem(http.post("/v1/batch", json={"calls": twice}), 422, "bad-input")
    problem(http.post("/v1/batch", json={"calls": [{"op": "dance"}] * 1025}), 429, "limit-reached")
    assert http.post("/v1/batch", json={"calls": []}).json() == {"replies": []}


def test_metrics_count_episodes_by_how_they_ended(serve: Serve) -> None:
    with serve() as url, httpx.Client(base_url=url, trust_env=False) as http:
        session = create(http)
        for action in ("x", http.get):
            http.post(f"/v1/sessions/{session}/reset", json={"seed": 3})
            text = action if isinstance(action, str) else action(f"/v1/sessions/{session}/oracle").json()["action"]
            http.post(f"/v1/sessions/{session}/step", json={"action": text})
        told = http.get("/metrics").text
        assert 'proofgym_episodes_total{end="malformed",env="proofgym/Countdown-v0"} 1.0' in told
        assert 'proofgym_episodes_total{end="correct",env="proofgym/Countdown-v0"} 1.0' in told
        assert 'proofgym_call_seconds_count{op="step"} 2.0' in told


def test_the_page_of_the_api_fetches_nothing_from_elsewhere(http: httpx.Client) -> None:
    page = http.get("/docs").text
    assert not re.search(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//|@import|url\(", page)
    api = http.get("/openapi.json").json()
    assert set(api["paths"]["/v1/sessions/{session}/step"]["post"]["responses"]) >= {"200", "404", "409", "422", "424"}


def test_a_method_that_a_path_lacks_is_answered_with_those_it_has(http: httpx.Client) -> None:
    answer = http.patch("/v1/sessions/w0-x/state", json={})
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, PUT"


@pytest.mark.slow
def test_schemathesis_finds_nothing(serve: Serve) -> None:
    """Requests made from the API's own description, valid and invalid, are answered as it says."""
    pytest.importorskip("schemathesis")
    with serve(ttl_s=30, max_sessions=400) as url:
        command = [
            sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json", "--max-examples", "25",
            "--seed", "1", "--no-color", "--workers", "1",
            # Which options a reset takes is the environment's to say, so a form that fits may still be refused.
            "--exclude-checks", "positive_data_acceptance",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
