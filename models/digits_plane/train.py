"""Trains the digits plane, a VAE of MNIST with two latent numbers, by `figment train` and writes its decoder as ONNX,
goldens, losses and pictures: see card.md."""

import pathlib
import sys
import tempfile

import torch
from torch import nn

OWN_FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(OWN_FOLDER.parent))
import learning  # noqa: E402  (the folder above holds both)
import training  # noqa: E402

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


def draw_plane(decoder, path):
    """The whole plane as one picture: first number to the right, second upwards."""
    steps = torch.linspace(-EDGE, EDGE, PLANE_SIDE)
    latents = torch.stack([torch.stack([x, y]) for y in steps.flip(0) for x in steps])
    with torch.no_grad():
        training.draw_grid(decoder(latents), path, columns=PLANE_SIDE, scale=1, gap=0)


def main():
    options = training.arguments("Trains the digits plane.", OWN_FOLDER, EPOCHS)
    training.fix_seeds(SEED)
    training.read_images(options.data, "train-images-idx3-ubyte")  # to be sure of what Figment will read
    test_images = training.read_images(options.data, "t10k-images-idx3-ubyte")
    encoder, decoder = Encoder(), Decoder()
    shown_latents = torch.randn(64, LATENT)
    ports = {"latent": torch.randn(4, LATENT)}, ["image"]
    with tempfile.TemporaryDirectory() as folder:
        # Along a cosine, so that the weights settle.
        losses = learning.train_vae(
            learning.Part("decoder", decoder, *ports, pathlib.Path(folder)),
            learning.Part("encoder", encoder, {"image": test_images[:4]}, ["mean", "log_variance"],
                          pathlib.Path(folder)), options.data, options.epochs,
            "--batch", BATCH, "--learning-rate", LEARNING_RATE, "--schedule", "cosine", "--seed", SEED)

    draw_plane(decoder, options.output / "plane.png")
    training.write_losses(losses, options.output / "loss.csv")
    training.draw_losses(losses, ["train_negative_elbo", "test_negative_elbo"],
                         "Digits plane: negative ELBO, nats per picture", options.output / "loss.png")
    with torch.no_grad():
        training.draw_grid(decoder(shown_latents), options.output / "samples.png")
    training.export("decoder", decoder, *ports, options.output)


if __name__ == "__main__":
    main()
