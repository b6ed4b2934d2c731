# %% [markdown]
# # 16. Too little, too much
#
# **When does a network learn the rule, and when only its examples?**
#
# A network that is too small misses the rule; one that is too free learns the noise of its examples. We measure both
# kinds of error, try two remedies, and look at data where one class is rare.

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
# ## Bias and variance
#
# Draw many training sets from the same source, and train the same network on each. At a point $x$ let $\bar f$ be the
# mean of their answers, $f^*$ the truth and $\sigma^2$ the noise. Then the mean squared error on new data falls apart:
#
# $$ \mathbb{E}\,(y - \hat f)^2 = \underbrace{(\bar f - f^*)^2}_{\text{bias}^2}
#    + \underbrace{\mathbb{E}\,(\hat f - \bar f)^2}_{\text{variance}} + \sigma^2 $$
#
# Bias: what even the mean of all networks gets wrong. Variance: how much the answer hangs on which examples came.
#
# Thirty training sets of 24 points each. All thirty networks of a width are trained at once: their weights have a
# leading dimension of 30, and `@` multiplies batch by batch (lesson 1). The networks do not touch one another.

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


WIDTHS, STEPS = (1, 2, 4, 10, 30), 500
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
for ax, width in zip(axes, (1, 4, 30), strict=False):
    ax.plot(grid.squeeze(1).numpy(), answers[width].T.numpy(), color=draw.ORANGE, linewidth=0.5, alpha=0.6)
    ax.plot(
        grid.squeeze(1).numpy(), answers[width].mean(dim=0).numpy(), color=draw.BLUE, linewidth=2, label="their mean"
    )
    ax.plot(grid.squeeze(1).numpy(), truth(grid).squeeze(1).numpy(), "k--", linewidth=1, label="truth")
    ax.set(title=f"width {width}: 30 networks", xlabel="x", ylim=(-2.2, 2.2))
axes[0].set_ylabel("y")
axes[0].legend(frameon=False, fontsize=8)
new = {width: bias[width] + variance[width] + NOISE**2 for width in WIDTHS}
for name, values, color in (
    ("own examples", own, draw.GREY), ("new examples", new, "black"), ("bias²", bias, draw.BLUE), ("variance", variance, draw.ORANGE),
):  # fmt: skip
    axes[3].plot(WIDTHS, [values[w] for w in WIDTHS], "o-", color=color, label=name, markersize=4)
axes[3].axhline(NOISE**2, color="black", linewidth=0.8, linestyle=":")
axes[3].set(xlabel="width", ylabel="mean squared error (dotted: noise)", xscale="log", yscale="log")
axes[3].set_ylim(bottom=5e-5)
axes[3].legend(frameon=False, fontsize=8, loc="lower left")
fig.tight_layout()
record.figure(fig, "16_bias_and_variance")
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
# The textbook's curves, with a difference: the narrowest networks vary as well. Each of the thirty took another of the
# sine's slopes for the whole.
#
# ## Remedies: L2 and dropout
#
# 100 training pictures of digits and a network of 64-256-10. Three trainings on the same batches: plain; with
# `weight_decay`, which adds $\lambda w$ to each gradient, as if $\frac\lambda2 \lVert w \rVert^2$ stood in the loss (L2);
# with dropout, which silences each hidden unit with probability one half in every step and doubles the others.

# %%
pictures, targets = digits()
data = torch.tensor(pictures.reshape(-1, 64) / 16, dtype=torch.get_default_dtype())
labels = torch.tensor(targets)
few, others = slice(0, 100), slice(500, None)
KINDS = {"plain": (0.0, 0.0), "L2, 0.01": (0.01, 0.0), "dropout, 0.5": (0.0, 0.5)}
EPOCHS, SEEDS = 200, 3
kept = {}
for kind, (decay, drop) in record.progress(KINDS.items(), "remedies"):
    runs = []
    for number in range(SEEDS):
        torch.manual_seed(10 * seed + number)
        model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Dropout(drop), nn.Linear(256, 10))
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=decay)
        curve = []
        for epoch in range(EPOCHS):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(data[few]), labels[few])
            loss.backward()
            optimizer.step()
            if number == 0 and epoch < 100:
                record.step(kind, loss=loss.item(), model=model)
            if epoch % 5 == 4:
                model.eval()
                with torch.no_grad():
                    logits = model(data[others])
                    accuracy = (logits.argmax(dim=1) == labels[others]).to(data.dtype).mean().item()
                    own_loss = F.cross_entropy(model(data[few]), labels[few]).item()
                    curve.append((own_loss, F.cross_entropy(logits, labels[others]).item(), accuracy))
                model.train()
        runs.append(curve)
    kept[kind] = np.array(runs)  # (seeds, epochs / 5, 3)

