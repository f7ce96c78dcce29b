"""Trains the digits VAE on MNIST by `figment train` and writes its ONNX files, goldens, losses and pictures: see
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


def main():
    options = training.arguments("Trains the digits VAE.", OWN_FOLDER, EPOCHS)
    training.fix_seeds(SEED)
    training.read_images(options.data, "train-images-idx3-ubyte")  # to be sure of what Figment will read
    test_images = training.read_images(options.data, "t10k-images-idx3-ubyte")
    encoder, decoder = Encoder(), Decoder()
    shown_latents, latents = torch.randn(64, LATENT), torch.randn(4, LATENT)
    encoder_ports = {"image": test_images[:4]}, ["mean", "log_variance"]
    decoder_ports = {"latent": latents}, ["image"]
    with tempfile.TemporaryDirectory() as folder:
        # Over the second half the rate falls, so that the weights settle instead of jumping about the minimum.
        losses = learning.train_vae(
            learning.Part("decoder", decoder, *decoder_ports, pathlib.Path(folder)),
            learning.Part("encoder", encoder, *encoder_ports, pathlib.Path(folder)), options.data, options.epochs,
            "--batch", BATCH, "--learning-rate", LEARNING_RATE, "--schedule", "falling", "--seed", SEED)
    training.write_losses(losses, options.output / "loss.csv")
    training.draw_losses(losses, ["train_negative_elbo", "test_negative_elbo"],
                         "Digits VAE: negative ELBO, nats per picture", options.output / "loss.png")
    seen = test_images[:32].reshape(4, 8, PIXELS)
    with torch.no_grad():
        training.draw_grid(decoder(shown_latents), options.output / "samples.png")
        rebuilt = decoder(encoder(test_images[:32])[0]).reshape(4, 8, PIXELS)
    training.draw_grid(torch.stack([seen, rebuilt], dim=1), options.output / "reconstructions.png")
    training.export("encoder", encoder, *encoder_ports, options.output)
    training.export("decoder", decoder, *decoder_ports, options.output)


if __name__ == "__main__":
    main()
