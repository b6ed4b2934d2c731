# %% [markdown]
# # 10. Softmax regression
#
# **How does one layer choose between several classes?**
#
# Every class $k$ gets its own linear score, the logit $z_k = w_k \cdot x + b_k$. Softmax makes probabilities of them:
#
# $$ p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}, \qquad \sum_k p_k = 1 $$
#
# The guess is the class with the largest logit, its argmax. Two classes bring back lesson 9: softmax of $(z, 0)$ is
# the sigmoid of $z$.

# %%
import numpy as np

from curriculum import draw, record
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)

# %% [markdown]
# ## The data
#
# Three clouds in the plane, 60 points each, that touch.

# %%
centres = torch.tensor([[-2.0, -1.0], [2.0, -1.0], [0.0, 2.0]])
x = torch.cat([centre + 0.9 * torch.randn(60, 2) for centre in centres])  # (180, 2)
y = torch.arange(3).repeat_interleave(60)  # (180,), the class of each point: 0, 1 or 2

# %% [markdown]
# ## One-hot
#
# A class is a name, not an amount: class 2 is not twice class 1. So write it as three numbers, a one at its place.
# With the one-hot target $t$ the categorical cross-entropy, and its slope by the logits, are
#
# $$ L = -\sum_k t_k \log p_k, \qquad \frac{\partial L}{\partial z_k} = p_k - t_k $$

# %%
targets = F.one_hot(y, 3).to(x.dtype)
print(f"class {y[-1].item()} is {targets[-1].tolist()}")

# %% [markdown]
# ## A module of our own
#
# A module holds parameters and says in `forward` what it computes. Subtracting the largest logit changes no
# probability, since it cancels, and keeps $e^z$ from overflowing.


# %%
class SoftmaxRegression(nn.Module):
    def __init__(self, features, classes):
        super().__init__()
        self.weight = nn.Parameter(0.1 * torch.randn(features, classes))
        self.bias = nn.Parameter(0.1 * torch.randn(classes))

    def forward(self, x):
        logits = x @ self.weight + self.bias
        shifted = torch.exp(logits - logits.max(dim=1, keepdim=True).values)
        return shifted / shifted.sum(dim=1, keepdim=True)


model = SoftmaxRegression(2, 3)
for name, parameter in model.named_parameters():
    print(name, tuple(parameter.shape))

logits = (x @ model.weight + model.bias).detach().requires_grad_()
F.cross_entropy(logits, y, reduction="sum").backward()
apart = (logits.grad - (model(x) - targets)).abs().max().item()
record.claim("the slope by the logits is probability minus one-hot", f"{apart:.0e} apart", apart < 1e-5)

sure = SoftmaxRegression(2, 3)
with torch.no_grad():
    sure.weight.mul_(1e4)
    finite = torch.isfinite(sure(x)).all().item()
    naive = torch.exp(x @ sure.weight)
    overflows = not torch.isfinite(naive).all().item()
print(f"weights of the order of 1000: plain exp overflows: {overflows}, the shifted softmax stays finite: {finite}")
record.claim("the shifted softmax stays finite where exp overflows", f"{finite}, {overflows}", finite and overflows)

# %% [markdown]
# Three points, one node: the framework's `cross_entropy` of their logits. Its gradient is probability minus one-hot, over 3. Press *o*
# on the node, and it opens into its definition: many small steps back, and the same numbers at the end.


# %%
def one_node():
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.5, 1.0, 0.0], [0.0, 0.0, 0.0]], requires_grad=True)
    return F.cross_entropy(logits, torch.tensor([0, 1, 2]))


draw.backward(one_node, "10_backward")

# %% [markdown]
# ## Training, with a look at the boundaries

# %%
optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
axis = np.linspace(-5, 5, 81)
grid = torch.tensor([[u, v] for v in axis for u in axis], dtype=x.dtype)  # (6561, 2)
regions, losses, accuracies = {}, [], []
for step in record.progress(range(101), "softmax regression"):
    if step in (0, 3, 10, 100):
        with torch.no_grad():
            regions[step] = model(grid).argmax(dim=1).numpy().reshape(len(axis), len(axis))
    optimizer.zero_grad()
    p = model(x)
    loss = -(targets * torch.log(p)).sum(dim=1).mean()
    loss.backward()
    losses.append(loss.item())
    accuracies.append((p.argmax(dim=1) == y).sum().item() / len(y))
    optimizer.step()
    record.step(loss=loss.item(), model=model)

with torch.no_grad():
    framework = F.cross_entropy(x @ model.weight + model.bias, y).item()
    own = -(targets * torch.log(model(x))).sum(dim=1).mean().item()
print(f"loss {losses[0]:.4f} to {losses[-1]:.4f}, accuracy {accuracies[0]:.3f} to {accuracies[-1]:.3f}")
record.claim(
    "our loss is the framework's cross_entropy of the logits",
    f"{abs(own - framework):.0e} apart",
    abs(own - framework) < 1e-5,
)
record.claim("one layer tells the three clouds apart", f"{100 * accuracies[-1]:.1f} % right", accuracies[-1] > 0.9)

# %%
plt = draw.pyplot()
fig, axes = plt.subplots(1, 4, figsize=(13, 3.5), sharey=True, layout="constrained")
colors = ["#1f5fa8", "#d9730d", "#2b8a5a"]
points, classes = x.numpy(), y.numpy()
for ax, (step, region) in zip(axes, regions.items(), strict=True):
    ax.contourf(axis, axis, region, levels=[-0.5, 0.5, 1.5, 2.5], colors=colors, alpha=0.25)
    for k, color in enumerate(colors):
        ax.plot(*points[classes == k].T, ".", color=color, markersize=4, label=f"class {k}")
    ax.set(title=f"after {step} steps, {100 * accuracies[step]:.0f} % right", xlabel="first feature")
axes[0].set_ylabel("second feature")
axes[-1].legend(loc="lower right", fontsize=8)
record.figure(fig, "10_boundaries")
record.figure(draw.curves({"cross-entropy": losses}, "step", "loss"), "10_loss")

# %% [markdown]
# The boundaries are straight: between classes $j$ and $k$ lie the points with $z_j = z_k$, a linear equation. Curved
# boundaries need a hidden layer.
#
# Argmax itself cannot be trained with: it does not change when a weight changes a little, so its slope is zero. The
# loss is taken from the probabilities; argmax only reads the answer.
#
# ## To remember
#
# - One logit per class, softmax for probabilities, argmax for the answer, one-hot for the target.
# - The slope of the cross-entropy by the logits is $p - t$, as with the sigmoid.
# - In practice give the *logits* to `cross_entropy`: it does softmax and logarithm in one safe step.
#
# ## Exercise
#
# `curriculum/exercises/10_softmax_regression.py`: the softmax and its slope, by hand.
# Check it: `python -m curriculum check 10`.
#
# ## Further reading
#
# - J. S. Bridle, *Probabilistic Interpretation of Feedforward Classification Network Outputs*, in Neurocomputing,
#   NATO ASI Series 68, 1990.
# - C. M. Bishop, *Pattern Recognition and Machine Learning*, section 4.3.4, Springer 2006.
