"""How fast a server of environments is on this machine, over loopback, and what it costs beside playing in process.

    python benchmarks/server.py [--seconds 3] [--rounds 3]

Each round plays 4x4 sudoku, one cell a turn, by the expert's moves: in this process; through `proofgym.connect`, one
call at a time; through the vector environment, one request a step of all; by many clients at once; and by plain HTTP.
Where OpenEnv is installed (`pip install openenv`), its own server around the same environment takes turns with ours
under OpenEnv's own client, so that client and protocol are the same. Times hold clients and server on the same cores.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium

import proofgym
from proofgym.envs.base import VerifiableEnv
from proofgym.envs.spaces import AnyText

ENV = "proofgym/Sudoku4Steps-v0"
Rate = tuple[float, float]  # steps a second, milliseconds of processor time a step


def moves(seed: int) -> list[str]:
    """The expert's moves of one episode."""
    env = proofgym.make(ENV)
    env.reset(seed=seed)
    inner, found, ended = env.unwrapped, [], False
    assert isinstance(inner, VerifiableEnv)
    while not ended:
        found.append(inner.oracle())
        _, _, terminated, truncated, _ = env.step(found[-1])
        ended = terminated or truncated
    return found


@contextlib.contextmanager
def served(workers: int, env: str = ENV) -> Iterator[tuple[str, int]]:
    """Our server in a process of its own: its URL and process id."""
    command = [
        sys.executable, "-m", "proofgym", "serve", env, "--port", "0", "--workers", str(workers),
        "--max-sessions", "4096", "--grace", "2",
    ]  # fmt: skip
    here = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=here) as process:
        try:
            assert process.stderr is not None
            yield process.stderr.readline().split(" at ")[1].split()[0], process.pid
        finally:
            process.terminate()


def cpu_s(pid: int) -> float:
    """Processor time of a process and its children that live, and of those that ended."""
    total, tick = 0.0, os.sysconf("SC_CLK_TCK")
    for each in [pid, *children(pid)]:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:13])) / tick
    return total


def children(pid: int) -> list[int]:
    """Direct children of a process, whichever of its threads started them."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, task.read_text().split())
    return found


def timed(play: Callable[[float], int], seconds: float, server: int | None = None) -> Rate:
    """Steps a second of `play(seconds)`, and processor time a step on both sides."""
    before = time.process_time() + (cpu_s(server) if server else 0.0)
    began = time.perf_counter()
    steps = play(seconds)
    wall = time.perf_counter() - began
    used = time.process_time() + (cpu_s(server) if server else 0.0) - before
    return steps / wall, 1000 * used / steps


def single(env: Any, script: list[str]) -> Callable[[float], int]:
    """One episode after the other, one call at a time."""

    def play(seconds: float) -> int:
        steps, until = 0, time.perf_counter() + seconds
        while time.perf_counter() < until:
            env.reset(seed=1)
            for move in script:
                env.step(move)
            steps += len(script)
        return steps

    return play


def together(envs: Any, script: list[str]) -> Callable[[float], int]:
    """Every copy side by side."""

    def play(seconds: float) -> int:
        steps, until = 0, time.perf_counter() + seconds
        while time.perf_counter() < until:
            envs.reset(seed=[1] * envs.num_envs)
            for move in script:
                envs.step([move] * envs.num_envs)
            steps += len(script) * envs.num_envs
        return steps

    return play


def plain_http(url: str, script: list[str]) -> Callable[[float], int]:
    """By HTTP, as another language would, over one connection that is kept."""
    import http.client
    import json

    connection = http.client.HTTPConnection(url.removeprefix("http://"))

    def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
        return answer

    session = post("/v1/sessions", {"env": ENV})["session"]

    def play(seconds: float) -> int:
        connection.close()  # one that was idle may have been closed there; the next request opens another
        steps, until = 0, time.perf_counter() + seconds
        while time.perf_counter() < until:
            post(f"/v1/sessions/{session}/reset", {"seed": 1})
            for move in script:
                post(f"/v1/sessions/{session}/step", {"action": move})
            steps += len(script)
        return steps

    return play


def client(url: str, script: list[str], seconds: float, copies: int, start: Any, found: Any) -> None:
    """A client process."""
    env = proofgym.connect(url, num_envs=copies) if copies else proofgym.connect(url)
    play = together(env, script) if copies else single(env, script)
    play(0.1)
    start.wait()
    used = time.process_time()
    steps = play(seconds)
    found.put((steps, time.process_time() - used))
    env.close()


def crowd(url: str, script: list[str], seconds: float, clients: int, copies: int, server: int) -> Rate:
    """Several client processes at once."""
    context = multiprocessing.get_context("spawn")
    start, found = context.Barrier(clients + 1), context.Queue()
    processes = [
        context.Process(target=client, args=(url, script, seconds, copies, start, found)) for _ in range(clients)
    ]
    for process in processes:
        process.start()
    start.wait()
    before, began = cpu_s(server), time.perf_counter()
    results = [found.get() for _ in processes]
    wall = time.perf_counter() - began
    used = cpu_s(server) - before + sum(cpu for _, cpu in results)
    for process in processes:
        process.join()
    steps = sum(steps for steps, _ in results)
    return steps / wall, 1000 * used / steps


def live_sessions(url: str, pid: int, count: int) -> str:
    """What so many live sessions cost, and what is left when their client is killed."""
    import urllib.request

    def sessions() -> int:
        with urllib.request.urlopen(f"{url}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        return int(float(next(line for line in lines if line.startswith("proofgym_sessions ")).split()[1]))

    def memory_mb() -> float:
        family = [pid, *children(pid)]
        return sum(int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in family) * 4096 / 1e6

    def descriptors() -> int:
        return sum(len(list(Path(f"/proc/{each}/fd").iterdir())) for each in [pid, *children(pid)])

    until = time.monotonic() + 30
    while sessions() and time.monotonic() < until:
        time.sleep(0.2)
    empty, open_before = memory_mb(), descriptors()
    code = (
        f"import time, proofgym\nheld = [proofgym.connect({url!r}, num_envs=100) for _ in range({count // 100})]\n"
        "[envs.reset(seed=1) for envs in held]\nprint('up', flush=True)\ntime.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        held, full = sessions(), memory_mb()
        process.kill()
    until = time.monotonic() + 60
    while (sessions() or descriptors() > open_before) and time.monotonic() < until:
        time.sleep(0.2)
    left = sessions()
    time.sleep(0.5)  # the connection that asked is closing
    return (
        f"{held} live sessions: {full - empty:.1f} MB more resident memory; after SIGKILL of their client "
        f"{left} sessions and {descriptors() - open_before:+d} descriptors are left"
    )


OPENENV_SERVER = """
import uvicorn, proofgym
from openenv.core.env_server import create_app
from openenv.core.env_server.interfaces import Environment
from openenv.core.env_server.types import Action, Observation, State

