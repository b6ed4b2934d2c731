# %% [markdown]
# # 2. One weight
#
# **How does a program know which way to turn a knob?**
#
# A network is a function with knobs, the weights. Training turns them until a number, the loss, is small. With one
# weight everything can still be done by hand, so we do it by hand once, and then let the engine do it.

# %%
from curriculum import draw, record
from curriculum.engine import seed, torch

nn = torch.nn
torch.manual_seed(seed)

# %% [markdown]
# ## The slope, by nudging
#
# Nudge the knob a little and look at what the loss does:
#
# $$ \frac{df}{dx} \approx \frac{f(x + h) - f(x - h)}{2h} $$
#
# For $f(x) = (3x - 2)^2$ at $x = 1$ the rule for powers says $2\,(3x - 2)\cdot 3 = 6$.


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
# ## The slope, by the chain rule
#
# Cut the formula into steps whose slopes are known, and multiply the slopes from the end to the beginning:
#
# $$ u = 3x, \quad v = u - 2, \quad f = v^2, \qquad
#    \frac{df}{dx} = \frac{df}{dv}\cdot\frac{dv}{du}\cdot\frac{du}{dx} = 2v \cdot 1 \cdot 3 $$

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
# That is all that backpropagation does. The engine writes the steps down while it computes, and `backward()`
# multiplies the slopes from the end to the beginning.

# %%
x = torch.tensor(1.0, requires_grad=True)
f(x).backward()
print(f"slope by the engine: {x.grad.item()}")

record.claim("nudging and the chain rule give the engine's slope, 6", x.grad.item(), abs(x.grad.item() - nudged) < 1e-4)

# %% [markdown]
# The next lines write this pass down as a page. Go through it with →: forward $u$, $v$ and $f$ get their values, backward
# each step multiplies what comes to it by its own slope. Then choose $x$ and move it: beside slope · step stands what the
# loss really does. How small must a step be until the two agree?


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
# Forty points lie near $y = 2.5\,x$. We look for the weight $w$ with the least mean squared error
#
# $$ L(w) = \frac1n \sum_i (w x_i - y_i)^2, \qquad \frac{dL}{dw} = \frac2n \sum_i (w x_i - y_i)\,x_i $$
#
# $L$ is a parabola in $w$: it has one lowest point. The slope points uphill, so we walk against it:
# $w \leftarrow w - \eta\, dL/dw$. The step size $\eta$ is called the learning rate.

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
    "a hundred steps by hand reach the lowest point", f"off by {abs(w.item() - best):.1e}", abs(w.item() - best) < 1e-2
)

# %%
record.figure(draw.walk(weights, losses, lambda t: ((t * xs - ys) ** 2).mean().item()), "2_parabola")

# %% [markdown]
# The steps grow shorter by themselves: near the lowest point the parabola is flat, so the slope is small. With a
# learning rate that is too large the path would jump from one side to the other and climb.
#
# ## The same with an optimizer
#
# `torch.optim` holds the update rules. `SGD` is the line we wrote by hand. `Adam` divides each slope by a running
# estimate of its usual size, so its first steps all have length $\eta$, however steep the hill is.


# %%
def fit(optimizer_class, lr, name):
    w = nn.Parameter(torch.tensor(-1.0))
    optimizer = optimizer_class([w], lr=lr)
    losses = []
    for _ in record.progress(range(100), name):
        optimizer.zero_grad()
        loss = ((w * xs - ys) ** 2).mean()
        loss.backward()
        optimizer.step()
        record.step(name, loss=loss.item(), params=[w])
        losses.append(loss.item())
    return w.item(), losses


w_sgd, losses_sgd = fit(torch.optim.SGD, 0.1, "SGD")
w_adam, losses_adam = fit(torch.optim.Adam, 0.1, "Adam")
print(f"SGD {w_sgd:.6f}, Adam {w_adam:.6f}, lowest point {best:.6f}")

record.figure(draw.curves({"SGD": losses_sgd, "Adam": losses_adam}, "step", "loss"), "2_optimizers")

off = max(abs(w_sgd - best), abs(w_adam - best))
same = max(abs(a - b) for a, b in zip(losses, losses_sgd, strict=False))
record.claim("SGD walks the path that we walked by hand", f"losses differ by {same:.1e}", same < 1e-6)
record.claim("SGD and Adam both end near the lowest point", f"off by {off:.1e}", off < 0.1)

# %% [markdown]
# ## To remember
#
# - The slope says which way the loss grows; walk against it.
# - `backward()` is the chain rule, from the end to the beginning, for all weights at once.
# - A step is: loss, `backward()`, update, clear the gradient.
#
# ## Exercise
#
# `curriculum/exercises/02_one_weight.py`: fit a line with two weights, slope and intercept, with the update by hand.
# Check it: `python -m curriculum check 02`.
#
# ## Further reading
#
# - D. E. Rumelhart, G. E. Hinton, R. J. Williams, *Learning representations by back-propagating errors*, Nature 323, 1986.
# - D. P. Kingma, J. Ba, *Adam: A Method for Stochastic Optimization*, ICLR 2015.
# - In this repository: `minigrad/autograd/graph.py`, then `minigrad/ops/arithmetic.py`.
