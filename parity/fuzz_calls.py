"""The fuzzer's calls: learnt from the case table, and spoilt; as neither engine's, so that both can make them.

A call is learnt by running the cases with recorders in the places of the public functions. `spoil` then makes one thing
about it wrong or unusual: OFTEN says what. `drawn` gives the call of a number: the same seed gives the same calls.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import itertools
import math
import re
import types
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import minigrad
from minigrad.autograd.variable import Variable

from . import fuzz_objects
from .agreement import Example, Tally, run_form
from .case import resolve
from .cases import CASES
from .engines import MINIGRAD, TORCH, Engine
from .fuzz_kinds import Call, Fn, Made, Named, New, Part, T
from .inputs import Seeded

LARGE = 3000  # elements: calls with more are not learnt


# The objects of minigrad's that the cases have made, by id: the object, and the call that made it.
MADE: dict[int, tuple[Any, Call]] = {}


def _neutral(x: Any) -> Any:
    """An argument of minigrad's as neither engine's; LookupError if it is something that cannot be carried over."""
    if isinstance(x, Variable):
        if x.array.size > LARGE or type(x) not in (minigrad.Tensor, minigrad.nn.Parameter):
            raise LookupError
        given = x.grad.array.copy() if isinstance(x, minigrad.Tensor) and x.is_leaf and x.grad is not None else None
        return T(x.array.copy(), bool(x._edge is not None or x._requires_grad), given=given)
    if (made := MADE.get(id(x))) is not None:
        return New(made[1])
    if isinstance(x, dict):
        return {k: _neutral(v) for k, v in x.items()}
    if x is None or isinstance(x, int | float | str | np.generic | np.ndarray):
        return x
    if isinstance(x, minigrad.Generator):
        return Made(x.initial_seed())
    if type(x).__name__ in ("dtype", "layout", "memory_format"):
        return Named(x.name)
    if isinstance(x, list | tuple):
        return type(x)(map(_neutral, x)) if type(x) in (list, tuple) else tuple(map(_neutral, x))
    if isinstance(x, minigrad.device):
        return "cpu"
    raise LookupError


# How a tensor's elements lie in memory: axes backwards, every second element, after others, one element for a whole axis.
MEMORIES = ("transposed", "stepped", "behind", "expanded")
# What else of a tensor's memory an argument may be.
PARTS = ("itself", "first row", "turned", "view")


@dataclass
class Built:
    """A call in an engine: its arguments, and among them the tensors and the leaves whose gradients are asked for."""

    engine: Engine
    call: Call
    tensors: list[Any] = field(default_factory=list)
    leaves: list[Any] = field(default_factory=list)
    objects: list[Any] = field(default_factory=list)
    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)
    then: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        places: dict[Any, Any] = {**dict(enumerate(self.call.args)), **self.call.kwargs}
        made = {k: self._argument(v) for k, v in places.items() if not isinstance(v, Part)}
        for k, v in places.items():
            if isinstance(v, Part):
                x = made[v.place]
                made[k] = {"itself": x, "first row": x[:1] if x.dim() else x, "turned": x.transpose(0, -1) if x.dim() else x, "view": x.view(x.shape)}[v.how]  # fmt: skip
        self.then = tuple(map(self._argument, self.call.then))
        self.args = [made[i] for i in range(len(self.call.args))]
        self.kwargs = {k: made[k] for k in self.call.kwargs}

    def _argument(self, x: Any) -> Any:
        if isinstance(x, T):
            return self._tensor(x)
        if isinstance(x, Named):
            return getattr(self.engine.module, x.name)
        if isinstance(x, Made):
            return self.engine.module.Generator().manual_seed(x.seed)
        if isinstance(x, list | tuple):
            return type(x)(self._argument(y) for y in x)
        if isinstance(x, dict):
            return {k: self._argument(v) for k, v in x.items()}
        if isinstance(x, Fn):
            return functools.partial(fuzz_objects.FUNCTIONS[x.name], self.engine.module)
        if isinstance(x, New):
            made = resolve(self.engine.module, x.call.name)(
                *map(self._argument, x.call.args), **{k: self._argument(v) for k, v in x.call.kwargs.items()}
            )
            self.objects.append(made)
            return made
        return x

    def _tensor(self, x: T) -> Any:
        values = x.values.reshape(x.values.shape or (1,))
        if x.memory == "transposed":
            made = self._fresh(values.T).permute(*reversed(range(values.ndim)))
        elif x.memory == "stepped":
            made = self._fresh(np.repeat(values, 2, axis=-1))[..., ::2]
        elif x.memory == "behind":
            made = self._fresh(np.concatenate([values[:1], values]))[len(values[:1]) :]
        elif x.memory == "expanded":
            made = self._fresh(values[:1]).expand(values.shape)
        else:
            made = self._fresh(values)
        made = made if x.values.ndim else made[0] if x.memory else made.reshape(()).clone()
        if x.grad:
            made = made.requires_grad_()
            self.leaves.append(made)
            made = made * 1 if x.inner else made
        if x.given is not None and not x.inner:
            made.grad = self._fresh(x.given)
        self.tensors.append(made)
        return made

    def _fresh(self, values: np.ndarray) -> Any:
        return self.engine.module.from_numpy(np.array(values, order="C")).clone()


# -- learning the calls


SKIPPED = re.compile(
    r"(save|load|set_default_dtype|set_printoptions|set_num_threads|use_deterministic_algorithms|compile|seed|show_config|"
    r"use_kernels|manual_seed|set_rng_state|get_rng_state|initial_seed|from_dlpack|get_num_threads|Tensor\.backward|"
    r"Tensor\.register_.*|Tensor\.numpy|Tensor\.(const_|mutable_)?data_ptr|Tensor\.cuda|Tensor\.type|Tensor\.to|empty.*|Tensor.new_empty.*|"
    r"nn\.utils\.skip_init|utils\.data\.get_worker_info|optim\.Optimizer|distributions\.Distribution|distributions\.Transform)$"
)
# Modules of functions and classes, and of which classes the methods are called too: all that a class of this base has, by name.
ROOMS = ("", "nn.functional", "nn", "linalg", "fft", "special", "nn.init", "nn.utils", "nn.utils.rnn", "nn.utils.parametrizations",
         "optim", "optim.lr_scheduler", "distributions", "func", "autograd.functional", "utils.data", "utils.checkpoint")  # fmt: skip
METHODS = {
    "nn": ("forward",),
    "optim": ("step", "zero_grad", "add_param_group"),
    "optim.lr_scheduler": ("step",),
    "distributions": ("log_prob", "cdf", "icdf", "sample", "rsample", "entropy", "expand", "enumerate_support", "perplexity",
                      "log_abs_det_jacobian", "inv", "forward_shape", "inverse_shape", "__call__"),
}  # fmt: skip


def places() -> Iterator[tuple[Any, str, str]]:
    """Where public functions and classes are found: the holder, its path, the name."""
    for room in ROOMS:
        holder, path = (resolve(minigrad, room), f"{room}.") if room else (minigrad, "")
        for name, value in list(vars(holder).items()):
            if not isinstance(value, types.FunctionType | type) or name.startswith("_") or SKIPPED.match(path + name):
                continue
            theirs = _theirs(path + name)
            if theirs is None or not value.__module__.startswith("minigrad"):
                continue
            if isinstance(value, types.FunctionType) or (isinstance(value, type) and room in (*METHODS, "utils.data")):
                yield holder, path, name
    for name, value in list(vars(minigrad.Tensor).items()):
        path = f"Tensor.{name}"
        if (
            isinstance(value, types.FunctionType)
            and not name.startswith("_")
            and not SKIPPED.match(path)
            and _theirs(path)
        ):
            yield minigrad.Tensor, "Tensor.", name


def _theirs(path: str) -> Any:
    """What PyTorch has of this name, or None."""
    try:
        return resolve(TORCH.module, path)
    except AttributeError:
        return None


def check_prefixes(prefixes: tuple[str, ...]) -> None:
    """Errors: ValueError where no public name begins so."""
    names = [Call(path + name, [], {}) for _, path, name in places()]
    for prefix in prefixes:
        if not chosen(names, (prefix,)):
            raise ValueError(
                f"--names {prefix}: no public name begins so; there are torch.add, Tensor.add, nn.Linear and such"
            )


def learn(per_name: int = 6) -> list[Call]:
    """Calls of every public name, as the case table makes them."""
    found: dict[str, list[Call]] = collections.defaultdict(list)
    inside = False

    def note(path: str, args: Any, kwargs: Any) -> Call | None:
        """The call as neither engine's, kept if there are not enough of its name; None if it cannot be carried over."""
        with contextlib.suppress(LookupError):
            call = Call(path, [_neutral(a) for a in args], {k: _neutral(v) for k, v in kwargs.items()})
            if not inside and len(found[path]) < per_name and str(call) not in map(str, found[path]):
                found[path].append(call)
            return call
        return None

    def noting(path: str, cls: type, init: Any) -> Any:
        def noted(self: Any, *args: Any, **kwargs: Any) -> None:
            if type(self) is cls and (call := note(path, args, kwargs)) is not None:
                MADE[id(self)] = self, call
            init(self, *args, **kwargs)

        return noted

    def recorder(path: str, function: Any) -> Any:
        def recorded(*args: Any, **kwargs: Any) -> Any:
            nonlocal inside
            if inside:
                return function(*args, **kwargs)
            note(path, args, kwargs) if path else of_object(function.__name__, args, kwargs)
            inside = True
            try:
                return function(*args, **kwargs)
            finally:
                inside = False

        return recorded

    def of_object(name: str, args: Any, kwargs: Any) -> None:
        """A method of a class: by the class of the object, not the one that the method stands in."""
        path = paths.get(type(args[0]))
        if path is not None and _theirs(f"{path}.{name}") is not None:
            call = note(f"{path}.{name}", args, kwargs)
            if call is not None and name == "forward" and isinstance(call.args[0], New) and not kwargs:
                call.args[0].call.then = call.args[1:]

    paths: dict[type, str] = {}
    with contextlib.ExitStack() as undo:

        def keep(holder: Any, name: str) -> None:
            """See to it that the holder has this name again as it has now: its own, or none of its own."""
            if name in vars(holder):
                undo.callback(setattr, holder, name, vars(holder)[name])
            else:
                undo.callback(lambda: delattr(holder, name) if name in vars(holder) else None)

        def put(holder: Any, name: str, value: Any) -> None:
            keep(holder, name)
            setattr(holder, name, value)

        wrapped: set[tuple[type, str]] = set()
        for holder, path, name in list(places()):
            value = vars(holder)[name]
            if not isinstance(value, type):
                put(holder, name, recorder(path + name, value))
                continue
            paths[value] = path + name
            put(value, "__init__", noting(path + name, value, value.__init__))  # type: ignore[misc]
            for method in METHODS.get(path[:-1], ()):
                keep(value, method)  # an optimizer's first object wraps its class's `step`
            for cls, method in itertools.product(value.__mro__, METHODS.get(path[:-1], ())):
                found_there = vars(cls).get(method)
                if isinstance(found_there, types.FunctionType) and cls.__module__.startswith("minigrad.") and (cls, method) not in wrapped:  # fmt: skip
                    wrapped.add((cls, method))
                    put(cls, method, functools.wraps(found_there)(recorder("", found_there)))
        for case, seed in itertools.product(CASES.values(), range(3)):
            with warnings.catch_warnings(), contextlib.suppress(Exception):
                warnings.simplefilter("ignore")
                example = Example(case, Seeded(seed), Tally())
                for form in case.forms if not seed else [example.form]:
                    run_form(MINIGRAD, case, form, example.call, seed=seed)
    MADE.clear()
    for call in fuzz_objects.CALLS:
        found[call.name].append(call)
    _second_names(found)
    return [_narrow(call) for _, calls in sorted(found.items()) for call in calls]


