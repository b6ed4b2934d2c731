# %% [markdown]
# # 8. The training loop
#
# **What happens between a table of data and a trained model?**
#
# Data set, loader, model, loss, optimizer: five parts, and one loop that joins them. Every later lesson uses it.

# %%
import numpy as np

from curriculum import draw, record
from curriculum.engine import seed, torch

nn = torch.nn
DataLoader, TensorDataset = torch.utils.data.DataLoader, torch.utils.data.TensorDataset
torch.manual_seed(seed)

# %% [markdown]
# ## A data set
#
# 200 samples with three features; the target is a linear function of them, with a little noise. A `TensorDataset`
# pairs them: its item $i$ is the tuple $(x_i, y_i)$. One fifth is held out, to test with.

# %%
x = torch.randn(200, 3)
true_weight = torch.tensor([[1.5], [-2.0], [0.5]])
y = x @ true_weight + 0.7 + 0.1 * torch.randn(200, 1)

train_set, test_set = TensorDataset(x[:160], y[:160]), TensorDataset(x[160:], y[160:])
print(len(train_set), len(test_set), train_set[0])

# %% [markdown]
# ## A loader
#
# The loader hands the samples out in batches, in a new order every epoch. An epoch is one pass over all samples. With
# 160 samples and batches of 32 it has five steps.

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
# $$ L = \frac1n \sum_i (\hat y_i - y_i)^2, \qquad \frac{\partial L}{\partial \hat y_i} = \frac2n (\hat y_i - y_i) $$

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
# Beware of shapes: a guess of shape $(8, 1)$ minus targets of shape $(8)$ broadcasts to $(8, 8)$, every guess against
# every target. The number that comes out looks like a loss, but is none.

# %%
wrong = ((guess - y[:8, 0]) ** 2).mean().item()
print(f"right {loss.item():.4f}, with the wrong shape {wrong:.4f}")

# %% [markdown]
# ## The loop
#
# 1. `zero_grad()` clears what the last step left; 2. forward: the model's guess; 3. the loss; 4. `backward()`: all
# slopes; 5. `step()`: the update. Testing needs no graph, so it runs under `no_grad()`; `train()` and `eval()` switch
# layers, such as dropout, that behave differently in training.

# %%
model = nn.Linear(3, 1)
loss_of = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
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
# No model can get below the noise: what is random in the target cannot be learned.
#
# ## To remember
#
# - Data set: what is there. Loader: in which portions and which order it comes.
# - zero_grad, forward, loss, backward, step.
# - Compare shapes before you subtract; judge a model on samples it was not trained on.
#
# ## Exercise
#
# `curriculum/exercises/08_training_loop.py`: write one epoch of the loop.
# Check it: `python -m curriculum check 08`.
#
# ## Further reading
#
# - H. Robbins, S. Monro, *A Stochastic Approximation Method*, Annals of Mathematical Statistics 22, 1951.
# - I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning*, chapter 8, MIT Press 2016.
