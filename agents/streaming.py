"""Episodes without barriers: each one goes from engine to environment and back as soon as it can.

`Runner` is the loop. Environments step in this thread, which is best when a step takes microseconds, or in worker
threads, so that a slow one delays its own episode and no other; `workers.py` puts them into processes. A fault masks
its own episode. `stream` is the runner as an iterator over items.

A chain is an episode in the making. It can begin in the middle: behind turns that another chain has played, in a fork
of that chain's environment, even inside an action (`Begin`). Trees and searches are built of that; see `tree.py`.
"""

from __future__ import annotations

import itertools
import queue
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from proofgym.agents.engines.base import Engine, Request
from proofgym.agents.rollout import Action, Item, TextEnv, reset_episode, step_episode
from proofgym.agents.sampling import Sample, Sampling
from proofgym.envs.base import fork
from proofgym.envs.trajectory import Trajectory, Turn

__all__ = ["Begin", "Chain", "Runner", "stream"]

_sessions = itertools.count(1)  # names, not chance: an engine must never take two episodes for one

_WAIT_S = 0.02  # how long an engine with a life of its own may keep us before we look at the environments


@dataclass(slots=True)
class Begin:
    """Where a chain branches off another: before turn `turn` of `chain`, or behind `tokens` tokens of its action.

    Args:
        chain: Finished or paused, and played with its environments kept.
        turn: Counted from 0. One more than were played goes on behind the last, if the chain was paused there.
        tokens: How many sampled tokens of that turn's action are shared.
    """

    chain: Chain
    turn: int
    tokens: int = 0


@dataclass(slots=True, eq=False)
class Chain:
    """One episode in the making.

    Args:
        item: What is asked; `sample` numbers the attempt.
        env: Where it is played.
        episode: What happened so far.
        context: Every token up to here.
        forks: If kept: the environment as it stood before each turn.
        marks: If kept: how unsure the policy was at each token of each turn, nats: the entropy, or where the engine
            does not know it the sampled token's negative log-probability.
        begin: Where it branched off, if it did.
        until: Pause after so many turns, if the episode is not over by then.
        paused: It was.
    """

    item: Item
    env: TextEnv
    key: tuple[int, ...]
    episode: Trajectory
    session: int
    observation: str = ""
    context: list[int] = field(default_factory=list)
    prompt: list[int] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    opening: Turn | None = None
    forks: list[TextEnv] = field(default_factory=list)
    marks: list[list[float]] = field(default_factory=list)
    begin: Begin | None = None
    until: int | None = None
    paused: bool = False
    borrowed: bool = False

    @property
    def own_turn(self) -> int:
        """The first turn with tokens of its own."""
        return self.begin.turn if self.begin else 0


