"""Whole programs, written once in PyTorch's names and run in both engines from one seed: weights, batches, masks, losses."""

import math

import numpy as np
import pytest
import torch

import minigrad

ENGINES = {"minigrad": minigrad, "torch": torch}


def both(program, *args):
    """The results of one program in minigrad and in PyTorch."""
    return program(minigrad, *args), program(torch, *args)


def array(x):
    return x.detach().numpy()


def bits(x):
    return array(x).tobytes()


def digits(n=160, classes=4, side=8, seed=0):
    """Small images of `classes` kinds with noise."""
    rng = np.random.default_rng(seed)
    kinds = rng.normal(size=(classes, 1, side, side))
    labels = rng.integers(0, classes, n)
    return (kinds[labels] + 0.7 * rng.normal(size=(n, 1, side, side))).astype(np.float32), labels


def mlp(torch, dropout=0.2):
    nn = torch.nn
    return nn.Sequential(
        nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Dropout(dropout), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 4)
    )


def cnn(torch):
    nn = torch.nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
            self.norm = nn.BatchNorm2d(8)
            self.conv2 = nn.Conv2d(8, 12, 3, stride=2)
            self.drop = nn.Dropout(0.25)
            self.fc = nn.Linear(12, 4)

        def forward(self, x):
            x = torch.nn.functional.max_pool2d(torch.relu(self.norm(self.conv1(x))), 2)
            x = torch.relu(self.conv2(x))
            return self.fc(self.drop(x.mean((2, 3))))

    return Net()


def encoder(torch):
    """Rows of an image as tokens, two encoder layers, the mean of the tokens classified."""
    nn = torch.nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Linear(8, 16)
            self.position = nn.Parameter(torch.randn(8, 16) * 0.1)
            layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, batch_first=True)
            self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.head = nn.Linear(16, 4)

        def forward(self, x):
            return self.head(self.encoder(self.embed(x.squeeze(1)) + self.position).mean(1))

    return Net()


MODELS = {"mlp": mlp, "cnn": cnn, "encoder": encoder}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("seed", [0, 1, 1234])
def test_fresh_weights_are_equal_to_the_bit(name, seed):
    def program(torch):
        torch.manual_seed(seed)
        return MODELS[name](torch).state_dict()

    ours, theirs = both(program)
    assert list(ours) == list(theirs)
    for key in theirs:
        assert array(ours[key]).dtype == array(theirs[key]).dtype
        assert bits(ours[key]) == bits(theirs[key]), key


def test_shuffled_batches_are_equal_to_the_bit():
    x, y = digits()

    def program(torch):
        torch.manual_seed(3)
        data = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
        train, test = torch.utils.data.random_split(data, [120, 40])
        loader = torch.utils.data.DataLoader(train, batch_size=16, shuffle=True)
        return [batch for _ in range(3) for batch in loader] + [list(b) for b in torch.utils.data.DataLoader(test, 16)]

    ours, theirs = both(program)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert [bits(t) for t in a] == [bits(t) for t in b]


def test_dropout_masks_are_equal_to_the_bit():
    def program(torch):
        torch.manual_seed(5)
        layer = torch.nn.Dropout(0.3)
        return [layer(torch.ones(n)) for n in (1, 5, 16, 33, 700)] + [
            torch.nn.functional.dropout(torch.ones(7, 9).t(), 0.5)
        ]

    for a, b in zip(*both(program), strict=True):
        assert bits(a.contiguous()) == bits(b.contiguous())


def train(torch, build, steps, optimizer, scheduler=None, dtype="float64", clip=None):
    """A plain training loop; the losses and the final state."""
    x, y = digits()
    torch.manual_seed(42)
    model = build(torch).to(getattr(torch, dtype))
    data = torch.utils.data.TensorDataset(torch.from_numpy(x).to(getattr(torch, dtype)), torch.from_numpy(y))
    loader = torch.utils.data.DataLoader(data, batch_size=20, shuffle=True)
    criterion = torch.nn.CrossEntropyLoss()
    opt = optimizer(torch, model.parameters())
    schedule = scheduler(torch, opt) if scheduler else None
    losses = []
    model.train()
    while len(losses) < steps:
        for inputs, labels in loader:
            opt.zero_grad()
            loss = criterion(model(inputs), labels)
            loss.backward()
            if clip:
                torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
            opt.step()
            if schedule:
                schedule.step()
            losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        accuracy = (model(data.tensors[0]).argmax(1) == data.tensors[1]).double().mean().item()
    return losses, accuracy, {k: array(v) for k, v in model.state_dict().items()}


