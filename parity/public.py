"""What is public in minigrad, and what tests each public name: a case of the table, or a test that is named here.

Public is every name without an underscore in every public module, whether PyTorch has that name or not; every method of
`Tensor`; and the special methods of `Tensor` that PyTorch's has too. A module is public where PyTorch has one in that place.

What PyTorch lacks has a case with a `reference` of its own (see `case.op`), or a test.
"""

from __future__ import annotations

import ast
import functools
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
    "is_inference": "tests/test_modes.py::test_the_mark_goes_with_the_memory",
    "utils.checkpoint.checkpoint": "tests/test_checkpoint.py::test_the_same_numbers",
    "utils.checkpoint.checkpoint_sequential": "tests/test_checkpoint.py::test_sequential",
    "utils.checkpoint.CheckpointError": "tests/test_checkpoint.py::test_errors",
    "utils.checkpoint.CheckpointFunction": "tests/test_checkpoint.py::test_the_names_behind",
    "utils.checkpoint.noop_context_fn": "tests/test_checkpoint.py::test_the_names_behind",
    "Tensor.is_inference": "tests/test_modes.py::test_the_mark_goes_with_the_memory",
    "Tensor.data_ptr": PUBLIC + "test_data_ptr_is_shared_by_what_shares_memory",
    "TypedStorage": "tests/test_storages.py::test_a_storage_is_the_memory_of_a_tensor",
    "UntypedStorage": "tests/test_storages.py::test_a_storage_is_the_memory_of_a_tensor",
    "Tensor.pin_memory": PUBLIC + "test_there_is_one_process_and_one_kind_of_memory",
    "Tensor.share_memory_": PUBLIC + "test_there_is_one_process_and_one_kind_of_memory",
    "Tensor.bfloat16": PUBLIC + "test_bfloat16_is_refused",
    "Tensor.cuda": PUBLIC + "test_cuda_is_refused",
    "Tensor.__hash__": PUBLIC + "test_tensors_are_hashed_by_what_they_are_and_not_by_their_values",
    "Tensor.__dir__": PUBLIC + "test_dir_names_what_a_tensor_has",
    "utils.data.get_worker_info": PUBLIC + "test_samples_are_read_in_the_main_process",
    "save": PUBLIC + "test_what_is_saved_is_loaded",
    "load": PUBLIC + "test_what_is_saved_is_loaded",
    "seed": PUBLIC + "test_seed_takes_another_number_each_time",
    "random.seed": PUBLIC + "test_seed_takes_another_number_each_time",
    "default_generator": PUBLIC + "test_the_default_generator_is_behind_the_functions",
    "linalg.LinAlgError": "tests/test_linalg.py::test_a_matrix_without_inverse",
    "random.default_generator": PUBLIC + "test_the_default_generator_is_behind_the_functions",
}  # fmt: skip

