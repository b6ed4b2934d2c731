# %% [markdown]
# # 33. Memory and precision
#
# **What does a training step hold in memory, and how many digits does it need?**
#
# "Out of memory" is the error that everybody meets first on a GPU. It can be foreseen with a pencil. This lesson counts
# what a step of training holds and when, measures whether the count is right, and shows two ways to hold less:
# accumulation and checkpointing. Then it turns to the other lever, numbers of half the size: what they cannot
# represent, and what must be done so that a training survives them.

# %%
import numpy as np

from curriculum import draw, memory, record
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)
BYTES = torch.tensor(0.0).element_size()  # of one number: 4 in float32, 8 in float64
MIB = 2**20


def network(width=256, depth=8):
    layers = []
    for _ in range(depth):
        layers += [nn.Linear(width, width), nn.Tanh()]
    return nn.Sequential(*layers, nn.Linear(width, 10))


# %% [markdown]
# ## 1. Four things in memory
#
# Let a network have $P$ parameters. A step of training with Adam holds
#
# - the **parameters**: $P$ numbers,
# - their **gradients**: $P$ numbers, from backward until the next `zero_grad`,
# - the **optimizer's state**: for Adam two running means, $2P$ numbers (SGD with momentum $P$, plain SGD none),
# - the **activations**: what the forward pass computed and the backward pass will need.
#
# The first three do not depend on the batch. The fourth does. What does backward need? For a tanh its *output*, since
# its slope is $1 - \tanh^2$. For a linear layer its *input*, since $\partial L / \partial W = G^\top X$, and that is
# the tanh before it, which is there already. What a linear layer puts out is needed by nobody, and let go at once. So
# this network keeps one result for each tanh: with batch size $B$ and $n_l$ numbers of layer $l$ for each example
#
# $$ B \sum_l n_l $$
#
# numbers, until the backward pass has come back to each. A hook on each tanh counts them.


# %%
def activations(model, x):
    """Numbers that the backward pass will need for x, counted as the layers run."""
    counted = []
    needed = [layer for layer in model if isinstance(layer, nn.Tanh)]
    hooks = [layer.register_forward_hook(lambda _, __, output: counted.append(output.numel())) for layer in needed]
    with torch.no_grad():
        model(x)
    for hook in hooks:
        hook.remove()
    return sum(counted)


model = network()
P = sum(p.numel() for p in model.parameters())
parts = {}
for batch in (16, 512, 8192):
    held = activations(model, torch.zeros(1, 256)) * batch
    parts[batch] = {"parameters": P, "gradients": P, "Adam": 2 * P, "activations": held}
    print(
        f"batch {batch:5}: " + ", ".join(f"{name} {n * BYTES / MIB:.1f}" for name, n in parts[batch].items()) + " MiB"
    )
by_hand = 8 * 256
record.claim("the hook counts what the formula says: 8 results of 256", activations(model, torch.zeros(1, 256)),
             activations(model, torch.zeros(1, 256)) == by_hand)  # fmt: skip
record.claim("parameters, counted and by n(m + 1)", P, P == 8 * 256 * 257 + 10 * 257)

# %%
fig, ax = draw.pyplot().subplots(figsize=(6.5, 3))
left = np.zeros(len(parts))
for name, color in (
    ("parameters", "#1f5fa8"),
    ("gradients", "#7fa6d6"),
    ("Adam", draw.GREY),
    ("activations", draw.ORANGE),
):
    sizes = np.array([part[name] * BYTES / MIB for part in parts.values()])
    ax.barh([f"batch {batch}" for batch in parts], sizes, left=left, color=color, label=name)
    left += sizes
ax.set(xlabel="MiB")
ax.legend(frameon=False, loc="lower right")
record.figure(fig, "33_four_things")

# %% [markdown]
# At batch 16 Adam's state is the largest part; at 8,192 the activations are nearly nine tenths of the whole. So before
# you buy a larger GPU, ask which of the two fills yours. A smaller batch does nothing about the first.
#
# ## 2. Measured
#
# The operating system keeps a high-water mark of what a process held. Below, one forward and backward pass of a large
# batch, and how far the mark rose. (Where the system does not tell, the number is missing.) The count is a floor: a
# library also needs room to work in, and for the gradient that is on its way back, and it does not return at once to
# the system what it has let go. Expect one to three times the count.

