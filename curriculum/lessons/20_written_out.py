# %% [markdown]
# # 20. The backward pass, written out
#
# **What program does `backward()` run?**
#
# In lesson 19 you wrote a backward pass by hand. The engine does the same job, but while your program runs: it records
# a graph, walks it, and forgets it. Nothing is left to read. This lesson asks for the program itself.
# `minigrad.compile` watches a training step, and prints what the step computes as straight lines of NumPy, forward and
# backward, each with its shape. You will put that print beside your own lines, run it without the engine, improve it as
# a compiler would, and measure when that pays.
#
# You need lesson 19. Some words of this lesson come from compilers, the programs that translate programs; each is
# explained where it first appears.

# %%
import ast
import inspect
import time
import tracemalloc

import numpy as np

from curriculum import draw, record
from curriculum.engine import minigrad, seed, torch

torch.manual_seed(seed)

# %% [markdown]
# `torch` is the engine that you chose, as always. `minigrad` is minigrad whatever you chose, since only minigrad prints
# its steps. (PyTorch has `torch.compile` too. What it makes of a step is machine code, and not meant to be read.)
#
# ## A network of 17 numbers
#
# The network is as small as one can be and still need a hidden layer: two inputs, four hidden units with ReLU, one
# output. Its question is whether the two inputs have the same sign, which no straight line can answer. `logit` is the
# score before the sigmoid, and the loss is binary cross-entropy (lesson 9). The step is the one that you know: clear
# the gradients, compute the loss, go back, move the weights. `make` builds it in either engine, from the same numbers.

# %%
N, STEPS = 800, 200
x = torch.randn(N, 2)
t = (x[:, :1] * x[:, 1:] > 0).to(x.dtype)  # (800, 1)
SHAPES = {"w1": (4, 2), "b1": (4,), "w2": (1, 4), "b2": (1,)}
start = {name: np.array(torch.randn(*shape).numpy()) for name, shape in SHAPES.items()}
data = {"x": np.array(x.numpy()), "t": np.array(t.numpy())}


def make(library, learned=("w1", "b1", "w2", "b2")):
    weights = {name: library.tensor(value).requires_grad_(name in learned) for name, value in start.items()}
    w1, b1, w2, b2 = weights.values()
    optimizer = library.optim.Adam([weights[name] for name in learned], lr=0.05)
    F = library.nn.functional

    def step(x, t):
        optimizer.zero_grad()
        z = F.linear(x, w1, b1)
        h = F.relu(z)
        logit = F.linear(h, w2, b2)
        loss = F.binary_cross_entropy_with_logits(logit, t)
        loss.backward()
        optimizer.step()
        return loss

    return step, weights


# %% [markdown]
# First the ordinary way, which is called **eager**: each line is computed when Python reaches it. The gradients of the
# very first step are put aside, because the programs below have to reproduce them.

# %%
step, weights = make(torch)
eager_losses, first = [], {}
for number in range(STEPS):
    loss = step(x, t)
    if number == 0:
        first = {name: np.array(w.grad.numpy()) for name, w in weights.items()}
    eager_losses.append(loss.item())
    record.step("eager", loss=loss.item(), params=weights.values())
print(f"loss {eager_losses[0]:.3f} at the first step, {eager_losses[-1]:.3f} after {STEPS}")

# %% [markdown]
# ## By hand
#
# The same step in NumPy, as lesson 19 does it: `d_q` is the slope of the loss at `q`. Nothing in it is new. The logit's
# slope is "given minus wanted" for the sigmoid as it was for softmax. A product sends back two products. A bias was
# added to every row, so it collects the sum over the rows. ReLU lets through what had a positive input.


# %%
def by_hand(x, w1, b1, w2, b2, t):
    z = x @ w1.T + b1  # (800, 4)
    h = np.maximum(z, 0)
    logit = h @ w2.T + b2  # (800, 1)
    p = 1 / (1 + np.exp(-logit))
    losses = -t * np.log(p) - (1 - t) * np.log(1 - p)
    loss = losses.mean()

    d_logit = (p - t) / len(x)
    d_h = d_logit @ w2
    d_w2 = d_logit.T @ h
    d_b2 = d_logit.sum(axis=0)
    d_z = d_h * (z > 0)
    d_w1 = d_z.T @ x
    d_b1 = d_z.sum(axis=0)
    return loss, {"w1": d_w1, "b1": d_b1, "w2": d_w2, "b2": d_b2}


