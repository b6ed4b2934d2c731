# %% [markdown]
# # 5. An engine of arrays
#
# **What changes in an engine when every number becomes an array?**
#
# The engine of lesson 3 keeps a Python object for every number. One picture of 8 × 8 pixels through a small network
# takes thousands of them. A real engine keeps one object for a whole array, and one step for a whole operation on it.
# We build that engine: about fifty lines of NumPy. On the way we derive the one gradient that every network needs and
# that is easy to get wrong, the gradient of a matrix product. At the end our engine learns to read digits, and we put
# it beside the engine's own layers.

# %%
from pathlib import Path

import numpy as np

import curriculum
from curriculum import draw, record
from curriculum.data import digits
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)

# %% [markdown]
# ## What an operation must know
#
# In lesson 3 every number remembered its parents, and the slope towards each. For arrays that does not work: a layer
# with 64 inputs and 32 outputs, for 60 pictures, turns 3,840 numbers into 1,920. There is a slope from each of the
# first to each of the second, more than seven million, and nearly all are 0. The table of all these slopes is called
# the *Jacobian matrix*.
#
# Nobody needs the table. The backward pass arrives with the slopes of the loss $L$ at the result, an array $G$ of the
# result's shape: $G_{ij} = \partial L / \partial Y_{ij}$. It wants the slopes of the loss at the parent, an array of
# the parent's shape. So each operation brings, for each parent, a *function* that turns the one into the other. We call
# it `pull`, since it pulls the gradient back through the operation; the usual name is *vector-Jacobian product*.
#
# | operation | what it computes | the gradient of $A$, from that of $Y$ |
# | --- | --- | --- |
# | sum | $Y = A + B$ | $G$ |
# | product, element by element | $Y = A \cdot B$ | $G \cdot B$ |
# | power | $Y = A^n$ | $G \cdot n A^{n-1}$ |
# | tanh | $Y = \tanh A$ | $G \cdot (1 - Y^2)$ |
# | exponential | $Y = e^A$ | $G \cdot Y$ |
# | logarithm | $Y = \ln A$ | $G / A$ |
# | sum over a dimension | $Y_i = \sum_j A_{ij}$ | $G_i$ at every place of row $i$ |
# | matrix product | $Y = A B$ | still to be found |
#
# Here the dot means: element by element. These lines are those of lesson 3, for all elements at once, since in each of
# them an element of $Y$ comes from one element of $A$ (the sum over a dimension aside). A matrix product is different.
#
# ## The gradient of a matrix product, entry by entry
#
# Let $Y = X W$. In a layer, $X$ holds a sample in each row, and $W$ a weight from each input to each output. By
# definition an entry of $Y$ is a sum of products:
#
# $$ Y_{ij} = \sum_k X_{ik} W_{kj} $$
#
# How does the loss change when one entry of $X$ changes, $X_{ik}$, a little? First ask which entries of $Y$ it enters.
# The row number of $X$ is the row number of $Y$, so it enters row $i$ of $Y$ and no other; and there it enters every
# column $j$, each time multiplied by $W_{kj}$. So the slopes are
#
# $$ \frac{\partial Y_{ij}}{\partial X_{ik}} = W_{kj} $$
#
# Several paths lead from $X_{ik}$ to the loss, one through each $Y_{ij}$. The slopes of paths add up (lesson 3):
#
# $$ \frac{\partial L}{\partial X_{ik}} = \sum_j G_{ij} W_{kj} $$
#
# This is a row of $G$ times a row of $W$. A matrix product takes rows of the left and *columns* of the right, so $W$
# has to be transposed, and the sum over $j$ is the entry $(i, k)$ of $G W^\top$.
#
# Now one weight, $W_{kj}$. It is used once for every sample: it enters column $j$ of $Y$, in every row $i$, each time
# multiplied by $X_{ik}$. Again the paths add up, over the samples this time:
#
# $$ \frac{\partial L}{\partial W_{kj}} = \sum_i X_{ik} G_{ij} $$
#
# This is a column of $X$ times a column of $G$: the entry $(k, j)$ of $X^\top G$. Both together:
#
# $$ \frac{\partial L}{\partial X} = G\, W^\top, \qquad \frac{\partial L}{\partial W} = X^\top G $$
#
# Follow one number by hand. Take the matrices below, and suppose that the rest of the network sends back this $G$:
#
# $$ X = \begin{pmatrix} 1 & 2 & 0 \\ -1 & 3 & 1 \end{pmatrix}, \quad W = \begin{pmatrix} 2 & 1 \\ 0 & -1 \\ 4 & 3 \end{pmatrix}, \quad
#    G = \begin{pmatrix} 1 & -2 \\ 3 & 0.5 \end{pmatrix} $$
#
# For $X_{12} = 2$ (row 1, column 2) we need row 1 of $G$, which is $(1, -2)$, and row 2 of $W$, which is $(0, -1)$:
# $1 \cdot 0 + (-2) \cdot (-1) = 2$. For $W_{12} = 1$ we need column 1 of $X$, $(1, -1)$, and column 2 of $G$,
# $(-2, 0.5)$: $1 \cdot (-2) + (-1) \cdot 0.5 = -2.5$.

