"""A reward as plain functions of texts, in the form that TRL's `reward_funcs` takes.

    reward_funcs=[function("correctness + 0.1*format[boxed] if correct", verify=verify)]

where `verify(completion, **columns)` returns a `Verdict`; the columns are the data set's, `prompt` among them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from proofgym.envs.rewards.compose import Ledger
from proofgym.envs.rewards.spec import RewardSpec
from proofgym.envs.rewards.terms import Played
from proofgym.errors import BadInput, Unjudged
from proofgym.verifiers import Verdict
from proofgym.verifiers.credit import total

__all__ = ["Verify", "function", "functions", "text_of"]

Verify = Callable[..., Verdict]


def text_of(completion: Any) -> str:
    """The text of a completion: itself, or the content of its last message.

    >>> text_of([{"role": "assistant", "content": "4"}])
    '4'
    """
    if isinstance(completion, str):
        return completion
    if isinstance(completion, Sequence) and completion and isinstance(completion[-1], dict):
        return str(completion[-1].get("content") or "")
    raise BadInput(f"a completion is text or a list of messages, found {completion!r:.80}")


class function:  # noqa: N801 - it is called like one
    """A specification as one function of completions.

    Args:
        reward: What `RewardSpec.of` reads.
        verify: Judges a completion, called with its text and the data set's columns of that row.
        progress: Of training, for schedules; set it as training goes on.

    >>> tidy = function("format[boxed] + 0.5*repetition")
    >>> tidy(["so \\\\boxed{4}", "four"])
    [1.0, 0.0]
    """

    def __init__(self, reward: Any, *, verify: Verify | None = None, progress: float = 0.0) -> None:
        self.composition = RewardSpec.of(reward)
        self.verify, self.progress = verify, progress
        self.__name__ = "+".join(term.label for term in self.composition.terms)[
            :80
        ]  # what trainers write into their logs
        self._ledger = Ledger(self.composition)

    def __call__(self, completions: Sequence[Any], prompts: Sequence[Any] | None = None, **columns: Any) -> list[Any]:
        """One reward a completion; `None`, which TRL leaves out of its statistics, where nobody could judge it."""
        rows = [
            {key: column[n] for key, column in columns.items() if _is_column(column, len(completions))}
            for n in range(len(completions))
        ]
        asked = prompts if prompts is not None else [""] * len(completions)
        return [self._one(text_of(c), p, row) for c, p, row in zip(completions, asked, rows, strict=True)]

    def _one(self, text: str, prompt: Any, row: dict[str, Any]) -> float | None:
        try:
            verdict = self.verify(text, **{"prompt": prompt, **row}) if self.verify is not None else None
            own = verdict.score if verdict is not None else 0.0
            asked = prompt if isinstance(prompt, str) else ""
            played = Played(text, asked, own, (), verdict, over=True, earned=own, info=row)
            return total(self._ledger.turn(played, Ledger.fresh(), self.progress)[0])[0]
        except Unjudged:
            return None


def functions(reward: Any, *, verify: Verify | None = None) -> tuple[list[function], list[float]]:
    """One function a term, and their weights: for trainers that normalise each reward by itself.

    Gates stay in the functions. Schedules do too, so only the plain weights are handed out.

    >>> made, weights = functions("format[boxed] + 0.5*brevity[soft=10, hard=20]")
    >>> [f.__name__ for f in made], weights
    (['format.boxed', 'brevity'], [1.0, 0.5])
    """
    from dataclasses import replace

    spec = RewardSpec.of(reward)
    made = [function(RewardSpec((replace(term, weight=1.0),)), verify=verify) for term in spec.terms]
    return made, [term.weight for term in spec.terms]


def _is_column(value: Any, rows: int) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == rows
