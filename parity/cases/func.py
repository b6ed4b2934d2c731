"""Functions of functions: torch.func, and torch.autograd.functional."""

from __future__ import annotations

from typing import Any

from ..case import REDUCED, call, family, op
from ..inputs import Draw, Input

family("func")


def pair(d: Draw) -> tuple[Input, Input]:
    return d.tensor((3,)), d.tensor((3,))


def entry(name: str, fn: Any, **options: Any) -> None:
    options.setdefault("modes", ("normal",))
    options.setdefault("layouts", False)  # forward mode of PyTorch writes to its inputs' memory
    op(name, lambda d: call(*pair(d)), fn, tolerance=REDUCED, float32=False, **options)


def energy(x: Any, y: Any) -> Any:
    return (x.sin() * y**2).sum() + (x * y).prod()


def field(x: Any, y: Any) -> Any:
    return x.sin() * y**2 + x.sum()


def two(x: Any, y: Any) -> Any:
    return {"a": field(x, y), "b": (x * y).sum()}, x.exp()


# -- torch.func

entry("func.grad", lambda torch, x, y: (
    torch.func.grad(energy)(x, y), torch.func.grad(energy, argnums=1)(x, y), torch.func.grad(energy, argnums=(1, 0))(x, y),
    torch.func.grad(lambda x: (energy(x, y), x * 2), has_aux=True)(x),
    torch.func.grad(lambda d: energy(d["x"], d["y"][0]))({"x": x, "y": [y]}),
    torch.func.grad(lambda x: torch.func.grad(energy)(x, y).sum())(x),
    torch.func.grad(lambda x: torch.ones((), dtype=x.dtype))(x),
))  # fmt: skip
entry("func.grad_and_value", lambda torch, x, y: (
    torch.func.grad_and_value(energy)(x, y),
    torch.func.grad_and_value(lambda x: (energy(x, y), x * 2), argnums=0, has_aux=True)(x),
))  # fmt: skip


def _vjp(torch: Any, x: Any, y: Any) -> Any:
    out, pull = torch.func.vjp(two, x, y)
    one, single, aux = torch.func.vjp(lambda x: (field(x, y), x * 2), x, has_aux=True)
    cotangent = {"a": y.sin(), "b": y.sum()}, x.cos()
    return out, pull(cotangent), one, single(y), aux


entry("func.vjp", _vjp)
entry("func.jvp", lambda torch, x, y: (
    torch.func.jvp(two, (x, y), (y, x)), torch.func.jvp(lambda x: (field(x, y), x * 2), (x,), (y,), has_aux=True),
    torch.func.jvp(lambda x: torch.ones(2, dtype=x.dtype), (x,), (y,)),
))  # fmt: skip


def _linearize(torch: Any, x: Any, y: Any) -> Any:
    # PyTorch's is not differentiable by x: the values alone.
    out, push = torch.func.linearize(lambda x: field(x, x * 2), x.detach())
    return out, push(y.detach()), push(x.detach())


entry("func.linearize", _linearize, gradient=False)
entry("func.jacrev", lambda torch, x, y: (
    torch.func.jacrev(field)(x, y), torch.func.jacrev(field, argnums=(0, 1))(x, y),
    torch.func.jacrev(lambda x: two(x, y)[0])(x), torch.func.jacrev(lambda x: (field(x, y), x * 2), has_aux=True)(x),
    torch.func.jacrev(field, chunk_size=2)(x, y),
))  # fmt: skip
entry("func.jacfwd", lambda torch, x, y: (
    torch.func.jacfwd(field)(x, y), torch.func.jacfwd(field, argnums=(0, 1))(x, y),
    torch.func.jacfwd(lambda x: (field(x, y), x * 2), has_aux=True)(x),
))  # fmt: skip
entry("func.hessian", lambda torch, x, y: (
    torch.func.hessian(energy)(x, y), torch.func.hessian(energy, argnums=(0, 1))(x, y),
), second=False)  # fmt: skip


def _vmap(torch: Any, x: Any, y: Any) -> Any:
    vmap, grad = torch.vmap, torch.func.grad
    rows = x.unsqueeze(-1) * y
    return (
        vmap(lambda a: (a * y).sum())(rows),
        vmap(lambda a, b: a * b, in_dims=(1, None), out_dims=1)(rows, y),
        vmap(lambda a, b: {"s": a + b, "t": (a * b).sum()}, in_dims=(0, 0), out_dims={"s": -1, "t": 0})(rows, rows),
        vmap(lambda p: p["a"] * p["b"][0], in_dims=({"a": 0, "b": [None]},))({"a": rows, "b": [y]}),
        vmap(grad(lambda a: (a.sin() * y).sum()))(rows),
        vmap(vmap(lambda a, b: a * b, in_dims=(None, 0)), in_dims=(0, None))(x, y),
        vmap(lambda a: a * 2, chunk_size=2)(rows),
        vmap(lambda a, scale: a * scale, in_dims=(0, None))(rows, 2.0),
        vmap(lambda a: (a.sum(), y), out_dims=(0, None))(rows)[0],
        vmap(lambda a: a.sum())(rows[:0]),
    )


