"""The one import that picks the engine. Lessons say `from curriculum.engine import seed, torch`.

MINIGRAD_ENGINE  minigrad (default) or torch
MINIGRAD_DTYPE   float32 (default) or float64: the default dtype of the engine
MINIGRAD_SEED    the seed of the random stream, 0 unless told
"""

import importlib
import os
from typing import Any

ENGINES = ("minigrad", "torch")
DTYPES = ("float32", "float64")


def _choice(variable: str, choices: tuple[str, ...]) -> str:
    value = os.environ.get(variable) or choices[0]
    if value not in choices:
        raise SystemExit(f"{variable}={value!r}: choose one of {', '.join(choices)}.")
    return value


def _seed() -> int:
    value = os.environ.get("MINIGRAD_SEED") or "0"
    if not value.isdecimal():
        raise SystemExit(f"MINIGRAD_SEED={value!r}: give a whole number from 0 on.")
    return int(value)


def _load(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise SystemExit(f"The engine {name} is not installed: pip install {name}.") from None


engine = _choice("MINIGRAD_ENGINE", ENGINES)
dtype = _choice("MINIGRAD_DTYPE", DTYPES)
seed = _seed()
torch: Any = _load(engine)
torch.set_default_dtype(getattr(torch, dtype))
torch.manual_seed(seed)


def __getattr__(name: str) -> Any:
    """`minigrad`, whichever engine runs: for what PyTorch has no counterpart of, such as a compiled step that can be printed."""
    if name != "minigrad":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = _load(name)
    if found is not torch:
        found.set_default_dtype(getattr(found, dtype))
        found.manual_seed(seed)
    return found
