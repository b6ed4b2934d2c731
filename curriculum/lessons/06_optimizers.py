# %% [markdown]
# # 6. Optimizers
#
# **What do momentum and Adam add to a step against the slope?**
#
# Lesson 2 walked down a parabola in one weight. The rule that changes the weights, once their slopes are known, is
# called the *optimizer*. The plain rule, "a little against the slope", is named SGD, for *stochastic gradient descent*;
# why it is called stochastic, which means random, comes further down.
#
# With two weights a valley can be long and narrow, and then the plain step has trouble: the learning rate that is right
# for the steep direction is far too small for the flat one. Networks have such valleys in abundance, in millions of
# directions. This lesson writes six rules by hand, checks each against `torch.optim`, and watches where they walk.

# %%
import math

import numpy as np

from curriculum import draw, record
from curriculum.engine import seed, torch

torch.manual_seed(seed)
steepness = torch.tensor([1.0, 25.0])


def valley(w):
    return 0.5 * (steepness * w**2).sum()


# %% [markdown]
# The loss of the two weights is $\frac12 (1\, w_1^2 + 25\, w_2^2)$, so its slopes are $w_1$ and $25\, w_2$. The lowest
# point is $(0, 0)$, and we start at $(-9, 2)$. The numbers 1 and 25 say how quickly the slope changes along each
# weight. We call them the steepness; the word in the books is *curvature*. Their ratio, 25, is the *condition number*
# of the valley. At 1 the valley is a round bowl and every rule is good at it.
#
# The gradient at the start, as a page: the weight that is further from its goal has the smaller slope, $-9$ against
# $50$. Choose $w$ and move each of its two numbers a little: to which of them does the loss hardly answer? That is the
# flat direction.


# %%
def start():
    w = torch.tensor([-9.0, 2.0], requires_grad=True)
    return 0.5 * (steepness * w**2).sum()


draw.backward(start, "6_backward")

# %% [markdown]
# ## Where plain SGD breaks
#
# With $g$ the gradient and $\eta$ (eta) the learning rate, the plain step is
#
# $$ \text{SGD:}\quad w \leftarrow w - \eta g $$
#
# In a direction of steepness $a$ the slope is $a w$, so one step turns $w$ into $w - \eta a w = (1 - \eta a)\, w$.
# Every step multiplies the weight by the same number. At $\eta = 0.03$ the steep weight ($a = 25$) is multiplied by
# $1 - 0.75 = 0.25$ and is gone after a few steps. The flat one ($a = 1$) is multiplied by $0.97$ and needs 76 steps to
# fall to a tenth.
#
# A larger $\eta$ would help the flat one. But once $\eta a$ exceeds 2, the factor is below $-1$: each step jumps over
# the goal and lands further away on the other side. The loss *diverges*, it grows without end. The limit here is
# $2 / 25 = 0.08$, set by the steepest direction alone, and the flattest direction then decides how long the training
# takes.

# %%


def sgd(w, g, state, t, lr):
    w -= lr * g


def by_hand(rule, lr, steps=100):
    """The path (steps, 2) of the weights under a rule, and the loss at each step."""
    w = torch.tensor([-9.0, 2.0], requires_grad=True)
    state, path, losses = {}, [], []
    for t in range(1, steps + 1):
        loss = valley(w)
        loss.backward()
        path.append(w.detach().numpy().copy())
        losses.append(loss.item())
        with torch.no_grad():
            rule(w, w.grad.clone(), state, t, lr)
        w.grad = None
    return np.array(path), losses


below, above = by_hand(sgd, 0.075)[1][-1], by_hand(sgd, 0.085)[1][-1]
record.claim("SGD converges below 2/25 and diverges above", f"{below:.1e} and {above:.1e}", below < 1 and above > 1e3)

