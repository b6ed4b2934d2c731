"""The operations, one family a file: forward and backward side by side, on plain arrays.

An operation is a class with its formulas in the docstring. Directly under it stands its public function, which checks
the input, settles types and calls `apply`. The functions take tensors; given arrays (as the formulas of other
operations do), they return arrays and leave no trace in the graph.

    activation.py          smooth activations: elu, gelu, silu, softplus, glu ...
    adaptive_pool.py       pooling to a given size
    at.py                  arrays read and added to at the places of a key, by NumPy or a compiled loop
    along.py               along one dimension by tensors of indices: gather, index_select, scatter
    approximations.py      the values of special functions, in NumPy alone
    arithmetic.py          + - * / and remainders, absolute value, sign
    arrange.py             repeat, tile, flip, rot90, roll: copies in another arrangement
    attention.py           scaled dot-product attention
    axes.py                the dimensions of a reduction (helpers)
    bags.py                embedding_bag: sums, means and maxima of bags of rows
    batch_norm.py          batch and instance norm
    bessel.py              Bessel functions: their values, and i0
    checks.py              checks of arguments, in PyTorch's words (helpers)
    choice.py              where, maximum, minimum, clamp, nan_to_num
    comparison.py          == < isnan isclose, logic and bits
    contraction.py         tensordot, einsum, inner
    conv.py                convolution and its transpose
    counting.py            bincount, histc, unique, searchsorted, isin
    ctc.py                 ctc_loss: sequences whose places in time are not known
    cumulative.py          cumsum, cumprod, cummax, logcumsumexp, diff
    diagonals.py           diagonals and triangles
    dims.py                sizes and dims as a call names them (helpers)
    distances.py           norms of vectors, dist, cdist, pairwise_distance, cosine_similarity, normalize
    dropout.py             dropout, of elements and of channels
    exponential.py         exp, the logarithms, sigmoid
    extremes.py            amax, aminmax, max, argmax ...
    float_parts.py         signbit, frexp, ldexp, nextafter
    fractional_pool.py     max pooling of windows at random places
    gamma_values.py        the values of the incomplete gamma functions and of zeta
    index.py               x[key]
    integers.py            gcd, lcm, shifts of bits
    integration.py         trapezoid, gradient: integrals and derivatives of samples
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
    lp_pool.py             the p-norm of each window
    mask.py                choice by a mask on the bits of floats, for formulas (helpers)
    masked.py              masked_fill, masked_select, nonzero
    matrix.py              matmul, mm, bmm, dot, outer, addmm, kron, cross, inverse ...
    lapack.py              what functions of matrices share
    solving.py             inverse, det, slogdet, cholesky, triangular_solve, and solving for linalg
    decompositions.py      qr, svd, and eigenvalues for linalg
    lu.py                  lu, lu_solve, geqrf and the reflections of a QR
    matrix_functions.py    pinverse, matrix_power, matrix_exp
    matrix_norms.py        norms of matrices; norm, which takes those or a vector's
    norm.py                layer and group norm, rms norm
    operands.py            tensors and numbers, and the type in which they meet (helpers)
    order.py               sort, topk, median, mode, quantile ...
    other_names.py         names of what nearly stands elsewhere: rsub, narrow_copy, nonzero_static ...
    overlay.py             copies with a part replaced: select_scatter, put, index_reduce ...
    pad.py                 pad: a border around an array
    parts.py               slices, narrow, split, chunk, unbind
    patches.py             unfold, fold, pixel_shuffle
    piecewise.py           relu and its kin: activations made of straight pieces
    pool.py                max and average pooling
    power.py               pow, square, the roots
    recurrent.py           recurrent layers: plain, LSTM and GRU, along a whole sequence
    reduce.py              sum, mean, var, std, prod, logsumexp, all, any ...
    rounding.py            floor, ceil, round, trunc
    rule.py                Rule: an operation of one input, made of a function and its derivative
    sampling_grid.py       images read at the places of a grid
    shape.py               reshape, permute, expand: other views of the same elements
    softmax.py             softmax, log_softmax, gumbel_softmax
    special.py             erf, lgamma and their kin
    statistics.py          cov, corrcoef, histogram
    tables.py              embedding, one_hot
    tapers.py              hann_window and its kin
    trigonometry.py        sin, cos, tan, their inverses and hyperbolic kin
    unpool.py              the values of a max pool put back
    windows.py             what convolution, pooling and unfolding share (helpers)
"""

from ..public import MINIGRAD
from .activation import *
from .adaptive_pool import *
from .along import *
from .arithmetic import *
from .arrange import *
from .attention import *
from .bags import *
from .batch_norm import *
from .bessel import *
from .choice import *
from .comparison import *
from .contraction import *
from .conv import *
from .counting import *
from .ctc import *
from .cumulative import *
from .decompositions import *
from .diagonals import *
from .distances import *
from .dropout import *
from .exponential import *
from .extremes import *
from .float_parts import *
from .fractional_pool import *
from .index import *
from .integers import *
from .integration import *
from .interpolate import *
from .join import *
from .linear import *
from .loss_binary import *
from .loss_classes import *
from .loss_distributions import *
from .loss_margins import *
from .loss_regression import *
from .lp_pool import *
from .lu import *
from .masked import *
from .matrix import *
from .matrix_functions import *
from .matrix_norms import *
from .norm import *
from .order import *
from .other_names import *
from .overlay import *
from .pad import *
from .parts import *
from .patches import *
from .piecewise import *
from .pool import *
from .power import *
from .reduce import *
from .rounding import *
from .sampling_grid import *
from .shape import *
from .softmax import *
from .solving import *
from .special import *
from .statistics import *
from .tables import *
from .tapers import *
from .trigonometry import *
from .unpool import *

globals().update(MINIGRAD)  # a function wins over the file of its name: softmax, norm, dropout
__all__ = list(MINIGRAD)
