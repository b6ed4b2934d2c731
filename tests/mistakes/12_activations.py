"""Typical mistakes in exercise 12: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("return s * (1 - s)", "return s")], "s (1 - s)"),
    ([("return (z > 0).to(z.dtype)", "return (z >= 0).to(z.dtype)")], "at z = 0 too"),
    ([("return (z > 0).to(z.dtype)", "return z > 0")], "a tensor like z"),
    ([("torch.full_like(z, negative_slope)", "torch.zeros_like(z)")], "negative_slope elsewhere"),
]
