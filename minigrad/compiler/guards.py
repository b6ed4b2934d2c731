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
import inspect
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..autograd.modes import _Mode, current
from ..autograd.variable import Variable
from ..device import device as Device
from ..dtypes import dtype as DType
from ..nn.module import Module
from ..optim.lr_base import LRScheduler
from ..optim.lr_plateau import ReduceLROnPlateau
from ..optim.optimizer import Optimizer
from ..size import Size
from .frames import line_of, of_engine
from .names import of_class

_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(...), slice, range, DType, Device, Size, frozenset)
_OPTIMIZER_HOOKS = ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks")
_SETTINGS = {"param_groups", "defaults", "state", "state_dict"}
_OF_C = types.BuiltinFunctionType | types.BuiltinMethodType | types.MethodDescriptorType | np.ufunc
# What reads attributes by names that the code does not show.
_READERS_OF_ATTRIBUTES = frozenset(("getattr", "hasattr", "__dict__", "attrgetter", "__getattribute__", "methodcaller"))
# What calls functions out of C, where the profiler does not see what these do.
_CALLERS = frozenset(("map", "filter", "starmap", "accumulate", "filterfalse", "takewhile", "dropwhile", "groupby"))
_OWN_OF_MODULE = ("_parameters", "_buffers", "_modules", "_hooks", "training")


class Unfollowed(Exception):
    """The step depends on something of which it is not known whether it stays as it is.

    passes: whether it may be gone later. where: the line of the program whose names led there.
    """

    where = ""

    def __init__(self, what: str, passes: bool = False) -> None:
        super().__init__(what)
        self.passes = passes


