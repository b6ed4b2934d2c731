# %% [markdown]
# # 4. Broadcasting
#
# **Where does the gradient go when one number was used a thousand times?**
#
# A layer adds the same 10 numbers, its bias, to each of 64 samples: a tensor of shape $(10)$ to one of $(64, 10)$.
# Nobody copied it 64 times, yet it acted 64 times. That an operation stretches a smaller tensor to fit a larger one is
# called *broadcasting*. This lesson says when shapes fit, and derives the gradient of what was stretched: the sum over
# all its uses.

# %%
from curriculum import draw, record
from curriculum.engine import seed, torch

torch.manual_seed(seed)

# %% [markdown]
# ## When shapes fit
#
# Write the shapes flush right, one under the other. In each place the sizes must be equal, or one of them 1, or
# missing. A size of 1 or a missing one is stretched: the same numbers are read again and again, without a copy.
#
# ```
#   (64, 10)        (8, 1, 6)        (3)
# +     (10)      +    (7, 1)      + (4)
# = (64, 10)      = (8, 7, 6)        does not fit
# ```
#
# Go through the second from the right. 6 and 1: the 1 is stretched to 6. Then 1 and 7: now the *first* tensor is
# stretched, to 7. Then 8 and nothing: the second gets a new dimension in front, of size 8. Both tensors were stretched,
# and the result is larger than either.
#
# Why from the right? The last dimension usually holds what belongs together, such as the 10 numbers of one sample, and
# the dimensions in front count samples. So a tensor for one sample fits a batch of them without another word. Where the
# meaning is the other way round, say so: `x[:, None]`, or `x.unsqueeze(1)`, inserts a size of 1 where you want it.

# %%
for one, two in (((64, 10), (10,)), ((8, 1, 6), (7, 1)), ((5, 1), (1, 4)), ((2, 3), ())):
    print(one, "+", two, "=", tuple((torch.zeros(one) + torch.zeros(two)).shape))
try:
    torch.zeros(3) + torch.zeros(4)
except RuntimeError as error:
    print("refused:", error)

# %% [markdown]
# `()` is the shape of a single number; it fits everything. (Here and below $(10)$ is short for Python's `(10,)`.)
#
# ## What fits is not always meant
#
# A column of eight predictions, $(8, 1)$, and eight targets in a plain row, $(8)$, look like the same thing. Their
# difference is a table of $(8, 8)$: every prediction minus every target. The mean of its squares is a number, and it
# looks like a loss.

# %%
prediction, target = torch.arange(8.0).reshape(8, 1), torch.arange(8.0)  # each prediction is right
difference = prediction - target
false, true = (difference**2).mean().item(), ((prediction[:, 0] - target) ** 2).mean().item()
print(tuple(difference.shape), false, true)
record.claim(
    "eight perfect predictions, subtracted in the wrong shapes, get a loss of 10.5, not 0, and no error",
    f"{false:g} and {true:g}",
    (false, true) == (10.5, 0.0),
)

# %% [markdown]
# What would training with this loss do? Each prediction is compared with *all* targets, so it moves to their mean. The
# network ends up giving the same answer to every question. If your network does that, print the shapes on both sides of
# the minus. The third exercise mends a function with this fault.
#
# ## The gradient
#
# Let $y_{ij} = x_{ij} + b_j$, and let $L$ be a loss of all $y$. (The sign $\partial$, read "d", is a slope by one
# variable while the others are held still.) The number $b_j$ acts on $y_{1j}, y_{2j}, \dots$, and by the chain rule of
# several paths (lesson 3) their slopes add up:
#
# $$ \frac{\partial L}{\partial b_j} = \sum_i \frac{\partial L}{\partial y_{ij}} \cdot 1 $$
#
# So: forward stretches, backward sums over what was stretched. In general, for any operation: compute the gradient in
# the large shape, then sum over the dimensions that were missing and over those that had size 1.
#
# By hand: $b$ is one number, stretched over three: $y = x + b$ with $x = (1, 2, 3)$, $b = 10$, and
# $L = y_1^2 + y_2^2 + y_3^2$. The slopes at $y$ are $2y = (22, 24, 26)$. Each of the three $y$ uses $b$, so the slope
# at $b$ is $22 + 24 + 26 = 72$. Check it by nudging: at $b = 10.01$, $L$ is $434 + 0.72$ and a little more.

# %%
x, b = torch.tensor([1.0, 2.0, 3.0]), torch.tensor(10.0, requires_grad=True)
((x + b) ** 2).sum().backward()
record.claim("one number used three times: the slopes 22, 24, 26 add up", b.grad.item(), b.grad.item() == 72)


# %%
def unbroadcast(grad, shape):
    """The gradient of a tensor of `shape` that was stretched to the shape of `grad`."""
    while grad.ndim > len(shape):
        grad = grad.sum(dim=0)  # missing dimensions stood on the left
    for dim, size in enumerate(shape):
        if size == 1 and grad.shape[dim] != 1:
            grad = grad.sum(dim=dim, keepdim=True)
    return grad


# %% [markdown]
# `keepdim=True` leaves the summed dimension in place with size 1, since that is the shape that the tensor had. Now
# products in five pairs of shapes. The slopes that come from the rest of the network, called *upstream*, are drawn by
# chance here: the rule must hold for any. `detach()` gives a tensor's values without its history.

