"""The server: what it hands out, to whom, and what it refuses."""

from __future__ import annotations

import html
import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from proofgym.bench import report
from proofgym.bench.catalogue import Catalogue
from proofgym.bench.serve import Server
from proofgym.envs.trajectory import Trajectory, Turn, write
from proofgym.errors import BadInput
from proofgym.verifiers import Credit, Verdict

HOSTILE = "</script><script>alert(1)</script>\x00\u202e\ud800"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("run")
    episodes = []
    for n in range(300):
        turn = Turn(f"Question {n}", HOSTILE, float(n % 2), [Credit(0, 4, float(n % 2), "a", HOSTILE)])
        turn.verdict = Verdict.right(HOSTILE) if n % 2 else Verdict.wrong(HOSTILE)
        task = {"fingerprint": f"{n // 3}", "difficulty": n / 300, "family": HOSTILE}
        episodes.append(Trajectory("proofgym/E-v0", task, 0, n // 3, n % 3, [turn], "terminated"))
    write(folder / "episodes/E.jsonl", episodes)
    (folder / "secret.txt").write_text("not for the reader")
    made = Server(Catalogue.of(report.open_runs(folder)), 0)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def ask(server: Server, path: str, *, host: str | None = None, method: str = "GET") -> tuple[int, Any, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", f"127.0.0.1:{server.server_port}" if host is None else host)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    kind = answer.headers.get_content_type()
    return answer.status, json.loads(body) if kind == "application/json" else body, dict(answer.headers)


def episodes(server: Server, *parameters: tuple[str, Any]) -> Any:
    status, body, _ = ask(server, "/api/episodes?" + urlencode(parameters))
    assert status == 200
    return body


def test_pages_of_a_list_together_are_the_list(server: Server) -> None:
    first = episodes(server, ("limit", 120))
    assert (first["total"], len(first["rows"]), first["position"]) == (300, 120, -1)
    ids = [
        row["id"] for offset in (0, 120, 240) for row in episodes(server, ("limit", 120), ("offset", offset))["rows"]
    ]
    assert ids == [f"0.0.{n}" for n in range(300)]
    assert episodes(server, ("limit", 100_000))["rows"][-1]["id"] == "0.0.199"
    assert episodes(server, ("offset", 10**12))["rows"] == []


def test_filters_sorts_and_places(server: Server) -> None:
    found = episodes(
        server, ("label", "solved"), ("text", "question 29"), ("sort", "level"), ("down", 1), ("at", "0.0.291")
    )
    assert [row["id"] for row in found["rows"]] == ["0.0.299", "0.0.297", "0.0.295", "0.0.293", "0.0.291", "0.0.29"]
    assert found["position"] == 4
    assert episodes(server, ("low", 0.5), ("high", 0.6), ("env", "proofgym/E-v0"))["total"] == 31


def test_an_episode_comes_with_its_attempts_and_hostile_text_is_data(server: Server) -> None:
    status, found, headers = ask(server, "/api/episode?id=0.0.4")
    assert status == 200
    assert found["episode"]["turns"][0]["pieces"][0] == [HOSTILE[:4], "zero", 0.0, [0]]
    assert [row["id"] for row in found["attempts"]] == ["0.0.3", "0.0.4", "0.0.5"]
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_the_page_holds_no_episode_and_may_ask_only_its_server(server: Server) -> None:
    status, body, headers = ask(server, "/")
    page = html.unescape(body.decode())
    assert status == 200
    assert "connect-src 'self'" in page
    assert headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert "Question 5" not in page
    assert len(page) < 200_000


@pytest.mark.parametrize(
    "host", ["", "evil.example", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:{port}", "[::1]"]
)
def test_a_request_to_another_name_is_refused(server: Server, host: str) -> None:
    for path in ("/", "/api/episodes"):
        status, body, _ = ask(server, path, host=host.format(port=server.server_port))
        assert status == 403
        assert b"Question" not in body
    assert ask(server, "/", host=f"localhost:{server.server_port}")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/secret.txt", "/../secret.txt", "/episodes/E.jsonl", "//etc/passwd", "/%2e%2e/secret.txt", "/api", "/api/",
        "/api/episode", "/api/episode?id=../secret.txt", "/api/episode?id=0.0.300", "/api/episode?id=0.1.0", "*",
    ],
)  # fmt: skip
def test_nothing_but_the_page_and_episodes_is_served(server: Server, path: str) -> None:
    status, body, _ = ask(server, path)
    assert status == 404
    assert b"not for the reader" not in (body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.mark.parametrize(
    "asked", ["offset=-1", "offset=1e3", "limit=" + "9" * 5000, "low=x&high=1", "low=nan&high=1", "sort=x", "label=y",
              "&".join(f"a{n}=1" for n in range(300))],
)  # fmt: skip
def test_a_question_that_makes_no_sense_gets_a_sentence(server: Server, asked: str) -> None:
    status, body, _ = ask(server, f"/api/episodes?{asked}")
    assert status == 400
    assert body["error"]


def test_only_reading_is_possible(server: Server) -> None:
    assert ask(server, "/", method="HEAD")[:2] == (200, b"")
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert ask(server, "/", method=method)[0] == 501


def test_a_port_that_is_taken_is_said_and_none_asked_for_takes_another(server: Server) -> None:
    with pytest.raises(BadInput, match="--port 0 takes a free one"):
        Server(server.catalogue, server.server_port)
    with pytest.raises(BadInput, match="cannot be used"):
        Server(server.catalogue, 99_999)
