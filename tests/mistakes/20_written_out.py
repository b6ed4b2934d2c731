"""Typical mistakes in exercise 20: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("in reversed(lines)", "in lines")], "there is no d_"),
    ([('f"d_{x} = d_{x} + {term}" if x in reached else f"d_{x} = {term}"', 'f"d_{x} = {term}"')], "sum of two slopes"),
    ([('[f"{slope} * {b}", f"{slope} * {a}"]', '[f"{slope} * {a}", f"{slope} * {b}"]')], "d_a is"),
    ([("        if name not in reached:\n            continue\n", "")], "is not there yet"),
    ([('f"{slope} * (1 - {name} * {name})"', 'f"{slope} * (1 - np.tanh({inputs[0]}) ** 2)"')], "more than names"),
    ([('f"d_{result} = 1.0"', 'f"d_{result} == 1.0"')], "is no assignment"),
    ([("return back", 'return "\\n".join(back)')], "a list of lines"),
    ([("torch.exp(y) * slope.sum(dim=1, keepdim=True)", "y * slope.sum(dim=1, keepdim=True)")], "probabilities themselves"),
    ([("torch.exp(y) * slope.sum(dim=1, keepdim=True)", "torch.exp(y) * slope")], "meet there"),
    ([("torch.exp(y) * slope.sum(dim=1, keepdim=True)", "torch.exp(y)")], "is not 1"),
    ([("slope - torch.exp(y) * slope.sum(dim=1, keepdim=True)",
       "torch.exp(y) * (slope - (torch.exp(y) * slope).sum(dim=1, keepdim=True))")], "way back through softmax"),
    ([("slope.sum(dim=1", "slope.mean(dim=1")], "must add up to 0"),
    ([("name not in k[1] and v != name", "v != name")], "still true"),
    ([("name not in k[1] and v != name", "name not in k[1]")], "still true"),
    ([("held is None and name not in inputs", "held is None")], "still true"),
    ([("    return shorter", "    return lines")], "can be copies"),
    ([("name not in k[1] and v != name", "False")], "can be copies"),
]  # fmt: skip
