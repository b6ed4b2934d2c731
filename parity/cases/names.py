"""Names under which PyTorch has nearly what stands elsewhere, and the memory of tensors as an object."""

from __future__ import annotations

from typing import Any

from ..case import REDUCED, Call, call, family, op
from ..inputs import Draw

family("names")

op("angle", lambda d: call(d.tensor()), kinks=(0.0,), special=True)
op(
    "rsub",
    lambda d: call(d.tensor((2, 3)), d.choice((d.tensor((3,)), 2.5)), **d.choice(({}, {"alpha": 3}))),
    methods=False,
)
op("narrow_copy", lambda d: call(d.tensor((3, 4)), d.choice((0, 1, -1)), 1, d.integer(0, 2)))
op("unsafe_chunk", lambda d: call(d.tensor((5, 4)), d.integer(1, 4), *d.choice(((), (1,)))))
op("unsafe_split", lambda d: call(d.tensor((5, 4)), d.integer(1, 4), *d.choice(((), (1,)))))
op("unsafe_split_with_sizes", lambda d: call(d.tensor((5, 4)), [2, 3]))
op(
    "constant_pad_nd",
    lambda d: call(d.tensor((3, 4)), d.choice(([1, 2], [0, -1], [1, 0, 2, 1])), *d.choice(((), (1.5,)))),
)
op(
    "nonzero_static",
    lambda d: call(d.any_dtype((3, 2)), size=d.integer(0, 8), **d.choice(({}, {"fill_value": 7}))),
    gradient=False,
)
op(
    "frobenius_norm",
    lambda d: call(d.tensor((3, 4)), d.choice(([0], [1], [0, 1])), *d.choice(((), (True,)))),
    modes=("normal",),
)


def _filled_diagonal(d: Draw) -> Call:
    shape = d.choice(((3, 3), (5, 2), (2, 5), (3, 3, 3), (2, 3, 2), (4,)))
    return call(d.tensor(shape), d.number(), d.flag())


op("Tensor.fill_diagonal_", _filled_diagonal)
op("Tensor.map2_", lambda d: call(d.tensor((2, 3), grad=False), d.tensor((3,), grad=False), d.tensor((2, 1), grad=False)),
   lambda torch, x, y, z: x.clone().map2_(y, z, lambda a, b, c: a + 2 * b - c), gradient=False)  # fmt: skip


# -- what is told of memory


def _told(torch: Any, x: Any) -> dict[str, Any]:
    """Of a tensor and of views of it: where they lie, in elements."""
    x = x.detach().contiguous().clone()
    views = (x, x[1:], x[:, ::2], x.T, x[1], x[:, 1:2].expand(-1, 3), x.unsqueeze(0))
    return {
        "offsets": [v.storage_offset() for v in views],
        "sizes": [
            (v.storage().size(), len(v.untyped_storage()), v.storage().nbytes(), v.storage().element_size())
            for v in views
        ],
        "same": [v.untyped_storage() == x.untyped_storage() for v in views],
        "addresses": [(v.storage().data_ptr() == x.data_ptr(), v.data_ptr() == v.const_data_ptr()) for v in views],
        "is_set_to": [v.is_set_to(w) for v in views for w in (x, x[1:], x[:])],
        "elements": [v.storage().tolist() for v in views],
        "bytes": x.untyped_storage().tolist(),
        "one": x.storage()[3],
        "order": [v.dim_order() for v in views[:4]],
        "dims": (x.dense_dim(), x.sparse_dim(), x.get_device(), x.is_shared(), x.is_pinned(), x.is_conj(), x.is_neg()),
        "size": (x.is_same_size(x.T), x.is_same_size(x + 1), x[0, 0].is_nonzero(), (x[0, 0] * 0).is_nonzero()),
        "storages": (torch.is_storage(x.storage()), torch.is_storage(x.untyped_storage()), torch.is_storage(x)),
        "types": (isinstance(x.storage(), torch.TypedStorage), isinstance(x.untyped_storage(), torch.UntypedStorage)),
    }