class Runner:
    """Plays chains side by side.

    Args:
        engine: Who samples.
        sampling: How.
        envs: Lent to chains that start from the beginning, one each; forks need none.
        workers: Threads that environments step in; 0 steps them here.
        keep_forks: Keep a fork of the environment before each turn, so that others can branch off.
    """

    def __init__(
        self, engine: Engine, sampling: Sampling, envs: Sequence[TextEnv], *, workers: int = 0, keep_forks: bool = False
    ) -> None:
        if not envs:
            raise ValueError("a rollout needs at least one environment")
        if len({id(env) for env in envs}) < len(envs):
            raise ValueError("an environment plays one episode at a time, and one of these is there twice")
        self.engine, self.sampling, self.keep_forks = engine, sampling, keep_forks
        self.idle = list(reversed(envs))
        self.chains: dict[int, Chain] = {}
        self._finished: list[Chain] = []
        self._pool = ThreadPoolExecutor(workers, "environment") if workers else None
        self._arrived: queue.SimpleQueue[tuple[Chain, Callable[[], None]]] = queue.SimpleQueue()
        self._away = 0

    @property
    def free(self) -> int:
        """How many more episodes could start from the beginning."""
        return len(self.idle)

    @property
    def busy(self) -> int:
        """How many chains are being played."""
        return len(self.chains)

    def start(
        self,
        item: Item,
        key: tuple[int, ...] = (),
        *,
        until: int | None = None,
        prepare: Callable[[TextEnv, Item], None] | None = None,
    ) -> Chain:
        """Begin an episode.

        Args:
            item: Which.
            key: With the item and the turn, it seeds every request of the episode.
            until: Pause after so many turns.
            prepare: Called with the environment and the item before the reset, to set a level for instance.
        """
        chain = Chain(
            item, self.idle.pop(), key, Trajectory("", {}, item.seed, item.index, item.sample), next(_sessions)
        )
        chain.borrowed, chain.until = True, until
        self.chains[chain.session] = chain

        def reset() -> tuple[Trajectory, str]:
            if prepare is not None:
                prepare(chain.env, item)
            return reset_episode(chain.env, item)

        self._call(chain, reset, self._has_reset)
        return chain

    def branch(self, begin: Begin, sample: int, key: tuple[int, ...] = (), *, until: int | None = None) -> Chain:
        """Go on from somewhere in a finished or paused chain, as attempt `sample` of the same item."""
        assert self.keep_forks, "branching needs the environments of the turns before"
        parent, source = begin.chain, begin.chain.episode
        item = replace(parent.item, sample=sample)
        episode = Trajectory(source.env, dict(source.task), item.seed, item.index, sample)
        episode.turns = [replace(turn, nodes=list(turn.nodes)) for turn in source.turns[: begin.turn]]
        # The forks of the turns before are shared: environments in there are only ever forked, never stepped.
        chain = Chain(
            item, fork(parent.forks[begin.turn]), key, episode, next(_sessions),
            forks=parent.forks[: begin.turn], marks=parent.marks[: begin.turn], begin=begin, until=until,
        )  # fmt: skip
        for turn in episode.turns:
            chain.context += turn.prompt_ids + turn.action_ids
            chain.ids = turn.action_ids
        if begin.turn == len(source.turns):
            chain.observation = parent.observation
        else:
            shared = source.turns[begin.turn]
            chain.observation, chain.prompt = shared.observation, list(shared.prompt_ids)
            if begin.tokens:
                chain.opening = replace(
                    shared, action_ids=shared.action_ids[: begin.tokens], logprobs=shared.logprobs[: begin.tokens]
                )
        self.chains[chain.session] = chain
        self._ask(chain)
        return chain

    def tick(self, wait_s: float = 1.0) -> list[Chain]:
        """Do what can be done now, and wait only if there is nothing to do, at most so long.

        Returns:
            The chains that finished.
        """
        waiting = self.engine.busy == 0 and self._away > 0
        while self._away:
            try:
                chain, arrive = self._arrived.get(block=waiting, timeout=wait_s if waiting else None)
            except queue.Empty:
                break
            waiting = False
            self._away -= 1
            if chain.session in self.chains:
                arrive()
        if self.engine.busy:
            for request, sample in self.engine.poll(_WAIT_S if self._away == 0 else _WAIT_S / 4):
                if request.session in self.chains:
                    self._has_sample(self.chains[request.session], sample)
        return self.drain()

    def drain(self) -> list[Chain]:
        """Chains that finished in a `tick` that was interrupted before it could return them."""
        finished, self._finished = self._finished, []
        return finished

    def close(self) -> None:
        """Stop: what is in progress is dropped. Steps that run in threads end by themselves."""
        for session in list(self.chains):
            self.engine.release(session)
        self.chains.clear()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def release(self, chain: Chain) -> None:
        """Forget a finished chain that was kept for branching: its cache, its environments."""
        self.engine.release(chain.session)
        chain.forks = []

    # Inside -----------------------------------------------------------------------------------------------------------

    def _call(self, chain: Chain, work: Callable[[], Any], then: Callable[[Chain, Any], None]) -> None:
        """Run an environment here, or in a thread and pick up what came of it in `tick`."""
        if self._pool is None:
            then(chain, work())
            return

        def away() -> None:
            try:
                value = work()
            except BaseException as error:  # carried to the thread that asked
                found = error

                def fail() -> None:
                    raise found

                self._arrived.put((chain, fail))
            else:
                self._arrived.put((chain, lambda: then(chain, value)))

        self._away += 1
        self._pool.submit(away)

    def _has_reset(self, chain: Chain, found: tuple[Trajectory, str]) -> None:
        chain.episode, chain.observation = found
        if chain.episode.unjudged:
            self._finish(chain)
        else:
            self._ask(chain)

    def _ask(self, chain: Chain) -> None:
        """Request the next action, or end the episode where the context has no room for one."""
        form, episode = self.engine.format, chain.episode
        if not chain.prompt:  # a branch brings its first one along
            chain.prompt = form.between(chain.observation, chain.ids) if episode.turns else form.open(chain.observation)
        opening = chain.opening.action_ids if chain.opening else []
        sampling = self.sampling
        if len(chain.context) + len(chain.prompt) > self.engine.max_context - sampling.max_tokens:
            self._finish(chain)  # the policy's own limit, so the episode stands as it is
            return
        if self.keep_forks:
            chain.forks.append(fork(chain.env))
        item = chain.item
        self.engine.submit(
            Request(
                chain.session,
                [*chain.context, *chain.prompt, *opening],
                replace(sampling, max_tokens=sampling.max_tokens - len(opening)) if opening else sampling,
                (*chain.key, item.seed, item.index, item.sample, len(episode.turns)),
                chain.begin.chain.session if chain.begin else None,
            )
        )

    def _has_sample(self, chain: Chain, sample: Sample) -> None:
        episode = chain.episode
        if sample.fault:
            episode.end, episode.fault = "unjudged", sample.fault
            self._finish(chain)
            return
        opening, chain.opening = chain.opening, None
        ids, logprobs, version = sample.ids, sample.logprobs, sample.version
        if self.keep_forks:
            shared = (
                chain.begin.chain.marks[chain.begin.turn][: len(opening.action_ids)] if chain.begin and opening else []
            )
            chain.marks.append(shared + (sample.entropies or [-value for value in sample.logprobs]))
        if opening is not None:
            ids, logprobs = opening.action_ids + ids, opening.logprobs + logprobs
            version = min(version, opening.policy_version)
        text, ends = (sample.text, []) if sample.text is not None else self.engine.format.decode(ids)
        chain.context += chain.prompt + ids
        chain.ids = ids
        action = Action(text, chain.prompt, ids, logprobs, ends, sample.cut)
        chain.prompt = []

        def step() -> tuple[Turn, bool, str]:
            turn, over, following = step_episode(chain.env, chain.observation, action, episode)
            turn.policy_version = version
            return turn, over, following

        self._call(chain, step, self._has_stepped)

    def _has_stepped(self, chain: Chain, found: tuple[Turn, bool, str]) -> None:
        turn, over, chain.observation = found
        chain.episode.turns.append(turn)
        if over:
            self._finish(chain)
        elif chain.until is not None and len(chain.episode.turns) >= chain.until:
            chain.paused = True
            if self.keep_forks:
                chain.forks.append(fork(chain.env))
            self._finish(chain)
        else:
            self._ask(chain)

    def _finish(self, chain: Chain) -> None:
        del self.chains[chain.session]
        if chain.borrowed:
            self.idle.append(chain.env)
        if not self.keep_forks:
            self.engine.release(chain.session)
        self._finished.append(chain)