def codes_of(code: types.CodeType) -> Iterator[types.CodeType]:
    """A function's code and those of the functions written inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes_of(constant)


class Wrapped:
    """What `compile` has made of a function or module. In a step that is recorded it runs as that, and is a part of the step."""

    _function: Any


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
        self._lines: dict[str, tuple[types.CodeType, int | None]] = {}  # and where it does, at first
        self._line: tuple[types.CodeType, int | None] | None = None  # the one whose names are followed
        self._all_attributes = False  # whether a code may read attributes by any name
        self._schedulers: list[tuple[Any, str]] = []
        self._later: list[tuple[Any, str]] = []  # objects, gone through when all attribute names are known
        self._absent: dict[int, tuple[Any, set[str]]] = {}  # by id of an object's table: names that are not in it
        self._follow(self._callable, function, "")

    def _follow(self, begin: Callable[..., None], *args: Any) -> None:
        """Go through what begins so. Errors: Unfollowed, with the line."""
        try:
            begin(*args)
            self._go_on()
        except Unfollowed as error:
            if self._line is not None:
                error.where = line_of(*self._line)
            raise

    def add_argument(self, value: Any, name: str) -> None:
        """An argument that is no tensor: gone through as what names lead to is."""
        self._line = None
        self._follow(self._contents, value, name)

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
                for attribute in sorted(self._attributes | self._names_in(obj)):
                    if (id(obj), attribute) not in done:
                        done[id(obj), attribute] = None
                        self._line = self._lines.get(attribute, self._line)
                        self._attribute(obj, attribute, path)
            if before == (len(self._attributes), len(self._later)):
                break
        read = _SETTINGS & self._attributes
        for scheduler, path in self._schedulers:
            own = {*vars(scheduler), *dir(type(scheduler))} - {"step", "optimizer"} - set(dir(object))
            if self._all_attributes or own & self._attributes:
                self._line = next(
                    (self._lines[a] for a in sorted(own & self._attributes) if a in self._lines), self._line
                )
                raise Unfollowed(
                    f"{path}, a scheduler of which the step may read {min(own & self._attributes, default='any attribute')}"
                )
        if self.optimizers and read:  # (settings are read at each call, and so no part of what must stay)
            self._line = self._lines.get(min(read), self._line)
            raise Unfollowed(f"an optimizer's {min(read)}, which the step reads by itself")

    def _names_in(self, obj: Any) -> set[str]:
        """All names of an object's attributes, where a code reads some by a name that is not known."""
        if not self._all_attributes:
            return set()
        classes = obj.__mro__ if isinstance(obj, type) else ()
        tables = [vars(c) for c in classes if not _is_library(c.__module__)] if classes else [vars(obj)]
        names: set[str] = set()
        for table in tables:
            own = self.bound(table)
            self.conditions.append(f"{own}.keys() == {self.bound(frozenset(table))}")
            names |= {n for n in table if not (n.startswith("__") and n.endswith("__"))}
        return names

    def _is_not_in(self, table: Any, attribute: str) -> None:
        self._absent.setdefault(id(table), (table, set()))[1].add(attribute)

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
        if is_plain(obj):
            name = self.bound(obj)
            self.space["same_value"] = _same_value
            self.conditions.append(f"({text} is {name} or same_value({text}, {name}))")
            if not _is_library(type(obj).__module__) and hasattr(obj, "__dict__"):
                self._of_the_program(obj, path)
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
            self._order(name, obj)
            for key, part in obj.items():
                if not is_plain(key):
                    raise Unfollowed(f"{path}, a dict with a key that is a {type(key).__name__}")
                key_name = self.bound(key)
                self.see(f"{name}[{key_name}]", part, f"{path}.{key!s}")
        elif isinstance(obj, types.FunctionType | types.MethodType | functools.partial):
            self._callable(obj, path)
        elif isinstance(obj, Wrapped):
            self._callable(obj._function, path)
        elif isinstance(obj, type):
            if not _is_library(obj.__module__):
                self._later.append((obj, path))
        elif isinstance(obj, types.ModuleType):
            if not _is_library(obj.__name__):
                self._later.append((obj, path))
        elif isinstance(obj, _OF_C):  # what they do is seen when they are called (watch.py)
            owner = getattr(obj, "__self__", None)  # (of `push = seen.append`: the list)
            if owner is not None and not isinstance(owner, types.ModuleType | type) and not is_plain(owner):
                self._contents(owner, path)
        elif isinstance(obj, LRScheduler):
            self._scheduler(obj, path)
        elif is_of_the_program(obj):
            self._of_the_program(obj, path)
        else:
            raise Unfollowed(f"{path or 'the step'}, a {of_class(type(obj))}")

    def _order(self, name: str, table: dict[Any, Any]) -> None:
        """The same keys in the same order: a loop over them goes in it."""
        if not table:
            self.conditions.append(f"not {name}")
            return
        self.space["same_value"] = _same_value
        self.conditions.append(
            f"same_value(tuple({name}), {self.bound(tuple(table))})"
            if any(type(key) is not str for key in table)
            else f"tuple({name}) == {self.bound(tuple(table))}"
        )

    def _of_the_program(self, obj: Any, path: str) -> None:
        """An object of a class of the program's own: its attributes, and those of the class."""
        self._stays(obj)
        self._later.append((obj, path))
        self._later.append((type(obj), path))

    def _stays(self, obj: Any) -> None:
        """The object is of the same class, with the same table of attributes."""
        name = self.bound(obj)
        self.conditions.append(f"{name}.__class__ is {self.bound(type(obj))}")
        self.conditions.append(f"{name}.__dict__ is {self.bound(obj.__dict__)}")

    def _module(self, module: Module, path: str) -> None:
        self.modules[id(module)] = (module, path)
        self._stays(module)
        own = self.bound(module.__dict__)
        self._seen[id(module.__dict__)] = module.__dict__
        if "training" in module.__dict__:  # (of one that is compiled by itself it is the wrapped module's)
            self.conditions.append(f"{own}['training'] is {module.training}")
        hooks = module._hooks
        if hooks is not None and any(hooks.values()):
            raise Unfollowed(f"{path}, a module with hooks", passes=True)
        self.conditions.append(f"({own}['_hooks'] is None or not any({own}['_hooks'].values()))")
        for kind in ("_parameters", "_buffers", "_modules"):
            table = module.__dict__[kind]
            name = self.bound(table)
            self._seen[id(table)] = table
            self.conditions.append(f"{own}[{kind!r}] is {name}")
            self._order(name, table)
            for key, part in table.items():
                inside = path if key == "_orig_mod" else f"{path}.{key}" if path else key
                self.see(f"{name}[{key!r}]", part, inside)
        own_class = not _is_library(type(module).__module__)
        cls: Any = type(module)
        read = _names_read(cls)  # by what a class of the program's own inherits from one of the library
        for key, part in module.__dict__.items():
            if key not in _OWN_OF_MODULE and (key in read if own_class else key != "_non_persistent"):
                if is_plain(part) or callable(part):
                    self.see(f"{own}[{key!r}]", part, f"{path}.{key}")
                else:
                    self.conditions.append(f"{own}[{key!r}] is {self.bound(part)}")
        if own_class:
            self._attributes.update(("forward", "__call__"))
            self._later.append((module, path))
            self._later.append((type(module), path))
            return
        if "forward" in module.__dict__:
            raise Unfollowed(f"{path}, a module with a forward of its own")
        for name in ("forward", "zero_grad", "parameters", "named_parameters"):
            if name not in module.__dict__:
                self._is_not_in(module.__dict__, name)
        for base in cls.__mro__:
            if "forward" in vars(base):
                self.conditions.append(f"{self.bound(base.__dict__)}['forward'] is {self.bound(vars(base)['forward'])}")
                break

    def _optimizer(self, optimizer: Optimizer, path: str) -> None:
        if not _is_library(type(optimizer).__module__):
            raise Unfollowed(f"{path}, an optimizer of the program's own")
        self.optimizers[id(optimizer)] = (optimizer, path)
        own = self.bound(optimizer.__dict__)
        for hooks in _OPTIMIZER_HOOKS:
            if optimizer.__dict__[hooks]:
                raise Unfollowed(f"{path}, an optimizer with hooks", passes=True)
            self.conditions.append(f"not {own}[{hooks!r}]")
        step = optimizer.__dict__.get("step")  # a scheduler puts one there that counts
        if step is not None and not hasattr(step, "_wrapped_by_lr_sched"):
            raise Unfollowed(f"{path}, an optimizer whose step was replaced")
        self.conditions.append(f"{own}.get('step') is {self.bound(step)}")
        if "zero_grad" in optimizer.__dict__:
            raise Unfollowed(f"{path}, an optimizer whose zero_grad was replaced")
        self._is_not_in(optimizer.__dict__, "zero_grad")
        groups = self.bound(optimizer.param_groups)
        self.conditions.append(f"{own}['param_groups'] is {groups} and len({groups}) == {len(optimizer.param_groups)}")
        for i, group in enumerate(optimizer.param_groups):
            params = self.bound(group["params"])
            self.conditions.append(f"{groups}[{i}]['params'] is {params} and len({params}) == {len(group['params'])}")
            for j, p in enumerate(group["params"]):
                self.see(f"{params}[{j}]", p, f"{path}{self._of_optimizer}{i}.{j}")

    def _scheduler(self, scheduler: LRScheduler, path: str) -> None:
        """Its step is taken at each call, so what that changes need not stay; but the step may not read it besides."""
        if not _is_library(type(scheduler).__module__) or type(scheduler).step not in (
            LRScheduler.step,
            ReduceLROnPlateau.step,
        ):
            raise Unfollowed(
                f"{path}, a {type(scheduler).__name__}, whose step is of its own kind: take it outside of the step"
            )
        if "step" in scheduler.__dict__:
            raise Unfollowed(f"{path}, a scheduler whose step was replaced")
        self.optimizers[id(scheduler)] = (scheduler, path)
        self._stays(scheduler)
        self.see(f"{self.bound(scheduler.__dict__)}['optimizer']", scheduler.optimizer, f"{path}.optimizer")
        self._schedulers.append((scheduler, path))

    # -- code

    def _callable(self, function: Any, path: str) -> None:
        if isinstance(function, functools.partial):
            if isinstance(function.func, _OF_C):
                raise Unfollowed(f"{path}, a partial of what is written in C, whose calls are not seen")
            for i, part in enumerate((function.func, *function.args)):
                self._contents(part, f"{path}.{i}") if not is_plain(part) else None
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
            for cell in function.__closure__ or ():  # (`no_grad` around a function of the program's)
                held = getattr(cell, "cell_contents", None)  # (none of one that is empty)
                if isinstance(held, types.FunctionType | types.MethodType):
                    self._contents(held, path)
            return
        if _is_library(function.__module__ or ""):
            return  # it is looked at when it is called (watch.py)
        self._seen[id(function)] = function
        own = self.bound(function)
        self._later.append((function, path))  # (its attributes)
        self.conditions.append(f"len({own}.__defaults__ or ()) == {len(function.__defaults__ or ())}")
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
            instructions = list(dis.get_instructions(code))
            for place, instruction in enumerate(instructions):
                name, op = instruction.argval, instruction.opname
                self._line = (code, None if instruction.positions is None else instruction.positions.lineno)
                if op in ("LOAD_GLOBAL", "LOAD_NAME"):
                    if name in space:
                        self.see(f"{self.bound(space)}[{name!r}]", space[name], name)
                        self._of_library(space[name], instructions, place)
                    elif name in builtins:
                        self._is_not_in(space, name)
                        self._builtin(name, builtins[name], instruction)
                    else:
                        raise Unfollowed(f"{name}, which does not exist", passes=True)
                elif op in ("LOAD_DEREF", "LOAD_CLOSURE", "LOAD_CLASSDEREF") and name in cells:
                    cell = cells[name]
                    try:
                        value = cell.cell_contents
                    except ValueError:
                        raise Unfollowed(f"{name}, which has no value yet", passes=True) from None
                    self.see(f"{self.bound(cell)}.cell_contents", value, name)
                    self._of_library(value, instructions, place)
                elif op in ("LOAD_ATTR", "LOAD_METHOD"):
                    self._attributes.add(name)
                    self._lines.setdefault(name, self._line)
                    self._all_attributes |= name in _READERS_OF_ATTRIBUTES
                elif op == "MATCH_CLASS":
                    self._all_attributes = True
                elif op == "IMPORT_NAME" and name.partition(".")[0] not in ("minigrad", "numpy", "math"):
                    raise Unfollowed(f"{name}, which is imported inside of the step")

    def _builtin(self, name: str, value: Any, instruction: dis.Instruction) -> None:
        """A function of Python's own, called (which is seen) or handed on to what calls it unseen."""
        if name in _CALLERS:
            raise Unfollowed(f"{name}(), which calls functions out of sight")
        self._all_attributes |= name in _READERS_OF_ATTRIBUTES
        if isinstance(value, types.BuiltinFunctionType) and "NULL" not in instruction.argrepr:
            raise Unfollowed(f"{name}, which is handed on to something that calls it out of sight")

    def _of_library(self, value: Any, instructions: list[dis.Instruction], place: int) -> None:
        """What the code reads of a module of a library (`F.relu`, `sys.argv`): it must not have been replaced."""
        for instruction in instructions[place + 1 :]:
            if instruction.opname in ("PRECALL", "CACHE", "PUSH_NULL"):
                continue
            if not isinstance(value, types.ModuleType) or not _is_library(value.__name__):
                return
            if instruction.opname not in ("LOAD_ATTR", "LOAD_METHOD"):
                return
            name, table = instruction.argval, vars(value)
            if name in _CALLERS:
                raise Unfollowed(f"{name}(), which calls functions out of sight")
            if name not in table:
                return
            text = f"{self.bound(table)}[{name!r}]"
            value = table[name]
            if is_plain(value) or isinstance(value, list | dict):
                self.see(text, value, name)
            else:
                self.conditions.append(f"{text} is {self.bound(value)}")

    def _attribute(self, obj: Any, attribute: str, path: str) -> None:
        """An attribute that may be read of an object of the program's own."""
        if isinstance(obj, type):
            for cls in obj.__mro__:
                if _is_library(cls.__module__):
                    if attribute in vars(cls):
                        return
                elif attribute not in vars(cls):
                    self._is_not_in(cls.__dict__, attribute)  # (it would stand before that of a later class)
                else:
                    value = vars(cls)[attribute]
                    if isinstance(value, staticmethod | classmethod):
                        value = value.__func__
                    if isinstance(value, property):
                        value = value.fget
                    own = self.bound(cls.__dict__)
                    self.conditions.append(f"{own}[{attribute!r}] is {self.bound(vars(cls)[attribute])}")
                    if not is_plain(value):
                        self._contents(value, f"{path}.{attribute}")
                    return
            return
        table = vars(obj)
        if attribute not in table:
            self._is_not_in(table, attribute)
            return
        if isinstance(obj, Module) and attribute in _OWN_OF_MODULE:
            return
        self.see(f"{self.bound(table)}[{attribute!r}]", table[attribute], f"{path}.{attribute}")

    # -- the test

    def compiled(self) -> Callable[[], bool]:
        """A function that says whether all is as it was."""
        absent = [  # one test for each table, which costs as much as the smaller of the two
            f"{self.bound(table.keys())}.isdisjoint({self.bound(frozenset(names))})"
            for table, names in self._absent.values()
        ]
        conditions = list(dict.fromkeys([*self.conditions, *absent]))
        space = dict(self.space)
        source = "def same():\n    try:\n        return (\n            True\n"
        source += "".join(f"            and {c}\n" for c in conditions)
        source += "        )\n    except (KeyError, IndexError, AttributeError, ValueError, TypeError):\n        return False\n"
        exec(compile(source, "<the guards of a step>", "exec"), space)
        return space["same"]


