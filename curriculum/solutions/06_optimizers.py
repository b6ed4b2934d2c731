"""Solution of exercise 6."""


def adam_step(w, g, m, s, t, lr=0.1):
    m = 0.9 * m + 0.1 * g
    s = 0.999 * s + 0.001 * g**2
    w = w - lr * (m / (1 - 0.9**t)) / ((s / (1 - 0.999**t)).sqrt() + 1e-8)
    return w, m, s
