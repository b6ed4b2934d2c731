"""What programs read of a build. PyTorch: torch.version."""

from . import missing

__version__ = "0.1.0"
cuda = hip = xpu = rocm = None  # built for none of these
debug = False
git_version = "unknown"


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())
