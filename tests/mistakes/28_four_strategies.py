"""Typical mistakes in exercises 28: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([(" and own[name].shape == value.shape", "")], "another name or shape"),
    ([("own | fitting", "fitting | own")], "was not loaded"),
    ([("sorted(set(own) - set(fitting))", "sorted(fitting)")], "were not loaded are"),
    ([(" if len(values) >= least", "")], "one review only"),
    ([("sum(values) / len(values)", "sum(values)")], "not the largest sum"),
    ([(">= least", "> least")], "is wanted"),
    ([("own[name].shape == value.shape", "own[name].numel() == value.numel()")], "size mismatch"),
    ([("-means[film]", "means[film]")], "best mean comes first"),
    ([("return sorted(set(own) - set(fitting))", "return set(own) - set(fitting)")], "not a set"),
    ([("sum(values) / len(values)", "max(values)")], "best mean comes first"),
    # all but the chosen blocks
    ([('f"layers.{number}."', 'f"layers.{number}"')], "side by side"),
    ([('("last.", *chosen)', '("last", *chosen)')], "begins alike"),
    ([('("last.", *chosen)', "chosen")], "is frozen"),
    (
        [
            (
                "        parameter.requires_grad = name",
                "        parameter.requires_grad = parameter.requires_grad and name",
            )
        ],
        "learn again",
    ),
    (
        [
            (
                "return sorted(name for",
                "return list(reversed(sorted(n for n, _ in model.named_parameters()))) or sorted(name for",
            )
        ],
        "names that learn",
    ),
    # how sure a difference is
    ([("two - one for", "one - two for")], "b less a"),
    ([("(variance / n) ** 0.5", "variance ** 0.5")], "of a mean of n it is smaller"),
    ([("/ (n - 1)", "/ n")], "standard error is"),
    (
        [
            (
                "    return mean, (variance / n) ** 0.5",
                "    va, vb = (sum((x - sum(v) / n) ** 2 for x in v) / (n - 1) for v in (a, b))\n    return mean, ((va + vb) / n) ** 0.5",
            )
        ],
        "Take differences first",
    ),
]

# Answers spoiled as exercise_mutants.py does that are right all the same, and why.
SPOILED = {
    "returns what is of NumPy": "names of films are no tensors",
}

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 22: tuple exchanged": "any of the names may come first",
}
