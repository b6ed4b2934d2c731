"""What the nodes of a graph are called: by the modules that own their parameters, and by the variables of the program."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Mapping
from typing import Any

from ..autograd.variable import Variable
from ..nn.module import Module


class Names:
    """Names of leaves and of other tensors, and who owns which parameter.

    variables: `locals()` of the program, or any other dict from names to tensors and modules. Modules are looked for
    without being named too: those that are alive and own one of the leaves.
    """

    def __init__(self, leaves: Iterable[Variable], variables: Mapping[str, Any] | None = None) -> None:
        self.leaves: dict[int, str] = {}  # by id of the tensor
        self.owners: dict[int, tuple[str, Module]] = {}  # by id of the parameter: the path and the module that holds it
        self.tensors: dict[int, str] = {}  # by id of an array: the variable
        self.named: list[tuple[str, Variable]] = []  # the tensors among the variables
        self.roots: list[tuple[str, Module]] = []  # outermost modules with their names, "" where nobody named them
        self.parameters: list[tuple[str, Variable]] = []  # all parameters of these modules
        self._alive: list[Any] = []
        for name, value in (variables or {}).items():
            if not str(name).startswith("__") and name != "_":
                self._variable(str(name), value)
        self._modules({id(leaf) for leaf in leaves})

    def _variable(self, name: str, value: Any) -> None:
        if isinstance(value, Variable):
            self.named.append((name, value))
            self.tensors.setdefault(id(value.array), name)
            self.leaves.setdefault(id(value), name)
            self._alive.append(value)
        elif isinstance(value, Module):
            self.roots.append((name, value))
        elif isinstance(value, list | tuple) and len(value) <= 1000:
            for i, part in enumerate(value):
                if isinstance(part, Variable | Module):
                    self._variable(f"{name}[{i}]", part)
        elif isinstance(value, dict) and len(value) <= 1000:
            for key, part in value.items():
                if isinstance(part, Variable | Module):
                    self._variable(f"{name}[{key!r}]", part)

    def _modules(self, wanted: set[int]) -> None:
        """Add the modules that nobody named, and name the parameters of all."""
        inside = {id(part) for _, root in self.roots for part in root.modules()}
        found = [
            m
            for m in (_alive_modules() if wanted else [])
            if id(m) not in inside and any(id(p) in wanted for p in m.parameters())
        ]
        below = {
            id(child) for _, m in [*self.roots, *(("", m) for m in found)] for child in m.modules() if child is not m
        }
        self.roots = [
            (name, m) for name, m in self.roots if "[" not in name or id(m) not in below
        ]  # a list's are named by their owner
        self.roots += [("", m) for m in found if id(m) not in below]
        for name, root in self.roots:
            for path, module in root.named_modules():
                for own, parameter in module.named_parameters(recurse=False):
                    full = ".".join(part for part in (path, own) if part)
                    full = f"{name}.{full}" if name and len(self.roots) > 1 else full
                    if id(parameter) not in self.owners:
                        self.owners[id(parameter)] = (path, module)
                        self.leaves[id(parameter)] = full
                        self.parameters.append((full, parameter))

    def of_leaf(self, leaf: Variable) -> str:
        return self.leaves.get(id(leaf), "")


def _alive_modules() -> list[Module]:
    """Every module of the program that is alive and was made ready."""
    # By type(x), not x.__class__, which is code of the object's own.
    return [x for x in gc.get_objects() if issubclass(type(x), Module) and "_parameters" in x.__dict__]
