"""View or copy: whether what an operation gives shares memory with what it was given, as in PyTorch, for every case.

A result may be its input itself, a view of it, or new memory. Which it is shows when either is changed in place.
"""

import warnings

import pytest
import torch

import minigrad
from minigrad import storage
from parity import agreement
from parity.case import CASES
from parity.cases import FAMILIES
from parity.engines import MINIGRAD, TORCH
from parity.inputs import Seeded

assert FAMILIES


def root(tensor):
    """What stands for a tensor's memory; None where there is none."""
    if isinstance(tensor, torch.Tensor):
        return tensor.untyped_storage().data_ptr() if tensor.numel() else None
    return id(storage.owner(tensor.array)) if tensor.numel() else None


def told(tensor):
    """Its strides, but for dimensions of one entry, where they say nothing."""
    return tuple(s for s, n in zip(tensor.stride(), tensor.shape, strict=True) if n > 1)


def relation(output, inputs, is_tensor):
    same = [i for i, x in enumerate(inputs) if x is output]
    if same:
        return "input", same[0]
    shared = [i for i, x in enumerate(inputs) if is_tensor(x) and root(output) is not None and root(x) == root(output)]
    return ("view" if output._is_view() else "shares", shared[0], told(output)) if shared else ("copy",)


def relations(run, kind):
    def is_tensor(x):
        return isinstance(x, kind)

    return [(path, relation(x, run.inputs, is_tensor)) for path, x in run.outputs if is_tensor(x)]


@pytest.mark.parametrize("family", sorted({case.family for case in CASES.values()}))
def test_view_or_copy(family):
    apart = []
    for case in (case for case in CASES.values() if case.family == family):
        for seed in range(4):
            example = agreement.Example(case, Seeded(seed), agreement.Tally())
            if any(x.layout == "flipped" for x in example.inputs):  # PyTorch has no negative strides
                continue
            for form in case.forms:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    theirs = agreement.run_form(TORCH, case, form, example.call, seed=1)
                    with minigrad.use_kernels(example.position):
                        ours = agreement.run_form(MINIGRAD, case, form, example.call, seed=1)
                if theirs.error is None and ours.error is None:
                    expected, found = relations(theirs, torch.Tensor), relations(ours, minigrad.Tensor)
                    apart += [(form.label, a, b) for a, b in zip(expected, found, strict=False) if a != b]
                    made = [x for _, x in ours.outputs if isinstance(x, minigrad.Tensor)]
                    apart += [(form.label, "cannot be written") for x in made if not x.array.flags.writeable]
    assert not apart, f"{len(apart)} of them; PyTorch, minigrad: {apart[:5]}"


