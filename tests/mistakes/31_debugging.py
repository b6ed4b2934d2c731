"""Typical mistakes in exercise 31: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("math.log(1 + (classes - 1) / math.e)", "math.log(classes)")], "what guessing costs"),
    ([("math.log(1 + (classes - 1) / math.e)", "0.0")], "can never be sure"),
    ([("math.log(1 + (classes - 1) / math.e)", "math.log(1 + 9 / math.e)")], "0 for the other 1"),
    ([("    optimizer.zero_grad()\n    loss", "    loss")], "clear it first"),
    ([("w.detach().clone() for name", "w.detach() for name")], "keep a clone"),
    ([("    optimizer.step()\n", "")], "did not move"),
    ([("before[name].norm().item()", "w.detach().norm().item()")], "taken by the old one"),
    ([("moved / length if length else (math.inf if moved else 0.0)", "moved / max(length, 1e-12)")], "wanted is inf"),
    ([("x = x.detach().clone().requires_grad_()", "x = x.requires_grad_()")], "work on a clone"),
    ([("    for row in range(len(x)):\n", "    for row in (0,):\n")], "look at every row"),
    ([("            return True\n", "            return 1\n")], "True or False"),
    ([("        (gradient,) = torch.autograd.grad(answers[row].sum(), x, retain_graph=True)",
       "        answers[row].sum().backward(retain_graph=True)\n        gradient = x.grad.clone()\n        x.grad = None")],
     "left gradients in the model's weights"),
    ([('found["update"] < 1e-5', 'found["update"] < 1e-9')], "You say TwoSoftmaxes, and it is TooSlow"),
    ([('found["known"] > 0', 'found["others"] > 0.99')], "and it is Leak"),
    ([('found["first"] > 10', 'found["first"] > 1000')], "and it is Unscaled"),
    ([('return "Training"', 'return "healthy"')], "returns one of"),
]  # fmt: skip

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 40: comparison turned": "a measurement that is the threshold exactly",
    "line 42: comparison turned": "a measurement that is the threshold exactly",
    "line 44: comparison turned": "a measurement that is the threshold exactly",
    "line 50: comparison turned": "a measurement that is the threshold exactly",
    "line 52: comparison turned": "a measurement that is the threshold exactly",
    "line 54: comparison turned": "a measurement that is the threshold exactly",
    "line 56: comparison turned": "a measurement that is the threshold exactly",
    "line 58: comparison turned": "a measurement that is the threshold exactly",
    "line 60: comparison turned": "a measurement that is the threshold exactly",
    "line 40: 10 became 11": "a threshold between 1 and 300",
    "line 28: .sum became .mean": "a gradient that is 0 stays 0",
}
