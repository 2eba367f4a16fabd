"""Players that evaluation adds to those of the agents: a model behind a chat API, and the environments' own experts."""

from __future__ import annotations

import itertools
import json
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from proofgym.agents.rollout import Action, Item, Seats, TextEnv, reset_episode, step_episode
from proofgym.bench.journal import Journal, Thread
from proofgym.chat import ChatModel, ContextFull, Reply, ToolCall
from proofgym.envs.tools import ToolEnv, action_of, offered
from proofgym.envs.trajectory import Trajectory
from proofgym.errors import BadInput, Unjudged

__all__ = ["ChatPlayer", "ExpertPlayer", "place"]

_GRACE_S = 3.0  # for requests under way when the run is stopped; their replies are kept
Message = dict[str, Any]


def place(env: str, item: Item) -> str:
    """The name of an episode in the journal."""
    return f"{env}/{item.seed}/{item.index}/{item.sample}"


@dataclass
class ChatPlayer:
    """A chat model as a player: each episode is a conversation in a thread of its own, and none waits for another.

    Args:
        model: Asked from many threads.
        temperature, max_tokens: Of every reply.
        seed: With the item and the turn it seeds every request.
        system: A system message to put first.
        tools: Offer the environment's tools as native tool calls, where it has any.
        journal: Where replies are kept as they arrive.

    A model that fails makes its episode unjudged, with the reason. A conversation that has become too long for the
    model ends its episode as it stands, as it does for a local model.
    """

    model: ChatModel
    temperature: float = 0.0
    max_tokens: int = 512
    seed: int = 0
    system: str | None = None
    tools: bool = False
    journal: Journal | None = None
    version: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def stream(
        self, envs: Sequence[TextEnv], items: Iterable[Item], on_episode: Callable[[Trajectory], None] | None = None
    ) -> Iterator[Trajectory]:
        """Play every item once and yield the trajectories in the order of the items."""
        self._stop = stop = threading.Event()
        numbered, lock = enumerate(items), threading.Lock()
        finished: queue.SimpleQueue[tuple[int, Trajectory] | BaseException | None] = queue.SimpleQueue()

        def work(env: TextEnv) -> None:
            try:
                while not stop.is_set():
                    with lock:
                        number, item = next(numbered, (-1, None))
                    if item is None:
                        break
                    episode = self.play(env, item)
                    if episode is not None:
                        finished.put((number, episode))
            except BaseException as error:  # the caller's thread raises it
                finished.put(error)
            finally:
                finished.put(None)

        threads = [threading.Thread(target=work, args=(env,), daemon=True) for env in envs]
        for thread in threads:
            thread.start()
        ready: dict[int, Trajectory] = {}
        working, following = len(threads), 0
        try:
            while working:
                found = finished.get()
                if found is None:
                    working -= 1
                    continue
                if isinstance(found, BaseException):
                    raise found
                number, episode = found
                if on_episode is not None:
                    on_episode(episode)
                ready[number] = episode
                while following in ready:
                    yield ready.pop(following)
                    following += 1
        finally:
            stop.set()
            until = time.monotonic() + _GRACE_S
            for thread in threads:
                thread.join(max(0.0, until - time.monotonic()))

    def play(self, env: TextEnv, item: Item) -> Trajectory | None:
        """Play one episode; None if the run was stopped in the middle of it."""
        episode, observation = reset_episode(env, item)
        if episode.unjudged:
            return episode
        toolbox = offered(env) if self.tools else None
        thread = Thread(self.journal, place(episode.env, item)) if self.journal is not None else None
        messages: list[Message] = [{"role": "system", "content": self.system}] if self.system else []
        messages.append({"role": "user", "content": observation})
        new, calls, usage = list(messages), deque[ToolCall](), {}
        reply = Reply("")
        while True:
            if not calls:
                if self._stop.is_set():
                    return None
                try:
                    reply = self._ask(messages, new, item, len(episode.turns), toolbox, thread)
                except ContextFull:
                    return episode
                except Unjudged as error:
                    episode.end, episode.fault = "unjudged", str(error)
                    return episode
                calls = deque(_named(reply.tool_calls, len(episode.turns))) if toolbox else deque()
                new = [_said(reply, calls)]
                messages.append(new[0])
                usage = _usage(reply)
            call = calls.popleft() if calls else None
            text = action_of(toolbox, call.name, call.arguments) if call and toolbox else reply.text
            action = Action(text, cut=reply.cut)
            turn, over, observation = step_episode(env, observation, action, episode)
            turn.usage, usage = usage, {}  # one reply may hold several calls; the first of their turns carries its cost
            if call is not None:
                turn.tool_calls = [{"id": call.id, "name": call.name, "arguments": call.arguments}]
            episode.turns.append(turn)
            if over:
                return episode
            if call is not None:
                new.append({"role": "tool", "tool_call_id": call.id, "content": observation})
            else:
                new.append({"role": "user", "content": observation})
            messages.append(new[-1])

    def _ask(
        self, messages: Sequence[Message], new: Sequence[Message], item: Item, turn: int,
        toolbox: ToolEnv | None, thread: Thread | None,
    ) -> Reply:  # fmt: skip
        if thread is not None and (known := thread.heard(*new)) is not None:
            return known
        key = [self.seed, item.seed, item.index, item.sample, turn]
        reply = self.model.complete(
            messages, temperature=self.temperature, max_tokens=self.max_tokens,
            seed=int(np.random.SeedSequence(key).generate_state(1)[0] >> 1),
            tools=toolbox.tools() if toolbox else None,
        )  # fmt: skip
        if thread is not None:
            thread.add(reply)
        return reply


