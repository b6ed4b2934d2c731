# %% [markdown]
# # 15. The same three in JAX
#
# **Is it the framework that learns, or the mathematics?**
#
# The networks of lesson 14 once more, in a framework of another kind. A **framework** is a library that computes with
# arrays and gives you their gradients; minigrad and PyTorch are two of one kind, JAX and TensorFlow are others. JAX has
# no tensors that remember: a function of the weights goes in, and out comes a new function that computes its gradient.
# With the same weights and the same data, do the losses agree? If they do, then what a network learns does not depend
# on whose program it runs in, and all that you have learned so far holds in any of them.
#
# This lesson needs JAX, which `make lessons` installs (else `pip install jax`); without it, it is skipped and says so.

# %%
import time

import numpy as np

from curriculum import draw, record
from curriculum.engine import seed, torch

try:
    import jax
    import jax.numpy as jnp
except ModuleNotFoundError:
    record.skip("JAX is not installed: pip install jax")

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)
jax.config.update("jax_enable_x64", torch.get_default_dtype() == torch.float64)

# %% [markdown]
# ## Data, weights and the training, as in lesson 14
#
# Two frameworks draw different random numbers from the same seed, so a seed cannot be shared. The weights and data are
# drawn once, here, and carried over as NumPy arrays. That is how any comparison of frameworks has to begin.


# %%
def samples(size, features):
    x = torch.randn(size, features)
    y = (x[:, 0] * x[:, 1] + 0.5 * torch.sin(2 * x[:, -1]) + 0.3 * x[:, 0] > 0).to(x.dtype)
    return x, torch.where(torch.rand(size) < 0.05, 1 - y, y)


EXPERIMENTS = {"2-4-1, BCE": (2, 4, 0.0, 800), "3-5-1, MSE": (3, 5, 0.0, 1200), "4-7-1, MSE, L2": (4, 7, 0.01, 800)}
STEPS, LR = 150, 0.01

# %% [markdown]
# ## Two ways to say it
#
# Here the graph is recorded while the forward pass runs; `backward()` leaves gradients at the weights, and the
# optimizer changes them in place. In JAX nothing is changed in place. A function there is **pure**: what it returns
# depends on its arguments alone, and it changes nothing else. The weights are a dictionary that goes in, and *new*
# weights come out. Three functions of JAX do the rest:
#
# | here | in JAX |
# | --- | --- |
# | `loss.backward()`, then `w.grad` | `jax.value_and_grad(loss_of)` returns a new function, which gives the loss and its gradient by the first argument |
# | `optimizer.step()` changes the weights | the step returns new weights |
# | the optimizer keeps its running means | the means go in and come out, like the weights |
# | a loop over `model.parameters()` | `jax.tree.map(f, weights, gradient)` applies `f` to each weight and its gradient, in whatever dictionary they lie |
# | `minigrad.compile` (lesson 20) | `jax.jit`, which compiles the function at its first call |
#
# Why would anybody want it so? A pure function can be **transformed**: differentiated, differentiated again, compiled,
# run on many inputs at once, or sent to another machine, since it needs nothing but its arguments. The price is that
# you carry everything by hand. Adam is therefore written out below: `m` is the running mean of the gradients, `s` that
# of their squares, `t` the number of the step (lesson 6).


# %%
def loss_in_jax(weights, x, y, kind):
    h = jax.nn.relu(x @ weights["0.weight"].T + weights["0.bias"])
    p = jax.nn.sigmoid(h @ weights["2.weight"].T + weights["2.bias"]).squeeze(1)
    if "BCE" in kind:
        return -(y * jnp.maximum(jnp.log(p), -100) + (1 - y) * jnp.maximum(jnp.log(1 - p), -100)).mean()
    return ((p - y) ** 2).mean()


def step_in_jax(weights, m, s, t, x, y, kind, decay):
    loss, gradient = jax.value_and_grad(loss_in_jax)(weights, x, y, kind)
    gradient = jax.tree.map(lambda g, w: g + decay * w, gradient, weights)
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, gradient)
    s = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, s, gradient)
    weights = jax.tree.map(
        lambda w, m, s: w - LR * (m / (1 - 0.9**t)) / (jnp.sqrt(s) / jnp.sqrt(1 - 0.999**t) + 1e-8), weights, m, s
    )
    return loss, weights, m, s


