"""Our environments inside OpenRLHF: a reward function, the same over HTTP, and an agent for many turns.

The label of a row is our reference to its item, as JSON text (`proofgym export --format openrlhf` writes it). OpenRLHF
sums rewards over an episode, and that is said once.

It has no mask for one episode. What it has is a filter of groups by their mean score
(`--algo.dynamic_filtering_enable`), and a NaN never passes it: the whole group is dropped and another prompt drawn. So
with `unjudged="nan"` an unjudged episode costs its group. With `unjudged="raise"`, the default since the filter is off
by default, it stops the run. Without the filter a NaN would spread over the batch: never choose `nan` alone. Written
against OpenRLHF 0.11.2; no version is pinned, and it is imported where the agent is first used.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from proofgym.adapters.episode import Episode, Outcome
from proofgym.adapters.rows import Row, judge_row
from proofgym.adapters.said import said_once
from proofgym.agents.tokens import ChatFormat
from proofgym.errors import BadInput, MissingExtra, ProofgymError, Unjudged, need

# `AgentExecutor` and `AgentInstance` belong here too; they are made when first asked for, at the end.
__all__ = ["answer", "make_reward_func", "reward_func", "score", "serve"]

OnUnjudged = Literal["raise", "nan"]
_BODY_LIMIT = 64 * 2**20  # bytes of one request


def score(
    queries: Sequence[str], prompts: Sequence[str], labels: Sequence[str], *, unjudged: OnUnjudged = "raise"
) -> dict[str, Any]:
    """What each response earns, as plain lists.

    Args:
        queries: Prompt and response, as text; OpenRLHF decodes them with the special tokens in.
        prompts: The prompts alone.
        labels: Our references, as JSON text.
        unjudged: See the head of the module.
    Returns:
        `rewards` and `scores` in reward units, and `extra_logs` with `acc` and `credits`, all one per response.
    Raises:
        Unjudged: If nobody could judge a response and `unjudged` is `raise`.
        BadInput: If a label is not one of ours.
    """
    outcomes = [
        _judged(query[len(prompt) :] if query.startswith(prompt) else query, label, unjudged)
        for query, prompt, label in zip(queries, prompts, labels, strict=True)
    ]
    rewards = [outcome.reward for outcome in outcomes]
    logs = {
        "acc": [_acc(outcome) for outcome in outcomes],
        "credits": [float(len(o.credits)) for o in outcomes],
    }
    return {"rewards": rewards, "scores": list(rewards), "extra_logs": logs}


def _acc(outcome: Outcome) -> float:
    """1 for full marks; an unjudged answer is no wrong one in a statistic either."""
    if outcome.unjudged is not None:
        return math.nan
    return float(outcome.verdict is not None and outcome.verdict.correct)


def _judged(text: str, label: str, unjudged: OnUnjudged) -> Outcome:
    row = _row(label)
    outcome = judge_row(row, _plain(text))
    if outcome.unjudged is not None:
        outcome = judge_row(row, _plain(text))  # a sandbox that died is a new one the second time
    if outcome.unjudged is not None:
        _fault(row, outcome.unjudged, unjudged)
    if not outcome.done:
        said_once(
            f"openrlhf.turns.{row.env}",
            f"{row.env} takes several turns, and a reward function judges the first one only: use AgentExecutor",
        )
    _lost(row.env, len(outcome.credits))
    return outcome


def _row(label: str) -> Row:
    try:
        return Row.from_json(json.loads(label))
    except ValueError as error:
        raise BadInput(f"the label is not a reference to one of our items ({error}); export the rows again") from error


def _plain(text: str) -> str:
    """A response without the end-of-turn marks that OpenRLHF leaves in.

    >>> _plain("Answer: 4<|im_end|>\\n<|endoftext|>")
    'Answer: 4'
    """
    for _ in range(8):
        cut = text.rstrip()
        mark = next((mark for mark in _MARKS if cut.endswith(mark)), None)
        if mark is None:
            break
        text = cut.removesuffix(mark)
    return text


_MARKS = ("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "</s>", "<eos>", "<end_of_turn>", "<|end|>")


def _fault(row: Row, reason: str, unjudged: OnUnjudged) -> None:
    if unjudged == "raise":
        raise Unjudged(
            f"{row.env}, seed {row.seed}, index {row.index} could not be judged ({reason}); OpenRLHF can leave "
            "out whole groups only: enable its dynamic filtering and choose unjudged='nan'"
        )
    said_once("openrlhf.unjudged", f"an episode could not be judged and gets NaN, which drops its group: {reason}")


def _lost(env: str, paid: int) -> None:
    if paid > 1:
        said_once("openrlhf.scalar", f"OpenRLHF takes one scalar an episode: {paid} step rewards of {env} were summed")


# A file for --reward.remote_url ---------------------------------------------------------------------------------------


def make_reward_func(unjudged: OnUnjudged = "raise") -> Callable[..., dict[str, Any]]:
    """A `reward_func(queries, prompts, labels)` that answers in tensors, as a reward file must."""

    def reward_func(queries: Sequence[str], prompts: Sequence[str], labels: Sequence[str]) -> dict[str, Any]:
        torch = need("torch", "train")
        found = score(queries, prompts, labels, unjudged=unjudged)
        return {
            "rewards": torch.tensor(found["rewards"]),
            "scores": torch.tensor(found["scores"]),
            "extra_logs": {key: torch.tensor(values) for key, values in found["extra_logs"].items()},
        }

    return reward_func


reward_func = make_reward_func()


# An address for --reward.remote_url -----------------------------------------------------------------------------------


def answer(body: bytes, *, unjudged: OnUnjudged = "raise") -> tuple[int, bytes]:
    """Answer one POST of OpenRLHF: the status and a body of JSON. For any web framework; `serve` uses it too.

    400 for a body that is no request, 503 for what could not be judged: OpenRLHF tries again, five times in all.
    """
    try:
        asked = json.loads(body)
        found = score(asked["query"], asked["prompts"], asked["labels"], unjudged=unjudged)
    except Unjudged as error:
        return 503, json.dumps({"error": str(error)}).encode()
    except (ProofgymError, ValueError, KeyError, TypeError, RecursionError) as error:
        return 400, json.dumps({"error": f"{type(error).__name__}: {error}"}).encode()
    # One query is the rule, and OpenRLHF takes what it finds under each key: a number for one, a list for many.
    if len(found["rewards"]) == 1:
        found = {
            "rewards": found["rewards"][0], "scores": found["scores"][0],
            "extra_logs": {key: values[0] for key, values in found["extra_logs"].items()},
        }  # fmt: skip
    return 200, json.dumps(found).encode()


def serve(host: str = "127.0.0.1", port: int = 8000, *, unjudged: OnUnjudged = "raise") -> ThreadingHTTPServer:
    """A reward server of the standard library, bound and ready; call `serve_forever()` on it.

    It judges for whoever reaches it, so keep it on the cluster's own network.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if not 0 < length <= _BODY_LIMIT:
                status, body = 413, b'{"error": "a body of 1 byte to 64 MiB is read"}'
            else:
                status, body = answer(self.rfile.read(length), unjudged=unjudged)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's spelling
            """Say nothing: there is a request for every response that is sampled."""

    return ThreadingHTTPServer((host, port), Handler)


