# %% [markdown]
# # 13. Activations
#
# **Why do the early layers of some networks hardly learn?**
#
# Lesson 12 needed a bend between the layers. Which bend is used decides whether a slope comes back through many layers,
# or fades on its way. We compare seven of them, measure every layer's gradient, look at what the layers say, and train.

# %%
import math

import numpy as np

from curriculum import draw, record
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)

# %% [markdown]
# ## Seven bends and their slopes
#
# | | $f(z)$ | $f'(z)$ | largest slope |
# | --- | --- | --- | --- |
# | Sigmoid | $\sigma(z) = 1 / (1 + e^{-z})$ | $\sigma (1 - \sigma)$ | 1/4 |
# | Tanh | $\tanh z$ | $1 - \tanh^2 z$ | 1 |
# | ReLU | $\max(0, z)$ | $[z > 0]$ | 1 |
# | LeakyReLU | $\max(0, z) + 0.01 \min(0, z)$ | $1$ or $0.01$ | 1 |
# | ELU | $z$ above 0, $e^z - 1$ below | $1$ or $e^z$ | 1 |
# | SiLU | $z\,\sigma(z)$ | $\sigma(z)\,(1 + z\,(1 - \sigma(z)))$ | 1.10 |
# | GELU | $z\,\Phi(z)$ | $\Phi(z) + z\,\varphi(z)$ | 1.13 |
#
# ($[z > 0]$ is 1 where it is true and 0 else. $\varphi$, phi, is the bell curve of the normal distribution, and
# $\Phi(z)$ the share of it that lies below $z$: 0.5 at 0, 0.84 at 1, 0.98 at 2.)
#
# Sigmoid and tanh are S-shaped: flat at both ends, so a unit with a large $z$ of either sign is *saturated* and passes
# nothing back. The others are straight for large positive $z$. ReLU, the *rectified linear unit*, is the simplest. It
# has one fault: a unit that is negative for every input has slope zero and never comes back; it is *dead*. The rest
# mend that in their ways. LeakyReLU leaks a hundredth. ELU (*exponential linear unit*) bends smoothly to $-1$. SiLU
# (*sigmoid linear unit*, also called Swish) multiplies $z$ by a gate between 0 and 1, the sigmoid of $z$ itself. GELU
# (*Gaussian error linear unit*) does the same with $\Phi$ for the gate. The last two dip below 0 before they rise.

# %%
ACTIVATIONS = {
    "Sigmoid": nn.Sigmoid, "Tanh": nn.Tanh, "ReLU": nn.ReLU, "LeakyReLU": nn.LeakyReLU, "ELU": nn.ELU, "SiLU": nn.SiLU, "GELU": nn.GELU,
}  # fmt: skip
BY_HAND = {
    "Sigmoid": lambda z: 1 / (1 + torch.exp(-z)),
    "Tanh": lambda z: (torch.exp(z) - torch.exp(-z)) / (torch.exp(z) + torch.exp(-z)),
    "ReLU": lambda z: torch.where(z > 0, z, 0 * z),
    "LeakyReLU": lambda z: torch.where(z > 0, z, 0.01 * z),
    "ELU": lambda z: torch.where(z > 0, z, torch.exp(z) - 1),
    "SiLU": lambda z: z / (1 + torch.exp(-z)),
    "GELU": lambda z: z * (1 + torch.erf(z / 2**0.5)) / 2,  # erf is the same area, on another scale
}

# %%
shown, largest, apart = {}, {}, 0.0
for name, make in ACTIVATIONS.items():
    z = torch.linspace(-5, 5, 401).requires_grad_()
    f = make()(z)
    f.sum().backward()
    largest[name] = z.grad.max().item()
    apart = max(apart, (f - BY_HAND[name](z)).abs().max().item())
    shown[name] = z.detach().numpy(), f.detach().numpy(), z.grad.numpy()
record.figure(draw.bends(shown), "13_functions_and_slopes")
record.claim("all seven by hand are the framework's", f"{apart:.0e} apart", apart < 1e-5)
record.claim(
    "the sigmoid's slope is nowhere above 1/4; the others' reach 1, those of SiLU and GELU a little more",
    ", ".join(f"{name} {value:.3g}" for name, value in largest.items()),
    abs(largest["Sigmoid"] - 0.25) < 1e-6
    and all(abs(largest[n] - 1) < 1e-6 for n in ("Tanh", "ReLU", "LeakyReLU", "ELU"))
    and all(1.05 < largest[n] < 1.15 for n in ("SiLU", "GELU")),
)

