"""Exercise 6: Adam. Check it with `python -m curriculum check 06`."""


def adam_step(w, g, m, s, t, lr=0.1):
    """One step of Adam (beta 0.9 and 0.999, epsilon 1e-8), the t-th, t from 1 on.

    w, g, m, s: tensors of one shape: weight, its gradient, and the two running means. Returns the new (w, m, s).
    """
    raise NotImplementedError("write the step here")
