# %% [markdown]
# # 12. A curve from straight lines
#
# **How can layers that only know straight lines draw a sine?**
#
# A linear layer of one input computes $w x + b$: a line. Lesson 7 showed that two linear layers in a row are again one.
# We put a bend between them, and watch a network find $\sin x$ from noisy points, without being told that it is a sine.
# It is also the smallest example in which one can see everything at once: the data, the curve, what each hidden unit
# does, and where the network knows nothing.

# %%
import math

from curriculum import draw, record
from curriculum.engine import seed, torch

nn = torch.nn
torch.manual_seed(seed)

# %% [markdown]
# ## The data
#
# 256 points of $\sin x$ on $[-2\pi, 2\pi]$, two full waves, with noise of standard deviation 0.1, and 100 more that are
# held out. No model can get below a mean squared error of $0.1^2 = 0.01$ on new points, since the noise of a new point
# is not known by anything.
#
# For the pictures we ask the network on a grid that is wider than the data, from $-3\pi$ to $3\pi$.

# %%
NOISE = 0.1
x = (2 * torch.rand(256, 1) - 1) * 2 * math.pi
y = torch.sin(x) + NOISE * torch.randn(256, 1)
others = torch.Generator().manual_seed(seed + 1000)  # a stream of their own
x_other = (2 * torch.rand(100, 1, generator=others) - 1) * 2 * math.pi
y_other = torch.sin(x_other) + NOISE * torch.randn(100, 1, generator=others)
grid = torch.linspace(-3 * math.pi, 3 * math.pi, 400).unsqueeze(1)  # (400, 1)
inside = (grid.abs() <= 2 * math.pi).flatten()

# %% [markdown]
# ## The network
#
# $$ h = \tanh(x W_1^\top + b_1), \qquad g = \tanh(h W_2^\top + b_2), \qquad \hat y = g W_3^\top + b_3 $$
#
# The *activation function* here is tanh, the hyperbolic tangent: an S that goes from $-1$ to $1$, with slope 1 in the
# middle and flat ends. A hidden unit computes $\tanh(w x + b)$, one step on the axis. Its place is $x = -b / w$, where
# the argument is 0. Its width is about $1 / |w|$: a large weight makes a sudden step, a small one a gentle slope. The
# sign of $w$ says whether it goes up or down. The layer above adds such steps, each with its own height. Up at one
# place and down at another is a hump; humps and dips in a row are a wave.
#
# This is no special luck of the sine. With enough units one hidden layer comes as near as one likes to any continuous
# function on an interval; that is the *universal approximation theorem*. It says that the weights exist. That gradient
# descent finds them is another matter.
#
# ## The training
#
# All 256 points in every step, so an epoch is one step. The optimizer is Adam with a cosine schedule (lesson 6): large
# steps at the beginning, to move units to where they are needed, and small ones at the end, to settle. We keep the
# curve at some epochs.


