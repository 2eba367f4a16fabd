if __name__ != "proofgym.verifiers":
    raise ImportError(f"this folder is `proofgym.verifiers`; install proofgym and import it by that name, not as {__name__!r}")
__all__: list[str] = []
