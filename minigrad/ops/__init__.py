"""The operations, one family a file: forward and backward side by side, on plain arrays.

An operation is a class with its formulas in the docstring. Directly under it stands its public function, which checks
the input, settles types and calls `apply`. The functions take tensors; given arrays (as the formulas of other
operations do), they return arrays and leave no trace in the graph.

    along.py        along one dimension by tensors of indices: gather, index_select, scatter
    arrange.py      repeated, turned around, shifted
    counting.py     bincount, histc, unique, searchsorted, isin
    diagonals.py    diagonals and triangles
    dims.py         sizes and dims as a call names them (helpers)
    index.py        x[key]
    join.py         cat, stack, meshgrid
    keys.py         what may stand in x[...] (helpers)
    masked.py       masked_fill, masked_select, nonzero
    parts.py        slices, narrow, split, chunk, unbind
    shape.py        reshape, permute, expand: other views of the same elements
    tables.py       embedding, one_hot
"""

from ..public import MINIGRAD
from .activation import *
from .along import *
from .arithmetic import *
from .arrange import *
from .attention import *
from .conv import *
from .counting import *
from .diagonals import *
from .dropout import *
from .index import *
from .join import *
from .loss import *
from .masked import *
from .matrix import *
from .norm import *
from .order import *
from .parts import *
from .pointwise import *
from .pool import *
from .reduce import *
from .resample import *
from .shape import *
from .softmax import *
from .tables import *

__all__ = list(MINIGRAD)
