# %% [markdown]
# # 3. The graph
#
# **In which order must backpropagation visit the steps of a computation?**
#
# In lesson 2 the steps formed a chain, and there was only one order. As soon as a result is used twice, the steps form
# a graph, and the order matters. We build an engine that goes wrong, see why, and mend it. Then we give it more
# operations, and train a small network on it: about fifty lines of Python, and no library. Lesson 5 builds the same
# engine for arrays.

# %%
import math

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
# Some words first. A *graph* is a set of *nodes* joined by *edges*. In a *computational graph* each node is a number
# that was computed or given, and an edge leads from each number to what it was made from. Those are its *parents*: the
# parents of $c$ are $b$ and $b$. Seen from the other side, $c$ *uses* $b$. A number without parents, such as $a$, is a
# *leaf*.
#
# ## A walk that goes wrong
#
# Every number remembers its parents. The *forward pass* computes the numbers. The *backward pass* starts at the last
# one, whose slope is $dc/dc = 1$, and goes from each number to its parents. The walk below gives each parent its share
# and goes on from there at once. A number can only be added here, and the slope of a sum is 1 towards both parents, so
# what is handed on is what has come.


# %%
class Sum:
    def __init__(self, value, parents=()):
        self.value = value
        self.parents = parents
        self.grad = 0  # the slope of the last number towards this one, as far as it is known

    def __add__(self, other):
        return Sum(self.value + other.value, (self, other))


def naive_backward(number):
    for parent in number.parents:
        parent.grad += number.grad
        naive_backward(parent)


a = Sum(1)
b = a + a
c = b + b
c.grad = 1
naive_backward(c)
naive = a.grad
print(f"naive walk: dc/da = {naive}, but c = 4a")

# %% [markdown]
# Why 6? Follow it by hand. The walk comes to $b$ twice, once for each time that $c$ uses it.
#
# | step | b.grad | handed to $a$ | a.grad |
# | --- | --- | --- | --- |
# | $c$ gives 1 to $b$ | 1 | | 0 |
# | the walk goes on from $b$ | 1 | 1 and 1 | 2 |
# | $c$ gives 1 to $b$ again | 2 | | 2 |
# | the walk goes on from $b$ again | 2 | 2 and 2 | 6 |
#
# The first time `b.grad` was 1, half of the truth. The second time it was 2, all of the truth, but this includes the 1
# that had been handed on already. What came the first time has been handed on twice.
#
# ## A topological order
#
# A number may hand its gradient on only when *all* who use it have handed in theirs. An order in which every number
# comes after all its users is called *topological*. To find one, put each number down after all its parents, then read
# the list backwards.
#
# The function `visit` does that. It first visits the parents, and theirs, down to the leaves. Only then does it put the
# number itself down. `seen` makes sure that a number stands in the list once, however many use it.


# %%
def topological(last):
    """All numbers that `last` was made from, and itself: each after all its parents."""
    order, seen = [], set()

    def visit(number):
        if number not in seen:
            seen.add(number)
            for parent in number.parents:
                visit(parent)
            order.append(number)  # all its parents stand before it

    visit(last)
    return order


a = Sum(1)
b = a + a
c = b + b
c.grad = 1
for number in reversed(topological(c)):  # c, b, a
    for parent in number.parents:
        parent.grad += number.grad
ordered = a.grad
print(f"topological order: dc/da = {ordered}")

# %% [markdown]
# There are orders that look right and are not. For example: go through the graph from the end, and treat each number
# when it is met for the first time. In $m = a + a,\; n = m \cdot m,\; f = m + n$ this comes from $f$ to $m$ while $n$
# has not handed in yet, and for $a = 3$ it gives 2 where the truth is 26. The exercise's check knows this walk.
#
# ## The engine
#
# The engine keeps this graph behind `grad_fn`. Each node knows the nodes it hands gradients to: `next_functions`, pairs
# of a node and the number of that node's output. A leaf, a tensor that you made and that wants a gradient, is
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
# once. A graph of $n$ such doublings has $n + 1$ numbers and $2^n$ paths; that is the second reason for the order. It
# visits every number once.

