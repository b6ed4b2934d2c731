# %% [markdown]
# # 3. The graph
#
# **In which order must backpropagation visit the steps of a computation?**
#
# In lesson 2 the steps formed a chain, and there was only one order. As soon as a result is used twice, the steps
# form a graph, and the order matters. We build an engine of twenty lines that goes wrong, see why, and mend it.

# %%
from curriculum import draw, record
from curriculum.engine import seed, torch

torch.manual_seed(seed)

# %% [markdown]
# ## Three numbers
#
# $$ a = 1, \qquad b = a + a, \qquad c = b + b $$
#
# $c = 4a$, so $dc/da = 4$. Where a value is used twice, the chain rule adds up over all paths: $a$ reaches $c$ on
# $2 \cdot 2 = 4$ paths, and every path has slope 1.
#
# ## A walk that goes wrong
#
# Every number remembers what it was made from. The walk gives each parent its share and goes on from there at once.


# %%
class Number:
    def __init__(self, value, parents=()):
        self.value = value
        self.parents = parents
        self.grad = 0

    def __add__(self, other):
        return Number(self.value + other.value, (self, other))


def naive_backward(number):
    for parent in number.parents:
        parent.grad += number.grad  # the slope of a sum is 1 for both parents
        naive_backward(parent)


a = Number(1)
b = a + a
c = b + b
c.grad = 1
naive_backward(c)
naive = a.grad
print(f"naive walk: dc/da = {naive}, but c = 4a")

# %% [markdown]
# Why 6? The walk comes to $b$ twice. The first time `b.grad` is 1, half of the truth, and $a$ receives $1 + 1$. The
# second time `b.grad` is 2 and $a$ receives $2 + 2$: what came the first time is handed on once more.
#
# ## A topological order
#
# A number may hand its gradient on only when *all* who use it have handed in theirs. An order in which every number
# comes after all its users is called topological. To find one, put each number down after all its parents, then
# read the list backwards.


# %%
def backward(last):
    order, seen = [], set()

    def visit(number):
        if number not in seen:
            seen.add(number)
            for parent in number.parents:
                visit(parent)
            order.append(number)  # all its parents stand before it

    visit(last)
    last.grad = 1
    for number in reversed(order):
        for parent in number.parents:
            parent.grad += number.grad


a = Number(1)
b = a + a
c = b + b
backward(c)
ordered = a.grad
print(f"topological order: dc/da = {ordered}")

# %% [markdown]
# ## The engine
#
# The engine keeps this graph behind `grad_fn`. Each node knows the nodes it hands gradients to: `next_functions`,
# pairs of a node and the number of that node's output. A leaf, a tensor that you made and that wants a gradient, is
# represented by a node `AccumulateGrad`, which adds what arrives to `.grad`.

# %%
a = torch.tensor(1.0, requires_grad=True)
b = a + a
c = b + b


def show(node, depth=0):
    print("    " * depth + node.name().split("::")[-1])
    for following, _ in node.next_functions:
        if following is not None:
            show(following, depth + 1)


show(c.grad_fn)
c.backward()
print(f"engine: dc/da = {a.grad.item()}")

record.claim(
    "the naive walk gives 6, the topological order and the engine give 4",
    f"{naive}, {ordered}, {a.grad.item():g}",
    (naive, ordered, a.grad.item()) == (6, 4, 4.0),
)

# %% [markdown]
# See it happen: on this page every node says how many of its gradients it still waits for, and where paths meet the sum
# is written out. Then set *Order* to "naive" and watch 6 come about; or choose the next node yourself, and try $b$ too
# early: the page says what would be lost.


# %%
def doubled_twice():
    a = torch.tensor(1.0, requires_grad=True)
    b = a + a
    return b + b


draw.backward(doubled_twice, "3_backward")

# %% [markdown]
# Printed as a tree the node of $b$ appears twice and that of $a$ four times, once for each path. In memory they exist
# once. A graph of $n$ such doublings has $n$ nodes and $2^n$ paths; that is the second reason for the order. It visits
# every node once.

# %%
doublings = 40
x = torch.tensor(1.0, requires_grad=True)
y = x
for _ in range(doublings):
    y = y + y
y.backward()
record.claim("forty doublings, 2^40 paths, one short walk", f"slope {x.grad.item():.0f}", x.grad.item() == 2**doublings)

# %% [markdown]
# ## Leaves add up
#
# `backward()` *adds* to `.grad`; it does not replace it. The graph needs this inside one walk, where a weight is used
# twice, and it carries on between walks: two small batches can share one update. The price is that you must clear
# the gradient yourself, with `optimizer.zero_grad()`.

# %%
w = torch.tensor(1.0, requires_grad=True)
seen = []
for _ in range(3):
    (4 * w).backward()
    seen.append(w.grad.item())
print(f"the gradient after one, two, three walks: {seen}")


# %%
def train(clear, name):
    x = torch.linspace(-1, 1, 30)
    y = 1.5 * x + 0.5
    w = torch.tensor([-1.0, 2.0], requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    losses = []
    for _ in record.progress(range(60), name):
        if clear:
            optimizer.zero_grad()
        loss = ((w[0] * x + w[1] - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        record.step(name, loss=loss.item(), params=[w])
        losses.append(loss.item())
    return losses


cleared = train(True, "with zero_grad")
kept = train(False, "without zero_grad")
record.figure(draw.curves({"with zero_grad": cleared, "without": kept}, "step", "loss"), "3_zero_grad")

record.claim(
    "without zero_grad the gradients of all past steps push along, and the loss swings instead of falling",
    f"last ten losses at most {max(cleared[-10:]):.1e} with, {max(kept[-10:]):.1e} without",
    max(cleared[-10:]) < 0.01 * max(kept[-10:]) and seen == [4.0, 8.0, 12.0],
)

# %% [markdown]
# ## To remember
#
# - A node hands its gradient on once, when everything that uses it has handed in: a topological order.
# - Where paths meet, gradients add up.
# - Leaves add up between walks too; `zero_grad()` clears them.
#
# ## Exercise
#
# `curriculum/exercises/03_the_graph.py`: give the small engine a product, and the walk for it.
# Check it: `python -m curriculum check 03`.
#
# ## Further reading
#
# - A. G. Baydin, B. A. Pearlmutter, A. A. Radul, J. M. Siskind, *Automatic Differentiation in Machine Learning: a Survey*,
#   JMLR 18, 2018.
# - A. Paszke and others, *PyTorch: An Imperative Style, High-Performance Deep Learning Library*, NeurIPS 2019.
# - In this repository: `plain_walk` and `walk` in `minigrad/autograd/graph.py`.
