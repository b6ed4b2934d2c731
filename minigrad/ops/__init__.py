"""The operations, one family a file: forward and backward side by side, on plain arrays.

An operation is a class with its formulas in the docstring. Directly under it stands its public function, which checks
the input, settles types and calls `apply`. The functions take tensors; given arrays (as the formulas of other
operations do), they return arrays and leave no trace in the graph.

    arithmetic.py      + - * / and remainders, absolute value, sign
    choice.py          where, maximum, minimum, clamp, nan_to_num
    comparison.py      == < isnan isclose, logic and bits
    exponential.py     exp, the logarithms, sigmoid
    power.py           pow, square, the roots
    rounding.py        floor, ceil, round, trunc
    special.py         erf, lgamma and their kin
    trigonometry.py    sin, cos, tan, their inverses and hyperbolic kin

Files without public functions:

    approximations.py  the values of special functions, in NumPy alone
    checks.py          checks of arguments, in PyTorch's words
    mask.py            choice by a mask, fast: for formulas
    operands.py        tensors and numbers, and the type in which they meet
    rule.py            an operation of one input, made of a function and its derivative
"""

from ..public import MINIGRAD
from .activation import *
from .arithmetic import *
from .attention import *
from .choice import *
from .comparison import *
from .conv import *
from .dropout import *
from .exponential import *
from .index import *
from .loss import *
from .matrix import *
from .norm import *
from .order import *
from .pool import *
from .power import *
from .reduce import *
from .resample import *
from .rounding import *
from .shape import *
from .softmax import *
from .special import *
from .trigonometry import *

__all__ = list(MINIGRAD)
