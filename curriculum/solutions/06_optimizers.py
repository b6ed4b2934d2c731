"""Solution of exercise 6."""

import math


def adam_step(w, g, m, s, t, lr=0.1):
    m = 0.9 * m + 0.1 * g
    s = 0.999 * s + 0.001 * g**2
    w = w - lr * (m / (1 - 0.9**t)) / ((s / (1 - 0.999**t)).sqrt() + 1e-8)
    return w, m, s


def first_steps(slope, lr):
    plain = lr * abs(slope)  # a velocity that starts at 0 holds one slope
    root = math.sqrt(1 - 0.99)  # of RMSprop's mean, which starts at 0 and is not corrected
    return {"SGD": plain, "momentum": plain, "AdaGrad": lr, "RMSprop": lr / root, "Adam": lr}


class Momentum:
    def __init__(self, weights, lr, mu=0.9):
        self.weights, self.lr, self.mu = list(weights), lr, mu
        self.velocities = [0.0] * len(self.weights)  # one for each weight: they have shapes and slopes of their own

    def step(self, gradients):
        for i, (w, g) in enumerate(zip(self.weights, gradients, strict=True)):
            self.velocities[i] = self.mu * self.velocities[i] + g
            w -= self.lr * self.velocities[i]
