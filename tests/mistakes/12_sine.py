"""Typical mistakes in exercise 12: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([(" * (1 - h**2)", "")], "multiplied by 1 - h²"),
    ([("slope.sum(dim=0)", "slope.mean(dim=0)")], "sum the slope over the rows"),
    ([("h = torch.tanh(x @ w1.T + b1)", "h = x @ w1.T + b1")], "h is not tanh"),
    ([("return z_grad.T @ x,", "return z_grad.sum(dim=0).unsqueeze(1),")], "transposed, times x"),
    ([("return h @ w2.T + b2, h", "return h, h @ w2.T + b2")], "h is not tanh"),
    ([("z_grad.sum(dim=0)", "z_grad.mean(dim=0)")], "sum over the rows"),
    ([("slope.T @ h", "slope.T @ (h * h)")], "slopeᵀ h"),
    ([("1 - h**2", "1 - torch.tanh(h) ** 2")], "1 - h²"),
    ([(", w2_grad, b2_grad", ", b2_grad, w2_grad")], "has the shape"),
    ([("h @ w2.T + b2, h", "h @ w2.T, h")], "The guess is not"),
    ([("-b / w for", "b / w for")], "signs are turned"),
    ([("-b / w for", "-w / b for")], ""),
    ([(" if w != 0 and out != 0", " if w != 0")], "not seen"),
    ([(" if w != 0 and out != 0", " if out != 0")], ""),
    (
        [
            (
                "return sorted(-b / w for w, b, out in units if w != 0 and out != 0)",
                "return [-b / w for w, b, out in units if w != 0 and out != 0]",
            )
        ],
        "sort them",
    ),
    (
        [
            (
                "return sorted(-b / w for w, b, out in units if w != 0 and out != 0)",
                "return torch.tensor([-b / w for w, b, out in units if w != 0])",
            )
        ],
        "a list of numbers",
    ),
    (
        [
            (
                "    for _ in range(epochs):\n",
                "    for _ in range(epochs):\n        optimizer = torch.optim.Adam(model.parameters(), lr=lr)\n",
            )
        ],
        "What does Adam remember",
    ),
    ([("        optimizer.zero_grad()\n", "")], "cleared gradients"),
    ([("optim.Adam(model.parameters(), lr=lr)", "optim.SGD(model.parameters(), lr=lr)")], "first step is wrong"),
    ([("optim.Adam(model.parameters(), lr=lr)", "optim.Adam(model.parameters(), lr=0.02)")], "first step is wrong"),
    ([(".mean()\n", ".sum()\n")], "mean squared error before"),
    ([("losses.append(loss.item())", "losses.append(loss)")], "wanted is a number"),
    ([("    return losses", "    return losses[-1]")], "a loss for each"),
]

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 19: 0 became -1": "w1 has one column and w2 one row",
    "line 7: MatMult turned": "x has one column: the product is one of elements",
    "line 14: MatMult turned": "slope has one column: the product is one of elements",
}