# %%
doublings = 40
x = torch.tensor(1.0, requires_grad=True)
y = x
for _ in range(doublings):
    y = y + y
y.backward()
record.claim("forty doublings, 2^40 paths, one short walk", f"slope {x.grad.item():.0f}", x.grad.item() == 2**doublings)

# %% [markdown]
# ## Slopes on the edges
#
# Sums alone make no network. For other operations the slope towards a parent is not 1, so a number now remembers its
# parents *together with* the slope towards each. The slope is known as soon as the number is computed, since it depends
# only on values that are there:
#
# | operation | value | slope towards $x$ | slope towards $y$ |
# | --- | --- | --- | --- |
# | sum | $x + y$ | $1$ | $1$ |
# | product | $x \cdot y$ | $y$ | $x$ |
# | power, with a fixed $n$ | $x^n$ | $n\,x^{n-1}$ | |
# | tanh | $t = \tanh x$ | $1 - t^2$ | |
#
# Such a slope, of one step and towards one parent, is called *local*. The chain rule makes the rest of them: a parent
# receives the local slope times what has come to the number. $\tanh$, the hyperbolic tangent, bends a line into an S
# between $-1$ and $1$. A network needs something that is not a straight line (lesson 12 shows why), and this one has a
# slope that is easy to write.
#
# Four operations are enough for much: $x - y$ is $x + (-1) \cdot y$, and $x / y$ is $x \cdot y^{-1}$.


# %%
class Number:
    def __init__(self, value, parents=(), name="number"):
        self.value = value
        self.parents = parents  # pairs: a number that this one was made from, and the slope towards it
        self.grad = 0.0
        self.name = name  # for the picture

    def __add__(self, other):
        other = number(other)
        return Number(self.value + other.value, ((self, 1.0), (other, 1.0)), "+")

    def __mul__(self, other):
        other = number(other)
        return Number(self.value * other.value, ((self, other.value), (other, self.value)), "*")

    def __pow__(self, n):
        return Number(self.value**n, ((self, n * self.value ** (n - 1)),), f"**{n}")

    def tanh(self):
        t = math.tanh(self.value)
        return Number(t, ((self, 1 - t * t),), "tanh")


def number(value):
    """The value as a Number; a Number stays what it is."""
    return value if isinstance(value, Number) else Number(value, name=f"{value:g}")


# %% [markdown]
# The walk is the one from above; only the slope is new.


# %%
def backward(last):
    """Fill in `.grad` of every number that `last` was made from."""
    order, seen = [], set()

    def visit(number):
        if number not in seen:
            seen.add(number)
            for parent, _ in number.parents:
                visit(parent)
            order.append(number)

    visit(last)
    last.grad = 1.0
    for number in reversed(order):
        for parent, slope in number.parents:
            parent.grad += slope * number.grad


# %% [markdown]
# ## One neuron
#
# A *neuron* multiplies each of its inputs by a weight, adds the products and another number, the *bias*, and bends the
# sum. With one input: $y = \tanh(w x + b)$. Do it by hand for $x = 2$, $w = 0.5$, $b = -0.3$. Forward: $w x = 1$, the
# sum is $0.7$, and $\tanh 0.7 = 0.604$. Backward: $y$ has slope 1; through the tanh it becomes $1 - 0.604^2 = 0.635$;
# the sum hands that on unchanged, so $dy/db = 0.635$; the product gives $w$ the slope $0.635 \cdot x = 1.27$, and $x$
# the slope $0.635 \cdot w = 0.317$.

# %%
x, w, b = Number(2.0, name="x"), Number(0.5, name="w"), Number(-0.3, name="b")
y = (w * x + b).tanh()
backward(y)
record.figure(draw.graph(y), "3_neuron")

tensors = [torch.tensor(n.value, dtype=torch.float64, requires_grad=True) for n in (x, w, b)]
(tensors[1] * tensors[0] + tensors[2]).tanh().backward()
off = max(abs(n.grad - t.grad.item()) for n, t in zip((x, w, b), tensors, strict=True))
record.claim("the neuron's three slopes are the engine's", f"{off:.0e} apart", off < 1e-12)

