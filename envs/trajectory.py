"""The one trajectory format: rollouts, training, evaluation, replay and the viewer read and write this.

An episode is one line of JSON. Token fields are empty where no tokens were sampled (a person, a script, an API that
does not return them). Sampled tokens are stored as sampled and never made again from text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from proofgym.errors import BadInput
from proofgym.verifiers import Credit, Verdict

__all__ = ["End", "Lines", "Source", "Trajectory", "Turn", "read", "write"]

End = Literal["terminated", "truncated", "unjudged"]
_ENDS = ("terminated", "truncated", "unjudged")
Source = Literal["policy", "expert", "replay"]
_SOURCES = ("policy", "expert", "replay")


@dataclass(slots=True)
class Turn:
    """One action and what came of it.

    Args:
        observation: What the policy had been shown since its last action.
        action: The text that it wrote.
        reward: Reward units; the sum of the credits' values.
        credits: On character spans of `action`.
        verdict: If this turn was judged.
        prompt_ids: Tokens appended to the context before sampling (all of the context, in the first turn).
        action_ids: Tokens sampled, the end-of-turn token included if it was sampled.
        logprobs: One per sampled token, under the policy and temperature that sampled it, in nats.
        token_ends: One per sampled token: how many characters of `action` are written once it is.
        policy_version: How many updates the sampling policy had seen.
        cut: The action ended because it reached the token limit.
        anchor: A key of the state in which the action was chosen; empty means that the observation is the key.
        nodes: Of tree rollouts, one per sampled token: the tree node it belongs to. Numbers are unique among the
            attempts at one item; attempts that share a token share its node, so each is a path and parents are implied.
        tool_calls: Where the policy called tools: `id`, `name` and `arguments` as it wrote them; `action` is what the
            environment was given for them.
        usage: As an endpoint counted them: `prompt_tokens`, `completion_tokens`, and `cost_usd` if a price is known.
    """

    observation: str
    action: str
    reward: float
    credits: list[Credit] = field(default_factory=list)
    verdict: Verdict | None = None
    prompt_ids: list[int] = field(default_factory=list)
    action_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    token_ends: list[int] = field(default_factory=list)
    policy_version: int = 0
    cut: bool = False
    anchor: str = ""
    nodes: list[int] = field(default_factory=list)
    tool_calls: list[dict[str, str]] = field(default_factory=list)
    usage: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary that `from_json` reads back."""
        return {
            "observation": self.observation,
            "action": self.action,
            "reward": self.reward,
            "credits": [credit.to_json() for credit in self.credits],
            "verdict": self.verdict.to_json() if self.verdict else None,
            "prompt_ids": self.prompt_ids,
            "action_ids": self.action_ids,
            "logprobs": self.logprobs,
            "token_ends": self.token_ends,
            "policy_version": self.policy_version,
            "cut": self.cut,
            **({"anchor": self.anchor} if self.anchor else {}),
            **({"nodes": self.nodes} if self.nodes else {}),
            **({"tool_calls": self.tool_calls} if self.tool_calls else {}),
            **({"usage": self.usage} if self.usage else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Turn:
        """Read what `to_json` wrote."""
        rest = {key: value for key, value in data.items() if key not in ("credits", "verdict")}
        verdict = Verdict.from_json(data["verdict"]) if data.get("verdict") else None
        return cls(**rest, credits=[Credit.from_json(credit) for credit in data["credits"]], verdict=verdict)


@dataclass(slots=True)
class Trajectory:
    """One episode of one policy on one task.

    Args:
        env: The environment's id.
        task: As `info["task"]` shows it; never the answer.
        seed, index: The item: `reset_item(env, seed, index)` asks it again.
        sample: Which of the group's attempts at the same item.
        turns: In order.
        end: How it ended. An `unjudged` episode has no score: it is masked everywhere, and counted.
        fault: Why it could not be judged; empty otherwise.
        source: Who wrote it: the policy itself, an expert (its actions may have no log-probabilities), or a replay of
            an earlier policy.
    """

    env: str
    task: dict[str, Any]
    seed: int
    index: int
    sample: int = 0
    turns: list[Turn] = field(default_factory=list)
    end: End = "truncated"
    fault: str = ""
    source: Source = "policy"

    @property
    def unjudged(self) -> bool:
        """Whether nobody could judge it."""
        return self.end == "unjudged"

    @property
    def reward(self) -> float:
        """The sum of the turns' rewards; `nan` for an unjudged episode, so that no mean can swallow it unseen."""
        return math.nan if self.unjudged else math.fsum(turn.reward for turn in self.turns)

    @property
    def verdict(self) -> Verdict | None:
        """The last verdict given."""
        return next((turn.verdict for turn in reversed(self.turns) if turn.verdict), None)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary that `from_json` reads back."""
        return {
            "env": self.env,
            "task": self.task,
            "seed": self.seed,
            "index": self.index,
            "sample": self.sample,
            "end": self.end,
            "fault": self.fault,
            **({"source": self.source} if self.source != "policy" else {}),
            "turns": [turn.to_json() for turn in self.turns],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Trajectory:
        """Read what `to_json` wrote.

        Raises:
            BadInput: If a field is missing, unknown or of the wrong kind.
        """
        try:
            if data["end"] not in _ENDS:
                raise BadInput(f"an episode ends as one of {', '.join(_ENDS)}, found {data['end']!r}")
            if data.get("source", "policy") not in _SOURCES:
                raise BadInput(f"an episode comes from one of {', '.join(_SOURCES)}, found {data['source']!r}")
            return cls(**{**data, "turns": [Turn.from_json(turn) for turn in data["turns"]]})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadInput(f"not an episode ({type(error).__name__}: {error})") from error

    def line(self) -> str:
        """The episode as one line of JSON, without its newline.

        Raises:
            ValueError: If a number is not finite; JSON has no word for it and no reader could trust it.
        """
        return json.dumps(self.to_json(), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def write(path: Path, episodes: Iterable[Trajectory]) -> None:
    """Append episodes to a JSON Lines file, creating it and its folder where needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8", errors="surrogatepass") as file:
        for episode in episodes:
            file.write(episode.line() + "\n")


@dataclass(slots=True)
class Lines:
    """The episodes of a file, read lazily, and what could not be read.

    >>> lines = Lines(Path("no-such-file.jsonl"))
    >>> list(lines)
    Traceback (most recent call last):
    proofgym.errors.BadInput: no episodes at no-such-file.jsonl: the file does not exist
    """

    path: Path
    broken: list[int] = field(default_factory=list)
    """Line numbers, counted from 1, that hold no episode. A half-written or damaged line loses that line only."""

    def __iter__(self) -> Iterator[Trajectory]:
        if not self.path.is_file():
            raise BadInput(f"no episodes at {self.path}: the file does not exist")
        self.broken.clear()
        with self.path.open("rb") as file:  # decoded line by line, so that bytes that are no text cost one line too
            for number, line in enumerate(file, start=1):
                try:
                    episode = Trajectory.from_json(json.loads(line.decode("utf-8", "surrogatepass")))
                except (ValueError, RecursionError):  # the decoder's, JSON's own and BadInput alike
                    self.broken.append(number)
                else:
                    yield episode


def read(path: Path) -> tuple[list[Trajectory], list[int]]:
    """All episodes of a file, and the numbers of the lines that hold none."""
    lines = Lines(path)
    return list(lines), lines.broken
