"""Vector-quantised autoencoder. Source: van den Oord et al. 2017, "Neural discrete representation learning"."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class VectorQuantizer(nn.Module):
    def __init__(self, n_e, e_dim, beta):
        super().__init__()
        self.n_e, self.e_dim, self.beta = n_e, e_dim, beta
        self.embedding = nn.Embedding(self.n_e, self.e_dim)
        self.embedding.weight.data.uniform_(-1.0 / self.n_e, 1.0 / self.n_e)

    def forward(self, z):
        z = z.permute(0, 2, 3, 1).contiguous()
        z_flattened = z.view(-1, self.e_dim)
        d = (
            torch.sum(z_flattened**2, dim=1, keepdim=True)
            + torch.sum(self.embedding.weight**2, dim=1)
            - 2 * torch.matmul(z_flattened, self.embedding.weight.t())
        )
        min_encoding_indices = torch.argmin(d, dim=1).unsqueeze(1)
        min_encodings = torch.zeros(min_encoding_indices.shape[0], self.n_e)
        min_encodings.scatter_(1, min_encoding_indices, 1)
        z_q = torch.matmul(min_encodings, self.embedding.weight).view(z.shape)
        loss = torch.mean((z_q.detach() - z) ** 2) + self.beta * torch.mean((z_q - z.detach()) ** 2)
        z_q = z + (z_q - z).detach()
        e_mean = torch.mean(min_encodings, dim=0)
        perplexity = torch.exp(-torch.sum(e_mean * torch.log(e_mean + 1e-10)))
        return loss, z_q.permute(0, 3, 1, 2).contiguous(), perplexity


torch.manual_seed(4)
encoder = nn.Sequential(nn.Conv2d(1, 8, 4, 2, 1), nn.ReLU(), nn.Conv2d(8, 4, 1))
quantizer = VectorQuantizer(8, 4, 0.25)
decoder = nn.Sequential(nn.ConvTranspose2d(4, 8, 4, 2, 1), nn.ReLU(), nn.Conv2d(8, 1, 3, padding=1))
parameters = list(encoder.parameters()) + list(quantizer.parameters()) + list(decoder.parameters())
optimizer = torch.optim.Adam(parameters, lr=1e-3, amsgrad=True)
x = torch.randn(6, 1, 8, 8).cumsum(-1)
x_train_var = torch.var(x / 4.0)
history = []
for i in range(5):
    optimizer.zero_grad()
    embedding_loss, z_q, perplexity = quantizer(encoder(x))
    recon_loss = torch.mean((decoder(z_q) - x) ** 2) / x_train_var
    loss = recon_loss + embedding_loss
    loss.backward()
    optimizer.step()
    history.append([recon_loss.item(), loss.item(), perplexity.item()])
results = {"history": history, "codes": F.normalize(quantizer.embedding.weight)}
