"""What models say about a batch before the first gradient step: old log-probabilities, values, the reference's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from proofgym.agents import lora, losses
from proofgym.agents.advantages import KINDS, Floats
from proofgym.agents.batch import Batch, Row, row_of
from proofgym.agents.config import GRPO
from proofgym.agents.distributed import World
from proofgym.agents.forward import Scorer, Scores
from proofgym.agents.values import ValueModel
from proofgym.envs.trajectory import Trajectory

__all__ = ["Found", "Reader"]


@dataclass(slots=True)
class Found:
    """What was read, by trajectory; None if nobody needs it."""

    old: dict[int, Floats] | None = None
    reference: dict[int, Floats] | None = None
    values: list[list[Floats]] | None = None
    after: Floats | None = None
    penalties: list[list[Floats]] | None = None
    numbers: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Reader:
    """Reads a batch with every model that the configuration needs, each only if it is needed.

    Args:
        scorer, critic, reference: The policy, a value model of its own, and a frozen copy; of a LoRA no copy is needed.
        batches: Makes this process's micro-batches; the second number is 0 for one that only keeps processes in step.
    """

    config: GRPO
    scorer: Scorer
    critic: ValueModel | None
    reference: Scorer | None
    world: World
    batches: Callable[[Sequence[Row]], Iterator[tuple[Batch, float]]]

    @property
    def has_reference(self) -> bool:
        return self.reference is not None or (self.config.kl.weight > 0.0 and lora.attached(self.scorer.model))

    @torch.no_grad()
    def read(self, episodes: Sequence[Trajectory], usable: Sequence[int], kl_weight: float) -> Found:
        """Everything that is read from models before the first gradient step, each only if it is needed."""
        config = self.config
        refer = self.has_reference and kl_weight > 0.0
        value = KINDS[config.advantage].value
        in_reward = refer and config.kl.place == "reward"
        if not (config.recompute_old or refer or value):
            return Found()
        nothing = [[np.zeros(len(turn.action_ids)) for turn in e.turns] for e in episodes]
        rows = [row_of(episodes[b], nothing[b], number=b) for b in usable]
        old: dict[int, Floats] = {}
        values: dict[int, Floats] = {}
        after: dict[int, Floats] = {}
        reference: dict[int, Floats] = {}
        for batch, counts in self.batches(rows) if rows else ():
            scores, far = self._look(batch, refer, need_scores=config.recompute_old or value)
            if counts:
                if scores is not None:
                    _spread(old, batch, scores.logprobs)
                    _spread(values, batch, scores.values)
                _spread(reference, batch, far)
                if scores is not None and scores.after is not None:
                    ends = scores.after.double().cpu().numpy()
                    after.update({n: ends[i : i + 1] for i, n in enumerate(batch.numbers)})
        old, values, after, reference = (self._everybodys(x) for x in (old, values, after, reference))
        found = Found()
        if config.recompute_old:
            found.old = old
            found.numbers |= self._mismatch(rows, old)
        if refer:
            found.reference = reference
        if in_reward:
            found.penalties = nothing
            for row in rows:
                start = old.get(row.number, row.sampled)
                gap = np.nan_to_num(kl_weight * (start - reference[row.number]))  # nan: an expert's, unknown
                found.penalties[row.number] = _by_turn(episodes[row.number], gap)
        if value:
            found.values = nothing if found.penalties is None else [list(turns) for turns in nothing]
            for row in rows:
                found.values[row.number] = _by_turn(episodes[row.number], values[row.number])
            found.after = np.array([float(after[b][0]) if b in after else 0.0 for b in range(len(episodes))])
        return found

    def _look(self, batch: Batch, refer: bool, *, need_scores: bool) -> tuple[Scores | None, Tensor | None]:
        scores: Scores | None = None
        if need_scores:
            scores = self.scorer(
                batch.ids_BL, batch.keep_BL, temperature=self.config.temperature, positions_BL=batch.positions_BL,
                ends_R=batch.ends_R,
            )  # fmt: skip
        if scores is not None and self.critic is not None:
            scores.values, scores.after = self.critic(
                batch.ids_BL, batch.keep_BL, positions_BL=batch.positions_BL, ends_R=batch.ends_R
            )
        return scores, self.reference_logprobs(batch) if refer else None

    @torch.no_grad()
    def reference_logprobs(self, batch: Batch) -> Tensor:
        """Log-probabilities under the reference: a frozen copy, or what a LoRA was added to."""
        own = lora.base_model(self.scorer.model) if self.reference is None else contextlib.nullcontext()
        with own:
            found: Scores = (self.reference or self.scorer)(
                batch.ids_BL, batch.keep_BL, temperature=self.config.temperature, positions_BL=batch.positions_BL
            )
        return found.logprobs

    def _everybodys(self, mine: dict[int, Floats]) -> dict[int, Floats]:
        return dict(self.world.gather(list(mine.items())))

    def _mismatch(self, rows: Sequence[Row], old: dict[int, Floats]) -> dict[str, float]:
        """How far the trainer is from the sampler."""
        own = [row for row in rows if not row.expert]
        if not own:
            return {}
        ours, theirs = (np.concatenate(x) for x in ([old[row.number] for row in own], [row.sampled for row in own]))
        found = losses.mismatch(torch.from_numpy(ours), torch.from_numpy(theirs))
        return {"mismatch_kl": found.kl, "mismatch_max": found.largest, "effective_share": found.effective}


def _spread(table: dict[int, Floats], batch: Batch, numbers: Tensor | None) -> None:
    """Put numbers at tokens where their trajectories are found again."""
    if numbers is None:
        return
    values, rows = numbers.double().cpu().numpy(), batch.row_N.cpu().numpy()
    for i, number in enumerate(batch.numbers):
        table[number] = values[rows == i]


def _by_turn(episode: Trajectory, flat: Floats) -> list[Floats]:
    return np.split(flat, np.cumsum([len(turn.action_ids) for turn in episode.turns])[:-1])
