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
    ([("math.log(p)", "math.log2(p)")], "in bits"),
    ([("bce = -sum", "bce = sum")], "is negative"),
    ([(" if p > 0", "")], "logarithm of 0"),
    ([("share * (1 - share)", "math.sqrt(share * (1 - share))")], "without the root"),
    ([("return max(share, 1 - share),", "return share,")], "one of the two classes"),
    ([("enumerate(validation)", "enumerate(test)"), ("> validation[best]", "> test[best]")], "nothing left to test"),
    ([("return test[best]", "return validation[best]")], "are too good"),
    ([("accuracy > validation", "accuracy >= validation")], "the earliest is wanted"),
    ([("return test[best]", "return test[-1]")], "best validation accuracy"),
]

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 12: comparison turned": "an interval that ends at 0 exactly",
    "line 17: tuple exchanged": "the two terms of a sum",
    "line 18: arguments exchanged": "max(a, b)",
}
