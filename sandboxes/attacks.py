"""Attacks on a sandbox, as programs: `conformance` runs them against a backend, and our tests against no walls at all.

Each defines `attack(...)`, which returns what it got hold of, raises OSError when it was refused, or returns None when
there was nothing to get. Any other exception means that the attack itself is broken, and proves nothing.
"""

from __future__ import annotations

__all__ = ["ESCAPES", "RESOURCES", "TRAPS"]

_LIBC = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    ctypes.set_errno(0)
    if libc.syscall(ctypes.c_long(number), *args) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "it went through"
"""

ESCAPES: dict[str, str] = {
    "environment": """
import os
def attack(host):
    got = [value for value in os.environ.values() if host["canary"] in value]
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                data = open(f"/proc/{name}/environ", "rb").read()
            except OSError:
                continue
            if host["canary"].encode() in data:
                got.append(name)
    return got or None
""",
    "command lines of the host": """
import os
def attack(host):
    return open(f"/proc/{host['pid']}/cmdline").read() if host["python"] in open(f"/proc/{host['pid']}/cmdline").read() else None
""",
    "reading a file": "def attack(host): return open(host['secret']).read()",
    "writing a file": "def attack(host): return open(host['planted'], 'w').write('x')",
    "appending to the interpreter": """
import os
def attack(host): return os.open(os.__file__, os.O_WRONLY | os.O_APPEND)
""",
    "a link out of scratch": """
import os
def attack(host):
    os.symlink(host["secret"], "link")
    return open("link").read()
""",
    "climbing with ..": "def attack(host): return open('../' * 30 + host['secret'].lstrip('/')).read()",
    "the root of another process": """
def attack(host):
    for pid in (1, 2, host["pid"]):
        try:
            return open(f"/proc/{pid}/root{host['secret']}").read()
        except OSError:
            continue
""",
    "a directory that was open": """
import os
def attack(host):
    for fd in range(64):
        try:
            inner = os.open(host["secret"].lstrip("/"), os.O_RDONLY, dir_fd=fd)
        except OSError:
            continue
        return os.read(inner, 99)
""",
    "descriptors left open": """
import os
def attack(host):
    got = []
    for fd in range(4, 256):
        try:
            os.fstat(fd)
        except OSError:
            continue
        got.append(fd)
    return got or None
""",
    "a local port": """
import socket
def attack(host): return socket.create_connection(("127.0.0.1", host["port"]), 1) and "connected"
""",
    "an internet socket": "import socket\ndef attack(host): return socket.socket(socket.AF_INET, socket.SOCK_DGRAM) and 'made'",
    "a netlink socket": "import socket\ndef attack(host): return socket.socket(16, socket.SOCK_RAW, 0) and 'made'",
    "a packet socket": "import socket\ndef attack(host): return socket.socket(17, socket.SOCK_RAW, 0) and 'made'",
    "an abstract socket": """
import socket
def attack(host):
    with socket.socket(socket.AF_UNIX) as end:
        end.connect("\\0" + host["abstract"])
        return "connected"
""",
    "a signal to the host": "import os\ndef attack(host): os.kill(host['pid'], 0); return 'sent'",
    "a signal to everyone": """
import os
def attack(host):
    os.kill(host["bystander"], 9)
    return "sent"
""",
    "becoming root": "import os\ndef attack(host): os.setuid(0) if os.getuid() else os.seteuid(0); return None if os.getuid() else 'root'",
    "ptrace": _LIBC
    + """
def attack(host):
    pid = os.fork()
    if pid == 0:
        libc.pause()
    try:
        return call(101 if os.uname().machine == "x86_64" else 117, 16, pid, 0, 0)
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
""",
    "memory of the parent": _LIBC
    + """
def attack(host):
    here = ctypes.create_string_buffer(64)
    local = (ctypes.c_void_p * 2)(ctypes.addressof(here), 64)
    pid = os.fork()
    if pid == 0:
        libc.pause()
    try:
        return call(310 if os.uname().machine == "x86_64" else 270, pid, local, 1, local, 1, 0)
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
""",
    "a user namespace": _LIBC
    + "def attack(host): return call(272 if os.uname().machine == 'x86_64' else 97, 0x10000000)",
    "a user namespace by clone": _LIBC
    + """
def attack(host):
    pid = libc.syscall(56 if os.uname().machine == "x86_64" else 220, 0x10000000 | 17, 0, 0, 0, 0)
    if pid < 0:
        raise OSError(1, "refused")
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return "cloned"
""",
    "a mount": _LIBC
    + """
