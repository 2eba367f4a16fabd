"""Whether a fork is equal and independent, and whether a state goes on in another process as it would have here."""

from __future__ import annotations

import json
from typing import Any

from proofgym.bench.audit.child import HASH_SEEDS, ChildFailed, ChildLost
from proofgym.bench.audit.depth import Depth
from proofgym.bench.audit.finding import Finding, NotApplicable, failed, passed
from proofgym.bench.audit.probe import transcript
from proofgym.bench.audit.repeat import elsewhere, portable
from proofgym.bench.audit.subject import Env, Episode, Item, Subject, plain

__all__ = ["check", "check_restore"]

_AHEAD = 8


def check(subject: Subject, depth: Depth) -> Finding:
    """A fork in mid-episode goes on exactly as its original, and neither moves the other."""
    turns = 0
    for item in subject.items(depth.forks):
        env, episode = _halfway(subject, item)
        actions = _continuation(subject, item, episode)
        with subject.told(item, episode.actions):
            first, second = subject.fork(env), subject.fork(env)
            before = _state(subject, env)
            if before is not None and _state(subject, first) != before:
                return failed("fork", "a fork's state is another", subject.recipe(item, episode.actions, "env.fork()"))
            ahead = transcript(first, actions)
            if _state(subject, env) != before:
                said = "playing the fork moved the original"
                return failed("fork", said, subject.recipe(item, episode.actions, f"{said}: {actions!r:.200}"))
            told = transcript(env, actions)
            if told != ahead:
                said = "a fork and its original answer the same actions otherwise"
                return failed("fork", said, subject.recipe(item, [*episode.actions, *actions], said))
            if transcript(second, actions) != ahead:
                said = "playing the original moved its fork"
                return failed("fork", said, subject.recipe(item, [*episode.actions, *actions], said))
            turns += len(ahead)
            if plain(first.reset()[0]) != plain(env.reset()[0]):
                said = "after the episode, the next item differs between a fork and its original"
                return failed("fork", said, subject.recipe(item, episode.actions, said))
    return passed("fork", f"{turns} turns on {depth.forks} items equal in a fork, its twin and the original")


def check_restore(subject: Subject, depth: Depth) -> Finding:
    """`state()` is JSON; `restore` of it, here and in a process with another hash seed, goes on the same."""
    if not subject.has_state:
        raise NotApplicable("the environment has no state() and restore()")
    sent, expected, where = [], [], []
    for item in subject.items(depth.forks):
        env, episode = _halfway(subject, item)
        inner: Any = env.unwrapped
        actions = _continuation(subject, item, episode)
        with subject.told(item, episode.actions):
            state = inner.state()
            try:
                copied = json.loads(json.dumps(state))
            except (TypeError, ValueError) as error:
                return failed("restore", f"a state is no JSON: {error}", subject.recipe(item, episode.actions))
            if copied != plain(state):
                return failed(
                    "restore", "a state changes on its way through JSON", subject.recipe(item, episode.actions)
                )
            told = transcript(inner, actions)
            following = plain(inner.reset()[0])
            inner.restore(copied)
            again = transcript(inner, actions)
            if again != told:
                said = "a restored state answers the same actions otherwise"
                return failed("restore", said, subject.recipe(item, [*episode.actions, *actions], said))
        sent.append([copied, actions])
        expected.append([True, told, following])
        where.append(subject.recipe(item, episode.actions, "restore env.state() in another process"))
    here = f"{depth.forks} states restored here"
    try:
        portable(subject)
    except NotApplicable as reason:
        return passed("restore", f"{here}; other processes were not asked: {reason}")
    request = {
        "op": "restore", "target": subject.target.name, "kwargs": dict(subject.target.kwargs), "states": sent,
    }  # fmt: skip
    try:
        found = elsewhere(HASH_SEEDS[1], request)
    except (ChildFailed, ChildLost) as error:
        return failed("restore", f"in another process: {error}", where[0])
    for one, other, recipe in zip(json.loads(json.dumps(expected)), found, where, strict=True):
        if one != other:
            what = ["its state", "what its actions come to", "the next item"][
                [a == b for a, b in zip(one, other, strict=True)].index(False)
            ]
            return failed("restore", f"restored in another process, {what} differs", recipe)
    return passed("restore", f"{here} and in another process")


def _halfway(subject: Subject, item: Item) -> tuple[Env, Episode]:
    """An episode after a turn or two, where there are some."""
    env, observation, info = subject.ask(item)
    episode = Episode(item, [observation])
    if subject.single:
        return env, episode
    answers = list(subject.answers(item)) if subject.has_oracle else []
    env, observation, info = subject.ask(item)
    legal = [str(action) for action in (info.get("admissible") or [])]
    moves = [*answers[: min(2, len(answers) - 1)], *legal[:1]] if answers else legal[:2]
    for move in moves:
        subject.step(env, episode, move)
        if episode.over:
            env, observation, _ = subject.ask(item)
            return env, Episode(item, [observation])
    return env, episode


def _continuation(subject: Subject, item: Item, episode: Episode) -> list[str]:
    """Actions to compare by: what the oracle says from here where a fork can be asked, else what it said."""
    if not subject.has_oracle:
        return ["1", "", "look", "2"]
    answers = list(subject.answers(item)) if not episode.actions else []
    if answers:
        subject.ask(item)
        return answers[:_AHEAD]
    env = subject.of(item)
    ahead: Any = subject.fork(env)
    actions: list[str] = []
    over = False
    while not over and len(actions) < _AHEAD:
        actions.append(str(ahead.unwrapped.oracle()))
        _, _, terminated, truncated, _ = ahead.step(actions[-1])
        over = terminated or truncated
    return actions


def _state(subject: Subject, env: Env) -> str | None:
    if not subject.has_state:
        return None
    inner: Any = env.unwrapped
    return json.dumps(plain(inner.state()), sort_keys=True)