# %%
X = np.array([[1.0, 2.0, 0.0], [-1.0, 3.0, 1.0]])  # (2, 3)
W = np.array([[2.0, 1.0], [0.0, -1.0], [4.0, 3.0]])  # (3, 2)
G = np.array([[1.0, -2.0], [3.0, 0.5]])  # (2, 2): the slopes at Y = X W
X_slope, W_slope = G @ W.T, X.T @ G
print("slopes at X:", X_slope, "slopes at W:", W_slope, sep="\n")

# %% [markdown]
# Do not take that on trust: nudge. Every loss whose slopes at $Y$ are $G$ will do. The simplest is
# $L = \sum_{ij} G_{ij} Y_{ij}$. Change one entry, look at the loss, and do so for all twelve entries.


# %%
def nudged_slopes(loss, array, h=1e-6):
    """The slope of loss() at each entry of the array, by nudging one entry after another (lesson 2)."""
    slopes = np.zeros_like(array)
    for place in np.ndindex(*array.shape):
        kept = array[place]
        array[place] = kept + h
        above = loss()
        array[place] = kept - h
        below = loss()
        array[place] = kept
        slopes[place] = (above - below) / (2 * h)
    return slopes


def loss_of_y():
    return (G * (X @ W)).sum()


off = max(abs(nudged_slopes(loss_of_y, a) - s).max() for a, s in ((X, X_slope), (W, W_slope)))
record.claim("all 12 slopes of the matrix product are those that nudging gives", f"{off:.0e} apart", off < 1e-6)
record.claim(
    "the two that were computed by hand are 2 and -2.5",
    f"{X_slope[0, 1]:g} and {W_slope[0, 1]:g}",
    (X_slope[0, 1], W_slope[0, 1]) == (2.0, -2.5),
)

# %% [markdown]
# The picture shows which numbers took part. Framed in orange: the entry $X_{12}$, the row of $Y$ that it enters with
# its row of $G$, the row of $W$ that it is multiplied by, and the slope that comes out.

# %%
parts = {"X": X, "W": W, "Y = X W": X @ W, "G": G, "slopes at X\n= G Wᵀ": X_slope, "slopes at W\n= Xᵀ G": W_slope}
frames = {"X": (0, [1]), "W": (1, [0, 1]), "Y = X W": (0, [0, 1]), "G": (0, [0, 1]), "slopes at X\n= G Wᵀ": (0, [1])}
record.figure(draw.matrices(parts, frames), "5_matrix_product")

# %% [markdown]
# Shapes help to remember it. $X$ is $(2, 3)$, $W$ is $(3, 2)$, $G$ is $(2, 2)$. A gradient has the shape of what it
# belongs to, so the slopes at $X$ are $(2, 3)$: only $G W^\top$, $(2, 2)$ times $(2, 3)$, fits. But shapes are no
# proof.
#
# *Try it:* make $W$ square, three rows and three columns, and $G$ of $(2, 3)$. Which wrong formula for the slopes at
# $X$ has the right shape now, and how would you notice?
#
# <details><summary>Answer</summary>
#
# $G W$, without the transposition, is $(2, 3)$ too. No error is raised, and all numbers are wrong. Only nudging shows
# it: compare numbers, not shapes.
#
# </details>
#
# ## The engine
#
# The class below has the parts of lesson 3's `Number`: a value, parents, a gradient, operations, and a walk. Three
# things are new:
#
# - With each parent goes a function, where a slope was.
# - What arrives at a parent passes through `unbroadcast` (lesson 4), since `x @ w + b` stretches `b` over the batch.
#   One place serves all operations.
# - Gradients are added by `a.grad + g`, which makes a new array, and not by `a.grad += g`, which writes into the old
#   one. In `a + b` both parents are handed the very same array; writing into it for one would change it for the other.