# Many turns -----------------------------------------------------------------------------------------------------------


class _Frame:
    """What a chat template puts around a user's message in mid-conversation, as text.

    The action's end-of-turn mark was sampled, so it is not repeated. Marks inside an observation are broken up, since
    OpenRLHF tokenises feedback with special tokens allowed: text from the world cannot end a turn.
    """

    def __init__(self, tokenizer: Any) -> None:
        form = ChatFormat(tokenizer)
        middle, self.suffix = form._middle, form._suffix
        self.marks = [token for token in tokenizer.all_special_tokens if token]
        end = next((mark for mark in self.marks if middle.startswith(mark)), "")
        self.middle = middle[len(end) :]

    def around(self, observation: str) -> str:
        for mark in self.marks:
            observation = observation.replace(mark, f"{mark[:1]}\u200b{mark[1:]}")
        return f"{self.middle}{observation}{self.suffix}"


def _agent_instance() -> type:
    """Make the agent over OpenRLHF's base class."""
    try:
        from openrlhf.utils.agent import AgentInstanceBase
    except ImportError as error:
        raise MissingExtra(f"OpenRLHF is needed for its agents; `pip install openrlhf` brings it ({error})") from error

    class AgentInstance(AgentInstanceBase):  # type: ignore[misc]
        """Plays one episode; `AgentExecutor` makes one for each prompt."""

        unjudged: OnUnjudged = "raise"
        frame: _Frame | None = None

        def __init__(self, *_: Any, **__: Any) -> None:
            self.row: Row | None = None
            self.episode: Episode | None = None

        async def reset(self, states: Mapping[str, Any], **_: Any) -> dict[str, Any]:
            """Ask the item that the label names; the prompt shows it already."""
            self.row = _row(states["label"])
            self.episode = await asyncio.to_thread(Episode, self.row.env, **self.row.kwargs)
            await asyncio.to_thread(self.episode.start, self.row.seed, self.row.index)
            self.episode.expect(self.row.fingerprint)
            return {"observation": states["observation"]}

        async def step(self, states: Mapping[str, Any], **_: Any) -> dict[str, Any]:
            """Play an action: its reward, and the environment's answer framed by the chat template."""
            torch = need("torch", "train")
            assert self.episode is not None, "OpenRLHF resets before it steps"
            assert self.row is not None, "OpenRLHF resets before it steps"
            outcome = await asyncio.to_thread(self.episode.act, _plain(str(states["action_text"])))
            if outcome.unjudged is not None:
                _fault(self.row, outcome.unjudged, self.unjudged)
            if outcome.done:
                _lost(self.row.env, self.episode.paid)
                self.episode.close()
            total = self.episode.total
            return {
                "rewards": torch.tensor(outcome.reward),
                "scores": torch.tensor(total),
                "environment_feedback": "" if outcome.done else self._framed(outcome.observation),
                "done": outcome.done,
                "extra_logs": {
                    "acc": torch.tensor(_acc(outcome)),
                    "turns": torch.tensor(float(self.episode.turns)),
                },
            }

        def _framed(self, observation: str) -> str:
            return observation if self.frame is None else self.frame.around(observation)

        def __del__(self) -> None:
            episode = getattr(self, "episode", None)
            if episode is not None:  # cut off by the token limit
                episode.close()

    return _named(AgentInstance)


