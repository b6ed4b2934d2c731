# %% [markdown]
# # 10. Softmax regression
#
# **How does one layer choose between several classes?**
#
# Lesson 9 asked yes or no. Now there are $K$ classes. The idea stays: a linear layer gives a score, and a function
# makes a probability of it. Every class $k$ gets its own score, the *logit* $z_k = w_k \cdot x + b_k$, with weights of
# its own. A logit may be any number, and it means nothing alone; what counts is by how much it exceeds the others.
# *Softmax* makes probabilities of all logits of a sample together:
#
# $$ p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}, \qquad \sum_k p_k = 1 $$
#
# Work one out. The logits $(2, 1, 0)$ become $e^2, e, 1 = 7.39, 2.72, 1$, together 11.11, so the probabilities are
# $0.665, 0.245, 0.090$. Each unit of logit makes a class $e = 2.72$ times as probable as another one. The logits
# $(102, 101, 100)$ give exactly the same.
#
# Why $e^z$, and not simply $z$ divided by the sum? Logits may be negative, and $e^z$ is not; it keeps their order; and
# its slope, as you will see, makes the loss's slope as simple as can be. The guess is the class with the largest logit,
# its *argmax*. The name softmax says that it is a softened form of that: where one logit is far above, its probability
# is nearly 1 and the rest nearly 0.

# %%
import numpy as np

from curriculum import draw, record
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)

logits = torch.tensor([2.0, 1.0, 0.0])
print(torch.softmax(logits, dim=0), torch.softmax(logits + 100, dim=0))
z = torch.linspace(-4, 4, 9)
two = torch.softmax(torch.stack([z, torch.zeros(9)], dim=1), dim=1)[:, 0]
apart = (two - torch.sigmoid(z)).abs().max().item()
record.claim(
    "with two classes lesson 9 comes back: softmax of (z, 0) is the sigmoid of z", f"{apart:.0e} apart", apart < 1e-6
)

# %% [markdown]
# ## The data
#
# Three clouds in the plane, 60 points each, that touch. Each point has two features, so we can draw all that the model
# sees.

# %%
centres = torch.tensor([[-2.0, -1.0], [2.0, -1.0], [0.0, 2.0]])
x = torch.cat([centre + 0.9 * torch.randn(60, 2) for centre in centres])  # (180, 2)
y = torch.arange(3).repeat_interleave(60)  # (180,), the class of each point: 0, 1 or 2

# %% [markdown]
# ## One-hot
#
# A class is a name, not an amount: class 2 is not twice class 1, and it is no error of 2 to take it for class 0. So the
# target is written as three numbers, a one at its class's place and zeros elsewhere. That is called *one-hot*. As
# probabilities they say: certain.
#
# The loss is again minus the logarithm of the probability given to the right answer. With the one-hot target $t$ this
# is a sum in which one term survives, the *categorical cross-entropy*. Its slope by the logits is as in lesson 9, what
# the model says minus what is right:
#
# $$ L = -\sum_k t_k \log p_k, \qquad \frac{\partial L}{\partial z_k} = p_k - t_k $$
#
# Where the slope comes from: with $r$ the right class, $L = -\log p_r = -z_r + \log \sum_j e^{z_j}$. The first term has
# the slope $-1$ at $r$ and 0 elsewhere, which is $-t_k$. The second has $e^{z_k} / \sum_j e^{z_j}$, which is $p_k$. In
# the example above, if class 1 was right, the slopes are $(0.665, 0.245 - 1, 0.090) = (0.665, -0.755, 0.090)$. They add
# up to 0: what one class gains, the others lose.

# %%
targets = F.one_hot(y, 3).to(x.dtype)
print(f"class {y[-1].item()} is {targets[-1].tolist()}")

# %% [markdown]
# ## A module of our own
#
# As in lesson 9: parameters in `__init__`, what is computed in `forward`. One thing is new. $e^{z}$ overflows early:
# $e^{89}$ is too large for float32. But subtracting the same number from all logits of a sample changes no probability,
# since it cancels. So subtract the largest: then every exponent is 0 or negative, and the sum is at least 1.


