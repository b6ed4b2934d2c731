# %% [markdown]
# # 2. One weight
#
# **How does a program know which way to turn a knob?**
#
# A network is a function with knobs, the *weights*. It gets an input and gives an answer, and the weights decide which.
# The *loss* is a number that says how wrong the answers are: 0 would be perfect. *Training* turns the weights until the
# loss is small. A large network has millions of weights. With one weight everything can still be done by hand, so we do
# it by hand once, and then let the engine do it.

# %%
from curriculum import draw, record
from curriculum.engine import seed, torch

torch.manual_seed(seed)

# %% [markdown]
# ## The slope, by nudging
#
# Which way should we turn? Turn a little and look at what the loss does. If it grows by 0.006 when we turn by 0.001, it
# grows six times as fast as we turn. This ratio is the *slope* (in mathematics the *derivative*). It has a sign, which
# says which way is up, and a size, which says how steep it is there. To measure it, go a small step $h$ to either side
# of $x$:
#
# $$ \frac{df}{dx} \approx \frac{f(x + h) - f(x - h)}{2h} $$
#
# The left side, $df/dx$, is how the slope of $f$ by $x$ is written (the books say *with respect to* $x$). Read it as "a
# small change of $f$, divided by the small change of $x$ that caused it". For $f(x) = (3x - 2)^2$ at $x = 1$ school
# mathematics says $2\,(3x - 2)\cdot 3 = 6$. Does nudging agree?


# %%
def f(x):
    return (3 * x - 2) ** 2


h = 1e-5
nudged = (f(1.0 + h) - f(1.0 - h)) / (2 * h)
print(f"slope by nudging: {nudged:.8f}")

# %% [markdown]
# Nudging costs two evaluations for every weight. A network with a million weights would need two million evaluations
# for one step. We need all slopes for the price of about one more evaluation.
#
# *Try it:* make `h` smaller: `1e-10`, then `1e-17`. A smaller step should be better. Is it?
#
# <details><summary>Answer</summary>
#
# With `1e-10` the last digits are wrong, with `1e-17` the answer is 0. The computer keeps some sixteen digits of a
# number, and $1 + 10^{-17}$ is just 1. So nudging is a way to *check* a slope, and not a way to train. The second
# exercise is about that.
#
# </details>
#
# ## The slope, by the chain rule
#
# Cut the formula into steps whose slopes are known, and multiply the slopes from the end to the beginning:
#
# $$ u = 3x, \quad v = u - 2, \quad f = v^2, \qquad
#    \frac{df}{dx} = \frac{df}{dv}\cdot\frac{dv}{du}\cdot\frac{du}{dx} = 2v \cdot 1 \cdot 3 $$
#
# This is the *chain rule*. It is how gears work: if one wheel turns three times as fast as the one before, and the next
# one twice as fast as that, the last turns six times as fast as the first. At $x = 1$: $u = 3$, $v = 1$, so the three
# slopes are $2$, $1$ and $3$, and their product is 6.

# %%
x = 1.0
u = 3 * x
v = u - 2
df_dv = 2 * v
dv_du = 1.0
du_dx = 3.0
by_hand = df_dv * dv_du * du_dx
print(f"slope by the chain rule: {by_hand}")

# %% [markdown]
# That is all that *backpropagation* does. The engine writes the steps down while it computes, and `backward()`
# multiplies the slopes from the end to the beginning. `requires_grad=True` says of a tensor that we want the slope by
# it. Afterwards the slope lies in its `.grad`, short for *gradient*, which is the word for the slopes by all numbers of
# a tensor together.

# %%
x = torch.tensor(1.0, requires_grad=True)
f(x).backward()
print(f"slope by the engine: {x.grad.item()}")

record.claim(
    "the chain rule by hand and the engine give 6, and nudging gives it to seven digits",
    f"{by_hand:g}, {x.grad.item():g}, {nudged:.7f}",
    by_hand == 6 and x.grad.item() == 6 and abs(nudged - 6) < 1e-6,
)

# %% [markdown]
# The next lines write this pass down as a page, which a notebook shows below the cell; elsewhere its path is printed.
# Go through it with →: forward $u$, $v$ and $f$ get their values, backward each step multiplies what comes to it by its
# own slope. Then choose $x$ and move it: beside slope · step stands what the loss really does. How small must a step be
# until the two agree?


# %%
def steps():
    x = torch.tensor(1.0, requires_grad=True)
    u = 3 * x
    v = u - 2
    return v**2


draw.backward(steps, "2_backward")

