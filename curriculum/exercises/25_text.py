"""Exercise 25: vocabulary, padding, masked mean. Check it with `python -m curriculum check 25`."""

from curriculum.engine import torch  # noqa: F401


def vocabulary(texts, size):
    """{word: number}: the commonest word of all texts gets 2, the next 3, and so on, up to size - 1.

    0 is kept for the padding and 1 for unknown words. Words are what text.split() gives.
    """
    raise NotImplementedError("count the words here")


def batch(texts, numbers):
    """A tensor (texts, longest text) of whole numbers: the words' numbers, 1 for unknown words, 0 behind the end."""
    raise NotImplementedError("write the padded batch here")


def masked_mean(vectors, ids):
    """vectors: (B, L, width), ids: (B, L). The mean over the places whose id is not 0: (B, width)."""
    raise NotImplementedError("write the masked mean here")
