"""One decoding step of Llama-like models without the modules around it.

A step of a small model is a few hundred small operations, and the modules, decorators and mask builders around them
cost more than they do. This is the same arithmetic, operation by operation, on the model's own weights; a test holds
the two together. Where anything is out of the ordinary, `lean` declines and the engine calls the model itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["Step", "lean"]

Step = Callable[[Tensor, Tensor, Tensor, Any], Tensor]
"""Tokens (B, T), positions (B, T), which keys each may see (B, 1, T, K), the cache -> hidden states (B, T, D)."""

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
        and all(type(part) is torch.nn.Linear for part in _linears(model))
    )
    if not plain:
        return None
    body = model.base_model
    # What a module holds is slow to ask for, and asked for at every token.
    layers = [_Layer(layer) for layer in body.layers]
    embeddings, last = body.embed_tokens.weight, body.norm.weight
    heads, groups = config.num_attention_heads, config.num_key_value_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    cosines, sines = _turns(body.rotary_emb, config.max_position_embeddings)
    eps, shape = config.rms_norm_eps, (config.hidden_size,)

    def step(tokens: Tensor, positions: Tensor, seen: Tensor, cache: Any) -> Tensor:
        rows, length = tokens.shape
        x = functional.embedding(tokens.flatten(), embeddings)
        cos, sin = cosines[positions.flatten()].unsqueeze(1), sines[positions.flatten()].unsqueeze(1)
        bias = torch.zeros(seen.shape, device=seen.device).masked_fill_(~seen, float("-inf"))
        if length == 1:
            bias = bias.expand(-1, groups, -1, -1).flatten(0, 1)
        for number, layer in enumerate(layers):
            h = functional.rms_norm(x, shape, layer.before_attention, eps)
            # Queries and keys are turned by the same angles, so both at once.
            qk = torch.cat((_linear(h, layer.q), _linear(h, layer.k)), dim=1).view(-1, heads + groups, width)
            qk = torch.addcmul(qk * cos, qk.roll(width // 2, -1), sin).view(rows, length, heads + groups, width)
            v = _linear(h, layer.v).view(rows, length, groups, width)
            keys, values = cache.update(qk[:, :, heads:].transpose(1, 2), v.transpose(1, 2), number)
            q = qk[:, :, :heads]
            found = _attend_once(q, keys, values, bias) if length == 1 else _attend(q, keys, values, bias)
            x = _added(x, found.reshape(rows * length, heads * width), layer.o)
            h = functional.rms_norm(x, shape, layer.before_feed, eps)
            x = _added(x, functional.silu(_linear(h, layer.gate)).mul_(_linear(h, layer.up)), layer.down)
        return functional.rms_norm(x, shape, last, eps).view(rows, length, -1)

    return step


def _attend(q: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> Tensor:
    """Queries (B, T, H, W) and keys and values (B, G, K, W) -> (B, T, H, W)."""
    grouped = q.shape[2] != keys.shape[1]
    found = functional.scaled_dot_product_attention(q.transpose(1, 2), keys, values, attn_mask=bias, enable_gqa=grouped)
    return found.transpose(1, 2)


def _attend_once(q: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> Tensor:
    """The same for one query a row, where a fused kernel has nothing to fuse. `bias` is (B * G, 1, K)."""
    rows, _, heads, width = q.shape
    groups = keys.shape[1]
    q = q.reshape(rows * groups, heads // groups, width)
    scores = torch.baddbmm(bias, q, keys.flatten(0, 1).transpose(1, 2), alpha=width**-0.5)
    return torch.bmm(scores.softmax(-1), values.flatten(0, 1))


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
