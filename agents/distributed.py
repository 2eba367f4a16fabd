"""Many processes as one trainer: `torchrun --nproc-per-node N -m proofgym train ...`, the weights sharded by FSDP2.

Every process collects its share of the prompts with an unsharded copy of the policy. All episodes are gathered, so each
computes the same advantages over the whole batch, and learns from its share of the episodes. What a token counts is
decided over the whole batch too, so the loss is the one that a single process would have computed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

__all__ = ["World", "full_state", "load_full_state", "load_optimizer_state", "optimizer_state", "shard"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class World:
    """Which of how many processes this is. Alone, every operation here does nothing.

    >>> World().sums({"tokens": 3.0})
    {'tokens': 3.0}
    """

    rank: int = 0
    size: int = 1

    @classmethod
    def join(cls) -> World:
        """Join the processes that torchrun started; alone if it did not start this one."""
        if int(os.environ.get("WORLD_SIZE", "1")) <= 1:
            return cls()
        if not dist.is_initialized():
            gpu = torch.cuda.is_available()
            if gpu:
                torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
            dist.init_process_group("nccl" if gpu else "gloo")
        return cls(dist.get_rank(), dist.get_world_size())

    @property
    def first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def share(self, rows: Sequence[T]) -> list[T]:
        """This process's part of something that all of them hold."""
        return list(rows[self.rank :: self.size])

    def gather(self, mine: Sequence[T]) -> list[T]:
        """Everybody's parts, in the order of the processes."""
        if self.size == 1:
            return list(mine)
        parts: list[Any] = [None] * self.size
        dist.all_gather_object(parts, list(mine))
        return [item for part in parts for item in part]

    def unshare(self, mine: Sequence[T]) -> list[T]:
        """Undo `share`: the whole, in its first order."""
        if self.size == 1:
            return list(mine)
        parts: list[Any] = [None] * self.size
        dist.all_gather_object(parts, list(mine))
        total = sum(len(part) for part in parts)
        return [parts[i % self.size][i // self.size] for i in range(total)]

    def sums(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """Add numbers of the same names over all processes."""
        if self.size == 1:
            return dict(numbers)
        names = sorted(numbers)
        table = torch.tensor([numbers[name] for name in names], dtype=torch.float64, device=_device())
        dist.all_reduce(table)
        return dict(zip(names, table.tolist(), strict=True))

    def largest(self, number: int) -> int:
        """The largest of everybody's numbers."""
        if self.size == 1:
            return number
        table = torch.tensor([number], device=_device())
        dist.all_reduce(table, op=dist.ReduceOp.MAX)
        return int(table.item())

    def wait(self) -> None:
        """Until everybody is here."""
        if self.size > 1:
            dist.barrier()

    def leave(self) -> None:
        """End the group; nothing more can be shared."""
        if self.size > 1 and dist.is_initialized():
            dist.destroy_process_group()


def _device() -> torch.device:
    return torch.device("cuda", torch.cuda.current_device()) if dist.get_backend() == "nccl" else torch.device("cpu")


def shard(module: nn.Module, world: World) -> None:
    """Spread a module's weights over all processes, a transformer layer at a time, in place.

    Source:
        FSDP2, `torch.distributed.fsdp.fully_shard`.
    """
    if world.size == 1:
        return
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(_device().type, (world.size,))
    for layer in _layers(module):
        fully_shard(layer, mesh=mesh)
    fully_shard(module, mesh=mesh)


def _layers(module: nn.Module) -> list[nn.Module]:
    """The repeated blocks of every transformer inside."""
    return [
        layer
        for part in module.modules()
        for name, child in part.named_children()
        if name in ("layers", "h", "blocks") and isinstance(child, nn.ModuleList)
        for layer in child
    ]


def full_state(module: nn.Module) -> dict[str, Tensor]:
    """The module's weights in one piece each, on every process."""
    return {
        name: tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor
        for name, tensor in module.state_dict().items()
    }


def load_full_state(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load weights in one piece each, as `full_state` gives them, into a module that may be sharded."""
    from torch.distributed.tensor import DTensor, distribute_tensor

    own = module.state_dict()
    placed = {
        name: distribute_tensor(tensor.to(own[name].device), own[name].device_mesh, own[name].placements)
        if isinstance(own[name], DTensor)
        else tensor
        for name, tensor in state.items()
    }
    module.load_state_dict(placed, strict=False)


def optimizer_state(module: nn.Module, optimizer: torch.optim.Optimizer, world: World) -> dict[str, Any]:
    """An optimizer's state, in one piece on every process."""
    if world.size == 1:
        return optimizer.state_dict()
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_optimizer_state_dict

    options = StateDictOptions(full_state_dict=True, cpu_offload=False)
    return dict(get_optimizer_state_dict(module, optimizer, options=options))


def load_optimizer_state(
    module: nn.Module, optimizer: torch.optim.Optimizer, state: dict[str, Any], world: World
) -> None:
    """Take up what `optimizer_state` gave, in a world of the same kind (one process, or several)."""
    if world.size == 1:
        optimizer.load_state_dict(state)
        return
    from torch.distributed.checkpoint.state_dict import StateDictOptions, set_optimizer_state_dict

    set_optimizer_state_dict(module, optimizer, state, options=StateDictOptions(full_state_dict=True))
