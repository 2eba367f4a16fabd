if __name__ != "proofgym.envs":
    raise ImportError(f"this folder is `proofgym.envs`; install proofgym and import it by that name, not as {__name__!r}")
__all__: list[str] = []