# %%
worst = 0.0
for one, two in (((64, 10), (10,)), ((8, 1, 6), (7, 1)), ((5, 1), (1, 4)), ((2, 3), ()), ((1, 1), (3, 1, 2))):
    p, q = torch.randn(one, requires_grad=True), torch.randn(two, requires_grad=True)
    y = p * q
    upstream = torch.randn(y.shape)
    y.backward(upstream)
    p_grad = unbroadcast(upstream * q.detach(), one)  # d(pq)/dp = q, in the large shape, then summed
    q_grad = unbroadcast(upstream * p.detach(), two)
    assert p_grad.shape == p.grad.shape
    assert q_grad.shape == q.grad.shape
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
# *Try it:* write `mean` for `sum` in `unbroadcast`. Which pairs fail, and by what factor? (Print both gradients of the
# first pair.)
#
# <details><summary>Answer</summary>
#
# Every pair in which something is stretched, by the number of uses: 64 times too small for the first. A mean would be
# the gradient if each use counted a sixty-fourth, and nobody said so. Where a mean is wanted, the *loss* takes it, once
# and in sight.
#
# </details>
#
# The picture: a column of 5 numbers and a row of 7 make a table; of an arbitrary slope at the table, the column gets
# the sums of the rows and the row the sums of the columns. Blue is positive, red negative.

# %%
column, row = torch.randn(5, 1, requires_grad=True), torch.randn(1, 7, requires_grad=True)
table = column + row
upstream = torch.randn(5, 7)
table.backward(upstream)
fig = draw.stretched(column, row, table, upstream)
record.figure(fig, "4_forward_stretches_backward_sums")

# %% [markdown]
# The same as a page, smaller. At the step of the sum, point at a number of *column*: forward it went into a whole row
# of the table; backward, point at a number of its gradient, and the row that was added up lights up.


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
# points = judge + wine + chance. We know only the table. A column and a row, broadcast, are the whole model:
# $p_{ij} = a_i + b_j$, with 12 + 20 = 32 weights for 240 points. The loss is the mean squared error of lesson 2, and
# the descent is that of lesson 2 as well. The rate of 2.0 looks bold. It is not, because the mean divides each slope
# by 240.

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

found, true = wine.detach() - wine.detach().mean(), wine_true - wine_true.mean()
record.figure(draw.found(losses, true[0], found[0], noise**2 * 209 / 240), "4_judges_and_wines")

# %% [markdown]
# On the left the loss falls until only chance is left. Chance had the variance $0.2^2 = 0.04$, and the loss ends a
# little below that: the weights also fit some of the chance. There are 31 of them that count (a point for all judges is
# a point for all wines), so $0.04 \cdot (240 - 31) / 240 = 0.035$ is to be expected. On the right each point is a wine:
# to the right what it is worth, upwards what was found. On the line both are equal.
#
# How far off may a wine be by chance alone? Each wine's quality is a mean over 12 judges, and chance had the deviation
# 0.2, so the mean has the deviation $0.2 / \sqrt{12} = 0.06$ (the *standard error*). Of twenty wines, one or two should
# lie further off than twice that.

# %%
error = (found - true).abs()
record.claim(
    "the wines' quality is found up to chance: the typical error is about 0.06",
    f"{(error**2).mean().sqrt().item():.3f}, the largest {error.max().item():.2f}",
    0.03 < (error**2).mean().sqrt().item() < 0.09 and error.max().item() < 0.25,
)
record.claim("what remains is chance: about 0.035", f"{losses[-1]:.3f}", 0.025 < losses[-1] < 0.045)
shifted = (((judge + 1) + (wine - 1) - points) ** 2).mean().item()
record.claim(
    "a point more for every judge and a point less for every wine give the same loss",
    f"{abs(shifted - losses[-1]):.0e} apart",
    abs(shifted - losses[-1]) < 1e-5,
)

# %% [markdown]
# So only differences can be found: the table does not say whether the judges are mild or the wines good. That is why
# the picture compares each wine with the mean of all wines. Weights that the data cannot tell apart are common in
# networks, and do no harm as long as nobody reads a meaning into a single one.
#
# ## Questions that come up
#
# **Is the stretched tensor copied in memory?** No. It is a view whose step along the stretched dimension is 0, so the
# same number is read again. `torch.zeros(1, 7).expand(5, 7)` shows it. But the *result* of the operation has the large
# shape, and takes that much room.
#
# **Does a reduction need the same care?** `x.sum(dim=1)` removes a dimension, and then `x - x.sum(dim=1)` fits only by
# accident, or not at all. With `keepdim=True` it stays as 1, and the difference is what you meant.
#
# **What is the gradient of a sum, then?** The reverse of all this: forward sums, so backward stretches. Each of the
# numbers that were added gets the same slope. Stretching and summing are each other's backward pass; lesson 5 uses
# both.
#
# **How do I protect myself?** Write shapes beside the lines, as this course does: `# (64, 10)`. And compare shapes
# before you subtract.
#
# ## To remember
#
# - Shapes flush right; equal, 1, or missing.
# - Forward stretches, backward sums over what was stretched.
# - A shape that fits by accident gives a number and no error.
#
# ## Exercises
#
# In `curriculum/exercises/04_broadcasting.py`:
#
# 1. *Derive it:* back through a quotient whose parts were stretched.
# 2. *Write it:* the shape of a result, without computing the result.
# 3. *Find the planted bug:* a loss that is right for some shapes, and silently wrong for others.
#
# Check them: `python -m curriculum check 04`.
#
# ## Further reading
#
# - NumPy's user guide, *Broadcasting*; PyTorch's notes, *Broadcasting semantics*.
# - A. Griewank, A. Walther, *Evaluating Derivatives*, section 3.2, SIAM 2008.
