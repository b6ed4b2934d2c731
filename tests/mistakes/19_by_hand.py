"""Typical mistakes in exercise 19: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([(" / len(t)", "")], "each has 1/n of it"),
    ([("torch.softmax(logits, dim=1)", "torch.softmax(logits, dim=0)")], "over dim 1"),
    ([(" - normal * (g * normal).mean(dim=0)", "")], "the mean of g x̂"),
    ([("(slope * normal).sum(dim=0)", "(g * normal).sum(dim=0)")], "sum slope x̂ over the rows"),
    ([(", slope.sum(dim=0)", ", slope.mean(dim=0)")], "sum the slope over the rows"),
    ([("torch.softmax(logits, dim=1)", "logits.exp() / logits.exp().sum(dim=1, keepdim=True)")], "large logits"),
    ([("(torch.softmax(logits, dim=1) - wanted)", "(wanted - torch.softmax(logits, dim=1))")], "sign is turned"),
    ([("unbiased=False", "unbiased=True")], "the slope at z"),
    ([("z_slope, (slope", "(slope"), ("slope.sum(dim=0)", "slope.sum(dim=0), z_slope")], "has the shape"),
    ([(" + eps)", " + 1e-5)")], "With eps = 0.1"),
    ([(", slope.sum(dim=0)", "")], "must return 3 things"),
    ([("x.T @ d_z + d_y.T @ h", "x.T @ d_z")], "one of its uses"),
    ([("x.T @ d_z + d_y.T @ h", "d_y.T @ h")], "one of its uses"),
    ([("x.T @ d_z + d_y.T @ h", "x.T @ d_z - d_y.T @ h")], "are added"),
    ([("x.T @ d_z + d_y.T @ h", "2 * x.T @ d_z")], "each send one"),
    ([("d_h * (1 - h**2)", "d_h")], "each send one"),
    ([("d_z.sum(dim=0)", "d_h.sum(dim=0)")], "it was read once"),
    ([("x.T @ d_z + d_y.T @ h, d_z.sum(dim=0)", "x.T @ d_z + d_y.T @ h")], "must return 2 things"),
]
