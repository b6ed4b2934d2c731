# %% [markdown]
# # 1. Tensors
#
# **What is a tensor, and what can it do at once that a loop does step by step?**
#
# A tensor is a block of numbers of one type, and a shape that says how to read the block. Everything that a network
# holds is a tensor: its data, its weights, its gradients.

# %%
import time

import numpy as np

from curriculum import draw, record
from curriculum.data import digits
from curriculum.engine import seed, torch

torch.manual_seed(seed)

# %% [markdown]
# ## Making one
#
# From numbers, from a shape, from a range, from chance. The seed decides what chance gives: the same seed, the same
# numbers.

# %%
a = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])  # (2, 3): two rows, three columns
print(a, a.shape, a.ndim, a.numel())
print(torch.zeros(2, 2), torch.ones(3), torch.full((2,), 7), torch.eye(2), torch.arange(0, 10, 3), sep="\n")
print(torch.linspace(0, 1, 5), torch.rand(2), torch.randn(2), sep="\n")

torch.manual_seed(seed)
first = torch.randn(1000)
torch.manual_seed(seed)
record.claim("the same seed draws the same numbers", "1,000 of 1,000 equal", torch.equal(first, torch.randn(1000)))

# %% [markdown]
# ## One type for all
#
# Every element has the same `dtype`. Whole numbers count and index; floating-point numbers measure, and only they have
# gradients. Where two types meet, the result takes the one that can hold both; `/` always gives floating-point numbers.

