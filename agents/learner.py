"""Gradient steps: from a batch of episodes to new weights, with every lever of the configuration."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from proofgym.agents import credit, distributed, losses, objective
from proofgym.agents.advantages import KINDS, Floats
from proofgym.agents.allocator import keep_freed_memory
from proofgym.agents.batch import Batch, Row, pack, row_of
from proofgym.agents.config import GRPO
from proofgym.agents.credit import Evidence
from proofgym.agents.distributed import World
from proofgym.agents.forward import Scorer, Scores
from proofgym.agents.policy import Policy
from proofgym.agents.reader import Reader
from proofgym.agents.values import ValueModel, explained_variance, value_head
from proofgym.envs.trajectory import Trajectory

__all__ = ["Learner", "Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How forward passes are computed; results do not depend on it, but for rounding.

    Args:
        chunk: Positions whose logits are held at a time; 0 for all.
        mixed: Compute in bfloat16 whatever the weights are.
        checkpointing: Keep no activations of the layers.
    """

    chunk: int = 4096
    mixed: bool = False
    checkpointing: bool = False


@dataclass
class _Totals:
    """What one call adds up over its gradient steps."""

    tokens: float = 0.0
    loss: float = 0.0
    skipped: int = 0
    idle: int = 0
    grad_norms: list[float] = field(default_factory=list)
    sums: dict[str, float] = field(default_factory=dict)  # over the tokens trained on

    def add(self, numbers: dict[str, float]) -> None:
        for name, value in numbers.items():
            self.sums[name] = self.sums.get(name, 0.0) + value


