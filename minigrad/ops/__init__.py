"""The operations, one family a file: forward and backward side by side, on plain arrays.

An operation is a class with its formulas in the docstring. Directly under it stands its public function, which checks
the input, settles types and calls `apply`. The functions take tensors; given arrays (as the formulas of other
operations do), they return arrays and leave no trace in the graph.

    activation.py          smooth activations: elu, gelu, silu, softplus, glu ...
    along.py               along one dimension by tensors of indices: gather, index_select, scatter
    approximations.py      the values of special functions, in NumPy alone
    arithmetic.py          + - * / and remainders, absolute value, sign
    arrange.py             repeat, tile, flip, rot90, roll: copies in another arrangement
    attention.py           scaled dot-product attention
    axes.py                the dimensions of a reduction (helpers)
    checks.py              checks of arguments, in PyTorch's words (helpers)
    choice.py              where, maximum, minimum, clamp, nan_to_num
    comparison.py          == < isnan isclose, logic and bits
    contraction.py         tensordot, einsum, inner
    conv.py                convolution and its transpose
    counting.py            bincount, histc, unique, searchsorted, isin
    cumulative.py          cumsum, cumprod, cummax, logcumsumexp, diff
    diagonals.py           diagonals and triangles
    dims.py                sizes and dims as a call names them (helpers)
    distances.py           norm, dist, cdist, pairwise_distance, cosine_similarity, normalize
    dropout.py             dropout, of elements and of channels
    exponential.py         exp, the logarithms, sigmoid
    extremes.py            amax, aminmax, max, argmax ...
    index.py               x[key]
    interpolate.py         interpolate: images made larger or smaller
    join.py                cat, stack, meshgrid
    keys.py                what may stand in x[...] (helpers)
    linear.py              linear, bilinear
    loss_binary.py         losses of binary classification: binary_cross_entropy, with probabilities or logits
    loss_classes.py        losses of classification: cross_entropy, nll_loss
    loss_distributions.py  losses of distributions: kl_div, gaussian_nll_loss, poisson_nll_loss
    loss_margins.py        losses with a margin: triplet_margin_loss, hinge_embedding_loss ...
    loss_reduction.py      mean, sum or none: the losses of elements become one number (helpers)
    loss_regression.py     losses of regression: mse_loss, l1_loss, huber_loss ...
    mask.py                choice by a mask on the bits of floats, for formulas (helpers)
    masked.py              masked_fill, masked_select, nonzero
    matrix.py              matmul, mm, bmm, dot, outer, addmm, kron, cross, inverse ...
    lapack.py              what functions of matrices share
    solving.py             inverse, det, slogdet, cholesky, triangular_solve, and solving for linalg
    decompositions.py      qr, svd, and eigenvalues for linalg
    matrix_functions.py    pinverse, matrix_power, matrix_exp
    norm.py                batch, layer, group and instance norm, rms norm
    operands.py            tensors and numbers, and the type in which they meet (helpers)
    order.py               sort, topk, median, mode, quantile ...
    pad.py                 pad: a border around an array
    parts.py               slices, narrow, split, chunk, unbind
    patches.py             unfold, fold, pixel_shuffle
    piecewise.py           relu and its kin: activations made of straight pieces
    pool.py                max, average and adaptive pooling
    power.py               pow, square, the roots
    reduce.py              sum, mean, var, std, prod, logsumexp, all, any ...
    rounding.py            floor, ceil, round, trunc
    rule.py                Rule: an operation of one input, made of a function and its derivative
    shape.py               reshape, permute, expand: other views of the same elements
    softmax.py             softmax, log_softmax, gumbel_softmax
    special.py             erf, lgamma and their kin
    tables.py              embedding, one_hot
    trigonometry.py        sin, cos, tan, their inverses and hyperbolic kin
    windows.py             what convolution, pooling and unfolding share (helpers)
"""

from ..public import MINIGRAD
from .activation import *
from .along import *
from .arithmetic import *
from .arrange import *
from .attention import *
from .choice import *
from .comparison import *
from .contraction import *
from .conv import *
from .counting import *
from .cumulative import *
from .decompositions import *
from .diagonals import *
from .distances import *
from .dropout import *
from .exponential import *
from .extremes import *
from .index import *
from .interpolate import *
from .join import *
from .linear import *
from .loss_binary import *
from .loss_classes import *
from .loss_distributions import *
from .loss_margins import *
from .loss_regression import *
from .masked import *
from .matrix import *
from .matrix_functions import *
from .norm import *
from .order import *
from .pad import *
from .parts import *
from .patches import *
from .piecewise import *
from .pool import *
from .power import *
from .reduce import *
from .rounding import *
from .shape import *
from .softmax import *
from .solving import *
from .special import *
from .tables import *
from .trigonometry import *

globals().update(MINIGRAD)  # a function wins over the file of its name: softmax, norm, dropout
__all__ = list(MINIGRAD)
