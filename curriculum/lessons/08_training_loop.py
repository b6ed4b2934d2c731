# %% [markdown]
# # 8. The training loop
#
# **What happens between a table of data and a trained model?**
#
# Data set, loader, model, loss, optimizer: five parts, and one loop that joins them. You have met the last three. This
# lesson adds the data, joins everything, and then breaks the loop in five ways, so that you know the signs when it
# breaks by itself. Every later lesson uses this loop.

# %%
import time

import numpy as np

from curriculum import draw, record
from curriculum.engine import seed, torch

nn = torch.nn
DataLoader, TensorDataset = torch.utils.data.DataLoader, torch.utils.data.TensorDataset
torch.manual_seed(seed)

# %% [markdown]
# ## A data set
#
# A row of the table is a *sample*, or example. Its *features* are what is known about it, here three numbers; its
# *target* is what is to be predicted. Ours are made up, so that we know the truth: 200 samples, the target a linear
# function of the features, with noise of standard deviation 0.1:
#
# $$ y = 1.5\, x_1 - 2\, x_2 + 0.5\, x_3 + 0.7 + 0.1\, \varepsilon $$
#
# ($\varepsilon$, epsilon, is drawn anew for each sample from a normal distribution.) A `TensorDataset` pairs features
# and targets: its item $i$ is the tuple $(x_i, y_i)$.
#
# One fifth is *held out*. The model is never trained on these samples, so the loss on them says how it will do on data
# that it has never seen. That is called *generalization*, and it is what we want a model for: the answers of the
# training samples we know already.

# %%
x = torch.randn(200, 3)
true_weight = torch.tensor([[1.5], [-2.0], [0.5]])
y = x @ true_weight + 0.7 + 0.1 * torch.randn(200, 1)

train_set, test_set = TensorDataset(x[:160], y[:160]), TensorDataset(x[160:], y[160:])
print(len(train_set), len(test_set), train_set[0])

# %% [markdown]
# ## A loader
#
# The loader hands the samples out in *batches* (lessons 5 and 6 called them mini-batches), each a tensor of features
# and one of targets. One pass over all samples is an *epoch*. With 160 samples and batches of 32 it has five steps.
# `shuffle=True` draws a new order for every epoch. That matters when the table is sorted, for example by its targets:
# without shuffling, a batch would show one kind of sample only, and the weights would run after each kind in turn.

# %%
loader = DataLoader(train_set, batch_size=32, shuffle=True)
seen = torch.cat([xb[:, 0] for xb, _ in loader])
every = torch.equal(torch.sort(seen).values, torch.sort(x[:160, 0]).values)
for xb, yb in loader:
    print(tuple(xb.shape), tuple(yb.shape))
record.claim("an epoch shows every sample exactly once", f"{len(seen)} samples", every and len(loader) == 5)

# %% [markdown]
# ## The loss, by hand and by the framework
#
# With $\hat y_i$ ("y hat") the guess for sample $i$ and $n$ samples, the mean squared error (MSE) and its slope are
#
# $$ L = \frac1n \sum_i (\hat y_i - y_i)^2, \qquad \frac{\partial L}{\partial \hat y_i} = \frac2n (\hat y_i - y_i) $$
#
# A guess of 3 where 1 is right, as one of four samples, costs $2^2 / 4 = 1$ and pulls with $\frac24 \cdot 2 = 1$.
# `nn.MSELoss()` is the same as a module without weights.

# %%
guess = torch.randn(8, 1, requires_grad=True)
error = guess.detach().numpy() - y[:8].numpy()
mse_numpy = np.mean(error**2)
slope_numpy = 2 * error / error.size
loss = nn.MSELoss()(guess, y[:8])
loss.backward()
apart = max(abs(mse_numpy - loss.item()), np.abs(slope_numpy - guess.grad.numpy()).max())
print(f"NumPy {mse_numpy:.6f}, framework {loss.item():.6f}")
record.claim("loss and slope in NumPy are the framework's", f"{apart:.0e} apart", apart < 1e-5)

# %% [markdown]
# ## The loop
#
# 1. `zero_grad()` clears the gradients that the last step left;
# 2. forward: the model's guess;
# 3. the loss;
# 4. `backward()`: all slopes;
# 5. `step()`: the update.
#
# zero_grad, forward, loss, backward, step: say it until you can write it in your sleep. Around it, a loop over batches,
# and around that one over epochs. After each epoch the model is tested. Testing needs no graph, so it runs under
# `no_grad()`. `train()` and `eval()` switch layers that behave differently in training, such as dropout (lesson 16) and
# batch normalization (lesson 18); a linear layer does not, but the habit costs nothing.

# %%
model = nn.Linear(3, 1)
loss_of = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
with torch.no_grad():
    before = model(x)
