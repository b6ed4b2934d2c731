"""Exercises 25. Check them with `python -m curriculum check 25`.

1. Write it: vocabulary, padding, masked mean.
2. Find the planted bug: the maximum over the words.
3. Derive it: the gradient of the embedding table.
"""

from curriculum.engine import torch


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


def masked_max(vectors, ids):
    """vectors: (B, L, width), ids: (B, L). Of each element the largest over the places whose id is not 0: (B, width).

    It is written, and right for most texts. Find the texts for which it is wrong, and mend it.
    """
    mask = (ids != 0).unsqueeze(2).to(vectors.dtype)
    return torch.amax(vectors * mask, dim=1)


def table_gradient(upstream, ids, size):
    """The gradient of an embedding table (size, width), given the loss's gradient by what was looked up.

    upstream: (B, L, width); ids: (B, L), whole numbers. Row 0 belongs to the padding and gets none. Without autograd.
    """
    raise NotImplementedError("collect the rows here")
