"""Trains the digits VAE on MNIST and writes its ONNX files, goldens, losses and pictures: see card.md."""

import pathlib
import sys
import time

import torch
from torch import nn
from torch.nn import functional

OWN_FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(OWN_FOLDER.parent))
import training  # noqa: E402  (the folder above holds it)

SEED = 20
EPOCHS = 100
BATCH = 128
LEARNING_RATE = 1e-3
PIXELS, HIDDEN, LATENT = 28 * 28, 256, 20


class Encoder(nn.Module):
    """Pictures [batch, 784] in [0, 1] -> mean and log variance of the latent's normal, [batch, 20] each."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(PIXELS, HIDDEN), nn.LeakyReLU(0.01), nn.Linear(HIDDEN, 2 * LATENT))

    def forward(self, image):
        mean, log_variance = self.layers(image).split(LATENT, dim=1)
        return mean, log_variance


class Decoder(nn.Module):
    """Latents [batch, 20] -> pictures [batch, 784] in [0, 1], each pixel the mean of a Bernoulli variable."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(LATENT, HIDDEN), nn.LeakyReLU(0.01), nn.Linear(HIDDEN, PIXELS))

    def forward(self, latent):
        return torch.sigmoid(self.layers(latent))


def negative_elbo(encoder, decoder, images):
    """The two terms of the negative evidence lower bound, in nats, summed over the batch.

    Reconstruction: binary cross-entropy at one latent drawn by the reparameterization, taken from the logits
    because log(sigmoid) loses all digits at both ends. Divergence: KL(q || N(0, 1)) in closed form,
    1/2 sum(mu^2 + sigma^2 - 1 - log sigma^2).
    """
    mean, log_variance = encoder(images)
    latent = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
    reconstruction = functional.binary_cross_entropy_with_logits(decoder.layers(latent), images, reduction="sum")
    divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum()
    return reconstruction, divergence


def mean_terms(encoder, decoder, images):
    """Mean reconstruction and divergence per picture over a whole set, in nats."""
    with torch.no_grad():
        terms = [negative_elbo(encoder, decoder, batch) for batch in images.split(1000)]
    return [sum(term.item() for term in column) / len(images) for column in zip(*terms)]


def main():
    options = training.arguments("Trains the digits VAE.", OWN_FOLDER, EPOCHS)
    training.fix_seeds(SEED)
    train_images = training.read_images(options.data, "train-images-idx3-ubyte")
    test_images = training.read_images(options.data, "t10k-images-idx3-ubyte")
    encoder, decoder = Encoder(), Decoder()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], LEARNING_RATE)
    # The last quarter runs at a falling rate, so that the weights settle instead of jumping about the minimum.
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda epoch: min(1.0, max(0.02, (options.epochs - epoch) / (0.25 * options.epochs))))
    shown_latents = torch.randn(64, LATENT)
    losses = []
    for epoch in range(1, options.epochs + 1):
        start = time.monotonic()
        sums, count = [0.0, 0.0], 0
        for batch in training.shuffled_batches(train_images, BATCH):
            reconstruction, divergence = negative_elbo(encoder, decoder, batch)
            optimizer.zero_grad()
            ((reconstruction + divergence) / len(batch)).backward()
            optimizer.step()
            sums[0] += reconstruction.item()
            sums[1] += divergence.item()
            count += len(batch)
        schedule.step()
        test_reconstruction, test_divergence = mean_terms(encoder, decoder, test_images)
        losses.append(training.elbo_row(epoch, sums, count, (test_reconstruction, test_divergence)))
        print(f"epoch {epoch}: train {sum(sums) / count:.2f}, test {losses[-1]['test_negative_elbo']:.2f} nats "
              f"({test_reconstruction:.2f} + {test_divergence:.2f}), {time.monotonic() - start:.0f} s", flush=True)
        with torch.no_grad():
            training.draw_grid(decoder(shown_latents), options.output / "samples.png")

    training.write_losses(losses, options.output / "loss.csv")
    training.draw_losses(losses, ["train_negative_elbo", "test_negative_elbo"],
                         "Digits VAE: negative ELBO, nats per picture", options.output / "loss.png")
    seen = test_images[:32].reshape(4, 8, PIXELS)
    with torch.no_grad():
        rebuilt = decoder(encoder(test_images[:32])[0]).reshape(4, 8, PIXELS)
    training.draw_grid(torch.stack([seen, rebuilt], dim=1), options.output / "reconstructions.png")
    training.export("encoder", encoder, {"image": test_images[:4]}, ["mean", "log_variance"], options.output)
    training.export("decoder", decoder, {"latent": torch.randn(4, LATENT)}, ["image"], options.output)


if __name__ == "__main__":
    main()
