"""Trains the digits GAN on MNIST and writes its ONNX files, goldens, losses and pictures: see card.md."""

import copy
import pathlib
import sys
import time

import torch
from torch import nn
from torch.nn import functional

OWN_FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(OWN_FOLDER.parent))
import training  # noqa: E402  (the folder above holds it)

SEED = 28
EPOCHS = 12
BATCH = 64
LEARNING_RATE = 2e-4
LATENT = 64
# The share of the old average that one step keeps: an average over about the last thousand steps.
AVERAGE_DECAY = 0.999
# Real pictures are called 0.9 real: a discriminator that is never certain keeps its slope (Salimans et al., 2016).
REAL_LABEL = 0.9


def generator_layers():
    """Latents [batch, 64, 1, 1] -> pictures [batch, 1, 28, 28] in [-1, 1]."""
    return nn.Sequential(
        nn.ConvTranspose2d(LATENT, 160, 4, bias=False), nn.BatchNorm2d(160), nn.ReLU(),
        nn.ConvTranspose2d(160, 80, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(80), nn.ReLU(),
        nn.ConvTranspose2d(80, 40, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(40), nn.ReLU(),
        nn.ConvTranspose2d(40, 1, 4, stride=2, padding=1), nn.Tanh())


def discriminator_layers():
    """Pictures [batch, 1, 28, 28] in [-1, 1] -> logits [batch, 1], positive for real."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
        nn.Conv2d(32, 64, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(64), nn.LeakyReLU(0.2),
        nn.Conv2d(64, 128, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(128), nn.LeakyReLU(0.2),
        nn.Conv2d(128, 1, 4), nn.Flatten())


def start_weights(module):
    """The DCGAN paper's start: kernels from N(0, 0.02), scales from N(1, 0.02), shifts 0."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def average_into(average, module, decay):
    """Moves `average` towards `module`: its weights and its batch normalization's running figures."""
    with torch.no_grad():
        for old, new in zip(average.state_dict().values(), module.state_dict().values()):
            if old.is_floating_point():
                old.lerp_(new, 1 - decay)


def loss_against(logits, label):
    """Mean binary cross-entropy of logits [batch, 1] against one label for all."""
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def main():
    options = training.arguments("Trains the digits GAN.", OWN_FOLDER, EPOCHS)
    training.fix_seeds(SEED)
    images = training.read_images(options.data, "train-images-idx3-ubyte").reshape(-1, 1, 28, 28) * 2 - 1
    generator, discriminator = generator_layers(), discriminator_layers()
    generator.apply(start_weights)
    discriminator.apply(start_weights)
    average = copy.deepcopy(generator).eval()
    optimizers = [torch.optim.Adam(part.parameters(), LEARNING_RATE, betas=(0.5, 0.999))
                  for part in (generator, discriminator)]
    generator_optimizer, discriminator_optimizer = optimizers
    # The second half runs at a falling rate: the two stop chasing each other and strokes become clean.
    schedules = [torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda epoch: min(1.0, max(0.05, 2 * (options.epochs - epoch) / options.epochs)))
        for optimizer in optimizers]
    shown_latents = torch.randn(64, LATENT, 1, 1)
    losses, steps = [], 0
    for epoch in range(1, options.epochs + 1):
        start = time.monotonic()
        sums, count = dict.fromkeys(["discriminator_real", "discriminator_generated", "generator"], 0.0), 0
        for real in training.shuffled_batches(images, BATCH):
            generated = generator(torch.randn(len(real), LATENT, 1, 1))
            real_loss = loss_against(discriminator(real), REAL_LABEL)
            generated_loss = loss_against(discriminator(generated.detach()), 0.0)
            discriminator_optimizer.zero_grad()
            (real_loss + generated_loss).backward()
            discriminator_optimizer.step()

            # The discriminator's weights need no gradient here; its input does.
            discriminator.requires_grad_(False)
            generator_loss = loss_against(discriminator(generated), 1.0)
            generator_optimizer.zero_grad()
            generator_loss.backward()
            generator_optimizer.step()
            discriminator.requires_grad_(True)

            steps += 1
            # A young average forgets faster, or it would carry the first weights for long.
            average_into(average, generator, min(AVERAGE_DECAY, steps / (steps + 10)))
            for key, value in zip(sums, (real_loss, generated_loss, generator_loss)):
                sums[key] += value.item()
            count += 1
        for schedule in schedules:
            schedule.step()
        losses.append({"epoch": epoch, **{key: value / count for key, value in sums.items()}})
        print(f"epoch {epoch}: " + ", ".join(f"{key} {value / count:.3f}" for key, value in sums.items())
              + f", {time.monotonic() - start:.0f} s", flush=True)
        with torch.no_grad():
            training.draw_grid(average(shown_latents) / 2 + 0.5, options.output / "samples.png")

    training.write_losses(losses, options.output / "loss.csv")
    training.draw_losses(losses, list(sums), "Digits GAN: binary cross-entropy", options.output / "loss.png")
    latents = torch.randn(4, LATENT, 1, 1)
    with torch.no_grad():
        judged = torch.cat([images[:2], average(latents[:2])])
    training.export("generator", average, {"latent": latents}, ["image"], options.output)
    training.export("discriminator", discriminator, {"image": judged}, ["logits"], options.output)


if __name__ == "__main__":
    main()
