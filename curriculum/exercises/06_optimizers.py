"""Exercise 6, in three parts. Check them with `python -m curriculum check 06`.

1. adam_step: write it. 2. first_steps: predict, then measure. 3. Momentum: find the planted bug.
"""


def adam_step(w, g, m, s, t, lr=0.1):
    """One step of Adam (beta 0.9 and 0.999, epsilon 1e-8), the t-th, t from 1 on.

    w, g, m, s: tensors of one shape: weight, its gradient, and the two running means. Returns the new (w, m, s).
    """
    raise NotImplementedError("write the step here")


def first_steps(slope, lr):
    """How far one weight moves in the very first step, if its gradient is `slope` (positive or negative, not 0).

    Returns {"SGD": ..., "momentum": ..., "AdaGrad": ..., "RMSprop": ..., "Adam": ...}, positive numbers: the lengths.
    Momentum 0.9; RMSprop as torch.optim has it, with alpha 0.99. Leave epsilon out. Predict on paper; the check measures.
    """
    raise NotImplementedError("what does each rule hold after one slope?")


class Momentum:
    """SGD with momentum for a list of weights. With one weight it is right. With two it is wrong: mend it.

    (This part counts as open until the bug is found.)
    """

    def __init__(self, weights, lr, mu=0.9):
        self.weights, self.lr, self.mu = list(weights), lr, mu
        self.velocity = 0.0

    def step(self, gradients):
        """Change each weight in place; `gradients` has a tensor for each weight, in the same order."""
        for w, g in zip(self.weights, gradients, strict=True):
            self.velocity = self.mu * self.velocity + g
            w -= self.lr * self.velocity
