"""`autograd.Function` and what stands around it: the contract that a program may count on, in both engines."""

import inspect
import warnings

import numpy as np
import pytest
import torch

import minigrad
from parity.agreement import MINIGRAD, TORCH, Example, Tally, run_form
from parity.case import CASES
from parity.cases import FAMILIES
from parity.inputs import Seeded

assert FAMILIES  # importing them fills the table
ENGINES = (torch, minigrad)


def plain(x):
    if isinstance(x, torch.Tensor | minigrad.Tensor):
        return np.asarray(x.tolist()).round(5).tolist()
    if isinstance(x, list | tuple):
        return [plain(v) for v in x]
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    return x


def both(program, *args):
    """What a program gives in both engines, which must be the same; of an error its class; and the classes of warnings."""
    results = []
    for engine in ENGINES:
        engine.manual_seed(0)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                found = plain(program(engine, *args))
            except Exception as error:
                found = type(error).__name__
        results.append((found, sorted({w.category.__name__ for w in told})))
    assert results[0] == results[1]
    return results[1][0]


def function(engine, forward, backward=lambda ctx, *grads: None, **more):
    methods = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type("Own", (engine.autograd.Function,), methods | {k: staticmethod(v) for k, v in more.items()})


@pytest.mark.parametrize("create_graph", [False, True])
def test_saved_tensors_keep_their_place(create_graph):
    def program(engine):
        w = engine.tensor([3.0, 4.0], requires_grad=True)
        other = engine.tensor([1.0, 1.0], requires_grad=True)
        h = w * 2
        seen = []

        def forward(ctx, x, y):
            out, inner = x * y, x + 1
            ctx.save_for_backward(x, y, out, inner, other, None)
            return out

        def backward(ctx, grad):
            x, y, out, inner, third, nothing = ctx.saved_tensors
            seen.append([x is h, y is w, third is other, nothing is None, out.grad_fn is made.grad_fn])
            seen.append([(t.requires_grad, t.is_leaf, t._version) for t in (x, y, out, inner, third)])
            seen.append([x.grad_fn is h.grad_fn, engine.is_grad_enabled(), ctx.needs_input_grad])
            return grad * y if x.requires_grad else None, grad * x if y.requires_grad else None

        made = function(engine, forward, backward).apply(h, w)
        gradients = engine.autograd.grad(made.sum(), w, create_graph=create_graph)
        return seen, gradients, type(made.grad_fn).__name__, made.grad_fn.name()

    assert both(program)


def test_backward_inside_backward():
    """A recomputation from what was saved, by grad and by backward, through inputs and through what it captured."""

    def program(engine, inner):
        w = engine.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        v = engine.tensor([[0.1, 0.2]], requires_grad=True)

        def forward(ctx, x, w):
            ctx.save_for_backward(x, w)
            return (x @ w).tanh()

        def by_grad(ctx, g):
            x, w = ctx.saved_tensors
            with engine.enable_grad():
                y = (x @ w).tanh()
            return engine.autograd.grad(y, (x, w), g)

        def by_backward(ctx, g):
            x, w = (t.detach().requires_grad_(t.requires_grad) for t in ctx.saved_tensors)
            with engine.enable_grad():
                (x @ w).tanh().backward(g)
            return x.grad, w.grad

        function(engine, forward, {"grad": by_grad, "backward": by_backward}[inner]).apply(v * 2, w).sum().backward()
        return w.grad, v.grad

    for inner in ("grad", "backward"):
        both(program, inner)


RETURNED = {
    "number": lambda engine, a: 5,
    "nothing": lambda engine, a: None,
    "list": lambda engine, a: [a * 2],
    "dict": lambda engine, a: {"x": a * 2},
    "tuple with others": lambda engine, a: (None, a * 2, "text", 3),
    "empty": lambda engine, a: (),
    "the same twice": lambda engine, a: (a, a),
}


