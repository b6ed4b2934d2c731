"""A watched training as a picture and as a film, drawn by matplotlib."""

from __future__ import annotations
