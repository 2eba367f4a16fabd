"""Start a nanny: a bare interpreter that is sent its program on standard input.

Run `bundled_argv(python)` in the environment `ENV`, write `bundle()` to its standard input, and go on with frames. So a
container image needs an interpreter and nothing of ours, and the two ends are of one version even when the package is
upgraded under a running process.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path

__all__ = ["ENV", "bundle", "bundled_argv"]

MODULES = ("wire", "_sys", "steps", "walls", "artifacts", "cells", "runner", "running", "nanny")
_HERE = Path(__file__).resolve().parent

_BOOT = """
import sys
del sys.path[0]
import os
def take(count):
    data = b""
    while len(data) < count:
        part = os.read(0, count - len(data))
        if not part:
            os._exit(0)
        data += part
    return data
import json, types
for name, source in json.loads(take(int.from_bytes(take(8), "little"))):
    module = types.ModuleType("proofgym_nanny_" + name)
    module.__file__ = "<" + name + ">"
    sys.modules[module.__name__] = module
    exec(compile(source, "<" + name + ">", "exec"), module.__dict__)
sys.exit(module.main(["0", "1"]))
"""


ENV = {"PYTHONHASHSEED": "0"}
"""The whole environment to start a nanny with: the same hash seed everywhere, so that the same job repeats.

The interpreter's `-I` would ignore it; `-s -S`, an environment of our own and a cleared `sys.path[0]` isolate as well.
"""


def bundled_argv(python: str) -> list[str]:
    """The command: isolated from the caller's environment, directory and site packages."""
    return [python, "-s", "-S", "-B", "-c", _BOOT]


@functools.cache
def bundle() -> bytes:
    """The sources that `bundled_argv` waits for: an 8-byte length and a JSON list of (module, source)."""
    sources = [(name, (_HERE / f"{name}.py").read_text("utf-8")) for name in MODULES]
    body = json.dumps(sources).encode()
    return len(body).to_bytes(8, "little") + body
