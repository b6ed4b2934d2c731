# %% [markdown]
# # 19. Backpropagation by hand
#
# **Could you train a network without autograd?**
#
# Yes: every line of the forward pass has one line that carries the slope back through it. This lesson writes a network
# as eighteen simple lines, goes back line by line, compares every slope with the engine's, and then **fuses** lines,
# puts several into one, until a whole loss has a one-line backward. It is the longest derivation of the course. Take
# paper, and do each line before you read it.
#
# What you need: the chain rule (lesson 2), that slopes add up where a value is used twice (lesson 3), that they are
# summed where a value was stretched (lesson 4), softmax (lesson 10) and batch normalization (lesson 18).

# %%
import numpy as np

import parity
from curriculum import draw, record
from curriculum.data import digits
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)

# %% [markdown]
# ## Forward
#
# Digits again: linear, batch normalization, Tanh, linear, softmax, cross-entropy; each in its smallest parts. `x` holds
# 32 pictures of 64 pixels, one a row; `t` the digits that they show. `centred` and `inverse` are the two halves of the
# normalization, `top` keeps `exp` from overflowing, `p` are the probabilities, and `surprise` is minus their logarithm.
# Each line does one thing, so that its slope is known by heart.

# %%
pictures, targets = digits()
data = torch.tensor(pictures.reshape(-1, 64) / 16, dtype=torch.get_default_dtype())
labels = torch.tensor(targets)
N, HIDDEN, EPS = 32, 40, 1e-5


def parameters():
    w1, w2 = torch.randn(HIDDEN, 64) / 8, torch.randn(10, HIDDEN) / HIDDEN**0.5
    gamma, beta = 1 + 0.1 * torch.randn(HIDDEN), 0.1 * torch.randn(HIDDEN)
    return [p.requires_grad_() for p in (w1, 0.1 * torch.randn(HIDDEN), gamma, beta, w2, 0.1 * torch.randn(10))]


# %%
w1, b1, gamma, beta, w2, b2 = parameters()
x, t = data[:N], labels[:N]

z = x @ w1.T + b1  # (N, HIDDEN)
mean = z.mean(dim=0, keepdim=True)  # (1, HIDDEN)
centred = z - mean
square = centred**2
var = square.mean(dim=0, keepdim=True)  # (1, HIDDEN)
inverse = (var + EPS) ** -0.5
normal = centred * inverse
y = gamma * normal + beta
h = torch.tanh(y)
logits = h @ w2.T + b2  # (N, 10)
top = logits.max(dim=1, keepdim=True).values.detach()  # so that exp cannot overflow; softmax does not change
shifted = logits - top
e = shifted.exp()
total = e.sum(dim=1, keepdim=True)  # (N, 1)
reciprocal = total**-1
p = e * reciprocal
surprise = -p.log()
loss = surprise[torch.arange(N), t].mean()

# %% [markdown]
# The graph of these lines as a page, each node under the name that it has above. Cover the panel, say what the next
# node will send, and step on: that is this lesson. `e`, `centred` and `z` wait for two gradients each.

# %%
named = {
    "x": x, "w1": w1, "b1": b1, "gamma": gamma, "beta": beta, "w2": w2, "b2": b2, "z": z, "mean": mean, "centred": centred,
    "square": square, "var": var, "inverse": inverse, "normal": normal, "y": y, "h": h, "logits": logits, "shifted": shifted,
    "e": e, "total": total, "reciprocal": reciprocal, "p": p, "surprise": surprise, "loss": loss,
}  # fmt: skip
draw.backward(loss, "19_backward", names=named)

# %% [markdown]
# ## Backward, a line for a line
#
# `d_q` is the slope of the loss at `q`: how much the loss changes for a small change of each of its numbers. So it has
# the shape of `q`, always; when a line of yours does not, something is missing in it. Go from the last line to the
# first. Five rules are enough:
#
# | the line forward | the line back |
# | --- | --- |
# | `b = f(a)`, each element alone | `d_a = d_b * f'(a)` |
# | `c = a * b` | `d_a = d_c * b`, `d_b = d_c * a` |
# | `y = h @ w.T` | `d_h = d_y @ w`, `d_w = d_y.T @ h` |
# | a sum over rows, or a mean | the slope goes to every row, for a mean divided by their number |
# | a row used for all rows (stretched) | the slopes of all rows are added |
#
# The third is derived entry by entry in lesson 5; its shapes alone nearly give it away: from `d_y` (N, 10) and `h`
# (N, 40) only one product has the shape (10, 40).
#
# And a tensor that is used twice (`e`, `centred`, `z`) gets the sum of two slopes. Take `e` as an example. It is the
# numerator of `p = e * reciprocal`, which sends `d_p * reciprocal`; and it is a part of `total`, which sends `d_total`
# to every element. Their sum is `d_e`.
#
# One number by hand: for a picture of a 3 with probability $p_3 = 0.2$ the surprise is $-\ln 0.2 = 1.61$. Its slope at
# $p_3$ is $-1/0.2 = -5$, and since the loss is the mean of 32 surprises, `d_p` has $-5/32$ at that place and 0
# elsewhere.

