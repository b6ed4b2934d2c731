"""The layers by the paths that PyTorch gives them: `nn.modules.conv.Conv2d` is `nn.Conv2d`.

Nothing is defined here. Each room below (`nn.modules.conv`, ...) shows what stands in the files that the table names.
"""

from __future__ import annotations

import sys
import types
from typing import Any

from .. import (
    activation, adaptive, attention, channelshuffle, containers, conv, distance, dropout, embedding, flatten, fold, lazy,
    linear, loss, module, norm, padding, pixelshuffle, pooling, rnn, transformer, upsampling,
)  # fmt: skip
from . import utils

_FILES: dict[str, tuple[types.ModuleType, ...]] = {
    "activation": (activation, attention),
    "adaptive": (adaptive,),
    "batchnorm": (norm, lazy),
    "channelshuffle": (channelshuffle,),
    "container": (containers,),
    "conv": (conv, lazy),
    "distance": (distance,),
    "dropout": (dropout,),
    "flatten": (flatten,),
    "fold": (fold,),
    "instancenorm": (norm, lazy),
    "lazy": (lazy,),
    "linear": (linear, lazy),
    "loss": (loss,),
    "module": (module,),
    "normalization": (norm,),
    "padding": (padding,),
    "pixelshuffle": (pixelshuffle,),
    "pooling": (pooling,),
    "rnn": (rnn,),
    "sparse": (embedding,),
    "transformer": (transformer,),
    "upsampling": (upsampling,),
}


def _defined_in(file: types.ModuleType) -> dict[str, Any]:
    return {name: value for name, value in vars(file).items() if getattr(value, "__module__", None) == file.__name__}


def _room(path: str, files: tuple[types.ModuleType, ...]) -> types.ModuleType:
    """A module that shows what the files define."""
    room = types.ModuleType(path, f"What PyTorch has in {path.replace('minigrad', 'torch')}.")
    for file in files:
        vars(room).update(_defined_in(file))
    return room


for _name, _files in _FILES.items():
    _path = f"{__name__}.{_name}"
    sys.modules[_path] = globals()[_name] = _room(_path, _files)
    for _part, _value in vars(globals()[_name]).items():
        if not _part.startswith("_") and isinstance(_value, type):
            globals()[_part] = _value
