"""A picture in words, for who does not see it: what lies along its axes, and what its lines are."""

from typing import Any


def words(fig: Any, name: str) -> str:
    """An alternative text for a matplotlib figure: its title and, for each of its panels, title, axes and legend."""
    panels = [text for ax in fig.axes if (text := _panel(ax))]
    shown = panels if len(panels) <= 6 else [*panels[:5], f"and {len(panels) - 5} more panels"]
    title = " ".join(fig.get_suptitle().split())
    return ". ".join([title or name.lstrip("0123456789").replace("_", " ").strip() or name, *shown])


def _panel(ax: Any) -> str:
    title, x, y = (" ".join(text.split()) for text in (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()))
    axes = f"{y} over {x}" if x and y else y or x
    legend = ax.get_legend()
    lines = [text.get_text() for text in legend.get_texts()] if legend else []
    parts = [part for part in (title, axes, ", ".join(lines)) if part]
    return ": ".join(parts)
