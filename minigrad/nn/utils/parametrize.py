"""Parameters that are computed from others: `module.weight` becomes f(original). PyTorch: torch.nn.utils.parametrize.

A module whose weight is parametrized gets a class of its own, derived from its old one, in which `weight` is a property:
reading it computes f(original), writing it sets original = f⁻¹(value), where f has a `right_inverse`.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from ...autograd.modes import no_grad
from ...autograd.variable import Variable
from ...foreign import said
from ..containers import ModuleDict, ModuleList
from ..module import Module
from ..parameter import Parameter


class _Cache:
    """The values computed inside `cached()`."""

    depth = 0
    values: ClassVar[dict[tuple[int, str], Any]] = {}


@contextlib.contextmanager
def cached() -> Iterator[None]:
    """Inside, each parametrized tensor is computed once, when it is first read."""
    _Cache.depth += 1
    try:
        yield
    finally:
        _Cache.depth -= 1
        if not _Cache.depth:
            _Cache.values = {}


def _own(module: Module, name: str, x: Any) -> None:
    (module.register_parameter if isinstance(x, Parameter) else module.register_buffer)(name, x)


def _set(to: Any, value: Any) -> None:
    """`to` stands for the values (and the memory) of `value` from now on."""
    to.array = value.array[...]


def _inverse(modules: Sequence[Any], value: Any) -> Any:
    """`value` through the right inverses, the last one first; a step without one is left out."""
    with no_grad():
        for f in reversed(modules):
            if hasattr(f, "right_inverse"):
                with contextlib.suppress(NotImplementedError):
                    value = f.right_inverse(value)
    return value


class ParametrizationList(ModuleList):
    """The functions of one parametrized tensor, in order, and what they begin from: `original`, or `original0`, `original1` ..."""

    def __init__(self, modules: Sequence[Module], original: Any, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        new = _inverse(list(self), original)
        if not isinstance(new, Variable | Sequence):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got "
                f"{type(new).__name__}"
            )
        self.is_tensor = isinstance(new, Variable)
        self.ntensors = 1 if isinstance(new, Variable) else len(new)
        if isinstance(new, Variable):
            if original.dtype != new.dtype:  # type: ignore[attr-defined]  # a Tensor has it
                raise ValueError(
                    "When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                    f"original.dtype: {original.dtype}\nright_inverse(original).dtype: {new.dtype}"  # type: ignore[attr-defined]
                )
            _set(original, new)
            _own(self, "original", original)
        else:
            for i, part in enumerate(new):
                if not isinstance(part, Variable):
                    raise ValueError(
                        f"'right_inverse' must return a Tensor or a Sequence of tensors. Got element {i} of the sequence with "
                        f"type {type(part).__name__}."
                    )
                if isinstance(original, Parameter):
                    part = Parameter(part, original.requires_grad)
                part.requires_grad_(original.requires_grad)  # type: ignore[attr-defined]
                _own(self, f"original{i}", part)
        if not unsafe:
            _check("", self(), original, "Registering a parametrization may not change")

    def _originals(self) -> list[Any]:
        names = ["original"] if self.is_tensor else [f"original{i}" for i in range(self.ntensors)]
        return [getattr(self, name) for name in names]

    def right_inverse(self, value: Any) -> None:
        """Set what the functions begin from such that they give `value`."""
        with no_grad():
            for f in reversed(list(self)):
                if not hasattr(f, "right_inverse"):
                    raise RuntimeError(f"parametrization {type(f).__name__} does not implement right_inverse.")
                value = f.right_inverse(value)
        parts = [value] if self.is_tensor else value
        if self.is_tensor and not isinstance(value, Variable):
            raise ValueError(f"`right_inverse` should return a tensor. Got {said(value)}")
        if not self.is_tensor and (isinstance(value, Variable) or not isinstance(value, Sequence)):
            raise ValueError(f"'right_inverse' must return a sequence of tensors. Got {said(value)}.")
        if len(parts) != self.ntensors:
            raise ValueError(
                f"'right_inverse' must return a sequence of tensors of length {self.ntensors}. Got a sequence of length "
                f"{len(parts)}."
            )
        for old, new in zip(self._originals(), parts, strict=True):
            if old.dtype != new.dtype:
                raise ValueError(
                    f"The tensor returned by `right_inverse` has dtype {new.dtype} while `original` has dtype {old.dtype}"
                )
            _set(old, new)

    def forward(self) -> Any:
        first, *others = self
        out = first(*self._originals())
        for f in others:
            out = f(out)
        return out


def _check(name: str, new: Any, old: Any, what: str) -> None:
    """ValueError where a parametrization gives another type or shape than that which it stands for."""
    if not isinstance(new, Variable):
        raise ValueError(f"A parametrization must return a tensor. Got {said(new)}.")
    for quality in ("dtype", "shape"):
        a, b = getattr(old, quality), getattr(new, quality)
        if a != b:
            raise ValueError(
                f"{what} the {quality} of the tensor, unless the `unsafe` flag is enabled.\n"
                f"module.{name}.{quality}: {a}\nparametrization(module.{name}).{quality}: {b}"
            )


def _give_class(module: Module) -> None:
    """A class of the module's own, that properties can be put into."""
    cls = type(module)

    def refuse_pickling(self: Any) -> Any:
        raise RuntimeError(
            "Serialization of parametrized modules is only supported through state_dict(): save that, and load it into a "
            "module that is parametrized in the same way"
        )

    def deepcopied(self: Any, memo: dict) -> Any:
        made = memo[id(self)] = self.__new__(type(self))
        made.__dict__ = copy.deepcopy(self.__dict__, memo)
        return made

    module.__class__ = type(  # type: ignore[assignment]
        f"Parametrized{cls.__name__}", (cls,), {"__getstate__": refuse_pickling, "__deepcopy__": deepcopied}
    )


