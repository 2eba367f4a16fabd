"""Whether it is a Gymnasium environment: `check_env`, whose warnings are counted and told."""

from __future__ import annotations

import warnings

from gymnasium.utils.env_checker import check_env

from proofgym.bench.audit.depth import Depth
from proofgym.bench.audit.finding import Finding, failed, passed
from proofgym.bench.audit.subject import Subject
from proofgym.errors import Unjudged

__all__ = ["check"]


def check(subject: Subject, _: Depth) -> Finding:
    """`gymnasium.utils.env_checker.check_env` accepts it."""
    env = subject.target.make()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            check_env(env.unwrapped, skip_render_check=True)
        except Unjudged:
            raise
        except Exception as error:
            said = (str(error).strip().splitlines() or [""])[0]
            return failed(
                "gymnasium", f"check_env: {type(error).__name__}: {said}"[:300], subject.recipe(note="check_env(env)")
            )
        finally:
            env.close()
    told = [str(entry.message).replace("\x1b[33m", "").replace("\x1b[0m", "") for entry in seen]
    told = [text for text in told if "out of date" not in text]
    if told:
        return passed("gymnasium", f"check_env accepts it, with {len(told)} warnings: {told[0]:.100}", warnings=told)
    return passed("gymnasium", "check_env accepts it")
