"""A compiled module: the module, whose calls run as programs where they can."""

from __future__ import annotations

from typing import Any

from ..nn.module import Module
from .run import Compiled


class CompiledModule(Module):
    """Around a module, which it shares: parameters, buffers, mode. PyTorch: torch._dynamo.eval_frame.OptimizedModule."""

    def __init__(self, module: Module, fullgraph: bool = False) -> None:
        super().__init__()
        self._orig_mod = module
        self.__dict__["_compiled"] = Compiled(module, fullgraph)
        self.__dict__["training"] = module.training

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._compiled(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name in ("_orig_mod", "_compiled"):
            return super().__getattr__(name)
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self._orig_mod, name)

    def source(self, form: str = "definition") -> str:
        """The program. See `Compiled.source`."""
        return self._compiled.source(form)

    def explain(self) -> str:
        """See `Compiled.explain`."""
        return self._compiled.explain()
