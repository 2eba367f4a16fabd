"""Our environments as OpenRLHF sees them: its own executors where it is installed, its signatures elsewhere."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import math
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from proofgym.adapters import openrlhf
from proofgym.adapters.export import shaped
from proofgym.adapters.rows import rows
from proofgym.errors import BadInput, MissingExtra, Unjudged

HAVE = importlib.util.find_spec("openrlhf") is not None
HAVE_MODEL = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))
needs_model = pytest.mark.skipif(not HAVE_MODEL, reason="needs torch and transformers")


def label(env_id: str) -> str:
    return str(shaped(next(rows(env_id, 1)), "openrlhf")["label"])


def fake() -> ModuleType:
    """The signatures of openrlhf.utils.agent 0.11.2, and the loop of its executor in a few lines."""
    module = ModuleType("openrlhf.utils.agent")

    class AgentInstanceBase:
        pass

    class MultiTurnAgentExecutor:
        def __init__(self, agent_instance_cls: Any) -> None:
            self.agent_instance_cls = agent_instance_cls

        async def execute(
            self, prompt: Any, label: Any, sampling_params: Any, max_length: int, hf_tokenizer: Any, llm_engine: Any,
            images: Any = None,
        ) -> dict[str, Any]:  # fmt: skip
            agent = self.agent_instance_cls()
            text = (await agent.reset({"observation": prompt, "label": label}))["observation"]
            tokens = hf_tokenizer(text=text, add_special_tokens=False)["input_ids"]
            ranges, total, done, result = [], 0.0, False, {}
            while not done and max_length > len(tokens):
                out = (await llm_engine.generate(tokens, sampling_params, multi_modal_data=None)).outputs[0]
                ranges.append((len(tokens), len(tokens) + len(out.token_ids)))
                states = {"observation_text": text, "action_text": out.text, "label": label}
                result = await agent.step({**states, "sampling_params": sampling_params})
                feedback = result["environment_feedback"]
                text += out.text + feedback
                more = hf_tokenizer(text=feedback, add_special_tokens=False)["input_ids"] if feedback else []
                tokens = tokens + out.token_ids + more
                total, done = total + result["rewards"].item(), result["done"]
            return {
                "reward": total, "scores": result["scores"], "observation_tokens": tokens, "action_ranges": ranges,
                "extra_logs": result["extra_logs"],
            }  # fmt: skip

    vars(module).update(AgentInstanceBase=AgentInstanceBase, MultiTurnAgentExecutor=MultiTurnAgentExecutor)
    return module


def _forget() -> None:
    for name in ("AgentExecutor", "AgentInstance"):
        vars(openrlhf).pop(name, None)


@pytest.fixture
def agents(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    if not HAVE:
        for name in ("openrlhf", "openrlhf.utils"):
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
        monkeypatch.setitem(sys.modules, "openrlhf.utils.agent", fake())
    _forget()
    yield openrlhf
    _forget()


# One answer -----------------------------------------------------------------------------------------------------------


def test_a_response_is_judged_without_its_prompt_and_marks(caplog: pytest.LogCaptureFixture) -> None:
    prompts = ["<|im_start|>user\n1234567890?<|im_end|>\n"] * 2
    queries = [prompts[0] + "4914444539<|im_end|>\n<|endoftext|>", prompts[1] + "no"]
    with caplog.at_level(logging.WARNING, "proofgym.adapters"):
        found = openrlhf.score(queries, prompts, [label("RunningTotal")] * 2)
    assert found["rewards"] == found["scores"] == [pytest.approx(1.0), 0.0]
    assert found["extra_logs"] == {"acc": [1.0, 0.0], "credits": [10.0, 1.0]}
    assert "OpenRLHF takes one scalar an episode: 10 step rewards" in caplog.text


@pytest.mark.skipif(not HAVE_MODEL, reason="needs torch")
def test_unjudged_stops_the_run_or_is_nan_and_never_a_score(flaky: str) -> None:
    with pytest.raises(Unjudged, match="dynamic filtering"):
        openrlhf.reward_func(["break"], [""], [label_of(flaky)])
    found = openrlhf.make_reward_func("nan")(["break"], [""], [label_of(flaky)])
    assert math.isnan(found["rewards"].item())
    assert math.isnan(found["scores"].item())
    assert math.isnan(found["extra_logs"]["acc"].item())


def label_of(flaky: str) -> str:
    return json.dumps(next(rows(flaky, 1)).reference())


def test_a_label_that_is_not_ours_is_refused() -> None:
    for bad in ("42", "{}", "forty-two", "[]"):
        with pytest.raises(BadInput):
            openrlhf.score(["x"], [""], [bad])


def test_the_reward_server_answers_and_survives_nonsense(flaky: str) -> None:
    server = openrlhf.serve(port=0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    def post(body: bytes) -> tuple[int, Any]:
        request = urllib.request.Request(f"http://127.0.0.1:{server.server_address[1]}", body)
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    try:
        for bad in (b"nonsense", b"[" * 100_000, b'{"query": 1, "prompts": 2, "labels": 3}', b"{}"):
            assert post(bad)[0] == 400
        asked = {"query": ["Q4914444539"], "prompts": ["Q"], "labels": [label("RunningTotal")]}
        assert post(json.dumps(asked).encode()) == (
            200, {"rewards": 1.0, "scores": 1.0, "extra_logs": {"acc": 1.0, "credits": 10.0}},
        )  # fmt: skip
        status, told = post(json.dumps({"query": ["break"], "prompts": [""], "labels": [label_of(flaky)]}).encode())
        assert status == 503
        assert "strike" in told["error"]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# Many turns -----------------------------------------------------------------------------------------------------------


class Engine:
    """Stands for the vLLM engine: plays given texts, each with its end-of-turn token."""

    def __init__(self, tokenizer: Any, texts: list[str]) -> None:
        self.tokenizer, self.texts, self.seen = tokenizer, iter(texts), []  # type: ignore[var-annotated]

    async def generate(self, ids: list[int], params: Any, multi_modal_data: Any = None) -> Any:
        self.seen.append(list(ids))
        text = next(self.texts)
        made = [*self.tokenizer.encode(text, add_special_tokens=False), 2]
        return SimpleNamespace(
            outputs=[SimpleNamespace(token_ids=made, text=text, finish_reason="stop", logprobs=None)]
        )


def execute(agents: Any, tokenizer: Any, label_: str, texts: list[str], kind: Any = None) -> tuple[Any, Engine]:
    engine = Engine(tokenizer, texts)
    params = SimpleNamespace(max_tokens=100, logprobs=None)
    executor = (kind or agents.AgentExecutor)()
    prompt = "<|im_start|>user\nPlay.<|im_end|>\n<|im_start|>assistant\n"
    return asyncio.run(executor.execute(prompt, label_, params, 4000, tokenizer, engine)), engine


@needs_model
def test_an_episode_is_played_in_the_chat_templates_frame(agents: Any, tiny: Any, flaky: str) -> None:
    tokenizer = tiny().tokenizer
    found, engine = execute(agents, tokenizer, label_of(flaky), ["a<|im_end|>e", "io"])
    assert found["reward"] == 1.5
    assert float(found["scores"]) == 1.5
    assert float(found["extra_logs"]["turns"]) == 2.0
    assert tokenizer.decode(found["observation_tokens"]) == (
        "<|im_start|>user\nPlay.<|im_end|>\n<|im_start|>assistant\na<|im_end|>e<|im_end|>\n"
        "<|im_start|>user\nYou said a<\u200b|im_end|>e.<|im_end|>\n<|im_start|>assistant\nio<|im_end|>"
    )
    start, end = found["action_ranges"][1]
    assert tokenizer.decode(found["observation_tokens"][start:end]) == "io<|im_end|>"
    assert engine.seen[1] == found["observation_tokens"][:start]


@needs_model
def test_an_unjudged_episode_raises_or_is_nan(agents: Any, tiny: Any, flaky: str) -> None:
    tokenizer = tiny().tokenizer
    with pytest.raises(Unjudged):
        execute(agents, tokenizer, label_of(flaky), ["a", "break"])
    dropping = type("AgentExecutor", (agents.AgentExecutor,), {"unjudged": "nan"})
    found, _ = execute(agents, tokenizer, label_of(flaky), ["a", "break"], dropping)
    assert math.isnan(found["reward"])
    assert math.isnan(float(found["scores"]))


@pytest.mark.skipif(HAVE, reason="OpenRLHF is installed")
def test_a_missing_openrlhf_is_named() -> None:
    _forget()
    for name in ("AgentExecutor", "AgentInstance"):
        with pytest.raises(MissingExtra, match="pip install openrlhf"):
            getattr(openrlhf, name)


class Hollow:
    """Imports packages that need a GPU as empty ones, whose names are all there and do nothing."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def find_spec(self, name: str, *_: Any) -> Any:
        if name.split(".")[0] not in self.names:
            return None
        return importlib.util.spec_from_loader(name, self, is_package=True)  # type: ignore[arg-type]

    def create_module(self, spec: Any) -> ModuleType:
        module = ModuleType(spec.name)

        def anything(name: str) -> type:
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (), {})

        module.__getattr__ = anything  # type: ignore[method-assign]
        return module

    def exec_module(self, module: ModuleType) -> None:
        pass


