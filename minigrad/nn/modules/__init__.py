"""The layers by the paths that PyTorch gives them: `nn.modules.conv.Conv2d` is `nn.Conv2d`.

Nothing is defined here. Each room (`nn.modules.conv`, ...) shows what `nn` shows of the files that the table names.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping
from typing import Any

from . import utils as utils

_FILES = {
    "activation": "activation attention", "adaptive": "adaptive", "batchnorm": "norm lazy", "channelshuffle": "channelshuffle",
    "container": "containers", "conv": "conv lazy", "distance": "distance", "dropout": "dropout", "flatten": "flatten",
    "fold": "fold", "instancenorm": "norm lazy", "lazy": "lazy", "linear": "linear lazy", "loss": "loss", "module": "module",
    "normalization": "norm", "padding": "padding", "pixelshuffle": "pixelshuffle", "pooling": "pooling", "rnn": "rnn",
    "sparse": "embedding", "transformer": "transformer", "upsampling": "upsampling",
}  # fmt: skip


def _show(nn: Mapping[str, Any]) -> None:
    """Open the rooms: what `nn` shows, and the classes with an underscore from which it is derived (`conv._ConvNd`)."""
    for name, files in _FILES.items():
        path = f"{__name__}.{name}"
        room = sys.modules[path] = globals()[name] = types.ModuleType(path, f"torch.nn.modules.{name}: see nn.{name}.")
        for file in files.split():
            home = nn[file]
            for key, value in vars(home).items():
                ours = isinstance(value, type) and value.__module__ == home.__name__
                if ours and (key.startswith("_") or nn.get(key) is value or key in getattr(home, "__all__", ())):
                    setattr(room, key, value)
    everywhere = nn["everywhere"]
    vars(sys.modules[f"{__name__}.module"]).update({key: vars(everywhere)[key] for key in everywhere.__all__})
    globals().update({key: value for key, value in nn.items() if isinstance(value, type) and not key.startswith("_")})
