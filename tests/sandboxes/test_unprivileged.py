"""The same promises to and from an ordinary user: no root on the host, no control groups, another uid mapping."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import json, os, sys, warnings
from proofgym.sandboxes import Isolation, conformance, probe
from proofgym.sandboxes.embedded import EmbeddedBackend
assert os.geteuid() == 65534
tiers = {tier.isolation.label: tier.reason for tier in probe.probe().tiers}
isolation = Isolation.parse(sys.argv[1])
if not tiers[sys.argv[1]]:
    slow = ("fork", "memory")
    names = [n for n in conformance.CLAIMS if not n.startswith("resource: ") or any(word in n for word in slow)]
    report = conformance.check(EmbeddedBackend(isolation), only=names)
    print(json.dumps({"tiers": tiers, "claims": len(names), "ok": report.ok, "text": str(report)}))
else:
    print(json.dumps({"tiers": tiers, "ok": None}))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("tier", ["namespaced", "reduced"])
def test_an_ordinary_user_gets_the_same(tier: str, tmp_path: Path) -> None:
    helper = Path(__file__).with_name("nobody.py")
    command = [sys.executable, str(helper), "-c", CODE, tier]
    environment = {"PATH": os.defpath}
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    if found["ok"] is None:
        pytest.skip(f"{tier}: {found['tiers'][tier]}")
    assert found["ok"], found["text"]
    assert found["claims"] > 70
    assert "namespaced+cgroup" not in [name for name, reason in found["tiers"].items() if not reason]
