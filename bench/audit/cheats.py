"""Whether texts that hold no answer are paid, or stop the environment."""

from __future__ import annotations

import time
from collections.abc import Callable

from proofgym.bench.audit.chance import at_most
from proofgym.bench.audit.child import HASH_SEEDS, Child, ChildFailed, ChildLost
from proofgym.bench.audit.depth import Depth
from proofgym.bench.audit.finding import Finding, NotApplicable, Outcome, Raised, failed, passed
from proofgym.bench.audit.panel import FORGED, JUNK, always, injections
from proofgym.bench.audit.repeat import portable
from proofgym.bench.audit.subject import Episode, Policy, Subject
from proofgym.errors import Unjudged
from proofgym.verifiers import Verdict

__all__ = ["PATIENCE_S", "SLOW_S", "check", "check_forged", "check_junk"]

SLOW_S = 5.0
"""Processor seconds in which any text is answered."""
PATIENCE_S = 20.0
"""Wall-clock seconds for which another process is waited for, with one text."""


def check(subject: Subject, depth: Depth) -> Finding:
    """Each text of the environment's own `cheats()`, alone in a fresh episode, earns at most 0."""
    if not callable(getattr(subject.inner, "cheats", None)):
        raise NotApplicable("the environment has no cheats()")
    tried = 0
    for item in subject.items(min(depth.oracle, 10)):
        subject.ask(item)
        for cheat in list(subject.inner.cheats()):
            tried += 1
            episode = subject.play(item, always(cheat), turns=1)
            right = isinstance(episode.verdict, Verdict) and episode.verdict.correct
            if episode.total > 0.0 or right:
                said = f"the cheat {cheat[:60]!r} earns {episode.total:.3g}"
                return failed("cheats", said, subject.recipe(item, episode.actions, said))
    return passed("cheats", f"{tried} tries of its own cheats earn nothing", tried=tried)


def check_forged(subject: Subject, depth: Depth) -> Finding:
    """Forged verdicts, orders to the judge and texts in disguise earn no more than chance.

    Without a stated chance level, a text that earns the maximum on more than half of the items fails.
    """
    items = subject.items(max(4, depth.oracle))
    worst: tuple[float, float, str, Episode] | None = None
    panel: dict[str, Policy] = {name: always(text) for name, text in FORGED.items()}
    if depth.name != "quick":
        panel |= {name: _about(make) for name, make in injections(depth.name == "thorough").items()}
    for name, policy in panel.items():
        episodes = [subject.play(item, policy, turns=1) for item in items]
        totals = [episode.total for episode in episodes]
        claim = at_most(subject.floor or 0.0, totals, tried=len(panel))
        best = max(episodes, key=lambda episode: episode.total)
        if worst is None or (claim.p, -claim.mean) < worst[:2]:
            worst = claim.p, -claim.mean, name, best
        full = sum(total >= subject.maximum - 1e-9 for total in totals)
        if claim.verdict == "violated" if subject.floor is not None else full > len(items) / 2:
            said = f"{name}, {best.actions[0][:60]!r}, earns {claim.mean:.3f} on {len(items)} items"
            return failed("forged", said, subject.recipe(best.item, best.actions, f"earns {best.total:.3g}"))
    assert worst is not None
    said = f"{len(panel)} texts without an answer on {len(items)} items; the best paid earns {-worst[1]:.3f}"
    if subject.floor is None and worst[1] < 0.0:
        recipe = subject.recipe(worst[3].item, worst[3].actions, f"earns {worst[3].total:.3g}")
        said = (
            f"no chance level is stated; {worst[2]}, {worst[3].actions[0][:40]!r}, earns {-worst[1]:.3f} a first turn"
        )
        return Finding("forged", Outcome.NOT_APPLICABLE, said, recipe)
    return passed("forged", said)


def _about(make: Callable[[str], str]) -> Policy:
    return lambda view: make(str(view.observation))


def check_junk(subject: Subject, _: Depth) -> Finding:
    """Hostile texts are answered, each within seconds of processor time, without an exception or `Unjudged`."""
    if not subject.ours:
        return _junk_elsewhere(subject)
    slowest, name_of_slowest = 0.0, ""
    item = subject.items(1)[0]
    limit = int(getattr(subject.inner, "action_limit", 1 << 20))
    for name, text in {**JUNK, "a text over the limit": "1" * (limit + 1)}.items():
        started = time.process_time()
        try:
            episode = subject.play(item, always(text), turns=1)
        except (Raised, Unjudged) as error:
            said = f"{name}, {text[:30]!r} ({len(text)} characters): {type(error).__name__}: {error}"[:300]
            return failed("junk", said, subject.recipe(item, [text], said))
        taken = time.process_time() - started
        if taken > slowest:
            slowest, name_of_slowest = taken, name
        if taken > SLOW_S:
            said = f"{name}, {text[:30]!r} ({len(text)} characters), takes {taken:.1f} s of processor time"
            return failed("junk", said, subject.recipe(item, [text], said))
        if subject.floor is not None and subject.floor < 0.2 and episode.total >= subject.maximum:
            said = f"{name}, {text[:30]!r}, earns {episode.total:.3g}"
            return failed("junk", said, subject.recipe(item, [text], said))
    return passed(
        "junk", f"{len(JUNK) + 1} hostile texts are answered; the slowest, {name_of_slowest}, in {slowest * 1e3:.0f} ms"
    )


def _junk_elsewhere(subject: Subject) -> Finding:
    """The same in another process, which is ended if it does not come back: a stranger's reader may hang."""
    portable(subject)
    item, child = subject.items(1)[0], Child(HASH_SEEDS[0])
    made = {"op": "scripts", "target": subject.target.name, "kwargs": dict(subject.target.kwargs)}
    try:
        child.ask({**made, "scripts": [[item.seed, item.index, ["1"]]]}, 300.0)  # imports are not waited for below
        for name, text in JUNK.items():
            try:
                told = child.ask({**made, "scripts": [[item.seed, item.index, [text]]]}, PATIENCE_S)[0]
            except (ChildFailed, ChildLost) as error:
                said = f"{name}, {text[:30]!r} ({len(text)} characters): {error}"[:300]
                return failed("junk", said, subject.recipe(item, [text], said))
            reward = told[0][1] if told[0] != "unjudged" else 0.0
            if isinstance(reward, (int, float)) and reward >= subject.maximum and (subject.floor or 0.0) < 0.2:
                said = f"{name}, {text[:30]!r}, earns {reward:.3g}"
                return failed("junk", said, subject.recipe(item, [text], said))
    except (ChildFailed, ChildLost) as error:
        return failed("junk", f"in another process: {error}", subject.recipe(item, ["1"]))
    finally:
        child.close()
    return passed("junk", f"{len(JUNK)} hostile texts are answered, each within {PATIENCE_S:g} s, in another process")