# %% [markdown]
# ## The engine's own program
#
# `minigrad.compile(step)` gives back a function that is called like `step`. Its first two calls run eagerly and are
# **recorded**: which operation ran, on which arrays, and who called `backward`. From that record the program is
# written. When both have given the same program, it is made ready to run, and from the third call on it runs in the
# place of your Python.

# %%
plain_step, compiled_weights = make(minigrad)
compiled = minigrad.compile(plain_step)
x_ours, t_ours = minigrad.tensor(data["x"]), minigrad.tensor(data["t"])
compiled_losses = []
for _ in range(2):
    begin = time.perf_counter()
    compiled_losses.append(compiled(x_ours, t_ours).item())
    second = time.perf_counter() - begin
source = compiled.source()
print(source)

# %% [markdown]
# Read it from the top. The arguments come first, with their shapes. Each forward line carries a number, the shape of
# what it makes, and the operation that it belongs to. Each backward line says of which forward line it is the way back:
# the section is the forward section, mirrored. The names are yours where your step had names, and `d_` before a name
# means what it meant in lesson 19. Behind the function stands the update, here Adam's (lesson 6); what lesson 6 called
# $s$ is `v` in it, and its `t` is the number of the step, not the target.
#
# Now both side by side. The cell below takes both texts apart with Python's own parser, `ast`, and prints the lines
# that make something of the same name. `lines_of` returns for each line the name that it makes, its formula, and the
# names that it reads.


# %%
def lines_of(text, function):
    """(name, formula, names that it reads) of every assignment in a function of the text, in order."""
    body = next(n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == function).body
    found = []
    for node in body:
        if isinstance(node, ast.Assign):
            reads = {n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)} - {"np", "len"}
            found.append((ast.unparse(node.targets[0]), ast.unparse(node.value), reads))
    return found


printed = lines_of(source, "step")
ours = {name: formula for name, formula, _ in lines_of(inspect.getsource(by_hand), "by_hand")}
for name, formula, _ in printed:
    if name in ours:
        print(f"{name:8} by hand  {ours[name]}\n{'':8} printed  {formula}")

# %% [markdown]
# Most lines say the same in other words. Three differ, and each difference has a reason.
#
# **The loss.** By hand it goes through the probability `p`. For a logit of 800 the sigmoid is exactly 1 in floating
# point, then `1 - p` is 0 and its logarithm is minus infinity. The engine computes $\log(1 + e^{-|a|})$ for the logit
# $a$, where $e$ is never raised to a positive number. The sum of the two terms is the same number, and it stays finite.
# `d_logit` follows suit: the fraction in it is $1 - p$ without a large power of $e$, so the line says
# $(1 - t) - (1 - p)$, which is $p - t$.
#
# **The slope of the loss by itself.** The walk begins with the number 1, and the mean divides it by 800. By hand you
# wrote `/ len(x)` and never saw the 1.
#
# **A sum over the rows** is written as a product with a row of ones. That is the same sum, and the machine's product is
# quick.
#
# One number by hand: take the first row. The next cell prints its logit $a$, the sigmoid $p$, the wanted $t$, and then
# $(p - t)/800$ beside the entry that the printed program computes.

# %%
space = {}
exec(source, space)  # defines the function `step`, and needs nothing but NumPy
arrays = start | data
names = list(inspect.signature(space["step"]).parameters)
values = {name: arrays[name] for name in names} | {"np": np}
for name, formula, _ in printed:  # a debugger of one line: every value stays in `values`
    values[name] = eval(formula, values)
a, wanted = float(values["logit"][0, 0]), float(data["t"][0, 0])
given = 1 / (1 + np.exp(-a))
print(f"a = {a:.4f}, p = {given:.4f}, t = {wanted:.0f}")
print(f"(p - t) / 800 = {(given - wanted) / 800:.8f}, printed program: {values['d_logit'][0, 0]:.8f}")

