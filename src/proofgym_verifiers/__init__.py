"""The taskset package `proofgym-verifiers`: verifiers finds plugins by the name of a top-level package."""

from proofgym.adapters.verifiers import (
    ProofgymConfig,
    ProofgymData,
    ProofgymEnv,
    ProofgymEnvConfig,
    ProofgymTask,
    ProofgymTaskset,
)

__all__ = ["ProofgymConfig", "ProofgymData", "ProofgymEnv", "ProofgymEnvConfig", "ProofgymTask", "ProofgymTaskset"]