# %% [markdown]
# *Converges* means that the weights come to rest. Change `0.085` to `0.08` and run again: the steep weight jumps from 2
# to $-2$ and back, for ever, since its factor is exactly $-1$.
#
# ## Momentum
#
# The first improvement is a memory. A *velocity* $v$ adds up the slopes, and forgets a tenth of itself at each step
# ($\mu$, mu, is 0.9 nearly everywhere):
#
# $$ \text{momentum:}\quad v \leftarrow \mu v + g, \quad w \leftarrow w - \eta v $$
#
# Where the slopes agree, step after step, they add up, to as much as $1 + 0.9 + 0.81 + \dots = 10$ times a single one:
# speed along the valley. Where they alternate, they cancel: less swinging across it. It rolls like a heavy ball, and
# overshoots like one.
#
# ## Adaptive rules: a step size for each weight
#
# The second idea is to give every weight its own step size, made from the slopes that this weight has seen. Such rules
# are called *adaptive*. All of them divide the slope by its own usual size, so that a weight with slopes around 50 and
# one with slopes around 1 move alike. They differ in what "usual" means. Squares, roots and products are taken element
# by element, and $\epsilon$ (epsilon), a tiny number, keeps the divisor from being 0.
#
# $$ \text{AdaGrad:}\quad s \leftarrow s + g^2, \quad w \leftarrow w - \eta\, \frac{g}{\sqrt{s} + \epsilon} $$
#
# AdaGrad adds up all squares since the start. The sum only grows, so its steps only shrink, roughly as $1/\sqrt{t}$ at
# the $t$-th step. That is good for a weight that is rarely used, such as that of a rare word, which keeps large steps;
# it is bad for a long training, which starves.
#
# $$ \text{RMSprop:}\quad s \leftarrow \alpha s + (1 - \alpha) g^2, \quad w \leftarrow w - \eta\, \frac{g}{\sqrt{s} + \epsilon} $$
#
# RMSprop replaces the sum by a *running mean* that forgets: with $\alpha = 0.99$, what is a hundred steps old counts
# about a third. The name says what the divisor is, the root of the mean of the squares.
#
# $$ \text{Adam:}\quad m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \quad
#    w \leftarrow w - \eta\, \frac{m / (1 - \beta_1^t)}{\sqrt{s / (1 - \beta_2^t)} + \epsilon} $$
#
# Adam is both ideas at once: a running mean $m$ of the slope, which is momentum, divided by the root of the running
# mean $s$ of its square. Both start at 0 and are too small at first: after the first step $m$ is $0.1\,g$ and $s$ is
# $0.001\,g^2$. The two divisors $1 - 0.9 = 0.1$ and $1 - 0.999 = 0.001$ undo exactly that, so the first step is
# $\eta\, g / |g|$: **of length $\eta$ in every weight, however steep the hill is.** That makes Adam's learning rate
# easy to read: it is about how far a weight moves per step.


# %%
def momentum(w, g, state, t, lr):
    state["v"] = 0.9 * state.get("v", 0.0) + g
    w -= lr * state["v"]


def adagrad(w, g, state, t, lr):
    state["s"] = state.get("s", 0.0) + g**2
    w -= lr * g / (state["s"].sqrt() + 1e-10)


def rmsprop(w, g, state, t, lr):
    state["s"] = 0.99 * state.get("s", 0.0) + 0.01 * g**2
    w -= lr * g / (state["s"].sqrt() + 1e-8)


def adam(w, g, state, t, lr):
    state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * g
    state["s"] = 0.999 * state.get("s", 0.0) + 0.001 * g**2
    w -= lr * (state["m"] / (1 - 0.9**t)) / ((state["s"] / (1 - 0.999**t)).sqrt() + 1e-8)


def adamw(w, g, state, t, lr):
    w *= 1 - lr * 0.1  # weight decay of 0.1, explained below
    adam(w, g, state, t, lr)


# %% [markdown]
# Now the framework's own. An optimizer object holds the weights and the state of its rule; `step()` applies the rule to
# every weight's `.grad`, and `zero_grad()` clears the gradients before the next backward pass, as we did with
# `w.grad = None`.


# %%
def by_framework(optimizer_class, name, **options):
    w = torch.tensor([-9.0, 2.0], requires_grad=True)
    optimizer = optimizer_class([w], **options)
    path = []
    for _ in record.progress(range(100), name):
        path.append(w.detach().numpy().copy())
        optimizer.zero_grad()
        loss = valley(w)
        loss.backward()
        optimizer.step()
        record.step(name, loss=loss.item(), params=[w])
    return np.array(path)


optim = torch.optim
RULES = {
    "SGD": (sgd, optim.SGD, {"lr": 0.03}),
    "momentum": (momentum, optim.SGD, {"lr": 0.03, "momentum": 0.9}),
    "AdaGrad": (adagrad, optim.Adagrad, {"lr": 1.0}),
    "RMSprop": (rmsprop, optim.RMSprop, {"lr": 0.1}),
    "Adam": (adam, optim.Adam, {"lr": 0.5}),
    "AdamW": (adamw, optim.AdamW, {"lr": 0.5, "weight_decay": 0.1}),
}

