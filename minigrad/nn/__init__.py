"""Layers, losses and what goes with them. PyTorch: torch.nn."""

from typing import Any

from . import functional, init, utils
from .activation import (
    CELU,
    ELU,
    GELU,
    GLU,
    SELU,
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    RReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softmax2d,
    Softmin,
    Softplus,
    Softshrink,
    Softsign,
    Tanh,
    Tanhshrink,
    Threshold,
)
from .containers import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from .conv import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from .dropout import AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, FeatureAlphaDropout
from .embedding import Embedding
from .linear import Bilinear, Identity, Linear
from .loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CosineEmbeddingLoss,
    CrossEntropyLoss,
    GaussianNLLLoss,
    HingeEmbeddingLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MarginRankingLoss,
    MSELoss,
    NLLLoss,
    PoissonNLLLoss,
    SmoothL1Loss,
    SoftMarginLoss,
    TripletMarginLoss,
)
from .module import Module
from .norm import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    GroupNorm,
    InstanceNorm1d,
    InstanceNorm2d,
    LayerNorm,
    LocalResponseNorm,
    RMSNorm,
)
from .parameter import Buffer, Parameter
from .pooling import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AvgPool1d,
    AvgPool2d,
    MaxPool1d,
    MaxPool2d,
)
from .shape import (
    ConstantPad1d,
    ConstantPad2d,
    CosineSimilarity,
    Flatten,
    Fold,
    PairwiseDistance,
    PixelShuffle,
    PixelUnshuffle,
    ReflectionPad1d,
    ReflectionPad2d,
    ReplicationPad1d,
    ReplicationPad2d,
    Unflatten,
    Unfold,
    Upsample,
    ZeroPad1d,
    ZeroPad2d,
)
from .transformer import MultiheadAttention, Transformer, TransformerEncoder, TransformerEncoderLayer

_NEAREST = {
    "RNN": "nn.TransformerEncoder, or a loop over nn.Linear",
    "LSTM": "nn.TransformerEncoder, or a loop over nn.Linear",
    "GRU": "nn.TransformerEncoder, or a loop over nn.Linear",
    "Conv3d": "nn.Conv2d",
    "MaxPool3d": "nn.MaxPool2d",
    "LazyLinear": "nn.Linear",
    "EmbeddingBag": "nn.Embedding followed by .mean(1)",
    "DataParallel": "the module itself: minigrad computes in one process",
    "TransformerDecoderLayer": "nn.TransformerEncoderLayer",
    "TransformerDecoder": "nn.TransformerEncoder",
    "SyncBatchNorm": "nn.BatchNorm2d",
}


def __getattr__(name: str) -> Any:
    if name in _NEAREST:

        def refuse(*args: Any, **kwargs: Any) -> Any:
            raise NotImplementedError(f"minigrad has no nn.{name}; the nearest is {_NEAREST[name]}")

        return refuse
    raise AttributeError(f"module 'minigrad.nn' has no attribute '{name}'")
