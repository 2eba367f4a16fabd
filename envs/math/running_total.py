"""Ten dependent steps on one line: the smallest task on which step credit can be seen to matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from proofgym.envs.base import TurnResult, VerifiableEnv
from proofgym.errors import BadInput
from proofgym.verifiers.math.running_total import RunningTotalVerifier

__all__ = ["RunningTotal"]

Style = Literal["bare", "prose"]
_STYLES = ("bare", "prose")

_PROSE = (
    "Keep a running total, modulo 10 (only its last digit). Start from {start} and add these digits one at a time: "
    "{adds}. Answer with the {steps} totals, one digit each, in order, and nothing else.\n"
    "For example, starting from 2 and adding 9 4 4, the answer is 159."
)


class RunningTotal(VerifiableEnv):
    """Asks for ten running totals modulo 10 and pays 0.1 for each that follows from the one *written* before it.

    Observation: `bare`, the eleven digits and nothing else, such as `31415926535`; `prose`, the task explained.
    Action: ten digits; `prose` allows blanks and newlines around and between them.
    Episode: one turn, always terminated, never truncated.

    A wrong digit followed by nine sound steps earns 0.9, on purpose: each step is judged by itself, so the reward says
    where the mistake is. The verdict is `correct` only when all of it is right. An answer that goes on after the last
    step loses one step's pay. `level` is not used: `steps` is the size.

    Args:
        style: How the task is put: `bare` for a small character-level model, `prose` for a chat model.
        steps: Dependent steps, from 1 to 200.
        largest: The largest digit that is added. Below 9 the total moves by small strides, which a model without any
            training can find in a minute; with 9, nothing is learnable before both digits are looked at. The floor is
            1 / (largest + 1): a policy that writes one digit ten times is right where a 0 is added.
    Raises:
        BadInput: For another style, number of steps or largest digit.
    """

    family: ClassVar[str] = "running_total"
    floor: float = 0.1
    observation_limit: ClassVar[int] = 1024
    action_limit: ClassVar[int] = 1024

    def __init__(self, *, style: Style = "prose", steps: int = 10, largest: int = 9, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if style not in _STYLES:
            raise BadInput(f"style is one of {', '.join(_STYLES)}, found {style!r}")
        if not 1 <= steps <= 200:
            raise BadInput(f"steps lies in 1 to 200, found {steps!r}")
        if not 1 <= largest <= 9:
            raise BadInput(f"largest lies in 1 to 9, found {largest!r}")
        self.style, self.steps, self.largest = style, steps, largest
        self.floor = 1.0 / (largest + 1)
        self._digits: tuple[int, ...] = ()

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        start, adds = int(rng.integers(10)), rng.integers(self.largest + 1, size=self.steps).tolist()
        return {"digits": "".join(map(str, [start, *adds]))}

    def difficulty(self, instance: Mapping[str, Any]) -> float:
        """The share of steps that pass 10 and have to drop a carry."""
        total, wraps = 0, 0
        digits = _read(instance)
        for k, digit in enumerate(digits):
            wraps += k > 0 and total + digit > 9
            total = (total + digit) % 10
        return wraps / (len(digits) - 1)

    def begin(self, instance: Mapping[str, Any]) -> str:
        self._digits = _read(instance)
        if self.style == "bare":
            return "".join(map(str, self._digits))
        start, *adds = self._digits
        return _PROSE.format(start=start, adds=" ".join(map(str, adds)), steps=len(adds))

    def turn(self, action: str) -> TurnResult:
        verdict, credits_ = RunningTotalVerifier(self._digits, spaced=self.style == "prose").grade(action)
        return TurnResult("", credits_, verdict, terminated=True)

    def save(self) -> dict[str, Any]:
        return {}

    def load(self, data: Mapping[str, Any]) -> None:
        pass

    def oracle(self) -> str:
        totals = np.cumsum(self._digits)[1:] % 10
        return "".join(map(str, totals.tolist()))

    def cheats(self) -> Sequence[str]:
        return (*super().cheats(), "٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９", "²³¹", "-1" * 10, "[0-9]{10}", "x" * 10)


def _read(instance: Any) -> tuple[int, ...]:
    digits = instance.get("digits") if isinstance(instance, Mapping) else None
    if not (isinstance(digits, str) and 2 <= len(digits) <= 201 and set(digits) <= set("0123456789")):
        raise BadInput(f"an instance is {{'digits': '314'}}, a start and then 1 to 200 to add; found {instance!r:.80}")
    return tuple(map(int, digits))
