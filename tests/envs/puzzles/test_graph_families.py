"""Graph families: optima against brute force and networkx, other valid answers, near misses."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from proofgym.envs.puzzles import family
from proofgym.envs.puzzles.answers import Unreadable
from proofgym.envs.puzzles.contract import Puzzle
from proofgym.envs.puzzles.graphs import node_set, random_edges, read_edges
from proofgym.errors import BadInput

nx = pytest.importorskip("networkx")


def drawn(name: str, count: int, level: float = 0.3, seed: int = 9) -> list[Any]:
    kind = family(name)
    return [kind.generate(np.random.default_rng([seed, i]), kind.settings(level)) for i in range(count)]


def judged(name: str, data: dict[str, object], answer: str) -> bool:
    return family(name).from_instance(data).verify(f"Answer: {answer}").correct


def graph(puzzle: Any) -> Any:
    made = nx.DiGraph() if puzzle.family in ("max_flow", "min_cut") else nx.Graph()
    made.add_nodes_from(range(puzzle.nodes))
    for u, v, *w in puzzle.edges:
        made.add_edge(u, v, weight=w[0] if w else 1)
    return made


SQUARE: dict[str, object] = {"nodes": 5, "edges": [[0, 1], [1, 2], [2, 3], [0, 3], [3, 4]]}


def best_by_trying_all(puzzle: Any, largest: bool) -> int:
    sizes = [
        len(some)
        for size in range(puzzle.nodes + 1)
        for some in itertools.combinations(range(puzzle.nodes), size)
        if puzzle.fault(sum(1 << v for v in some)) is None
    ]
    return max(sizes) if largest else min(sizes)


@pytest.mark.parametrize("name", ["Clique", "IndependentSet", "VertexCover", "DominatingSet"])
def test_sets_of_nodes_have_the_best_size(name: str) -> None:
    for puzzle in drawn(name, 12, level=0.1):
        assert len(puzzle.best) == best_by_trying_all(puzzle, puzzle.largest)


def test_largest_cliques_agree_with_networkx() -> None:
    for puzzle in drawn("Clique", 20, level=1.0):
        assert len(puzzle.best) == max(map(len, nx.find_cliques(graph(puzzle))))


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("IndependentSet", ("0 2 4", "4, 2, 0", "[0,2,4]"), ("0 1 4", "0 2", "0 0 2 4", "0 2 4 9", "")),
        ("VertexCover", ("1 3", "3 1"), ("0 2", "1 3 4", "3", "1 1")),
        ("DominatingSet", ("1 3", "0 3", "2 3"), ("3", "0 1", "0 3 4")),
        ("Clique", ("0 1", "3 4"), ("0 2", "0", "0 1 2")),
    ],
)
def test_sets_of_nodes_on_a_square_with_a_tail(name: str, right: tuple[str, ...], wrong: tuple[str, ...]) -> None:
    assert all(judged(name, SQUARE, answer) for answer in right)
    assert not any(judged(name, SQUARE, answer) for answer in wrong)


def test_the_gap_to_the_optimum_is_a_part() -> None:
    verdict = family("IndependentSet").from_instance(SQUARE).verify("Answer: 1 4")
    assert verdict.score == 0.0
    assert verdict.parts["optimal"] == pytest.approx(2 / 3)


def test_fewest_colours_by_trying_all() -> None:
    for puzzle in drawn("Colouring", 8, level=0.0):
        fewest = next(
            k
            for k in range(1, 8)
            if any(
                all(colours[u] != colours[v] for u, v in puzzle.edges)
                for colours in itertools.product(range(k), repeat=puzzle.nodes)
            )
        )
        assert max(puzzle.best[0]) == fewest


def test_colours_may_have_any_numbers() -> None:
    assert judged("Colouring", SQUARE, "7 3 7 3 7")
    assert not judged("Colouring", SQUARE, "7 3 7 3 3")
    assert not judged("Colouring", SQUARE, "1 2 3 2 1")
    assert not judged("Colouring", SQUARE, "1 2 1 2")


def test_hamiltonian_paths_by_trying_all() -> None:
    rng = np.random.default_rng(4)
    for _ in range(30):
        data = {"nodes": 6, "edges": random_edges(rng, 6, 6)}
        near = {tuple(e) for e in data["edges"]} | {tuple(e[::-1]) for e in data["edges"]}  # type: ignore[attr-defined]
        paths = [p for p in itertools.permutations(range(6)) if all(e in near for e in itertools.pairwise(p))]
        if not paths:
            with pytest.raises(BadInput, match="no path"):
                family("HamiltonianPath").from_instance(data)
            continue
        puzzle = family("HamiltonianPath").from_instance(data)
        right = {p for p in itertools.permutations(range(6)) if puzzle.verify(" ".join(map(str, p))).correct}
        assert right == set(paths)


def test_euler_trails() -> None:
    asked: dict[str, object] = {"nodes": 4, "edges": [[0, 1], [1, 2], [0, 2], [2, 3]]}
    for right in ("3 2 0 1 2", "2 -> 1 -> 0 -> 2 -> 3", "3 2 1 0 2"):
        assert judged("EulerTrail", asked, right)
    for wrong in ("0 1 2 3", "0 1 2 0 2", "3 2 3 2 0", "2 3 2 1 0"):
        assert not judged("EulerTrail", asked, wrong)
    with pytest.raises(BadInput, match="exactly once"):
        family("EulerTrail").from_instance({"nodes": 4, "edges": [[0, 1], [0, 2], [0, 3]]})
    with pytest.raises(BadInput, match="exactly once"):
        family("EulerTrail").from_instance({"nodes": 6, "edges": [[0, 1], [1, 2], [0, 2], [3, 4], [4, 5], [3, 5]]})


def test_topological_orders_by_trying_all() -> None:
    asked: dict[str, object] = {"tasks": 4, "before": [[3, 1], [1, 0], [3, 2]]}
    puzzle = family("TopologicalOrder").from_instance(asked)
    right = {p for p in itertools.permutations(range(4)) if puzzle.verify(" ".join(map(str, p))).correct}
    assert right == {(3, 1, 0, 2), (3, 1, 2, 0), (3, 2, 1, 0)}
    with pytest.raises(BadInput, match="circle"):
        family("TopologicalOrder").from_instance({"tasks": 2, "before": [[0, 1], [1, 0]]})


def test_matchings_agree_with_networkx() -> None:
    for puzzle in drawn("Matching", 20, level=0.6):
        made = graph(puzzle)
        assert puzzle.best[0] == sum(made[u][v]["weight"] for u, v in nx.max_weight_matching(made))


def test_matching_takes_any_of_the_best() -> None:
    asked: dict[str, object] = {"nodes": 4, "edges": [[0, 1, 2], [2, 3, 2], [0, 2, 1], [1, 3, 3]]}
    assert judged("Matching", asked, "0-1, 3-2")
    assert judged("Matching", asked, "(1,3) (0,2)")
    for wrong in ("1-3", "0-1, 1-3", "0-3, 1-2", "0-1, 0-1, 2-3", "0-1 2", ""):
        assert not judged("Matching", asked, wrong), wrong


def test_flows_and_cuts_agree_with_networkx_and_with_each_other() -> None:
    for puzzle in drawn("MaxFlow", 20, level=0.6):
        value = nx.maximum_flow_value(graph(puzzle), 0, puzzle.nodes - 1, capacity="weight")
        assert puzzle.best[0] == value
        side = set(puzzle.best[2])
        assert value == sum(w for u, v, w in puzzle.edges if u in side and v not in side)


def test_flows_keep_the_balance_and_the_capacities() -> None:
    asked: dict[str, object] = {"nodes": 4, "edges": [[0, 1, 3], [0, 2, 2], [1, 3, 2], [1, 2, 2], [2, 3, 3]]}
    assert judged("MaxFlow", asked, "3 2 2 1 3")
    for wrong in ("3 2 2 0 3", "3 2 2 2 3", "2 2 2 0 2", "3 2 3 0 2", "0 0 0 0 0", "-1 0 0 0 0", "5"):
        assert not judged("MaxFlow", asked, wrong), wrong
    assert judged("MinCut", asked, "0")
    assert judged("MinCut", asked, "0 1 2")
    for wrong in ("0 2", "1", "0 3", "0 1 2 3", "0 0"):
        assert not judged("MinCut", asked, wrong), wrong


def test_spanning_and_steiner_trees_agree_with_others() -> None:
    for puzzle in drawn("SpanningTree", 20, level=0.6):
        assert puzzle.best[0] == nx.minimum_spanning_tree(graph(puzzle)).size(weight="weight")
    for puzzle in drawn("SteinerTree", 20, level=0.1):
        others = [v for v in range(puzzle.nodes) if v not in puzzle.terminals]
        best = min(
            nx.minimum_spanning_tree(part).size(weight="weight")
            for size in range(len(others) + 1)
            for some in itertools.combinations(others, size)
            for part in [graph(puzzle).subgraph([*puzzle.terminals, *some])]
            if nx.is_connected(part)
        )
        assert puzzle.best[0] == best


def test_steiner_trees_may_not_leave_anyone_out() -> None:
    asked: dict[str, object] = {
        "nodes": 4,
        "edges": [[0, 1, 2], [1, 2, 2], [1, 3, 2], [0, 2, 5]],
        "terminals": [0, 2, 3],
    }
    assert judged("SteinerTree", asked, "0-1, 1-2, 3-1")
    for wrong in ("0-2, 0-1, 1-3", "0-1, 1-2", "0-1, 1-2, 2-3", "0-1 1-2 1-3 0-2"):
        assert not judged("SteinerTree", asked, wrong), wrong


def test_isomorphisms_by_trying_all() -> None:
    for puzzle in drawn("Isomorphism", 4, level=0.0):
        second = {tuple(sorted(e)) for e in puzzle.second}
        for image in itertools.permutations(range(puzzle.nodes)):
            valid = {tuple(sorted((image[u], image[v]))) for u, v in puzzle.first} == second
            assert puzzle.verify(" ".join(map(str, image))).correct == valid
    with pytest.raises(BadInput, match="not isomorphic"):
        family("Isomorphism").from_instance(
            {"nodes": 6, "first": [[0, 1], [1, 2], [0, 2], [3, 4], [4, 5], [3, 5]],
             "second": [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [0, 5]]}
        )  # fmt: skip


def test_edges_and_nodes_are_read_strictly() -> None:
    assert read_edges("[(1, 0), (2, 3)].") == [(0, 1), (2, 3)]
    for bad in ("0-1-2", "0-1 and 1-2", "a-b", "0--"):
        with pytest.raises(Unreadable):
            read_edges(bad)
    with pytest.raises(Unreadable):
        node_set("0 0", 3)


def test_the_same_graph_in_another_order_is_the_same_task() -> None:
    other: dict[str, object] = {"nodes": 5, "edges": [[3, 4], [3, 0], [2, 3], [2, 1], [1, 0]]}
    kind: type[Puzzle] = family("Clique")
    assert kind(SQUARE).canonical() == kind(other).canonical()