# %%
def unbroadcast(grad, shape):
    """Sum a gradient down to the shape that its array had before it was stretched (lesson 4)."""
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.sum(axis=axis, keepdims=True)
    return grad


def array(value):
    """The value as an Array; an Array stays what it is."""
    return value if isinstance(value, Array) else Array(value)


def topological(last):
    """All arrays that `last` was made from, and itself: each after all its parents."""
    order, seen = [], set()

    def visit(a):
        if a not in seen:
            seen.add(a)
            for parent, _ in a.parents:
                visit(parent)
            order.append(a)

    visit(last)
    return order


# %% [markdown]
# Read the class beside the table above. Each method computes the value and writes its line of the table down, as a
# small function (Python calls it `lambda`) that waits for the gradient `g`. Each call of a method has an `a` and a `b`
# of its own, and the small functions made in it remember them.


# %%
class Array:
    def __init__(self, value, parents=()):
        self.value = np.asarray(value, dtype=np.float64)
        self.parents = parents  # pairs: an Array, and the function that pulls a gradient back to it
        self.grad = np.zeros_like(self.value)

    def __add__(self, other):
        other = array(other)
        return Array(self.value + other.value, ((self, lambda g: g), (other, lambda g: g)))

    def __mul__(self, other):
        a, b = self.value, array(other).value
        return Array(a * b, ((self, lambda g: g * b), (array(other), lambda g: g * a)))

    def __pow__(self, n):
        a = self.value
        return Array(a**n, ((self, lambda g: g * n * a ** (n - 1)),))

    def __matmul__(self, other):
        a, b = self.value, other.value
        return Array(a @ b, ((self, lambda g: g @ b.T), (other, lambda g: a.T @ g)))

    def tanh(self):
        y = np.tanh(self.value)
        return Array(y, ((self, lambda g: g * (1 - y**2)),))


# %% [markdown]
# The rest is written outside the class for the notebook's sake, so that no cell grows too long. `exp` and `log` follow
# the table. `total` sums over a dimension, or over everything; its `pull` copies the gradient back to every place that
# was added up. Stretching and summing are each other's backward: lesson 4 said it of broadcasting, and here it is for
# the sum.


# %%
def exp(a):
    y = np.exp(a.value)
    return Array(y, ((a, lambda g: g * y),))


def log(a):
    return Array(np.log(a.value), ((a, lambda g: g / a.value),))


def total(a, axis=None):
    """The sum over a dimension, which stays with size 1; over all of them if none is named."""
    return Array(a.value.sum(axis=axis, keepdims=True), ((a, lambda g: np.broadcast_to(g, a.value.shape)),))


def backward(last):
    """Fill in `.grad` of every array that `last`, an Array of one number, was made from."""
    last.grad = np.ones_like(last.value)
    for a in reversed(topological(last)):
        for parent, pull in a.parents:
            parent.grad = parent.grad + unbroadcast(pull(a.grad), parent.value.shape)


# %% [markdown]
# That is the whole engine. We check it against the engine of the lesson, on a formula that uses every operation, some
# arrays twice, and stretches `b` and the sum over the rows. Both sides compute in float64, numbers of some sixteen
# digits, so that only the last digit may differ.


# %%
def formula(x, w, b, exp, log, total):
    h = (x @ w + b).tanh()
    e = exp(h)
    shares = e * total(e) ** -1
    return total(log(shares) * h + (b * h) ** 2, everything=True)


def ours(x, w, b):
    return formula(x, w, b, exp, log, lambda a, everything=False: total(a, None if everything else 1))


def engines(x, w, b):
    def engine_total(a, everything=False):
        return a.sum() if everything else a.sum(dim=1, keepdim=True)

    return formula(x, w, b, torch.exp, torch.log, engine_total)


