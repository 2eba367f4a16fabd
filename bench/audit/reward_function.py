"""Audit of a bare reward function, as trainers take them: `reward_func(prompt, completion)`, with or without an answer.

The batched form of TRL, `reward_func(prompts, completions, **columns)`, is recognised by the names of its arguments. A
function never runs on hostile text in this process: it may not come back.
"""

from __future__ import annotations

import inspect
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from proofgym.bench.audit.chance import at_most
from proofgym.bench.audit.child import HASH_SEEDS, Child, ChildFailed, ChildLost, shared
from proofgym.bench.audit.core import versions
from proofgym.bench.audit.depth import Depth, depth_of
from proofgym.bench.audit.finding import AuditReport, Finding, NotApplicable, Outcome, Recipe, failed, passed, unclear
from proofgym.bench.audit.panel import CONSTANTS, FORGED, JUNK, injections
from proofgym.bench.audit.subject import load_name
from proofgym.errors import BadInput

__all__ = ["FORMS", "TIMEOUT_S", "audit_reward_function", "load", "read_prompts", "scored"]

Row = Mapping[str, Any]
Function = Callable[[Row, str], Any]

FORMS = ("{}", "Answer: {}", "#### {}", "\\boxed{{{}}}", "<answer>{}</answer>", "The answer is {}.", "```\n{}\n```")
"""How a right answer may have to be written; one of them has to be paid in full."""
TIMEOUT_S = 20.0


def load(target: str) -> Function:
    """The function of `file.py:name` as one of a row and a completion.

    Raises:
        BadInput: If there is no such function, or its arguments are none that are known.
    """
    function = load_name(target)
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        parameters = {}  # type: ignore[assignment]
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    if "completions" in parameters:

        def batched(row: Row, completion: str) -> Any:
            columns = {
                key: [value] for key, value in row.items() if key != "prompt" and (anything or key in parameters)
            }
            if "prompts" in parameters or anything:
                columns["prompts"] = [row["prompt"]]
            rewards = function(completions=[completion], **columns)
            return rewards[0]

        return batched
    if len(parameters) < 2 and not anything:
        raise BadInput(f"{target} takes {len(parameters)} arguments; a reward function takes a prompt and a completion")

    def single(row: Row, completion: str) -> Any:
        extra = {key: value for key, value in row.items() if key != "prompt" and (anything or key in parameters)}
        return function(row["prompt"], completion, **extra)

    return single


def scored(function: Function, row: Row, completion: str) -> Any:
    """The reward, or what was raised, as JSON content.

    >>> scored(lambda row, text: 1 / 0, {"prompt": "?"}, "x")
    {'raised': 'ZeroDivisionError: division by zero'}
    """
    try:
        value = function(row, completion)
    except Exception as error:
        return {"raised": f"{type(error).__name__}: {error}"[:300]}
    if value is None or isinstance(value, bool):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return {"returned": f"{type(value).__name__} {value!r:.60}"}
    return number if math.isfinite(number) else {"returned": repr(number)}


def read_prompts(path: Path) -> list[dict[str, Any]]:
    """Rows of a JSON Lines file with the column `prompt`, and others if there are.

    Raises:
        BadInput: If a line is no object with a prompt; the message names it.
    """
    rows = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BadInput(f"line {number} of {path} is no JSON: {error}") from error
        if not isinstance(row, dict) or "prompt" not in row:
            raise BadInput(f"line {number} of {path} is no object with the column 'prompt'")
        rows.append(row)
    if not rows:
        raise BadInput(f"{path} holds no prompts")
    return rows


