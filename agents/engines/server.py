"""A policy behind HTTP: vLLM, SGLang and TensorRT-LLM servers, spoken to in token ids.

| dialect | started with | requests go to | new weights |
| --- | --- | --- | --- |
| `vllm` | `VLLM_SERVER_DEV_MODE=1 vllm serve MODEL` (*) | `/v1/completions` | `/collective_rpc` |
| `sglang` | `python -m sglang.launch_server --model-path MODEL` | `/generate` | `/update_weights_from_disk` |
| `trtllm` | `trtllm-serve MODEL` | `/v1/completions` | none: the server has to be started again |

(*) with `--logprobs-mode processed_logprobs`, so that log-probabilities at a temperature other than 1 are those of the
tempered distribution, which is what training compares with.

The prompt is sent as token ids and the sampled ids come back, so nothing is ever tokenised twice. A server that returns
text only can be played with, for evaluation: then an action has its text and no tokens, and cannot be learned from.

Each request has a thread of its own for as long as it takes; the server batches them. What is busy or restarting is
asked again (429, 502, 503, 504, with the server's own Retry-After); what then still fails makes that one episode
unjudged.
"""

from __future__ import annotations

import json
import queue
import shutil
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np

from proofgym.agents.engines.base import Request, Stats
from proofgym.agents.sampling import Sample
from proofgym.agents.tokens import Format
from proofgym.errors import BadInput, ProofgymError, Unjudged, need

__all__ = ["Dialect", "ServerEngine", "ServerFault"]

Dialect = Literal["vllm", "sglang", "trtllm"]

_RETRIES = 5


class ServerFault(Unjudged):
    """A server that could not be reached, refused a request, or answered what cannot be understood."""