# %% [markdown]
# ## It runs as it is printed
#
# The text is a program. `exec` made a function of it, in an empty space of names: no engine, no graph, no tensors. Does
# it give the gradients of the first eager step? And does the compiled step train as the eager one does?

# %%
_, hand = by_hand(**{name: arrays[name] for name in ("x", "w1", "b1", "w2", "b2", "t")})
_, numpy_alone = space["step"](*(arrays[name] for name in names))
exact = torch.get_default_dtype() == torch.float64
tolerance = 1e-12 if exact else 1e-5
imported = {n.names[0].name for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Import | ast.ImportFrom)}


def apart(one, other):
    return max(float(np.abs(one[name] - other[name]).max()) for name in other)


record.claim(
    "the printed program imports NumPy and nothing else, and its four gradients are the eager step's",
    f"imports {', '.join(sorted(imported))}; at most {apart(numpy_alone, first):.0e} apart",
    imported == {"numpy"} and apart(numpy_alone, first) < tolerance,
)
record.claim("so are those by hand", f"at most {apart(hand, first):.0e} apart", apart(hand, first) < tolerance)

begin = time.perf_counter()
compiled_losses.append(compiled(x_ours, t_ours).item())
third = time.perf_counter() - begin
compiled_losses += [compiled(x_ours, t_ours).item() for _ in range(STEPS - 3)]
off = float(np.abs(np.subtract(compiled_losses, eager_losses)).max())
record.claim(
    f"{STEPS} compiled steps have the losses of {STEPS} eager ones", f"at most {off:.0e} apart", off < (1e-9 if exact else 1e-3)
)  # fmt: skip
print(
    f"the second call took {record.timed(1e3 * second, '.1f')} ms, since it made the program ready; "
    f"the third, its first run, {record.timed(1e3 * third, '.1f')} ms"
)

# %% [markdown]
# What it learned, as a picture: the points, and the border at which the network's answer changes from no to yes. Each
# of the four hidden units with ReLU adds one straight fold to the plane; the border is made of them.

# %%
side = np.linspace(-3, 3, 121).astype(data["x"].dtype)
plane = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
w1, b1, w2, b2 = (w.detach().numpy() for w in weights.values())
answer = (np.maximum(plane @ w1.T + b1, 0) @ w2.T + b2).reshape(121, 121)
fig, (left, right) = draw.pyplot().subplots(1, 2, figsize=(9, 3.8))
left.plot(eager_losses, color=draw.ORANGE, linewidth=4, label="eager")
left.plot(compiled_losses, "--", color=draw.BLUE, label="compiled")
left.set(xlabel="step", ylabel="loss", ylim=(0, None))
left.legend(frameon=False)
right.contourf(side, side, np.clip(answer, -6, 6), levels=np.linspace(-6, 6, 13), cmap=draw.SIGNS, alpha=0.6)
right.contour(side, side, answer, levels=[0], colors="black")
for label, mark in ((1, "+"), (0, ".")):
    right.plot(*data["x"][data["t"][:, 0] == label].T, mark, color="black", markersize=3, alpha=0.6)
right.set(xlabel="first input", ylabel="second input", title="logit, and its border (line)", xlim=(-3, 3), ylim=(-3, 3))
fig.tight_layout()
record.figure(fig, "20_trained")

# %% [markdown]
# ## Better programs for the same numbers
#
# Because the step is a text now, it can be improved as a text. The part of a compiler that does so is called the
# **optimizer**, an unlucky name here: it has nothing to do with Adam. It changes how a result is computed, never the
# result. Three of its oldest tricks are enough to understand what any compiler for networks does.
#
# ### Dead code
#
# A line is **dead** when nobody reads what it makes. Say that only the last layer is trained (lesson 24 does that a
# lot). Then only `d_w2` and `d_b2` are wanted. Walk from the last line to the first and keep a line if its name is
# wanted; whatever it reads is then wanted too.


# %%
def needed(lines, wanted):
    """The lines that the wanted names hang on."""
    kept, wanted = [], set(wanted)
    for name, formula, reads in reversed(lines):
        if name in wanted:
            kept.append((name, formula, reads))
            wanted |= reads
    return kept[::-1]


