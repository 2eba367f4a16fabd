"""The configuration of sampling: which tasks, how episodes branch, what is replayed, and which engine generates."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

__all__ = ["Engine", "Replay", "Sampler", "Tree"]

_STRICT = ConfigDict(extra="forbid")

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Natural = Annotated[int, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0.0)]
Factor = Annotated[float, Field(ge=1.0)]


@dataclass(frozen=True, config=_STRICT)
class Sampler:
    """Which tasks an update asks, and how often each. Everything is off by default: the next items, a group each.

    Args:
        dynamic: Leave out groups whose attempts all earned the same, and ask further tasks in their place.
        oversample: Ask so many times what is missing, at once; what is not needed is dropped.
        max_factor: Give up filling after so many times the update's tasks.
        curriculum: How levels, or the tasks of a pool, are chosen; see `curriculum`.
        levels: Difficulties in [0, 1] to choose among; the environment needs levels.
        pool: `posterior` only: choose among the first so many items of each level.
        rate: How fast estimates follow, in (0, 1].
        temperature: `bandit` only: of the softmax over values.
        band: `band` only: the success rates wanted.
        target: `posterior` only: the success rate wanted.
        least, most: Attempts at one task, by how much they are expected to teach; 0 gives every task a whole group.
        hard_share: The share of an update's tasks that are hard ones met before.
        hard_size: How many hard tasks are remembered.
    """

    dynamic: bool = False
    oversample: Factor = 1.5
    max_factor: Factor = 4.0
    curriculum: Literal["none", "uniform", "bandit", "learnability", "band", "posterior"] = "none"
    levels: tuple[Share, ...] = ()
    pool: Natural = 0
    rate: Annotated[float, Field(gt=0.0, le=1.0)] = 0.2
    temperature: Positive = 0.2
    band: tuple[Share, Share] = (0.3, 0.7)
    target: Share = 0.5
    least: Natural = 0
    most: Natural = 0
    hard_share: Share = 0.0
    hard_size: Count = 256

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if self.curriculum == "posterior" and not self.pool:
            raise ValueError("curriculum posterior chooses among a pool of tasks, so pool should be at least 1")
        if self.band[0] > self.band[1]:
            raise ValueError(f"a band goes from low to high, found {self.band[0]} to {self.band[1]}")
        if self.least > self.most or (self.most and not self.least):
            raise ValueError(f"budgets need 1 <= least <= most, found {self.least} and {self.most}")


@dataclass(frozen=True, config=_STRICT)
class Replay:
    """Which earlier episodes an update learns from again, off policy.

    Args:
        share: Replayed episodes for each fresh one; 0 keeps nothing.
        size: Episodes kept; the oldest go first.
        max_staleness: Forget what was sampled more updates ago.
        keep: Only episodes that were solved, or all that were judged.
    """

    share: Share = 0.0
    size: Count = 2048
    max_staleness: Count = 8
    keep: Literal["solved", "all"] = "solved"


@dataclass(frozen=True, config=_STRICT)
class Tree:
    """Where episodes branch; see `tree.TreeShape`. With `roots` 0 they do not."""

    roots: Natural = 0
    rounds: Natural = 2
    points: Count = 3
    branches: Count = 1
    at: Literal["turn", "token"] = "turn"
    mark: Literal["entropy", "random"] = "entropy"


@dataclass(frozen=True, config=_STRICT)
class Engine:
    """Who generates, and how episodes and updates overlap.

    Args:
        kind: `transformers` and `vllm` run in this process; `server` speaks to an OpenAI-compatible one.
        slots: Episodes side by side; 0 takes a whole update.
        dtype: Of the sampled weights: `same` as the trained ones, or a copy in bfloat16.
        staleness: Updates that an episode may be behind when it is learned from. Above 0, episodes are sampled while
            the policy is trained.
        workers: Threads that environments step in; 0 steps them between two tokens, which is best when a step takes
            microseconds. Environments that wait want a thread each: as many as episodes are played side by side.
        url, model, dialect: Of a server. `dialect` says how it is asked for token ids: `vllm`, `sglang`, `trtllm`.
        sync_folder: Of a server: a folder that both sides see, through which new weights go.
        timeout_s: Of one request to a server.
        memory: vLLM only: share of the GPU, or on a CPU gibibytes of cache.
        sleep: vLLM only: give the GPU's memory back while the policy is trained.
    """

    kind: Literal["transformers", "vllm", "server"] = "transformers"
    slots: Natural = 0
    dtype: Literal["same", "bfloat16"] = "same"
    staleness: Natural = 0
    workers: Natural = 0
    url: str = ""
    model: str = ""
    dialect: Literal["vllm", "sglang", "trtllm"] = "vllm"
    sync_folder: str = ""
    timeout_s: Positive = 600.0
    memory: Positive = 0.4
    sleep: bool = False

    def __post_init__(self) -> None:
        """Refuse a server that is nowhere."""
        if self.kind == "server" and not (self.url and self.sync_folder):
            raise ValueError("engine kind server needs a url, and a sync_folder that the server sees too")