# %%
walks = {}
for name, (rule, optimizer_class, options) in RULES.items():
    walks[name] = by_hand(rule, options["lr"])
    apart = np.abs(walks[name][0] - by_framework(optimizer_class, name, **options)).max()
    record.claim(f"{name} by hand walks the framework's path", f"weights {apart:.0e} apart", apart < 1e-3)

final = {name: losses[-1] for name, (_, losses) in walks.items()}
print("\n".join(f"{name:9} lr {RULES[name][2]['lr']:<5} loss {loss:.1e}" for name, loss in final.items()))

# %%
record.figure(draw.paths(walks, valley, (-10, 4), (-4, 4)), "6_paths")
record.claim(
    "in this valley momentum ends below plain SGD at the same learning rate",
    f"{final['momentum']:.1e} against {final['SGD']:.1e}",
    final["momentum"] < final["SGD"],
)

# %% [markdown]
# Read the pictures by their first steps. SGD and momentum leave across the valley, where the slope is 50, and only then
# turn along it. The adaptive rules leave *diagonally*: both weights move by the same amount, since each slope was
# divided by its own size. Momentum swings out and comes back, and Adam, which has momentum inside, overshoots too. (The
# first step of RMSprop is ten times its learning rate: $s$ starts at 0 as Adam's does and is not corrected. After one
# step it is $0.01\, g^2$, whose root is a tenth of $g$.)
#
# Two of these statements as numbers, under a slope that is always 3: what do the first and the hundredth step measure?

# %%
lengths = {}
for name, rule in (("SGD", sgd), ("AdaGrad", adagrad), ("RMSprop", rmsprop), ("Adam", adam)):
    w, state, lengths[name] = torch.tensor([0.0]), {}, []
    for t in range(1, 101):
        before = w.item()
        rule(w, torch.tensor([3.0]), state, t, 0.1)
        lengths[name].append(before - w.item())
    print(f"{name:8} step 1: {lengths[name][0]:.3f}   step 100: {lengths[name][-1]:.3f}")
shrunk = lengths["AdaGrad"][99] / lengths["AdaGrad"][0]
record.claim("AdaGrad's 100th step is 1/√100 of its first", shrunk, abs(shrunk - 0.1) < 1e-3)
record.claim(
    "Adam's step has the length of the learning rate, at first and later",
    f"{lengths['Adam'][0]:.4f} and {lengths['Adam'][-1]:.4f}",
    max(abs(length - 0.1) for length in lengths["Adam"]) < 1e-3,
)

# %% [markdown]
# ## AdamW: weight decay, beside the slope and not inside it
#
# *Weight decay* pulls every weight towards 0, a little in each step, so that weights stay small unless the data call
# for large ones; lesson 16 shows what that is good for. There are two ways to do it. The old one adds $\lambda w$ to
# the slope ($\lambda$, lambda, is the strength), which is the slope of $\frac\lambda2 w^2$ added to the loss. The other
# one, *decoupled* decay, multiplies the weight by $1 - \eta\lambda$ beside the step. For SGD both are the same. For
# Adam they are not: what is added to the slope gets divided by its own size like everything else, and its strength is
# divided away. AdamW is Adam with the second way.
#
# A weight of 2 whose loss has no slope at all shows it. One step, $\eta = 0.1$, with weak decay and with a hundred
# times stronger:

# %%
moved = {}
for name, optimizer_class in (("Adam", optim.Adam), ("AdamW", optim.AdamW)):
    for decay in (0.001, 0.1):
        w = torch.tensor([2.0], requires_grad=True)
        (0 * w).sum().backward()
        optimizer_class([w], lr=0.1, weight_decay=decay).step()
        moved[name, decay] = 2.0 - w.item()
        print(f"{name:6} weight_decay {decay}: the weight shrinks by {moved[name, decay]:.4f}")
record.claim(
    "in Adam a decay a hundred times as strong changes nothing here, in AdamW it shrinks a hundred times as much",
    f"{moved['Adam', 0.1] / moved['Adam', 0.001]:.3f} and {moved['AdamW', 0.1] / moved['AdamW', 0.001]:.1f} times",
    abs(moved["Adam", 0.1] / moved["Adam", 0.001] - 1) < 1e-3
    and abs(moved["AdamW", 0.1] / moved["AdamW", 0.001] - 100) < 1,
)

