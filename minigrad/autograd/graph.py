r"""Reverse-mode automatic differentiation: the file to read first.

While a program computes, every operation leaves a node behind. The node knows how to turn the gradient of its output
into the gradients of its inputs, and which nodes made those inputs. `backward` walks the nodes from the loss to the
leaves and applies the chain rule once at each.

    x = tensor([3.], requires_grad=True)        leaf x                        leaf x
    y = x * x                                      \\                           ^^  grad·x + grad·x
    z = y.exp()                                    Mul                          Mul
                                                    |    forward: values         ^   grad·z
                                                   Exp   flow down              Exp
                                                    |                            ^   1
                                                    z    backward: gradients     z
                                                         flow up

Four things make up the whole:
1. `Operation`  a node, and the recipe of one operation: `forward` on plain arrays, `backward` beside it.
2. `Operation.apply`  runs the forward recipe and links the new node to the nodes of its inputs.
3. `plain_walk`  visits the nodes, newest first, adds up what arrives at each, and passes on what its `backward` gives.
   `walk` does the same, faster, with hooks of nodes and inner tensors, and targets.
4. `AccumulateGrad`  the node that stands for a leaf: what arrives there goes into `leaf.grad`.

Why newest first? A node may only run once *all* gradients have arrived at it. In `m = a + a; n = m * m; f = m + n`
the node of `m` is used early, by `n`, and late, by `f`. A walk that ran each node once, in the order in which gradients
reach them, would go from f to m while m has only the 1 from f and not yet the 2m from n: at a = 3 it would give 2 instead
of 26. A node is created after everything that it depends on, so running nodes in decreasing order of creation is a
topological order, with no sort. (`clock` numbers operations and in-place changes; `_base`, `_renew` and `look_into` are
about views: skip them at first, then read views.py. `variable.py`: what the graph knows of a tensor.)

Names follow PyTorch's (`grad_fn`, `next_functions`, `save_for_backward`, `saved_tensors`, `needs_input_grad`).
Source: Baydin et al. 2018, "Automatic Differentiation in Machine Learning: a Survey"; PyTorch, "Autograd mechanics".
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Any

from .. import storage
from ..quiet import enter, put_back, quiet, state
from ..storage import Latest, clock
from ..threads import others
from . import anomaly, hooks, ownership
from .fit import add, add_into, as_gradient, as_tuple, fit, fit_count
from .modes import Asked, current, no_grad
from .node import Node
from .targets import Targets
from .variable import Array, Edge, Variable, look_into, one_thread, wrap


class Operation(Node):
    """One kind of operation (the class) and one node of the graph (an instance, the `ctx` of PyTorch).

    A subclass gives
        forward(ctx, *inputs)   plain arrays and Python values in, one array out (several only in `Function`);
        backward(ctx, grad)     the gradient of the output in, one gradient for each input out (None where there is none).

    `backward` serves arrays and tensors: it gets arrays in an ordinary backward pass and tensors under
    `create_graph=True`, where its own steps are recorded. Operators, indexing, `.sum(dims)`, `.reshape(shape)`,
    `.swapaxes(i, j)` and the functions of `minigrad.ops` serve both. What it reads must be saved by `save_for_backward`
    if it is an input or the output (only so can a second derivative flow into it), and may be an attribute of `ctx` where
    it is a constant. A gradient may have the shape to which its input was broadcast: `unbroadcast` (fit.py) sums it.
    """

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Any:
        raise NotImplementedError("an operation needs a forward(ctx, *inputs)")

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise NotImplementedError("an operation that is differentiated needs a backward(ctx, grad)")

    @classmethod
    def apply(cls, *inputs: Any) -> Any:
        """Run `forward`; if an input requires grad, link a node to it. Arrays in, array out: then nothing is linked."""
        arrays: list[Any] = []  # what forward gets: the values of the tensors
        edges: list[Edge | None] = []  # where their gradients will go
        needed: list[bool] = []  # whether they are wanted
        ids: list[int] = []  # of these arrays: they tell `saved_tensors` which input a saved array was
        mode = current.__dict__
        recording, written, any_tensor = mode["recording"], Latest.recorded, False
        for x in inputs:
            edge = None
            if isinstance(x, Variable):
                any_tensor = True
                if recording:
                    if written and x._base is not None:
                        x._renew()
                    edge = x._edge
                    if edge is None and x._requires_grad:
                        leaf = x._accumulator()  # as in `leaf_node`, without its call
                        edge = (leaf_node(x) if leaf is None else leaf, 0)
                x = x.array
            arrays.append(x)
            edges.append(edge)
            needed.append(edge is not None)
            ids.append(id(x))

        ctx = cls()
        ctx.needs_input_grad = tuple(needed)  # before forward runs, so that it saves only what is needed
        if not any_tensor:
            return cls.forward(ctx, *arrays)
        out = mode["run_quietly"](cls.forward, ctx, *arrays)
        if out.__class__ is not Array:
            out = ctx.as_array(out)
        result = wrap(out)
        if cls.is_view and storage.owner(out) is storage.owner(arrays[0]):
            look_into(result, inputs[0], recording)
        if True in needed:
            ctx.sequence_nr = next(clock)
            ctx._out_shape, ctx._out_dtype = out.shape, out.dtype
            ids.append(id(out))
            ctx._edges, ctx._ids = edges, ids
            result._edge = (ctx, 0)
            if Asked.operations:
                anomaly.watch(ctx)
        return result

    def run_backward(self, gradient: Any) -> Any:
        """Apply `backward` to the complete gradient of the output: a gradient for each input."""
        return self.backward(self, gradient)


def gradient_edge(x: Variable) -> Edge | None:
    """Where a gradient of the tensor goes: to the node that made it, or into the leaf; None if it wants none."""
    if x._base is not None:
        x._renew()
    return x._edge if x._edge is not None or not x._requires_grad else (leaf_node(x), 0)


def leaf_node(x: Variable) -> Node:
    """The node that stands for a leaf; made when the leaf is first used."""
    if others():  # two threads must not make two
        with one_thread:
            return x._accumulator() or AccumulateGrad(x)
    return x._accumulator() or AccumulateGrad(x)


@quiet
def plain_walk(root: Node, gradient: Array) -> None:
    """The backward pass by its definition: `plain_walk(z.grad_fn, np.ones(1, np.float32))` fills the leaves' `.grad`.

    Serves operations of one output; what nodes saved stays, so it may run again. `walk` gives the same, to the bit.
    """
    arrived = {root: gradient}  # by node: the sum of what has arrived
    with no_grad():
        while arrived:
            node = max(arrived, key=lambda node: node.sequence_nr)  # all that depend on it are newer, and have run
            results = node.run_backward(arrived.pop(node))
            for i, (edge, result) in enumerate(zip(node._edges, as_tuple(results), strict=False)):
                if edge is not None and result is not None:
                    result = fit(result, edge, node, i)  # unbroadcast
                    arrived[edge[0]] = add(arrived[edge[0]], result) if edge[0] in arrived else result


def walk(
    edges: Sequence[Edge | None], gradients: Any, *, retain_graph: bool, create_graph: bool, targets: Targets | None = None
) -> None:  # fmt: skip
    """`plain_walk`, and more: from several roots (`edges`), to outputs of a `Function`, with a heap in place of `max`.

    With `targets` only nodes on the way to them run. Hooks are called. What a node saved is released unless
    `retain_graph`. Gradients are arrays, or tensors under `create_graph`, where the backward pass is recorded itself.
    """
    arrived: dict[Node, Any] = {}  # by node: the sum of what has arrived; for several outputs a list of such sums
    heap: list[tuple[float, Node]] = []  # these nodes, the newest on top
    turns = hooks.turns_of_leaves(edges) if hooks.Registered.on_leaves else None  # where in this order leaves come
    node: Any = None  # the one that has run: it gave `gradients`, which go along `edges`
    mode, outside = current.__dict__, state()
    looking_for_nan, before = mode["anomaly"], mode["recording"]
    try:
        mode["recording"] = create_graph
        enter(outside)
        while True:
            for i, edge in enumerate(edges):
                gradient = gradients[i]
                if gradient is None or edge is None or (targets is not None and not targets.leads(edge)):
                    continue
                target, output_nr = edge
                fits = gradient.__class__ is Array and gradient.shape == target._out_shape
                if not fits or gradient.dtype is not target._out_dtype:
                    gradient = fit(gradient, edge, node, i)
                if looking_for_nan and node is not None:
                    anomaly.check_nan(gradient, node, i)
                so_far = arrived.get(target)
                if so_far is None:
                    heappush(heap, (-(target.sequence_nr if turns is None else turns[target]), target))
                if not fits and target._outputs is not None:  # (with several outputs nothing fits at once)
                    sums = arrived[target] = so_far or [None] * len(target._outputs)
                    sums[output_nr] = gradient if sums[output_nr] is None else add(sums[output_nr], gradient)
                elif so_far is None:
                    arrived[target] = gradient
                else:
                    total = so_far + gradient  # as in `add`, without its call
                    arrived[target] = total if total.__class__ is Array else as_gradient(total)
            gradients = gradient = grad = so_far = total = None  # not held any longer: the memory may be reused
            if not heap:
                return
            node = heappop(heap)[1]
            grad = arrived.pop(node)
            if node._hooks is not None:
                grad = hooks.call_output_hooks(node, grad)
            edges = node._edges
            if targets is not None and not targets.keep(node, grad):
                edges = ()  # nothing to pass on
                continue
            gradients = node.run_backward(grad)
            if gradients.__class__ is not tuple:
                gradients = as_tuple(gradients)
            if node._node_hooks is not None:
                gradients = hooks.call_node_hooks(node, gradients, grad)
            if len(gradients) != len(edges):
                gradients = fit_count(node, gradients)
            if edges and not retain_graph:  # (a leaf has saved nothing)
                node.release()
    finally:
        if arrived:  # an error: leaves whose gradients are complete get them, as in PyTorch
            hooks.arrive_where_complete(arrived, edges, targets)
        mode["recording"] = before
        put_back(outside)


class AccumulateGrad(Operation):
    """The node of a leaf: adds what arrives to `variable.grad`. It is older than the nodes that use it, so it runs last."""

    grad_fn_name = "AccumulateGrad"

    def __init__(self, variable: Variable) -> None:
        self.variable = variable
        self._out_shape, self._out_dtype = variable.array.shape, variable.array.dtype
        self.sequence_nr = next(clock)
        # A weak reference, since the node holds the leaf, and a cycle would keep both in memory.
        variable._accumulator = weakref.ref(self)

    def run_backward(self, gradient: Any) -> tuple[()]:
        leaf: Any = self.variable
        if not (hooks.Registered.on_leaves or others()):
            self.add(leaf, gradient)
            return ()
        if leaf._hooks:
            gradient = hooks.call_leaf_hooks(leaf, gradient)
        with one_thread:  # two threads that add at once would lose what one of them adds
            self.add(leaf, gradient)
        if leaf._post_hooks:
            hooks.call_post_hooks(leaf)
        return ()

    def add(self, leaf: Any, gradient: Any) -> None:
        if not leaf._requires_grad:  # frozen since it was used
            pass
        elif gradient.__class__ is not Array and isinstance(gradient, Variable):  # create_graph: the sum is recorded
            leaf._grad = gradient if leaf._grad is None else leaf._grad + gradient
        elif leaf._grad is None:
            leaf._grad = wrap(gradient if ownership.may_keep(gradient) else gradient.copy())
        else:  # in place, also where it has a history: what is added depends on nothing
            add_into(leaf._grad.array, gradient)
