"""How a call's arguments are read: in one place, from what a function's own signature says of them.

Functions inside minigrad call each other as they stand. What a program gets, `minigrad.sum`, `Tensor.sum` or
`nn.functional.linear`, is a *reader* around the function, made from its parameters and their annotations:

    def sum(input: Operand, dim: Dims = None, keepdim: bool = False, *, dtype: dtype | None = None)

        def sum(input=_missing, dim=None, keepdim=False, *more, dtype=None, **named):
            if type(input) in _tensors and (dim is None or ...) and type(keepdim) in _keepdim and not more and not named:
                return _function(input, dim, keepdim, dtype=dtype)
            return _read(...)

Calls as they should be pay for one `if`. All others are read by `Signature.read`, which knows

    kinds       what an annotation says is held: see KINDS. A tensor of no dimensions is a number too, as in PyTorch;
    spellings   `axis` for `dim`, `x1` for `input`, ... (SPELLINGS), where PyTorch takes them;
    out=        of the functions that have it: see out.py;
    mistakes    arguments that are missing, surplus, given twice, unknown or of another kind: TypeError, in PyTorch's words;
    numbers     integers of more than 64 bits (ValueError), and numbers that the elements' type cannot hold (RuntimeError)
                where a function says `@public(fits=...)`;
    memory      that there is not, and sizes that do not fit: NumPy's errors become PyTorch's RuntimeError;
    engines     another one's tensors, in the place of minigrad's: see foreign.py.

A reader is compiled when it is first called: `import minigrad` does not wait for it. Other ranges, sizes and the types of
elements are the functions' own business.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import linecache
import re
import types
from collections.abc import Callable, Iterable, Sized
from typing import Any

import numpy as np

from . import dtypes, out
from .autograd.variable import Variable
from .errors import InvalidObject, NotOneValue, WrongObject
from .foreign import explain, holds, refuse, said
from .random import Generator
from .size import Size, has_parts
from .warn import warn

LOWEST, HIGHEST = -(2**63), 2**63 - 1  # integers
NO = object()  # what a kind says of a value that it does not take
MISSING = object()  # in the place of an argument that was not given
UNGIVEN = object()  # and of one that means None then, but is not None


class Unsaid:
    """In the place of the default of an argument with two names. False: what was not given asks for nothing."""

    def __bool__(self) -> bool:
        return False


UNSAID = Unsaid()


def _is_scalar(x: Any, letters: str) -> bool:
    """Whether x is a tensor that stands for a number: no dimensions, no gradient, elements of these kinds."""
    return isinstance(x, Variable) and not x.array.ndim and x.array.dtype.kind in letters and not _requires_grad(x)


def _requires_grad(x: Variable) -> bool:
    return x._edge is not None or x._requires_grad


def _tensor(x: Any) -> Any:
    if not isinstance(x, Variable):
        return NO
    if type(x).__module__.startswith("minigrad."):  # a Parameter: from now on taken without looking
        TENSORS.add(type(x))
    return x


def _int(x: Any) -> Any:
    if isinstance(x, int) and not isinstance(x, bool):
        if not LOWEST <= x <= HIGHEST:
            raise ValueError(f"Overflow when unpacking long long: {x} does not fit 64 bits")
        return dtypes.plain(x)
    if isinstance(x, np.integer):
        return int(x)
    return int(x.array) if _is_scalar(x, "iu") else NO


def _number(x: Any) -> Any:
    if isinstance(x, int | float):
        return dtypes.plain(x)
    if isinstance(x, np.bool_ | np.integer | np.floating):
        return x.item()
    return x.array.item() if _is_scalar(x, "biuf") else NO


def _bool(x: Any) -> Any:
    return x if isinstance(x, bool) else NO


def _str(x: Any) -> Any:
    return x if isinstance(x, str) else NO


def _none(x: Any) -> Any:
    return x if x is None else NO


def _dtype(x: Any) -> Any:
    return x if isinstance(x, dtypes.dtype) or x is float or x is int or x is bool else NO


def _generator(x: Any) -> Any:
    return x if isinstance(x, Generator) else NO


def _array(x: Any) -> Any:
    return x if isinstance(x, np.ndarray) else NO


TENSORS: set[type] = set()  # the tensor classes of minigrad, as they are met
SEQUENCES = frozenset((list, tuple, Size))


class Kind:
    """What an argument may be: its name for messages, the types that need no second look, and how the others are read.

    error: of what is none, where PyTorch's function is one in Python, and sees it when it uses the argument.
    """

    def __init__(
        self, wanted: str, read: Callable[[Any], Any], *types: type, error: type[Exception] = TypeError
    ) -> None:
        self.wanted, self.read, self.types, self.error = wanted, read, frozenset(types), error


# By the word in the annotation.
KINDS = {
    "Tensor": Kind("Tensor", _tensor, error=WrongObject),
    "Operand": Kind("Tensor", _tensor, error=WrongObject),  # inside minigrad an array too
    "int": Kind("int", _int, int),
    "bool": Kind("bool", _bool, bool),
    "float": Kind("float", _number, float, int),
    "Number": Kind("Number", _number, float, int, bool),
    "str": Kind("str", _str, str),
    "None": Kind("None", _none, type(None)),
    "dtype": Kind("minigrad.dtype", _dtype, dtypes.dtype),
    "Generator": Kind("minigrad.Generator", _generator, Generator),
    "ndarray": Kind("np.ndarray", _array, np.ndarray),
    "Callable": Kind("callable", lambda x: x if callable(x) else NO, types.FunctionType),
    "Iterable": Kind(
        "iterable", lambda x: x if isinstance(x, Iterable) and has_parts(x) else NO, list, tuple, types.GeneratorType
    ),
    "Sized": Kind("something with a length", lambda x: x if isinstance(x, Sized) and has_parts(x) else NO, list, tuple),
}  # classes that come later add themselves by `add_kind`


def add_kind(cls: type) -> None:
    """Have annotations of this class looked at: its objects are a kind of their own."""
    KINDS[cls.__name__] = Kind(cls.__name__, lambda x: x if isinstance(x, cls) else NO, error=WrongObject)


# Names for several of them.
UNIONS = {
    "Dims": "int | Sequence[int] | None",
    "IntOrInts": "int | Sequence[int]",
    "Target": "int | Sequence[int | None]",
    "Ints": "Sequence[int]",
}
# What is said of no kind, or of one that the function reads itself.
FREE = ("Any", "object")

# NumPy's names for PyTorch's parameters, which PyTorch takes wherever its own reader of arguments runs.
SPELLINGS = {"dim": ("axis",), "keepdim": ("keepdims",), "input": ("x", "a", "x1"), "other": ("x2",)}
# Second names of functions under which PyTorch calls the parameters otherwise.
RENAMED: dict[tuple[str, str], dict[str, str]] = {
    ("function", "swapaxes"): {"dim0": "axis0", "dim1": "axis1"},
    ("method", "swapaxes"): {"dim0": "axis0", "dim1": "axis1"},
    ("method", "swapaxes_"): {"dim0": "axis0", "dim1": "axis1"},
    ("method", "split"): {"split_size_or_sections": "split_size"},
}
# And names that PyTorch's own code has where its documentation has others.
UNDOCUMENTED = {
    "lstsq": {"b": "B"},
    "tensorsolve": {"input": "A", "other": "B"},
    "cond": {"input": "A"},
    "matrix_rank": {"input": "A"},
    "uniform_": {"from": "from_"},  # a word of Python's own: given as **{"from": 0}
}
# Reductions that are several overloads in PyTorch: which arguments need a `dim` beside them, and whether it may be None there.
NEED_DIM: dict[str, tuple[str, bool]] = {
    "sum": ("keepdim", True), "mean": ("keepdim", True), "squeeze": ("False", False),
    **dict.fromkeys(("max", "min"), ("keepdim is not None", False)),
    **dict.fromkeys(("median", "nanmedian", "prod"), ("keepdim", False)),
    **dict.fromkeys(("var", "std", "var_mean", "std_mean"), ("keepdim is not None and unbiased is not None", True)),
}  # fmt: skip
# Arguments that are part of one overload only, which is meant where they are given: None then is not "not given".
TELLING: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("max", "min"), ("keepdim", "other")),
    **dict.fromkeys(("var", "std", "var_mean", "std_mean"), ("unbiased", "keepdim")),
    "eye": ("m",),
    "matrix_rank": ("tol",),
    "pinv": ("rcond",),
    "set_": ("storage_offset", "size"),
    "bernoulli": ("p",),
}
# Arguments that are less by their name than in their place, where they may be an overload's other one (`max(x, y)`, `var(x, False)`).
LESS_BY_NAME = {
    **dict.fromkeys(("max", "min"), ("dim", "int")),
    **dict.fromkeys(("var", "std", "var_mean", "std_mean"), ("dim", "Dims")),
    "repeat_interleave": ("input", "Tensor"),
}
# Arguments that a name has in nn.functional and not in minigrad itself.
FUNCTIONAL_ONLY = {"max_pool1d": ("return_indices",), "max_pool2d": ("return_indices",)}
# Functions of two tensors or numbers that PyTorch computes of two numbers too.
OF_NUMBERS = frozenset(("add", "sub", "mul", "div", "true_divide", "floor_divide"))
# Functions of any number of tensors that do not take a sequence in their place.
ONE_BY_ONE = frozenset(("block_diag", "broadcast_tensors", "cartesian_prod", "chain_matmul"))
# Orders of the arguments that PyTorch deprecates and still takes, with numbers between the tensors; `_` is the first tensor.
OLD_ORDERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("add", "sub"), ("_ alpha other",)),
    **dict.fromkeys(("addcmul", "addcdiv"), ("_ value tensor1 tensor2",)),
    "addmm": ("beta _ alpha mat1 mat2", "beta _ mat1 mat2"),
    "addmv": ("beta _ alpha mat vec", "beta _ mat vec"),
    "addr": ("beta _ alpha vec1 vec2", "beta _ vec1 vec2"),
    **dict.fromkeys(("addbmm", "baddbmm"), ("beta _ alpha batch1 batch2", "beta _ batch1 batch2")),
}
# What parameters of methods mean that are called so, where their annotation leaves it open.
BY_NAME = {
    "sample_shape": "Sequence[int]",
    "batch_shape": "Sequence[int]",
    "_instance": "Distribution | None",
    "shape": "tuple[int, ...]",
}
# Parameters of constructors of which one is given: where several are, that is what the constructor says, whatever they are.
ALTERNATIVES = (("probs", "logits"), ("covariance_matrix", "precision_matrix", "scale_tril"))
# PyTorch wrote these in Python: they take their own names only.
IN_PYTHON = frozenset(
    (
        "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_shapes", "broadcast_tensors", "cartesian_prod", "cdist",
        "chain_matmul", "einsum", "meshgrid", "norm", "split", "tensordot", "unique", "unique_consecutive",
    )
)  # fmt: skip
WRITTEN_IN_PYTHON = (
    "minigrad.nn.init",
    "minigrad.nn.utils",
    "minigrad.utils",
    "minigrad.autograd",
)  # all that is in there
AS_GIVEN = (
    "minigrad.nn.init"  # here it computes with NumPy's numbers and tensors of one as they are, in their own types
)
VALIDATES = "minigrad.distributions"  # here PyTorch looks at some arguments beforehand, with a ValueError
WORDS = ("reduction", "nonlinearity", "padding_mode")  # which PyTorch's Python compares with a list of its own
OF_OBJECTS = ("constructor", "member")  # whose first parameter is any object
IN_FUNCTIONAL = frozenset(  # and of those in nn.functional alone it did not write these in Python
    (
        "adaptive_avg_pool1d", "avg_pool1d", "avg_pool2d", "avg_pool3d", "bilinear", "celu_", "channel_shuffle", "conv1d", "conv2d",
        "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "cosine_similarity", "elu_", "gelu", "hardshrink",
        "hardtanh_", "leaky_relu_", "linear", "logsigmoid", "one_hot", "pairwise_distance", "pdist", "pixel_shuffle",
        "pixel_unshuffle", "prelu", "relu_", "rrelu_", "scaled_dot_product_attention", "selu_", "softplus", "softshrink", "threshold_",
    )
)  # fmt: skip


# In the constructor of a module: what PyTorch's own code tests for truth may be a number or None, but no word.
TRUTH = Kind("bool", lambda x: x if x is None or isinstance(x, int | np.bool_) else NO, bool)


class Union:
    """What an annotation says: one of several kinds, or a sequence of them."""

    def __init__(self, annotation: str, place: str = "function") -> None:
        self.kinds: list[Kind] = []
        self.elements: Union | None = None  # of a sequence
        self.free = False
        for word in _words(annotation):
            if word in UNIONS:
                inner = Union(UNIONS[word], place)
                self.kinds += inner.kinds
                self.elements = inner.elements or self.elements
            elif word.startswith(("Sequence[", "tuple[", "list[")):
                self.elements = Union(" | ".join(word[word.index("[") + 1 : -1].removesuffix(", ...").split(", ")))
            elif word.partition("[")[0] in ("Iterable", "Callable"):
                self.kinds.append(KINDS[word.partition("[")[0]])
            elif word == "bool" and place in OF_OBJECTS:
                self.kinds.append(TRUTH)
            elif word in KINDS:
                self.kinds.append(KINDS[word])
            else:
                self.free = True
        if self.elements is not None and self.elements.free:
            self.free = True
        self.kinds.sort(key=lambda kind: kind.read is not _tensor)  # a tensor stays one where a number would do too
        self.types = frozenset().union(*(kind.types for kind in self.kinds)) - {type(None)}
        self.tensors = any(kind.read is _tensor for kind in self.kinds)
        self.none = any(kind.read is _none for kind in self.kinds)

    @property
    def tensor_or_number(self) -> bool:
        """Whether it is what operators take, a tensor or a number."""
        return self.kinds == [KINDS["Operand"], KINDS["Number"]]

    @property
    def loose(self) -> bool:
        """Whether of what is given not each part is looked at."""
        return self.free or KINDS["Iterable"] in self.kinds or KINDS["Sized"] in self.kinds

    @property
    def error(self) -> type[Exception]:
        """Of what is no such thing, where PyTorch's function is one in Python."""
        return next((kind.error for kind in self.kinds if kind.wanted != "None"), TypeError)

    def refuse_none(self) -> None:
        self.kinds, self.none = [kind for kind in self.kinds if kind.read is not _none], False

    @property
    def wanted(self) -> str:
        """As in "must be Tensor or Number"."""
        names = list(dict.fromkeys(kind.wanted for kind in self.kinds if kind.wanted != "None"))
        if self.elements is not None:
            names.append(f"tuple of {self.elements.wanted}s")
        return " or ".join(names + ["None"] * self.none)

    def read(self, x: Any) -> Any:
        """x as the function takes it; NO where it is none of the kinds."""
        if self.free:
            return x
        for kind in self.kinds:
            found = kind.read(x)
            if found is not NO:
                return found
        if self.elements is not None and isinstance(x, list | tuple):
            try:
                read = [self.elements.read(element) for element in x]
            except ValueError:  # an integer of more than 64 bits: in a sequence PyTorch calls that another type
                return NO
            if not any(element is NO for element in read):
                return x if all(a is b for a, b in zip(read, x, strict=True)) else read if isinstance(x, list) else tuple(read)  # fmt: skip
        return NO

    def test(self, name: str, space: dict[str, Any], parameter: str = "") -> str:
        """An expression that is true of arguments of just these types; what it needs goes into space.

        parameter: whose default it has, where that is called otherwise.
        """
        if self.free:
            return ""
        parts = []
        default = space.get(f"_default_{parameter or name}", MISSING)
        if default is not MISSING:
            parts.append(f"{name} is _default_{parameter or name}")  # most calls leave most arguments out
        if self.none and default is not None:
            parts.append(f"{name} is None")
        if self.tensors:
            parts.append(f"type({name}) in _tensors")
        if self.types == {int}:
            parts.append(f"(type({name}) is int and {LOWEST} <= {name} <= {HIGHEST})")
        elif self.types:
            space[f"_of_{name}"] = self.types
            parts.append(f"type({name}) in _of_{name}")
        inner = self.elements and self.elements.all_types()
        if inner:
            space[f"_in_{name}"] = inner
            # Where one of them may have more than 64 bits they are read.
            small = f" and {LOWEST // 2} <= sum({name}) <= {HIGHEST // 2}" if inner == {int} else ""
            parts.append(f"(type({name}) in _sequences and _in_{name}.issuperset(map(type, {name})){small})")
        return "(" + " or ".join(parts) + ")" if len(parts) > 1 else parts[0] if parts else "False"

    def all_types(self) -> Any:
        """The types that need no second look, as a set; of tensors the set that grows as classes are met."""
        return TENSORS if self.tensors and not self.types else self.types


