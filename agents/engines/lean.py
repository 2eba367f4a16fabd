"""The layers of Llama-like models without the modules around them.

A decoding step of a small model is a few hundred small operations, and the modules, decorators and mask builders around
them cost more than they do. This is the same arithmetic on the model's own weights; tests hold the two together. Who
attends to what is the caller's to say: an engine brings its cache, the trainer what rows share (`shared.py`). Where
anything is out of the ordinary, `lean` declines and the model itself is called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

__all__ = ["Attend", "Lean", "Step", "cached", "lean"]

Attend = Callable[[Tensor, Tensor, Tensor, int], Tensor]
"""Queries (B, T, H, W), keys and values (B, T, G, W), which layer -> what is found, in the order of (B, T, H, W)."""


class Step(Protocol):
    """A model below its output layer."""

    def __call__(self, tokens_BT: Tensor, positions_BT: Tensor, attend: Attend, wanted: Tensor | None = None) -> Tensor:
        """The last hidden states (B * T, D), or those of the tokens `wanted` (N,), numbered over B * T."""
        ...


_KINDS = {"llama", "qwen2"}
_SMALL = 1 << 20  # numbers in a table of the first layer's projections that may be kept beside the weights


def lean(model: Any) -> Lean | None:
    """The layers of a model, or None if it is not one of the kind.

    It is for float32 only: in half precision the order of roundings would differ from the trainer's.
    """
    config = model.config
    rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    plain = (
        config.model_type in _KINDS
        and model.dtype == torch.float32
        and getattr(config, "hidden_act", "") == "silu"
        and rope.get("rope_type", "default") in ("default", "llama3")
        and rope.get("partial_rotary_factor", 1.0) == 1.0
        and not getattr(config, "logits_scaling", None)
        and all(type(part) is torch.nn.Linear and type(part.weight) is torch.nn.Parameter for part in _linears(model))
    )
    return Lean(model) if plain else None


class Lean:
    """A model below its output layer; see `Step`."""

    def __init__(self, model: Any) -> None:
        body, config = model.base_model, model.config
        # What a module holds is slow to ask for, and asked for at every token.
        self._layers = [_Layer(layer, config.rms_norm_eps) for layer in body.layers]
        self._embeddings, self._padding = body.embed_tokens.weight, body.embed_tokens.padding_idx
        self._last, self._eps = body.norm.weight, config.rms_norm_eps
        self._heads, self._groups = config.num_attention_heads, config.num_key_value_heads
        self._width = getattr(config, "head_dim", None) or config.hidden_size // self._heads
        self._cosines, self._sines = _turns(body.rotary_emb, config.max_position_embeddings)
        self._table: tuple[Tensor, Tensor] | None = None
        self.frozen = False

    @torch.inference_mode()
    def freeze(self) -> None:
        """For sampling: the weights stay as they are until `thaw`, so what follows from them is kept."""
        self.frozen = True
        if self._embeddings.shape[0] * (self._heads + 2 * self._groups) * self._width <= _SMALL:
            self._table = self._of_tokens()
        for layer in self._layers:
            layer.freeze()

    def thaw(self) -> None:
        """Forget what followed from the weights."""
        self.frozen, self._table = False, None
        for layer in self._layers:
            layer.thaw()

    def __call__(self, tokens_BT: Tensor, positions_BT: Tensor, attend: Attend, wanted: Tensor | None = None) -> Tensor:
        """The last hidden states (B * T, D), or those of the tokens `wanted` (N,), numbered over B * T."""
        heads, groups, width = self._heads, self._groups, self._width
        rows, length = tokens_BT.shape
        tokens, positions = tokens_BT.flatten(), positions_BT.flatten()
        x = functional.embedding(tokens, self._embeddings, self._padding)  # the padding's has no gradient
        cos, sin = self._cosines[positions].unsqueeze(1), self._sines[positions].unsqueeze(1)
        table = self._table
        if table is None and 2 * self._embeddings.shape[0] <= len(tokens):
            table = self._of_tokens()
        for number, layer in enumerate(self._layers):
            if number == 0 and table is not None:
                qk, v = table[0].index_select(0, tokens), table[1].index_select(0, tokens)
            else:
                qk, v = layer.projected(x)
            # Queries and keys are turned by the same angles, so both at once.
            qk = qk.view(-1, heads + groups, width)
            qk = torch.addcmul(qk * cos, qk.roll(width // 2, -1), sin).view(rows, length, heads + groups, width)
            v = v.view(rows, length, groups, width)
            found = attend(qk[:, :, :heads], qk[:, :, heads:], v, number).reshape(rows * length, heads * width)
            if wanted is not None and number == len(self._layers) - 1:  # from here on, tokens go their own ways
                x, found = x.index_select(0, wanted), found.index_select(0, wanted)
            x = layer.fed(_added(x, found, layer.o))
        return _normed(x, self._last, self._eps)

    def _of_tokens(self) -> tuple[Tensor, Tensor]:
        """What the first layer projects every token of the vocabulary to; there it depends on nothing else."""
        every = torch.arange(len(self._embeddings), device=self._embeddings.device)
        return self._layers[0].projected(functional.embedding(every, self._embeddings, self._padding))


def cached(cache: Any, seen: Tensor, groups: int) -> Attend:
    """Attention to what a cache holds.

    Args:
        cache: `update(keys, values, layer)` writes (B, G, T, W) and returns everything written, (B, G, K, W).
        seen: (B, 1, T, K) which of that each token may see.
        groups: Heads of keys and values, G.
    """
    bias = torch.zeros(seen.shape, device=seen.device).masked_fill_(~seen, float("-inf"))
    once = seen.shape[2] == 1
    if once:
        bias = bias.expand(-1, groups, -1, -1).flatten(0, 1)

    def attend(q: Tensor, k: Tensor, v: Tensor, number: int) -> Tensor:
        rows, _, heads, width = q.shape
        keys, values = cache.update(k.transpose(1, 2), v.transpose(1, 2), number)
        if not once:
            found = functional.scaled_dot_product_attention(
                q.transpose(1, 2), keys, values, attn_mask=bias, enable_gqa=heads != groups
            )
            return found.transpose(1, 2)
        # With one query a row, a fused kernel has nothing to fuse.
        q = q.reshape(rows * groups, heads // groups, width)
        scores = torch.baddbmm(bias, q, keys.flatten(0, 1).transpose(1, 2), alpha=width**-0.5)
        return torch.bmm(scores.softmax(-1), values.flatten(0, 1))

    return attend


def _turns(rotary: Any, positions: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines (P, W) so that a turned vector is x * cosine + (x, its halves swapped) * sine."""
    angles = torch.arange(positions, device=rotary.inv_freq.device)[:, None] * rotary.inv_freq.float()
    cos, sin = angles.cos() * rotary.attention_scaling, angles.sin() * rotary.attention_scaling
    return torch.cat((cos, cos), dim=1), torch.cat((-sin, sin), dim=1)