def _second_names(found: dict[str, list[Call]]) -> None:
    """Give names that no case calls the calls of the same function under another name, or in another place."""
    functions = {path + name: vars(holder)[name] for holder, path, name in places()}
    for name in [n for n in functions if not found.get(n)]:
        function = getattr(functions[name], "reads", functions[name])
        same = [
            n
            for n, f in functions.items()
            if getattr(f, "reads", f) is function or n.rpartition(".")[2] == name.rpartition(".")[2]
        ]
        for other in same:
            if found.get(other):
                found[name] = [replace(call, name=name) for call in found[other]]
                break


def _narrow(call: Call) -> Call:
    """The call of a module in the type of its weights, which the case has changed after it was made."""
    if not call.name.startswith("nn.") or not (call.then or (call.args and isinstance(call.args[0], New))):
        return call

    def narrow(x: Any) -> Any:
        if isinstance(x, T) and x.values.dtype == np.float64:
            return replace(x, values=x.values.astype(np.float32))
        return type(x)(map(narrow, x)) if isinstance(x, list | tuple) else x

    return replace(call, args=[narrow(a) for a in call.args], then=tuple(map(narrow, call.then)))


# -- spoiling them

X = np.array([[0.5, 2.0, 1.0], [1.5, 0.25, 3.0]], np.float32)
POOL: list[Any] = [
    None, True, False, "False", "mean", 1, 0, -1, 3, 2.5, -0.5, math.nan, math.inf, [1.0, 2.0], [], (), (1,), (1, 2), [None], {},
    (2, 0.5), ("a",), T(X), T(X[0]), T(X.astype(np.int64)), T(X > 1), T(np.array(2.0, np.float32)), T(np.array(2)), T(np.array(True)),
    T(np.array(2.0, np.float32), grad=True), [T(X[0]), T(X[0])], np.int64(1), np.float64(1.5), np.float32(0.5), np.bool_(True), X,
    2**63, -(2**63) - 1, 1e300, Named("float32"), Named("int64"), object, b"a", 1j,
    [1, 0], [True, False], [[1, 2], [3, 4]], [2**63], (-1,), (0, 0), (0, 1, 2), "nonsense", "cpu", T(X.astype(np.uint8)),
    T(X[0].astype(np.int32)), T(X.astype(np.float16)), T(X.astype(np.float64)), T(X[0] > 1), T(np.array(0.5)), T(np.zeros(0, np.float32)),
    T(np.array([1])), T(np.array([1.5])), T(X, grad=True), Named("bool"), Named("strided"), Named("contiguous_format"), slice(0, 1), ...,
]  # fmt: skip
INTS = [-1, 0, 1, 2, 3, 7, 100, -2, -100, 2**31, -(2**31), 2**62, 2**63, -(2**63) - 1]
FLOATS = [0.0, -1.0, 1.0, 1.5, 1e-30, 1e40, 1e300, math.nan, math.inf, -math.inf]
DTYPES = [np.float64, np.float32, np.float16, np.int64, np.int32, np.int16, np.int8, np.uint8, np.bool_]
VALUES = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    2.0,
    0.5,
    300.0,
    -3.0,
]  # nan, infinities and extremes are planted by tests/test_edges.py
KEYWORDS: dict[str, list[Any]] = {
    "out": [T(np.zeros(0, np.float32)), T(np.zeros((2, 3), np.float32)), T(np.zeros(0)), T(np.zeros(0, np.int64)), 3,
            T(np.zeros((7,), np.float32)), (T(np.zeros(0, np.float32)), T(np.zeros(0, np.int64))), T(np.zeros(0, np.bool_)),
            T(np.zeros((4, 4)), memory="stepped"), T(np.zeros((3, 2)), memory="transposed"), T(np.zeros(3), grad=True)],
    "dtype": [Named("float32"), Named("float64"), Named("int32"), Named("bool"), "float32", 3, Named("float16"), Named("uint8"),
              Named("int64"), None],
    "dim": [0, -1, 5, None, (0,), (0, 1), (), (0, 0), -9], "axis": [0, -1, 5], "keepdim": [True, False, 1], "keepdims": [True],
    "inplace": [True, 1], "device": ["cpu", "nonsense", "meta2"], "layout": [Named("strided"), 3],
    "memory_format": [Named("contiguous_format"), Named("preserve_format"), 3],
    "requires_grad": [False, True, 1], "pin_memory": [False, 1], "generator": [Made(3), 3], "nonsense": [1],
    "reduction": ["none", "sum", "nonsense", 3], "alpha": [2, 0.5, "2", True], "size": [(2, 3), 3], "input": [T(X)], "other": [T(X), 2],
    "self": [T(X)], "correction": [0, 2.5, -1, 100], "unbiased": [False], "eps": [1e-3, -1.0], "dilation": [0, 2], "strict": [True],
    "atol": [-1.0, 0.1, 1], "rtol": [-1.0, 0.1], "kernel_size": [0, 2], "stride": [0, 2], "padding": [-1, 1, 100], "value": [2, 0.5, -1.0],
    "rounding_mode": ["floor", "trunc", "nonsense", None], "min": [0, 0.5], "max": [1, 1.5], "copy": [True], "non_blocking": [True],
}  # fmt: skip
NUMPY_NAMES = {"dim": "axis", "keepdim": "keepdims", "input": "x", "other": "x2"}
# What is done to a call, as often as it stands here.
OFTEN = {
    "as-it-is": 1,
    "kind": 3,
    "dtype": 2,
    "size": 1,
    "range": 2,
    "surplus": 1,
    "keyword": 2,
    "own": 2,
    "spelling": 1,
    "fewer": 1,
    "memory": 1,
    "part": 1,
    "values": 1,
    "element": 1,
}
WAYS = [way for way, times in OFTEN.items() for _ in range(times)]


