"""Whether policies that do not read the question earn more than the stated chance level."""

from __future__ import annotations

from proofgym.bench.audit.chance import at_most
from proofgym.bench.audit.depth import Depth
from proofgym.bench.audit.finding import Finding, Outcome, failed, passed, unclear
from proofgym.bench.audit.panel import Blind, blind_policies
from proofgym.bench.audit.subject import Episode, Item, Subject

__all__ = ["check"]


def check(subject: Subject, depth: Depth) -> Finding:
    """No policy of the panel earns more than the floor: a test of each, at one in a thousand for all together."""
    items = subject.items(depth.blind)
    panel = blind_policies(subject, items, subject.items(depth.blind, offset=101), depth.constants)
    earned: dict[str, list[float]] = {}
    best: dict[str, Episode] = {}
    for blind in panel:
        episodes = [_play(subject, item, blind, depth.turns) for item in items]
        earned[blind.name] = [episode.total for episode in episodes]
        best[blind.name] = max(episodes, key=lambda episode: episode.total)
    top = max(earned, key=lambda name: sum(earned[name]))
    mean = sum(earned[top]) / len(items)
    recipe = subject.recipe(best[top].item, best[top].actions, f"{top}: earns {best[top].total:.3g} here")
    means = {name: round(sum(values) / len(values), 4) for name, values in earned.items()}
    if subject.floor is None:
        said = f"no chance level is stated; {top!r} earns the most, {mean:.3f} on {len(items)} items"
        return Finding("floor", Outcome.NOT_APPLICABLE, said, recipe, {"means": means})
    claims = {name: at_most(subject.floor, values, tried=len(panel)) for name, values in earned.items()}
    worst = min(claims, key=lambda name: (claims[name].p, -claims[name].mean))
    claim = claims[worst]
    if claim.verdict == "violated":
        recipe = subject.recipe(best[worst].item, best[worst].actions, f"{worst}: earns {best[worst].total:.3g} here")
        said = f"{worst}: {claim}, p = {claim.p:.1g}, where {subject.floor:g} is stated"
        return failed("floor", said, recipe, means=means, floor=subject.floor)
    said = f"{len(panel)} policies; the best, {top}, earns {claims[top]}; stated {subject.floor:g}"
    weak = any(claim.verdict == "too few" for claim in claims.values())
    return (unclear if weak else passed)("floor", said, means=means, floor=subject.floor)


def _play(subject: Subject, item: Item, blind: Blind, turns: int) -> Episode:
    """An episode; where the same action changed nothing and paid nothing once, it is not repeated to the end."""
    if not (blind.constant and subject.ours) or subject.single:
        return subject.play(item, blind.policy, turns=turns)
    env, _, _ = subject.ask(item)
    episode, before = subject.play(item, blind.policy, turns=1), ""
    while not episode.over and len(episode.actions) < turns:
        after = subject.mark(env, episode.observations[-1])
        if after == before and episode.rewards[-1] <= 0.0:
            break
        before = after
        subject.step(env, episode, episode.actions[-1])
    return episode
