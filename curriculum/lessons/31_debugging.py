# %% [markdown]
# # 31. Debugging a training
#
# **A training runs, and does not learn. Where do you look, and in which order?**
#
# A program with a fault usually stops. A training with a fault usually goes on: the loss falls a little, the accuracy
# is somewhat low, and nothing says why. Most of what goes wrong is not in the mathematics of the network at all. It is
# a line that was forgotten, a shape that fitted by accident, or data that came in the wrong order. This lesson collects
# the measurements that tell such faults apart, each a few lines long, and then hands you thirteen trainings with one
# fault each.
#
# A word on method first. Change one thing at a time, keep the seed fixed, and begin with the smallest program that
# shows the fault. A network that is trained on everything for an hour and ends at 83 % has told you almost nothing; the
# same network on sixteen pictures, after two seconds, will often have told you everything.

# %%
import math
import warnings

import numpy as np

from curriculum import draw, patients, record
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)
x, y, x_other, y_other = patients.Training().data()  # (1000, 64), (1000,), and 797 others: digits
model = patients.Training().network()  # 64-32-32-10 with ReLU

# %% [markdown]
# ## 1. The first loss
#
# Before the first step a network knows nothing. With $C$ classes the best that it can do is to say $1/C$ for each, and
# cross-entropy, the mean of $-\ln p$ of the true class, is then
#
# $$ -\ln \frac{1}{C} = \ln C $$
#
# For ten digits that is 2.303. A fresh network's scores (logits) are small and nearly equal, so its first loss should
# lie close to that number. If it is far larger, the network is *sure and wrong* before it has seen anything: the
# initial weights or the inputs are too large. If it is smaller, the answer has leaked into the input. For two classes
# the number is $\ln 2 = 0.693$; for squared error it is the variance of the targets, which is what always answering
# their mean costs. Write the number down before you start a training. It costs nothing, and the first loss misses it
# surprisingly often.

# %%
first = F.cross_entropy(model(x), y).item()
with torch.no_grad():
    huge = F.cross_entropy(model(10_000 * x), y).item()
print(f"ln 10 = {math.log(10):.3f}; first loss {first:.3f}; with inputs up to 10,000: {huge:.0f}")
record.claim("the first loss lies within 5 % of ln 10", first, abs(first / math.log(10) - 1) < 0.05)
record.claim("inputs that were not scaled give it away: more than 50 times that", huge, huge > 50 * math.log(10))

# %% [markdown]
# ## 2. One batch, learned by heart
#
# A network with thousands of weights can learn sixteen pictures by heart, whatever they show, even with labels drawn at
# random. So train on the same small batch again and again: the loss must go to (nearly) zero. If it does not, the fault
# lies in the model, the loss or the update, and not in the data, the size of the network or the length of the training.
# That cuts the search in half, in two seconds.
#
# Below, the same network is trained twice. The second training puts a softmax before `cross_entropy`, which contains
# one already. Its loss falls too, but not to zero: probabilities lie between 0 and 1, so the best that the second
# softmax can be given is a 1 for the true class and 0 for the other nine, and
#
# $$ -\ln \frac{e^1}{e^1 + 9\,e^0} = \ln\!\left(1 + \frac{9}{e}\right) = 1.461 $$
#
# is the floor. A loss that stops at a number of its own wants to be understood, not to be trained longer.

# %%
few = slice(0, 16)
by_heart = {"cross_entropy(scores)": [], "cross_entropy(softmax(scores))": []}
for name, losses in by_heart.items():
    torch.manual_seed(seed)
    model = patients.Training().network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(300):
        scores = model(x[few])
        loss = F.cross_entropy(scores if name == "cross_entropy(scores)" else torch.softmax(scores, dim=1), y[few])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        record.step(name, loss=loss.item(), model=model)
        losses.append(loss.item())

fig = draw.curves(by_heart, "step on the same 16 pictures", "loss")
floor = math.log(1 + 9 / math.e)
fig.axes[0].axhline(floor, color="black", linewidth=0.8, linestyle=":", label=f"ln(1 + 9/e) = {floor:.3f}")
fig.axes[0].legend(frameon=False)
record.figure(fig, "31_one_batch")
good, bad = (losses[-1] for losses in by_heart.values())
record.claim("sixteen pictures are learned by heart: the loss ends below 0.01", good, good < 0.01)
record.claim("with a second softmax it never falls below ln(1 + 9/e)", bad, min(losses) > floor)

# %% [markdown]
# ## 3. Whom does an answer depend on?
#
# The answer to picture 3 must depend on picture 3 alone. A `reshape` where a transpose was meant mixes the rows of a
# batch, and the training goes on, a little worse. Autograd finds it: take one answer, run backward *to the input*, and
# look at which rows received a gradient. (Batch norm in training mode mixes the rows of a batch on purpose: test such a
# network in `eval` mode.)


