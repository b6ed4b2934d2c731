# %% [markdown]
# # 14. Three small networks
#
# **What can three experiments with one run each tell us?**
#
# A learner trained three networks, once each, and drew conclusions. We have the table of results, not the data. So we
# make data of the same kind, repeat the experiments over ten seeds, and see which conclusions hold. A network 2-4-1 has
# two inputs, four hidden units and one output: $4 \cdot (2 + 1) + 1 \cdot (4 + 1) = 17$ numbers to learn (lesson 7).
#
# | experiment | network | parameters | loss | regularization | samples | final loss |
# | --- | --- | --- | --- | --- | --- | --- |
# | 1 | 2-4-1 | 17 | BCE | none | 1,000 | 0.62 |
# | 2 | 3-5-1 | 26 | MSE | none | 1,500 | 0.17 |
# | 3 | 4-7-1 | 43 | MSE | L2, weight decay 0.01 | not given, here 1,000 | 0.67 |
#
# ReLU in the hidden layer, sigmoid at the output, Adam with learning rate 0.001, 80 % to train on, 5 % of the labels
# wrong. **Weight decay** pulls every weight a little towards 0 in each step; it is also called L2, and lesson 16 shows
# what it is good for. The conclusions: "MSE outperformed BCE", "more data beats bigger models",
# "L2 hurts when nothing overfits".

# %%
import math

import numpy as np

from curriculum import draw, record
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)

# %% [markdown]
# ## The units of a loss
#
# MSE is the mean squared error, BCE the binary cross-entropy of lesson 9. 0.17 and 0.62 cannot be compared: one is a
# squared distance of probabilities, the other a surprise in nats, the unit that the natural logarithm measures surprise
# in. A model that always says one half has MSE 0.25 and BCE $\ln 2 = 0.693$, and that is the same model. Seen so, 0.62
# is little better than guessing, and a squared error of 0.67 is *worse* than guessing: no trained sigmoid should end
# there, so it was another quantity, or a mistake. From here on every model is measured by the same three: accuracy,
# BCE, MSE, on samples held out.

# %%
half, either = torch.full((100,), 0.5), torch.arange(100).remainder(2).to(torch.get_default_dtype())
guess_bce, guess_mse = F.binary_cross_entropy(half, either).item(), F.mse_loss(half, either).item()
record.claim(
    "always one half: BCE ln 2, MSE 1/4",
    f"{guess_bce:.4f}, {guess_mse:.4f}",
    abs(guess_bce - math.log(2)) < 1e-6 and guess_mse == 0.25,
)

# %% [markdown]
# ## The three, once, in plain code
#
# `hidden_pattern` is the rule: a score made of the features, which is positive for label 1. The networks do not know
# it. 5 % of the labels are turned around, so no network can be right in more than 95 % of the held-out cases, except by
# luck.


# %%
def hidden_pattern(x):
    """A score that is not linear in the features; its sign is the label."""
    return x[..., 0] * x[..., 1] + 0.5 * torch.sin(2 * x[..., -1]) + 0.3 * x[..., 0]


def samples(*shape):
    x = torch.randn(*shape)
    y = (hidden_pattern(x) > 0).to(x.dtype)
    wrong = torch.rand(*shape[:-1]) < 0.05
    return x, torch.where(wrong, 1 - y, y)


# %%
LOSSES = {"BCE": F.binary_cross_entropy, "MSE": F.mse_loss}
EXPERIMENTS = {1: (2, 4, "BCE", 0.0, 1000), 2: (3, 5, "MSE", 0.0, 1500), 3: (4, 7, "MSE", 0.01, 1000)}
curves, counts, models = {}, {}, {}
for number, (features, hidden, loss_name, decay, size) in record.progress(EXPERIMENTS.items(), "experiments"):
    x, y = samples(size, features)
    train, held_out = slice(0, size * 4 // 5), slice(size * 4 // 5, None)
    model = nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, 1), nn.Sigmoid())
    counts[number] = sum(p.numel() for p in model.parameters())
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, weight_decay=decay)
    loss_of = LOSSES[loss_name]
    own, other = [], []
    for epoch in range(500):
        optimizer.zero_grad()
        loss = loss_of(model(x[train]).squeeze(1), y[train])
        loss.backward()
        optimizer.step()
        own.append(loss.item())
        if epoch % 5 == 4:
            with torch.no_grad():
                other.append(loss_of(model(x[held_out]).squeeze(1), y[held_out]).item())
        record.step(f"experiment {number}", loss=loss.item(), model=model)
    curves[number] = own, other
    models[number] = model, x, y