values = [torch.randn(shape, dtype=torch.float64) for shape in ((5, 4), (4, 3), (3,))]
own = [Array(v.numpy().copy()) for v in values]
theirs = [v.clone().requires_grad_() for v in values]
backward(ours(*own))
engines(*theirs).backward()
apart = max(np.abs(a.grad - t.grad.numpy()).max() for a, t in zip(own, theirs, strict=True))
record.claim("fifty lines give the engine's gradients, all operations together", f"{apart:.0e} apart", apart < 1e-12)

# %% [markdown]
# The same in minigrad, step by step, with a smaller layer. At the step of the matrix product stop and compute one entry
# of each gradient with a pencil; then point at it, and the page shows the row and the column that made it.


# %%
def layer():
    x = torch.tensor([[1.0, 2.0, 0.0], [-1.0, 3.0, 1.0]])
    w = torch.tensor([[0.2, 0.1], [0.0, -0.1], [0.4, 0.3]], requires_grad=True)
    b = torch.tensor([0.5, -0.5], requires_grad=True)
    y = x @ w + b
    return (y.tanh() ** 2).sum()


draw.backward(layer, "5_backward")

# %% [markdown]
# ## Beside minigrad's own lines
#
# `minigrad/autograd/graph.py` says the same, in the same order. Here is its walk by the definition, `plain_walk`, read
# from the file:

# %%
root = Path(curriculum.__file__).parent.parent


def lines_of(file, start):
    """The lines of a function of the file, from its `def` to the empty line after it, and the number of the first."""
    text = (root / file).read_text(encoding="utf-8").splitlines()
    first = next(i for i, line in enumerate(text) if line.strip().startswith(start))
    last = next((i for i in range(first + 1, len(text)) if text[i].strip() and text[i][0] not in " )"), len(text))
    return first + 1, "\n".join(text[first:last]).rstrip()


line, walk = lines_of("minigrad/autograd/graph.py", "def plain_walk")
print(f"minigrad/autograd/graph.py, from line {line} on\n\n{walk}")
record.claim(
    "minigrad's plain_walk adds up, unbroadcasts and goes on, in fewer than 20 lines",
    f"{len(walk.splitlines())} lines",
    len(walk.splitlines()) < 20 and "add(arrived" in walk and "unbroadcast" in walk,
)

# %% [markdown]
# | here | in minigrad | what is different there |
# | --- | --- | --- |
# | `Array` | `Variable` in `autograd/variable.py`, `Tensor` in `tensor.py` | the tensor and its node are two objects, so a result can be freed while its node waits |
# | `parents` | `_edges` of a node (`next_functions`) | inputs that want no gradient are left out, and are never computed |
# | the `lambda` of each parent | `backward` of an `Operation`, for instance `MatMul` in `ops/matrix.py` | one function for all parents; it says what it keeps with `save_for_backward` |
# | `topological`, reversed | `max(arrived, key=... sequence_nr)` in `plain_walk` | nodes are numbered as they are made: newest first *is* a topological order, no sort is needed |
# | `unbroadcast` | `unbroadcast` in `autograd/fit.py` | the same |
# | `parent.grad + ...` | `add(arrived[...], result)` | the sum belongs to the walk, and only leaves keep a `.grad`: a second walk starts clean |
#
# Everything else in that file (views, hooks, several outputs, gradients of gradients) is there for what people do with
# an engine. None of it changes the idea.

# %%
line, product = lines_of("minigrad/ops/matrix.py", "class MatMul")
rule = product.splitlines()[1].strip().strip('"')
print(f"minigrad/ops/matrix.py, line {line}: MatMul\n{rule}")
record.claim(
    "minigrad's matrix product states the two formulas",
    "da = grad @ bᵀ, db = aᵀ @ grad",
    rule.endswith("da = grad @ bᵀ, db = aᵀ @ grad"),
)

# %% [markdown]
# ## It reads digits
#
# Our data: 1,797 handwritten digits, 8 × 8 pixels, from lesson 1. We learn from 1,437 of them and keep 360 *held out*:
# pictures that training never sees, so that they show what was understood and not what was learned by heart.
#
# The network: 64 pixels, 32 hidden numbers, 10 scores, one for each digit. In a formula, with a picture in each row of
# $X$:
#
# $$ S = \tanh(X W_1 + b_1)\, W_2 + b_2 $$
#
# The digit with the largest score is the answer. To train we need a loss, and we take the usual one, which lessons 9
# and 10 derive. First make the scores of a picture into shares that are positive and sum to 1,
# $p_j = e^{S_j} / \sum_k e^{S_k}$ (this is called *softmax*). Then the loss of the picture is $-\ln p_t$, where $t$ is
# the right digit (called *cross-entropy*): 0 if the right digit gets the whole share, and large if it gets nearly
# nothing. Guessing, a tenth for each, costs $\ln 10 = 2.30$.
#
# To keep $e^{S}$ from overflowing, the largest score of each row is subtracted first. That changes no share, and no
# gradient.