def spoil(call: Call, rng: np.random.Generator) -> Call:
    """The call, or the call with something wrong or unusual about it."""
    return _Spoiler(call, rng).spoil()


class _Spoiler:
    """One call and what may be done to it: a method for each of OFTEN that says whether there was anything to do."""

    def __init__(self, call: Call, rng: np.random.Generator) -> None:
        self.call, self.rng = call, rng
        self.args, self.kwargs = list(call.args), dict(call.kwargs)
        self.first = 1 if is_method(call.name) else 0
        self.keys: list[Any] = [*range(self.first, len(self.args)), *self.kwargs]
        self.held: dict[Any, Any] = {**dict(enumerate(self.args)), **self.kwargs}
        # Tensors by their place, in a list by (place, number).
        self.tensors = {k: v for k, v in self.held.items() if isinstance(v, T)}
        self.tensors |= {(k, i): v for k, vs in self.held.items() if isinstance(vs, list | tuple) for i, v in enumerate(vs) if isinstance(v, T)}  # fmt: skip

    def spoil(self) -> Call:
        if (
            self.call.name.rstrip("_") != self.call.name and self.rng.random() < 0.5
        ):  # a leaf may not be changed in place
            for key, x in self.tensors.items():
                self.put(key, replace(x, inner=x.grad))
        how = self.pick(WAYS)
        if not getattr(self, "_" + how.replace("-", "_"))():
            how = "as-it-is"
        return replace(self.call, args=self.args, kwargs=self.kwargs, how=how)

    def pick(self, options: Any) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def put(self, key: Any, value: Any) -> None:
        if isinstance(key, tuple):
            place, i = key
            held = self.args[place] if isinstance(place, int) else self.kwargs[place]
            self.put(place, type(held)((*held[:i], value, *held[i + 1 :])))
        elif isinstance(key, int):
            self.args[key] = value
        else:
            self.kwargs[key] = value

    def _as_it_is(self) -> bool:
        return True

    def _kind(self) -> bool:
        if self.keys:
            self.put(self.pick(self.keys), self.pick(POOL))
        return bool(self.keys)

    def _dtype(self) -> bool:
        keys = list(self.tensors)
        for key in keys if self.rng.random() < 0.3 else [self.pick(keys)] if keys else []:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.put(key, replace(self.tensors[key], values=self.tensors[key].values.astype(self.pick(DTYPES)), grad=False, given=None))  # fmt: skip
        return bool(keys)

    def _size(self) -> bool:
        if not self.tensors:
            return False
        key = self.pick(list(self.tensors))
        x = self.tensors[key].values
        changed = self.pick([
            lambda: x.reshape(1, *x.shape), lambda: x[:0] if x.ndim else x.reshape(1), lambda: x.reshape(-1)[:1].copy(),
            lambda: np.array(x.reshape(-1)[0] if x.size else 1, x.dtype), lambda: x[:-1] if x.ndim else x, lambda: x.T.copy(),
            lambda: np.concatenate([x, x]) if x.ndim else x, lambda: x.reshape(-1), lambda: x[..., :0] if x.ndim else x,
        ])()  # fmt: skip
        self.put(key, replace(self.tensors[key], values=changed, given=None))
        return True

    def _values(self) -> bool:
        """A few elements are zeros, large, or alike."""
        if not self.tensors:
            return False
        key = self.pick(list(self.tensors))
        x = self.tensors[key].values.copy()
        for _ in range(int(self.rng.integers(1, 4)) if x.size else 0):
            value = self.pick(VALUES)
            if x.dtype.kind in "iu":
                value = self.pick([0, 1, 2, np.iinfo(x.dtype).max, np.iinfo(x.dtype).min])
            with np.errstate(all="ignore"):
                x.reshape(-1)[int(self.rng.integers(x.size))] = value
        self.put(key, replace(self.tensors[key], values=x))
        return True

    def _memory(self) -> bool:
        if not self.tensors:
            return False
        for key in list(self.tensors) if self.rng.random() < 0.3 else [self.pick(list(self.tensors))]:
            self.put(key, replace(self.tensors[key], memory=self.pick(MEMORIES)))
        return True

    def _part(self) -> bool:
        """One tensor on another's memory; or `out` on an input's."""
        whole = [k for k in self.tensors if not isinstance(k, tuple)]
        if not whole:
            return False
        place = self.pick(whole)
        others = [k for k in whole if k != place]
        self.put(self.pick(others) if others and self.rng.random() < 0.7 else "out", Part(place, self.pick(PARTS)))
        return True

    def _range(self) -> bool:
        numbers = [k for k in self.keys if isinstance(self.held[k], int | float) and not isinstance(self.held[k], bool)]
        if numbers:
            key = self.pick(numbers)
            self.put(key, self.pick(INTS if isinstance(self.held[key], int) else FLOATS))
        return bool(numbers)

    def _element(self) -> bool:
        """An element of a sequence: another number, another kind, one more, one less."""
        keys = [k for k in self.keys if isinstance(self.held[k], list | tuple) and self.held[k]]
        if not keys:
            return False
        key = self.pick(keys)
        held = self.held[key]
        i = int(self.rng.integers(len(held)))
        new = self.pick([(self.pick(INTS),), (self.pick(POOL),), (), (held[i], held[i])])
        self.put(key, type(held)((*held[:i], *new, *held[i + 1 :])))
        return True

    def _surplus(self) -> bool:
        self.args.append(self.pick(POOL))
        return True

    def _keyword(self) -> bool:
        name = self.pick(list(KEYWORDS))
        self.kwargs[name] = self.pick(KEYWORDS[name])
        return True

    def _own(self) -> bool:
        """A keyword of the function's own, in either engine."""
        names = [
            n for n in (*parameters(self.call.name, named=True), *schema_names(self.call.name)) if n not in self.held
        ]
        names = names[min(len(names), len(self.args)) :] if self.rng.random() < 0.8 else names
        if not names:
            return False
        name = self.pick(names)
        self.kwargs[name] = self.pick(KEYWORDS[name] if name in KEYWORDS and self.rng.random() < 0.7 else POOL)
        return True

    def _spelling(self) -> bool:
        names = parameters(self.call.name)
        some = [i for i in range(self.first, len(self.args)) if i < len(names)]
        if some:
            i = self.pick(some)
            for j in range(i, len(self.args)):  # what stands behind must be named too
                if j < len(names):
                    self.kwargs[names[j]] = self.args[j]
            del self.args[i:]
            if names[i] in NUMPY_NAMES and self.rng.random() < 0.5:
                self.kwargs[NUMPY_NAMES[names[i]]] = self.kwargs.pop(names[i])
        return bool(some)

    def _fewer(self) -> bool:
        if len(self.args) <= self.first:
            return False
        self.args.pop()
        return True


