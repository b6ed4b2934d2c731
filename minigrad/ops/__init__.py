"""The operations, one family a file: forward and backward side by side, on plain arrays.

An operation is a class with its formulas in the docstring. Directly under it stands its public function, which checks
the input, settles types and calls `apply`. The functions take tensors; given arrays (as the formulas of other
operations do), they return arrays and leave no trace in the graph.

    attention.py    scaled dot-product attention
    conv.py         convolution and its transpose
    interpolate.py  images made larger or smaller
    pad.py          a border around an array
    patches.py      unfold, fold, pixel_shuffle
    pool.py         pooling
    windows.py      what convolution, pooling and unfolding share (helpers)
"""

from ..public import MINIGRAD
from .activation import *
from .arithmetic import *
from .attention import *
from .conv import *
from .dropout import *
from .index import *
from .interpolate import *
from .loss import *
from .matrix import *
from .norm import *
from .order import *
from .pad import *
from .patches import *
from .pointwise import *
from .pool import *
from .reduce import *
from .shape import *
from .softmax import *

__all__ = list(MINIGRAD)