# %%
def train_here(kind, model, x, y, decay):
    """The losses in this engine, and the seconds of a step."""
    optimizer = torch.optim.Adam(model.parameters(), lr=LR, weight_decay=decay)
    loss_of = F.binary_cross_entropy if "BCE" in kind else F.mse_loss
    losses = []
    begin = time.perf_counter()
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(model(x).squeeze(1), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        record.step(kind, loss=loss.item(), model=model)
    return losses, (time.perf_counter() - begin) / STEPS


def train_in_jax(kind, weights, x, y, decay):
    """The losses in JAX, the weights at the end, the seconds of a step, and those of compiling it."""
    weights = {name: jnp.asarray(w) for name, w in weights.items()}
    m = s = jax.tree.map(jnp.zeros_like, weights)
    x, y = jnp.asarray(x), jnp.asarray(y)
    step = jax.jit(step_in_jax, static_argnames=("kind", "decay"))
    begin = time.perf_counter()
    step(weights, m, s, 1.0, x, y, kind, decay)[0].block_until_ready()
    compiling = time.perf_counter() - begin
    losses = []
    begin = time.perf_counter()
    for t in range(1, STEPS + 1):
        loss, weights, m, s = step(weights, m, s, float(t), x, y, kind, decay)
        losses.append(loss.item())
    return losses, weights, (time.perf_counter() - begin) / STEPS, compiling


# %%
begun, curves, times, far, weights_apart = {}, {}, {}, {}, {}
for kind, (features, hidden, decay, size) in record.progress(EXPERIMENTS.items(), "networks"):
    x, y = samples(size, features)
    model = nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, 1), nn.Sigmoid())
    start = {name: np.array(w.detach().numpy()) for name, w in model.named_parameters()}  # a copy, for JAX
    begun[kind] = start, np.array(x.numpy()), np.array(y.numpy()), decay  # for a third framework, below
    ours, ours_time = train_here(kind, model, x, y, decay)
    theirs, weights, jax_time, compiling = train_in_jax(kind, *begun[kind])
    curves[kind] = ours, theirs
    times[kind] = ours_time, jax_time, compiling
    far[kind] = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
    weights_apart[kind] = max(
        np.abs(np.asarray(weights[n]) - w.detach().numpy()).max() for n, w in model.named_parameters()
    )

# %% [markdown]
# Each network is drawn with both curves over one another: if the frameworks agree, only one line is to be seen under
# the dashes.

# %%
fig, axes = draw.pyplot().subplots(1, 3, figsize=(11, 3))
for ax, (kind, (ours, theirs)) in zip(axes, curves.items(), strict=True):
    ax.plot(ours, color=draw.ORANGE, linewidth=4, label="this engine")
    ax.plot(theirs, "--", color=draw.BLUE, linewidth=1.4, label="JAX")
    ax.set(title=kind, xlabel="step", ylabel="loss")
axes[0].legend(frameon=False)
fig.tight_layout()
record.figure(fig, "15_in_both")
for kind, (ours_time, jax_time, compiling) in times.items():
    print(
        f"{kind:16} a step here {record.timed(1e6 * ours_time, '5.0f')} us (with its record), in JAX {record.timed(1e6 * jax_time, '5.0f')} us after {record.timed(compiling, '.2f')} s of compiling"
    )
exact = torch.get_default_dtype() == torch.float64
record.claim(
    "150 losses of each network are JAX's, to rounding", ", ".join(f"{d:.0e}" for d in far.values()),
    max(far.values()) < (1e-9 if exact else 1e-4),
)  # fmt: skip
record.claim(
    "and so are the weights at the end (in float32: to less than one step, 0.01)",
    ", ".join(f"{d:.0e}" for d in weights_apart.values()), max(weights_apart.values()) < (1e-8 if exact else LR),
)  # fmt: skip

