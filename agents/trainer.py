"""The training loop: warm start, held-out evaluation, GRPO, evaluation again; resumable at any kill.

Everything a run does is a function of its recipe and of the update's number: which items are asked, what is sampled,
how the weights move. A checkpoint therefore holds weights, optimizer, stage, step and the lengths of the log files, and
a run that was killed and resumed gives the same numbers as one that was not (same machine, same thread count).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from proofgym.agents import checkpoint, evaluation, grpo, warm_start
from proofgym.agents.config import Recipe
from proofgym.agents.evaluation import Score
from proofgym.agents.log import RunLog
from proofgym.agents.policy import Policy, load
from proofgym.agents.rollout import Item, TextEnv
from proofgym.agents.sampling import Sampling
from proofgym.envs import registry
from proofgym.envs.base import VerifiableEnv
from proofgym.envs.trajectory import Trajectory
from proofgym.errors import BadInput

__all__ = ["Trainer", "summary"]

STAGES = ("warm_start", "before", "grpo", "after", "done")

# Streams of items and of sampling that must never meet: each use of the run's seed has a number of its own.
_ITEMS = {"warm_start": 0, "grpo": 1, "validation": 2, "test": 3}


class Trainer:
    """A run in progress.

    Args:
        recipe: What to do.
        log: Where it is written and shown.
    """

    def __init__(self, recipe: Recipe, log: RunLog) -> None:
        if recipe.threads:
            torch.set_num_threads(recipe.threads)
        self.recipe, self.log = recipe, log
        self.stage, self.step = STAGES[0], 0
        self.attempt, self.attempt_start = 0, 0  # of the warm start: which weights, and since which step
        self.scores: dict[str, dict[str, Any]] = {}
        self.reference: Policy | None = None
        self._envs: dict[str, list[TextEnv]] = {}
        self._some_envs("train", 1)  # a mistaken id or argument is found before anything is written
        self.policy = self._fresh_policy()
        self.optimizer = self._fresh_optimizer(recipe.warm_start.learning_rate, recipe.warm_start.weight_decay)

    def run(self) -> None:
        """Carry out whatever stages are left."""
        while self.stage != "done":
            {"warm_start": self._warm_start, "before": self._before, "grpo": self._grpo, "after": self._after}[
                self.stage
            ]()

    # Stages -----------------------------------------------------------------------------------------------------------

    def _warm_start(self) -> None:
        plan = self.recipe.warm_start
        if plan.target == 0.0:
            return self._enter("before")
        self.log.stage("warm start", plan.max_steps, self.step)
        seed = self._seed("warm_start")
        while self.step < plan.max_steps:
            first = self.step * plan.batch
            items = [Item(seed, first + i) for i in range(plan.batch)]
            episodes = warm_start.demonstrations(self.policy, self._some_envs("train", plan.batch), items)
            self._warm_up_rate(plan.learning_rate, plan.warm_up, self.step - self.attempt_start)
            loss = warm_start.supervised_step(self.policy, self.optimizer, episodes)
            self.step += 1
            if self.step % plan.evaluate_every:
                continue
            reached = self._validate("warm_start", plan.evaluate_items)
            self.log.metrics("warm_start", self.step, loss=loss, accuracy=reached.mean, solved=reached.solved)
            if reached.mean >= plan.target:
                self.log.say(f"warm start: {reached.mean:.3f} after {self.step} steps (target {plan.target})")
                return self._enter("before")
            self._restart_if_stuck(reached.mean)
            self._save()
        raise BadInput(
            f"the warm start did not reach {plan.target} in {plan.max_steps} steps; lower warm_start.target, raise "
            "warm_start.max_steps, or take another seed"
        )

    def _restart_if_stuck(self, reached: float) -> None:
        """A tiny model sometimes sits on a plateau for thousands of steps; fresh weights are cheaper than waiting."""
        plan = self.recipe.warm_start
        steps = self.step - self.attempt_start
        if plan.restart_after and steps >= plan.restart_after and reached < plan.restart_below:
            self.attempt, self.attempt_start = self.attempt + 1, self.step
            self.log.say(
                f"warm start: {reached:.3f} after {steps} steps is a plateau; fresh weights, attempt {self.attempt + 1}"
            )
            self.policy = self._fresh_policy()
            self.optimizer = self._fresh_optimizer(plan.learning_rate, plan.weight_decay)

    def _before(self) -> None:
        self._held_out("before")
        self.optimizer = self._fresh_optimizer(self.recipe.grpo.learning_rate, self.recipe.grpo.weight_decay)
        if self.recipe.grpo.kl > 0.0:
            self.reference = self.policy.frozen_copy()
        self._enter("grpo")

    def _grpo(self) -> None:
        plan = self.recipe.grpo
        self.log.stage("grpo", plan.updates, self.step)
        envs = self._some_envs("train", plan.prompts * plan.group)
        while self.step < plan.updates:
            episodes, numbers = grpo.update(
                self.policy, self.optimizer, envs, plan,
                seed=self._seed("grpo"), step=self.step, reference=self.reference,
            )  # fmt: skip
            self.step += 1
            self.log.metrics("grpo", self.step, **numbers)
            if plan.validate_every and self.step % plan.validate_every == 0:
                self._validate("grpo", plan.validate_items)
                self.log.episodes("train", episodes[:: max(1, len(episodes) // 4)][:4])
            if self.step % plan.checkpoint_every == 0:
                self._save()
        self._enter("after")

    def _after(self) -> None:
        self._held_out("after")
        self.policy.save(self.log.folder / "policy")
        self._enter("done")

    # Measuring --------------------------------------------------------------------------------------------------------

    def _held_out(self, name: str) -> None:
        plan = self.recipe.evaluation
        sampling = Sampling(plan.temperature, self.recipe.grpo.max_tokens)
        episodes = self._play("test", plan.items, sampling)
        score = evaluation.score(episodes)
        self.scores[name] = score.to_json()
        self.log.episodes(name, episodes[: plan.keep_episodes])
        self.log.say(
            f"{name}: reward {score.mean:.3f} [{score.low:.3f}, {score.high:.3f}], solved {score.solved:.3f} "
            f"[{score.solved_low:.3f}, {score.solved_high:.3f}] on {score.n} held-out items, {score.unjudged} unjudged"
        )

    def _validate(self, during: str, items: int) -> Score:
        score = evaluation.score(self._play("validation", items, Sampling(0.0, self.recipe.grpo.max_tokens)))
        if during == "grpo":
            self.log.metrics(
                "validation", self.step, accuracy=score.mean, accuracy_low=score.low, accuracy_high=score.high,
                solved=score.solved, unjudged=float(score.unjudged),
            )  # fmt: skip
        return score

    def _play(self, split: str, items: int, sampling: Sampling) -> list[Trajectory]:
        envs = self._some_envs(split, min(items, 256))
        return evaluation.play(
            self.policy, envs, items, seed=self._seed(split), sampling=sampling, key=(_ITEMS[split],)
        )

    # State ------------------------------------------------------------------------------------------------------------

    def _enter(self, stage: str) -> None:
        self.stage, self.step = stage, 0
        self._save()

    def _save(self) -> None:
        reference = self.reference.model.state_dict() if self.reference else None
        state = {
            "stage": self.stage, "step": self.step, "attempt": self.attempt,
            "attempt_start": self.attempt_start, "version": self.policy.version,
            "scores": self.scores, "log": self.log.sizes(), "model": self.policy.model.state_dict(),
            "optimizer": self.optimizer.state_dict(), "reference": reference, "torch_rng": torch.get_rng_state(),
        }  # fmt: skip
        checkpoint.save(self.log.folder / "checkpoint.pt", state)

    def resume(self) -> None:
        """Take up the last checkpoint of the run's folder; what was logged after it is cut away.

        A run that was killed before its first checkpoint starts over.

        Raises:
            BadInput: If the checkpoint cannot be read.
        """
        if not (self.log.folder / "checkpoint.pt").exists():
            self.log.cut_back({})
            return
        state = checkpoint.load(self.log.folder / "checkpoint.pt")
        self.stage, self.step = str(state["stage"]), int(state["step"])
        self.attempt, self.attempt_start = int(state["attempt"]), int(state["attempt_start"])
        self.scores = state["scores"]
        self.policy.model.load_state_dict(state["model"])
        self.policy.version = int(state["version"])
        if self.stage in ("grpo", "after", "done"):
            self.optimizer = self._fresh_optimizer(self.recipe.grpo.learning_rate, self.recipe.grpo.weight_decay)
        self.optimizer.load_state_dict(state["optimizer"])
        if state["reference"] is not None:
            self.reference = self.policy.frozen_copy()
            self.reference.model.load_state_dict(state["reference"])
        torch.set_rng_state(state["torch_rng"])
        self.log.cut_back(state["log"])

    # Parts ------------------------------------------------------------------------------------------------------------

    def _seed(self, use: str) -> int:
        """One item seed for each use of the run's seed."""
        return int(np.random.SeedSequence([self.recipe.seed, _ITEMS[use]]).generate_state(1)[0] >> 1)

    def _fresh_policy(self) -> Policy:
        model = self.recipe.model
        shape: dict[str, Any] = (
            {"width": model.width, "layers": model.layers, "heads": model.heads, "context": model.context,
             "seed": self.recipe.seed + 1000 * self.attempt}
            if model.spec.startswith("tiny:") else {}
        )  # fmt: skip
        dtype = torch.bfloat16 if self.recipe.dtype == "bfloat16" else torch.float32
        return load(model.spec, dtype=dtype, **shape)

    def _fresh_optimizer(self, rate: float, decay: float) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.policy.model.parameters(), lr=rate, weight_decay=decay, betas=(0.9, 0.98))

    def _warm_up_rate(self, rate: float, steps: int, done: int) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate * min(1.0, (done + 1) / steps) if steps else rate

    def _some_envs(self, split: str, count: int) -> list[TextEnv]:
        made = self._envs.setdefault(split, [])
        while len(made) < count:
            made.append(self._make_env(split))
        return made[:count]

    def _make_env(self, split: str) -> TextEnv:
        """One environment on a split; a stranger's environment that knows no splits is told nothing."""
        plan = self.recipe.environment
        env = registry.make(plan.id, **plan.kwargs)
        if not isinstance(env.unwrapped, VerifiableEnv):
            return env
        env.close()
        return registry.make(plan.id, **{"split": split, **plan.kwargs})


def summary(trainer: Trainer, seconds: float) -> dict[str, Any]:
    """What `summary.json` holds."""
    before, after = trainer.scores.get("before"), trainer.scores.get("after")
    return {
        "env": trainer.recipe.environment.id, "metric": "mean reward of held-out episodes",
        "before": before, "after": after, "seconds": round(seconds, 1), "updates": trainer.recipe.grpo.updates,
        "parameters": trainer.policy.parameters(), "model": trainer.recipe.model.spec,
    }  # fmt: skip