# %%
BATCH = 36_000
x = torch.randn(BATCH, 256)
rose = memory.peak(lambda: F.cross_entropy(model(x), torch.zeros(BATCH, dtype=torch.int64)).backward())
counted = (by_hand * BATCH + P) * BYTES / MIB
told = "not told here" if rose is None else f"{rose:.0f} MiB"
print(f"counted {counted:.0f} MiB (activations and gradients); the high-water mark rose by {told}")
record.claim(
    "the mark rises by one to three times what was counted (or the system does not tell)",
    f"{told}, counted {counted:.0f}", rose is None or 0.9 < rose / counted < 3,
)  # fmt: skip

# %% [markdown]
# ## 3. When
#
# Forward, memory grows layer by layer. Backward, each layer's activations are let go as soon as its gradient is worked
# out, so it shrinks again. The peak is the moment at which the loss has just been computed. Hooks for both directions
# draw the staircase.


# %%
def staircase(model, x, run):
    """Numbers held in activations after each event of `run(x)`, as far as forward and backward hooks see them."""
    held, history, of = 0, [0], {}

    def came(layer, _, output):
        nonlocal held
        of[layer] = output.numel()
        held += of[layer]
        history.append(held)

    def went(layer, *_):
        nonlocal held
        held -= of.pop(layer)
        history.append(held)

    needed = [layer for layer in model if isinstance(layer, nn.Tanh)]
    hooks = [layer.register_forward_hook(came) for layer in needed]
    hooks += [layer.register_full_backward_hook(went) for layer in needed]
    run(x)
    for hook in hooks:
        hook.remove()
    return np.array(history)


# %%
def in_segments(x, segments=4):
    """The same network, of which only each segment's input is kept; its inside is computed again in the backward pass."""
    layers = list(model)
    size = len(layers) // segments + 1
    for start in range(0, len(layers), size):
        piece = nn.Sequential(*layers[start : start + size])
        x = torch.utils.checkpoint.checkpoint(piece, x, use_reentrant=False)
    return x


x, y = torch.randn(64, 256), torch.randint(0, 10, (64,))
whole = staircase(model, x, lambda x: F.cross_entropy(model(x), y).backward())

fig, ax = draw.pyplot().subplots(figsize=(6.5, 3))
ax.step(range(len(whole)), whole / 64, where="post", color=draw.BLUE)
ax.axvline(8, color="black", linewidth=0.8, linestyle=":")
ax.text(8.2, 100, "backward begins", fontsize=9)
ax.set(xlabel="event: a tanh was run, forward or backward", ylabel="numbers held per example")
record.figure(fig, "33_staircase")
record.claim(
    "the peak is at the end of the forward pass: all 8 results are held", whole.max() // 64, whole.max() == 64 * by_hand
)
record.claim("after the backward pass nothing is held any more", whole[-1], whole[-1] == 0)

# %% [markdown]
# ## 4. Less at a time: accumulation
#
# Gradients add up in `.grad` (lesson 3). So a batch of 64 can be run as four of 16, with one step of the optimizer at
# the end: the same gradient, a quarter of the activations. The loss is a mean, so each part's loss has to be multiplied
# by its share of the batch. (Batch norm is the exception: it sees four small batches.)

# %%
weights = list(model.parameters())
model.zero_grad()
F.cross_entropy(model(x), y).backward()
at_once = torch.cat([w.grad.flatten() for w in weights])
model.zero_grad()
for part_x, part_y in zip(x.detach().split(16), y.split(16), strict=True):
    (F.cross_entropy(model(part_x), part_y) * len(part_x) / len(x)).backward()
in_parts = torch.cat([w.grad.flatten() for w in weights])
apart = ((at_once - in_parts).norm() / at_once.norm()).item()
record.claim(
    "four parts give the gradient of the whole batch, to rounding",
    f"{apart:.0e}",
    apart < 10 * torch.finfo(at_once.dtype).eps,
)

# %% [markdown]
# ## 5. Compute it again: checkpointing
#
# The other way is to forget. `checkpoint` runs a piece of the network without keeping what is inside it, only its
# input; when the backward pass arrives, it runs the piece forward again. With $n$ layers in $\sqrt n$ pieces of
# $\sqrt n$ layers, one holds about $2\sqrt n$ results in place of $n$, for the price of a second forward pass, about a
# third more time.

# %%
calls = []
hooks = [layer.register_forward_hook(lambda *_: calls.append(1)) for layer in model]
model.zero_grad()
F.cross_entropy(in_segments(x), y).backward()
for hook in hooks:
    hook.remove()