def _words(annotation: str) -> list[str]:
    """`int | Sequence[int | None]` -> int, Sequence[int | None]; without the modules' names."""
    words, depth = [""], 0
    for letter in annotation:
        depth += (letter == "[") - (letter == "]")
        if letter == "|" and not depth:
            words.append("")
        else:
            words[-1] += letter
    return [w if "[" in w else w.rpartition(".")[2] for w in (word.strip() for word in words)]


def _annotation(annotation: Any) -> str:
    if annotation is inspect.Parameter.empty:
        return "Any"
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def _said_of(p: inspect.Parameter, place: str) -> str:
    said = _annotation(p.annotation)
    return BY_NAME.get(p.name, said) if place == "member" and said == "Any" else said


def written_in_python(name: str, place: str, home: str) -> bool:
    """Whether PyTorch wrote the function of this name in Python, where it takes no second names of its arguments."""
    if home.startswith(WRITTEN_IN_PYTHON):
        return True
    if home.startswith("minigrad.nn"):
        return home.endswith("functional") and name not in IN_FUNCTIONAL
    return (name in IN_PYTHON and home != "minigrad.linalg") or (name, place) == ("unflatten", "method")


def _tensors_of(x: Any) -> list[Any]:
    """The tensor, or the tensors of a sequence; numbers and None are none."""
    if isinstance(x, Variable):
        return [x]
    return [y for y in x if isinstance(y, Variable)] if isinstance(x, list | tuple) else []