# %% [markdown]
# It is the mathematics. In float32 the weights lie further apart than the losses: where a gradient is nearly 0 its
# rounding decides its sign, and Adam, which divides by the gradient's usual size, makes a whole step of it. So when two
# frameworks disagree a little in float32, repeat the comparison in float64 before you look for a mistake: rounding
# shrinks by nine digits, a mistake stays.
#
# What differs is what a framework makes easy: here, to look at every intermediate value in the middle of a program;
# there, to transform whole functions, and to compile a step into one program. The times above say more about small
# networks than about frameworks: a step of 17 weights is nearly all overhead, and a compiled step has least of it.
#
# Try it: remove `float(t)` from the call and pass `t` as it is, with `static_argnames=("kind", "decay", "t")`. Why does
# every step now take as long as the first?
#
# <details><summary>Answer</summary>
#
# A static argument is built into the compiled program, so each new value of it is compiled anew: 150 times.
#
# </details>
#
# ## TensorFlow's road
#
# TensorFlow 1 (2015) asked for the graph first: a program described it, a session ran it. TensorFlow 2 (2019) went over
# to recording while running, as PyTorch does, with `tf.GradientTape` around the forward pass, and `tf.function` to
# compile what should be fast. A `tf.Variable` is a tensor that may be changed, and `assign_sub` subtracts from it in
# place. The same weights, the same step of Adam, once more:


# %%
def losses_in_tensorflow(kind):
    start, x, y, decay = begun[kind]
    x, y = tf.constant(x), tf.constant(y)
    weights = {name: tf.Variable(w) for name, w in start.items()}
    m = {name: tf.zeros_like(w) for name, w in weights.items()}
    s = {name: tf.zeros_like(w) for name, w in weights.items()}
    losses = []
    for t in range(1, STEPS + 1):
        with tf.GradientTape() as tape:  # what runs in here is recorded
            h = tf.nn.relu(x @ tf.transpose(weights["0.weight"]) + weights["0.bias"])
            p = tf.squeeze(tf.sigmoid(h @ tf.transpose(weights["2.weight"]) + weights["2.bias"]), 1)
            right, wrong = tf.maximum(tf.math.log(p), -100.0), tf.maximum(tf.math.log(1 - p), -100.0)
            loss = tf.reduce_mean(-(y * right + (1 - y) * wrong) if "BCE" in kind else (p - y) ** 2)
        gradient = tape.gradient(loss, weights)  # a dictionary like `weights`
        for name, w in weights.items():
            g = gradient[name] + decay * w
            m[name] = 0.9 * m[name] + 0.1 * g
            s[name] = 0.999 * s[name] + 0.001 * g * g
            w.assign_sub(LR * (m[name] / (1 - 0.9**t)) / (tf.sqrt(s[name]) / (1 - 0.999**t) ** 0.5 + 1e-8))
        losses.append(float(loss))
    return losses


# %%
try:
    import tensorflow as tf
except ModuleNotFoundError:
    print("TensorFlow is not installed (pip install tensorflow): its road is read here, not walked.")
else:
    apart = {kind: np.abs(np.subtract(losses_in_tensorflow(kind), ours)).max() for kind, (ours, _) in curves.items()}
    record.claim(
        "TensorFlow's 150 losses of each network are the same too", ", ".join(f"{d:.0e}" for d in apart.values()),
        max(apart.values()) < (1e-9 if exact else 1e-4),
    )  # fmt: skip

# %% [markdown]
# The tape is this engine's graph by another name, and `assign_sub` its update in place. Keras hides the loop
# altogether: `model.compile(optimizer="adam", loss="mse")`, `model.fit(x, y, epochs=150)`, in batches of 32 rows unless
# `batch_size` says otherwise. The three networks of this lesson would be `keras.Sequential([keras.layers.Dense(4,
# "relu"), keras.layers.Dense(1, "sigmoid")])`; their gradients are the same ones. Mind two differences when you
# compare: Keras starts weights with Glorot's distribution, and its Adam has an epsilon of 1e-7.
#
# ## To remember
#
# - Recorded while it runs, or a function transformed: two roads to the same gradient.
# - To compare frameworks, carry the weights over; equal seeds are not equal numbers.
# - Compilation is paid once; look whether the time you quote contains it.
#
# ## Exercises
#
# In `curriculum/exercises/15_three_networks_in_jax.py`, all without JAX:
#
# 1. *Write it:* `sgd_step`, the step as a pure function.
# 2. *Change one thing:* `momentum_step`, the same with momentum, whose speed goes in and comes out.
# 3. *Find the planted bug:* `value_and_grad`, which is right the first time.
#
# Check them: `python -m curriculum check 15`.
#
# ## Further reading
#
# - R. Frostig, M. Johnson, C. Leary, *Compiling Machine Learning Programs via High-Level Tracing*, SysML 2018.
# - M. Abadi et al., *TensorFlow: A System for Large-Scale Machine Learning*, OSDI 2016.
# - A. G. Baydin et al., *Automatic Differentiation in Machine Learning: a Survey*, JMLR 18, 2018.
