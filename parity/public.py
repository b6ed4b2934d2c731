"""What is public in minigrad, and what tests each public name: a case of the table, or a test that is named here.

Public is every name without an underscore in every public module, whether PyTorch has that name or not; every method of
`Tensor`; and the special methods of `Tensor` that PyTorch's has too. A module is public where PyTorch has one in that place.

What PyTorch lacks has a case with a `reference` of its own (see `case.op`), or a test.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .case import CASES, resolve
from .engines import MINIGRAD, TORCH

# Rooms of minigrad's own that by chance are called as a module of PyTorch: what is public in them stands elsewhere.
ROOMS = {
    "ops",
    "storage",
    "serialization",
    "nn.attention",
    "utils.data.dataset",
    "utils.data.sampler",
    "autograd.graph",
    "autograd.function",
    "autograd.gradcheck",
    "autograd.variable",
}

# Names that a module offers beside those that it defines itself: where they are defined.
ALSO_FROM = {"nn.functional": ("minigrad.ops",)}

# Operators are public by what they are, not by name.
OPERATORS = {
    f"__{prefix}{name}__"
    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor")
    for prefix in ("", "r", "i")
} | {f"__{n}__" for n in ("neg", "pos", "abs", "invert", "eq", "ne", "lt", "le", "gt", "ge", "getitem", "setitem", "len", "iter",
                          "bool", "float", "int", "index", "contains", "format", "repr", "hash", "array", "dlpack",
                          "dlpack_device", "deepcopy", "reduce_ex", "dir")}  # fmt: skip
UNDERSCORED = ("_base", "_is_view", "_version")  # of Tensor: PyTorch's programs read them, whatever their name says

# What has no case because it cannot be written as a function of both engines: the test that compares it.
PUBLIC = "tests/test_parity_public.py::"
TESTED: dict[str, str] = {
    "get_default_dtype": PUBLIC + "test_the_default_dtype",
    "set_default_dtype": PUBLIC + "test_the_default_dtype",
    "set_printoptions": PUBLIC + "test_printoptions",
    "set_num_threads": PUBLIC + "test_threads",
    "get_num_threads": PUBLIC + "test_threads",
    "use_deterministic_algorithms": PUBLIC + "test_deterministic_algorithms",
    "compile": PUBLIC + "test_compile_returns_a_function_that_computes_the_same",
    "show_config": PUBLIC + "test_show_config_names_what_is_in_use",
    "use_kernels": PUBLIC + "test_kernels_are_switched_off_and_on",
    "autograd.detect_anomaly": PUBLIC + "test_anomaly_is_found_where_it_begins",
    "autograd.set_detect_anomaly": PUBLIC + "test_anomaly_is_found_where_it_begins",
    "Tensor.data_ptr": PUBLIC + "test_data_ptr_is_shared_by_what_shares_memory",
    "Tensor.pin_memory": PUBLIC + "test_there_is_one_process_and_one_kind_of_memory",
    "Tensor.share_memory_": PUBLIC + "test_there_is_one_process_and_one_kind_of_memory",
    "Tensor.bfloat16": PUBLIC + "test_bfloat16_is_refused",
    "Tensor.cuda": PUBLIC + "test_cuda_is_refused",
    "Tensor.__hash__": PUBLIC + "test_tensors_are_hashed_by_what_they_are_and_not_by_their_values",
    "Tensor.__dir__": PUBLIC + "test_dir_names_what_a_tensor_has",
    "cuda.is_available": PUBLIC + "test_there_is_no_cuda",
    "cuda.device_count": PUBLIC + "test_there_is_no_cuda",
    "cuda.empty_cache": PUBLIC + "test_there_is_no_cuda",
    "cuda.is_bf16_supported": PUBLIC + "test_there_is_no_cuda",
    "cuda.manual_seed": PUBLIC + "test_there_is_no_cuda",
    "cuda.manual_seed_all": PUBLIC + "test_there_is_no_cuda",
    "cuda.synchronize": PUBLIC + "test_there_is_no_cuda",
    "utils.data.get_worker_info": PUBLIC + "test_samples_are_read_in_the_main_process",
    "save": PUBLIC + "test_what_is_saved_is_loaded",
    "load": PUBLIC + "test_what_is_saved_is_loaded",
    "seed": PUBLIC + "test_seed_takes_another_number_each_time",
    "random.seed": PUBLIC + "test_seed_takes_another_number_each_time",
    "default_generator": PUBLIC + "test_the_default_generator_is_behind_the_functions",
    "random.default_generator": PUBLIC + "test_the_default_generator_is_behind_the_functions",
}  # fmt: skip

# What nothing can test apart from everything else: why.
EXEMPT: dict[str, str] = {
    "Tensor": "the type itself; every case makes one",
    "Size": "every shape that is compared is one",
    "device": "compared through Tensor.device",
    "dtype": "compared with every tensor",
    "autograd.Variable": "the base of Tensor",
    "autograd.Operation": "the base of every operation",
    "autograd.Fused": "the base of every operation that has several forms",
}


def modules() -> dict[str, types.ModuleType]:
    """Every public module by its path: those of minigrad that stand where PyTorch has a module too."""
    found: dict[str, types.ModuleType] = {"": MINIGRAD.module}
    waiting = [""]
    while waiting:
        path = waiting.pop()
        for name, value in vars(found[path]).items():
            inner = f"{path}.{name}" if path else name
            if name.startswith("_") or inner in found or inner in ROOMS or not isinstance(value, types.ModuleType):
                continue
            if value.__name__.partition(".")[0] == MINIGRAD.name and isinstance(_theirs(inner), types.ModuleType):
                found[inner] = value
                waiting.append(inner)
    return found


def _theirs(path: str) -> Any:
    """What PyTorch has in that place; None if it has nothing there."""
    try:
        return resolve(TORCH.module, path)
    except AttributeError:
        return None


def _names(path: str, module: types.ModuleType) -> Iterator[tuple[str, Any]]:
    """The public names of a module: those that it lists, those that it or its parts define, and those that PyTorch has there."""
    listed = getattr(module, "__all__", None)
    # What a package brings together is meant to be seen; a file with a list may define helpers beside what it lists.
    whole = listed is None or hasattr(module, "__path__") or path in ALSO_FROM
    homes = (module.__name__, *ALSO_FROM.get(path, ()))
    here = (name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__)
    for name in sorted({*dir(module), *here}):  # dir may show less than can be reached
        value = getattr(module, name)
        if name.startswith("_") or isinstance(value, types.ModuleType):
            continue
        inner = f"{path}.{name}" if path else name
        home = getattr(value, "__module__", None) or ""
        if not isinstance(home, str):  # an object that answers to every name
            home = ""
        own = whole and any(home == h or home.startswith(f"{h}.") for h in homes)
        ours = home.partition(".")[0] == MINIGRAD.name or not home
        if name in (listed or ()) or own or (ours and _theirs(inner) is not None):
            yield inner, value


def public() -> dict[str, Any]:
    """Every public name with its object."""
    found: dict[str, Any] = {}
    for path, module in modules().items():
        found.update(_names(path, module))
    own = _own(MINIGRAD.Tensor)
    for name in dir(MINIGRAD.Tensor):
        if (name in OPERATORS | set(UNDERSCORED) and name in own) or not name.startswith("_"):
            found[f"Tensor.{name}"] = getattr(MINIGRAD.Tensor, name)
    return found


def _own(cls: type) -> set[str]:
    return {name for c in cls.__mro__ if c is not object for name in vars(c)}


def covered() -> set[str]:
    """The names that some case calls."""
    from . import cases  # noqa: F401  fills the table

    return {name for case in CASES.values() for name in case.covers}


def _is_constant(value: Any) -> bool:
    return (
        value is None
        or isinstance(value, int | float | str | bool)
        or type(value).__name__ in ("dtype", "layout", "memory_format")
    )


def _bare(value: Any) -> Any:
    """A function without what reads its arguments (minigrad/signature.py)."""
    return vars(value).get("reads", value) if isinstance(value, types.FunctionType) else value


def missing() -> list[str]:
    """Public names without a case, without a test and without a reason."""
    have = covered()
    names = public()
    # Another name of a function that has a case under its own: the mathematics is the same.
    covered_objects = {id(_bare(names[n])) for n in names if n in have or n in TESTED or n in EXEMPT}
    left = []
    for name, value in names.items():
        if name in have or name in TESTED or name in EXEMPT or _is_constant(value):
            continue
        plain = isinstance(value, types.FunctionType | type)
        if plain and id(_bare(value)) in covered_objects and _theirs(name) is not None:
            continue
        left.append(name)
    return sorted(left)


def unknown_to_pytorch() -> list[str]:
    """Public names that PyTorch does not have: each must be minigrad's own by intent."""
    return sorted(n for n, v in public().items() if _theirs(n) is None and not _is_constant(v))


