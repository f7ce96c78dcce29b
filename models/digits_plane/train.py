"""Trains the digits plane, a VAE of MNIST with two latent numbers, and writes its decoder as ONNX, goldens, losses and
pictures: see card.md."""

import pathlib
import sys
import time

import torch
from torch import nn
from torch.nn import functional

OWN_FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(OWN_FOLDER.parent))
import training  # noqa: E402  (the folder above holds it)

SEED = 2
EPOCHS = 60
BATCH = 128
LEARNING_RATE = 1e-3
PIXELS, LATENT = 28 * 28, 2
ENCODER_HIDDEN, DECODER_HIDDEN = (512, 256), (128, 256)
# The plane is drawn from -EDGE to EDGE on both axes: all but 2.5 % of the prior.
EDGE, PLANE_SIDE = 2.5, 20


def dense(*sizes):
    """Dense layers of these sizes with ELU between; ELU is smooth, so the plane shows no creases."""
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ELU()]
    return nn.Sequential(*layers[:-1])


class Encoder(nn.Module):
    """Pictures [batch, 784] in [0, 1] -> mean and log variance of the latent's normal, [batch, 2] each."""

    def __init__(self):
        super().__init__()
        self.layers = dense(PIXELS, *ENCODER_HIDDEN, 2 * LATENT)

    def forward(self, image):
        mean, log_variance = self.layers(image).split(LATENT, dim=1)
        return mean, log_variance


class Decoder(nn.Module):
    """Latents [batch, 2] -> pictures [batch, 784] in [0, 1], each pixel the mean of a Bernoulli variable."""

    def __init__(self):
        super().__init__()
        self.layers = dense(LATENT, *DECODER_HIDDEN, PIXELS)

    def forward(self, latent):
        return torch.sigmoid(self.layers(latent))


def negative_elbo(encoder, decoder, images):
    """The two terms of the negative evidence lower bound, in nats, summed over the batch: binary cross-entropy at one
    latent drawn by the reparameterization, and KL(q || N(0, 1)) in closed form."""
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


def draw_plane(decoder, path):
    """The whole plane as one picture: first number to the right, second upwards."""
    steps = torch.linspace(-EDGE, EDGE, PLANE_SIDE)
    latents = torch.stack([torch.stack([x, y]) for y in steps.flip(0) for x in steps])
    with torch.no_grad():
        training.draw_grid(decoder(latents), path, columns=PLANE_SIDE, scale=1, gap=0)


def main():
    options = training.arguments("Trains the digits plane.", OWN_FOLDER, EPOCHS)
    training.fix_seeds(SEED)
    train_images = training.read_images(options.data, "train-images-idx3-ubyte")
    test_images = training.read_images(options.data, "t10k-images-idx3-ubyte")
    encoder, decoder = Encoder(), Decoder()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], LEARNING_RATE)
    # Along a cosine down to a fiftieth, so that the weights settle.
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.epochs, LEARNING_RATE / 50)
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
        draw_plane(decoder, options.output / "plane.png")

    training.write_losses(losses, options.output / "loss.csv")
    training.draw_losses(losses, ["train_negative_elbo", "test_negative_elbo"],
                         "Digits plane: negative ELBO, nats per picture", options.output / "loss.png")
    with torch.no_grad():
        training.draw_grid(decoder(torch.randn(64, LATENT)), options.output / "samples.png")
    training.export("decoder", decoder, {"latent": torch.randn(4, LATENT)}, ["image"], options.output)


if __name__ == "__main__":
    main()
