"""Typical mistakes in exercise 14: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("np.array(a) - np.array(b)", "np.array(b) - np.array(a)")], "a - b"),
    ([("ddof=1", "ddof=0")], "divided by 9"),
    ([(" / np.sqrt(len(differences))", "")], "varies less"),
    ([("differences.std(ddof=1)", "np.sqrt(np.var(a, ddof=1) + np.var(b, ddof=1))")], "unpaired"),
    (
        [('"A" if mean - half > 0 else "B" if mean + half < 0 else "open"', '"A" if mean > 0 else "B"')],
        "so the verdict is 'open'",
    ),
    ([("2.262", "1.96")], "Half the interval's width"),
    ([("return mean, half, verdict", "return mean, verdict")], "must return 3 things"),
    ([("differences.mean()", "np.median(differences)")], "mean difference"),
    ([('else "open"', 'else "tie"')], "so the verdict is 'open'"),
    ([("return mean, half, verdict", "return [mean], half, verdict")], "wanted is a number"),
]

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 10: comparison turned": "an interval that ends at 0 exactly",
}
