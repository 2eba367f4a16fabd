"""Potential-based shaping: reward for coming nearer that changes what is learned first and not what is best.

F = gamma Phi(s') - Phi(s) is added to every turn's reward. Discounted by the same gamma, the sum over an episode from
s0 to sT telescopes to gamma^T Phi(sT) - Phi(s0): what lies between cancels, so no detour and no round trip pays. With
Phi = 0 in every terminal state each policy's return from s0 changes by the same -Phi(s0), and the best policies stay
the best.

**Truncation is not the end of the task**, only of our looking at it: the state that follows is an ordinary one, so its
potential stays (`at_truncation="keep"`). A learner that bootstraps with a value there gets, with the shaped value
V - Phi, exactly what it got before. Setting Phi to 0 instead would charge the last action -Phi(s) for a limit it did
not choose, and the better the state the more. A learner that does *not* bootstrap, and so takes the limit for part of
the task, is left with gamma^T Phi(sT), which pays for being stopped in a good place: harmless for steering, but no
longer neutral. For such a learner, with a fixed horizon that the policy can see, the limit *is* terminal:
`at_truncation="zero"`.

Sources: Ng, Harada and Russell 1999, equation 2 and theorem 1; potentials that change over time: Devlin and Kudenko
2012, for which the potential has to be read when a state is entered, as is done here; episodes that end:
Grzes 2017, "Reward shaping in episodic reinforcement learning".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, get_args

import gymnasium

from proofgym.envs.base import Info
from proofgym.envs.rewards.compose import own_credits
from proofgym.envs.wrappers import ForkableWrapper
from proofgym.errors import BadInput, ProofgymError, Unjudged
from proofgym.verifiers import Credit
from proofgym.verifiers.credit import total

__all__ = ["AtTruncation", "PotentialShaping"]

AtTruncation = Literal["keep", "zero"]


class PotentialShaping(ForkableWrapper[Any]):
    """Adds gamma Phi(s') - Phi(s) to every turn, as a credit `shaping` on the whole action.

    Args:
        env: Any environment.
        gamma: The learner's discount; with another one it does not telescope.
        potential: A function of the wrapped environment, read whenever a state is entered; without it
            `info["potential"]` is taken. A function that changes over time is fine.
        scale: Multiplies the potential.
        at_truncation: Whether the potential of a state in which the episode is cut off stays or counts as 0; see the
            module.
    Raises:
        BadInput: If gamma lies outside (0, 1], the scale is not finite, or `at_truncation` is unknown.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        gamma: float = 1.0,
        potential: Callable[[gymnasium.Env[Any, Any]], float] | None = None,
        scale: float = 1.0,
        at_truncation: AtTruncation = "keep",
    ) -> None:
        super().__init__(env, gamma=gamma, potential=potential, scale=scale, at_truncation=at_truncation)
        if not 0.0 < gamma <= 1.0:
            raise BadInput(f"gamma lies in (0, 1], found {gamma}")
        if not math.isfinite(scale):
            raise BadInput(f"scale is a finite number, found {scale}")
        if at_truncation not in get_args(AtTruncation):
            raise BadInput(f"at_truncation is 'keep' or 'zero', found {at_truncation!r}")
        self.gamma, self.scale, self.at_truncation = float(gamma), float(scale), at_truncation
        self._potential = potential
        self.memory = {"potential": 0.0}

    def reset(self, *, seed: int | None = None, options: Info | None = None) -> tuple[Any, Info]:
        """Ask, and read the first state's potential."""
        observation, info = self.env.reset(seed=seed, options=options)
        self.memory = {"potential": self._read(info)}
        return observation, info

    def step(self, action: str) -> tuple[Any, float, bool, bool, Info]:
        """Play one action, and pay the change of the potential besides.

        Raises:
            Unjudged: If the environment could not judge it, or the potential is not a finite number.
            BadInput: If the environment has no potential.
        """
        observation, reward, terminated, truncated, info = self.env.step(action)
        own = float(reward)
        if "unjudged" in info or not math.isfinite(own):
            return observation, own, terminated, truncated, info
        gone = terminated or (truncated and self.at_truncation == "zero")
        now = 0.0 if gone else self._read(info)
        shaped = self.gamma * now - self.memory["potential"]
        self.memory["potential"] = now
        end = len(str(action))
        credits_ = [*own_credits(info.get("credits"), own, end), Credit(0, end, shaped, "shaping")]
        value, terms = total(credits_)
        return observation, value, terminated, truncated, {**info, "credits": credits_, "reward_terms": dict(terms)}

    def _read(self, info: Info) -> float:
        if self._potential is None:
            if "potential" not in info:
                raise BadInput(
                    f"{type(self.env.unwrapped).__name__} gives no info['potential']; pass potential=, a function"
                )
            value = info["potential"]
        else:
            try:
                value = self._potential(self.env)
            except ProofgymError:
                raise
            except Exception as error:
                raise Unjudged(f"the potential failed ({type(error).__name__}: {error})") from error
        found = self.scale * float(value)
        if not math.isfinite(found):
            raise Unjudged(f"the potential is {value}")
        return found