# %% [markdown]
# ## How to choose the learning rate
#
# Try powers of ten, then refine by factors of three around the best: 0.001, 0.003, 0.01, 0.03 ... Differences of ten
# per cent do not matter, factors do. Each rule has its own scale, so a learning rate says nothing without the name of
# its optimizer. Here is the loss after 100 steps, for 13 learning rates of each rule.

# %%
rates = np.geomspace(1e-3, 10, 13)
swept = {}
with np.errstate(over="ignore", invalid="ignore"):
    for name in record.progress(("SGD", "momentum", "AdaGrad", "RMSprop", "Adam"), "rates"):
        losses = [by_hand(RULES[name][0], float(rate))[1][-1] for rate in rates]
        swept[name] = np.array([loss if math.isfinite(loss) else math.inf for loss in losses])
best = {name: (rates[ends.argmin()], ends.min()) for name, ends in swept.items()}
for name, (rate, loss) in best.items():
    print(f"{name:9} best learning rate of the 13: {rate:6.3f}, loss {loss:.0e}")
record.figure(draw.sweep(rates, swept, (1e-6, 1e3), "learning rate", "loss after 100 steps"), "6_learning_rates")
record.claim(
    "SGD's best rate lies below 2/25, the adaptive rules' best ones above it",
    ", ".join(f"{name} {rate:.2g}" for name, (rate, _) in best.items()),
    best["SGD"][0] < 0.08 < min(best[name][0] for name in ("AdaGrad", "RMSprop", "Adam")),
)
wide = [int((swept[name] < 1e3).sum()) for name in ("SGD", "Adam")]
record.claim(
    "SGD diverges at some of the rates, Adam at none",
    f"{wide[0]} and {wide[1]} of 13 end below 1,000",
    wide[0] < 13 == wide[1],
)

# %% [markdown]
# Too small, and the loss hardly falls; then comes a range that works. What follows for SGD and momentum is a cliff: the
# loss explodes. The adaptive rules have no cliff, even at ten times what is needed, since the first large slopes stay
# in the divisor and make the next steps small.
#
# Do not take the winners of this picture into your next training. This valley flatters AdaGrad and RMSprop twice: there
# is no noise, and its steep direction is a weight of its own, exactly what a step size for each weight can use. Turn
# the valley by 45 degrees, so that steep and flat are mixtures of both weights, and the advantage is gone:


# %%
def turned(w):
    a, b = (w[0] + w[1]) / 2**0.5, (w[0] - w[1]) / 2**0.5  # along and across the valley
    return 0.5 * (a**2 + 25 * b**2)


steps_needed = {}
for shape in (valley, turned):
    w, state = torch.tensor([-9.0, 2.0], requires_grad=True), {}
    for t in range(1, 1001):
        (g,) = torch.autograd.grad(shape(w), [w])
        with torch.no_grad():
            rmsprop(w, g, state, t, 0.1)
        if shape(w).item() < 1e-3:
            break
    steps_needed[shape.__name__] = t
print("steps of RMSprop until the loss is below 0.001:", steps_needed)
record.claim(
    "RMSprop needs more steps where the valley is turned",
    f"{steps_needed['turned']} against {steps_needed['valley']}",
    steps_needed["turned"] > 1.5 * steps_needed["valley"],
)

# %% [markdown]
# The scale is another one too. Here the weights have 9 units to go, so a step of 0.5 is right for Adam. A network's
# weights are tenths or less, and so are the steps that suit them. Good first guesses there are 0.001 for Adam and AdamW
# (0.0003 and less for large networks), 0.1 to 0.01 for SGD with momentum 0.9.
#
# In a real training you see less than a sweep, but enough. A loss that falls evenly and slowly: go up. A loss that
# jumps up and down, or becomes NaN: go down by a factor of three to ten. (NaN, "not a number", is what
# $\infty - \infty$ gives.)
#
# ## The noise of mini-batches
#
# The loss of a real task is a mean over examples. Its exact gradient needs all of them in every step. A *mini-batch*, a
# few examples drawn at random, gives an estimate: right on average, off by chance. That is the "stochastic" in SGD.
# Chance errors of $B$ examples average out as $1/\sqrt{B}$: four times the examples, half the noise. Measured on 256
# points, with a line through them that has two weights:

# %%
points = torch.randn(256, 2)
answers = points @ torch.tensor([1.0, -2.0]) + 0.5 * torch.randn(256)


def loss_on(w, rows):
    return ((points[rows] @ w - answers[rows]) ** 2).mean()


everything = torch.arange(256)
noise = {}
for size in (4, 16, 64):
    slopes = []
    for _ in range(300):
        w = torch.zeros(2, requires_grad=True)
        loss_on(w, torch.randint(256, (size,))).backward()
        slopes.append(w.grad)
    noise[size] = torch.stack(slopes).std(dim=0).norm().item()
    print(f"batches of {size:2}: the slope is off by {noise[size]:.2f}, typically")
ratios = noise[4] / noise[16], noise[16] / noise[64]
record.claim(
    "four times the examples halve the noise",
    f"factors {ratios[0]:.2f} and {ratios[1]:.2f}",
    all(1.6 < r < 2.4 for r in ratios),
)

# %% [markdown]
# What noise does to a training: far from the goal, nothing; the slope is much larger than its error. Near the goal the
# slope goes to 0 and the noise does not, so with a constant learning rate the weights come near and then dance around
# the goal. How wide they dance depends on the learning rate. Small steps dance less, but take long to arrive.
#
# ## Schedules
#
# The way out is a *schedule*: a learning rate that changes during training, large at first to get near, small at the
# end to settle. With $t$ the step, $T$ their number and $\eta_0$ the rate at the start, three of them cover most of
# practice:
#
# $$ \text{steps:}\quad \eta_0 \cdot 0.1^{\lfloor t / 150 \rfloor} \qquad
#    \text{cosine:}\quad \frac{\eta_0}{2} \left(1 + \cos \frac{\pi t}{T}\right) \qquad
#    \text{warm-up:}\quad \eta_0 \cdot \min\!\left(1,\; 0.1 + 0.9\, \frac{t}{20}\right) $$
#
# ($\lfloor\cdot\rfloor$ rounds down.) *Warm-up* goes the other way at the very beginning, from small to large. It
# protects freshly drawn weights, and Adam's running means, which are made of very few slopes then; transformers
# (lesson 27) are often trained with warm-up first and cosine after it. In `torch.optim.lr_scheduler` a schedule is an
# object around the optimizer, and its `step()` is called after the optimizer's.

