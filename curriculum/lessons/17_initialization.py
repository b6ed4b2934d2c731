# %% [markdown]
# # 17. Initialization
#
# **How large should the weights be before anything is learned?**
#
# Training begins somewhere, and for a deep network where it begins decides whether it gets anywhere. To choose the
# first weights is called **initialization**. All zero is no choice: all hidden units would stay equal. Too small, and
# the signal dies on its way through the layers; too large, and it explodes. Between them lies a size that follows from
# the number of inputs. The **signal** is what the layers hand on, and its size is its spread: the **standard
# deviation** (how far the numbers typically lie from their mean), or its square, the **variance**.

# %%
import math

import numpy as np

from curriculum import draw, record
from curriculum.data import digits
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)

# %% [markdown]
# ## Why not all equal?
#
# A small test first. Two networks 2-4-1 learn the same thing, one with all weights 0.5, one with weights drawn at
# random. In the first all four hidden units compute the same, so they get the same slope, so they stay the same: four
# units that do the work of one. Random weights break this **symmetry**.

# %%
x = torch.randn(200, 2)
y = x[:, :1] * x[:, 1:]
different = {}
for name in ("all 0.5", "random"):
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    if name == "all 0.5":
        for p in model.parameters():
            nn.init.constant_(p, 0.5)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(100):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
    different[name] = model[0].weight.detach().std(dim=0).max().item()  # between the four units
    print(f"{name}: loss {loss.item():.3f}, the units' weights {different[name]:.3f} apart")
record.claim(
    "units that begin equal are still equal after 100 steps; random ones are not",
    f"{different['all 0.5']:.0e} and {different['random']:.2f} apart", different["all 0.5"] < 1e-4 and different["random"] > 0.1,
)  # fmt: skip

# %% [markdown]
# ## The size that keeps the signal
#
# A unit adds up $m$ inputs times weights, $z = \sum_i w_i x_i$. Let the weights be drawn independently, with mean 0.
# Then the products $w_i x_i$ have mean 0 and do not depend on one another, so their variances add up. Each is
# $\operatorname{Var}(w)\, \mathbb{E}[x^2]$, where $\mathbb{E}[x^2]$ is the mean of the squared inputs:
#
# $$ \operatorname{Var}(z) = m \, \operatorname{Var}(w) \, \mathbb{E}[x^2] $$
#
# The variance stays what it is if $\operatorname{Var}(w) = 1/m$. An example: 100 inputs with mean square 1, weights of
# deviation 0.2, so of variance 0.04. One layer makes $100 \cdot 0.04 = 4$ of the variance 1, the next 16, and ten
# layers $4^{10}$, a million. With deviation 0.1 it stays at 1.
#
# Going back, the slope at an input adds up the slopes of the $n$ outputs that it went to, which asks for $1/n$. Glorot
# and Bengio take the middle, $2/(m+n)$; it is called Xavier initialization after Glorot's first name. ReLU sets half of
# the inputs to 0 and halves $\mathbb{E}[x^2]$; Kaiming He and others make up for it with $2/m$.
#
# | name | drawn from | standard deviation |
# | --- | --- | --- |
# | uniform, PyTorch's default in `nn.Linear` | $U(-1/\sqrt m, 1/\sqrt m)$ | $1/\sqrt{3m}$ |
# | normal, 0.01 | $N(0, 0.01^2)$ | 0.01 |
# | normal, 1 | $N(0, 1)$ | 1 |
# | Xavier / Glorot | $U(-a, a)$, $a = \sqrt{6/(m+n)}$ | $\sqrt{2/(m+n)}$ |
# | Kaiming / He | $N(0, 2/m)$ | $\sqrt{2/m}$ |

# %%
init = nn.init
SCHEMES = {
    "default": lambda w: init.uniform_(w, -1 / math.sqrt(w.shape[1]), 1 / math.sqrt(w.shape[1])),
    "normal 0.01": lambda w: init.normal_(w, std=0.01),
    "normal 1": lambda w: init.normal_(w, std=1.0),
    "Xavier": init.xavier_uniform_,
    "Kaiming": lambda w: init.kaiming_normal_(w, nonlinearity="relu"),
}
COLORS = dict(zip(SCHEMES, (draw.GREY, draw.BLUE, "#7d4aa8", "#2b8a5a", draw.ORANGE), strict=True))
wanted = {
    "default": 1 / math.sqrt(3 * 200), "normal 0.01": 0.01, "normal 1": 1.0,
    "Xavier": math.sqrt(2 / 500), "Kaiming": math.sqrt(2 / 200),
}  # fmt: skip
off = []
for name, fill in SCHEMES.items():
    w = torch.empty(300, 200)
    fill(w)
    off.append(abs(w.std().item() / wanted[name] - 1))
    print(f"{name:12} standard deviation {w.std().item():.4f}, by the formula {wanted[name]:.4f}")
record.claim(
    "what is drawn has the deviation of the table's formula, for 200 inputs and 300 outputs",
    f"{100 * max(off):.1f} % off",
    max(off) < 0.02,
)