# %% [markdown]
# ## A line through the origin
#
# Now something to learn. Forty points $(x_i, y_i)$ lie near the line $y = 2.5\,x$, with a little chance added. The
# program sees the points, and not the 2.5. It looks for the weight $w$ for which $w x_i$ is nearest to $y_i$, all
# points together. As loss we take the mean of the squared distances, the *mean squared error*. Here $n = 40$ is the
# number of points, and $\sum_i$ means: add up over all $i$.
#
# $$ L(w) = \frac1n \sum_i (w x_i - y_i)^2, \qquad \frac{dL}{dw} = \frac2n \sum_i (w x_i - y_i)\,x_i $$
#
# Why squared? A distance above the line and one below must not cancel, and a large miss should count for more than
# several small ones. And the square has a slope everywhere, which falls to 0 as the distance does.
#
# $L$ is a parabola in $w$: it has one lowest point. The slope points uphill, so we walk against it:
#
# $$ w \leftarrow w - \eta\, \frac{dL}{dw} $$
#
# The arrow means "becomes". The factor $\eta$ (eta) is called the *learning rate*: it says how long a step we take for
# a given slope. To do this again and again is called *gradient descent*.

# %%
xs = torch.randn(40)
ys = 2.5 * xs + 0.1 * torch.randn(40)
best = ((xs * ys).sum() / (xs * xs).sum()).item()  # where the slope of the parabola is 0

w = torch.tensor(-1.0, requires_grad=True)
lr = 0.1
weights, losses = [], []

for _ in range(100):
    loss = ((w * xs - ys) ** 2).mean()
    weights.append(w.item())
    losses.append(loss.item())

    loss.backward()
    with torch.no_grad():  # the update is no part of the formula
        w -= lr * w.grad
    record.step("by hand", loss=loss.item(), params=[w])
    w.grad = None  # else the next slope would be added to this one

print(f"found {w.item():.6f}, the lowest point lies at {best:.6f}")
record.claim(
    "a hundred steps by hand reach the lowest point", f"off by {abs(w.item() - best):.1e}", abs(w.item() - best) < 1e-3
)

# %% [markdown]
# Three lines of the loop deserve a word. `loss.backward()` computes the slope. `torch.no_grad()` says that what follows
# is not to be recorded: the update uses the slope, it is no part of the loss. And `w.grad = None` clears the slope,
# since `backward()` adds to what is there; lesson 3 says why.

# %%
shown = {f"step {k}: w = {weights[k]:.2f}": weights[k] for k in (0, 1, 3, 10, 99)}
record.figure(draw.lines(xs.numpy(), ys.numpy(), shown), "2_data_and_fit")
record.figure(draw.walk(weights, losses, lambda t: ((t * xs - ys) ** 2).mean().item()), "2_parabola")

# %% [markdown]
# The first picture shows the data, and the line at five moments of the descent. The second shows the same descent as a
# walk on the parabola. The steps grow shorter by themselves: near the lowest point the parabola is flat, so the slope
# is small.
#
# ## How large a learning rate?
#
# For a parabola one can say it exactly. Let $m = \frac1n \sum_i x_i^2$, and let $w^*$ be the weight at the lowest
# point. Then $dL/dw = 2 m (w - w^*)$, and a step does this to the distance from the lowest point:
#
# $$ w_\text{new} - w^* = (w - w^*) - \eta \cdot 2 m (w - w^*) = (1 - 2 m \eta)\,(w - w^*) $$
#
# So every step multiplies the distance by the same factor $r = 1 - 2 m \eta$. Everything follows from $r$:
#
# | learning rate | factor $r$ | what happens |
# | --- | --- | --- |
# | tiny | just under 1 | it creeps: in the right direction, but it takes for ever |
# | below $1 / 2m$ | between 0 and 1 | it walks down one side |
# | $1 / 2m$ | 0 | one step, and it is there |
# | between $1 / 2m$ and $1 / m$ | between $-1$ and 0 | it jumps from side to side, nearer each time |
# | above $1 / m$ | below $-1$ | each jump is longer than the last: it *diverges* |
#
# Five rates, from too small to too large, twelve steps each:


# %%
def descend(lr, steps):
    """The weights of a descent by hand, from -1 on."""
    w, path = -1.0, [-1.0]
    for _ in range(steps):
        slope = (2 * (w * xs - ys) * xs).mean().item()
        w -= lr * slope
        path.append(w)
    return path


m = (xs * xs).mean().item()
shares = (0.01, 0.15, 0.5, 0.9, 1.08)  # of the limit, 1 / m
paths = {share / m: descend(share / m, 12) for share in shares}
record.figure(draw.rates(paths, lambda t: ((t * xs - ys) ** 2).mean().item()), "2_learning_rates")

far = [abs(path[-1] - best) / abs(path[0] - best) for path in paths.values()]
factors = [abs(1 - 2 * share) ** 12 for share in shares]
record.claim(
    "after twelve steps the distance is what r to the power of 12 says, for all five rates",
    ", ".join(f"{d:.2g}" for d in far),
    all(abs(d - r) < 1e-3 * (1 + r) for d, r in zip(far, factors, strict=True)),
)
record.claim(
    "the smallest has not gone a quarter of the way, the middle one is there, the largest is further away than at the start",
    f"{far[0]:.2f}, {far[2]:.0e}, {far[4]:.1f} of the first distance",
    far[0] > 0.75 and far[2] < 1e-4 and far[4] > 1,
)

