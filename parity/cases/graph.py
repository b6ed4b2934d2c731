"""What PyTorch's autograd lets a program do to the graph itself: modes, hooks, in-place changes, its own Functions."""

from __future__ import annotations

from typing import Any

from ..case import REDUCED, call, family, op

family("autograd")


def graph(name: str, fn: Any, *covers: str, shapes: tuple = ((3, 4),), **options: Any) -> None:
    op(
        name,
        lambda d: call(*[d.tensor(s) for s in shapes]),
        fn,
        covers=covers,
        tolerance=REDUCED,
        **{"modes": ("normal", "ties"), **options},
    )


def _modes(torch: Any, x: Any) -> Any:
    with torch.no_grad():
        a = x * 2
        with torch.enable_grad():
            b = x * 3
        inner = torch.is_grad_enabled()
    with torch.set_grad_enabled(False):
        c = x * 4
    with torch.inference_mode():
        e, inference = x * 5, torch.is_inference_mode_enabled()

    @torch.no_grad()
    def decorated(t: Any) -> Any:
        return t * 6

    @torch.inference_mode()
    def inferred(t: Any) -> Any:
        return t * 7

    before = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    off = torch.is_grad_enabled()
    torch.set_grad_enabled(True)
    flags = [t.requires_grad for t in (a, b, c, e, decorated(x), inferred(x))]
    return b, a.sum(), flags, inner, before, off, inference


graph(
    "no_grad",
    _modes,
    "enable_grad",
    "set_grad_enabled",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
)


def _backward(torch: Any, x: Any) -> Any:
    """Accumulation, retain_graph, inputs=, a gradient given, a leaf used twice."""
    leaf = x.detach().clone().requires_grad_()
    other = x.detach().clone().requires_grad_()
    y = (leaf * leaf * other).sum()
    y.backward(retain_graph=True)
    first = leaf.grad.clone()
    y.backward()
    z = leaf * 3
    z.backward(torch.ones_like(z) * 0.5, inputs=[leaf])
    total = leaf.grad.clone()
    leaf.grad = None
    torch.autograd.backward([leaf.sum(), (leaf**2).sum()])
    return first, total, leaf.grad, other.grad, leaf.is_leaf, z.is_leaf


graph("Tensor.backward", _backward, "autograd.backward", "Tensor.grad", gradient=False)


def _history(torch: Any, x: Any) -> Any:
    """The names of the operations that made a tensor, back to its leaf."""
    y = (x * 2).exp().sum()
    names, node = [], y.grad_fn
    while node is not None:
        names.append(node.name().rpartition("::")[2])
        node = node.next_functions[0][0] if node.next_functions else None
    return y, names, x.grad_fn


graph("Tensor.grad_fn", _history)


def _views(torch: Any, x: Any) -> Any:
    """What is a view of what, and how often its memory was changed."""
    y = x * 2
    view = y[1:]
    before = y._version, view._version
    view.mul_(3)
    facts = [y._is_view(), view._is_view(), y.clone()._is_view(), y._base is None, view._base is y]
    return y, facts, before, y._version, view._version, x._version


graph("Tensor._is_view", _views, "Tensor._base", "Tensor._version")


def _grad(torch: Any, x: Any, w: Any) -> Any:
    y = (x @ w).tanh().sum()
    a, b = torch.autograd.grad(y, (x, w), create_graph=True)
    penalty = (a**2).sum() + (b**2).sum()
    unused = torch.autograd.grad(x.sum(), (x, w), allow_unused=True)
    zeros = torch.autograd.grad(x.sum(), (x, w), materialize_grads=True)
    return penalty, y, unused[1] is None, zeros[1]


graph("autograd.grad", _grad, shapes=((3, 4), (4, 2)))


def _hooks(torch: Any, x: Any) -> Any:
    leaf = x.detach().clone().requires_grad_()
    seen: list[Any] = []
    y = leaf * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    handle = y.register_hook(lambda g: seen.append(g.clone()))
    leaf.register_hook(lambda g: g + 1)
    removed = leaf.register_hook(lambda g: g * 1000)
    removed.remove()
    leaf.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.clone()))
    (y**2).sum().backward()
    handle.remove()
    return leaf.grad, y.grad, seen, y.retains_grad


graph("Tensor.register_hook", _hooks, "Tensor.retain_grad", "Tensor.register_post_accumulate_grad_hook", gradient=False)


def _in_place(torch: Any, x: Any, y: Any) -> Any:
    a = x * 2
    a += y
    a.mul_(y)
    a[0] = 0.0
    a[1:, 0] = a[1:, 0] * 3
    b = a.clone()
    b[:, 1] = y[:, 1] ** 2
    c = b.exp() * y
    c.sub_(b)
    return c, a._version, a.is_leaf


graph("in_place", _in_place, shapes=((3, 4), (3, 4)))


def _in_place_on_slices(torch: Any, x: Any, y: Any) -> Any:
    """A slice is changed in place: the tensor that it was cut from changes with it, and so do gradients."""
    a = x * 2
    a[1:, 0] *= 3
    a[0].add_(y[0])
    row = a[2]
    row.mul_(y[1])
    return a, a.exp().sum(), a._version


graph("in_place.slices", _in_place_on_slices, shapes=((3, 4), (3, 4)))


def _detached(torch: Any, x: Any) -> Any:
    y = x.detach() * x
    z = (x * 2).detach_()
    leaf = x.detach().requires_grad_()
    (leaf * leaf).sum().backward()
    off = x.detach().clone().requires_grad_(True).requires_grad_(False)
    return y, z, z.requires_grad, z.is_leaf, leaf.requires_grad, leaf.grad, leaf.detach(), off.requires_grad


