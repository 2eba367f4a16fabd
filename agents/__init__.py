if __name__ != "proofgym.agents":
    raise ImportError(
        f"this folder is `proofgym.agents`; install proofgym and import it by that name, not as {__name__!r}"
    )
__all__: list[str] = []
