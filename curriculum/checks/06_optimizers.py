"""Checks exercise 6."""

from typing import Any

from curriculum.check import Wrong, ask, near, parts, tensor
from curriculum.engine import torch

BY_HAND = ("Adam", "AdamW", "NAdam", "RAdam", "Adamax", "RMSprop", "addcdiv_", "lerp_")


def check(solution: dict[str, Any]) -> None:
    def walk(
        steps: int, sign: float = -1.0, correct: bool = True, square: bool = True, root: bool = True, late: bool = False
    ) -> Any:
        w, m, s = 1.0, 0.0, 0.0
        for t in range(1, steps + 1):
            g = 2.0 * t
            m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * (g * g if square else g)
            a, b = (1 - 0.9 ** (t + late), 1 - 0.999 ** (t + late)) if correct else (1.0, 1.0)
            w += sign * 0.1 * (m / a) / ((s / b) ** (0.5 if root else 1.0) + 1e-8)
        return w, m, s

    def learner(steps: int, scale: float = 1.0, **options: Any) -> Any:
        state = torch.tensor([1.0, -3.0]), torch.zeros(2), torch.zeros(2)
        for t in range(1, steps + 1):
            g = scale * torch.tensor([2.0 * t, -2.0 * t])
            state = parts(
                ask(solution["adam_step"], state[0], g, state[1], state[2], t, **options), "adam_step", "w, m, s"
            )
            for name, value in zip("wms", state, strict=True):
                tensor(value, name, (2,))
        return state

    w, m, s = learner(3)
    found = w[0].item()
    if abs(found - walk(3, sign=1.0)[0]) < 1e-4:
        raise Wrong("The weight walks uphill: subtract the step.")
    if abs(found - walk(3, correct=False)[0]) < 1e-4:
        raise Wrong("The first steps are wrong: m and s start at zero; divide by 1 - 0.9**t and 1 - 0.999**t.")
    if abs(found - walk(3, square=False)[0]) < 1e-4 or not (s[0].item() > 0):
        raise Wrong("s must be the running mean of the squared gradient, g**2.")
    if abs(found - walk(3, root=False)[0]) < 1e-4:
        raise Wrong("The root is missing: divide by sqrt(s), after its correction.")
    if abs(found - walk(3, late=True)[0]) < 1e-4:
        raise Wrong("The corrections are one step ahead: t begins with 1, and the first divisor is 1 - 0.9.")
    if not near(w, torch.tensor([walk(3)[0], -3.0 - (walk(3)[0] - 1.0)])):
        raise Wrong(f"After three steps the weights are {w.tolist()}, wanted is {walk(3)[0]:.5f} for the first.")
    if not near(m, torch.tensor([walk(3)[1], -walk(3)[1]])) or not near(s, torch.full((2,), walk(3)[2])):
        raise Wrong("The weight is right, the means that go on to the next step are not: return m and s uncorrected.")
    if not near(learner(300)[2] / walk(300)[2], torch.ones(2), 1e-3):
        raise Wrong("After 300 steps s is wrong: it keeps 0.999 of itself at each step.")
    if not near(learner(2, lr=0.01)[0], torch.tensor([1.0 - 0.02, -3.0 + 0.02]), 3e-3):
        raise Wrong("The step does not follow lr: it is 0.1 only where nothing is said.")
    tiny = learner(1, scale=1e-9)[0]  # g = 2e-9: the step is 0.1 g / (g + 1e-8)
    if not near(tiny, torch.tensor([1.0 - 0.1 / 6, -3.0 + 0.1 / 6]), 1e-4):
        raise Wrong(
            f"For a gradient of 2e-9 the weight moves to {tiny[0].item():.5f}, wanted is {1 - 0.1 / 6:.5f}: epsilon is added outside of the root."
        )
