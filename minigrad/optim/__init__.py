"""Optimizers: what turns gradients into steps. The interface and the arithmetic are PyTorch's (torch.optim).

A file for each optimizer; `optimizer.py` holds what they share, `lr_scheduler.py` the learning rates that change.
"""

from typing import Any

from .. import missing
from ..signature import publish_constructor as _publish_constructor
from ..signature import publish_members as _publish_members
from . import lr_scheduler, swa_utils
from .adadelta import Adadelta
from .adafactor import Adafactor
from .adagrad import Adagrad
from .adam import Adam
from .adamax import Adamax
from .adamw import AdamW
from .asgd import ASGD
from .lbfgs import LBFGS
from .nadam import NAdam
from .optimizer import Optimizer
from .radam import RAdam
from .rmsprop import RMSprop
from .rprop import Rprop
from .sgd import SGD

_class: type
for _class in (
    ASGD, LBFGS, SGD, Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, NAdam, RAdam, RMSprop, Rprop,
    swa_utils.SWALR,
):  # fmt: skip
    _publish_constructor(_class)
for _class in [value for value in vars(lr_scheduler).values() if isinstance(value, type)]:
    _publish_constructor(_class)
    _publish_members(_class, but=("prepare", "update", "update_all"))  # what optimizers ask themselves at each step

__all__ = [
    "ASGD", "LBFGS", "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "Optimizer", "RAdam",
    "RMSprop", "Rprop", "lr_scheduler", "swa_utils",
]  # fmt: skip

_NEAREST = {
    "SparseAdam": "is optim.Adam: gradients are dense here, those of embeddings too",
    "Muon": "are optim.AdamW and optim.SGD: Muon computes in bfloat16, which NumPy has not",
    "swap_in_optimizer_params_and_state": "is Optimizer.load_state_dict",
}


def __getattr__(name: str) -> Any:
    if name in _NEAREST:
        return missing.refusing(f"optim.{name}", _NEAREST[name])
    raise missing.error(__name__, name, globals())
