"""Times PyTorch's training steps of the digits models: what train_bench.cc is measured against."""

import argparse
import json
import time

import torch
from torch import nn
from torch.nn import functional


def median_ms(step, seconds):
    for _ in range(3):
        step()
    times = []
    while sum(times) < seconds:
        begun = time.perf_counter()
        step()
        times.append(time.perf_counter() - begun)
    return sorted(times)[len(times) // 2] * 1000


def vae_step(batch):
    encoder = nn.Sequential(nn.Linear(784, 256), nn.LeakyReLU(0.01), nn.Linear(256, 40))
    decoder = nn.Sequential(nn.Linear(20, 256), nn.LeakyReLU(0.01), nn.Linear(256, 784))
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 1e-3)
    images = torch.rand(batch, 784)

    def step():
        mean, log_variance = encoder(images).split(20, dim=1)
        latent = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        loss = functional.binary_cross_entropy_with_logits(decoder(latent), images, reduction="sum")
        loss = loss + 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum()
        optimizer.zero_grad()
        (loss / batch).backward()
        optimizer.step()
        return loss.item()

    return step


def gan_step(batch, normalized):
    def norm(channels):
        return [nn.BatchNorm2d(channels)] if normalized else []

    bias = not normalized
    generator = nn.Sequential(
        nn.ConvTranspose2d(64, 160, 4, bias=bias), *norm(160), nn.ReLU(),
        nn.ConvTranspose2d(160, 80, 3, stride=2, padding=1, bias=bias), *norm(80), nn.ReLU(),
        nn.ConvTranspose2d(80, 40, 4, stride=2, padding=1, bias=bias), *norm(40), nn.ReLU(),
        nn.ConvTranspose2d(40, 1, 4, stride=2, padding=1), nn.Tanh())
    discriminator = nn.Sequential(
        nn.Conv2d(1, 32, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
        nn.Conv2d(32, 64, 4, stride=2, padding=1, bias=bias), *norm(64), nn.LeakyReLU(0.2),
        nn.Conv2d(64, 128, 3, stride=2, padding=1, bias=bias), *norm(128), nn.LeakyReLU(0.2),
        nn.Conv2d(128, 1, 4), nn.Flatten())
    optimizers = [torch.optim.Adam(part.parameters(), 2e-4, betas=(0.5, 0.999)) for part in (generator, discriminator)]
    images = torch.rand(batch, 1, 28, 28) * 2 - 1

    def loss_against(logits, label):
        return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))

    def step():
        generated = generator(torch.randn(batch, 64, 1, 1))
        loss = loss_against(discriminator(images), 1.0) + loss_against(discriminator(generated.detach()), 0.0)
        optimizers[1].zero_grad()
        loss.backward()
        optimizers[1].step()
        discriminator.requires_grad_(False)
        loss = loss_against(discriminator(generated), 1.0)
        optimizers[0].zero_grad()
        loss.backward()
        optimizers[0].step()
        discriminator.requires_grad_(True)
        return loss.item()

    return step


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    steps = {"digits VAE, batch 64": vae_step(64), "digits VAE, batch 16": vae_step(16),
             "digits GAN, batch 64": gan_step(64, False),
             "digits GAN, batch 64, batch normalization": gan_step(64, True)}
    print(json.dumps({name: round(median_ms(step, options.seconds), 3) for name, step in steps.items()}, indent=2))


if __name__ == "__main__":
    main()
