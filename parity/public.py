"""What is public in minigrad: everything under these paths that a program may call must have a case."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

from .case import CASES, resolve
from .engines import MINIGRAD, TORCH

MODULES = (
    "", "autograd", "autograd.functional", "linalg", "nn", "nn.functional", "nn.init", "nn.utils", "optim", "optim.lr_scheduler",
    "random", "utils.data", "special",
)  # fmt: skip

# Operators are public by what they are, not by name.
OPERATORS = {
    f"__{prefix}{name}__"
    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor")
    for prefix in ("", "r", "i")
} | {f"__{n}__" for n in ("neg", "pos", "abs", "invert", "eq", "ne", "lt", "le", "gt", "ge", "getitem", "setitem", "len", "iter",
                          "bool", "float", "int", "index", "contains", "format", "repr")}  # fmt: skip

# Public, without a case of its own: why.
SETTING = "a setting, no computation: tests/test_engine.py and tests/test_graph.py"
OUTSIDE = "leaves the process or the engine: tests beside it"
SAME = "the same object under another name"
NO_TEXT = "texts of memory, time and place differ by nature"
EXEMPT: dict[str, str] = {
    "Tensor": "the type itself; every case makes one",
    "Size": "every shape that is compared is one",
    "device": "compared through Tensor.device",
    "dtype": "compared with every tensor",
    "use_kernels": "minigrad's own; every case runs with both settings",
    "get_default_dtype": SETTING,
    "set_default_dtype": SETTING,
    "set_printoptions": SETTING,
    "set_num_threads": SETTING,
    "get_num_threads": SETTING,
    "use_deterministic_algorithms": SETTING,
    "compile": "returns its argument; nothing is computed",
    "save": OUTSIDE,
    "load": OUTSIDE,
    "show_config": "minigrad's own: which kernels and libraries are in use",
    "default_generator": "the object behind manual_seed",
    "random.default_generator": "the object behind manual_seed",
    "seed": "takes its number from the system's entropy: no two runs agree",
    "random.seed": "takes its number from the system's entropy: no two runs agree",
    "autograd.Variable": "the base of Tensor",
    "autograd.graph": "a namespace for Node",
    "autograd.detect_anomaly": "tests/test_graph.py: what it prints and raises",
    "autograd.set_detect_anomaly": "tests/test_graph.py: what it prints and raises",
    "Tensor.bfloat16": "NumPy has no bfloat16: it is read from files and converted, not computed with",
    "Tensor.data_ptr": NO_TEXT,
    "Tensor.pin_memory": "returns the tensor: there is no device",
    "Tensor.share_memory_": "returns the tensor: there is one process",
    "Tensor.cuda": "raises without CUDA: parity/errors.py",
}


def _names(path: str) -> Iterator[tuple[str, Any]]:
    try:
        module = resolve(MINIGRAD.module, path) if path else MINIGRAD.module
    except AttributeError:
        return
    try:
        theirs = resolve(TORCH.module, path) if path else TORCH.module
    except AttributeError:
        theirs = None
    listed = getattr(module, "__all__", None)
    for name in listed if listed is not None else dir(module):
        value = getattr(module, name)
        if name.startswith("_") or isinstance(value, types.ModuleType):
            continue
        # Without a list of its own, a module's names are public if PyTorch has them in that place.
        if listed is None and path and not hasattr(theirs, name):
            continue
        if listed is None and (getattr(value, "__module__", None) or "minigrad").partition(".")[0] != "minigrad":
            continue
        yield (f"{path}.{name}" if path else name), value


def public() -> dict[str, Any]:
    """Every public name with its object."""
    found: dict[str, Any] = {}
    for path in MODULES:
        found.update(_names(path))
    for name in dir(MINIGRAD.Tensor):
        if (name in OPERATORS and name in _own(MINIGRAD.Tensor)) or not name.startswith("_"):
            found[f"Tensor.{name}"] = getattr(MINIGRAD.Tensor, name)
    return found


def _own(cls: type) -> set[str]:
    return {name for c in cls.__mro__ if c is not object for name in vars(c)}


def covered() -> set[str]:
    """The names that some case calls."""
    return {name for case in CASES.values() for name in case.covers}


def _is_constant(value: Any) -> bool:
    return (
        value is None
        or isinstance(value, int | float | str | bool)
        or type(value).__name__ in ("dtype", "layout", "memory_format")
    )


def missing() -> list[str]:
    """Public names without a case and without a reason."""
    from . import cases  # noqa: F401  fills the table

    have = covered()
    names = public()
    # Another name of a function that has a case under its own: math is the same; that PyTorch has that name too is checked.
    covered_objects = {id(names[n]) for n in have if n in names}
    left = []
    for name, value in names.items():
        if name in have or name in EXEMPT or _is_constant(value):
            continue
        plain = isinstance(value, types.FunctionType | type)
        if plain and id(value) in covered_objects and _torch_has(name):
            continue
        left.append(name)
    return sorted(left)


def _torch_has(name: str) -> bool:
    root: Any = TORCH.module
    try:
        resolve(root, name)
    except AttributeError:
        return False
    return True


def unknown_to_pytorch() -> list[str]:
    """Public names that PyTorch does not have: each must be minigrad's own by intent."""
    return sorted(n for n, v in public().items() if not _torch_has(n) and not _is_constant(v))