again = torch.cat([w.grad.flatten() for w in weights])
apart = ((at_once - again).norm() / at_once.norm()).item()
print(f"layers run forward: {len(calls)} in place of {len(model)}")
held = {
    pieces: pieces + -(-16 // pieces) for pieces in (1, 2, 4, 8, 16)
}  # the inputs of the pieces, and the inside of one
print("16 layers, results held by number of pieces:", held)
record.claim(
    "16 layers are held cheapest in 4 pieces: 8 results in place of 17", str(held[4]), min(held, key=held.get) == 4
)
record.claim("checkpointing gives the same gradient", f"{apart:.0e}", apart < 10 * torch.finfo(at_once.dtype).eps)
record.claim("for it nearly every layer is run twice", len(calls), 1.5 * len(model) < len(calls) <= 2 * len(model))

# %% [markdown]
# ## 6. Half the bits
#
# Sixteen bits can be spent in two ways. **float16** has 10 bits of fraction and 5 of exponent, **bfloat16** 7 and 8,
# float32 23 and 8. The fraction says how finely numbers lie beside one another; the exponent how large and how small
# they may be. bfloat16 is float32 with the lower half of its bits cut off, rounded. That is how we make it here, since
# NumPy has none.


# %%
def bfloat16(x):
    """Round float32 numbers to the nearest bfloat16, to even where two are equally near."""
    bits = np.asarray(x, np.float32).view(np.uint32)
    rounded = bits + 0x7FFF + ((bits >> 16) & 1)
    return (rounded & 0xFFFF0000).astype(np.uint32).view(np.float32)


kinds = {
    "float32": (lambda v: np.float32(v), torch.finfo(torch.float32)),
    "float16": (lambda v: np.float16(v), torch.finfo(torch.float16)),
    "bfloat16": (lambda v: bfloat16(v), torch.finfo(torch.bfloat16)),
}
print(f"{'':10}{'largest':>10}{'smallest':>10}{'step at 1':>11}{'1 + 0.001':>12}{'2048 + 1':>10}{'1e-8':>10}")
with np.errstate(over="ignore"):
    for name, (to, info) in kinds.items():
        line = [float(to(1.001)), float(to(2049)), float(to(1e-8))]
        print(
            f"{name:10}{info.max:10.2g}{info.tiny:10.1g}{info.eps:11.2g}{line[0]:12.6f}{line[1]:10.0f}{line[2]:10.2g}"
        )
    too_large = float(np.float16(70_000))
record.claim("float16 ends at 65,504: 70,000 becomes infinite", str(too_large), too_large == float("inf"))
record.claim("bfloat16 holds 1e38 and cannot tell 1 from 1.001",
             f"{float(bfloat16(1e38)):.3g}, {float(bfloat16(1.001))}", float(bfloat16(1.001)) == 1 and float(bfloat16(1e38)) < 2e38)  # fmt: skip
updated = np.float16(1) + np.float16(1e-4)
record.claim("the update 1 + 0.0001 is lost in float16", str(float(updated)), updated == 1)

# %% [markdown]
# The last line is the reason for **master weights**. Updates of a thousandth of a weight and less (lesson 31) vanish if
# the weights themselves are kept in 16 bits. In *mixed precision* the weights and the optimizer stay in float32; only
# products and activations are computed in 16 bits. PyTorch's `autocast` does that.
#
# ## 7. Gradients that underflow
#
# Gradients are small numbers, and float16 has nothing below $6 \cdot 10^{-8}$ (the smallest in the table above, 6e-05,
# is the last with all its digits): what is less than half of that becomes 0. Here a network learns a sine, but the loss
# is one term among others and has a weight of $10^{-8}$, so its gradients are that much smaller. (Adam divides by their
# size, so in full precision the weight changes nothing.) They are rounded to float16 on their way. Then the same with
# **loss scaling**: multiply the loss by 65,536 before backward, so that all gradients are that much larger when they
# are rounded, and divide them by it afterwards, in full precision. The chain rule is linear in the loss; nothing else
# changes.

# %%
inputs = torch.linspace(-2, 2, 128).unsqueeze(1)
targets = torch.sin(2 * inputs)


def learn(rounding, scale):
    """Losses of a training whose gradients pass through `rounding`, and the share of them that became 0 in the last step."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, eps=1e-16)
    losses = []
    for _ in range(300):
        optimizer.zero_grad()
        loss = 1e-8 * ((model(inputs) - targets) ** 2).mean()
        (loss * scale).backward()
        zero = whole = 0
        for p in model.parameters():
            p.grad = rounding(p.grad) / scale
            zero, whole = zero + int((p.grad == 0).sum()), whole + p.numel()
        optimizer.step()
        record.step(names[rounding, scale], loss=loss.item(), model=model)
        losses.append(loss.item())
    return losses, zero / whole


# %%
def exact(g):
    return g


def half(g):
    return g.to(torch.float16).to(g.dtype)


names = {(exact, 1.0): "full precision", (half, 1.0): "float16", (half, 65536.0): "float16, loss times 65,536"}
ends = {name: learn(*how) for how, name in names.items()}
fig = draw.curves({name: losses for name, (losses, _) in ends.items()}, "step", "loss")
fig.axes[0].lines[0].set_linewidth(4)  # the third lies upon the first
record.figure(fig, "33_loss_scaling")
for name, (losses, zero) in ends.items():
    print(f"{name:28} loss {losses[-1]:.2e}; gradients that are 0: {100 * zero:.0f} %")
plain, lost, saved = (losses[-1] for losses, _ in ends.values())
record.claim(
    "without scaling more than 90 % of the gradients become 0",
    f"{100 * ends['float16'][1]:.0f} %",
    ends["float16"][1] > 0.9,
)
record.claim(
    "and the training ends more than ten times as high", f"{lost:.1e}, full precision {plain:.1e}", lost > 10 * plain
)
record.claim(
    "with scaling it ends where full precision does, within 20 %",
    f"{saved:.3e}, {plain:.3e}",
    abs(saved / plain - 1) < 0.2,
)

# %% [markdown]
# How large a scale? As large as possible without an infinity. `GradScaler` finds it as it goes: after each step in
# which a gradient was infinite, skip the update and halve the scale; after 2,000 good ones double it. bfloat16 needs
# none of this, since its exponent is that of float32. That is why it is preferred wherever the hardware has it, and why
# its coarse fraction is put up with.
#
# ## 8. What CUDA changes
#
# - Memory is the card's own, and small. `torch.cuda.max_memory_allocated()` tells the peak. What PyTorch holds for
#   later use shows as taken in `nvidia-smi`, and is not lost.
# - Calls return before the work is done. A measured time means something only after `torch.cuda.synchronize()`, and
#   `.item()` waits for everything before it: do not call it in each step.
# - Products in float16 and bfloat16 run on units of their own, many times as fast as in float32.

# %%
cards = torch.cuda.device_count()
if cards:
    print(torch.cuda.get_device_name(), f"{torch.cuda.get_device_properties(0).total_memory / MIB:.0f} MiB")
else:
    print("no GPU that this engine can use: everything above ran on the CPU")

# %% [markdown]
# ## Questions that come up
#
# **Out of memory after an hour, not at once.** Something keeps a graph alive: a list of losses that are tensors (append
# `loss.item()`), or a hidden state that was never detached. Or the longest texts of the data came last.
#
# **Which batch size?** The largest that fits is rarely the best. The noise of small batches helps generalization, and
# with the size the rate must be chosen anew. Begin with 32 to 256, and use accumulation if the recipe you follow asks
# for more.
#
# **Does evaluation need as much?** No: under `torch.no_grad()` nothing is kept for a backward pass that never comes.
#
# ## To remember
#
# - Parameters, gradients, optimizer: $P + P + 2P$ with Adam. Activations: batch times results per example.
# - Accumulation costs nothing but a few calls; checkpointing costs time.
# - float16 has too little range (scale the loss), bfloat16 too few digits (keep master weights).
#
# ## Exercises
#
# In `curriculum/exercises/33_memory_and_precision.py`:
#
# 1. *Predict, then measure:* `step_bytes`, what a step will hold in memory.
# 2. *Write it:* `accumulate`, the gradient of a batch from unequal parts.
# 3. *Write it:* `to_bfloat16`, the rounding.
# 4. *Write it:* `Scaler`, a loss scaler.
#
# Check them: `python -m curriculum check 33`.
#
# ## Further reading
#
# - T. Chen et al., *Training Deep Nets with Sublinear Memory Cost*, 2016.
# - P. Micikevicius et al., *Mixed Precision Training*, ICLR 2018.
# - PyTorch: torch.utils.checkpoint, torch.amp.