def is_of_the_program(obj: Any) -> bool:
    """Whether an object is of a class of the program's own, with attributes."""
    return hasattr(obj, "__dict__") and not _is_library(type(obj).__module__)


def is_plain(obj: Any) -> bool:
    """Whether an object is told by its value alone: a number, a text, a type of numbers, or a tuple of such."""
    if isinstance(obj, tuple | frozenset):
        return all(map(is_plain, obj))
    if isinstance(obj, slice):
        return is_plain((obj.start, obj.stop, obj.step))
    return isinstance(obj, _PLAIN)


def _same_value(a: Any, b: Any) -> bool:
    """Equal, and of equal types, throughout: 2 and 2.0 are different, and so are 0.0 and -0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(_same_value, a, b))
    if isinstance(a, slice):
        return _same_value((a.start, a.stop, a.step), (b.start, b.stop, b.step))
    if isinstance(a, frozenset):
        return a == b and {(type(x), str(x)) for x in a} == {(type(x), str(x)) for x in b}
    return (a == b or (a != a and b != b)) and (not isinstance(a, float | complex) or str(a) == str(b))


@functools.cache
def _names_read(cls: Any) -> frozenset[str]:
    """The names that a class's methods of the library read, those of Module itself apart."""
    names: set[str] = set()
    for base in cls.__mro__:
        if base is not Module and base is not object and _is_library(base.__module__):
            for method in vars(base).values():
                method = getattr(method, "fget", method)
                if isinstance(method, types.FunctionType):
                    for code in codes_of(inspect.unwrap(method).__code__):
                        names.update(code.co_names)
    return frozenset(names)


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
