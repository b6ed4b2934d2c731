"""Normalization layers. PyTorch: torch.nn.BatchNorm2d and its like."""

from __future__ import annotations

from typing import Any

from .. import creation, dtypes, storage
from ..ops.checks import require_argument
from ..ops.windows import IntOrInts
from ..tensor_options import FactoryOptions, factory_options
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter


def _scale_and_shift(module: Module, size: Any, weight: bool, bias: bool, options: FactoryOptions) -> None:
    """The parameters weight (ones) and bias (zeros), or None."""
    module.register_parameter("weight", Parameter(creation.ones(size, **options)) if weight else None)
    module.register_parameter("bias", Parameter(creation.zeros(size, **options)) if bias else None)


class _NormBase(Module):
    """Batch and instance norm: weight and bias (num_features,), and running statistics in the state."""

    allowed: tuple[int, ...] = ()
    per_instance = False

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        options = factory_options(self, device, dtype)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        _scale_and_shift(self, num_features, affine, affine and bias, options)
        tracked = track_running_stats
        self.register_buffer("running_mean", creation.zeros(num_features, **options) if tracked else None)
        self.register_buffer("running_var", creation.ones(num_features, **options) if tracked else None)
        self.register_buffer("num_batches_tracked", creation.tensor(0, dtype=dtypes.int64) if tracked else None)

    _version = 2

    def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: dict[str, Any], *lists: Any) -> None:
        key = f"{prefix}num_batches_tracked"
        if self.track_running_stats and (local_metadata.get("version") or 1) < 2 and key not in state_dict:
            # The first version of the state has no count of batches: the module keeps its own.
            count = self.num_batches_tracked
            state_dict[key] = creation.tensor(0, dtype=dtypes.int64) if count is None else count
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *lists)

    def reset_running_stats(self) -> None:
        """Mean 0, variance 1, no batches seen."""
        if self.track_running_stats:
            for buffer, value in ((self.running_mean, 0), (self.running_var, 1), (self.num_batches_tracked, 0)):
                buffer.array[...] = value
                storage.mark_written(buffer.array)

    def reset_parameters(self) -> None:
        """Weight 1, bias 0, and the running statistics of a new layer."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check(self, input: Any) -> None:
        require_argument(input, type(self).__name__)
        if input.dim() not in self.allowed:
            expected = " or ".join(f"{n}D" for n in self.allowed)
            raise ValueError(f"expected {expected} input (got {input.dim()}D input)")

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_NormBase):
    def forward(self, input: Any) -> Any:
        self._check(input)
        factor = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats:
            self.num_batches_tracked.array += 1
            if self.momentum is None:  # the plain average of all batches
                factor = 1.0 / float(self.num_batches_tracked.array)
        by_batch = self.training or self.running_mean is None
        keep = not self.training or self.track_running_stats
        return F.batch_norm(
            input, self.running_mean if keep else None, self.running_var if keep else None, self.weight, self.bias, by_batch,
            factor, self.eps,
        )  # fmt: skip


class BatchNorm1d(_BatchNorm):
    """Each channel of (N, C) or (N, C, L) to mean 0 and variance 1, then scaled and shifted. Ioffe & Szegedy 2015."""

    allowed = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Each channel of (N, C, H, W) to mean 0 and variance 1, then scaled and shifted. Ioffe & Szegedy 2015."""

    allowed = (4,)


class BatchNorm3d(_BatchNorm):
    """Each channel of (N, C, D, H, W) to mean 0 and variance 1, then scaled and shifted."""

    allowed = (5,)


class _InstanceNorm(_NormBase):
    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = False,
        track_running_stats: bool = False, device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Any) -> Any:
        self._check(input)
        channels = input.shape[-self.allowed[0]]
        if self.affine and channels != self.num_features:
            raise ValueError(
                f"expected input's size at dim={input.dim() - self.allowed[0]} to match num_features ({self.num_features}), but "
                f"got: {channels}."
            )
        single = input.dim() == self.allowed[0]
        x = input.unsqueeze(0) if single else input
        out = F.instance_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias,
            self.training or not self.track_running_stats, self.momentum if self.momentum is not None else 0.0, self.eps,
        )  # fmt: skip
        return out.squeeze(0) if single else out


class InstanceNorm1d(_InstanceNorm):
    """Each channel of each sample to mean 0 and variance 1: (C, L) or (N, C, L)."""

    allowed = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Each channel of each sample to mean 0 and variance 1: (C, H, W) or (N, C, H, W)."""

    allowed = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Each channel of each sample to mean 0 and variance 1: (C, D, H, W) or (N, C, D, H, W)."""

    allowed = (4, 5)


class LayerNorm(Module):
    """The last dimensions to mean 0 and variance 1, then scaled and shifted. Ba et al. 2016."""

    def __init__(
        self, normalized_shape: IntOrInts, eps: float = 1e-5, elementwise_affine: bool = True, bias: bool = True,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        options = factory_options(self, device, dtype)
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        _scale_and_shift(self, self.normalized_shape, elementwise_affine, elementwise_affine and bias, options)

    def forward(self, input: Any) -> Any:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """The last dimensions divided by their root mean square, then scaled. Zhang & Sennrich 2019."""

    def __init__(
        self, normalized_shape: IntOrInts, eps: float | None = None, elementwise_affine: bool = True, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        options = factory_options(self, device, dtype)
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        weight = Parameter(creation.ones(self.normalized_shape, **options)) if elementwise_affine else None
        self.register_parameter("weight", weight)

    def forward(self, x: Any) -> Any:
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """Groups of channels of each sample to mean 0 and variance 1, then scaled and shifted. Wu & He 2018."""

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, device: Any = None,
        dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        options = factory_options(self, device, dtype)
        if num_groups == 0:
            raise ZeroDivisionError("GroupNorm: num_groups must be at least 1, got 0")
        if num_channels % num_groups:
            raise ValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        _scale_and_shift(self, num_channels, affine, affine and bias, options)

    def forward(self, input: Any) -> Any:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, bias={self.bias is not None}"


class LocalResponseNorm(Module):
    """Each channel divided by the size of its neighbours. Krizhevsky et al. 2012."""

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Any) -> Any:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
