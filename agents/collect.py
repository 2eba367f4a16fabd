"""Where the episodes of an update come from: one protocol behind which all of sampling lives.

`GroupCollector` is the plain case, a function of weights, seed and update number. `ChoosingCollector` adds what `plans`
offers: curricula, dynamic sampling, budgets, hard tasks, trees and replay. `asynchronous.py` overlaps sampling and
training. `make_collector` picks the one that a configuration asks for.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from proofgym.agents import curriculum as curricula
from proofgym.agents.advantages import KINDS
from proofgym.agents.config import GRPO
from proofgym.agents.curriculum import Curriculum, Pick
from proofgym.agents.dynamic import allocate, is_flat
from proofgym.agents.engines.base import Engine
from proofgym.agents.engines.make import make_engine
from proofgym.agents.plans import Sampler
from proofgym.agents.policy import Policy
from proofgym.agents.replay import EpisodeReplay, HardTasks
from proofgym.agents.rollout import Item, TextEnv
from proofgym.agents.sampling import Sampling
from proofgym.agents.streaming import Runner, stream
from proofgym.agents.tree import TreeShape, drive, grow
from proofgym.envs.trajectory import Trajectory
from proofgym.errors import BadInput

__all__ = ["GRPO_STREAM", "ChoosingCollector", "Collected", "Collector", "Envs", "GroupCollector", "make_collector"]

Envs = Callable[[str, int], Sequence[TextEnv]]
"""`envs(split, count)`: so many environments of a split, made once and handed out again."""

GRPO_STREAM = 1  # the first number of every sampling key of this stage
_GREEDY_STREAM = 101


@dataclass(slots=True)
class Collected:
    """Episodes to learn from now, groups whole and together, and numbers for the log.

    Args:
        episodes: What is learned from.
        numbers: For the log.
        greedy: One greedy episode a task, for estimators that want it (ReMax).
    """

    episodes: list[Trajectory]
    numbers: dict[str, float] = field(default_factory=dict)
    greedy: list[Trajectory] = field(default_factory=list)


class Collector(Protocol):
    """Gathers the episodes of one update after another."""

    def collect(self, step: int) -> Collected:
        """The episodes of update `step`."""
        ...

    def updated(self, episodes: Sequence[Trajectory], numbers: Mapping[str, float]) -> None:
        """The policy has learned from these episodes: its weights are new."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """What resuming needs: plain data and tensors."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave, before anything is collected."""
        ...

    def close(self) -> None:
        """Give back processes, threads and memory."""
        ...