# %%
whole, measured = torch.tensor([1, 2, 3]), torch.tensor([0.5, 0.5, 0.5])
print(whole.dtype, (whole + measured).dtype, (whole / 2).dtype, (whole // 2).dtype, (whole > 1).dtype)
print(whole.float(), measured.long(), torch.tensor([0.1], dtype=torch.float32).double())

# %% [markdown]
# The last number shows what float32 is: some seven digits. 0.1 is not among the numbers it can hold.
#
# ## Shape: the same block, read in another way
#
# `reshape`, `view`, `transpose` and slices move no numbers. They make a second way of reading the same block, a
# *view*: who writes through one sees it through the other. `clone` copies.

# %%
block = torch.arange(6)
table = block.view(2, 3)
table[0, 0] = 100
copy = block.clone()
copy[1] = -1
print(block, table, table.T, sep="\n")
record.claim(
    "a view shares its numbers, a clone does not", f"{block[0].item()}, {block[1].item()}",
    (block[0].item(), block[1].item()) == (100, 1),
)  # fmt: skip

# %% [markdown]
# ## Choosing: slices, lists, masks
#
# A picture is a tensor: rows from top to bottom, columns from left to right. So what we do to tensors can be seen.

# %%
pictures, _ = digits()
picture = torch.tensor(pictures[3], dtype=torch.get_default_dtype())  # (8, 8), 0 is empty, 16 is ink

shown = {
    "x": picture,
    "x.T": picture.T,
    "x.flip(1)": picture.flip(1),
    "x[2:6, 2:6]": picture[2:6, 2:6],
    "x[::2, ::2]": picture[::2, ::2],
    "x[[7, 0, 3]]": picture[[7, 0, 3]],
    "x > x.mean()": (picture > picture.mean()).to(picture.dtype),
    "torch.where(x > 8, 16, x / 2)": torch.where(picture > 8, torch.full_like(picture, 16), picture / 2),
}
fig, axes = draw.pyplot().subplots(2, 4, figsize=(9, 5))
for ax, (name, tensor) in zip(axes.flat, shown.items(), strict=True):
    ax.imshow(tensor.numpy(), cmap="gray_r")
    ax.set_title(name, fontsize=9)
    ax.set_xlabel(f"shape {tuple(tensor.shape)}", fontsize=8)
    ax.set(xticks=[], yticks=[])
fig.tight_layout()
record.figure(fig, "1_views_of_a_digit")

dark = picture[picture > 8]  # a mask gives the chosen elements in a row
print(f"{len(dark)} of {picture.numel()} elements are dark, their mean is {dark.mean().item():.2f}")

# %% [markdown]
# ## Reducing
#
# `sum`, `mean`, `max`, `argmax`, ... go over all elements, or over the dimensions named by `dim`, which then are gone
# (with `keepdim=True` they stay, with size 1). `dim=0` goes down the rows and leaves one number for each column.

# %%
x = torch.tensor(pictures, dtype=torch.get_default_dtype())  # (1797, 8, 8)
mean_picture = x.mean(dim=0)  # (8, 8)
ink = x.sum(dim=(1, 2))  # (1797,)
print(x.shape, mean_picture.shape, ink.shape, ink.argmax())
values, places = x.reshape(len(x), 64).max(dim=1)
print(values[:5], places[:5])

# %% [markdown]
# ## Multiplying matrices
#
# $$ (A B)_{ij} = \sum_k A_{ik} B_{kj} $$
#
# Row by column. It is what a layer does with a batch of samples, and where nearly all time of a training goes. As
# three loops in Python it looks like this:


# %%
def multiply(a, b):
    rows, inner, columns = len(a), len(b), len(b[0])
    result = [[0.0] * columns for _ in range(rows)]
    for i in range(rows):
        for j in range(columns):
            for k in range(inner):
                result[i][j] += a[i][k] * b[k][j]
    return result


left, right = torch.randn(60, 64), torch.randn(64, 60)
start = time.perf_counter()
by_hand = torch.tensor(multiply(left.tolist(), right.tolist()))
slow = time.perf_counter() - start
left @ right  # what is used for the first time is slower
start = time.perf_counter()
at_once = left @ right
fast = time.perf_counter() - start
apart = (by_hand - at_once).abs().max().item()
record.claim("three loops and @ give the same matrix", f"{apart:.0e} apart", apart < 1e-4)
record.claim(
    "@ is more than 20 times as fast as the loops", f"{record.timed(slow / fast, ',.0f')} times", slow > 20 * fast
)

# %% [markdown]
# Batches multiply too: $(n, a, b)$ times $(n, b, c)$ gives $n$ products, $(n, a, c)$. And shapes that differ are
# stretched to fit where a size is 1 or missing; lesson 4 says how.

# %%
print((torch.randn(5, 2, 3) @ torch.randn(5, 3, 4)).shape)
print(a + torch.tensor([10.0, 20.0, 30.0]))
joined = torch.cat([a, -a], dim=0), torch.stack([a, -a], dim=0)
print(joined[0].shape, joined[1].shape)

# %% [markdown]
# ## To NumPy and back
#
# `torch.from_numpy` and `.numpy()` share memory with the array; `torch.tensor` copies. `.item()` takes the number out
# of a tensor that has one element, `.tolist()` makes nested lists.

# %%
array = np.zeros(3)
shared, copied = torch.from_numpy(array), torch.tensor(array)
array[0] = 5
print(shared, copied, shared.sum().item(), a.tolist())
record.claim(
    "from_numpy shares memory, torch.tensor copies", f"{shared[0].item():g}, {copied[0].item():g}",
    (shared[0].item(), copied[0].item()) == (5.0, 0.0),
)  # fmt: skip

# %% [markdown]
# ## To remember
#
# - A tensor: numbers of one dtype in one block, and a shape.
# - Views share memory: cheap, and a trap for who writes into them.
# - `dim` names what disappears.
# - Say it at once: a loop over elements in Python is slower by orders of magnitude.
#
# ## Exercise
#
# `curriculum/exercises/01_tensors.py`: bring columns to mean 0 and standard deviation 1, without a loop.
# Check it: `python -m curriculum check 01`.
#
# ## Further reading
#
# - C. R. Harris et al., *Array programming with NumPy*, Nature 585, 2020.
# - A. Paszke et al., *PyTorch: An Imperative Style, High-Performance Deep Learning Library*, NeurIPS 2019.
# - In this repository: `minigrad/tensor.py`, `minigrad/ops/shape.py`.
