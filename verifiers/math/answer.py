"""Judges a final answer: extraction, reading, the fast path, and the symbolic workers for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache

from proofgym.errors import Unjudged
from proofgym.verifiers.math.choices import choose
from proofgym.verifiers.math.compare import Comparer
from proofgym.verifiers.math.extract import Place, extract
from proofgym.verifiers.math.identity import NeedsWorker
from proofgym.verifiers.math.policy import STRICT, MathPolicy
from proofgym.verifiers.math.reading import Reading, plain_integer, read, squeeze, unwrap
from proofgym.verifiers.math.shapes import unfinished
from proofgym.verifiers.math.tree import Node, TooBig, Unreadable, dumps
from proofgym.verifiers.verdict import Verdict

__all__ = ["find_answer", "verify", "verify_answer"]

_RESPONSE_FACTOR = 50


def verify(
    gold: str, response: str, *, policy: MathPolicy = STRICT, choices: Mapping[str, str] | None = None
) -> Verdict:
    """Judge a model's text: find its final answer and compare it with the gold answer.

    Args:
        gold: The right answer, or a worked solution that ends in it as `\\\\boxed{...}` or `#### ...`.
        response: What the model wrote.
        policy: The conventions.
        choices: The options of a multiple-choice question, from capital letter to text.
    Raises:
        Unjudged: If the gold answer cannot be read, or nothing decides.

    >>> verify("1/2", "Half of it, so the answer is $0.5$.").correct
    True
    >>> verify("2", "It is \\\\boxed{2} or \\\\boxed{3}.").reason
    'it hedges between several answers'
    """
    gold = _gold_answer(gold)
    if len(response) > _RESPONSE_FACTOR * policy.max_chars:
        _gold_reading(gold, policy)
        return Verdict.limit(
            f"at most {_RESPONSE_FACTOR * policy.max_chars} characters are read, found {len(response)}"
        )
    if (
        choices is None
        and len(response) <= 2000
        and "\\boxed" not in response
        and squeeze(unwrap(response)) == squeeze(unwrap(gold)) != ""
    ):
        return verify_answer(gold, gold, policy=policy)
    place = find_answer(response)
    if not place.text:
        _gold_reading(gold, policy)
        return Verdict.malformed(place.reason)
    return verify_answer(gold, place.text, policy=policy, choices=choices)


def find_answer(response: str) -> Place:
    """Where the final answer stands in a model's text; see `extract`."""
    return extract(response)


def verify_answer(
    gold: str, answer: str, *, policy: MathPolicy = STRICT, choices: Mapping[str, str] | None = None
) -> Verdict:
    """Compare two bare answers.

    Args:
        gold, answer: In LaTeX, plain or Unicode notation.
        policy: The conventions.
        choices: The options of a multiple-choice question; the letter answers its text and the other way round.
    Raises:
        Unjudged: If the gold answer cannot be read, or nothing decides.

    >>> verify_answer("(-\\\\infty, 3)", "x < 3").correct, verify_answer("1/2^{99}", "1/2^{98}").correct
    (True, False)
    """
    if choices is not None:
        return choose(gold, answer, choices, lambda text, found: verify_answer(text, found, policy=policy))
    first, second = plain_integer(gold), plain_integer(answer)
    if first is not None and second is not None:
        return Verdict.right() if first == second else Verdict.wrong("another integer")
    wanted = _gold_reading(gold, policy)
    if len(answer) > policy.max_chars:
        return Verdict.limit(f"an answer has at most {policy.max_chars} characters, found {len(answer)}")
    try:
        found = _read(answer, policy.letter_case)
    except TooBig as error:
        return Verdict.limit(f"the answer is too big: {error}")
    except Unreadable as error:
        return Verdict.malformed(f"the answer cannot be read: {error}")
    return _letters(wanted, found, policy)


def _read(text: str, case: bool) -> Reading:
    try:
        return read(text, case=case)
    except RecursionError:
        raise TooBig("it nests too deep") from None


@lru_cache(maxsize=2048)
def _cached(gold: str, case: bool) -> Reading | str:
    try:
        return _read(gold, case)
    except Unreadable as error:
        return str(error)


