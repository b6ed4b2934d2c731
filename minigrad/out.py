"""`out=`: where a function's result shall be written.

The result is computed as always and then copied, so an input may be the output. PyTorch's rules:

    gradients   none: neither an input nor `out` may require grad (RuntimeError), unless recording is off;
    shape       `out` takes the result's; if it had elements and another shape, with a warning;
    type        "cast": `out` may be of any type to which results may be cast (as in an in-place operation);
                "dtype": the function computes in `out`'s type;  "same": `out` must have the result's type.

Source: PyTorch, "Developer FAQ: how does out= work in PyTorch?".
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from . import dtypes, storage
from .autograd.modes import is_grad_enabled
from .autograd.variable import Variable, wrap
from .foreign import said
from .geometry import overlap_in_part, require_own_places
from .warn import warn

# Which functions take out=, by the rule for its type. (tests/test_signature.py holds the table against PyTorch.)
_NAMES = {
    "cast": """
        acos acosh add addcdiv addcmul addr angle arccos arccosh arcsin arcsinh arctan arctan2 arctanh asin asinh atan
        atan2 atanh bessel_j0 bessel_j1 bessel_y0 bessel_y1 bitwise_and bitwise_left_shift bitwise_or
        bitwise_right_shift bitwise_xor cat chebyshev_polynomial_t chebyshev_polynomial_u chebyshev_polynomial_v
        chebyshev_polynomial_w cholesky_inverse cholesky_solve clamp clamp_max clamp_min clip column_stack concat
        concatenate cond copysign cos cosh deg2rad diff digamma div divide dstack entr eq erf erfc erfcx erfinv exp
        exp2 expit expm1 floor_divide fmax fmin fmod gammainc gammaincc gammaln gcd ge ger greater greater_equal gt
        hermite_polynomial_h hermite_polynomial_he householder_product hstack hypot i0 i0e i1 i1e igamma igammac kron
        laguerre_polynomial_l lcm le legendre_polynomial_p lerp less less_equal lgamma log log10 log1p log2 log_ndtr
        logaddexp logaddexp2 logical_and logical_not logical_or logical_xor logit logsumexp lstsq lt matrix_rank
        maximum minimum modified_bessel_i0 modified_bessel_i1 modified_bessel_k0 modified_bessel_k1 mul multigammaln
        multiply mvlgamma ndtr ndtri ne nextafter normalize not_equal orgqr outer pinv polygamma pow psi rad2deg
        reciprocal remainder row_stack rsqrt scaled_modified_bessel_k0 scaled_modified_bessel_k1
        shifted_chebyshev_polynomial_t shifted_chebyshev_polynomial_u shifted_chebyshev_polynomial_v
        shifted_chebyshev_polynomial_w sigmoid sin sinc sinh spherical_bessel_j0 sqrt square stack std sub subtract
        tan tanh tensorinv tensorsolve threshold true_divide var vstack xlog1py xlogy zeta
    """,
    "dtype": """
        arange bernoulli cumprod cumsum empty eye fftfreq full linspace logspace mean nanmean nansum normal ones prod
        rand randint randn randperm range rfftfreq sum zeros
    """,
    "same": """
        abs absolute addbmm addmm addmv all amax amin aminmax any argmax argmin argsort avg_pool2d avg_pool3d baddbmm
        bitwise_not bmm bucketize ceil chain_matmul cholesky cholesky_ex cross cummax cummin det diag dot eigh
        eigvalsh fix float_power floor frac frexp frobenius_norm gather gelu hardshrink heaviside histc histogram
        index_add index_copy index_reduce index_select inner inv inv_ex inverse isin isneginf isposinf kthvalue ldexp
        linear log_softmax logcumsumexp logsigmoid lu lu_factor lu_factor_ex lu_solve masked_select matmul matrix_norm
        matrix_power max median min mm mode msort multi_dot multinomial mv nan_to_num nanmedian nanquantile
        narrow_copy neg negative nonzero nonzero_static norm ormqr qr quantile renorm round scatter scatter_add
        scatter_reduce searchsorted sgn sign signbit slice_scatter slogdet softmax softplus softshrink solve solve_ex
        solve_triangular sort svd svdvals take take_along_dim tensordot topk triangular_solve tril triu trunc vdot
        vecdot vector_norm where
    """,
}
# Of these PyTorch records nothing, so neither they nor `out` are asked whether they require grad.
_NOT_RECORDED = frozenset(
    ("eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor", "logical_not")
)
# Of these there is no derivative, so their inputs are not asked.
_UNDIFFERENTIABLE = frozenset(("floor_divide", "heaviside"))
# These fill an `out` that has as many elements in its own shape.
_SEQUENCES = frozenset(("arange", "linspace", "logspace", "range"))
RULES = {name: rule for rule, names in _NAMES.items() for name in names.split()}
_NOT_RECORDED |= {name for name in RULES if "bessel" in name or "polynomial" in name}
# Names for which one module has another rule than the rest, or none.
_IN_MODULE = {
    ("minigrad", "cholesky"): "cast",
    ("minigrad", "det"): None,
    **{("minigrad.nn.functional", n): None for n in ("log_softmax", "sigmoid", "softmax", "tanh", "threshold")},
    **{("minigrad.special", n): None for n in ("log_softmax", "softmax")},
}


def rule_of(name: str, home: str) -> str | None:
    """The rule for `out=` of the function of this name in the module `home`; None where it takes none."""
    return _IN_MODULE.get((home, name), RULES.get(name))


def write(name: str, rule: str, call: functools.partial[Any], target: Any, takes_dtype: bool) -> Any:
    """The result of `call`, written into `target`: a tensor, or one for each of several results. Returns the target.

    name: the function's, for messages. takes_dtype: whether `call` may be told a dtype.
    """
    if name == "bernoulli" and "p" not in call.keywords and len(call.args) > 1 and call.args[1] is not None:
        raise TypeError(
            "bernoulli() received an invalid combination of arguments: out= goes with probabilities in input, not with p"
        )
    if name == "argsort" and call.keywords.get("stable") is None:
        raise TypeError(
            "argsort() received an invalid combination of arguments: out= goes with stable=True or stable=False"
        )
    targets = list(target) if isinstance(target, list | tuple) else [target]
    if _is_strict(name, call):
        rule = "same"
    for x in targets or [None]:
        if not isinstance(x, Variable):
            raise TypeError(f"{name}(): argument 'out' must be Tensor, not {said(x)}")
    if rule == "dtype" and takes_dtype:
        call = _in_type_of(name, call, targets[0])
    elif rule == "dtype" and call.keywords.get("dtype") not in (None, dtypes.from_numpy(targets[0].array.dtype)):
        raise RuntimeError(
            f"Expected out tensor to have dtype {call.keywords['dtype']}, but got "
            f"{dtypes.from_numpy(targets[0].array.dtype)} instead"
        )
    _check_memory(targets, (*call.args, *call.keywords.values()))
    result = call()
    if name in _SEQUENCES and result.array.size == targets[0].array.size:
        result = wrap(result.array.reshape(targets[0].array.shape))
    results = [result] if isinstance(result, Variable) else list(result)
    if len(results) != len(targets) or isinstance(target, list | tuple) == isinstance(result, Variable):
        wanted = "a tensor" if isinstance(result, Variable) else f"a tuple of {len(results)} tensors"
        raise TypeError(f"{name}(): argument 'out' must be {wanted}, not {type(target).__name__}")
    asked = () if name in _NOT_RECORDED else targets if name in _UNDIFFERENTIABLE else (*targets, *results)
    if is_grad_enabled() and any(map(_requires_grad, asked)):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the arguments "
            "requires grad."
        )
    if name in ("max", "min") and isinstance(result, Variable):  # of all elements, or of pairs: no indices beside it
        rule = "cast"
    for x, value in zip(targets, results, strict=True):
        _check_type(name, rule, value.array.dtype, x.array.dtype)
    for x, value in zip(targets, results, strict=True):
        _take(name, x, value.array)
    if isinstance(result, Variable):
        return target
    return type(result)(*targets) if hasattr(result, "_fields") else type(result)(targets)


def _is_strict(name: str, call: functools.partial[Any]) -> bool:
    """Whether `out` must be of the result's type, where that depends on the arguments: bounds that are numbers, a weight with
    dimensions, a mean that is a tensor."""
    if name == "normal":
        return any(isinstance(x, Variable) for x in (*call.args, *call.keywords.values()))
    tensors = [x for x in (*call.args, *call.keywords.values()) if isinstance(x, Variable)]
    if name == "lerp":
        return len(tensors) == 3 and tensors[-1].array.ndim > 0
    return len(tensors) == 1 and name in ("clamp", "clamp_min", "clamp_max", "clip")


def _check_memory(targets: list[Any], given: tuple[Any, ...]) -> None:
    """RuntimeError where an element of an output would be written twice, or where an input shares part of its memory."""
    inputs = [y for x in given for y in (x if isinstance(x, list | tuple) else (x,)) if isinstance(y, Variable)]
    for x in targets:
        require_own_places(x.array)
        if any(overlap_in_part(x.array, y.array) for y in inputs):
            raise RuntimeError(
                "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
                "location. Please clone() the tensor before performing the operation."
            )


def _requires_grad(x: Any) -> bool:
    return x._edge is not None or x._requires_grad


def _in_type_of(name: str, call: functools.partial[Any], target: Any) -> functools.partial[Any]:
    """The call with its dtype open filled in."""
    wanted = dtypes.from_numpy(target.array.dtype)
    given = call.keywords.get("dtype")
    if given is not None and given is not wanted:
        raise RuntimeError(f"dtype {given} does not match dtype of out parameter ({wanted})")
    return functools.partial(call.func, *call.args, **{**call.keywords, "dtype": wanted})


def _check_type(name: str, rule: str, found: np.dtype, wanted: np.dtype) -> None:
    if found == wanted:
        return
    if rule == "same" and not (name in ("any", "all") and wanted == np.uint8):
        raise RuntimeError(
            f"{name}(): Expected out tensor to have dtype {dtypes.from_numpy(found)}, but got {dtypes.from_numpy(wanted)} "
            "instead"
        )
    if not dtypes.can_cast(dtypes.from_numpy(found), dtypes.from_numpy(wanted)):
        raise RuntimeError(
            f"result type {dtypes.cxx_name(found)} can't be cast to the desired output type {dtypes.cxx_name(wanted)}"
        )


def _take(name: str, x: Any, values: np.ndarray) -> None:
    """Give x these values; its shape becomes theirs."""
    if x.array.shape != values.shape:
        if x.array.size:
            warn(
                f"An output with one or more elements was resized since it had shape {list(x.array.shape)}, which does not "
                f"match the required output shape {list(values.shape)}. This behavior is deprecated, and in a future "
                "PyTorch release outputs will not be resized unless they have zero elements. You can explicitly reuse an "
                "out tensor t by resizing it, inplace, to zero elements with t.resize_(0)."
            )
        resized = storage.resized(x.array, values.shape)
        if resized.size and not np.may_share_memory(resized, x.array) and x.array.size and x._base is not None:
            raise RuntimeError(
                f"{name}(): out= is a view, whose memory is too small for the shape {list(values.shape)} and cannot grow; give "
                "a tensor of its own"
            )
        x.array = resized
    if not x.array.flags.writeable:
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location, or "
            "its memory is read-only. Please clone() the tensor before performing the operation."
        )
    if name in ("rand", "randint") and not x.array.flags.c_contiguous:  # they are drawn in the order of out's memory
        order = np.argsort([-s for s in x.array.strides], kind="stable")
        in_memory = x.array.transpose(order)
        np.copyto(in_memory, values.reshape(in_memory.shape), casting="unsafe")
    elif name in ("randn", "normal", "bernoulli") and not x.array.flags.c_contiguous:
        raise NotImplementedError(f"{name}: out= must be contiguous; assign the result instead")
    else:
        np.copyto(x.array, values, casting="unsafe")
    storage.mark_written(x.array)
