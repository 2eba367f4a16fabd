"""Our trainer beside TRL's GRPOTrainer: same weights, prompts, lengths and group size, in one run, on a CPU.

    python benchmarks/trainer.py                      # the tiny model, latency, trees: about five minutes
    python benchmarks/trainer.py --cases smollm2      # SmolLM2-135M in float32: about five minutes more

Needs `trl` beside proofgym. Each side runs in a process of its own, the two interleaved, one thread each. Prints the
CPU seconds an update (children included; the median over updates, the first three left out), peak resident memory, and
ratios with the range over repeats. `latency`: eight turns whose environment waits, lognormally; what counts is episodes
a second of wall time. TRL plays all episodes turn by turn, its environments stepped by a pool of threads, so a turn
takes as long as its slowest environment and no longer. Ours have no barrier between turns, but an update still waits
for its slowest episode: the waits are the same on both sides, so what that can gain at most is known and printed. With
`staleness: 1` the next update's episodes wait meanwhile. `tree`: tokens sampled for the same number of leaves.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

ALPHABET = "0123456789"
DIGITS = 12  # ours puts one token before and one behind the observation, so TRL's prompts have two digits more
CASES = {  # prompts, group, tokens, updates
    "tiny 32x16": (4, 8, 16, 63),
    "tiny 256x4": (32, 8, 4, 15),
    "smollm2": (1, 8, 64, 6),
    "latency": (4, 8, 4, 4),
}
TURNS = 8
_WARM = 3


class Digits:
    """What both sides are paid for: the share of the digit 7."""

    @staticmethod
    def prompt(index: int, length: int) -> str:
        return "".join(map(str, np.random.default_rng([5, index]).integers(10, size=length)))

    @staticmethod
    def reward(text: str) -> float:
        return text.count("7") / max(1, len(text))

    @staticmethod
    def latency_s(update: int, number: int, turn: int) -> float:
        """Heavy-tailed: median 40 ms, mean 93 ms, at most 2 s."""
        return float(min(2.0, np.random.default_rng([9, update, number, turn]).lognormal(np.log(0.04), 1.3)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cases", nargs="+", default=["tiny 32x16", "tiny 256x4", "latency", "tree"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--side", choices=["ours", "trl"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        result = (_ours if args.side == "ours" else _trl)(args.cases[0], args.folder)
        print(json.dumps(result | {"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
        return
    print(f"{platform.machine()}, python {platform.python_version()}, 1 thread a side, {args.repeats} repeats\n")
    for case in args.cases:
        if case == "tree":
            _trees()
        else:
            _compare(case, args.repeats if case != "smollm2" else min(2, args.repeats))


def _compare(case: str, repeats: int) -> None:
    runs: dict[str, list[dict[str, Any]]] = {"ours": [], "trl": []}
    with tempfile.TemporaryDirectory() as folder:
        _save(case, Path(folder))
        for _ in range(repeats):
            for side in runs:
                runs[side].append(_child(case, side, folder))
    what = ["episodes_per_s"] if case == "latency" else ["cpu_s"]
    more = ["asynchronous_episodes_per_s"] if case == "latency" else []
    print(case)
    for key in [*what, *more, "peak_mib"]:
        ours = [run[key] for run in runs["ours"]]
        theirs = [run["episodes_per_s" if key in more else key] for run in runs["trl"]]
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        print(
            f"  {key:28} ours {statistics.median(ours):9.3f}   trl {statistics.median(theirs):9.3f}   "
            f"ratio {statistics.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]"
        )
    if case == "latency":
        _print_bound(case)
    print(f"  versions: {runs['trl'][0]['versions']}\n")


def _print_bound(case: str) -> None:
    """What nothing but waiting costs: turn by turn the slowest of each, without barriers the slowest sum."""
    prompts, group, _, updates = CASES[case]
    waits_UET = np.array(
        [[[Digits.latency_s(u, n, t) for t in range(TURNS)] for n in range(prompts * group)] for u in range(1, updates)]
    )
    by_turn, by_episode = waits_UET.max(1).sum(), waits_UET.sum(2).max(1).sum()
    print(
        f"  waits alone, {updates - 1} updates: {by_turn:.1f} s with a barrier a turn, {by_episode:.1f} s with one an "
        f"update; no synchronous trainer can gain more than {by_turn / by_episode:.2f}"
    )


def _child(case: str, side: str, folder: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, __file__, "--side", side, "--folder", folder, "--cases", case],
        env={**os.environ, "OMP_NUM_THREADS": "1", "TRL_EXPERIMENTAL_SILENCE": "1", "HF_HUB_OFFLINE": "1",
             "TOKENIZERS_PARALLELISM": "false"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{side}, {case}:\n{done.stderr[-3000:]}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def _save(case: str, folder: Path) -> None:
    from proofgym.agents.policy import load, tiny

    if case == "smollm2":
        import torch

        load("smollm2", dtype=torch.float32).save(folder)
        return
    tiny(ALPHABET, width=128, layers=2, heads=4, context=256).save(folder)
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {"<pad>": 0, "<o>": 1, "<a>": 2, "<end>": 3, "<unk>": 4} | {c: 5 + n for n, c in enumerate(ALPHABET)}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", eos_token="<end>", unk_token="<unk>", padding_side="left"
    ).save_pretrained(folder / "tokenizer")


def _question(case: str, index: int, extra: int = 0) -> str:
    if case == "smollm2":
        return f"Write a long list of random digits. Begin with {Digits.prompt(index, 6)}."
    return Digits.prompt(index, DIGITS + extra)


def _rates(marks: Sequence[float], warm: int = _WARM) -> float:
    gaps = np.diff(marks)[warm - 1 :]
    return float(np.median(gaps))


def _cpu() -> float:
    """Of this process and its children; os.times() counts in hundredths of a second, which is a fifth of an update."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


