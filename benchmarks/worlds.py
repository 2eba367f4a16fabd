"""How fast worlds step, beside the real ALFWorld, TextWorld and ScienceWorld: `python benchmarks/worlds.py`.

Everything is measured in CPU seconds of the process and its children (ScienceWorld's Java counted in), so that other
work on the machine disturbs less; a rate is the middle of `--repeats` passes with its ends.

`--scenes FILE` takes ALFWorld's training scenes as compact rows (the project's data folder has them); without it,
generated houses are used. The peers run in a Python of their own, named by `--peer-python` (`pip install alfworld
textworld scienceworld`), in the same run and on the same scenes as far as they can; a peer that is not installed there
is left out. What a step is:

- exact: the command, the text, the win check and the sorted admissible list (`World`, all that ALFWorld computes);
- environment: `HouseholdEnv.step`, which adds credits, the planner's distance, verdict and `info`.
"""

from __future__ import annotations

import argparse
import gc
import json
import lzma
import platform
import resource
import statistics
import subprocess
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import proofgym
from proofgym.envs.worlds.household import Scene
from proofgym.envs.worlds.household.engine import Layout, World
from proofgym.envs.worlds.household.environment import HouseholdEnv
from proofgym.envs.worlds.household.generator import generate
from proofgym.envs.worlds.household.pddl import write_problem

_ABLE = {"p": "take", "h": "heat", "l": "cool", "c": "clean", "s": "slice", "t": "use"}
_MUST = {"isHot": "hot", "isCool": "cool", "isClean": "clean"}


def scenes(path: str | None, count: int) -> list[Scene]:
    """Scenes from the compact rows, or generated ones."""
    if path is None:
        rng = np.random.default_rng(0)
        return [generate(rng, 1.0) for _ in range(count)]
    found = []
    with lzma.open(path, "rt") as rows:
        for number, line in enumerate(rows):
            if number % 29 or len(found) == count:
                continue
            name, text, goal, start, receptacles, objects, _ = json.loads(line)
            if goal["kind"] == "hold_and_light":
                wanted = {"kind": "light", "object": goal["object"], "light": goal["light"]}
            else:
                must = [_MUST[state] for state in goal["must_be"]]
                wanted = {"kind": "place", **{k: goal[k] for k in ("object", "receptacle", "count")}, "must_be": must}
            found.append(Scene.load({
                "id": name, "goal": {"text": text, **wanted}, "start": start,
                "receptacles": [{"name": r, "place": p, "openable": bool(door)} for r, p, door in receptacles],
                "objects": [{"name": o, "in": lies, "able": [_ABLE[c] for c in able]} for o, lies, able in objects],
            }))  # fmt: skip
    return found


def walk(world: World, rng: np.random.Generator, steps: int) -> list[str]:
    """Random admissible commands, kinds of commands equally often."""
    commands = []
    for _ in range(steps):
        listed = world.admissible()
        verbs = sorted({each.split(" ")[0] for each in listed} - {"help"})
        verb = verbs[int(rng.integers(len(verbs)))]
        those = [each for each in listed if each.split(" ")[0] == verb]
        commands.append(those[int(rng.integers(len(those)))])
        world.step(commands[-1])
    return commands


def passes(work: Callable[[], int], repeats: int) -> list[float]:
    """Units of work a CPU second of each pass, sorted; the first warms up, uncounted."""
    work()
    found = []
    for _ in range(repeats):
        started = time.process_time()
        done = work()
        found.append(done / (time.process_time() - started))
    return sorted(found)


def shown(found: list[float]) -> str:
    """The middle with the ends."""
    return f"{statistics.median(found):,.0f} [{found[0]:,.0f}, {found[-1]:,.0f}]"


def exact(layouts: list[Layout], walks: list[list[str]]) -> int:
    """Whole walks with text, win check and admissible list after every command."""
    done = 0
    for layout, commands in zip(layouts, walks, strict=True):
        world = layout.world()
        for command in commands:
            world.step(command)
            _ = world.won, world.admissible()
        done += len(commands)
    return done


