"""Our environments inside TRL's GRPOTrainer, through each of its three doors.

| Door | Use it for | What the policy's turn is |
| --- | --- | --- |
| `reward_funcs` | environments of one answer | the completion |
| `environment_factory` | models that call tools | each call of the tool `act` |
| `rollout_func` | any text model, many turns | what it writes until its end-of-turn token |

TRL takes one number an episode, so rewards of steps are summed, and it says so once. An episode that nobody could judge
is `None`, which TRL leaves out of the group's mean and of the loss. Written against TRL 1.16; no version is pinned, and
nothing here imports TRL: the doors are plain functions and classes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from proofgym.adapters.episode import Episode, Outcome
from proofgym.adapters.rows import Row, judge_row, rows
from proofgym.adapters.said import said_once
from proofgym.agents.tokens import ChatFormat
from proofgym.envs.task import canonical_json
from proofgym.errors import BadInput, Unjudged, need

__all__ = ["dataset", "environment_factory", "reward_func", "rollout_func", "rollout_reward"]

RewardFunc = Callable[..., list[float | None]]
RolloutFunc = Callable[[list[Any], Any], dict[str, Any]]


def dataset(env_id: str, n: int, *, seed: int = 0, system: str | None = None, **env_kwargs: Any) -> Any:
    """Items of an environment as a `datasets.Dataset` with TRL's column `prompt` and ours beside it.

    Raises:
        MissingExtra: If `datasets` is not installed; TRL brings it.
    """
    made = need("datasets", "data").Dataset
    return made.from_list([row.to_json() for row in rows(env_id, n, seed=seed, system=system, **env_kwargs)])


# One answer -----------------------------------------------------------------------------------------------------------


def reward_func(completions: Sequence[Any], *, env: Sequence[str], **columns: Any) -> list[float | None]:
    """What each completion earns; give it to `GRPOTrainer(reward_funcs=...)` with a data set of our rows.

    In an environment of several turns the completion is the first action and nothing follows it; that is said once.

    Args:
        completions: Text, or messages of which the assistant's are joined.
        env: The column of ids; `kwargs`, `seed`, `index` and `fingerprint` are read as well, other columns are not.
    Returns:
        Reward units; None where nobody could judge.
    """
    names = [name for name in Row.COLUMNS if name in columns]
    rewards: list[float | None] = []
    for i, completion in enumerate(completions):
        row = Row.from_json({"env": env[i], **{name: columns[name][i] for name in names}})
        outcome = judge_row(row, text_of(completion))
        if not outcome.done:
            said_once(
                f"trl.turns.{row.env}",
                f"{row.env} takes several turns, and a reward function of TRL judges the first one only: "
                "use rollout_func or environment_factory",
            )
        _lost(row.env, len(outcome.credits))
        rewards.append(_number(outcome))
    return rewards


reward_func.__name__ = "proofgym"  # the name of TRL's column in the log


def text_of(completion: Any) -> str:
    """The text of a completion: itself, or what the assistant's messages say.

    >>> text_of([{"role": "assistant", "content": [{"type": "text", "text": "4"}]}])
    '4'
    """
    if isinstance(completion, str):
        return completion
    parts = []
    for message in completion:
        if message.get("role", "assistant") != "assistant":
            continue
        content = message.get("content") or ""
        if not isinstance(content, str):
            content = "".join(part.get("text", "") for part in content)
        parts.append(content)
    return "".join(parts)


def _number(outcome: Outcome) -> float | None:
    if outcome.unjudged is not None:
        _unjudged(outcome.unjudged)
        return None
    return outcome.reward


def _unjudged(reason: str) -> None:
    said_once("trl.unjudged", f"an episode could not be judged, so TRL gets no reward for it (None): {reason}")


def _lost(env: str, paid: int) -> None:
    if paid > 1:
        said_once("trl.scalar", f"TRL takes one scalar an episode: {paid} step rewards of {env} were summed")


# Tools ----------------------------------------------------------------------------------------------------------------


def environment_factory(env_id: str | None = None, **env_kwargs: Any) -> type:
    """A class for `GRPOTrainer(environment_factory=...)`: the policy plays by calling the tool `act`.

    TRL resets one object for each rollout with the columns of its row, so the data set is one of ours (`dataset`):
    without rows the members of a group would be asked different tasks. The chat template must know tools.

    Args:
        env_id: The environment of rows that name none.
        env_kwargs: What it is made with.
    """

    class ProofgymEnvironment:
        """One episode at a time; TRL keeps the object and resets it."""

        def __init__(self) -> None:
            self._episode: Episode | None = None
            self._made: tuple[str, str] = ("", "")
            self._fault: str | None = None

        def reset(self, **columns: Any) -> str | None:
            """Ask the row's item; return its question unless the prompt shows it already."""
            row = Row.from_json({"env": env_id, "kwargs": env_kwargs, **columns})
            made = (row.env, canonical_json(dict(row.kwargs)))
            self._fault = None
            if self._episode is None or self._made != made:
                if self._episode is not None:
                    self._episode.close()
                self._episode, self._made = Episode(row.env, **row.kwargs), made
            try:
                observation = self._episode.start(row.seed, row.index)
            except Unjudged as error:
                self._fault = str(error)
                return None
            self._episode.expect(row.fingerprint)
            shown = str(row.prompt[-1].get("content", "")) if row.prompt else ""
            return None if observation in shown else observation

        def act(self, text: str) -> str:
            """Play one action in the environment and read what it answers.

            Args:
                text: The whole action, exactly as the task asks for it.

            Returns:
                What the environment answers.
            """
            if self._fault is not None or self._episode is None or self._episode.over:
                return "The episode is over."
            outcome = self._episode.act(str(text))
            self._fault = outcome.unjudged
            if outcome.done:
                return f"{outcome.observation}\nThe episode is over.".lstrip()
            return outcome.observation

        def get_reward(self) -> float | None:
            """The sum of the episode's rewards; None if nobody could judge it."""
            if self._fault is not None or self._episode is None:
                _unjudged(self._fault or "the episode was never started")
                return None
            _lost(self._episode.name, self._episode.paid)
            return self._episode.total

        def __del__(self) -> None:
            if getattr(self, "_episode", None) is not None:
                self._episode.close()  # type: ignore[union-attr]

    return ProofgymEnvironment


