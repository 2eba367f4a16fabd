"""Continuous batching with transformers: every row of the cache is an episode, and no row waits for another.

Keys and values live in buffers that are allocated once and written in place, one row a session, each with a length of
its own. A step reads the contexts that are new, then samples one token for every row in progress; a row that finishes
is free at once for whoever waits. Positions count real tokens, and what lies beyond a row's length is masked out.

A session keeps its row between turns, so the next turn reads its new tokens only. Requests that begin alike (the
attempts of a group, the branches of a tree) read the common beginning once and copy it.

Every request draws its uniforms from a generator of its own, `default_rng(key)`, and tokens are chosen by inverting the
cumulative distribution: a sample does not depend on which requests shared its batch, up to floating point.
"""

from __future__ import annotations

import copy
import inspect
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from proofgym.agents.engines.base import Request, Stats
from proofgym.agents.engines.lean import cached, lean
from proofgym.agents.policy import Policy
from proofgym.agents.sampling import Sample
from proofgym.errors import BadInput

__all__ = ["TransformersEngine", "choose"]

_GRAIN = 64  # buffers grow by so many positions
_KEPT = 32 << 20  # bytes of cache that stay when the engine sleeps
_SPARSE = 0.75  # below this share of rows in use, rows are gathered instead of carried along


