"""How fast the provers answer, what a killed worker costs, and what blind scripts earn.

    python benchmarks/provers.py                 every prover that is installed, all figures
    python benchmarks/provers.py --only lean     one prover
    python benchmarks/provers.py --floor         also play blind scripts on the environments (minutes)

Latencies are wall clock, median [5th, 95th percentile]. The machine should be idle; the load at start is printed. The
peer for Lean is what a user would otherwise do: compile the whole file anew for each tactic with the same binary.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from proofgym.bench.statistics import wilson
from proofgym.verifiers.proof import ProofTask, missing

LEAN = ProofTask("goal", "(p q r : Prop) (hp : p) : p ∧ (q ∨ r) → (p ∧ q) ∨ (p ∧ r)")
COQ = ProofTask("goal", "(P Q R : Prop) (h : P) : P /\\ (Q \\/ R) -> (P /\\ Q) \\/ (P /\\ R)")
TOY = ProofTask("goal", "p & (q | r) -> (p & q) | (p & r)")
SCRIPTS = {
    "lean": ["intro h", "rcases h with ⟨a, b | c⟩", "exact Or.inl ⟨a, b⟩", "exact Or.inr ⟨a, c⟩"],
    "coq": ["intros [a [b | c]].", "left. split; assumption.", "right. split; assumption."],
    "toy": [
        "intro h", "cases h a b", "cases b c d", "left", "split", "exact a", "exact c",
        "right", "split", "exact a", "exact d",
    ],
}  # fmt: skip
BRANCHES = {
    "lean": ["exact Or.inl ⟨a, b⟩", "exact hp", "left", "exfalso"],
    "coq": ["left.", "exact h.", "right.", "exfalso."],
    "toy": ["left", "right", "exact a", "exfalso"],
}


def spread(times: list[float], unit: float = 1e3, name: str = "ms") -> str:
    """Median [5th, 95th percentile] (count)."""
    ordered = sorted(times)
    low, high = ordered[len(ordered) * 5 // 100], ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]
    return f"{statistics.median(ordered) * unit:8.2f} {name} [{low * unit:.2f}, {high * unit:.2f}] ({len(ordered)})"


def timed(work: Callable[[], Any]) -> float:
    """Seconds of one call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def say(what: str, figure: str) -> None:
    """One line."""
    print(f"  {what:<58}{figure}", flush=True)


def make(prover: str) -> Any:
    """A backend of its own, with one worker."""
    if prover == "lean":
        from proofgym.verifiers.proof.lean import LeanBackend

        return LeanBackend(workers=1)
    if prover == "coq":
        from proofgym.verifiers.proof.coq import CoqBackend

        return CoqBackend(workers=1)
    from proofgym.verifiers.proof.toy import ToyBackend

    return ToyBackend()


