"""Names by a small network, batch normalisation by hand. Source: Bengio et al. 2003, "A neural probabilistic language model"."""

import torch
import torch.nn.functional as F

words = ["emma", "olivia", "ava", "isabella", "sophia", "mia", "amelia", "harper", "evelyn", "luna"]
chars = sorted(set("".join(words)))
stoi = {s: i + 1 for i, s in enumerate(chars)}
stoi["."] = 0
block_size, vocab_size = 3, len(stoi)
X, Y = [], []
for w in words:
    context = [0] * block_size
    for ch in w + ".":
        X.append(context)
        Y.append(stoi[ch])
        context = context[1:] + [stoi[ch]]
X, Y = torch.tensor(X), torch.tensor(Y)
g = torch.Generator().manual_seed(2147483647)
C = torch.randn((vocab_size, 4), generator=g)
W1 = torch.randn((12, 20), generator=g) * (5 / 3) / (12**0.5)
b1 = torch.randn(20, generator=g) * 0.1
W2 = torch.randn((20, vocab_size), generator=g) * 0.1
b2 = torch.randn(vocab_size, generator=g) * 0.1
bngain = torch.randn((1, 20), generator=g) * 0.1 + 1.0
bnbias = torch.randn((1, 20), generator=g) * 0.1
bnmean_running, bnstd_running = torch.zeros((1, 20)), torch.ones((1, 20))
parameters = [C, W1, b1, W2, b2, bngain, bnbias]
for p in parameters:
    p.requires_grad = True
lossi = []
for i in range(6):
    ix = torch.randint(0, X.shape[0], (16,), generator=g)
    Xb, Yb = X[ix], Y[ix]
    emb = C[Xb]
    embcat = emb.view(emb.shape[0], -1)
    hprebn = embcat @ W1 + b1
    bnmeani = 1 / 16 * hprebn.sum(0, keepdim=True)
    bndiff = hprebn - bnmeani
    bnvar = 1 / 15 * (bndiff**2).sum(0, keepdim=True)
    bnvar_inv = (bnvar + 1e-5) ** -0.5
    hpreact = bngain * bndiff * bnvar_inv + bnbias
    with torch.no_grad():
        bnmean_running = 0.999 * bnmean_running + 0.001 * bnmeani
        bnstd_running = 0.999 * bnstd_running + 0.001 * hprebn.std(0, keepdim=True)
    h = torch.tanh(hpreact)
    logits = h @ W2 + b2
    logit_maxes = logits.max(1, keepdim=True).values
    norm_logits = logits - logit_maxes
    counts = norm_logits.exp()
    counts_sum = counts.sum(1, keepdims=True)
    probs = counts * counts_sum**-1
    logprobs = probs.log()
    loss = -logprobs[range(16), Yb].mean()
    for t in [logprobs, probs, counts, logits, h, hpreact, emb]:
        t.retain_grad()
    for p in parameters:
        p.grad = None
    loss.backward()
    dlogits = F.softmax(logits, 1)
    dlogits[range(16), Yb] -= 1
    dlogits /= 16
    dC = torch.zeros_like(C)
    for k in range(Xb.shape[0]):
        for j in range(Xb.shape[1]):
            dC[Xb[k, j]] += emb.grad[k, j]
    assert torch.allclose(dlogits, logits.grad, atol=1e-6)
    assert torch.allclose(dC, C.grad, atol=1e-6)
    for p in parameters:
        p.data += -0.1 * p.grad
    lossi.append(loss.log10().item())
out, context = [], [0] * block_size
with torch.no_grad():
    for _ in range(8):
        x = C[torch.tensor([context])].view(1, -1) @ W1 + b1
        x = torch.tanh(bngain * (x - bnmean_running) / bnstd_running + bnbias) @ W2 + b2
        ix = torch.multinomial(F.softmax(x, dim=1), num_samples=1, generator=g).item()
        context = context[1:] + [ix]
        out.append(ix)
bigram = torch.zeros((vocab_size, vocab_size), dtype=torch.int32)
for w in words:
    for ch1, ch2 in zip("." + w, w + "."):
        bigram[stoi[ch1], stoi[ch2]] += 1
P = (bigram + 1).to(C.dtype)
P /= P.sum(1, keepdims=True)
results = {
    "loss": lossi,
    "letters": out,
    "running": bnstd_running,
    "bigram": P,
    "update": [(0.1 * p.grad).std() / p.data.std() for p in parameters],
}
