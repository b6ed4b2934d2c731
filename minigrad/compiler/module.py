"""A compiled module: the module, whose calls run as programs where they can."""

from __future__ import annotations

from typing import Any

from ..nn.module import Module
from .run import Compiled

_OWN = frozenset(("_orig_mod", "_compiled", "_hooks", "_parameters", "_buffers", "_modules", "_non_persistent"))


class CompiledModule(Module):
    """Around a module, which it shares: parameters, buffers, mode. PyTorch: torch._dynamo.eval_frame.OptimizedModule."""

    def __init__(self, module: Module, fullgraph: bool = False, at_once: bool = False) -> None:
        super().__init__()
        self._modules["_orig_mod"] = module
        self.__dict__["_compiled"] = Compiled(module, fullgraph, at_once)
        del self.__dict__["training"]  # (it is the module's)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._compiled(*args, **kwargs) if self._hooks is None else self._call_with_hooks(args, kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self._compiled(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name in _OWN:
            return super().__getattr__(name)
        return getattr(self._orig_mod, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _OWN:
            super().__setattr__(name, value)
        else:
            setattr(self._orig_mod, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._orig_mod, name)

    def source(self, form: str = "definition") -> str:
        """The program. See `Compiled.source`."""
        return self._compiled.source(form)

    def explain(self) -> str:
        """See `Compiled.explain`."""
        return self._compiled.explain()
