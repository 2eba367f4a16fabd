"""Environments whose answers are programs, judged by what they do in a sandbox."""
