"""Optimizers: what turns gradients into steps. The interface and the arithmetic are PyTorch's (torch.optim)."""

from typing import Any

from .. import missing
from . import lr_scheduler
from .adam import Adam, Adamax, AdamW, NAdam, RAdam
from .adaptive import ASGD, Adadelta, Adagrad, RMSprop, Rprop
from .optimizer import Optimizer
from .sgd import SGD

__all__ = [
    "ASGD", "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "Optimizer", "RAdam", "RMSprop", "Rprop",
    "lr_scheduler",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in ("LBFGS", "SparseAdam", "Adafactor", "Muon"):
        return missing.refusing(f"optim.{name}", "are optim.Adam and optim.SGD")
    raise missing.error(__name__, name, __all__)
