"""From token ids to what a loss needs: log-probabilities, entropies and values at sampled tokens, nothing else.

Only positions that predict a sampled token pass through the output layer, a chunk at a time. With 150,000 tokens to
choose from, one copy of the logits of 32,000 positions would fill 18 GiB. In the backward pass a chunk's logits are
computed again, so at most `chunk` rows of logits exist at any moment.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from proofgym.agents.engines.lean import Step, lean
from proofgym.agents.shared import Folded, fold

__all__ = ["Scorer", "Scores", "backbone", "use_liger", "weights"]


@dataclass(slots=True)
class Scores:
    """What a forward pass finds, in row order.

    Args:
        logprobs: (N,) of the sampled tokens, nats, float32.
        entropy: (N,) at their places; without gradient unless asked for.
        values: (N,) of the state before each sampled token; None without a value head.
        after: (R,) of the state after each sequence's last token.
    """

    logprobs: Tensor
    entropy: Tensor
    values: Tensor | None = None
    after: Tensor | None = None


class Scorer(nn.Module):
    """A policy's model as the trainer sees it; one module, so that sharding wraps all of it.

    Args:
        model: A transformers causal language model.
        head: A value head on its last layer.
        chunk: Positions whose logits are held at a time; 0 for all.
        mixed: Compute in bfloat16 whatever the weights are.
        checkpointing: Keep no activations of the layers.
    """

    def __init__(
        self, model: Any, *, head: nn.Module | None = None, chunk: int = 4096, mixed: bool = False,
        checkpointing: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.model, self.head = model, head
        self.chunk, self.mixed, self.checkpointing = chunk, mixed, checkpointing
        self._step: Step | Literal[False] | None = None  # False: the model is not one of the kind
        if checkpointing:
            # The one name is transformers' own since 5.2x, the other goes in its version 6.
            enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
            enable({"use_reentrant": False})
            for module in model.modules():  # sampling has no dropout, so training has none
                if hasattr(module, "attention_dropout"):
                    module.attention_dropout = 0.0
                if isinstance(module, nn.Dropout):
                    module.p = 0.0

    def forward(
        self,
        ids_BL: Tensor,
        keep_BL: Tensor,
        *,
        temperature: float = 1.0,
        positions_BL: Tensor | None = None,
        ends_R: Tensor | None = None,
        entropy_gradient: bool = False,
        head_only: bool = False,
    ) -> Scores:
        """Score the kept tokens, each given all before it.

        Args:
            ids_BL: (B, L) token ids, padded on the right or packed.
            keep_BL: (B, L) True for the tokens wanted; never the first of a sequence.
            temperature: As in sampling; the logits are divided by it.
            positions_BL: (B, L) of packed rows: each sequence counts from 0, which is how the attention tells them
                apart. None if a row holds one sequence.
            ends_R: (R,) places of the last tokens of sequences in the flattened ids, for `Scores.after`.
            entropy_gradient: Let gradients flow through the entropy.
            head_only: Let no gradient of the values into the model below the head.
        """
        # A token is predicted from the position before it. Only kept positions pass through the output layer.
        predicts = torch.zeros_like(keep_BL)
        predicts[:, :-1] = keep_BL[:, 1:]
        whole = self.head is not None and ends_R is not None
        shares = positions_BL is None and not whole and getattr(self.model.config, "_attn_implementation", "") == "sdpa"
        folded = fold(ids_BL, keep_BL) if shares else None
        step = self._lean(ids_BL.device) if folded is not None else None
        if folded is not None and step is not None:
            wanted = folded.through(step, predicts)
        else:
            kind = ids_BL.device.type
            with torch.autocast(kind, torch.bfloat16) if self.mixed else contextlib.nullcontext():
                hidden = self._hidden(ids_BL, positions_BL, folded)
            wanted = hidden[predicts]
        chosen = ids_BL[keep_BL]
        if not self.chunk or len(chosen) <= self.chunk:
            logprobs, entropy = self._output(wanted, chosen, temperature, entropy_gradient)
        else:
            parts = [
                checkpoint(self._output, h, c, temperature, entropy_gradient, use_reentrant=False)
                if torch.is_grad_enabled()
                else self._output(h, c, temperature, entropy_gradient)
                for h, c in zip(torch.split(wanted, self.chunk), torch.split(chosen, self.chunk), strict=True)
            ]
            logprobs, entropy = (torch.cat(pieces) for pieces in zip(*parts, strict=True))
        values = after = None
        if self.head is not None:
            below = wanted.detach() if head_only else wanted
            values = self.head(below.float()).squeeze(-1)
            if ends_R is not None:
                after = self.head(hidden.flatten(0, 1)[ends_R].float()).squeeze(-1)
        return Scores(logprobs, entropy, values, after)

    def _lean(self, device: torch.device) -> Step | None:
        """The layers without modules: on a CPU, where a small model spends its time in those; in one piece only."""
        if self.mixed or self.checkpointing or device.type != "cpu" or self.model.training:
            return None
        if self._step is None:
            self._step = lean(self.model) or False
        return self._step or None

    def _hidden(self, ids_BL: Tensor, positions_BL: Tensor | None, folded: Folded | None) -> Tensor:
        training = self.checkpointing and torch.is_grad_enabled()  # transformers checkpoints in training mode only
        if training:
            self.model.train()
        try:
            placed = {} if positions_BL is None else {"position_ids": positions_BL}
            if folded is not None:  # what rows share goes through the layers once
                ids_BL = folded.ids_CU
                placed = {"position_ids": folded.positions_CU, "attention_mask": folded.seen_CUU.unsqueeze(1)}
            hidden: Tensor = backbone(self.model)(input_ids=ids_BL, use_cache=False, **placed).last_hidden_state
            if folded is not None:
                hidden = folded.dealt(hidden)
        finally:
            if training:
                self.model.eval()
        return hidden

    def _output(
        self, hidden: Tensor, chosen: Tensor, temperature: float, entropy_gradient: bool
    ) -> tuple[Tensor, Tensor]:
        with torch.autocast(hidden.device.type, torch.bfloat16) if self.mixed else contextlib.nullcontext():
            logits = self.model.get_output_embeddings()(hidden)
        logp = torch.log_softmax(logits.float() / temperature, dim=-1)
        logprobs = logp.gather(-1, chosen.unsqueeze(-1)).squeeze(-1)
        with contextlib.nullcontext() if entropy_gradient else torch.no_grad():
            entropy = -(logp.exp() * logp).sum(-1)
        return logprobs, entropy


def backbone(model: Any) -> Any:
    """The part of a causal language model below its output layer."""
    return model.base_model


def weights(model: Any) -> Iterator[tuple[str, Tensor]]:
    """A model's weights by the names that a checkpoint of it has, a LoRA addition merged into what it adds to.

    For handing new weights to an inference engine. Tensors may share memory with the model: copy them or use them at
    once.
    """
    from proofgym.agents import lora

    yield from lora.merged_weights(model)


def use_liger(model: Any) -> bool:
    """Swap in Liger's fused kernels for norms, rotary embeddings and feed-forward layers, where that is possible.

    The output layer stays ours. Nothing happens without a GPU, without liger-kernel, or for an architecture it does not
    know.

    Returns:
        Whether they are in use.
    """
    if next(model.parameters()).device.type != "cuda":
        return False
    try:
        from liger_kernel.transformers.monkey_patch import (  # type: ignore[import-not-found, unused-ignore]
            MODEL_TYPE_TO_APPLY_LIGER_FN,
            _apply_liger_kernel_to_instance,
        )
    except ImportError:
        return False
    if getattr(model.config, "model_type", "") not in MODEL_TYPE_TO_APPLY_LIGER_FN:
        return False
    _apply_liger_kernel_to_instance(model=model, fused_linear_cross_entropy=False, cross_entropy=False)
    return True
