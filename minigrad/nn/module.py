"""`Module`: a tree of parameters with a `forward`. PyTorch: torch.nn.Module."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from .. import missing
from ..autograd.hooks import RemovableHandle
from ..autograd.variable import Variable
from ..device import require_cpu
from ..dtypes import bfloat16, float16, float32, float64, from_numpy
from ..foreign import class_of, explain, is_part, said
from ..signature import add_kind, publish_constructor
from ..tensor_options import read_to
from .everywhere import Everywhere, hooks_of, registered
from .hooks import BackwardHooks
from .parameter import Buffer, Parameter
from .state import State
from .values import clear_gradients


class Module(State):
    """The base of all layers and networks.

    A subclass calls `super().__init__()`, assigns its parts as attributes (parameters, buffers and modules are
    registered under the attribute's name) and defines `forward`.
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Any]
    _modules: dict[str, Module | None]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        publish_constructor(cls)  # minigrad's own layers read what they are made with

    def __init__(self) -> None:
        write = super().__setattr__
        write("training", True)
        write("_parameters", {})
        write("_buffers", {})
        write("_modules", {})
        write("_non_persistent", set())
        # By kind: forward, forward_pre, backward, backward_pre; None until one is registered, so that a call is quick.
        write("_hooks", None)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    # -- calling

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            if (
                self._hooks is None and not Everywhere.asked
            ):  # handing on no keywords would still make a dictionary of them
                return self.forward(*args, **kwargs) if kwargs else self.forward(*args)
            return self._call_with_hooks(args, kwargs)
        except Exception as error:
            explain(error, type(self).__name__, {**dict(enumerate(args, 1)), **kwargs})
            raise

    def _call_with_hooks(self, args: tuple, kwargs: dict) -> Any:
        hooks = self._hooks
        for hook, with_kwargs in hooks_of("forward_pre", hooks):
            if with_kwargs:
                result = hook(self, args, kwargs)
                if result is not None:
                    if not (isinstance(result, tuple) and len(result) == 2):
                        raise RuntimeError(
                            f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {result}."
                        )
                    args, kwargs = result
            else:
                result = hook(self, args)
                if result is not None:
                    args = result if isinstance(result, tuple) else (result,)
        backward = None
        before, after = hooks_of("backward_pre", hooks), hooks_of("backward", hooks)
        if before or after:
            backward = BackwardHooks(self, before, after)
            args = backward.pass_inputs(args)
        out = self.forward(*args, **kwargs)
        for hook, with_kwargs in hooks_of("forward", hooks):
            result = hook(self, args, kwargs, out) if with_kwargs else hook(self, args, out)
            if result is not None:
                out = result
        return out if backward is None else backward.pass_outputs(out)

    def _hook_table(self, kind: str) -> dict[int, Any]:
        if self._hooks is None:
            super().__setattr__("_hooks", {"forward": {}, "forward_pre": {}, "backward": {}, "backward_pre": {}})
        return self._hooks[kind]

    def register_forward_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after each forward; what it returns, if not None, replaces the output."""
        if always_call:
            raise NotImplementedError(
                "register_forward_hook: always_call=True is not supported; catch the error instead"
            )
        return RemovableHandle(self._hook_table("forward"), (hook, with_kwargs), prepend)

    def register_forward_pre_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before each forward; what it returns, if not None, replaces the arguments."""
        return RemovableHandle(self._hook_table("forward_pre"), (hook, with_kwargs), prepend)

    def register_full_backward_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` when the gradients by the module's inputs are complete."""
        return RemovableHandle(self._hook_table("backward"), hook, prepend)

    def register_full_backward_pre_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` when the gradients of the module's outputs are complete."""
        return RemovableHandle(self._hook_table("backward_pre"), hook, prepend)

    # -- attributes

    def __setattr__(self, name: str, value: Any) -> None:
        parameters, buffers, modules = (self.__dict__.get(kind, ()) for kind in ("_parameters", "_buffers", "_modules"))
        if isinstance(value, Parameter):
            self._check_initialized("parameters")
            self._forget(name, "_buffers", "_modules")
            self.register_parameter(name, value)
        elif name in parameters:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_kind(value)}' as parameter '{name}' (torch.nn.Parameter or None expected)"
                )
            self._parameters[name] = None
        elif isinstance(value, Module):
            self._check_initialized("module")
            self._forget(name, "_parameters", "_buffers")
            self._modules[name] = registered("module", self, name, value) if Everywhere.asked else value
        elif name in modules:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_kind(value)}' as child module '{name}' (torch.nn.Module or None expected)"
                )
            self._modules[name] = None
        elif isinstance(value, Buffer):
            self.register_buffer(name, value, value.persistent)
        elif name in buffers:
            if value is not None and not isinstance(value, Variable):
                raise TypeError(
                    f"cannot assign '{_kind(value)}' as buffer '{name}' (torch.nn.Buffer, torch.Tensor or None expected)"
                )
            self._buffers[name] = registered("buffer", self, name, value) if Everywhere.asked else value
        else:
            if is_part(value):  # (it would neither be trained nor saved)
                raise TypeError(f"cannot assign {said(value)} as attribute '{name}'")
            super().__setattr__(name, value)

    def _check_initialized(self, kind: str) -> None:
        if "_parameters" not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")

    def _forget(self, name: str, *kinds: str) -> None:
        """Make way for a part of another kind under the same name."""
        self.__dict__.pop(name, None)
        self._non_persistent.discard(name)
        for kind in kinds:
            self.__dict__[kind].pop(name, None)

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        for table in ("_parameters", "_buffers", "_modules"):
            if table in own and name in own[table]:
                return own[table][name]
        said = missing.instead(name)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'{said}", name=name, obj=self)

    def __delattr__(self, name: str) -> None:
        for table in (self._parameters, self._buffers, self._modules):
            if name in table:
                del table[name]
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        return sorted({*dir(type(self)), *self.__dict__, *self._parameters, *self._buffers, *self._modules})

    def _check_name(self, kind: str, name: Any, taken: Mapping) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {type(name).__name__}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."' + (f", got: {name}" if kind == "module" else ""))
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if hasattr(self, name) and name not in taken:
            raise KeyError(f"attribute '{name}' already exists")

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Own a tensor that is no parameter (a running mean); persistent: part of the state_dict."""
        self._check_initialized("buffer")
        self._check_name("buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, Variable):
            raise TypeError(
                f"cannot assign '{_kind(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._buffers[name] = registered("buffer", self, name, tensor) if Everywhere.asked else tensor
        (self._non_persistent.discard if persistent else self._non_persistent.add)(name)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Own a parameter (None: the name stands for no parameter)."""
        self._check_initialized("parameter")
        self._check_name("parameter", name, self._parameters)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{_kind(param)}' object to parameter '{name}' (torch.nn.Parameter or None required)"
            )
        self._parameters[name] = registered("parameter", self, name, param) if Everywhere.asked else param

    def add_module(self, name: str, module: Module | None) -> None:
        """Own a module under a name."""
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{_kind(module)} is not a Module subclass")
        self._check_name("module", name, self._modules)
        self._modules[name] = registered("module", self, name, module) if Everywhere.asked else module

    register_module = add_module

    # -- walking the tree

    def named_modules(
        self, memo: set | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it, each once, with their names."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it, each once."""
        return (module for _, module in self.named_modules(remove_duplicate=remove_duplicate))

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below, each once, with their names."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly below, each once."""
        return (module for _, module in self.named_children())

    def _named_members(
        self, table: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, value in getattr(module, table).items():
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """All parameters with their names, a shared one once."""
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, a shared one once."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """All buffers with their names."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Any]:
        """All buffers."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module at a path such as "encoder.layers.0"."""
        module: Any = self
        for name in target.split(".") if target else ():
            module = _part(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put a module at a path such as "encoder.layers.0"; strict: only where there is one."""
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if (strict or hasattr(parent, name)) and not isinstance(_part(parent, name), Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path such as "encoder.weight"."""
        path, _, name = target.rpartition(".")
        value = _part(self.get_submodule(path), name)
        if not isinstance(value, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return value

    def get_buffer(self, target: str) -> Any:
        """The buffer at a path such as "norm.running_mean"."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        value = _part(module, name)
        if name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return value

    # -- changing the whole tree

    def apply(self, fn: Callable[[Module], Any]) -> Any:
        """Call `fn(module)` on all modules below and then on this one."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Any:
        """Switch to training (dropout drops, batch norm measures), or with False to evaluation."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Any:
        """Switch to evaluation."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Freeze (False) or unfreeze all parameters."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters (or set them to 0)."""
        clear_gradients(self.parameters(), set_to_none)

    def _convert(self, change: Callable[[Any], Any]) -> Any:
        """Change the values of all parameters and buffers; a parameter stays the same object."""
        for module in self.modules():
            for p in module._parameters.values():
                if p is not None:
                    p.change(change)
            for name, b in module._buffers.items():
                if b is not None:
                    module._buffers[name] = change(b)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """All floating parameters and buffers in another dtype; the device must be the CPU. memory_format is for those
        of 4 or 5 dimensions."""
        d, order, make_copy = read_to(args, kwargs)
        if make_copy:
            raise RuntimeError(".to() does not accept copy argument")
        if d is not None and d.kind != "f":
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={from_numpy(d)}"
            )

        def change(t: Any) -> Any:
            options = {} if d is None or t.array.dtype.kind != "f" else {"dtype": from_numpy(d)}
            return t.to(**options, memory_format=order if t.dim() in (4, 5) else None)

        return self._convert(change)

    def float(self) -> Any:
        return self.to(float32)

    def double(self) -> Any:
        return self.to(float64)

    def half(self) -> Any:
        return self.to(float16)

    def bfloat16(self) -> Any:
        return self.to(bfloat16)

    def type(self, dst_type: Any) -> Any:
        return self._convert(lambda t: t.type(dst_type))

    def cpu(self) -> Any:
        return self

    def cuda(self, device: Any = None) -> NoReturn:
        """RuntimeError: there is no GPU."""
        require_cpu(device, "cuda")
        require_cpu("cuda", "cuda")
        raise AssertionError

    def share_memory(self) -> Any:
        return self

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """No effect: minigrad runs a module as it is written."""

    # -- showing

    def extra_repr(self) -> str:
        """The arguments shown in the module's line."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): " + repr(module).replace("\n", "\n  ") for name, module in self._modules.items()]
        if not children and len(lines) <= 1:
            return f"{self._get_name()}({extra})"
        return f"{self._get_name()}(\n  " + "\n  ".join(lines + children) + "\n)"

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)

    def __getstate__(self) -> dict:
        return self.__dict__.copy()


def _part(module: Module, name: str) -> Any:
    """The attribute that a path names; an error in PyTorch's words."""
    if not hasattr(module, name):
        raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
    return getattr(module, name)


def _kind(value: Any) -> str:
    """A type as PyTorch's messages write it."""
    if isinstance(value, Variable):
        return value.type()  # type: ignore[attr-defined]
    kind = type(value)
    if class_of(value):
        return said(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


add_kind(Module)
