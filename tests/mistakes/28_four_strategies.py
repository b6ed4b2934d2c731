"""Typical mistakes in exercise 28: what is changed in the solution, and what the hint must say."""

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
]

# Answers spoiled as exercise_mutants.py does that are right all the same, and why.
SPOILED = {
    "returns what is of NumPy": "names of films are no tensors",
}
