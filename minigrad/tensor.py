"""`Tensor`: values, gradient and place in the graph, with the operators and methods of `torch.Tensor`.

Everything that computes stands in `ops/` (`ops/__init__.py` lists its files) and `inplace.py`; the class body below is
the table of which function a method is. What is written out here is what a tensor *is*: its attributes, its memory, its
conversions.
"""

from __future__ import annotations

import copy
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np

from . import autograd, creation, dtypes, inplace, missing, ops, printing, resize, sampling, storage, storages
from .autograd import inference, replaced, views
from .autograd.differentiate import register_stack
from .autograd.hooks import Registered, RemovableHandle
from .autograd.modes import current
from .autograd.node import Node
from .autograd.variable import Array, Variable, register_tensor_type, wrap
from .device import device, require_cpu
from .foreign import said
from .geometry import Geometry, copied_memory, dim_order, geometry, look, memory
from .ops import arithmetic, arrange, comparison, index, integers, matrix, power, reduce
from .ops import shape as shape_ops
from .ops.dims import normalize_dim
from .ops.operands import Number, cast
from .ops.parts import unfold as windows
from .signature import publish_methods
from .size import Size
from .tensor_options import contiguous_format, flag, lies_in, preserve_format, read_to, strided, suggested


class Tensor(Variable):
    """An n-dimensional array that can record what is computed from it. Make one with `tensor`, `zeros`, `randn`, ...

    The legacy constructor `Tensor(2, 3)` (uninitialised) or `Tensor([1, 2])` gives the default float type, as PyTorch's.
    """

    # NumPy leaves `array * tensor` to Tensor.__rmul__.
    __array_ufunc__ = None
    __array_priority__ = 1000
    __hash__ = object.__hash__

    def __init__(self, *data: Any, **options: Any) -> None:
        self.__dict__.update(creation.legacy("new", dtypes.default_numpy(), data, options, any_dtype=True).__dict__)

    # -- what it is

    @property
    def shape(self) -> Size:
        return tuple.__new__(Size, self.array.shape)  # (whole numbers for certain: not looked at one by one)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or its entry `dim`."""
        if dim is None:
            return Size(self.array.shape)
        n = self.array.ndim
        if not n:
            raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
        if not -max(n, 1) <= dim < max(n, 1):
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-max(n, 1)}, {max(n, 1) - 1}], but got {dim})"
            )
        return self.array.shape[dim]

    @property
    def ndim(self) -> int:
        return self.array.ndim

    def dim(self) -> int:
        """The number of dimensions."""
        return self.array.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return self.array.size

    nelement = numel

    @property
    def dtype(self) -> dtypes.dtype:
        return dtypes.from_numpy(self.array.dtype)

    @property
    def device(self) -> device:
        return device("cpu")

    @property
    def is_cuda(self) -> bool:
        return False

    # What programs ask that also run elsewhere.
    is_sparse = is_sparse_csr = is_nested = is_quantized = is_meta = property(lambda self: False)
    is_xpu = is_mps = is_mtia = is_ipu = is_xla = is_maia = is_vulkan = is_mkldnn = property(lambda self: False)
    is_cpu = property(lambda self: True)
    layout = property(lambda self: strided)

    def to_dense(self, dtype: dtypes.dtype | None = None, *, masked_grad: bool | None = None) -> Tensor:
        """Itself, or in another dtype: every tensor is dense, the gradient of `Embedding(sparse=True)` too."""
        return self if dtype is None else self.to(dtype)

    @property
    def itemsize(self) -> int:
        return self.array.itemsize

    @property
    def nbytes(self) -> int:
        return self.array.nbytes

    def element_size(self) -> int:
        """Bytes of one element."""
        return self.array.itemsize

    def stride(self, dim: int | None = None) -> Any:
        """Steps between neighbours, in elements, by dimension."""
        if dim is not None and not self.array.ndim:
            raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
        strides = tuple(s // self.array.itemsize for s in self.array.strides)
        return strides if dim is None else strides[normalize_dim(dim, self.array.ndim)]

    def data_ptr(self) -> int:
        """The address of the first element."""
        return self.array.ctypes.data

    const_data_ptr = data_ptr
    storage, untyped_storage, storage_offset = storages.of, storages.bytes_of, storages.offset
    set_, is_set_to = storages.set_, storages.is_set_to

    def is_shared(self) -> bool:
        """False: there is one process."""
        return False

    def is_pinned(self, device: Any = None) -> bool:
        """False: there is one kind of memory. RuntimeError for what is no device."""
        if device is not None:
            type(self.device)(device)
        return False

    def dim_order(self, *, ambiguity_check: Any = False) -> tuple[int, ...]:
        """The dimensions from the one with the widest steps in memory to the one with the narrowest."""
        if not isinstance(ambiguity_check, bool | list):
            raise TypeError("The ambiguity_check argument must be a bool or a list of memory formats.")
        if ambiguity_check:
            raise NotImplementedError("dim_order: ambiguity_check is not supported by minigrad; leave it out")
        return dim_order(self.array)

    def dense_dim(self) -> int:
        """The number of dimensions: none is sparse."""
        return self.array.ndim

    def sparse_dim(self) -> int:
        """0: every tensor is dense."""
        return 0

    def get_device(self) -> int:
        """-1, which stands for the CPU."""
        return -1

    def is_same_size(self, other: Tensor) -> bool:
        """Whether the shapes are the same."""
        return self.array.shape == other.array.shape

    def is_nonzero(self) -> bool:
        """Whether the one element is other than 0."""
        return bool(self)

    def is_conj(self) -> bool:
        """False: there are no complex numbers."""
        return False

    def is_neg(self) -> bool:
        """False: negations are not put off."""
        return False

    real = property(lambda self: self)

    def conj(self) -> Tensor:
        """Itself: it is real."""
        return self

    def resolve_conj(self) -> Tensor:
        """Itself: nothing is put off."""
        return self

    def resolve_neg(self) -> Tensor:
        """Itself: nothing is put off."""
        return self

    conj_physical = conj

    def as_subclass(self, cls: type[Tensor]) -> Any:
        """The same memory and history as a tensor of another class."""
        result = ops.reshape(self, self.array.shape) if self.requires_grad else wrap(self.array[...])
        result.__class__ = cls
        return result

    def is_contiguous(self, memory_format: Any = contiguous_format) -> bool:
        """Whether the elements lie in memory in this order, by default that of their indices, without gaps."""
        return lies_in("is_contiguous", self.array, memory_format)

    def is_floating_point(self) -> bool:
        return self.array.dtype.kind == "f"

    def is_complex(self) -> bool:
        return False

    def is_signed(self) -> bool:
        return self.array.dtype.kind in "fi"

    # -- its place in the graph

    @property
    def requires_grad(self) -> bool:
        """Whether operations on it are recorded. May be set on leaves of a floating type."""
        if self._edge is not None or self._requires_grad:
            return True
        return self._base is not None and self._base._edge is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Record operations on this leaf from now on (or no longer). Returns the tensor."""
        if self._edge is not None and not requires_grad:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a "
                "subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            )
        if requires_grad and self.array.dtype.kind != "f":
            raise RuntimeError(
                f"only Tensors of floating point dtype can require gradients, and this one is {self.dtype}; convert it "
                "with .float() first"
            )
        if requires_grad and not current.inference and inference.is_inference(self.array):
            raise RuntimeError("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.")
        if self._edge is None:
            self._requires_grad = bool(requires_grad)
        return self

    def is_inference(self) -> bool:
        """Whether its memory was made in `inference_mode`: autograd may not use it."""
        return inference.is_inference(self.array)

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that made it; None for a leaf."""
        if self._base is not None:
            self._renew()
        return self._edge[0] if self._edge is not None else None

    @property
    def output_nr(self) -> int:
        """Which of its node's outputs it is."""
        return self._edge[1] if self._edge is not None else 0

    @property
    def is_leaf(self) -> bool:
        """Whether it was made by the user and not by a recorded operation."""
        return self.grad_fn is None

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward passes have added up here; None before the first."""
        if self._edge is not None and not self._retains_grad and self._grad is None:
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be "
                "populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf "
                "Tensor, use .retain_grad() on the non-leaf Tensor.",
                stacklevel=2,
            )
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Variable):
                raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {said(value)}")
            if value.array.shape != self.array.shape:
                raise RuntimeError(
                    f"assigned grad has data of a different size: got shape {list(value.array.shape)}, the tensor has "
                    f"{list(self.array.shape)}"
                )
            if value.array.dtype != self.array.dtype:
                raise RuntimeError(
                    f"assigned grad has data of a different type: got {value.array.dtype}, the tensor has {self.array.dtype}"
                )
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def data(self) -> Tensor:
        """The same memory as a tensor without history."""
        return wrap(self.array[...])

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Variable):
            raise TypeError(f"Variable data has to be a tensor, but got {said(value)}")
        if self._requires_grad and value.array.dtype.kind != "f":
            raise RuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype")
        replaced.replace(self, value.array[...])  # an array of its own: by it nodes tell what they saved

    @property
    def _version(self) -> int:
        if inference.is_inference(self.array):
            raise RuntimeError("Inference tensors do not track version counter.")
        return storage.version(self.array)

    def _is_view(self) -> bool:
        return self._base is not None

    _renew = views.renew  # of a view, where its base was written

    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
    ) -> None:
        """Add this tensor's gradient to the `.grad` of every leaf it was computed from.

        gradient: the gradient of what follows, of this tensor's shape; may be left out for a scalar (1). Gradients add
        up over calls: set them to zero (`optimizer.zero_grad()`) between steps. PyTorch: torch.Tensor.backward.
        """
        autograd.backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def detach(self) -> Tensor:
        """The same memory as a tensor without history, which requires no grad."""
        result = wrap(self.array[...])  # a view: in `x * x.detach()` the graph knows the two factors by their arrays
        if self.requires_grad:
            result._of_a_graph = True
        return result

    def detach_(self) -> Tensor:
        """Forget the history."""
        if self._base is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        self._edge = None
        self._requires_grad = False
        return self

    def retain_grad(self) -> None:
        """Keep the gradient of this inner tensor in `.grad` too."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self.is_leaf or self._retains_grad:
            return
        self._retains_grad = True
        me = weakref.ref(self)  # the node must not keep its own output alive

        def keep(gradient: Any) -> None:
            tensor = me()
            if tensor is not None:
                value = gradient if gradient.requires_grad else wrap(gradient.array.copy())
                tensor._grad = value if tensor._grad is None else tensor._grad + value

        keep.is_last, keep.tensor = True, me  # type: ignore[attr-defined]
        self.register_hook(keep)

    @property
    def retains_grad(self) -> bool:
        return self._retains_grad

    def register_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(grad)` when the gradient of this tensor is complete; what it returns, if not None, replaces it."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self.is_leaf:
            if self._hooks is None:
                self._hooks = {}
            Registered.on_leaves = True
            return RemovableHandle(self._hooks, hook)
        assert self._edge is not None
        node, output_nr = self._edge
        if node._hooks is None:
            node._hooks = {}
        return RemovableHandle(node._hooks, (output_nr, hook))

    def register_post_accumulate_grad_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(leaf)` each time after a gradient was added to this leaf's `.grad`."""
        if self._edge is not None:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if not self._requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self._post_hooks is None:
            self._post_hooks = {}
        Registered.on_leaves = True
        return RemovableHandle(self._post_hooks, hook)

    # -- out of it: Python and NumPy

    def item(self) -> Any:
        """The value of a tensor of one element as a Python number."""
        if self.array.size != 1:
            raise RuntimeError(f"a Tensor with {self.array.size} elements cannot be converted to Scalar")
        return self.array.item()

    def tolist(self) -> Any:
        """The values as nested Python lists (a number for a tensor without dimensions)."""
        return self.array.tolist()

    def numpy(self, *, force: bool = False) -> Array:
        """The values as a NumPy array *that shares this tensor's memory*; force copies out of the graph first."""
        if self.requires_grad and not force and autograd.modes.is_grad_enabled():
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        return self.array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        array = self.numpy()
        if dtype is None or array.dtype == dtype:
            return array.copy() if copy else array
        return array.astype(dtype)

    def __dlpack__(self, *, stream: Any = None, **kwargs: Any) -> Any:
        if self.requires_grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        return self.array.__dlpack__(**kwargs)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()

    def __delitem__(self, key: Any) -> NoReturn:
        raise TypeError("Tensor does not support deleting items; use indexing, masks or torch.cat for what shall stay")

    def __len__(self) -> int:
        if self.array.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return self.array.shape[0]

    def __bool__(self) -> bool:
        if self.array.size != 1:
            raise RuntimeError(
                f"Boolean value of Tensor with {'more than one' if self.array.size else 'no'} value"
                f"{'' if self.array.size else 's'} is ambiguous; use .any() or .all()"
            )
        return bool(self.array)

    def __float__(self) -> float:
        self._need_one_element()
        return float(self.item())

    def __int__(self) -> int:
        self._need_one_element()
        return int(self.item())

    __nonzero__, __long__ = __bool__, __int__

    def _need_one_element(self) -> None:
        if self.array.size != 1:
            raise ValueError(
                f"only one element tensors can be converted to Python scalars, and this one has shape {list(self.array.shape)}"
            )

    def __index__(self) -> int:
        if self.array.size != 1 or self.array.dtype.kind == "f":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.array.item())

    def __format__(self, spec: str) -> str:
        if self.array.ndim == 0:
            return format(self.array.item(), spec)
        if spec:
            raise TypeError(
                f"unsupported format string passed to Tensor.__format__: a tensor of shape {list(self.array.shape)}"
            )
        return str(self)

    def __contains__(self, element: Any) -> bool:
        if not isinstance(element, Variable | int | float | np.generic):
            raise RuntimeError(
                f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {said(element)}."
            )
        return bool((self.array == getattr(element, "array", element)).any())

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> NoReturn:
        """Asked by PyTorch where a function of its own is given a minigrad tensor: a TypeError that names both."""
        raise TypeError(
            f"{function.__name__}() is PyTorch's and was given a minigrad.Tensor, not a torch.Tensor: call minigrad's function "
            "of that name, or convert the tensor with torch.from_numpy(t.detach().numpy())"
        )

    def __iter__(self) -> Iterator[Tensor]:
        if self.array.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind())

    def __reversed__(self) -> Tensor:
        """A copy with the first dimension reversed; itself where there is none."""
        return ops.flip(self, 0) if self.array.ndim else self

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return printing.tensor_repr(self)

    def __deepcopy__(self, memo: dict) -> Tensor:
        if self._edge is not None:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment. "
                "Use .detach().clone() for a copy of a computed tensor."
            )
        if id(self) in memo:
            return memo[id(self)]
        result = type(self).__new__(type(self))
        memo[id(self)] = result
        result.array = self._copied(memo)
        result._requires_grad = self._requires_grad
        result._grad = copy.deepcopy(self._grad, memo)
        known = (
            "array",
            "_requires_grad",
            "_grad",
            "_accumulator",
            "_hooks",
            "_post_hooks",
            "_base",
            "_edge_since",
            "_restricted",
        )
        result.__dict__.update({k: copy.deepcopy(v, memo) for k, v in self.__dict__.items() if k not in known})
        return result

    def _copied(self, memo: dict) -> Array:
        """The values for a deep copy: tensors that share memory have copies that do."""
        return copied_memory(self.array, memo)

    def __reduce_ex__(self, protocol: Any) -> Any:
        if self.array.flags.c_contiguous:
            return _rebuild, (type(self), self.array, self.requires_grad)
        # Its whole memory, so that it comes back with its strides.
        return _rebuild, (type(self), memory(self.array).copy(), self.requires_grad, tuple(geometry(self.array)))

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if hasattr(type(self), name) or name in self.__dict__]

    # -- of the functions of matrices (below) the one that gives a tuple without names

    def lu(self, pivot: bool = True, get_infos: bool = False) -> tuple[Tensor, ...]:
        """What `minigrad.lu` gives, as a tuple without names. PyTorch: torch.Tensor.lu."""
        return tuple(ops.lu(self, pivot, get_infos))

    # -- conversions

    def to(self, *args: Any, **kwargs: Any) -> Tensor:
        """The tensor in another dtype: `to(dtype)`, `to(device)`, `to(device, dtype)`, `to(other)`; itself if it has it.

        device must be the CPU. copy=True always copies. memory_format: the order of a copy's elements in memory.
        non_blocking: nothing to wait for. PyTorch: torch.Tensor.to.
        """
        d, order, make_copy = read_to(args, kwargs)
        if d is None:
            d = self.array.dtype
        if order is None and not make_copy:
            return cast(self, d)
        return _converted("to", self, d, order, make_copy)

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        """Without dtype the name of the tensor's type; else the tensor converted (to a dtype, or to a type of this name)."""
        flag("type", "non_blocking", non_blocking)
        if dtype is None:
            return f"minigrad.{dtypes.legacy_name(self.array.dtype)}"
        d = dtypes.default_numpy() if dtype is Tensor else dtypes.to_numpy(dtypes.of_type(dtype))
        return cast(self, d)

    def polygamma(self, n: int) -> Tensor:
        """The n-th derivative of digamma."""
        return ops.polygamma(n, self)

    def type_as(self, other: Tensor) -> Tensor:
        """The tensor in the dtype of other."""
        return self.to(other.dtype)

    def double(self, *, memory_format: Any = None) -> Tensor:
        return _converted("double", self, dtypes.to_numpy(dtypes.float64), memory_format)

    def float(self, *, memory_format: Any = None) -> Tensor:
        return _converted("float", self, dtypes.to_numpy(dtypes.float32), memory_format)

    def half(self, *, memory_format: Any = None) -> Tensor:
        return _converted("half", self, dtypes.to_numpy(dtypes.float16), memory_format)

    def bfloat16(self, *, memory_format: Any = None) -> Tensor:
        return _converted("bfloat16", self, dtypes.to_numpy(dtypes.bfloat16), memory_format)

    def long(self, *, memory_format: Any = None) -> Tensor:
        return _converted("long", self, dtypes.to_numpy(dtypes.int64), memory_format)

    def int(self, *, memory_format: Any = None) -> Tensor:
        return _converted("int", self, dtypes.to_numpy(dtypes.int32), memory_format)

    def short(self, *, memory_format: Any = None) -> Tensor:
        return _converted("short", self, dtypes.to_numpy(dtypes.int16), memory_format)

    def char(self, *, memory_format: Any = None) -> Tensor:
        return _converted("char", self, dtypes.to_numpy(dtypes.int8), memory_format)

    def byte(self, *, memory_format: Any = None) -> Tensor:
        return _converted("byte", self, dtypes.to_numpy(dtypes.uint8), memory_format)

    def bool(self, *, memory_format: Any = None) -> Tensor:
        return _converted("bool", self, dtypes.to_numpy(dtypes.bool_), memory_format)

    def cpu(self, *, memory_format: Any = None) -> Tensor:
        return _converted("cpu", self, self.array.dtype, memory_format)

    def cuda(self, device: Any = None, non_blocking: Any = False, memory_format: Any = None) -> NoReturn:
        """RuntimeError: there is no GPU."""
        require_cpu(device, "cuda")
        require_cpu("cuda", "cuda")
        raise AssertionError

    def pin_memory(self, device: Any = None) -> Tensor:
        require_cpu(device, "pin_memory")
        return self

    def share_memory_(self) -> Tensor:
        return self

    clone = ops.clone

    def contiguous(self, memory_format: Any = contiguous_format) -> Tensor:
        """The tensor itself if its elements lie in this order (by default that of their indices), else a copy in which
        they do."""
        if memory_format is contiguous_format and self.array.flags.c_contiguous:
            return self
        if lies_in("contiguous", self.array, memory_format):
            return self
        if memory_format is preserve_format:
            raise RuntimeError("preserve memory format is unsupported by the contiguous operator")
        return ops.clone(self, memory_format=memory_format)

    # -- others like it

    new = creation.new
    new_tensor, new_zeros, new_ones = creation.new_tensor, creation.new_zeros, creation.new_ones
    new_empty, new_full = creation.new_empty, creation.new_full
    new_empty_strided = creation.new_empty_strided

    # -- arithmetic, comparison, choice

    add = __add__ = __radd__ = ops.add
    sub = subtract = __sub__ = ops.sub
    __rsub__ = arithmetic.rsub
    mul = multiply = __mul__ = __rmul__ = ops.mul
    div = divide = __truediv__ = __div__ = ops.div
    true_divide = ops.true_divide
    __rtruediv__ = __rdiv__ = arithmetic.rdiv
    pow = __pow__ = ops.pow
    __rpow__ = power.rpow
    floor_divide = __floordiv__ = ops.floor_divide
    __rfloordiv__ = arithmetic.rfloor_divide
    remainder = __mod__ = ops.remainder
    __rmod__ = arithmetic.rremainder
    fmod = ops.fmod
    neg = negative = __neg__ = ops.neg
    positive = __pos__ = ops.positive
    abs = absolute = __abs__ = ops.abs
    square = ops.square
    sign = ops.sign
    floor, ceil, round, frac = ops.floor, ops.ceil, ops.round, ops.frac
    trunc = fix = ops.trunc
    eq = ops.eq
    ne = not_equal = ops.ne
    lt = less = ops.lt
    le = less_equal = ops.le
    gt = greater = ops.gt
    ge = greater_equal = ops.ge
    __eq__, __ne__ = comparison.operator(ops.eq), comparison.operator(ops.ne)
    __lt__, __le__ = comparison.operator(ops.lt), comparison.operator(ops.le)
    __gt__, __ge__ = comparison.operator(ops.gt), comparison.operator(ops.ge)
    maximum, minimum = ops.maximum, ops.minimum
    clamp = clip = ops.clamp
    logical_and, logical_or = ops.logical_and, ops.logical_or
    logical_xor, logical_not = ops.logical_xor, ops.logical_not
    bitwise_and = __and__ = __rand__ = ops.bitwise_and
    bitwise_or = __or__ = __ror__ = ops.bitwise_or
    bitwise_xor = __xor__ = __rxor__ = ops.bitwise_xor
    bitwise_not = ops.bitwise_not
    __invert__ = comparison.invert
    bitwise_left_shift = __lshift__ = ops.bitwise_left_shift
    bitwise_right_shift = __rshift__ = ops.bitwise_right_shift
    __rlshift__, __rrshift__ = integers.rleft_shift, integers.rright_shift
    isnan, isinf, isfinite = ops.isnan, ops.isinf, ops.isfinite
    isposinf, isneginf, isreal = ops.isposinf, ops.isneginf, ops.isreal
    isclose, allclose, equal = ops.isclose, ops.allclose, ops.equal

    def where(self, condition: Tensor, other: Tensor | Number) -> Tensor:
        """self where condition, else other."""
        return ops.where(condition, self, other)

    # -- functions of one element

    exp, exp2, expm1 = ops.exp, ops.exp2, ops.expm1
    log, log2, log10, log1p = ops.log, ops.log2, ops.log10, ops.log1p
    sqrt, rsqrt, reciprocal = ops.sqrt, ops.rsqrt, ops.reciprocal
    sin, cos, tan, sinc = ops.sin, ops.cos, ops.tan, ops.sinc
    asin = arcsin = ops.asin
    acos = arccos = ops.acos
    atan = arctan = ops.atan
    atan2 = arctan2 = ops.atan2
    sinh, cosh, tanh = ops.sinh, ops.cosh, ops.tanh
    asinh = arcsinh = ops.asinh
    acosh = arccosh = ops.acosh
    atanh = arctanh = ops.atanh
    sigmoid, logit = ops.sigmoid, ops.logit
    erf, erfc, erfinv = ops.erf, ops.erfc, ops.erfinv
    lgamma, digamma, mvlgamma, i0 = ops.lgamma, ops.digamma, ops.mvlgamma, ops.i0
    igamma, igammac = ops.igamma, ops.igammac
    hypot, logaddexp, xlogy, copysign = ops.hypot, ops.logaddexp, ops.xlogy, ops.copysign
    lerp, addcmul, addcdiv, float_power = ops.lerp, ops.addcmul, ops.addcdiv, ops.float_power
    rad2deg, deg2rad, nan_to_num = ops.rad2deg, ops.deg2rad, ops.nan_to_num
    fmax, fmin = ops.fmax, ops.fmin
    heaviside = ops.heaviside
    clamp_min, clamp_max = ops.clamp_min, ops.clamp_max
    signbit, frexp, ldexp, nextafter = ops.signbit, ops.frexp, ops.ldexp, ops.nextafter
    gcd, lcm = ops.gcd, ops.lcm
    sgn = ops.sign
    angle = ops.angle

    # -- reductions

    sum_to_size = reduce.sum_to_size
    sum, nansum, mean, nanmean, prod = ops.sum, ops.nansum, ops.mean, ops.nanmean, ops.prod
    var, std = ops.var, ops.std
    amax, amin, aminmax, max, min = ops.amax, ops.amin, ops.aminmax, ops.max, ops.min
    argmax, argmin = ops.argmax, ops.argmin
    all, any, count_nonzero = ops.all, ops.any, ops.count_nonzero
    logsumexp, norm, dist, renorm = ops.logsumexp, ops.norm, ops.dist, ops.renorm
    cumsum, cumprod, cummax, cummin = ops.cumsum, ops.cumprod, ops.cummax, ops.cummin
    logcumsumexp, diff = ops.logcumsumexp, ops.diff

    # -- shape

    reshape, reshape_as = ops.reshape, shape_ops.reshape_as
    view, view_as = shape_ops.view, shape_ops.view_as
    flatten, ravel, unflatten = ops.flatten, ops.ravel, ops.unflatten
    squeeze, unsqueeze = ops.squeeze, ops.unsqueeze
    permute, t = ops.permute, ops.t
    transpose = swapaxes = swapdims = ops.transpose
    movedim = moveaxis = ops.movedim
    T = H = property(shape_ops.T)
    mT = mH = property(shape_ops.mT)
    adjoint = ops.adjoint
    expand, expand_as, broadcast_to = shape_ops.expand, shape_ops.expand_as, ops.broadcast_to
    repeat, tile, repeat_interleave = arrange.repeat, ops.tile, ops.repeat_interleave
    unfold, as_strided = windows, ops.as_strided
    narrow_copy, unsafe_chunk, unsafe_split = ops.narrow_copy, ops.unsafe_chunk, ops.unsafe_split
    unsafe_split_with_sizes = ops.unsafe_split_with_sizes
    narrow, select, split, chunk = ops.narrow, ops.select, ops.split, ops.chunk
    tensor_split, unbind, split_with_sizes = ops.tensor_split, ops.unbind, ops.split_with_sizes
    hsplit, vsplit, dsplit = ops.hsplit, ops.vsplit, ops.dsplit
    diagonal, diag, diag_embed, diagflat = ops.diagonal, ops.diag, ops.diag_embed, ops.diagflat
    select_scatter, slice_scatter = ops.select_scatter, ops.slice_scatter
    diagonal_scatter = ops.diagonal_scatter
    tril, triu = ops.tril, ops.triu
    flip, fliplr, flipud, rot90, roll = ops.flip, ops.fliplr, ops.flipud, ops.rot90, ops.roll

    # -- indexing

    __getitem__, __setitem__ = index.getitem, inplace.setitem
    gather, take, take_along_dim = ops.gather, ops.take, ops.take_along_dim
    index_select, index_add, index_copy = ops.index_select, ops.index_add, ops.index_copy
    index_fill, index_put, index_reduce, put = ops.index_fill, ops.index_put, ops.index_reduce, ops.put
    scatter, scatter_add, scatter_reduce = ops.scatter, ops.scatter_add, ops.scatter_reduce
    masked_fill, masked_select, masked_scatter = ops.masked_fill, ops.masked_select, ops.masked_scatter
    nonzero_static = ops.nonzero_static
    nonzero, argwhere, bincount, unique = ops.nonzero, ops.argwhere, ops.bincount, ops.unique
    histc, histogram, unique_consecutive = ops.histc, ops.histogram, ops.unique_consecutive
    cov, corrcoef = ops.cov, ops.corrcoef

    # -- order

    sort, argsort, msort, topk = ops.sort, ops.argsort, ops.msort, ops.topk
    kthvalue, median, nanmedian, mode = ops.kthvalue, ops.median, ops.nanmedian, ops.mode
    quantile, nanquantile = ops.quantile, ops.nanquantile

    # -- matrices

    matmul = __matmul__ = ops.matmul
    __rmatmul__ = matrix.rmatmul
    mm, bmm, mv, dot, vdot = ops.mm, ops.bmm, ops.mv, ops.dot, ops.vdot
    inner, kron = ops.inner, ops.kron
    outer = ger = ops.outer
    addmm, addmv, addr, addbmm, baddbmm = ops.addmm, ops.addmv, ops.addr, ops.addbmm, ops.baddbmm
    trace, inverse, cross = ops.trace, ops.inverse, ops.cross
    svd, qr, cholesky, pinverse = ops.svd, ops.qr, ops.cholesky, ops.pinverse
    cholesky_solve, cholesky_inverse = ops.cholesky_solve, ops.cholesky_inverse
    triangular_solve = ops.triangular_solve
    lu_solve, geqrf, orgqr, ormqr = ops.lu_solve, ops.geqrf, ops.orgqr, ops.ormqr
    det, slogdet, logdet = ops.det, ops.slogdet, ops.logdet
    matrix_power, matrix_exp = ops.matrix_power, ops.matrix_exp

    # -- activations

    relu, prelu, hardshrink = ops.relu, ops.prelu, ops.hardshrink
    softmax, log_softmax = ops.softmax, ops.log_softmax

    # -- in place: each is its out-of-place twin, written back

    add_ = __iadd__ = inplace.of(ops.add)
    sub_ = subtract_ = __isub__ = inplace.of(ops.sub)
    mul_ = multiply_ = __imul__ = inplace.of(ops.mul)
    div_ = divide_ = __itruediv__ = __idiv__ = inplace.of(ops.div)
    pow_ = __ipow__ = inplace.of(ops.pow)
    neg_, abs_, square_ = inplace.of(ops.neg), inplace.of(ops.abs), inplace.of(ops.square)
    floor_, ceil_ = inplace.of(ops.floor), inplace.of(ops.ceil)
    round_, trunc_ = inplace.of(ops.round), inplace.of(ops.trunc)
    clamp_ = clip_ = inplace.of(ops.clamp)
    exp_, log_, sqrt_ = inplace.of(ops.exp), inplace.of(ops.log), inplace.of(ops.sqrt)
    rsqrt_, reciprocal_ = inplace.of(ops.rsqrt), inplace.of(ops.reciprocal)
    sin_, cos_, tanh_ = inplace.of(ops.sin), inplace.of(ops.cos), inplace.of(ops.tanh)
    sigmoid_, erfinv_ = inplace.of(ops.sigmoid), inplace.of(ops.erfinv)
    lerp_ = inplace.of(ops.lerp)
    addcmul_, addcdiv_ = inplace.of(ops.addcmul), inplace.of(ops.addcdiv)
    nan_to_num_ = inplace.of(ops.nan_to_num)
    squeeze_, unsqueeze_ = inplace.reshaping(ops.squeeze), inplace.reshaping(ops.unsqueeze)
    t_, transpose_ = inplace.reshaping(ops.t), inplace.reshaping(ops.transpose)
    as_strided_ = inplace.reshaping(ops.as_strided)
    tril_, triu_ = inplace.of(ops.tril), inplace.of(ops.triu)
    index_add_ = inplace.of(ops.index_add, scattered=True)
    index_copy_ = inplace.of(ops.index_copy, scattered=True)
    index_fill_, index_put_ = inplace.index_fill_, inplace.index_put_
    scatter_ = inplace.of(ops.scatter, scattered=True)
    scatter_add_ = inplace.of(ops.scatter_add, scattered=True)
    scatter_reduce_ = inplace.of(ops.scatter_reduce, scattered=True)
    masked_fill_ = inplace.of(ops.masked_fill, idempotent=True, before="value")
    masked_scatter_ = inplace.of(ops.masked_scatter, reads=False)
    relu_ = inplace.of(ops.relu)
    uniform_, normal_, bernoulli_ = sampling.uniform_, sampling.normal_, sampling.bernoulli_
    random_, exponential_, cauchy_ = sampling.random_, sampling.exponential_, sampling.cauchy_
    log_normal_, geometric_ = sampling.log_normal_, sampling.geometric_
    bernoulli, multinomial = sampling.bernoulli, sampling.multinomial
    copy_, fill_, zero_, float_power_ = inplace.copy_, inplace.fill_, inplace.zero_, inplace.float_power_
    resize_, resize_as_, apply_, map_ = resize.resize_, resize.resize_as_, resize.apply_, resize.map_
    map2_, fill_diagonal_ = resize.map2_, inplace.fill_diagonal_
    swapaxes_ = swapdims_ = inplace.reshaping(ops.transpose)