# Ours -----------------------------------------------------------------------------------------------------------------


def _ours(case: str, folder: Path) -> dict[str, Any]:
    import gymnasium
    import torch

    from proofgym.agents.collect import make_collector
    from proofgym.agents.config import GRPO
    from proofgym.agents.learner import Learner
    from proofgym.agents.plans import Engine
    from proofgym.agents.policy import load

    torch.set_num_threads(1)
    prompts, group, tokens, updates = CASES[case]
    turns = TURNS if case == "latency" else 1
    questions = [_question(case, index) for index in range(1000)]  # TRL's are drawn before it starts, too
    replies = [Digits.prompt(turn, 2) for turn in range(turns + 1)]

    class Asks(gymnasium.Env[str, str]):
        def __init__(self, number: int) -> None:
            self.observation_space = self.action_space = gymnasium.spaces.Text(200)
            self.number, self.update, self.index, self.turn = number, -1, 0, 0

        def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[str, dict[str, Any]]:
            self.index, self.turn = (seed or 0) % 1000, 0
            self.update += 1  # each plays one episode an update, so the waits are those of TRL's side
            return questions[self.index], {}

        def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
            if case == "latency":
                time.sleep(Digits.latency_s(self.update, self.number, self.turn))
            self.turn += 1
            return replies[self.turn], Digits.reward(action), self.turn == turns, False, {}

    def marks(staleness: int) -> tuple[list[float], list[float]]:
        made: list[Any] = []

        def envs(_: str, count: int) -> list[Any]:
            made.extend(Asks(number) for number in range(len(made), count))
            return made[:count]

        policy = load(f"hf:{folder}", device=torch.device("cpu"), dtype=torch.float32)
        policy.format.stop_ids = frozenset()  # every answer has the same length, on both sides
        engine = Engine(staleness=staleness, workers=64 if case == "latency" else 0)
        config = GRPO(
            prompts=prompts, group=group, max_tokens=tokens, advantage="grpo", learning_rate=1e-6, engine=engine
        )
        learner = Learner(policy, config)
        collector = make_collector(policy, envs, config, seed=0)
        cpu, wall = [_cpu()], [time.perf_counter()]
        for step in range(updates):
            collected = collector.collect(step)
            learned = learner.learn(collected.episodes)
            collector.updated(collected.episodes, learned)
            cpu.append(_cpu())
            wall.append(time.perf_counter())
        collector.close()
        return cpu, wall

    cpu, wall = marks(0)
    result: dict[str, Any] = {"cpu_s": _rates(cpu)}
    if case == "latency":
        result["episodes_per_s"] = prompts * group * (updates - 1) / (wall[-1] - wall[1])
        _, wall = marks(1)
        result["asynchronous_episodes_per_s"] = prompts * group * (updates - 1) / (wall[-1] - wall[1])
    return result


# TRL ------------------------------------------------------------------------------------------------------------------