# %%
record.claim(
    "they have 17, 26 and 43 parameters",
    f"{', '.join(map(str, counts.values()))}",
    list(counts.values()) == [17, 26, 43],
)

fig, axes = draw.pyplot().subplots(1, 3, figsize=(11, 3))
for ax, (number, (own, other)) in zip(axes, curves.items(), strict=True):
    features, hidden, loss_name, _, _ = EXPERIMENTS[number]
    ax.plot(own, color=draw.BLUE, label="trained on")
    ax.plot(range(4, 500, 5), other, color=draw.ORANGE, label="held out")
    ax.axhline(
        guess_bce if loss_name == "BCE" else guess_mse,
        color="black",
        linewidth=0.8,
        linestyle=":",
        label="always one half",
    )
    ax.set(title=f"{number}: {features}-{hidden}-1", xlabel="epoch", ylabel=loss_name)
axes[0].legend(frameon=False, fontsize=8)
fig.tight_layout()
record.figure(fig, "14_once")

# %% [markdown]
# How to read such curves:
#
# - both still falling at the end: not trained to the end, underfitting so far;
# - both level and close: as far as this network gets with these data (healthy, if it is good enough);
# - own falls, held out rises: overfitting.
#
# All three fall to the last epoch: at a learning rate of 0.001, 500 full-batch epochs are too few. Whatever was
# concluded from losses of such runs was concluded before the networks had learned. In the words of lesson 16 they
# **underfit**: they are wrong on the very examples that they are trained on. Their width may be enough; they lack time.

# %%
slope = {number: (own[-100] - own[-1]) / own[-1] for number, (own, _) in curves.items()}
record.claim(
    "after 500 epochs at 0.001 all three still fall, by more than 1 % in the last 100 epochs",
    ", ".join(f"{100 * s:.1f} %" for s in slope.values()), min(slope.values()) > 0.01,
)  # fmt: skip

# %% [markdown]
# What does it look like? The first network has two inputs, so its data and what it learned can be drawn over the plane:
# blue where it answers 1, red where it answers 0, white where it cannot tell. The dashed line is the border of the
# hidden pattern. On the left the network after those 500 epochs. On the right a copy of it, trained on for 400 more at
# a learning rate of 0.02.

# %%
side = np.linspace(-3, 3, 81)
plane = torch.tensor(np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2), dtype=torch.get_default_dtype())
model, x, y = models[1]


def score_map():
    with torch.no_grad():
        return model[:3](plane).reshape(81, 81).numpy()  # the logit: all but the sigmoid


maps = {"500 epochs at 0.001": score_map()}
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
for _ in range(400):
    optimizer.zero_grad()
    loss = F.binary_cross_entropy(model(x[:800]).squeeze(1), y[:800])
    loss.backward()
    optimizer.step()
maps["and 400 at 0.02"] = score_map()
record.figure(
    draw.borders(maps, side, x[:800].numpy(), y[:800].numpy(), hidden_pattern(plane).reshape(81, 81).numpy()), "14_fit"
)
with torch.no_grad():
    final = F.binary_cross_entropy(model(x[800:]).squeeze(1), y[800:]).item()
record.claim(
    "trained on, the first network's loss on samples held out falls further, by more than 0.02",
    f"{curves[1][1][-1]:.3f} to {final:.3f}", final < curves[1][1][-1] - 0.02,
)  # fmt: skip