entry("func.vmap", _vmap)
entry(
    "vmap",
    lambda torch, x, y: (
        torch.vmap(lambda a, b: a.sin() * b)(x, y),
        torch.vmap(energy, in_dims=(-1, None))(x.unsqueeze(0) * 2, y),
    ),
)


def _same_noise(torch: Any, x: Any, y: Any) -> Any:
    return (
        torch.vmap(lambda a: a + torch.rand(2), randomness="same")(x),
        torch.rand(1),
        torch.vmap(lambda a: a + torch.rand(2).double(), randomness="different")(y),
    )


entry("func.vmap.random", lambda torch, x, y: _same_noise(torch, x, y), seeds=True, second=False)


def _model(torch: Any, x: Any, y: Any) -> Any:
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh(), torch.nn.Linear(2, 1)).double()
    before = model[0].weight.detach().clone()
    given = {"0.weight": torch.stack([x, y]), "2.bias": y[:1]}
    out = torch.func.functional_call(model, given, x.cos())
    parts = torch.func.functional_call(model, ({"0.weight": torch.stack([y, x])}, {"2.bias": x[:1]}), (y,), {})
    gradient = torch.func.grad(lambda p: torch.func.functional_call(model, p, (x,)).sum())(given)
    errors = []
    for wrong in (
        lambda: torch.func.functional_call(model, given, x, strict=True),
        lambda: torch.func.functional_call(model, (given, given), x),
    ):
        try:
            wrong()
        except Exception as error:
            errors.append(type(error).__name__)
    return out, parts, gradient, bool((model[0].weight == before).all()), errors


entry("func.functional_call", lambda torch, x, y: _model(torch, x, y), seeds=True)


def _ensemble(torch: Any, x: Any, y: Any) -> Any:
    models = [torch.nn.BatchNorm1d(3).double().eval() for _ in range(2)]
    parameters, buffers = torch.func.stack_module_state(models)
    shapes = {name: (tuple(p.shape), p.requires_grad) for name, p in {**parameters, **buffers}.items()}

    def one(p: Any, b: Any, x: Any) -> Any:
        return torch.func.functional_call(models[0], (p, b), (x.unsqueeze(0),))

    return torch.vmap(one, in_dims=(0, 0, None))(parameters, buffers, x), shapes


entry("func.stack_module_state", lambda torch, x, y: _ensemble(torch, x, y))


# -- torch.autograd.functional

A = "autograd.functional."


def pairs(torch: Any, x: Any, y: Any) -> Any:
    return field(x, y), (x * y).sum()


entry(A + "jacobian", lambda torch, x, y: (
    torch.autograd.functional.jacobian(field, (x, y), create_graph=True), torch.autograd.functional.jacobian(lambda x: pairs(torch, x, y), x),
    torch.autograd.functional.jacobian(lambda x: y * 1, x), torch.autograd.functional.jacobian(lambda x: x.exp(), x, vectorize=True),
    torch.autograd.functional.jacobian(lambda x: x.exp(), x.detach(), vectorize=True, strategy="forward-mode"),
))  # fmt: skip
entry(A + "hessian", lambda torch, x, y: (
    torch.autograd.functional.hessian(energy, (x, y), create_graph=True), torch.autograd.functional.hessian(lambda x: energy(x, y), x),
    torch.autograd.functional.hessian(lambda x: x.sum(), x),
), second=False)  # fmt: skip
entry(A + "vjp", lambda torch, x, y: (
    torch.autograd.functional.vjp(field, (x, y), x, create_graph=True), torch.autograd.functional.vjp(lambda x: pairs(torch, x, y), x, (y, y.sum())),
    torch.autograd.functional.vjp(lambda x: energy(x, y), x),
))  # fmt: skip
entry(A + "jvp", lambda torch, x, y: (
    torch.autograd.functional.jvp(field, (x, y), (y, x), create_graph=True), torch.autograd.functional.jvp(lambda x: pairs(torch, x, y), x, y),
    torch.autograd.functional.jvp(lambda x: x.exp(), x[0]),
))  # fmt: skip
entry(A + "vhp", lambda torch, x, y: (
    torch.autograd.functional.vhp(energy, (x, y), (y, x), create_graph=True), torch.autograd.functional.vhp(lambda x: energy(x, y), x, y),
    torch.autograd.functional.vhp(lambda x: x**3, x[0]),
), second=False)  # fmt: skip
entry(A + "hvp", lambda torch, x, y: (
    torch.autograd.functional.hvp(energy, (x, y), (y, x), create_graph=True), torch.autograd.functional.hvp(lambda x: energy(x, y), x, y),
    torch.autograd.functional.hvp(lambda x: x**3, x[0]),
), second=False)  # fmt: skip