# %% [markdown]
# *Try it:* take the last rate and 200 steps. What does the loss become?
#
# <details><summary>Answer</summary>
#
# The distance grows by 1.16 in each step, and $1.16^{200}$ is about $10^{13}$, so the loss has some 27 digits. Go on,
# and the numbers get too large to be held: `inf`, and then `nan`, "not a number". A loss that grows, or is `nan`, is
# the usual sign of a rate that is too large.
#
# </details>
#
# A real network's loss is no parabola, and nobody knows its $m$. What people do is the same experiment: begin with 0.1
# or 0.01, multiply or divide by 3 or 10, look at the first fifty losses, and take the largest rate that still falls
# steadily. Lesson 31 shows it for a network. One more thing can be seen in the formula: $m$ depends on how large the
# inputs are. Inputs ten times as large make the limit a hundred times smaller, which is why data are scaled first
# (exercise 1 of lesson 1).
#
# ## The same with an optimizer
#
# An *optimizer* is an object that holds the weights and an update rule; `torch.optim` has many. `SGD`, *stochastic
# gradient descent*, is the line that we wrote by hand. ("Stochastic" means by chance: usually it sees only some of the
# data in each step, chosen at random.) `Adam` divides each slope by a running estimate of its usual size, so its first
# steps all have about the length $\eta$, however steep the hill is. Lesson 6 builds it.


# %%
def fit(optimizer_class, lr, name):
    w = torch.tensor(-1.0, requires_grad=True)
    optimizer = optimizer_class([w], lr=lr)  # it gets a list of the weights that it is to change
    weights, losses = [w.item()], []
    for _ in record.progress(range(100), name):
        optimizer.zero_grad()  # clear the slopes
        loss = ((w * xs - ys) ** 2).mean()
        loss.backward()
        optimizer.step()  # change the weights
        record.step(name, loss=loss.item(), params=[w])
        weights.append(w.item())
        losses.append(loss.item())
    return weights, losses


w_sgd, losses_sgd = fit(torch.optim.SGD, 0.1, "SGD")
w_adam, losses_adam = fit(torch.optim.Adam, 0.1, "Adam")
print(f"SGD {w_sgd[-1]:.6f}, Adam {w_adam[-1]:.6f}, lowest point {best:.6f}")

record.figure(draw.curves({"SGD": losses_sgd, "Adam": losses_adam}, "step", "loss"), "2_optimizers")

# %%
same = max(abs(a - b) for a, b in zip(losses, losses_sgd, strict=True))
first_steps = [w_adam[k + 1] - w_adam[k] for k in range(10)]
off_sgd, off_adam = abs(w_sgd[-1] - best), abs(w_adam[-1] - best)
record.claim("SGD walks the path that we walked by hand", f"losses differ by {same:.1e}", same < 1e-6)
record.claim(
    "Adam's first ten steps have the length of the learning rate, to a tenth",
    f"{min(first_steps):.3f} to {max(first_steps):.3f}",
    all(0.09 < step < 0.11 for step in first_steps),
)
record.claim(
    "after 100 steps both are at the lowest point, Adam less exactly",
    f"SGD off by {off_sgd:.1e}, Adam by {off_adam:.1e}",
    off_sgd < 1e-3 and off_sgd < off_adam < 0.1,
)

# %% [markdown]
# On this hill plain SGD is the better one: with one weight and a parabola there is nothing that Adam could improve. It
# runs past the lowest point at about step 50, where its loss dips, and swings back. Neither gets below 0.01: that much
# is the chance in the data, which had the deviation 0.1, and $0.1^2 = 0.01$. Adam pays off where thousands of weights
# have slopes of very different size and one rate cannot suit them all.
#
# ## Questions that come up
#
# **The formula for the lowest point was used above (`best`). Why descend at all?** Because for a network there is no
# such formula. Here we have both, so we can see that the descent arrives.
#
# **Can it get stuck in a wrong valley?** A parabola has one valley. A network's loss has many; in practice most of the
# deep ones are about equally good. Lesson 9 draws such surfaces.
#
# **When do I stop?** When the loss on data that you did *not* train on no longer falls. Lesson 8 begins with that.
#
# ## To remember
#
# - The slope says which way the loss grows; walk against it.
# - `backward()` is the chain rule, from the end to the beginning, for all weights at once.
# - A step is: loss, `backward()`, update, clear the gradient.
# - Too small a rate creeps, too large a rate diverges. In between, the largest that falls steadily is best.
#
# ## Exercises
#
# In `curriculum/exercises/02_one_weight.py`:
#
# 1. *Write it:* fit a line with two weights, slope and intercept, with the update by hand.
# 2. *Find the planted bug:* a function that measures slopes by nudging, and is wrong.
# 3. *Predict, then measure:* how many steps will a descent take?.
#
# Check them: `python -m curriculum check 02`.
#
# ## Further reading
#
# - D. E. Rumelhart, G. E. Hinton, R. J. Williams, *Learning representations by back-propagating errors*, Nature
#   323, 1986.
# - D. P. Kingma, J. Ba, *Adam: A Method for Stochastic Optimization*, ICLR 2015.
# - In this repository: `minigrad/autograd/graph.py`, then `minigrad/ops/arithmetic.py`.
