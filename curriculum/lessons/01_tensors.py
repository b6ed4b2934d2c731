# %% [markdown]
# # 1. Tensors
#
# **What is a tensor, and what can it do at once that a loop does step by step?**
#
# A *tensor* is a block of numbers of one type, and a shape that says how to read the block. Everything that a network
# holds is a tensor: its data, its weights, and the slopes by which it learns. A single number is a tensor, a list of
# numbers is one, a table, a picture, a pile of pictures. So before we let anything learn, we get to know them.
#
# The lines that begin with `record` or `draw` belong to the course: they state what was measured, and keep the
# pictures. You may delete them. Everything else is a program as you would write it. `torch` is the *engine*, the
# library that computes with tensors: minigrad or PyTorch, whichever you chose. The lessons are the same in both.

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
# From numbers, from a shape, from a range, from chance. `zeros`, `ones` and `full` fill a shape; `eye` is a table with
# ones on its diagonal; `arange` counts, and stops before its end; `linspace` divides a stretch evenly, both ends
# included. `rand` draws numbers between 0 and 1, all equally likely. `randn` draws from the *normal distribution*:
# around 0, mostly between $-2$ and $2$.
#
# Chance in a computer is computed, from a number called the *seed*: the same seed, the same numbers. That is how a
# training can be repeated exactly.

# %%
a = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])  # (2, 3): two rows, three columns
print(a, a.shape, a.ndim, a.numel())
print(torch.zeros(2, 2), torch.ones(3), torch.full((2,), 7), torch.eye(2), torch.arange(0, 10, 3), sep="\n")
print(torch.linspace(0, 1, 5), torch.rand(2), torch.randn(2), sep="\n")

torch.manual_seed(seed)
first = torch.randn(1000)
torch.manual_seed(seed)
again = torch.randn(1000)
record.claim(
    "the same seed draws the same numbers",
    f"{(first == again).sum().item():,} of 1,000 equal",
    torch.equal(first, again),
)

# %% [markdown]
# The *shape* lists the sizes of the *dimensions*: $(2, 3)$ is two rows of three columns. `ndim` counts the dimensions,
# `numel` the numbers. The shape of a single number is `()`, of a list of five numbers `(5,)`. Ask for shapes often.
# Most mistakes in network code are mistakes of shape.
#
# ## One type for all
#
# Every element has the same *dtype*, the type of its numbers. Whole numbers (`int64`) count and index; floating-point
# numbers (`float32`, `float64`) measure, and only they have slopes; `bool` is true or false. Where two types meet, the
# result takes the one that can hold both; `/` always gives floating-point numbers.