# %%
kept = {
    "surprise": surprise, "p": p, "reciprocal": reciprocal, "total": total, "e": e, "shifted": shifted, "logits": logits,
    "h": h, "y": y, "normal": normal, "inverse": inverse, "var": var, "square": square, "centred": centred, "mean": mean, "z": z,
}  # fmt: skip
for q in kept.values():
    q.retain_grad()
loss.backward()

# %%
with torch.no_grad():
    d_surprise = F.one_hot(t, 10).to(x.dtype) / N  # the mean gives 1/N to each chosen element
    d_p = -d_surprise / p  # (log p)' = 1/p
    d_reciprocal = (d_p * e).sum(dim=1, keepdim=True)
    d_total = -d_reciprocal * reciprocal**2  # (1/q)' = -1/q²
    d_e = d_p * reciprocal + d_total  # used twice: in p, and in total
    d_shifted = d_e * e  # (exp q)' = exp q
    d_logits = d_shifted
    d_h = d_logits @ w2
    d_w2 = d_logits.T @ h
    d_b2 = d_logits.sum(dim=0)
    d_y = d_h * (1 - h**2)
    d_gamma = (d_y * normal).sum(dim=0)
    d_beta = d_y.sum(dim=0)
    d_normal = d_y * gamma
    d_inverse = (d_normal * centred).sum(dim=0, keepdim=True)
    d_var = d_inverse * -0.5 * (var + EPS) ** -1.5
    d_square = (d_var / N).expand(N, HIDDEN)
    d_centred = d_normal * inverse + d_square * 2 * centred  # used twice: in normal, and in square
    d_mean = -d_centred.sum(dim=0, keepdim=True)
    d_z = d_centred + d_mean / N  # used twice: in centred, and in mean
    d_w1 = d_z.T @ x
    d_b1 = d_z.sum(dim=0)

# %%
by_hand = {
    "surprise": d_surprise, "p": d_p, "reciprocal": d_reciprocal, "total": d_total, "e": d_e, "shifted": d_shifted,
    "logits": d_logits, "h": d_h, "y": d_y, "normal": d_normal, "inverse": d_inverse, "var": d_var, "square": d_square,
    "centred": d_centred, "mean": d_mean, "z": d_z,
}  # fmt: skip
leaves = {"w1": w1, "b1": b1, "gamma": gamma, "beta": beta, "w2": w2, "b2": b2}
by_hand |= {"w1": d_w1, "b1": d_b1, "gamma": d_gamma, "beta": d_beta, "w2": d_w2, "b2": d_b2}


def apart(ours, theirs):
    """The largest difference, in units of the largest slope."""
    assert ours.shape == theirs.shape
    return (ours - theirs).abs().max().item() / max(theirs.abs().max().item(), 1e-3)


worst = {}
for name, q in (kept | leaves).items():
    worst[name] = apart(by_hand[name], q.grad)
    print(f"d_{name:11} {tuple(q.shape)!s:10} {worst[name]:.1e}")
record.claim(
    "22 slopes by hand are the engine's", f"at most {max(worst.values()):.0e} apart", max(worst.values()) < 1e-4
)

# %% [markdown]
# ## Fused: softmax and cross-entropy
#
# Put seven lines together. With $L = -\log p_t$, $p_k = e^{z_k} / \sum_j e^{z_j}$:
#
# $$ L = \log \sum_j e^{z_j} - z_t, \qquad \frac{\partial L}{\partial z_k} = p_k - [k = t] $$
#
# Here $z$ are the logits, $t$ is the right class, and $[k = t]$ is 1 for it and 0 for the others. All the logarithms
# and quotients cancel: what is given minus what is wanted. With three classes, $p = (0.7, 0.2, 0.1)$ and the second
# right, the slope is $(0.7, -0.8, 0.1)$: the right logit is pulled up, each of the others down by what it was given.
# The numbers add up to 0, and none is larger than 1, however wrong the network is.

