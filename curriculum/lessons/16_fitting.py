# %% [markdown]
# # 16. Too little, too much
#
# **When does a network learn the rule, and when only its examples?**
#
# Training makes the loss small on the examples that were given. That is not what you want. You want answers for
# examples that were *not* given, and doing well there is called **generalization**. A network can miss it in two ways.
# One that is too small, or trained too briefly, misses the rule even on its own examples: it **underfits**. One that is
# too free learns its examples by heart, with their accidents: it **overfits**. This lesson measures both, tries two
# remedies, and ends with data where one class is rare, so that the usual measure of success says nothing.

# %%
import math

import numpy as np

from curriculum import draw, record
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)

# %% [markdown]
# ## Too small: the spirals
#
# Two arms wound around one another, and the question is to which arm a point belongs. No straight line helps. Networks
# with two hidden layers of 2, 8 and 32 units try, all for 300 steps. Besides the 200 points that they are trained on
# there are 400 that are **held out**: no network is trained on them, and they tell how it does on what it has not seen.


# %%
def spirals(n):
    turn = (0.25 + 0.75 * torch.rand(n)) * 2.5 * math.pi
    arm = torch.stack([turn * turn.cos(), turn * turn.sin()], dim=1) / 4
    which = (torch.arange(n) % 2).to(arm.dtype)  # 0, 1, 0, 1, ...
    return arm * (1 - 2 * which).unsqueeze(1) + 0.05 * torch.randn(n, 2), which


def plane_of(limit):
    """81 places from -limit to limit, and the (81 * 81, 2) points of the plane that they span."""
    side = np.linspace(-limit, limit, 81)
    return side, torch.tensor(
        np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2), dtype=torch.get_default_dtype()
    )


side, plane = plane_of(2.2)
points, arms = spirals(200)
other_points, other_arms = spirals(400)

# %%
maps, right = {}, {}
for width in record.progress((2, 8, 32), "spirals"):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for step in range(300):
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(model(points).squeeze(1), arms)
        loss.backward()
        optimizer.step()
        if step < 60:
            record.step(f"spirals {width}", loss=loss.item(), model=model)
    with torch.no_grad():
        maps[f"width {width}"] = model(plane).reshape(81, 81).numpy()
        answers = {"own": (model(points), arms), "others": (model(other_points), other_arms)}
    right[width] = {
        part: ((a.squeeze(1) > 0) == (y > 0.5)).to(a.dtype).mean().item() for part, (a, y) in answers.items()
    }
    print(
        f"width {width:2}: {100 * right[width]['own']:5.1f} % right on its own points, {100 * right[width]['others']:5.1f} % on others"
    )
record.figure(draw.borders(maps, side, points.numpy(), arms.numpy()), "16_spirals")
record.claim(
    "width 2 is wrong on more than a tenth of its own spiral points; width 32 is right on 90 % of others",
    f"{100 * right[2]['own']:.1f} % and {100 * right[32]['others']:.1f} %", right[2]["own"] < 0.9 and right[32]["others"] > 0.9,
)  # fmt: skip