# %%
def depends_on(model, x, row):
    """The rows of x that the answer to x[row] depends on."""
    x = x.detach().clone().requires_grad_()
    model(x)[row].sum().backward()
    return x.grad.abs().sum(dim=1).nonzero().flatten().tolist()


class Mixed(nn.Module):
    """Meant to put the 64 pixels in another order; the reshape takes them from other pictures instead."""

    def __init__(self):
        super().__init__()
        self.layers = patients.Training().network()

    def forward(self, x):  # (n, 64)
        return self.layers(x.T.reshape(-1, 64))  # same shape, other content


alone, mixed = depends_on(model, x[few], 3), depends_on(Mixed(), x[few], 3)
print("healthy:", alone)
print("mixed:  ", mixed)
record.claim("the healthy network's answer 3 depends on picture 3 alone", str(alone), alone == [3])
record.claim("the mixed one's depends on others", f"{len(mixed)} rows", len(mixed) > 1)

# %% [markdown]
# ## 4. Gradients, updates, units
#
# Look at three numbers for each layer, once in a while:
#
# - **The gradient's norm.** None: the layer is not in the graph, because something was detached or made anew. Exactly
#   0: nothing passes back through it, for example because all its ReLUs are off. Shrinking from layer to layer towards
#   the input: it vanishes (lessons 13 and 17). Growing from step to step while the loss jumps: `zero_grad` was
#   forgotten.
# - **Update to weight**, $\lVert w_{t+1} - w_t \rVert / \lVert w_t \rVert$: by what part of itself one step changes a
#   weight. Around a thousandth is healthy, up to a hundredth in the first steps of a small network. At a tenth the
#   network forgets with each step what it knew; at a millionth it will not get anywhere today. **This is
#   how to choose a learning rate** without a search: take the one that brings this number to about $10^{-3}$, then try
#   one three times larger and one three times smaller. Exactly 0 means that the optimizer holds weights other than the
#   model's.
# - **Dead units**: the share of ReLUs that are 0 for every example. They get no gradient and never wake up.


# %%
def look(model, optimizer, x, y):
    """One step of training, with what it did to each weight matrix: (name, gradient norm, update to weight)."""
    optimizer.zero_grad()
    F.cross_entropy(model(x), y).backward()
    before = {name: w.detach().clone() for name, w in model.named_parameters()}
    optimizer.step()
    return [
        (name, w.grad.norm().item(), ((w.detach() - before[name]).norm() / before[name].norm()).item())
        for name, w in model.named_parameters()
        if w.ndim == 2
    ]


rates = (10.0, 0.1, 0.001, 1e-6)
seen = {}
for rate in rates:
    torch.manual_seed(seed)
    model = patients.Training().network()
    seen[rate] = look(model, torch.optim.SGD(model.parameters(), lr=rate), x[:50], y[:50])
print(f"{'layer':10}{'gradient':>10}" + "".join(f"{f'lr {rate:g}':>12}" for rate in rates) + "   (update to weight)")
for number, (name, gradient, _) in enumerate(seen[0.1]):
    print(f"{name:10}{gradient:10.3f}" + "".join(f"{seen[rate][number][2]:12.1e}" for rate in rates))
record.claim(
    "plain gradient descent: the update is proportional to the rate",
    f"{seen[0.1][0][2]:.1e} and {seen[0.001][0][2]:.1e}", abs(seen[0.1][0][2] / seen[0.001][0][2] - 100) < 1,
)  # fmt: skip

# %% [markdown]
# ## 5. NaN, and where it was born
#
# Once a NaN (not a number) is in a weight, everything is NaN one step later, and the place where it began is no longer
# to be seen. Worse, the first loss may look fine. Here a penalty pulls weights towards where they started, by their
# *distance* $\sqrt{\sum d^2}$. In the first step $d = 0$. The distance is 0, as it should be. But the root's slope at 0
# is $1/(2\sqrt0)$, infinite, times the slope $2d = 0$ of the square: $\infty \cdot 0$ is NaN.
#
# `torch.autograd.detect_anomaly()` watches every operation of the backward pass and stops at the first that returns a
# NaN. It names the operation, and shows the line of the forward pass that made it. It is slow, so it is switched on for
# the search alone. (The cure here: penalize the squared distance, or add a small number under the root.)

# %%
model = patients.Training().network()
start = [w.detach().clone() for w in model.parameters()]


