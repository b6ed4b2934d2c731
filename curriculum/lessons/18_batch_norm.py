# %% [markdown]
# # 18. Deep networks with batch normalization
#
# **What if the layers themselves kept the signal at the right size?**
#
# Lesson 17 chose the weights so that the signal keeps its size at the start. Training then moves them.
# **Batch normalization** measures the signal at every step, and brings it back to mean 0 and deviation 1. It is a layer
# like any other, stands between a linear layer and its activation, and made networks trainable that were not before.
# This lesson writes it, shows what it does to the gradients, and where it can hurt.

# %%
import math

import numpy as np

from curriculum import draw, playground, record
from curriculum.data import digits
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)

# %% [markdown]
# ## The layer, by hand
#
# For each feature, over the $n$ rows of the batch:
#
# $$ \mu = \frac1n \sum_i x_i, \qquad \sigma^2 = \frac1n \sum_i (x_i - \mu)^2, \qquad
#    y_i = \gamma\, \frac{x_i - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta $$
#
# Here $x_i$ is the feature's value in row $i$, $\mu$ (mu) the mean of the batch, $\sigma^2$ (sigma squared) its
# variance, and $\epsilon$ (epsilon) a small number, $10^{-5}$, that keeps a feature of variance 0 from a division by 0.
# An example with three rows: the feature is 1, 3 and 8. The mean is 4 and the variance $(9 + 1 + 16)/3 = 8.67$, its
# root 2.94, so the rows become $-1.02$, $-0.34$ and $1.36$.
#
# $\gamma$ (gamma) and $\beta$ (beta) are learned, one of each for every feature. With $\gamma = \sigma$ and
# $\beta = \mu$ the layer would undo what it does, so nothing is lost by putting it in: what the network gains is that
# scale and shift are two numbers of their own, instead of a property of all weights before. When the network is used
# there may be no batch, so the layer keeps **running means** of $\mu$ and $\sigma^2$ (the latter divided by $n - 1$),
# and uses those after `eval()`. Each training step moves them by a tenth (`momentum`) of the distance to the batch's
# own.


