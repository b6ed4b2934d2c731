"""Typical mistakes in exercise 7: what is changed in the solution, and what the hint must say."""

PARAMETER = "nn.Parameter(torch.full((outputs,), 0.25))"
MISTAKES = [
    ([("n * (m + 1)", "n * m")], "a bias too"),
    ([("n * (m + 1)", "m * (n + 1)")], "n (m + 1)"),
    ([("n * (m + 1)", "n * m + 1")], "n (m + 1)"),
    ([("return sum(", "return str(sum("), ("pairwise(sizes))", "pairwise(sizes)))")], "wanted is a number"),
    ([("            bias = layer.weight @ bias\n", "            bias = bias[: layer.out_features]\n")], ""),
    ([("        merged.weight.copy_(weight)\n", "")], "the weight is wrong"),
    ([("weight = layer.weight @ weight", "weight = (layer.weight @ weight).T")], ""),
    ([("        merged.bias.copy_(bias)\n", "")], "the bias is not"),
    ([("return merged", "return nn.Sequential(*layers)")], "wanted is one nn.Linear"),
    ([("    return merged", "    return layers[0] if len(layers) == 1 else merged")], "handed back"),
    ([("merged.bias.copy_(bias)", "merged.bias = bias")], ""),
    ([("    with torch.no_grad():\n        weight", "    if True:\n        weight")], "in-place"),
    (
        [
            ("                bias = bias + layer.bias\n", "                bias += layer.bias\n"),
            ("bias = layer.weight @ bias", "bias = bias"),
        ],
        "",
    ),
    ([("[1.0, -2.0, 1.0]", "[1.0, -2.0, 0.0]")], "what do they add up to"),
    ([("[0.0, -1.0, -2.0]", "[0.0, -1.0, -1.0]")], "what do they add up to"),
    ([("        model[2].bias.zero_()\n", "")], "what do they add up to"),
    ([("[1.0, -2.0, 1.0]", "[1.0, -1.0, -1.0]")], "The sum s of the inputs is 2"),
    ([("nn.ReLU()", "nn.Tanh()")], "Linear, ReLU and Linear"),
    ([(PARAMETER, "torch.full((outputs,), 0.25)")], "named_parameters() finds"),
    ([(PARAMETER, "0.25")], "named_parameters() finds"),
    ([(PARAMETER, "nn.Parameter(torch.tensor(0.25))")], "named_parameters() finds"),
    ([(PARAMETER, "nn.Parameter(torch.zeros(outputs))")], "answers have changed"),
    ([("self.slope * z)", "self.slope.detach() * z)")], "does not move the slopes"),
    ([("self.slope * z)", "0.25 * z)")], ""),
]

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 32: arguments exchanged": "nn.Linear(3, 3)",
    "line 49: comparison turned": "at z = 0 both are 0",
}