# %% [markdown]
# ## Two spirals
#
# 200 points in a plane, two classes, wound around one another. No line separates them, nor any simple curve; a network
# needs several layers of bends. Ours has eight hidden layers, deliberately deeper than necessary, to see what depth
# does to the gradient.

# %%
turn = torch.linspace(0.25, 1.0, 100) * 3 * math.pi
arm = torch.stack([turn * turn.cos(), turn * turn.sin()], dim=1) / (3 * math.pi)
x = torch.cat([arm, -arm]) + 0.02 * torch.randn(200, 2)
x = x * 2
y = torch.cat([torch.zeros(100), torch.ones(100)]).long()


def network(activation, depth=8, width=32):
    layers = [nn.Linear(2, width), activation()]
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), activation()]
    return nn.Sequential(*layers, nn.Linear(width, 2))


# %% [markdown]
# ## Slopes on their way back
#
# One batch, no training yet. We measure the norm of the weights' gradient, layer by layer (the norm is the root of the
# sum of the squares: one number for its size). By the chain rule each layer multiplies what comes from above by $f'$
# and by its weights. With the sigmoid these are eight factors of at most $1/4$, together $(1/4)^8 = 0.000015$, and the
# weights' own factors make it less. Its first layer is almost deaf. This is the *vanishing gradient*.

# %%
norms, spoken = {}, {}
for name, make in ACTIVATIONS.items():
    torch.manual_seed(seed)  # the same weights for every activation
    model = network(make)
    F.cross_entropy(model(x), y).backward()
    norms[name] = [layer.weight.grad.norm().item() for layer in model if isinstance(layer, nn.Linear)]
    h, spoken[name] = x, []
    with torch.no_grad():
        for layer in model[:-1]:
            h = layer(h)
            if not isinstance(layer, nn.Linear):
                spoken[name].append(h)  # (200, 32), what the units of this layer put out

# %%
record.figure(
    draw.by_layer(norms, "layer (1 is the first, 9 the output)", "norm of the weights' gradient"),
    "13_gradient_by_layer",
)
ratio = {name: norm[0] / norm[-1] for name, norm in norms.items()}
print({name: f"{value:.1e}" for name, value in ratio.items()})
record.claim(
    "with Sigmoid the first layer's gradient is less than a hundred-thousandth of the last one's",
    f"{ratio['Sigmoid']:.0e}", ratio["Sigmoid"] < 1e-5,
)  # fmt: skip
record.claim(
    "Tanh, ReLU and ELU carry more than 100 times as much of it back as Sigmoid",
    ", ".join(f"{name} {ratio[name]:.0e}" for name in ("Tanh", "ReLU", "ELU")),
    min(ratio["Tanh"], ratio["ReLU"], ratio["ELU"]) > 100 * ratio["Sigmoid"],
)
gated = max(ratio["SiLU"], ratio["GELU"])
record.claim(
    "SiLU and GELU, in spite of their largest slopes, carry less back than ReLU here",
    f"{ratio['SiLU']:.0e} and {ratio['GELU']:.0e}",
    gated < ratio["ReLU"],
)

# %% [markdown]
# The last claim surprises. What counts is not the largest slope but the slope where the units are. With the framework's
# initial weights the signal is small after a few layers, all $z$ lie near 0, and there SiLU and GELU have the slope
# 1/2: $(1/2)^8 = 0.004$. Tanh and ELU have 1 there, and their curves stay nearly level. ReLU has 1 for half of the
# units and 0 for the others. Other initial weights move the units to other places of their curves; lesson 17 chooses
# them well.
#
# The same as a page: a narrow network of eight Sigmoid layers. Step backward, and watch the numbers of the gradient
# shrink; a mark ⚠ stands where less than a millionth of it is left. Which two factors take it away at every layer?


# %%
torch.manual_seed(seed)
narrow = network(nn.Sigmoid, width=6)


def deaf():
    points, classes = x[::20], y[::20]
    return F.cross_entropy(narrow(points), classes)


draw.backward(deaf, "13_backward")