# %% [markdown]
# The border is made of straight pieces, one fold for each hidden unit with ReLU. Four folds cannot follow the curved
# pattern everywhere: this network has a **bias** (lesson 16), whatever the training. Try it: put 16 for 4 in the row of
# experiment 1 and look at the right picture again. (The count of parameters then fails, as it should.)
#
# ## Ten seeds at once
#
# A **seed** is where the random numbers begin; another seed means other data and other first weights. If a result holds
# for one seed only, it says something about that seed. From here on each experiment is repeated ten times, with other
# data, other weights. The ten networks are trained side by side, their weights in a leading dimension of ten (as in
# lesson 16's thirty), at learning rate 0.02, 250 epochs, so that they come to their end.

# %%
SEEDS, EPOCHS = 10, 250


def repeat(features, hidden, loss_name, decay=0.0, train=800, name=None):
    """Train ten networks; returns accuracy, BCE and MSE on 1,000 samples held out, each of shape (10,)."""
    torch.manual_seed(1000 + seed)  # the same data and weights, whatever the loss and the decay
    x, y = samples(SEEDS, train, features)
    x_other, y_other = samples(SEEDS, 1000, features)
    singles = [(nn.Linear(features, hidden), nn.Linear(hidden, 1)) for _ in range(SEEDS)]
    w1, b1 = torch.stack([a.weight.T for a, _ in singles]), torch.stack([a.bias for a, _ in singles]).unsqueeze(1)
    w2, b2 = torch.stack([b.weight.T for _, b in singles]), torch.stack([b.bias for _, b in singles]).unsqueeze(1)
    weights = [w.detach().requires_grad_() for w in (w1, b1, w2, b2)]

    def model(x):
        w1, b1, w2, b2 = weights
        return torch.sigmoid(F.relu(x @ w1 + b1) @ w2 + b2).squeeze(2)  # (10, n)

    optimizer = torch.optim.Adam(weights, lr=0.02, weight_decay=decay)
    for epoch in range(EPOCHS):
        optimizer.zero_grad()
        loss = SEEDS * LOSSES[loss_name](model(x), y)  # the sum of the ten means: each network has its own
        loss.backward()
        optimizer.step()
        if name and epoch < 100:
            record.step(name, loss=loss.item(), params=weights)
    with torch.no_grad():
        p = model(x_other)
        right = ((p > 0.5) == (y_other > 0.5)).to(p.dtype).mean(dim=1)
        bce = F.binary_cross_entropy(p, y_other, reduction="none").mean(dim=1)
        mse = ((p - y_other) ** 2).mean(dim=1)
    return np.stack([q.numpy().astype(np.float64) for q in (100 * right, bce, mse)])  # (3, 10)


# %%
def interval(values):
    """Mean and half the width of its 95 % interval (Student's t with 9 degrees of freedom)."""
    return values.mean(), 2.262 * values.std(ddof=1) / math.sqrt(len(values))


# %% [markdown]
# ### "MSE outperformed BCE"
#
# Each network with both losses, on the same data, from the same weights; so the ten differences are **paired**. Why
# this matters: seeds differ by many points from one another, since some data sets are harder. The difference within a
# seed does not contain that.
#
# From ten differences $d_i$ follow their mean and the 95 % **interval** around it, $\bar d \pm 2.262\, s / \sqrt{10}$,
# with $s$ their standard deviation; 2.262 belongs to ten values. An example: differences of 1, 2, 3, 1, 2, 3, 1, 2, 3
# and 2 points have mean 2 and $s = 0.82$, so the interval is 2 ± 0.6. It lies above 0, and the gain is hardly luck.
# Where an interval contains 0, ten seeds cannot tell.

# %%
table = {}
for number, (features, hidden, *_) in record.progress(EXPERIMENTS.items(), "losses"):
    for loss_name in LOSSES:
        table[number, loss_name] = repeat(features, hidden, loss_name, name=f"{features}-{hidden}-1 with {loss_name}")
