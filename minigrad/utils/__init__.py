"""What stands beside the mathematics. PyTorch: torch.utils."""

from . import data

__all__ = ["data"]


def __getattr__(name: str) -> object:
    from ..missing import error

    raise error(__name__, name, globals())