# %%
def batch_norm(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    if training:
        mean, var = x.mean(dim=0), x.var(dim=0, unbiased=False)
        with torch.no_grad():
            running_mean += momentum * (mean - running_mean)
            running_var += momentum * (var * len(x) / (len(x) - 1) - running_var)
    else:
        mean, var = running_mean, running_var
    return gamma * (x - mean) / (var + eps).sqrt() + beta


layer = nn.BatchNorm1d(5)
running_mean, running_var = torch.zeros(5), torch.ones(5)
worst = 0.0
for _ in range(30):
    x = 3 * torch.randn(40, 5) + torch.arange(5.0)
    ours = batch_norm(x, layer.weight, layer.bias, running_mean, running_var, training=True)
    worst = max(worst, (ours - layer(x)).abs().max().item())
layer.eval()
ours = batch_norm(x, layer.weight, layer.bias, running_mean, running_var, training=False)
worst = max(worst, (ours - layer(x)).abs().max().item())
print(f"running mean {running_mean.tolist()}\nrunning variance {running_var.tolist()}")
record.claim("the formula is nn.BatchNorm1d, in training and in evaluation", f"{worst:.0e} apart", worst < 1e-5)

# %% [markdown]
# A row's output now depends on the other rows of its batch. That is noise in training, which even regularizes a little
# (lesson 16), and a mistake in use: whoever forgets `eval()` gets another answer for the same picture in other company.

# %%
x = torch.randn(6, 5)
layer.train()
alone = layer(torch.cat([x[:1], x[1:3]]))[0]
in_company = layer(x)[0]
layer.eval()
same = torch.equal(layer(x)[0], layer(x[:1])[0])
moved = (alone - in_company).abs().max().item()
record.claim(
    "in training a row's answer depends on its company, in evaluation it does not",
    f"moved by {moved:.2f}",
    moved > 0.01 and same,
)

# %% [markdown]
# ## A deep network, with and without
#
# Twelve hidden layers of 64 Sigmoid units: the network that lesson 13 could not train. Each linear layer is followed by
# a normalization, or not. First, without any training, the norm of the loss's gradient at each layer's weights: the
# root of the sum of its squares, which says how strongly that layer is asked to change.

# %%
pictures, targets = digits()
data = torch.tensor(pictures.reshape(-1, 64) / 16, dtype=torch.get_default_dtype())
labels = torch.tensor(targets)
used, held_out = slice(0, 1437), slice(1437, None)


def network(normalized, activation=nn.Sigmoid, depth=12, width=64):
    layers, inputs = [], 64
    for _ in range(depth):
        layers.append(nn.Linear(inputs, width))
        if activation is nn.ReLU:
            nn.init.kaiming_normal_(layers[-1].weight, nonlinearity="relu")  # as lesson 17 advises
        if normalized:
            layers.append(nn.BatchNorm1d(width))
        layers.append(activation())
        inputs = width
    return nn.Sequential(*layers, nn.Linear(width, 10))


norms = {}
for normalized in (False, True):
    torch.manual_seed(seed)
    model = network(normalized)
    F.cross_entropy(model(data[:256]), labels[:256]).backward()
    norms[normalized] = [part.weight.grad.norm().item() for part in model if isinstance(part, nn.Linear)]

# %%
fig, ax = draw.pyplot().subplots(figsize=(6, 3.4))
for normalized, color in ((False, draw.ORANGE), (True, draw.BLUE)):
    ax.plot(range(1, 14), norms[normalized], "o-", color=color, label="with batch norm" if normalized else "without")
ax.set(xlabel="layer (1 is the first, 13 the output)", ylabel="norm of the weights' gradient", yscale="log")
ax.legend(frameon=False)
record.figure(fig, "18_gradient_by_layer")
record.claim(
    "without it the first layer's gradient is less than 1e-8 of the last one's, with it more than 1e-2",
    f"{norms[False][0] / norms[False][-1]:.0e} and {norms[True][0] / norms[True][-1]:.0e}",
    norms[False][0] / norms[False][-1] < 1e-8 and norms[True][0] / norms[True][-1] > 1e-2,
)

# %% [markdown]
# Without normalization the gradient shrinks by a factor of five to ten in every layer: the slope of a Sigmoid is at
# most a quarter, and the signal hardly varies between rows. Normalization brings the variation back to 1 in each layer,
# forward; and going back it divides by the deviation, which is small, so the slope grows by what the Sigmoid took.
#
# A small one as a page. Open one of the normalizations (*o*): many small steps, and *x* is used several times, so
# several gradients meet there. Closed it is one node, with the same sum. And step backward through the Sigmoids: what
# arrives in the first layer is of the size of what left the last. The marks ⚠ stand at the biases before a
# normalization: why can they have no effect?
#
# <details><summary>Answer</summary>
#
# A bias shifts a feature by the same amount in all rows, and the normalization takes the mean away. Its slope is 0, up
# to rounding. That is why such layers are often written with `bias=False`.
#
# </details>

# %%
torch.manual_seed(seed)
narrow = network(True, depth=3, width=8)


def normalized_network():
    rows, digits = data[:12], labels[:12]
    return F.cross_entropy(narrow(rows), digits)


draw.backward(normalized_network, "18_backward")

# %% [markdown]
# ## Training at three learning rates
#
# Plain SGD, 60 steps of 64 pictures, two seeds each: Sigmoid as above, and eight layers of ReLU with Kaiming's
# initialization, which do learn without normalization.

# %%
RATES, STEPS, SEEDS = (0.03, 0.3, 1.0), 60, 2


def train(normalized, activation, depth, lr, number):
    torch.manual_seed(10 * seed + number)
    model = network(normalized, activation, depth)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    losses = []
    for _ in range(STEPS):
        rows = torch.randint(0, 1437, (64,))
        optimizer.zero_grad()
        loss = F.cross_entropy(model(data[rows]), labels[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if number == 0 and lr < 0.3:
            name = f"{activation.__name__} {lr}, {'batch norm' if normalized else 'plain'}"
            record.step(name, loss=loss.item(), model=model)
    model.eval()
    with torch.no_grad():
        accuracy = (model(data[held_out]).argmax(dim=1) == labels[held_out]).to(data.dtype).mean().item()
    return losses, accuracy


# %%
fig, axes = draw.pyplot().subplots(2, 3, figsize=(10, 5.4), sharex=True, sharey=True)
reached = {}
cases = [(a, d, lr) for a, d in ((nn.Sigmoid, 12), (nn.ReLU, 8)) for lr in RATES]
for ax, (activation, depth, lr) in record.progress(list(zip(axes.flat, cases, strict=True)), "trainings"):
    for normalized, color in ((False, draw.ORANGE), (True, draw.BLUE)):
        runs = [train(normalized, activation, depth, lr, number) for number in range(SEEDS)]
        reached[activation.__name__, lr, normalized] = float(np.mean([accuracy for _, accuracy in runs]))
        for number, (losses, _) in enumerate(runs):
            label = ("with batch norm" if normalized else "without") if number == 0 else None
            ax.plot(np.clip(losses, 0, 4), color=color, linewidth=1, label=label)
    ax.axhline(math.log(10), color="black", linewidth=0.8, linestyle=":")
    ax.set_title(f"{depth} layers of {activation.__name__}, learning rate {lr}", fontsize=9)
axes[0, 0].legend(frameon=False, fontsize=8)
for ax in axes[:, 0]:
    ax.set_ylabel("cross-entropy")
for ax in axes[1]:
    ax.set_xlabel("step")
fig.tight_layout()
record.figure(fig, "18_training")

# %%
for (name, lr, normalized), accuracy in reached.items():
    print(f"{name:8} lr {lr:<5} {'batch norm' if normalized else 'plain':11} accuracy {100 * accuracy:.1f} %")
record.claim(
    "twelve layers of Sigmoid learn at rate 0.3 with normalization, and not at any rate without",
    f"{100 * reached['Sigmoid', 0.3, True]:.0f} % against {100 * max(reached['Sigmoid', r, False] for r in RATES):.0f} % at best",
    reached["Sigmoid", 0.3, True] > 0.5 and max(reached["Sigmoid", r, False] for r in RATES) < 0.3,
)
record.claim(
    "at rate 1 the ReLU network learns with normalization and fails without; at 0.03 both learn",
    f"{100 * reached['ReLU', 1.0, True]:.0f} % against {100 * reached['ReLU', 1.0, False]:.0f} %; "
    f"{100 * reached['ReLU', 0.03, True]:.0f} % against {100 * reached['ReLU', 0.03, False]:.0f} %",
    reached["ReLU", 1.0, True] > 0.7
    and reached["ReLU", 1.0, False] < 0.3
    and min(reached["ReLU", 0.03, n] for n in (True, False)) > 0.4,
)

# %% [markdown]
# The upper row: without normalization twelve layers of Sigmoid never leave the dotted line of guessing; no learning
# rate helps, since there is no slope to follow. The lower row: ReLU with a good start learns by itself at a small rate.
# What normalization adds there is that it bears large steps. A reason: when the weights before it double, its output
# does not change at all, so a step that is too long does less harm.
#
# It is no charm: Sigmoid with normalization at rate 1 reads few digits in evaluation, though its training loss falls.
# Stale running means are not the reason: measured anew after the training, or replaced by each batch's own, they leave
# the accuracy as low, on the training pictures too. The steps themselves are too large.
#
# ## A playground
#
# The two spirals of lesson 13 again, learned by networks with each activation, two initializations (lesson 17), two
# depths, with and without batch normalization and dropout: the page shows the boundary step by step, beside the gradient of
# every layer, of two networks at a time. `python -m curriculum playground` writes a larger one.

# %%
draw.page(
    lambda path: playground.write(path, steps=50, inits=("Xavier", "small"), depths=(2, 8)), "18_playground",
    lambda: playground.figure(steps=50, inits=("Xavier", "small"), depths=(2, 8)),
)  # fmt: skip

# %% [markdown]
# Begin with eight layers of Sigmoid on both sides, normalized on the right only: on the left the bars of the early
# layers are short, and the plane stays grey. Then exchange Sigmoid for ReLU, and Xavier for a start that is too small.
#
# ## To remember
#
# - Normalize each feature over the batch, then let the network choose scale and shift anew.
# - It keeps slopes alive through many layers and bears larger steps.
# - Training and evaluation differ: `model.train()`, `model.eval()`. Batches must not be tiny: of two rows the mean says
#   little.
# - Where batches are small or rows differ in length, as in language, layer normalization takes its place: it measures
#   each row alone.
#
# ## Exercises
#
# In `curriculum/exercises/18_batch_norm.py`:
#
# 1. *Write it:* `batch_norm_2d`, the layer for pictures.
# 2. *Derive it:* `fold`, how it disappears into a linear layer.
# 3. *Find the planted bug:* `answer`, which asks a model and disturbs it.
#
# Check them: `python -m curriculum check 18`.
#
# ## Further reading
#
# - S. Ioffe, C. Szegedy, *Batch Normalization*, ICML 2015.
# - S. Santurkar, D. Tsipras, A. Ilyas, A. Madry, *How Does Batch Normalization Help Optimization?*, NeurIPS 2018: not
#   by what its inventors thought.
# - J. L. Ba, J. R. Kiros, G. E. Hinton, *Layer Normalization*, 2016: over the features instead of the batch.