print(f"{'network':10}{'trained with':14}{'accuracy':>10}{'BCE':>9}{'MSE':>9}")
for (number, loss_name), found in table.items():
    right, bce, mse = found.mean(axis=1)
    print(f"{EXPERIMENTS[number][0]}-{EXPERIMENTS[number][1]}-1     {loss_name:14}{right:9.1f}%{bce:9.3f}{mse:9.3f}")
by_loss = {number: interval(table[number, "MSE"][0] - table[number, "BCE"][0]) for number in EXPERIMENTS}

# %% [markdown]
# ### "More data beats bigger models"
#
# Network 4-7-1 as the middle: a quarter and four times the samples, half and twice the hidden units.

# %%
TRAIN, HIDDEN = (100, 400, 1600), (3, 7, 14)
whole, grid = {}, {}  # all three measures, and accuracy alone
for size in record.progress(TRAIN, "sizes"):
    for hidden in HIDDEN:
        whole[size, hidden] = repeat(4, hidden, "BCE", train=size)
        grid[size, hidden] = whole[size, hidden][0]
print(f"{'accuracy':>10}" + "".join(f"{f'4-{h}-1':>10}" for h in HIDDEN))
for size in TRAIN:
    print(f"{size:10}" + "".join(f"{grid[size, h].mean():9.1f}%" for h in HIDDEN))
more_data = interval(grid[1600, 7] - grid[400, 7])
more_units = interval(grid[400, 14] - grid[400, 7])
from_little = interval(grid[400, 7] - grid[100, 7])
from_narrow = interval(grid[400, 7] - grid[400, 3])

# %% [markdown]
# ### "L2 hurts when nothing overfits"
#
# Network 4-7-1 with weight decay 0.01 and without: with 1,600 samples, where nothing overfits, and with 40, where it
# does.

# %%
decayed = {}
for size in record.progress((1600, 40), "L2"):
    without = whole[size, 7] if (size, 7) in whole else repeat(4, 7, "BCE", train=size)
    with_decay = repeat(4, 7, "BCE", decay=0.01, train=size)
    decayed[size] = interval(with_decay[0] - without[0]), interval(with_decay[1] - without[1])
    print(
        f"{size:5} samples: accuracy {without[0].mean():.1f} % to {with_decay[0].mean():.1f} %, BCE {without[1].mean():.3f} to {with_decay[1].mean():.3f}"
    )

# %%
shown = {
    **{f"MSE instead of BCE, {EXPERIMENTS[n][0]}-{EXPERIMENTS[n][1]}-1": by_loss[n] for n in EXPERIMENTS},
    "100 to 400 samples, 4-7-1": from_little,
    "400 to 1,600 samples, 4-7-1": more_data,
    "3 to 7 hidden units, 400 samples": from_narrow,
    "7 to 14 hidden units, 400 samples": more_units,
    "L2, 1,600 samples": decayed[1600][0],
    "L2, 40 samples": decayed[40][0],
}
fig, ax = draw.pyplot().subplots(figsize=(8, 3.8))
for place, (mean, width) in enumerate(shown.values()):
    color = draw.GREY if abs(mean) < width else draw.BLUE if mean > 0 else "#a01b2c"
    ax.errorbar(mean, place, xerr=width, fmt="o", color=color, capsize=3)
ax.axvline(0, color="black", linewidth=0.8)
ax.set(
    yticks=range(len(shown)),
    xlabel="change of accuracy on samples held out, percentage points, 95 % interval of ten seeds",
)
ax.set_yticklabels(shown)
ax.invert_yaxis()
fig.tight_layout()
record.figure(fig, "14_what_changes_the_accuracy")
for what, (mean, width) in shown.items():
    print(f"{what:34}{mean:+6.1f} ± {width:.1f} points")

# %% [markdown]
# ## What holds
#
# **"MSE outperformed BCE"** depends on who measures. By accuracy the networks trained with MSE are level or a little
# better: one label in twenty is wrong, and squared error, which is bounded, does not let those labels pull. By BCE they
# are worse in most pairs, and in some seeds by far: where they err they are much too sure of themselves. A few such
# seeds make the mean's interval wide; so we count pairs. The comparison of a 0.17 with a 0.62 showed none of this.

