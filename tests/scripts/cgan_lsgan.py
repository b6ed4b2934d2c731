"""A conditional GAN with least squares. Sources: Mirza & Osindero 2014; Mao et al. 2017, "Least squares GANs"."""

import torch
from torch import nn


class Generator(nn.Module):
    def __init__(self, latent=6, classes=3, side=6):
        super().__init__()
        self.label_emb = nn.Embedding(classes, classes)
        self.side = side

        def block(in_feat, out_feat, normalize=True):
            layers = [nn.Linear(in_feat, out_feat)]
            if normalize:
                layers.append(nn.BatchNorm1d(out_feat, 0.8))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            return layers

        self.model = nn.Sequential(
            *block(latent + classes, 12, normalize=False), *block(12, 24), nn.Linear(24, side**2), nn.Tanh()
        )

    def forward(self, noise, labels):
        return self.model(torch.cat((self.label_emb(labels), noise), -1)).view(noise.size(0), 1, self.side, self.side)


class Discriminator(nn.Module):
    def __init__(self, classes=3, side=6):
        super().__init__()
        self.label_embedding = nn.Embedding(classes, classes)
        self.model = nn.Sequential(
            nn.Linear(classes + side**2, 16), nn.LeakyReLU(0.2, inplace=True), nn.Dropout(0.4), nn.Linear(16, 1)
        )

    def forward(self, img, labels):
        return self.model(torch.cat((img.view(img.size(0), -1), self.label_embedding(labels)), -1))


torch.manual_seed(5)
generator, discriminator = Generator(), Discriminator()
adversarial_loss = torch.nn.MSELoss()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=2e-3, betas=(0.5, 0.999))
history = []
for _ in range(4):
    labels = torch.randint(0, 3, (8,))
    imgs = (labels.view(-1, 1, 1, 1) / 2 - 0.5).expand(8, 1, 6, 6) + 0.1 * torch.randn(8, 1, 6, 6)
    valid, fake = torch.ones(8, 1, requires_grad=False), torch.zeros(8, 1, requires_grad=False)
    optimizer_G.zero_grad()
    z, gen_labels = torch.randn(8, 6), torch.randint(0, 3, (8,))
    gen_imgs = generator(z, gen_labels)
    g_loss = adversarial_loss(discriminator(gen_imgs, gen_labels), valid)
    g_loss.backward()
    optimizer_G.step()
    optimizer_D.zero_grad()
    d_loss = (
        adversarial_loss(discriminator(imgs, labels), valid)
        + adversarial_loss(discriminator(gen_imgs.detach(), gen_labels), fake)
    ) / 2
    d_loss.backward()
    optimizer_D.step()
    history += [g_loss.item(), d_loss.item()]
results = {"history": history, "image": gen_imgs[0]}