def penalized():
    distance = sum(((w - w0) ** 2).sum() for w, w0 in zip(model.parameters(), start, strict=True)).sqrt()
    return F.cross_entropy(model(x[few]), y[few]) + 0.01 * distance


loss = penalized()
loss.backward()
spoiled = sum(bool(w.grad.isnan().any()) for w in model.parameters())
print(f"the loss looks fine: {loss.item():.3f}; tensors with a NaN in their gradient: {spoiled} of {len(start)}")
said, lines = "", []
with warnings.catch_warnings(
    record=True
) as warned:  # the forward line comes as a long warning: we show that line alone
    warnings.simplefilter("always")
    try:
        with torch.autograd.detect_anomaly():
            penalized().backward()
    except RuntimeError as error:
        said = str(error)
for warning in warned:
    lines += [line.strip() for line in str(warning.message).splitlines() if "distance =" in line]
print(said)
print("made by this line:", lines[0])

# %%
record.claim(
    "the loss is a number and every gradient is NaN", f"{loss.item():.3f}, {spoiled}",
    math.isfinite(loss.item()) and spoiled == len(start),
)  # fmt: skip
record.claim(
    "detect_anomaly names the operation and the line", "PowBackward0" if "PowBackward0" in said else said,
    "PowBackward0" in said and "(w - w0) ** 2" in lines[0],
)  # fmt: skip

# %% [markdown]
# Other ways for a NaN to be born, the most frequent first: a learning rate that is too large (the loss rises first,
# becomes infinite, then NaN: the curve shows it); $\ln 0$ in a hand-written cross-entropy (use the one that takes
# scores); a division by a deviation of 0 (a column of the data that is constant); a NaN in the data themselves
# (`torch.isnan(x).any()`).
#
# ## 6. Shapes that fit by accident
#
# A network with one output gives $(n, 1)$; the truth is often $(n,)$. Their difference is legal: broadcasting makes it
# $(n, n)$, each answer minus *everybody's* truth (lesson 4). The mean of that can be trained, and what it learns is to
# answer the mean of all targets. No error, a loss that falls, and a network that has understood nothing.

# %%
answer, truth = torch.zeros(5, 1), torch.tensor([0.0, 1.0, 2.0, 3.0, 4.0])
print("(n, 1) - (n,) is", tuple((answer - truth).shape), "; squeezed:", tuple((answer.squeeze(1) - truth).shape))
record.claim("a column minus a row is a table", str(tuple((answer - truth).shape)), (answer - truth).shape == (5, 5))

# %% [markdown]
# One `assert output.shape == target.shape` before the loss is worth more than any amount of care.
#
# ## 7. Thirteen patients
#
# One healthy training and thirteen with one fault each, all of the same network on the same digits. Here are their
# losses and the measurements of this lesson. Guess before you read on: which fault has each letter?
# `curriculum/patients.py` holds them, each as a method that differs from the healthy one, and `examine`, which took the
# measurements.

# %%
kinds = list(patients.PATIENTS.values())
order = [0, *(1 + np.random.default_rng(1).permutation(len(kinds) - 1))]  # the healthy one first
curves, table = {}, {}
for letter, number in record.progress(list(zip("ABCDEFGHIJKLMN", order, strict=True)), "patients"):
    curves[letter] = []
    table[letter] = patients.examine(kinds[number], seed, lambda loss, _, to=curves[letter]: to.append(loss.item()))

columns = (
    "first",
    "one batch",
    "last",
    "own",
    "others",
    "without",
    "twice",
    "update",
    "dead",
    "alike",
    "unsteady",
    "known",
)
for some in (columns[:6], columns[6:]):  # in two tables, which fit a page
    print("  " + "".join(f"{name:>10}" for name in some))
    for letter, found in table.items():
        print(f"{letter} " + "".join(f"{found[name]:10.3g}" for name in some))

# %%
fig, axes = draw.pyplot().subplots(2, 7, figsize=(13, 4.2), sharex=True, sharey=True)
for ax, (letter, losses) in zip(axes.flat, curves.items(), strict=True):
    ax.plot(np.minimum(losses, 1e3), color=draw.BLUE, linewidth=1)
    ax.axhline(math.log(10), color="black", linewidth=0.8, linestyle=":")
    ax.set(title=letter if letter != "A" else "A: healthy", yscale="log", ylim=(3e-3, 1e3))
fig.supxlabel("step (dotted: ln 10, the loss of guessing)", fontsize=10)
fig.supylabel("loss on the batch", fontsize=10)
fig.tight_layout()
record.figure(fig, "31_patients")