# %%
class SoftmaxRegression(nn.Module):
    def __init__(self, features, classes):
        super().__init__()
        self.weight = nn.Parameter(0.1 * torch.randn(features, classes))
        self.bias = nn.Parameter(0.1 * torch.randn(classes))

    def logits(self, x):  # (n, features) to (n, classes)
        return x @ self.weight + self.bias

    def forward(self, x):
        logits = self.logits(x)
        shifted = torch.exp(logits - logits.max(dim=1, keepdim=True).values)
        return shifted / shifted.sum(dim=1, keepdim=True)


model = SoftmaxRegression(2, 3)
for name, parameter in model.named_parameters():
    print(name, tuple(parameter.shape))

# %%
logits = model.logits(x).detach().requires_grad_()
F.cross_entropy(logits, y, reduction="sum").backward()
apart = (logits.grad - (model(x) - targets)).abs().max().item()
record.claim("the slope by the logits is probability minus one-hot", f"{apart:.0e} apart", apart < 1e-5)

sure = SoftmaxRegression(2, 3)
with torch.no_grad():
    sure.weight.mul_(1e4)
    finite = torch.isfinite(sure(x)).all().item()
    naive = torch.exp(x @ sure.weight)
    overflows = not torch.isfinite(naive).all().item()
print(f"weights of the order of 1000: plain exp overflows: {overflows}, the shifted softmax stays finite: {finite}")
record.claim("the shifted softmax stays finite where exp overflows", f"{finite}, {overflows}", finite and overflows)

# %% [markdown]
# Three points, one node: the framework's `cross_entropy` of their logits. Its gradient is probability minus one-hot,
# over 3. Press *o* on the node, and it opens into its definition: many small steps back, and the same numbers at the
# end.


# %%
def one_node():
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.5, 1.0, 0.0], [0.0, 0.0, 0.0]], requires_grad=True)
    return F.cross_entropy(logits, torch.tensor([0, 1, 2]))


draw.backward(one_node, "10_backward")

# %% [markdown]
# ## Training, with a look at the boundaries
#
# Before the first step the weights are small, the logits nearly 0 and the probabilities nearly 1/3 each. So the loss
# must start near $-\log \frac13 = \log 3 = 1.10$. That is worth knowing for every classifier: a first loss far from
# $\log K$ means that something is wrong before the training has begun.
#
# At a few steps we ask the model about every point of a grid, to draw where it answers what.

# %%
optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
axis = np.linspace(-6, 6, 161)
grid = torch.tensor([[u, v] for v in axis for u in axis], dtype=x.dtype)  # (25921, 2), row by row
answers, losses, accuracies = {}, [], []
for step in record.progress(range(101), "softmax regression"):
    if step in (0, 3, 10, 100):
        with torch.no_grad():
            answers[step] = model.logits(grid).argmax(dim=1).numpy().reshape(len(axis), len(axis))
    optimizer.zero_grad()
    p = model(x)
    loss = -(targets * torch.log(p)).sum(dim=1).mean()
    loss.backward()
    losses.append(loss.item())
    accuracies.append((p.argmax(dim=1) == y).sum().item() / len(y))
    optimizer.step()
    record.step(loss=loss.item(), model=model)

# %%
with torch.no_grad():
    framework = F.cross_entropy(model.logits(x), y).item()
    own = -(targets * torch.log(model(x))).sum(dim=1).mean().item()
print(f"loss {losses[0]:.4f} to {losses[-1]:.4f}, accuracy {accuracies[0]:.3f} to {accuracies[-1]:.3f}")
record.claim("the first loss is near log 3 = 1.10", f"{losses[0]:.2f}", abs(losses[0] - np.log(3)) < 0.3)
record.claim(
    "our loss is the framework's cross_entropy of the logits",
    f"{abs(own - framework):.0e} apart",
    abs(own - framework) < 1e-5,
)
record.claim("one layer tells the three clouds apart", f"{100 * accuracies[-1]:.1f} % right", accuracies[-1] > 0.9)