RUNS = {
    "mlp, SGD with momentum": (
        mlp,
        lambda torch, p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=1e-3),
        None,
        None,
    ),
    "mlp, Adam, one cycle": (
        mlp,
        lambda torch, p: torch.optim.Adam(p, lr=0.01),
        lambda torch, o: torch.optim.lr_scheduler.OneCycleLR(o, 0.02, total_steps=210),
        None,
    ),
    "cnn, Adam": (cnn, lambda torch, p: torch.optim.Adam(p, lr=0.01), None, None),
    "cnn, AdamW, clipped, cosine": (
        cnn,
        lambda torch, p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.05),
        lambda torch, o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 100),
        1.0,
    ),
    "cnn, RMSprop": (cnn, lambda torch, p: torch.optim.RMSprop(p, lr=1e-3), None, None),
    "encoder, AdamW, clipped, warm-up": (
        encoder,
        lambda torch, p: torch.optim.AdamW(p, lr=3e-3),
        lambda torch, o: torch.optim.lr_scheduler.LinearLR(o, 0.1, total_iters=50),
        1.0,
    ),
}


@pytest.mark.parametrize("name", RUNS)
def test_200_losses(name):
    build, optimizer, scheduler, clip = RUNS[name]
    (ours, accuracy, state), (theirs, expected, other) = both(train, build, 200, optimizer, scheduler, "float64", clip)
    assert len(ours) == len(theirs) >= 200
    assert max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) < 1e-9
    assert theirs[-1] < theirs[0] / 2, "the program must learn something, or equality says little"
    assert accuracy == expected
    for key in other:
        np.testing.assert_allclose(state[key], other[key], rtol=1e-7, atol=1e-9, err_msg=key)


def test_training_in_float32_stays_near():
    """Rounding differs, so only the beginning can be compared."""
    (ours, *_), (theirs, *_) = both(train, cnn, 30, lambda torch, p: torch.optim.SGD(p, lr=0.05), None, "float32")
    np.testing.assert_allclose(ours[:30], theirs[:30], rtol=1e-4)


