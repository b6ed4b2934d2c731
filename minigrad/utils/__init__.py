"""What stands beside the mathematics. PyTorch: torch.utils."""

from .. import missing
from . import data

__all__ = ["data"]


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())
