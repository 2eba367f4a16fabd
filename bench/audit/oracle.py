"""Whether the expert earns the maximum on every item; otherwise the task is impossible or its judge is wrong."""

from __future__ import annotations

from proofgym.bench.audit.depth import Depth
from proofgym.bench.audit.finding import Finding, failed, passed
from proofgym.bench.audit.subject import Subject
from proofgym.verifiers import Verdict

__all__ = ["check"]


def check(subject: Subject, depth: Depth) -> Finding:
    """The oracle earns the maximum, and its verdict is `correct` where there are verdicts."""
    subject.need_oracle()
    least, turns = subject.maximum, 0
    for item in subject.items(depth.oracle):
        episode = subject.play(item, subject.oracle_policy())
        least, turns = min(least, episode.total), max(turns, len(episode.actions))
        if abs(episode.total - subject.maximum) > 1e-9 or not episode.over:
            said = f"the oracle earns {episode.total:.6g} of {subject.maximum:g}"
            said += "" if episode.over else " and does not end the episode"
            return failed("oracle", said, subject.recipe(item, episode.actions, said))
        if isinstance(episode.verdict, Verdict) and not episode.verdict.correct:
            said = f"the verdict on the oracle is {episode.verdict.status.value!r}: {episode.verdict.reason:.80}"
            return failed("oracle", said, subject.recipe(item, episode.actions, said))
    return passed("oracle", f"earns {least:g} on {depth.oracle} items of at most {turns} turns", items=depth.oracle)
