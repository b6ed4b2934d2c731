"""Bad calls: both engines must raise, and the same class, so that a program that catches one catches the other.

`BAD` is what PyTorch refuses too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

BAD: dict[str, Callable[[Any], Any]] = {}


def bad(**calls: Callable[[Any], Any]) -> None:
    for name, fn in calls.items():
        assert name not in BAD, name
        BAD[name] = fn


def leaf(torch: Any, *shape: int) -> Any:
    return torch.ones(*shape, requires_grad=True)


def after(first: Callable[[], Any], then: Callable[[], Any]) -> Any:
    first()
    return then()


# -- shapes that do not go together


def of_two_shapes(torch: Any, name: str) -> Any:
    return getattr(torch, name)(torch.ones(2, 3), torch.ones(4, 3))


for name in (
    "add",
    "sub",
    "mul",
    "div",
    "pow",
    "maximum",
    "minimum",
    "eq",
    "lt",
    "atan2",
    "remainder",
    "fmod",
    "logical_and",
):
    BAD[f"{name}_shapes"] = functools.partial(of_two_shapes, name=name)

bad(
    where_shapes=lambda torch: torch.where(torch.ones(2, 3) > 0, torch.ones(4), torch.ones(3)),
    matmul_shapes=lambda torch: torch.ones(2, 3) @ torch.ones(4, 5),
    matmul_vector=lambda torch: torch.ones(2, 3) @ torch.ones(2),
    matmul_batch=lambda torch: torch.ones(2, 3, 4) @ torch.ones(3, 4, 5),
    matmul_scalar=lambda torch: torch.ones(()) @ torch.ones(3),
    matmul_dtypes=lambda torch: torch.ones(2, 2) @ torch.ones(2, 2, dtype=torch.int64),
    matmul_doubles=lambda torch: torch.ones(2, 2) @ torch.ones(2, 2).double(),
    mm_rank=lambda torch: torch.mm(torch.ones(2, 3, 4), torch.ones(4, 2)),
    mm_shapes=lambda torch: torch.mm(torch.ones(2, 3), torch.ones(2, 3)),
    bmm_rank=lambda torch: torch.bmm(torch.ones(2, 3), torch.ones(3, 2)),
    bmm_batch=lambda torch: torch.bmm(torch.ones(2, 3, 4), torch.ones(3, 4, 2)),
    mv_rank=lambda torch: torch.mv(torch.ones(2, 3), torch.ones(3, 1)),
    mv_shapes=lambda torch: torch.mv(torch.ones(2, 3), torch.ones(2)),
    dot_rank=lambda torch: torch.dot(torch.ones(2, 2), torch.ones(2, 2)),
    dot_shapes=lambda torch: torch.dot(torch.ones(2), torch.ones(3)),
    outer_rank=lambda torch: torch.outer(torch.ones(2, 2), torch.ones(2)),
    addmm_shapes=lambda torch: torch.addmm(torch.ones(3, 3), torch.ones(2, 3), torch.ones(3, 2)),
    einsum_operands=lambda torch: torch.einsum("ij,jk->ik", torch.ones(2, 3)),
    einsum_rank=lambda torch: torch.einsum("ijk->i", torch.ones(2, 3)),
    einsum_sizes=lambda torch: torch.einsum("ij,jk->ik", torch.ones(2, 3), torch.ones(4, 5)),
    einsum_output=lambda torch: torch.einsum("ij->iz", torch.ones(2, 3)),
    tensordot_shapes=lambda torch: torch.tensordot(torch.ones(2, 3), torch.ones(4, 5), dims=1),
    linear_shapes=lambda torch: torch.nn.functional.linear(torch.ones(2, 3), torch.ones(4, 5)),
    linear_bias=lambda torch: torch.nn.functional.linear(torch.ones(2, 3), torch.ones(4, 3), torch.ones(5)),
    linear_module=lambda torch: torch.nn.Linear(3, 4)(torch.ones(2, 5)),
    linear_dtype=lambda torch: torch.nn.Linear(3, 4)(torch.ones(2, 3).double()),
    linear_integers=lambda torch: torch.nn.Linear(3, 4)(torch.ones(2, 3).long()),
)

# -- reshaping

bad(
    reshape_size=lambda torch: torch.ones(2, 3).reshape(4, 2),
    reshape_two_inferred=lambda torch: torch.ones(2, 3).reshape(-1, -1),
    reshape_negative=lambda torch: torch.ones(2, 3).reshape(-2, 3),
    reshape_indivisible=lambda torch: torch.ones(2, 3).reshape(4, -1),
    reshape_ambiguous=lambda torch: torch.ones(0, 3).reshape(0, -1),
    view_size=lambda torch: torch.ones(2, 3).view(5),
    view_noncontiguous=lambda torch: torch.ones(2, 3).t().view(6),
    flatten_dims=lambda torch: torch.ones(2, 3).flatten(1, 0),
    flatten_range=lambda torch: torch.ones(2, 3).flatten(0, 2),
    unflatten_size=lambda torch: torch.ones(2, 6).unflatten(1, (4, 2)),
    transpose_range=lambda torch: torch.ones(2, 3).transpose(0, 2),
    t_rank=lambda torch: torch.ones(2, 3, 4).t(),
    permute_count=lambda torch: torch.ones(2, 3, 4).permute(0, 1),
    permute_repeat=lambda torch: torch.ones(2, 3).permute(0, 0),
    permute_range=lambda torch: torch.ones(2, 3).permute(0, 3),
    movedim_range=lambda torch: torch.ones(2, 3).movedim(0, 5),
    movedim_count=lambda torch: torch.ones(2, 3, 4).movedim((0, 1), (2,)),
    squeeze_range=lambda torch: torch.ones(2, 3).squeeze(2),
    unsqueeze_range=lambda torch: torch.ones(2, 3).unsqueeze(4),
    unsqueeze_missing=lambda torch: torch.ones(2, 3).unsqueeze(),
    expand_size=lambda torch: torch.ones(2, 3).expand(4, 3),
    expand_fewer=lambda torch: torch.ones(2, 3).expand(3),
    expand_new_inferred=lambda torch: torch.ones(3).expand(-1, 3),
    broadcast_to_shape=lambda torch: torch.broadcast_to(torch.ones(2, 3), (2, 4)),
    repeat_fewer=lambda torch: torch.ones(2, 3).repeat(2),
    flip_range=lambda torch: torch.flip(torch.ones(2, 3), (2,)),
    flip_repeat=lambda torch: torch.flip(torch.ones(2, 3), (0, 0)),
    roll_count=lambda torch: torch.roll(torch.ones(2, 3), (1, 2), 0),
    cat_empty=lambda torch: torch.cat([]),
    cat_shapes=lambda torch: torch.cat([torch.ones(2, 3), torch.ones(2, 4)]),
    cat_ranks=lambda torch: torch.cat([torch.ones(2, 3), torch.ones(2)]),
    cat_scalars=lambda torch: torch.cat([torch.ones(()), torch.ones(())]),
    cat_dim=lambda torch: torch.cat([torch.ones(2), torch.ones(2)], 1),
    cat_tensor=lambda torch: torch.cat(torch.ones(2)),
    cat_numbers=lambda torch: torch.cat([1, 2]),
    stack_shapes=lambda torch: torch.stack([torch.ones(2), torch.ones(3)]),
    stack_empty=lambda torch: torch.stack([]),
    stack_dim=lambda torch: torch.stack([torch.ones(2), torch.ones(2)], 3),
    split_sizes=lambda torch: torch.ones(5).split([2, 2]),
    split_negative=lambda torch: torch.ones(5).split(-1),
    split_dim=lambda torch: torch.ones(5).split(2, 1),
    chunk_zero=lambda torch: torch.ones(5).chunk(0),
    chunk_scalar=lambda torch: torch.ones(()).chunk(2),
    unbind_scalar=lambda torch: torch.ones(()).unbind(),
    unbind_dim=lambda torch: torch.ones(2).unbind(1),
    narrow_range=lambda torch: torch.ones(5).narrow(0, 3, 4),
    narrow_negative=lambda torch: torch.ones(5).narrow(0, 0, -1),
    tril_vector=lambda torch: torch.tril(torch.ones(3)),
    diagonal_same=lambda torch: torch.ones(2, 2).diagonal(0, 1, 1),
    diag_rank=lambda torch: torch.diag(torch.ones(2, 2, 2)),
)

# -- reductions


def along(torch: Any, name: str, dim: Any) -> Any:
    return getattr(torch.ones(2, 3), name)(dim=dim)


for name in (
    "sum",
    "mean",
    "amax",
    "argmax",
    "logsumexp",
    "var",
    "softmax",
    "cumsum",
    "all",
    "max",
    "norm",
    "prod",
    "argmin",
    "sort",
):
    BAD[f"{name}_dim"] = functools.partial(along, name=name, dim=2)
for name in ("sum", "mean", "amax"):
    BAD[f"{name}_dim_negative"] = functools.partial(along, name=name, dim=-3)
    BAD[f"{name}_dims_repeat"] = functools.partial(along, name=name, dim=(0, 0))
bad(
    mean_integers=lambda torch: torch.ones(3).long().mean(),
    mean_bool=lambda torch: (torch.ones(3) > 0).mean(),
    var_integers=lambda torch: torch.ones(3).long().var(),
    std_bool=lambda torch: (torch.ones(3) > 0).std(),
    norm_integers=lambda torch: torch.ones(3).long().norm(),
    max_empty=lambda torch: torch.ones(0).max(),
    min_empty=lambda torch: torch.ones(0).min(),
    max_empty_dim=lambda torch: torch.ones(2, 0).max(dim=1),
    argmax_empty=lambda torch: torch.ones(0).argmax(),
    amax_empty=lambda torch: torch.ones(0).amax(),
    amax_empty_dim=lambda torch: torch.ones(2, 0).amax(1),
    cumsum_missing=lambda torch: torch.ones(3).cumsum(),
    logsumexp_missing=lambda torch: torch.ones(3).logsumexp(),
    sum_type=lambda torch: torch.sum([1, 2]),
    exp_type=lambda torch: torch.exp(1.0),
    topk_k=lambda torch: torch.ones(3).topk(4),
    topk_dim=lambda torch: torch.ones(3).topk(1, dim=1),
    kthvalue_k=lambda torch: torch.ones(3).kthvalue(4),
)

# -- types

bad(
    add_string=lambda torch: torch.ones(2) + "a",
    add_none=lambda torch: torch.ones(2) + None,
    add_list=lambda torch: torch.ones(2) + [1, 2],
    mul_list=lambda torch: torch.mul(torch.ones(2), [1, 2]),
    radd_string=lambda torch: "a" + torch.ones(2),
    sub_bool=lambda torch: (torch.ones(2) > 0) - (torch.ones(2) > 0),
    rsub_bool=lambda torch: 1 - (torch.ones(2) > 0),
    neg_bool=lambda torch: -(torch.ones(2) > 0),
    invert_float=lambda torch: ~torch.ones(2),
    and_float=lambda torch: torch.ones(2) & torch.ones(2),
    or_float=lambda torch: torch.ones(2) | torch.ones(2).long(),
    pow_integers=lambda torch: torch.arange(3) ** -1,
    floor_divide_zero=lambda torch: torch.arange(3) // 0,
    remainder_zero=lambda torch: torch.arange(3) % torch.zeros(3).long(),
    div_mode=lambda torch: torch.div(torch.ones(2), 2, rounding_mode="up"),
    clamp_nothing=lambda torch: torch.ones(2).clamp(),
    clamp_string=lambda torch: torch.ones(2).clamp("a"),
    maximum_number=lambda torch: torch.maximum(torch.ones(2), 1.0),
    where_condition=lambda torch: torch.where(torch.ones(2), torch.ones(2), torch.ones(2)),
    where_list=lambda torch: torch.where([True, False], torch.ones(2), torch.ones(2)),
    isclose_dtypes=lambda torch: torch.isclose(torch.ones(2), torch.ones(2).double()),
    requires_grad_integers=lambda torch: torch.ones(2, dtype=torch.int64, requires_grad=True),
    requires_grad_later=lambda torch: torch.arange(3).requires_grad_(),
    requires_grad_off_inner=lambda torch: (leaf(torch, 2) * 2).requires_grad_(False),
    tensor_ragged=lambda torch: torch.tensor([[1, 2], [3]]),
    tensor_string=lambda torch: torch.tensor("abc"),
    tensor_strings=lambda torch: torch.tensor(["a", "b"]),
    tensor_none=lambda torch: torch.tensor(None),
    tensor_nones=lambda torch: torch.tensor([None]),
    tensor_object=lambda torch: torch.tensor({"a": 1}),
    tensor_no_argument=lambda torch: torch.tensor(),
    tensor_dtype=lambda torch: torch.tensor(1, dtype="float64"),
    zeros_negative=lambda torch: torch.zeros(-1),
    zeros_float=lambda torch: torch.zeros(2.5),
    zeros_string=lambda torch: torch.zeros("a"),
    zeros_like_list=lambda torch: torch.zeros_like([1]),
    zeros_keyword=lambda torch: torch.zeros(2, color="red"),
    full_missing=lambda torch: torch.full((2,)),
    arange_zero=lambda torch: torch.arange(0, 3, 0),
    arange_direction=lambda torch: torch.arange(3, 0),
    linspace_negative=lambda torch: torch.linspace(0, 1, -1),
    eye_negative=lambda torch: torch.eye(-1),
    from_numpy_list=lambda torch: torch.from_numpy([1, 2]),
    to_nonsense=lambda torch: torch.ones(2).to("nonsense"),
    device_nonsense=lambda torch: torch.device("nonsense"),
    device_negative=lambda torch: torch.device("cpu:-2"),
    zeros_device=lambda torch: torch.zeros(2, device="nonsense"),
    set_default_dtype_integers=lambda torch: torch.set_default_dtype(torch.int64),
    item_many=lambda torch: torch.ones(2).item(),
    item_none=lambda torch: torch.ones(0).item(),
    bool_many=lambda torch: bool(torch.ones(2)),
    bool_none=lambda torch: bool(torch.ones(0)),
    float_many=lambda torch: float(torch.ones(2)),
    int_many=lambda torch: int(torch.ones(2)),
    index_float=lambda torch: [1, 2, 3][torch.tensor(1.0)],
    len_scalar=lambda torch: len(torch.ones(())),
    iter_scalar=lambda torch: list(torch.ones(())),
    numpy_grad=lambda torch: leaf(torch, 2).numpy(),
    array_grad=lambda torch: __import__("numpy").asarray(leaf(torch, 2)),
    attribute=lambda torch: torch.ones(2).nonsense,
    module_attribute=lambda torch: torch.nonsense,
    size_dim=lambda torch: torch.ones(2).size(2),
    format_many=lambda torch: f"{torch.ones(2):.2f}",
    promote_string=lambda torch: torch.promote_types("a", torch.float32),
    finfo_integers=lambda torch: torch.finfo(torch.int64),
    iinfo_floats=lambda torch: torch.iinfo(torch.float32),
)

# -- indices

bad(
    index_range=lambda torch: torch.ones(3)[3],
    index_negative=lambda torch: torch.ones(3)[-4],
    index_many=lambda torch: torch.ones(3)[0, 0],
    index_scalar=lambda torch: torch.ones(())[0],
    index_string=lambda torch: torch.ones(3)["a"],
    index_by_float=lambda torch: torch.ones(3)[1.0],
    index_float_tensor=lambda torch: torch.ones(3)[torch.ones(2)],
    index_tensor_range=lambda torch: torch.ones(3)[torch.tensor([0, 5])],
    index_mask_shape=lambda torch: torch.ones(3)[torch.tensor([True, False])],
    index_tensors_shapes=lambda torch: torch.ones(3, 3)[torch.tensor([0, 1]), torch.tensor([0, 1, 2])],
    slice_step=lambda torch: torch.ones(3)[::-1],
    slice_zero=lambda torch: torch.ones(3)[::0],
    slice_float=lambda torch: torch.ones(3)[1.5:],
    setitem_shape=lambda torch: torch.ones(3).__setitem__(slice(0, 2), torch.ones(3)),
    setitem_range=lambda torch: torch.ones(3).__setitem__(5, 1.0),
    setitem_leaf=lambda torch: leaf(torch, 3).__setitem__(0, 1.0),
    setitem_string=lambda torch: torch.ones(3).__setitem__(0, "a"),
    gather_range=lambda torch: torch.ones(3).gather(0, torch.tensor([4])),
    gather_dtype=lambda torch: torch.ones(3).gather(0, torch.tensor([0.0])),
    gather_rank=lambda torch: torch.ones(3, 2).gather(0, torch.tensor([0])),
    gather_size=lambda torch: torch.ones(2, 2).gather(0, torch.zeros(1, 3).long()),
    scatter_range=lambda torch: torch.ones(3).scatter(0, torch.tensor([4]), 1.0),
    scatter_add_dtype=lambda torch: torch.ones(3).scatter_add(0, torch.tensor([0]), torch.ones(1).double()),
    index_select_range=lambda torch: torch.ones(3).index_select(0, torch.tensor([3])),
    index_select_rank=lambda torch: torch.ones(3).index_select(0, torch.zeros(1, 1).long()),
    index_select_dtype=lambda torch: torch.ones(3).index_select(0, torch.ones(1)),
    index_select_dim=lambda torch: torch.ones(3).index_select(1, torch.tensor([0])),
    masked_fill_dtype=lambda torch: torch.ones(3).masked_fill(torch.ones(3), 1.0),
    masked_fill_shape=lambda torch: torch.ones(3).masked_fill(torch.ones(2) > 0, 1.0),
    masked_fill_value=lambda torch: torch.ones(3).masked_fill(torch.ones(3) > 0, torch.ones(2)),
    masked_select_dtype=lambda torch: torch.ones(3).masked_select(torch.ones(3)),
    one_hot_float=lambda torch: torch.nn.functional.one_hot(torch.ones(2)),
    one_hot_negative=lambda torch: torch.nn.functional.one_hot(torch.tensor([-1])),
    one_hot_small=lambda torch: torch.nn.functional.one_hot(torch.tensor([3]), 2),
    multinomial_negative=lambda torch: torch.multinomial(torch.tensor([-1.0, 2.0]), 1),
    multinomial_zero=lambda torch: torch.multinomial(torch.zeros(3), 1),
    multinomial_many=lambda torch: torch.multinomial(torch.ones(3), 4),
)

# -- autograd

bad(
    backward_vector=lambda torch: (leaf(torch, 2) * 2).backward(),
    backward_no_grad=lambda torch: torch.ones(()).backward(),
    backward_shape=lambda torch: (leaf(torch, 2) * 2).backward(torch.ones(3)),
    backward_twice=lambda torch: after((y := (leaf(torch, 2) ** 2).sum()).backward, y.backward),
    backward_type=lambda torch: (leaf(torch, 2) * 2).backward([1.0, 1.0]),
    backward_inputs=lambda torch: leaf(torch, 2).sum().backward(inputs=[]),
    grad_unused=lambda torch: torch.autograd.grad(leaf(torch, 2).sum(), leaf(torch, 2)),
    grad_no_grad=lambda torch: torch.autograd.grad(leaf(torch, 2).sum(), torch.ones(2)),
    grad_count=lambda torch: torch.autograd.grad([leaf(torch, 2).sum()], leaf(torch, 2), [None, None]),
    inplace_leaf=lambda torch: leaf(torch, 2).add_(1),
    inplace_leaf_operator=lambda torch: leaf(torch, 2).__iadd__(1),
    inplace_leaf_fill=lambda torch: leaf(torch, 2).fill_(1),
    inplace_leaf_view=lambda torch: leaf(torch, 2)[:1].mul_(2),
    inplace_saved=lambda torch: (
        after(lambda: (y := (x := leaf(torch, 2).exp()).exp(), x.add_(1)), lambda: None) or _overwritten(torch)
    ),
    inplace_shape=lambda torch: torch.ones(2).add_(torch.ones(3, 2)),
    inplace_dtype=lambda torch: torch.arange(3).add_(0.5),
    inplace_bool=lambda torch: (torch.ones(2) > 0).add_(1),
    div_inplace_integers=lambda torch: torch.arange(3).div_(2),
    detach_grad=lambda torch: leaf(torch, 2).detach().sum().backward(),
    no_grad_backward=lambda torch: _under_no_grad(torch).backward(),
    hook_no_grad=lambda torch: torch.ones(2).register_hook(lambda g: g),
    retain_grad_no_grad=lambda torch: torch.ones(2).retain_grad(),
    deepcopy_inner=lambda torch: __import__("copy").deepcopy(leaf(torch, 2) * 2),
    grad_assign_type=lambda torch: setattr(leaf(torch, 2), "grad", 1.0),
    grad_assign_shape=lambda torch: setattr(leaf(torch, 2), "grad", torch.ones(3)),
    grad_assign_dtype=lambda torch: setattr(leaf(torch, 2), "grad", torch.ones(2).double()),
    function_count=lambda torch: _function(torch, lambda ctx, g: (g, g)).sum().backward(),
    function_shape=lambda torch: _function(torch, lambda ctx, g: torch.ones(7)).sum().backward(),
    gradcheck_wrong=lambda torch: torch.autograd.gradcheck(
        lambda x: _function(torch, lambda ctx, g: g * 5, x), (torch.ones(2, dtype=torch.float64, requires_grad=True),)
    ),
    gradcheck_no_grad=lambda torch: torch.autograd.gradcheck(lambda x: x * 2, (torch.ones(2, dtype=torch.float64),)),
    anomaly=lambda torch: _anomaly(torch),
)


def _overwritten(torch: Any) -> Any:
    x = leaf(torch, 2).exp()
    y = x.exp()
    z = (x * y).sum()
    x.add_(1)
    return z.backward()


def _under_no_grad(torch: Any) -> Any:
    with torch.no_grad():
        return leaf(torch, 2).sum()


def _function(torch: Any, backward: Callable[..., Any], x: Any = None) -> Any:
    class Custom(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Any) -> Any:
            return a * 2

    Custom.backward = staticmethod(backward)
    return Custom.apply(leaf(torch, 2) if x is None else x)


def _anomaly(torch: Any) -> Any:
    import contextlib
    import io
    import warnings

    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.autograd.detect_anomaly():
            x = torch.zeros(2, requires_grad=True)
            (x.sqrt() * 0).sum().backward()


# -- functional

bad(
    functional_softmax_dim=lambda torch: torch.nn.functional.softmax(torch.ones(2), dim=1),
    softmax_integers=lambda torch: torch.softmax(torch.arange(3), 0),
    glu_odd=lambda torch: torch.nn.functional.glu(torch.ones(3)),
    glu_scalar=lambda torch: torch.nn.functional.glu(torch.ones(())),
    gelu_approximate=lambda torch: torch.nn.functional.gelu(torch.ones(2), approximate="sin"),
    dropout_p=lambda torch: torch.nn.functional.dropout(torch.ones(2), 1.5),
    dropout_negative=lambda torch: torch.nn.functional.dropout(torch.ones(2), -0.1),
    prelu_count=lambda torch: torch.nn.functional.prelu(torch.ones(2, 3), torch.ones(2)),
    conv2d_channels=lambda torch: torch.nn.functional.conv2d(torch.ones(1, 3, 5, 5), torch.ones(2, 4, 3, 3)),
    conv2d_kernel=lambda torch: torch.nn.functional.conv2d(torch.ones(1, 3, 2, 2), torch.ones(2, 3, 3, 3)),
    conv2d_rank=lambda torch: torch.nn.functional.conv2d(torch.ones(3, 3), torch.ones(2, 3, 3, 3)),
    conv2d_groups=lambda torch: torch.nn.functional.conv2d(torch.ones(1, 3, 5, 5), torch.ones(2, 3, 3, 3), groups=2),
    conv2d_bias=lambda torch: torch.nn.functional.conv2d(torch.ones(1, 3, 5, 5), torch.ones(2, 3, 3, 3), torch.ones(3)),
    conv2d_stride=lambda torch: torch.nn.functional.conv2d(torch.ones(1, 3, 5, 5), torch.ones(2, 3, 3, 3), stride=0),
    conv2d_padding=lambda torch: torch.nn.functional.conv2d(torch.ones(1, 3, 5, 5), torch.ones(2, 3, 3, 3), padding=-1),
    conv2d_same_stride=lambda torch: torch.nn.functional.conv2d(
        torch.ones(1, 3, 5, 5), torch.ones(2, 3, 3, 3), padding="same", stride=2
    ),
    conv2d_padding_word=lambda torch: torch.nn.functional.conv2d(
        torch.ones(1, 3, 5, 5), torch.ones(2, 3, 3, 3), padding="some"
    ),
    conv2d_dtype=lambda torch: torch.nn.functional.conv2d(torch.ones(1, 3, 5, 5).double(), torch.ones(2, 3, 3, 3)),
    conv1d_channels=lambda torch: torch.nn.functional.conv1d(torch.ones(1, 3, 5), torch.ones(2, 4, 3)),
    conv_transpose2d_channels=lambda torch: torch.nn.functional.conv_transpose2d(
        torch.ones(1, 3, 5, 5), torch.ones(4, 2, 3, 3)
    ),
    conv_transpose2d_output=lambda torch: torch.nn.functional.conv_transpose2d(
        torch.ones(1, 3, 5, 5), torch.ones(3, 2, 3, 3), output_padding=2
    ),
    conv2d_module_groups=lambda torch: torch.nn.Conv2d(3, 4, 3, groups=2),
    conv2d_module_channels=lambda torch: torch.nn.Conv2d(3, 4, 3)(torch.ones(1, 2, 5, 5)),
    conv2d_module_rank=lambda torch: torch.nn.Conv2d(3, 4, 3)(torch.ones(5, 5)),
    gaussian_nll_of_whole_numbers=lambda torch: torch.nn.functional.gaussian_nll_loss(
        torch.ones(2), torch.ones(2), torch.ones(2, dtype=torch.int64)
    ),
    conv2d_module_mode=lambda torch: torch.nn.Conv2d(3, 4, 3, padding_mode="some"),
    max_pool2d_rank=lambda torch: torch.nn.functional.max_pool2d(torch.ones(5, 5), 2),
    max_pool2d_padding=lambda torch: torch.nn.functional.max_pool2d(torch.ones(1, 1, 5, 5), 2, padding=2),
    max_pool2d_small=lambda torch: torch.nn.functional.max_pool2d(torch.ones(1, 1, 1, 1), 2),
    avg_pool2d_padding=lambda torch: torch.nn.functional.avg_pool2d(torch.ones(1, 1, 5, 5), 2, padding=2),
    avg_pool2d_divisor=lambda torch: torch.nn.functional.avg_pool2d(torch.ones(1, 1, 5, 5), 2, divisor_override=0),
    adaptive_avg_pool2d_rank=lambda torch: torch.nn.functional.adaptive_avg_pool2d(torch.ones(5, 5), 2),
    pad_odd=lambda torch: torch.nn.functional.pad(torch.ones(3), (1, 1, 1)),
    pad_many=lambda torch: torch.nn.functional.pad(torch.ones(3), (1, 1, 1, 1)),
    pad_too_negative=lambda torch: torch.nn.functional.pad(torch.ones(3), (-2, -2)),
    pad_mode=lambda torch: torch.nn.functional.pad(torch.ones(1, 1, 3), (1, 1), mode="some"),
    pad_reflect=lambda torch: torch.nn.functional.pad(torch.ones(1, 1, 3), (3, 3), mode="reflect"),
    unfold_rank=lambda torch: torch.nn.functional.unfold(torch.ones(3, 3), 2),
    fold_size=lambda torch: torch.nn.functional.fold(torch.ones(1, 4, 5), (3, 3), 2),
    interpolate_both=lambda torch: torch.nn.functional.interpolate(torch.ones(1, 1, 2), size=3, scale_factor=2),
    interpolate_neither=lambda torch: torch.nn.functional.interpolate(torch.ones(1, 1, 2)),
    interpolate_mode=lambda torch: torch.nn.functional.interpolate(torch.ones(1, 1, 2), size=3, mode="some"),
    embedding_range=lambda torch: torch.nn.functional.embedding(torch.tensor([5]), torch.ones(3, 2)),
    embedding_negative=lambda torch: torch.nn.functional.embedding(torch.tensor([-1]), torch.ones(3, 2)),
    embedding_dtype=lambda torch: torch.nn.functional.embedding(torch.ones(2), torch.ones(3, 2)),
    embedding_padding=lambda torch: torch.nn.Embedding(3, 2, padding_idx=5),
    batch_norm_one=lambda torch: torch.nn.BatchNorm1d(3)(torch.ones(1, 3)),
    batch_norm_channels=lambda torch: torch.nn.BatchNorm1d(3)(torch.ones(4, 2)),
    batch_norm1d_rank=lambda torch: torch.nn.BatchNorm1d(3)(torch.ones(2, 3, 4, 4)),
    batch_norm2d_rank=lambda torch: torch.nn.BatchNorm2d(3)(torch.ones(2, 3)),
    layer_norm_shape=lambda torch: torch.nn.LayerNorm(3)(torch.ones(2, 4)),
    layer_norm_weight=lambda torch: torch.nn.functional.layer_norm(torch.ones(2, 3), (3,), torch.ones(2)),
    group_norm_channels=lambda torch: torch.nn.GroupNorm(2, 3),
    group_norm_groups=lambda torch: torch.nn.functional.group_norm(torch.ones(2, 3), 2),
    attention_shapes=lambda torch: torch.nn.functional.scaled_dot_product_attention(
        torch.ones(2, 3, 4), torch.ones(2, 3, 5), torch.ones(2, 3, 4)
    ),
    attention_both_masks=lambda torch: torch.nn.functional.scaled_dot_product_attention(
        torch.ones(2, 3, 4), torch.ones(2, 3, 4), torch.ones(2, 3, 4), attn_mask=torch.ones(3, 3) > 0, is_causal=True
    ),
    attention_mask_shape=lambda torch: torch.nn.functional.scaled_dot_product_attention(
        torch.ones(2, 3, 4), torch.ones(2, 3, 4), torch.ones(2, 3, 4), attn_mask=torch.ones(5, 3) > 0
    ),
    multihead_divide=lambda torch: torch.nn.MultiheadAttention(5, 2),
    multihead_width=lambda torch: torch.nn.MultiheadAttention(4, 2)(
        torch.ones(3, 1, 5), torch.ones(3, 1, 5), torch.ones(3, 1, 5)
    ),
)

# -- losses

bad(
    cross_entropy_range=lambda torch: torch.nn.functional.cross_entropy(torch.ones(2, 3), torch.tensor([0, 3])),
    cross_entropy_negative=lambda torch: torch.nn.functional.cross_entropy(torch.ones(2, 3), torch.tensor([0, -1])),
    cross_entropy_count=lambda torch: torch.nn.functional.cross_entropy(torch.ones(2, 3), torch.tensor([0, 1, 2])),
    cross_entropy_float_labels=lambda torch: torch.nn.functional.cross_entropy(torch.ones(2, 3), torch.ones(2)),
    cross_entropy_soft_shape=lambda torch: torch.nn.functional.cross_entropy(torch.ones(2, 3), torch.ones(2, 4)),
    cross_entropy_reduction=lambda torch: torch.nn.functional.cross_entropy(
        torch.ones(2, 3), torch.tensor([0, 1]), reduction="some"
    ),
    cross_entropy_weight=lambda torch: torch.nn.functional.cross_entropy(
        torch.ones(2, 3), torch.tensor([0, 1]), weight=torch.ones(2)
    ),
    cross_entropy_smoothing=lambda torch: torch.nn.functional.cross_entropy(
        torch.ones(2, 3), torch.tensor([0, 1]), label_smoothing=1.5
    ),
    nll_float_labels=lambda torch: torch.nn.functional.nll_loss(torch.ones(2, 3), torch.ones(2)),
    nll_count=lambda torch: torch.nn.functional.nll_loss(torch.ones(2, 3), torch.tensor([0])),
    mse_shapes=lambda torch: torch.nn.functional.mse_loss(torch.ones(2, 3), torch.ones(4, 3)),
    mse_reduction=lambda torch: torch.nn.functional.mse_loss(torch.ones(2), torch.ones(2), reduction="some"),
    bce_shapes=lambda torch: torch.nn.functional.binary_cross_entropy(torch.ones(2, 1), torch.ones(2)),
    bce_range=lambda torch: torch.nn.functional.binary_cross_entropy(torch.ones(2) * 2, torch.ones(2)),
    bce_negative=lambda torch: torch.nn.functional.binary_cross_entropy(torch.ones(2) * -0.5, torch.ones(2)),
    bce_logits_shapes=lambda torch: torch.nn.functional.binary_cross_entropy_with_logits(
        torch.ones(2, 1), torch.ones(2)
    ),
    smooth_l1_beta=lambda torch: torch.nn.functional.smooth_l1_loss(torch.ones(2), torch.ones(2), beta=-1.0),
    huber_delta=lambda torch: torch.nn.functional.huber_loss(torch.ones(2), torch.ones(2), delta=0.0),
    kl_div_reduction=lambda torch: torch.nn.functional.kl_div(torch.ones(2), torch.ones(2), reduction="some"),
    cosine_embedding_shapes=lambda torch: torch.nn.functional.cosine_embedding_loss(
        torch.ones(2, 3), torch.ones(2, 4), torch.ones(2)
    ),
)

# -- modules


def _module(torch: Any) -> Any:
    return torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1))


def _loaded(torch: Any, change: Callable[[Any, dict], Any]) -> Any:
    state = dict(_module(torch).state_dict())
    change(torch, state)
    return _module(torch).load_state_dict(state)


def _before_init(torch: Any) -> Any:
    class Net(torch.nn.Module):
        def __init__(self) -> None:
            self.layer = torch.nn.Linear(1, 1)

    return Net()


def _no_forward(torch: Any) -> Any:
    class Net(torch.nn.Module):
        pass

    return Net()(torch.ones(1))


bad(
    state_missing=lambda torch: _loaded(torch, lambda t, s: s.pop("0.bias")),
    state_unexpected=lambda torch: _loaded(torch, lambda t, s: s.update(more=t.ones(1))),
    state_shape=lambda torch: _loaded(torch, lambda t, s: s.update({"0.weight": t.ones(5, 5)})),
    state_type=lambda torch: _module(torch).load_state_dict([1, 2]),
    module_before_init=_before_init,
    module_no_forward=_no_forward,
    module_attribute_missing=lambda torch: torch.nn.Linear(1, 1).nonsense,
    module_parameter_type=lambda torch: setattr(torch.nn.Linear(1, 1), "weight", torch.ones(1, 1)),
    module_register_type=lambda torch: torch.nn.Linear(1, 1).register_parameter("p", torch.ones(1)),
    module_register_dot=lambda torch: torch.nn.Linear(1, 1).register_parameter("a.b", None),
    module_register_twice=lambda torch: torch.nn.Linear(1, 1).register_buffer("forward", torch.ones(1)),
    module_buffer_type=lambda torch: torch.nn.Linear(1, 1).register_buffer("b", 1.0),
    module_add_type=lambda torch: torch.nn.Linear(1, 1).add_module("a", torch.ones(1)),
    module_get_parameter=lambda torch: torch.nn.Linear(1, 1).get_parameter("nonsense"),
    module_get_submodule=lambda torch: torch.nn.Linear(1, 1).get_submodule("nonsense"),
    module_train_mode=lambda torch: torch.nn.Linear(1, 1).train("yes"),
    sequential_type=lambda torch: torch.nn.Sequential(1),
    sequential_index=lambda torch: _module(torch)[5],
    module_list_index=lambda torch: torch.nn.ModuleList([torch.nn.Linear(1, 1)])[3],
    module_list_type=lambda torch: torch.nn.ModuleList([1]),
    module_dict_key=lambda torch: torch.nn.ModuleDict({"a": torch.nn.Linear(1, 1)})["b"],
    parameter_integers=lambda torch: torch.nn.Parameter(torch.arange(3)),
    linear_argument=lambda torch: torch.nn.Linear(2),
    linear_keyword=lambda torch: torch.nn.Linear(2, 3, color="red"),
    module_call=lambda torch: torch.nn.Linear(2, 3)(),
    module_dropout=lambda torch: torch.nn.Dropout(2.0),
    module_to_integers=lambda torch: torch.nn.Linear(2, 3).to(torch.int64),
    encoder_activation=lambda torch: torch.nn.TransformerEncoderLayer(4, 2, activation="sin"),
    unflatten_module=lambda torch: torch.nn.Unflatten(1, (2, 2))(torch.ones(2, 5)),
)

# -- optimizers, schedulers, utilities


def _parameter(torch: Any) -> list:
    return [torch.nn.Parameter(torch.ones(2))]


def _optimizer(torch: Any, name: str, **options: Any) -> Any:
    return getattr(torch.optim, name)(_parameter(torch), **options)


def _empty_optimizer(torch: Any, name: str) -> Any:
    return getattr(torch.optim, name)([], lr=0.1)


for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "NAdam", "RAdam"):
    BAD[f"{name}_lr"] = functools.partial(_optimizer, name=name, lr=-1.0)
    BAD[f"{name}_empty"] = functools.partial(_empty_optimizer, name=name)
    BAD[f"{name}_weight_decay"] = functools.partial(_optimizer, name=name, lr=0.1, weight_decay=-1.0)
    BAD[f"{name}_keyword"] = functools.partial(_optimizer, name=name, lr=0.1, color="red")
for name in ("Adam", "AdamW", "NAdam", "RAdam"):
    BAD[f"{name}_betas"] = functools.partial(_optimizer, name=name, betas=(1.5, 0.9))
    BAD[f"{name}_eps"] = functools.partial(_optimizer, name=name, eps=-1.0)

bad(
    optimizer_tensor=lambda torch: torch.optim.SGD(torch.nn.Parameter(torch.ones(2)), lr=0.1),
    optimizer_numbers=lambda torch: torch.optim.SGD([1.0], lr=0.1),
    optimizer_inner=lambda torch: torch.optim.SGD([leaf(torch, 2) * 2], lr=0.1),
    optimizer_twice=lambda torch: torch.optim.SGD([{"params": (p := _parameter(torch))}, {"params": p}], lr=0.1),
    optimizer_group=lambda torch: torch.optim.SGD(_parameter(torch), lr=0.1).add_param_group([1]),
    optimizer_state=lambda torch: torch.optim.SGD(_parameter(torch), lr=0.1).load_state_dict(
        torch.optim.SGD(_parameter(torch) + _parameter(torch), lr=0.1).state_dict()
    ),
    sgd_momentum=lambda torch: torch.optim.SGD(_parameter(torch), lr=0.1, momentum=-0.5),
    sgd_nesterov=lambda torch: torch.optim.SGD(_parameter(torch), lr=0.1, nesterov=True),
    rmsprop_alpha=lambda torch: torch.optim.RMSprop(_parameter(torch), alpha=-1.0),
    adagrad_decay=lambda torch: torch.optim.Adagrad(_parameter(torch), lr_decay=-1.0),
    scheduler_type=lambda torch: torch.optim.lr_scheduler.StepLR("optimizer", 1),
    lambda_count=lambda torch: torch.optim.lr_scheduler.LambdaLR(
        torch.optim.SGD(_parameter(torch), lr=0.1), [lambda e: 1.0, lambda e: 1.0]
    ),
    linear_factor=lambda torch: torch.optim.lr_scheduler.LinearLR(torch.optim.SGD(_parameter(torch), lr=0.1), 2.0),
    linear_end=lambda torch: torch.optim.lr_scheduler.LinearLR(torch.optim.SGD(_parameter(torch), lr=0.1), 0.5, -1.0),
    one_cycle_steps=lambda torch: torch.optim.lr_scheduler.OneCycleLR(torch.optim.SGD(_parameter(torch), lr=0.1), 1.0),
    one_cycle_pct=lambda torch: torch.optim.lr_scheduler.OneCycleLR(
        torch.optim.SGD(_parameter(torch), lr=0.1), 1.0, 10, pct_start=2.0
    ),
    one_cycle_anneal=lambda torch: torch.optim.lr_scheduler.OneCycleLR(
        torch.optim.SGD(_parameter(torch), lr=0.1), 1.0, 10, anneal_strategy="some"
    ),
    plateau_factor=lambda torch: torch.optim.lr_scheduler.ReduceLROnPlateau(
        torch.optim.SGD(_parameter(torch), lr=0.1), factor=1.5
    ),
    plateau_mode=lambda torch: torch.optim.lr_scheduler.ReduceLROnPlateau(
        torch.optim.SGD(_parameter(torch), lr=0.1), mode="some"
    ),
    plateau_step=lambda torch: torch.optim.lr_scheduler.ReduceLROnPlateau(
        torch.optim.SGD(_parameter(torch), lr=0.1)
    ).step(),
    sequential_milestones=lambda torch: torch.optim.lr_scheduler.SequentialLR(
        (o := torch.optim.SGD(_parameter(torch), lr=0.1)), [torch.optim.lr_scheduler.StepLR(o, 1)], [1, 2]
    ),
    vector_type=lambda torch: torch.nn.utils.vector_to_parameters([1.0], _parameter(torch)),
    init_fans=lambda torch: torch.nn.init.xavier_uniform_(torch.ones(3)),
    init_gain=lambda torch: torch.nn.init.calculate_gain("nonsense"),
    init_mode=lambda torch: torch.nn.init.kaiming_uniform_(torch.ones(3, 3), mode="some"),
    init_eye=lambda torch: torch.nn.init.eye_(torch.ones(3)),
    init_orthogonal=lambda torch: torch.nn.init.orthogonal_(torch.ones(3)),
)

# -- random draws and data

bad(
    randint_empty=lambda torch: torch.randint(5, 5, (2,)),
    randint_reversed=lambda torch: torch.randint(5, 2, (2,)),
    randint_missing=lambda torch: torch.randint(5),
    randperm_negative=lambda torch: torch.randperm(-1),
    rand_negative=lambda torch: torch.rand(-1),
    rand_integers=lambda torch: torch.rand(2, dtype=torch.int64),
    normal_std=lambda torch: torch.ones(2).normal_(0, -1.0),
    uniform_reversed=lambda torch: torch.ones(2).uniform_(1, 0),
    bernoulli_p=lambda torch: torch.bernoulli(torch.ones(2) * 2),
    bernoulli_number=lambda torch: torch.ones(2).bernoulli_(1.5),
    seed_string=lambda torch: torch.manual_seed("a"),
    generator_device=lambda torch: torch.Generator(device="nonsense"),
    loader_batch=lambda torch: torch.utils.data.DataLoader([1, 2], batch_size=0),
    loader_negative=lambda torch: torch.utils.data.DataLoader([1, 2], batch_size=-1),
    loader_workers=lambda torch: torch.utils.data.DataLoader([1, 2], num_workers=-1),
    loader_both=lambda torch: torch.utils.data.DataLoader(
        [1, 2], shuffle=True, sampler=torch.utils.data.SequentialSampler([1, 2])
    ),
    loader_batch_sampler=lambda torch: torch.utils.data.DataLoader([1, 2], batch_size=2, batch_sampler=[[0]]),
    loader_drop_last=lambda torch: torch.utils.data.DataLoader([1, 2], batch_size=None, drop_last=True),
    loader_iterable_shuffle=lambda torch: torch.utils.data.DataLoader(_Iterable(torch), shuffle=True),
    loader_collate=lambda torch: list(torch.utils.data.DataLoader([object()])),
    loader_ragged=lambda torch: list(torch.utils.data.DataLoader([torch.ones(2), torch.ones(3)], batch_size=2)),
    tensor_dataset_lengths=lambda torch: torch.utils.data.TensorDataset(torch.ones(2), torch.ones(3)),
    concat_empty=lambda torch: torch.utils.data.ConcatDataset([]),
    concat_range=lambda torch: torch.utils.data.ConcatDataset([[1, 2]])[-3],
    split_total=lambda torch: torch.utils.data.random_split([1, 2, 3], [1, 1]),
    split_fractions=lambda torch: torch.utils.data.random_split([1, 2, 3], [0.5, 0.9]),
    sampler_samples=lambda torch: torch.utils.data.RandomSampler([1, 2], num_samples=0),
    sampler_replacement=lambda torch: torch.utils.data.RandomSampler([1, 2], replacement="yes"),
    batch_sampler_size=lambda torch: torch.utils.data.BatchSampler([1, 2], 0, False),
    dataset_getitem=lambda torch: torch.utils.data.Dataset()[0],
)


# -- what stands in rooms of its own


def optimizer(torch: Any, name: str = "SGD", **settings: Any) -> Any:
    p = torch.nn.Parameter(torch.ones(2))
    p.grad = torch.ones(2)
    return getattr(torch.optim, name)([p], **settings)


def double(x: Any) -> Any:
    return x * x


bad(
    special_number=lambda torch: torch.special.erf(3.0),
    special_text=lambda torch: torch.special.xlogy("a", torch.ones(2)),
    special_truth=lambda torch: torch.special.logsumexp(torch.ones(2), 0, 1),
    special_surplus=lambda torch: torch.special.log_softmax(torch.ones(2), 0, torch.float32),
    special_round_integers=lambda torch: torch.special.round(torch.ones(2).long()),
    special_halves=lambda torch: torch.special.ndtri(torch.ones(2).half()),
    special_shapes=lambda torch: torch.special.xlog1py(torch.ones(2, 0), torch.ones(3)),
    special_bool=lambda torch: torch.special.multigammaln(torch.ones(2).bool(), 1),
    fft_negative=lambda torch: torch.fft.fftfreq(-3),
    fft_truth=lambda torch: torch.fft.fftfreq(True),
    fft_integers=lambda torch: torch.fft.rfftfreq(4, dtype=torch.int64),
    fft_range=lambda torch: torch.fft.fftshift(torch.ones(2, 3), 5),
    fft_float=lambda torch: torch.fft.ifftshift(torch.ones(2, 3), 0.5),
    linalg_cross_dtypes=lambda torch: torch.linalg.cross(torch.ones(3), torch.ones(3).double()),
    linalg_cross_bool=lambda torch: torch.linalg.cross(torch.ones(3).bool(), torch.ones(3).bool()),
    linalg_vander_bool=lambda torch: torch.linalg.vander(torch.ones(3).bool()),
    linalg_householder_rank=lambda torch: torch.linalg.householder_product(torch.ones(4, 3), torch.ones(2, 3)),
    linalg_householder_dtypes=lambda torch: torch.linalg.householder_product(torch.ones(4, 3), torch.ones(2).double()),
    linalg_tensorsolve_dtypes=lambda torch: torch.linalg.tensorsolve(
        torch.eye(4).reshape(2, 2, 4), torch.ones(2, 2).double()
    ),
    linalg_tensorinv_ind=lambda torch: torch.linalg.tensorinv(torch.ones(1), 2),
    linalg_pinv_two=lambda torch: torch.linalg.pinv(torch.ones(2, 2), 0.1, atol=0.1),
    linalg_rank_list=lambda torch: torch.linalg.matrix_rank(torch.ones(2, 2), [1]),
    linalg_lstsq_ranks=lambda torch: torch.linalg.lstsq(torch.ones(5, 1), torch.ones(1, 5, 1)),
    adaptive_integers=lambda torch: torch.nn.functional.adaptive_max_pool2d(torch.ones(1, 4, 4).long(), 2),
    adaptive_none=lambda torch: torch.nn.functional.adaptive_avg_pool3d(torch.ones(1, 4, 4, 4), None),
    adaptive_too_large=lambda torch: torch.nn.functional.adaptive_avg_pool2d(torch.ones(1, 1, 2, 3), 2**31),
    fractional_kernel=lambda torch: torch.nn.FractionalMaxPool3d(-1, output_size=2),
    fractional_size=lambda torch: torch.nn.functional.fractional_max_pool3d(torch.ones(1, 7, 7, 7), 2, (1,)),
    pool_stride_too_large=lambda torch: torch.nn.functional.max_pool2d(torch.ones(1, 5, 5), 3, 2**31),
    unpool_integers=lambda torch: torch.nn.functional.max_unpool2d(
        torch.ones(1, 2, 2).long(), torch.zeros(1, 2, 2).long(), 2
    ),
    interpolate_nan=lambda torch: torch.nn.functional.interpolate(torch.ones(1, 1, 2, 2), scale_factor=float("nan")),
    interpolate_too_large=lambda torch: torch.nn.functional.interpolate(torch.ones(1, 1, 2, 2), size=(2**63, 4)),
    pad_number=lambda torch: torch.nn.functional.pad(torch.ones(2).byte(), (1, 1), value=-256.0),
    pad_bool=lambda torch: torch.nn.functional.pad(torch.ones(2, 3, 4).bool(), (1, 1), "reflect"),
    pad_cut=lambda torch: torch.nn.functional.pad(torch.ones(2, 3, 4), (-3, -3), "replicate"),
    linear_vector_bias=lambda torch: torch.nn.functional.linear(torch.ones(2), torch.ones(2), torch.ones(1)),
    linear_larger_bias=lambda torch: torch.nn.functional.linear(torch.ones(3, 2), torch.ones(1, 2), torch.ones(0)),
    softshrink_infinite=lambda torch: torch.nn.functional.softshrink(torch.ones(2), float("inf")),
    smooth_nan=lambda torch: torch.nn.functional.smooth_l1_loss(torch.ones(2), torch.ones(2), beta=float("nan")),
    hinge_integers=lambda torch: torch.nn.functional.hinge_embedding_loss(torch.ones(2).long(), torch.ones(2).long()),
    soft_margin_larger=lambda torch: torch.nn.functional.soft_margin_loss(torch.ones(()), torch.ones(4)),
    bce_larger_weight=lambda torch: torch.nn.functional.binary_cross_entropy_with_logits(
        torch.ones(3), torch.ones(3), torch.ones(2, 3)
    ),
    nll_bytes=lambda torch: torch.nn.functional.nll_loss(torch.ones(2, 3, 2), torch.ones(2, 2).byte()),
    gaussian_int=lambda torch: torch.nn.functional.gaussian_nll_loss(torch.ones(2), torch.ones(2), 3),
    rrelu_halves=lambda torch: torch.nn.functional.rrelu(torch.ones(2).half(), training=True),
    pdist_halves=lambda torch: torch.nn.functional.pdist(torch.ones(2, 2).half()),
    rms_norm_number=lambda torch: torch.nn.functional.rms_norm(torch.tensor(2.0), (5,)),
    group_norm_none=lambda torch: torch.nn.GroupNorm(0, 6),
    unflatten_number=lambda torch: torch.nn.Unflatten(1, 3),
    triplet_margin=lambda torch: torch.nn.TripletMarginLoss(margin=0.0),
    prelu_too_large=lambda torch: torch.nn.PReLU(init=1e40),
    constant_too_large=lambda torch: torch.nn.init.constant_(torch.ones(2), 1e300),
    module_list_number=lambda torch: torch.nn.ModuleList(3),
    module_dict_numbers=lambda torch: torch.nn.ModuleDict((2, 0.5)),
    parameter_list_tensor=lambda torch: torch.nn.ParameterList(torch.ones(2)),
    optimizer_number=lambda torch: torch.optim.SGD(3, lr=0.1),
    optimizer_text=lambda torch: optimizer(torch, lr="a"),
    optimizer_betas=lambda torch: optimizer(torch, "Adam", betas=0.9),
    optimizer_too_large=lambda torch: optimizer(torch, "RMSprop", lr=1e40).step(),
    scheduler_factor=lambda torch: torch.optim.lr_scheduler.LinearLR(optimizer(torch), "a"),
    clip_numbers=lambda torch: torch.nn.utils.get_total_norm([torch.ones(2).long()]),
    vector_integers=lambda torch: torch.nn.utils.vector_to_parameters(
        torch.ones(2).long(), [torch.nn.Parameter(torch.ones(2))]
    ),
    pad_sequence_number=lambda torch: torch.nn.utils.rnn.pad_sequence(3),
    gradcheck_no_direction=lambda torch: torch.autograd.gradcheck(
        double, leaf(torch, 2).double().detach().requires_grad_(), check_backward_ad=False
    ),
    gradcheck_unknown=lambda torch: torch.autograd.gradcheck(double, leaf(torch, 2), nonsense=False),
    gradgradcheck_unknown=lambda torch: torch.autograd.gradgradcheck(double, leaf(torch, 2), nonsense=False),
    grad_no_tensor=lambda torch: torch.autograd.grad(leaf(torch, 2).sum(), [1]),
    anomaly_number=lambda torch: torch.autograd.set_detect_anomaly(1),
    jacobian_truth=lambda torch: torch.autograd.functional.jacobian(double, torch.ones(2), "False"),
    func_not_callable=lambda torch: torch.func.grad("a")(torch.ones(2)),
    jvp_numbers=lambda torch: torch.func.jvp(double, (1.0,), (torch.ones(2),)),
    jvp_integers=lambda torch: torch.func.jvp(double, (torch.ones(2),), (torch.ones(2).long(),)),
    transform_shape=lambda torch: torch.distributions.AffineTransform(0.0, 1.0).forward_shape(3.0),
    transform_negative=lambda torch: torch.distributions.AffineTransform(0.0, 1.0).forward_shape((-1,)),
    bernoulli_large=lambda torch: torch.distributions.Bernoulli(1e300),
    collate_tensor=lambda torch: torch.utils.data.default_collate(torch.ones(2, 3)),
)


def _Iterable(torch: Any) -> Any:
    class Numbers(torch.utils.data.IterableDataset):
        def __iter__(self) -> Any:
            return iter(range(3))

    return Numbers()
