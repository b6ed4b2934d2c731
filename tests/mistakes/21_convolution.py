"""Typical mistakes in exercise 21: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("outputs * rows * columns * inputs", "outputs * inputs")], "the number of weights"),
    ([("columns * inputs * kernel**2", "columns * kernel**2")], "for every input channel"),
    ([("outputs * rows * columns", "outputs * height * width")], "count the places"),
    ([("inputs * kernel**2", "inputs * kernel")], "what one window multiplies"),
    ([("// stride + 1", "// stride")], "the first place counts"),
    ([("n + 2 * padding", "n + padding")], "at both ends"),
    ([(".T + bias", ".T")], "the bias is missing"),
    ([("top, left = i * stride, j * stride", "top, left = i, j")], "i * stride"),
    ([("weight.reshape(out, -1)", "weight.flip(2).flip(3).reshape(out, -1)")], "does not flip"),
    ([("padding : padding + height, padding : padding + width", ":height, :width")], "middle of the frame"),
    (
        [
            (
                "    batch, channels",
                "    return torch.nn.functional.conv2d(x, weight, bias, stride, padding)\n    batch, channels",
            )
        ],
        "`conv2d` is not to be called",
    ),
    (
        [
            (
                "    batch, channels",
                "    layer = torch.nn.Conv2d(x.shape[1], len(weight), 3, stride, padding)\n    layer.weight.data, layer.bias.data = weight, bias\n    return layer(x)\n    batch, channels",
            )
        ],
        "`conv2d` is not to be called",
    ),
    ([("// stride + 1", "/ stride + 1")], "round down"),
    ([("patch @ weight.reshape(out, -1).T", "patch.abs() @ weight.reshape(out, -1).T")], "values are wrong"),
    ([("result = result + slope[i, j]", "result = slope[i, j]")], "only the last place counts"),
    ([("result = result + slope[i, j] * x", "result = result + slope[i, j] / slope.numel() * x")], "adds its slope"),
    ([("slope[i, j] * x[i : i + k, j : j + k]", "slope[i, j] * x[j : j + k, i : i + k]")], "(i, j)"),
    (
        [
            (
                "    rows, columns = slope.shape\n    result = torch.zeros(k, k, dtype=x.dtype)\n",
                "    rows, columns = slope.shape\n    return torch.nn.functional.conv2d(x[None, None], slope[None, None])[0, 0]\n    result = torch.zeros(k, k, dtype=x.dtype)\n",
            )
        ],
        "`conv2d` is not to be called",
    ),
]

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 35: tuple exchanged": "rows times columns",
    "line 27: without dtype=": "it is the default",
    "line 27: arguments exchanged": "zeros(k, k)",
    "line 13: only the left of Mult": "a frame that is too large is not visited",
    "line 13: 2 became 3": "a frame that is too large is not visited",
}
