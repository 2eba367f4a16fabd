"""What evaluation costs beside the model: CPU a turn, reading stored episodes, and the start of the command line.

    python benchmarks/evaluation.py                             # ours
    python benchmarks/evaluation.py --peer VENV/bin/python      # and inspect_ai's `eval`, from an environment with it

The model answers at once, so what is measured is everything else: the environment (a trivial one), the conversation,
the threads, the statistics and the files. CPU seconds of a process of its own, children included; the start of the
interpreter and the imports are taken out by measuring two sizes. inspect_ai plays the same number of one-turn samples
with its mock model and writes its own log; it has no environment to step, so its turn does a little less.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TURNS = 10

OURS = """
import sys, threading
from pathlib import Path
from typing import Any
import gymnasium
from rich.console import Console
from proofgym.bench.evaluate import evaluate
from proofgym.chat import Reply, Usage
from proofgym.envs import registry
from proofgym.envs.registry import EnvEntry
from proofgym.envs.spaces import AnyText

n, turns, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])

class Trivial(gymnasium.Env):
    def __init__(self):
        self.observation_space = self.action_space = AnyText(4096)
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left = turns
        return f"Question {seed}: " + "What is the answer to this one? " * 8, {}
    def step(self, action):
        self.left -= 1
        return "Go on. " * 10, 1.0 / turns, self.left == 0, False, {}

class Instant:
    name = "instant"
    def complete(self, messages, **options):
        return Reply("The answer is 4. " * 10, usage=Usage(100, 40, 0.001))

registry._plugins["bench/Trivial-v0"] = EnvEntry("bench/Trivial-v0", "none:none", "math", "Nothing.", max_turns=turns)
gymnasium.register("bench/Trivial-v0", entry_point=Trivial, disable_env_checker=True)
found = evaluate(["bench/Trivial-v0"], Instant(), n=n, run_dir=folder, console=Console(quiet=True), batch_size=16)
assert found.results[0].n == n
"""

THEIRS = """
import sys
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import includes
from inspect_ai.solver import generate

n, folder = int(sys.argv[1]), sys.argv[3]
text = "What is the answer to this one? " * 8
samples = [Sample(input=f"Question {i}: {text}", target="4") for i in range(n)]
def answer(input, tools, tool_choice, config):
    output = ModelOutput.from_content("mockllm", "The answer is 4. " * 10)
    output.usage = ModelUsage(input_tokens=100, output_tokens=40, total_tokens=140)  # else it counts them itself
    return output
model = get_model("mockllm/model", custom_outputs=answer)
[log] = eval(Task(dataset=samples, solver=generate(), scorer=includes()), model=model, log_dir=folder, display="none",
             max_connections=16)
assert log.status == "success" and len(log.samples or []) in (0, n), log.status
"""

READ = """
import sys, time
from pathlib import Path
from proofgym.bench import rows, statistics
from proofgym.bench.summary import summarise
path = Path(sys.argv[1])
started, cpu = time.perf_counter(), time.process_time()
found = rows.read(path, index=sys.argv[2] == "index")
result = summarise("e", found.rows, broken=found.broken)
assert result.n + result.unjudged == 100_000, result.n
print(time.perf_counter() - started, time.process_time() - cpu)
"""


def cpu_of(python: str, code: str, *arguments: object) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [python, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def a_turn(python: str, code: str, turns: int, small: int, large: int, repeats: int) -> list[float]:
    """CPU milliseconds of one turn: the slope between two sizes."""
    found = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            a = cpu_of(python, code, small, turns, Path(folder) / "a")
            b = cpu_of(python, code, large, turns, Path(folder) / "b")
        found.append(1e3 * (b - a) / ((large - small) * turns))
    return found


def stored(path: Path, tokens: int) -> int:
    """A file of 100,000 one-turn episodes, 25,000 tasks with 4 attempts; its size in bytes."""
    import random

    chance = random.Random(0)
    question = "Lena has 14 apples and gives some to each of her friends. " * 5
    with path.open("w", encoding="utf-8") as file:
        for number in range(100_000):
            right = chance.random() < 0.4
            verdict = {
                "status": "correct" if right else "wrong",
                "score": float(right),
                "reason": "as it is",
                "parts": {},
            }
            turn = {
                "observation": question, "action": "So the answer is #### 42. " * 15, "reward": float(right),
                "credits": [{"start": 0, "end": 10, "value": float(right), "label": "answer", "reason": ""}],
                "verdict": verdict, "prompt_ids": list(range(1000, 1000 + tokens // 2)),
                "action_ids": list(range(tokens)), "logprobs": [-0.123456 * (i % 7) for i in range(tokens)],
                "token_ends": list(range(tokens)), "policy_version": 0, "cut": False,
            }  # fmt: skip
            task = {
                "fingerprint": f"{number // 4:032x}",
                "family": f"f{number % 5}",
                "difficulty": (number % 100) / 100,
            }
            data = {
                "env": "e", "task": task, "seed": 0, "index": number // 4, "sample": number % 4, "end": "terminated",
                "fault": "", "turns": [turn],
            }  # fmt: skip
            file.write(json.dumps(data, separators=(",", ":")) + "\n")
    return path.stat().st_size


def spread(values: list[float], digits: int = 3) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", help="a Python with inspect_ai")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(
        f"{platform.machine()}, Python {platform.python_version()}, {options.repeats} repeats: median (least to most)"
    )
    many = a_turn(sys.executable, OURS, TURNS, 20, 220, options.repeats)
    print(f"episodes of {TURNS} turns        {spread(many)} ms CPU a turn")
    one = a_turn(sys.executable, OURS, 1, 200, 2200, options.repeats)
    print(f"episodes of 1 turn          {spread(one)} ms CPU a turn")
    if options.peer:
        theirs = a_turn(options.peer, THEIRS, 1, 200, 1200, options.repeats)
        print(f"inspect_ai, 1 turn          {spread(theirs)} ms CPU a turn")
        print(f"ratio, 1 turn               {statistics.median(theirs) / statistics.median(one):.1f}")
    with tempfile.TemporaryDirectory() as folder:
        for name, tokens in (("text only", 0), ("200 tokens each", 200)):
            path = Path(folder) / "e.jsonl"
            size = stored(path, tokens) / 1e6
            for way in ("lines", "index"):
                if way == "index":
                    subprocess.run([sys.executable, "-c", READ, str(path), "index"], check=True, capture_output=True)
                walls, cpus = [], []
                for _ in range(options.repeats):
                    done = subprocess.run(
                        [sys.executable, "-c", READ, str(path), way], check=True, capture_output=True, text=True
                    )
                    wall, cpu = map(float, done.stdout.split())
                    walls.append(wall)
                    cpus.append(cpu)
                print(
                    f"100,000 episodes, {name}, {size:.0f} MB, from {way}: "
                    f"{spread(walls, 2)} s, CPU {spread(cpus, 2)} s"
                )
    walls, cpus = [], []
    for _ in range(options.repeats * 3):
        started = time.perf_counter()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "proofgym", "--help"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        walls.append(time.perf_counter() - started)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    print(f"proofgym --help: {spread(walls, 2)} s, CPU {spread(cpus, 2)} s")


if __name__ == "__main__":
    main()
