"""Exercise 16: say what a model is worth. Check it with `python -m curriculum check 16`."""


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
