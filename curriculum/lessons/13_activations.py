# %% [markdown]
# # 13. Activations
#
# **Why do the early layers of some networks hardly learn?**
#
# Lesson 12 needed a bend between the layers. Which bend is used decides whether a slope comes back through many
# layers, or fades on its way. We compare four, measure every layer's gradient, and train.

# %%
import math

import numpy as np

from curriculum import draw, record
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)

# %% [markdown]
# ## Four bends and their slopes
#
# | | $f(z)$ | $f'(z)$ | largest slope |
# | --- | --- | --- | --- |
# | Sigmoid | $\sigma(z) = 1 / (1 + e^{-z})$ | $\sigma (1 - \sigma)$ | 1/4 |
# | Tanh | $\tanh z$ | $1 - \tanh^2 z$ | 1 |
# | ReLU | $\max(0, z)$ | $[z > 0]$ | 1 |
# | LeakyReLU | $\max(0, z) + 0.01 \min(0, z)$ | $1$ or $0.01$ | 1 |

# %%
ACTIVATIONS = {"Sigmoid": nn.Sigmoid, "Tanh": nn.Tanh, "ReLU": nn.ReLU, "LeakyReLU": nn.LeakyReLU}
COLORS = dict(zip(ACTIVATIONS, (draw.ORANGE, draw.BLUE, "#2b8a5a", "#7d4aa8"), strict=True))

fig, axes = draw.pyplot().subplots(1, 2, figsize=(9, 3))
largest = {}
for name, make in ACTIVATIONS.items():
    z = torch.linspace(-5, 5, 401).requires_grad_()
    f = make()(z)
    f.sum().backward()
    largest[name] = z.grad.max().item()
    axes[0].plot(z.detach().numpy(), f.detach().numpy(), color=COLORS[name], label=name)
    axes[1].plot(z.detach().numpy(), z.grad.numpy(), color=COLORS[name], label=name)
axes[0].set(xlabel="z", ylabel="f(z)", ylim=(-1.5, 3))
axes[1].set(xlabel="z", ylabel="slope f'(z)")
axes[1].legend(frameon=False, fontsize=8)
fig.tight_layout()
record.figure(fig, "13_functions_and_slopes")
record.claim(
    "the sigmoid's slope is nowhere above 1/4, the others' reach 1",
    ", ".join(f"{name} {value:.3g}" for name, value in largest.items()),
    abs(largest["Sigmoid"] - 0.25) < 1e-6 and all(abs(largest[n] - 1) < 1e-6 for n in ("Tanh", "ReLU", "LeakyReLU")),
)

# %% [markdown]
# ## Two spirals
#
# 400 points in a plane, two classes, wound around one another. A network needs several layers of bends for them.

# %%
turn = torch.linspace(0.25, 1.0, 200) * 3 * math.pi
arm = torch.stack([turn * turn.cos(), turn * turn.sin()], dim=1) / (3 * math.pi)
x = torch.cat([arm, -arm]) + 0.02 * torch.randn(400, 2)
x = x * 2
y = torch.cat([torch.zeros(200), torch.ones(200)]).long()


def network(activation, depth=8, width=32):
    layers = [nn.Linear(2, width), activation()]
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), activation()]
    return nn.Sequential(*layers, nn.Linear(width, 2))


# %% [markdown]
# ## Slopes on their way back
#
# One batch, no training yet. The gradient of the weights is measured layer by layer. By the chain rule each layer
# multiplies what comes from above by $f'$ and by its weights; eight factors of at most 1/4 and the weights' own make
# the sigmoid's first layer almost deaf.

# %%
norms, values = {}, {}
for name, make in ACTIVATIONS.items():
    torch.manual_seed(seed)  # the same weights for every activation
    model = network(make)
    F.cross_entropy(model(x), y).backward()
    norms[name] = [layer.weight.grad.norm().item() for layer in model if isinstance(layer, nn.Linear)]
    h, outputs = x, []
    with torch.no_grad():
        for layer in model[:-1]:
            h = layer(h)
            if not isinstance(layer, nn.Linear):
                outputs.append(h.flatten().numpy())
    values[name] = outputs

fig, ax = draw.pyplot().subplots(figsize=(6, 3.4))
for name, norm in norms.items():
    ax.plot(range(1, 10), norm, "o-", color=COLORS[name], label=name)
ax.set(xlabel="layer (1 is the first, 9 the output)", ylabel="norm of the weights' gradient", yscale="log")
ax.legend(frameon=False)
record.figure(fig, "13_gradient_by_layer")
ratio = {name: norm[0] / norm[-1] for name, norm in norms.items()}
print({name: f"{value:.1e}" for name, value in ratio.items()})
record.claim(
    "with Sigmoid the first layer's gradient is less than a hundred-thousandth of the last one's",
    f"{ratio['Sigmoid']:.0e}", ratio["Sigmoid"] < 1e-5,
)  # fmt: skip
record.claim(
    "Tanh and ReLU carry more than 100 times as much of it back as Sigmoid",
    f"{ratio['Tanh']:.0e} and {ratio['ReLU']:.0e}",
    min(ratio["Tanh"], ratio["ReLU"]) > 100 * ratio["Sigmoid"],
)

