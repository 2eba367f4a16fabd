"""Sessions remember, go back, fork, and survive what their turns do to them."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from proofgym.sandboxes import (
    JobRefused,
    Limits,
    MissingProgram,
    Outcome,
    Pool,
    PoolClosed,
    ReplayDiverged,
    Session,
    Snapshot,
)

QUICK = Limits(wall_s=1.0)


@pytest.fixture
def session(pool: Pool) -> Iterator[Session]:
    with Session(pool, QUICK) as session:
        yield session


def test_the_interpreter_remembers(session: Session) -> None:
    assert session.cell("x = 20").ok
    assert session.cell("def f(n):\n    return n + x").ok
    assert session.cell("print('hello')\nf(1)").stdout == b"hello\n21\n"
    assert session.cell("x").integrity == "in_process"


def test_sessions_work_in_every_tier(tier_pool: Pool) -> None:
    with Session(tier_pool, QUICK) as session:
        session.write("a.py", "print(open('b.txt').read())")
        session.cell("open('b.txt', 'w').write('from a cell')\nx = 6")
        assert session.command(["python3", "a.py"]).stdout == b"from a cell\n", session.command(["python3", "a.py"])
        before = session.snapshot()
        session.cell("x = 7")
        session.restore(before)
        assert session.cell("x").stdout == b"6\n"


def test_files_and_commands_share_the_directory(session: Session) -> None:
    session.write("pkg/mod.py", "VALUE = 7\n")
    assert session.command(["python3", "-c", "import pkg.mod; print(pkg.mod.VALUE)"]).stdout == b"7\n"
    assert session.cell("from pkg.mod import VALUE\nVALUE").stdout == b"7\n"
    session.write("run.sh", "#!/bin/sh\ncat\nexit 3\n", executable=True)
    result = session.command(["./run.sh"], "input")
    assert (result.outcome, result.exit_code, result.stdout) == (Outcome.ERROR, 3, b"input")
    assert session.read("pkg/mod.py") == b"VALUE = 7\n"
    assert set(session.files()) == {"pkg/mod.py", "run.sh"}
    with pytest.raises(FileNotFoundError):
        session.read("absent")
    with pytest.raises(JobRefused):
        session.write("../outside", "x")


def test_large_files_travel_in_parts(session: Session) -> None:
    data = os.urandom(3 << 20)
    session.write("big.bin", data)
    assert session.read("big.bin") == data


def test_an_error_keeps_the_state(session: Session) -> None:
    session.cell("x = 1")
    result = session.cell("1 / 0")
    assert result.outcome is Outcome.ERROR
    assert b"ZeroDivisionError" in result.stderr
    assert b"cells.py" not in result.stderr
    assert session.cell("def broken(:").outcome is Outcome.ERROR
    assert session.cell("raise SystemExit(0)").outcome is Outcome.ERROR
    assert session.cell("x").stdout == b"1\n"


def test_an_interrupted_cell_keeps_the_state(session: Session) -> None:
    session.cell("x = 1")
    assert session.cell("x = 2\nwhile True: pass").outcome is Outcome.TIMEOUT
    assert session.cell("x").stdout == b"2\n"
    assert session.command(["sleep", "9"]).outcome is Outcome.TIMEOUT
    assert session.cell("x").stdout == b"2\n"


@pytest.mark.parametrize(
    ("deed", "outcome"),
    [
        ("import os\nos._exit(0)", Outcome.CRASH),
        ("import ctypes\nctypes.string_at(0)", Outcome.CRASH),
        ("import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass", Outcome.TIMEOUT),
        ("while True: print('x' * 1000)", Outcome.OUTPUT),
        ("import os\nos.write(3, b'x' * 100)", Outcome.TAMPERED),
    ],
)
def test_a_turn_that_kills_the_interpreter_goes_back_to_before_it(
    session: Session, deed: str, outcome: Outcome
) -> None:
    session.write("kept.txt", "kept")
    session.cell("x = 1")
    result = session.cell("x = 2\nopen('kept.txt', 'w').write('lost')\n" + deed)
    assert result.outcome is outcome
    assert "goes back" in result.detail
    assert session.cell("x").stdout == b"1\n"
    assert session.read("kept.txt") == b"kept"


def test_a_snapshot_is_where_it_was_taken(session: Session) -> None:
    session.write("a.txt", "one")
    session.cell("import random\nx = [random.random()]")
    drawn = session.cell("x").stdout
    before = session.snapshot()
    session.cell("x.append(2)")
    session.write("a.txt", "two")
    session.write("b.txt", "new")
    after = session.snapshot()
    assert before != after
    assert before.digest != after.digest
    session.restore(before)
    assert session.cell("x").stdout == drawn
    assert session.read("a.txt") == b"one"
    assert set(session.files()) == {"a.txt"}
    session.restore(after)
    assert session.read("b.txt") == b"new"
    assert b", 2]" in session.cell("x").stdout


def test_a_snapshot_moves_to_another_session_and_process(session: Session, pool: Pool) -> None:
    session.cell("x = {'a': [1]}")
    session.write("run.sh", "#!/bin/sh\necho hi", executable=True)
    snapshot = pickle.loads(pickle.dumps(session.snapshot()))
    with Session(pool, QUICK) as other:
        other.restore(snapshot)
        assert other.cell("x").stdout == b"{'a': [1]}\n"
        assert other.command(["./run.sh"]).stdout == b"hi\n"
        assert other.snapshot().files == snapshot.files


def test_forks_are_independent(session: Session) -> None:
    session.cell("x = [1]")
    with session.fork() as other:
        other.cell("x.append(2)")
        session.cell("x.append(3)")
        assert other.cell("x").stdout == b"[1, 2]\n"
        assert session.cell("x").stdout == b"[1, 3]\n"


def test_a_replay_that_differs_is_said_and_not_passed_over(session: Session) -> None:
    session.cell("import time\nopen('t.txt', 'w').write(str(time.time_ns()))")
    snapshot = session.snapshot()
    with pytest.raises(ReplayDiverged, match=r"t\.txt"):
        session.restore(snapshot)
    with pytest.raises(ReplayDiverged, match="depends on time"):
        session.restore(Snapshot((({"do": "cell", "source": "1 / 0"}, "ok"),), {}))


def test_files_alone_need_no_replay(session: Session) -> None:
    session.command(["sh", "-c", "date +%N > t.txt"])
    snapshot = session.snapshot()
    session.write("t.txt", "changed")
    session.restore(snapshot)
    assert session.read("t.txt") == snapshot.files["t.txt"][0]


def test_a_worker_that_dies_is_replaced_and_the_turns_repeated(session: Session) -> None:
    session.cell("x = 41")
    worker = session._worker
    assert worker is not None
    for pid in worker.pids()[:1]:
        os.kill(pid, signal.SIGKILL)
    assert session.cell("x + 1").stdout == b"42\n"


def test_closing_ends_the_processes(pool: Pool) -> None:
    session = Session(pool, QUICK)
    session.cell("1")
    worker = session._worker
    assert worker is not None
    pids = worker.pids()
    assert len(pids) >= 3
    session.close()
    session.close()
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    with pytest.raises(PoolClosed):
        session.cell("1")


def test_a_missing_program_is_an_error_of_that_turn(session: Session) -> None:
    result = session.command(["no-such-program"])
    assert result.outcome is Outcome.ERROR
    assert result.exit_code == 127
    assert not isinstance(result, MissingProgram)
