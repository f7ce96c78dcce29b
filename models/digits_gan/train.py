"""Trains the digits GAN on MNIST by `figment train` and writes its ONNX files, goldens, losses and pictures: see
card.md."""

import pathlib
import sys
import tempfile

import torch
from torch import nn

OWN_FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(OWN_FOLDER.parent))
import learning  # noqa: E402  (the folder above holds both)
import training  # noqa: E402

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


def main():
    options = training.arguments("Trains the digits GAN.", OWN_FOLDER, EPOCHS)
    training.fix_seeds(SEED)
    images = training.read_images(options.data, "train-images-idx3-ubyte").reshape(-1, 1, 28, 28) * 2 - 1
    generator, discriminator = generator_layers(), discriminator_layers()
    generator.apply(start_weights)
    discriminator.apply(start_weights)
    shown_latents, latents = torch.randn(64, LATENT, 1, 1), torch.randn(4, LATENT, 1, 1)
    with tempfile.TemporaryDirectory() as folder:
        parts = [learning.Part("generator", generator, {"latent": latents}, ["image"], pathlib.Path(folder)),
                 learning.Part("discriminator", discriminator, {"image": images[:4]}, ["logits"], pathlib.Path(folder))]
        # Over the second half the rate falls: the two stop chasing each other and strokes become clean.
        epochs = learning.train(
            parts, options.data / "train-images-idx3-ubyte", "--discriminator", parts[1].file("fgm"), "--task", "gan",
            "--adversarial", "non-saturating", "--real-label", REAL_LABEL, "--range=-1..1", "--epochs", options.epochs,
            "--batch", BATCH, "--learning-rate", LEARNING_RATE, "--beta1", 0.5, "--beta2", 0.999, "--schedule",
            "falling", "--average", AVERAGE_DECAY, "--seed", SEED)

    losses = [{"epoch": epoch, "discriminator": figures["losses"]["discriminator_loss"],
               "generator": figures["losses"]["loss"], "logit_of_real": figures["losses"]["real"],
               "logit_of_generated": figures["losses"]["fake"]} for epoch, figures in enumerate(epochs, 1)]
    training.write_losses(losses, options.output / "loss.csv")
    training.draw_losses(losses, ["discriminator", "generator"], "Digits GAN: binary cross-entropy",
                         options.output / "loss.png")
    with torch.no_grad():
        training.draw_grid(generator(shown_latents) / 2 + 0.5, options.output / "samples.png")
        judged = torch.cat([images[:2], generator(latents[:2])])
    training.export("generator", generator, {"latent": latents}, ["image"], options.output)
    training.export("discriminator", discriminator, {"image": judged}, ["logits"], options.output)


if __name__ == "__main__":
    main()