class ServerEngine:
    """Samples from a server.

    Args:
        format: How turns become the served model's tokens.
        url: Where it listens, such as `http://127.0.0.1:8000`.
        model: The name it serves the model by.
        dialect: See the module.
        slots: Requests in flight at most; more wait here.
        max_context: Tokens of a context and its action.
        version: Of the weights that it serves now.
        timeout_s: Of one request.
        save: Writes the policy into a folder; together with `sync_folder` it makes `load` possible.
        sync_folder: A folder that this process and the server see under the same path.
        sleeps: Let the server give its memory back on `sleep`.
    """

    def __init__(
        self,
        format: Format,  # noqa: A002 - the protocol's name
        url: str,
        *,
        model: str,
        dialect: Dialect = "vllm",
        slots: int = 64,
        max_context: int = 4096,
        version: int = 0,
        timeout_s: float = 600.0,
        save: Callable[[str | Path], None] | None = None,
        sync_folder: str | Path | None = None,
        sleeps: bool = False,
    ) -> None:
        urllib3 = need("urllib3", "train")
        if dialect not in _ASK:
            raise BadInput(f"a dialect is one of {', '.join(_ASK)}, found {dialect!r}")
        self.format, self.stats, self.max_context = format, Stats(), max_context
        self._url, self._model, self._dialect = url.rstrip("/"), model, dialect
        self._version, self._save, self._sleeps = version, save, sleeps
        self._folder = Path(sync_folder) if sync_folder else None
        retries = urllib3.Retry(
            _RETRIES, backoff_factor=0.5, status_forcelist=(429, 502, 503, 504), allowed_methods=None,
            respect_retry_after_header=True, raise_on_status=False,
        )  # fmt: skip
        self._http = urllib3.PoolManager(
            maxsize=slots, block=True, retries=retries, timeout=urllib3.Timeout(connect=10.0, read=timeout_s)
        )
        self._pool = ThreadPoolExecutor(slots, "requests")
        self._done: queue.SimpleQueue[tuple[Request, Sample]] = queue.SimpleQueue()
        self._sent = 0

    @property
    def version(self) -> int:
        """Of the weights that the server was last told to serve."""
        return self._version

    @property
    def busy(self) -> int:
        """Requests that have no answer yet."""
        return self._sent

    def submit(self, request: Request) -> None:
        """Send a request."""
        if len(request.context) + request.sampling.max_tokens > self.max_context:
            raise ValueError(
                f"{len(request.context)} tokens of context and {request.sampling.max_tokens} to sample; the server "
                f"reads {self.max_context}"
            )
        self._sent += 1
        version = self._version
        self._pool.submit(lambda: self._done.put((request, self._answer(request, version))))

    def poll(self, wait_s: float = 0.0) -> list[tuple[Request, Sample]]:
        """Everything that has been answered; if nothing, wait a moment for the first."""
        found: list[tuple[Request, Sample]] = []
        while self._sent:
            try:
                found.append(self._done.get(block=not found and wait_s > 0.0, timeout=wait_s or None))
            except queue.Empty:
                break
            self._sent -= 1
        for request, sample in found:
            self.stats.requests += 1
            self.stats.generated += len(sample.ids)
            self.stats.read += len(request.context)
        return found

    def release(self, session: int) -> None:
        """Nothing is held here; the server's prefix cache looks after itself."""

    def load(self, weights: Iterable[tuple[str, Any]], version: int) -> None:
        """Save the policy where the server sees it, and have it read.

        Raises:
            BadInput: If there is no folder to go through, or the server cannot take new weights.
            ServerFault: If it refuses.
        """
        del weights  # saved by `save`, in the form that servers read
        if version == self._version:
            return
        if self._save is None or self._folder is None or self._dialect == "trtllm":
            raise BadInput(
                "this server cannot be given new weights: trtllm-serve has no call for it, and the others need "
                "engine.sync_folder, a folder that the server sees too"
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f"version-{version}-", dir=self._folder))
        self._save(fresh)
        if self._dialect == "vllm":
            self._post("/collective_rpc", {"method": "reload_weights", "kwargs": {"weights_path": str(fresh)}})
            self._post("/reset_prefix_cache", None)
        else:
            self._post("/update_weights_from_disk", {"model_path": str(fresh), "weight_version": str(version)})
        self._version = version
        for old in self._folder.glob("version-*"):
            if old != fresh:
                shutil.rmtree(old, ignore_errors=True)

    def sleep(self) -> None:
        """Ask the server to give its memory back."""
        if self._sleeps:
            self._post({"vllm": "/sleep?level=1", "sglang": "/release_memory_occupation"}[self._dialect], {})

    def wake(self) -> None:
        """Ask the server to take it again."""
        if self._sleeps:
            self._post({"vllm": "/wake_up", "sglang": "/resume_memory_occupation"}[self._dialect], {})

    def close(self) -> None:
        """Close the connections; requests in flight are abandoned."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._http.clear()

    # Inside -----------------------------------------------------------------------------------------------------------

    def _answer(self, request: Request, version: int) -> Sample:
        """In a thread. A failure is a sample with its reason: it must reach the episode, not the thread's end."""
        try:
            path, body = _ASK[self._dialect](self, request)
            sample = _READ[self._dialect](self._post(path, body))
        except ProofgymError as error:
            return Sample([], [], False, version, fault=str(error))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            reason = f"the {self._dialect} server's answer cannot be read ({type(error).__name__}: {error})"
            return Sample([], [], False, version, fault=reason)
        sample.version = version
        return sample

    def _post(self, path: str, body: Any) -> Any:
        urllib3 = need("urllib3", "train")
        try:
            answer = self._http.request(
                "POST", self._url + path, body=None if body is None else json.dumps(body),
                headers={"Content-Type": "application/json"},
            )  # fmt: skip
        except urllib3.exceptions.HTTPError as error:
            raise ServerFault(f"{self._url}{path} cannot be reached: {error}") from error
        text = answer.data.decode("utf-8", "replace")
        if answer.status >= 400:
            raise ServerFault(f"{self._url}{path} answered {answer.status}: {text[:200]}")
        try:
            return json.loads(text) if text else None
        except ValueError:
            return text

    def _completion(self, request: Request, **more: Any) -> tuple[str, dict[str, Any]]:
        return "/v1/completions", {
            "model": self._model, "prompt": list(request.context), "max_tokens": request.sampling.max_tokens,
            "temperature": request.sampling.temperature, "logprobs": 0, "seed": _seed(request.key),
            "stop_token_ids": sorted(self.format.stop_ids), "top_p": 1.0, **more,
        }  # fmt: skip

    def _ask_vllm(self, request: Request) -> tuple[str, dict[str, Any]]:
        return self._completion(
            request, return_token_ids=True, skip_special_tokens=False, top_k=0, min_p=0.0, repetition_penalty=1.0
        )

    def _ask_trtllm(self, request: Request) -> tuple[str, dict[str, Any]]:
        return self._completion(request, detokenize=False, logprobs=1)

    def _ask_sglang(self, request: Request) -> tuple[str, dict[str, Any]]:
        return "/generate", {
            "input_ids": list(request.context), "return_logprob": True,
            "sampling_params": {
                "temperature": request.sampling.temperature, "max_new_tokens": request.sampling.max_tokens,
                "stop_token_ids": sorted(self.format.stop_ids), "top_p": 1.0, "sampling_seed": _seed(request.key),
            },
        }  # fmt: skip


def _seed(key: tuple[int, ...]) -> int:
    """One 31-bit seed for a request's key."""
    return int(np.random.SeedSequence(list(key)).generate_state(1)[0] >> 1)


def _read_completion(answer: Any) -> Sample:
    choice = answer["choices"][0]
    cut = choice["finish_reason"] == "length"
    ids = choice.get("token_ids")
    if not ids:
        return Sample([], [], cut, text=str(choice["text"]))
    found = (choice.get("logprobs") or {}).get("token_logprobs") or []
    logprobs = [float(value) for value in found]
    if logprobs and len(logprobs) != len(ids):
        raise ValueError(f"{len(ids)} tokens and {len(logprobs)} log-probabilities")
    return Sample([int(i) for i in ids], logprobs, cut)


def _read_generate(answer: Any) -> Sample:
    meta = answer["meta_info"]
    found = meta["output_token_logprobs"]
    cut = meta["finish_reason"]["type"] == "length"
    return Sample([int(token) for _, token, *_ in found], [float(value) for value, *_ in found], cut)


_ASK: dict[str, Callable[[ServerEngine, Request], tuple[str, dict[str, Any]]]] = {
    "vllm": ServerEngine._ask_vllm,
    "sglang": ServerEngine._ask_sglang,
    "trtllm": ServerEngine._ask_trtllm,
}
_READ: dict[str, Callable[[Any], Sample]] = {
    "vllm": _read_completion,
    "sglang": _read_generate,
    "trtllm": _read_completion,
}