class Text(Action):
    text: str

class Seen(Observation):
    text: str

class Sudoku(Environment):
    SUPPORTS_CONCURRENT_SESSIONS = True
    def __init__(self):
        super().__init__()
        self.env = proofgym.make("@ENV@")
        self._state = State(step_count=0)
    def reset(self, seed=None, episode_id=None, **_):
        observation, _ = self.env.reset(seed=seed)
        self._state = State(episode_id=episode_id, step_count=0)
        return Seen(text=observation)
    def step(self, action, timeout_s=None, **_):
        observation, reward, terminated, truncated, _ = self.env.step(action.text)
        self._state.step_count += 1
        return Seen(text=observation, reward=reward, done=terminated or truncated)
    @property
    def state(self):
        return self._state

uvicorn.run(create_app(Sudoku, Text, Seen, max_concurrent_envs=64), port=@PORT@, log_level="error")
"""


@contextlib.contextmanager
def openenv_served() -> Iterator[tuple[str, int]]:
    """OpenEnv's server around the same environment."""
    import socket
    import urllib.request

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "peer.py")
        file.write_text(OPENENV_SERVER.replace("@ENV@", ENV).replace("@PORT@", str(port)))
        with subprocess.Popen([sys.executable, str(file)], stderr=subprocess.DEVNULL) as process:
            url, until = f"http://127.0.0.1:{port}", time.monotonic() + 60
            while True:
                try:
                    urllib.request.urlopen(f"{url}/health").close()
                    break
                except OSError:
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.1)
            try:
                yield url, process.pid
            finally:
                process.terminate()


def by_openenv(url: str, script: list[str]) -> Callable[[float], int]:
    """OpenEnv's own client, one call at a time."""
    from openenv.core.generic_client import GenericEnvClient

    env = GenericEnvClient(base_url=url).sync()
    env.__enter__()

    def play(seconds: float) -> int:
        steps, until = 0, time.perf_counter() + seconds
        while time.perf_counter() < until:
            env.reset(seed=1)
            for move in script:
                env.step({"text": move})
            steps += len(script)
        return steps

    return play