fig, axes = draw.pyplot().subplots(1, 3, figsize=(11, 3.2), sharey=True)
epochs = np.arange(5, EPOCHS + 1, 5)
for ax, (kind, runs) in zip(axes, kept.items(), strict=True):
    ax.plot(epochs, runs[:, :, 0].T, color=draw.ORANGE, linewidth=1)
    ax.plot(epochs, runs[:, :, 1].T, color=draw.BLUE, linewidth=1)
    ax.plot([], [], color=draw.ORANGE, label="own 100 pictures")
    ax.plot([], [], color=draw.BLUE, label="other pictures")
    ax.set(title=f"{kind}: {100 * runs[:, -1, 2].mean():.1f} % right", xlabel="epoch", yscale="log")
axes[0].set_ylabel("cross-entropy")
axes[0].legend(frameon=False, fontsize=8)
fig.tight_layout()
record.figure(fig, "16_remedies")
end = {kind: runs[:, -1].mean(axis=0) for kind, runs in kept.items()}
record.claim(
    "without a remedy the loss on other pictures is more than 20 times that on the own ones",
    f"{end['plain'][1]:.3f} against {end['plain'][0]:.4f}", end["plain"][1] > 20 * end["plain"][0],
)  # fmt: skip
record.claim(
    "L2 narrows the gap to less than a fifth of that", f"{end['L2, 0.01'][1]:.3f} against {end['L2, 0.01'][0]:.3f}",
    end["L2, 0.01"][1] / end["L2, 0.01"][0] < end["plain"][1] / end["plain"][0] / 5,
)  # fmt: skip
record.claim(
    "dropout lowers the loss on other pictures", f"{end['dropout, 0.5'][1]:.3f} against {end['plain'][1]:.3f}",
    end["dropout, 0.5"][1] < end["plain"][1],
)  # fmt: skip

# %% [markdown]
# The gap is not the goal. What counts is the blue curve: a remedy that only raises the loss on the own pictures
# closes the gap and helps nobody. The titles say what each is worth in accuracy; with 100 pictures all three lie close.
#
# ## A rare class
#
# 1,000 people, 50 of them ill; two measurements, which overlap. A classifier that says "healthy" to everyone is right
# in 95 % of the cases. So accuracy says nothing here; recall asks how many of the ill are found, precision how many of
# the alarms are right. `pos_weight` lets every ill one count as much as 19 healthy ones.


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
# Balancing moves the border; it adds no knowledge. Which border is right depends on what a missed patient and a false
# alarm cost.
#
# ## To remember
#
# - Both curves high: too small a network, or too short a training. Own low, other high: too free.
# - Bias falls and variance grows with freedom. More data lowers variance; L2 and dropout trade some bias for it.
# - With rare classes report recall and precision, and say what was balanced.
#
# ## Exercise
#
# `curriculum/exercises/16_fitting.py`: write precision and recall, and bias and variance.
# Check it: `python -m curriculum check 16`.
#
# ## Further reading
#
# - S. Geman, E. Bienenstock, R. Doursat, *Neural Networks and the Bias/Variance Dilemma*, Neural Computation 4, 1992.
# - N. Srivastava et al., *Dropout: A Simple Way to Prevent Neural Networks from Overfitting*, JMLR 15, 2014.
# - M. Belkin et al., *Reconciling Modern Machine-Learning Practice and the Classical Bias-Variance Trade-off*, PNAS 116,
#   2019: with far more weights than examples the error falls again.
