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
    rotary = body.rotary_emb
    angles = torch.arange(config.max_position_embeddings, device=model.device)[:, None] * rotary.inv_freq.float()
    cosines, sines = angles.cos() * rotary.attention_scaling, angles.sin() * rotary.attention_scaling
    heads, groups = config.num_attention_heads, config.num_key_value_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    eps = config.rms_norm_eps
    shape = (config.hidden_size,)

    def turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        a, b = x.chunk(2, dim=-1)
        return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1).transpose(1, 2)

    def step(tokens: Tensor, positions: Tensor, seen: Tensor, cache: Any) -> Tensor:
        rows, length = tokens.shape
        x = functional.embedding(tokens, body.embed_tokens.weight)
        cos, sin = cosines[positions].unsqueeze(2), sines[positions].unsqueeze(2)
        for number, layer in enumerate(body.layers):
            attention, feed = layer.self_attn, layer.mlp
            h = functional.rms_norm(x, shape, layer.input_layernorm.weight, eps)
            q = _linear(h, attention.q_proj).view(rows, length, heads, width)
            k = _linear(h, attention.k_proj).view(rows, length, groups, width)
            v = _linear(h, attention.v_proj).view(rows, length, groups, width).transpose(1, 2)
            # Queries and keys are turned by the same angles, so both at once.
            q, k = torch.split(turned(torch.cat((q, k), dim=2), cos, sin), [heads, groups], dim=1)
            k, v = cache.update(k, v, number)
            found = functional.scaled_dot_product_attention(q, k, v, attn_mask=seen, enable_gqa=heads != groups)
            x = x + _linear(found.transpose(1, 2).reshape(rows, length, heads * width), attention.o_proj)
            h = functional.rms_norm(x, shape, layer.post_attention_layernorm.weight, eps)
            x = x + _linear(functional.silu(_linear(h, feed.gate_proj)) * _linear(h, feed.up_proj), feed.down_proj)
        return functional.rms_norm(x, shape, body.norm.weight, eps)

    return step


def _linear(x: Tensor, part: torch.nn.Linear) -> Tensor:
    return functional.linear(x, part.weight, part.bias)


def _linears(model: Any) -> list[Any]:
    found: list[Any] = []
    for layer in model.base_model.layers:
        attention, feed = layer.self_attn, layer.mlp
        found += [attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj]
        found += [feed.gate_proj, feed.up_proj, feed.down_proj]
    return found
