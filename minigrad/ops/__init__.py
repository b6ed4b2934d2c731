"""The operations, one family a file: forward and backward side by side, on plain arrays.

An operation is a class with its formulas in the docstring. Directly under it stands its public function, which checks
the input, settles types and calls `apply`. The functions take tensors; given arrays (as the formulas of other
operations do), they return arrays and leave no trace in the graph.

    activation.py   smooth activations: elu, gelu, silu, softplus, glu ...
    dropout.py      dropout, of elements and of channels
    norm.py         batch, layer, group and instance norm, rms norm
    piecewise.py    relu and its kin: activations made of straight pieces
    softmax.py      softmax and its relatives
"""

from ..public import MINIGRAD
from .activation import *
from .arithmetic import *
from .attention import *
from .conv import *
from .dropout import *
from .index import *
from .loss import *
from .matrix import *
from .norm import *
from .order import *
from .piecewise import *
from .pointwise import *
from .pool import *
from .reduce import *
from .resample import *
from .shape import *
from .softmax import *

__all__ = list(MINIGRAD)
