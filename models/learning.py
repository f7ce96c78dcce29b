"""What the training programs share whose models Figment itself trains (`figment train`).

PyTorch gives what a network starts from and its ONNX graph, and afterwards, with the weights that Figment has
learned, the ONNX file and the goldens that are shipped. So two programs that share no code compute each network, and
`take_back` stops where they differ.

Needs, besides what training.py says, Debian's flatbuffers-compiler and python3-flatbuffers, which read .delta files.
"""

import copy
import importlib
import json
import os
import pathlib
import subprocess
import sys
import warnings

import numpy
import torch
from torch import nn

import training

ROOT = pathlib.Path(__file__).resolve().parents[1]
FIGMENT = os.environ.get("FIGMENT_COMMAND") or ROOT / "figment"
# The largest difference allowed between Figment's outputs and PyTorch's with the same weights, both float32.
TOLERANCE = 1e-4


class Part:
    """One network of a training: its PyTorch module, its files in `folder`, and inputs to try it with.

    `inputs` maps a name to a tensor whose first dimension is the batch, as in training.export.
    """

    def __init__(self, name, module, inputs, output_names, folder):
        self.name, self.module, self.inputs, self.output_names = name, module, inputs, output_names
        self.folder = folder

    def file(self, ending):
        return self.folder / f"{self.name}.{ending}"

    def write_untrained(self):
        """Writes <name>.fgm, ready to learn, from the module as it is."""
        # In training mode, or the exporter makes one tensor of those that start the same. The exporter's run of the
        # module would move the statistics of batch normalizations, whose share in it is therefore 0.
        module = copy.deepcopy(self.module).train()
        for layer in module.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = 0.0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that the graph does not count batches, and nothing shall
            training.write_onnx(self.file("onnx"), module, self.inputs, self.output_names)
        figment("convert", self.file("onnx"), "-o", self.file("fgm"), "--for-training", "--name", self.name)

    def take_back(self, sections, delta):
        """Gives the module what the delta's section for it holds, and compares what it and Figment then compute."""
        load(self.module, sections[self.name])
        figment("apply", self.file("fgm"), delta, "-o", self.file("learned.fgm"))
        given = []
        for name, tensor in self.inputs.items():
            numpy.save(self.file(f"{name}.npy"), numpy.ascontiguousarray(tensor.numpy()))
            given += ["--in", f"{name}={self.file(f'{name}.npy')}"]
        for name in self.output_names:
            given += ["--out", f"{name}={self.file(f'{name}.npy')}"]
        figment("run", self.file("learned.fgm"), *given)
        for name, tensor in zip(self.output_names, training.compute(self.module, self.inputs)):
            difference = float(abs(numpy.load(self.file(f"{name}.npy")) - tensor.numpy()).max())
            print(f"{self.name}: PyTorch's {name} and Figment's differ by at most {difference:.1e}", flush=True)
            if not difference <= TOLERANCE:
                raise SystemExit(f"{self.name}: that is more than {TOLERANCE:g}")


def figment(*arguments):
    """Runs a verb of Figment; returns its standard output."""
    return subprocess.run([str(FIGMENT), *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True).stdout


def train(parts, data, *options):
    """Trains the first part with the second as its partner; both modules are trained afterwards.

    Returns what Figment says of each epoch: a list of {"losses": {term: mean}, "evaluation": {term: mean}}. One thread,
    so that a sum has one order and the same processor gives the same bits.
    """
    model, partner = parts
    for part in parts:
        part.write_untrained()
    delta = model.file("delta")
    report = json.loads(figment("train", model.file("fgm"), data, *options, "--threads", 1, "--json", "-o", delta))
    print(f"{report['steps']} steps in {report['seconds']:.0f} s, {report['arena_bytes']} bytes of memory", flush=True)
    sections = read_delta(delta)
    for part in (model, partner):
        part.take_back(sections, delta)
    return report["epochs"]


def train_vae(decoder, encoder, data, epochs, *options):
    """Trains two parts as a VAE on the MNIST of folder `data`, by binary cross-entropy summed over the pixels and the
    divergence; returns a row of losses for each epoch, see training.elbo_row."""
    def terms(means):
        return [means[term] for term in ("reconstruction", "divergence")]

    figures = train(
        (decoder, encoder), data / "train-images-idx3-ubyte", "--encoder", encoder.file("fgm"), "--task", "vae",
        "--loss", "bce", "--evaluate", data / "t10k-images-idx3-ubyte", "--epochs", epochs, *options)
    return [training.elbo_row(epoch, terms(row["losses"]), 1, terms(row["evaluation"]))
            for epoch, row in enumerate(figures, 1)]


def read_delta(path):
    """The tensors of a .delta file: {model's name: {tensor's name: float32 array in Figment's layout}}."""
    classes = path.parent / "classes"
    subprocess.run(["flatc", "--python", "-o", str(classes), str(ROOT / "runtime/format/delta.fbs")], check=True)
    sys.path.insert(0, str(classes))
    delta = importlib.import_module("figment.format.Delta").Delta.GetRootAs(path.read_bytes())
    sections = {}
    for section in map(delta.Sections, range(delta.SectionsLength())):
        tensors = map(section.Tensors, range(section.TensorsLength()))
        sections[section.BaseName().decode()] = {
            tensor.Name().decode(): tensor.ValuesAsNumpy().reshape(tensor.ShapeAsNumpy()) for tensor in tensors}
    return sections


def load(module, learned):
    """Gives a module, a Sequential or one with a Sequential `layers`, the tensors of one section of a delta.

    They stand under PyTorch's names; but a transposed convolution's weights, which the converter has turned, under its
    node's: /<place in the Sequential>/ConvTranspose.
    """
    left = dict(learned)
    for name, layer in module.named_modules():
        for own in [*dict(layer.named_parameters(recurse=False)), *dict(layer.named_buffers(recurse=False))]:
            if own == "num_batches_tracked":
                continue
            turned = isinstance(layer, nn.ConvTranspose2d) and own == "weight"
            key = "/" + name.replace(".", "/") + "/ConvTranspose" if turned else f"{name}.{own}"
            values = torch.from_numpy(left.pop(key).copy())
            with torch.no_grad():
                getattr(layer, own).copy_(pytorch_layout(layer, values))
    if left:
        raise SystemExit(f"no layer takes the learned tensors {', '.join(left)}")


def pytorch_layout(layer, values):
    """Figment's layout of a layer's tensor as PyTorch's."""
    if values.dim() == 5:  # transposed convolution: [groups, kh, kw, outputs, C] -> [groups * C, outputs, kh, kw]
        return values.permute(0, 4, 3, 1, 2).reshape(layer.weight.shape)
    if values.dim() == 4:  # convolution: [outputs, kh, kw, C] -> [outputs, C, kh, kw]
        return values.permute(0, 3, 1, 2)
    return values  # vectors; dense: [outputs, inputs] in both