@pytest.fixture
def hollow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """vllm and deepspeed are there, but empty; afterwards they are gone, or TRL would ask for their versions."""
    names = ("vllm", "deepspeed")
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Hollow(*names)])
    yield
    for name in [name for name in sys.modules if name.split(".")[0] in names]:
        del sys.modules[name]


# Its own code ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_its_executor_reads_a_reward_file_and_an_address(real: Any, tiny: Any, tmp_path: Path) -> None:
    agent = real("openrlhf.utils.agent")
    tokenizer = tiny().tokenizer
    file = tmp_path / "reward.py"
    file.write_text("from proofgym.adapters.openrlhf import reward_func\n", encoding="utf-8")
    server = openrlhf.serve(port=0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        for address in (str(file), f"http://127.0.0.1:{server.server_address[1]}"):
            executor = agent.SingleTurnAgentExecutor(address)
            params = SimpleNamespace(max_tokens=50, logprobs=None)
            engine = Engine(tokenizer, ["4914444539"])
            found = asyncio.run(executor.execute("Go on: ", label("RunningTotal"), params, 500, tokenizer, engine))
            assert float(found["reward"]) == pytest.approx(1.0), address
            assert float(found["scores"]) == pytest.approx(1.0)
            assert float(found["extra_logs"]["acc"]) == 1.0
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("hollow")
def test_its_loader_takes_an_agent_file(real: Any, tmp_path: Path) -> None:
    real("openrlhf")
    file = tmp_path / "agent.py"
    file.write_text("from proofgym.adapters.openrlhf import AgentExecutor  # noqa: F401\n", encoding="utf-8")
    executor = real("openrlhf.trainer.ray.vllm_engine")._load_agent_executor(str(file))
    assert executor.agent_instance_cls.unjudged == "raise"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("worst", "kept"), [(math.nan, 0), (0.0, 2)])