# %%
fused_logits = (p.detach() - F.one_hot(t, 10).to(x.dtype)) / N
record.claim(
    "softmax and cross-entropy fused: one line back",
    f"{apart(fused_logits, d_logits):.0e} apart",
    apart(fused_logits, d_logits) < 1e-4,
)

fig, axes = draw.pyplot().subplots(1, 3, figsize=(10, 3.2), sharey=True)
for ax, (title, q) in zip(
    axes, {"given: p": p.detach(), "wanted": F.one_hot(t, 10).to(x.dtype), "slope: given minus wanted": N * fused_logits}.items(), strict=True
):  # fmt: skip
    shown = ax.imshow(q[:8].numpy(), cmap=draw.SIGNS, vmin=-1, vmax=1)
    ax.set(title=title, xlabel="digit", xticks=range(10))
axes[0].set_ylabel("picture")
fig.colorbar(shown, ax=axes, fraction=0.02)
record.figure(fig, "19_given_minus_wanted")

# %% [markdown]
# ## Fused: batch normalization
#
# Six lines, put together and simplified, with $\hat x$ the normalized values and $g$ the slope at them:
#
# $$ \frac{\partial L}{\partial z} = \frac{1}{\sqrt{\sigma^2 + \epsilon}}
#    \left( g - \operatorname{mean}(g) - \hat x \, \operatorname{mean}(g \hat x) \right) $$
#
# All means go over the rows of the batch. The layer's output does not change when its input is shifted or stretched; so
# the slope has no part along a shift ($\operatorname{mean}(g)$ is taken away) nor along a stretch (the part along
# $\hat x$ is taken away). A check without any engine: add up `d_z` over the rows. A shift of all rows changes nothing,
# so the sum must be 0.

# %%
with torch.no_grad():
    fused_z = inverse * (d_normal - d_normal.mean(dim=0) - normal * (d_normal * normal).mean(dim=0))
along_shift = d_z.sum(dim=0).abs().max().item() / d_z.abs().max().item()
record.claim(
    "the slopes before a normalization add up to 0 over the rows",
    f"{along_shift:.0e} of the largest",
    along_shift < 1e-4,
)
record.claim("batch normalization fused: one line back", f"{apart(fused_z, d_z):.0e} apart", apart(fused_z, d_z) < 1e-3)

# %% [markdown]
# ## Checked by parity
#
# Who writes a backward asks whether it is right, and not only at one point. A `Function` carries its own backward:
# `forward` keeps what `backward` will need in `ctx`, and `backward` gets the slope from above and returns a slope for
# each input (`None` for one that has no slope, like `t`). `parity.check` holds it against **central differences**: move
# one input up and down by a little $h$, and divide the change of the output by $2h$. They need no calculus, so they
# cannot make the same mistake as you. They are too slow to train with: two forward passes for each number.


# %%
class CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, t):
        # What came in is saved, and not p: then the gradient can itself be differentiated, and parity looks at that too.
        ctx.save_for_backward(logits, t)
        return -torch.softmax(logits, dim=1)[torch.arange(len(t)), t].log().mean()

    @staticmethod
    def backward(ctx, slope):
        logits, t = ctx.saved_tensors
        p = torch.softmax(logits, dim=1)
        return slope * (p - F.one_hot(t, p.shape[1]).to(p.dtype)) / len(t), None


# %%
class Forgetful(CrossEntropy):
    """A typical mistake: the mean's 1/N is forgotten."""

    @staticmethod
    def backward(ctx, slope):
        logits, t = ctx.saved_tensors
        p = torch.softmax(logits, dim=1)
        return slope * (p - F.one_hot(t, p.shape[1]).to(p.dtype)), None


sample = np.random.default_rng(0).normal(size=(4, 3)), np.array([0, 2, 1, 1])
right, wrong = parity.check(CrossEntropy.apply, *sample), parity.check(Forgetful.apply, *sample)
said = {"CrossEntropy": right, "Forgetful": wrong}
for name, found in said.items():
    print(f"{name}: {'right' if found.ok else 'wrong'}")
record.claim(
    "parity finds our backward right, and the one that forgets 1/N wrong",
    f"{right.ok}, {wrong.ok}",
    right.ok and not wrong.ok,
)