# Calls in which nothing has to be done: what they give is a matter of how each operation is written.
IDLE = {
    "F.adaptive_avg_pool1d": lambda T, x: T.nn.functional.adaptive_avg_pool1d(x[0], 4),
    "F.adaptive_avg_pool2d": lambda T, x: T.nn.functional.adaptive_avg_pool2d(x, 4),
    "F.adaptive_max_pool2d": lambda T, x: T.nn.functional.adaptive_max_pool2d(x, 4),
    "F.pad": lambda T, x: T.nn.functional.pad(x, (0, 0)),
    "F.interpolate": lambda T, x: T.nn.functional.interpolate(x, size=4),
    "F.interpolate linear": lambda T, x: T.nn.functional.interpolate(x, scale_factor=1.0, mode="bilinear"),
    "F.dropout eval": lambda T, x: T.nn.functional.dropout(x, 0.5, False),
    "F.dropout 0": lambda T, x: T.nn.functional.dropout(x, 0.0),
    "F.dropout2d": lambda T, x: T.nn.functional.dropout2d(x, 0.5, False),
    "F.pixel_shuffle": lambda T, x: T.nn.functional.pixel_shuffle(x, 1),
    "F.pixel_unshuffle": lambda T, x: T.nn.functional.pixel_unshuffle(x, 1),
    "F.max_pool2d": lambda T, x: T.nn.functional.max_pool2d(x, 1),
    "F.avg_pool2d": lambda T, x: T.nn.functional.avg_pool2d(x, 1),
    "F.unfold": lambda T, x: T.nn.functional.unfold(x, 1),
    "nn.Identity": lambda T, x: T.nn.Identity()(x),
    "nn.Sequential": lambda T, x: T.nn.Sequential()(x),
    "nn.Flatten": lambda T, x: T.nn.Flatten(1, 1)(x),
    "diff": lambda T, x: T.diff(x, n=0),
    "tile": lambda T, x: T.tile(x, (1,)),
    "repeat": lambda T, x: x.repeat(1, 1, 1, 1),
    "repeat_interleave": lambda T, x: x.repeat_interleave(1, 0),
    "roll": lambda T, x: T.roll(x, 0, 0),
    "rot90": lambda T, x: T.rot90(x, 0),
    "flip": lambda T, x: x.flip(()),
    "cat": lambda T, x: T.cat([x]),
    "hstack": lambda T, x: T.hstack([x]),
    "where": lambda T, x: T.where(x == x, x, x),
    "index_select": lambda T, x: x.index_select(0, T.tensor([0, 1])),
    "x[list]": lambda T, x: x[[0, 1]],
    "x[mask]": lambda T, x: x[x == x],
    "x[...]": lambda T, x: x[...],
    "x[()]": lambda T, x: x[()],
    "x[:]": lambda T, x: x[:],
    "x[None]": lambda T, x: x[None],
    "x[0, 0, 0, 0]": lambda T, x: x[0, 0, 0, 0],
    "x[tensor(0)]": lambda T, x: x[T.tensor(0)],
    "next(iter(x))": lambda T, x: next(iter(x)),
    "einsum same": lambda T, x: T.einsum("abcd->abcd", x),
    "einsum permuted": lambda T, x: T.einsum("abcd->badc", x),
    "einsum diagonal": lambda T, x: T.einsum("aa->a", x[0, 0]),
    "sum no dims": lambda T, x: T.sum(x[0, 0, 0, 0]),
    "squeeze": lambda T, x: x.squeeze(),
    "unflatten": lambda T, x: x.unflatten(0, (2,)),
    "flatten": lambda T, x: x.flatten(1, 1),
    "ravel": lambda T, x: x.ravel(),
    "ravel of a vector": lambda T, x: x[0, 0, 0].ravel(),
    "reshape": lambda T, x: x.reshape(2, 3, 4, 4),
    "view": lambda T, x: x.view(2, 3, 4, 4),
    "permute": lambda T, x: x.permute(0, 1, 2, 3),
    "movedim": lambda T, x: x.movedim(0, 0),
    "transpose": lambda T, x: x.transpose(1, 1),
    "t of a vector": lambda T, x: x[0, 0, 0].t(),
    "t of a number": lambda T, x: x[0, 0, 0, 0].t(),
    "expand": lambda T, x: x.expand(2, 3, 4, 4),
    "expand_as": lambda T, x: x.expand_as(x),
    "broadcast_to": lambda T, x: T.broadcast_to(x, (2, 3, 4, 4)),
    "broadcast_tensors": lambda T, x: T.broadcast_tensors(x)[0],
    "atleast_1d": lambda T, x: T.atleast_1d(x),
    "atleast_1d of a number": lambda T, x: T.atleast_1d(x[0, 0, 0, 0]),
    "atleast_3d": lambda T, x: T.atleast_3d(x),
    "meshgrid": lambda T, x: T.meshgrid(x[0, 0, 0], indexing="ij")[0],
    "chunk": lambda T, x: x.chunk(1)[0],
    "split": lambda T, x: x.split(2)[0],
    "tensor_split": lambda T, x: T.tensor_split(x, 1)[0],
    "unbind": lambda T, x: x.unbind()[0],
    "narrow": lambda T, x: x.narrow(0, 0, 2),
    "diagonal": lambda T, x: x.diagonal(),
    "unfold": lambda T, x: x.unfold(0, 1, 1),
    "as_strided": lambda T, x: x.as_strided((2, 3, 4, 4), (48, 16, 4, 1)),
    "clone": lambda T, x: x.clone(),
    "contiguous": lambda T, x: x.contiguous(),
    "contiguous of a view": lambda T, x: x.mT.contiguous(),
    "to": lambda T, x: x.to(T.float32),
    "to copy": lambda T, x: x.to(T.float32, copy=True),
    "type": lambda T, x: x.type(T.float32),
    "float": lambda T, x: x.float(),
    "type_as": lambda T, x: x.type_as(x),
    "cpu": lambda T, x: x.cpu(),
    "data": lambda T, x: x.data,
    "detach": lambda T, x: x.detach(),
    "requires_grad_": lambda T, x: x.requires_grad_(),
    "as_tensor": lambda T, x: T.as_tensor(x),
    "asarray": lambda T, x: T.asarray(x),
    "positive": lambda T, x: +x,
    "abs": lambda T, x: abs(x),
    "clamp": lambda T, x: x.clamp(0),
    "nan_to_num": lambda T, x: x.nan_to_num(),
    "triu": lambda T, x: T.triu(x),
    "relu": lambda T, x: x.relu(),
    "floor": lambda T, x: x.floor(),
    "add 0": lambda T, x: x + 0,
    "mul 1": lambda T, x: x * 1,
    "diag of a matrix": lambda T, x: T.diag(x[0, 0]),
    "max of one": lambda T, x: x[0, 0, 0, 0].max(),
    "quantile": lambda T, x: x[0, 0, 0, 0].quantile(0.5),
    "cumsum of one": lambda T, x: x[:1].cumsum(0),
    "sort of one": lambda T, x: x[:1].sort(0).values,
    "matmul": lambda T, x: x[0, 0] @ x[0, 1],
    "outer of one": lambda T, x: T.outer(x[0, 0, 0, :1], x[0, 0, 0, :1]),
    "block of one": lambda T, x: T.stack([x[0]])[0],
    "softmax of one": lambda T, x: x[:1].softmax(0),
}


@pytest.mark.parametrize("call", IDLE)
def test_where_nothing_has_to_be_done(call):
    told_of = []
    for engine in (torch, minigrad):
        x = engine.arange(96, dtype=engine.float32).reshape(2, 3, 4, 4).clone()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out = IDLE[call](engine, x)
        told_of.append(relation(out, [x], lambda _: True))
        before = x.tolist()
        if told_of[-1][0] == "copy":
            out.fill_(7)
            assert x.tolist() == before
    # `data` and `detach` share memory without being known as views, in both
    assert told_of[1] == told_of[0]
