"""The table of sessions: nothing is played twice, forged states earn nothing, and every call is answered."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.adapters import wire
from proofgym.adapters.server.sessions import Reply, Sessions
from proofgym.adapters.server.settings import Settings
from proofgym.verifiers import Credit, Verdict

ENVS = ("proofgym/Countdown-v0", "proofgym/Sudoku4Steps-v0", "tests/Broken-v0")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def table(clock: Clock | None = None, **settings: Any) -> Sessions:
    return Sessions(Settings(**{"envs": ENVS, **settings}), "w0", clock or Clock())


def body(reply: Reply) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(reply.body)
    return found


def make(sessions: Sessions, env: str = "proofgym/Sudoku4Steps-v0", **more: Any) -> str:
    session: str = body(sessions.handle("create", {"env": env, **more}))["session"]
    return session


def test_the_same_number_again_is_the_same_reply_and_plays_nothing() -> None:
    sessions = table()
    session = make(sessions, "tests/Broken-v0")
    sessions.handle("reset", {"session": session, "seed": 1, "call": 1})
    first = sessions.handle("step", {"session": session, "action": "a", "call": 2})
    for _ in range(3):
        again = sessions.handle("step", {"session": session, "action": "something else", "call": 2})
        assert again.body == first.body
        assert again.note == {"repeated": True}
    assert body(sessions.handle("state", {"session": session}))["state"]["turns"] == 1


def test_a_repeated_reset_does_not_skip_a_task() -> None:
    sessions = table()
    session = make(sessions)
    replies = [sessions.handle("reset", {"session": session, "seed": 4, "call": 1}) for _ in range(2)]
    assert replies[0].body == replies[1].body
    assert body(sessions.handle("state", {"session": session}))["state"]["index"] == 0


def test_a_call_from_the_past_is_refused() -> None:
    sessions = table()
    session = make(sessions)
    for call in (1, 2):
        sessions.handle("reset", {"session": session, "call": call})
    assert body(sessions.handle("step", {"session": session, "action": "x", "call": 1}))["type"].endswith("out-of-step")


def test_a_retry_during_the_first_try_waits_for_its_reply() -> None:
    sessions = table()
    session = make(sessions, "tests/Broken-v0")
    sessions.handle("reset", {"session": session, "call": 1})
    request = {"session": session, "action": "a", "call": 2}
    replies: list[Reply] = []
    threads = [threading.Thread(target=lambda: replies.append(sessions.handle("step", request))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({reply.body for reply in replies}) == 1
    assert body(sessions.handle("state", {"session": session}))["state"]["turns"] == 1


def test_the_same_key_is_the_same_session() -> None:
    sessions = table()
    first = make(sessions, key="ab" * 16)
    sessions.handle("reset", {"session": first})
    assert make(sessions, key="ab" * 16) == first
    copies = {
        body(sessions.handle("fork", {"session": first, "key": "cd" * 16}))["session"] for _ in range(3)
    }  # fmt: skip
    assert len(copies) == 1
    assert len(sessions) == 2
    sessions.handle("close", {"session": first})
    assert make(sessions, key="ab" * 16) != first


def test_idle_sessions_are_reaped_and_busy_ones_are_not() -> None:
    clock = Clock()
    sessions = table(clock, ttl_s=10, grace_s=2)
    idle, used, orphan = make(sessions), make(sessions), make(sessions)
    sessions.handle("orphan", {"sessions": [orphan, "w0-unknown"]})
    clock.now = 3.0
    assert sessions.reap() == 1
    sessions.handle("reset", {"session": used})
    sessions.handle("show", {"session": idle})  # a look does not keep it
    clock.now = 11.0
    assert sessions.reap() == 1
    assert body(sessions.handle("show", {"session": used}))["session"] == used
    assert "idle for more than 10 s" in body(sessions.handle("reset", {"session": idle}))["detail"]


def test_a_client_that_comes_back_keeps_its_sessions() -> None:
    clock = Clock()
    sessions = table(clock, ttl_s=10, grace_s=2)
    session = make(sessions)
    sessions.handle("orphan", {"sessions": [session]})
    clock.now = 1.0
    sessions.handle("reset", {"session": session})
    clock.now = 9.0
    assert sessions.reap() == 0


def state_of(sessions: Sessions, session: str) -> dict[str, Any]:
    found: dict[str, Any] = body(sessions.handle("state", {"session": session}))["state"]
    return found


def test_a_state_is_restored_into_another_session() -> None:
    sessions = table()
    one, other = make(sessions), make(sessions)
    sessions.handle("reset", {"session": one, "seed": 2})
    expert = body(sessions.handle("oracle", {"session": one}))["action"]
    sessions.handle("step", {"session": one, "action": expert})
    state = json.loads(json.dumps(state_of(sessions, one)))
    assert sessions.handle("restore", {"session": other, "state": state}).status == 200
    assert state_of(sessions, other) == state
    played = [body(sessions.handle("step", {"session": s, "action": "r1c1=1"})) for s in (one, other)]
    assert {**played[0], "call": 0} == {**played[1], "call": 0}


@pytest.mark.parametrize("change", [{"turns": 0}, {"over": False}, {"signature": "0" * 64}, {"signature": "\ud800"}])
def test_a_state_that_was_touched_is_refused(change: dict[str, Any]) -> None:
    sessions = table()
    session = make(sessions, "tests/Broken-v0")
    sessions.handle("reset", {"session": session, "seed": 2})
    for _ in range(5):
        sessions.handle("step", {"session": session, "action": "a"})
    state = state_of(sessions, session)
    reply = sessions.handle("restore", {"session": session, "state": {**state, **change}})
    assert body(reply)["type"].endswith("forbidden")
    assert state_of(sessions, session) == state


def test_a_state_of_another_environment_is_refused() -> None:
    sessions = table()
    one, other = make(sessions), make(sessions, "proofgym/Countdown-v0")
    sessions.handle("reset", {"session": one})
    assert sessions.handle("restore", {"session": other, "state": state_of(sessions, one)}).status == 403


def test_servers_with_one_token_take_each_others_states_and_others_do_not() -> None:
    ours, theirs, open_ = table(token="t" * 20), table(token="t" * 20), table()
    session = make(ours)
    ours.handle("reset", {"session": session})
    state = state_of(ours, session)
    assert theirs.handle("restore", {"session": make(theirs), "state": state}).status == 200
    assert open_.handle("restore", {"session": make(open_), "state": state}).status == 403


@given(
    forged=st.dictionaries(
        st.sampled_from(["family", "instance", "seed", "index", "turns", "over", "observation", "random", "inner"]),
        JSON,
    )
)
def test_a_server_that_trusts_survives_any_forged_state(forged: dict[str, Any]) -> None:
    session = make(_TRUSTING)
    _TRUSTING.handle("reset", {"session": session, "seed": 1})
    before = state_of(_TRUSTING, session)
    reply = _TRUSTING.handle("restore", {"session": session, "state": {**before, **forged}})
    assert reply.status in (200, 422)
    if reply.status == 422:
        assert state_of(_TRUSTING, session) == before
    after = _TRUSTING.handle("step", {"session": session, "action": "r1c1=1"})
    assert after.status in (200, 409, 424)
    _TRUSTING.handle("close", {"session": session})


_TRUSTING = Sessions(Settings(envs=ENVS, trust_states=True))


@given(operation=st.sampled_from(["create", "reset", "step", "restore", "fork", "level", "x"]), request=JSON)
def test_every_call_is_answered(operation: str, request: Any) -> None:
    reply = _TRUSTING.handle(operation, request)
    assert reply.status >= 400
    assert json.loads(reply.body)["status"] == reply.status


@given(text=st.text(alphabet=st.characters(), max_size=40), value=st.floats())
def test_info_survives_the_wire(text: str, value: float) -> None:
    finite = value if value - value == 0 else 0.0
    info = {"credits": [Credit(0, len(text), finite, text, text)], "verdict": Verdict.wrong(text), "x": {"v": value}}
    found = wire.decode_info(json.loads(wire.dumps(info)))
    assert found["credits"] == info["credits"]
    assert found["verdict"] == info["verdict"]
    assert found["x"]["v"] == (value if value - value == 0 else None)
