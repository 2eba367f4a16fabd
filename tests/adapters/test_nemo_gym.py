"""Our resources servers: against NeMo Gym where it is installed, against its signatures elsewhere."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from proofgym.adapters import nemo_gym
from proofgym.adapters.export import shaped
from proofgym.adapters.rows import rows
from proofgym.errors import BadInput, MissingExtra, Unjudged

HAVE = all(importlib.util.find_spec(name) for name in ("nemo_gym", "resources_servers"))
pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("pydantic") is None, reason="needs pydantic"),
    pytest.mark.filterwarnings("ignore"),
]


def fakes(*, masks: bool = True) -> dict[str, ModuleType]:
    """The signatures of NeMo Gym 0.7 that our servers use; without `masks`, of an older one."""
    from pydantic import BaseModel, Field

    class BaseVerifyRequest(BaseModel):
        responses_create_params: Any
        response: Any

    class Plain(BaseVerifyRequest):
        reward: float

    class Masked(Plain):
        mask_sample: bool = False
        failure_kind: str | None = None
        failure_reason: str | None = None

    class SimpleResourcesServer(BaseModel):
        config: Any = None

    class GymnasiumServer(SimpleResourcesServer):
        session_state: dict[Any, Any] = Field(default_factory=dict)

        def _cleanup_session(self, session_id: str | None) -> None:
            self.session_state.pop(session_id, None)

    base, gym = ModuleType("nemo_gym.base_resources_server"), ModuleType("resources_servers.gymnasium")
    vars(base).update(
        BaseVerifyRequest=BaseVerifyRequest,
        BaseVerifyResponse=Masked if masks else Plain,
        SimpleResourcesServer=SimpleResourcesServer,
    )
    vars(gym).update(GymnasiumServer=GymnasiumServer)
    return {
        "nemo_gym": ModuleType("nemo_gym"), "resources_servers": ModuleType("resources_servers"),
        "nemo_gym.base_resources_server": base, "resources_servers.gymnasium": gym,
    }  # fmt: skip


def _forget() -> None:
    for name in ("ProofgymVerifyServer", "ProofgymGymnasiumServer"):
        vars(nemo_gym).pop(name, None)


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    if not HAVE:
        for name, module in fakes().items():
            monkeypatch.setitem(sys.modules, name, module)
    _forget()
    yield nemo_gym
    _forget()


def build(kind: Any) -> Any:
    """A server that runs without a cluster's configuration."""
    return kind.model_construct(config=SimpleNamespace(name="proofgym"), session_state={})


def reply(text: str) -> dict[str, Any]:
    """An OpenAI response with reasoning before its message."""
    return {
        "id": "r", "created_at": 0.0, "model": "m", "object": "response", "parallel_tool_calls": False,
        "tool_choice": "none", "tools": [],
        "output": [
            {"id": "t", "type": "reasoning", "summary": [{"type": "summary_text", "text": "0000000000"}]},
            {"id": "a", "type": "message", "role": "assistant", "status": "completed",
             "content": [{"type": "output_text", "text": text, "annotations": []}]},
        ],
    }  # fmt: skip


def request(server: Any, row: dict[str, Any], text: str) -> Any:
    kind = server.verify.__annotations__["body"]
    return kind.model_validate({**row, "response": reply(text)})


def test_verify_pays_what_the_environment_pays(servers: Any, caplog: pytest.LogCaptureFixture) -> None:
    server = build(servers.ProofgymVerifyServer)
    row = shaped(next(rows("RunningTotal", 1)), "nemo")
    with caplog.at_level(logging.WARNING, "proofgym.adapters"):
        found = asyncio.run(server.verify(request(server, row, "4914444539")))
    assert found.reward == pytest.approx(1.0)
    assert not found.mask_sample
    assert found.model_extra["verdict"]["status"] == "correct"
    assert "NeMo Gym takes one scalar an episode: 10 step rewards" in caplog.text
    assert asyncio.run(server.verify(request(server, row, "no"))).reward == 0.0


def test_an_unjudged_answer_is_masked(servers: Any, flaky: str) -> None:
    server = build(servers.ProofgymVerifyServer)
    row = {"responses_create_params": {"input": []}, "proofgym": next(rows(flaky, 1)).reference()}
    found = asyncio.run(server.verify(request(server, row, "break")))
    assert found.mask_sample
    assert found.failure_kind == "proofgym:unjudged"
    assert "strike" in found.failure_reason