class Learner:
    """The trainer's side of a policy: its scorer, value model, optimizer, reference and adaptive weights.

    Args:
        policy: What is trained. In a world of several processes this copy stays whole, for sampling, and takes over
            the sharded weights after every call.
        config: Of the stage.
        optimizer: Over the policy's parameters; one is made if there is none. With a value model or several processes
            it is always made here.
        reference: What the KL pulls towards; of a LoRA the base model, which needs no copy.
        settings: See `Settings`.
        world: Which of how many processes this is.
    """

    def __init__(
        self,
        policy: Policy,
        config: GRPO,
        *,
        optimizer: torch.optim.Optimizer | None = None,
        reference: Policy | None = None,
        settings: Settings | None = None,
        world: World | None = None,
    ) -> None:
        self.policy, self.config = policy, config
        self.settings, self.world = settings or Settings(), world or World()
        if policy.device.type == "cpu":
            keep_freed_memory()
        needs = KINDS[config.advantage]
        model = policy.model if self.world.size == 1 else copy.deepcopy(policy.model)
        head = value_head(model) if needs.value and config.value.model == "head" else None
        self.scorer = Scorer(
            model, head=head, chunk=self.settings.chunk, mixed=self.settings.mixed,
            checkpointing=self.settings.checkpointing,
        )  # fmt: skip
        self.critic = ValueModel(model) if needs.value and config.value.model == "separate" else None
        distributed.shard(self.scorer, self.world)
        if self.critic is not None:
            distributed.shard(self.critic, self.world)
        self.optimizer = optimizer if optimizer is not None and head is None else self._optimizer()
        self.critic_optimizer = (
            torch.optim.AdamW(self.critic.parameters(), lr=config.value.learning_rate, betas=(0.9, 0.98), fused=True)
            if self.critic is not None
            else None
        )
        self.reference = None if reference is None else self._frozen(reference)
        self.kl = losses.AdaptiveKL(config.kl.weight, config.kl.target, config.kl.horizon)
        self.entropy = losses.AdaptiveEntropy(config.entropy.bonus, config.entropy.target, config.entropy.step)
        self.updates = 0
        self._bonus = config.entropy.bonus
        self.reader = Reader(config, self.scorer, self.critic, self.reference, self.world, self._batches)
        self._rates = [float(group["lr"]) for group in self._groups()]

    def _frozen(self, reference: Policy) -> Scorer:
        return Scorer(reference.model, chunk=self.settings.chunk, mixed=self.settings.mixed)

    def _optimizer(self) -> torch.optim.Optimizer:
        config, head = self.config, self.scorer.head
        of_head = set(head.parameters()) if head is not None else set()
        own = [p for p in self.scorer.parameters() if p.requires_grad and p not in of_head]
        parts: list[dict[str, Any]] = [{"params": own}]
        if head is not None:
            parts.append({"params": list(of_head), "lr": config.value.learning_rate, "weight_decay": 0.0})
        return torch.optim.AdamW(
            parts, lr=config.learning_rate, weight_decay=config.weight_decay, betas=(0.9, 0.98), fused=True
        )

    # Learning ---------------------------------------------------------------------------------------------------------

    def learn(self, episodes: Sequence[Trajectory], greedy: Floats | None = None) -> dict[str, float]:
        """Take `epochs` times `optimizer_steps` gradient steps on these episodes.

        Unjudged episodes have no part in it: no statistic, no token, no denominator. A step whose loss or gradient is
        not finite is skipped and counted; if there is nothing to learn from, nothing is changed.

        Args:
            episodes: The whole batch; in a world of several processes every one of them gets all of it.
            greedy: (B,) what greedy answers to the same tasks earned, for ReMax.
        Returns:
            Means over the tokens trained on: loss, entropy, clip_share, kl and others in use; grad_norm before
            clipping; steps skipped (not finite) and idle (nothing to learn); tokens trained on, those of skipped and
            idle steps left out.
        """
        config = self.config
        usable = [b for b, e in enumerate(episodes) if not e.unjudged and any(t.action_ids for t in e.turns)]
        found = self.reader.read(episodes, usable, self.kl.weight)
        evidence = Evidence(found.values, found.after, found.penalties, greedy, self.policy.version)
        taught = credit.teach(episodes, config, evidence)
        rows = []
        for b in usable:
            row = row_of(episodes[b], taught.advantages[b], taught.keep[b], number=b)
            part = np.concatenate([*taught.keep[b], np.zeros(0, dtype=np.bool_)])
            if found.old is not None:
                row.old = found.old[b][part]
            elif row.expert:
                row.old = np.zeros(len(row.old))  # never read: an expert's tokens have no ratio
            if row.expert:
                row.sampled = row.old
            if found.reference is not None:
                row.reference = found.reference[b][part]
            if taught.returns is not None and found.values is not None:
                row.returns = np.concatenate([*taught.returns[b], np.zeros(0)])[part]
                row.values = np.concatenate([*found.values[b], np.zeros(0)])[part]
            rows.append(row)
        groups = credit.group_numbers(episodes)
        totals = _Totals()
        for _ in range(config.epochs):
            for share in np.array_split(np.arange(len(rows)), config.optimizer_steps):
                chosen = [rows[int(i)] for i in share]
                self._weigh(chosen, groups)
                self._step(chosen, totals)
        return self._finish(totals, found.numbers | taught.numbers | _explained(rows), rows)

    def _weigh(self, rows: Sequence[Row], groups: Any) -> None:
        """Say how much a token of each row counts, over the whole gradient step."""
        plan = self.config.loss
        weights = losses.row_weights(
            np.array([row.tokens for row in rows], dtype=np.int64), plan.aggregate,
            length=plan.constant or self.config.max_tokens, prompt_R=groups[[row.number for row in rows]],
            count_empty=self.config.count_empty,
        )  # fmt: skip
        for row, weight in zip(rows, weights.tolist(), strict=True):
            row.weight = weight

    def _step(self, rows: Sequence[Row], totals: _Totals) -> None:
        rows = [row for row in rows if row.tokens]
        if not rows:
            return
        if not self._teaches(rows):
            totals.idle += 1  # nothing to learn; stepping would only follow the optimizer's old momentum
            return
        tokens = float(sum(row.tokens for row in rows))
        valued = float(sum(int(np.isfinite(row.returns).sum()) for row in rows if row.returns is not None))
        self._zero()
        step = _Totals()
        for batch, counts in self._batches(rows):
            self._forward_backward(batch, counts, tokens, max(valued, 1.0), step)
        sums = self.world.sums({"loss": step.loss, **step.sums})
        loss = sums.pop("loss")
        norm = self._clip()
        if math.isfinite(loss) and math.isfinite(norm):
            self.optimizer.step()
            if self.critic_optimizer is not None:
                self.critic_optimizer.step()
            totals.tokens += tokens
            totals.loss += loss
            totals.grad_norms.append(norm)
            totals.add(sums)
        else:
            totals.skipped += 1
        self._zero()

    def _teaches(self, rows: Sequence[Row]) -> bool:
        pull = self.kl.weight > 0.0 and self.config.kl.place == "loss" and self.reader.has_reference
        return (
            pull or self._bonus > 0.0 or any(row.returns is not None for row in rows)
            or any(bool(row.advantages.any()) for row in rows)
        )  # fmt: skip

    def _forward_backward(self, batch: Batch, counts: float, tokens: float, valued: float, step: _Totals) -> None:
        """One micro-batch. `counts` is 0 for one that only keeps processes in step."""
        config = self.config
        warm = self.updates >= config.value.warm_up or not KINDS[config.advantage].value
        scores = self.scorer(
            batch.ids_BL, batch.keep_BL, temperature=config.temperature, positions_BL=batch.positions_BL,
            ends_R=batch.ends_R, entropy_gradient=self._bonus > 0.0, head_only=not warm,
        )  # fmt: skip
        part = objective.policy_objective(
            scores, batch, config, kl_weight=self.kl.weight, bonus=self._bonus, generator=self._generator()
        )
        loss = part.total(tokens) if warm else 0.0 * scores.logprobs.sum()
        values = scores.values
        if self.critic is not None:
            values, _ = self.critic(
                batch.ids_BL, batch.keep_BL, positions_BL=batch.positions_BL, ends_R=batch.ends_R
            )  # fmt: skip
        numbers = dict(part.sums)
        if values is not None and batch.returns_N is not None and batch.values_N is not None:
            value_loss, clipped = losses.clipped_value_loss(
                values, batch.values_N, torch.nan_to_num(batch.returns_N), clip=config.value.clip
            )
            known = torch.isfinite(batch.returns_N)
            value_loss = torch.where(known, value_loss, torch.zeros_like(value_loss)).sum() / valued
            loss = loss + value_loss * (config.value.weight if self.critic is None else 1.0)
            numbers["value_loss"] = float(value_loss.detach()) * tokens
            numbers["value_clip_share"] = float((clipped & known).sum())
        (loss * counts * self.world.size).backward()  # gradients are averaged over processes
        if counts:
            step.loss += float(loss.detach())
            step.add(numbers)
        else:
            step.add(dict.fromkeys(numbers, 0.0))

    def _batches(self, rows: Sequence[Row]) -> Iterator[tuple[Batch, float]]:
        """This process's micro-batches, filled up so that all processes have equally many."""
        mine = self._pack(self.world.share(rows), self.config.tokens_per_batch)
        for batch in mine:
            yield batch, 1.0
        missing = self.world.largest(len(mine)) - len(mine)
        if missing:
            filler = self._pack(rows[:1], 1)[0]
            for _ in range(missing):
                yield filler, 0.0

    def _pack(self, rows: Sequence[Row], budget: int) -> list[Batch]:
        return pack(
            rows, self.policy.format.pad_id, tokens_per_batch=budget, device=self.policy.device,
            packing=self.config.packing,
        )  # fmt: skip

    def _generator(self) -> torch.Generator:
        """Chance inside a loss (Clip-Cov) is a function of the update's number."""
        return torch.Generator().manual_seed(self.updates)

    def _zero(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        if self.critic_optimizer is not None:
            self.critic_optimizer.zero_grad(set_to_none=True)

    def _clip(self) -> float:
        limit = self.config.max_grad_norm
        norm = _whole(nn.utils.clip_grad_norm_(self._trained(), limit))
        if self.critic is not None:
            norm = math.hypot(norm, _whole(nn.utils.clip_grad_norm_(self.critic.parameters(), limit)))
        return norm

    def _trained(self) -> list[Tensor]:
        return list(self.scorer.parameters())

    def _finish(self, totals: _Totals, further: dict[str, float], rows: Sequence[Row]) -> dict[str, float]:
        self.policy.version += 1
        self.updates += 1
        self.share_weights()
        count = max(totals.tokens, 1.0)
        means = {name: value / count for name, value in totals.sums.items()}
        numbers = {
            "loss": totals.loss / max(len(totals.grad_norms), 1),
            "entropy": means.pop("entropy", 0.0),
            "clip_share": means.pop("clip_share", 0.0),
            "kl": means.pop("kl", 0.0),
            "grad_norm": float(np.mean(totals.grad_norms)) if totals.grad_norms else 0.0,
            "skipped": float(totals.skipped),
            "idle": float(totals.idle),
            "tokens": totals.tokens,
            **means,
            **{name: value for name, value in further.items() if value or name != "left_out"},
        }
        if totals.tokens:
            self.kl.update(numbers["kl"], len(rows))
            self._bonus = self.entropy.update(numbers["entropy"])
        if self.config.kl.target:
            numbers["kl_weight"] = self.kl.weight
        if self.config.entropy.target:
            numbers["entropy_bonus"] = self._bonus
        return numbers

    def share_weights(self) -> None:
        """Put the sharded weights into the policy that is sampled from."""
        if self.world.size > 1:
            state = distributed.full_state(self.scorer)
            own = {name.removeprefix("model."): tensor for name, tensor in state.items() if name.startswith("model.")}
            self.policy.model.load_state_dict(own, strict=False)

    # Other objectives -------------------------------------------------------------------------------------------------

    def supervised(self, episodes: Sequence[Trajectory]) -> dict[str, float]:
        """One gradient step on the negative log-likelihood of the episodes' actions; none if it is not finite.

        Returns:
            The loss, nats a token; `skipped`, 1 if no step was taken; tokens.
        """
        ones = [[np.ones(len(turn.action_ids)) for turn in episode.turns] for episode in episodes]
        rows = [
            row_of(e, t, number=b)
            for b, (e, t) in enumerate(zip(episodes, ones, strict=True))
            if not e.unjudged and any(turn.action_ids for turn in e.turns)
        ]
        tokens = float(sum(row.tokens for row in rows))
        if not rows:
            return {"loss": math.nan, "skipped": 1.0, "tokens": 0.0}
        numbers = self._step_on(self._batches(rows), lambda scores, _: -scores.logprobs.sum() / tokens)
        return {**numbers, "tokens": 0.0 if numbers["skipped"] else tokens}

    def step_on(self, units: Sequence[Sequence[Row]], loss: Callable[[Scores, Batch], Tensor]) -> dict[str, float]:
        """One gradient step on the sum of a loss over units of rows that must share a forward pass.

        Args:
            units: In a world of several processes every one of them gets all.
            loss: Of one unit, already divided by how many there are.
        Returns:
            The loss; `skipped`, 1 if it or its gradient was not finite and no step was taken; the gradient's norm.
        """

        def batches() -> Iterator[tuple[Batch, float]]:
            mine = self.world.share(units)
            for i in range(self.world.largest(len(mine))):
                unit = mine[i] if i < len(mine) else units[0]
                budget = sum(len(unit[0].ids) + len(row.ids) for row in unit) * len(unit)
                yield self._pack(unit, budget)[0], float(i < len(mine))

        return self._step_on(batches(), loss)

    def _step_on(
        self, batches: Iterator[tuple[Batch, float]], loss: Callable[[Scores, Batch], Tensor]
    ) -> dict[str, float]:
        total = 0.0
        self._zero()
        for batch, counts in batches:
            part = loss(self.scorer(batch.ids_BL, batch.keep_BL, positions_BL=batch.positions_BL), batch)
            (part * (counts * self.world.size)).backward()  # type: ignore[no-untyped-call]
            total += float(part.detach()) * counts
        total = self.world.sums({"loss": total})["loss"]
        norm = self._clip()
        fine = math.isfinite(total) and math.isfinite(norm)
        if fine:
            self.optimizer.step()
        self._zero()
        self.share_weights()
        return {"loss": total, "skipped": float(not fine), "grad_norm": norm}

    # State ------------------------------------------------------------------------------------------------------------

    def rate(self, factor: float) -> None:
        """Set every learning rate to this share of its own."""
        for group, own in zip(self._groups(), self._rates, strict=True):
            group["lr"] = own * factor

    def _groups(self) -> list[dict[str, Any]]:
        return [g for optimizer in (self.optimizer, self.critic_optimizer) if optimizer for g in optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the policy's weights: optimizers, value model, adaptive weights, and how many updates."""
        critic = None if self.critic is None else distributed.full_state(self.critic)
        head = {n: t for n, t in distributed.full_state(self.scorer).items() if n.startswith("head.")}
        return {
            "optimizer": distributed.optimizer_state(self.scorer, self.optimizer, self.world),
            "critic": critic,
            "critic_optimizer": None if self.critic is None or self.critic_optimizer is None
            else distributed.optimizer_state(self.critic, self.critic_optimizer, self.world),
            "head": head, "kl": self.kl.weight, "entropy": self.entropy.weight, "bonus": self._bonus,
            "updates": self.updates,
        }  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave; the policy's own weights must be in place already."""
        if self.world.size > 1:
            own = {f"model.{name}": tensor for name, tensor in self.policy.model.state_dict().items()}
            distributed.load_full_state(self.scorer, own)
        if state["head"]:
            distributed.load_full_state(self.scorer, state["head"])
        distributed.load_optimizer_state(self.scorer, self.optimizer, state["optimizer"], self.world)
        if self.critic is not None and self.critic_optimizer is not None:
            distributed.load_full_state(self.critic, state["critic"])
            distributed.load_optimizer_state(self.critic, self.critic_optimizer, state["critic_optimizer"], self.world)
        self.kl.weight, self.entropy.weight = float(state["kl"]), float(state["entropy"])
        self._bonus, self.updates = float(state["bonus"]), int(state["updates"])


def _explained(rows: Sequence[Row]) -> dict[str, float]:
    """How much of the returns the value model already knew."""
    pairs = [(row.values, row.returns) for row in rows if row.values is not None and row.returns is not None]
    if not pairs:
        return {}
    values, returns = (torch.from_numpy(np.concatenate(part)) for part in zip(*pairs, strict=True))
    known = torch.isfinite(returns)
    return {"explained_variance": explained_variance(values[known], returns[known])}


def _whole(norm: Any) -> float:
    return float(norm.full_tensor() if hasattr(norm, "full_tensor") else norm)
