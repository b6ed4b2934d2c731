"""minigrad: a tensor and autograd engine in NumPy and Numba with PyTorch's public face.

    import minigrad as torch

Read `minigrad/autograd/graph.py` first: it is backpropagation.
"""

from . import process  # before NumPy

import importlib as _importlib
import math as _math
from typing import Any as _Any

from .tensor import Tensor  # before creation: the name `tensor` shall end as the function, not as the module
from . import autograd, random, sampling
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
from .missing import advise as _advise
from .missing import error as _missing
from .predicates import (
    conj, get_device, is_complex, is_conj, is_floating_point, is_inference, is_neg, is_nonzero, is_same_size, is_signed,
    is_storage, is_tensor, real, resolve_conj, resolve_neg, typename,
)  # fmt: skip
from .printing import set_printoptions
from .program import (
    are_deterministic_algorithms_enabled, get_default_device, get_deterministic_debug_mode,
    get_float32_matmul_precision, get_num_interop_threads, is_deterministic_algorithms_warn_only_enabled,
    is_warn_always_enabled, set_default_device, set_deterministic_debug_mode, set_float32_matmul_precision,
    set_num_interop_threads, set_warn_always, use_deterministic_algorithms,
)  # fmt: skip
from .random import Generator, default_generator, initial_seed, manual_seed, seed
from .sampling import *
from .storages import TypedStorage, UntypedStorage
from .size import Size
from .tensor_options import channels_last, contiguous_format, preserve_format, strided
from .threads import get_num_threads, set_num_threads

from .ops import *
from .inplace_functions import *
from .method_functions import *

from . import amp, cuda, linalg, nn, optim, utils
from .amp import autocast, get_autocast_dtype, is_autocast_enabled
from .legacy import *
from .lowrank import *
from .rejection import *
from .config import show_config
from .dtypes import can_cast, result_type
from .autograd import functional as _functional  # above ops/, so imported after them
from .public import MINIGRAD as _MINIGRAD
from .serialization import load, save
from .signature import publish as _publish

globals().update(
    _publish(globals(), __name__)
)  # what a program gets reads its arguments; inside they call each other bare
for _room in (
    linalg, nn.init, nn.utils.clip_grad, nn.utils.convert_parameters, nn.utils.fusion, nn.utils.parametrize,
    nn.utils.parametrizations, nn.utils.rnn, nn.utils, autograd, _functional, utils.data,
    utils.data.dataloader, optim.swa_utils,
):  # fmt: skip
    vars(_room).update(_publish(vars(_room), _room.__name__))
_MINIGRAD.update({_name: globals()[_name] for _name in _MINIGRAD})

pi, e, inf, nan, newaxis = 3.141592653589793, 2.718281828459045, _math.inf, _math.nan, None
__version__ = "0.1.0"

_advise(__name__)


# The same names in two places, where PyTorch has them.
for _name in ("get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state"):
    setattr(random, _name, globals()[_name])

# Rooms of their own that many programs never enter: imported when they are first asked for. And names from there.
_ROOMS = (
    "accelerator",
    "backends",
    "compiler",
    "cpu",
    "distributions",
    "fft",
    "func",
    "jit",
    "mps",
    "special",
    "testing",
    "version",
    "viz",
    "xpu",
)
_FROM_ROOMS = {"compile": "compiler", "vmap": "func"}


def __getattr__(name: str) -> _Any:
    if name in _ROOMS:
        return _importlib.import_module(f"{__name__}.{name}")
    if name in _FROM_ROOMS:
        return getattr(__getattr__(_FROM_ROOMS[name]), name)
    raise _missing(__name__, name, globals())


def __dir__() -> list[str]:
    return sorted({*globals(), *_ROOMS, *_FROM_ROOMS})
