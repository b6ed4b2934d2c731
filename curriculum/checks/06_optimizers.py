"""Checks exercise 6."""

from typing import Any

from curriculum.check import Wrong, ask, near, number, parts, tensor
from curriculum.engine import torch

OPTIMIZERS = ("SGD", "Adam", "AdamW", "Adagrad", "RMSprop")
MEANS = ("Adam", "AdamW", "NAdam", "RAdam", "Adamax", "RMSprop", "addcdiv_", "lerp_")


def _adam(solution: dict[str, Any]) -> None:
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


def _first_steps(solution: dict[str, Any]) -> None:
    optim = torch.optim
    options = {
        "SGD": (optim.SGD, {}), "momentum": (optim.SGD, {"momentum": 0.9}), "AdaGrad": (optim.Adagrad, {}),
        "RMSprop": (optim.RMSprop, {}), "Adam": (optim.Adam, {}),
    }  # fmt: skip
    for slope, lr in ((600.0, 0.1), (-0.5, 0.02), (2.0, 0.3)):
        found = ask(solution["first_steps"], slope, lr)
        if not isinstance(found, dict) or set(found) != set(options):
            raise Wrong(f"first_steps returns a dictionary with the names {', '.join(options)}.")
        for name, (rule, more) in options.items():
            w = torch.tensor([0.0], requires_grad=True)
            (slope * w).sum().backward()
            rule([w], lr=lr, **more).step()
            wanted = abs(w.item())
            got = number(found[name], f"The first step of {name}")
            if abs(got - wanted) <= 1e-3 * wanted:
                continue
            hint = {
                "SGD": "the learning rate times the slope.",
                "momentum": "the velocity was 0 before; which part of it is there after one slope?",
                "AdaGrad": "after one slope the sum of squares is its square; what is the slope divided by the root?",
                "RMSprop": "its mean begins at 0 and is not corrected, so after one slope it is 0.01 of the square.",
                "Adam": "the corrections undo that its means begin at 0.",
            }[name]
            if got < 0:
                hint = "a length is not negative."
            raise Wrong(
                f"For a slope of {slope:g} and lr {lr:g} you say {got:g} for {name}; measured: {wanted:g}. {hint}"
            )


def _momentum(solution: dict[str, Any]) -> None:
    for sizes in ((1,), (2, 2), (3, 1, 2)):
        weights = [torch.arange(1.0, n + 1) for n in sizes]
        given, wanted = list(weights), [w.numpy().copy() for w in weights]
        velocity = [0.0 * w for w in wanted]
        optimizer = solution["Momentum"](weights, 0.1, 0.8)
        for step in range(3):
            gradients = [torch.full((n,), float(10 * i + step + 1)) for i, n in enumerate(sizes)]
            try:
                optimizer.step(gradients)
            except (RuntimeError, ValueError) as error:
                raise Wrong(
                    f"With weights of the sizes {sizes} step() fails ({error}). What does one weight see of another one?"
                ) from None
            for i, g in enumerate(gradients):
                velocity[i] = 0.8 * velocity[i] + g.numpy()
                wanted[i] = wanted[i] - 0.1 * velocity[i]
                if not near(given[i], wanted[i]):
                    raise Wrong(
                        f"With {len(sizes)} weights, after step {step + 1}, weight {i + 1} is {given[i].tolist()}, wanted is "
                        f"{wanted[i].round(3).tolist()}. Follow the velocity through the loop: whose is it, and is it changed in place?"
                    )
    defaults = torch.tensor([1.0])
    optimizer = solution["Momentum"]([defaults], 0.1)
    optimizer.step([torch.tensor([1.0])])
    optimizer.step([torch.tensor([1.0])])
    if not near(defaults, [1.0 - 0.1 - 0.19]):
        raise Wrong("Without mu= the velocity keeps 0.9 of itself, as before.")


CHECKS = {"adam_step": _adam, "first_steps": _first_steps, "Momentum": _momentum}
BY_HAND = {"adam_step": MEANS, "first_steps": OPTIMIZERS, "Momentum": OPTIMIZERS}
