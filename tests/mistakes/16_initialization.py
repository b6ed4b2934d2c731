"""Typical mistakes in exercise 16: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("(2 * torch.rand(outputs, inputs) - 1)", "torch.rand(outputs, inputs)")], "both sides"),
    ([("math.sqrt(2 / inputs)", "(2 / inputs)")], "its root"),
    ([("math.sqrt(2 / inputs)", "math.sqrt(2 / outputs)")], "swapped"),
    ([("math.sqrt(2 / inputs)", "math.sqrt(1 / inputs)")], "half through"),
    ([("torch.randn(outputs, inputs)", "torch.randn(inputs, outputs)")], "(outputs, inputs)"),
]
