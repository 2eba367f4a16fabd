"""A run in progress: its policy, environments, measurements and state; what it does is in `stages`.

Everything a run does is a function of its recipe and of the update's number: which items are asked, what is sampled,
how the weights move. A checkpoint therefore holds weights, optimizers, what the sampler remembers, stage, step, the
lengths of the log files and the state of every random generator, and a run that was killed and resumed gives the same
numbers as one that was not (same machine, same thread count).
"""

from __future__ import annotations

import importlib
import random
import time
from typing import Any

import numpy as np
import torch

from proofgym.agents import checkpoint, evaluation, lora
from proofgym.agents.config import GRPO, Recipe
from proofgym.agents.distributed import World
from proofgym.agents.evaluation import Score
from proofgym.agents.forward import use_liger
from proofgym.agents.learner import Learner, Settings
from proofgym.agents.log import RunLog
from proofgym.agents.player import PolicyPlayer
from proofgym.agents.policy import Policy, load
from proofgym.agents.rollout import Item, TextEnv, rollout
from proofgym.agents.sampling import Sampling
from proofgym.envs import registry
from proofgym.envs.base import VerifiableEnv
from proofgym.envs.rewards.compose import set_progress
from proofgym.envs.trajectory import Trajectory

__all__ = ["Trainer", "seed_generators", "summary"]

# Streams of items and of sampling that must never meet: each use of the run's seed has a number of its own.
_ITEMS = {"warm_start": 0, "grpo": 1, "validation": 2, "test": 3, "rft": 4, "dpo": 5}


