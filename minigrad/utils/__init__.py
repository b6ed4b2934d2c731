"""What stands beside the mathematics. PyTorch: torch.utils."""

from . import data

__all__ = ["data"]