def _trl(case: str, folder: Path) -> dict[str, Any]:
    import torch
    import transformers
    import trl
    from datasets import Dataset

    torch.set_num_threads(1)
    prompts, group, tokens, updates = CASES[case]
    asks: list[Any] = [_question(case, n, extra=2) for n in range(prompts * updates)]
    if case == "smollm2":
        asks = [[{"role": "user", "content": text}] for text in asks]
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder if case == "smollm2" else folder / "tokenizer")
    cpu, wall = [_cpu()], [time.perf_counter()]

    class Marks(transformers.TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            cpu.append(_cpu())
            wall.append(time.perf_counter())

    def paid(completions: Any, **_: Any) -> list[float]:
        texts = [c if isinstance(c, str) else c[0]["content"] for c in completions]
        return [Digits.reward(text) for text in texts]

    pool = ThreadPoolExecutor(64)

    def rollout(batch: list[str], trainer: Any) -> dict[str, Any]:
        """Turn by turn: everybody's action, then everybody's environment."""
        opened = tokenizer(list(batch))["input_ids"]
        written: list[list[int]] = [[] for _ in batch]
        masks: list[list[int]] = [[] for _ in batch]
        for turn in range(TURNS):
            context = [a + b for a, b in zip(opened, written, strict=True)]
            ids, _ = trainer._generate_single_turn(context, None, {}, group)
            waits = [Digits.latency_s(trainer.state.global_step, n, turn) for n in range(len(batch))]
            list(pool.map(time.sleep, waits))
            for row, new in enumerate(ids):
                written[row] += new
                masks[row] += [1] * len(new)
                if turn + 1 < TURNS:
                    seen = tokenizer([Digits.prompt(turn + 1, 4)])["input_ids"][0]
                    written[row] += seen
                    masks[row] += [0] * len(seen)
        return {"prompt_ids": opened, "completion_ids": written, "logprobs": None, "env_mask": masks}

    config = trl.GRPOConfig(
        output_dir=str(folder / "out"), use_cpu=True, bf16=False, gradient_checkpointing=False, report_to=[],
        per_device_train_batch_size=prompts * group, num_generations=group, max_completion_length=tokens, beta=0.0,
        max_steps=updates, learning_rate=1e-6, save_strategy="no", logging_strategy="no", disable_tqdm=True,
        shuffle_dataset=False, dataloader_pin_memory=False, temperature=1.0,
        generation_kwargs={"min_new_tokens": tokens},
    )  # fmt: skip
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    trainer = trl.GRPOTrainer(
        model=model, args=config, reward_funcs=paid, train_dataset=Dataset.from_dict({"prompt": asks}),
        processing_class=tokenizer, callbacks=[Marks()], rollout_func=rollout if case == "latency" else None,
    )  # fmt: skip
    trainer.train()
    result: dict[str, Any] = {
        "cpu_s": _rates(cpu),
        "versions": f"trl {trl.__version__}, transformers {transformers.__version__}, torch {torch.__version__}",
    }
    if case == "latency":
        result["episodes_per_s"] = prompts * group * (updates - 1) / (wall[-1] - wall[1])
    return result


# Trees ----------------------------------------------------------------------------------------------------------------


def _trees() -> None:
    import proofgym
    from proofgym.agents.engines.transformers import TransformersEngine
    from proofgym.agents.policy import tiny
    from proofgym.agents.rollout import Item
    from proofgym.agents.sampling import Sampling
    from proofgym.agents.streaming import Runner, stream
    from proofgym.agents.tree import TreeShape, drive, grow

    print("tree: tokens sampled (and read) for 16 leaves of each of 8 items, beside 16 independent episodes")
    for name, kwargs, tokens, shape in (
        ("Sudoku4Steps", {"max_turns": 8}, 8, TreeShape(1, 5, 3, 1, "turn")),
        ("RunningTotal", {"style": "bare", "steps": 40}, 40, TreeShape(1, 5, 3, 1, "token")),
    ):
        policy = tiny(ALPHABET, width=48, layers=2, heads=2, context=2048)
        policy.format.stop_ids = frozenset()
        envs = [proofgym.make(name, **kwargs) for _ in range(16)]
        alone = TransformersEngine(policy, slots=256)
        items = [Item(0, index, sample) for index in range(8) for sample in range(16)]
        found = list(stream(alone, Sampling(1.0, tokens), envs, items, key=(1,)))
        engine = TransformersEngine(policy, slots=256)
        runner = Runner(engine, Sampling(1.0, tokens, entropy=True), envs, keep_forks=True)
        trees = list(drive(runner, ((grow(Item(0, index), shape, key=(1,)), (1,)) for index in range(8))))
        leaves = sum(map(len, trees))
        assert leaves == len(found)
        a, b = engine.stats, alone.stats
        print(
            f"  {name:14} branching before a {shape.at:5}   tree {a.generated} ({a.read} read)   independent "
            f"{b.generated} ({b.read} read)   ratio {a.generated / b.generated:.2f} ({a.read / b.read:.2f})"
        )


if __name__ == "__main__":
    main()
