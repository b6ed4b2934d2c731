"""What a step depends on besides its arguments: everything that its names lead to, and a test that all is as it was.

A program may stand for a step only as long as what the step would read is what it read when it was recorded. So the step's
code is gone through for the names that it reads (globals, closures, attributes), those lead to objects, and each object
adds a condition:

    a number, a text, a type ...          the same value
    a tensor                              the same tensor (its values are read at each call, so they may change)
    a list, a dict, an object, a module   the same one, with the same contents, which are gone through in turn
    a function of the program's           the same one; its code is gone through in turn
    an optimizer                          the same one, without hooks, with the same settings (their values are read at each call)

What is none of these stops it, with the name that led there. The conditions become one function of Python, `same()`.
"""

from __future__ import annotations

import dis
import functools
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from ..autograd.modes import _Mode, current
from ..autograd.variable import Variable
from ..device import device as Device
from ..dtypes import dtype as DType
from ..nn.module import Module
from ..optim.lr_base import LRScheduler
from ..optim.optimizer import Optimizer
from ..size import Size
from .record import of_engine

_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(...), slice, range, DType, Device, Size, frozenset)
_OPTIMIZER_HOOKS = ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks")
_SETTINGS = {"param_groups", "defaults", "state", "state_dict"}
_OWN_OF_MODULE = ("_parameters", "_buffers", "_modules", "_hooks", "training")


class Unfollowed(Exception):
    """The step depends on something of which it is not known whether it stays as it is."""


