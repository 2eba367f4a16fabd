"""A causal language model in this process as a chat model, and the policy as its own judge.

This lives beside the judges, not with the engines of `agents`: verifiers may not import agents, and a judge needs only
what is below. Where it is asked for JSON, the schema is followed by construction: what the schema fixes is written for
the model, texts are sampled up to their quotation mark, and one of several values is chosen by its likelihood. So a
small model, too, fills in a rubric, and its likelihoods say how sure it is.
"""

from __future__ import annotations

import inspect
import json
import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proofgym.chat import Reply, Usage
from proofgym.errors import BadInput, Unjudged, need

__all__ = ["GuidedReply", "LocalModel", "SelfJudging"]

_TEXT_TOKENS = 160  # of one text inside a guided reply


class SelfJudging(UserWarning):
    """A policy judges its own answers: it prefers its own style and errors, and learns to please itself."""


@dataclass(frozen=True, slots=True)
class GuidedReply(Reply):
    """A reply whose choices tell their likelihoods: for each property, from every value to its probability."""

    likelihoods: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


class LocalModel:
    """A transformers causal language model as a `ChatModel`. One call at a time; threads wait for each other.

    Args:
        model: In evaluation mode, on its device.
        tokenizer: Its tokenizer. Without a chat template, messages are written as `role: text` lines.
        name: Part of cache keys: give different weights different names.
    """

    def __init__(self, model: Any, tokenizer: Any, name: str) -> None:
        self.model, self.tokenizer, self.name = model, tokenizer, name
        self._lock = threading.Lock()
        forward = inspect.signature(model.forward).parameters
        self._kept: tuple[list[int], Any] = ([], None)
        self.cache_name = "cache" if "cache" in forward else "past_key_values"  # renamed within transformers 5

    @classmethod
    def load(cls, path: str, *, device: str | None = None) -> LocalModel:
        """Load a folder, or a name on the hub.

        Raises:
            BadInput: If nothing loadable is there.
            MissingExtra: Without transformers.
        """
        transformers, torch = need("transformers", "train"), need("torch", "train")
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        try:
            model = transformers.AutoModelForCausalLM.from_pretrained(path, dtype="auto").to(device).eval()
            return cls(model, transformers.AutoTokenizer.from_pretrained(path), path)
        except (OSError, KeyError, ValueError) as error:
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise BadInput(f"no model could be loaded from {path!r}: {first}") from error

    @classmethod
    def of_policy(cls, policy: Any, *, own_answers: bool = True) -> LocalModel:
        """A policy of `proofgym.agents` as a judge; it must have been made from a pretrained chat model.

        Its version is part of the name, because a cache must not answer for other weights.

        Args:
            own_answers: Whether it will judge what it wrote itself, which is warned of (`SelfJudging`).
        Raises:
            BadInput: If its format has no tokenizer.
        """
        tokenizer = getattr(policy.format, "tokenizer", None)
        if tokenizer is None:
            raise BadInput("only a policy with a tokenizer can read a rubric; this one reads single characters")
        if own_answers:
            warnings.warn(
                "the policy judges its own answers: calibrate it against labels first, and again as it trains",
                SelfJudging,
                stacklevel=2,
            )
        return cls(policy.model, tokenizer, f"{policy.name}@{policy.version}")

    def complete(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        temperature: float = 0.0,
        max_tokens: int = 512,
        seed: int | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        json_schema: Mapping[str, Any] | None = None,
    ) -> Reply:
        """Continue the conversation; a schema of objects, arrays, texts and listed values is followed.

        Raises:
            Unjudged: If the conversation leaves no room for a reply.
            BadInput: For tools, which it has no form for.
        """
        if tools:
            raise BadInput("a local judge has no tools")
        torch = need("torch", "train")
        ids = self._prompt(messages)
        limit = int(getattr(self.model.config, "max_position_embeddings", 2048) or 2048)
        room = min(max_tokens, limit - len(ids))
        if room < 16:
            raise Unjudged(f"the conversation has {len(ids)} tokens and {self.name} reads {limit}")
        with self._lock, torch.inference_mode():
            writer = _Writer(self, ids, temperature, np.random.default_rng(seed))
            if json_schema is not None and _guidable(json_schema) and writer.croppable:
                value = writer.guided(json_schema, room, "")
                text, cut = json.dumps(value, ensure_ascii=False), False
            else:
                text, cut = writer.free(room)
            writer.keep(ids)
        usage = Usage(len(ids), writer.written)
        return GuidedReply(text, (), usage, cut, self.name, writer.likelihoods)

    def _prompt(self, messages: Sequence[Mapping[str, Any]]) -> list[int]:
        if getattr(self.tokenizer, "chat_template", None):
            text = self.tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True)
        else:
            text = "".join(f"{message['role']}: {message['content']}\n" for message in messages) + "assistant: "
        return self.encode(text)

    def encode(self, text: str) -> list[int]:
        """Token ids without any added."""
        return [int(i) for i in self.tokenizer(text, add_special_tokens=False)["input_ids"]]