# %%
whole, measured = torch.tensor([1, 2, 3]), torch.tensor([0.5, 0.5, 0.5])
print(whole.dtype, (whole + measured).dtype, (whole / 2).dtype, (whole // 2).dtype, (whole > 1).dtype)
tenth = torch.tensor([0.1], dtype=torch.float32).double()
print(whole.float(), measured.long(), f"{tenth.item():.17f}")

# %% [markdown]
# The last number was 0.1, and it has become 0.10000000149. The name says why: a `float32` has 32 bits, which is room
# for about seven decimal digits, written in the binary system. 0.1 is not among the numbers that it can hold, so it
# takes the nearest one. `float64` keeps about sixteen digits. Networks are content with seven, and with `float32` they
# need half the memory. We take `float64` where two computations are to be compared exactly.
#
# ## Shape: the same block, read in another way
#
# A tensor's numbers lie in memory one after another, in a row. The shape is only a rule for reading them. Take six
# numbers, $0$ to $5$: as $(2, 3)$ the first three are row 0 and the next three are row 1. So number $[i, j]$ lies at
# place $3 i + j$ of the row. To read the columns as rows, take $i + 3 j$ instead, and nothing needs to move.
#
# That is what `view`, `transpose`, `T` and slices do. They make a second way of reading the same block, a *view*: what
# is written through one is seen through the other. `reshape` gives a view where it can, and a copy where it must.
# `clone` always copies.

# %%
block = torch.arange(6)
table = block.view(2, 3)
table[0, 0] = 100
copy = block.clone()
copy[1] = -1
print(block, table, table.T, sep="\n")
print("steps in memory to the next row and column:", table.stride(), "transposed:", table.T.stride())
record.claim(
    "a view shares its numbers, a clone does not", f"{block[0].item()}, {block[1].item()}",
    (block[0].item(), block[1].item()) == (100, 1),
)  # fmt: skip

# %% [markdown]
# Views are free, and that is their use: a batch can be cut into pieces, turned and regrouped without moving a number.
# They are also a trap. A function that writes into what it was given writes into the caller's data. The third exercise
# is about that.
#
# *Try it:* write `table.T[0, 1] = 7`. Which number of `block` has changed?
#
# <details><summary>Answer</summary>
#
# Number 3. Place $[0, 1]$ of the transposed table is place $[1, 0]$ of the table, and $3 \cdot 1 + 0 = 3$.
#
# </details>
#
# ## Choosing: slices, lists, masks
#
# A picture is a tensor: rows from top to bottom, columns from left to right. So what we do to tensors can be seen. Here
# is a handwritten digit, $(8, 8)$; 0 is empty paper, 16 is ink. Before you look at the pictures below, read each title
# and guess.
#
# - `x[2:6, 2:6]` is a *slice*: rows 2 to 5 and columns 2 to 5; the end is left out. `x[::2]` takes every second.
# - `x[[7, 0, 3]]` picks rows by a list, in its order.
# - `x > x.mean()` asks of every element, and gives a *mask* of true and false.
# - `torch.where(mask, p, q)` takes from $p$ where the mask is true, and from $q$ elsewhere.

# %%
pictures, _ = digits()
picture = torch.tensor(pictures[3], dtype=torch.get_default_dtype())  # (8, 8)

shown = {
    "x": picture,
    "x.T": picture.T,
    "x.flip(1)": picture.flip(1),
    "x[2:6, 2:6]": picture[2:6, 2:6],
    "x[::2, ::2]": picture[::2, ::2],
    "x[[7, 0, 3]]": picture[[7, 0, 3]],
    "x > x.mean()": 16 * (picture > picture.mean()).to(picture.dtype),
    "torch.where(x > 8, 16, x / 2)": torch.where(picture > 8, torch.full_like(picture, 16), picture / 2),
}
record.figure(draw.grey({name: tensor.numpy() for name, tensor in shown.items()}, 16), "1_views_of_a_digit")

dark = picture[picture > 8]  # a mask gives the chosen elements in a row
print(f"{len(dark)} of {picture.numel()} elements are dark, their mean is {dark.mean().item():.2f}")

# %% [markdown]
# Slices are views. Lists and masks pick from anywhere, which no fixed step describes, so they copy.
#
# ## Reducing
#
# `sum`, `mean`, `max`, `argmax` (the *place* of the largest) and others make one number of many. They go over all
# elements, or over the dimensions named by `dim`, which then are gone. With `keepdim=True` they stay, with size 1. The
# rule to remember: *`dim` names what disappears*. For $a$ above, $(2, 3)$:
#
# | call | shape | numbers |
# | --- | --- | --- |
# | `a.sum()` | `()` | 21 |
# | `a.sum(dim=0)` | `(3,)` | 5, 7, 9: down the rows, one for each column |
# | `a.sum(dim=1)` | `(2,)` | 6, 15: along the columns, one for each row |
# | `a.sum(dim=1, keepdim=True)` | `(2, 1)` | 6, 15, one under the other |
#
# Now all 1,797 digits at once, $(1797, 8, 8)$. The mean over `dim=0` is a mean picture; the sum over the other two is
# the ink of each digit.

# %%
print(a.sum(), a.sum(dim=0), a.sum(dim=1), a.sum(dim=1, keepdim=True))
x = torch.tensor(pictures, dtype=torch.get_default_dtype())  # (1797, 8, 8)
mean_picture = x.mean(dim=0)  # (8, 8)
ink = x.sum(dim=(1, 2))  # (1797,)
values, places = x.reshape(len(x), 64).max(dim=1)  # the darkest pixel of each picture, and where it lies
print(x.shape, mean_picture.shape, ink.shape, ink.argmax(), values[:5], places[:5], sep="\n")
reduced = {
    "x.mean(dim=0)": mean_picture, "x.std(dim=0)": x.std(dim=0), "x[ink.argmax()]": x[ink.argmax()], "x[ink.argmin()]": x[ink.argmin()],
}  # fmt: skip
record.figure(draw.grey({name: tensor.numpy() for name, tensor in reduced.items()}, 16), "1_reduced")

# %% [markdown]
# From the left: the mean of all digits; where they differ most (`std` is the *standard deviation*, the typical distance
# from the mean: dark where some digits have ink and others have not); the digit with the most ink, and the one with the
# least.
#
# ## Multiplying matrices
#
# A table of numbers is also called a *matrix*. Its product with another is the operation that networks live on:
#
# $$ (A B)_{ij} = \sum_k A_{ik} B_{kj} $$
#
# Row by column: go along row $i$ of $A$ and down column $j$ of $B$, multiply the pairs, and add ($\sum_k$ means: add up
# over all $k$). So $A$ needs as many columns as $B$ has rows: $(n, k)$ times $(k, m)$ is $(n, m)$. By hand: $(1, 2)$ as
# a row times $(3, 4)$ as a column is $1 \cdot 3 + 2 \cdot 4 = 11$.
#
# Why this one? Each row of $A$ is a sample, each column of $B$ holds weights, and the entry is the sample's numbers,
# weighted and added. That is what a layer does (lesson 7), and where nearly all time of a training goes. In Python it
# takes three loops, and is written `@`:


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
# Where does the speed come from? In the loop Python looks up each number, its type, and what to do with it, 230,400
# times. `@` does that once, and then the processor runs through whole blocks of numbers of one type, several at a time.
# Hence the rule for everything that follows: say it at once, for whole tensors.
#
# Batches multiply too: $(n, a, b)$ times $(n, b, c)$ gives $n$ products, $(n, a, c)$. Shapes that differ are stretched
# to fit where a size is 1 or missing; lesson 4 says how. And `*` is not `@`: it multiplies element by element.
#
# Two ways of joining: `cat` puts tensors behind one another along a dimension that is there, `stack` makes a new
# dimension.

# %%
print((torch.randn(5, 2, 3) @ torch.randn(5, 3, 4)).shape)
print(a + torch.tensor([10.0, 20.0, 30.0]))
joined = torch.cat([a, -a], dim=0), torch.stack([a, -a], dim=0)
print(joined[0].shape, joined[1].shape)

# %% [markdown]
# ## To NumPy and back
#
# NumPy is Python's library for arrays, and most data come in its arrays. `torch.from_numpy` and `.numpy()` share memory
# with the array; `torch.tensor` copies. `.item()` takes the number out of a tensor that has one element, `.tolist()`
# makes nested lists.

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
# ## Questions that come up
#
# **Why not just use NumPy?** For what this lesson shows, you could. A tensor can do one thing more: it can remember how
# it was computed, and from that get slopes. The next lesson begins with it.
#
# **I get "expected Float but found Long", or Double.** Two dtypes met where they must be equal, often whole numbers
# from a file, or `float64` from NumPy. `x.float()`, or `x.to(y.dtype)`, mends it.
#
# **When is a result a view?** When it can be described by a start and a step for each dimension: slices, `T`, `view`,
# `expand`. In doubt write into it and look, or `clone`.
#
# **How do I loop over a tensor's elements?** You hardly ever need to. Write down what you want for one element with its
# indices; most loops turn out to be a reduction, a mask, or a product.
#
# ## To remember
#
# - A tensor: numbers of one dtype in one block, and a shape.
# - Views share memory: cheap, and a trap for whoever writes into them.
# - `dim` names what disappears.
# - Say it at once: a loop over elements in Python is slower by orders of magnitude.
#
# ## Exercises
#
# In `curriculum/exercises/01_tensors.py`:
#
# 1. *Write it:* bring columns to mean 0 and standard deviation 1, without a loop.
# 2. *Predict, then measure:* shapes and numbers, on paper first.
# 3. *Find the planted bug:* a function that frames pictures, and does something else as well.
#
# Check them: `python -m curriculum check 01`.
#
# ## Further reading
#
# - C. R. Harris et al., *Array programming with NumPy*, Nature 585, 2020.
# - A. Paszke et al., *PyTorch: An Imperative Style, High-Performance Deep Learning Library*, NeurIPS 2019.
# - In this repository: `minigrad/tensor.py`, `minigrad/ops/shape.py`.
