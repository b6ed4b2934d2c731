# %% [markdown]
# # 6. Optimizers
#
# **What do momentum and Adam add to a step against the slope?**
#
# Lesson 2 walked down a parabola in one weight. With two weights a valley can be long and narrow, and the plain step
# has trouble: the learning rate that is right for the steep direction is far too small for the flat one.

# %%
import numpy as np

from curriculum import draw, record
from curriculum.engine import seed, torch

nn = torch.nn
torch.manual_seed(seed)
steepness = torch.tensor([1.0, 25.0])


def valley(w):
    return 0.5 * (steepness * w**2).sum()


# %% [markdown]
# The gradient at the start, as a page: the weight that is further off has the smaller slope. Choose $w$ and move each of its
# two numbers a little: to which of them does the loss hardly answer? That is the flat direction.


# %%
def start():
    w = torch.tensor([-9.0, 2.0], requires_grad=True)
    return 0.5 * (steepness * w**2).sum()


draw.backward(start, "6_backward")

# %% [markdown]
# ## Three rules, by hand
#
# With $g$ the gradient, $\eta$ the learning rate and $t = 1, 2, \dots$ the number of the step:
#
# $$ \text{SGD:}\quad w \leftarrow w - \eta g \qquad\qquad
#    \text{momentum:}\quad v \leftarrow \mu v + g, \quad w \leftarrow w - \eta v $$
#
# $$ \text{Adam:}\quad m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \quad
#    w \leftarrow w - \eta\, \frac{m / (1 - \beta_1^t)}{\sqrt{s / (1 - \beta_2^t)} + \epsilon} $$
#
# Momentum adds up past slopes: where they agree it gathers speed, where they alternate they cancel. Adam divides by
# the usual size of each weight's slope, so that steep and flat directions take steps of like length. The two
# divisors undo that $m$ and $s$ start at zero.


# %%
def sgd(w, g, state, t, lr):
    w -= lr * g


def momentum(w, g, state, t, lr):
    state["v"] = 0.9 * state.get("v", 0.0) + g
    w -= lr * state["v"]


def adam(w, g, state, t, lr):
    state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * g
    state["s"] = 0.999 * state.get("s", 0.0) + 0.001 * g**2
    w -= lr * (state["m"] / (1 - 0.9**t)) / ((state["s"] / (1 - 0.999**t)).sqrt() + 1e-8)


def by_hand(rule, lr):
    w = torch.tensor([-9.0, 2.0], requires_grad=True)
    state, path, losses = {}, [], []
    for t in range(1, 101):
        loss = valley(w)
        loss.backward()
        path.append(w.detach().numpy().copy())
        losses.append(loss.item())
        with torch.no_grad():
            rule(w, w.grad.clone(), state, t, lr)
        w.grad = None
    return np.array(path), losses


def by_framework(optimizer_class, name, **options):
    w = nn.Parameter(torch.tensor([-9.0, 2.0]))
    optimizer = optimizer_class([w], **options)
    losses = []
    for _ in record.progress(range(100), name):
        optimizer.zero_grad()
        loss = valley(w)
        loss.backward()
        optimizer.step()
        record.step(name, loss=loss.item(), params=[w])
        losses.append(loss.item())
    return losses


walks = {"SGD": by_hand(sgd, 0.03), "momentum": by_hand(momentum, 0.03), "Adam": by_hand(adam, 0.5)}
framework = {
    "SGD": by_framework(torch.optim.SGD, "SGD", lr=0.03),
    "momentum": by_framework(torch.optim.SGD, "momentum", lr=0.03, momentum=0.9),
    "Adam": by_framework(torch.optim.Adam, "Adam", lr=0.5),
}
for name, (_, losses) in walks.items():
    apart = np.abs((np.array(losses) - framework[name]) / (1 + np.abs(losses))).max()
    print(f"{name}: loss {losses[0]:.1f} to {losses[-1]:.2e}")
    record.claim(f"{name} by hand walks the framework's path", f"losses {apart:.0e} apart", apart < 1e-4)

# %%
plt = draw.pyplot()
fig, axes = plt.subplots(3, 1, figsize=(8, 7), sharex=True, sharey=True, layout="constrained")
u, v = np.meshgrid(np.linspace(-10, 4, 120), np.linspace(-4, 4, 80))
for ax, (name, (path, losses)) in zip(axes, walks.items(), strict=True):
    ax.contour(u, v, np.sqrt(0.5 * (u**2 + 25 * v**2)), 14, colors="#b0b0b0", linewidths=0.7)
    ax.plot(*path.T, ".-", color="#d9730d", linewidth=1, markersize=4)
    ax.plot(*path[0], "o", color="#1f5fa8")
    ax.set(title=f"{name}: loss {losses[-1]:.1e} at the 100th step", ylabel="weight 2", ylim=(-4, 4))
axes[-1].set_xlabel("weight 1")
record.figure(fig, "6_paths")
record.figure(draw.curves({name: losses for name, (_, losses) in walks.items()}, "step", "loss"), "6_losses")

final = {name: losses[-1] for name, (_, losses) in walks.items()}
record.claim(
    "in this valley momentum ends below plain SGD at the same learning rate",
    f"{final['momentum']:.1e} against {final['SGD']:.1e}",
    final["momentum"] < final["SGD"],
)

# %% [markdown]
# ## Where plain SGD breaks
#
# In a direction of steepness $a$ a plain step multiplies the weight by $1 - \eta a$. It shrinks only while
# $\eta < 2 / a$, here $2 / 25 = 0.08$.

# %%
below, above = by_hand(sgd, 0.075)[1][-1], by_hand(sgd, 0.085)[1][-1]
record.claim("SGD converges below 2/25 and diverges above", f"{below:.1e} and {above:.1e}", below < 1 and above > 1e3)

# %% [markdown]
# ## To remember
#
# - SGD is one line; momentum remembers a direction; Adam rescales each weight's step.
# - The steepest direction limits the learning rate, the flattest decides how long it takes.
# - Which optimizer ends lowest depends on the problem and on the learning rate; Adam had another rate here.
#
# ## Exercise
#
# `curriculum/exercises/06_optimizers.py`: one step of Adam. Check it: `python -m curriculum check 06`.
#
# ## Further reading
#
# - B. T. Polyak, *Some methods of speeding up the convergence of iteration methods*, USSR Computational Mathematics
#   and Mathematical Physics 4, 1964.
# - D. P. Kingma, J. Ba, *Adam: A Method for Stochastic Optimization*, ICLR 2015.
