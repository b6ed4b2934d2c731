"""Objects of other engines: recognised without importing those engines, and named in errors.

A program that comes from PyTorch, or holds both engines beside each other, sooner or later gives a tensor of the one to a
function of the other. Both call their class `Tensor`, and "must be Tensor, not Tensor" helps nobody. `said` is what an error
calls the type of an argument: of another engine's object it says whose it is and how to come from it to minigrad's. `explain`
is asked when a call has failed, over whatever it fell, and `refuse` where an argument would be kept and used later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

ENGINES = {"torch": "PyTorch", "jax": "JAX", "jaxlib": "JAX", "tensorflow": "TensorFlow"}  # by the package of a class
_DEPTH = 3  # of lists, tuples and dicts that are looked into, as in a list of groups of parameters
_MISTAKEN = (TypeError, AttributeError)  # what a call falls over where an argument is an object of another class


def class_of(x: Any) -> type | None:
    """The class of x that another engine defines: its own, or one that it derives from. None for all other objects."""
    for cls in type(x).__mro__:
        if str(cls.__module__).partition(".")[0] in ENGINES:
            return cls
    return None


def said(x: Any) -> str:
    """The type of x as an error names it; of what is another engine's also whose it is, and what to give instead."""
    cls = class_of(x)
    if cls is None:
        return type(x).__name__
    package = cls.__module__.partition(".")[0]
    name = f"{cls.__module__.removesuffix('._C')}.{cls.__qualname__}"
    return f"{name} of {ENGINES[package]} (minigrad takes its own: {_instead(x, cls, package)})"


def _instead(x: Any, cls: type, package: str) -> str:
    names = {c.__name__ for c in type(x).__mro__}
    if package == "torch" and "Tensor" in names:
        return "minigrad.tensor(t.detach().numpy())"
    if "Module" in names:
        return "build it from minigrad.nn, and take the weights over by load_state_dict(module.state_dict())"
    if cls.__name__ in ("dtype", "memory_format", "layout"):
        return str(x).replace("torch.", "minigrad.")
    if hasattr(x, "__array__"):
        return "minigrad.tensor(numpy.array(x))"
    return f"a {cls.__name__} of minigrad"


def _inside(x: Any, depth: int = _DEPTH) -> Iterator[Any]:
    """x, or what a list, a tuple or a dict holds."""
    if not depth or not isinstance(x, list | tuple | Mapping):
        yield x
        return
    for inner in x.values() if isinstance(x, Mapping) else x:
        yield from _inside(inner, depth - 1)


def is_tensor(x: Any) -> bool:
    """Whether x is another engine's tensor."""
    return class_of(x) is not None and hasattr(x, "__array__")


def _is_operand(x: Any) -> bool:
    """Whether x is another engine's tensor, module, optimizer or type: what a call can fall over."""
    cls = class_of(x)
    return cls is not None and (is_tensor(x) or cls.__name__ in ("dtype", "memory_format") or hasattr(x, "state_dict"))


def is_part(x: Any) -> bool:
    """Whether x is what another engine's model would register when it is made an attribute: a module, a parameter or a buffer."""
    if type(x).__module__ == "builtins" or class_of(x) is None:
        return False
    return any(c.__name__ in ("Module", "Parameter") for c in type(x).__mro__) or getattr(x, "_is_buffer", False)


def holds(x: Any) -> bool:
    """Whether x is another engine's tensor, or a list, a tuple or a dict with one in it."""
    return any(map(is_tensor, _inside(x)))


def refuse(function: str, given: Mapping[Any, Any], error: Exception | None = None) -> None:
    """TypeError where an argument is another engine's, or holds one that is. given: the arguments by name or place.

    error: over which the call fell, where it did; one that names the engine already is left as it is.
    """
    for name, value in given.items():
        for x in _inside(value):
            if _is_operand(x) and (whose := said(x)) not in str(error):
                where = f"argument {name!r}" if x is value else f"in argument {name!r} there"
                raise TypeError(f"{function}(): {where} is a {whose}") from error


def explain(error: Exception, function: str, given: Mapping[Any, Any]) -> None:
    """TypeError in the place of the error over which a call fell, where an argument is another engine's; else nothing."""
    if isinstance(error, _MISTAKEN) or "numpy()" in str(error):  # (what PyTorch says of a tensor that requires grad)
        refuse(function, given, error)