class Heavy(gymnasium.Env[str, str]):
    """Computes for as many seconds as the action says, in Python, which holds the interpreter's lock."""

    def __init__(self, **_: Any) -> None:
        self.observation_space = self.action_space = AnyText(100)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[str, dict[str, Any]]:
        """As in Gymnasium."""
        super().reset(seed=seed)
        return "", {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Compute."""
        until = time.thread_time() + float(action)
        while time.thread_time() < until:
            pass
        return "", 0.0, False, False, {}


gymnasium.register("benchmark/Heavy-v0", entry_point=Heavy)


def beside_heavy(workers: int, seconds: float) -> str:
    """Latency of quick steps while another client's steps compute for 0.25 s each."""
    with served(workers, "server:benchmark/Heavy-v0") as (url, _):
        quick, heavy = proofgym.connect(url), proofgym.connect(url)
        quick.reset()
        heavy.reset()

        def latency_ms() -> list[float]:
            found, until = [], time.perf_counter() + seconds
            while time.perf_counter() < until:
                began = time.perf_counter()
                quick.step("0")
                found.append(1000 * (time.perf_counter() - began))
                time.sleep(0.002)
            return sorted(found)

        alone = latency_ms()
        stop = threading.Event()

        def burn() -> None:
            while not stop.is_set():
                heavy.step("0.25")

        thread = threading.Thread(target=burn)
        thread.start()
        beside = latency_ms()
        stop.set()
        thread.join()
        quick.close()
        heavy.close()
    told = [
        f"{found[len(found) // 2]:.1f} ms median, {found[len(found) * 95 // 100]:.1f} ms p95"
        for found in (alone, beside)
    ]
    name = f"{workers} worker processes" if workers else "threads"
    return f"quick steps, {name}: {told[0]} alone; {told[1]} while another client computes"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sessions", type=int, default=1000)
    options = parser.parse_args()
    script = moves(1)
    rates: dict[str, list[Rate]] = {}
    load = os.getloadavg()[0]
    with contextlib.ExitStack() as stack:
        servers = {workers: stack.enter_context(served(workers)) for workers in (0, 1, 2)}
        ways: dict[str, Callable[[], Rate]] = {}
        local = single(proofgym.make(ENV), script)
        ways["in this process"] = lambda: timed(local, options.seconds)
        for workers, (url, pid) in servers.items():
            name = f"{workers} worker processes" if workers else "threads"
            one, many = single(proofgym.connect(url), script), together(proofgym.connect(url, num_envs=64), script)
            by_http = plain_http(url, script)
            ways[f"one at a time, {name}"] = lambda f=one, p=pid: timed(f, options.seconds, p)  # type: ignore[misc]
            ways[f"by plain HTTP, {name}"] = lambda f=by_http, p=pid: timed(f, options.seconds, p)  # type: ignore[misc]
            ways[f"64 at once, {name}"] = lambda f=many, p=pid: timed(f, options.seconds, p)  # type: ignore[misc]
            ways[f"8 clients one at a time, {name}"] = lambda u=url, p=pid: crowd(u, script, options.seconds, 8, 0, p)  # type: ignore[misc]
            ways[f"2 clients of 64 at once, {name}"] = lambda u=url, p=pid: crowd(u, script, options.seconds, 2, 64, p)  # type: ignore[misc]
        with contextlib.suppress(ModuleNotFoundError):
            import openenv  # noqa: F401

            peer, peer_pid = stack.enter_context(openenv_served())
            theirs = by_openenv(peer, script)
            ours = by_openenv(servers[1][0], script)
            ways["OpenEnv's client and server"] = lambda: timed(theirs, options.seconds, peer_pid)
            ways["OpenEnv's client, our server (1 worker)"] = lambda: timed(ours, options.seconds, servers[1][1])
        for _ in range(options.rounds):
            for name, way in ways.items():
                rates.setdefault(name, []).append(way())
        print(f"{ENV}, {len(script)} turns an episode; {options.rounds} rounds of {options.seconds:g} s; loopback")
        machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
        print(f"{machine}, Python {platform.python_version()}, load {load:.1f} before")
        print(f"{'':44}{'steps/s':>9}  {'spread':>15}  {'CPU ms/step':>11}")
        for name, found in rates.items():
            speeds = [speed for speed, _ in found]
            cpu = statistics.median(used for _, used in found)
            spread = f"{min(speeds):.0f} to {max(speeds):.0f}"
            print(f"{name:44}{statistics.median(speeds):9.0f}  {spread:>15}  {cpu:11.3f}")
        if "OpenEnv's client and server" in rates:
            pairs = zip(
                rates["OpenEnv's client, our server (1 worker)"], rates["OpenEnv's client and server"], strict=True
            )
            ratios = sorted(mine[0] / their[0] for mine, their in pairs)
            print(f"our server over OpenEnv's, same client: {ratios[0]:.2f} to {ratios[-1]:.2f} times the steps/s")
        for workers in (0, 2):
            print(beside_heavy(workers, options.seconds))
        print(live_sessions(*servers[2], options.sessions))


if __name__ == "__main__":
    main()
