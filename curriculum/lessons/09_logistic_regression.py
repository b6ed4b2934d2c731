# %% [markdown]
# # 9. Logistic regression
#
# **Why is squared error a poor loss for a classifier?**
#
# So far a model answered *how much*: that is *regression*. Now the question is *yes or no*: is this mail spam, is this
# spot a tumour? Choosing among given answers is *classification*, the answers are called *classes*, and the right one
# of a sample is its *label*, here 0 or 1.
#
# A linear layer gives any number, and a yes-or-no answer wants a *probability*, a number from 0 to 1. The *sigmoid*
# makes one of it. With $z$ the number that the layer gives, called the *logit*:
#
# $$ z = w x + b, \qquad p = \sigma(z) = \frac{1}{1 + e^{-z}}, \qquad \sigma'(z) = \sigma(z)\,(1 - \sigma(z)) $$
#
# $\sigma(0) = 1/2$, the model does not know. $\sigma(2) = 0.88$, $\sigma(-2) = 0.12$, and beyond $\pm 6$ it is as good
# as sure. Read backwards, the logit is the logarithm of the odds: $z = \ln \frac{p}{1 - p}$, so each unit of $z$
# multiplies the odds by $e$. That is why the model is called *logistic regression*, though it classifies.
#
# What loss should it be trained with? Squared error is at hand, and it is a poor choice. We derive a better one, walk
# on both surfaces, and see why.

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
# One feature, two classes that overlap a little: class 0 around $-2$, class 1 around $+2$, a hundred of each. Between
# them no answer is certain, and a good model says so.

# %%
n = 100
x = torch.cat([torch.randn(n, 1) - 2, torch.randn(n, 1) + 2])  # (200, 1)
y = torch.cat([torch.zeros(n, 1), torch.ones(n, 1)])  # (200, 1)

# %% [markdown]
# ## Maximum likelihood
#
# How good is a model that says probabilities? Ask how probable it makes what really happened. A sample of class 1
# happened with probability $p$, one of class 0 with $1 - p$. Both cases in one formula: $p^{y} (1 - p)^{1 - y}$, for
# one of the exponents is always
# 0. For all samples together the probabilities multiply; the product is called the *likelihood* of the weights:
#
# $$ \prod_i p_i^{y_i} (1 - p_i)^{1 - y_i} $$
#
# ($\prod$ is for products what $\sum$ is for sums.) The best weights are those that make it as large as possible. That
# is the principle of *maximum likelihood*.
#
# A product of 200 numbers below 1 is tiny, so take the logarithm, which turns it into a sum and has its maximum at the
# same place; turn the sign, since we want something to make small; and divide by the number $n$ of samples, 200 here.
# That is the *binary cross-entropy*. It is not one choice among many, it follows:
#
# $$ L = -\frac1n \sum_i \bigl( y_i \log p_i + (1 - y_i) \log (1 - p_i) \bigr) $$
#
# ($\log$ is here, as in the programs, the natural logarithm, school's $\ln$.) One sample costs minus the logarithm of
# the probability that was given to its right answer: nothing if that was 1, 0.69 for a half, 2.3 for a tenth, and
# without limit as it goes to 0. Being surely wrong is expensive.

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
# The framework's function takes *logits*, as its name says, and does the sigmoid itself. The reason is rounding. For
# $z = 200$ the number $p$ rounds to exactly 1, and for a label of 0 the logarithm of $1 - p$ would be $-\infty$;
# written in $z$ the loss is simply 200.
#
# By the same principle, targets with noise from a normal distribution lead to the squared error. So it is no bad loss
# in itself; it belongs to another question.
#
# ## The slope of each loss
#
# For one sample, with the chain rule (CE is the cross-entropy, MSE the mean squared error):
#
# $$ \frac{\partial L_{CE}}{\partial z} = p - y, \qquad
#    \frac{\partial L_{MSE}}{\partial z} = 2\,(p - y)\; p\,(1 - p) $$
#
# The first is a surprise: $\log p$ has the slope $1/p$, the sigmoid $p (1 - p)$, and in the product the denominators
# cancel. What is left is the error itself. In the second the sigmoid's slope $p (1 - p)$ stays. Where the model is
# sure, $p$ near 0 or 1, it vanishes, *also where the model is surely wrong*. Take a sample with $y = 1$ that gets
# $z = -8$:

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
# Both at once, so that they can be compared: the page shows the two gradients that come to the same $z$. Look where the
# one of the squared error is lost: at the sigmoid, whose rule multiplies by $p(1 - p)$.