@dataclass
class GroupCollector:
    """`group` attempts at each of the next `prompts` items, one update after another.

    Everything is a function of the weights, the seed and the update number, so an update can be repeated exactly.
    """

    policy: Policy
    envs: Envs
    config: GRPO
    seed: int
    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        """The engine is made when it is first needed."""
        self._engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """Who generates."""
        if self._engine is None:
            share = -(-self.config.prompts // self.world)
            self._engine = make_engine(self.policy, self.config.engine, slots=share * self._widest())
        return self._engine

    def collect(self, step: int) -> Collected:
        """This rank's share of the update's prompts, each with its whole group."""
        config = self.config
        items = [
            Item(self.seed, step * config.prompts + prompt, sample)
            for prompt in range(self.rank, config.prompts, self.world)
            for sample in range(config.group)
        ]
        if not items:
            return Collected([])
        started, before = time.perf_counter(), self.engine.stats.generated
        envs = self.envs("train", len(items))
        self.engine.wake()
        episodes = list(self._play(envs, items, step))
        collected = Collected(episodes, greedy=self._greedy(envs, items, step))
        self.engine.sleep()
        collected.numbers["sampled_tokens"] = float(self.engine.stats.generated - before)
        collected.numbers["sampling_seconds"] = time.perf_counter() - started
        return collected

    def updated(self, episodes: Sequence[Trajectory], numbers: Mapping[str, float]) -> None:
        """Bring the engine's weights up to date."""
        del episodes, numbers
        if self._engine is not None:
            from proofgym.agents.forward import weights

            self._engine.load(weights(self.policy.model), self.policy.version)

    def state_dict(self) -> dict[str, Any]:
        """Empty: the update's number says everything."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to take up but the policy's weights, for an engine with a copy."""
        self.updated((), {})

    def close(self) -> None:
        """Close the engine."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    # Parts ------------------------------------------------------------------------------------------------------------

    def _widest(self) -> int:
        return self.config.group

    def _sampling(self) -> Sampling:
        return Sampling(self.config.temperature, self.config.max_tokens)

    def _play(
        self,
        envs: Sequence[TextEnv],
        items: Iterable[Item],
        step: int,
        *,
        prepare: Callable[[TextEnv, Item], None] | None = None,
    ) -> Generator[Trajectory]:
        return stream(
            self.engine, self._sampling(), envs, items,
            key=(GRPO_STREAM, self.seed, step), workers=self.config.engine.workers, prepare=prepare,
        )  # fmt: skip

    def _greedy(
        self,
        envs: Sequence[TextEnv],
        items: Sequence[Item],
        step: int,
        *,
        prepare: Callable[[TextEnv, Item], None] | None = None,
    ) -> list[Trajectory]:
        """One greedy attempt at each task, if the estimator compares with it."""
        if not KINDS[self.config.advantage].greedy:
            return []
        asked = list({(item.seed, item.index): replace(item, sample=0) for item in items}.values())
        return list(
            stream(
                self.engine,
                Sampling(0.0, self.config.max_tokens),
                envs,
                asked,
                key=(_GREEDY_STREAM, self.seed, step),
                workers=self.config.engine.workers,
                prepare=prepare,
            )
        )


@dataclass
class ChoosingCollector(GroupCollector):
    """Chooses which tasks to ask, how often, and what of it to learn from; see `plans`.

    With several processes each chooses among the items of its own and learns from its own outcomes.
    """

    def __post_init__(self) -> None:
        """Make what the plans ask for."""
        super().__post_init__()
        plan = self.config.sampler
        self.levels: tuple[float | None, ...] = plan.levels or (None,)
        count = len(self.levels)
        self.curriculum: Curriculum = _curriculum(plan, count, self.world)
        self.hard = HardTasks(plan.hard_size)
        replay = self.config.replay
        self.replay = EpisodeReplay(replay.size, max_staleness=replay.max_staleness, keep=replay.keep)
        self.cursors = [0] * count
        tree = self.config.tree
        self.shape = (
            TreeShape(tree.roots, tree.rounds, tree.points, tree.branches, tree.at, tree.mark) if tree.roots else None
        )

    def collect(self, step: int) -> Collected:
        """Ask until there are enough groups that teach, or the limit is reached."""
        plan = self.config.sampler
        started, before = time.perf_counter(), self.engine.stats.generated
        rng = np.random.default_rng([GRPO_STREAM, self.seed, step, self.rank])
        wanted = len(range(self.rank, self.config.prompts, self.world))
        limit = math.ceil(wanted * plan.max_factor) if plan.dynamic else wanted
        self.engine.wake()
        kept: list[list[Trajectory]] = []
        flat: list[list[Trajectory]] = []
        asked = 0
        taken: set[tuple[int, int]] = set()
        while len(kept) < wanted and asked < limit:
            missing = wanted - len(kept)
            count = min(math.ceil(missing * plan.oversample) if plan.dynamic else missing, limit - asked)
            picks = self._picks(count, rng, taken, first=asked == 0)
            asked += len(picks)
            if not picks:
                break  # a pool has no more
            outcomes = []
            with closing(self._groups(picks, step)) as groups:
                for pick, group in groups:
                    assert pick.index is not None
                    outcomes.append(curricula.outcome(pick.level, pick.index, group))
                    useless = plan.dynamic and is_flat(group, steps=KINDS[self.config.advantage].unit == "step")
                    (flat if useless else kept).append(group)
                    if len(kept) == wanted:
                        break  # what is still being played is not needed
            self.curriculum.observe(outcomes)
            if plan.hard_share:
                self.hard.observe(outcomes)
        episodes = [episode for group in kept or flat for episode in group]
        fresh = len(episodes)
        if self.config.replay.share:
            count = round(fresh * self.config.replay.share)
            episodes += self.replay.draw(count, self.policy.version, rng, without=episodes)
            self.replay.add(episodes[:fresh])
        collected = Collected(episodes)
        if KINDS[self.config.advantage].greedy:
            items = [Item(e.seed, e.index) for e in episodes[:fresh]]
            collected.greedy = self._greedy(self.envs("train", wanted), items, step, prepare=self._prepare)
        self.engine.sleep()
        collected.numbers = {
            "groups_asked": float(asked), "groups_flat": float(len(flat)), "replayed": float(len(episodes) - fresh),
            "sampled_tokens": float(self.engine.stats.generated - before),
            "sampling_seconds": time.perf_counter() - started,
        }  # fmt: skip
        if plan.curriculum != "none":
            collected.numbers |= self.curriculum.numbers()
        if plan.hard_share:
            collected.numbers["hard_tasks"] = float(len(self.hard))
        return collected

    def state_dict(self) -> dict[str, Any]:
        """Cursors, estimates, hard tasks, replay."""
        return {
            "cursors": list(self.cursors), "curriculum": self.curriculum.state_dict(),
            "hard": self.hard.state_dict(), "replay": self.replay.state_dict(),
        }  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take them up."""
        super().load_state_dict(state)
        if state:
            self.cursors = [int(cursor) for cursor in state["cursors"]]
            self.curriculum.load_state_dict(state["curriculum"])
            self.hard.load_state_dict(state["hard"])
            self.replay.load_state_dict(state["replay"])

    # Parts ------------------------------------------------------------------------------------------------------------

    def _widest(self) -> int:
        plan = self.config.sampler
        widest = max(self.config.group, plan.most, self.shape.leaves if self.shape else 0)
        return math.ceil(widest * (plan.oversample if plan.dynamic else 1.0))

    def _picks(self, count: int, rng: np.random.Generator, taken: set[tuple[int, int]], *, first: bool) -> list[Pick]:
        """Different tasks, the hard ones that are due among them; each with its index."""
        hard = round(count * self.config.sampler.hard_share) if first else 0
        picks = [pick for pick in self.hard.choose(hard, rng) if pick.index is not None]
        chosen = self.curriculum.choose(count - len(picks), rng)
        if len(self.levels) == 1 and self.config.sampler.curriculum != "posterior":
            chosen = [Pick(0) for _ in chosen]
        for pick in chosen:
            index = pick.index
            if index is None:
                index = self.cursors[pick.level]
                self.cursors[pick.level] += 1
            picks.append(Pick(pick.level, index))
        found = []
        for pick in picks:
            assert pick.index is not None
            if (pick.level, pick.index) not in taken:
                taken.add((pick.level, pick.index))
                found.append(pick)
        return found

    def _groups(self, picks: Sequence[Pick], step: int) -> Generator[tuple[Pick, list[Trajectory]]]:
        """Play each task's attempts; groups come in the order of the picks, whole."""
        plan = self.config.sampler
        if self.shape is not None:
            yield from self._trees(picks, self.shape, step)
            return
        sizes = [self.config.group] * len(picks)
        if plan.most:
            rates = [self.curriculum.rate(pick) for pick in picks]
            sizes = allocate(self.config.group * len(picks), rates, plan.least, plan.most)
        items = [
            Item(self._level_seed(pick.level), self._index(pick), sample)
            for pick, size in zip(picks, sizes, strict=True)
            for sample in range(size)
        ]
        envs = self.envs("train", min(len(items), self.engine_rows))
        with closing(self._play(envs, items, step, prepare=self._prepare)) as playing:
            for pick, size in zip(picks, sizes, strict=True):
                group = [next(playing) for _ in range(size)]
                yield pick, self._labelled(pick, group)

    def _trees(self, picks: Sequence[Pick], shape: TreeShape, step: int) -> Generator[tuple[Pick, list[Trajectory]]]:
        key = (GRPO_STREAM, self.seed, step)
        envs = self.envs("train", min(len(picks) * shape.roots, self.engine_rows))
        sampling = replace(self._sampling(), entropy=shape.mark == "entropy")
        runner = Runner(self.engine, sampling, envs, workers=self.config.engine.workers, keep_forks=True)
        plans = ((grow(Item(self._level_seed(p.level), self._index(p)), shape, key=key), key) for p in picks)
        byname = {(self._level_seed(pick.level), self._index(pick)): n for n, pick in enumerate(picks)}
        ready: dict[int, list[Trajectory]] = {}
        handed = 0
        try:
            for group in drive(runner, plans, prepare=self._prepare, side_by_side=max(1, len(picks))):
                ready[byname[group[0].seed, group[0].index]] = group
                while handed in ready:
                    yield picks[handed], self._labelled(picks[handed], ready.pop(handed))
                    handed += 1
        finally:
            runner.close()

    @property
    def engine_rows(self) -> int:
        """Environments made at most."""
        return self.config.engine.slots or self.config.prompts * self._widest()

    def _index(self, pick: Pick) -> int:
        """The item of this rank's own."""
        assert pick.index is not None
        return pick.index * self.world + self.rank

    def _level_seed(self, level: int) -> int:
        """Items of different levels never share a name."""
        if self.levels[level] is None:
            return self.seed
        return int(np.random.SeedSequence([self.seed, level]).generate_state(1)[0] >> 1)

    def _prepare(self, env: TextEnv, item: Item) -> None:
        """Set the level that an item belongs to."""
        if self.levels[0] is None:
            return
        level = next(self.levels[n] for n in range(len(self.levels)) if self._level_seed(n) == item.seed)
        set_level = getattr(env.unwrapped, "set_level", None)
        if set_level is None:
            raise BadInput(f"{type(env.unwrapped).__name__} has no levels to choose among; leave sampler.levels empty")
        set_level(level)

    def _labelled(self, pick: Pick, group: list[Trajectory]) -> list[Trajectory]:
        if self.levels[pick.level] is not None:
            for episode in group:
                episode.task["level"] = self.levels[pick.level]
        return group


def _curriculum(plan: Sampler, levels: int, world: int) -> Curriculum:
    if plan.curriculum == "bandit":
        return curricula.Bandit(levels, rate=plan.rate, temperature=plan.temperature)
    if plan.curriculum == "learnability":
        return curricula.SuccessRates(levels, rate=plan.rate)
    if plan.curriculum == "band":
        return curricula.SuccessRates(levels, rate=plan.rate, band=plan.band)
    if plan.curriculum == "posterior":
        return curricula.Posterior(levels, -(-plan.pool // world), target=plan.target, forget=plan.rate)
    return curricula.Uniform(levels, rate=plan.rate)


def make_collector(policy: Policy, envs: Envs, config: GRPO, *, seed: int, rank: int = 0, world: int = 1) -> Collector:
    """The collector that a configuration asks for.

    Args:
        policy: Who is sampled from; its weights change between `collect` and the next.
        envs: See `Envs`.
        config: Of the stage.
        seed: Of its items and samples.
        rank, world: With several processes each collects the prompts whose number leaves `rank` modulo `world`.
    """
    sampler = config.sampler
    chooses = (
        sampler.dynamic or sampler.curriculum != "none" or sampler.hard_share > 0.0 or sampler.levels or sampler.most
    )
    chooses = bool(chooses) or config.replay.share > 0.0 or config.tree.roots > 0
    if config.engine.staleness:
        from proofgym.agents.asynchronous import AsynchronousCollector

        if chooses or KINDS[config.advantage].greedy:
            raise BadInput(
                "engine.staleness overlaps sampling and training for plain groups; turn off sampler, replay and tree, "
                "and take an advantage without a greedy baseline"
            )
        return AsynchronousCollector(policy, envs, config, seed=seed, rank=rank, world=world)
    kind = ChoosingCollector if chooses else GroupCollector
    return kind(policy, envs, config, seed, rank, world)
