"""Exercise 7: count and merge. Check it with `python -m curriculum check 07`."""


def count(sizes):
    """Return how many weights and biases a network of linear layers has: [64, 32, 10] means 64 to 32, 32 to 10."""
    raise NotImplementedError("count here")


def merge(first, second):
    """Return one nn.Linear that computes second(first(x)) for every x (no activation in between)."""
    raise NotImplementedError("make the layer here")