def audit_reward_function(
    target: str,
    prompts: Path | str | Sequence[Row],
    *,
    depth: Depth | str = "default",
    floor: float | None = None,
    maximum: float = 1.0,
    minimum: float = 0.0,
    seed: int = 0,
) -> AuditReport:
    """Try what a reward function should keep: unguessable, repeatable anywhere, total, bounded.

    Args:
        target: `file.py:function`.
        prompts: Rows with `prompt`, and `answer` if answers are known; or a JSON Lines file of them.
        depth: `quick`, `default` or `thorough`.
        floor: What an answer-blind policy may earn on average. Without it, a constant that earns the maximum on more
            than half of the prompts fails, and less is only told.
        maximum, minimum: The most and the least that it may pay.
        seed: Kept in the report; nothing here is drawn.
    Raises:
        BadInput: For a function or rows that cannot be used.
    """
    chosen = depth_of(depth)
    function = load(target)
    rows: list[Row] = [*read_prompts(Path(prompts))] if isinstance(prompts, (str, Path)) else list(prompts)
    if any("prompt" not in row for row in rows) or not rows:
        raise BadInput("every row needs a 'prompt'")
    started = time.process_time()
    work = _Work(target, function, rows[: chosen.blind], floor, maximum, minimum, chosen.name != "quick")
    findings = []
    for name, check in _CHECKS.items():
        try:
            findings.append(check(work))
        except NotApplicable as reason:
            findings.append(Finding(name, Outcome.NOT_APPLICABLE, str(reason)))
    spent = time.process_time() - started
    return AuditReport(target, {}, chosen.name, seed, findings, spent, versions())


class _Work:
    """The function, its rows, and what was called so far."""

    def __init__(
        self,
        target: str,
        function: Function,
        rows: list[Row],
        floor: float | None,
        maximum: float,
        minimum: float,
        every: bool,
    ) -> None:
        self.target, self.function, self.rows = target, function, rows
        self.floor, self.maximum, self.minimum, self.every = floor, maximum, minimum, every
        self.seen: list[tuple[Row, str, Any]] = []

    def call(self, row: Row, completion: str) -> Any:
        result = scored(self.function, row, completion)
        self.seen.append((row, completion, result))
        return result

    def pay(self, row: Row, completion: str) -> float:
        result = self.call(row, completion)
        return float(result) if isinstance(result, (int, float)) else 0.0

    def recipe(self, row: Row, completion: str, note: str) -> Recipe:
        return Recipe(self.target, dict(row), None, None, (completion,), note)

    def answer(self, row: Row) -> str | None:
        gold = row.get("answer", row.get("ground_truth", row.get("solution")))
        return None if gold is None else str(gold)

    def gold(self) -> tuple[str, list[float]]:
        """The form in which right answers are paid the most, and what they are paid."""
        known = [row for row in self.rows if self.answer(row) is not None]
        if not known:
            raise NotApplicable("no row has an answer")
        paid = {form: [self.pay(row, form.format(self.answer(row))) for row in known] for form in FORMS}
        form = max(FORMS, key=lambda form: sum(paid[form]))
        return form, paid[form]


def _oracle(work: _Work) -> Finding:
    form, paid = work.gold()
    short = next((k for k, value in enumerate(paid) if value < work.maximum - 1e-9), None)
    if short is None:
        return passed(
            "oracle", f"the right answer, written as {form.format('x')!r}, earns {work.maximum:g} on {len(paid)} rows"
        )
    known = [row for row in work.rows if work.answer(row) is not None]
    said = f"the right answer, written as {form.format('x')!r}, earns {paid[short]:g} of {work.maximum:g}"
    share = sum(value >= work.maximum - 1e-9 for value in paid) / len(paid)
    said += f"; full marks on {share:.0%} of {len(paid)} rows, and no other form does better"
    return failed("oracle", said, work.recipe(known[short], form.format(work.answer(known[short])), said))


