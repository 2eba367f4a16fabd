"""Environments for language-model policies whose rewards are proved, not guessed."""

__version__ = "0.1.0.dev0"