class Signature:
    """The parameters of a function, and how a call of it is read.

    place: "function", or "method" (its first parameter is the tensor before the dot), or "constructor", or "member" (a method of
    another object than a tensor).
    """

    def __init__(self, function: Callable[..., Any], name: str, place: str, home: str) -> None:
        self.function, self.name, self.place, self.home = function, name, place, home
        self.positional: list[str] = []
        self.named: list[str] = []  # parameters that are given by name only
        self.rest: str | None = None  # *rest
        self.unnamed = 0  # how many of them are not given by name
        self.options = False  # **options, read by the function
        self.defaults: dict[str, Any] = {}
        self.kinds: dict[str, Union] = {}
        renamed = RENAMED.get((place, name), {})
        for p in inspect.signature(function).parameters.values():
            p = p.replace(name=renamed.get(p.name, p.name))
            if p.name == "self" and place == "function":  # a method as a function
                p = p.replace(name="input", annotation="Tensor")
            first = place != "function" and not self.kinds
            self.kinds[p.name] = Union("Any" if first and place in OF_OBJECTS else "Tensor" if first else _said_of(p, place), place)  # fmt: skip
            if p.kind is p.VAR_KEYWORD:
                self.options = True
                continue
            if p.kind is p.VAR_POSITIONAL:
                self.rest = p.name
                self.kinds[p.name].elements = None  # one sequence in their place is read in any case
                continue
            self.unnamed += p.kind is p.POSITIONAL_ONLY
            (self.named if p.kind is p.KEYWORD_ONLY else self.positional).append(p.name)
            self.defaults[p.name] = MISSING if p.default is p.empty else p.default
        self.needs_dim = NEED_DIM.get(name.removesuffix("_")) if "dim" in self.defaults else None
        if self.needs_dim is not None:
            self.defaults["dim"] = UNGIVEN
            if not self.needs_dim[1]:
                self.kinds["dim"].refuse_none()
        self.telling = tuple(n for n in TELLING.get(name, ()) if n in self.defaults)
        for n in self.telling:
            self.defaults[n] = UNGIVEN
            self.kinds[n].refuse_none()
        self.alone: Callable[..., Any] | None = (
            None  # the overload of which the first argument alone is all that it needs
        )
        if place == "function" and (alone := getattr(function, "alone", None)) is not None:
            self.alone = reader(alone, "function", home)
        less = LESS_BY_NAME.get(name, ("", ""))
        before_the_dot = place == "method" and less[0] == self.positional[0]
        self.by_name = {less[0]: Union(less[1], place)} if less[0] in self.defaults and not before_the_dot else {}
        for gone in FUNCTIONAL_ONLY.get(name, ()) if home == "minigrad" else ():
            self.positional.remove(gone)
            del self.defaults[gone], self.kinds[gone]
        if place == "function" and name.endswith("_") and self.positional and self.kinds[self.positional[0]].tensor_or_number:  # fmt: skip
            self.kinds[self.positional[0]] = Union("Tensor")  # what is written to
        pair = tuple(self.positional[:2])
        either = place == "function" and len(pair) == 2 and all(self.kinds[n].tensor_or_number for n in pair)
        self.either = pair if either and name not in OF_NUMBERS else ()  # of these two one must be a tensor
        self.out = out.rule_of(name, home) if place == "function" and not home.startswith(WRITTEN_IN_PYTHON) else None
        self.same: tuple[str, ...] = getattr(function, "same", ())  # the tensors that must be of one type
        self.floats: tuple[str, ...] = getattr(function, "floats", ())  # and those that must be of a floating one
        self.fits: tuple[str, ...] = getattr(function, "fits", ())  # the numbers that their elements' type must hold
        own = written_in_python(name, place, home)
        self.in_python = own or place in OF_OBJECTS
        self.as_given = home == AS_GIVEN
        spelled = () if own or place in OF_OBJECTS else SPELLINGS
        self.spellings = {s: p for p in spelled if p in self.defaults for s in SPELLINGS[p] if s not in self.defaults}
        undocumented = UNDOCUMENTED.get(name, {}).items()
        self.spellings |= {
            s: p for s, p in undocumented if p in self.defaults and (place == "function" or p != self.positional[0])
        }
        if place == "method" and self.positional:
            self.spellings.pop(self.positional[0], None)
        # What was not given is told from a default that was: sum(x, 0, False, keepdims=True) says the same thing twice.
        twofold = {p for p in self.spellings.values() if self.defaults[p] not in (MISSING, UNGIVEN)}
        self.meant = {p: self.defaults[p] for p in twofold}
        self.defaults |= dict.fromkeys(twofold, UNSAID)

    # -- reading

    def read(self, values: dict[str, Any], rest: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Call the function with the arguments as they are meant. values: by parameter, MISSING or the default where not
        given; rest: more by position; named: by other names."""
        if self.place in OF_OBJECTS:  # the class may be one that was derived from it
            self.name = type(next(iter(values.values()))).__name__ + f".{self.function.__name__}" * (
                self.place == "member"
            )
        if rest and self.name.removesuffix("_") in OLD_ORDERS:
            found = self._old_order((*(values[p] for p in self.positional), *rest))
            if found is not None:
                return self.read({**values, **found}, (), named)
        if self.alone is not None and MISSING in (values[name] for name in self.positional[:2]):
            first = self.positional[0]
            if named.keys().isdisjoint((first, *(s for s, p in self.spellings.items() if p == first))):
                there = {name: value for name, value in values.items() if value is not self.defaults[name]}
                return self.alone(*([there.pop(first)] if first in there else []), **there, **named)
        target = MISSING
        for name in list(named):
            if name == "out" and self.out is not None:
                target = named.pop(name)
            elif name in self.spellings:
                parameter = self.spellings[name]
                if values[parameter] is not self.defaults[parameter]:
                    raise TypeError(f"{self.name}() got multiple values for argument '{parameter}' ('{name}')")
                values[parameter] = named.pop(name)
            elif name in self.by_name:
                if values[name] is not self.defaults[name]:
                    raise TypeError(f"{self.name}() got multiple values for argument '{name}'")
                value = named.pop(name)
                values[name] = self.by_name[name].read(value)
                if values[name] is NO:
                    self._refuse(name, value, None, self.by_name[name])
            elif name == self.rest and not rest:
                rest = (named.pop(name),)
            elif not self.options:
                raise TypeError(f"{self.name}() got an unexpected keyword argument '{name}'")
        if rest and self._takes_numbers_one_by_one():
            values[self.positional[-1]], rest = (values[self.positional[-1]], *rest), ()
        if rest and (self.rest is None or (len(rest) > 1 and self._one_sequence())):
            n = len(self.positional) + (self.rest is not None)
            given = len(self.positional) + len(rest)
            hidden = self.place != "function"
            raise TypeError(f"{self.name}() takes {n - hidden} positional arguments but {given - hidden} were given")
        if not rest and self.rest is not None and self._wants_sizes():
            raise TypeError(f'{self.name}() missing 1 required positional arguments: "{self.rest}"')
        unread = self._given_together(values) if self.place == "constructor" else ()
        for place, (name, value) in enumerate(values.items(), self.place == "function"):
            if name in unread:
                continue
            if value is self.defaults[name]:
                if value is MISSING:
                    raise TypeError(f'{self.name}() missing 1 required positional arguments: "{name}"')
                continue
            found = self.kinds[name].read(value)
            if self.place == "constructor" and self.kinds[name].loose:  # it would be kept, and used later
                refuse(self.name, {name: value})
            if found is NO:
                self._refuse(name, value, place if name in self.positional else None)
            values[name] = value if self.as_given else found
        if self.either and not any(isinstance(values[name], Variable) for name in self.either):
            a, b = self.either
            given_types = ", ".join(said(values[name]) for name in self.either)
            raise TypeError(f"{self.name}(): one of '{a}' and '{b}' must be Tensor, but got ({given_types})")
        values.update({n: None for n in self.telling if values[n] is UNGIVEN})
        values.update({n: default for n, default in self.meant.items() if values[n] is UNSAID})
        if self.needs_dim is not None and values["dim"] is UNGIVEN:
            without = target is not MISSING and self.name in ("sum", "prod", "median", "nanmedian")  # no such overload
            without |= target is not MISSING and self.name in ("std", "var") and values["unbiased"] is not None
            if without or eval(self.needs_dim[0], values.copy()):
                raise TypeError(f'{self.name}() missing 1 required positional arguments: "dim"')
            values["dim"] = None
        if self.rest is not None:
            rest = self._read_rest(rest)
        self._check_types({**values, str(self.rest): rest})
        call = functools.partial(
            self.function, *(values[p] for p in self.positional), *rest, **{p: values[p] for p in self.named}, **named
        )
        if target is MISSING or target is None:
            return call()
        assert self.out is not None
        return out.write(self.name, self.out, call, target, self._takes_dtype(values))

    def _given_together(self, values: dict[str, Any]) -> list[str]:
        """The alternatives of which more than one is given."""
        given = [[name for name in group if values.get(name) is not None] for group in ALTERNATIVES]
        return [name for names in given if len(names) > 1 for name in names]

    def _old_order(self, given: tuple[Any, ...]) -> dict[str, Any] | None:
        """The arguments by name, where they are given in an order that PyTorch deprecates; with its warning."""
        for order in OLD_ORDERS[self.name.removesuffix("_")]:
            names = order.split()
            if self.place == "method":  # there the tensor stands before the dot
                names.remove("_")
                names.insert(0, "_")
            if len(names) == len(given) and not any(
                isinstance(given[names.index(n)], Variable) for n in ("alpha", "beta", "value") if n in names
            ):
                warn(
                    f"This overload of {self.name} is deprecated: {self.name}({', '.join(names[self.place == 'method' :])}). Consider "
                    "using one of the following signatures instead, with the numbers by name"
                )
                return {self.positional[0] if n == "_" else n: x for n, x in zip(names, given, strict=True)}
        return None

    def _check_types(self, values: dict[str, Any]) -> None:
        """RuntimeError where tensors of one type are wanted and several given, NotImplementedError for what must be floats."""
        same = [(name, dtypes.from_numpy(x.array.dtype)) for name in self.same for x in _tensors_of(values[name])]
        if len({d for _, d in same}) > 1:
            said = ", ".join(f"{name}: {d}" for name, d in same)
            raise RuntimeError(
                f"{self.name}(): expected all tensors to have the same dtype, but got {said}; convert them first"
            )
        for d in (x.array.dtype for name in self.floats for x in _tensors_of(values[name])):
            if d.kind != "f":
                raise NotImplementedError(
                    f"\"{self.name}\" not implemented for '{dtypes.cxx_name(d)}'; convert the tensor with .float() first"
                )

        for x in (values[name] for name in self.fits):
            if isinstance(x, int | float):
                arrays = [y.array for value in values.values() for y in _tensors_of(value)]
                types = [y.dtype for y in arrays if y.ndim] or [y.dtype for y in arrays] or [dtypes.scalar_numpy(x)]
                d = functools.reduce(dtypes.promote_numpy, types)
                dtypes.element(x, d if d.kind == "f" or isinstance(x, int) else dtypes.default_numpy())

    def _test_types(self) -> list[str]:
        """The same as expressions for the quick path; there types are compared by identity."""
        tests = []
        for name in self.floats:
            tests.append(f"(type({name}) not in _tensors or {name}.array.dtype.kind == 'f')")
        for name in self.fits:  # the numbers that every type holds
            tests.append(f"({name} is _default_{name} or type({name}) in _tensors or -128 <= {name} <= 127)")
        for a, b in itertools.pairwise(n for n in self.same if n in self.defaults):
            tests.append(f"(type({b}) not in _tensors or {a}.array.dtype is {b}.array.dtype)")
        return tests + ["False"] * (self.rest in self.same)

    def _takes_dtype(self, values: dict[str, Any]) -> bool:
        """Whether the call leaves open in which type to compute, so that it is out's."""
        return self.options or ("dtype" in values and values["dtype"] is None)

    def _one_sequence(self) -> bool:
        """Whether `f(x, 2, 3)` is refused for `f(x, (2, 3))`: PyTorch takes numbers one by one where nothing stands before."""
        return self.place == "function" and bool(self.positional) and self.kinds[str(self.rest)].wanted == "int"

    def _wants_sizes(self) -> bool:
        """Whether *rest stands for sizes or dimensions, which may be () but not left out."""
        return self.rest is not None and self.kinds[self.rest].wanted.startswith("int")

    def _takes_numbers_one_by_one(self) -> bool:
        """Whether `x.f(2, 3)` is taken for `x.f((2, 3))`."""
        elements = self.kinds[self.positional[-1]].elements if self.positional else None
        return (
            self.place == "method" and len(self.positional) == 2 and elements is not None and elements.wanted == "int"
        )

    def _read_rest(self, rest: tuple[Any, ...]) -> tuple[Any, ...]:
        assert self.rest is not None
        kind = self.kinds[self.rest]
        if self.place == "constructor":
            refuse(self.name, {self.rest: rest})
        if kind.free or not rest:
            return rest
        if len(rest) == 1 and isinstance(rest[0], list | tuple):
            if self.name in ONE_BY_ONE:
                self._refuse(self.rest, rest[0], len(self.positional) + 1)
            elements = tuple(kind.read(x) for x in rest[0])
            if any(x is NO for x in elements):
                self._refuse(self.rest, rest[0], len(self.positional) + 1)
            return (elements,)
        if self._one_sequence():
            self._refuse(self.rest, rest[0], len(self.positional) + 1)
        read = tuple(kind.read(x) for x in rest)
        for x, found in zip(rest, read, strict=True):
            if found is NO:
                self._refuse(self.rest, x, None)
        return read

    def _refuse(self, name: str, value: Any, place: int | None, kind: Union | None = None) -> None:
        kind = kind or self.kinds[name]
        wanted = f"tuple of {kind.wanted}s" if name == self.rest else kind.wanted
        given = said(value)
        if isinstance(value, Variable) and not kind.tensors:
            given = f"{given} of shape {list(value.array.shape)} and type {dtypes.from_numpy(value.array.dtype)}"
            if _requires_grad(value):
                given += " that requires grad"
        elif isinstance(value, list | tuple):
            given = f"{given} of ({', '.join(dict.fromkeys(map(said, value)))})"
        where = f" (position {place})" if place is not None else ""
        error: type[Exception] = TypeError
        if self.in_python:  # PyTorch sees it when it uses the argument
            if name in WORDS:
                error = ValueError
            elif name != self.rest and kind.error is not TypeError:
                error = InvalidObject if self.home.startswith(VALIDATES) and kind.error is WrongObject else kind.error
            elif isinstance(value, Variable) and value.array.size != 1:
                error = NotOneValue
        raise error(f"{self.name}(): argument '{name}'{where} must be {wanted}, not {given}")

    def _failed(self, error: Exception, values: dict[str, Any], rest: tuple[Any, ...], named: dict[str, Any]) -> None:
        """What a program is told where the function fell over something that is not its own business to look for; else nothing."""
        if isinstance(error, MemoryError | ValueError | OverflowError):
            _too_large(error)
        explain(error, self.name, {**values, str(self.rest): rest, **named})

    # -- the reader

    def compile(self, reader: types.FunctionType) -> None:
        """Give a reader its code: the test of a call as it should be, and what happens else."""
        space: dict[str, Any] = reader.__globals__
        space |= {"_tensors": TENSORS, "_sequences": SEQUENCES, "_function": self.function, "_read": self.read}
        space["_failed"], space["_holds"] = self._failed, holds
        hidden = 1 if self.place != "function" else 0  # the first argument of a method is what it says
        parameters, given, tests, passed = [], [], [], []
        for i, name in enumerate((*self.positional, *self.named)):
            if i == len(self.positional):
                parameters.append(f"*{self.rest or '_more'}")
            space[f"_default_{name}"] = self.defaults[name]
            at = f"_at_{name}" if name in self.by_name else name  # what is given in its place, where that is told apart
            parameters.append(f"{at}=_default_{name}")
            if i + 1 == self.unnamed:
                parameters.append("/")
            given.append(f"'{name}': {at}")
            value = f"None if {name} is _default_{name} else {name}" if self.defaults[name] is UNGIVEN else name
            if name in self.meant:
                space[f"_meant_{name}"] = self.meant[name]
                value = f"_meant_{name} if {name} is _default_{name} else {name}"
            if name in self.by_name:
                value = f"{at} if {at} is not _default_{name} else {value}"
            passed.append(f"{name}={value}" if name in self.named else value)
            if i >= hidden or self.defaults[name] is not MISSING:
                tests.append(self.kinds[name].test(at, space, name))
                if self.place == "constructor" and self.kinds[name].loose:
                    tests.append(f"({at} is _default_{name} or not _holds({at}))")
                if self.kinds[name].free and self.defaults[name] is MISSING:
                    space["_missing"] = MISSING
                    tests.append(f"{name} is not _missing")
            elif self.place == "method":
                tests.append(f"type({name}) in _tensors")
        if self.either:
            tests.append(" or ".join(f"type({name}) in _tensors" for name in self.either).join("()"))
        if self.needs_dim is not None:
            needed = self.needs_dim[0]
            for name in self.telling:
                needed = needed.replace(f"{name} is not None", f"{name} is not _default_{name}")
            there = "".join(f"{n} is not _default_dim or " for n in ("dim", "_at_dim")[: 1 + ("dim" in self.by_name)])
            tests.append(f"({there}not ({needed}))")
        tests += self._test_types()
        rest = self.rest or "_more"
        if not self.named:
            parameters.append(f"*{rest}")
        named = "_named"
        for name, kind in self.by_name.items():
            parameters.append(f"{name}=_default_{name}")
            tests.append(
                f"({name} is _default_{name} or (_at_{name} is _default_{name} and {kind.test(name, space) or True}))"
            )
            named = f"{{**{named}, '{name}': {name}}} if {name} is not _default_{name} else {named}"
        if self.rest is not None:
            passed.insert(len(self.positional), f"*{rest}")
            if self.place == "constructor" and self.kinds[rest].loose:
                tests.append(f"not _holds({rest})")
            if self._wants_sizes():
                tests.append(rest)
            if self._one_sequence():
                tests.append(f"len({rest}) == 1 and type({rest}[0]) in _sequences")
            if not (kind := self.kinds[rest]).free and not self._wants_sizes():  # `dims.sizes` reads those
                space["_rest"] = kind.all_types()
                tests.append(f"_rest.issuperset(map(type, {rest}))")
        else:
            tests.append("not _more")
        if self.options:
            special = {"out"} | set(self.spellings) | ({self.rest} if self.rest else set())
            space["_special"] = frozenset(special)
            tests.append("(not _named or _special.isdisjoint(_named))")
            passed.append("**_named")
        else:
            tests.append("not _named")
        source = (
            f"def {self.name.rpartition('.')[2]}({', '.join([*parameters, '**_named'])}):\n"
            f"    try:\n"
            f"        if {' and '.join(t for t in tests if t)}:\n"
            f"            return _function({', '.join(passed)})\n"
            f"        return _read({{{', '.join(given)}}}, {rest}, {named})\n"
            f"    except Exception as error:\n"
            f"        _failed(error, {{{', '.join(given)}}}, {rest}, {named})\n"
            f"        raise\n"
        )
        file = f"<the reader of {self.name}>"
        linecache.cache[file] = (len(source), None, source.splitlines(True), file)  # for tracebacks
        made: dict[str, Any] = {}
        exec(compile(source, file, "exec"), space, made)
        finished = made[self.name.rpartition(".")[2]]
        reader.__defaults__, reader.__kwdefaults__ = finished.__defaults__, finished.__kwdefaults__
        reader.__code__ = finished.__code__  # at last: until now it would compile itself again


# What NumPy says of sizes that no memory has and of integers that do not fit its own.
_TOO_LARGE = re.compile(
    "array is too big|Maximum allowed (dimension|size) exceeded|iterator is too large|dimension.* too large|negative dimensions|"
    "too large to convert|integer is (greater|less) than (maximum|minimum)|broadcast dimensions too large"
)


_DO_NOT_FIT = re.compile(
    "zero-size array to reduction|could not be broadcast|shape mismatch: objects|could not broadcast|cannot reshape array of size"
)


def _too_large(error: Exception) -> None:
    """RuntimeError, as PyTorch says it, where NumPy found a size too large, or two that do not fit, or no memory.

    IndexError where it found no such dimension. Other errors are let through.
    """
    if isinstance(
        error, np.exceptions.AxisError
    ):  # a tensor without dimensions, whose dimension 0 PyTorch knows and NumPy does not
        raise IndexError(f"Dimension out of range: {error}") from None
    if isinstance(error, MemoryError) or _TOO_LARGE.search(str(error)):
        raise RuntimeError(f"there is not so much memory, or the number is too large: {error}") from None
    if _DO_NOT_FIT.search(str(error)):
        raise RuntimeError(f"the sizes do not fit: {error}") from None


def _unread(*args: Any, **kwargs: Any) -> Any:
    """The code of a reader until its first call."""
    return _compiled()(*args, **kwargs)  # type: ignore[name-defined]  # noqa: F821  in the reader's own globals


_readers: dict[tuple[Callable[..., Any], str, str, bool, str | None], Callable[..., Any]] = {}


def reader(function: Callable[..., Any], place: str, home: str, public_name: str = "") -> Callable[..., Any]:
    """What a program gets in the place of `function`: the same function, its arguments read. One for each place.

    home: the module or class in which the program finds it, under which it is pickled. public_name: its name there.
    """
    name = public_name if place == "constructor" or (place, public_name) in RENAMED else function.__name__
    own = home if place == "function" and name in FUNCTIONAL_ONLY else ""
    in_python = written_in_python(name, place, home)
    key = (function, place, name + own, in_python, out.rule_of(name, home) if place == "function" else None)
    found = _readers.get(key)
    if found is not None:
        return found
    made = types.FunctionType(_unread.__code__, {"__builtins__": __builtins__, "__name__": __name__}, name)

    def compiled() -> Callable[..., Any]:
        Signature(function, name, place, home).compile(made)
        return made

    made.__globals__["_compiled"] = compiled
    functools.update_wrapper(made, function)
    made.reads = function  # type: ignore[attr-defined]
    made.__module__ = home
    made.__qualname__ = {"function": name, "method": f"Tensor.{name}"}.get(place, function.__qualname__)
    _readers[key] = made
    return made


def publish(names: dict[str, Any], home: str) -> dict[str, Any]:
    """The readers of the public functions among `names`; home: the module in which a program finds them.

    In a module other than minigrad itself these are the functions that it defines or lists: what it imports is not its own.
    """
    made, listed = set(_readers.values()), names.get("__all__", ())
    return {
        n: f if f in made else reader(f, "function", home, n)
        for n, f in list(names.items())
        if _is_public(n, f) and (home == "minigrad" or f.__module__ == home or n in listed)
    }


def _is_public(name: str, value: Any) -> bool:
    return (
        not name.startswith("_") and isinstance(value, types.FunctionType) and value.__module__.startswith("minigrad.")
    )


def _takes_more(method: types.FunctionType) -> bool:
    """Whether a method takes anything but `self`."""
    code = method.__code__
    return code.co_argcount + code.co_kwonlyargcount > 1 or bool(
        code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
    )


def publish_methods(cls: type) -> None:
    """Put readers in the place of a class's methods. Of one that takes nothing but `self` Python reads the arguments."""
    for name, value in list(vars(cls).items()):
        if _is_public(name, value) and (_takes_more(value) or vars(value).get("same") or vars(value).get("floats")):
            setattr(cls, name, reader(value, "method", cls.__module__, name))


def publish_members(cls: type, *named: str, but: tuple[str, ...] = ()) -> None:
    """Put readers in the place of the methods of a class that is no tensor; `named`: also of these, `but`: not of those."""
    for name, value in list(vars(cls).items()):
        if name not in but and (_is_public(name, value) or name in named) and _takes_more(value):
            setattr(cls, name, reader(value, "member", cls.__module__, name))


def publish_constructor(cls: type) -> None:
    """Put a reader in the place of a class's own `__init__`; classes of a program's own keep theirs."""
    function = vars(cls).get("__init__")
    if getattr(function, "reads", None) is not None:
        return
    if cls.__module__.startswith("minigrad.") and isinstance(function, types.FunctionType):
        setattr(cls, "__init__", reader(function, "constructor", cls.__module__, cls.__name__))  # noqa: B010
