if __name__ != "proofgym.adapters":
    raise ImportError(
        f"this folder is `proofgym.adapters`; install proofgym and import it by that name, not as {__name__!r}"
    )
__all__: list[str] = []