def is_method(name: str) -> bool:
    """Whether the first argument of the call is what stands before the dot."""
    return name.count(".") > 0 and name.split(".")[-2][:1].isupper()


def parameters(name: str, named: bool = False) -> list[str]:
    """A public function's parameters by position, as minigrad has them; `named`: and those that are given by name only."""
    function = resolve(minigrad, name)
    if isinstance(function, type):
        function = vars(function).get("__init__", function.__init__)  # type: ignore[misc]
        code = getattr(function, "__wrapped__", function).__code__
        return list(code.co_varnames[1 : code.co_argcount + named * code.co_kwonlyargcount])
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = function.__code__
    return list(code.co_varnames[: code.co_argcount + named * code.co_kwonlyargcount])


@functools.cache
def schema_names(name: str) -> list[str]:
    """The arguments of all overloads of the operator that PyTorch has under this name."""
    operator = "_".join(name.split(".")[-2 if name.startswith(("linalg.", "fft.", "special.")) else -1 :])
    schemas = TORCH.module._C._jit_get_schemas_for_operator(f"aten::{operator}")
    return sorted({a.name for schema in schemas for a in schema.arguments if len(a.name) > 1})


def chosen(calls: list[Call], prefixes: tuple[str, ...]) -> list[Call]:
    """The calls of names that start so: "Tensor." for methods, "torch." for functions of the engine's module itself."""
    return [c for c in calls if (c.name if "." in c.name else f"torch.{c.name}").startswith(prefixes or ("",))]


def drawn(calls: list[Call], seed: int, number: int) -> Call:
    """The call of this number."""
    rng = np.random.default_rng((seed, number))
    names = sorted({call.name for call in calls})
    name = names[int(rng.integers(len(names)))]
    some = [call for call in calls if call.name == name]
    return replace(spoil(some[int(rng.integers(len(some)))], rng), seed=number)
