"""Typical mistakes in exercise 5: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("column * (z @ w.T)", "(z @ w.T)")], "leaves grad out"),
    ([("(column * x).T @ z", "(column * x)[:, :, None] * z[:, None, :]")], "a table for each sample"),
    ([("(column * x).T @ z", "(column * x).T @ z / len(x)")], "a mean over the samples"),
    ([("z @ w.T", "-z @ w.T")], "wrong sign"),
    ([("(column * x).T @ z", "z.T @ (column * x)")], "that of what it belongs to"),
    (
        [("column * (z @ w.T), (column * x).T @ z", "(column * x).T @ z, column * (z @ w.T)")],
        "that of what it belongs to",
    ),
    (
        [("    column = grad[:, None]\n", "    grad *= 2\n    column = grad[:, None] / 2\n")],
        "changes what it was given",
    ),
    ([("    np.add.at(slope, rows, grad)\n", "    slope[rows] += grad\n")], "of its last pick alone"),
    (
        [("    return slope\n", "    return slope / np.maximum(np.bincount(rows, minlength=shape[0]), 1)[:, None]\n")],
        "mean of a row's picks",
    ),
    ([("np.zeros(shape)", "np.ones(shape)")], "never picked"),
    ([("np.zeros(shape)", "np.zeros((rows.max() + 1, shape[1]))")], "that of what it belongs to"),
    ([("    np.add.at(slope, rows, grad)\n", "    slope[: len(grad)] = grad\n")], "never picked"),
    ([("(slope, rows, grad)", "(slope, rows[::-1], grad)")], "was picked there"),
    (
        [
            ("return lambda grad: grad[first:last]", "return lambda grad: grad[end - len(part.value) : end]"),
        ],
        "the gradient of the last part",
    ),
    ([("end + len(part.value)", "end + len(parts[0].value)")], "not its own rows"),
    ([("(part, pull_of(start, end))", "(part, lambda grad: grad)")], "not its own rows"),
    ([("    return Array(value, tuple(parents))", "    return value")], "wanted is an Array"),
    ([("tuple(parents)", "tuple(parents[::-1])")], "the parents are not the parts"),
]

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 19: without dtype=": "the values are float64 already",
}