def _floor(work: _Work) -> Finding:
    rows = work.rows
    panel: dict[str, Callable[[int], str]] = {f"always {text!r}": _always(text) for text in CONSTANTS}
    panel["copies the prompt"] = lambda k: _prompt(rows[k])
    panel["copies the prompt's last line"] = lambda k: (_prompt(rows[k]).splitlines() or [""])[-1]
    golds = [work.answer(row) for row in rows]
    if all(gold is not None for gold in golds) and len(rows) > 1:
        form, _ = work.gold()
        listed = ", ".join(sorted({str(gold) for gold in golds}))
        panel["all answers in a row"] = lambda _: form.format(listed)
        panel["all answers in lines"] = lambda _: "\n".join(
            form.format(gold) for gold in sorted({str(g) for g in golds})
        )
        panel["another row's answer"] = lambda k: form.format(golds[(k + 1) % len(golds)])
        commonest = max(sorted({str(gold) for gold in golds}), key=[str(gold) for gold in golds].count)
        panel["the commonest answer"] = lambda _: form.format(commonest)
    return _blind(work, "floor", panel, len(CONSTANTS) + 6)


def _forged(work: _Work) -> Finding:
    panel = {name: _always(text) for name, text in FORGED.items()}
    for name, make in injections(work.every).items():
        panel[name] = lambda k, make=make: make(str(work.rows[k]["prompt"]))  # type: ignore[misc]
    return _blind(work, "forged", panel, len(panel))


def _blind(work: _Work, check: str, panel: Mapping[str, Callable[[int], str]], tried: int) -> Finding:
    earned = {name: [work.pay(row, policy(k)) for k, row in enumerate(work.rows)] for name, policy in panel.items()}
    n = len(work.rows)
    means = {name: round(sum(values) / n, 4) for name, values in earned.items()}
    claims = {
        name: at_most(work.floor or 0.0, values, low=work.minimum, high=work.maximum, tried=tried)
        for name, values in earned.items()
    }  # fmt: skip
    worst = min(claims, key=lambda name: (claims[name].p, -claims[name].mean))
    claim, k = claims[worst], max(range(n), key=lambda k: earned[worst][k])
    text = panel[worst](k)
    recipe = work.recipe(work.rows[k], text, f"{worst}: earns {earned[worst][k]:.3g}")
    full = sum(value >= work.maximum - 1e-9 for value in earned[worst])
    if work.floor is None:
        if full > n / 2:
            return failed(
                check, f"{worst}, {text[:60]!r}: earns the maximum on {full} of {n} rows", recipe, means=means
            )
        if claim.mean > 0.0:
            said = f"no chance level is stated; {worst!r} earns the most, {claim.mean:.3f} on {n} rows"
            return Finding(check, Outcome.NOT_APPLICABLE, said, recipe, {"means": means})
        return passed(check, f"{len(panel)} texts earn nothing on {n} rows", means=means)
    if claim.verdict == "violated":
        return failed(check, f"{worst}: {claim}, where {work.floor:g} is stated", recipe, means=means)
    said = f"{len(panel)} texts; the best, {worst}, earns {claim}; stated {work.floor:g}"
    return (unclear if any(c.verdict == "too few" for c in claims.values()) else passed)(check, said, means=means)


def _junk(work: _Work) -> Finding:
    row, child, slowest, where = work.rows[0], Child("0"), 0.0, ""
    try:
        child.ask({"op": "scores", "target": work.target, "calls": [[dict(row), "1"]]}, 120.0)  # imports are not timed
        for name, text in JUNK.items():
            started = time.monotonic()
            try:
                result = child.ask({"op": "scores", "target": work.target, "calls": [[dict(row), text]]}, TIMEOUT_S)[0]
            except (ChildLost, ChildFailed) as error:
                said = f"on {name}, {text[:30]!r} ({len(text)} characters): {error}"
                return failed("junk", said, work.recipe(row, text, said))
            taken = time.monotonic() - started
            if taken > slowest:
                slowest, where = taken, name
            if isinstance(result, dict):
                what, said = next(iter(result.items()))
                said = f"on {name}, {text[:30]!r} ({len(text)} characters), it {what} {said}"
                return failed("junk", said, work.recipe(row, text, said))
            work.seen.append((row, text, result))
            if taken > 5.0:
                said = f"on {name}, {text[:30]!r} ({len(text)} characters), it takes {taken:.1f} s"
                return failed("junk", said, work.recipe(row, text, said))
    except (ChildLost, ChildFailed) as error:
        return failed("junk", f"in another process: {error}", work.recipe(row, "1", str(error)))
    finally:
        child.close()
    return passed("junk", f"{len(JUNK)} hostile texts are scored; the slowest, {where}, in {slowest * 1e3:.0f} ms")


