"""The operations, one family a file: forward and backward side by side, on plain arrays.

An operation is a class with its formulas in the docstring. Directly under it stands its public function, which checks
the input, settles types and calls `apply`. The functions take tensors; given arrays (as the formulas of other
operations do), they return arrays and leave no trace in the graph.

    contraction.py         tensordot, einsum, inner
    cumulative.py          cumsum, cumprod, cummax, logcumsumexp, diff
    distances.py           norm, dist, cdist, pairwise_distance, cosine_similarity, normalize
    extremes.py            amax, aminmax, max, argmax ...
    linear.py              linear, bilinear
    loss_binary.py         losses of yes and no: binary_cross_entropy ...
    loss_classes.py        losses of classes: cross_entropy, nll_loss
    loss_distributions.py  losses of distributions: kl_div, gaussian_nll_loss, poisson_nll_loss
    loss_margins.py        losses of margins: triplet_margin_loss, hinge_embedding_loss ...
    loss_regression.py     losses of numbers: mse_loss, l1_loss, huber_loss ...
    matrix.py              matmul, mm, bmm, dot, outer, addmm, kron, cross, inverse ...
    order.py               sort, topk, median, mode, quantile ...
    reduce.py              sum, mean, var, std, prod, logsumexp, all, any ...

and helpers of several of them: axes.py (the axes of a reduction), loss_reduction.py (what losses share).
"""

from ..public import MINIGRAD
from .activation import *
from .arithmetic import *
from .attention import *
from .contraction import *
from .conv import *
from .cumulative import *
from .distances import *
from .dropout import *
from .extremes import *
from .index import *
from .linear import *
from .loss_binary import *
from .loss_classes import *
from .loss_distributions import *
from .loss_margins import *
from .loss_regression import *
from .matrix import *
from .norm import *
from .order import *
from .pointwise import *
from .pool import *
from .reduce import *
from .resample import *
from .shape import *
from .softmax import *

__all__ = list(MINIGRAD)

# `norm` and `softmax` are files too: as an attribute of this package the name is the function.
globals().update(MINIGRAD)
