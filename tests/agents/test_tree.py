"""Trees and searches: branches are exact, nodes are shared where tokens are, and a tree of one branch is a rollout."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import proofgym
from proofgym.agents.rollout import Item
from proofgym.agents.sampling import Sampling
from proofgym.envs.trajectory import Trajectory

torch: Any = pytest.importorskip("torch")
from proofgym.agents import advantages, search  # noqa: E402 - only where torch is
from proofgym.agents.engines.transformers import TransformersEngine  # noqa: E402
from proofgym.agents.policy import Policy, tiny  # noqa: E402
from proofgym.agents.streaming import Runner, stream  # noqa: E402
from proofgym.agents.tree import TreeShape, drive, grow, paths  # noqa: E402

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def policy() -> Policy:
    return tiny("0123456789rowclumn =", width=24, layers=2, heads=2, context=2048, seed=3)


def sudokus(count: int) -> list[Any]:
    return [proofgym.make("Sudoku4Steps", max_turns=5) for _ in range(count)]


def totals(count: int) -> list[Any]:
    return [proofgym.make("RunningTotal", style="bare", steps=8) for _ in range(count)]


def trees(
    policy: Policy, shape: TreeShape, envs: list[Any], *, items: int = 3, slots: int = 64, entropy: bool = True
) -> tuple[list[list[Trajectory]], TransformersEngine]:
    engine = TransformersEngine(policy, slots=slots)
    runner = Runner(engine, Sampling(1.0, 10, entropy=entropy), envs, keep_forks=True)
    plans = ((grow(Item(3, index), shape, key=(1,)), (1,)) for index in range(items))
    found = list(drive(runner, plans, side_by_side=2))
    assert engine.busy == 0
    assert not engine._rows  # every session was released
    return sorted(found, key=lambda tree: tree[0].index), engine


SHAPES = [
    TreeShape(2, 2, 3, 1, "turn"), TreeShape(1, 3, 2, 2, "token"), TreeShape(2, 2, 2, 2, "token", "random"),
    TreeShape(1, 2, 4, 1, "turn", "random"),
]  # fmt: skip


def test_a_tree_without_branches_is_an_independent_rollout(policy: Policy) -> None:
    found, _ = trees(policy, TreeShape(roots=2, rounds=0), sudokus(4))
    engine = TransformersEngine(policy, slots=4)
    items = [Item(3, index, sample) for index in range(3) for sample in range(2)]
    alone = list(stream(engine, Sampling(1.0, 10), sudokus(4), items, key=(1,)))
    for a, b in zip(itertools.chain(*found), alone, strict=True):
        assert [t.action_ids for t in a.turns] == [t.action_ids for t in b.turns]
        for s, t in zip(a.turns, b.turns, strict=True):
            assert s.logprobs == pytest.approx(t.logprobs, abs=2e-5)
            t.nodes, t.logprobs = s.nodes, s.logprobs
        assert a.line() == b.line()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("make", [sudokus, totals])
def test_leaves_share_exactly_what_their_nodes_share(policy: Policy, shape: TreeShape, make: Any) -> None:
    found, engine = trees(policy, shape, make(4))
    distinct = 0
    for tree in found:
        assert [e.sample for e in tree] == list(range(shape.leaves))
        at_node: dict[int, list[tuple[int, ...]]] = {}
        for episode in tree:
            assert not episode.unjudged
            before: list[int] = []
            for turn in episode.turns:
                assert len(turn.nodes) == len(turn.action_ids) == len(turn.logprobs)
                assert len(turn.action_ids) <= 10
                before += turn.prompt_ids
                for token, node, logprob in zip(turn.action_ids, turn.nodes, turn.logprobs, strict=True):
                    before.append(token)
                    at_node.setdefault(node, []).append((*before, round(logprob * 1e9)))
            flat = [node for turn in episode.turns for node in turn.nodes]
            assert flat == sorted(flat)  # parents are numbered before their children
        for entries in at_node.values():
            # Two leaves in one node went through the same tokens, with the same context and log-probabilities.
            by_length: dict[int, set[tuple[int, ...]]] = {}
            for entry in entries:
                by_length.setdefault(len(entry), set()).add(entry)
            assert all(len(same) == 1 for same in by_length.values())
            distinct += len(by_length)
        for a, b in itertools.combinations(paths(tree), 2):
            common = len(set(a) & set(b))
            assert a[:common] == b[:common]  # they part once and for all
    assert distinct == engine.stats.generated  # every token was sampled once, and has its node


@pytest.mark.parametrize("make", [sudokus, totals])
def test_logprobs_of_branches_are_those_of_a_teacher_forced_pass(policy: Policy, make: Any) -> None:
    found, _ = trees(policy, TreeShape(1, 3, 3, 1, "token"), make(2), items=2)
    for episode in itertools.chain(*found):
        ids = [i for t in episode.turns for i in (*t.prompt_ids, *t.action_ids)]
        keep = [k for t in episode.turns for k in (*[False] * len(t.prompt_ids), *[True] * len(t.action_ids))]
        logp = torch.log_softmax(policy.model(torch.tensor([ids])).logits[0].float(), -1)
        wanted = [float(logp[n - 1, ids[n]].detach()) for n in range(len(ids)) if keep[n]]
        assert wanted == pytest.approx([x for t in episode.turns for x in t.logprobs], abs=2e-5)


def test_branches_play_on_in_an_exact_fork(policy: Policy) -> None:
    """Every leaf, played again in an environment of its own, earns and reads the same."""
    for episode in itertools.chain(*trees(policy, SHAPES[0], sudokus(4))[0]):
        env = sudokus(1)[0].unwrapped
        observation, _ = env.reset(seed=episode.seed, options={"index": episode.index})
        for turn in episode.turns:
            assert turn.observation == observation
            observation, reward, *_ = env.step(turn.action)
            assert reward == turn.reward


def test_node_values_are_averages_over_the_leaves_below(policy: Policy) -> None:
    rng = np.random.default_rng(0)
    for shape in SHAPES:
        for tree in trees(policy, shape, sudokus(4))[0]:
            returns = rng.normal(size=len(tree))
            routes = paths(tree)
            values = advantages.node_values(routes, returns)
            for node in set(itertools.chain(*routes)):
                through = [r for r, route in zip(returns, routes, strict=True) if node in route]
                assert values[node] == pytest.approx(math.fsum(through) / len(through))


def test_shared_beginnings_cost_no_tokens_and_are_read_once(policy: Policy) -> None:
    shape = TreeShape(1, 3, 5, 1, "turn")
    found, engine = trees(policy, shape, sudokus(4))
    alone = sum(len(t.action_ids) for e in itertools.chain(*found) for t in e.turns)
    assert engine.stats.generated < 0.6 * alone
    context = sum(len(t.prompt_ids) + len(t.action_ids) for e in itertools.chain(*found) for t in e.turns)
    assert engine.stats.read < 0.4 * context
    again, small = trees(policy, shape, sudokus(4), slots=3)  # too few rows: caches are lost, leaves are the same
    assert small.stats.read > engine.stats.read
    for a, b in zip(itertools.chain(*again), itertools.chain(*found), strict=True):
        assert [(t.action_ids, t.nodes) for t in a.turns] == [(t.action_ids, t.nodes) for t in b.turns]


def test_branching_marks_the_least_certain_places(policy: Policy) -> None:
    shape = TreeShape(1, 1, 2, 1, "token")
    for entropy in (True, False):  # without entropies, by the negative log-probability
        for tree in trees(policy, shape, totals(2), entropy=entropy)[0]:
            (turn,) = tree[0].turns
            marks = [-value for value in turn.logprobs]
            if entropy:
                ids = torch.tensor([[*turn.prompt_ids, *turn.action_ids]])
                logp = torch.log_softmax(policy.model(ids).logits[0].float(), -1)
                marks = (-(logp.exp() * logp).sum(-1))[len(turn.prompt_ids) - 1 : -1].tolist()
            best = sorted(range(1, len(marks)), key=lambda n: -marks[n])[:2]
            kept = [sum(node in tree[0].turns[0].nodes for node in leaf.turns[0].nodes) for leaf in tree[1:]]
            assert sorted(kept) == sorted(best)


def test_where_nothing_can_branch_fresh_attempts_fill_the_tree(policy: Policy) -> None:
    for tree in trees(policy, TreeShape(2, 1, 3, 1, "turn"), totals(2))[0]:  # one turn: no turn to branch before
        assert len(tree) == 5
        assert all(len(path) == 1 for path in paths(tree))
        assert len({tuple(e.turns[0].action_ids) for e in tree}) > 1


def test_unjudged_leaves_are_kept_and_never_branched_from(policy: Policy) -> None:
    from proofgym.envs.wrappers import InjectFaults

    envs: list[Any] = [InjectFaults(env, 0.15, seed=n) for n, env in enumerate(sudokus(4))]
    found, _ = trees(policy, TreeShape(2, 2, 3, 1, "turn"), envs, items=6)
    leaves = list(itertools.chain(*found))
    assert len(leaves) == 6 * 8
    assert 0 < sum(e.unjudged for e in leaves) < len(leaves)


# Searches -------------------------------------------------------------------------------------------------------------


def searched(policy: Policy, plan: Any, envs: list[Any]) -> tuple[Trajectory, TransformersEngine]:
    engine = TransformersEngine(policy, slots=32)
    runner = Runner(engine, Sampling(1.0, 10), envs, keep_forks=True)
    (found,) = drive(runner, [(plan, (1,))])
    return found, engine


def test_best_of_hands_in_the_best_of_independent_attempts(policy: Policy) -> None:
    engine = TransformersEngine(policy, slots=8)
    attempts = list(stream(engine, Sampling(1.0, 10), totals(8), [Item(3, 1, n) for n in range(8)], key=(1,)))
    for choose in (search.by_reward, search.by_logprob, search.by_majority):
        found, _ = searched(policy, search.best_of(Item(3, 1), 8, choose), totals(4))
        assert found.turns[0].action_ids == attempts[choose(attempts)].turns[0].action_ids
    assert attempts[search.by_reward(attempts)].reward == max(e.reward for e in attempts)


def test_choices_break_ties_by_the_first_and_avoid_the_unjudged() -> None:
    from proofgym.envs.trajectory import Turn

    def episode(reward: float, text: str, logprob: float, end: Any = "terminated") -> Trajectory:
        return Trajectory("", {}, 0, 0, turns=[Turn("", text, reward, logprobs=[logprob])], end=end)

    found = [episode(9.0, "b", -3.0, "unjudged"), episode(0.5, "a", -1.0), episode(0.5, "b ", -1.0)]
    assert search.by_reward(found) == 1
    assert search.by_logprob(found) == 1
    assert search.by_majority(found) == 0


def test_a_beam_of_one_branch_is_an_episode_and_a_wider_one_is_no_worse(policy: Policy) -> None:
    def value(episode: Trajectory) -> float:
        return episode.reward

    alone = next(iter(stream(TransformersEngine(policy), Sampling(1.0, 10), sudokus(1), [Item(3, 0)], key=(1,))))
    narrow, _ = searched(policy, search.beam(Item(3, 0), 1, 1, value=value), sudokus(2))
    assert narrow.turns[0].action_ids == alone.turns[0].action_ids
    assert len(narrow.turns) == 5
    wide, engine = searched(policy, search.beam(Item(3, 0), 3, 3, value=value), sudokus(9))
    assert wide.reward >= narrow.reward
    assert engine.stats.requests == 9 * 5


def test_tree_search_spends_its_simulations_and_returns_to_what_paid(policy: Policy) -> None:
    class Ladder(proofgym.envs.base.VerifiableEnv):
        """Pays for each action that begins with an even digit; anything is legal."""

        family, floor, default_max_turns = "ladder", 0.0, 4

        def generate(self, rng: Any) -> dict[str, Any]:
            return {"n": int(rng.integers(1000))}

        def begin(self, instance: Any) -> str:
            return "0"

        def turn(self, action: str) -> Any:
            from proofgym.envs.base import TurnResult
            from proofgym.verifiers import Credit

            return TurnResult("1", [Credit(0, len(action), float(action[:1] in ("0", "2", "4", "6", "8")), "even")])

        def save(self) -> dict[str, Any]:
            return {}

        def load(self, data: Any) -> None:
            pass

        def oracle(self) -> str:
            return "2"

    envs = [Ladder() for _ in range(4)]
    best, engine = searched(policy, search.mcts(Item(3, 0), 40, parallel=2), envs)
    sampled, _ = searched(policy, search.best_of(Item(3, 0), 40, search.by_majority), [Ladder() for _ in range(4)])
    assert best.reward >= 2.0
    assert engine.stats.requests < 40 * 4  # simulations begin where others have been
    assert len(best.turns) == 4
    assert best.reward >= sampled.reward