# %% [markdown]
# Underfitting shows in the first column: the network fails on what it was trained on. Neither more data nor
# regularization will help. Make it wider or deeper, train longer, or give it better inputs.
#
# Try it: put 1,200 for 300 steps. Does width 2 get there?
#
# <details><summary>Answer</summary>
#
# It gains little. Two units in a layer can fold the plane only so often, and the arms ask for more folds.
#
# </details>
#
# ## Bias and variance
#
# Overfitting needs a sharper look, since it cannot be seen on the network's own examples. Imagine that you could draw
# many training sets from the same source, and train the same network on each. At a point $x$ their answers $\hat f$
# differ. Let $\bar f$ be the mean of the answers, $f^*$ the truth, and $\sigma^2$ the noise, the variance of the
# targets $y$ around the truth, which nobody can predict. $\mathbb{E}$ is the mean over all training sets and all noise.
# Then the mean squared error on new data falls into three parts:
#
# $$ \mathbb{E}\,(y - \hat f)^2 = \underbrace{(\bar f - f^*)^2}_{\text{bias}^2}
#    + \underbrace{\mathbb{E}\,(\hat f - \bar f)^2}_{\text{variance}} + \sigma^2 $$
#
# **Bias** is what even the mean of all networks gets wrong: the network cannot follow the rule. **Variance** says how
# much the answer depends on which examples happened to come. A small example: the truth is 3, and three networks answer
# 2, 4 and 6. Their mean is 4, so bias² is 1; their squared distances from 4 are 4, 0 and 4, so the variance is $8/3$.
# The mean squared distance from the truth is $(1 + 1 + 9)/3 = 11/3$, and that is $1 + 8/3$.
#
# Here are thirty training sets of 24 points each, with noise 0.3 around a sine. All thirty networks of a width are
# trained at once: their weights have a leading dimension of 30, and `@` multiplies batch by batch (lesson 1). The
# networks do not touch one another.

# %%
SETS, POINTS, NOISE = 30, 24, 0.3


def truth(x):
    return torch.sin(2 * x)


x = 4 * torch.rand(SETS, POINTS, 1) - 2  # (30, 24, 1), from -2 to 2
y = truth(x) + NOISE * torch.randn(SETS, POINTS, 1)
grid = torch.linspace(-2, 2, 201).unsqueeze(1)  # (201, 1)


class Networks(nn.Module):
    """As many networks 1-width-width-1 with Tanh as there are training sets, side by side."""

    def __init__(self, width):
        super().__init__()

        def uniform(*shape, fan_in):
            return nn.Parameter((2 * torch.rand(*shape) - 1) * math.sqrt(3 / fan_in))

        self.w1, self.b1 = uniform(SETS, 1, width, fan_in=1), uniform(SETS, 1, width, fan_in=1)
        self.w2, self.b2 = uniform(SETS, width, width, fan_in=width), nn.Parameter(torch.zeros(SETS, 1, width))
        self.w3, self.b3 = uniform(SETS, width, 1, fan_in=width), nn.Parameter(torch.zeros(SETS, 1, 1))

    def forward(self, x):
        h = torch.tanh(x @ self.w1 + self.b1)  # (30, n, width)
        h = torch.tanh(h @ self.w2 + self.b2)
        return h @ self.w3 + self.b3  # (30, n, 1)


