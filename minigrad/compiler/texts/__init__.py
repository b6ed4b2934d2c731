"""The texts of operations that programs call: NumPy for who reads a program. ../written.py explains them.

elements.py    element by element                  shapes.py    other shapes, parts, joined, by index
reductions.py  sums, norms, products, softmax      losses.py    losses
layers.py      normalization to recurrent layers
"""

from . import elements, layers, losses, reductions, shapes

__all__ = ["elements", "layers", "losses", "reductions", "shapes"]