class TransformersEngine:
    """Samples from a policy in this process.

    Args:
        policy: Sampled from as it is. If its weights change, `load` must be called (with nothing, if the engine has no
            copy): what was cached belongs to the old weights.
        slots: How many episodes are in the cache side by side; more wait, and a waiting session loses its cache first.
        own_copy: Sample from a copy of the model, so that the original can be trained meanwhile.
        dtype: Of that copy; bfloat16 halves its memory and, where the hardware computes in it, the time.
        read_limit: The most positions of one forward pass over new context.
    Raises:
        BadInput: If the model has attention that this cache cannot serve (sliding windows, linear layers).
    """

    def __init__(
        self,
        policy: Policy,
        *,
        slots: int = 64,
        own_copy: bool = False,
        dtype: torch.dtype | None = None,
        read_limit: int = 8192,
    ) -> None:
        if slots < 1:
            raise ValueError(f"an engine needs at least one slot, found {slots}")
        kinds = set(getattr(policy.model.config, "layer_types", None) or ()) - {"full_attention"}
        if kinds:
            raise BadInput(f"{policy.name} has {', '.join(sorted(kinds))} layers; sample it with the vllm engine")
        self.format, self.stats, self.slots = policy.format, Stats(), slots
        self._policy, self._read_limit = policy, read_limit
        self._model, self._own_version = policy.model, policy.version if own_copy else None
        if own_copy:
            self._model = _copy(policy.model, dtype)
        self._device = policy.device
        forward = inspect.signature(self._model.forward).parameters
        self._cache_name = "cache" if "cache" in forward else "past_key_values"  # renamed in transformers 5
        # Asked for every token, and a configuration of transformers is slow to answer.
        self._eager = getattr(self._model.config, "_attn_implementation", "sdpa") == "eager"
        self._scale = getattr(self._model.config, "logits_scaling", None)  # Granite and its relatives
        self._head, self._max_context = self._model.get_output_embeddings(), policy.max_context
        self._step = lean(self._model)
        self._groups: int = self._model.config.num_key_value_heads if self._step else 0
        self._cache = _Rows(slots)
        self._rows: dict[int, _Row] = {}  # by session
        self._lengths = np.zeros(slots, dtype=np.int64)  # positions in the cache, by slot
        self._last = np.zeros(slots, dtype=np.int64)  # the token that was sampled last and is not in there yet
        self._free = list(range(slots - 1, -1, -1))
        self._waiting: deque[Request] = deque()
        self._asked: set[int] = set()  # sessions with an action in progress
        self._new: list[_Row] = []
        self._active: list[_Row] = []

    @property
    def max_context(self) -> int:
        """What the model's positions allow."""
        return self._max_context

    @property
    def version(self) -> int:
        """That of the policy, or of the copy."""
        return self._policy.version if self._own_version is None else self._own_version

    @property
    def busy(self) -> int:
        """Requests waiting and in progress."""
        return len(self._waiting) + len(self._new) + len(self._active)

    def submit(self, request: Request) -> None:
        """Queue a request.

        Raises:
            ValueError: If it does not fit the model, has no context, or its session is still busy.
        """
        if not request.context:
            raise ValueError("every context needs a token to be sampled from")
        if len(request.context) + request.sampling.max_tokens > self.max_context:
            raise ValueError(
                f"{len(request.context)} tokens of context and {request.sampling.max_tokens} to sample; the model "
                f"reads {self.max_context}"
            )
        if request.session in self._asked:
            raise ValueError(f"session {request.session} has an action in progress")
        self._asked.add(request.session)
        self._waiting.append(request)

    @torch.inference_mode()
    def poll(self, wait_s: float = 0.0) -> list[tuple[Request, Sample]]:
        """Read what is new, sample one token for everybody, and hand over who has finished."""
        del wait_s
        if self._step is not None and not self._step.frozen:
            self._step.freeze()
        self._seat()
        done = self._read_new()
        if self._active:
            done += self._decode()
        return done

    def release(self, session: int) -> None:
        """Free the session's row; an action in progress is dropped."""
        self._asked.discard(session)
        self._waiting = deque(r for r in self._waiting if r.session != session)
        row = self._rows.pop(session, None)
        if row is not None:
            self._new = [r for r in self._new if r is not row]
            self._active = [r for r in self._active if r is not row]
            self._leave(row)

    def load(self, weights: Iterable[tuple[str, Any]], version: int) -> None:
        """Take new weights. Caches are of the old ones, so contexts in progress will be read again."""
        if self._own_version is not None:
            own = self._model.state_dict(keep_vars=True)
            with torch.no_grad():
                for name, tensor in weights:
                    if name not in own:
                        raise BadInput(f"the sampled model has no weight {name!r}")
                    own[name].copy_(tensor)
            self._own_version = version
        self._thaw()
        self._forget()
        self._new += self._active
        self._active = []

    def sleep(self) -> None:
        """Drop the cache's memory, where it is worth it. Sessions survive: their contexts are read again."""
        assert not self.busy, "actions are in progress"
        self._forget()
        if self._cache.bytes > _KEPT:
            self._cache = _Rows(self.slots)
        self._thaw()

    def wake(self) -> None:
        """Nothing to do: buffers are made when they are needed."""

    def _forget(self) -> None:
        """What is in the cache is of no use any more."""
        self._lengths[:] = 0
        for row in self._rows.values():
            row.held = []

    def _thaw(self) -> None:
        if self._step is not None:
            self._step.thaw()

    def close(self) -> None:
        """Forget everything."""
        self._waiting.clear()
        self._asked.clear()
        self._new, self._active, self._rows = [], [], {}
        self._free = list(range(self.slots - 1, -1, -1))
        self._lengths[:] = 0
        self._cache = _Rows(self.slots)

    # Seats ------------------------------------------------------------------------------------------------------------

    def _seat(self) -> None:
        """Give rows to whoever waits, first come first served."""
        while self._waiting:
            request = self._waiting[0]
            row = self._rows.get(request.session)
            if row is None:
                if not self._free and not self._evict():
                    return
                row = self._rows[request.session] = _Row(self._free.pop())
            else:  # to the end: least recently used comes first
                self._rows[request.session] = self._rows.pop(request.session)
            self._waiting.popleft()
            row.start(request, self.version)
            parent = self._rows.get(request.parent) if request.parent is not None else None
            if parent is not None and parent is not row:
                common = _common(parent.held, row.context)
                if common > _common(row.held, row.context):
                    self._cache.copy(parent.slot, [row.slot], common)
                    row.held = row.context[:common]
            self._new.append(row)

    def _evict(self) -> bool:
        """Take the row of whoever has not asked for longest."""
        for session, row in self._rows.items():
            if row.request is None:
                del self._rows[session]
                self._leave(row)
                return True
        return False

    def _leave(self, row: _Row) -> None:
        self._lengths[row.slot] = 0
        self._free.append(row.slot)

    # Reading ----------------------------------------------------------------------------------------------------------

    def _read_new(self) -> list[tuple[Request, Sample]]:
        """Read the contexts of the new rows; rows of similar length go together, equal contexts are read once."""
        if not self._new:
            return []
        rows, self._new = self._new, []
        twins: dict[tuple[int, ...], list[_Row]] = {}
        for row in rows:
            # The last token is always read: its logits are what is wanted.
            row.trim(min(_common(row.held, row.reads), len(row.reads) - 1))
            twins.setdefault(tuple(row.reads), []).append(row)
        firsts = []
        for same in twins.values():
            best = max(same, key=lambda row: len(row.held))
            firsts.append((best, [row for row in same if row is not best]))
        firsts.sort(key=lambda pair: len(pair[0].reads) - len(pair[0].held))
        done: list[tuple[Request, Sample]] = []
        while firsts:
            longest = 0
            count = 0
            for best, _ in firsts:
                longest = max(longest, len(best.reads) - len(best.held))
                if count and longest * (count + 1) > self._read_limit:
                    break
                count += 1
            chunk, firsts = firsts[:count], firsts[count:]
            done += self._read([best for best, _ in chunk], [others for _, others in chunk])
        return done

    def _read(self, rows: list[_Row], twins: list[list[_Row]]) -> list[tuple[Request, Sample]]:
        begins = np.array([len(row.held) for row in rows])
        counts = np.array([len(row.reads) for row in rows]) - begins
        longest = int(counts.max())
        pad = self.format.pad_id
        block = [row.reads[begin:] + [pad] * (longest - count) for row, begin, count in zip(rows, begins, counts)]  # noqa: B905
        hidden = self._forward(np.array([row.slot for row in rows]), np.array(block), begins)
        logits = self._logits(hidden[torch.arange(len(rows)), torch.from_numpy(counts - 1)])
        everybody, source = [], []
        for b, (row, others) in enumerate(zip(rows, twins, strict=True)):
            self.stats.read += int(counts[b])
            self.stats.reused += int(begins[b]) + sum(len(row.reads) for _ in others)
            if others:
                self._cache.copy(row.slot, [other.slot for other in others], len(row.reads))
            for other in (row, *others):
                other.held = list(row.reads)
                self._lengths[other.slot] = len(other.held)
                everybody.append(other)
                source.append(b)
        if len(everybody) > len(rows):
            logits = logits[torch.tensor(source, device=self._device)]
        return self._take(everybody, logits)

    # Sampling ---------------------------------------------------------------------------------------------------------

    def _decode(self) -> list[tuple[Request, Sample]]:
        """One more token for every row in progress."""
        rows, self._active = self._active, []
        slots = np.array([row.slot for row in rows])
        span = int(slots.max()) + 1
        if len(rows) >= _SPARSE * span:
            # Carrying a few idle rows along is cheaper than gathering the others. What is written for them lies beyond
            # their length and is never read.
            hidden = self._forward(np.arange(span), self._last[:span, None], self._lengths[:span])
            hidden = hidden[torch.from_numpy(slots), 0]
        else:
            hidden = self._forward(slots, self._last[slots, None], self._lengths[slots])[:, 0]
        self._lengths[slots] += 1
        return self._take(rows, self._logits(hidden))

    def _take(self, rows: list[_Row], logits: Tensor) -> list[tuple[Request, Sample]]:
        """Choose a token for each row; rows that are done are handed over, the others stay in progress."""
        uniforms = torch.from_numpy(np.array([row.draws[len(row.ids)] for row in rows])).to(self._device)
        temperatures = {row.temperature for row in rows}
        if len(temperatures) == 1:
            token, logprob = choose(logits, uniforms, temperatures.pop())
        else:
            token, logprob = _choose_mixed(logits, uniforms, [row.temperature for row in rows])
        stops = self.format.stop_ids
        entropies = self._entropies(rows, logits)
        done = []
        for b, (row, i, lp) in enumerate(zip(rows, token.tolist(), logprob.tolist(), strict=True)):
            row.ids.append(i)
            row.logprobs.append(lp)
            self._last[row.slot] = i
            if entropies is not None:
                row.entropies.append(entropies[b])
            end = i in stops
            if end or len(row.ids) >= row.limit:
                done.append(row.finish(cut=not end))
                self._asked.discard(done[-1][0].session)
            else:
                self._active.append(row)
        self.stats.generated += len(rows)
        self.stats.requests += len(done)
        return done

    def _entropies(self, rows: list[_Row], logits: Tensor) -> list[float] | None:
        if not any(row.wants_entropy for row in rows):
            return None
        heat = torch.tensor([row.temperature or 1.0 for row in rows], device=logits.device)
        logp = torch.log_softmax(logits / heat[:, None], dim=-1)
        found: list[float] = (-(logp.exp() * logp).nan_to_num(0.0).sum(-1)).tolist()
        return found

    # The model --------------------------------------------------------------------------------------------------------

    def _forward(self, slots: NDArray[np.int64], block: NDArray[np.int64], begins: NDArray[np.int64]) -> Tensor:
        """Read a block, row b behind the first `begins[b]` tokens of its slot; the last hidden states, (B, T, D)."""
        positions = begins[:, None] + np.arange(block.shape[1])
        keys = int(positions.max()) + 1
        self._cache.aim(slots, positions, keys, self._device)
        seen = torch.from_numpy(np.arange(keys) <= positions[:, :, None]).unsqueeze(1).to(self._device)
        # The last positions of a padded row may lie beyond the model's; nobody reads them.
        tokens = torch.from_numpy(block).to(self._device)
        places = torch.from_numpy(np.minimum(positions, self.max_context - 1)).to(self._device)
        if self._step is not None:
            return self._step(tokens, places, cached(self._cache, seen, self._groups)).view(*tokens.shape, -1)
        if self._eager:
            plain = torch.zeros(seen.shape, dtype=self._model.dtype, device=self._device)
            seen = plain.masked_fill(~seen, torch.finfo(self._model.dtype).min)
        output = self._model.base_model(
            input_ids=tokens,
            attention_mask=seen,
            position_ids=places,
            **{self._cache_name: self._cache},
            use_cache=True,
        )
        hidden: Tensor = output.last_hidden_state
        return hidden

    def _logits(self, hidden_BD: Tensor) -> Tensor:
        logits: Tensor = self._head(hidden_BD)
        return (logits / self._scale if self._scale else logits).float()


