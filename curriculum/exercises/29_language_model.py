"""Exercise 29: the exercises in a text. Check it with `python -m curriculum check 29`."""

from curriculum.engine import torch  # noqa: F401


def pieces(data, starts, context):
    """data: (N,) whole numbers. (x, y), both (len(starts), context): x[i] is the piece of `context` numbers from
    starts[i] on, and y[i, t] is the number that comes after x[i, t] in the text.
    """
    raise NotImplementedError("cut the pieces here")


def next_probabilities(logits, temperature):
    """logits: (B, L, C), for the next token at every place. The probabilities of what follows the whole piece, (B, C)."""
    raise NotImplementedError("write the probabilities here")
