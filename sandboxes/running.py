"""One job in a worker, from its fork to its DONE: start it, watch it, end it, report it. See `nanny` for the whole."""

from __future__ import annotations

import json
import os
import select
import signal
import struct
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from proofgym.sandboxes.nanny import Nanny

if TYPE_CHECKING or __name__ == "proofgym.sandboxes.running":
    from proofgym.sandboxes import artifacts, runner, walls, wire
else:
    wire, walls, artifacts, runner = (
        sys.modules["proofgym_nanny_" + name] for name in ("wire", "walls", "artifacts", "runner")
    )

CHUNK = 1 << 16
TICKS = os.sysconf("SC_CLK_TCK")
TICK_S = 0.025
RUNNING = 255
SETUP_S = 10.0


def _write_some(fd: int, data: bytes) -> int:
    try:
        return os.write(fd, data)
    except BlockingIOError:
        return 0


class Running:
    """A job from its fork to its DONE."""

    def __init__(self, nanny: Nanny, meta: dict[str, Any], stdin_data: bytes, body: bytes) -> None:
        self.nanny, self.walls, self.host, self.meta = nanny, nanny.walls, nanny.host, meta
        self.why, self.detail, self.status = "", "", 0
        self.streams = {1: bytearray(), 2: bytearray(), 3: bytearray()}
        self.written = 0
        self.truncated = self.crowded = False
        self.usage: Any = None
        self.begun = time.monotonic()
        nanny.page[:16] = bytes(16)
        self.scratch = self.walls.new_scratch(meta["scratch"], meta["inodes"])
        stdin = self._stdin(stdin_data)
        out_r, out_w = os.pipe()
        err_r, err_w = os.pipe()
        channel_r, channel_w = os.pipe()
        keep = [stdin, out_w, err_w, channel_w]
        self.control = -1
        if meta["live"]:
            control_r, self.control = os.pipe()
            keep.append(control_r)
        # What earlier jobs left on this worker's heap is neither allowed nor charged to a child, which starts with it.
        space, resident = nanny.memory()
        self.grown_kb = 0 if meta["kind"] == "command" else max(0, resident - nanny.resident) >> 10
        self.pid = self.walls.fork()
        if self.pid == 0:
            self._child(tuple(keep), body, space)
        for fd in keep:
            os.close(fd)
        self.pidfd = os.pidfd_open(self.pid)
        self.readers = {out_r: 1, err_r: 2, channel_r: 3}

    def _stdin(self, data: bytes) -> int:
        if not data:
            return os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        if len(data) <= CHUNK:
            reader, writer = os.pipe()
            os.set_blocking(writer, False)  # a user who has many pipes gets small ones
            written = _write_some(writer, data)
            os.close(writer)
            if written == len(data):
                return reader
            os.close(reader)
        fd = os.memfd_create("stdin", os.MFD_CLOEXEC)
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.lseek(fd, 0, os.SEEK_SET)
        return fd

    def _child(self, keep: tuple[int, ...], body: bytes, space: int) -> None:
        """The forked child: walls first, then the untrusted part. It never returns."""
        page, code = self.nanny.page, 1
        try:
            try:
                self.walls.enter(self.meta, keep, space)
            except BaseException as error:
                text = f"{walls.step}: {error}".encode()[:4000]
                page[16 : 16 + len(text)] = text
                page[8:12] = struct.pack("<I", len(text))
                os._exit(125)
            page[1:9] = struct.pack("<d", time.monotonic())
            page[0] = RUNNING
            page.close()
            code = runner.run(self.meta["kind"], body, self.meta, self.nanny.config["env"])
        except BaseException:
            code = 1
        finally:
            os._exit(code)

    def watch(self) -> None:
        """Wait for the end: the child's own, or the first limit that is passed."""
        meta, poller = self.meta, select.poll()
        poller.register(self.pidfd, select.POLLIN)
        poller.register(self.host.fd_in, select.POLLIN)
        for fd in self.readers:
            poller.register(fd, select.POLLIN)
        deadline = self.begun + meta["wall"]
        tick = self.begun + min(TICK_S, meta["cpu"])
        if self._listen():
            return None
        while True:
            now = time.monotonic()
            if now >= deadline:
                deadline = self._started(now) + meta["wall"]  # building the walls is not the job's time
                if now >= min(deadline, self.begun + meta["wall"] + SETUP_S):
                    return self._kill("timeout", f"still running after {meta['wall']:g} s")
            if now >= tick:
                if self._over(now):
                    return None
                tick = now + self._interval(now)
            for fd, _ in poller.poll(max(0.0, min(deadline, tick) - now) * 1000 + 0.5):
                if fd == self.pidfd:
                    return self._reap()
                if fd == self.host.fd_in:
                    self.host.read()
                    if self._listen():
                        return None
                elif not self._take(fd):
                    poller.unregister(fd)
                elif self.written > meta["output"] and self.readers[fd] != 3:
                    return self._kill("output", f"more than {meta['output'] >> 10} KiB of output")
                elif len(self.streams[3]) > wire.MAX_ANSWERS:
                    return self._kill("output", "more than 4 MiB of answers")

    def _started(self, otherwise: float) -> float:
        """When the untrusted part began, by the child's last word before it."""
        page = self.nanny.page
        return float(struct.unpack("<d", page[1:9])[0]) if page[0] == RUNNING else otherwise

    def _listen(self) -> bool:
        """Do what the host said in the middle of a job: feed it, or end it (then True)."""
        while self.host.waiting:
            kind, _, body = self.host.waiting.pop(0)
            if kind == wire.KILL:
                self._kill("killed", "the host asked")
                return True
            if kind == wire.FEED and self.control >= 0:
                view = memoryview(body)
                try:
                    while view:
                        view = view[os.write(self.control, view) :]
                except BrokenPipeError:
                    continue  # the job no longer listens, as it may
        return False

    def _take(self, fd: int) -> bool:
        data = os.read(fd, CHUNK)
        stream = self.readers[fd]
        if stream != 3:
            self.written += len(data)
        if self.meta["live"]:
            if data:
                self.host.send(wire.DATA, data, stream)
        else:
            self.streams[stream] += data
        return bool(data)

    def _interval(self, now: float) -> float:
        if not self.nanny.config.get("exact_memory"):
            return TICK_S if self.walls.mode == "namespaced" else 4 * TICK_S
        return max(TICK_S, min(0.25, self.begun + float(self.meta["cpu"]) - now))

    def _over(self, now: float) -> bool:
        """Look at what the whole job uses. With a control group only the processor time needs looking at."""
        meta, exact = self.meta, self.nanny.config.get("exact_memory")
        if exact and now - self.begun < meta["cpu"] / max(1, os.cpu_count() or 1):
            return False
        pids = self.walls.descendants()
        cpu = memory = 0.0
        tasks = 0
        for pid in pids:
            used = self._process(pid, want_memory=not exact)
            cpu += used[0]
            memory += used[1]
            tasks += used[2]
        self.crowded = self.crowded or tasks >= meta["processes"]
        if cpu > meta["cpu"]:
            self._kill("cpu", f"more than {meta['cpu']:g} s of processor time")
        elif not exact and memory > meta["memory"]:
            self._kill("memory", f"more than {meta['memory'] >> 20} MiB in all its processes")
        elif not exact and tasks > meta["processes"]:
            self._kill("processes", f"more than {meta['processes']} processes")
        return bool(self.why)

    def _process(self, pid: int, *, want_memory: bool) -> tuple[float, float, int]:
        """(seconds of processor time with reaped children, bytes of memory of its own, threads) of one process."""
        try:
            fd = os.open(f"{pid}/stat", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self.walls.proc)
            try:
                fields = os.read(fd, 4096).rpartition(b")")[2].split()
            finally:
                os.close(fd)
            seconds = sum(int(fields[number]) for number in (11, 12, 13, 14)) / TICKS
            threads = int(fields[17])
            if not want_memory:
                return seconds, 0.0, threads
            fd = os.open(f"{pid}/status", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self.walls.proc)
            try:
                text = os.read(fd, 8192)
            finally:
                os.close(fd)
            used = 0
            for line in text.splitlines():
                if line.startswith((b"RssAnon:", b"RssShmem:")):
                    used += int(line.split()[1]) << 10
            return seconds, float(used), threads
        except (OSError, ValueError, IndexError):
            return 0.0, 0.0, 0

    def _kill(self, why: str, detail: str) -> None:
        self.why, self.detail = why, detail
        os.kill(self.pid, signal.SIGKILL)
        self._reap()

    def _reap(self) -> None:
        _, self.status, self.usage = os.wait4(self.pid, 0)

    def finish(self) -> None:
        """Leave nothing alive, read what is left in the pipes, and report."""
        ended = time.monotonic()
        self.walls.sweep()
        for fd in self.readers:
            self._drain(fd)
            os.close(fd)
        if self.control >= 0:
            os.close(self.control)
        os.close(self.pidfd)
        page, status = self.nanny.page, self.status
        started = self._started(self.begun)
        if page[0] != RUNNING and self.why in ("", "timeout"):
            self.why = "setup"
            (length,) = struct.unpack("<I", page[8:12])
            self.detail = page[16 : 16 + min(length, 4000)].decode("utf-8", "replace") or f"wait status {status}"
        signalled = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        out: list[bytes] = []
        for stream, data in self.streams.items():
            parts = (bytes(data[at : at + (1 << 20)]) for at in range(0, len(data), 1 << 20))
            out += [wire.frame(wire.DATA, part, stream) for part in parts]
        out += self._collect()
        self.walls.end_scratch(self.scratch)
        oom, refused = self.nanny.count()
        done = {
            "why": self.why or "exit",
            "code": code,
            "signal": signalled,
            "wall": ended - started,
            "cpu": self.usage.ru_utime + self.usage.ru_stime,
            "rss_kb": max(0, self.usage.ru_maxrss - self.grown_kb),
            "setup_s": started - self.begun,
            "teardown_s": time.monotonic() - ended,
            "truncated": self.truncated,
            "crowded": self.crowded,
            "oom": oom,
            "refused": refused,
            "detail": self.detail,
        }
        out.append(wire.frame(wire.DONE, json.dumps(done).encode()))
        self.host.write(b"".join(out))

    def _collect(self) -> list[bytes]:
        """ARTIFACT frames of the files the host asked for."""
        patterns = self.meta["artifacts"]
        if not patterns:
            return []
        with self.walls.as_child():
            top = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self.scratch)
            try:
                return [wire.frame(wire.ARTIFACT, wire.encode(found)) for found in artifacts.collect(top, patterns)]
            finally:
                os.close(top)

    def _drain(self, fd: int) -> None:
        poller = select.poll()
        poller.register(fd, select.POLLIN)
        stream = self.readers[fd]
        most = wire.MAX_ANSWERS if stream == 3 else self.meta["output"]
        while poller.poll(0):
            if not self._take(fd):
                break
            if (self.written if stream != 3 else len(self.streams[3])) > most:
                self.why = self.why or "output"
                break
        if stream != 3 and len(self.streams[stream]) > most:
            del self.streams[stream][most:]
            self.truncated = True