def without_reference() -> list[str]:
    """Names that PyTorch lacks whose cases name no reference: both sides cannot have been run."""
    strange = set(unknown_to_pytorch())
    return sorted(n for case in CASES.values() if case.reference is None for n in strange & set(case.covers))


ROOT = Path(__file__).parents[1]


def untested() -> list[str]:
    """What is wrong with the tests named in TESTED: a test that is not there, or that never says the name."""
    wrong = []
    for name, node in TESTED.items():
        file, _, test = node.partition("::")
        path = ROOT / file
        if not path.is_file():
            wrong.append(f"{name}: there is no file {file}")
            continue
        body: ast.AST | None = ast.parse(path.read_text())
        for part in test.split("::"):
            inside = getattr(body, "body", ())
            body = next((d for d in inside if isinstance(d, ast.FunctionDef | ast.ClassDef) and d.name == part), None)
        if body is None:
            wrong.append(f"{name}: {file} has no test called {test}")
        elif not _says(body, name.rpartition(".")[2]):
            wrong.append(f"{name}: {node} does not use it")
    return wrong


def _says(body: ast.AST, name: str) -> bool:
    """Whether code (not a text or a comment) uses a name, alone or as an attribute."""
    nodes = ast.walk(body)
    return any(
        (isinstance(n, ast.Attribute) and n.attr == name) or (isinstance(n, ast.Name) and n.id == name) for n in nodes
    )
