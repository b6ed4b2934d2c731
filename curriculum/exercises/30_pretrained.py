"""Exercises 30. Check them with `python -m curriculum check 30`.

1. Write it: learn pieces of words.
2. Find the planted bug: the loss of guessing left-out words.
3. Derive it: the multiplications of a block.
"""

from curriculum.engine import torch


def learn_joins(counts, number):
    """The first `number` joins, in order, each a pair of pieces; counts: {word: how often it occurs}.

    Every word begins as its letters. Again and again the pair of neighbours that occurs most often, over all words, is
    joined into one piece wherever it stands, from left to right. Of pairs that occur equally often the alphabetically first
    is taken. Stop early when no word has two pieces left.
    """
    raise NotImplementedError("count the neighbours and join them here")


def guessing_loss(logits, ids, hidden):
    """The mean cross-entropy of guessing the words that were left out.

    logits: (B, L, V); ids: (B, L), the true words; hidden: (B, L), True where the word was replaced by [MASK].
    It is written, it runs, and a model trains with it. It does not compute what is said here: find out, and mend it.
    """
    return torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), ids.reshape(-1))


def block_products(length, dim, hidden):
    """(multiplications of the linear layers, multiplications of the attention maps) of one block for one text.

    Linear layers: query, key, value, the one behind the heads, and the two of the small network. Maps: Q Kᵀ and A V, for
    all heads together. An (n, m) matrix times an (m, p) one takes n m p multiplications; biases, softmax, normalizations
    are not counted. Then look: for which length do the maps cost more than the layers?
    """
    raise NotImplementedError("count the products here")
