"""Lessons that run in minigrad and in PyTorch from one text: `python -m curriculum`."""