# %% [markdown]
# ## What the layers say
#
# Forward the same happens to the signal. Each panel below shows a layer's outputs for forty of the points: a line for
# each point, a column for each unit. In the first layer the lines differ. In the eighth Sigmoid layer every *column*
# has its own colour, and all *lines* are alike: each unit says one number, and it says it to every point. Nothing of
# the input is left, so nothing after it can tell the points apart. To the eye the eighth ReLU layer looks no better. So
# measure it.

# %%
record.figure(
    draw.outputs({
        name: {layer: spoken[name][layer - 1][::5].numpy() for layer in (1, 4, 8)} for name in ("Sigmoid", "Tanh", "ReLU")
    }),
    "13_outputs",
)  # fmt: skip

# %% [markdown]
# How much does a unit's output vary from point to point (the standard deviation over the points, a mean over the
# units), and how much do the units differ from one another?

# %%
between_points = {name: [h.std(dim=0).mean().item() for h in layers] for name, layers in spoken.items()}
between_units = {name: [h.mean(dim=0).std().item() for h in layers] for name, layers in spoken.items()}
record.figure(draw.by_layer(between_points, "layer", "spread between points"), "13_spread")
kept = {name: spread[-1] / spread[0] for name, spread in between_points.items()}
print(
    "of the first layer's spread between points the eighth has:", {name: f"{value:.1e}" for name, value in kept.items()}
)
record.claim(
    "of the spread between points Sigmoid keeps less than a hundred-thousandth, while its units still differ from one another",
    f"{kept['Sigmoid']:.0e}; layer 8: points {between_points['Sigmoid'][-1]:.0e}, units {between_units['Sigmoid'][-1]:.2f}",
    kept["Sigmoid"] < 1e-5 and between_units["Sigmoid"][-1] > 0.05,
)
record.claim(
    "the others keep more, but none keeps a tenth",
    ", ".join(f"{name} {value:.0e}" for name, value in kept.items()),
    all(kept["Sigmoid"] < value < 0.1 for name, value in kept.items() if name != "Sigmoid"),
)

# %% [markdown]
# ## Does it matter? Training over three seeds
#
# The same network, eight hidden layers, Adam on all points at once, 120 steps.

# %%
STEPS, SEEDS = 120, 3


def train(name, number):
    """(model, losses, the share that is right, the share of units in layer 7 that are never above 0) of one training."""
    torch.manual_seed(10 * seed + number)
    model = network(ACTIVATIONS[name])
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if number == 0 and len(losses) <= 100:
            record.step(name, loss=loss.item(), model=model)
    with torch.no_grad():
        right = (model(x).argmax(dim=1) == y).to(x.dtype).mean().item()
        dead = (model[:14](x).max(dim=0).values <= 0).to(x.dtype).mean().item()  # silent for every point
    return model, losses, right, dead


# %%
trained = {
    name: [train(name, number) for number in range(SEEDS)] for name in record.progress(ACTIVATIONS, "activations")
}
for name, runs in trained.items():
    shares = ", ".join(f"{100 * right:5.1f} %" for _, _, right, _ in runs)
    print(
        f"{name:10} right: {shares}; units of layer 7 that are never above 0: {100 * np.mean([dead for *_, dead in runs]):.0f} %"
    )

# %%
record.figure(
    draw.trainings({name: [run[1] for run in runs] for name, runs in trained.items()}, math.log(2)), "13_training"
)
best = {name: max(runs, key=lambda run: run[2]) for name, runs in trained.items()}
spirals = {
    f"{name}: {100 * best[name][2]:.0f} % right": lambda p, model=best[name][0]: model(p)[:, 1] - model(p)[:, 0]
    for name in ("Sigmoid", "Tanh", "ReLU", "GELU")
}
record.figure(draw.boundaries(spirals, ((-2.2, 2.2), (-2.2, 2.2)), x, y), "13_spirals")
lost = np.mean([dead for *_, dead in trained["ReLU"]])
record.claim(
    "ReLU learns with more than a sixth of the units of layer 7 dead",
    f"{100 * lost:.0f} %",
    lost > 1 / 6 and best["ReLU"][2] > 0.9,
)
record.claim(
    "eight layers of Sigmoid do not get away from guessing, in any seed",
    f"{100 * best['Sigmoid'][2]:.1f} % at best", best["Sigmoid"][2] < 0.65,
)  # fmt: skip
record.claim(
    "every other activation learns three quarters of the spirals or more in some seed",
    ", ".join(f"{n} {100 * best[n][2]:.0f} %" for n in best if n != "Sigmoid"), min(best[n][2] for n in best if n != "Sigmoid") > 0.75,
)  # fmt: skip

