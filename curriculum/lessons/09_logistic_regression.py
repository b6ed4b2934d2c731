# %% [markdown]
# # 9. Logistic regression
#
# **Why is squared error a poor loss for a classifier?**
#
# A linear layer gives any number; a yes-or-no answer wants a probability. The sigmoid makes one of it:
#
# $$ z = w x + b, \qquad p = \sigma(z) = \frac{1}{1 + e^{-z}}, \qquad \sigma'(z) = \sigma(z)\,(1 - \sigma(z)) $$
#
# What loss should such a model be trained with? We try two and walk on both surfaces.

# %%
from itertools import pairwise

import numpy as np

from curriculum import draw, record
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)

# %% [markdown]
# ## The data
#
# One feature, two classes that overlap a little: class 0 around $-2$, class 1 around $+2$.

# %%
n = 100
x = torch.cat([torch.randn(n, 1) - 2, torch.randn(n, 1) + 2])  # (200, 1)
y = torch.cat([torch.zeros(n, 1), torch.ones(n, 1)])  # (200, 1)

# %% [markdown]
# ## Maximum likelihood
#
# If the model is right, it gives the answers that we saw with probability
#
# $$ \prod_i p_i^{y_i} (1 - p_i)^{1 - y_i} $$
#
# The best weights make this as large as possible. A product of 200 numbers below 1 is tiny, so take the logarithm,
# turn the sign and divide by $n$. That is the binary cross-entropy; it is not one choice among many, it follows:
#
# $$ L = -\frac1n \sum_i y_i \log p_i + (1 - y_i) \log (1 - p_i) $$

# %%
w, b = torch.tensor(0.7), torch.tensor(0.1)
p = torch.sigmoid(w * x + b)
likelihood = torch.where(y == 1, p, 1 - p).prod().item()
by_hand = -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean().item()
by_framework = F.binary_cross_entropy_with_logits(w * x + b, y).item()
print(f"likelihood {likelihood:.3e}, -log(likelihood)/n {-np.log(likelihood) / len(x):.6f}")
print(f"cross-entropy by hand {by_hand:.6f}, by the framework {by_framework:.6f}")
apart = max(abs(by_hand - by_framework), abs(-np.log(likelihood) / len(x) - by_hand))
record.claim(
    "cross-entropy is the negative logarithm of the likelihood, per sample", f"{apart:.0e} apart", apart < 1e-4
)

# %% [markdown]
# ## The slope of each loss
#
# For one sample, with the chain rule:
#
# $$ \frac{\partial L_{CE}}{\partial z} = p - y, \qquad
#    \frac{\partial L_{MSE}}{\partial z} = 2\,(p - y)\; p\,(1 - p) $$
#
# The last factor is the slope of the sigmoid. Where the model is sure, $p$ near 0 or 1, it vanishes, *also where the
# model is surely wrong*. Take a sample with $y = 1$ that gets $z = -8$:

# %%
target = torch.ones(1)
slopes = {}
for name in ("squared error", "cross-entropy"):
    z = torch.tensor([-8.0], requires_grad=True)
    if name == "squared error":
        loss = F.mse_loss(torch.sigmoid(z), target)
    else:
        loss = F.binary_cross_entropy_with_logits(z, target)
    loss.backward()
    slopes[name] = z.grad.item()
    print(f"{name}: loss {loss.item():.4f}, slope {z.grad.item():.6f}")
record.claim(
    "surely wrong (z = -8): cross-entropy pulls over a thousand times as hard",
    f"slopes {slopes['cross-entropy']:.3f} and {slopes['squared error']:.1e}",
    slopes["cross-entropy"] < 1000 * slopes["squared error"],
)

# %% [markdown]
# Both at once, so that they can be compared: the page shows the two gradients that come to the same $z$. Look where the one of
# the squared error is lost: at the sigmoid, whose rule multiplies by $p(1 - p)$.


# %%
def both():
    z = torch.tensor(-8.0, requires_grad=True)
    p = torch.sigmoid(z)
    squared = (p - 1) ** 2
    crossed = F.binary_cross_entropy_with_logits(z, torch.ones(()))
    return squared + crossed


draw.backward(both, "9_backward")

# %% [markdown]
# ## Both trained from a wrong start
#
# Both models start at $w = -4$, $b = 2$: sure, and mostly wrong. The same steps, the same learning rate.


# %%
class Logistic(nn.Module):
    def __init__(self, w, b):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(w))
        self.b = nn.Parameter(torch.tensor(b))

    def forward(self, x):
        return self.w * x + self.b  # the logit; the sigmoid belongs to the loss


def squared_error(logits, y):
    return F.mse_loss(torch.sigmoid(logits), y)


