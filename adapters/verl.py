"""Our environments inside verl: a reward function, an agent loop for many turns, a reward manager with token credits.

What survives depends on the path that verl takes (see `docs/adapters/verl.md`): the streaming path writes one scalar at
the last response token; the batch path asks the reward manager, which puts every credit on the token that earned it.

verl has no word for an episode without a score: a NaN would spread over its group's baseline and from there over the
batch. So what cannot be judged is raised as `Unjudged` after one more try, which stops the step. On the batch path it
is neutral instead: it gets the mean of what its group's judged members earned, so that theirs keep their baseline and
it has no advantage. Written against verl 0.9.1; no version is pinned, and verl is imported where a class is first used.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from proofgym.adapters.credit_tokens import place, token_ends
from proofgym.adapters.episode import Episode, Outcome
from proofgym.adapters.rows import Row, judge_row
from proofgym.adapters.said import said_once
from proofgym.agents.tokens import ChatFormat
from proofgym.errors import MissingExtra, Unjudged

# `ProofgymAgentLoop` and `ProofgymRewardManager` belong here too; they are made when first asked for, at the end.
__all__ = ["CreditedScore", "compute_score", "row_of"]

AGENT = "proofgym"
"""The name of the agent loop and of the reward manager, as rows and configurations write it."""


def row_of(ground_truth: Any, extra_info: Mapping[str, Any] | None = None) -> Row:
    """The row that a data set's `reward_model.ground_truth` names: JSON text, since a Parquet column has one type."""
    if isinstance(ground_truth, str) and ground_truth.startswith("{"):
        return Row.from_json(json.loads(ground_truth))
    return Row.from_json(extra_info or {})


def _judged(row: Row, text: str) -> Outcome:
    """Judge, and once more if nobody could: a sandbox that died is a new one the second time."""
    outcome = judge_row(row, text)
    return outcome if outcome.unjudged is None else judge_row(row, text)


def _refuse(row: Row, reason: str) -> Unjudged:
    return Unjudged(
        f"{row.env}, seed {row.seed}, index {row.index} could not be judged ({reason}); verl has no way to leave one "
        "episode out, so the step stops here rather than train on a made-up score"
    )


# One answer -----------------------------------------------------------------------------------------------------------


def compute_score(
    data_source: str,  # noqa: ARG001 - verl's signature
    solution_str: str,
    ground_truth: Any,
    extra_info: Mapping[str, Any] | None = None,
    **_: Any,
) -> dict[str, float]:
    """What an answer earns: `reward.custom_reward_function.path=FILE` where FILE imports this name.

    Returns:
        `score` in reward units, and beside it for the log `acc` (1 for full marks) and `credits`, how many were summed.
    Raises:
        Unjudged: If nobody could judge it in two tries.
        BadInput: If the row is not one of ours.
    """
    row = row_of(ground_truth, extra_info)
    outcome = _judged(row, solution_str)
    if outcome.unjudged is not None:
        raise _refuse(row, outcome.unjudged)
    _lost(row.env, len(outcome.credits))
    if not outcome.done:
        said_once(
            f"verl.turns.{row.env}",
            f"{row.env} takes several turns, and compute_score judges the first one only: use the agent loop",
        )
    return _extra(outcome.reward, outcome)


def _extra(score: float, outcome: Outcome | None, paid: int = 0) -> dict[str, float]:
    """The same keys for every sample: verl makes columns of them."""
    correct = outcome is not None and outcome.verdict is not None and outcome.verdict.correct
    return {"score": score, "acc": float(correct), "credits": float(len(outcome.credits) if outcome else paid)}


def _lost(env: str, paid: int) -> None:
    if paid > 1:
        said_once(
            "verl.scalar",
            f"this path of verl takes one scalar an episode, at its last token: {paid} step rewards of {env} were "
            "summed; the batch path with ProofgymRewardManager keeps them",
        )


class CreditedScore(float):
    """A score that remembers on which response tokens it was earned; it pickles, so it travels through Ray.

    >>> import pickle
    >>> score = pickle.loads(pickle.dumps(CreditedScore([0.25, 0.0, 0.5])))
    >>> score, score.token_rewards
    (0.75, [0.25, 0.0, 0.5])
    """

    token_rewards: list[float]

    def __new__(cls, token_rewards: Sequence[float]) -> CreditedScore:
        """Sum the rewards, one per response token."""
        made = super().__new__(cls, math.fsum(token_rewards))
        made.token_rewards = [float(x) for x in token_rewards]
        return made

    def __reduce__(self) -> tuple[type[CreditedScore], tuple[list[float]]]:
        return CreditedScore, (self.token_rewards,)


# The classes that need verl -------------------------------------------------------------------------------------------


