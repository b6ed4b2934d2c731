"""Typical mistakes in exercise 18: what is changed in the solution, and what the hint must say."""

LAST = "    return (x - mean.reshape"
BORROWED = """    return torch.nn.functional.batch_norm(x, running_mean, running_var, gamma, beta, training, momentum, eps)
    return (x - mean.reshape"""

MISTAKES = [
    ([("gamma / torch.sqrt(var + eps)", "gamma / torch.sqrt(var)")], "eps is missing"),
    ([("gamma / torch.sqrt(var + eps)", "gamma / (torch.sqrt(var) + eps)")], "not to the root"),
    ([("((x - mean.reshape(-1, 1, 1)) ** 2).mean(dim=(0, 2, 3))", "x.var(dim=(0, 2, 3))")], "not by one less"),
    ([("running_mean += momentum", "running_mean = running_mean + momentum")], "in place"),
    ([("var * count / (count - 1)", "var")], "one less than the count"),
    ([("momentum * (mean", "0.1 * (mean"), ("momentum * (var", "0.1 * (var")], "follow momentum"),
    ([("mean, var = running_mean, running_var", "mean, var = x.mean(dim=(0, 2, 3)), x.var(dim=(0, 2, 3))")], "by the running mean"),
    ([("    if training:\n", "    if True:\n")], "In evaluation the running"),
    ([(LAST, BORROWED)], "`batch_norm` is not to be called"),
    ([("(bias - running_mean) * scale + beta", "bias * scale + beta")], "running mean is missing"),
    ([("(bias - running_mean) * scale + beta", "bias + beta")], "normalized like everything"),
    ([("weight * scale.unsqueeze(1)", "weight * scale[0]")], "Each output"),
    ([("torch.sqrt(running_var + eps)", "torch.sqrt(running_var)")], "fold: eps is missing"),
    ([("    model.eval()\n", "")], "When must eval() be called?"),
    ([("    for part, training in modes:\n        part.training = training\n", "")], "in another mode than before"),
    ([("    for part, training in modes:\n        part.training = training\n", "    model.train(modes[0][1])\n")], "sets all parts alike"),
    ([("    for part, training in modes:\n        part.training = training\n", "    model.train()\n")], "A model in evaluation"),
    ([("        found = model(x)", "        found = model(x).numpy()")], "of NumPy"),
    ([("    with torch.no_grad():\n        found = model(x)", "    found = model(x)")], "hangs on a graph"),
]  # fmt: skip
