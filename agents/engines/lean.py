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
from torch.nn import functional

__all__ = ["Attend", "Step", "cached", "lean"]

Attend = Callable[[Tensor, Tensor, Tensor, int], Tensor]
"""Queries (B, T, H, W), keys and values (B, T, G, W), which layer -> what is found, in the order of (B, T, H, W)."""


class Step(Protocol):
    """A model below its output layer."""

    def __call__(self, tokens_BT: Tensor, positions_BT: Tensor, attend: Attend, wanted: Tensor | None = None) -> Tensor:
        """The last hidden states (B * T, D), or those of the tokens `wanted` (N,), numbered over B * T."""
        ...


_KINDS = {"llama", "qwen2"}


def lean(model: Any) -> Step | None:
    """The step of a model, or None if it is not one of the kind.

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
    if not plain:
        return None
    body = model.base_model
    # What a module holds is slow to ask for, and asked for at every token.
    layers = [_Layer(layer) for layer in body.layers]
    embeddings, padding, last = body.embed_tokens.weight, body.embed_tokens.padding_idx, body.norm.weight
    heads, groups = config.num_attention_heads, config.num_key_value_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    cosines, sines = _turns(body.rotary_emb, config.max_position_embeddings)
    eps, shape = config.rms_norm_eps, (config.hidden_size,)

    def step(tokens_BT: Tensor, positions_BT: Tensor, attend: Attend, wanted: Tensor | None = None) -> Tensor:
        rows, length = tokens_BT.shape
        x = functional.embedding(tokens_BT.flatten(), embeddings, padding)  # the padding's has no gradient
        cos, sin = cosines[positions_BT.flatten()].unsqueeze(1), sines[positions_BT.flatten()].unsqueeze(1)
        for number, layer in enumerate(layers):
            h = functional.rms_norm(x, shape, layer.before_attention, eps)
            # Queries and keys are turned by the same angles, so both at once.
            qk = torch.cat((_linear(h, layer.q), _linear(h, layer.k)), dim=1).view(-1, heads + groups, width)
            qk = torch.addcmul(qk * cos, qk.roll(width // 2, -1), sin).view(rows, length, heads + groups, width)
            v = _linear(h, layer.v).view(rows, length, groups, width)
            found = attend(qk[:, :, :heads], qk[:, :, heads:], v, number).reshape(rows * length, heads * width)
            if wanted is not None and number == len(layers) - 1:  # from here on, tokens go their own ways
                x, found = x.index_select(0, wanted), found.index_select(0, wanted)
            x = _added(x, found, layer.o)
            h = functional.rms_norm(x, shape, layer.before_feed, eps)
            x = _added(x, functional.silu(_linear(h, layer.gate)) * _linear(h, layer.up), layer.down)
        return functional.rms_norm(x, shape, last, eps)

    return step


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


_Linear = tuple[Tensor, Tensor | None]


class _Layer:
    """A layer's weights."""

    def __init__(self, layer: Any) -> None:
        attention, feed = layer.self_attn, layer.mlp
        self.before_attention, self.before_feed = layer.input_layernorm.weight, layer.post_attention_layernorm.weight
        self.q, self.k, self.v = _parts(attention.q_proj), _parts(attention.k_proj), _parts(attention.v_proj)
        self.o, self.gate, self.up = _parts(attention.o_proj), _parts(feed.gate_proj), _parts(feed.up_proj)
        self.down = _parts(feed.down_proj)


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
