"""Whether going round in circles pays: walks over states that recur, and what their moves paid.

All walks of an item make one graph: states, moves, pay. If every cycle of it pays nothing, the pay is a difference of
potentials and cannot be farmed; a cycle that pays is found by Bellman and Ford's method, also where no single walk went
round it, and is then played twice more to be sure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from proofgym.bench.audit.depth import Depth
from proofgym.bench.audit.finding import Finding, NotApplicable, failed, passed
from proofgym.bench.audit.subject import Episode, Item, Subject

__all__ = ["check", "check_potential"]

_TOLERANCE = 1e-9


@dataclass(slots=True)
class Graph:
    """The states of one item that walks came to.

    Args:
        moves: (state, action) to (pay, next state), while the episode goes on.
        paths: Actions that lead from the start to a state.
    """

    moves: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict)
    paths: dict[str, tuple[str, ...]] = field(default_factory=dict)
    returns: int = 0

    def add(self, state: str, action: str, pay: float, following: str, path: tuple[str, ...]) -> None:
        """Remember a move, the best paid one of its kind, and the first way to where it leads."""
        self.returns += following in self.paths
        known = self.moves.get((state, action))
        if known is None or known[0] < pay:
            self.moves[state, action] = pay, following
        self.paths.setdefault(following, path)

    def paying_cycle(self) -> tuple[str, list[str]] | None:
        """A state and actions that lead back to it and pay together more than nothing."""
        best = dict.fromkeys(self.paths, 0.0)
        came: dict[str, tuple[str, str]] = {}
        changed = ""
        for _ in range(len(best) + 1):
            changed = ""
            for (state, action), (pay, following) in self.moves.items():
                if best[state] + pay > best[following] + _TOLERANCE:
                    best[following] = best[state] + pay
                    came[following] = state, action
                    changed = following
            if not changed:
                return None
        at = changed
        for _ in range(len(best)):  # far enough back to be on the cycle
            at = came[at][0]
        start, actions = at, []
        while True:
            at, action = came[at]
            actions.append(action)
            if at == start:
                return start, actions[::-1]


def check(subject: Subject, depth: Depth) -> Finding:
    """No sequence of moves that comes back to where it began pays more than nothing."""
    _several(subject)
    states = returns = moves = 0
    for number, item in enumerate(subject.items(depth.walks)):
        graph = _explore(subject, item, depth, number)
        states, moves, returns = states + len(graph.paths), moves + len(graph.moves), returns + graph.returns
        cycle = graph.paying_cycle()
        if cycle is None:
            continue
        start, actions = cycle
        pay = _replay(subject, item, graph.paths[start], actions)
        if pay is not None:
            rounds = ", ".join(f"{value:.3g}" for value in pay)
            said = f"{len(actions)} moves lead back to the same state and pay {rounds} each time round"
            return failed("cycles", said, subject.recipe(item, [*graph.paths[start], *actions, *actions], said))
    if not returns:
        raise NotApplicable(f"no state was come back to in {moves} moves over {states} states")
    return passed("cycles", f"{moves} moves over {states} states came back {returns} times; no round trip pays")


def check_potential(subject: Subject, depth: Depth) -> Finding:
    """Where a potential is told, no turn that goes on pays more than its change: shaping telescopes."""
    _several(subject)
    turns = exact = 0
    shaped = False  # whether anything is paid before the end
    kept: Finding | None = None  # a loss of potential that was not charged
    for number, item in enumerate(subject.items(depth.walks)):
        for walker in range(2):
            env, observation, info = subject.ask(item)
            if not isinstance(info.get("potential"), (int, float)):
                raise NotApplicable("info has no potential")
            before = float(info["potential"])
            episode = Episode(item, [observation])
            rng = subject.rng(21, number, walker)
            vocabulary = _vocabulary(subject, item)
            env, observation, info = subject.ask(item)
            while not episode.over and len(episode.actions) < depth.steps:
                legal = [str(action) for action in (info.get("admissible") or [])]
                choices = legal if legal and rng.random() < 0.8 else vocabulary
                _, info = subject.step(env, episode, choices[int(rng.integers(len(choices)))])
                if episode.terminated or episode.truncated or not isinstance(info.get("potential"), (int, float)):
                    break
                change, pay = float(info["potential"]) - before, episode.rewards[-1]
                before = float(info["potential"])
                turns += 1
                exact += abs(pay - change) <= 1e-6
                shaped = shaped or abs(pay) > _TOLERANCE
                if pay > change + 1e-6 and (kept is None or pay > _TOLERANCE):
                    said = f"a turn pays {pay:.4g} where the potential changes by {change:.4g}"
                    kept = failed("potential", said, subject.recipe(item, episode.actions, said))
                if kept is not None and shaped:  # where nothing is paid before the end, nothing has to be charged
                    return kept
    if not turns:
        raise NotApplicable("every walk ended at its first turn")
    said = f"{turns} turns; {exact} pay exactly the change of the potential, the others less"
    return passed("potential", said if shaped else f"{turns} turns pay nothing before the end")


def _several(subject: Subject) -> None:
    if subject.single:
        raise NotApplicable("an episode has one turn")


def _vocabulary(subject: Subject, item: Item) -> list[str]:
    """Moves to try where none are listed, and beside those that are."""
    answers = list(dict.fromkeys(subject.answers(item))) if subject.has_oracle else []
    return [*answers[:12], "undo", "look", "wait", "0", "1", "help", "north", "south", "back", "reset"]


def _explore(subject: Subject, item: Item, depth: Depth, number: int) -> Graph:
    graph = Graph()
    vocabulary = _vocabulary(subject, item)
    for walker in range(3):
        env, observation, info = subject.ask(item)
        state = subject.mark(env, observation)
        graph.paths.setdefault(state, ())
        episode = Episode(item, [observation])
        rng = subject.rng(20, number, walker)
        can_fork = walker == 2 and callable(getattr(env.unwrapped, "fork", None))
        while not episode.over and len(episode.actions) < (depth.steps // 2 if can_fork else depth.steps):
            legal = [str(action) for action in (info.get("admissible") or [])]
            choices = vocabulary if not legal or rng.random() < 0.15 else legal
            tries = [choices[i] for i in rng.permutation(len(choices))[: depth.ahead if can_fork else 1]]
            action = tries[0]
            if can_fork:  # greedy: the best paid of several, each of which is a move of the graph
                paid = []
                for tried in tries:
                    ahead = subject.fork(env)
                    with subject.told(item, [*episode.actions, tried]):
                        seen, pay, terminated, truncated, _ = ahead.step(tried)
                    paid.append(float(pay))
                    if not (terminated or truncated):
                        mark = subject.mark(ahead, seen)
                        graph.add(state, tried, float(pay), mark, (*episode.actions, tried))
                action = tries[paid.index(max(paid))]
            observation, info = subject.step(env, episode, action)
            if not episode.over:
                following = subject.mark(env, observation)
                graph.add(state, action, episode.rewards[-1], following, tuple(episode.actions))
                state = following
    return graph


def _replay(subject: Subject, item: Item, path: Sequence[str], cycle: Sequence[str]) -> list[float] | None:
    """The pay of two rounds after the way there; None if they do not both pay, or do not come about."""
    script = iter([*path, *cycle, *cycle])
    length = len(path) + 2 * len(cycle)
    episode = subject.play(item, lambda _: next(script), turns=length)
    if len(episode.actions) < length:
        return None
    rounds = [sum(episode.rewards[len(path) + k * len(cycle) :][: len(cycle)]) for k in (0, 1)]
    return rounds if min(rounds) > _TOLERANCE else None
