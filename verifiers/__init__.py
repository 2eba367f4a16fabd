"""Who judges: task and answer in, verdict out."""

if __name__ != "proofgym.verifiers":
    raise ImportError(
        f"this folder is `proofgym.verifiers`; install proofgym and import it by that name, not as {__name__!r}"
    )

from proofgym.verifiers.credit import Credit
from proofgym.verifiers.verdict import Status, Verdict, Verifier

__all__ = ["Credit", "Status", "Verdict", "Verifier"]