last_only = needed(printed, {"loss", "d_w2", "d_b2"})
gone = [name for name, _, _ in printed if name not in {n for n, _, _ in last_only}]
frozen = minigrad.compile(make(minigrad, learned=("w2", "b2"))[0])
for _ in range(2):
    frozen(x_ours, t_ours)
written = lines_of(frozen.source(), "step")
print(f"{len(printed)} lines, of which {', '.join(gone)} are dead when only the last layer learns")
record.claim(
    "our few lines find the dead ones that the engine leaves out when the first layer is frozen",
    f"{len(last_only)} lines are left, in the engine's program {len(written)}",
    [name for name, _, _ in last_only] == [name for name, _, _ in written] and len(gone) >= 4,
)

# %% [markdown]
# The slope at the hidden layer, `d_h`, has gone as well: it was only a step on the way to the first layer. This is why
# freezing the *early* layers saves time and freezing the *late* ones saves hardly any: the slope has to pass through
# the late layers to reach the early ones.
#
# Try it: ask `needed` for `{"loss", "d_w1"}` alone. Which lines go?
#
# <details><summary>Answer</summary>
#
# Only `d_b1`, `d_w2` and `d_b2`: three lines at the end of branches. Everything else lies on the way to `d_w1`.
#
# </details>
#
# ### Buffers
#
# Each line makes an array, and an array needs memory, a **buffer**. A value is **alive** from the line that makes it to
# the last line that reads it. Two values that are never alive at the same time can share a buffer. The picture shows
# each value's life as a bar.


# %%
def lives(lines, results):
    """{name: (line that makes it, last line that reads it)}; results live to the end."""
    born = {name: number for number, (name, _, _) in enumerate(lines)}
    last = dict(born) | {name: len(lines) for name in results}
    for number, (_, _, reads) in enumerate(lines):
        last |= {name: max(last[name], number) for name in reads if name in born}
    return {name: (born[name], last[name]) for name in born}


alive = lives(printed, {"loss", "d_w1", "d_b1", "d_w2", "d_b2"})
size = {name: np.size(values[name]) for name in alive}  # from the line-by-line run above
held = [sum(size[n] for n, (a, b) in alive.items() if a <= number <= b) for number in range(len(printed))]

# %%
fig, (left, right) = draw.pyplot().subplots(1, 2, figsize=(10, 4.2), width_ratios=(1.5, 1))
for place, (name, (a, b)) in enumerate(alive.items()):
    left.barh(place, b - a + 0.9, left=a + 0.55, height=0.7, color=draw.ORANGE if name.startswith("d_") else draw.BLUE)
left.set(xlabel="line of the program", ylim=(len(alive), -1), yticks=range(len(alive)))
left.set_yticklabels(alive, fontsize=8)
left.set_title("from birth to last use (orange: slopes)", fontsize=10)
right.step(range(1, len(held) + 1), held, where="mid", color=draw.BLUE, label="alive")
right.step(
    range(1, len(held) + 1), np.cumsum([size[n] for n in alive]), where="mid", color=draw.GREY, label="made so far"
)
right.set(xlabel="line of the program", ylabel="numbers", xticks=range(1, len(held) + 1, 3))
right.legend(frameon=False)
fig.tight_layout()
record.figure(fig, "20_lives")
record.claim(
    "at no line are more than two thirds of all numbers that the step makes alive",
    f"{max(held)} of {sum(size.values())}", max(held) < 2 / 3 * sum(size.values()),
)  # fmt: skip

# %% [markdown]
# The long blue bars are the price of going back: `h` is made early and needed by the very last lines. That is what a
# training step holds in memory, and what lesson 33 measures for large networks. A prediction without a backward pass
# could let every value go at once.
#
# ### Fused lines
#
# NumPy computes a line at a time, and an intermediate at a time within it: for `(1 - t) * a` it writes a whole array
# `1 - t`, then reads it back. When arrays are larger than the processor's **cache**, its small quick memory, this
# traffic costs time. To **fuse** lines is to go through the rows once and do all the lines for a few rows before the
# next few. NumPy can only imitate that, with blocks of rows. The memory that is saved can be counted; whether time is
# saved depends on the machine; where `exp` and `log` take most of it, as here, there is little to save, and the blocks
# may even cost some.