def attack(host):
    os.mkdir("m")
    if libc.mount(b"none", b"m", b"tmpfs", 0, None) < 0:
        raise OSError(ctypes.get_errno(), "refused")
    libc.umount2(b"m", 2)
    return "mounted"
""",
    "a mount by fsopen": _LIBC + "def attack(host): return call(430, b'tmpfs', 0)",
    "chroot": "import os\ndef attack(host): os.chroot('.'); os.chdir('/'); return 'it went through'",
    "a device node": "import os\ndef attack(host): os.mknod('disk', 0o60600, os.makedev(8, 0)); return 'made'",
    "bpf": _LIBC
    + "def attack(host): return call(321 if os.uname().machine == 'x86_64' else 280, 0, bytes([1,0,0,0,4,0,0,0,4,0,0,0,1,0,0,0]) + bytes(48), 64)",
    "io_uring": _LIBC + "def attack(host): return call(425, 4, ctypes.create_string_buffer(256))",
    "userfaultfd": _LIBC + "def attack(host): return call(323 if os.uname().machine == 'x86_64' else 282, 1)",
    "keys": _LIBC + "def attack(host): return call(250 if os.uname().machine == 'x86_64' else 219, 0, -3, 1)",
    "perf": _LIBC
    + "def attack(host): return call(298 if os.uname().machine == 'x86_64' else 241, bytes([1,0,0,0,112,0,0,0]) + bytes(32) + bytes([0x61]) + bytes(71), 0, -1, -1, 0)",
    "memfd": "import os\ndef attack(host): return os.memfd_create('x') and 'made'",
    "System V memory": _LIBC
    + "def attack(host): return call(29 if os.uname().machine == 'x86_64' else 194, 7, 4096, 0o1600)",
    "POSIX queues": _LIBC
    + "def attack(host): return call(240 if os.uname().machine == 'x86_64' else 180, b'q', 0o102, 0o600, 0)",
    "the kernel's log": _LIBC
    + "def attack(host): return call(103 if os.uname().machine == 'x86_64' else 116, 10, 0, 0)",
    "opening by handle": _LIBC
    + "def attack(host): return call(303 if os.uname().machine == 'x86_64' else 264, -100, b'/', bytes([128,0,0,0]) + bytes(132), ctypes.create_string_buffer(4), 0)",
    "raising limits": """
import resource
def attack(host):
    resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 19, 1 << 19))
    return "raised"
""",
    "the 32-bit entry": _LIBC
    + """
import mmap, platform
def attack(host):
    if platform.machine() != "x86_64":
        return None
    code = bytes.fromhex("53b814000000cd805bc3")
    page = mmap.mmap(-1, 4096, prot=7)
    page.write(code)
    pid = os.fork()
    if pid == 0:
        got = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
        os._exit(7 if got > 0 else 8)
    status = os.waitpid(pid, 0)[1]
    return "getpid answered" if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 7 else None
