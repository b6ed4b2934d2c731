"""Exercises 26. Check them with `python -m curriculum check 26`.

1. Write it: attention that does not look ahead.
2. Find the planted bug: vectors cut into heads.
3. Derive it: the gradients of attention.
"""

from curriculum.engine import torch  # noqa: F401


def causal_attention(q, k, v):
    """q, k, v: (..., L, d). (output (..., L, d), weights (..., L, L)); place l looks at the places 0 to l only.

    Write it with matrix products and softmax, not with scaled_dot_product_attention.
    """
    raise NotImplementedError("write the attention here")


def split_heads(x, heads):
    """x: (B, L, width). (B, heads, L, width / heads): head h has the h-th piece of each word's vector.

    It is written, and its shape is right. It is not what the text above says: find out, and mend it.
    """
    return x.reshape(x.shape[0], heads, x.shape[1], -1)


def attention_gradients(q, k, v, upstream):
    """The loss's gradients by q, k and v (L, d), given its gradient by the output softmax(q kᵀ / √d) v. Without autograd.

    Go backward through the mixing, the softmax (row by row) and the products; see lesson 20 for softmax's own slope.
    """
    raise NotImplementedError("derive the three gradients, then write them here")