@dataclass(slots=True)
class _Row:
    """One session in the cache. `held` are tokens whose keys and values are in it, all of them between two requests."""

    slot: int
    held: list[int] = field(default_factory=list)
    request: Request | None = None
    context: list[int] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    entropies: list[float] = field(default_factory=list)
    draws: Sequence[float] = ()
    limit: int = 0
    temperature: float = 1.0
    wants_entropy: bool = False
    version: int = 0

    def start(self, request: Request, version: int) -> None:
        self.request, self.context, self.version = request, list(request.context), version
        self.ids, self.logprobs, self.entropies = [], [], []
        sampling = request.sampling
        self.limit, self.temperature, self.wants_entropy = sampling.max_tokens, sampling.temperature, sampling.entropy
        self.draws = np.random.default_rng(list(request.key)).random(self.limit).tolist()

    @property
    def reads(self) -> list[int]:
        """What the next token is sampled after."""
        return self.context + self.ids if self.ids else self.context

    def trim(self, length: int) -> None:
        self.held = self.held[:length]

    def finish(self, *, cut: bool) -> tuple[Request, Sample]:
        request, self.request = self.request, None
        assert request is not None
        self.held = self.context + self.ids[:-1]
        return request, Sample(self.ids, self.logprobs, cut, self.version, self.entropies)


