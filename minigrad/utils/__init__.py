"""What stands beside the mathematics. PyTorch: torch.utils."""

from .. import missing
from . import checkpoint, data

__all__ = ["checkpoint", "data"]


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())
