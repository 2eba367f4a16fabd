"""Environments that fail on purpose, and models small enough to train in seconds."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import gymnasium
import pytest

from proofgym.adapters.said import forget
from proofgym.envs.spaces import AnyText
from proofgym.errors import Unjudged
from proofgym.verifiers import Credit


class Flaky(gymnasium.Env[str, str]):
    """Two turns that pay the number of vowels' shares; 'break' cannot be judged, and item 13 cannot be asked."""

    def __init__(self) -> None:
        self.observation_space, self.action_space = AnyText(100), AnyText(100)
        self.turn = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        self.turn = 0
        return f"Say something, number {int(self.np_random.integers(10**9))}.", {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        self.turn += 1
        if "break" in action:
            raise Unjudged("the judge is on strike")
        credits_ = [Credit(i, i + 1, 0.25, "vowel") for i, c in enumerate(action) if c in "aeiou"]
        return f"You said {action}.", 0.25 * len(credits_), self.turn == 2, False, {"credits": credits_}


FLAKY = "proofgym-tests/Flaky-v0"
if FLAKY not in gymnasium.registry:
    gymnasium.register(FLAKY, entry_point=lambda: Flaky())


@pytest.fixture(scope="session")
def flaky() -> str:
    """The id of an environment of two turns in which the action 'break' cannot be judged."""
    return FLAKY


@pytest.fixture(autouse=True)
def _fresh_words() -> Iterator[None]:
    forget()
    yield
    forget()


def real(name: str) -> Any:
    """A trainer's own package, or a skip that names it."""
    if importlib.util.find_spec(name.split(".")[0]) is None:
        pytest.skip(f"{name.split('.')[0]} is not installed here; `make test-adapters` brings it")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


@pytest.fixture(scope="session", name="real")
def _real() -> Any:
    return real


class Tiny:
    """A model of a few ten thousand weights that reads bytes and has a chat template with tools."""

    def __init__(self, template: str, *, seed: int = 0) -> None:
        import torch
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers
        from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

        special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
        vocabulary = [*special, *sorted(pre_tokenizers.ByteLevel.alphabet())]
        inner = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(vocabulary)}, merges=[]))
        inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        inner.decoder = decoders.ByteLevel()
        self.tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=inner, eos_token="<|im_end|>", pad_token="<|endoftext|>",
            additional_special_tokens=["<|im_start|>"],
        )  # fmt: skip
        self.tokenizer.chat_template = template
        torch.set_num_threads(1)  # more only wait for each other at this size
        torch.manual_seed(seed)
        self.model = Qwen2ForCausalLM(
            Qwen2Config(
                vocab_size=len(vocabulary), hidden_size=64, intermediate_size=128, num_hidden_layers=2,
                num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=4096,
                eos_token_id=2, pad_token_id=0, bos_token_id=None,
            )
        )  # fmt: skip

    def teach(self, texts: Sequence[tuple[str, str]], steps: int) -> float:
        """Imitate (prompt, answer) pairs, so that what is sampled can be played; the last loss."""
        import torch

        optimizer = torch.optim.AdamW(self.model.parameters(), lr=3e-3)
        loss = torch.zeros(())
        for step in range(steps):
            prompt, answer = texts[step % len(texts)]
            head = self.tokenizer.encode(prompt, add_special_tokens=False)
            ids = torch.tensor([head + self.tokenizer.encode(answer, add_special_tokens=False) + [2]])
            labels = ids.clone()
            labels[0, : len(head)] = -100
            loss = self.model(input_ids=ids, labels=labels).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return float(loss)


CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture(scope="session")
def tiny() -> Any:
    """`tiny(template)` -> a `Tiny`."""
    return lambda template=CHATML: Tiny(template)