class _Layer:
    """Keys and values of one layer, (slots, heads, positions, width)."""

    def __init__(self) -> None:
        self.keys: Any = None
        self.values: Any = None

    def grow(self, slots: int, keys: Tensor, values: Tensor, room: int) -> None:
        """Make place for `room` positions of blocks like these, (rows, heads, tokens, width)."""
        if self.keys is None or self.keys.shape[2] < room:
            self.keys, self.values = _wider(self.keys, keys, slots, room), _wider(self.values, values, slots, room)


def _wider(old: Tensor | None, like: Tensor, slots: int, room: int) -> Tensor:
    new = torch.zeros((slots, like.shape[1], room, like.shape[3]), dtype=like.dtype, device=like.device)
    if old is not None:
        new[:, :, : old.shape[2]] = old
    return new


class _Rows:
    """What attention layers see as their cache. `aim` says which rows and positions the next forward pass writes."""

    is_compileable = False

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.layers: list[_Layer] = []
        self._room = 0
        self._keys = 0
        self._slots: Any = None
        self._positions: Any = None
        self._places: dict[int, Tensor] = {}
        self._index: Any = None
        self._whole = False

    def aim(self, slots: NDArray[np.int64], positions: NDArray[np.int64], keys: int, device: torch.device) -> None:
        if keys > self._room:
            self._room = max(-(-keys // _GRAIN) * _GRAIN, self._room + self._room // 2)
        self._keys = keys
        self._whole = bool((slots == np.arange(len(slots))).all())
        self._slots, self._positions = slots, positions
        self._index = torch.from_numpy(slots).to(device)
        self._places = {}

    def update(self, keys: Tensor, values: Tensor, layer_idx: int, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """Write a block and return everything that its rows may attend to."""
        while len(self.layers) <= layer_idx:
            self.layers.append(_Layer())
        layer = self.layers[layer_idx]
        layer.grow(self.slots, keys, values, self._room)
        return self._put(layer.keys, keys), self._put(layer.values, values)

    def _put(self, buffer: Tensor, block: Tensor) -> Tensor:
        rows, heads, _, width = block.shape
        buffer.view(-1, width).index_copy_(0, self._at(heads), block.reshape(-1, width))
        return (
            buffer[:rows, :, : self._keys] if self._whole else buffer[:, :, : self._keys].index_select(0, self._index)
        )

    def _at(self, heads: int) -> Tensor:
        """Where a block of so many heads lies among all (slot, head, position)."""
        if heads not in self._places:
            lines = (self._slots[:, None] * heads + np.arange(heads)) * self._room
            places = (lines[:, :, None] + self._positions[:, None, :]).ravel()
            self._places[heads] = torch.from_numpy(places).to(self._index.device)
        return self._places[heads]

    @property
    def bytes(self) -> int:
        """The memory that it takes."""
        return sum(buffer.nbytes for layer in self.layers for buffer in (layer.keys, layer.values))

    def copy(self, source: int, targets: Sequence[int], length: int) -> None:
        """Give other rows the first `length` positions of one."""
        for layer in self.layers:
            for buffer in (layer.keys, layer.values):
                buffer[list(targets), :, :length] = buffer[source, :, :length].clone()

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Asked by models that number positions themselves; ours are given."""
        del layer_idx
        return 0

    def get_mask_sizes(self, query_length: int, layer_idx: int = 0) -> tuple[int, int]:
        """Asked by models that build a mask; ours is given."""
        del query_length, layer_idx
        return self._keys, 0

    def get_query_offset(self, layer_idx: int = 0) -> int:
        """See `get_seq_length`."""
        return self.get_seq_length(layer_idx)


def choose(logits: Tensor, uniform: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """One token a row and its log-probability: under the tempered distribution, or at temperature 0 the plain one.

    Args:
        logits: (B, V) float32.
        uniform: (B,) float64 in [0, 1).
    """
    logp = torch.log_softmax(logits / temperature if temperature not in (0.0, 1.0) else logits, dim=-1)
    if temperature > 0.0:
        cumulative = logp.double().exp().cumsum(-1)
        target = uniform.unsqueeze(-1) * cumulative[:, -1:]
        token = torch.searchsorted(cumulative, target, right=True).squeeze(-1).clamp(max=logits.shape[-1] - 1)
    else:
        token = logp.argmax(-1)
    return token, logp.gather(-1, token.unsqueeze(-1)).squeeze(-1)


def _choose_mixed(logits: Tensor, uniforms: Tensor, temperatures: Sequence[float]) -> tuple[Tensor, Tensor]:
    """`choose` for rows of different temperatures."""
    token = torch.zeros(len(temperatures), dtype=torch.long, device=logits.device)
    logprob = torch.zeros(len(temperatures), dtype=logits.dtype, device=logits.device)
    for temperature in sorted(set(temperatures)):
        rows = [b for b, t in enumerate(temperatures) if t == temperature]
        token[rows], logprob[rows] = choose(logits[rows], uniforms[rows], temperature)
    return token, logprob


def _copy(model: Any, dtype: torch.dtype | None) -> Any:
    """A frozen copy with the same weights; what LoRA adds is merged in, so its names are those of a checkpoint."""
    from proofgym.agents.forward import weights

    if any("lora_" in name for name, _ in model.named_parameters()):
        twin = type(model)(copy.deepcopy(model.config)).to(device=model.device, dtype=model.dtype)
        twin.load_state_dict(dict(weights(model)), strict=False)
    else:
        twin = copy.deepcopy(model)
    twin.requires_grad_(False).eval()
    return twin if dtype is None else twin.to(dtype)


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """How many first tokens are equal."""
    if len(a) <= len(b) and list(b[: len(a)]) == list(a):
        return len(a)
    for i, (x, y) in enumerate(zip(a, b)):  # noqa: B905
        if x != y:
            return i
    return min(len(a), len(b))
