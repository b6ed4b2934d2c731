"""Typical mistakes in exercise 23: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("math.comb(blocks, through)", "2**blocks")], "all ways"),
    ([("math.comb(blocks, through)", "math.perm(blocks, through)")], "one order only"),
    ([("math.comb(blocks, through)", "blocks * through")], "one way around both"),
    ([("math.comb(blocks, through)", "math.comb(blocks, through + 1)")], "one way around both"),
    ([("torch.relu(skip + change)", "torch.relu(change)")], "the skip is missing"),
    ([("torch.relu(skip + change)", "skip + torch.relu(change)")], "after the sum"),
    ([("torch.relu(skip + change)", "skip + change")], "last ReLU is missing"),
    ([(" + 4 * outputs", "")], "a scale and a shift"),
    ([("        count += inputs * outputs + 2 * outputs", "        pass")], "the skip where it has weights"),
    ([("3, padding=1, bias=False", "3, padding=1")], "need no bias"),
    ([("outputs, outputs, 3, padding=1", "outputs, outputs, 5, padding=2")], "3 × 3"),
    ([("        self.bn2 = nn.BatchNorm2d(outputs)\n", "        self.bn2 = self.bn1\n")], "one and the same"),
    ([("if stride != 1 or inputs != outputs:\n            self", "if True:\n            self")], "x itself is added"),
    ([("9 * inputs * outputs + 9 * outputs * outputs", "18 * outputs * outputs")], "block_parameters says"),
    ([("        block.bn2.weight.zero_()", "        block.bn1.weight.zero_()")], "also after the first step"),
    ([("        block.bn2.weight.zero_()", "        block.bn2.bias.fill_(1)")], "does not answer relu(x)"),
    (
        [("        block.bn2.weight.zero_()", "        block.bn2.weight.zero_()\n        block.bn1.weight.zero_()")],
        "One tensor is enough",
    ),
    (
        [
            (
                "        block.bn2.weight.zero_()",
                "        block.bn2.weight = nn.Parameter(torch.zeros(4), requires_grad=False)",
            )
        ],
        "can no longer be trained",
    ),
    ([("        block.bn2.weight.zero_()", "        block.bn2.weight * 0")], "Nothing was changed"),
]