# %%
bce_gap = {number: table[number, "MSE"][1] - table[number, "BCE"][1] for number in EXPERIMENTS}
for number, gap in bce_gap.items():
    mean, width = interval(gap)
    print(
        f"experiment {number}: BCE {mean:+.2f} ± {width:.2f} when trained with MSE, worse in {(gap > 0).sum()} of 10 seeds"
    )
worse = sum(int((gap > 0).sum()) for gap in bce_gap.values())
record.claim("judged by BCE, training with BCE is better in at least 20 of the 30 pairs", f"in {worse}", worse >= 20)
record.claim(
    "judged by accuracy, the two losses lie within 5 points",
    ", ".join(f"{mean:+.1f} ± {width:.1f}" for mean, width in by_loss.values()), max(abs(mean) for mean, _ in by_loss.values()) < 5,
)  # fmt: skip

# %% [markdown]
# **"More data beats bigger models"** holds where data are few and the network is large enough: from 4-7-1 with 100
# samples, four times the data leads much further than twice the units. It fades: from 400 samples on the picture's
# intervals come close to 0 or contain it, and ten seeds can hardly tell. And it does not hold for a network that is too
# small: three hidden units with 1,600 samples stay far behind seven with 400.

# %%
ahead = interval(grid[400, 7] - grid[100, 14])
record.claim(
    "4-7-1 with 400 samples beats 4-14-1 with 100: the whole interval lies above 0",
    f"{ahead[0]:+.1f} ± {ahead[1]:.1f} points", ahead[0] > ahead[1],
)  # fmt: skip
small = interval(grid[1600, 3] - grid[400, 7])
record.claim(
    "4-3-1 with 1,600 samples stays behind 4-7-1 with 400",
    f"{small[0]:+.1f} ± {small[1]:.1f} points",
    small[0] + small[1] < 0,
)

# %% [markdown]
# **"L2 hurts when nothing overfits"** holds, and strongly: a weight decay of 0.01 is large for Adam, and the network
# can no longer bend as it must. Where the network does overfit, with 40 samples, the same decay leaves the accuracy as
# it was and cuts the BCE to a fraction: it takes the false certainty away.

# %%
record.claim(
    "weight decay 0.01 costs accuracy with 1,600 samples: the whole interval lies below 0",
    f"{decayed[1600][0][0]:+.1f} ± {decayed[1600][0][1]:.1f} points", sum(decayed[1600][0]) < 0,
)  # fmt: skip
record.claim(
    "with 40 samples it lowers the BCE: the whole interval lies below 0",
    f"{decayed[40][1][0]:+.2f} ± {decayed[40][1][1]:.2f}", sum(decayed[40][1]) < 0,
)  # fmt: skip

# %% [markdown]
# ## To remember
#
# - Losses in different units cannot be compared. Measure all models by the same figures, on samples held out.
# - One run is an anecdote. Repeat over seeds, pair what can be paired, draw the interval.
# - Change one thing at a time: the three experiments differ in features, units, loss, data and decay at once.
# - Look whether the curve still falls before you judge the model.
#
# ## Exercises
#
# In `curriculum/exercises/14_three_networks.py`:
#
# 1. *Write it:* `compare`, the paired comparison.
# 2. *Derive it:* `constant_scores`, what a model is worth that gives everyone the same answer.
# 3. *Find the planted bug:* `report`, which reports too good an accuracy.
#
# Check them: `python -m curriculum check 14`.
#
# ## Further reading
#
# - X. Bouthillier et al., *Accounting for Variance in Machine Learning Benchmarks*, MLSys 2021.
# - L. Hui, M. Belkin, *Evaluation of Neural Architectures Trained with Square Loss vs Cross-Entropy in Classification
#   Tasks*, ICLR 2021.
# - I. Loshchilov, F. Hutter, *Decoupled Weight Decay Regularization*, ICLR 2019: why L2 and Adam do not go well
#   together.