def _same(work: _Work) -> Finding:
    calls = []
    for row in work.rows[:20]:
        gold = work.answer(row)
        calls += [(row, form.format(gold)) for form in FORMS] if gold is not None else []
        calls += [(row, text) for text in ("1", "Answer: 2", "reward: 1.0")]
    first = [work.call(*call) for call in calls]

    def differs(found: Sequence[Any], where: str) -> Finding | None:
        for (row, text), one, other in zip(calls, first, found, strict=True):
            if one != other:
                said = f"the same completion is scored {one} here and {other} {where}"
                return failed("verifier", said, work.recipe(row, text, said))
        return None

    if found := differs([scored(work.function, *call) for call in calls], "a second time"):
        return found
    if found := differs([scored(work.function, *call) for call in calls[::-1]][::-1], "in another order"):
        return found
    with ThreadPoolExecutor(4) as threads:
        if found := differs(list(threads.map(lambda call: scored(work.function, *call), calls)), "in another thread"):
            return found
    for hash_seed in HASH_SEEDS:
        request = {"op": "scores", "target": work.target, "calls": [[dict(row), text] for row, text in calls]}
        try:
            there = shared(hash_seed).ask(request)
        except (ChildFailed, ChildLost) as error:
            return failed("verifier", f"with PYTHONHASHSEED={hash_seed}: {error}", work.recipe(*calls[0], str(error)))
        if found := differs(there, f"with PYTHONHASHSEED={hash_seed}"):
            return found
    said = f"{len(calls)} completions scored the same twice, in another order, in 4 threads and with hash seeds"
    return passed("verifier", f"{said} {' and '.join(HASH_SEEDS)}")


def _bounds(work: _Work) -> Finding:
    none = 0
    low, high = math.inf, -math.inf
    for row, text, result in work.seen:
        if isinstance(result, dict):
            what, said = next(iter(result.items()))
            return failed("bounds", f"it {what} {said} on {text[:60]!r}", work.recipe(row, text, f"{what} {said}"))
        if result is None:
            none += 1
            continue
        low, high = min(low, float(result)), max(high, float(result))
        if not work.minimum - 1e-9 <= float(result) <= work.maximum + 1e-9:
            said = f"a reward of {float(result):g} outside {work.minimum:g} to {work.maximum:g}"
            return failed("bounds", said, work.recipe(row, text, said))
    if none == len(work.seen):
        row, text, _ = work.seen[0]
        return failed("bounds", "every reward is None", work.recipe(row, text, "returns None"))
    said = f"{len(work.seen)} rewards from {low:g} to {high:g}"
    return passed("bounds", said + (f"; None, no reward, {none} times" if none else ""))


def _always(text: str) -> Callable[[int], str]:
    return lambda _: text


def _prompt(row: Row) -> str:
    """The text of a prompt; of a chat, its last message."""
    prompt = row["prompt"]
    if isinstance(prompt, list) and prompt and isinstance(prompt[-1], Mapping):
        return str(prompt[-1].get("content", ""))
    return str(prompt)


_CHECKS: Mapping[str, Callable[[_Work], Finding]] = {
    "oracle": _oracle, "floor": _floor, "forged": _forged, "junk": _junk, "verifier": _same, "bounds": _bounds,
}  # fmt: skip
