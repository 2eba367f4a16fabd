"""Whether training and held-out tasks are apart: by fingerprint, by text, nearly by text, and from seed to seed."""

from __future__ import annotations

import inspect
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any

from proofgym.bench.audit.depth import Depth
from proofgym.bench.audit.finding import Finding, NotApplicable, failed, passed
from proofgym.bench.audit.subject import Item, Subject
from proofgym.envs.task import SPLITS

__all__ = ["check", "check_neighbours", "near_duplicates", "normalised"]

_SHINGLE = 8  # characters
_NEAR = 0.9  # Jaccard similarity of what two questions have beside their common frame
_FEW = 12  # shingles below which a question is too short to resemble another by chance alone
_FRAME = 0.25  # a shingle in more than this share of the questions belongs to the frame


def normalised(text: str) -> str:
    """The text without what does not change a question: case, width, runs of blanks, dots at the end.

    >>> normalised("What  is 3 +\\n4 ?"), normalised("WHAT is 3 + 4?  ")
    ('what is 3+4', 'what is 3+4')
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    text = re.sub(r"\s+", " ", text).strip(" .!?;,")
    return re.sub(r" ?([^\w\s]) ?", r"\1", text)


def near_duplicates(one: Sequence[str], other: Sequence[str], least: float = _NEAR) -> list[tuple[int, int, float]]:
    """Pairs (i, j, similarity) of texts that resemble each other beyond the frame that all of them share.

    Similarity is that of Jaccard on runs of 8 characters of the normalised texts, without the runs that more than a
    quarter of all texts contain.

    >>> a = [f"Tell me what {n * 7919} grey cats eat in {n * 104729} days, please." for n in range(1, 9)]
    >>> near_duplicates(a, [a[3].upper(), "Something else is asked here, of other length."])
    [(3, 0, 1.0)]
    """
    sets = [[_shingles(normalised(text)) for text in texts] for texts in (one, other)]
    counts = Counter(shingle for texts in sets for shingles in texts for shingle in shingles)
    most = max(2, int(_FRAME * (len(one) + len(other))))
    kept = [[{s for s in shingles if counts[s] <= most} for shingles in texts] for texts in sets]
    holders: dict[str, list[int]] = {}
    for i, shingles in enumerate(kept[0]):
        for shingle in shingles:
            holders.setdefault(shingle, []).append(i)
    pairs = []
    for j, shingles in enumerate(kept[1]):
        if len(shingles) < _FEW:
            continue
        common = Counter(i for shingle in shingles for i in holders.get(shingle, ()))
        for i, shared in common.items():
            similarity = shared / (len(kept[0][i]) + len(shingles) - shared)
            if similarity >= least and len(kept[0][i]) >= _FEW:
                pairs.append((i, j, round(similarity, 3)))
    return sorted(pairs, key=lambda pair: -pair[2])


def _shingles(text: str) -> set[str]:
    return {text[k : k + _SHINGLE] for k in range(max(1, len(text) - _SHINGLE + 1))}


def check(subject: Subject, depth: Depth) -> Finding:
    """No held-out task is a training task: by fingerprint, by normalised text, and hardly any nearly."""
    names = _split_names(subject)
    items = {name: subject.items(depth.held_out, split=name) for name in names}
    texts: dict[str, list[str]] = {name: [] for name in names}
    marks: dict[str, list[str]] = {name: [] for name in names}
    for name in names:
        for item in items[name]:
            _, observation, info = subject.ask(item)
            task = info.get("task")
            task = task if isinstance(task, dict) else {}
            mark = str(task.get("fingerprint", ""))
            if mark and task.get("split", name) != name:
                said = f"split {name!r} asks a task of split {task['split']!r}"
                return failed("splits", said, subject.recipe(item, note=said))
            texts[name].append(str(observation))
            marks[name].append(mark)
    train, *held = names
    near: list[dict[str, Any]] = []
    for name in held:
        for i, mark in enumerate(marks[name]):
            if mark and mark in marks[train]:
                other = marks[train].index(mark)
                said = f"a {name} task is a {train} task: item {other} of {train}, fingerprint {mark[:12]}"
                return failed("splits", said, subject.recipe(items[name][i], note=said))
        if subject.single and (same := _same_text(subject, texts, items, train, name)) is not None:
            return same
        for i, j, similarity in near_duplicates(texts[train], texts[name]):
            near.append({"train": i, name: j, "similarity": similarity, "text": texts[name][j][:300]})
    touched = sum(len({pair[name] for pair in near if name in pair}) for name in held)
    among = len(near_duplicates(texts[train], texts[train])) - len(texts[train])
    count = sum(len(texts[name]) for name in held)
    if subject.single and touched > count / 2 and among <= len(texts[train]) / 2:
        pair = near[0]
        name = next(key for key in pair if key in held)
        said = (
            f"{touched} of {count} held-out questions nearly repeat a training question, such as {pair['text'][:80]!r}"
        )
        return failed("splits", said, subject.recipe(items[name][pair[name]], note=said), near=near[:10])
    said = f"{depth.held_out} tasks of each of {', '.join(names)} apart; {touched} of {count} nearly as one in {train}"
    return passed("splits", said, near=near[:10])


def check_neighbours(subject: Subject, depth: Depth) -> Finding:
    """Neighbouring seeds share no more tasks than distant ones do."""
    count = depth.held_out
    rows = [_walk(subject, subject.seed + offset, count) for offset in (1, 2, 1001)]
    near, far = (len(set(rows[1]) & set(other)) for other in (rows[0], rows[2]))
    seed = subject.seed + 1
    figure = (
        f"of {count} tasks, seeds {seed} and {seed + 1} share {near}, seeds {seed + 1} and {seed + 1000} share {far}"
    )
    kinds = min(len(set(row)) for row in rows)
    # Shifted lists share nearly all; two draws from a small set share about as much whatever the seeds.
    if near - far > max(1.0, 0.2 * kinds):
        shared = next(k for k, mark in enumerate(rows[1]) if mark in rows[0])
        note = f"the same task as item {rows[0].index(rows[1][shared])} of seed {seed}"
        return failed("neighbours", figure, subject.recipe(Item(seed + 1, shared), note=note), near=near, far=far)
    return passed("neighbours", figure, near=near, far=far)


def _walk(subject: Subject, seed: int, count: int) -> list[str]:
    """The tasks of a seed, as somebody walks through them: `reset(seed)` and plain resets."""
    marks = []
    with subject.told(Item(seed)):
        for k in range(count):
            observation, info = subject.env.reset(seed=seed if k == 0 else None)
            task = info.get("task")
            marks.append(str(task.get("fingerprint", observation)) if isinstance(task, dict) else str(observation))
    return marks


def _split_names(subject: Subject) -> list[str]:
    if subject.ours:
        return list(SPLITS)
    if "split" not in inspect.signature(type(subject.inner).__init__).parameters:
        raise NotApplicable("it has no argument `split`: training and test differ by seed alone (see neighbours)")
    names = []
    for name in ("train", "validation", "test"):
        try:
            subject.target.make(split=name).close()
            names.append(name)
        except Exception:  # noqa: S112 - a split that it has not
            continue
    if len(names) < 2:
        raise NotApplicable("it takes a `split`, but not two of train, validation and test")
    return names


def _same_text(
    subject: Subject, texts: dict[str, list[str]], items: dict[str, list[Item]], train: str, name: str
) -> Finding | None:
    known = {normalised(text): k for k, text in enumerate(texts[train])}
    for k, text in enumerate(texts[name]):
        other = known.get(normalised(text))
        if other is None:
            continue
        if subject.has_oracle and subject.answers(items[train][other]) != subject.answers(items[name][k]):
            continue  # the question is the same, and what is hidden is not
        said = f"item {k} of {name} asks the words of item {other} of {train}: {text[-80:]!r}"
        return failed("splits", said, subject.recipe(items[name][k], note=said))
    return None
