"""The pages' forms, in templates/ and static/; all that comes from data or users is escaped as it is set in."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import jinja2

HERE = Path(__file__).parent
STATIC = HERE / "static"  # what the pages load


@functools.cache
def _templates() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(HERE / "templates")
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)


def render(name: str, **given: Any) -> str:
    return _templates().get_template(name).render(**given)