op(
    "Tensor.storage", lambda d: call(d.tensor((3, 4))), _told, gradient=False, layouts=False, float32=False,
    covers=[
        *(f"Tensor.{n}" for n in ("untyped_storage", "storage_offset", "const_data_ptr", "is_set_to", "dim_order", "dense_dim", "sparse_dim",
          "get_device", "is_shared", "is_pinned", "is_conj", "is_neg", "is_same_size", "is_nonzero")),
    ],
)  # fmt: skip


def _written(torch: Any, x: Any) -> dict[str, Any]:
    """What is written into a storage is written into the tensor; a tensor is made to look elsewhere."""
    x = x.detach().contiguous().clone()
    before = x.clone()
    x.storage()[1] = 7.0
    one = x.clone()
    copy = x.storage().clone()
    x.storage().fill_(2.0)
    filled = x.clone()
    x.storage().copy_(before.storage())
    y, z, w = (torch.zeros(2, dtype=x.dtype) for _ in range(3))
    y.set_(x)
    z.set_(x.storage(), 2, (2, 2), (3, 1))
    w.set_(x.untyped_storage(), 1, (4,))
    y[0, 0] = 9.0
    return {
        "one": one, "copy": copy.tolist(), "filled": filled, "x": x, "y": y, "z": z, "w": w, "none": torch.zeros(2).set_().shape,
        "again": torch.zeros(0, dtype=x.dtype).set_(x, 0, (12,), (1,)),
    }  # fmt: skip


op("Tensor.set_", lambda d: call(d.tensor((3, 4))), _written, gradient=False, layouts=False)
for _name in ("conj", "conj_physical", "resolve_conj", "resolve_neg"):
    op(f"Tensor.{_name}", lambda d: call(d.tensor()))
op("Tensor.real", lambda d: call(d.tensor()), lambda torch, x: x.real)
op("empty_strided", lambda d: call((2, 3), d.choice(((1, 2), (3, 1), (1, 5)))),
   lambda torch, *a: (torch.empty_strided(*a).shape, torch.empty_strided(*a).stride()), gradient=False)  # fmt: skip
op("Tensor.new_empty_strided", lambda d: call(d.tensor(), (2, 3), (1, 2)),
   lambda torch, x, *a: (x.new_empty_strided(*a).shape, x.new_empty_strided(*a).stride()), gradient=False)  # fmt: skip


def _as_subclass(torch: Any, x: Any) -> Any:
    class Mine(torch.Tensor):  # type: ignore[name-defined]
        pass

    y = x.as_subclass(Mine)
    return type(y) is Mine, y.data_ptr() == x.data_ptr(), y.as_subclass(torch.Tensor) * 2


op("Tensor.as_subclass", lambda d: call(d.tensor((2, 3))), _as_subclass)


# -- modules and samplers


def _normalized(torch: Any, x: Any) -> Any:
    net = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3)).to(x.dtype)
    same = torch.func.replace_all_batch_norm_modules_(net) is net
    return same, net.eval()(x), sorted(net.state_dict())


op("func.replace_all_batch_norm_modules_", lambda d: call(d.tensor((4, 3))), _normalized, seeds=True, float32=False, modes=("normal",),
   tolerance=REDUCED)  # fmt: skip


def _stateless(torch: Any, x: Any, weight: Any) -> Any:
    return torch.nn.utils.stateless.functional_call(torch.nn.Linear(3, 2, bias=False), {"weight": weight}, (x,))


op(
    "nn.utils.stateless.functional_call",
    lambda d: call(d.tensor((4, 3)), d.tensor((2, 3))),
    _stateless,
    tolerance=REDUCED,
    float32=False,
)


def _shares(torch: Any, n: int, count: int, settings: dict[str, Any]) -> Any:
    samplers = [torch.utils.data.DistributedSampler(range(n), count, rank, **settings) for rank in range(count)]
    first = [(len(s), list(s)) for s in samplers]
    for s in samplers:
        s.set_epoch(3)
    return first, [list(s) for s in samplers]


op("utils.data.DistributedSampler", lambda d: call(d.integer(1, 20), d.integer(1, 4), d.choice(({}, {"shuffle": False}, {"drop_last": True}, {"seed": 5}))),
   _shares, gradient=False)  # fmt: skip