def codes_of(code: types.CodeType) -> Iterator[types.CodeType]:
    """A function's code and those of the functions written inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes_of(constant)


class State:
    """What a function depends on. `conditions` are texts of Python over the names in `space`."""

    _of_optimizer = ".param_groups."  # in the name of a tensor: an optimizer led to it

    def __init__(self, function: Any) -> None:
        self.conditions: list[str] = []
        self.space: dict[str, Any] = {}
        self.tensors: dict[int, tuple[Any, str]] = {}  # by id: the tensor, and the name that leads to it
        self.optimizers: dict[int, tuple[Any, str]] = {}
        self.modules: dict[int, tuple[Any, str]] = {}
        self.codes: set[types.CodeType] = set()  # those gone through
        self._seen: dict[int, Any] = {}
        self._names: dict[int, str] = {}
        self._attributes: set[str] = set()  # the names of attributes that any of the codes reads
        self._later: list[tuple[Any, str]] = []  # objects, gone through when all attribute names are known
        self._callable(function, "")
        self._go_on()

    def add_argument(self, value: Any, name: str) -> None:
        """An argument that is no tensor: gone through as what names lead to is."""
        self._contents(value, name)
        self._go_on()

    @property
    def reachable(self) -> dict[int, Any]:
        """By id, what the names lead to."""
        return self._seen

    def _go_on(self) -> None:
        """Go through the objects, until they lead to no new names of attributes."""
        done: dict[tuple[int, str], None] = {}
        while True:
            before = len(self._attributes), len(self._later)
            for obj, path in list(self._later):
                for attribute in sorted(self._attributes):
                    if (id(obj), attribute) not in done:
                        done[id(obj), attribute] = None
                        self._attribute(obj, attribute, path)
            if before == (len(self._attributes), len(self._later)):
                break
        read = _SETTINGS & self._attributes
        if self.optimizers and read:  # (settings are read at each call, and so no part of what must stay)
            raise Unfollowed(f"an optimizer's {min(read)}, which the step reads by itself")

    # -- conditions

    def bound(self, obj: Any) -> str:
        """The name of an object in `space`, which keeps it alive: `is` cannot meet another in its place."""
        name = self._names.get(id(obj))
        if name is None:
            name = self._names[id(obj)] = f"k{len(self._names)}"
            self.space[name] = obj
        return name

    def see(self, text: str, obj: Any, path: str) -> None:
        """`text` reads obj: it must be the same, and so what it leads to."""
        if isinstance(obj, _PLAIN) or (isinstance(obj, tuple) and all(isinstance(part, _PLAIN) for part in obj)):
            name = self.bound(obj)
            self.space["same_value"] = _same_value
            self.conditions.append(f"({text} is {name} or same_value({text}, {name}))")
            return
        self.conditions.append(f"{text} is {self.bound(obj)}")
        self._contents(obj, path)

    def _contents(self, obj: Any, path: str) -> None:
        if isinstance(obj, Variable):
            known = self.tensors.get(id(obj))
            if known is None or (self._of_optimizer in known[1] and self._of_optimizer not in path):  # a better name
                self.tensors[id(obj)] = (obj, path)
        if id(obj) in self._seen:
            return
        self._seen[id(obj)] = obj
        if isinstance(obj, Variable):
            pass
        elif isinstance(obj, Module):
            self._module(obj, path)
        elif isinstance(obj, Optimizer):
            self._optimizer(obj, path)
        elif isinstance(obj, list | tuple):
            name = self.bound(obj)
            if isinstance(obj, list):
                self.conditions.append(f"len({name}) == {len(obj)}")
            for i, part in enumerate(obj):
                self.see(f"{name}[{i}]", part, f"{path}.{i}")
        elif type(obj) is dict:
            name = self.bound(obj)
            self.conditions.append(f"len({name}) == {len(obj)}")
            for key, part in obj.items():
                if not isinstance(key, _PLAIN):
                    raise Unfollowed(f"{path}, a dict with a key that is a {type(key).__name__}")
                key_name = self.bound(key)
                self.conditions.append(f"{key_name} in {name}")
                self.see(f"{name}.get({key_name})", part, f"{path}.{key!s}")
        elif isinstance(obj, types.FunctionType | types.MethodType | functools.partial):
            self._callable(obj, path)
        elif isinstance(obj, type):
            if not _is_library(obj.__module__):
                self._later.append((obj, path))
        elif isinstance(obj, types.ModuleType):
            if not _is_library(obj.__name__):
                self._later.append((obj, path))
        elif isinstance(obj, types.BuiltinFunctionType | types.BuiltinMethodType | types.MethodDescriptorType):
            pass  # what they do is seen when they are called (watch.py)
        elif isinstance(obj, LRScheduler):
            raise Unfollowed(f"{path}, a learning-rate scheduler: take its step outside of the compiled step")
        elif hasattr(obj, "__dict__") and not _is_library(type(obj).__module__):
            self._later.append((obj, path))
            self._later.append((type(obj), path))
        else:
            raise Unfollowed(f"{path or 'the step'}, a {type(obj).__module__}.{type(obj).__qualname__}")

    def _module(self, module: Module, path: str) -> None:
        self.modules[id(module)] = (module, path)
        own = self.bound(module.__dict__)
        self._seen[id(module.__dict__)] = module.__dict__
        self.conditions.append(f"{own}['training'] is {module.training}")
        hooks = module._hooks
        if hooks is not None and any(hooks.values()):
            raise Unfollowed(f"{path}, a module with hooks")
        self.conditions.append(f"({own}['_hooks'] is None or not any({own}['_hooks'].values()))")
        for kind in ("_parameters", "_buffers", "_modules"):
            table = module.__dict__[kind]
            name = self.bound(table)
            self._seen[id(table)] = table
            self.conditions.append(f"{own}[{kind!r}] is {name} and len({name}) == {len(table)}")
            for key, part in table.items():
                self.see(f"{name}.get({key!r})", part, f"{path}.{key}" if path else key)
        own_class = not _is_library(type(module).__module__)
        for key, part in module.__dict__.items():
            if key not in _OWN_OF_MODULE and not own_class and (isinstance(part, _PLAIN) or type(part) is tuple):
                self.see(f"{own}.get({key!r})", part, f"{path}.{key}")
        if own_class:
            self._attributes.add("forward")
            self._later.append((module, path))
            self._later.append((type(module), path))
        elif "forward" in module.__dict__:
            raise Unfollowed(f"{path}, a module with a forward of its own")

    def _optimizer(self, optimizer: Optimizer, path: str) -> None:
        if not _is_library(type(optimizer).__module__):
            raise Unfollowed(f"{path}, an optimizer of the program's own")
        self.optimizers[id(optimizer)] = (optimizer, path)
        own = self.bound(optimizer.__dict__)
        for hooks in _OPTIMIZER_HOOKS:
            if optimizer.__dict__[hooks]:
                raise Unfollowed(f"{path}, an optimizer with hooks")
            self.conditions.append(f"not {own}[{hooks!r}]")
        step = optimizer.__dict__.get("step")  # a scheduler puts one there that counts
        if step is not None and not hasattr(step, "_wrapped_by_lr_sched"):
            raise Unfollowed(f"{path}, an optimizer whose step was replaced")
        self.conditions.append(f"{own}.get('step') is {self.bound(step)}")
        groups = self.bound(optimizer.param_groups)
        self.conditions.append(f"{own}['param_groups'] is {groups} and len({groups}) == {len(optimizer.param_groups)}")
        for i, group in enumerate(optimizer.param_groups):
            params = self.bound(group["params"])
            self.conditions.append(f"{groups}[{i}]['params'] is {params} and len({params}) == {len(group['params'])}")
            for j, p in enumerate(group["params"]):
                self.see(f"{params}[{j}]", p, f"{path}{self._of_optimizer}{i}.{j}")

    # -- code

    def _callable(self, function: Any, path: str) -> None:
        if isinstance(function, functools.partial):
            for i, part in enumerate((function.func, *function.args)):
                self._contents(part, f"{path}.{i}") if not isinstance(part, _PLAIN) else None
            self._contents(function.keywords, path)
            return
        if isinstance(function, types.MethodType):
            self._contents(function.__self__, path or "self")
            function = function.__func__
        if isinstance(function, Module):
            self._contents(function, path)
            return
        if not isinstance(function, types.FunctionType):
            if isinstance(function, type) or not callable(function):
                raise Unfollowed(f"{path or 'the step'}, a {type(function).__name__}")
            self._contents(function, path or "self")
            self._attributes.add("__call__")
            return
        if of_engine(function.__code__.co_filename):
            return
        if _is_library(function.__module__ or ""):
            return  # it is looked at when it is called (watch.py)
        self._seen[id(function)] = function
        own = self.bound(function)
        self.conditions.append(f"{own}.__code__ is {self.bound(function.__code__)}")
        for i, default in enumerate(function.__defaults__ or ()):
            self.see(f"{own}.__defaults__[{i}]", default, f"{function.__name__}.{i}")
        for key, default in (function.__kwdefaults__ or {}).items():
            self.see(f"{own}.__kwdefaults__[{key!r}]", default, f"{function.__name__}.{key}")
        space = function.__globals__
        builtins: Any = space.get("__builtins__")
        builtins = builtins if isinstance(builtins, dict) else vars(builtins or sys.modules["builtins"])
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        for code in codes_of(function.__code__):
            self.codes.add(code)
            for instruction in dis.get_instructions(code):
                name = instruction.argval
                if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                    if name in space:
                        self.see(f"{self.bound(space)}[{name!r}]", space[name], name)
                    elif name in builtins:
                        self.conditions.append(f"{name!r} not in {self.bound(space)}")
                    else:
                        raise Unfollowed(f"{name}, which does not exist")
                elif instruction.opname in ("LOAD_DEREF", "LOAD_CLOSURE", "LOAD_CLASSDEREF") and name in cells:
                    cell = cells[name]
                    try:
                        value = cell.cell_contents
                    except ValueError:
                        raise Unfollowed(f"{name}, which has no value yet") from None
                    self.see(f"{self.bound(cell)}.cell_contents", value, name)
                elif instruction.opname in ("LOAD_ATTR", "LOAD_METHOD"):
                    self._attributes.add(name)

    def _attribute(self, obj: Any, attribute: str, path: str) -> None:
        """An attribute that may be read of an object of the program's own."""
        if isinstance(obj, type):
            for cls in obj.__mro__:
                if attribute in vars(cls) and not _is_library(cls.__module__):
                    value = vars(cls)[attribute]
                    if isinstance(value, staticmethod | classmethod):
                        value = value.__func__
                    if isinstance(value, property):
                        value = value.fget
                    own = self.bound(cls.__dict__)
                    self.conditions.append(f"{own}.get({attribute!r}) is {self.bound(vars(cls)[attribute])}")
                    if not isinstance(value, _PLAIN):
                        self._contents(value, f"{path}.{attribute}")
                    return
            return
        table = vars(obj)
        if attribute not in table:
            if not isinstance(obj, types.ModuleType) and not isinstance(obj, Module):
                self.conditions.append(f"{attribute!r} not in {self.bound(table)}")
            return
        if isinstance(obj, Module) and attribute in _OWN_OF_MODULE:
            return
        self.see(f"{self.bound(table)}.get({attribute!r})", table[attribute], f"{path}.{attribute}")

    # -- the test

    def compiled(self) -> Callable[[], bool]:
        """A function that says whether all is as it was."""
        conditions = list(dict.fromkeys(self.conditions))
        space = dict(self.space)
        source = "def same():\n    try:\n        return (\n            True\n"
        source += "".join(f"            and {c}\n" for c in conditions)
        source += "        )\n    except (KeyError, IndexError, AttributeError, ValueError, TypeError):\n        return False\n"
        exec(compile(source, "<the guards of a step>", "exec"), space)
        return space["same"]


def _same_value(a: Any, b: Any) -> bool:
    return type(a) is type(b) and (a == b or (a != a and b != b)) and (type(a) is not float or str(a) == str(b))


def _is_library(module: str) -> bool:
    """Whether objects of this Python module are taken as they are: minigrad, NumPy and Python's own."""
    root = module.partition(".")[0]
    return root in ("minigrad", "numpy", "torch", "builtins") or (
        root in sys.stdlib_module_names and root != "__main__"
    )


def mode() -> tuple[Any, ...]:
    """How the engine runs now, as far as it changes what a step computes."""
    own = current.__dict__
    return (own.get("recording", _Mode.recording), own.get("inference", False), own.get("anomaly", False))