losses = {"squared error": squared_error, "cross-entropy": F.binary_cross_entropy_with_logits}
paths, accuracies = {}, {}
for name, loss_of in losses.items():
    model = Logistic(-4.0, 2.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    paths[name], accuracies[name] = [], []
    for _ in record.progress(range(150), name):
        optimizer.zero_grad()
        logits = model(x)
        loss = loss_of(logits, y)
        loss.backward()
        paths[name].append((model.w.item(), model.b.item()))
        accuracies[name].append(((logits > 0) == (y == 1)).sum().item() / len(y))
        optimizer.step()
        record.step(name, loss=loss.item(), model=model)

for name, values in accuracies.items():
    right = next((step for step, value in enumerate(values) if value >= 0.9), None)
    print(f"{name}: accuracy {values[-1]:.3f} after 150 steps, 0.9 reached at step {right}")

# %%
first = {name: next((s for s, v in enumerate(a) if v >= 0.9), len(a)) for name, a in accuracies.items()}
record.claim(
    "from a wrong start cross-entropy reaches 90 % accuracy in fewer steps",
    f"step {first['cross-entropy']} against {first['squared error']} (150: not reached)",
    first["cross-entropy"] < first["squared error"],
)
record.figure(draw.curves(accuracies, "step", "accuracy", log=False), "9_accuracy")

# %% [markdown]
# ## The surfaces, and the paths walked on them
#
# The loss at every point $(w, b)$ of a grid. Cross-entropy is a convex function of the weights: one valley, and a
# slope everywhere that leads to it. Squared error has a high plateau, almost flat, and that is where we started.

# %%
ws, bs = np.linspace(-6, 6, 61), np.linspace(-5, 5, 51)
plt = draw.pyplot()
fig, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
along = {}
with torch.no_grad():
    for ax, (name, loss_of) in zip(axes, losses.items(), strict=True):
        surface = np.array([[loss_of(float(u) * x + float(v), y).item() for u in ws] for v in bs])
        along[name] = surface[len(bs) // 2]  # the cut at b = 0
        filled = ax.contourf(ws, bs, surface, 25, cmap="viridis")
        fig.colorbar(filled, ax=ax, label="loss")
        path = np.array(paths[name])
        ax.plot(path[:, 0], path[:, 1], ".-", color="white", markersize=3, linewidth=1)
        ax.plot(*path[0], "o", color="#d9730d", label="start")
        ax.plot(*path[-1], "*", color="#d9730d", markersize=13, label="after 150 steps")
        ax.set(title=name, xlabel="weight w", ylabel="bias b", xlim=(-6, 6), ylim=(-5, 5))
        ax.legend(loc="lower right")
record.figure(fig, "9_surfaces")

# %% [markdown]
# A convex function bends upwards everywhere: along a line its second differences are never negative.

# %%
bends = {name: np.diff(values, 2).min() for name, values in along.items()}
record.claim(
    "along b = 0 cross-entropy bends upwards everywhere, squared error does not",
    f"least second difference {bends['cross-entropy']:.1e} and {bends['squared error']:.1e}",
    bends["cross-entropy"] > -1e-5 and bends["squared error"] < -1e-3,
)

# %% [markdown]
# ## Several at once: `nn.ModuleList`
#
# A plain Python list hides its modules: `parameters()` does not find them, and the optimizer never moves them. A
# `ModuleList` registers them. Here three linear layers, one after the other, each with its own width.


# %%
class Hidden(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(1, 3), nn.Linear(3, 3), nn.Linear(3, 1)]


class Deep(nn.Module):
    def __init__(self, widths):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = torch.tanh(layer(x))
        return self.layers[-1](x)


in_list = len(list(Hidden().parameters()))
model = Deep([1, 3, 3, 1])
in_module_list = len(list(model.parameters()))
record.claim(
    "parameters() sees none of a plain list's tensors, and all six of a ModuleList's",
    f"{in_list} and {in_module_list}",
    (in_list, in_module_list) == (0, 6),
)

optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
for _ in record.progress(range(100), "ModuleList"):
    optimizer.zero_grad()
    loss = F.binary_cross_entropy_with_logits(model(x), y)
    loss.backward()
    optimizer.step()
    record.step("ModuleList", loss=loss.item(), model=model)
print(f"three layers: loss {loss.item():.4f}")

# %% [markdown]
# ## To remember
#
# - Cross-entropy is the negative log-likelihood; its slope by the logit is $p - y$.
# - Squared error after a sigmoid carries the factor $p(1-p)$: who is surely wrong hardly learns.
# - Give the logits to `binary_cross_entropy_with_logits`; modules in a list belong into a `ModuleList`.
#
# ## Exercise
#
# `curriculum/exercises/09_logistic_regression.py`: cross-entropy by hand from the logit, without overflow.
# Check it: `python -m curriculum check 09`.
#
# ## Further reading
#
# - D. R. Cox, *The Regression Analysis of Binary Sequences*, Journal of the Royal Statistical Society B 20, 1958.
# - C. M. Bishop, *Pattern Recognition and Machine Learning*, section 4.3, Springer 2006.