@pytest.mark.parametrize("name", RETURNED)
def test_what_forward_returns(name):
    def program(engine):
        a = engine.ones(3, requires_grad=True)
        own = function(engine, lambda ctx, x: RETURNED[name](engine, x), lambda ctx, *grads: grads[0])
        found = own.apply(a)
        flat = found if isinstance(found, tuple) else [found]
        return found, type(found).__name__, [getattr(x, "requires_grad", None) for x in flat]

    both(program)


GRADIENTS = {
    "float": lambda engine, g: 2.0,
    "text": lambda engine, g: "s",
    "too many": lambda engine, g: (g, g),
    "one more that is None": lambda engine, g: (g, None),
    "list": lambda engine, g: [g],
    "none at all": lambda engine, g: (),
    "None": lambda engine, g: None,
    "no dimensions": lambda engine, g: engine.ones(()),
    "integers": lambda engine, g: engine.ones(3, dtype=engine.int64),
    "float64": lambda engine, g: g.double(),
    "one dimension more": lambda engine, g: engine.ones(1, 3),
    "to be summed": lambda engine, g: engine.ones(2, 3),
    "another shape": lambda engine, g: engine.ones(5),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_what_backward_returns(name):
    def program(engine):
        a = engine.ones(3, requires_grad=True)
        function(engine, lambda ctx, x: x * 2, lambda ctx, g: GRADIENTS[name](engine, g)).apply(a).sum().backward()
        return a.grad

    both(program)


def test_inputs_by_name_and_defaults():
    def program(engine, call, apart):
        a, b = engine.ones(3, requires_grad=True), engine.ones(3, requires_grad=True)
        seen = []

        def backward(ctx, g):
            seen.append(ctx.needs_input_grad)
            return tuple(g * (i + 5) for i in range(len(ctx.needs_input_grad)))

        if apart:
            own = function(
                engine, lambda x, y=2, z=3: x * y * z, backward, setup_context=lambda ctx, inputs, output: None
            )
        else:
            own = function(engine, lambda ctx, x, y=2, z=3: x * y * z, backward)
        call(own, a, b).sum().backward()
        return seen, a.grad, b.grad

    calls = [
        lambda own, a, b: own.apply(a, b), lambda own, a, b: own.apply(a, y=b), lambda own, a, b: own.apply(y=b, x=a),
        lambda own, a, b: own.apply(a, z=b), lambda own, a, b: own.apply(a, q=b), lambda own, a, b: own.apply(a, 2, y=b),
    ]  # fmt: skip
    for call in calls:
        for apart in (False, True):
            both(program, call, apart)


def test_errors_and_old_ways():
    def saved(engine, value):
        def forward(ctx, x):
            ctx.save_for_backward(x, value)
            return x * 2

        function(engine, forward).apply(engine.ones(2, requires_grad=True))

    def instance(engine):
        own = function(engine, lambda ctx, x: x * 2, lambda ctx, g: g)
        return own().apply(engine.ones(2))

    def called(engine):
        return function(engine, lambda ctx, x: x * 2)()(engine.ones(2))

    def variables(engine):
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        return function(engine, forward).apply(engine.ones(2, requires_grad=True)).grad_fn.saved_variables

    def twice(engine):
        from importlib import import_module

        once = import_module(f"{engine.__name__}.autograd.function").once_differentiable
        a = engine.ones(3, requires_grad=True)
        own = function(engine, lambda ctx, x: x * 2, once(lambda ctx, g: g * 2))
        (g,) = engine.autograd.grad((own.apply(a) ** 2).sum(), a, create_graph=True)
        assert g.requires_grad
        g.sum().backward()

    def freed(engine):
        a = engine.ones(3, requires_grad=True)

        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        y = function(engine, forward, lambda ctx, g: g * ctx.saved_tensors[0]).apply(a).sum()
        y.backward()
        y.backward()

    def changed(engine):
        h = engine.ones(3, requires_grad=True) * 1

        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        y = function(engine, forward, lambda ctx, g: g * ctx.saved_tensors[0]).apply(h).sum()
        h.add_(1)
        y.backward()

    def saved_and_dirty(engine):
        h = engine.ones(3, requires_grad=True) * 1

        def forward(ctx, x):
            ctx.mark_dirty(x)
            ctx.save_for_backward(x)
            return x.mul_(2)

        y = function(engine, forward, lambda ctx, g: g * ctx.saved_tensors[0]).apply(h)
        y.sum().backward()
        return y is h, y

    assert both(lambda e: saved(e, 3)) == both(lambda e: saved(e, [1])) == "TypeError"
    assert both(called) == both(twice) == both(freed) == both(changed) == "RuntimeError"
    both(instance)
    both(variables)
    both(saved_and_dirty)
    for method in ("forward", "backward", "setup_context", "jvp"):
        assert both(lambda e, m=method: getattr(e.autograd.Function, m)(None, None, None)) == "NotImplementedError"


def test_a_leaf_frozen_after_its_use_gets_no_gradient():
    def program(engine):
        p, q = engine.ones(3, requires_grad=True), engine.ones(3, requires_grad=True)
        seen = []
        p.register_hook(lambda g: seen.append("hook"))
        p.register_post_accumulate_grad_hook(lambda p: seen.append("post"))
        y = (p * q).sum()
        p.requires_grad_(False)
        y.backward()
        return p.grad, q.grad, seen

    both(program)


def test_signatures():
    """Each parameter of grad and backward, by name and by place, has PyTorch's place and default."""
    pairs = [
        (torch.autograd.grad, minigrad.autograd.grad), (torch.autograd.backward, minigrad.autograd.backward),
        (torch.Tensor.backward, minigrad.Tensor.backward),
    ]  # fmt: skip
    names = ("mark_dirty", "mark_non_differentiable", "save_for_backward", "save_for_forward", "set_materialize_grads")
    pairs += [(getattr(torch.autograd.function.FunctionCtx, n), getattr(minigrad.autograd.Function, n)) for n in names]
    for theirs, ours in pairs:
        told = [[(p.name, p.kind, p.default) for p in inspect.signature(f).parameters.values()] for f in (theirs, ours)]
        assert told[0] == told[1]


GRAD_CALLS = {
    "sixth place": lambda e, a, b: e.autograd.grad((a * 2).sum(), (a, b), None, None, False, True, True),
    "only_inputs": lambda e, a, b: e.autograd.grad((a * 2).sum(), a, only_inputs=False),
    "unused": lambda e, a, b: e.autograd.grad((a * 2).sum(), (a, b)),
    "zeros": lambda e, a, b: e.autograd.grad((a * 2).sum(), (a, b), materialize_grads=True),
    "zeros refused": lambda e, a, b: e.autograd.grad((a * 2).sum(), b, allow_unused=False, materialize_grads=True),
    "of a dict": lambda e, a, b: e.autograd.grad((a * b).sum(), {"x": a, "y": b}),
    "of nothing": lambda e, a, b: e.autograd.grad((a * b).sum(), []),
    "batched": lambda e, a, b: e.autograd.grad(a * b * a, (a, b), e.eye(3), is_grads_batched=True),
    "batched, several": lambda e, a, b: e.autograd.grad(
        (a * b, (b * a).sum()), (a, b), (e.eye(3), e.ones(3)), is_grads_batched=True
    ),
    "batched, unused": lambda e, a, b: e.autograd.grad(
        a * 2, (a, b), e.eye(3), is_grads_batched=True, allow_unused=True
    ),
    "batched, recorded": lambda e, a, b: e.autograd.grad(
        e.autograd.grad(a**3, a, e.eye(3), is_grads_batched=True, create_graph=True)[0].sum(), a
    ),
    "batched, no rows": lambda e, a, b: e.autograd.grad(a * b, a, None, is_grads_batched=True),
    "batched, wrong shape": lambda e, a, b: e.autograd.grad(a * b, a, e.ones(3), is_grads_batched=True),
    "by an edge": lambda e, a, b: e.autograd.grad(
        e.autograd.graph.get_gradient_edge(a * b), e.autograd.graph.get_gradient_edge(a), e.ones(3)
    ),
    "edge of a constant": lambda e, a, b: e.autograd.graph.get_gradient_edge(a.detach()),
    "old name": lambda e, a, b: [e.autograd.backward((a * 2).sum(), grad_variables=e.tensor(2.0)), a.grad],
    "both names": lambda e, a, b: e.autograd.backward((a * 2).sum(), e.tensor(2.0), grad_variables=e.tensor(2.0)),
    "inputs by place": lambda e, a, b: [
        e.autograd.backward((a * b).sum(), None, None, False, None, [b]),
        a.grad,
        b.grad,
    ],
    "inputs in a dict": lambda e, a, b: [e.autograd.backward((a * b).sum(), inputs={"a": a}), a.grad, b.grad],
    "no inputs": lambda e, a, b: e.autograd.backward((a * b).sum(), inputs=[]),
    "gradient missing": lambda e, a, b: e.autograd.backward([a * b]),
    "too few gradients": lambda e, a, b: e.autograd.backward([(a * b).sum(), a * b], [None]),
    "version": lambda e, a, b: [e.autograd.graph.increment_version([a, b]), a._version, b._version],
    "saved on the CPU": lambda e, a, b: [_save_on_cpu(e, a, b), a.grad],
}


def _save_on_cpu(engine, a, b):
    with engine.autograd.graph.disable_saved_tensors_hooks("no"):
        pass
    with engine.autograd.graph.save_on_cpu():
        (a * b).square().sum().backward()


@pytest.mark.parametrize("name", GRAD_CALLS)
def test_ways_of_calling(name):
    def program(engine):
        a = engine.tensor([1.0, 2.0, 3.0], requires_grad=True)
        b = engine.tensor([4.0, 5.0, 6.0], requires_grad=True)
        return GRAD_CALLS[name](engine, a, b)

    both(program)


def test_hooks():
    def order(engine):
        seen = []
        x = engine.tensor([1.0, 2.0], requires_grad=True)
        x.register_hook(lambda g: g * 2)
        x.register_hook(lambda g: seen.append(g.tolist()))
        x.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.tolist()))
        y = x * 3
        y.register_hook(lambda g: g * 10)
        y.retain_grad()
        y.register_hook(lambda g: seen.append(g.tolist()))
        y.grad_fn.register_hook(lambda i, o: seen.append([len(i), o[0].tolist()]))
        y.grad_fn.register_prehook(lambda o: (o[0] * 7,))
        y.sum().backward()
        return seen, x.grad, y.grad

    def changed_in_place(engine):
        seen = []
        x = engine.tensor([1.0, 2.0], requires_grad=True)
        y = x * 2
        y.register_hook(lambda g: seen.append(["before", g.tolist()]))
        y.retain_grad()
        y.mul_(3)
        y.register_hook(lambda g: seen.append(["after", g.tolist()]))
        y.sum().backward()
        return seen, y.grad, x.grad

    def of_a_leaf_node(engine):
        seen = []
        p = engine.ones(2, requires_grad=True)
        node = p.expand_as(p).grad_fn.next_functions[0][0]
        node.register_hook(lambda i, o: seen.append([len(i), o[0].tolist()]))
        node.register_prehook(lambda o: seen.append(len(o)))
        (p * 2).sum().backward()
        return seen, node.variable is p, node.name(), type(node).__name__

    for program in (order, changed_in_place, of_a_leaf_node):
        assert not isinstance(both(program), str)
    assert both(lambda e: e.ones(2).register_post_accumulate_grad_hook(print)) == "RuntimeError"
    assert both(lambda e: (e.ones(2, requires_grad=True) * 2).grad) is None  # and PyTorch's warning