""",
}
"""What a job may try to reach. The argument tells it where things are on the host, which a real attacker must guess."""

RESOURCES: dict[str, tuple[str, tuple[str, ...]]] = {
    "one process, much memory": ("x = bytearray(10 ** 10)", ("memory",)),
    "memory page by page": ("x = []\nwhile True: x.append(bytearray(1 << 20))", ("memory",)),
    "many processes, much memory": (
        "import os, time\n"
        "for _ in range(8):\n"
        "    if os.fork() == 0:\n"
        "        x = bytearray(b'x') * (40 << 20)\n"
        "        time.sleep(1.5)\n"
        "        os._exit(0)\n"
        "for _ in range(8): os.wait()",
        ("memory",),
    ),
    "shared memory": (
        "import mmap, os, time\n"
        "for _ in range(3):\n"
        "    if os.fork() == 0:\n"
        "        x = [mmap.mmap(-1, 30 << 20) for _ in range(3)]\n"
        "        for m in x: m.write(b'x' * (30 << 20))\n"
        "        time.sleep(1.5)\n"
        "        os._exit(0)\n"
        "for _ in range(3): os.wait()",
        ("memory",),
    ),
    "fork bomb": (
        "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
        ("processes", "timeout", "cpu", "memory"),
    ),
    "thread bomb": (
        "import threading, time\n"
        "threading.stack_size(65536)\n"
        "while True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
        ("processes", "memory"),
    ),
    "processor time in one process": ("while True: pass", ("cpu", "timeout")),
    "sleeping": ("import time\ntime.sleep(60)", ("timeout",)),
    "stopped": ("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\nimport time\ntime.sleep(60)", ("timeout",)),
    "deaf to signals": (
        "import signal, time\n"
        "for n in range(1, 65):\n"
        "    try: signal.signal(n, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\n"
        "while True: time.sleep(9)",
        ("timeout",),
    ),
    "deaf to alarms, in C": ("import signal\nsignal.alarm(0)\nsum(range(10 ** 15))", ("timeout", "cpu")),
    "a regular expression that explodes": ("import re\nre.match(r'(a+)+$', 'a' * 60 + 'b')", ("timeout", "cpu")),
    "an exponent tower": ("x = 9 ** 9 ** 9", ("timeout", "cpu", "memory")),
    "output flood": ("while True: print('x' * 9999)", ("output",)),
    "error flood": ("import sys\nwhile True: sys.stderr.write('x' * 9999)", ("output",)),
    "answer flood": ("import os\nwhile True: os.write(3, b'x' * 65536)", ("output", "tampered")),
    "disk": (
        "import os\nfor n in range(10 ** 6):\n    with open(f'f{n}', 'wb') as f: f.write(bytes(1 << 20))",
        ("error", "crash", "memory", "timeout", "cpu"),
    ),
    "inodes": ("for n in range(10 ** 6): open(f'f{n}', 'w').close()", ("error", "timeout", "cpu")),
    "one huge file": ("f = open('f', 'wb')\nf.seek(1 << 40)\nf.write(b'x')\nf.close()", ("error", "crash")),
    "descriptors": ("import os\nwhile True: os.dup(0)", ("error",)),
    "a segmentation fault": ("import ctypes\nctypes.string_at(0)", ("crash",)),
    "deep recursion": (
        "import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(): f()\nf()",
        ("crash", "memory", "error", "cpu", "timeout"),
    ),
    "an early exit": ("import os\nos._exit(3)", ("error",)),
    "closed streams": ("import os\nos.closerange(0, 9)\nimport time\ntime.sleep(60)", ("timeout",)),
}
"""What a job may use up, and the outcomes that are right."""

TRAPS: dict[str, str] = {
    "exit with status 0": "import os\nos._exit(0)\ndef f(x): return x",
    "exit in a call": "import os\ndef f(x): os._exit(0)",
    "SystemExit in a call": "def f(x): raise SystemExit(0)",
    "an object that equals everything": "class A:\n    def __eq__(self, other): return True\n    def __hash__(self): return 0\ndef f(x): return A()",
    "an int that equals everything": "class A(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\ndef f(x): return A(0)",
    "a string that equals everything": "class A(str):\n    def __eq__(self, other): return True\n    __hash__ = str.__hash__\ndef f(x): return A()",
    "a list that equals everything": "class A(list):\n    def __eq__(self, other): return True\ndef f(x): return A()",
    "not a number": "def f(x): return float('nan')",
    "bytes on the channel": "import os\nos.write(3, b'1' * 64)\ndef f(x): return x",
    "half a frame": "import os, struct\ndef f(x):\n    os.write(3, struct.pack('<BBHI', 32, 0, 0, 99))\n    os._exit(0)",
    "frames for calls that were not made": "import os, struct\nos.write(3, struct.pack('<BBHI', 32, 0, 999, 1) + b'T')\ndef f(x): return x",
    "an end without answers": "import os, struct\nos.write(3, struct.pack('<BBHI', 34, 0, 0, 0))\nos._exit(0)",
    "the runner's own functions": (
        "import sys\nframe = sys._getframe()\nwhile frame:\n"
        "    frame.f_globals['_send'] = lambda *a, **k: None\n    frame = frame.f_back\ndef f(x): return None"
    ),
    "an encoder that lies": (
        "import sys\nfor m in list(sys.modules.values()):\n"
        "    if hasattr(m, 'encode_answer'): m.encode_answer = lambda v: b'T'\ndef f(x): return None"
    ),
    "frames looked for in memory": (
        "import gc\ndef f(x):\n"
        "    return [str(o)[:50] for o in gc.get_objects() if isinstance(o, dict) and 'expected' in o] or None"
    ),
    "a pickle": "import pickle\nclass A:\n    def __reduce__(self): return (print, ('owned',))\ndef f(x): return pickle.dumps(A())",
    "deep nesting": "def f(x):\n    v = []\n    for _ in range(10 ** 5): v = [v]\n    return v",
    "a list that holds itself": "def f(x):\n    v = []\n    v += [v] * 50\n    return v",
    "a huge number": "def f(x): return 1 << 10 ** 8",
    "keys that collide": "def f(x): return {n * (2 ** 61 - 1): 0 for n in range(3000)}",
    "a value too large": "def f(x): return 'x' * 10 ** 8",
}
"""Ways to be taken for right without being right. The host asks for f(1), f(2), f(3), and expects 41, 42, 43."""