def _agent_executor() -> type:
    """Make the executor over OpenRLHF's."""
    instance = __getattr__("AgentInstance")
    from openrlhf.utils.agent import MultiTurnAgentExecutor

    class AgentExecutor(MultiTurnAgentExecutor):  # type: ignore[misc]
        """Give it to `--train.agent_func_path`: a file that imports this name, or a subclass with other settings."""

        unjudged: OnUnjudged = "raise"

        def __init__(self) -> None:
            made = type("AgentInstance", (instance,), {"unjudged": self.unjudged})
            super().__init__(made)

        async def execute(
            self, prompt: Any, label: Any, sampling_params: Any, max_length: int, hf_tokenizer: Any, llm_engine: Any,
            **kwargs: Any,
        ) -> Any:  # fmt: skip
            """Play one prompt; the tokenizer's chat template frames what the environment says."""
            if self.agent_instance_cls.frame is None:
                self.agent_instance_cls.frame = _Frame(hf_tokenizer)
            return await super().execute(
                prompt, label, sampling_params, max_length, hf_tokenizer, llm_engine, **kwargs
            )  # fmt: skip

    return _named(AgentExecutor)


def _named(made: type) -> type:
    made.__module__, made.__qualname__ = __name__, made.__name__
    return made


_MAKERS = {"AgentExecutor": _agent_executor, "AgentInstance": _agent_instance}


def __getattr__(name: str) -> Any:
    """The two classes, made when first asked for, since their bases are OpenRLHF's."""
    if name in globals():
        return globals()[name]
    if name not in _MAKERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = globals()[name] = _MAKERS[name]()
    return made