# %% [markdown]
# The panels show the loss of three seeds each; dotted is what guessing costs, $\ln 2$. Sigmoid's lines lie on the
# dotted one. The others leave it within a few dozen steps: even the two ten-thousandths of the difference between
# points that SiLU keeps are enough to begin with, for then the weights grow and the signal with them; the millionth
# that Sigmoid keeps is not. (The spikes are steps of Adam that went too far; lesson 6 would lower the rate towards the
# end.) Of the six that learn, ReLU and LeakyReLU are done first in all three seeds, and Tanh last. One task is not enough
# to call one the best, and we claim nothing.
#
# Look at the last numbers that were printed: more than a quarter of ReLU's units in layer 7 are never above 0, so they
# are dead, and it learns all the same. A network can afford it, but those units were paid for. LeakyReLU has such units
# too, and they still pass a hundredth of the gradient.
#
# Change one thing: `network(..., depth=2)` in `train` (and `model[:4]` for `model[:14]`). Does Sigmoid learn now?
#
# <details><summary>Answer</summary>
#
# Not in 120 steps: it is still near the dotted line. But put `STEPS = 1000` too, and it gets nearly all points right.
# Two factors of 1/4 slow it down and do not stop it. Networks of the 1980s had one or two hidden layers, and sigmoids
# were good enough for them.
#
# </details>
#
# ## What is used today, and why
#
# | where | activation | why |
# | --- | --- | --- |
# | small networks, most convolutional ones | ReLU | cheap, good, needs no thought; the first choice |
# | transformers for text (BERT, GPT-2) | GELU | smooth, a little better in large comparisons; nobody has a proof |
# | newer language models (Llama and relatives), some networks for pictures | SiLU, in language models as a gate beside a second layer | the same reasons, and cheaper than GELU |
# | where ReLU units die | LeakyReLU | costs nothing, cannot die |
# | networks without batch normalization | ELU | its mean output is nearer to 0; rarer today |
# | recurrent networks, small regressions, control | Tanh | its outputs stay between -1 and 1 |
# | the output, and gates | Sigmoid | where a probability or a share is meant |
#
# How to choose: ReLU, unless the architecture you copy says otherwise. If many units are dead, try a smaller learning
# rate first, then LeakyReLU, SiLU or GELU. Where the *second* derivative is needed, as in physics, take a smooth one,
# since that of ReLU is 0 everywhere. The gain from a better activation is usually smaller than that from a better
# learning rate.
#
# ## To remember
#
# - A slope on its way back is multiplied by every layer's $f'$. Factors below 1 make it vanish, above 1 explode.
# - What counts is the slope where the units are, and that is decided by the weights too (lesson 17).
# - Sigmoid belongs at the output, where a probability is meant. In hidden layers: ReLU or its relatives.
# - A ReLU unit that is silent for every input has slope zero and cannot come back; those of LeakyReLU, ELU, SiLU and
#   GELU can.
#
# ## Exercises
#
# In `curriculum/exercises/13_activations.py`:
#
# 1. *Write it:* the slopes of four activations.
# 2. *Derive it:* those of ELU, SiLU and GELU, with the product rule.
# 3. *Find the planted bug:* `dead_share`, a count of dead units that counts something else.
#
# Check them: `python -m curriculum check 13`.
#
# ## Further reading
#
# - S. Hochreiter, *Untersuchungen zu dynamischen neuronalen Netzen*, diploma thesis, TU München 1991.
# - X. Glorot, Y. Bengio, *Understanding the Difficulty of Training Deep Feedforward Neural Networks*, AISTATS 2010.
# - A. L. Maas, A. Y. Hannun, A. Y. Ng, *Rectifier Nonlinearities Improve Neural Network Acoustic Models*, ICML 2013.
# - D. Hendrycks, K. Gimpel, *Gaussian Error Linear Units (GELUs)*, 2016.
# - P. Ramachandran, B. Zoph, Q. V. Le, *Searching for Activation Functions*, 2017: SiLU, under the name Swish.