# Many turns -----------------------------------------------------------------------------------------------------------


def rollout_func(data: Iterable[Mapping[str, Any]], *, max_turns: int | None = None) -> RolloutFunc:
    """A function for `GRPOTrainer(rollout_func=...)`: plays whole episodes, batch by batch, and keeps the sampled ids.

    Give the trainer `rollout_reward` as its reward function; it hands over what the episodes earned. Sampled tokens are
    never made again from text; what the environment says between them is framed by the model's own chat template and
    masked out of the loss (`env_mask`). A turn is sampled by the trainer's own backend (transformers or vLLM), all
    running episodes together.

    Args:
        data: The rows that the trainer trains on. TRL hands a rollout its prompt only, so the prompt finds the row.
        max_turns: Stop after so many actions; the environment's own limit counts too.
    Raises:
        BadInput: If two rows with the same prompt ask different tasks.
    """
    items: dict[str, Row] = {}
    for entry in data:
        row = Row.from_json(entry)
        other = items.setdefault(_key(row.prompt), row)
        if (other.env, other.kwargs) != (row.env, row.kwargs) or _task(other) != _task(row):
            raise BadInput(
                f"rows {other.index} and {row.index} of {row.env} show the same prompt, and TRL hands a rollout its "
                "prompt only: leave one of them out, or use environment_factory"
            )
    forms: dict[int, ChatFormat] = {}

    def roll(prompts: list[Any], trainer: Any) -> dict[str, Any]:
        tokenizer = getattr(trainer, "_tokenizer", None) or trainer.processing_class
        form = forms.setdefault(id(tokenizer), ChatFormat(tokenizer))
        seats = [_Seat(items, prompt, tokenizer) for prompt in prompts]
        try:
            _play(seats, form, trainer, max_turns)
        finally:
            for seat in seats:
                seat.close()
        return {
            "prompt_ids": [seat.prompt_ids for seat in seats],
            "completion_ids": [seat.ids or [form.pad_id] for seat in seats],
            "logprobs": [seat.logprobs for seat in seats] if all(seat.scored for seat in seats) else None,
            "env_mask": [seat.mask or [0] for seat in seats],
            "proofgym_reward": [seat.reward() for seat in seats],
            "proofgym_turns": [seat.turns for seat in seats],
        }

    return roll


