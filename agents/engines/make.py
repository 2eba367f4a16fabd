"""The engine that a configuration asks for."""

from __future__ import annotations

import torch

from proofgym.agents.engines.base import Engine
from proofgym.agents.plans import Engine as Plan
from proofgym.agents.policy import Policy

__all__ = ["make_engine"]


def make_engine(policy: Policy, plan: Plan, *, slots: int, own_copy: bool = False) -> Engine:
    """Make an engine for a policy.

    Args:
        policy: Whose weights are sampled from.
        plan: Which engine.
        slots: Episodes side by side, where the plan leaves it open.
        own_copy: The policy will be trained while the engine samples.
    """
    slots = plan.slots or slots
    if plan.kind == "transformers":
        from proofgym.agents.engines.transformers import TransformersEngine

        dtype = torch.bfloat16 if plan.dtype == "bfloat16" else None
        return TransformersEngine(policy, slots=slots, own_copy=own_copy or dtype is not None, dtype=dtype)
    if plan.kind == "vllm":
        from proofgym.agents.engines.vllm import VLLMEngine

        return VLLMEngine(policy, slots=slots, memory=plan.memory, sleeps=plan.sleep)
    from proofgym.agents.engines.server import ServerEngine

    return ServerEngine(
        policy.format, plan.url, model=plan.model or policy.name, dialect=plan.dialect, slots=slots,
        max_context=policy.max_context, version=policy.version, timeout_s=plan.timeout_s,
        save=policy.save, sync_folder=plan.sync_folder,
    )  # fmt: skip
