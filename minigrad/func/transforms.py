"""Derivatives of functions, as functions: grad, vjp, jvp, jacrev, jacfwd, hessian.

Each call opens a *level*: the inputs that are differentiated are replaced by aliases, the function is recorded on these
whatever the mode outside, and the gradient is taken by them with `create_graph`, so that levels may be nested and mixed
with `.backward()`. When the level closes, a result that depends on nothing outside of it is detached.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import autograd
from ..autograd.modes import enable_grad, is_grad_enabled
from ..autograd.variable import wrap
from ..errors import WrongObject
from ..foreign import said
from ..ops import stack
from ..tensor import Tensor
from . import tree

# -- levels


def _alias(x: Any) -> Any:
    """x itself for the graph outside, and for this level a tensor of its own."""
    if not isinstance(x, Tensor):
        raise ValueError(f"Thing passed to transform API must be Tensor, got {said(x)}")
    if x.requires_grad:
        return x.view(x.shape)
    return x.detach().requires_grad_()


def _needs_others(x: Tensor, own: list[Tensor]) -> bool:
    """Whether x was computed from a leaf that requires grad and is not one of this level."""
    mine = {id(leaf) for leaf in own}
    if x.grad_fn is None:
        return x.requires_grad and id(x) not in mine
    waiting, seen = [x.grad_fn], {id(x.grad_fn)}
    while waiting:
        node = waiting.pop()
        variable = getattr(node, "variable", None)
        if variable is not None and id(variable) not in mine:
            return True
        for inner, _ in node.next_functions:
            if inner is not None and id(inner) not in seen:
                seen.add(id(inner))
                waiting.append(inner)
    return False


def _closed(result: Any, own: list[Tensor], recording: bool) -> Any:
    """A result as it leaves the level."""

    def leave(x: Any) -> Any:
        if not isinstance(x, Tensor) or not x.requires_grad or (recording and _needs_others(x, own)):
            return x
        return x.detach()

    return tree.mapped(leave, result)


def _gradients(outputs: list[Any], inputs: list[Any], cotangents: list[Any] | None) -> list[Any]:
    """Gradients that can be differentiated again; zeros by what the outputs do not depend on."""
    kept = [i for i, y in enumerate(outputs) if y.requires_grad]
    if not kept:
        return [wrap(np.zeros_like(x.array)) for x in inputs]
    given = None if cotangents is None else [cotangents[i] for i in kept]
    found = autograd.grad([outputs[i] for i in kept], inputs, given, create_graph=True, allow_unused=True)
    return [wrap(np.zeros_like(x.array)) if g is None else g for g, x in zip(found, inputs, strict=True)]


def _chosen(args: tuple, argnums: Any) -> tuple[list[int], bool]:
    """The places of the inputs to differentiate, and whether one was named alone."""
    if not isinstance(argnums, int | tuple):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    if argnums == ():
        raise RuntimeError("argnums must be non-empty")
    alone = isinstance(argnums, int)
    places: list[int] = [argnums] if isinstance(argnums, int) else list(argnums)
    for k in places:
        if not -len(args) <= k < len(args):
            raise RuntimeError(f"Got argnum={k}, but only {len(args)} positional inputs")
    places = [k % len(args) for k in places]
    if len(set(places)) != len(places):
        raise RuntimeError(f"argnums elements must be unique, got {argnums}")
    return places, alone


def _without_aux(value: Any, has_aux: bool, name: str) -> tuple[Any, Any]:
    if not has_aux:
        return value, None
    if not (isinstance(value, tuple) and len(value) == 2):
        raise RuntimeError(
            f"{name}: output of function f should be a tuple: (output, aux) if has_aux is True, got {type(value).__name__}"
        )
    return value


def _tensors(value: Any, name: str) -> list[Any]:
    """The leaves of an output, which must be tensors."""
    found = tree.leaves(value)
    for y in found:
        if not isinstance(y, Tensor):
            raise RuntimeError(f"{name}: expected f(*args) to return only tensors, got unsupported type {said(y)}")
    return found


# -- gradients


def grad_and_value(func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable:
    """x ↦ (∂func/∂x, func(x)) of a function of one value; with has_aux (gradient, (value, aux)).

    argnums: which inputs, each a tensor or a nesting of them. PyTorch: torch.func.grad_and_value.
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        recording = is_grad_enabled()
        places, alone = _chosen(args, argnums)
        with enable_grad():
            inputs = [tree.mapped(_alias, args[k]) for k in places]
            own = tree.leaves(inputs)
            called = list(args)
            for k, x in zip(places, inputs, strict=True):
                called[k] = x
            out, aux = _without_aux(func(*called, **kwargs), has_aux, "grad_and_value(f)(*args)")
            if not isinstance(out, Tensor):
                raise RuntimeError(f"grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got {said(out)}")
            if out.dim() != 0:
                raise RuntimeError(
                    "grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor with "
                    f"{out.dim()} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
                )
            found = tree.filled(inputs, _gradients([out], own, None))
            gradient = found[0] if alone else tuple(found)
        return _closed((gradient, (out, aux) if has_aux else out), own, recording)

    return wrapper