# %%
T, PEAK = 400, 0.2
BY_HAND = {
    "steps": lambda t: PEAK * 0.1 ** (t // 150),
    "cosine": lambda t: PEAK / 2 * (1 + math.cos(math.pi * t / T)),
    "warm-up": lambda t: PEAK * min(1.0, 0.1 + 0.9 * t / 20),
}
schedulers = torch.optim.lr_scheduler
FRAMEWORK = {
    "steps": lambda o: schedulers.StepLR(o, step_size=150, gamma=0.1),
    "cosine": lambda o: schedulers.CosineAnnealingLR(o, T_max=T),
    "warm-up": lambda o: schedulers.LinearLR(o, start_factor=0.1, total_iters=20),
}
for name, formula in BY_HAND.items():
    optimizer = optim.SGD([torch.zeros(1, requires_grad=True)], lr=PEAK)
    schedule, apart = FRAMEWORK[name](optimizer), 0.0
    for t in range(T):
        apart = max(apart, abs(optimizer.param_groups[0]["lr"] - formula(t)))
        optimizer.step()
        schedule.step()
    record.claim(f"the schedule of {name} by hand is the framework's", f"{apart:.0e} apart", apart < 1e-12)

# %%
with torch.no_grad():  # the lowest point, where both slopes are 0: two linear equations
    best_w = torch.linalg.solve(points.T @ points, points.T @ answers)
lowest = loss_on(best_w, everything).item()
plans = {
    "constant 0.2": lambda t: PEAK, "constant 0.02": lambda t: PEAK / 10, "steps": BY_HAND["steps"], "cosine": BY_HAND["cosine"],
}  # fmt: skip
above_lowest = {}
for name, plan in record.progress(plans.items(), "schedules"):
    torch.manual_seed(seed)
    w = torch.zeros(20, 2, requires_grad=True)  # twenty trainings at once, each with batches of its own
    optimizer, above_lowest[name] = optim.SGD([w], lr=PEAK), []
    for t in range(T):
        optimizer.param_groups[0]["lr"] = plan(t)
        optimizer.zero_grad()
        rows = torch.randint(256, (20, 8))
        loss = (((points[rows] * w.unsqueeze(1)).sum(dim=2) - answers[rows]) ** 2).mean(dim=1).sum()
        loss.backward()
        optimizer.step()
        record.step(name, loss=loss.item(), params=[w])
        with torch.no_grad():
            each = ((points @ w.T - answers.unsqueeze(1)) ** 2).mean(dim=0)  # (20,), on all points
        above_lowest[name].append(each.mean().item() - lowest)

# %%
record.figure(draw.curves(above_lowest, "step", "loss above the lowest possible, mean of 20"), "6_schedules")
dance = {name: float(np.mean(values[-100:])) for name, values in above_lowest.items()}
soon = {name: next(t for t, value in enumerate(values) if value < 0.1) for name, values in above_lowest.items()}
print({name: f"{value:.1e}" for name, value in dance.items()}, soon)
record.claim(
    "a tenth of the learning rate dances less than a fifth as high, but arrives later",
    f"{dance['constant 0.02']:.4f} against {dance['constant 0.2']:.4f}; below 0.1 at step {soon['constant 0.02']} against {soon['constant 0.2']}",
    dance["constant 0.02"] < dance["constant 0.2"] / 5 and soon["constant 0.02"] > soon["constant 0.2"],
)
record.claim(
    "the cosine schedule arrives as early as the large rate, and ends more than 10 times nearer",
    f"step {soon['cosine']}; {np.mean(above_lowest['cosine'][-20:]):.1e}",
    soon["cosine"] <= soon["constant 0.2"] + 3 and np.mean(above_lowest["cosine"][-20:]) < dance["constant 0.2"] / 10,
)

# %% [markdown]
# Change one thing: batches of 64 instead of 8. What happens to the floor on which the constant rate dances?
#
# <details><summary>Answer</summary>
#
# The variance of the slope falls to an eighth, and the floor with it: noise and learning rate can be traded for one
# another. That is why a larger batch allows a larger learning rate.
#
# </details>
#
# ## Which one, when?
#
# | situation | first choice | why |
# | --- | --- | --- |
# | you do not know yet | Adam, 0.001 | works without much tuning, since its step length does not depend on the loss's scale |
# | transformers, text | AdamW, warm-up and cosine | slopes of very different sizes; a decay that really decays |
# | convolutional networks (lesson 22), long trainings | SGD, momentum 0.9, steps or cosine | with a tuned rate often as good or better on new data, and needs less memory |
# | rare features, each used a few times | AdaGrad | rarely used weights keep large steps |
# | a goal that moves, as in games | RMSprop | forgets old slopes, has no correction and no momentum |
# | two weights and exact gradients | any | try them above |
#
# Memory: SGD keeps nothing beside the weights, momentum, AdaGrad and RMSprop one number per weight, Adam and AdamW two.
#
# ## To remember
#
# - SGD is one line; momentum remembers a direction; adaptive rules rescale each weight's step.
# - The steepest direction limits SGD's learning rate, the flattest decides how long it takes.
# - A learning rate belongs to its optimizer. Try powers of ten; falling slowly means up, jumping or NaN means down.
# - Batches make the slope noisy, as $1/\sqrt{B}$; a schedule lets the weights settle all the same.
#
# ## Exercises
#
# In `curriculum/exercises/06_optimizers.py`:
#
# 1. *Write it:* `adam_step`, one step of Adam.
# 2. *Predict, then measure:* `first_steps`, how long the first step of five rules is.
# 3. *Find the planted bug:* `Momentum`, an optimizer that is right for one weight and wrong for two.
#
# Check them: `python -m curriculum check 06`.
#
# ## Further reading
#
# - B. T. Polyak, *Some methods of speeding up the convergence of iteration methods*, USSR Computational Mathematics and
#   Mathematical Physics 4, 1964.
# - J. Duchi, E. Hazan, Y. Singer, *Adaptive Subgradient Methods for Online Learning and Stochastic Optimization*, JMLR
#   12, 2011.
# - D. P. Kingma, J. Ba, *Adam: A Method for Stochastic Optimization*, ICLR 2015.
# - I. Loshchilov, F. Hutter, *Decoupled Weight Decay Regularization*, ICLR 2019.