@pytest.mark.skipif(HAVE, reason="this NeMo Gym has masks")
def test_a_nemo_gym_without_masks_gets_an_error(monkeypatch: pytest.MonkeyPatch, flaky: str) -> None:
    for name, module in fakes(masks=False).items():
        monkeypatch.setitem(sys.modules, name, module)
    _forget()
    server = build(nemo_gym.ProofgymVerifyServer)
    row = {"responses_create_params": {"input": []}, "proofgym": next(rows(flaky, 1)).reference()}
    with pytest.raises(Unjudged, match="no mask_sample"):
        asyncio.run(server.verify(request(server, row, "break")))
    _forget()


def action(text: str) -> Any:
    return reply(text)


def test_episodes_are_played_by_session(servers: Any) -> None:
    server = build(servers.ProofgymGymnasiumServer)
    row = shaped(next(rows("Sudoku4Steps", 1)), "nemo")
    meta = {"proofgym": row["proofgym"]}

    async def play() -> list[float]:
        assert (await server.reset(meta, "one"))[0] is None  # the prompt shows the question
        assert (await server.reset({**meta, "ask": True}, "two"))[0].startswith("Every row")
        paid, over = [], False
        while not over:
            oracle = server.session_state["one"].env.unwrapped.oracle()
            observation, reward, terminated, truncated, info = await server.step(action(oracle), meta, "one")
            paid.append(reward)
            over = terminated or truncated
            assert (observation is None) == over
            assert info["credits"]
        assert server.session_state["two"].turns == 0
        return paid

    paid = asyncio.run(play())
    assert sum(paid) == pytest.approx(1.0)
    server._cleanup_session("one")
    server._cleanup_session("one")
    assert list(server.session_state) == ["two"]
    with pytest.raises(BadInput, match="no episode"):
        asyncio.run(server.step(action("x"), meta, "one"))


def test_a_step_that_nobody_could_judge_is_an_error(servers: Any, flaky: str) -> None:
    server = build(servers.ProofgymGymnasiumServer)
    meta = {"proofgym": next(rows(flaky, 1)).reference()}
    asyncio.run(server.reset(meta, "one"))
    with pytest.raises(Unjudged, match="has no mask"):
        asyncio.run(server.step(action("break"), meta, "one"))
    assert not server.session_state


@pytest.mark.skipif(HAVE, reason="NeMo Gym is installed")
def test_a_missing_nemo_gym_is_named() -> None:
    _forget()
    for name in ("ProofgymVerifyServer", "ProofgymGymnasiumServer"):
        with pytest.raises(MissingExtra, match="pip install nemo-gym"):
            getattr(nemo_gym, name)


@pytest.mark.slow
def test_the_real_web_server_answers(real: Any) -> None:
    """Through NeMo Gym's own routes: validation of the body, its judge failsafe, sessions by cookie."""
    real("nemo_gym.base_resources_server")
    testing = real("fastapi.testclient")
    from nemo_gym.server_utils import BaseServerConfig, ServerClient

    def made(kind: Any) -> Any:
        config = SimpleNamespace(name="proofgym", expose_tools_over_mcp=False)
        server = kind.model_construct(config=config, session_state={}, server_client=None)
        object.__setattr__(server, "get_session_middleware_key", lambda: "key")
        return testing.TestClient(server.setup_webserver())

    assert BaseServerConfig is not None
    assert ServerClient is not None
    row = shaped(next(rows("RunningTotal", 1)), "nemo")
    body = {**row, "response": reply("4914444539")}
    done = made(nemo_gym.ProofgymVerifyServer).post("/verify", json=body)
    assert done.status_code == 200, done.text
    assert done.json()["reward"] == pytest.approx(1.0)
    client = made(nemo_gym.ProofgymGymnasiumServer)
    assert client.post("/reset", json=row).status_code == 200
    stepped = client.post("/step", json=body)
    assert stepped.status_code == 200, stepped.text
    assert stepped.json()["terminated"]
    assert stepped.json()["reward"] == pytest.approx(1.0)