# One operation of PyTorch's for which there is one of minigrad's under another name: it serves several of PyTorch's
# (MeanBackward0 and 1 differ in their arguments), or another operation gives the same.
VARIANTS = {
    "Sub": {"Rsub"}, "Slice": {"Alias", "Unbind", "Split", "Select", "Slice"}, "Where": {"MaskedFill"},
    "IndexAdd": {"ScatterAdd", "ScatterReduce", "IndexPut", "Put"}, "Mm": {"Bmm"}, "Dot": {"Vdot"}, "Permute": {"Transpose"}, "Transpose": {"T"},
    "Mul": {"Ldexp", "Deg2Rad", "Rad2Deg", "RreluWithNoise"}, "LeakyRelu": {"RreluWithNoise"}, "NllLoss": {"NllLoss2D"},
    "IndexSelect": {"UpsampleNearest1D", "ReflectionPad1D", "ReplicationPad1D"}, "Flip": {"Rot90"},
    "View": {"Transpose", "Squeeze", "Unsqueeze", "ReshapeAlias"}, "Triangle": {"Tril", "Triu"}, "Mean": {"VarMean", "StdMean"},
    "Var": {"VarMean"}, "Amax": {"Amin", "Aminmax", "Max", "Min"},
    "CopySlices": {"Scatter", "IndexCopy", "IndexFill"},
    "Clone": {
        "TriangularSolve", "Topk", "Sort", "Kthvalue", "Prod", "Max", "Min", "Median", "Cumprod", "Cummax", "Cummin", "Logcumsumexp",
        "Repeat", "Rot90",
    },
    "Gather": {"Topk", "Sort", "Median", "Cummax", "Cummin", "Kthvalue"}, "LinalgVectorNorm": {"Norm"},
    "IndexPut": {"IndexCopy", "IndexFill", "Scatter", "SelectScatter", "SliceScatter"}, "Sign": {"Sgn"},
    "Clamp": {"ClampMax", "ClampMin"}, "Split": {"SplitWithSizes", "UnsafeSplit", "UnsafeSplitWithSizes"}, "AvgPool2D": {"AvgPool3D"},
    "MaxPool2DWithIndices": {"MaxPool3DWithIndices"}, "LinalgCholeskyEx": {"Cholesky"},
    "LinalgSolveTriangular": {"TriangularSolve"}, "CholeskySolve": {"CholeskyInverse"},
}  # fmt: skip