# The in-place twins of functions whose results have the shape and type of the tensor: x.f_(...) gives x the values of f(x, ...).
for _name in (
    "absolute", "acos", "acosh", "addbmm", "addmm", "addmv", "addr", "arccos", "arccosh", "arcsin", "arcsinh", "arctan",
    "arctan2", "arctanh", "asin", "asinh", "atan", "atan2", "atanh", "baddbmm", "bitwise_and", "bitwise_left_shift",
    "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "clamp_max", "clamp_min", "copysign", "cosh",
    "cumprod", "cumsum", "deg2rad", "digamma", "eq", "erf", "erfc", "exp2", "expm1", "fix", "floor_divide",
    "fmod", "frac", "gcd", "ge", "greater", "greater_equal", "gt", "heaviside", "hypot", "i0", "igamma", "igammac", "index_reduce", "lcm", "ldexp",
    "le", "less", "less_equal", "lgamma", "log10", "log1p", "log2", "logical_and", "logical_not", "logical_or",
    "logical_xor", "logit", "lt", "mvlgamma", "ne", "negative", "nextafter", "not_equal", "polygamma", "put", "rad2deg", "remainder", "renorm",
    "sgn", "sign", "sinc", "sinh", "tan", "true_divide", "xlogy",
):  # fmt: skip
    setattr(Tensor, f"{_name}_", inplace.of(getattr(Tensor, _name), scattered=_name in ("index_reduce", "put")))