def rollout_reward(*, proofgym_reward: Sequence[float], **_: Any) -> list[float | None]:
    """What the episodes of `rollout_func` earned; None where nobody could judge."""
    return [None if math.isnan(value) else value for value in proofgym_reward]


def _task(row: Row) -> Any:
    return row.fingerprint or (row.seed, row.index)


def _key(prompt: Any) -> str:
    if isinstance(prompt, str):
        return prompt
    return json.dumps([[message.get("role"), message.get("content")] for message in prompt])


class _Seat:
    """One episode of a batch, and the tokens of its context."""

    def __init__(self, items: Mapping[str, Row], prompt: Any, tokenizer: Any) -> None:
        row = items.get(_key(prompt))
        if row is None:
            raise BadInput("TRL asks for a prompt that is in none of the rows given to rollout_func")
        self.prompt_ids = _opened(prompt, tokenizer)
        self.ids: list[int] = []
        self.mask: list[int] = []
        self.logprobs: list[float] = []
        self.scored = True
        self.fault: str | None = None
        self.playing = True
        self.episode = Episode(row.env, **row.kwargs)
        try:
            self.episode.start(row.seed, row.index)
            self.episode.expect(row.fingerprint)
        except Unjudged as error:
            self.fault, self.playing = str(error), False

    @property
    def turns(self) -> int:
        return self.episode.turns

    @property
    def context(self) -> list[int]:
        return self.prompt_ids + self.ids

    def sampled(self, ids: list[int], logprobs: list[float] | None, form: ChatFormat, room: int) -> None:
        """Take an action, play it, and append what is read next."""
        self.ids += ids
        self.mask += [1] * len(ids)
        self.scored = self.scored and logprobs is not None
        self.logprobs += logprobs or [0.0] * len(ids)
        text, _ = form.decode(ids)
        outcome = self.episode.act(text)
        self.fault = outcome.unjudged
        between = [] if outcome.done else form.between(outcome.observation, ids)
        if outcome.done or len(self.ids) + len(between) >= room:
            self.playing = False
            return
        self.ids += between
        self.mask += [0] * len(between)
        self.logprobs += [0.0] * len(between)

    def reward(self) -> float:
        if self.fault is not None:
            _unjudged(self.fault)
            return math.nan
        _lost(self.episode.name, self.episode.paid)
        return self.episode.total

    def close(self) -> None:
        self.episode.close()


def _play(seats: list[_Seat], form: ChatFormat, trainer: Any, max_turns: int | None) -> None:
    room = int(trainer.args.max_completion_length)
    sample = trainer._generate_single_turn  # the one way to TRL's own backends that takes ids and returns ids
    while playing := [seat for seat in seats if seat.playing]:
        ids, logprobs = sample([seat.context for seat in playing], None, {}, 1)
        for k, seat in enumerate(playing):
            left = room - len(seat.ids)
            scores = None if logprobs is None else [float(x) for x in logprobs[k]][:left]
            seat.sampled([int(i) for i in ids[k]][:left], scores, form, room)
            if max_turns is not None and seat.turns >= max_turns:
                seat.playing = False


def _opened(prompt: Any, tokenizer: Any) -> list[int]:
    if isinstance(prompt, str):
        return list(tokenizer.encode(prompt))
    text = tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
    return list(tokenizer.encode(text, add_special_tokens=False))