def _reward_manager() -> type:
    """Make the reward manager over verl's base class."""
    try:
        import torch
        from verl.experimental.reward_loop.reward_manager import register
        from verl.experimental.reward_loop.reward_manager.base import RewardManagerBase
    except ImportError as error:
        raise MissingExtra(f"verl is needed for its reward manager; `pip install verl` brings it ({error})") from error

    class ProofgymRewardManager(RewardManagerBase):  # type: ignore[misc]
        """Judges by our environments; on the batch path every credit lands on the token that earned it."""

        def __init__(self, config: Any, tokenizer: Any, compute_score: Any = None, **_: Any) -> None:
            super().__init__(config, tokenizer, compute_score)

        async def run_single(self, data: Any) -> dict[str, Any]:
            """The score of one sample, which remembers its tokens; `nan` if unjudged, on the batch path only."""
            item = data[-1]
            others = {**item.non_tensor_batch, **(item.non_tensor_batch.get("tool_extra_fields") or {})}
            row = row_of(others["reward_model"]["ground_truth"], others.get("extra_info"))
            length = int(item.batch["responses"].shape[-1])
            valid = int(item.batch["attention_mask"][-length:].sum())
            placed = others.get("token_rewards")  # an agent loop that played the episode has judged it
            if placed is None:
                ids = [int(i) for i in item.batch["responses"][:valid]]
                text, ends = token_ends(ids, self._decode)
                outcome = await self.loop.run_in_executor(None, _judged, row, text)
                if outcome.unjudged is not None:
                    return self._nobody(row, outcome.unjudged)
                placed = place(outcome.credits, ends).tolist() if ids else []
                extra = _extra(outcome.reward, outcome)
            else:
                if others.get("fault"):
                    return self._nobody(row, str(others["fault"]))
                extra = _extra(math.fsum(placed), None, int(others.get("credits_paid") or 0))
            score = CreditedScore(placed)
            if _streaming(self.config):
                _lost(row.env, int(extra["credits"]))
            return {"reward_score": score, "reward_extra_info": {**extra, "unjudged": 0.0}}

        def _decode(self, ids: list[int]) -> str:
            return str(self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))

        def _nobody(self, row: Row, reason: str) -> dict[str, Any]:
            if _streaming(self.config):
                raise _refuse(row, reason)
            return {
                "reward_score": math.nan,
                "reward_extra_info": {**_extra(math.nan, None), "acc": math.nan, "unjudged": 1.0},
            }

        @classmethod
        def assemble_rm_scores(cls, data: Any, scores: list[float]) -> Any:
            """(B, T) rewards, each credit on its token; an unjudged row gets its judged siblings' mean at its end."""
            prompts = data.batch["prompts"].size(1)
            valid_B = data.batch["attention_mask"][:, prompts:].sum(dim=1)
            rm_scores = torch.zeros_like(data.batch["responses"], dtype=torch.float32)
            groups = data.non_tensor_batch.get("uid")
            neutral = _neutral(scores, None if groups is None else [str(g) for g in groups])
            for b, score in enumerate(scores):
                last = max(int(valid_B[b]) - 1, 0)
                placed = getattr(score, "token_rewards", None)
                if math.isnan(score) or not placed:
                    rm_scores[b, last] = neutral[b]
                    continue
                rewards = torch.tensor(placed, dtype=torch.float32)
                rm_scores[b, : min(len(rewards), last + 1)] = rewards[: last + 1]
                rm_scores[b, last] += rewards[last + 1 :].sum()  # what was cut off stays paid
            return rm_scores

    return _named(register, ProofgymRewardManager)


def _streaming(config: Any) -> bool:
    """Whether verl scores samples one by one while it rolls out; then the manager cannot place anything."""
    try:
        model = config.reward.reward_model
        return not model.enable or bool(model.enable_resource_pool)
    except AttributeError:
        return True


def _neutral(scores: Sequence[float], groups: Sequence[str] | None) -> list[float]:
    """Scores with every `nan` replaced by the mean of its group's finite ones.

    >>> _neutral([1.0, math.nan, 0.0, 0.5], ["a", "a", "a", "b"])
    [1.0, 0.5, 0.0, 0.5]
    """
    members: dict[str, list[float]] = {}
    names = groups if groups is not None else [""] * len(scores)
    for name, score in zip(names, scores, strict=True):
        if not math.isnan(score):
            members.setdefault(name, []).append(float(score))
    found = []
    for name, score in zip(names, scores, strict=True):
        if not math.isnan(score):
            found.append(float(score))
            continue
        said_once(
            "verl.unjudged",
            "verl cannot leave an episode out: unjudged ones get the mean of their group's judged members, so they "
            "have no advantage and change nobody's baseline",
        )
        if name not in members:
            raise Unjudged(
                "no member of a group could be judged, so there is nothing to learn from and no score to give"
            )
        found.append(math.fsum(members[name]) / len(members[name]))
    return found


