"""Exercises 29. Check them with `python -m curriculum check 29`.

1. Write it: the exercises in a text, and what follows.
2. Find the planted bug: the perplexity of a text.
3. Change one thing: draw among the likeliest only.
"""

from curriculum.engine import torch


def pieces(data, starts, context):
    """data: (N,) whole numbers. (x, y), both (len(starts), context): x[i] is the piece of `context` numbers from
    starts[i] on, and y[i, t] is the number that comes after x[i, t] in the text.
    """
    raise NotImplementedError("cut the pieces here")


def next_probabilities(logits, temperature):
    """logits: (B, L, C), for the next token at every place. The probabilities of what follows the whole piece, (B, C)."""
    raise NotImplementedError("write the probabilities here")


def perplexity(losses):
    """losses: (T,), minus the logarithm of the probability that each token got. The text's perplexity, a tensor of one number.

    It is written, and it is right for a text whose tokens were all equally hard. Find out what is wrong, and mend it.
    """
    return torch.exp(losses).mean()


def top_k(probabilities, k):
    """probabilities: (B, C), rows with sum 1. The same with all but the k largest of each row set to 0, rows with sum 1."""
    raise NotImplementedError("keep the likeliest here")