# %% [markdown]
# Read the picture from left to right for the forward pass: every box shows its value. Read it from right to left for
# the backward pass: take the `grad` of a box, multiply by the slope at the arrow (blue), and you get what its parent
# receives.
#
# *Try it:* make $w = 5$ and run the cell again. What happens to the three slopes, and why would a network with such
# weights learn slowly?
#
# <details><summary>Answer</summary>
#
# They nearly vanish: $\tanh 9.7$ is 1 up to eight digits, and there the S is flat. No slope, no step. Such a neuron is
# called *saturated*; lesson 13 is about it.
#
# </details>
#
# ## A network on our own engine
#
# The task: 40 points in a square. Those near the middle are to get $+1$, those outside $-1$. No straight line separates
# them. Our network has 2 inputs, 3 neurons between, which are called *hidden*, and 1 neuron that gives the answer; in
# short, a 2-3-1 network:
#
# $$ h_j = \tanh(w_{j1} x_1 + w_{j2} x_2 + b_j), \quad j = 1, 2, 3, \qquad y = \tanh(v_1 h_1 + v_2 h_2 + v_3 h_3 + c) $$
#
# Count the numbers to be learned: three times two weights and a bias, then three weights and a bias, $9 + 4 = 13$. The
# loss is the mean of the squared distances between $y$ and what is wanted.

# %%
points = 2 * torch.rand(40, 2, dtype=torch.float64) - 1
wanted = torch.where((points**2).sum(dim=1) < 0.5, 1.0, -1.0).to(torch.float64)
start = torch.randn(13, dtype=torch.float64)
start[:6] *= 2  # steep enough, so that three lines can stand around the middle


def network(p, x1, x2):
    """y for the 13 numbers p: w11 w12 w21 w22 w31 w32, then b1 b2 b3, v1 v2 v3, c."""
    h = [(p[2 * j] * x1 + p[2 * j + 1] * x2 + p[6 + j]).tanh() for j in range(3)]
    return (p[9] * h[0] + p[10] * h[1] + p[11] * h[2] + p[12]).tanh()


def mean_loss(p, points, wanted):
    """The mean squared error over all points, as one Number."""
    total = number(0.0)
    for (x1, x2), target in zip(points, wanted, strict=True):
        total = total + (network(p, x1, x2) + -target) ** 2
    return total * (1 / len(wanted))


# %% [markdown]
# Each step is that of lesson 2: the loss, the backward pass, the update, for all 13 numbers. A new graph is built in
# each step, from `Number`s that are new but for the 13. The engine of the lesson gets the same points and starting
# numbers, and does the same with tensors.

# %%
RATE, STEPS = 0.5, 200
ours = [Number(v) for v in start.tolist()]
theirs = start.clone().requires_grad_()
loss_apart = slope_apart = 0.0
losses = []
for _ in record.progress(range(STEPS), "2-3-1 network"):
    loss = mean_loss(ours, points.tolist(), wanted.tolist())
    for p in ours:
        p.grad = 0.0
    backward(loss)

    same = ((network(theirs, points[:, 0], points[:, 1]) - wanted) ** 2).mean()
    theirs.grad = None
    same.backward()

    losses.append(loss.value)
    loss_apart = max(loss_apart, abs(loss.value - same.item()))
    slope_apart = max(slope_apart, *(abs(p.grad - g) for p, g in zip(ours, theirs.grad.tolist(), strict=True)))
    for p in ours:
        p.value -= RATE * p.grad
    with torch.no_grad():
        theirs -= RATE * theirs.grad
    record.step("2-3-1 network", loss=same.item(), params=[theirs])

# %% [markdown]
# Do both agree, and did it learn?

