"""Environments that ask for formal proofs: tactic by tactic or whole, in Lean, Coq and a toy logic."""