def _gold_answer(gold: str) -> str:
    if "\\boxed" in gold or "####" in gold:
        place = extract(gold)
        return place.text or gold
    return gold


def _gold_reading(gold: str, policy: MathPolicy) -> Reading:
    if len(gold) > policy.max_chars:
        raise Unjudged(f"the gold answer has more than {policy.max_chars} characters")
    reading = _cached(gold, policy.letter_case)
    if isinstance(reading, str):
        raise Unjudged(f"the gold answer {gold[:60]!r} cannot be read: {reading}")
    return reading


def _same_text(wanted: Reading, policy: MathPolicy) -> Verdict:
    """Two answers written alike; but one that contradicts itself is no gold."""
    if wanted.mathematics and wanted.node.op == "rel" and not wanted.node.has("sym", "apply"):
        return _decide(wanted.node, wanted.node, policy)
    return Verdict.right("written alike")


def _letters(wanted: Reading, found: Reading, policy: MathPolicy) -> Verdict:
    """Multiple choice: a letter, its content, or both, which have to agree."""
    if wanted.letter and found.letter:
        if wanted.letter != found.letter:
            return Verdict.wrong(f"it chooses {found.letter}")
    elif wanted.letter and _is_choice(found.node):
        return Verdict.right("the letter") if found.node.value == wanted.letter else Verdict.wrong("another letter")
    elif found.letter and _is_choice(wanted.node):
        return Verdict.right("the letter") if wanted.node.value == found.letter else Verdict.wrong("another letter")
    if wanted.plain and wanted.plain == found.plain:
        return _same_text(wanted, policy)
    if not wanted.mathematics or not found.mathematics:
        if wanted.node.key() == found.node.key():
            return Verdict.right("the same words")
        if wanted.mathematics:
            return Verdict.malformed("the answer cannot be read as mathematics")
        return Verdict.wrong("not the words of the answer")
    return _decide(wanted.node, found.node, policy)


def _is_choice(node: Node) -> bool:
    return node.op == "sym" and len(node.value) == 1 and node.value in "ABCDEFGHIJ"


def _decide(gold: Node, answer: Node, policy: MathPolicy) -> Verdict:
    left = unfinished(answer) - unfinished(gold) if policy.evaluated else frozenset()
    if left:
        return Verdict.wrong(f"it is not carried out: {', '.join(sorted(left))}")
    try:
        same = Comparer(policy, deep=False).same(gold, answer)
        return Verdict.right() if same else Verdict.wrong("not the answer")
    except (NeedsWorker, Unreadable, RecursionError):
        pass  # whose fault it is, the worker finds out
    from proofgym.verifiers.math.workers import POOL

    reply = POOL.ask({"gold": dumps(gold), "answer": dumps(answer), "policy": asdict(policy)}, policy.budget_s)
    kind, why = reply.get("kind"), str(reply.get("why", ""))
    if kind == "same":
        return Verdict.right(why)
    if kind == "different":
        return Verdict.wrong(why or "not the answer")
    if kind == "answer":
        return Verdict.malformed(f"the answer cannot be read: {why}")
    if kind == "limit" or (kind in ("timeout", "memory") and _to_blame(gold, answer)):
        return Verdict.limit(f"the answer is too big: {why}")
    raise Unjudged(f"not decided: {why}")


def _to_blame(gold: Node, answer: Node) -> bool:
    """Whether it is the answer that made the work long.

    It is if it leaves an integral, a series or an inequality to be worked out where the gold answer has none, if its
    powers are far higher, or if it is far longer.
    """
    for ops in (("int", "lim"), ("sum", "prod"), ("rel", "setof")):
        if answer.has(*ops) and not gold.has(*ops):
            return True
    if _highest_power(answer) > max(20, 2 * _highest_power(gold)):
        return True
    return sum(1 for _ in answer.walk()) > 4 * sum(1 for _ in gold.walk()) + 60


def _highest_power(node: Node) -> int:
    exponents = [part.args[1] for part in node.walk() if part.op == "pow"]
    return max((int(abs(exponent.value)) for exponent in exponents if exponent.op == "num"), default=1)
