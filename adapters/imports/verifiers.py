"""Tasksets of `verifiers` 0.4: its tasks and its reward functions, asked and paid here.

A plain taskset is one prompt and one answer that its `@vf.reward` methods score. Tasks that need a container, tools, or
an environment class of their own are refused with the reason: those are theirs to run.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Coroutine, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from proofgym.envs.base import TurnResult, VerifiableEnv
from proofgym.errors import BadInput, Unjudged, need
from proofgym.verifiers import Credit, Status, Verdict

__all__ = ["VerifiersTaskset"]


class VerifiersTaskset(VerifiableEnv):
    """Asks the tasks of a `verifiers` taskset (`pip install 'proofgym[verifiers]'`) and pays by its own rewards.

    Observation: the system prompt, if any, and the task's prompt.
    Action: everything that the policy wrote.
    Reward: the taskset's weighted sum; the parts are in the verdict. A reward that raises, or needs a runtime that is
    not here, could not judge.
    Episode: one turn, always terminated, never truncated.

    Args:
        taskset: The id of an installed taskset package.
        config: Its settings.
        limit: How many tasks are read of it, at most.
        full: The sum of rewards that counts as solved.
        floor: What answer-blind policies earn; unknown, so 1, until you measure it with `proofgym audit`.
    Raises:
        MissingExtra: If verifiers is not installed.
        BadInput: If there is no such taskset, or its tasks cannot be asked here.
    """

    family = "verifiers"
    floor: float = 1.0
    observation_limit = 131_072
    action_limit = 131_072

    def __init__(
        self,
        *,
        taskset: str,
        config: Mapping[str, Any] | None = None,
        limit: int = 10_000,
        full: float = 1.0,
        floor: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if limit < 1 or not full > 0:
            raise BadInput(f"limit is at least 1 and full lies above 0, found {limit} and {full}")
        self.taskset, self.config, self.limit, self.full, self.floor = taskset, dict(config or {}), limit, full, floor
        self._key = (taskset, tuple(sorted((key, repr(value)) for key, value in self.config.items())), limit)
        self._tasks = _load(taskset, self.config, limit, self._key)
        self._current: Any = None

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        return {"taskset": self.taskset, "position": int(rng.integers(len(self._tasks)))}

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        """The taskset and the task's data, without its position."""
        data = self._task_of(instance).data.model_dump(mode="json", exclude_none=True)
        data.pop("idx", None)
        return [self.taskset, data]

    def begin(self, instance: Mapping[str, Any]) -> str:
        self._current = self._task_of(instance)
        data = self._current.data
        return "\n\n".join(part for part in (data.system_prompt, data.prompt_text) if part)

    def turn(self, action: str) -> TurnResult:
        trace = _trace(self._current, action)
        try:
            _finished(self._current.score(trace))
        except Exception as error:  # whatever the taskset's author wrote
            raise Unjudged(f"the rewards of {self.taskset!r} raised {type(error).__name__}: {error}") from error
        missing = [name for name, reward in trace.rewards.items() if reward is None]
        if missing or not trace.rewards:
            what = f"the reward {missing[0]!r} needs a runtime" if missing else "it has no reward that runs without one"
            raise Unjudged(f"{self.taskset!r} cannot be scored here: {what}")
        parts = {name: float(reward.value) for name, reward in trace.rewards.items()}
        earned = sum(parts.values())
        if not np.isfinite(earned):
            raise Unjudged(f"the rewards of {self.taskset!r} came to {earned}")
        share = earned / self.full
        verdict = (
            Verdict(Status.CORRECT, 1.0, "", parts)
            if share >= 1.0
            else _partial(min(max(0.0, share), 1 - 1e-9), f"{earned:g} of {self.full:g} earned", parts)
        )
        credits_ = [Credit(0, len(action), value, name) for name, value in parts.items() if value]
        return TurnResult("", credits_, verdict, terminated=True)

    def save(self) -> dict[str, Any]:
        return {}

    def load(self, data: Mapping[str, Any]) -> None:
        pass

    def oracle(self) -> str:
        """Nobody knows: a taskset has no field that is an answer by agreement.

        Raises:
            BadInput: Always.
        """
        raise BadInput("a verifiers taskset names no answer")

    def _task_of(self, instance: Mapping[str, Any]) -> Any:
        position = instance.get("position")
        if instance.get("taskset") != self.taskset or not isinstance(position, int) or isinstance(position, bool):
            raise BadInput(f"an instance has 'taskset' {self.taskset!r} and a 'position', found {instance!r:.80}")
        if not 0 <= position < len(self._tasks):
            raise BadInput(f"{self.taskset!r} has {len(self._tasks)} tasks here, found position {position}")
        return self._tasks[position]


def _partial(score: float, reason: str, parts: Mapping[str, float]) -> Verdict:
    return Verdict(Status.PARTIAL if score > 0 else Status.WRONG, score, reason, parts)


_configs: dict[Any, Mapping[str, Any]] = {}


def _load(taskset: str, config: Mapping[str, Any], limit: int, key: Any) -> list[Any]:
    _configs[key] = config
    return _read(taskset, limit, key)


@lru_cache(maxsize=16)
def _read(taskset: str, limit: int, key: Any) -> list[Any]:
    need("verifiers.v1", "verifiers")
    loaders = need("verifiers.v1.utils.loaders", "verifiers")
    single = need("verifiers.v1.envs.single_agent", "verifiers").SingleAgentEnv
    try:
        made = loaders.load_taskset(loaders.taskset_config_type(taskset)(id=taskset, **_configs[key]))
        plain = loaders.environment_class(taskset) is single
        tasks = list(itertools.islice(made, limit))
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise BadInput(f"the taskset {taskset!r} cannot be loaded ({type(error).__name__}: {error})") from error
    if not tasks:
        raise BadInput(f"the taskset {taskset!r} is empty")
    kind = type(tasks[0])
    if not plain:
        raise BadInput(f"{taskset!r} brings an environment of its own: run it with verifiers")
    if kind.NEEDS_CONTAINER or tasks[0].data.image:
        raise BadInput(f"the tasks of {taskset!r} run in containers: run it with verifiers")
    if kind.toolsets(tasks[0].config) or type(made).toolsets(made.config):
        raise BadInput(f"the tasks of {taskset!r} come with tool servers: run it with verifiers")
    return tasks


def _trace(task: Any, answer: str) -> Any:
    """A conversation of one prompt and one sampled answer, as the taskset's rewards expect to find it."""
    vf = need("verifiers.v1", "verifiers")
    state = need("verifiers.v1.state", "verifiers")
    data = task.data
    prompt = [vf.UserMessage(content=data.prompt)] if isinstance(data.prompt, str) else list(data.prompt or ())
    if data.system_prompt:
        prompt = [vf.SystemMessage(content=data.system_prompt), *prompt]
    nodes = [vf.MessageNode(parent=n - 1 if n else None, message=message) for n, message in enumerate(prompt)]
    said = vf.AssistantMessage(content=answer)
    nodes.append(vf.MessageNode(parent=len(nodes) - 1 if nodes else None, message=said, sampled=True))
    asked = vf.TraceTask(type=type(task).__name__, data=data, key=task.key, hash=task.hash)
    return vf.Trace(
        task=asked, agent=vf.AgentInfo(config=vf.AgentConfig()), state=state.state_cls(type(task))(), nodes=nodes
    )


def _finished(work: Coroutine[Any, Any, Any]) -> None:
    """Run a coroutine to its end, also where this thread already runs an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work)
        return
    raised: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]