class Trainer:
    """A run in progress.

    Args:
        recipe: What to do.
        log: Where it is written and shown.
        world: Which of how many processes this is.
    """

    def __init__(self, recipe: Recipe, log: RunLog, world: World | None = None) -> None:
        if recipe.threads:
            torch.set_num_threads(recipe.threads)
        self.recipe, self.log, self.world = recipe, log, world or World()
        self.position, self.step = 0, 0
        self.memory: dict[str, Any] = {}  # what the present stage keeps in mind; plain data
        self.counts: dict[str, float] = {}  # over the whole run, for the summary
        self.scores: dict[str, dict[str, Any]] = {}
        self.learner: Learner | None = None
        self.collector: Any = None
        self.reference: Policy | None = None
        self._pending: dict[str, Any] = {}  # of a checkpoint, until the stage has made what it belongs to
        self._started, self._spent = time.perf_counter(), 0.0
        self._envs: dict[str, list[TextEnv]] = {}
        self.envs("train", 1)  # a mistaken id or argument is found before anything is written
        self.policy = self.fresh_policy(0)

    @property
    def stage(self) -> str:
        """The stage that is going on, or `done`."""
        stages = self.recipe.stages
        return stages[self.position] if self.position < len(stages) else "done"

    @property
    def seconds(self) -> float:
        """How long the run took so far, over all the times that it was resumed."""
        return self._spent + time.perf_counter() - self._started

    def run(self) -> None:
        """Carry out whatever stages are left."""
        while self.stage != "done":
            importlib.import_module(f"proofgym.agents.stages.{self.stage}").run(self)
            self.finish_stage()

    def finish_stage(self) -> None:
        """Let go of what the stage made, and go on to the next."""
        if self.collector is not None:
            self.collector.close()
        self.learner = self.collector = self.reference = None
        self.memory, self._pending = {}, {}
        self.position, self.step = self.position + 1, 0
        if self.stage == "done":
            self.save_policy()
        self._save()

    # What stages use --------------------------------------------------------------------------------------------------

    def make_learner(self, config: GRPO, reference: Policy | None = None) -> Learner:
        """A learner for the present stage; after resuming, with the state it had."""
        model = self.recipe.model
        settings = Settings(model.chunk, self.recipe.dtype == "mixed", model.checkpointing)
        self.learner = Learner(self.policy, config, reference=reference, settings=settings, world=self.world)
        if "learner" in self._pending:
            self.learner.load_state_dict(self._pending.pop("learner"))
        return self.learner

    def make_reference(self) -> Policy:
        """A copy of the policy as it is now; after resuming, as it was when the stage began."""
        self.reference = self.policy.frozen_copy()
        if "reference" in self._pending:
            self.reference.model.load_state_dict(self._pending.pop("reference"))
        return self.reference

    def make_collector(self, config: GRPO, use: str) -> Any:
        """A collector for the present stage; after resuming, with the state it had."""
        from proofgym.agents.collect import make_collector

        self.collector = make_collector(
            self.policy, self.envs, config, seed=self.seed(use), rank=self.world.rank, world=self.world.size
        )
        if "collector" in self._pending:
            self.collector.load_state_dict(self._pending.pop("collector")[self.world.rank])
        return self.collector

    def seed(self, use: str) -> int:
        """One item seed for each use of the run's seed."""
        return int(np.random.SeedSequence([self.recipe.seed, _ITEMS[use]]).generate_state(1)[0] >> 1)

    def fresh_policy(self, attempt: int) -> Policy:
        """The policy that the recipe starts from; another attempt gives a tiny model other weights."""
        model = self.recipe.model
        shape: dict[str, Any] = (
            {"width": model.width, "layers": model.layers, "heads": model.heads, "context": model.context,
             "seed": self.recipe.seed + 1000 * attempt}
            if model.spec.startswith("tiny:") else {}
        )  # fmt: skip
        dtype = torch.bfloat16 if self.recipe.dtype == "bfloat16" else torch.float32
        policy = load(model.spec, dtype=dtype, **shape)
        if self.recipe.liger:
            use_liger(policy.model)
        if model.lora.rank:
            lora.attach(policy, model.lora, seed=self.recipe.seed)
        return policy

    def envs(self, split: str, count: int) -> list[TextEnv]:
        """So many environments of a split, made once and handed out again."""
        made = self._envs.setdefault(split, [])
        while len(made) < count:
            made.append(self._make_env(split))
        self.tell_progress(split)
        return made[:count]

    def tell_progress(self, split: str = "train") -> None:
        """Tell environments how far training is, for rewards that change with it.

        Held-out episodes are paid as at the end of training, so that they compare.
        """
        updates = self.recipe.grpo.updates if self.stage == "grpo" else 0
        progress = 1.0 if split != "train" else min(1.0, self.step / updates) if updates else 0.0
        set_progress(self._envs.get(split, ()), progress)

    def _make_env(self, split: str) -> TextEnv:
        """One environment on a split; a stranger's environment that knows no splits is told nothing."""
        plan = self.recipe.environment
        env = registry.make(plan.id, **plan.kwargs)
        if not isinstance(env.unwrapped, VerifiableEnv):
            return env
        env.close()
        return registry.make(plan.id, **{"split": split, **plan.kwargs})

    def count(self, **numbers: float) -> None:
        """Add to what the summary will say."""
        for name, number in numbers.items():
            self.counts[name] = self.counts.get(name, 0.0) + number

    # Measuring --------------------------------------------------------------------------------------------------------

    def held_out(self, name: str) -> None:
        """The score on test items, under a name."""
        plan = self.recipe.evaluation
        episodes = self._play("test", plan.items, Sampling(plan.temperature, self.recipe.grpo.max_tokens))
        score = evaluation.score(episodes)
        self.scores[name] = score.to_json()
        self.log.episodes(name, episodes[: plan.keep_episodes])
        self.log.say(
            f"{name}: reward {score.mean:.3f} [{score.low:.3f}, {score.high:.3f}], solved {score.solved:.3f} "
            f"[{score.solved_low:.3f}, {score.solved_high:.3f}] on {score.n} held-out items, {score.unjudged} unjudged"
        )

    def validate(self, items: int, *, write: bool = True) -> Score:
        """The score of greedy answers on validation items."""
        score = evaluation.score(self._play("validation", items, Sampling(0.0, self.recipe.grpo.max_tokens)))
        if write:
            self.log.metrics(
                "validation", self.step, accuracy=score.mean, accuracy_low=score.low, accuracy_high=score.high,
                solved=score.solved, unjudged=float(score.unjudged),
            )  # fmt: skip
        return score

    def _play(self, split: str, items: int, sampling: Sampling) -> list[Trajectory]:
        """One episode on each item; with several processes each plays its share."""
        mine = self.world.share([Item(self.seed(split), index) for index in range(items)])
        envs = self.envs(split, max(1, min(len(mine), 256)))
        player = PolicyPlayer(self.policy, sampling, (_ITEMS[split],))
        return self.world.unshare(list(rollout(player, envs, mine)))

    def sample(self, use: str, prompts: int, group: int, temperature: float, step: int) -> list[Trajectory]:
        """`group` attempts at each of the next `prompts` training items of a use of the seed."""
        items = [
            Item(self.seed(use), step * prompts + prompt, sample)
            for prompt in range(prompts)
            for sample in range(group)
        ]
        mine = self.world.share(items)
        sampling = Sampling(temperature, self.recipe.grpo.max_tokens)
        player = PolicyPlayer(self.policy, sampling, (_ITEMS[use], self.seed(use), step))
        envs = self.envs("train", max(1, min(len(mine), 256)))
        return self.world.unshare(list(rollout(player, envs, mine)))

    # State ------------------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write a checkpoint now."""
        self._save()

    def save_policy(self) -> None:
        """Write the policy in the form that `load("hf:FOLDER")` reads, a LoRA merged."""
        if self.world.first:
            lora.merged_policy(self.policy).save(self.log.folder / "policy")

    def _save(self) -> None:
        learner = self.learner.state_dict() if self.learner else None
        collectors = self.world.gather([self.collector.state_dict()]) if self.collector is not None else None
        if not self.world.first:
            self.world.wait()
            return
        state = {
            "position": self.position, "step": self.step, "memory": self.memory, "counts": self.counts,
            "version": self.policy.version, "scores": self.scores, "log": self.log.sizes(), "seconds": self.seconds,
            "world": self.world.size, "model": lora.own_state(self.policy.model), "learner": learner,
            "reference": self.reference.model.state_dict() if self.reference else None, "collector": collectors,
            "generators": _generators(),
        }  # fmt: skip
        checkpoint.save(self.log.folder / "checkpoint.pt", state)
        self.world.wait()

    def resume(self) -> None:
        """Take up the last checkpoint of the run's folder; what was logged after it is cut away.

        A run that was killed before its first checkpoint starts over.

        Raises:
            BadInput: If the checkpoint cannot be read, or was written by another number of processes.
        """
        path = self.log.folder / "checkpoint.pt"
        if not path.exists():
            self.log.cut_back({})
            return
        state = checkpoint.load(path, world=self.world.size)
        self.position, self.step = int(state["position"]), int(state["step"])
        self.memory, self.counts, self.scores = state["memory"], state["counts"], state["scores"]
        self._spent, self._started = float(state["seconds"]), time.perf_counter()
        self.policy.model.load_state_dict(state["model"], strict=not lora.attached(self.policy.model))
        self.policy.version = int(state["version"])
        self._pending = {k: state[k] for k in ("learner", "reference", "collector") if state[k] is not None}
        _restore_generators(state["generators"])
        self.log.cut_back(state["log"])