# %%
def train(model, run, epochs, pictures=()):
    """The losses on the training data and on the others, and the curve at the epochs of `pictures` and at the end."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
    losses, others, curves = [], [], {}
    for epoch in record.progress(range(epochs), run):
        with torch.no_grad():
            if epoch in pictures:
                curves[f"{run}, after {epoch} epochs"] = model(grid).flatten().numpy()
            others.append(((model(x_other) - y_other) ** 2).mean().item())
        optimizer.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        record.step(run, loss=loss.item(), model=model)
    with torch.no_grad():
        curves[f"{run}, after {epochs} epochs"] = model(grid).flatten().numpy()
    return losses, others, curves


bent = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
straight = nn.Sequential(nn.Linear(1, 32), nn.Linear(32, 32), nn.Linear(32, 1))
EPOCHS = 800
bent_losses, bent_others, curves = train(bent, "tanh", EPOCHS, pictures=(0, 20, 60, 150))
straight_losses, _, line = train(straight, "no tanh", 150)

# %%
sets = {"training": (x.numpy(), y.numpy()), "held out": (x_other.numpy(), y_other.numpy())}
record.figure(draw.fits(curves | line, grid.flatten().numpy(), sets, (-2.2, 2.2)), "12_the_curve_while_it_learns")
record.figure(
    draw.curves({"training": bent_losses, "held out": bent_others}, "epoch", "mean squared error"), "12_losses"
)

# %% [markdown]
# ## What it found
#
# Without the bend three layers are one line, and the best line through a sine is nearly flat. With it the loss falls to
# the noise, on the points that were held out too. Compared with the true sine, without noise, the network is *better
# than its data*: each point is off by chance, but 256 chances average out.
#
# The middle of the picture is found first, the outer waves last. And beyond the data the curve goes on as it likes. It
# has not learned that sines repeat. It has learned the points. To go beyond the data is called *extrapolation*, and a
# network does not do it.

# %%
truth = torch.sin(grid).flatten()
last = torch.tensor(curves[f"tanh, after {EPOCHS} epochs"])
error_inside = ((last - truth)[inside] ** 2).mean().item()
error_outside = ((last - truth)[~inside] ** 2).mean().item()
record.claim(
    "without Tanh the network stays a line: error near the best line's",
    f"{straight_losses[-1]:.3f}",
    0.3 < straight_losses[-1] < 0.6,
)
record.claim(
    "with Tanh the loss comes down to the noise, 0.01, for training and held out",
    f"{bent_losses[-1]:.4f} and {bent_others[-1]:.4f}",
    bent_losses[-1] < 0.015 and bent_others[-1] < 0.02,
)
record.claim("the curve is nearer to the sine than the data are (0.01)", f"{error_inside:.4f}", error_inside < 0.005)
record.claim(
    "outside the data it knows nothing: the error is more than 100 times as large",
    f"{error_outside:.2f} against {error_inside:.4f}",
    error_outside > 100 * error_inside,
)

# %% [markdown]
# ## How many units?
#
# Two waves on the interval make four turning points. Predict before you look: one hidden layer, how many units does it
# take? And what does a network do that has too few?

# %%
ended, few = {}, {}
for hidden in (1, 2, 4, 8, 16):
    tries = []
    for number in range(3):
        torch.manual_seed(10 * seed + number)
        model = nn.Sequential(nn.Linear(1, hidden), nn.Tanh(), nn.Linear(hidden, 1))
        with torch.no_grad():  # steps where data are
            model[0].bias.copy_(model[0].weight.flatten() * (2 * torch.rand(hidden) - 1) * 2 * math.pi)
        losses, _, curve = train(model, f"{hidden} units, try {number + 1}", 300)
        tries.append((losses[-1], next(iter(curve.values()))))
    tries.sort(key=lambda found: found[0])
    ended[hidden] = [loss for loss, _ in tries]
    few[f"{hidden} unit{'s' if hidden > 1 else ''}, best of 3: {tries[0][0]:.3f}"] = tries[0][1]
print(
    "\n".join(f"{hidden:2} units: " + ", ".join(f"{loss:.3f}" for loss in losses) for hidden, losses in ended.items())
)

# %%
one = {"no hidden layer": next(iter(line.values()))}
record.figure(draw.fits(one | few, grid.flatten().numpy(), sets, (-2.2, 2.2)), "12_how_many_units")
best = {hidden: losses[0] for hidden, losses in ended.items()}
record.claim(
    "the best of three tries: one unit leaves more than half of the variance, sixteen less than a sixth",
    f"losses {best[1]:.3f} and {best[16]:.3f} of {y.var().item():.3f}",
    best[1] > 0.5 * y.var().item() and best[16] < y.var().item() / 6,
)
worse = max(losses[-1] / losses[0] for losses in ended.values())
record.claim("which try it is can matter more than twice as much in loss", f"up to {worse:.1f} times", worse > 2)

# %% [markdown]
# With too few units the network does not draw a bad sine everywhere. It follows a part of it, and gives up the rest,
# since that is what lowers the mean squared error most. And which part depends on where its units happened to start:
# gradient descent moves a unit downhill, but not across a hill. That is why every figure in this course that could be
# luck is measured with several seeds. (The comment in the code is worth a second look: the framework's initial biases
# lie between $-1$ and $1$, so with one input all steps would begin near the middle of our wide interval. We spread
# them. Inputs of standard deviation 1, as lesson 8 advises, would have the same effect.)
#
# ## The units at work
#
# What the first layer of the large network computes, unit by unit, and what the units of the second layer make of it.

# %%
with torch.no_grad():
    first = torch.tanh(bent[0](grid))  # (400, 32)
    second = torch.tanh(bent[2](first))  # (400, 32)
layers = {"first layer: single bends": first.numpy(), "second layer: sums of bends, bent again": second.numpy()}
record.figure(draw.units(grid.flatten().numpy(), layers, (-2 * math.pi, 2 * math.pi)), "12_hidden_units")


def turns(values):
    """How often each column turns from rising to falling or back, the mean over the columns."""
    rises = (values[1:] - values[:-1]) > 0
    return (rises[1:] != rises[:-1]).to(x.dtype).sum(dim=0).mean().item()


record.claim(
    "a unit of the first layer does not turn (flat ends may, by rounding), one of the second layer turns several times",
    f"{turns(first[inside]):.2f} and {turns(second[inside]):.1f} turns on average",
    turns(first[inside]) < 0.2 and turns(second[inside]) > 1,
)

# %% [markdown]
# That is what depth gives: the second layer does not begin with lines, it begins with curves.
#
# And backward: the trained network on eight points, as a page. Look at what passes the two Tanh: `grad · (1 - out²)`,
# for $1 - \tanh^2$ is the slope of tanh. Where a unit is at the flat end of its bend, near 1 or -1, almost nothing goes
# through, and its weights hardly learn from this point. Such a unit is called *saturated*.


# %%
def eight_points():
    points, wanted = x[:8], y[:8]
    off = bent(points) - wanted
    return (off**2).mean()


draw.backward(eight_points, "12_backward")

# %% [markdown]
# Change one thing: put `nn.ReLU()` for both `nn.Tanh()`. How does the curve look now, inside and outside the data?
#
# <details><summary>Answer</summary>
#
# It consists of straight pieces, and fits as well when there are enough of them. Outside the data there are no more
# corners, so it goes on as a straight line for ever, where tanh's units are all flat and the curve becomes level.
#
# </details>
#
# ## To remember
#
# - Linear layers alone compose to one linear function; the activation between them makes curves.
# - A unit is a step with a place, a width and a height; a network adds up steps.
# - It learns where data are, and nothing about where they are not.
# - Know the noise: it is the loss that cannot be beaten on new data.
#
# ## Exercises
#
# In `curriculum/exercises/12_sine.py`:
#
# 1. *Write it:* `forward` and `backward`, the hidden layer by hand.
# 2. *Derive it:* `corners`, where a network's curve has corners.
# 3. *Find the planted bug:* `fit`, a training whose optimizer forgets.
#
# Check them: `python -m curriculum check 12`.
#
# ## Further reading
#
# - G. Cybenko, *Approximation by Superpositions of a Sigmoidal Function*, Mathematics of Control, Signals, and Systems
#   2, 1989.
# - K. Hornik, M. Stinchcombe, H. White, *Multilayer Feedforward Networks Are Universal Approximators*, Neural Networks
#   2, 1989.
