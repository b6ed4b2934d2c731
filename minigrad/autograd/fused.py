"""Fused operations: one node where the textbook has many, in up to three forms, and the one place that chooses among them.

    definition   composed of other operations; reads like the textbook
    NumPy        `forward` and `backward` on whole arrays, beside the definition in ops/
    compiled     a subclass in kernels/, beside its loops; for large arrays

All three give the same numbers to rounding; tests hold them against each other. `use_kernels` is the switch. Softmax:

    nn/functional.py     F.softmax       the dimension that may be left out
    ops/softmax.py       softmax         checks its arguments, calls Softmax.apply
    autograd/fused.py    Fused.apply     chooses: the definition, or the class itself, or its compiled subclass
    autograd/graph.py    Operation.apply runs the forward of the class chosen, and links it into the graph
    kernels/rows.py      Softmax         the compiled form, on loops over rows that `kernels.split` shares among threads
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import os
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from ..threads import Compiler, apart, compiling, new_lock, watch_forks
from .differentiate import grad
from .graph import Operation
from .modes import current, enable_grad
from .variable import Array, Variable

LARGE = 1 << 15  # elements from which a compiled loop pays
COMPILING = 1 << 26  # elements that NumPy has done with in the time in which a loop is compiled


@functools.cache
def numba_is_installed() -> bool:
    """Whether compiled forms can run at all: Numba is there, and its compiler not switched off by NUMBA_DISABLE_JIT."""
    return importlib.util.find_spec("numba") is not None and os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")


def at_hand() -> bool:
    """Whether compiled loops have been loaded already: then a short one need not wait for that."""
    return "numba" in sys.modules


# -- the switch

FORMS = ("definition", "numpy", "compiled", "fastest")


def _position(form: bool | str) -> str:
    if not isinstance(form, str) and form in (True, False):
        return "fastest" if form else "definition"
    if form not in FORMS:
        raise ValueError(
            f"use_kernels expected True, False, 'definition', 'numpy', 'compiled' or 'fastest', got {form!r}"
        )
    return form


def _position_from_environment() -> str:
    form = os.environ.get("MINIGRAD_KERNELS") or "fastest"
    form = {"0": "definition", "1": "fastest"}.get(form, form)
    if form not in FORMS:
        raise ValueError(f"the environment variable MINIGRAD_KERNELS is {form!r}; wanted 0, 1, {', '.join(FORMS)}")
    return form


class _Switch(threading.local):
    position: str | None = None  # of this thread, inside `with use_kernels(...)`


_switch = _Switch()
_default = _position_from_environment()  # of the process: what the last of `_calls` says
_calls: list[tuple[str, Callable[[], object]]] = [(_default, lambda: None)]  # position, reference to the use_kernels
_calls_lock = new_lock()


def kernels_position() -> str:
    """The form that fused operations take now: "definition", "numpy", "compiled" or "fastest"."""
    return _switch.position or _default


def kernels_enabled() -> bool:
    """Whether fused operations take a fast form (see `minigrad.use_kernels`)."""
    return kernels_position() != "definition"


class use_kernels(contextlib.ContextDecorator):
    """Choose the form that fused operations take.

        use_kernels(True)          or "fastest", the default: NumPy, and compiled loops where arrays are large
        use_kernels(False)         or "definition": composed of other operations, as in a textbook
        use_kernels("numpy")       never a compiled loop
        use_kernels("compiled")    compiled loops at any size, wherever an operation has one for its inputs

    Takes effect at the call; as a context manager or decorator, until its end, for this thread. The environment
    variable MINIGRAD_KERNELS says the same for a whole process; 0 and 1 are False and True.
    """

    def __init__(self, form: bool | str = True) -> None:
        global _default
        self.position = _position(form)
        if self.position == "compiled" and not numba_is_installed():
            raise RuntimeError(
                "use_kernels('compiled') needs Numba's compiler: pip install numba (and NUMBA_DISABLE_JIT not set), or choose 'numpy'"
            )
        self._before: list[str | None] = []
        with _calls_lock:
            # What is gone was a plain call, and holds; those before it do not matter any more.
            holds = max((i for i, (_, call) in enumerate(_calls) if call() is None), default=0)
            _calls[:holds] = []
            _calls.append((self.position, weakref.ref(self)))
            _default = self.position

    def __enter__(self) -> None:
        self._take_back()  # as a context it holds for this thread, until its end
        self._before.append(_switch.position)
        _switch.position = self.position

    def __exit__(self, *error: object) -> None:
        _switch.position = self._before.pop()

    def __call__(self, func: Callable) -> Any:
        self._take_back()
        return super().__call__(func)

    def _take_back(self) -> None:
        """It was no plain call: the process goes by the others, those made since included. Once; later it is no news."""
        global _default
        with _calls_lock:
            _calls[:] = [entry for entry in _calls if entry[1]() is not self]
            _default = _calls[-1][0]


# -- the choice


@functools.cache
def _load(name: str) -> Any:
    """The lazy door to the compiled loops: Numba is imported when the first is wanted. None where it cannot be."""
    return apart(_import, name)  # an interrupt would leave half of Numba imported


def _import(name: str) -> Any:
    file, _, attribute = name.rpartition(".")
    watch_forks()
    try:
        with compiling:
            return getattr(importlib.import_module(f"minigrad.kernels.{file}"), attribute)
    except ImportError as error:
        if not _complaints:
            _complaints.append(error)
            print(f"minigrad: Numba cannot be used ({error}), so operations take their NumPy form", file=sys.stderr)
        return None


_complaints: list[ImportError] = []  # why Numba cannot be used: said once


_done_by_numpy: dict[str, int] = {}  # elements, by the name of the compiled form that waits meanwhile


def compiled_form(name: str, work: int, twin: int = 0) -> Any:
    """What is called `name` ("rows.Softmax": Softmax in minigrad/kernels/rows.py) if it should run now, else None.

    work: see `Fused.work`. twin: where NumPy's form gives the same bits, the elements that it would have to do with here. Such
    a loop is compiled when NumPy has worked as long as that takes: whatever a program does afterwards, it has not lost
    more than half of that time; one that lies on the disk is taken as soon as others have been loaded. Nobody sees from its
    numbers when that was, or in which process. Where a loop rounds otherwise it has to be there from the first time on: the
    same call gives the same numbers.
    """
    position = kernels_position()
    if work < LARGE and (work == 0 or position != "compiled"):
        return None
    if position not in ("fastest", "compiled") or not numba_is_installed() or Compiler.lost:
        return None
    if twin and position == "fastest" and (done := _done_by_numpy.get(name, 0)) < COMPILING and not _kept(name):
        _done_by_numpy[name] = done + twin
        return None
    return _load(name)


def _kept(name: str) -> bool:
    """Whether a compiled form can be had for little: Numba has been loaded, and a loop of that file lies on the disk."""
    return at_hand() and (kept := _load("cache.kept")) is not None and kept(name.partition(".")[0])


def size(x: Array) -> int:
    """The elements of an array in a type that compiled loops serve (float32 and float64), else 0."""
    return x.size if x.dtype.char in "fd" else 0


class Fused(Operation):
    """An operation with a `definition` composed of other operations, and `forward`/`backward` on arrays, which are fast.

    `compiled` names a subclass in kernels/, "rows.Softmax" for Softmax in kernels/rows.py, if there is one; `work` says
    how much it would have to do. The node in the graph is the form that ran.

    Higher derivatives go through the definition, so `backward` has to serve arrays only. Where it does serve tensors,
    `serves_tensors` says so: then the node takes part in higher derivatives itself, and need not keep its inputs.
    """

    compiled: ClassVar[str | None] = None
    constants: ClassVar[tuple[int, ...]] = ()  # the inputs by which the compiled form cannot differentiate
    serves_tensors: ClassVar[bool] = False
    inputs: tuple[Any, ...] | None = None

    @staticmethod
    def definition(*inputs: Any) -> Any:
        raise NotImplementedError("a fused operation needs a definition(*inputs)")

    @staticmethod
    def work(*inputs: Any) -> int:
        """How much the compiled form would have to do here, in elements; 0 where it does not serve these inputs.

        An element that is read, computed with and written once counts 1: softmax has x.size. Where elements are used
        many times, as in a convolution, it is the number of elements whose single use would cost as much.
        inputs: what `forward` gets, arrays in place of tensors.
        """
        return 0

    @staticmethod
    def same_bits(*inputs: Any) -> bool:
        """Whether NumPy's form and the compiled one give the same numbers to the last bit, and in the same order in memory."""
        return False

    @classmethod
    def apply(cls, *inputs: Any) -> Any:
        position = _switch.position or _default  # kernels_position()
        if position == "definition":
            return cls.definition(*inputs)
        form: Any = cls
        if cls.compiled is not None:
            given = [x.array if isinstance(x, Variable) else x for x in inputs]
            work = cls.work(*given)
            if work >= LARGE or position == "compiled":
                form = cls.form_for(given, work, any(wants_gradient(inputs[i]) for i in cls.constants))
        result = Operation.apply.__func__(form, *inputs)  # type: ignore[attr-defined]  # `form.apply` would come back here
        if isinstance(result, Variable) and result._edge is not None and not cls.serves_tensors:
            result._edge[0].inputs = inputs  # type: ignore[attr-defined]  # it is the node just made
        return result

    @classmethod
    def form_for(cls, given: Sequence[Any], work: int, by_constants: bool) -> Any:
        """The form that is to run on these arrays now; by_constants: whether a gradient by one of `constants` is wanted."""
        if cls.compiled is None or by_constants:
            return cls
        return compiled_form(cls.compiled, work, work if cls.same_bits(*given) else 0) or cls

    @classmethod
    def again(cls, given: Sequence[Any], needs: Sequence[bool]) -> Any:
        """The form to run where this one ran before on such arrays: another only if it gives the same bits."""
        if cls.compiled is None or not cls.same_bits(*given):
            return cls
        return cls.form_for(given, cls.work(*given), any(needs[i] for i in cls.constants))

    def run_backward(self, gradient: Any) -> Any:
        if not isinstance(gradient, Variable) or self.serves_tensors:
            return self.backward(self, gradient)
        if self.inputs is None:
            self.saved_tensors  # noqa: B018  raises: the graph was freed
        assert self.inputs is not None
        self.check_not_overwritten([x.array for x in self.inputs if isinstance(x, Variable)])
        wanted = [i for i, needed in enumerate(self.needs_input_grad) if needed]
        with enable_grad():
            # Fresh tensors between the inputs and the definition, so that two equal inputs keep their own gradients.
            inputs = [Alias.apply(x) if i in wanted else x for i, x in enumerate(self.inputs)]
            out = self.definition(*inputs)
            found = grad([out], [inputs[i] for i in wanted], [gradient], create_graph=True, allow_unused=True)
        result: list[Any] = [None] * len(self.inputs)
        for i, g in zip(wanted, found, strict=True):
            result[i] = g
        return result

    def release(self) -> None:
        super().release()
        self.inputs = None


def wants_gradient(x: Any) -> bool:
    """Whether an operation that is applied to x now will be asked for the gradient by x."""
    return current.recording and isinstance(x, Variable) and (x._edge is not None or x._requires_grad)


class Alias(Operation):
    """out = x, as a tensor of its own that shares the values.  dx = grad"""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        return x[...]

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad
