"""Exercise 16: say what a model is worth. Check it with `python -m curriculum check 16`.

1. precision_and_recall (write it)
2. bias_and_variance (write it)
3. best_decay (find the planted bug)
"""


def precision_and_recall(alarm, ill):
    """Return two floats for boolean tensors `alarm` (said by the model) and `ill` (true), of shape (n).

    Precision: the share of the alarms that is right. Recall: the share of the ill that is found. Where nothing can be
    counted (no alarm, nobody ill) the value is 0.
    """
    raise NotImplementedError("write the two shares here")


def bias_and_variance(answers, truth):
    """Return two floats for `answers` of shape (models, points) and `truth` of shape (points).

    Bias²: the squared distance of the models' mean answer from the truth, averaged over the points. Variance: the mean
    squared distance of the answers from the models' mean answer, averaged over models and points.
    """
    raise NotImplementedError("write the two parts here")


def best_decay(own, held_out):
    """Return the strength of L2 that should be used, one of those that were tried.

    `own` and `held_out` are dictionaries: each strength that was tried, and the losses of its runs, a list of floats; on the
    examples trained on, and on others. Some strengths were tried with more seeds than others. Of strengths that are equally
    good the smallest is returned; one with a loss of NaN, which is a run that failed, is never returned.
    """
    best, lowest = None, float("inf")
    for decay, losses in sorted(own.items()):
        total = sum(losses)
        if total < lowest:
            best, lowest = decay, total
    return best