# %% [markdown]
# ## Through twenty layers
#
# Twenty layers of 128 units, a batch of the digits, no training. Forward: the spread of each layer's outputs. Backward:
# the norm of the slope that arrives at each layer's output, that is, the root of the sum of its squares. How the second
# changes from layer to layer is called the **gradient flow**. Before you look: with deviation 1 and 128 inputs, by
# which factor does a ReLU layer change the spread?
#
# <details><summary>Answer</summary>
#
# The variance by $128 \cdot 1 / 2 = 64$, the spread by its root, 8. After twenty layers that is $8^{20}$, about
# $10^{18}$: look for it in the picture.
#
# </details>

# %%
pictures, targets = digits()
data = torch.tensor(pictures.reshape(-1, 64) / 16, dtype=torch.get_default_dtype())
data = (data - data.mean()) / data.std()
labels = torch.tensor(targets)
DEPTH, WIDTH = 20, 128


def network(fill, activation, depth=DEPTH, width=WIDTH):
    sizes = [64] + [width] * depth
    layers = []
    for m, n in zip(sizes[:-1], sizes[1:]):  # noqa: B905, RUF007
        layers += [nn.Linear(m, n), activation()]
    layers.append(nn.Linear(width, 10))
    for layer in layers:
        if isinstance(layer, nn.Linear):
            fill(layer.weight)
            init.zeros_(layer.bias)
    return nn.Sequential(*layers)


# %%
def flow(model, activation):
    """The deviation of every activation's output, and the norm of the slope that comes back to it."""
    h, outputs = data[:200], []
    for layer in model:
        h = layer(h)
        if isinstance(layer, activation):
            h.retain_grad()
            outputs.append(h)
    F.cross_entropy(h, labels[:200]).backward()
    # in float64: the square of 1e-23, which a norm adds up, is no float32 any more
    return [o.detach().double().std().item() for o in outputs], [o.grad.double().norm().item() for o in outputs]


flows = {}
fig, axes = draw.pyplot().subplots(2, 2, figsize=(10, 6.4), sharex=True)
for column, (title, activation) in enumerate((("Tanh", nn.Tanh), ("ReLU", nn.ReLU))):
    for name, fill in SCHEMES.items():
        torch.manual_seed(seed)
        flows[title, name] = spread, slope = flow(network(fill, activation), activation)
        for row, values in enumerate((spread, slope)):
            axes[row, column].plot(range(1, DEPTH + 1), values, ".-", color=COLORS[name], label=name)
    axes[0, column].set(title=title, yscale="log", ylabel="spread of the outputs", ylim=(1e-26, 1e24))
    axes[1, column].set(
        xlabel="layer", xticks=(1, 5, 10, 15, 20), yscale="log", ylabel="norm of the slope", ylim=(1e-26, 1e24)
    )
axes[0, 0].legend(frameon=False, fontsize=8)
fig.tight_layout()
record.figure(fig, "17_flow_through_layers")


# %%
def fall(title, name, part):
    """How many times the first layer's value the last one's is (or the other way round, for slopes)."""
    values = flows[title, name][part]
    return values[-1] / values[0] if part == 0 else values[0] / values[-1]


record.claim(
    "through 20 ReLU layers Kaiming keeps outputs and slopes within a factor of 5",
    f"{fall('ReLU', 'Kaiming', 0):.2f} and {fall('ReLU', 'Kaiming', 1):.2f}",
    all(0.2 < fall("ReLU", "Kaiming", part) < 5 for part in (0, 1)),
)
record.claim(
    "deviation 0.01 makes slopes vanish (below 1e-10 of the last one), deviation 1 makes them explode (above 1e10)",
    f"{fall('ReLU', 'normal 0.01', 1):.0e} and {fall('ReLU', 'normal 1', 1):.0e}",
    fall("ReLU", "normal 0.01", 1) < 1e-10 and fall("ReLU", "normal 1", 1) > 1e10,
)
record.claim(
    "with Tanh, Xavier keeps the slopes within a factor of 10, and with ReLU it does not",
    f"{fall('Tanh', 'Xavier', 1):.2f} and {fall('ReLU', 'Xavier', 1):.0e}",
    0.1 < fall("Tanh", "Xavier", 1) < 10 and not 0.1 < fall("ReLU", "Xavier", 1) < 10,
)

# %% [markdown]
# Read the lower row from right to left: there the slope begins, at layer 20. Where a curve falls on the way to layer 1
# the gradient **vanishes**, and the early layers hardly learn; where it rises it **explodes**, and the first step
# destroys what was there.
#
# Tanh bounds what it puts out, so with deviation 1 the outputs stay near $\pm 1$. There its slope is nearly 0, yet the
# large weights more than make up for it: the slopes explode all the same.
#
# With deviation 0.01 a slope loses a factor of ten in every layer. Forty layers would end in an exact 0, for float32
# knows no positive number below 1e-45; what has slope 0 does not learn however long one waits.
#
# ## Training
#
# The same digits, ten ReLU layers of 64, Adam, 100 steps of 64 pictures, three seeds. What is the start worth? The
# dotted line is the loss of a network that gives each of the ten digits the same probability, $\ln 10 = 2.30$.

