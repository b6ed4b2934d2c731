# %% [markdown]
# # 12. A curve from straight lines
#
# **How can layers that only know straight lines draw a sine?**
#
# A linear layer computes $w x + b$: a line. We put a bend between two of them, and watch a network find $\sin x$ from
# noisy points, without being told that it is a sine.

# %%
import math

from curriculum import draw, record
from curriculum.engine import seed, torch

nn = torch.nn
torch.manual_seed(seed)

# %% [markdown]
# ## The data
#
# 256 points of $\sin x$ on $[-2\pi, 2\pi]$, with noise of standard deviation 0.1. No model can get below a mean squared
# error of $0.1^2 = 0.01$ on new points.

# %%
NOISE = 0.1
x = (2 * torch.rand(256, 1) - 1) * 2 * math.pi
y = torch.sin(x) + NOISE * torch.randn(256, 1)
grid = torch.linspace(-3 * math.pi, 3 * math.pi, 400).unsqueeze(1)  # wider than the data
inside = (grid.abs() <= 2 * math.pi).flatten()

# %% [markdown]
# ## The network
#
# $$ h = \tanh(x W_1^\top + b_1), \qquad g = \tanh(h W_2^\top + b_2), \qquad \hat y = g W_3^\top + b_3 $$
#
# Each hidden unit of the first layer is one S-shaped step, somewhere on the axis, wide or narrow. The layers above add
# steps up.


# %%
def train(model, run, epochs, pictures=()):
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
    losses, curves = [], {}
    for epoch in record.progress(range(epochs), run):
        if epoch in pictures:
            with torch.no_grad():
                curves[epoch] = model(grid).flatten()
        optimizer.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        record.step(run, loss=loss.item(), model=model)
    with torch.no_grad():
        curves[epochs] = model(grid).flatten()
    return losses, curves


bent = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
straight = nn.Sequential(nn.Linear(1, 32), nn.Linear(32, 32), nn.Linear(32, 1))
EPOCHS = 500
bent_losses, curves = train(bent, "with Tanh", EPOCHS, pictures=(0, 20, 60, 150))
straight_losses, line = train(straight, "without Tanh", 150)

# %%
fig, axes = draw.pyplot().subplots(1, 5, figsize=(14, 2.9), sharey=True)
for ax, (epoch, curve) in zip(axes, curves.items(), strict=True):
    ax.plot(x.flatten().numpy(), y.flatten().numpy(), ".", color=draw.GREY, markersize=2, label="data")
    ax.plot(grid.flatten().numpy(), curve.numpy(), color=draw.ORANGE, linewidth=2, label="network")
    if epoch == EPOCHS:
        ax.plot(grid.flatten().numpy(), line[150].numpy(), color=draw.BLUE, linewidth=1, label="without Tanh")
        ax.legend(frameon=False, fontsize=7, loc="upper left")
    ax.set(title=f"after {epoch} epochs", xlabel="x", ylim=(-2.2, 2.2))
axes[0].set_ylabel("y")
fig.tight_layout()
record.figure(fig, "12_the_curve_while_it_learns")
record.figure(
    draw.curves({"with Tanh": bent_losses, "without Tanh": straight_losses}, "epoch", "mean squared error"), "12_losses"
)

# %% [markdown]
# ## What it found
#
# Without the bend three layers are one line, and the best line through a sine is nearly flat. With it the loss falls
# to the noise. Against the true sine, without noise, the network is better than its data.

# %%
truth = torch.sin(grid).flatten()
error_inside = ((curves[EPOCHS] - truth)[inside] ** 2).mean().item()
error_outside = ((curves[EPOCHS] - truth)[~inside] ** 2).mean().item()
record.claim(
    "without Tanh the network stays a line: error near the best line's",
    f"{straight_losses[-1]:.3f}",
    0.3 < straight_losses[-1] < 0.6,
)
record.claim("with Tanh the loss comes down to the noise, 0.01", f"{bent_losses[-1]:.4f}", bent_losses[-1] < 0.015)
record.claim("the curve is nearer to the sine than the data are (0.01)", f"{error_inside:.4f}", error_inside < 0.005)
record.claim(
    "outside the data it knows nothing: the error is more than 100 times as large",
    f"{error_outside:.2f} against {error_inside:.4f}",
    error_outside > 100 * error_inside,
)

# %% [markdown]
# ## The units at work
#
# What the first layer computes, unit by unit, and what the units of the second layer make of it.

# %%
with torch.no_grad():
    first = torch.tanh(bent[0](grid))  # (400, 32)
    second = torch.tanh(bent[2](first))  # (400, 32)
fig, axes = draw.pyplot().subplots(1, 2, figsize=(10, 3), sharey=True)
for ax, units, title in zip(
    axes, (first, second), ("first layer: single bends", "second layer: sums of bends, bent again"), strict=True
):
    ax.plot(grid.flatten().numpy(), units.numpy(), linewidth=0.8)
    ax.axvspan(-2 * math.pi, 2 * math.pi, color=draw.GREY, alpha=0.12)
    ax.set(title=title, xlabel="x (grey: where data are)")
axes[0].set_ylabel("output of each unit")
fig.tight_layout()
record.figure(fig, "12_hidden_units")

# %% [markdown]
# And backward: the trained network on eight points, as a page. Look at what passes the two Tanh: `grad · (1 - out²)`. Where a unit
# is at the flat end of its bend, near 1 or -1, almost nothing goes through, and its weights hardly learn from this point.


# %%
def eight_points():
    points, wanted = x[:8], y[:8]
    off = bent(points) - wanted
    return (off**2).mean()


draw.backward(eight_points, "12_backward")

# %% [markdown]
# ## To remember
#
# - Linear layers alone compose to one linear function; the activation between them makes curves.
# - A network adds up bends. It learns where data are, and nothing about where they are not.
# - Know the noise: it is the loss that cannot be beaten on new data.
#
# ## Exercise
#
# `curriculum/exercises/12_sine.py`: write the hidden layer's forward and backward by hand.
# Check it: `python -m curriculum check 12`.
#
# ## Further reading
#
# - G. Cybenko, *Approximation by Superpositions of a Sigmoidal Function*, Mathematics of Control, Signals, and Systems 2, 1989.
# - K. Hornik, M. Stinchcombe, H. White, *Multilayer Feedforward Networks Are Universal Approximators*, Neural Networks 2, 1989.
