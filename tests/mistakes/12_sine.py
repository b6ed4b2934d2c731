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
]

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 7: MatMult turned": "x has one column: the product is one of elements",
    "line 14: MatMult turned": "slope has one column: the product is one of elements",
}