@pytest.mark.usefixtures("hollow")
def test_its_filter_drops_a_group_with_a_nan_and_no_other(
    real: Any, monkeypatch: pytest.MonkeyPatch, worst: float, kept: int
) -> None:
    """What `unjudged="nan"` stands on: a NaN mean is inside no range."""
    real("openrlhf")
    generator = real("openrlhf.trainer.ppo_utils.samples_generator")
    torch = real("torch")
    made = object.__new__(generator.SamplesGenerator)
    made.args = SimpleNamespace(algo=SimpleNamespace(dynamic_filtering_range=(-0.1, 1.1)))
    batches = iter([(["p"], ["l"], [None], False), ([], [], [], True), ([], [], [], True)])
    monkeypatch.setattr(generator, "_collect_prompt_batch", lambda *_: next(batches))
    monkeypatch.setattr(generator.ray, "wait", lambda refs, **_: (refs, []))
    monkeypatch.setattr(generator.ray, "get", lambda ref: ref)
    scores = iter([1.0, worst])
    monkeypatch.setattr(made, "_dispatch_prompts_to_vllm", lambda *_, **__: [[{}, {}]], raising=False)
    monkeypatch.setattr(
        made, "_process_response_into_experience",
        lambda *_, **__: SimpleNamespace(scores=torch.tensor([next(scores)])), raising=False,
    )  # fmt: skip
    accepted = made._generate_vllm(iter([]), 1, True)[0]
    assert len(accepted) == kept