# %%
def both():
    z = torch.tensor(-8.0, requires_grad=True)
    p = torch.sigmoid(z)
    squared = (p - 1) ** 2
    crossed = F.binary_cross_entropy_with_logits(z, torch.ones(()))
    return squared + crossed


draw.backward(both, "9_backward")

# %% [markdown]
# ## A module of our own
#
# `nn.Linear(1, 1)` would do, but we want to choose where it starts, so we write a module. A *module* (lesson 7) is a
# class derived from `nn.Module`. Two methods are ours:
#
# - `__init__` makes the parameters. It must call `super().__init__()` first, which prepares the places where they are
#   registered.
# - `forward` says what is computed. One calls the module itself, `model(x)`, and not `model.forward(x)`; the call does
#   some bookkeeping and then calls `forward`.
#
# There is no `backward` to write: autograd records what `forward` does.


# %%
class Logistic(nn.Module):
    def __init__(self, w, b):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(w))
        self.b = nn.Parameter(torch.tensor(b))

    def forward(self, x):
        return self.w * x + self.b  # the logit; the sigmoid belongs to the loss


# %% [markdown]
# ## Both trained from a wrong start
#
# Both models start at $w = -4$, $b = 2$: sure, and mostly wrong. The same steps, the same learning rate. To judge them
# we count the *accuracy*, the share of samples that are classified right. The answer is class 1 where $p > 1/2$, which
# is where $z > 0$.


# %%
def squared_error(logits, y):
    return F.mse_loss(torch.sigmoid(logits), y)


losses = {"squared error": squared_error, "cross-entropy": F.binary_cross_entropy_with_logits}
paths, accuracies, models = {}, {}, {}
for name, loss_of in losses.items():
    models[name] = model = Logistic(-4.0, 2.0)
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

# %%
first = {name: next((s for s, v in enumerate(a) if v >= 0.9), len(a)) for name, a in accuracies.items()}
record.claim(
    "from a wrong start cross-entropy reaches 90 % accuracy in fewer steps",
    f"step {first['cross-entropy']} against {first['squared error']} (150: not reached)",
    first["cross-entropy"] < first["squared error"],
)
record.figure(draw.curves(accuracies, "step", "accuracy", log=False), "9_accuracy")

axis = torch.linspace(-6, 6, 241).unsqueeze(1)
with torch.no_grad():
    learned = {
        name: (axis.flatten().numpy(), torch.sigmoid(models[name](axis)).flatten().numpy())
        for name in ("cross-entropy", "squared error")
    }
record.figure(draw.logistic(x.numpy(), y.numpy(), learned), "9_data_and_fit")

# %% [markdown]
# The picture shows the data, red for class 0 and blue for class 1 (moved up and down a little, so that they do not hide
# one another), and the probability that each model has learned. The *decision boundary* is where the probability
# crosses 1/2: at $w x + b = 0$, that is $x = -b / w$. The curve's steepness says how sure the model is a little beside
# it. A flat curve hedges, and with classes that overlap it should. After 150 steps the squared error's curve is not
# there yet: from this start it has only just unlearned its wrong answer, and says nearly the same of every point.
#
# ## The surfaces, and the paths walked on them
#
# The loss at every point $(w, b)$ of a grid. Colours and contours are logarithmic: from one line to the next the loss
# falls by the same *factor*. Where lines are close together it is steep, where they are far apart it is flat.