# %%
STEPS, SEEDS = 100, 3
curves, reached = {}, {}
for name, fill in record.progress(SCHEMES.items(), "initializations"):
    curves[name], reached[name] = [], []
    for number in range(SEEDS):
        torch.manual_seed(10 * seed + number)
        model = network(fill, nn.ReLU, depth=10, width=64)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        losses = []
        for _ in range(STEPS):
            rows = torch.randint(0, 1437, (64,))
            optimizer.zero_grad()
            loss = F.cross_entropy(model(data[rows]), labels[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if number == 0 and name != "normal 1":
                record.step(name, loss=loss.item(), model=model)
        curves[name].append(losses)
        with torch.no_grad():
            reached[name].append((model(data[1437:]).argmax(dim=1) == labels[1437:]).to(data.dtype).mean().item())

# %%
fig, ax = draw.pyplot().subplots(figsize=(6, 3.6))
for name, runs in curves.items():
    for number, losses in enumerate(runs):
        ax.plot(losses, color=COLORS[name], linewidth=1, label=name if number == 0 else None)
ax.axhline(math.log(10), color="black", linewidth=0.8, linestyle=":")
ax.set(xlabel="step", ylabel="cross-entropy (dotted: guessing)", title="normal 1 stays above the picture", ylim=(0, 5))
ax.legend(frameon=False, fontsize=8)
record.figure(fig, "17_training")
for name, values in reached.items():
    print(f"{name:12} accuracy on 360 other digits: {', '.join(f'{100 * v:.1f} %' for v in values)}")
record.claim(
    "from deviation 0.01 ten ReLU layers learn nothing in 100 steps, in any seed",
    f"{100 * max(reached['normal 0.01']):.1f} % at best", max(reached["normal 0.01"]) < 0.3,
)  # fmt: skip
record.claim(
    "from Kaiming they read more than 80 % of other digits, in every seed",
    f"{100 * min(reached['Kaiming']):.1f} % or more", min(reached["Kaiming"]) > 0.8,
)  # fmt: skip
# A single batch's loss is noisy: in some seeds Xavier's is the lower one at one step, so the mean of many steps is taken.
early = {name: float(np.mean([losses[:60] for losses in runs])) for name, runs in curves.items()}
record.claim(
    "over the first 60 steps Kaiming's mean loss is the lowest of the five",
    ", ".join(f"{name} {value:.3g}" for name, value in early.items()), min(early, key=early.get) == "Kaiming",
)  # fmt: skip

# %% [markdown]
# From deviation 0.01 the curve lies on the dotted line: slopes that vanish leave a network that guesses. Adam cannot
# save it, although it divides by the size of the gradient, because the digits' differences do not even reach the
# output. From deviation 1 the loss begins far above guessing: the network is sure of itself and wrong.
#
# What do you do in practice? Take Kaiming for ReLU and its relatives, Xavier for Tanh and Sigmoid, set the biases to 0,
# and look at the first loss: if it is far above $\ln C$ for $C$ classes, the weights of the last layer are too large
# (lesson 31). Networks of two or three layers forgive almost any choice. Batch normalization (lesson 18) and skips
# (lesson 23) make deep ones forgiving too.
#
# Try it: put `nn.Tanh` for `nn.ReLU` in the training. Which start is best now?
#
# <details><summary>Answer</summary>
#
# Kaiming and Xavier come close to one another: Tanh bounds what Kaiming makes too large. PyTorch's default learns more
# slowly.
#
# </details>
#
# ## To remember
#
# - Variance $1/m$ keeps a signal, $2/m$ where ReLU halves it. The effect of a wrong factor is its 20th power.
# - Xavier for Tanh, Kaiming for ReLU and its relatives. Biases start at 0.
# - PyTorch's default for `nn.Linear` has variance $1/(3m)$: good for a few layers, not for twenty.
#
# ## Exercises
#
# In `curriculum/exercises/17_initialization.py`:
#
# 1. *Write it:* `xavier_uniform` and `kaiming_normal`.
# 2. *Derive it:* `leaky_deviation`, the right size for LeakyReLU.
# 3. *Predict, then measure:* `spread_after`, what many layers make of the signal.
#
# Check them: `python -m curriculum check 17`.
#
# ## Further reading
#
# - X. Glorot, Y. Bengio, *Understanding the Difficulty of Training Deep Feedforward Neural Networks*, AISTATS 2010.
# - K. He, X. Zhang, S. Ren, J. Sun, *Delving Deep into Rectifiers*, ICCV 2015.
# - A. M. Saxe, J. L. McClelland, S. Ganguli, *Exact Solutions to the Nonlinear Dynamics of Learning in Deep Linear
#   Neural Networks*, ICLR 2014.
