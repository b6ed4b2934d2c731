"""Typical mistakes in exercise 17: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("(2 * torch.rand(outputs, inputs) - 1)", "torch.rand(outputs, inputs)")], "both sides"),
    ([("math.sqrt(2 / inputs)", "(2 / inputs)")], "its root"),
    ([("math.sqrt(2 / inputs)", "math.sqrt(2 / outputs)")], "swapped"),
    ([("math.sqrt(2 / inputs)", "math.sqrt(1 / inputs)")], "half through"),
    ([("torch.randn(outputs, inputs)", "torch.randn(inputs, outputs)")], "(outputs, inputs)"),
    (
        [("    a = math", "    return torch.nn.init.xavier_uniform_(torch.empty(outputs, inputs))\n    a = math")],
        "is not to be called",
    ),
    ([("6 / (inputs + outputs)", "3 / (inputs + outputs)")], "6, not 3"),
    ([("(2 * torch.rand(outputs, inputs) - 1) * a", "torch.randn(outputs, inputs) * a / 3**0.5")], "draw uniformly"),
    ([("torch.randn(outputs, inputs)", "torch.randn(outputs, 1).expand(outputs, inputs)")], "go together"),
    ([("    return torch.randn", "    torch.manual_seed(0)\n    return torch.randn")], "do not fix a seed"),
    ([("math.sqrt(6 / (inputs + outputs))", "math.sqrt(6 / 400)")], "(8, 50)"),
    ([("math.sqrt(2 / ((1 + slope**2) * inputs))", "2 / ((1 + slope**2) * inputs)")], "its root"),
    ([("(1 + slope**2) * inputs", "inputs")], "is not lost"),
    ([("(1 + slope**2)", "(1 + slope)")], "slope twice"),
    ([("math.sqrt(2 / ((1", "math.sqrt(1 / ((1")], "of both halves"),
    ([("(1 + slope**2)", "(1 - slope**2)")], "ZeroDivisionError"),
    (
        [("math.sqrt(factor**layers * between ** (layers - 1))", "factor**layers * between ** (layers - 1)")],
        "its root is wanted",
    ),
    ([("0.5 if activation", "1.0 if activation")], "wherever it stands"),
    ([("between ** (layers - 1)", "between**layers")], "no activation"),
    ([("0.5 if activation", "0.25 if activation")], "not its root"),
    ([("factor**layers", "factor")], "each layer multiplies anew"),
    ([("factor = inputs * deviation**2", "factor = inputs * deviation")], "the weights' variance"),
]

# Answers spoiled as exercise_mutants.py does that are right all the same, and why.
SPOILED = {
    "a little off": "what is drawn is known up to chance only",
}