# %%
def in_lines(a, t):
    z = np.exp(-np.abs(a))
    losses = (1 - t) * a + (np.log1p(z) - np.minimum(a, 0))
    return losses


def in_blocks(a, t, rows=4096):
    losses = np.empty_like(a)
    for i in range(0, len(a), rows):
        losses[i : i + rows] = in_lines(a[i : i + rows], t[i : i + rows])
    return losses


# %%
def memory_of(function, *arguments):
    tracemalloc.start()
    function(*arguments)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


many = np.linspace(-5, 5, 1 << 20).astype(data["x"].dtype)
yes = (many > 1).astype(many.dtype)
peak = {function.__name__: memory_of(function, many, yes) for function in (in_lines, in_blocks)}
seconds = {"in_lines": [], "in_blocks": []}
for _ in range(5):
    for function in (in_lines, in_blocks):
        begin = time.perf_counter()
        function(many, yes)
        seconds[function.__name__].append(time.perf_counter() - begin)
for name, found in seconds.items():
    print(
        f"{name:10} {record.timed(1e3 * min(found), '5.1f')} ms, at most {peak[name] / many.nbytes:.1f} arrays of memory at once"
    )
difference = float(np.abs(in_lines(many, yes) - in_blocks(many, yes)).max())
record.claim(
    "in blocks the loss is the same and needs less than half of the memory",
    f"{difference:.0e} apart, {peak['in_blocks'] / peak['in_lines']:.2f} of the memory",
    difference < tolerance and peak["in_blocks"] < peak["in_lines"] / 2,
)

# %% [markdown]
# minigrad goes further. All lines between two products become one loop over blocks of elements: a loop in machine code,
# made once for all programs, follows a list of instructions, one for each operation. The products stay NumPy's, and
# write into buffers that are kept from call to call. A network as small as this one gets more when its step has run
# 50,000 times: one loop over blocks of rows with all lines in it, translated into machine code of its own, which takes
# seconds.
#
# ## Faster: when, and when not
#
# An eager step pays twice: for the arithmetic, and for everything around it: Python's calls, checks of shapes, nodes of
# the graph. The second part is called **overhead**. It does not depend on the number of rows. The next cell measures
# both kinds of step for 800, 8,000 and 80,000 rows, taking turns, and keeps the best of several rounds, because a busy
# machine only makes times longer.