def _named(calls: Iterable[ToolCall], turn: int) -> Iterator[ToolCall]:
    """The calls with an id each: some servers leave it out, and the answers have to name it."""
    for number, call in zip(itertools.count(), calls):
        yield call if call.id else ToolCall(f"call-{turn}-{number}", call.name, call.arguments)


def _said(reply: Reply, calls: Iterable[ToolCall]) -> Message:
    """The reply as a message of the conversation. Damaged arguments go back as JSON, for servers that parse them."""
    written = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": _as_json(call.arguments)}}
        for call in calls
    ]
    message: Message = {"role": "assistant", "content": reply.text}
    return {**message, "tool_calls": written} if written else message


def _as_json(arguments: str) -> str:
    try:
        good = isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        good = False
    return arguments if good else json.dumps({"unreadable": arguments})


def _usage(reply: Reply) -> dict[str, float]:
    used = reply.usage
    cost = {} if used.cost_usd is None else {"cost_usd": used.cost_usd}
    return {"prompt_tokens": used.prompt_tokens, "completion_tokens": used.completion_tokens, **cost}


@dataclass
class ExpertPlayer:
    """Plays as the environment's own expert, who reads what the policy reads; where there is none, as the oracle.

    An environment with such an expert has a method `expert()`, which returns somebody with `act(observation)`.
    """

    version: int = 0

    def seat(self, envs: Sequence[TextEnv], items: Sequence[Item]) -> Seats:
        """Sit down with a fresh expert for every episode.

        Raises:
            BadInput: If an environment has neither expert nor oracle.
        """
        for env in envs:
            if own_expert(env) is None and not hasattr(env.unwrapped, "oracle"):
                raise BadInput(f"{type(env.unwrapped).__name__} has neither an expert nor an oracle to play for it")
        return _ExpertSeats(envs)


class _ExpertSeats:
    def __init__(self, envs: Sequence[TextEnv]) -> None:
        self.envs: Sequence[Any] = [env.unwrapped for env in envs]
        self.experts = [own_expert(env) for env in envs]

    def act(self, rows: Sequence[int], observations: Sequence[str]) -> list[Action | None]:
        return [
            Action(self.envs[row].oracle() if self.experts[row] is None else self.experts[row].act(observation))
            for row, observation in zip(rows, observations, strict=True)
        ]


def own_expert(env: TextEnv) -> Any:
    """The environment's expert who differs from its oracle, or none."""
    made = getattr(env.unwrapped, "expert", None)
    return made() if callable(made) else None