# %%
ws, bs = np.linspace(-6, 6, 61), np.linspace(-5, 5, 51)
surfaces, along = {}, {}
with torch.no_grad():
    for name, loss_of in losses.items():
        surfaces[name] = np.array([[loss_of(float(u) * x + float(v), y).item() for u in ws] for v in bs])
        along[name] = surfaces[name][len(bs) // 2]  # the cut at b = 0
record.figure(draw.surfaces(ws, bs, surfaces, paths), "9_surfaces")
pulls = {}
for name, loss_of in losses.items():
    start = Logistic(-4.0, 2.0)
    loss_of(start(x), y).backward()
    pulls[name] = (start.w.grad**2 + start.b.grad**2).sqrt().item()
record.claim(
    "at the start the slope of the squared error is less than a twentieth of the cross-entropy's",
    f"{pulls['squared error']:.3f} and {pulls['cross-entropy']:.3f}",
    pulls["squared error"] < pulls["cross-entropy"] / 20,
)

# %% [markdown]
# Squared error has a high plateau on the left: hardly a line, hardly a slope, and that is where we started. The path is
# a crowd of short steps. Cross-entropy is one valley with a slope everywhere that leads into it, and its first steps
# are long.
#
# That is no accident of these data. Cross-entropy of a linear model is a *convex* function of the weights, for any
# data: it bends upwards everywhere, so it has no second valley and no plateau above the lowest point. Along a line the
# second differences of a convex function are never negative:

# %%
bends = {name: np.diff(values, 2).min() for name, values in along.items()}
record.claim(
    "along b = 0 cross-entropy bends upwards everywhere, squared error does not",
    f"least second difference {bends['cross-entropy']:.1e} and {bends['squared error']:.1e}",
    bends["cross-entropy"] > -1e-5 and bends["squared error"] < -1e-3,
)

# %% [markdown]
# Change one thing: let both start at $w = 0$, $b = 0$ (in `Logistic(-4.0, 2.0)`, twice). Who is first now?
#
# <details><summary>Answer</summary>
#
# Both are there at once: after one step the boundary is about right. Squared error is poor where the model is sure and
# wrong. A network that starts with small weights is rarely that, but a mislabelled sample, or a rare class, brings it
# there.
#
# </details>
#
# ## Several at once: `nn.ModuleList`
#
# A network with several layers is a module that holds modules. Where do they go? A plain Python list hides them: the
# module registers what is assigned to its attributes, and it sees a list, not what lies in it. `parameters()` does not
# find the layers, and the optimizer never moves them; no error says so. A `ModuleList` is a list that registers. Here
# three linear layers, one after the other, each with its own width, and tanh, an S-shaped bend, between them.


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


# %%
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
# - The logit is any number, the sigmoid makes a probability of it, 1/2 decides.
# - Cross-entropy is the negative log-likelihood; its slope by the logit is $p - y$, the error itself.
# - Squared error after a sigmoid carries the factor $p(1-p)$: who is surely wrong hardly learns.
# - Give the logits to `binary_cross_entropy_with_logits`; modules in a list belong in a `ModuleList`.
#
# When would you use this model today? Often. Where features are few and meaningful, logistic regression is the first
# thing to try and sometimes the last, since its weights can be read: with features of the same scale, each says by how
# much it moves the odds.
#
# ## Exercises
#
# In `curriculum/exercises/09_logistic_regression.py`:
#
# 1. *Write it:* `cross_entropy`, by hand from the logit, without overflow.
# 2. *Derive it:* `count_loss`, a loss for counts, from their likelihood.
# 3. *Find the planted bug:* `accuracy`, which is a little off.
#
# Check them: `python -m curriculum check 09`.
#
# ## Further reading
#
# - D. R. Cox, *The Regression Analysis of Binary Sequences*, Journal of the Royal Statistical Society B 20, 1958.
# - C. M. Bishop, *Pattern Recognition and Machine Learning*, section 4.3, Springer 2006.
