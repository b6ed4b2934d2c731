"""Typical mistakes in exercise 19: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("// stride + 1", "// stride")], "the first place counts"),
    ([("n + 2 * padding", "n + padding")], "at both ends"),
    ([(".T + bias", ".T")], "the bias is missing"),
    ([("top, left = i * stride, j * stride", "top, left = i, j")], "i * stride"),
    ([("weight.reshape(out, -1)", "weight.flip(2).flip(3).reshape(out, -1)")], "does not flip"),
    ([("padding : padding + height, padding : padding + width", ":height, :width")], "middle of the frame"),
]