# The names of machines, settings and older releases, by the test of tests/test_legacy.py that compares them.
LEGACY = {
    "test_tensor_types": (
        "FloatTensor DoubleTensor HalfTensor BFloat16Tensor LongTensor IntTensor ShortTensor CharTensor "
        "ByteTensor BoolTensor"
    ),
    "test_tensors_and_new": (
        "Tensor.new"
    ),
    "test_variable": (
        "autograd.Variable"
    ),
    "test_the_default_tensor_type": (
        "set_default_tensor_type"
    ),
    "test_settings_are_answered_as_they_were_set": (
        "are_deterministic_algorithms_enabled get_default_device get_deterministic_debug_mode "
        "get_float32_matmul_precision get_num_interop_threads is_deterministic_algorithms_warn_only_enabled "
        "is_warn_always_enabled set_default_device set_deterministic_debug_mode set_float32_matmul_precision "
        "set_num_interop_threads set_warn_always"
    ),
    "test_questions_about_tensors": (
        "is_storage typename get_device is_conj is_neg conj real "
        "resolve_conj resolve_neg"
    ),
    "test_where_a_tensor_is_not": (
        "Tensor.is_cpu Tensor.is_xpu Tensor.is_mps Tensor.is_meta Tensor.is_quantized Tensor.is_sparse_csr "
        "Tensor.is_nested Tensor.is_mtia Tensor.is_ipu Tensor.is_xla Tensor.is_maia Tensor.is_vulkan "
        "Tensor.is_mkldnn"
    ),
    "test_there_is_no_accelerator": (
        "accelerator.is_available accelerator.device_count accelerator.current_accelerator "
        "accelerator.current_device_index accelerator.set_device_index accelerator.current_stream "
        "accelerator.synchronize accelerator.empty_cache accelerator.memory_allocated mps.is_available "
        "mps.device_count mps.manual_seed xpu.is_available xpu.device_count xpu.manual_seed cpu.is_available "
        "cpu.device_count cpu.current_device cpu.synchronize"
    ),
    "test_there_is_no_cuda": (
        "cuda.is_available cuda.is_initialized cuda.device_count cuda.is_bf16_supported "
        "cuda.is_tf32_supported cuda.get_arch_list cuda.manual_seed cuda.manual_seed_all cuda.seed "
        "cuda.seed_all cuda.get_rng_state_all cuda.set_rng_state_all cuda.empty_cache cuda.memory_allocated "
        "cuda.max_memory_allocated cuda.memory_reserved cuda.max_memory_reserved cuda.memory_stats cuda.init "
        "cuda.current_device cuda.set_device cuda.get_device_name cuda.get_device_properties "
        "cuda.get_device_capability cuda.mem_get_info cuda.reset_peak_memory_stats cuda.initial_seed "
        "cuda.ipc_collect cuda.synchronize cuda.current_stream cuda.Stream cuda.Event cuda.FloatTensor "
        "cuda.DoubleTensor cuda.HalfTensor cuda.BFloat16Tensor cuda.LongTensor cuda.IntTensor "
        "cuda.ShortTensor cuda.CharTensor cuda.ByteTensor cuda.BoolTensor"
    ),
    "test_autocast_is_off": (
        "amp.autocast autocast amp.is_autocast_available is_autocast_enabled get_autocast_dtype "
        "cuda.amp.autocast"
    ),
    "test_functions_of_ones_own_under_autocast": (
        "amp.custom_fwd amp.custom_bwd cuda.amp.custom_fwd cuda.amp.custom_bwd"
    ),
    "test_grad_scalers": (
        "amp.GradScaler cuda.amp.GradScaler"
    ),
    "test_backends_can_be_set": (
        "backends.cudnn.is_available backends.cudnn.version backends.cudnn.is_acceptable backends.cudnn.flags "
        "backends.mps.is_available backends.mps.is_built backends.cuda.is_built "
        "backends.cuda.flash_sdp_enabled backends.cuda.enable_flash_sdp "
        "backends.cuda.mem_efficient_sdp_enabled backends.cuda.enable_mem_efficient_sdp "
        "backends.cuda.math_sdp_enabled backends.cuda.enable_math_sdp backends.mkl.is_available "
        "backends.mkldnn.is_available backends.openmp.is_available backends.opt_einsum.is_available "
        "backends.cpu.get_cpu_capability"
    ),
    "test_scripts_run_as_they_are_written": (
        "jit.script jit.trace jit.ignore jit.unused jit.export jit.annotate jit.isinstance jit.Final "
        "jit.is_scripting jit.is_tracing compiler.disable compiler.is_compiling compiler.is_dynamo_compiling "
        "compiler.reset"
    ),
}  # fmt: skip
DISTRIBUTIONS = {
    "test_constraints_and_what_is_computed_when_asked_for": (
        "distributions.constraints.boolean distributions.constraints.real distributions.constraints.positive "
        "distributions.constraints.nonnegative distributions.constraints.unit_interval "
        "distributions.constraints.nonnegative_integer distributions.constraints.positive_integer "
        "distributions.constraints.greater_than distributions.constraints.greater_than_eq "
        "distributions.constraints.less_than distributions.constraints.interval "
        "distributions.constraints.half_open_interval distributions.constraints.integer_interval "
        "distributions.constraints.simplex distributions.constraints.one_hot "
        "distributions.constraints.real_vector distributions.constraints.independent "
        "distributions.constraints.lower_triangular distributions.constraints.lower_cholesky "
        "distributions.constraints.corr_cholesky distributions.constraints.positive_definite "
        "distributions.constraints.symmetric distributions.constraints.square "
        "distributions.constraints.multinomial distributions.constraints.dependent "
        "distributions.constraints.dependent_property distributions.constraints.is_dependent "
        "distributions.constraints.Constraint distributions.transforms.identity_transform "
        "distributions.identity_transform distributions.utils.lazy_property "
    ),
    "test_constraints_of_parts_and_of_matrices": (
        "distributions.constraints.cat distributions.constraints.stack distributions.constraints.positive_semidefinite "
        "distributions.constraints.MixtureSameFamilyConstraint"
    ),
    "test_the_registries_stand_in_both_places": (
        "distributions.constraint_registry.ConstraintRegistry distributions.constraint_registry.biject_to "
        "distributions.constraint_registry.transform_to"
    ),
}  # fmt: skip
HOOKS = (
    "buffer_registration", "forward", "forward_pre", "full_backward", "full_backward_pre", "module_registration",
    "parameter_registration",
)  # fmt: skip
TESTED |= {
    f"nn.modules.module.register_module_{n}_hook": "tests/test_graph_hooks.py::test_hooks_on_all_modules" for n in HOOKS
}
TESTED |= {n: f"tests/test_distributions.py::{test}" for test, names in DISTRIBUTIONS.items() for n in names.split()}
TESTED |= {name: f"tests/test_legacy.py::{test}" for test, names in LEGACY.items() for name in names.split()}