def grad(func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable:
    """x ↦ ∂func/∂x of a function of one value; with has_aux (gradient, aux). PyTorch: torch.func.grad."""
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapper


def vjp(func: Callable, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """func(*primals), and the function v ↦ (v · ∂out/∂x for each primal); with has_aux also aux. PyTorch: torch.func.vjp."""
    recording = is_grad_enabled()
    with enable_grad():
        inputs = [tree.mapped(_alias, p) for p in primals]
        own = tree.leaves(inputs)
        out, aux = _without_aux(func(*inputs), has_aux, "vjp(f, *primals)")
        outputs = _tensors(out, "vjp(f, *primals)")

    def pull_back(*cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> tuple[Any, ...]:
        given = tree.leaves(cotangents[0] if len(cotangents) == 1 else cotangents)
        if len(given) != len(outputs):
            raise RuntimeError(
                f"Expected pytree structure of cotangents to be the same as pytree structure of outputs to the function: got "
                f"{len(given)} tensors for {len(outputs)} outputs"
            )
        now = is_grad_enabled()
        with enable_grad():
            found = tree.filled(inputs, _gradients(outputs, own, given))
        return _closed(tuple(found), own, now)

    results = _closed((out, aux), own, recording)
    return (results[0], pull_back, results[1]) if has_aux else (results[0], pull_back)


def jvp(func: Callable, primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> tuple[Any, ...]:
    """func(*primals), and ∂out/∂x · tangents; with has_aux also aux. PyTorch: torch.func.jvp.

    By two backward passes: v ↦ v · ∂out/∂x is linear in v, and its own derivative by v is what is asked for. So
    every operation on the way needs a second derivative.
    """
    for name, value in (("primals", primals), ("tangents", tangents)):
        if not isinstance(value, tuple) or (name == "primals" and not value):
            raise RuntimeError(
                f"jvp(f, primals, tangents): Expected {name} to be a tuple. E.g. it should be valid to call f(*primals)."
            )
        for x in tree.leaves(value):
            if not isinstance(x, Tensor):
                raise RuntimeError(f"jvp(f, primals, tangents): Expected {name} to only contain Tensors, got {said(x)}")
            if x.array.dtype.kind != "f":
                raise ValueError(f"jvp(f, primals, tangents): Expected {name} to be floating point, but got: {x.dtype}")
    recording = is_grad_enabled()
    with enable_grad():
        inputs = tree.mapped(_alias, primals)
        own, along = tree.leaves(inputs), tree.leaves(tangents)
        if len(own) != len(along):
            raise RuntimeError(
                "jvp(f, primals, tangents): Expected primals and tangents to have the same python structure."
            )
        for x, t in zip(own, along, strict=True):
            if x.shape != t.shape:
                raise RuntimeError(
                    f"jvp(f, primals, tangents): a tangent of shape {list(t.shape)} was given for a primal of {list(x.shape)}"
                )
        out, aux = _without_aux(func(*inputs), has_aux, "jvp(f, primals, tangents)")
        outputs = _tensors(out, "jvp(f, primals, tangents)")
        if strict and not all(_depends(y, own) for y in outputs):
            raise RuntimeError("jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs.")
        found = _pushed(outputs, own, _in_types(along, own))
    results = _closed((out, tree.filled(out, found), aux), own, recording)
    return results if has_aux else results[:2]


def _in_types(along: list[Any], inputs: list[Any]) -> list[Any]:
    """The tangents in the types of the inputs, recorded: their own gradients go through it."""
    return [t if t.dtype == x.dtype else t.to(x.dtype) for t, x in zip(along, inputs, strict=True)]


def _pushed(outputs: list[Any], inputs: list[Any], along: list[Any]) -> list[Any]:
    """The derivatives of outputs in the direction `along` of the inputs, by two backward passes."""
    v = [wrap(np.zeros_like(y.array)).requires_grad_() for y in outputs]
    gradients = _gradients(outputs, inputs, v)
    found = _gradients(gradients, v, along)
    return found


def _depends(y: Any, own: list[Any]) -> bool:
    return y.requires_grad and any(
        g is not None for g in autograd.grad(y, own, y.detach() * 0 + 1, retain_graph=True, allow_unused=True)
    )


def linearize(func: Callable, *primals: Any) -> tuple[Any, Callable]:
    """func(*primals), and the function tangents ↦ ∂out/∂x · tangents at this place. PyTorch: torch.func.linearize."""
    if others := [x for x in tree.leaves(primals) if not isinstance(x, Tensor)]:
        raise WrongObject(f"linearize: a primal must be a tensor, not {said(others[0])}")
    recording = is_grad_enabled()
    with enable_grad():
        inputs = tree.mapped(_alias, primals)
        own = tree.leaves(inputs)
        out = func(*inputs)
        outputs = _tensors(out, "linearize(f, *primals)")

    def push(*tangents: Any) -> Any:
        now, along = is_grad_enabled(), tree.leaves(tangents)
        if len(along) != len(own):
            raise RuntimeError(f"linearize: got {len(along)} tangents for {len(own)} primals")
        for x, t in zip(own, along, strict=True):
            if not isinstance(t, Tensor):
                raise TypeError(f"linearize: a tangent must be a tensor, not {said(t)}")
            if t.shape != x.shape or t.dtype != x.dtype:
                raise RuntimeError(
                    f"linearize: a tangent must be a tensor of shape {list(x.shape)} and type {x.dtype}, as its primal"
                )
        with enable_grad():
            return _closed(tree.filled(out, _pushed(outputs, own, along)), own, now)

    return _closed(out, own, recording), push


# -- whole Jacobians


def _rows(y: Any, inputs: list[Any]) -> list[Any]:
    """∂y/∂x of shape (*y.shape, *x.shape) for each input, a row at a time."""
    rows = []
    for k in range(y.array.size):
        one = np.zeros_like(y.array)
        one.flat[k] = 1
        rows.append(_gradients([y], inputs, [wrap(one)]))
    if not rows:
        return [wrap(np.zeros((*y.array.shape, *x.array.shape), x.array.dtype)) for x in inputs]
    return [
        stack(list(column)).reshape((*y.array.shape, *x.array.shape))
        for column, x in zip(zip(*rows, strict=True), inputs, strict=True)
    ]


def jacrev(
    func: Callable, argnums: int | tuple[int, ...] = 0, *, has_aux: bool = False, chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable:  # fmt: skip
    """x ↦ ∂out/∂x, of shape (*out.shape, *x.shape), for each output and input; with has_aux (Jacobian, aux).

    By one backward pass for each element of the output; chunk_size has nothing to divide. PyTorch: torch.func.jacrev.
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        recording = is_grad_enabled()
        places, alone = _chosen(args, argnums)
        with enable_grad():
            inputs = [tree.mapped(_alias, args[k]) for k in places]
            own = tree.leaves(inputs)
            called = list(args)
            for k, x in zip(places, inputs, strict=True):
                called[k] = x
            out, aux = _without_aux(func(*called, **kwargs), has_aux, "jacrev(f)(*args)")
            _tensors(out, "jacrev(f)(*args)")

            def block(y: Any) -> Any:
                found = tree.filled(inputs, _rows(y, own))
                return found[0] if alone else tuple(found)

            table = tree.mapped(block, out)
        results = _closed((table, aux), own, recording)
        return results if has_aux else results[0]

    return wrapper


def jacfwd(
    func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable:
    """The same as `jacrev`, whose backward passes it uses: there is no forward mode. PyTorch: torch.func.jacfwd."""
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
    return jacrev(func, argnums, has_aux=has_aux)


def hessian(func: Callable, argnums: int | tuple[int, ...] = 0) -> Callable:
    """x ↦ ∂²out/∂x², the Jacobian of the Jacobian. PyTorch: torch.func.hessian."""
    return jacfwd(jacrev(func, argnums), argnums)