# %%
speed = {}
for rows, repeats in record.progress(((N, 60), (10 * N, 10), (100 * N, 2)), "rows"):
    many_x, many_t = (minigrad.tensor(np.tile(data[name], (rows // N, 1))) for name in ("x", "t"))
    ways = {"eager": plain_step, "compiled": compiled}
    for _ in range(3):
        compiled(many_x, many_t)  # another shape is another program
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(7):
        for way, function in ways.items():
            begin = time.perf_counter()
            for _ in range(repeats):
                function(many_x, many_t)
            best[way] = min(best[way], (time.perf_counter() - begin) / repeats)
    speed[rows] = best
    print(
        f"{rows:6} rows: eager {record.timed(1e6 * best['eager'], '7.0f')} us, compiled {record.timed(1e6 * best['compiled'], '7.0f')} us, "
        f"{record.timed(best['eager'] / best['compiled'], '4.1f')} times"
    )

# %%
fig, ax = draw.pyplot().subplots(figsize=(5.6, 3.6))
for way, color in (("eager", draw.ORANGE), ("compiled", draw.BLUE)):
    ax.plot(list(speed), [1e6 * best[way] for best in speed.values()], "o-", color=color, label=way)
ax.set(xlabel="rows of the batch", ylabel="microseconds for a step", xscale="log", yscale="log")
ax.legend(frameon=False)
record.figure(fig, "20_time", timed=True)
record.claim(
    "with 800 rows the compiled step is quicker than the eager one",
    "see the table",
    speed[N]["compiled"] < speed[N]["eager"],
)

# %% [markdown]
# With few rows much of an eager step is overhead, and the program has hardly any. With many rows the arithmetic is
# nearly everything, and neither way can do without it: the curves come close. So compile a step that is small and
# repeated thousands of times. For a network of large matrix products there is little to win, and for a step that runs
# ten times the first two calls cost more than the others save. When you quote a speed, say whether the first calls are
# in it.
#
# ## When the record does not hold
#
# A record of one call is a promise about the next, and some steps break it. A **guard** is a check, at each call, of
# what the program was written for: shapes, types, which weights are learned. Another shape gets a program of its own. A
# step that decides by a *value* has no single program: the recorded call went one way, the next may go the other. Then
# minigrad runs the step eagerly, as if you had not compiled it. It never returns the numbers of the wrong way.

# %%
scale = minigrad.tensor([2.0, -1.0]).requires_grad_()
descent = minigrad.optim.SGD([scale], lr=0.1)


def branching(x):
    descent.zero_grad()
    loss = (x * scale).sum()
    if loss > 0:  # hangs on a value
        loss = loss * 100
    loss.backward()
    return loss


# %%
def looking(x):
    descent.zero_grad()
    loss = ((x * scale) ** 2).sum()
    loss.item()  # a number leaves the step in the middle
    loss.backward()
    return loss


ones = minigrad.tensor([1.0, 1.0])
said, answers = {}, []
for function in (branching, looking):
    attempt = minigrad.compile(function)
    for sign in (1, -1, 1, -1):
        answers.append((attempt(sign * ones).item(), function(sign * ones).item()))
    said[function.__name__] = next(line for line in attempt.explain().splitlines() if "eagerly" in line)
    print(f"{function.__name__}: {said[function.__name__].split(' (')[0]}")
record.claim(
    "steps that hang on a value run eagerly, say so, and are right on both sides of the branch",
    f"{len(said)} reasons, {sum(a == b for a, b in answers)} of {len(answers)} answers right",
    len(said) == 2 and all(a == b for a, b in answers),
)

# %% [markdown]
# Often the branch can be written as arithmetic: `torch.where(loss > 0, loss * 100, loss)` computes both sides and picks
# one, which is one program. Move `item()` and `print` behind the step: return the loss, and look at it outside.
#
# ## Attention, written out
#
# The same for something larger. Attention (lesson 26) lets each of five words take a weighted mean of what all words
# offer. Each word has a query, a key and a value, three products with weights that are learned. `scores` says how well
# each query fits each key, softmax makes weights of a row of scores, and `p @ v` takes the mean. You need not know more
# to read its backward pass.

# %%
WORDS, WIDTH = 5, 4
shapes = {"wq": (WIDTH, WIDTH), "wk": (WIDTH, WIDTH), "wv": (WIDTH, WIDTH), "x": (WORDS, WIDTH), "t": (WORDS, WIDTH)}
given = {name: np.array(torch.randn(*shape).numpy()) for name, shape in shapes.items()}


def attention(library):
    x, t = library.tensor(given["x"]), library.tensor(given["t"])
    wq, wk, wv = learned = [library.tensor(given[name]).requires_grad_() for name in ("wq", "wk", "wv")]
    optimizer = library.optim.SGD(learned, lr=0.1)
    F = library.nn.functional

    def attend(x, t):
        optimizer.zero_grad()
        q, k, v = F.linear(x, wq), F.linear(x, wk), F.linear(x, wv)  # each (5, 4)
        scores = F.linear(q, k) / WIDTH**0.5  # q kᵀ: (5, 5)
        p = F.softmax(scores, dim=1)
        y = p @ v
        loss = F.mse_loss(y, t)
        loss.backward()
        optimizer.step()
        return loss

    return attend, learned, x, t


attend, learned, *both = attention(minigrad)
attend = minigrad.compile(attend)
for _ in range(2):
    attend(*both)
print(attend.source())

# %% [markdown]
# `x` is read by three lines, so three slopes would meet there; nobody learns `x`, so none of them is computed:
# dead code again. The product `p @ v` sends back two products, to `p` and to `v`, as `w1` and `x` did above.
#
# The line that makes `d_scores` is the way back through softmax. Lesson 19 went through softmax and cross-entropy
# together, where everything cancels. Alone, with $g$ the slope at $p$, a row's slope is
#
# $$ \frac{\partial L}{\partial s_k} = p_k \Big( g_k - \sum_j p_j g_j \Big) $$
#
# The sum is the mean slope of the row, weighted by $p$. A score goes up in weight only at the others' cost, so what
# counts is whether its slope lies above or below that mean. A row of these slopes therefore adds up to 0. An example:
# $p = (0.5, 0.3, 0.2)$ and $g = (1, 0, 0)$. The mean is 0.5, and the slopes are $0.5 \cdot 0.5 = 0.25$,
# $0.3 \cdot (-0.5) = -0.15$ and $0.2 \cdot (-0.5) = -0.1$.

# %%
source = attend.source()
space = {}
exec(source, space)
_, slopes = space["attend"](*(given[name] for name in inspect.signature(space["attend"]).parameters))
eager, theirs, *both = attention(torch)
losses = []
for number in range(60):
    loss = eager(*both)
    if number == 0:
        wanted = {name: np.array(w.grad.numpy()) for name, w in zip(("wq", "wk", "wv"), theirs, strict=True)}
    record.step("attention", loss=loss.item(), params=theirs)
record.claim(
    "attention's printed program, run with NumPy alone, gives the eager step's gradients",
    f"at most {apart(slopes, wanted):.0e} apart", apart(slopes, wanted) < tolerance,
)  # fmt: skip

values = dict(given) | {"np": np}
for name, formula, _ in lines_of(source, "attend"):
    values[name] = eval(formula, values)
rows = float(np.abs(values["d_scores"].sum(axis=1)).max())
record.claim("the slopes of each row of scores add up to 0", f"{rows:.0e}", rows < 1e-6)

# %%
fig, axes = draw.pyplot().subplots(1, 2, figsize=(8, 3.4))
most = np.abs(values["d_scores"]).max()
for ax, name, options in zip(
    axes, ("p", "d_scores"), ({"cmap": "Greys", "vmin": 0, "vmax": 1}, {"cmap": draw.SIGNS, "vmin": -most, "vmax": most}), strict=True
):  # fmt: skip
    shown = ax.imshow(values[name], **options)
    ax.set(title=name, xlabel="key (word)", ylabel="query (word)", xticks=range(WORDS), yticks=range(WORDS))
    fig.colorbar(shown, ax=ax, fraction=0.046)
fig.tight_layout()
record.figure(fig, "20_attention")

# %% [markdown]
# In each row of the right picture red and blue balance. Where `p` is nearly 0 the slope is nearly 0 too: a word that is
# not attended to cannot ask for more attention. That is softmax's way of not learning, and the reason why the scores
# are divided by $\sqrt 4$ before it.
#
# Change one thing: multiply `wq` by 20 in `given` and run the last two cells again. What happens to `d_scores`?
#
# <details><summary>Answer</summary>
#
# Each row of `p` becomes a single 1 among zeros, and nearly all of `d_scores` vanishes: the queries and keys hardly
# learn any more.
#
# </details>
#
# ## To remember
#
# - A training step is a program of straight lines. The backward half mirrors the forward half, one operation at a time,
#   in the opposite order.
# - A program can be improved without changing its result: dead lines go, buffers are shared, lines are fused.
# - Compiling removes overhead and not arithmetic. It pays for small steps that are repeated often.
# - A recorded step holds for what was recorded. Decisions that hang on values do not belong in it.
#
# ## Exercises
#
# In `curriculum/exercises/20_written_out.py`:
#
# 1. *Write it:* `backward_lines`, the lines back of any short program, as text.
# 2. *Derive it:* `log_softmax_backward`, the way back through the logarithm of softmax.
# 3. *Find the planted bug:* `share`, which computes equal formulas only once, and is wrong for some programs.
#
# Check them: `python -m curriculum check 20`.
#
# ## Further reading
#
# - B. van Merriënboer, D. Moldovan, A. Wiltschko, *Tangent: Automatic Differentiation Using Source-Code Transformation
#   for Dynamically Typed Array Programming*, NeurIPS 2018.
# - J. Ansel et al., *PyTorch 2: Faster Machine Learning Through Dynamic Python Bytecode Transformation and Graph
#   Compilation*, ASPLOS 2024.
# - In this repository: `minigrad/compiler/`, from `minigrad/compiler/record.py` to `minigrad/compiler/run.py`.