def seed_generators(seed: int) -> None:
    """Seed every global generator: our own chance never comes from them, a library's might."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - it may be in use
    random.seed(seed)


def _generators() -> dict[str, Any]:
    """The state of every global generator, as plain data."""
    kind, keys, position, has_gauss, cached = np.random.get_state(legacy=True)  # noqa: NPY002 - it may be in use
    version, internal, gauss = random.getstate()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": [str(kind), np.asarray(keys).tolist(), int(position), int(has_gauss), float(cached)],
        "python": [version, list(internal), gauss],
    }


def _restore_generators(state: dict[str, Any]) -> None:
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
    kind, keys, *rest = state["numpy"]
    np.random.set_state((kind, np.array(keys, dtype=np.uint32), *rest))  # noqa: NPY002 - see `_generators`
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))


def summary(trainer: Trainer) -> dict[str, Any]:
    """What `summary.json` holds."""
    before, after = trainer.scores.get("before"), trainer.scores.get("after")
    return {
        "env": trainer.recipe.environment.id, "metric": "mean reward of held-out episodes",
        "before": before, "after": after, "seconds": round(trainer.seconds, 1), "updates": trainer.recipe.grpo.updates,
        "parameters": trainer.policy.parameters(), "model": trainer.recipe.model.spec,
        "processes": trainer.world.size, **dict(sorted(trainer.counts.items())),
    }  # fmt: skip
