"""The operations, one family a file: forward and backward side by side, on plain arrays.

An operation is a class with its formulas in the docstring and a public function that checks its input, settles types
and calls `apply`. The functions take tensors; given arrays (as the formulas of other operations do), they return
arrays and leave no trace in the graph.
"""