def _guidable(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    if kind == "object":
        return bool(schema.get("properties")) and all(map(_guidable, schema["properties"].values()))
    if kind == "array":
        return isinstance(schema.get("items"), Mapping) and _guidable(schema["items"])
    return "enum" in schema or kind == "string"


class _Writer:
    """One reply in the making: the cache of keys and values, and the logits after the last token."""

    def __init__(self, owner: LocalModel, ids: list[int], temperature: float, rng: np.random.Generator) -> None:
        self.owner, self.temperature, self.rng = owner, temperature, rng
        self.torch = need("torch", "train")
        self.cache: Any = None
        self.length = 0
        self.written = 0
        self.likelihoods: dict[str, dict[str, float]] = {}
        config = owner.model.generation_config if hasattr(owner.model, "generation_config") else None
        ends = getattr(config, "eos_token_id", None)
        self.stops = {owner.tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])} - {None}
        self.logits = self.feed(ids[self._resume(ids) :])

    @property
    def croppable(self) -> bool:
        """Whether tokens can be taken back: not where layers forget what lies outside a window."""
        return hasattr(self.cache, "crop") and not any(getattr(self.cache, "is_sliding", ()))

    def _resume(self, ids: list[int]) -> int:
        """Take over what the last prompt had in common with this one; how many tokens that is."""
        kept, self.cache = self.owner._kept
        self.owner._kept = ([], None)
        most = min(len(kept), len(ids) - 1)
        common = next((i for i in range(most) if kept[i] != ids[i]), most)
        if common < 16 or not self.croppable:
            self.cache = None
            return 0
        if common < len(kept):
            self.cache.crop(common - len(kept))
        self.length = common
        return common

    def keep(self, ids: list[int]) -> None:
        """Leave the prompt's part of the cache to the next call."""
        if self.croppable:
            if self.length > len(ids):
                self.cache.crop(len(ids) - self.length)
            self.owner._kept = (ids, self.cache)

    def feed(self, ids: list[int]) -> NDArray[np.float64]:
        found = self._forward(ids)
        self.logits = found[-1]
        return self.logits

    def _forward(self, ids: list[int]) -> NDArray[np.float64]:
        """Log-probabilities after each of the last tokens, (len, vocabulary)."""
        model = self.owner.model
        tensor = self.torch.tensor([ids], device=next(model.parameters()).device)
        # A long prompt's own predictions are not needed; a vocabulary times a prompt would be much memory.
        keep = {} if len(ids) < 64 else {"logits_to_keep": 1}
        out = model(input_ids=tensor, use_cache=True, **{self.owner.cache_name: self.cache}, **keep)
        self.cache = out.past_key_values
        self.length += len(ids)
        found: NDArray[np.float64] = self.torch.log_softmax(out.logits[0].float(), -1).double().cpu().numpy()
        return found

    def pick(self) -> int:
        if self.temperature <= 0:
            return int(self.logits.argmax())
        scaled = self.logits / self.temperature
        p = np.exp(scaled - scaled.max())
        return int(np.searchsorted(np.cumsum(p / p.sum()), self.rng.random()))

    def free(self, limit: int) -> tuple[str, bool]:
        ids: list[int] = []
        while len(ids) < limit:
            token = self.pick()
            self.written += 1
            if token in self.stops:
                return self.owner.tokenizer.decode(ids, skip_special_tokens=True), False
            ids.append(token)
            self.feed([token])
        return self.owner.tokenizer.decode(ids, skip_special_tokens=True), True

    def text(self, limit: int) -> str:
        """Sample up to the quotation mark that ends a JSON string; the mark itself is fed."""
        ids: list[int] = []
        said = ""
        while len(ids) < limit:
            token = self.pick()
            self.written += 1
            if token in self.stops:
                break
            longer = self.owner.tokenizer.decode([*ids, token], skip_special_tokens=True)
            end = _closing(longer)
            if end is not None or "\n" in longer[len(said) :]:
                said = longer[:end] if end is not None else longer.split("\n")[0]
                break
            ids.append(token)
            said = longer
            self.feed([token])
        self.feed(self.owner.encode('"'))
        try:
            value = json.loads(f'"{said}"', strict=False)
        except ValueError:
            value = said.replace("\\", "")
        return str(value)

    def choose(self, name: str, options: Sequence[str], tail: str) -> str:
        """One of several texts by the likelihood of its tokens; the tail tells `1` from `10`."""
        encoded = [self.owner.encode(option + tail) for option in options]
        scores = []
        for ids in encoded:
            before, length = self.logits, self.length
            after = self._forward(ids)
            scores.append(float(before[ids[0]] + sum(after[i, ids[i + 1]] for i in range(len(ids) - 1))))
            self.cache.crop(-len(ids))
            self.length = length
        best = np.array(scores) - max(scores)
        p = np.exp(best) / np.exp(best).sum()
        self.likelihoods[name] = {option.strip('"'): float(x) for option, x in zip(options, p, strict=True)}
        if self.temperature <= 0:
            place = int(p.argmax())
        else:
            heated = np.exp(best / self.temperature)
            place = int(np.searchsorted(np.cumsum(heated / heated.sum()), self.rng.random()))
        self.feed(self.owner.encode(options[place]))
        self.written += len(encoded[place])
        return options[place]

    def guided(self, schema: Mapping[str, Any], room: int, name: str) -> Any:
        """Write one value of a schema."""
        if "enum" in schema:
            options = [json.dumps(value, ensure_ascii=False) for value in schema["enum"]]
            if len(options) == 1:
                self.feed(self.owner.encode(options[0]))
                return schema["enum"][0]
            return json.loads(self.choose(name, options, ","))
        if schema["type"] == "string":
            self.feed(self.owner.encode('"'))
            return self.text(max(1, min(_TEXT_TOKENS, (room - self.written) // 3)))
        if schema["type"] == "array":
            return self._array(schema, room, name)
        value = {}
        opening = "{"
        for key, inner in schema["properties"].items():
            self.feed(self.owner.encode(f"{opening}{json.dumps(key)}: "))
            opening = ", "
            value[key] = self.guided(inner, room, key)
        self.feed(self.owner.encode("}"))
        return value

    def _array(self, schema: Mapping[str, Any], room: int, name: str) -> list[Any]:
        items: list[Any] = []
        opening = "{" if schema["items"].get("type") == "object" else '"'
        while len(items) < min(int(schema.get("maxItems", 4)), 4):
            start = "[" if not items else ", "
            known = dict(self.likelihoods)
            ends = self.choose(name, [start + opening, "[]" if not items else "]"], "")
            self.likelihoods = known  # whether to go on is no mark
            if ends.endswith("]") or room - self.written < 32:
                if not ends.endswith("]"):
                    self.feed(self.owner.encode("}]" if opening == "{" else '"]'))
                return items
            items.append(self._item(schema["items"], room, name))
        self.feed(self.owner.encode("]"))
        return items

    def _item(self, schema: Mapping[str, Any], room: int, name: str) -> Any:
        """An item whose opening bracket or quotation mark is already written."""
        if schema.get("type") != "object":
            return self.text(max(1, min(_TEXT_TOKENS, (room - self.written) // 3)))
        value = {}
        opening = ""
        for key, inner in schema["properties"].items():
            self.feed(self.owner.encode(f"{opening}{json.dumps(key)}: "))
            opening = ", "
            value[key] = self.guided(inner, room, f"{name}.{key}")
        self.feed(self.owner.encode("}"))
        return value


def _closing(text: str) -> int | None:
    """Where the first quotation mark stands that no backslash escapes."""
    escaped = False
    for at, char in enumerate(text):
        if char == '"' and not escaped:
            return at
        escaped = char == "\\" and not escaped
    return None
