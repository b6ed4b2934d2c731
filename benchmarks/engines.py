"""The engines that are compared, and how each is loaded in its own process."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .workloads import WORKLOADS

Make = Callable[[str], tuple[Callable[[], Any], Callable[[Any], float]]]  # workload -> step, and its result as a number


@dataclass(frozen=True)
class Engine:
    name: str
    package: str  # what must be installed
    what: str


ENGINES = {
    engine.name: engine
    for engine in (
        Engine("minigrad", "minigrad", "minigrad"),
        Engine("minigrad-plain", "minigrad", "minigrad without kernels (use_kernels(False))"),
        Engine("minigrad-compile", "minigrad", "minigrad.compile of the whole step, as it runs in the end"),
        Engine(
            "minigrad-compile-early", "minigrad", "minigrad.compile as it runs before its loop over rows takes over"
        ),
        Engine("minigrad-compile-max", "minigrad", 'minigrad.compile(mode="max-autotune")'),
        Engine("torch", "torch", "PyTorch eager"),
        Engine("torch-compile", "torch", "torch.compile"),
        Engine("jax", "jax", "JAX, compiled"),
        Engine("autograd", "autograd", "HIPS autograd"),
        Engine("tinygrad", "tinygrad", "tinygrad"),
    )
}


def installed(engine: str) -> bool:
    return importlib.util.find_spec(ENGINES[engine].package) is not None


def runs(engine: str, workload: str) -> bool:
    """Whether this engine has this workload."""
    if engine in ("minigrad", "minigrad-plain", "torch"):
        return True
    if engine.startswith("minigrad-compile"):
        return workload.count("/") != 2 and WORKLOADS[workload].kind in ("network", "overhead")
    if engine == "torch-compile":
        return WORKLOADS[workload].kind != "overhead" and workload != "adam"
    from . import others

    return workload in others.WORKLOADS[engine]


def load(engine: str, threads: int) -> Make:
    """Import the engine; what makes a workload's step, and reads a step's result."""
    if engine.startswith("minigrad"):
        import minigrad

        minigrad.set_num_threads(threads)
        if engine == "minigrad-plain":
            minigrad.use_kernels(False)
        if engine.startswith(
            "minigrad-compile"
        ):  # else the loop would take over at call 50,000, within a round or after all
            calls = sys.maxsize if engine.endswith("early") else 5_000
            vars(importlib.import_module("minigrad.compiler.part")).update(CALLS_BEFORE_LOOPS=calls)
        return _like_torch(engine, minigrad, lambda function: function)
    if engine in ("torch", "torch-compile"):
        import torch

        torch.set_num_threads(threads)
        return _like_torch(engine, torch, torch.compile if engine == "torch-compile" else lambda function: function)
    from . import others

    return others.load(engine)


def load_libraries(engine: str) -> None:
    """Load now what the engine loads at first use, before memory is measured: libraries are not what a workload costs.

    Importing PyTorch loads its kernels, and its first optimizer step more of it; minigrad imports Numba when a large array
    first asks for a kernel, and Numba loads half of itself at the first call. So both take a step of one weight here, and
    minigrad calls a kernel.
    """
    if not engine.startswith(("minigrad", "torch")):
        return
    torch = importlib.import_module(engine.partition("-")[0])
    weight = torch.ones(1, requires_grad=True)
    for optimizer in (torch.optim.Adam([weight]), torch.optim.SGD([weight])):
        weight.sum().backward()
        optimizer.step()
    if engine == "minigrad":
        torch.nn.functional.gelu(torch.zeros(1 << 15))
        kernels = importlib.import_module("minigrad.kernels")
        if "numba" in sys.modules:
            for module in pkgutil.iter_modules(kernels.__path__):
                if module.name != "__main__":
                    importlib.import_module(f"{kernels.__name__}.{module.name}")


def _like_torch(engine: str, torch: Any, prepare: Callable[[Any], Any]) -> Make:
    def make(workload: str) -> tuple[Callable[[], Any], Callable[[Any], float]]:
        from . import scaling

        if workload.count("/") != 2:
            step = WORKLOADS[workload].make(torch, prepare)
        else:
            step = scaling.make(workload, torch, prepare)
        if not callable(step):
            raise TypeError(f"it returned {_kind(step)} and not a step: a function without arguments")
        if engine.startswith("minigrad-compile"):
            step = torch.compile(step, mode="max-autotune" if engine.endswith("max") else None)

        def read(out: Any) -> float:
            if not isinstance(out, torch.Tensor):
                raise TypeError(
                    f"its step returned {_kind(out)} and not a tensor of {engine}: use the engine that the workload is "
                    "handed, and return a tensor on which the engines must agree"
                )
            return float(out.detach().reshape(-1)[0])

        return step, read

    return make


def _kind(value: Any) -> str:
    name = type(value).__qualname__
    return name if type(value).__module__ == "builtins" else f"{type(value).__module__}.{name}"
