"""Evaluate, compare, report: figures with intervals, and pages to read episodes on."""

if __name__ != "proofgym.bench":
    raise ImportError(
        f"this folder is `proofgym.bench`; install proofgym and import it by that name, not as {__name__!r}"
    )

__all__: list[str] = []
