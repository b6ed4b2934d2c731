"""torch.func and torch.autograd.functional: what a level leaves behind, and what is refused, in both engines alike."""

import torch

import minigrad


def energy(x, y):
    return (x.sin() * y**2).sum() + (x * y).prod()


def field(x, y):
    return x.sin() * y**2 + x.sum()


def _escapes(torch, x, y):
    """What a level leaves behind: whether a result requires grad, and what is refused."""
    F = torch.func
    p = x.detach()
    found = [
        F.grad(energy)(p, p).requires_grad,
        F.vjp(field, p, p)[0].requires_grad,
        F.jacrev(field)(p, p).requires_grad,
    ]
    with torch.no_grad():
        found += [F.grad(energy)(x, y).requires_grad, F.grad(energy)(p, p).tolist() == F.grad(energy)(x, y).tolist()]
    wrong = (
        lambda: F.grad(field)(x, y), lambda: F.grad(energy, argnums=3)(x, y), lambda: F.grad(lambda x: 3.0)(x), lambda: F.grad(energy)(2.0, y),
        lambda: F.jvp(field, x, y), lambda: F.jvp(field, (x, y), (x, y[:1])), lambda: F.vmap(energy, in_dims=4)(x, y),
        lambda: F.vmap(energy, in_dims=None)(x, y), lambda: F.vmap(energy)(x, y[:2]), lambda: F.vmap(energy)(3, y),
        lambda: F.vmap(lambda a: 3)(x), lambda: F.vmap(lambda a: a + torch.rand(1))(x), lambda: F.vmap(energy, randomness="x"),
        lambda: F.vmap(energy, chunk_size=0), lambda: F.stack_module_state([]), lambda: F.grad(lambda a: a.sum())(x.long()),
    )  # fmt: skip
    for call_ in wrong:
        try:
            call_()
            found.append("nothing")
        except Exception as error:
            found.append(type(error).__name__)
    return found


def _refused(torch, x, y):
    f = torch.autograd.functional
    found = []
    for call_ in (
        lambda: f.jacobian(lambda x: y.detach() * 1, x, strict=True), lambda: f.jacobian(lambda x: y * 1, x, strict=True),
        lambda: f.jacobian(field, [x, y]), lambda: f.jacobian(lambda x: 3, x), lambda: f.jacobian(lambda x: x, x, strategy="x"),
        lambda: f.jacobian(lambda x: x, x, strategy="forward-mode"), lambda: f.jacobian(lambda x: x, x, strict=True, vectorize=True),
        lambda: f.hessian(lambda x: x**3, x), lambda: f.hessian(lambda x: x.sum(), x, strict=True), lambda: f.vjp(lambda x: x.exp(), x),
        lambda: f.vjp(lambda x: x.exp(), x, y[:2]), lambda: f.jvp(lambda x: x.exp(), x), lambda: f.vhp(lambda x: x**3, x, y),
        lambda: f.hvp(lambda x: x.sum(), x, y, strict=True), lambda: f.vjp(lambda x: x.exp(), x, (y, y)), lambda: f.hvp(lambda x: (x, x), x, y),
        lambda: f.jvp(field, (x, y), x), lambda: f.vjp(lambda x: x.exp(), x, 3.0), lambda: f.jacobian(lambda x: x, (x, 3)),
    ):  # fmt: skip
        try:
            call_()
            found.append("nothing")
        except Exception as error:
            found.append(type(error).__name__)
    flows = [f.vjp(lambda x: x.exp(), x, y)[k].requires_grad for k in (0, 1)]
    return found + flows + [f.vjp(lambda x: x.exp(), x, y, create_graph=True)[k].requires_grad for k in (0, 1)]


def test_what_a_level_leaves_behind():
    theirs, ours = (
        _escapes(e, *(e.tensor([0.5, -1.0, 2.0 + k], requires_grad=True) for k in range(2))) for e in (torch, minigrad)
    )
    assert ours == theirs


def test_what_is_refused():
    theirs, ours = (
        _refused(e, *(e.tensor([0.5, -1.0, 2.0 + k], requires_grad=True) for k in range(2))) for e in (torch, minigrad)
    )
    assert ours == theirs


def test_gradients_flow_through_a_level_into_a_module():
    """A step of MAML: the inner gradient is taken by functional parameters, the outer by `.backward()`."""

    def outer(e):
        e.manual_seed(0)
        model = e.nn.Linear(3, 1)
        x, y = e.randn(8, 3), e.randn(8, 1)

        def loss(parameters):
            return ((e.func.functional_call(model, parameters, (x,)) - y) ** 2).mean()

        parameters = dict(model.named_parameters())
        inner = e.func.grad(loss)(parameters)
        loss({name: p - 0.1 * inner[name] for name, p in parameters.items()}).backward()
        return [p.grad.tolist() for p in model.parameters()]

    for ours, theirs in zip(outer(minigrad), outer(torch), strict=True):
        assert torch.allclose(torch.tensor(ours), torch.tensor(theirs), rtol=1e-5)