def stream(
    engine: Engine,
    sampling: Sampling,
    envs: Sequence[TextEnv],
    items: Iterable[Item],
    *,
    key: tuple[int, ...] = (),
    workers: int = 0,
    prepare: Callable[[TextEnv, Item], None] | None = None,
    ordered: bool = True,
    on_episode: Callable[[Trajectory], None] | None = None,
) -> Generator[Trajectory]:
    """Play every item once.

    Args:
        engine, sampling, envs, workers: See `Runner`.
        items: Read lazily. At most eight times as many are begun as there are environments before the first of them
            is handed over.
        key: Names this use of the policy; see `Runner.start`.
        prepare: See `Runner.start`.
        ordered: Yield in the order of the items, or as they finish.
        on_episode: Called for each episode the moment it finishes, before it is yielded: what is written there
            survives an interruption.
    """
    runner = Runner(engine, sampling, envs, workers=workers)
    waiting = iter(items)
    numbers: dict[int, int] = {}
    ready: dict[int, Trajectory] = {}
    begun = handed = 0
    more = True
    try:
        while True:
            while more and runner.free and begun - handed < 8 * len(envs):
                item = next(waiting, None)
                if item is None:
                    more = False
                    break
                numbers[runner.start(item, key, prepare=prepare).session] = begun
                begun += 1
            if not runner.busy and not more and handed == begun:
                return
            for chain in runner.tick():
                if on_episode is not None:
                    on_episode(chain.episode)
                ready[numbers.pop(chain.session)] = chain.episode
            following = [handed] if ordered else sorted(ready)
            while following and following[0] in ready:
                number = following.pop(0)
                yield ready.pop(number)
                handed += 1
                if ordered:
                    following = [handed]
    finally:
        for chain in runner.drain():
            if on_episode is not None:
                on_episode(chain.episode)
        runner.close()
