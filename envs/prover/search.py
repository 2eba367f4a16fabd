"""Best-first proof search over any prover: a queue of states, the most promising first.

A policy proposes tactics for a goal; the prover tries them all on the state; new states join the queue. States with the
same goals are one. When no goal is left, the path is judged by the final check, and only that ends the search.

Source: Polu and Sutskever 2020, section 4.2 (arXiv:2009.03393): expansion by cumulative log-probability. Without
probabilities, states are ordered by how many goals are open, their size, and the length of the path.
"""

from __future__ import annotations

import heapq
import itertools
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from proofgym.verifiers.proof import Backend, Goal, ProofState, ProofTask, Report

__all__ = ["Found", "Node", "Policy", "search"]

Proposal = str | tuple[str, float]
Policy = Callable[[Goal], Iterable[Proposal]]
"""Tactics for a goal, best first; a tactic may come with its log-probability."""


@dataclass
class Node:
    """A state in the tree, or a tactic that failed there (`state` is None)."""

    state: ProofState | None
    parent: int
    tactic: str
    logprob: float = 0.0
    depth: int = 0
    error: str = ""
    expanded: bool = False
    proved: bool = False


@dataclass
class Found:
    """How a search ended.

    Args:
        proof: The tactics, when the final check accepted them.
        nodes: The tree, parents before children; node 0 is the theorem.
        expansions: How many states were expanded.
        steps: How many tactics were tried.
        seconds: Wall clock.
        why: `proved`, `exhausted`, `expansions` or `time`.
    """

    proof: tuple[str, ...] | None
    nodes: list[Node]
    expansions: int = 0
    steps: int = 0
    seconds: float = 0.0
    why: str = ""
    reports: list[Report] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Figures for a log; the tree is left out."""
        return {
            "proof": list(self.proof) if self.proof is not None else None, "nodes": len(self.nodes), "why": self.why,
            "expansions": self.expansions, "steps": self.steps, "seconds": self.seconds,
        }  # fmt: skip


def search(
    backend: Backend,
    task: ProofTask,
    policy: Policy,
    *,
    most_expansions: int = 200,
    most_seconds: float = math.inf,
    width: int = 16,
    keep_failures: bool = False,
    join: Callable[[Sequence[str]], str] = "\n".join,
) -> Found:
    """Search for a proof.

    Args:
        policy: Called with the first open goal of a state.
        most_expansions: States to expand.
        most_seconds: Wall clock; looked at between expansions.
        width: Tactics to try on one state.
        keep_failures: Keep tactics that failed as leaves of the tree, for its picture.
        join: How the tactics of a path make a proof.
    Raises:
        StatementRefused: The statement does not compile.
        Unjudged: The prover is missing or died.

    >>> from proofgym.verifiers.proof import backend
    >>> from proofgym.envs.prover.policies import enumerate_toy
    >>> found = search(backend("toy"), ProofTask("t", "p & q -> q & p"), enumerate_toy)
    >>> found.why, len(found.proof)
    ('proved', 5)
    """
    begun = time.monotonic()
    root = backend.open(task)
    found = Found(None, [Node(root, -1, "")])
    seen = {root.key}
    ticket = itertools.count()
    queue: list[tuple[float, int, int]] = [(0.0, next(ticket), 0)]
    while queue:
        if found.expansions >= most_expansions or time.monotonic() - begun > most_seconds:
            found.why = "expansions" if found.expansions >= most_expansions else "time"
            break
        _, _, index = heapq.heappop(queue)
        node = found.nodes[index]
        assert node.state is not None
        node.expanded = True
        found.expansions += 1
        proposals = list(itertools.islice(map(_pair, policy(node.state.goals[0])), width))
        results = backend.expand(node.state, [tactic for tactic, _ in proposals])
        found.steps += len(results)
        for (tactic, logprob), result in zip(proposals, results, strict=True):
            if result.state is None:
                if keep_failures:
                    found.nodes.append(Node(None, index, tactic, node.logprob + logprob, node.depth + 1, result.error))
                continue
            if result.state.key in seen and not result.state.finished:
                continue
            seen.add(result.state.key)
            child = Node(result.state, index, tactic, node.logprob + logprob, node.depth + 1)
            found.nodes.append(child)
            if result.state.finished:
                report = backend.examine(task, join(result.state.path))
                found.reports.append(report)
                if report.accepted:
                    child.proved = True
                    found.proof, found.why = result.state.path, "proved"
                    found.seconds = time.monotonic() - begun
                    return found
                child.error = report.verdict.reason
                continue
            heapq.heappush(queue, (_cost(child), next(ticket), len(found.nodes) - 1))
    found.why = found.why or "exhausted"
    found.seconds = time.monotonic() - begun
    return found


def _pair(proposal: Proposal) -> tuple[str, float]:
    return proposal if isinstance(proposal, tuple) else (proposal, 0.0)


def _cost(node: Node) -> float:
    """Lower is more promising: by log-probability where the policy gives one, else by goals, size and length."""
    assert node.state is not None
    if node.logprob:
        return -node.logprob
    return 4.0 * len(node.state.goals) + 0.1 * node.state.size + 0.5 * node.depth