graph("Tensor.detach.graph", _detached, "Tensor.detach_", "Tensor.requires_grad_", "Tensor.detach")


def _function(torch: Any, x: Any, y: Any) -> Any:
    """A user's own Functions, in both spellings."""

    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Any, b: Any, scale: float) -> Any:
            ctx.save_for_backward(a, b)
            ctx.scale = scale
            return a * b * scale

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            a, b = ctx.saved_tensors
            needed = ctx.needs_input_grad
            return grad * b * ctx.scale if needed[0] else None, grad * a * ctx.scale if needed[1] else None, None

    class Pair(torch.autograd.Function):
        @staticmethod
        def forward(a: Any) -> Any:
            return a.exp(), a.sign()

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.save_for_backward(output[0])
            ctx.mark_non_differentiable(output[1])

        @staticmethod
        def backward(ctx: Any, grad: Any, _: Any) -> Any:
            (out,) = ctx.saved_tensors
            return grad * out

    e, s = Pair.apply(x * 0.5)
    return Product.apply(x, y, 1.5) + e, s.requires_grad, s


graph("autograd.Function", _function, shapes=((3, 4), (3, 4)))


def _checked(torch: Any, x: Any) -> Any:
    x = x.detach().clone().requires_grad_()
    good = torch.autograd.gradcheck(lambda t: (t.tanh() * t).sum(0), (x,))
    second = torch.autograd.gradgradcheck(lambda t: (t.exp() * t).sum(), (x,))

    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Any) -> Any:
            return a * 2

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return grad * 3

    bad = torch.autograd.gradcheck(Wrong.apply, (x,), raise_exception=False)
    return good, second, bad


op(
    "autograd.gradcheck",
    lambda d: call(d.tensor((2, 2), dtype="float64")),
    _checked,
    covers=["autograd.gradgradcheck"],
    gradient=False,
    float32=False,
    modes=("normal",),
)


def _functional(torch: Any, x: Any) -> Any:
    f = torch.autograd.functional
    return f.jacobian(lambda t: (t**2).sum(1), x.detach()), f.hessian(lambda t: (t**3).sum(), x.detach()[0])


graph("autograd.functional", _functional, "autograd.functional.jacobian", "autograd.functional.hessian", gradient=False)


def _unrolled(torch: Any, x: Any) -> Any:
    """A value used many times and a loop with control flow: gradients add up."""
    y = x
    for i in range(6):
        y = y + y * 0.1 if i % 2 else torch.sin(y) + x
        if y.sum().item() > 0.123:  # not 0, at which a sum of tied values may lie but for rounding
            y = y * 0.5
    a, b = y.chunk(2, dim=1)
    return torch.cat([a * b, b, a], 1), y.mean()


graph("graph.reuse", _unrolled)


def _inner(torch: Any, x: Any, w: Any) -> Any:
    """Gradients by inner tensors: one that is used early and late, one above another, with the leaf below them."""
    a = x * w
    b = a.tanh()
    loss = (a * b + b * b).sin().sum()
    by_a, by_b, by_x = torch.autograd.grad(loss, (a, b, x), create_graph=True)
    (alone,) = torch.autograd.grad(loss, a, retain_graph=True)
    (itself,) = torch.autograd.grad(loss, loss, retain_graph=True)
    leaf = x.detach().clone().requires_grad_()
    leaf.register_hook(lambda g: g * 10)
    y = leaf * 2
    found = torch.autograd.grad((y * y).sum(), (y, leaf))
    untouched = leaf.grad is None
    z = leaf * 3
    (z * z).sum().backward(inputs=[z])
    return by_a * by_b, by_x, alone, itself, found, untouched, z.grad, leaf.grad is None


graph("graph.inner", _inner, shapes=((3, 4), (3, 4)))


def _owned(torch: Any, x: Any) -> Any:
    """A gradient that is changed changes nothing else: another gradient, what was given, what a hook kept."""
    a, b, c, d, e = (x.detach().clone().requires_grad_() for _ in range(5))
    (a + b).backward(torch.ones_like(a) * 2)
    a.grad.mul_(3)
    given = torch.ones_like(x).reshape(-1) * 4
    (c.reshape(-1) + d.reshape(-1)).backward(given)
    c.grad.mul_(3)
    kept: list[Any] = []
    y = e.reshape(4, 3)
    y.register_hook(lambda g: kept.append(g))
    (y * 5).sum().backward()
    e.grad.mul_(3)
    return a.grad, b.grad, given, c.grad, d.grad, kept[0], e.grad


def _owned_in_words(torch: Any, x: Any) -> Any:
    """What comes of it where nothing is shared. In PyTorch a gradient shares the memory that a view of it looks into."""
    one = torch.ones_like(x, memory_format=torch.contiguous_format)
    return one * 6, one * 2, one.reshape(-1) * 4, one * 12, one * 4, one.reshape(4, 3) * 5, one * 15


graph("graph.ownership", _owned, gradient=False, reference=_owned_in_words)


def _edges(torch: Any, x: Any) -> Any:
    """A leaf has one node, whatever uses it; it may be the root itself; where nothing is wanted, nothing leads there."""
    leaf, other = x.detach().clone().requires_grad_(), x.detach().clone()
    y, z = leaf.exp(), leaf * other
    (node, _), (again, _) = y.grad_fn.next_functions[0], z.grad_fn.next_functions[0]
    leaf.backward(torch.ones_like(leaf) * 2)
    refused = False
    try:
        torch.autograd.backward(other.sum())
    except RuntimeError:
        refused = True
    return node is again, z.grad_fn.next_functions[1][0] is None, leaf.grad, refused, other.requires_grad


graph("graph.edges", _edges, gradient=False)
