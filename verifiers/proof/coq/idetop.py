"""One Coq process: the toplevel behind an editor (`coqidetop`), spoken to in its XML protocol.

A document is a chain of sentences, each with a state id. `Add` puts one after the tip, `Goal` runs it and shows what
is open, `Edit_at` goes back to any earlier id in a tenth of a millisecond.

Source: dev/doc/xml-protocol.md of Coq 8.16. `Add` answers before it runs anything, so errors arrive with `Goal`.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import shutil
import signal
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from proofgym.verifiers.proof.protocol import Goal, Hypothesis, ProverMissing
from proofgym.verifiers.proof.sessions import SessionDied, SessionStuck

__all__ = ["Failure", "Idetop", "Open", "program"]

_OPENING = '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE r [<!ENTITY nbsp " ">]><r>'
_ADD = (
    '<call val="Add"><pair><pair><pair><pair><string>{}</string><int>-1</int></pair><pair><state_id val="{}"/>'
    '<bool val="false"/></pair></pair><int>0</int></pair><pair><int>1</int><int>0</int></pair></pair></call>'
)
_MOST_BYTES = 16 << 20
_GRACE_S = 1.0


def program(name: str) -> str:
    """The path of one of Coq's programs. Raises `ProverMissing`."""
    found = shutil.which(name) or shutil.which(f"{name}.opt")
    if found is None:
        raise ProverMissing(f"{name} is not on the path: `apt-get install coq` brings Coq")
    return found


@dataclass(frozen=True, slots=True)
class Open:
    """What is open after a sentence; `closed` when no proof is running."""

    goals: tuple[Goal, ...]
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """Coq's words about a sentence that it refused."""

    message: str


class Idetop:
    """A Coq process with a document of its own."""

    def __init__(self, *, memory_mb: int, start_s: float = 60.0) -> None:
        self._folder = tempfile.mkdtemp(prefix="proofgym-coq-")
        argv = [program("coqidetop"), "-q", "-main-channel", "stdfds", "-async-proofs", "off"]
        env = {"PATH": "/usr/bin:/bin", "HOME": self._folder, "LC_ALL": "C.UTF-8"}
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the Coq of this machine
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=self._folder,
                env=env,
                start_new_session=True, bufsize=0,
            )  # fmt: skip
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise SessionDied(f"{argv[0]} cannot be started: {error}") from error
        self.pid = self._process.pid
        with contextlib.suppress(OSError, ValueError):
            resource.prlimit(self.pid, resource.RLIMIT_AS, (memory_mb << 20,) * 2)
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (1 << 20,) * 2)  # lia keeps a cache in its folder
            resource.prlimit(self.pid, resource.RLIMIT_CORE, (0, 0))
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        self._parser: Any = ET.XMLPullParser(["start", "end"])
        self._parser.feed(_OPENING)
        self._depth = 0
        self._root = ET.Element("r")
        self.heard: list[ET.Element] = []
        self.deadline = time.monotonic() + start_s
        try:
            self.root = self._id(self._call('<call val="Init"><option val="none"/></call>'))
        except BaseException:
            self.close()
            raise

    def add(self, sentence: str, at: int) -> int | Failure:
        """Put one sentence after the tip `at`; its state id. It has not run yet."""
        value = self._call(_ADD.format(escape(sentence), at))
        if value.get("val") != "good":
            return Failure(_text(value))
        return self._id(value)

    def goals(self) -> Open | Failure:
        """Run what was added and show what is open."""
        value = self._call('<call val="Goal"><unit/></call>')
        if value.get("val") != "good":
            return Failure(_text(value))
        found = value.find("./option/goals")
        if found is None:
            return Open((), closed=True)
        goals: list[Goal] = []
        for part in found:  # foreground, background (pairs of lists), shelved, given up
            goals += [_goal(goal) for goal in part.iter("goal")]
        return Open(tuple(goals))

    def back(self, at: int) -> None:
        """Make `at` the tip. Raises `SessionDied` if Coq refuses."""
        value = self._call(f'<call val="Edit_at"><state_id val="{at}"/></call>')
        if value.get("val") != "good":
            raise SessionDied(f"Coq cannot go back: {_text(value)[:200]}")

    def query(self, sentence: str, at: int) -> str:
        """The messages that a query prints."""
        value = self._call(
            f'<call val="Query"><pair><route_id val="0"/><pair><string>{escape(sentence)}</string>'
            f'<state_id val="{at}"/></pair></pair></call>'
        )
        if value.get("val") != "good":
            return _text(value)
        return "\n".join(_text(item) for item in self.heard if item.find(".//message") is not None)

    def close(self) -> None:
        """Kill the process and its group, and remove its folder."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            self._process.kill()
        for end in (self._process.stdin, self._process.stdout):
            if end is not None:
                with contextlib.suppress(OSError):
                    end.close()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _call(self, xml: str) -> ET.Element:
        data = xml.encode()
        while data:
            _, ready, _ = select.select([], [self._in], [], max(0.0, self.deadline - time.monotonic()))
            if not ready:
                raise SessionStuck("Coq reads no more")
            try:
                data = data[os.write(self._in, data[:4096]) :]
            except OSError as error:
                raise SessionDied("Coq has ended") from error
        return self._value()

    def _value(self) -> ET.Element:
        self.heard = []
        size, interrupted = 0, False
        while True:
            for event, element in self._parser.read_events():
                if event == "start" and self._depth == 0:
                    self._root = element
                self._depth += 1 if event == "start" else -1
                if event == "end" and self._depth == 1:
                    if element.tag == "value":
                        self._root.clear()  # or everything that was ever said would stay
                        answer: ET.Element = element
                        return answer
                    self.heard.append(element)
            ready, _, _ = select.select([self._out], [], [], max(0.0, self.deadline - time.monotonic()))
            if not ready:
                if interrupted:
                    raise SessionStuck("Coq did not finish in time")
                interrupted = True  # a tactic that is interrupted leaves the process and its libraries alive
                os.kill(self.pid, signal.SIGINT)
                self.deadline = time.monotonic() + _GRACE_S
                continue
            data = os.read(self._out, 1 << 16)
            size += len(data)
            if not data:
                raise SessionDied("Coq has ended")
            if size > _MOST_BYTES:
                raise SessionDied("Coq says more than it should")
            try:
                self._parser.feed(data)
            except ET.ParseError as error:
                raise SessionDied(f"Coq's answer is no XML: {error}") from error

    def _id(self, value: ET.Element) -> int:
        found = value.find(".//state_id")
        if found is None or not (found.get("val") or "").isdigit():
            raise SessionDied(f"Coq gave no state: {_text(value)[:200]}")
        return int(found.get("val") or 0)


def _text(element: ET.Element | None) -> str:
    return "".join(element.itertext()).replace("\u00a0", " ").strip() if element is not None else ""


def _goal(element: ET.Element) -> Goal:
    parts = list(element)  # id, hypotheses, conclusion, [name]
    hypotheses = []
    for item in parts[1] if len(parts) > 2 else ():
        names, _, type_ = _text(item).partition(":")
        type_, value = (type_.strip(), "") if not type_.startswith("=") else _defined(type_[1:])
        hypotheses.append(Hypothesis(tuple(n.strip() for n in names.split(",")), type_, value))
    return Goal(_text(parts[2] if len(parts) > 2 else parts[-1]), tuple(hypotheses))


def _defined(text: str) -> tuple[str, str]:
    """`value : type` of a hypothesis with a body."""
    value, _, type_ = text.rpartition(" : ")
    return type_.strip(), value.strip()