def _give_property(module: Module, name: str) -> None:
    def read(self: Any) -> Any:
        compute = self.parametrizations[name]
        if not _Cache.depth:
            return compute()
        key = (id(self), name)
        if key not in _Cache.values:
            _Cache.values[key] = compute()
        return _Cache.values[key]

    def write(self: Any, value: Any) -> None:
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(read, write))


def register_parametrization(module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False) -> Any:
    """From now on module.tensor_name is parametrization(what it was); of several, each gets what the one before gives.

    unsafe: the parametrization may change shape and dtype, and is not tried out.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        chain = module.parametrizations[tensor_name]
        if not unsafe:
            old = getattr(module, tensor_name)
            new = parametrization(old)
            _check(tensor_name, new, old, "Registering a parametrization may not change")
            if hasattr(parametrization, "right_inverse"):
                with contextlib.suppress(NotImplementedError):
                    back = parametrization.right_inverse(new)
                    _check(
                        tensor_name, back, old, "The tensor returned by parametrization.right_inverse may not change"
                    )
        chain.append(parametrization)
        chain.unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        chain = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _give_class(module)
            module.parametrizations = ModuleDict()
        _give_property(module, tensor_name)
        module.parametrizations[tensor_name] = chain
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name '{tensor_name}'"
        )
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a tensor of the module, or any, is computed by a parametrization."""
    found = getattr(module, "parametrizations", None)
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Any:
    """module.tensor_name is a parameter again: with the value computed now, or (leave_parametrized=False) the original."""
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    chain = module.parametrizations[tensor_name]
    if chain.is_tensor:
        original = chain.original
        if leave_parametrized:
            with no_grad():
                value = getattr(module, tensor_name)
            _set(original, value)
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a sequence of "
            "tensors."
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _own(module, tensor_name, original)
    if not is_parametrized(module):
        delattr(module, "parametrizations")
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The module's class as it was written."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)