def autoencoder(torch):
    nn = torch.nn
    torch.manual_seed(1)
    x = torch.from_numpy(digits(96)[0]).double().flatten(1)
    encoder = nn.Sequential(nn.Linear(64, 24), nn.ELU(), nn.Linear(24, 6))
    decoder = nn.Sequential(nn.Linear(6, 24), nn.ELU(), nn.Linear(24, 64))
    model = nn.Sequential(encoder, decoder).double()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    losses = []
    for _ in range(60):
        batch = x[torch.randperm(len(x))[:32]]
        noisy = batch + 0.1 * torch.randn_like(batch)
        loss = nn.functional.mse_loss(model(noisy), batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def variational(torch):
    nn, F = torch.nn, torch.nn.functional
    torch.manual_seed(2)

    class VAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.mu, self.logvar = nn.Linear(64, 32), nn.Linear(32, 4), nn.Linear(32, 4)
            self.fc3, self.fc4 = nn.Linear(4, 32), nn.Linear(32, 64)

        def encode(self, x):
            h = F.relu(self.fc1(x))
            return self.mu(h), self.logvar(h)

        def reparameterize(self, mu, logvar):
            std = torch.exp(0.5 * logvar)
            eps = torch.randn_like(std)
            return mu + eps * std

        def decode(self, z):
            return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

        def forward(self, x):
            mu, logvar = self.encode(x.view(-1, 64))
            return self.decode(self.reparameterize(mu, logvar)), mu, logvar

    x = torch.sigmoid(torch.from_numpy(digits(80)[0]).double())
    model = VAE().double()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        recon, mu, logvar = model(x)
        bce = F.binary_cross_entropy(recon, x.view(-1, 64), reduction="sum")
        kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        loss = (bce + kld) / len(x)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def gpt(torch):
    nn, F = torch.nn, torch.nn.functional
    torch.manual_seed(4)
    text = "to be or not to be that is the question whether tis nobler in the mind to suffer " * 4
    chars = sorted(set(text))
    codes = torch.tensor([chars.index(c) for c in text], dtype=torch.long)
    block, width, heads = 12, 16, 2

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.register_buffer("mask", torch.tril(torch.ones(block, block)).view(1, 1, block, block))
            self.drop = nn.Dropout(0.1)

        def forward(self, x):
            B, T, C = x.size()
            q, k, v = self.qkv(x).split(width, dim=2)
            q, k, v = (t.view(B, T, heads, C // heads).transpose(1, 2) for t in (q, k, v))
            att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
            att = att.masked_fill(self.mask[:, :, :T, :T] == 0, float("-inf"))
            att = self.drop(F.softmax(att, dim=-1))
            return self.proj((att @ v).transpose(1, 2).contiguous().view(B, T, C))

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.attn = Attention()
            self.mlp = nn.Sequential(
                nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width), nn.Dropout(0.1)
            )

        def forward(self, x):
            x = x + self.attn(self.ln1(x))
            return x + self.mlp(self.ln2(x))

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.tok, self.pos = nn.Embedding(len(chars), width), nn.Embedding(block, width)
            self.blocks = nn.ModuleList([Block() for _ in range(2)])
            self.ln, self.head = nn.LayerNorm(width), nn.Linear(width, len(chars), bias=False)
            self.apply(self._init)
            self.head.weight = self.tok.weight

        def _init(self, module):
            if isinstance(module, (nn.Linear, nn.Embedding)):
                torch.nn.init.normal_(module.weight, mean=0.0, std=0.02)
                if isinstance(module, nn.Linear) and module.bias is not None:
                    torch.nn.init.zeros_(module.bias)

        def forward(self, idx, targets=None):
            _, T = idx.shape
            x = self.tok(idx) + self.pos(torch.arange(0, T, dtype=torch.long))
            for b in self.blocks:
                x = b(x)
            logits = self.head(self.ln(x))
            loss = F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1)) if targets is not None else None
            return logits, loss

    model = GPT().double()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.95), weight_decay=0.1)
    losses = []
    for _ in range(60):
        ix = torch.randint(len(codes) - block, (8,))
        x = torch.stack([codes[i : i + block] for i in ix])
        y = torch.stack([codes[i + 1 : i + block + 1] for i in ix])
        _, loss = model(x, y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    # Sampling, as the training programs end.
    model.eval()
    idx = codes[:4].unsqueeze(0)
    with torch.no_grad():
        for _ in range(10):
            logits, _ = model(idx[:, -block:])
            probs = F.softmax(logits[:, -1, :], dim=-1)
            idx = torch.cat((idx, torch.multinomial(probs, num_samples=1)), dim=1)
    return losses, idx[0].tolist()


@pytest.mark.parametrize("program", [autoencoder, variational], ids=lambda p: p.__name__)
def test_program(program):
    ours, theirs = both(program)
    assert max(abs(a - b) / abs(b) for a, b in zip(ours, theirs, strict=True)) < 1e-9
    assert theirs[-1] < theirs[0]


def test_gpt():
    (ours, said), (theirs, expected) = both(gpt)
    assert max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) < 1e-9
    assert theirs[-1] < theirs[0] - 0.5
    assert said == expected, "sampling draws from the same stream"


def test_regression_by_hand():
    """Without modules and optimizers: leaves, no_grad and in-place updates."""

    def program(torch):
        torch.manual_seed(7)
        x = torch.linspace(-math.pi, math.pi, 200, dtype=torch.float64)
        y = torch.sin(x)
        a, b, c, d = (torch.randn((), dtype=torch.float64, requires_grad=True) for _ in range(4))
        losses = []
        for _ in range(200):
            loss = (a + b * x + c * x**2 + d * x**3 - y).pow(2).sum()
            losses.append(loss.item())
            loss.backward()
            with torch.no_grad():
                for p in (a, b, c, d):
                    p -= 1e-6 * p.grad
                    p.grad = None
        return losses

    ours, theirs = both(program)
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)