def _cold(found: list[Scene], walks: list[list[str]]) -> float:
    """Steps a CPU second over layouts whose caches of texts and menus are empty."""
    layouts = [Layout(scene) for scene in found]
    started = time.process_time()
    return exact(layouts, walks) / (time.process_time() - started)


def in_environment(envs: list[HouseholdEnv], walks: list[list[str]]) -> int:
    """The same walks through `HouseholdEnv.step`."""
    done = 0
    for env, commands in zip(envs, walks, strict=True):
        env.reset()
        for command in commands:
            done += 1
            if env.step(command)[2]:
                break
    return done


def in_vector(vector: Any, count: int) -> int:
    """4,096 steps of a vector of environments."""
    for _ in range(4096 // count):
        vector.step(("look",) * count)
    return 4096 // count * count


def ours(options: argparse.Namespace, found: list[Scene], table: Table) -> tuple[list[list[str]], float]:
    """Measure the household; returns the walks and the middle of the exact rate."""
    rng = np.random.default_rng(1)
    layouts = [Layout(scene) for scene in found]
    walks = [walk(layout.world(), rng, options.steps) for layout in layouts]
    cold = sorted(_cold(found, walks) for _ in range(options.repeats))
    table.add_row("household, exact mode, empty caches", f"{shown(cold)} steps/s", "100,000")
    warm = passes(lambda: exact(layouts, walks), options.repeats)
    table.add_row("household, exact mode, states met before", f"{shown(warm)} steps/s", "")
    envs = [HouseholdEnv(scene=scene, grammar="strict", max_turns=10**6) for scene in found]
    for env in envs:
        env.reset(seed=0)
    table.add_row(
        "household, environment", f"{shown(passes(lambda: in_environment(envs, walks), options.repeats))} steps/s", ""
    )
    resets = passes(lambda: sum(1 for _ in range(50) for layout in layouts if layout.world()), options.repeats)
    table.add_row("reset from a parsed scene", f"{1000 / statistics.median(resets):.4f} ms", "0.1 ms")
    texts = [json.dumps(scene.to_json()) for scene in found]
    parses = passes(lambda: sum(1 for text in texts if Layout(Scene.load(json.loads(text)))), options.repeats)
    table.add_row("parse of a scene and its layout", f"{1000 / statistics.median(parses):.3f} ms", "1 ms")
    forks = passes(lambda: sum(1 for _ in range(50) for layout in layouts if layout._first.copy()), options.repeats)
    table.add_row("fork of a world", f"{1e6 / statistics.median(forks):.1f} us", "")
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    live = []
    for i in range(1000):
        scene = found[i % len(found)]
        world = Layout(scene).world() if i < 200 else live[i % 200].copy()
        for command in walks[i % len(found)][:30]:
            world.step(command)
        live.append(world)
    table.add_row(
        "1,000 live worlds, 200 layouts",
        f"{(tracemalloc.get_traced_memory()[0] - before) / 2**20:.0f} MiB",
        "200 MB",
    )
    tracemalloc.stop()
    del live
    gc.collect()
    vectors = {count: proofgym.make_vec("Household", count, grammar="strict", max_turns=10**6) for count in (16, 256)}
    for count, vector in vectors.items():
        vector.reset(seed=0)
        rates = passes(lambda vector=vector, count=count: in_vector(vector, count), options.repeats)
        table.add_row(f"make_vec of {count} worlds", f"{shown(rates)} steps/s", "linear")
    return walks, statistics.median(cold)


_PEER = """
import contextlib, io, json, os, resource, sys, tempfile, time
asked = json.loads(sys.stdin.read())

def cpu():
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime

def alfworld():
    import alfworld, textworld
    from alfworld.agents.environment.alfred_tw_env import AlfredDemangler, AlfredInfos
    from textworld.envs import PddlEnv
    data = os.path.join(os.path.dirname(alfworld.__file__), "data")
    domain, grammar = (open(os.path.join(data, name)).read() for name in ("alfred.pddl", "alfred.twl2"))
    steps = spent = 0
    for game in asked["games"]:
        with tempfile.NamedTemporaryFile("w", suffix=".tw-pddl") as file:
            json.dump({"pddl_domain": domain, "grammar": grammar.replace("UNKNOWN GOAL", game["goal"]),
                       "pddl_problem": game["problem"], "solvable": True, "walkthrough": []}, file)
            file.flush()
            env = AlfredInfos(AlfredDemangler(PddlEnv(textworld.EnvInfos(admissible_commands=True, won=True))))
            env.load(file.name)
            env.reset()
            started = cpu()
            for command in game["commands"]:
                env.step(command)
            spent += cpu() - started
            steps += len(game["commands"])
    return steps, spent

def textworld():
    import textworld, textworld.gym, numpy
    options = textworld.GameOptions()
    options.seeds, options.nb_rooms, options.nb_objects, options.quest_length = 1, 8, 20, 6
    folder = tempfile.mkdtemp()
    options.path = os.path.join(folder, "game.z8")
    path, _ = textworld.make(options)
    env = textworld.start(path, textworld.EnvInfos(admissible_commands=True, won=True))
    state, rng, steps = env.reset(), numpy.random.default_rng(0), asked["textworld_steps"]
    started = cpu()
    for _ in range(steps):
        state, _, done = env.step(str(rng.choice(state.admissible_commands)))
        if done:
            state = env.reset()
    return steps, cpu() - started

def scienceworld():
    from scienceworld import ScienceWorldEnv
    env = ScienceWorldEnv("", envStepLimit=10**6)
    env.load("melt", 0, "", generateGoldPath=False)
    env.reset()
    java = f"/proc/{env._gateway.java_process.pid}/stat"
    def all_cpu():
        fields = open(java).read().rpartition(")")[2].split()
        return cpu() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    steps = asked["scienceworld_steps"]
    for command in ("look around",) * 5:
        env.step(command)
    started = all_cpu()
    for i in range(steps):
        env.step("look around" if i % 2 else "inventory")
        env.get_valid_action_object_combinations()
    spent = all_cpu() - started
    env.close()
    return steps, spent

for name, work in (("ALFWorld", alfworld), ("TextWorld .z8", textworld), ("ScienceWorld", scienceworld)):
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            steps, spent = work()
        print(json.dumps([name, steps, spent]), flush=True)
    except Exception as error:
        print(json.dumps([name, 0, f"{type(error).__name__}: {error}"]), flush=True)
"""


def peers(options: argparse.Namespace, found: list[Scene], walks: list[list[str]], mine: float, table: Table) -> None:
    """Measure the real engines on the same walks (ALFWorld), or on a game of their own."""
    games = [
        {"problem": write_problem(scene), "goal": scene.goal.text, "commands": commands[: options.peer_steps]}
        for scene, commands in list(zip(found, walks, strict=True))[: options.peer_scenes]
    ]
    asked = {"games": games, "textworld_steps": 400, "scienceworld_steps": 30}
    run = subprocess.run(
        [options.peer_python, "-c", _PEER], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    wishes = {"ALFWorld": "5,000x", "TextWorld .z8": "150x", "ScienceWorld": "6,000x"}
    for line in run.stdout.splitlines():
        if not line.startswith("["):
            continue
        name, steps, spent = json.loads(line)
        if not steps:
            table.add_row(name, f"left out: {spent}"[:90], "")
        else:
            rate = steps / spent
            table.add_row(name, f"{rate:,.1f} steps/s over {steps}: ours is {mine / rate:,.0f}x", wishes[name])
    if run.returncode:
        table.add_row("peers", f"failed: {run.stderr.strip().splitlines()[-1][:90]}", "")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", help="alfworld_train_scenes.jsonl.xz")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--peer-python")
    parser.add_argument("--peer-scenes", type=int, default=4)
    parser.add_argument("--peer-steps", type=int, default=40)
    options = parser.parse_args()
    table = Table("what", "measured", "wished", box=None)
    found = scenes(options.scenes, options.count)
    walks, mine = ours(options, found, table)
    if options.peer_python:
        peers(options, found, walks, mine, table)
    Console(width=150).print(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    kind = "scenes of ALFWorld" if options.scenes else "generated scenes"
    print(f"{len(found)} {kind}, walks of {options.steps}; Python {platform.python_version()}, peak {peak:.0f} MiB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