def _nodes(tensor):
    """The names of the nodes that made a tensor, if they are few."""
    names, stack = [], [tensor.grad_fn]
    while stack and len(names) < 3:
        node = stack.pop()
        if node is not None and type(node).__name__ != "AccumulateGrad":
            names.append(type(node).__name__)
            stack.extend(edge[0] for edge in node.next_functions)
    return names


def test_nodes_are_called_as_in_pytorch():
    """Wherever one operation makes one node in both engines: the class and `name()`, but for the variants above."""
    wrong = set()
    for case in CASES.values():
        for form in case.forms if case.gradient else ():
            for seed in range(2):
                example = Example(case, Seeded(seed), Tally(), "fastest")
                ours, theirs = (run_form(e, case, form, example.call, seed=1) for e in (MINIGRAD, TORCH))
                if ours.error is not None or theirs.error is not None:
                    continue
                for (_, x), (_, y) in zip(ours.outputs, theirs.outputs, strict=True):
                    if getattr(x, "grad_fn", None) is None or getattr(y, "grad_fn", None) is None:
                        continue
                    a, b = _nodes(x), _nodes(y)
                    if len(a) == len(b) == 1:
                        assert x.grad_fn.name() == a[0]
                        kinds = [n.rstrip("0123456789").removesuffix("Backward") for n in (a[0], b[0])]
                        if kinds[0] != kinds[1] and kinds[1] not in VARIANTS.get(kinds[0], ()):
                            wrong.add((case.name, a[0], b[0]))
    assert not wrong, sorted(wrong)