def test_state_dict_is_carried_over_in_the_middle():
    """Trained in one engine, continued in the other, either way: the losses are those of one engine alone."""

    def first_half(torch):
        torch.manual_seed(0)
        model = cnn(torch).double()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        steps(torch, model, optimizer, 0, 10)
        return model, optimizer

    def steps(torch, model, optimizer, start, end):
        x, y = digits()
        losses = []
        for i in range(start, end):
            rows = slice(16 * (i % 10), 16 * (i % 10 + 1))
            torch.manual_seed(i)  # of the dropout
            loss = torch.nn.functional.cross_entropy(
                model(torch.from_numpy(x[rows]).double()), torch.from_numpy(y[rows])
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    def carry(value, to):
        if isinstance(value, dict):
            return {k: carry(v, to) for k, v in value.items()}
        if isinstance(value, list):
            return [carry(v, to) for v in value]
        return to.from_numpy(array(value).copy()) if hasattr(value, "detach") else value

    expected = None
    for source, target in ((torch, torch), (minigrad, torch), (torch, minigrad), (minigrad, minigrad)):
        model, optimizer = first_half(source)
        new = cnn(target).double()
        told = new.load_state_dict(carry(dict(model.state_dict()), target))
        assert not told.missing_keys
        assert not told.unexpected_keys
        new_optimizer = target.optim.Adam(new.parameters(), lr=0.5)
        new_optimizer.load_state_dict(carry(optimizer.state_dict(), target))
        losses = steps(target, new, new_optimizer, 10, 20)
        if expected is None:
            expected = losses
        np.testing.assert_allclose(losses, expected, rtol=1e-9, err_msg=f"{source.__name__} -> {target.__name__}")


OPTIMIZERS = {
    "SGD": {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}, "Adam": {"amsgrad": True}, "AdamW": {}, "Adamax": {},
    "NAdam": {}, "RAdam": {}, "RMSprop": {"centered": True, "momentum": 0.5}, "Adagrad": {"lr_decay": 0.01},
    "Adadelta": {}, "Rprop": {}, "ASGD": {},
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_200_steps_with_groups_and_changing_rates(name):
    """Two parameter groups with settings of their own, learning rates that a schedule and the program change, clipping."""

    def program(torch):
        torch.manual_seed(3)
        nn = torch.nn
        model = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3)).double()
        groups = [{"params": model[0].parameters(), "lr": 2e-3}, {"params": model[2].parameters()}]
        optimizer = getattr(torch.optim, name)(groups, lr=5e-3, **OPTIMIZERS[name])
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 40, 0.7)
        x = torch.randn(64, 5, dtype=torch.float64)
        y = torch.randint(0, 3, (64,))
        losses = []
        for step in range(200):
            rows = slice(8 * (step % 8), 8 * (step % 8) + 8)
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            nn.utils.clip_grad_value_(model.parameters(), 0.5)
            optimizer.step()
            schedule.step()
            if step == 100:
                optimizer.param_groups[1]["lr"] *= 0.5
            losses.append(loss.item())
        return losses, [array(p) for p in model.parameters()]

    (ours, weights), (theirs, expected) = both(program)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    for a, b in zip(weights, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("training", [True, False])
def test_hooks_frozen_parameters_and_shared_weights(training):
    def program(torch):
        torch.manual_seed(0)
        nn = torch.nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.embed = nn.Embedding(11, 6)
                self.body = nn.Sequential(nn.Linear(6, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.3))
                self.head = nn.Linear(6, 11, bias=False)
                self.head.weight = self.embed.weight  # one tensor in two places

            def forward(self, words):
                return self.head(self.body(self.embed(words).mean(1)))

        model = Net().double().train(training)
        model.body[0].requires_grad_(False)
        seen = []
        model.body.register_forward_pre_hook(lambda module, args: (args[0] * 1.5,))
        model.body[1].register_forward_hook(lambda module, args, out: seen.append(array(out).copy()))
        model.head.register_full_backward_hook(lambda module, gi, go: seen.append(array(go[0]).copy()))
        model.embed.weight.register_hook(lambda g: g.clamp(-0.01, 0.01))
        trained = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.Adam(trained, lr=0.01)
        words, y = torch.randint(0, 11, (20, 4)), torch.randint(0, 11, (20,))
        for _ in range(25):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(words), y).backward()
            optimizer.step()
        state = {k: array(v) for k, v in model.state_dict().items()}
        return len(trained), len(list(model.parameters())), seen, state, model.body[0].weight.grad is None

    ours, theirs = both(program)
    assert ours[:2] == theirs[:2] == (3, 5)
    assert ours[4] is theirs[4] is True
    assert len(ours[2]) == len(theirs[2]) == 50
    for a, b in zip(ours[2], theirs[2], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-11)
    for key in theirs[3]:
        np.testing.assert_allclose(ours[3][key], theirs[3][key], rtol=1e-8, atol=1e-11, err_msg=key)