def _agent_loop() -> type:
    """Make the agent loop over verl's base class."""
    try:
        from verl.experimental.agent_loop.agent_loop import AgentLoopBase, AgentLoopOutput, register
    except ImportError as error:
        raise MissingExtra(f"verl is needed for its agent loop; `pip install verl` brings it ({error})") from error

    class ProofgymAgentLoop(AgentLoopBase):  # type: ignore[misc]
        """Plays one episode: rows carry `agent_name: proofgym`, or it is the default agent loop.

        Args:
            max_turns: Stop after so many actions; the environment's own limit counts too.
            leave_score: Give verl no score, so that the reward manager places the credits on the batch path.
        """

        def __init__(self, *args: Any, max_turns: int | None = None, leave_score: bool = False, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.max_turns = max_turns
            self.leave_score = leave_score

        async def run(self, sampling_params: dict[str, Any], **kwargs: Any) -> Any:
            """Play the row's item, with the ids as they were sampled.

            Raises:
                Unjudged: If nobody could judge the episode in two tries, unless `leave_score` is set.
            """
            row = row_of((kwargs.get("reward_model") or {}).get("ground_truth"), kwargs.get("extra_info"))
            messages = [dict(message) for message in kwargs["raw_prompt"]]
            prompt_ids = list(await self.ct_build_initial_tokens(messages))
            form = ChatFormat(self.tokenizer)
            for attempt in (1, 2):
                played = await _play(self, row, list(prompt_ids), form, sampling_params)
                if played.fault is None:
                    break
                if attempt == 2 and not self.leave_score:
                    raise _refuse(row, played.fault)
            if not self.leave_score:
                _lost(row.env, played.paid)
            room = int(self.rollout_config.response_length)
            extra = {
                "turn_scores": played.turn_scores,
                "tool_rewards": [],
                "token_rewards": played.token_rewards[:room],
                "credits_paid": played.paid,
                "fault": played.fault or "",
            }
            score = None if self.leave_score or played.fault is not None else math.fsum(played.turn_scores)
            return AgentLoopOutput(
                prompt_ids=prompt_ids,
                response_ids=played.ids[:room],
                response_mask=played.mask[:room],
                response_logprobs=played.logprobs[:room] if played.scored and played.logprobs else None,
                reward_score=score,
                num_turns=2 * len(played.turn_scores),
                metrics={},
                extra_fields=extra,
            )

    return _named(register, ProofgymAgentLoop)


def _named(register: Any, made: type) -> type:
    """Register a class under our name and the path by which a worker of verl finds it again."""
    made.__module__, made.__qualname__ = __name__, made.__name__
    registered: type = register(AGENT)(made)
    return registered


class _Played:
    """The response side of one episode."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.mask: list[int] = []
        self.logprobs: list[float] = []
        self.token_rewards: list[float] = []
        self.turn_scores: list[float] = []
        self.scored = True
        self.paid = 0
        self.fault: str | None = None

    def add(self, ids: Sequence[int], own: int, logprobs: Sequence[float] | None, rewards: Sequence[float]) -> None:
        self.ids += ids
        self.mask += [own] * len(ids)
        self.logprobs += logprobs or [0.0] * len(ids)
        self.token_rewards += rewards


async def _play(
    loop: Any, row: Row, prompt_ids: list[int], form: ChatFormat, sampling_params: dict[str, Any]
) -> _Played:
    from uuid import uuid4

    played = _Played()
    room = int(loop.rollout_config.response_length)
    request = uuid4().hex
    # Each episode has one thread after another, never two at once, so an environment needs no lock.
    episode = await asyncio.to_thread(Episode, row.env, **row.kwargs)
    try:
        try:
            await asyncio.to_thread(episode.start, row.seed, row.index)
        except Unjudged as error:
            played.fault = str(error)
            return played
        episode.expect(row.fingerprint)
        while len(played.ids) < room and (loop.max_turns is None or episode.turns < loop.max_turns):
            out = await loop.server_manager.generate(
                request_id=request, prompt_ids=prompt_ids + played.ids, sampling_params=dict(sampling_params)
            )
            ids = [int(i) for i in out.token_ids][: room - len(played.ids)]
            if not ids:
                break
            text, ends = form.decode(ids)
            outcome = await asyncio.to_thread(episode.act, text)
            if outcome.unjudged is not None:
                played.fault = outcome.unjudged
                played.add(ids, 1, out.log_probs and list(out.log_probs)[: len(ids)], [0.0] * len(ids))
                break
            played.scored = played.scored and bool(out.log_probs)
            logprobs = list(out.log_probs)[: len(ids)] if out.log_probs else None
            played.add(ids, 1, logprobs, place(outcome.credits, ends).tolist())
            played.turn_scores.append(outcome.reward)
            if outcome.done:
                break
            between = form.between(outcome.observation, ids)
            if len(played.ids) + len(between) >= room:
                break
            played.add(between, 0, None, [0.0] * len(between))
        played.paid = episode.paid
        return played
    finally:
        await asyncio.to_thread(episode.close)


_MAKERS = {"ProofgymRewardManager": _reward_manager, "ProofgymAgentLoop": _agent_loop}


def __getattr__(name: str) -> Any:
    """The two classes, made when first asked for, since their bases are verl's."""
    if name not in _MAKERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = globals()[name] = _MAKERS[name]()
    return made