def _normed(x_ND: Tensor, weight_D: Tensor, eps: float) -> Tensor:
    """`functional.rms_norm`, which torch composes of small operations on a CPU, in half the passes."""
    if torch.is_grad_enabled():
        normed: Tensor = _Normed.apply(x_ND, weight_D, eps)  # type: ignore[no-untyped-call]
        return normed
    return (x_ND * _scale(x_ND, eps)).mul_(weight_D)


def _scale(x_ND: Tensor, eps: float) -> Tensor:
    """(N, 1) what brings each row to a mean square of 1."""
    norm_N1: Tensor = torch.linalg.vector_norm(x_ND, dim=-1, keepdim=True)
    return norm_N1.square_().div_(x_ND.shape[-1]).add_(eps).rsqrt_()


class _Normed(torch.autograd.Function):
    """y = w x r(x), r = (mean(x^2) + eps)^(-1/2); dx = w r dy - x r^3 <dy x, w> / D, dw = sum over rows of r dy x."""

    @staticmethod
    def forward(ctx: Any, x_ND: Tensor, weight_D: Tensor, eps: float) -> Tensor:
        scale_N1 = _scale(x_ND, eps)
        ctx.save_for_backward(x_ND, weight_D, scale_N1)
        return (x_ND * scale_N1).mul_(weight_D)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_ND: Tensor) -> tuple[Tensor, Tensor, None]:
        x_ND, weight_D, scale_N1 = ctx.saved_tensors
        product_ND = grad_ND * x_ND
        along_N1 = torch.mv(product_ND, weight_D).unsqueeze(-1).mul_(scale_N1.pow(3)).div_(-x_ND.shape[-1])
        grad_x_ND = (grad_ND * weight_D).mul_(scale_N1).addcmul_(x_ND, along_N1)
        return grad_x_ND, torch.mv(product_ND.t(), scale_N1.squeeze(-1)), None


_Linear = tuple[Tensor, Tensor | None]


class _Layer:
    """A layer's weights."""

    def __init__(self, layer: Any, eps: float) -> None:
        attention, feed, self._eps = layer.self_attn, layer.mlp, eps
        self._before_attention, self._before_feed = layer.input_layernorm.weight, layer.post_attention_layernorm.weight
        self._q, self._k, self._v = _parts(attention.q_proj), _parts(attention.k_proj), _parts(attention.v_proj)
        self.o, self._gate, self._up = _parts(attention.o_proj), _parts(feed.gate_proj), _parts(feed.up_proj)
        self._down = _parts(feed.down_proj)
        self._qkv: _Linear | None = None

    def freeze(self) -> None:
        """Join the first weights, so that one product makes queries, keys and values."""
        parts = (self._q, self._k, self._v)
        bias = None if self._q[1] is None else torch.cat([bias for _, bias in parts if bias is not None])
        self._qkv = torch.cat([weight for weight, _ in parts]), bias

    def thaw(self) -> None:
        """Take the weights apart again."""
        self._qkv = None

    def projected(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Queries and keys side by side, and values."""
        h = _normed(x, self._before_attention, self._eps)
        if self._qkv is None:
            return torch.cat((_linear(h, self._q), _linear(h, self._k)), dim=1), _linear(h, self._v)
        qkv, values = _linear(h, self._qkv), len(self._v[0])
        return qkv[:, :-values], qkv[:, -values:]

    def fed(self, x: Tensor) -> Tensor:
        """The feed-forward half."""
        h = _normed(x, self._before_feed, self._eps)
        return _added(x, functional.silu(_linear(h, self._gate)) * _linear(h, self._up), self._down)


def _parts(module: torch.nn.Linear) -> _Linear:
    return module.weight, module.bias


def _linear(x: Tensor, part: _Linear) -> Tensor:
    return functional.linear(x, *part)


def _added(x: Tensor, y: Tensor, part: _Linear) -> Tensor:
    """`x + _linear(y, part)` in one operation."""
    weight, bias = part
    return torch.addmm(x if bias is None else x + bias, y, weight.t())


def _linears(model: Any) -> list[Any]:
    found: list[Any] = []
    for layer in model.base_model.layers:
        attention, feed = layer.self_attn, layer.mlp
        found += [attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj]
        found += [feed.gate_proj, feed.up_proj, feed.down_proj]
    return found
