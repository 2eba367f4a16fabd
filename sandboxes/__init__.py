if __name__ != "proofgym.sandboxes":
    raise ImportError(
        f"this folder is `proofgym.sandboxes`; install proofgym and import it by that name, not as {__name__!r}"
    )
__all__: list[str] = []