# %% [markdown]
# What the columns mean, in order: the first loss divided by that of guessing; the loss on one batch learned by heart;
# the loss at the end; the share of right answers on its own pictures and on others; the share of tensors without a
# gradient; how much the gradient grows when backward runs twice and nothing moved (1 is right, 2 means that nobody
# cleared it); update to weight; dead units; the share of units that are copies of one another; whether it gives two
# answers to one question (1: yes); the share of the test pictures that it was trained on.
#
# And here are the answers.

# %%
named = {letter: kinds[number] for letter, number in zip(table, order, strict=True)}
for letter, kind in named.items():
    print(f"{letter}  {kind.__doc__}")
of = {kind.__name__: table[letter] for letter, kind in named.items()}
healthy = of["Training"]
record.claim("the healthy one reads more than 90 % of the other digits", healthy["others"], healthy["others"] > 0.9)
record.claim(
    "cleared gradients come out the same twice, uncleared ones doubled",
    f"{healthy['twice']:.3f} and {of['NoClearing']['twice']:.3f}",
    abs(healthy["twice"] - 1) < 1e-6 and abs(of["NoClearing"]["twice"] - 2) < 1e-6,
)  # fmt: skip

# %%
record.claim(
    "labels that were mixed up are learned by heart from one batch, and worth nothing on others",
    f"one batch {of['MixedLabels']['one batch']:.1e}, others {100 * of['MixedLabels']['others']:.0f} %",
    of["MixedLabels"]["one batch"] < 0.01 and of["MixedLabels"]["others"] < 0.2,
)  # fmt: skip
record.claim(
    "the leak reads more than 90 % too, as a healthy one does: only counting the pictures finds it",
    f"others {100 * of['Leak']['others']:.1f} %, healthy {100 * healthy['others']:.1f} %; {100 * of['Leak']['known']:.0f} % known",
    of["Leak"]["others"] > 0.9 and of["Leak"]["known"] > 0.4,
)  # fmt: skip
record.claim(
    "equal weights stay equal: all units of the layer are copies",
    of["AllTheSame"]["alike"],
    of["AllTheSame"]["alike"] == 1,
)
worse = [name for name, found in of.items() if found["others"] < healthy["others"] - 0.03]
record.claim(
    "twelve of the thirteen lose more than 3 points; none raised an error",
    f"{len(worse)}: {', '.join(worse)}",
    len(worse) >= 12,
)

# %% [markdown]
# Not one of them raised an error, and one, the leak, looks as healthy as A. See which measurement gave each away, and
# you have an order in which to look:
#
# 1. Is the **data** right? Look at ten examples *as the network gets them*, with their labels. Count what training and
#    test have in common.
# 2. Is the **first loss** what guessing costs?
# 3. Is **one batch** learned by heart?
# 4. Does **every parameter** get a gradient, and does every update change it by about a thousandth?
# 5. Are **units** dead, or copies of one another?
# 6. Is the model judged in `eval` mode, under `no_grad`?
# 7. Only now: more data, a larger network, another optimizer.
#
# ## Questions that come up
#
# **The loss does not fall at all.** Points 2 to 4. A rate ten times larger and one ten times smaller tell at once
# whether it is the rate.
#
# **It falls, then jumps up, and falls again.** The rate is a little too large, or a batch holds something strange:
# print the batch on which it jumped. Clipping the gradient's norm (lesson 29) limits the damage.
#
# **Training is fine, the test is poor.** First make sure that both see the same preprocessing and that the model is in
# `eval` mode; then it is overfitting (lesson 16).
#
# **The test is better than the training.** Dropout is on in training and off in the test, which may explain it.
# Otherwise suspect a leak, or a test set that is easier.
#
# **It worked yesterday.** Fix the seed, then halve the difference between the two programs until one line is left.
#
# ## To remember
#
# - A faulty training raises no error. Measure: first loss, one batch, gradients, updates, units.
# - $\ln C$ before the first step; nearly 0 on one batch; about $10^{-3}$ for update to weight.
# - `detect_anomaly` finds the operation in which a NaN was born, even where the loss still looked fine.
#
# ## Exercises
#
# In `curriculum/exercises/31_debugging.py`:
#
# 1. *Derive it:* `floor`, the smallest loss that two softmaxes in a row allow.
# 2. *Write it:* `update_to_weight`, the ratio of the two.
# 3. *Write it:* `mixes_rows`, a test that finds rows that were mixed.
# 4. *Find the planted bug:* `diagnose`, all fourteen from their measurements.
#
# Check them: `python -m curriculum check 31`.
#
# ## Further reading
#
# - A. Karpathy, *A Recipe for Training Neural Networks*, 2019: most of the order above.
# - Y. Bengio, *Practical Recommendations for Gradient-Based Training of Deep Architectures*, 2012.
# - PyTorch: torch.autograd.detect_anomaly.
