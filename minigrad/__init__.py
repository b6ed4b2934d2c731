"""minigrad: a tensor and autograd engine in NumPy and Numba with PyTorch's public face.

    import minigrad as torch

Read `minigrad/autograd.py` first: it is backpropagation.
"""

import warnings as _warnings

# PyTorch computes 1/0 = inf and log(-1) = nan in silence; so do minigrad's own lines, and no others.
_warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"minigrad\.")

from .autograd import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
    use_kernels,
)
from .creation import tensor
from .tensor import Tensor

from .ops.arithmetic import *
from .ops.pointwise import *
