"""Judges of puzzles: they accept any valid answer."""

from proofgym.verifiers.puzzles.countdown import CountdownVerifier
from proofgym.verifiers.puzzles.sudoku import SudokuVerifier

__all__ = ["CountdownVerifier", "SudokuVerifier"]
