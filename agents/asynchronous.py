"""Sampling and training at the same time, with a bound on how old an episode may be when it is learned from.

A thread plays episodes without pause; the trainer takes whole updates of them, in order. Group number n belongs to
update ⌊n / prompts⌋ and is begun only while the policy is at most `staleness` updates before that one. So whatever is
learned from, every token of it was sampled at most `staleness` updates ago: the bound holds by the order of things, and
nothing has to be thrown away. New weights are loaded between two tokens; an action in progress goes on under them.

Source: AReaL (arXiv:2505.24298), there for single samples.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from proofgym.agents.engines.base import Engine
from proofgym.agents.engines.make import make_engine
from proofgym.agents.replay import oldest
from proofgym.agents.rollout import Item
from proofgym.agents.sampling import Sampling
from proofgym.agents.streaming import Runner
from proofgym.envs.trajectory import Trajectory

if TYPE_CHECKING:
    from proofgym.agents.collect import Collected, Envs
    from proofgym.agents.config import GRPO
    from proofgym.agents.policy import Policy

__all__ = ["AsynchronousCollector"]


class AsynchronousCollector:
    """Plain groups, sampled while the policy is trained.

    Args:
        policy: Trained by somebody else; the engine samples from a copy.
        envs, config, seed, rank, world: As in `collect.make_collector`.
        engine: Instead of the one that the configuration asks for.
    """

    def __init__(
        self,
        policy: Policy,
        envs: Envs,
        config: GRPO,
        *,
        seed: int,
        rank: int = 0,
        world: int = 1,
        engine: Engine | None = None,
    ) -> None:
        self.policy, self.config, self.seed = policy, config, seed
        self._envs = envs
        self._mine = list(range(rank, config.prompts, world))  # the numbers of our groups within an update
        self._engine = engine
        self._step = 0  # the next update to hand over
        self._base: int | None = None  # policy version minus update number
        self._attempts: dict[int, list[Trajectory | None]] = {}  # by group, finished attempts of groups not handed over
        self._lock = threading.Condition()
        self._visitors = 0  # threads that want the lock: the player, which takes it all the time, lets them pass
        self._thread: threading.Thread | None = None
        self._stop = False
        self._error: BaseException | None = None

    def collect(self, step: int) -> Collected:
        """Wait for the update's groups, and take them.

        Raises:
            BaseException: What ended the sampling thread, if something did.
        """
        from proofgym.agents.collect import Collected

        started = time.perf_counter()
        with self._visit():
            if self._base is None:
                self._step = step
            # An update counts one version, or none if it was skipped; that must not hold the next one up for ever.
            self._base = self.policy.version - step
            assert step == self._step, f"updates are taken in order: {self._step} is next, {step} was asked for"
        self._run()
        first, count = step * len(self._mine), len(self._mine)
        with self._visit():
            while not all(self._whole(n) for n in range(first, first + count)):
                if self._error is not None:
                    raise self._error
                self._visitors -= 1  # waiting is no wish to get in
                self._lock.wait(1.0)
                self._visitors += 1
            episodes = [e for n in range(first, first + count) for e in self._attempts.pop(n) if e is not None]
            self._step = step + 1
            ahead = sum(e is not None for found in self._attempts.values() for e in found)
            self._lock.notify_all()
        ages = [self.policy.version - oldest(e) for e in episodes if e.turns]
        return Collected(
            episodes,
            {
                "waited_seconds": time.perf_counter() - started, "episodes_ahead": float(ahead),
                "staleness": float(sum(ages) / len(ages)) if ages else 0.0,
                "staleness_max": float(max(ages, default=0)),
            },
        )  # fmt: skip

    def updated(self, episodes: Sequence[Trajectory], numbers: Mapping[str, float]) -> None:
        """Give the engine the new weights, between two of its steps."""
        from proofgym.agents.forward import weights

        with self._visit():
            if self._engine is not None:
                self._engine.load(weights(self.policy.model), self.policy.version)
            self._lock.notify_all()

    def state_dict(self) -> dict[str, Any]:
        """The episodes that nobody has learned from yet. What was being played is played again."""
        with self._visit():
            return {
                "step": self._step,
                "attempts": {
                    str(n): [None if e is None else e.line() for e in found] for n, found in self._attempts.items()
                },
            }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave, before the first `collect`."""
        assert self._thread is None, "a state is loaded before anything is collected"
        if not state:
            return
        self._step = int(state["step"])
        self._attempts = {
            int(n): [None if line is None else Trajectory.from_json(json.loads(line)) for line in found]
            for n, found in state["attempts"].items()
        }

    def close(self) -> None:
        """Stop the thread and close the engine."""
        with self._visit():
            self._stop = True
            self._lock.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        self._stop = False

    # The thread -------------------------------------------------------------------------------------------------------

    @contextmanager
    def _visit(self) -> Iterator[None]:
        self._visitors += 1
        try:
            with self._lock:
                yield
        finally:
            self._visitors -= 1

    def _run(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._play, name="rollouts", daemon=True)
            self._thread.start()

    def _whole(self, group: int) -> bool:
        found = self._attempts.get(group)
        return found is not None and all(episode is not None for episode in found)

    def _play(self) -> None:
        config = self.config
        try:
            width = len(self._mine) * config.group * (1 + config.engine.staleness)
            rows = config.engine.slots or min(width, 512)
            if self._engine is None:
                with self._lock:
                    self._engine = make_engine(self.policy, config.engine, slots=rows, own_copy=True)
            runner = Runner(
                self._engine,
                Sampling(config.temperature, config.max_tokens),
                self._envs("train", rows),
                workers=config.engine.workers,
            )
        except BaseException as error:
            with self._lock:
                self._error = error
                self._lock.notify_all()
            return
        group_of: dict[int, tuple[int, int]] = {}
        following = self._missing()
        waiting = next(following, None)
        try:
            while True:
                with self._lock:
                    if self._stop:
                        return
                    while waiting is not None and runner.free and self._may_begin(waiting[0]):
                        number, sample, item, key = waiting
                        group_of[runner.start(item, key).session] = (number, sample)
                        waiting = next(following, None)
                    if not runner.busy:
                        self._lock.wait(0.2)
                        continue
                    for chain in runner.tick(wait_s=0.02):
                        number, sample = group_of.pop(chain.session)
                        self._attempts[number][sample] = chain.episode
                        self._lock.notify_all()
                while self._visitors:
                    time.sleep(0.0002)
        except BaseException as error:
            with self._lock:
                self._error = error
                self._lock.notify_all()
        finally:
            runner.close()

    def _missing(self) -> Iterator[tuple[int, int, Item, tuple[int, ...]]]:
        """Every attempt that is still to be played, in order, without end: (group, sample, item, key)."""
        per_update, config = len(self._mine), self.config
        number = self._step * per_update
        while True:
            step, place = divmod(number, per_update)
            found = self._attempts.setdefault(number, [None] * config.group)
            item = Item(self.seed, step * config.prompts + self._mine[place])
            for sample in range(config.group):
                if found[sample] is None:
                    yield number, sample, Item(item.seed, item.index, sample), (1, self.seed, step)
            number += 1

    def _may_begin(self, group: int) -> bool:
        """Whether an attempt at this group, begun now, will be young enough when its update comes."""
        assert self._base is not None
        assert self._engine is not None
        update = group // len(self._mine)
        return update + self._base - self._engine.version <= self.config.engine.staleness