# %%
answers = [network(ours, x1, x2).value for x1, x2 in points.tolist()]
right = sum((answer > 0) == (target > 0) for answer, target in zip(answers, wanted.tolist(), strict=True))
record.claim(
    "200 steps, 13 slopes each: our losses and gradients are the engine's",
    f"losses {loss_apart:.0e}, gradients {slope_apart:.0e} apart",
    max(loss_apart, slope_apart) < 1e-12,
)
record.claim(
    "the loss falls to less than a third, and at least 37 of 40 points are right",
    f"loss {losses[0]:.2f} to {losses[-1]:.2f}, {right} right",
    losses[-1] < losses[0] / 3 and right >= 37,
)
record.figure(
    draw.plane(lambda x1, x2: network(ours, x1, x2).value, points.numpy(), wanted.numpy(), losses), "3_network"
)

# %% [markdown]
# On the left the network's answer at every place of the square, blue for positive and red for negative, and the points
# in the colour that they should have. The black line, where the answer is 0, is the *decision boundary*. Each hidden
# neuron contributes one straight edge, softened by its tanh; three of them can stand around a middle. On the right the
# loss.
#
# One graph of this loss has more than a thousand numbers, and Python handles each on its own. That is why real engines
# keep whole arrays in a node (lesson 5).
#
# *Try it:* use two hidden neurons in place of three (give both the same starting numbers if you like), or another
# `seed`. How much of the circle can two lines enclose?
#
# <details><summary>Answer</summary>
#
# Two lines enclose a strip or a wedge, and never a closed region: some outside points are always called inside. And two
# neurons with the same starting numbers stay the same for ever, since they get the same gradients. That is why weights
# start at random.
#
# </details>
#
# ## Leaves add up
#
# `backward()` *adds* to `.grad`; it does not replace it. The graph needs this inside one walk, where a weight is used
# twice, and it carries on between walks: two small batches can share one update. The price is that you must clear the
# gradient yourself, with `optimizer.zero_grad()`. In our own training loop it is the line `p.grad = 0.0`.

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
# Why does it swing, and not simply go too fast? The sum of all past gradients acts like a speed. The line is pushed
# towards the lowest point, arrives there with all that speed, runs past it, and is slowed down and pushed back on the
# other side. A forgotten `zero_grad` raises no error; a loss that swings like this is how you notice.
#
# ## Questions that come up
#
# **Why backwards? One could also carry slopes forward.** One could, and it is called *forward mode*. Forward, one pass
# gives the slopes of everything towards *one* leaf; backward, one pass gives the slopes of *one* result towards
# everything. A network has thirteen or a million leaves and one loss.
#
# **Can a graph have a circle?** No: a number is made from numbers that are there already. That is why an order always
# exists. A loop in Python makes no circle in the graph, it makes a longer graph.
#
# **What if I walk the same graph twice?** The engine refuses, since it has thrown away what the walk needs, unless you
# ask for `retain_graph=True`. Our own engine does not refuse, and it gets something wrong; the second exercise asks
# what.
#
# **Does the order matter to the result's last digit?** A little: sums in another order round differently. That is the
# difference that the claim above measures.
#
# ## To remember
#
# - A node hands its gradient on once, when everything that uses it has handed in: a topological order.
# - Where paths meet, gradients add up. On an edge, what has come is multiplied by the local slope.
# - An engine is numbers that remember their parents and slopes, an order, and a loop.
# - Leaves add up between walks too; `zero_grad()` clears them.
#
# ## Exercises
#
# In `curriculum/exercises/03_the_graph.py`:
#
# 1. *Write it:* a quotient, and a walk that does not call itself, so that it can go through a chain of 20,000 numbers.
# 2. *Find the planted bug:* a walk that is right the first time and wrong the second.
# 3. *Predict, then measure:* how many steps does the naive walk take?.
#
# Check them: `python -m curriculum check 03`.
#
# ## Further reading
#
# - A. G. Baydin, B. A. Pearlmutter, A. A. Radul, J. M. Siskind, *Automatic Differentiation in Machine Learning: a
#   Survey*, JMLR 18, 2018.
# - A. Paszke and others, *PyTorch: An Imperative Style, High-Performance Deep Learning Library*, NeurIPS 2019.
# - A. Karpathy, *micrograd*, 2020.
# - In this repository: `plain_walk` and `walk` in `minigrad/autograd/graph.py`.