curve_train, curve_test = [], []
for _ in record.progress(range(20), "epochs"):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        guess = model(xb)
        loss = loss_of(guess, yb)
        loss.backward()
        optimizer.step()
        record.step(loss=loss.item(), model=model)
        total += loss.item() * len(xb)
    curve_train.append(total / len(train_set))

    model.eval()
    with torch.no_grad():
        curve_test.append(loss_of(model(x[160:]), y[160:]).item())

# %%
found = [*model.weight.detach().numpy().ravel().round(2).tolist(), round(model.bias.item(), 2)]
print(f"found {found}, hidden in the data: [1.5, -2.0, 0.5, 0.7]")
record.figure(draw.curves({"training": curve_train, "held out": curve_test}, "epoch", "mean squared error"), "8_losses")
off = (model.weight.detach().T - true_weight).abs().max().item()
record.claim("the loop finds the weights hidden in the data", f"off by at most {off:.3f}", off < 0.05)
record.claim(
    "the held-out loss falls to the order of the noise's variance, 0.01",
    f"{curve_test[0]:.3f} to {curve_test[-1]:.4f}",
    curve_test[-1] < 0.03,
)

# %% [markdown]
# No model can get below the noise: what is random in the target cannot be learned. Here we know that the noise has the
# variance $0.1^2 = 0.01$, so we know when to be content.
#
# How does one draw data and fit, when three features make a plane in four dimensions? Draw the guess against the truth.
# Where they agree, the point lies on the diagonal, however many features there are.

# %%
with torch.no_grad():
    after = model(x)
panels = {
    title: {
        "training": (guess[:160].numpy(), y[:160].numpy()),
        "held out": (guess[160:].numpy(), y[160:].numpy()),
    }
    for title, guess in (("before training", before), ("after 20 epochs", after))
}
record.figure(draw.against(panels, "guess", "target"), "8_guess_and_truth")

# %% [markdown]
# The orange points lie as close to the diagonal as the blue ones: this model generalizes. If the orange ones scattered
# much more widely, it would have learned its samples by heart.
#
# ## Why batches, and how large?
#
# Three answers. *Memory*: a million pictures do not fit at once. *Steps*: one epoch in batches of 8 takes 20 steps, and
# the whole set at once takes one; a step on 8 samples points roughly the right way (lesson 6), and 20 rough steps get
# further than one exact one. *Speed*: 32 rows in one matrix product take hardly longer than one row, so small batches
# waste time on overhead. Measured, five epochs each at the same learning rate:


# %%
def five_epochs(size):
    torch.manual_seed(seed)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    start = time.perf_counter()
    for _ in range(5):
        for xb, yb in DataLoader(train_set, batch_size=size, shuffle=True):
            optimizer.zero_grad()
            loss_of(model(xb), yb).backward()
            optimizer.step()
    seconds = time.perf_counter() - start
    with torch.no_grad():
        return loss_of(model(x[160:]), y[160:]).item(), seconds


sizes = {size: five_epochs(size) for size in (1, 8, 32, 160)}
for size, (loss, seconds) in sizes.items():
    print(f"batches of {size:3}: {5 * 160 // size:3} steps, held-out loss {loss:.4f}, {record.timed(seconds, '.3f')} s")
record.claim(
    "after five epochs batches of 8 are far ahead of the whole set at once",
    f"{sizes[8][0]:.3f} against {sizes[160][0]:.3f}",
    sizes[8][0] < 0.1 * sizes[160][0],
)

# %% [markdown]
# So: as large as time and memory make worthwhile, as small as steps make worthwhile. In practice one starts with 32 or
# 64, takes powers of two by custom, and on a GPU goes up as long as a step takes no longer. When you double the batch,
# there are half as many steps and less noise; try a learning rate up to twice as large. Batches of 1 work too, but the
# last steps are the noisiest.
#
# Change one thing: give batches of 160 a learning rate of 0.5. How far do five steps get then?
#
# <details><summary>Answer</summary>
#
# To a loss of about 0.016, further than 25 noisier steps at 0.05. With exact slopes and features of like size, the loss
# is nearly a round bowl, and a large rate is safe. Up to a point: 0.9 diverges.
#
# </details>
#
# ## When the loss is NaN, or does not fall
#
# Now the same loop, broken on purpose. Five trainings with one fault each, the healthy one beside them. Before you
# look: which of them will end in NaN, and which will look as if it worked?


# %%
def train(x, y, lr=0.05, clear=True, loss_of=loss_of, steps=150):
    torch.manual_seed(seed)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        if clear:
            optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %%
def flat_target(guess, y):  # (160, 1) minus (160,) broadcasts to (160, 160): every guess against every target
    return ((guess - y[:, 0]) ** 2).mean()


