"""What the step's own code does while a call is recorded, apart from operations: calls, and changes to what it finds.

A program is written from what the engine did. What the step's code does besides must not matter: it may loop, branch on
what stays the same, build lists of its own. It may not call what reads the world or changes it (print, time, random numbers
of Python, a method that changes a list), nor set attributes, entries or globals. Python's profiler shows each call.
"""

from __future__ import annotations

import dis
import functools
import inspect
import os
import sys
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType
from typing import Any

import numpy as np

from ..autograd.variable import Variable
from ..random import Generator
from .frames import line_of, of_engine, of_library
from .guards import State
from .names import called, method
from .record import Recording

# C functions that read only what they are given, and change nothing. (Of methods of tensors see `_ALLOWED`.)
_PURE_NAMES = frozenset((
    "len", "isinstance", "issubclass", "getattr", "hasattr", "abs", "min", "max", "sum", "round", "sorted", "any", "all", "callable", "divmod",
    "pow", "id", "iter", "super", "format", "repr", "items", "keys", "values", "get", "index", "count", "append", "extend", "join", "split",
    "startswith", "endswith", "sqrt", "exp", "log", "sin", "cos", "tan", "tanh", "pi", "floor", "ceil", "prod", "isfinite", "isnan", "__enter__",
    "__exit__", "__build_class__", "fromkeys", "zip", "enumerate", "range", "__new__", "__init__", "__getitem__",
))  # fmt: skip
_CHANGES = frozenset(
    ("append", "extend")
)  # of lists that the step itself made: the compiler of Python makes such lists

# Methods that are slots of a type, whose calls the profiler does not see.
_CHANGERS = frozenset(("__setattr__", "__delattr__", "__setitem__", "__delitem__", "__iadd__", "__imul__", "__ior__", "__iand__", "__isub__", "__ixor__", "__set__", "__delete__"))  # fmt: skip

# Names of the engine that a step may call: by file (of minigrad/), all but the names after it, or only those.
_FILES = ("ops/", "nn/functional.py", "nn/sdp.py", "linalg/", "special.py", "autograd/modes.py", "method_functions.py", "nn/utils/clip_grad.py", "size.py", "dtypes.py", "structure.py", "autograd/differentiate.py", "tensor.py", "quiet.py", "autograd/fused.py", "inplace.py")  # fmt: skip
_ALLOWED = frozenset((
    "forward", "__call__", "_call_with_hooks", "zero_grad", "hooked", "step", "parameters", "named_parameters", "children", "modules",
    "named_modules", "named_children", "buffers", "named_buffers", "__getattr__", "__iter__", "__getitem__", "__len__", "<genexpr>", "__contains__",
    "_named_members", "values", "items", "keys",
    "noting",  # the step of an optimizer that a scheduler counts
    "<lambda>", "collected",  # weak references whose object is gone
))  # fmt: skip
_MAKERS = (
    "creation.py",
    "sampling.py",
)  # whose functions make tensors of numbers that the step's code says, or draw them
_REFUSED = frozenset((
    "requires_grad_", "register_hook", "register_post_accumulate_grad_hook", "retain_grad", "detach_", "share_memory_", "item", "tolist", "numpy",
    "__array__", "__dlpack__", "__bool__", "__float__", "__int__", "__index__", "__format__", "__repr__", "__contains__", "__deepcopy__", "requires_grad",
    "is_nonzero", "apply_", "map_", "set_", "__reduce_ex__", "data_ptr", "storage", "untyped_storage", "is_shared", "_version", "grad_fn",
))  # fmt: skip

# What follows the public name in a reason.
_WHY = {
    "__bool__": ", a branch on a tensor's value", "is_nonzero": ", a branch on a tensor's value", "__array__": ", a tensor given to NumPy",
    "__format__": ", a tensor printed", "__repr__": ", a tensor printed", "__index__": "", "data_ptr": ", an address in memory",
}  # fmt: skip


@functools.cache
def changes(code: CodeType) -> tuple[str, int | None] | None:
    """What of the world outside of itself this code may change, and the number of the line; None if nothing."""
    free = set(code.co_freevars)
    for instruction in dis.get_instructions(code):
        said = _changes_by(instruction, free)
        if said is not None:
            return said, None if instruction.positions is None else instruction.positions.lineno
    return None


