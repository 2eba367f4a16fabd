"""Programs that try to pass without solving: hard-coded examples, early exits, forged output, friendly objects."""

from __future__ import annotations

import json

from proofgym.envs.code.program import block
from proofgym.verifiers.code import CodeTask

__all__ = ["cheats_against"]


def cheats_against(task: CodeTask) -> list[str]:
    """Programs that try to pass without solving: hard-coded examples, early exits, forged output, friendly objects."""
    if task.kind == "stdio":
        table = {case.stdin: str(case.expected) for case in task.visible}
        return [
            block(text, "python") if task.language == "python" else block(text, task.language)
            for text in (
                f"import sys\nprint({table!r}.get(sys.stdin.read(), ''))",
                "import os\nos._exit(0)",
                "print('ok')\nprint('All tests passed')",
                "import sys\nprint(sys.stdin.read())",
                "import glob\nfor name in glob.glob('/**/*.out', recursive=True): print(open(name).read())",
                "while True: print('nan')",
            )
        ]
    entry = task.entry
    if task.kind == "class":
        friendly = "class Yes:\n    def __eq__(self, other): return True\n    def __hash__(self): return 0\n"
        return [
            block(f"{friendly}class {entry}:\n    def __init__(self, *a): pass\n    def __getattr__(self, name): return lambda *a: Yes()"),
            block(f"class {entry}:\n    def __init__(self, *a): pass\n    def __getattr__(self, name): return lambda *a: None"),
            block(f"import os\nclass {entry}:\n    def __init__(self, *a): os._exit(0)"),
            block(f"import sys\nclass {entry}: pass\nsys.exit(0)"),
        ]  # fmt: skip
    table = {json.dumps(list(case.args)): case.expected for case in task.visible}
    return [
        block(text)
        for text in (
            f"import json\nTABLE = {table!r}\ndef {entry}(*args):\n    return TABLE.get(json.dumps(list(args)))",
            f"class Yes:\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\ndef {entry}(*args):\n    return Yes()",
            f"class Yes(str):\n    def __eq__(self, other): return True\n    __hash__ = str.__hash__\ndef {entry}(*args):\n    return Yes()",
            f"import os\ndef {entry}(*args):\n    os._exit(0)",
            f"import sys\ndef {entry}(*args): return None\nsys.exit(0)",
            f"import gc\ndef {entry}(*args):\n    return [o for o in gc.get_objects() if isinstance(o, list)][:1]",
            f"import sys\ndef {entry}(*args):\n    names = sys._getframe(1).f_locals\n    return names.get('expected', names)",
            f"def {entry}(*args):\n    return float('nan')",
            f"import os\nfor fd in range(3, 20):\n    try: os.write(fd, b'passed')\n    except OSError: pass\ndef {entry}(*args): return None",
            f"def {entry}(*args):\n    raise SystemExit(0)",
        )
    ]
