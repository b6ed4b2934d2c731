"""Typical mistakes in exercise 32: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("filled.mean(axis=0), filled.std(axis=0)", "np.nanmean(rows, axis=0), np.nanstd(rows, axis=0)"),
      ("np.where(np.isnan(rows), median, rows) - mean", "np.where(np.isnan(rows), np.nanmean(rows, axis=0), rows) - mean")],
     "by their own mean"),
    ([("np.nanmedian(training", "np.nanmean(training")], "not its mean"),
    ([("np.where(np.isnan(rows), median, rows)", "np.where(np.isnan(rows), 0, rows)")], "not 0"),
    ([("    deviation = np.where(deviation == 0, 1, deviation)\n", "")], "constant column"),
    ([("filled.std(axis=0)", "filled.std(axis=0, ddof=1)")], "divided by n"),
    ([("np.where(np.isnan(rows), median, rows) - mean", "rows - mean")], "a gap was not filled"),
    ([("    median =", "    training[np.isnan(training)] = 0\n    median =")], "fill the gaps of a copy"),
    ([("    return padded, mask", "    return padded, padded != 0")], "A zero in the data is a value"),
    ([("dtype=lists[0].dtype", "dtype=torch.get_default_dtype()")], "int64 here"),
    ([("max(len(values) for values in lists)", "max(1, *(len(values) for values in lists))")], "not (2, 1)"),
    ([("    return padded, mask", "    return padded")], "returns two tensors"),
    ([("dtype=torch.bool", "dtype=torch.int64")], "of dtype bool"),
    ([("2 * hits / there if there else 0.0", "2 * hits / there")], "neither there nor guessed"),
    ([("(truth == c).sum() + (guess == c).sum()", "2 * (guess == c).sum()")], "that is the precision"),
    ([("np.minimum((probability * bins).astype(int), bins - 1)", "(probability * bins).astype(int)")], "belongs to the last bin"),
    ([("inside.mean() * ", "")], "is"),
    ([("        if inside.any():\n            error +=", "        if True:\n            error +=")], "counts nothing"),
    ([("abs(probability[inside].mean() - truth[inside].mean())", "abs(probability[inside] - truth[inside]).mean()")],
     "Take the means of a bin first"),
]  # fmt: skip

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 36: arguments exchanged": "minimum(a, b)",
    "line 18: 0 became 1": "all lists have one dtype",
    "line 18: 0 became -1": "all lists have one dtype",
}
