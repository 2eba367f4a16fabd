"""Puzzles: countdown and sudoku."""
