"""Creation of tensors, conversions, and what a tensor says about itself. Exact."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..agreement import DType
from ..case import EXACT, Call, call, family, op
from ..inputs import Draw, Input

family("creation")


def exact(name: str, draw: Any, fn: Any = None, **options: Any) -> None:
    op(name, draw, fn, tolerance=EXACT, **{"second": False, **options})


DTYPES = ("float64", "float32", "int64", "int32", "uint8", "bool")


def dtype(d: Draw, options: tuple[str, ...] = DTYPES) -> dict[str, Any]:
    return {"dtype": DType(d.choice(options))} if d.flag() else {}


def spelled(d: Draw) -> tuple[Any, ...]:
    """A shape as separate numbers or as a tuple."""
    shape = d.shape(min_dims=1)
    return shape if d.flag() else (shape,)


def nested(d: Draw) -> Any:
    return d.choice((
        1, 2.5, True, [1, 2], [1.0, 2], [True, False], [[1, 2], [3, 4.5]], [], [[]], [[1], [2]], (1, 2), -3, [True, 1],
        [[[1.5]]], np.arange(3), np.ones((2, 2), np.float32), np.float64(1.5), np.int64(3), 2**40,
    ))  # fmt: skip


exact("tensor", lambda d: call(nested(d), **dtype(d)))
exact(
    "tensor.requires_grad",
    lambda d: call([1.0, 2.0], requires_grad=True),
    lambda torch, x, **k: torch.tensor(x, **k) * 2,
    gradient=False,
)
exact("tensor.special", lambda d: call([float("inf"), float("nan"), -0.0]), lambda torch, x: torch.tensor(x))
exact("tensor.of_tensor", lambda d: call(d.tensor(grad=False)), lambda torch, x: torch.tensor(x.tolist()))
exact("as_tensor", lambda d: call(nested(d), **dtype(d)))
exact("asarray", lambda d: call(nested(d), **dtype(d)))
exact("scalar_tensor", lambda d: call(d.choice((1, 2.5)), **dtype(d)))
exact(
    "from_numpy",
    lambda d: call(d.choice((np.arange(4), np.ones((2, 3)), np.zeros((2,), np.float32), np.arange(6).reshape(2, 3).T))),
)
exact("from_dlpack", lambda d: call(np.arange(6.0).reshape(2, 3)))
exact("zeros", lambda d: call(*spelled(d), **dtype(d)))
exact("ones", lambda d: call(*spelled(d), **dtype(d)))
exact("full", lambda d: call(d.shape(), d.choice((1, 2.5, True)), **dtype(d)))
exact(
    "empty",
    lambda d: call(*spelled(d), **dtype(d)),
    lambda torch, *s, **k: [(e := torch.empty(*s, **k)).shape, e.dtype],
)
for name in ("zeros_like", "ones_like"):
    exact(name, lambda d: call(d.any_dtype(), **dtype(d)))
exact("full_like", lambda d: call(d.any_dtype(), d.choice((1, 2.0)), **dtype(d)))
exact(
    "empty_like",
    lambda d: call(d.any_dtype(), **dtype(d)),
    lambda torch, x, **k: [(e := torch.empty_like(x, **k)).shape, e.dtype],
)
exact("arange", lambda d: call(*d.choice(((5,), (2, 7), (0, 10, 3), (5, 0, -2), (0,))), **dtype(d, DTYPES[:5])))
exact(
    "arange.floats",
    lambda d: call(*d.choice(((2.5,), (0, 1, 0.1), (1.0, 4), (-3, 3, 1.5))), **dtype(d, DTYPES[:2])),
    lambda torch, *a, **k: torch.arange(*a, **k),
)
exact(
    "linspace",
    lambda d: call(
        *d.choice(((0, 1, 5), (-2.5, 3.3, 11), (1, 1, 3), (0, 10, 1), (3, -3, 4), (0, 1, 0))), **dtype(d, DTYPES[:2])
    ),
    float32=False,
)
op("logspace", lambda d: call(*d.choice(((0, 2, 5), (-1, 1, 4)))), float32=False)
exact("eye", lambda d: call(*d.choice(((3,), (2, 4), (3, 1), (0,))), **dtype(d)))
exact("tril_indices", lambda d: call(*d.choice(((3, 3), (3, 4, 1), (4, 3, -1)))))
exact("triu_indices", lambda d: call(*d.choice(((3, 3), (3, 4, 1), (4, 3, -1)))))
exact("Tensor.new_tensor", lambda d: call(d.any_dtype(), [1, 2]))
for name in ("zeros", "ones"):
    exact(f"Tensor.new_{name}", lambda d: call(d.any_dtype(), *spelled(d)))
exact("Tensor.new_full", lambda d: call(d.any_dtype(), (2, 2), 3))
exact(
    "Tensor.new_empty",
    lambda d: call(d.any_dtype(), (2, 2)),
    lambda torch, x, s: (x.new_empty(s).shape, x.new_empty(s).dtype),
)

family("conversion")


def _told(x: np.ndarray) -> tuple[str, Any]:
    return x.dtype.name, x.tolist()


exact("Tensor.__array__", lambda d: call(d.tensor(grad=False)), lambda torch, x: _told(np.asarray(x)))
exact(
    "Tensor.__dlpack__",
    lambda d: call(d.tensor(grad=False, min_side=1, layout="C")),
    lambda torch, x: _told(np.from_dlpack(x)),
)
exact(
    "Tensor.__dlpack_device__",
    lambda d: call(d.tensor(grad=False)),
    lambda torch, x: tuple(map(int, x.__dlpack_device__())),
)


def _copied(torch: Any, x: Any, how: Callable[[Any], Any]) -> Any:
    """A copy of a leaf: a leaf of its own, with the same gradient, which no change of the first reaches."""
    leaf = x.detach().clone().requires_grad_(x.requires_grad)
    if x.requires_grad:
        (leaf**2).sum().backward()
    y = how(leaf)
    with torch.no_grad():
        leaf.zero_()
    return y.detach(), y.requires_grad, y.is_leaf, type(y) is type(leaf), None if y.grad is None else y.grad.detach()


exact(
    "Tensor.__deepcopy__", lambda d: call(d.tensor(grad=d.flag())), partial(_copied, how=copy.deepcopy), gradient=False
)
exact(
    "Tensor.__reduce_ex__",
    lambda d: call(d.tensor(grad=d.flag())),
    lambda torch, x: (y := pickle.loads(pickle.dumps(x.detach().requires_grad_(x.requires_grad)))).detach(),
    gradient=False,
)

for name in ("double", "float", "long", "int", "short", "byte", "char", "bool", "half"):
    modes = ("normal", "ties")
    exact(
        f"Tensor.{name}", lambda d: call(d.integers(d.shape(), 0, 5) if d.flag() else d.tensor(grad=False)), modes=modes
    )
op(
    "Tensor.double.gradient",
    lambda d: call(d.tensor(dtype="float32")),
    lambda torch, x: x.double() * 2,
    second=False,
    float32=False,
)
exact(
    "Tensor.to",
    lambda d: call(x := d.any_dtype(), d.choice((DType("float64"), DType("float32"), DType("int64"), "cpu", x))),
    modes=("normal",),
)
exact("Tensor.type", lambda d: call(d.any_dtype(), DType("float64")), modes=("normal",))
exact("Tensor.type_as", lambda d: call(d.any_dtype(), d.any_dtype()), modes=("normal",))
exact("Tensor.item", lambda d: call(d.any_dtype(())))
exact("Tensor.tolist", lambda d: call(d.any_dtype()))
exact("Tensor.numpy", lambda d: call(d.tensor(grad=False)), lambda torch, x: x.numpy().tolist())
exact("Tensor.cpu", lambda d: call(d.tensor()))
exact("Tensor.detach", lambda d: call(d.tensor()))
exact("Tensor.data", lambda d: call(d.tensor()), lambda torch, x: x.data)


def _facts(torch: Any, x: Any) -> Any:
    return (
        tuple(x.shape), tuple(x.size()), x.dim(), x.ndim, x.ndimension(), x.numel(), x.nelement(), x.is_floating_point(),
        x.dtype, x.element_size(), x.itemsize, x.nbytes, x.is_leaf, x.requires_grad, x.grad is None, x.grad_fn is None, x.is_cuda,
        x.is_sparse, x.is_complex(), x.is_signed(), x.retains_grad, x.output_nr, str(x.device), len(x.shape), str(x.layout).rpartition(".")[2],
    )  # fmt: skip


FACTS = ["shape", "size", "dim", "ndim", "ndimension", "numel", "nelement", "is_floating_point", "element_size", "itemsize", "nbytes", "is_leaf", "requires_grad", "is_cuda", "is_sparse", "is_complex", "is_signed", "retains_grad", "output_nr", "device", "dtype", "layout"]  # fmt: skip
exact("Tensor.facts", lambda d: call(d.any_dtype()), _facts, covers=[f"Tensor.{f}" for f in FACTS])
exact(
    "Tensor.strides",
    lambda d: call(d.tensor(layout="C")),
    lambda torch, x: (x.stride(), x.is_contiguous(), x[..., :0].is_contiguous(), x._version),
    covers=["Tensor.stride", "Tensor.is_contiguous"],
)
exact("Tensor.__len__", lambda d: call(d.tensor(min_dims=1)))
exact("Tensor.__bool__", lambda d: call(d.any_dtype(())))
exact("Tensor.__float__", lambda d: call(d.any_dtype(())))
exact("Tensor.__int__", lambda d: call(d.integers(())))
exact("Tensor.__index__", lambda d: call(d.integers(())))
exact("Tensor.__format__", lambda d: call(d.tensor(())), lambda torch, x: f"{x.item():.3f} {x:.3f}")
exact("Tensor.__contains__", lambda d: call(d.integers((4,)), 2))
exact("is_tensor", lambda d: call(d.choice((1, d.tensor()))))
exact("is_floating_point", lambda d: call(d.any_dtype()))
exact("result_type", lambda d: call(d.any_dtype((2,)), d.any_dtype((2,))))
exact("promote_types", lambda d: call(DType(d.choice(DTYPES)), DType(d.choice(DTYPES))))


def _limits(torch: Any, which: str, name: str) -> Any:
    info = getattr(torch, which)(getattr(torch, name))
    names = (
        ("eps", "tiny", "max", "min", "bits", "smallest_normal", "resolution")
        if which == "finfo"
        else ("min", "max", "bits")
    )
    return [getattr(info, n) for n in names]


exact("finfo", lambda d: call("finfo", d.choice(("float64", "float32", "float16"))), _limits)
exact("iinfo", lambda d: call("iinfo", d.choice(("int64", "int32", "uint8", "int8"))), _limits)


def fill(d: Draw) -> Call:
    return call(d.tensor(), d.choice((0, 1.5)))


exact("Tensor.fill_", fill)
exact("Tensor.zero_", lambda d: call(d.tensor()))
exact(
    "Tensor.copy_", lambda d: call(d.tensor((3, 2)), d.choice((d.tensor((3, 2)), d.tensor((2,)), d.integers((3, 1)))))
)


def printable(d: Draw) -> Input:
    x = d.any_dtype(max_dims=3)
    return Input(x.buffer, x.shape, x.strides, x.offset, x.grad and d.flag(), x.layout)


# As PyTorch's, character for character.
exact(
    "Tensor.__repr__",
    lambda d: call(printable(d)),
    lambda torch, x: repr(x),
    modes=("normal", "ties", "special", "large", "tiny"),
)
exact("can_cast", lambda d: call(DType(d.choice(DTYPES)), DType(d.choice(DTYPES))))
