"""Training a low-rank addition to the weights (LoRA, by peft), which also makes the base model its own reference.

The addition is injected into the policy's own model, so sampling, scoring and saving go on as before.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from proofgym.agents.config import Lora
from proofgym.agents.policy import Policy
from proofgym.errors import need

__all__ = ["attach", "attached", "base_model", "merged_policy", "merged_weights", "own_state"]

_ADAPTER = "default"


def attach(policy: Policy, plan: Lora, seed: int = 0) -> None:
    """Add a LoRA to the policy's model and freeze everything else.

    Args:
        policy: Its model is changed in place; at first the addition is zero, so it says the same as before.
        plan: Rank, scale, and which layers.
        seed: Of the addition's random half.
    Raises:
        MissingExtra: If peft is not installed.
    Source:
        Hu et al. 2021 (arXiv:2106.09685).
    """
    peft = need("peft", "lora")
    config = peft.LoraConfig(
        r=plan.rank, lora_alpha=plan.alpha, target_modules=_targets(policy.model, plan), lora_dropout=0.0,
        bias="none", task_type="CAUSAL_LM",
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        peft.inject_adapter_in_model(config, policy.model, adapter_name=_ADAPTER)
    for name, parameter in policy.model.named_parameters():
        parameter.requires_grad_("lora_" in name)
    policy.model.eval()


def _targets(model: Any, plan: Lora) -> list[str]:
    """Names of the layers to add to."""
    if plan.targets != "all-linear":
        return [plan.targets] if isinstance(plan.targets, str) else list(plan.targets)
    output = model.get_output_embeddings()
    return [
        name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear) and module is not output
    ]


def _layers(model: Any) -> Iterator[tuple[str, Any]]:
    """The layers that carry an addition."""
    for name, module in model.named_modules():
        if hasattr(module, "lora_A") and hasattr(module, "get_delta_weight"):
            yield name, module


def attached(model: Any) -> bool:
    """Whether the model carries an addition."""
    return any(True for _ in _layers(model))


@contextlib.contextmanager
def base_model(model: Any) -> Iterator[None]:
    """Switch the addition off for a while: the model is what it was before training."""
    layers = [layer for _, layer in _layers(model)]
    grads = {p: p.requires_grad for layer in layers for p in layer.parameters()}
    for layer in layers:
        layer.enable_adapters(False)
    try:
        yield
    finally:
        for layer in layers:
            layer.enable_adapters(True)
        for parameter, wanted in grads.items():  # peft switches gradients along with the adapters
            parameter.requires_grad_(wanted)


def merged_weights(model: Any) -> Iterator[tuple[str, Tensor]]:
    """Every weight by its name without the addition's pieces, the addition merged into what it adds to."""
    deltas: dict[str, Tensor] = {}
    with torch.no_grad():
        for name, layer in _layers(model):
            deltas[f"{name}.weight"] = layer.get_delta_weight(_ADAPTER)
        for name, tensor in model.state_dict().items():
            if "lora_" in name:
                continue
            plain = name.replace(".base_layer.", ".")
            yield plain, tensor + deltas[plain].to(tensor.dtype) if plain in deltas else tensor


def merged_policy(policy: Policy) -> Policy:
    """A copy without an addition whose weights contain it: what is saved and handed on."""
    if not attached(policy.model):
        return policy
    model = type(policy.model)(copy.deepcopy(policy.model.config))
    model.to(next(policy.model.parameters()).dtype)
    model.load_state_dict(dict(merged_weights(policy.model)))
    return Policy(model.eval(), policy.format, policy.name, policy.version)


def own_state(model: Any) -> dict[str, Tensor]:
    """What a checkpoint keeps: all weights, or of a LoRA only the addition, since the base does not change."""
    state: dict[str, Tensor] = model.state_dict()
    return {name: tensor for name, tensor in state.items() if "lora_" in name} if attached(model) else state