# %%
pictures, answers = digits()
pixels = pictures.reshape(-1, 64) / 16  # (1797, 64), from 0 to 1
order = torch.randperm(len(pixels)).numpy()
learn, held_out = order[:1437], order[1437:]
one_hot = np.eye(10)[answers]  # (1797, 10): a 1 at the right digit
start = [torch.randn(64, 32, dtype=torch.float64) / 8, torch.zeros(32, dtype=torch.float64)]
start += [torch.randn(32, 10, dtype=torch.float64) / 32**0.5, torch.zeros(10, dtype=torch.float64)]


def scores(x, w1, b1, w2, b2):
    return (x @ w1 + b1).tanh() @ w2 + b2


def cross_entropy(s, wanted):
    shifted = s + Array(-s.value.max(axis=1, keepdims=True))
    log_share = shifted + log(total(exp(shifted), 1)) * -1.0
    return total(log_share * wanted) * (-1.0 / len(wanted))


# %% [markdown]
# Why the division by 8 and by $\sqrt{32}$? A score is a sum over 64, or 32, products; without it the sums would be so
# large that every $\tanh$ sits at its end, where its slope is nearly 0. Lesson 17 measures it.
#
# A step takes 60 pictures, a *mini-batch*: enough for a useful slope, and 24 times cheaper than all of them. After 23
# of them nearly all pictures were seen once (an *epoch*), and they are shuffled anew. The engine's own layers,
# `nn.Linear`, get the same weights and the same batches beside us. `nn.Linear` keeps its weight transposed, an output
# in each row; lesson 7 explains it.

# %%
params = [Array(p.numpy().copy()) for p in start]
model = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10)).to(torch.float64)
with torch.no_grad():
    for p, value in zip(model.parameters(), start, strict=True):
        p.copy_(value.T if value.ndim == 2 else value)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)


def our_step(batch):
    loss = cross_entropy(scores(Array(pixels[batch]), *params), one_hot[batch])
    for p in params:
        p.grad = np.zeros_like(p.value)
    backward(loss)
    for p in params:
        p.value = p.value - 0.5 * p.grad
    return loss.value.item()


def engine_step(batch):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(torch.tensor(pixels[batch])), torch.tensor(answers[batch]))
    loss.backward()
    optimizer.step()
    record.step("digits", loss=loss.item(), model=model)
    return loss.item()


# %% [markdown]
# Ready? Ten epochs of 23 steps each.


# %%
def accuracy(rows):
    """The share of the pictures at `rows` that are read right."""
    s = scores(Array(pixels[rows]), *params).value
    return (s.argmax(axis=1) == answers[rows]).mean()


losses = {"our fifty lines": [], "the engine's layers": []}
right = {"training": [accuracy(learn)], "held out": [accuracy(held_out)]}
for _ in record.progress(range(10), "digits"):
    shuffled = learn[torch.randperm(len(learn)).numpy()]
    for first in range(0, 23 * 60, 60):
        batch = shuffled[first : first + 60]
        losses["our fifty lines"].append(our_step(batch))
        losses["the engine's layers"].append(engine_step(batch))
    right["training"].append(accuracy(learn))
    right["held out"].append(accuracy(held_out))

apart = np.abs(np.subtract(*losses.values())).max()
record.claim("at all 230 steps the loss is that of the engine's own layers", f"{apart:.0e} apart", apart < 1e-10)
record.claim(
    "more than 92 % of the held-out digits are read right, and of the network's own still more",
    f"{100 * right['held out'][-1]:.1f} and {100 * right['training'][-1]:.1f} %, before training {100 * right['held out'][0]:.1f} %",
    right["training"][-1] > right["held out"][-1] > 0.92,
)
record.claim(
    "the first loss is about what guessing costs, 2.3",
    losses["our fifty lines"][0],
    2.0 < losses["our fifty lines"][0] < 2.8,
)

