"""Modules as functions of their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ..foreign import said
from ..nn.module import Module
from ..nn.norm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from ..ops import stack
from ..tensor import Tensor


def functional_call(
    module: Module, parameter_and_buffer_dicts: Any, args: Any = None, kwargs: dict[str, Any] | None = None, *,
    tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    """module(*args, **kwargs) with these tensors, by name, in place of its parameters and buffers.

    tie_weights: a parameter that the module has under several names is replaced under all. strict: all must be given, and
    no others. PyTorch: torch.func.functional_call.
    """
    dicts = (
        [parameter_and_buffer_dicts] if isinstance(parameter_and_buffer_dicts, Mapping) else parameter_and_buffer_dicts
    )
    if not isinstance(dicts, Sequence) or not all(isinstance(d, Mapping) for d in dicts):
        raise ValueError("Expected all elements of parameter_and_buffer_dicts to be dictionaries")
    names = [name for d in dicts for name in d]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"{repeated} appeared in multiple dictionaries; behavior of functional call is ambiguous")
    given = {name: x for d in dicts for name, x in d.items()}
    if kwargs is not None and not isinstance(kwargs, Mapping):
        raise TypeError(f"functional_call(): argument 'kwargs' must be a dict, not {said(kwargs)}")
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(module, given, tie_weights, strict):
        return module(*args, **(kwargs or {}))


@contextmanager
def _replaced(module: Module, given: dict[str, Any], tie_weights: bool, strict: bool) -> Iterator[None]:
    own = {
        (f"{prefix}.{name}" if prefix else name): (table, name)
        for prefix, part in module.named_modules(remove_duplicate=False)
        for table in (part._parameters, part._buffers)
        for name in table
    }
    if tie_weights:
        for name, (table, key) in own.items():
            same = [other for other in given if other in own and own[other][0].get(own[other][1]) is table[key]]
            if same and table[key] is not None and name not in given:
                given = {**given, name: given[same[0]]}
    missing = [name for name in own if name not in given]
    unknown = [name for name in given if name not in own]
    if strict and (missing or unknown):
        texts = [
            f"{kind} key(s): {', '.join(map(repr, found))}."
            for kind, found in (("Missing", missing), ("Unexpected", unknown))
            if found
        ]
        raise RuntimeError(f"Error(s) in reparametrizing for {type(module).__name__}:\n\t" + "\n\t".join(texts))
    before = {name: own[name][0][own[name][1]] for name in given if name in own}
    try:
        for name in before:
            if not isinstance(given[name], Tensor):
                raise TypeError(f"{name} must be a Tensor, not {said(given[name])}")
            own[name][0][own[name][1]] = given[name]
        yield
    finally:
        for name, x in before.items():
            own[name][0][own[name][1]] = x


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of several modules of one class, stacked by name: for `vmap` over an ensemble.

    PyTorch: torch.func.stack_module_state.
    """
    if len(models) == 0:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if not all(m.training == models[0].training for m in models):
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    if not all(type(m) is type(models[0]) for m in models):
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    parameters = {
        name: stack([dict(m.named_parameters())[name] for m in models]).detach().requires_grad_(p.requires_grad)
        for name, p in models[0].named_parameters()
    }
    buffers = {
        name: stack([dict(m.named_buffers())[name] for m in models]).detach() for name, _ in models[0].named_buffers()
    }
    return parameters, buffers


def replace_all_batch_norm_modules_(root: Module) -> Module:
    """Let every batch norm in the tree use the batch's own statistics and keep none: `vmap` cannot write them.

    PyTorch: torch.func.replace_all_batch_norm_modules_.
    """
    for part in root.modules():
        if isinstance(part, BatchNorm1d | BatchNorm2d | BatchNorm3d):
            part.running_mean = part.running_var = part.num_batches_tracked = None
            part.track_running_stats = False
    return root
