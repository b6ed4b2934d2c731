"""minigrad: a tensor and autograd engine in NumPy and Numba with PyTorch's public face.

    import minigrad as torch

Read `minigrad/autograd/graph.py` first: it is backpropagation.
"""

from . import process  # before NumPy

import math as _math
import warnings as _warnings
from typing import Any as _Any

# PyTorch computes 1/0 = inf and log(-1) = nan in silence; so do minigrad's own lines, and no others.
_warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"minigrad\.")

from .tensor import Tensor  # before creation: the name `tensor` shall end as the function, not as the module
from . import autograd, cuda, random
from .autograd.fused import use_kernels
from .autograd.modes import (
    enable_grad, inference_mode, is_grad_enabled, is_inference_mode_enabled, no_grad, set_grad_enabled,
)  # fmt: skip
from .creation import *
from .device import device
from .dtypes import (
    bfloat16, dtype, finfo, float16, float32, float64, get_default_dtype, iinfo, int8, int16, int32, int64,
    promote_types, set_default_dtype, uint8,
)  # fmt: skip
from .dtypes import bool_ as bool
from .dtypes import float16 as half
from .dtypes import float32 as float
from .dtypes import float64 as double
from .dtypes import int16 as short
from .dtypes import int32 as int
from .dtypes import int64 as long
from .missing import error as _missing
from .predicates import is_floating_point, is_tensor
from .printing import set_printoptions
from .program import compile, use_deterministic_algorithms
from .random import Generator, default_generator, initial_seed, manual_seed, seed
from .sampling import *
from .size import Size
from .tensor_options import channels_last, contiguous_format, preserve_format, strided
from .threads import get_num_threads, set_num_threads

from .ops import *
from .inplace_functions import *

from . import linalg, nn, optim, utils
from .config import show_config
from .dtypes import can_cast, result_type
from .autograd import functional as _functional  # above ops/, so imported after them
from .public import MINIGRAD as _MINIGRAD
from .serialization import load, save
from .signature import publish as _publish

globals().update(
    _publish(globals(), __name__)
)  # what a program gets reads its arguments; inside they call each other bare
for _room in (linalg, nn.init):
    vars(_room).update(_publish(vars(_room), _room.__name__))
_MINIGRAD.update({_name: globals()[_name] for _name in _MINIGRAD})

pi, e, inf, nan, newaxis = 3.141592653589793, 2.718281828459045, _math.inf, _math.nan, None
__version__ = "0.1.0"


def __getattr__(name: str) -> _Any:
    raise _missing(__name__, name, globals())