def measure(prover: str, rounds: int) -> None:
    """All figures of one prover."""
    task = {"lean": LEAN, "coq": COQ, "toy": TOY}[prover]
    print(f"{prover}")
    cold = []
    for _ in range(max(3, rounds // 20)):
        backend = make(prover)
        cold.append(timed(lambda backend=backend: backend.open(task)))
        backend.close()
    say("open a theorem, new process", spread(cold))
    backend = make(prover)
    first = backend.open(task)
    others = [ProofTask(f"goal{i}", task.statement) for i in range(min(50, rounds))]
    say("open a theorem, warm session", spread([timed(lambda t=t: backend.open(t)) for t in others]))
    state = backend.open(task)
    for tactic in SCRIPTS[prover][: 2 if prover != "coq" else 1]:
        state = backend.run(state, tactic).state
    branches = [BRANCHES[prover][i % 4] for i in range(rounds)]
    begun = time.perf_counter()
    times = [timed(lambda tactic=tactic: backend.run(state, tactic)) for tactic in branches]
    rate = len(times) / (time.perf_counter() - begun)
    say("one tactic on a state, siblings in turn", spread(times))
    say("steps a second, one worker", f"{rate:8.1f}")
    forward = []
    for i in range(max(3, rounds // 10)):
        at = backend.open(ProofTask(f"walk{i}", task.statement))
        for tactic in SCRIPTS[prover]:
            begun = time.perf_counter()
            at = backend.run(at, tactic).state
            forward.append(time.perf_counter() - begun)
    say("one tactic forwards", spread(forward))
    proof = "\n".join(SCRIPTS[prover])
    assert backend.examine(task, proof).accepted
    checks = [backend.examine(task, proof) for _ in range(max(5, rounds // 10))]
    say("final check, statement known, fresh process", spread([report.seconds for report in checks]))
    if prover != "toy":
        say("  processor time of the prover", spread([report.cpu_s for report in checks]))
    fresh = []
    for i in range(max(5, rounds // 10)):
        report = backend.examine(ProofTask(f"fresh{i}", task.statement), proof)
        assert report.accepted, report
        fresh.append(report.seconds)
    say("final check, statement new, fresh processes", spread(fresh))
    if prover != "toy":
        killed(backend, first, prover, rounds)
    if prover == "lean":
        peer(backend, times, rounds)
    backend.close()


def killed(backend: Any, first: Any, prover: str, rounds: int) -> None:
    """Kill the worker and take a step it has not taken; the state must be the one it would have been."""
    path, aside = SCRIPTS[prover][0], {"lean": "skip", "coq": "idtac."}[prover]
    expected = backend.run(first, path).state
    warm, cold = [], []
    for _ in range(max(5, rounds // 20)):
        backend.run(first, aside)
        warm.append(timed(lambda: backend.run(first, path)))
        backend.run(first, aside)
        before = backend.pool.report.died
        for pid in backend.pool.pids():
            os.kill(pid, signal.SIGKILL)
        begun = time.perf_counter()
        assert backend.run(first, path).state == expected
        cold.append(time.perf_counter() - begun)
        assert backend.pool.report.died > before
    say("a step after the worker was killed", spread(cold))
    say("  of which the kill costs (median)", f"{(statistics.median(cold) - statistics.median(warm)) * 1e3:8.2f} ms")


def peer(backend: Any, ours: list[float], rounds: int) -> None:
    """The same binary, started anew on the whole file for each tactic."""
    from proofgym.verifiers.proof.lean.session import document

    toolchain = backend.toolchain
    head, blocks = document(backend.complete(LEAN), SCRIPTS["lean"][:3])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "Proof.lean")
        path.write_text(head + "".join(blocks), encoding="utf-8")

        def compile_file() -> None:
            subprocess.run([*toolchain.argv, str(path)], env=toolchain.environment, capture_output=True, check=False)

        times = [timed(compile_file) for _ in range(max(5, rounds // 10))]
    say("peer: the file compiled anew, without a sandbox", spread(times))
    say("ratio of medians, peer to a step", f"{statistics.median(times) / statistics.median(ours):8.1f}")


_AC = "Nat.add_assoc, Nat.add_comm, Nat.add_left_comm"
_CLOSING = (
    "rfl", "decide", "(intros; assumption)", "(simp only [Nat.mul_assoc, Nat.mul_comm, Nat.mul_left_comm]; done)",
    f"(simp only [Nat.mul_add, Nat.add_mul, {_AC}]; done)",
    f"(simp only [List.length_append, List.length_map, List.length_rev, {_AC}]; done)", "(intros; simp_all; done)",
)  # fmt: skip
_SEARCHES = "timeout 1 (intuition congruence) | timeout 2 (firstorder congruence)"
_REWRITES = "repeat rewrite app_length; repeat rewrite map_length; repeat rewrite rev_length; lia"
BLIND = {
    "LeanProof": (
        "simp_all", "decide", "repeat (first | assumption | constructor | intro _)",
        "\n".join(["first", *(f"| {part}" for part in _CLOSING)]),
        "repeat (first | assumption | rfl | contradiction | constructor | intro _ | exact Nat.add_le_add_right ‹_› _)",
    ),
    "CoqProof": (
        "lia.", "intuition.", "firstorder.",
        "repeat (assumption || reflexivity || contradiction || constructor || intro).",
        f"intros; first [lia | ring | {_SEARCHES} | {_REWRITES}].",
    ),
}  # fmt: skip


def floors(count: int) -> None:
    """What scripts that do not look at the theorem prove of the default mix, in the live session."""
    import proofgym
    from proofgym.envs.prover.base import ProverEnv

    for env_id, forbid in ((env_id, forbid) for env_id in BLIND for forbid in ((), "automation")):
        if missing("lean" if env_id.startswith("Lean") else "coq"):
            continue
        env = proofgym.make(env_id, split="test", forbid=forbid).unwrapped
        assert isinstance(env, ProverEnv)
        print(env_id, f"forbid={forbid!r}")
        for script in BLIND[env_id]:
            if env.forbidden(script):
                continue
            proved = 0
            for index in range(count):
                env.reset(seed=77, options={"index": index})
                state = env.backend.run(env.backend.open(env.problem.task(env.budget)), script).state
                proved += state is not None and state.finished
            share = wilson(proved, count)
            say(repr(script[:50]), f"{proved / count:8.3f} [{share.low:.3f}, {share.high:.3f}] ({count})")
        env.close()


def main() -> int:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("lean", "coq", "toy"))
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--floor", type=int, nargs="?", const=100, default=0, metavar="EPISODES")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    machine = f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    print(f"{machine}, load {load:.1f} at start")
    for prover in ("toy", "lean", "coq"):
        if arguments.only not in (None, prover):
            continue
        why = missing(prover)
        if why:
            print(f"{prover}: skipped, {why}")
            continue
        measure(prover, arguments.rounds)
    if arguments.floor:
        floors(arguments.floor)
    return 0


if __name__ == "__main__":
    sys.exit(main())
