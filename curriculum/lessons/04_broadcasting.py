# %% [markdown]
# # 4. Broadcasting
#
# **Where does the gradient go when one number was used a thousand times?**
#
# A bias of 10 numbers is added to a batch of 64 × 10. Nobody copied it 64 times, yet it acted 64 times. This lesson
# says when shapes fit, and derives the gradient of what was stretched: the sum over all its uses.

# %%
import numpy as np

from curriculum import draw, record
from curriculum.engine import seed, torch

torch.manual_seed(seed)

# %% [markdown]
# ## When shapes fit
#
# Write the shapes flush right. In each place the sizes must be equal, or one of them 1, or missing. A size of 1 or a
# missing one is stretched: the same numbers are read again and again, without a copy.
#
# ```
#   (64, 10)        (8, 1, 6)        (3)
# +     (10)      +    (7, 1)      + (4)
# = (64, 10)      = (8, 7, 6)        does not fit
# ```

# %%
for one, two in (((64, 10), (10,)), ((8, 1, 6), (7, 1)), ((5, 1), (1, 4)), ((2, 3), ())):
    print(one, "+", two, "=", tuple((torch.zeros(one) + torch.zeros(two)).shape))
try:
    torch.zeros(3) + torch.zeros(4)
except RuntimeError as error:
    print("refused:", error)

# %% [markdown]
# What fits is not always meant: $(8, 1)$ and $(8)$ fit, and give $(8, 8)$. Lesson 8 shows the false loss that follows.
#
# ## The gradient
#
# Let $y_{ij} = x_{ij} + b_j$, and let $L$ be a loss of all $y$. The number $b_j$ acts on $y_{1j}, y_{2j}, \dots$, and
# by the chain rule of several paths their slopes add up:
#
# $$ \frac{\partial L}{\partial b_j} = \sum_i \frac{\partial L}{\partial y_{ij}} \cdot 1 $$
#
# So: forward stretches, backward sums over what was stretched. In general, for any operation: compute the gradient in
# the large shape, then sum over the dimensions that were missing and over those that had size 1.


# %%
def unbroadcast(grad, shape):
    """The gradient of a tensor of `shape` that was stretched to the shape of `grad`."""
    while grad.ndim > len(shape):
        grad = grad.sum(dim=0)  # missing dimensions stood on the left
    for dim, size in enumerate(shape):
        if size == 1 and grad.shape[dim] != 1:
            grad = grad.sum(dim=dim, keepdim=True)
    return grad


worst = 0.0
for one, two in (((64, 10), (10,)), ((8, 1, 6), (7, 1)), ((5, 1), (1, 4)), ((2, 3), ()), ((1, 1), (3, 1, 2))):
    p, q = torch.randn(one, requires_grad=True), torch.randn(two, requires_grad=True)
    y = p * q
    upstream = torch.randn(y.shape)  # the slope that comes from the rest of the network
    y.backward(upstream)
    p_grad = unbroadcast(upstream * q.detach(), one)  # d(pq)/dp = q, in the large shape, then summed
    q_grad = unbroadcast(upstream * p.detach(), two)
    worst = max(worst, (p_grad - p.grad).abs().max().item(), (q_grad - q.grad).abs().max().item())
record.claim(
    "sums over what was stretched are the engine's gradients, in five pairs of shapes",
    f"{worst:.0e} apart",
    worst < 1e-5,
)

# %% [markdown]
# Only the sum is needed, and only here: every operation with broadcasting shares this one function. In minigrad it is
# `unbroadcast` in `minigrad/autograd/fit.py`.
#
# The picture: a column of 5 numbers and a row of 7 make a table; of an arbitrary slope at the table, the column gets
# the sums of the rows and the row the sums of the columns.

# %%
column, row = torch.randn(5, 1, requires_grad=True), torch.randn(1, 7, requires_grad=True)
table = column + row
upstream = torch.randn(5, 7)
table.backward(upstream)

fig, axes = draw.pyplot().subplots(2, 4, figsize=(10, 4.6), width_ratios=(1, 7, 7, 1), height_ratios=(5, 1))
parts = {
    (0, 0): ("column", column.detach()),
    (1, 1): ("row", row.detach()),
    (0, 1): ("table = column + row", table.detach()),
    (0, 2): ("slope at the table", upstream),
    (1, 2): ("row.grad: sum over dim 0", row.grad),
    (0, 3): ("column.grad:\nsum over dim 1", column.grad),
}
for place, ax in np.ndenumerate(axes):
    if place not in parts:
        ax.remove()
        continue
    title, tensor = parts[place]
    ax.imshow(tensor.numpy(), cmap=draw.SIGNS, vmin=-5, vmax=5)
    ax.set_title(title, fontsize=9)
    ax.set(xticks=[], yticks=[])
    for r, c in np.ndindex(*tensor.shape):
        ax.text(c, r, f"{tensor[r, c].item():.1f}", ha="center", va="center", fontsize=7)
fig.tight_layout()
record.figure(fig, "4_forward_stretches_backward_sums")

# %% [markdown]
# The same as a page, smaller. At the step of the sum, point at a number of *column*: forward it went into a whole row of the
# table; backward, point at a number of its gradient, and the row that was added up lights up.


# %%
def stretched():
    column = torch.tensor([[1.0], [0.0], [-2.0]], requires_grad=True)
    row = torch.tensor([[0.5, 1.0, 1.5, 2.0]], requires_grad=True)
    table = column + row
    return (table**2).sum()


draw.backward(stretched, "4_backward")

# %% [markdown]
# ## Something to use it for
#
# Twelve judges give points to twenty wines. Each judge is stricter or milder than others, each wine better or worse:
# points = judge + wine + chance. We know only the table. A column and a row, broadcast, are the whole model.

# %%
judge_true, wine_true = torch.randn(12, 1), torch.randn(1, 20)
noise = 0.2
points = judge_true + wine_true + noise * torch.randn(12, 20)

judge = torch.zeros(12, 1).requires_grad_()
wine = torch.zeros(1, 20).requires_grad_()
losses = []
for _ in range(150):
    loss = ((judge + wine - points) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        judge -= 2.0 * judge.grad
        wine -= 2.0 * wine.grad
    losses.append(loss.item())
    record.step("judges and wines", loss=loss.item(), params=[judge, wine])
    judge.grad = wine.grad = None

record.figure(draw.curves({"judges and wines": losses}, "step", "mean squared error"), "4_losses")
found, true = wine.detach() - wine.detach().mean(), wine_true - wine_true.mean()
error = (found - true).abs().max().item()
record.claim(
    "the wines' quality is found up to chance (its standard error is 0.06)", f"off by at most {error:.2f}", error < 0.25
)
record.claim("what remains is the noise, a variance of 0.04", f"{losses[-1]:.3f}", 0.02 < losses[-1] < 0.06)

# %% [markdown]
# Only differences can be found: a point more for every judge and a point less for every wine give the same table.
#
# ## To remember
#
# - Shapes flush right; equal, 1, or missing.
# - Forward stretches, backward sums over what was stretched.
# - A shape that fits by accident gives a number and no error. Compare shapes before you subtract.
#
# ## Exercise
#
# `curriculum/exercises/04_broadcasting.py`: back through a quotient whose parts were stretched.
# Check it: `python -m curriculum check 04`.
#
# ## Further reading
#
# - NumPy's user guide, *Broadcasting*; PyTorch's notes, *Broadcasting semantics*.
# - A. Griewank, A. Walther, *Evaluating Derivatives*, section 3.2, SIAM 2008.