# What nothing can test apart from everything else: why.
EXEMPT: dict[str, str] = {
    "Tensor": "the type itself; every case makes one",
    "Size": "every shape that is compared is one",
    "device": "compared through Tensor.device",
    "dtype": "compared with every tensor",
    "nn.parameter.UninitializedTensorMixin": "the base of UninitializedParameter and UninitializedBuffer",
    "autograd.Operation": "the base of every operation",
    "autograd.Fused": "the base of every operation that has several forms",
}


def modules() -> dict[str, types.ModuleType]:
    """Every public module by its path: those of minigrad that stand where PyTorch has a module too."""
    found: dict[str, types.ModuleType] = {"": MINIGRAD.module}
    waiting = [""]
    while waiting:
        path = waiting.pop()
        for name in dir(found[path]):  # and not vars: a room is imported when it is asked for
            value = getattr(found[path], name)
            inner = f"{path}.{name}" if path else name
            if name.startswith("_") or inner in found or inner in ROOMS or not isinstance(value, types.ModuleType):
                continue
            # A module that another one imports is public where it stands, and not in each place that it is seen from.
            if value.__name__ == f"{MINIGRAD.name}.{inner}" and isinstance(_theirs(inner), types.ModuleType):
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
            if not hasattr(MINIGRAD.Tensor, name):  # (`missing.Absent`)
                continue
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
        body: ast.AST | None = _parsed(path)
        for part in test.split("::"):
            inside = getattr(body, "body", ())
            body = next((d for d in inside if isinstance(d, ast.FunctionDef | ast.ClassDef) and d.name == part), None)
        if body is None:
            wrong.append(f"{name}: {file} has no test called {test}")
        elif not _says(body, name.rpartition(".")[2]):
            wrong.append(f"{name}: {node} does not use it")
    return wrong


@functools.cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _says(body: ast.AST, name: str) -> bool:
    """Whether code (not a text or a comment) uses a name, alone or as an attribute."""
    nodes = ast.walk(body)
    return any(
        (isinstance(n, ast.Attribute) and n.attr == name) or (isinstance(n, ast.Name) and n.id == name) for n in nodes
    )