# %%
titles = {f"after {step} steps: {100 * accuracies[step]:.0f} % right": region for step, region in answers.items()}
record.figure(draw.regions(titles, (-6, 6), x.numpy(), y.numpy()), "10_boundaries")
record.figure(draw.curves({"cross-entropy, training": losses}, "step", "loss"), "10_loss")

# %% [markdown]
# The boundaries are straight, and where all three regions meet they meet in one point. Between classes $j$ and $k$ lie
# the points with $z_j = z_k$, that is $(w_j - w_k) \cdot x + b_j - b_k = 0$: the equation of a line. So one layer can
# never surround a cloud, or follow a spiral. Curved boundaries need a hidden layer; lesson 11 draws one.
#
# Accuracy was right after a few steps already, and the loss goes on falling. They measure different things: accuracy
# asks which side of the boundary a point is on, the loss also asks how sure the model is. It falls by growing all
# weights, which makes the boundaries sharper without moving them.
#
# Could we train for accuracy directly? No. Argmax does not change when a weight changes a little, so its slope is zero
# everywhere (and at the jumps it has none). The loss is taken from the probabilities; argmax only reads the answer.
#
# ## Reading the weights
#
# Each class has a direction $w_k$ in the plane, and its logit grows along it. Do the directions point at the clouds?

# %%
with torch.no_grad():
    directions = model.weight.T / model.weight.norm(dim=0).unsqueeze(1)  # (3, 2), of length 1
    middle = centres - centres.mean(dim=0)
    agreement = (directions * middle / middle.norm(dim=1).unsqueeze(1)).sum(dim=1)  # cosines
    total = model.weight.sum(dim=1)
for k in range(3):
    print(f"class {k}: direction {directions[k].numpy().round(2)}, cosine with its cloud {agreement[k].item():.3f}")
record.claim(
    "each class's weights point towards its cloud", f"least cosine {agreement.min().item():.3f}", agreement.min().item() > 0.9
)  # fmt: skip
print("sum of the three weight vectors:", total.numpy().round(3))

# %% [markdown]
# There is one more weight vector than needed. Adding the same vector to all three changes all logits of a sample by the
# same amount, and softmax does not see it. That is why the slopes add up to 0, and why the sum printed above has stayed
# where it started.
#
# Change one thing: train with `lr=20`. What do loss and accuracy do?
#
# <details><summary>Answer</summary>
#
# Both are ruined within three steps: the loss is NaN, and the accuracy a third. Logits of a hundred and more make a
# probability of exactly 0 for a point on the wrong side, the logarithm of that is minus infinity, and with the next
# update NaN is in every weight. `F.cross_entropy`, which works on logits, would give a large but finite number.
#
# </details>
#
# ## To remember
#
# - One logit per class, softmax for probabilities, argmax for the answer, one-hot for the target.
# - The slope of the cross-entropy by the logits is $p - t$, as with the sigmoid. The first loss is about $\log K$.
# - In practice give the *logits* to `cross_entropy`: it does softmax and logarithm in one safe step. A softmax before
#   it is a common mistake, and no error message tells.
# - Several answers may be right at once (a film is funny *and* sad)? Then softmax is wrong, since it makes them
#   compete: use a sigmoid for each.
#
# ## Exercises
#
# In `curriculum/exercises/10_softmax_regression.py`:
#
# 1. *Write it:* `softmax` and `slope`, the softmax and the loss's slope, by hand.
# 2. *Derive it:* `softmax_slope`, the slope of softmax itself.
# 3. *Find the planted bug:* `loss`, which picks the wrong probabilities.
#
# Check them: `python -m curriculum check 10`.
#
# ## Further reading
#
# - J. S. Bridle, *Probabilistic Interpretation of Feedforward Classification Network Outputs*, in Neurocomputing, NATO
#   ASI Series 68, 1990.
# - C. M. Bishop, *Pattern Recognition and Machine Learning*, section 4.3.4, Springer 2006.
