"""`minigrad.compile`: a step written out as a program, that one can read and run. PyTorch: torch.compile, torch.compiler.

step = minigrad.compile(train_step)      the first two calls run as ever and are recorded
step(x, y)                               from the third on the program runs, as long as nothing that it depends on has changed
print(step.source())                     the program: NumPy, line by line, forward and backward
print(step.explain())                    what could not be written out, and why

record.py    one call, watched: what ran, on which arrays          entries.py  what a recording is made of
changes.py   changes in place, recorded                            places.py   where the recorder stands in the engine
looks.py     which code only looks at shapes                       watch.py    what the step's own code does
guards.py    what the step depends on besides                      frames.py   whose code it is, and which line
write.py     from that to a program                                program.py  what a program is
emit.py      how operations are written that run as written        text.py     a program as Python
written.py   how others are printed: texts/, an entry for each     helpers.py  NumPy that several texts call
whole.py     functions that are called as they are                 names.py    what a program calls, by its public name
arguments.py what of a call's arguments must be as it was          undo.py     what a step had changed, put back
updates.py   optimizers' steps as Python
joined.py    lines that run as one                             fuse.py     a program as few calls
tapes.py     lines as instructions for one loop
loops.py     a small network as one loop over rows             fast.py     a compiled step without overhead
story.py     what runs, what it costs, a picture of memory
space.py     what a program's text calls                       part.py    a program that runs, in which form
ready.py     the programs of a step, and which fits a call     run.py     the compiled step
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import missing
from ..foreign import refuse as _refuse
from ..nn.module import Module
from ..tensor_options import flag
from .module import CompiledModule as _CompiledModule
from .run import Compiled as _Compiled

__all__ = ["compile", "disable", "is_compiling", "is_dynamo_compiling", "reset"]

_MODES = ("default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs")


def compile(
    model: Callable | None = None, *, fullgraph: bool = False, dynamic: bool | None = None, backend: str | Callable = "inductor",
    mode: str | None = None, options: dict[str, Any] | None = None, disable: bool = False,
) -> Any:  # fmt: skip
    """A step (or a module) that is recorded at its first calls, and run as a written-out program afterwards.

    The same numbers as eager. What cannot be written out runs eagerly, with the reason in `.explain()`; with fullgraph=True
    it raises, when what the step had changed of tensors, optimizers, lists and dicts has been put back. Each set of shapes, types and settings has a program of its own, up to 8. A small network's step becomes one
    compiled loop when it has run often, or at once with mode="max-autotune" (seconds); backend "eager" and `disable` give back what was given. Also a decorator. PyTorch: torch.compile.
    """
    fullgraph, disable = flag("compile", "fullgraph", fullgraph), flag("compile", "disable", disable)
    if mode is not None and mode not in _MODES:
        raise RuntimeError(f"Unrecognized mode={mode}, should be one of: {', '.join(_MODES)}")
    if mode is not None and options is not None:
        raise RuntimeError("Either mode or options can be specified, but both can't be specified at the same time.")
    if options:
        raise RuntimeError(f"Unexpected optimization option {next(iter(options))}: minigrad.compile has none")
    if dynamic:
        raise NotImplementedError(
            "compile: dynamic=True is not supported by minigrad: each shape has a program of its own"
        )
    if backend not in ("inductor", "eager"):
        raise RuntimeError(f"Invalid backend: {backend!r}; minigrad has 'inductor' (its own) and 'eager'")

    def compiled(f: Any) -> Any:
        if not callable(f):
            raise RuntimeError(f"compile: expected a function or a module, got {type(f).__name__}")
        _refuse("compile", {"model": f})
        if (
            disable
            or backend == "eager"
            or isinstance(f, _Compiled | _CompiledModule)
            or getattr(f, "_minigrad_disabled", False)
        ):
            return f
        at_once = (mode or "").startswith("max-autotune")
        return _CompiledModule(f, fullgraph, at_once) if isinstance(f, Module) else _Compiled(f, fullgraph, at_once)

    return compiled if model is None else compiled(model)


def is_compiling() -> bool:
    """False: a step is recorded while it runs."""
    return False


def is_dynamo_compiling() -> bool:
    """False."""
    return False


def reset() -> None:
    """Nothing to forget: programs belong to the steps that they were written for."""


def disable(fn: Callable | None = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """The function itself. PyTorch: torch.compiler.disable."""
    return (lambda f: f) if fn is None else fn


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())