# Python would make `x &= y` a new tensor, and leave alone whoever else holds x.
for _operator, _name in (
    ("iand", "bitwise_and"), ("ior", "bitwise_or"), ("ixor", "bitwise_xor"), ("ilshift", "bitwise_left_shift"),
    ("irshift", "bitwise_right_shift"), ("ifloordiv", "floor_divide"), ("imod", "remainder"),
):  # fmt: skip
    setattr(Tensor, f"__{_operator}__", getattr(Tensor, f"{_name}_"))

# What PyTorch's tensors have beside these: asked for, it says what to do instead.
for _name in (
    "as_strided_scatter", "ccol_indices", "cdouble", "cfloat", "chalf", "coalesce", "col_indices", "conj_physical_",
    "crow_indices", "dequantize", "eig", "grad_dtype", "hash_tensor", "imag", "index", "indices", "int_repr", "ipu",
    "is_coalesced", "is_distributed", "istft", "logaddexp2", "lstsq", "module_load", "mtia", "name", "q_per_channel_axis",
    "q_per_channel_scales", "q_per_channel_zero_points", "q_scale", "q_zero_point", "qscheme", "record_stream", "reinforce",
    "resize", "resize_as", "resize_as_sparse_", "row_indices", "slice_inverse", "smm", "solve", "sparse_mask",
    "sparse_resize_", "sparse_resize_and_clear_", "sspaddmm", "stft", "storage_type", "symeig", "to_mkldnn",
    "to_padded_tensor", "to_sparse", "to_sparse_bsc", "to_sparse_bsr", "to_sparse_coo", "to_sparse_csc", "to_sparse_csr",
    "values", "volatile", "xpu",
):  # fmt: skip
    if not hasattr(Tensor, _name):
        setattr(Tensor, _name, missing.Absent(_name))


def _rebuild(cls: type[Tensor], array: Array, requires_grad: bool, place: tuple | None = None) -> Tensor:
    tensor = cls.__new__(cls)
    tensor.array = array if place is None else look(array, Geometry(*place))
    tensor._requires_grad = requires_grad
    return tensor


def _converted(function: str, x: Tensor, d: np.dtype, order: Any, make_copy: bool = False) -> Tensor:
    """x in type d and, where it has to be copied for that, in the memory order; itself if nothing has to be done."""
    result = cast(x, d)
    if order is None or order is preserve_format:
        return ops.clone(result) if make_copy and result is x else result
    if result is x and not make_copy and suggested(x.array) is order:
        return x
    in_order = lies_in(function, result.array, order)
    return result if in_order and result is not x else ops.clone(result, memory_format=order)


register_tensor_type(Tensor)
register_stack(ops.stack)
publish_methods(Tensor)  # from here on what a program calls; operators stay as they are