# %%
WIDTHS, STEPS = (1, 2, 4, 10, 30), 350
answers, own, bias, variance = {}, {}, {}, {}
for width in record.progress(WIDTHS, "widths"):
    torch.manual_seed(seed)
    networks = Networks(width)
    optimizer = torch.optim.Adam(networks.parameters(), lr=0.02)
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = ((networks(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        if step < 100:
            record.step(f"width {width}", loss=loss.item(), model=networks)
    with torch.no_grad():
        own[width] = ((networks(x) - y) ** 2).mean().item()
        answers[width] = networks(grid.expand(SETS, -1, -1)).squeeze(2)  # (30, 201)
    mean = answers[width].mean(dim=0)
    bias[width] = ((mean - truth(grid).squeeze(1)) ** 2).mean().item()
    variance[width] = answers[width].var(dim=0, unbiased=False).mean().item()

# %%
fig, axes = draw.pyplot().subplots(1, 4, figsize=(13, 3), width_ratios=(1, 1, 1, 1.2))
across = grid.squeeze(1).numpy()
for ax, width in zip(axes, (1, 4, 30), strict=False):
    ax.plot(across, answers[width].T.numpy(), color=draw.GREY, linewidth=0.5, alpha=0.6)
    ax.plot(across, answers[width].mean(dim=0).numpy(), color="#7d4aa8", linewidth=2, label="their mean")
    ax.plot(across, truth(grid).squeeze(1).numpy(), "k--", linewidth=1, label="truth")
    ax.set(title=f"width {width}: 30 networks", xlabel="x", ylim=(-2.2, 2.2))
axes[0].set_ylabel("y")
axes[0].legend(frameon=False, fontsize=8)
new = {width: bias[width] + variance[width] + NOISE**2 for width in WIDTHS}
for name, values, color in (
    ("trained on", own, draw.BLUE), ("new examples", new, draw.ORANGE), ("bias²", bias, "#7d4aa8"), ("variance", variance, draw.GREY),
):  # fmt: skip
    axes[3].plot(WIDTHS, [values[w] for w in WIDTHS], "o-", color=color, label=name, markersize=4)
axes[3].axhline(NOISE**2, color="black", linewidth=0.8, linestyle=":")
axes[3].set(xlabel="width", ylabel="squared error (dots: noise)", xscale="log", yscale="log")
axes[3].set_ylim(bottom=5e-5)
axes[3].legend(frameon=False, fontsize=8, loc="lower left")
fig.tight_layout()
record.figure(fig, "16_bias_and_variance")

# %%
best = min(WIDTHS, key=new.get)
print(f"{'width':>6}{'own':>9}{'new':>9}{'bias²':>9}{'variance':>10}")
for w in WIDTHS:
    print(f"{w:6}{own[w]:9.3f}{new[w]:9.3f}{bias[w]:9.4f}{variance[w]:10.4f}")
record.claim(
    "from width 1 to 4 bias² falls to less than a twentieth, from 4 to 30 variance grows",
    f"{bias[1]:.3f} to {bias[4]:.3f}, {variance[4]:.3f} to {variance[30]:.3f}",
    bias[4] < bias[1] / 20 and variance[30] > 1.1 * variance[4],
)
record.claim(
    "width 30 fits its own examples best and is beaten on new ones by a smaller network",
    f"own {own[30]:.3f}, new {new[30]:.3f}; best on new: width {best} with {new[best]:.3f}",
    own[30] == min(own.values()) and best not in (1, 30),
)

# %% [markdown]
# These are the textbook's curves, with a difference: the narrowest networks vary as well. Each of the thirty took
# another of the sine's slopes for the whole. In practice you have one training set and cannot take a mean over thirty.
# What you can see are two losses: on the examples trained on, and on examples held out. If both are high, that is bias.
# If the first is low and the second is high, that is variance.
#
# ## Remedies: L2 and dropout
#
# Three things lower variance: more data, a smaller network, and **regularization**, any change of the training that
# makes the network less free. Two kinds are common.
#
# **L2** adds the squared weights to the loss: $L + \frac\lambda2 \sum w^2$. The slope of the second part at a weight
# $w$ is $\lambda w$, so each step pulls each weight towards 0, more so the larger it is. Optimizers call this
# `weight_decay`. With $\lambda = 0.01$ a weight of 2 gets a slope of 0.02 on top of its own. It takes large weights to
# bend sharply, and a bend around one single point is what learning by heart looks like.
#
# **Dropout** sets each hidden unit to 0 with probability one half in every training step, and doubles the others to
# make up for it. No unit can rely on one other unit, so the network learns something like the mean of many networks.
# After training nothing is dropped.
#
# The data: points of the plane, class 1 inside a circle. Of the labels that are trained on, 15 in 100 are wrong. The
# network is far too large for 100 points, 2-64-64-1. The held-out points have true labels. As in lesson 14, ten
# networks, each with points of its own, are trained side by side, so that a difference can be held against its spread
# over seeds.


# %%
SEEDS, WIDTH = 10, 64


def disc(n):
    x = torch.randn(SEEDS, n, 2)
    return x, ((x**2).sum(dim=2) < 1.4).to(x.dtype)


torch.manual_seed(100 + seed)
x, clean = disc(100)
y = torch.where(torch.rand(SEEDS, 100) < 0.15, 1 - clean, clean)
x_other, y_other = disc(1000)


def start():
    """Weights of ten networks 2-64-64-1, drawn as lesson 17 explains; the same ones at each call."""
    torch.manual_seed(200 + seed)
    sizes = ((2, WIDTH), (WIDTH, WIDTH), (WIDTH, 1))
    layers = [((2 * torch.rand(SEEDS, m, n) - 1) * math.sqrt(6 / m), torch.zeros(SEEDS, 1, n)) for m, n in sizes]
    return [p.requires_grad_() for layer in layers for p in layer]


def score(weights, x, drop=0.0):
    w1, b1, w2, b2, w3, b3 = weights
    h = F.dropout(F.relu(x @ w1 + b1), drop)
    h = F.dropout(F.relu(h @ w2 + b2), drop)
    return (h @ w3 + b3).squeeze(2)  # (10, n)


def losses(weights, x, y):
    return F.binary_cross_entropy_with_logits(score(weights, x), y, reduction="none").mean(dim=1).numpy()  # (10,)


# %%
REMEDIES = {"plain": (0.0, 0.0), "L2, 0.01": (0.01, 0.0), "L2, 0.1": (0.1, 0.0), "dropout, 0.5": (0.0, 0.5)}
curves, found, maps = {}, {}, {}
side, plane = plane_of(3)
for name, (decay, drop) in record.progress(REMEDIES.items(), "remedies"):
    weights = start()
    optimizer = torch.optim.Adam(weights, lr=0.02, weight_decay=decay)
    curves[name] = []
    for step in range(200):
        optimizer.zero_grad()
        loss = SEEDS * F.binary_cross_entropy_with_logits(score(weights, x, drop), y)
        loss.backward()
        optimizer.step()
        if step < 60:
            record.step(name, loss=loss.item(), params=weights)
        if step % 10 == 9:
            with torch.no_grad():
                curves[name].append((losses(weights, x, y), losses(weights, x_other, y_other)))
    with torch.no_grad():
        right = ((score(weights, x_other) > 0) == (y_other > 0.5)).to(x.dtype).mean(dim=1).numpy()
        maps[name] = score([w[:1] for w in weights], plane.unsqueeze(0))[0].reshape(81, 81).numpy()
        size = float(np.sqrt(np.mean([(w**2).mean().item() for w in weights[::2]])))
    found[name] = 100 * right, curves[name][-1][1], curves[name][-1][0], size

# %% [markdown]
# The first picture shows the border of one of the ten networks under each remedy, with the true circle dashed. The
# second shows the losses of all ten.

# %%
rule = 1.4 - (side[None] ** 2 + side[:, None] ** 2)
record.figure(draw.borders(maps, side, x[0].numpy(), y[0].numpy(), rule), "16_smoother")
fig, axes = draw.pyplot().subplots(1, 4, figsize=(11.6, 3), sharey=True)
for ax, (name, curve) in zip(axes, curves.items(), strict=True):
    for part, color, label in ((0, draw.BLUE, "trained on"), (1, draw.ORANGE, "held out")):
        ax.plot(np.arange(10, 201, 10), [point[part] for point in curve], color=color, linewidth=0.7, alpha=0.7)
        ax.plot([], [], color=color, label=label)
    ax.set(xlabel="step", yscale="log", ylim=(0.02, 4))
    ax.set_title(f"{name}: {found[name][0].mean():.1f} % right", fontsize=10)
axes[0].set_ylabel("cross-entropy")
axes[0].legend(frameon=False, fontsize=8, loc="lower left")
fig.tight_layout()
record.figure(fig, "16_remedies")


# %%
def gain(name, part):
    """Mean and half the 95 % interval of the paired differences from plain, over the ten seeds (lesson 14)."""
    d = found[name][part] - found["plain"][part]
    return float(d.mean()), 2.262 * float(d.std(ddof=1)) / math.sqrt(SEEDS)


for name, (right, other, own_loss, size) in found.items():
    print(
        f"{name:13} {right.mean():5.1f} % right, loss {own_loss.mean():.3f} own, {other.mean():.3f} others, typical weight {size:.3f}"
    )
(l2, l2_half), (dropped, dropped_half), (strong, strong_half) = (
    gain(n, 0) for n in ("L2, 0.01", "dropout, 0.5", "L2, 0.1")
)

# %%
record.claim(
    "without a remedy the loss on others is more than four times that on the networks' own points, and larger in all ten seeds",
    f"{found['plain'][1].mean():.2f} against {found['plain'][2].mean():.3f}", found["plain"][1].mean() > 4 * found["plain"][2].mean() and (found["plain"][1] > found["plain"][2]).all(),
)  # fmt: skip
record.claim(
    "L2 of 0.01 gains accuracy on others: the whole interval lies above 0",
    f"{l2:+.1f} ± {l2_half:.1f} points (dropout: {dropped:+.1f} ± {dropped_half:.1f})", l2 > l2_half,
)  # fmt: skip
both = [gain(n, 1) for n in ("L2, 0.01", "dropout, 0.5")]
record.claim(
    "both lower the loss on others: each whole interval lies below 0",
    ", ".join(f"{mean:+.2f} ± {half:.2f}" for mean, half in both), all(mean + half < 0 for mean, half in both),
)  # fmt: skip
record.claim(
    "L2 of 0.1 is too much: accuracy falls, and the loss on its own points is the highest of the four",
    f"{strong:+.1f} ± {strong_half:.1f} points, own loss {found['L2, 0.1'][2].mean():.3f}",
    strong + strong_half < 0 and found["L2, 0.1"][2].mean() == max(f[2].mean() for f in found.values()),
)

# %% [markdown]
# Plain, the network draws bays around wrong labels. Its own loss keeps falling, while the loss on others falls at first
# and then rises: that is what overfitting looks like. L2 takes the bays away: the border becomes smooth, because sharp
# corners need large weights. With ten times as much of it, there is no border left: the weights have shrunk until the
# network says nearly the same everywhere. The remedy for overfitting has become underfitting.
#
# Look at what the remedies do to the *blue* curves: they rise. A remedy costs on the examples trained on, and it pays
# only if the orange curve gains. So it must be chosen on held-out data: try 0, 0.001, 0.01 and 0.1, and keep the best.
# Where a network does not overfit, L2 costs and brings nothing; lesson 14 measured that. With plain SGD L2 and weight
# decay are the same; with Adam they are not, which is why `AdamW` exists (lesson 6).
#
# Try it: give the training 1,000 points in place of 100 (in two places). What is left of the remedies' gain?
#
# <details><summary>Answer</summary>
#
# All of it is gone, and the loss on others is even lowest without a remedy: more data is the best regularizer. (The
# claims above then fail, as they should.)
#
# </details>
#
# ## A rare class
#
# So far accuracy, the share of right answers, was a fair measure. It is not when the classes are **unbalanced**. Take
# 1,000 people, 50 of them ill, and two measurements that overlap. A classifier that says "healthy" to everyone is right
# in 95 % of the cases, and useless. Two other shares tell more. **Recall**: of the ill, how many are found?
# **Precision**: of the alarms, how many are right? If 40 alarms are raised and 30 of them are ill people, precision is
# $30/40 = 0.75$ and recall is $30/50 = 0.6$.
#
# In the loss, 950 healthy people pull on the border and 50 ill ones pull against them. `pos_weight=19` lets every ill
# one count as much as 19 healthy ones, so that both classes pull alike. Others draw the rare class more often into the
# batches, with the same aim.


# %%
def people(healthy, ill):
    points = torch.cat([torch.randn(healthy, 2), torch.randn(ill, 2) + 1.5])
    return points, torch.cat([torch.zeros(healthy), torch.ones(ill)])


(p, is_ill), (p_new, is_ill_new) = people(950, 50), people(9500, 500)
found, lines = {}, {}
for name, pos_weight in (("as they come", 1.0), ("balanced", 19.0)):
    torch.manual_seed(seed)
    model = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(model(p).squeeze(1), is_ill, pos_weight=torch.tensor(pos_weight))
        loss.backward()
        optimizer.step()
        record.step(name, loss=loss.item(), model=model)
    with torch.no_grad():
        alarm = model(p_new).squeeze(1) > 0
    hits = (alarm & (is_ill_new == 1)).sum().item()
    right = (alarm == (is_ill_new == 1)).sum().item() / len(p_new)
    found[name] = right, hits / 500, hits / max(1, alarm.sum().item())
    lines[name] = [*model.weight.detach().flatten().tolist(), model.bias.item()]

print(f"{'':14}{'accuracy':>10}{'recall':>8}{'precision':>11}")
for name, (right, recall, precision) in found.items():
    print(f"{name:14}{100 * right:9.1f}%{100 * recall:7.1f}%{100 * precision:10.1f}%")

# %%
fig, ax = draw.pyplot().subplots(figsize=(5.4, 4.2))
ax.plot(*p[is_ill == 0].T.numpy(), ".", color=draw.GREY, markersize=3, label="healthy")
ax.plot(*p[is_ill == 1].T.numpy(), ".", color=draw.ORANGE, markersize=6, label="ill")
for (name, (a, b, c)), style in zip(lines.items(), ("-", "--"), strict=True):
    across = np.array([-4.0, 5.0])
    ax.plot(across, -(a * across + c) / b, style, color=draw.BLUE, label=f"border, {name}")
ax.set(xlabel="first measurement", ylabel="second measurement", xlim=(-3.5, 4.5), ylim=(-3.5, 4.5))
ax.legend(frameon=False, fontsize=8, loc="lower left")
record.figure(fig, "16_a_rare_class")
record.claim(
    "as they come: accuracy above 95 %, yet less than half of the ill are found",
    f"{100 * found['as they come'][0]:.1f} %, recall {100 * found['as they come'][1]:.0f} %",
    found["as they come"][0] > 0.95 and found["as they come"][1] < 0.5,
)
record.claim(
    "balanced: more than three quarters are found, at the price of accuracy and precision",
    f"recall {100 * found['balanced'][1]:.0f} %, accuracy {100 * found['balanced'][0]:.1f} %, precision {100 * found['balanced'][2]:.0f} %",
    found["balanced"][1] > 0.75
    and found["balanced"][0] < found["as they come"][0]
    and found["balanced"][2] < found["as they come"][2],
)

# %% [markdown]
# Balancing moves the border; it adds no knowledge. The probabilities of a balanced classifier are no longer those of
# the world either: it behaves as if every second person were ill. Which border is right depends on what a missed
# patient and a false alarm cost. Lesson 32 moves the threshold instead of the weights, and counts the costs.
#
# ## To remember
#
# - Both losses high: underfitting. Make the network larger, or train it longer.
# - Own loss low, held-out loss high and rising: overfitting. More data, a smaller network, L2, dropout, or an early
#   stop.
# - Bias falls and variance grows with freedom. Every remedy trades some bias for less variance, and too much of it
#   underfits.
# - Judge a remedy by data held out, over several seeds.
# - With rare classes report recall and precision, and say what was balanced.
#
# ## Exercises
#
# In `curriculum/exercises/16_fitting.py`:
#
# 1. *Write it:* `precision_and_recall`.
# 2. *Write it:* `bias_and_variance`.
# 3. *Find the planted bug:* `best_decay`, which chooses the strength of L2, and chooses badly.
#
# Check them: `python -m curriculum check 16`.
#
# ## Further reading
#
# - S. Geman, E. Bienenstock, R. Doursat, *Neural Networks and the Bias/Variance Dilemma*, Neural Computation 4, 1992.
# - N. Srivastava et al., *Dropout: A Simple Way to Prevent Neural Networks from Overfitting*, JMLR 15, 2014.
# - M. Belkin et al., *Reconciling Modern Machine-Learning Practice and the Classical Bias-Variance Trade-off*, PNAS
#   116, 2019: with far more weights than examples the error falls again.
