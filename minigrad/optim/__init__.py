"""Optimizers: what turns gradients into steps. The interface and the arithmetic are PyTorch's (torch.optim)."""

from typing import Any, NoReturn

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
        return _refusing(name)
    raise missing.error(__name__, name, __all__)


def _refusing(name: str) -> Any:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"minigrad has no optim.{name}; the nearest are optim.Adam and optim.SGD")

    return refuse