metres = x[:160] * torch.tensor([1.0, 1000.0, 1.0])  # the second feature in another unit
used, targets = x[:160], y[:160]
broken = {
    "healthy": train(used, targets),
    "learning rate 1e-5": train(used, targets, lr=1e-5),
    "learning rate 1.5": train(used, targets, lr=1.5),
    "no zero_grad": train(used, targets, clear=False),
    "target of shape (160)": train(used, targets, loss_of=flat_target),
    "a feature 1000 times as large": train(metres, targets),
}
for name, losses in broken.items():
    print(f"{name:30} " + " ".join(f"{losses[step]:9.3g}" for step in (0, 1, 2, 10, 50, 149)))

# %%
record.figure(draw.broken(broken, 1e-3, 1e4), "8_broken")
last, variance = {name: losses[-1] for name, losses in broken.items()}, targets.var(correction=0).item()
record.claim(
    "a learning rate of 1e-5 does nothing in 150 steps",
    f"{last['learning rate 1e-5']:.2f}",
    last["learning rate 1e-5"] > 0.9 * broken["healthy"][0],
)
record.claim(
    "a learning rate of 1.5 and an unscaled feature end beyond all numbers, or nearly",
    f"{last['learning rate 1.5']:.2g} and {last['a feature 1000 times as large']:.2g}",
    not any(last[name] < 1e20 for name in ("learning rate 1.5", "a feature 1000 times as large")),
)
moves = np.diff(broken["no zero_grad"][10:])
record.claim(
    "without zero_grad the loss swings: it rises between some steps and falls between others",
    f"{(moves > 0).sum()} times up, {(moves < 0).sum()} times down; largest after step 10: {max(broken['no zero_grad'][10:]):.2f}",
    min((moves > 0).sum(), (moves < 0).sum()) > 20 and max(broken["no zero_grad"][10:]) > 50 * last["healthy"],
)
record.claim(
    "the target of the wrong shape ends at the variance of the targets, as if nothing were known",
    f"{last['target of shape (160)']:.3f} and {variance:.3f}",
    abs(last["target of shape (160)"] / variance - 1) < 0.05,
)

# %% [markdown]
# The most dangerous one is the target of the wrong shape: it runs, it warns at most, the loss falls and settles. It
# compares every guess with every target, so the best it can do is to guess the mean for everyone. Two numbers give it
# away: the loss stops at the *variance of the targets*, and the shapes differ. Print both shapes before the first step.
#
# An unscaled feature is the commonest. A feature in the thousands makes its slope thousands of times steeper, and the
# limit $\eta < 2/a$ of lesson 6 strikes. The cure is to *standardize*: subtract each feature's mean and divide by its
# standard deviation. Take both numbers from the training samples and use them for all others too, since a new sample
# has no mean of its own:

# %%
mean, deviation = metres.mean(dim=0), metres.std(dim=0)
scaled = train((metres - mean) / deviation, targets)
print(f"the large feature standardized: loss {scaled[0]:.3f} to {scaled[-1]:.4f}")
record.claim("standardized features train like healthy ones", f"{scaled[-1]:.4f}", scaled[-1] < 2 * last["healthy"])

# %% [markdown]
# | what you see | look at | likely cause |
# | --- | --- | --- |
# | NaN or infinity within a few steps | the loss of the first ten steps | it grew tenfold per step: learning rate too large, or features not scaled |
# | NaN at once | the data: `torch.isnan(x).any()` | gaps in the table, a logarithm of 0, a division by 0 |
# | NaN after a long time | the largest gradient before it | one odd batch, or a square root or logarithm that met 0 |
# | the loss does not move at all | `p.grad` of each parameter | None: not in the graph. 0: nothing comes back. Fine: the learning rate is too small, or `step()` is missing |
# | it falls, then swings up and down | the five lines of the loop | `zero_grad` forgotten, or the rate too large |
# | it settles far too high | the variance of the targets; the shapes | wrong shape, features without information, or a model that is too simple |
# | training falls, held out rises | both curves | learned by heart: lesson 16 |
#
# And always the cheapest question first: can the model learn *ten samples* by heart? If not, the fault lies in the loop
# and not in the data. Lesson 31 makes a workshop of this.
#
# ## To remember
#
# - Data set: what is there. Loader: in which portions and which order it comes. Epoch: once through all of it.
# - zero_grad, forward, loss, backward, step.
# - Batches of 32 or 64 to begin with; a larger batch allows a larger learning rate.
# - Print shapes, scale features, know the loss of guessing the mean. Judge a model on samples it was not trained on.
#
# ## Exercises
#
# In `curriculum/exercises/08_training_loop.py`:
#
# 1. *Write it:* `epoch`, one epoch of the loop.
# 2. *Predict, then measure:* `steps`, how many steps a training takes and how large its last batch is.
# 3. *Find the planted bug:* `standardize`, which scales features in a wrong way.
#
# Check them: `python -m curriculum check 08`.
#
# ## Further reading
#
# - H. Robbins, S. Monro, *A Stochastic Approximation Method*, Annals of Mathematical Statistics 22, 1951.
# - I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning*, chapter 8, MIT Press 2016.
# - P. Goyal et al., *Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour*, 2017: batch size and learning rate.
