"""One episode as the page shows it: cut to size, its actions cut where credits begin and end, figures beside each turn.

Episodes are taken as the file has them, so that what a later version writes beside the known fields (token usage, tool
calls) is shown too. Nothing here escapes anything: the page puts every string in as text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from proofgym.bench.index import label, reward
from proofgym.bench.runs import number
from proofgym.bench.spans import pieces
from proofgym.verifiers import Credit

__all__ = ["EVERYTHING", "SAMPLE", "Cut", "shown"]


@dataclass(frozen=True, slots=True)
class Cut:
    """How much of an episode is shown: characters of one text, credits of one action, turns, and characters in all."""

    text: int
    credits: int
    turns: int
    total: int


SAMPLE = Cut(text=8_000, credits=500, turns=120, total=120_000)
EVERYTHING = Cut(text=500_000, credits=5_000, turns=5_000, total=5_000_000)


def shown(data: Mapping[str, Any], cut: Cut = SAMPLE) -> dict[str, Any]:
    """A readable episode, as JSON for the page.

    >>> turn = {"observation": "1+1?", "action": "2", "reward": 1.0, "credits": [[0, 1, 1.0, "answer", "right"]]}
    >>> page = shown({"env": "e", "task": {}, "seed": 0, "index": 3, "end": "terminated", "turns": [turn]})
    >>> page["turns"][0]["pieces"], page["label"]
    ([['2', 'good', 1.0, [0]]], 'no verdict')
    """
    task = data["task"]
    judged = [turn["verdict"] for turn in data["turns"] if turn.get("verdict")]
    total = reward(data)
    strongest = max((abs(c[2]) for turn in data["turns"] for c in turn["credits"]), default=0.0) or 1.0
    turns, room = [], cut.total
    for turn in data["turns"][: cut.turns]:
        if room <= 0:
            break
        turns.append(_turn(turn, strongest, cut))
        room -= 300 + sum(min(len(turn[key]), cut.text) for key in ("observation", "action"))
        room -= 60 * min(len(turn["credits"]), cut.credits)
    return {
        "label": label(data), "env": data["env"], "end": data["end"], "fault": str(data.get("fault", ""))[: cut.text],
        "reward": None if math.isnan(total) else total, "task": str(task.get("id", "")),
        "fingerprint": str(task.get("fingerprint", "")), "family": str(task.get("family", "")),
        "level": number(task.get("difficulty")), "split": str(task.get("split", "")),
        "seed": str(data["seed"]), "index": str(data["index"]), "sample": data.get("sample", 0),
        "source": data.get("source", "policy"), "verdict": _verdict(judged[-1], cut) if judged else None,
        "turns": turns, "allTurns": len(data["turns"]),
        "rewards": [turn["reward"] for turn in data["turns"][:2000]],
    }  # fmt: skip


def _verdict(verdict: Mapping[str, Any], cut: Cut) -> dict[str, Any]:
    parts = verdict.get("parts") or {}
    reason = str(verdict.get("reason", ""))[: cut.text]
    shown_parts = {str(name): float(value) for name, value in list(parts.items())[: cut.credits]}
    return {"status": verdict["status"], "score": float(verdict["score"]), "reason": reason, "parts": shown_parts}


def _turn(turn: Mapping[str, Any], strongest: float, cut: Cut) -> dict[str, Any]:
    observation, action = turn["observation"], turn["action"]
    credits_ = [
        Credit(start, end, float(value), str(label_), str(reason)[: cut.text])
        for start, end, value, label_, reason in turn["credits"][: cut.credits]
    ]
    terms: dict[str, float] = {}
    for credit in credits_:
        terms[credit.label] = terms.get(credit.label, 0.0) + credit.value
    cut_action = [
        [piece.text] if piece.kind == "plain" else [piece.text, piece.kind, piece.strength, list(piece.covers)]
        for piece in pieces(action[: cut.text], credits_, strongest)
    ]
    found: dict[str, Any] = {
        "observation": observation[: cut.text],
        "pieces": cut_action,
        "reward": float(turn["reward"]),
        "terms": terms,
        "credits": [[c.value, c.label, c.reason] for c in credits_],
        "tokens": len(turn.get("action_ids") or ()),
    }
    counted = {
        "observationMore": len(observation) - cut.text, "actionMore": len(action) - cut.text,
        "creditsMore": len(turn["credits"]) - cut.credits,
    }  # fmt: skip
    found |= {key: value for key, value in counted.items() if value > 0}
    if turn.get("cut"):
        found["cut"] = True
    if verdict := turn.get("verdict"):
        found["verdict"] = _verdict(verdict, cut)
    if (perplexity := _perplexity(turn.get("logprobs"))) is not None:
        found["perplexity"] = perplexity
    if version := turn.get("policy_version"):
        found["version"] = str(version)
    for key in ("usage", "tool_calls"):
        if turn.get(key):
            found[key] = _text(turn[key])[: cut.text]
    return found


def _perplexity(logprobs: Any) -> float | None:
    """How many tokens the policy hesitated between, on average, where log-probabilities were kept."""
    values = [value for value in map(number, logprobs) if value is not None] if isinstance(logprobs, list) else []
    if not values:
        return None
    return math.exp(min(700.0, max(0.0, -math.fsum(values) / len(values))))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