# %% [markdown]
# The same as a page: a narrow network of eight Sigmoid layers. Step backward, and watch the numbers of the gradient shrink; a mark ⚠
# stands where less than a millionth of it is left. Which two factors take it away at every layer?


# %%
torch.manual_seed(seed)
narrow = network(nn.Sigmoid, width=6)


def deaf():
    points, classes = x[::40], y[::40]
    return F.cross_entropy(narrow(points), classes)


draw.backward(deaf, "13_backward")

# %% [markdown]
# What the units put out, layer by layer. All sigmoids hover around one value, the same for every point: nothing of the
# input is left. With the default initialization the others shrink too; lesson 17 cures that.

# %%
fig, axes = draw.pyplot().subplots(len(ACTIVATIONS), 4, figsize=(10, 6.4))
for row, (name, outputs) in zip(axes, values.items(), strict=True):
    for ax, place in zip(row, (0, 2, 4, 7), strict=True):
        ax.hist(outputs[place], bins=40, color=COLORS[name])
        ax.set_title(f"{name}, layer {place + 1}: spread {outputs[place].std():.2g}", fontsize=8)
        ax.set(yticks=[])
        ax.tick_params(labelsize=7)
for ax in axes[-1]:
    ax.set_xlabel("output of a unit", fontsize=8)
fig.tight_layout()
record.figure(fig, "13_histograms")

# %% [markdown]
# ## Does it matter? Training over three seeds
#
# The same network, eight hidden layers, plain full-batch Adam, 250 steps.

# %%
STEPS, SEEDS = 250, 3
final = {name: [] for name in ACTIVATIONS}
curves = {name: [] for name in ACTIVATIONS}
silent = {name: [] for name in ACTIVATIONS}
for name, make in record.progress(ACTIVATIONS.items(), "activations"):
    for number in range(SEEDS):
        torch.manual_seed(10 * seed + number)
        model = network(make)
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
            final[name].append((model(x).argmax(dim=1) == y).to(x.dtype).mean().item())
            hidden = model[:14](x)  # up to the seventh activation
            silent[name].append((hidden.max(dim=0).values <= 0).to(x.dtype).mean().item())
        curves[name].append(losses)

fig, ax = draw.pyplot().subplots(figsize=(6, 3.4))
for name, runs in curves.items():
    for number, losses in enumerate(runs):
        ax.plot(losses, color=COLORS[name], linewidth=1, label=name if number == 0 else None)
ax.axhline(math.log(2), color="black", linewidth=0.8, linestyle=":")
ax.set(xlabel="step", ylabel="cross-entropy (dotted: guessing)", ylim=(0, 0.8))
ax.legend(frameon=False)
record.figure(fig, "13_training")
for name, accuracies in final.items():
    shown = ", ".join(f"{100 * a:.1f} %" for a in accuracies)
    print(
        f"{name:10} accuracy {shown}; units of layer 7 that are silent for every point: {100 * np.mean(silent[name]):.0f} %"
    )
record.claim(
    "eight layers of Sigmoid do not get away from guessing, in any seed",
    f"{100 * max(final['Sigmoid']):.1f} % at best", max(final["Sigmoid"]) < 0.65,
)  # fmt: skip
best = {name: max(values) for name, values in final.items()}
record.claim(
    "every other activation learns the spirals in some seed", ", ".join(f"{n} {100 * best[n]:.0f} %" for n in best if n != "Sigmoid"),
    min(best[n] for n in best if n != "Sigmoid") > 0.9,
)  # fmt: skip

# %% [markdown]
# ## To remember
#
# - A slope on its way back is multiplied by every layer's $f'$. Factors below 1 make it vanish, above 1 explode.
# - Sigmoid belongs at the output, where a probability is meant. In hidden layers: ReLU, its relatives, or Tanh.
# - A ReLU unit that is silent for every input has slope zero and cannot come back; LeakyReLU's can.
#
# ## Exercise
#
# `curriculum/exercises/13_activations.py`: write the four slopes.
# Check it: `python -m curriculum check 13`.
#
# ## Further reading
#
# - S. Hochreiter, *Untersuchungen zu dynamischen neuronalen Netzen*, diploma thesis, TU München 1991.
# - X. Glorot, Y. Bengio, *Understanding the Difficulty of Training Deep Feedforward Neural Networks*, AISTATS 2010.
# - A. L. Maas, A. Y. Hannun, A. Y. Ng, *Rectifier Nonlinearities Improve Neural Network Acoustic Models*, ICML 2013.