# %% [markdown]
# The forgetful one would have trained: its slopes are all too large by the same factor, 4 here, as if the learning rate
# were four times as high. A falling loss says little about a backward.
#
# ## Training without autograd
#
# The same network, all by hand, with the fused lines; beside it a twin that calls `backward()`.


# %%
def forward(x, t, w1, b1, gamma, beta, w2, b2):
    z = x @ w1.T + b1
    inverse = (z.var(dim=0, unbiased=False) + EPS) ** -0.5
    normal = (z - z.mean(dim=0)) * inverse
    h = torch.tanh(gamma * normal + beta)
    logits = h @ w2.T + b2
    return F.cross_entropy(logits, t), (inverse, normal, h, logits)


def backward(x, t, gamma, w2, inverse, normal, h, logits):
    d_logits = (torch.softmax(logits, dim=1) - F.one_hot(t, 10).to(x.dtype)) / len(x)
    d_y = (d_logits @ w2) * (1 - h**2)
    d_normal = d_y * gamma
    d_z = inverse * (d_normal - d_normal.mean(dim=0) - normal * (d_normal * normal).mean(dim=0))
    return [d_z.T @ x, d_z.sum(dim=0), (d_y * normal).sum(dim=0), d_y.sum(dim=0), d_logits.T @ h, d_logits.sum(dim=0)]


# %%
torch.manual_seed(seed)
ours = parameters()
twin = [q.detach().clone().requires_grad_() for q in ours]
curves = {"by hand": [], "by autograd": []}
for _ in record.progress(range(150), "steps"):
    rows = torch.randint(0, 1437, (64,))
    x, t = data[rows], labels[rows]
    with torch.no_grad():  # no graph: nothing is recorded
        loss, (inverse, normal, h, logits) = forward(x, t, *ours)
        for q, slope in zip(ours, backward(x, t, ours[2], ours[4], inverse, normal, h, logits), strict=True):
            q.grad = slope
            q -= 0.5 * slope
    curves["by hand"].append(loss.item())
    record.step("by hand", loss=loss.item(), params=ours)

    loss, _ = forward(x, t, *twin)
    loss.backward()
    curves["by autograd"].append(loss.item())
    record.step("by autograd", loss=loss.item(), params=twin)
    with torch.no_grad():
        for q in twin:
            q -= 0.5 * q.grad
            q.grad = None

# %%
with torch.no_grad():
    _, (*_, logits) = forward(data[1437:], labels[1437:], *ours)
accuracy = (logits.argmax(dim=1) == labels[1437:]).to(x.dtype).mean().item()
record.figure(draw.curves(curves, "step", "cross-entropy"), "19_by_hand_and_by_autograd")
off = max(abs(a - b) for a, b in zip(*curves.values(), strict=True))
record.claim("150 steps by hand walk autograd's path", f"losses at most {off:.0e} apart", off < 1e-3)
record.claim("trained by hand it reads other digits", f"{100 * accuracy:.1f} %", accuracy > 0.85)

# %% [markdown]
# ## To remember
#
# - Every line has its line back. Used twice: add. Stretched: sum. Mean: divide.
# - Fused backward lines are shorter, quicker and more exact than the sum of their parts; that is why engines have them.
# - A backward is right when it agrees with differences, not when the loss falls: losses fall with wrong slopes too.
#
# Try it: leave `- normal * (d_normal * normal).mean(dim=0)` out of `backward`. Does the loss still fall? Do the paths
# part?
#
# <details><summary>Answer</summary>
#
# It falls nearly as fast, and the claim on the paths fails. That is how such mistakes live for years.
#
# </details>
#
# ## Exercises
#
# In `curriculum/exercises/19_by_hand.py`:
#
# 1. *Write it:* `cross_entropy_backward`, fused, for logits of any size.
# 2. *Derive it:* `batch_norm_backward`, all three slopes.
# 3. *Find the planted bug:* `tied_backward`, for a network that uses one matrix twice.
#
# Check them: `python -m curriculum check 19`. Lesson 20 lets the engine write such lines.
#
# ## Further reading
#
# - D. E. Rumelhart, G. E. Hinton, R. J. Williams, *Learning representations by back-propagating errors*, Nature
#   323, 1986.
# - A. Griewank, A. Walther, *Evaluating Derivatives*, SIAM 2008.
# - In this repository: `minigrad/ops/`, where each operation has its forward and its backward side by side.