def _changes_by(instruction: dis.Instruction, free: set[str]) -> str | None:
    name, op = instruction.argval, instruction.opname
    if op in ("STORE_GLOBAL", "DELETE_GLOBAL"):
        return f"it sets the global {name}"
    if op == "STORE_DEREF" and name in free:
        return f"it sets {name} of the function around it"
    if op == "STORE_ATTR" and name == "grad":
        return None  # the recording sees it
    if op in ("LOAD_ATTR", "LOAD_METHOD") and name in _CHANGERS:
        return f"it calls {name}"
    if op in ("STORE_ATTR", "DELETE_ATTR"):
        return f"it sets the attribute {name}"
    if op == "DELETE_SUBSCR":
        return "it deletes an entry of something"
    if op in ("GET_AWAITABLE", "ASYNC_GEN_WRAP", "IMPORT_STAR"):
        return "it waits"
    return None


@functools.cache
def _setters(code: CodeType) -> frozenset[int]:
    """Where this code sets an entry of something: `x[0] = 1`."""
    return frozenset(i.offset for i in dis.get_instructions(code) if i.opname in ("STORE_SUBSCR", "STORE_SLICE"))


class Watch:
    """A profiler for one call of a step, of which `state` tells what its names lead to.

    Entries of tensors may be set, which the profiler sees; those of lists and dicts may not, which it does not see. So Python's
    tracer tells when the step's own code sets an entry, where it has such code at all.
    """

    def __init__(self, recording: Recording, state: State) -> None:
        self.recording, self.codes, self.reachable = recording, state.codes, state.reachable
        self.before: Any = None
        self.counts = any(map(_setters, state.codes))
        self.traced: Any = None
        self.setting = ""  # the line that set an entry last, until it is known to be a tensor's

    def __enter__(self) -> Watch:
        self.before = sys.getprofile()
        if self.counts:
            self.traced = sys.gettrace()
            if self.traced is not None:
                self.recording.stop("it sets an entry of something while a debugger traces it")
            else:
                sys.settrace(self.trace)
        sys.setprofile(self.see)
        return self

    def __exit__(self, *error: object) -> None:
        sys.setprofile(self.before)
        if self.counts:
            sys.settrace(self.traced)
            if error[0] is None:
                self._nothing_else_was_set()

    def trace(self, frame: FrameType, event: str, arg: Any) -> Any:
        """Of the step's own code that sets entries: see each."""
        if frame.f_code not in self.codes or not _setters(frame.f_code):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self.trace_code

    def trace_code(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "opcode" and frame.f_lasti in _setters(frame.f_code):
            self._nothing_else_was_set()
            self.setting = line_of(frame.f_code, frame.f_lineno, frame.f_globals)
        return self.trace_code

    def _nothing_else_was_set(self) -> None:
        if self.setting:
            self.recording.stop("it sets an entry of something that is no tensor", self.setting)

    def see(self, frame: FrameType, event: str, arg: Any) -> None:
        recording = self.recording
        if recording.apart:
            return
        code = frame.f_code
        own = not of_engine(code.co_filename)
        if event == "call":
            if recording.reason is not None or code is Recording.__exit__.__code__:
                return
            if own:
                self._own(frame, code)
                return
            if (back := frame.f_back) is not None and not of_engine(back.f_code.co_filename):
                if back.f_code in self.codes and back.f_lasti in _setters(back.f_code):
                    self.setting = ""
                self._into_engine(frame)
            recording.opens(frame)
        elif event == "c_call" and own and recording.reason is None and not self._is_library(code):
            self._c_call(arg)
        elif event == "return" and not own and recording.reason is None:
            makes = _makes(frame)
            recording.closes(frame, None if makes else arg)
            if makes and frame.f_back is not None and not of_engine(frame.f_back.f_code.co_filename):
                recording.created(arg)
        elif event == "return" and own and code in self.codes:
            recording.returned = line_of(code, frame.f_lineno, frame.f_globals)
            for name, value in list(frame.f_locals.items()):
                if isinstance(value, Variable):
                    recording.names.setdefault(id(value.__dict__.get("array")), name)

    def _is_library(self, code: CodeType) -> bool:
        """As below; but the step's own code may be a text as well (`python -c`, exec)."""
        return code not in self.codes and of_library(code)

    def _own(self, frame: FrameType, code: CodeType) -> None:
        """Code that is not the engine's begins to run: the step's own, a library's, or what the recorder itself is made of."""
        back = frame.f_back
        from_user = back is not None and not of_engine(back.f_code.co_filename) and not self._is_library(back.f_code)
        if self._is_library(code) and not from_user:
            return  # what the engine and libraries call of libraries
        if code not in self.codes:
            module = frame.f_globals.get("__name__", "") if of_library(code) else ""
            name = f"{module}.{code.co_qualname}" if module else code.co_qualname
            self.recording.stop(f"a call of {name}, of which it is not known what it reads")
            return
        said = changes(code)
        if said is not None:
            self.recording.stop(said[0], line_of(code, said[1], frame.f_globals))

    def _into_engine(self, frame: FrameType) -> None:
        code = _read_by(frame)
        name = code.co_name
        if name in _REFUSED:
            self.recording.stop(f"{called() or method(name)}{_WHY.get(name, '')}")
            return
        file = code.co_filename.replace(os.sep, "/")
        inside = file.rpartition("/minigrad/")[2]
        if inside.startswith(_MAKERS):
            if not all(map(_is_plain, frame.f_locals.values())):
                self.recording.stop(f"{called()} of what is not numbers")
            elif "empty" in name:
                self.recording.stop(f"{called()}, whose numbers are whatever lies in memory")
            return
        if name in _ALLOWED or inside.startswith(_FILES) or inside.startswith("compiler/"):
            return
        passes = name == "<module>"  # (an import: at the next call it has been done)
        self.recording.stop(
            f"{'' if passes else 'a call of '}{called() or 'a method'}, which is not recorded", passes=passes
        )

    def _c_call(self, function: Any) -> None:
        name = getattr(function, "__name__", "")
        owner = getattr(function, "__self__", None)
        if isinstance(owner, Variable) or name in ("setprofile", "__exit__"):
            return
        if name in _PURE_NAMES and not (name in _CHANGES and id(owner) in self.reachable):
            return
        module = getattr(function, "__module__", None)
        told = getattr(function, "__qualname__", name)
        self.recording.stop(f"a call of {f'{module}.{told}' if module and module != 'builtins' else told}")


def _makes(frame: FrameType) -> bool:
    """Whether it is a function that makes tensors of numbers."""
    return _read_by(frame).co_filename.replace(os.sep, "/").endswith("/minigrad/creation.py")


def _is_plain(x: Any) -> bool:
    """Whether an argument is numbers, names and types, or a tensor (of which only the shape may be read: see looks.py)."""
    if isinstance(x, list | tuple):
        return all(map(_is_plain, x))
    if isinstance(x, dict):
        return all(map(_is_plain, x.values()))
    return not isinstance(x, np.ndarray) and (
        x is None
        or type(x) is object  # (what stands for an argument that was not given)
        or isinstance(x, bool | int | float | str | slice | Variable | Generator | np.generic)
        or type(x).__module__.startswith("minigrad")
        or isinstance(x, type | FunctionType | BuiltinFunctionType)
    )


def _read_by(frame: FrameType) -> CodeType:
    """The code of a function of the engine; of one whose arguments are read (signature.py), that of the function itself."""
    code = frame.f_code
    function = frame.f_globals.get("_function")
    if code.co_filename.startswith("<the reader of") and function is not None:
        return getattr(inspect.unwrap(function), "__code__", code)
    made = frame.f_globals.get("_compiled")
    if code.co_name == "_unread" and made is not None:  # it is called for the first time
        cells = dict(zip(made.__code__.co_freevars, made.__closure__ or (), strict=True))
        return getattr(inspect.unwrap(cells["function"].cell_contents), "__code__", code)
    return code
