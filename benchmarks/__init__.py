"""Benchmarks: minigrad beside PyTorch, each engine in a process of its own."""
