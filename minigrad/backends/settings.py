"""A module whose switches are checked when they are set."""

from __future__ import annotations

import types
from typing import Any

from .. import missing


class Switches(types.ModuleType):
    """A module of switches: True or False stays one of the two. Anything else in it can be set as in any module.

    Errors: RuntimeError for a switch that is set to something else; AttributeError for a name that is not there.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(self.__dict__.get(name), bool) and not isinstance(value, bool):
            raise RuntimeError(f"{self.__name__}.{name} expects a bool, but got {type(value).__name__}")
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        raise missing.error(self.__name__, name, self.__dict__)