# %%
record.figure(draw.twins(losses, right), "5_digits")

# %% [markdown]
# On the left the two losses lie on one another. The line is rough because each step sees another 60 pictures, some
# easier than others. On the right the accuracy after each epoch: orange for what is held out, blue for what is trained
# on. The two rise together and then part a little, which is usual: the network knows its own pictures best.
#
# Some held-out digits, with what the network reads; its mistakes are orange. Would you have read them right?

# %%
guesses = scores(Array(pixels[held_out]), *params).value.argmax(axis=1)
wrong = np.flatnonzero(guesses != answers[held_out])[:8]
chosen = np.concatenate([np.arange(8), wrong])
record.figure(draw.images(pictures[held_out][chosen], answers[held_out][chosen], guesses[chosen]), "5_read")

# %% [markdown]
# ## What the array buys
#
# The arithmetic is that of lesson 3, number by number. What has changed is how many objects Python handles. One step on
# 60 pictures builds a graph of a few arrays; with a `Number` for each value it would be a graph of hundreds of
# thousands.

# %%
batch = learn[:60]
loss = cross_entropy(scores(Array(pixels[batch]), *params), one_hot[batch])
arrays = len(topological(loss))
multiply_adds = 60 * (64 * 32 + 32 * 10)  # in the two matrix products
print(f"{arrays} arrays; as numbers, {2 * multiply_adds:,} for the matrix products alone")
record.claim(
    "a graph of fewer than 30 arrays does the work of 284,160 numbers",
    f"{arrays} arrays",
    arrays < 30 and 2 * multiply_adds == 284_160,
)

# %% [markdown]
# *Try it:* in `__matmul__` leave out the `.T` of `a.T @ g`. What happens? And what if you leave `unbroadcast` out of
# `backward`?
#
# <details><summary>Answer</summary>
#
# The first stops at once with an error: (60, 64) does not multiply (60, 32). That is a lucky mistake. The second fails
# the claim about all operations together, and the training then runs through a whole epoch without an error, with wrong
# losses. The gradient of `b1` is (60, 32), so after the first update `b1` is too, and the next batch of 60 accepts
# that. Only when all 1,437 pictures are read do the shapes no longer fit.
#
# </details>
#
# ## Questions that come up
#
# **Do I ever need to derive a gradient myself?** When you write an operation that the engine lacks, or want a faster
# one. The recipe is always the one used above: write an entry of the result as a sum, ask where one entry of the input
# enters, add up over the paths. Then nudge.
#
# **Why is the gradient of the weight $X^\top G$ a sum over the batch?** Because the same weight was used for every
# sample. It is the sum over uses of lesson 4 again, done by the matrix product itself.
#
# **Why does backward cost about twice as much as forward?** Forward has one matrix product for a layer, $X W$. Backward
# has two of the same size, $G W^\top$ and $X^\top G$.
#
# **What does the graph keep in memory?** Everything that a `lambda` mentions: for a matrix product both factors, for
# $\tanh$ its result. That is why training needs more memory than answering; lesson 33 counts it.
#
# ## To remember
#
# - An operation on arrays brings, for each parent, a function that pulls the gradient back. The table of all slopes is
#   never made.
# - $Y = XW$: $\partial L/\partial X = G W^\top$ and $\partial L/\partial W = X^\top G$. Derive it entry by entry; check
#   it by nudging.
# - An engine is values, parents, pulls, an order, and `unbroadcast` in one place. The rest is comfort and speed.
#
# ## Exercises
#
# In `curriculum/exercises/05_engine_of_arrays.py`:
#
# 1. *Derive it:* the three gradients of $s_n = \sum_{ij} x_{ni} W_{ij} z_{nj}$, entry by entry.
# 2. *Write it:* the gradient of picking rows from a table, where a row may be picked several times.
# 3. *Find the planted bug:* a function that puts arrays below one another, and hands some of them a wrong gradient.
#
# Check them: `python -m curriculum check 05`.
#
# ## Further reading
#
# - M. Giles, *Collected Matrix Derivative Results for Forward and Reverse Mode Algorithmic Differentiation*, 2008.
# - A. Karpathy, *micrograd*, 2020: an engine of numbers in a hundred lines.
# - In this repository: `minigrad/autograd/graph.py`, `minigrad/ops/matrix.py`, `minigrad/autograd/fit.py`.
