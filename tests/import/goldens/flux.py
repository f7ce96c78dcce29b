"""Makes Flux.jl's goldens: models in files as BSON.jl and JLD2 write them, and what they and other people's files
compute, by NumPy. Julia is not needed, nor to be had where this was made.

    python3 -m venv V && V/bin/pip install numpy h5py
    V/bin/python tests/import/goldens/flux.py MNIST [MODELS]

MNIST holds train-images-idx3-ubyte; MODELS the other people's files, whose results stay as they are without it."""

import pathlib
import struct
import sys

import numpy

from flux_jld2 import write_jld2
from flux_reference import run, run_all
from flux_values import Function, NamedTuple, Struct, Symbol, type_of, write_bson

HERE = pathlib.Path(__file__).resolve().parent
PIXELS, HIDDEN, LATENT = 28 * 28, 18, 4


def dense(weight, bias, function):
    return Struct("Flux.Dense", {"weight": weight, "bias": bias, "σ": function},
                  [type_of(function), type_of(weight), type_of(bias)])


def chain(*layers, **named):
    layers = NamedTuple(named) if named else tuple(layers)
    return Struct("Flux.Chain", {"layers": layers}, [type_of(layers)])


IDENTITY, LEAKY_RELU, SIGMOID = (Function(name) for name in ("Base.#identity", "NNlib.#leakyrelu", "NNlib.#σ"))


# ---- The digits VAE of Figment's README, smaller ----


def train_vae(images, epochs=12, batch=128, rate=2e-3):
    """Chain(Dense(784 => 18, leakyrelu), Dense(18 => 8)) and Chain(Dense(4 => 18, leakyrelu), Dense(18 => 784, σ))."""
    random = numpy.random.default_rng(5)
    sizes = [(HIDDEN, PIXELS), (2 * LATENT, HIDDEN), (HIDDEN, LATENT), (PIXELS, HIDDEN)]
    weights = [random.normal(0, numpy.sqrt(1 / size[1]), size).astype(numpy.float32) for size in sizes]
    biases = [numpy.zeros(size[0], numpy.float32) for size in sizes]
    values = weights + biases
    moments = [[numpy.zeros_like(value), numpy.zeros_like(value)] for value in values]
    step = 0
    for epoch in range(epochs):
        for start in range(0, len(images) - batch + 1, batch):
            if start == 0:
                order = random.permutation(len(images))
            x = images[order[start:start + batch]].T
            a = weights[0] @ x + biases[0][:, None]
            h = numpy.where(a > 0, a, 0.01 * a)
            mean, log_variance = numpy.split(weights[1] @ h + biases[1][:, None], 2)
            noise = random.standard_normal(mean.shape, numpy.float32)
            z = mean + noise * numpy.exp(log_variance / 2)
            b = weights[2] @ z + biases[2][:, None]
            d = numpy.where(b > 0, b, 0.01 * b)
            y = 1 / (1 + numpy.exp(-(weights[3] @ d + biases[3][:, None])))
            # Backwards, of the cross entropy and the divergence from the normal distribution.
            dy = (y - x) / batch
            db = weights[3].T @ dy * numpy.where(b > 0, 1, 0.01)
            dz = weights[2].T @ db
            dmean = dz + mean / batch
            dlog = dz * noise * numpy.exp(log_variance / 2) / 2 + (numpy.exp(log_variance) - 1) / (2 * batch)
            ds = numpy.concatenate([dmean, dlog])
            da = weights[1].T @ ds * numpy.where(a > 0, 1, 0.01)
            slopes = [da @ x.T, ds @ h.T, db @ z.T, dy @ d.T] + [part.sum(1) for part in (da, ds, db, dy)]
            step += 1
            falling = rate * (1 - step / (epochs * (len(images) // batch)))
            for value, slope, (first, second) in zip(values, slopes, moments):
                first += 0.1 * (slope - first)
                second += 0.001 * (slope**2 - second)
                value -= falling * first / (1 - 0.9**step) / (numpy.sqrt(second / (1 - 0.999**step)) + 1e-8)
        print("epoch", epoch, "cross entropy",
              -(x * numpy.log(y + 1e-6) + (1 - x) * numpy.log(1 - y + 1e-6)).sum() / batch)
    halves = [value.astype(numpy.float16) for value in (weights[0], biases[0], weights[1], biases[1])]  # f16(encoder)
    encoder = chain(dense(*halves[:2], LEAKY_RELU), dense(*halves[2:], IDENTITY))
    decoder = chain(dense(weights[2], biases[2], LEAKY_RELU), dense(weights[3], biases[3], SIGMOID))
    return encoder, decoder


# ---- A model of many layers, with what files do not hold ----


def convolution(random, kind, kernel, inputs, outputs, function, groups=1, bias=True, **options):
    sides = (inputs, outputs // groups) if kind == "ConvTranspose" else (outputs, inputs // groups)
    weight = random.normal(0, 0.4, (*kernel, sides[1], sides[0])).astype(numpy.float32)
    bias = random.normal(0, 0.2, outputs).astype(numpy.float32) if bias else False
    fields = {"σ": function, "weight": weight, "bias": bias, "stride": options.get("stride", (1, 1)),
              "pad": options.get("pad", (0, 0, 0, 0))}
    if "outpad" in options:
        fields["outpad"] = options["outpad"]
    fields |= {"dilation": options.get("dilation", (1, 1)), "groups": groups}
    return Struct("Flux." + kind, fields, [2, 4, type_of(function), type_of(weight), type_of(bias)])


def batch_norm(random, channels, function):
    one = lambda low, high: random.uniform(low, high, channels).astype(numpy.float32)  # noqa: E731
    return Struct("Flux.BatchNorm", {
        "λ": function, "β": one(-0.5, 0.5), "γ": one(0.5, 1.5), "μ": one(-0.5, 0.5), "σ²": one(0.5, 1.5),
        "ϵ": numpy.float32(1e-5), "momentum": numpy.float32(0.1), "affine": True, "track_stats": True, "active": None,
        "chs": channels}, [type_of(function), type_of(one(0, 1)), ("Core.Float32", ()), type_of(one(0, 1))], True)


def layer_norm(random, size, function):
    first, second = (random.uniform(0.5, 1.5, size).astype(numpy.float32) for _ in range(2))
    diagonal = Struct("Flux.Scale", {"scale": first, "bias": second, "σ": function},
                      [type_of(function), type_of(first), type_of(second)])
    return Struct("Flux.LayerNorm", {"λ": function, "diag": diagonal, "ϵ": numpy.float32(1e-5), "size": (size,),
                                     "affine": True},
                  [type_of(function), type_of(diagonal), ("Core.Float32", ()), 1])


def many_layers(random):
    """(5, 7, 3) -> 6 -> (8, 12, 2), with a function in the middle whose code no file holds."""
    relu, tanh, gelu, swish, plus, vcat, flatten = (Function(name) for name in (
        "NNlib.#relu", "Base.#tanh", "NNlib.#gelu", "NNlib.#swish", "Base.#+", "Base.#vcat", "MLUtils.#flatten"))
    weights = lambda rows, columns: random.normal(0, 0.3, (rows, columns)).astype(numpy.float32)  # noqa: E731
    bias = lambda rows: random.normal(0, 0.2, rows).astype(numpy.float32)  # noqa: E731
    encoder = chain(
        first=convolution(random, "Conv", (3, 2), 3, 4, relu, pad=(1, 1, 1, 0)),
        norm=batch_norm(random, 4, IDENTITY),
        grouped=convolution(random, "Conv", (2, 3), 4, 6, tanh, 2, False, stride=(1, 2), pad=(1, 0, 2, 1)),
        pool=Struct("Flux.MaxPool", {"k": (2, 2), "pad": (0, 0, 0, 0), "stride": (2, 1)}, [2, 4]),
        flat=flatten,
        dense=dense(weights(6, 36), bias(6), gelu),
    )
    skipped = dense(weights(6, 6), bias(6), swish)
    branches = (dense(weights(12, 12), False, tanh), dense(weights(12, 12), bias(12), IDENTITY))
    decoder = chain(
        Struct("Flux.SkipConnection", {"layers": skipped, "connection": vcat}, [type_of(skipped), type_of(vcat)]),
        layer_norm(random, 12, LEAKY_RELU),
        Struct("Flux.Parallel", {"connection": plus, "layers": branches}, [type_of(plus), type_of(branches)]),
        Function("Main.#3#4"),
        convolution(random, "ConvTranspose", (3, 3), 2, 4, relu, 2, stride=(2, 3), pad=(1, 1, 1, 0), outpad=(1, 0)),
        Struct("Flux.Upsample", {"scale": (2, 2), "size": None},
               [Symbol("bilinear"), ("NTuple", (2, ("Core.Int64", ()))), ("Core.Nothing", ())]),
        convolution(random, "Conv", (1, 3), 4, 2, SIGMOID, dilation=(1, 2)),
    )
    return encoder, decoder


def reshape_to(*extents):
    return lambda x: x.reshape(*extents, x.shape[-1], order="F")


# ---- Results ----


class Goldens:
    """A line a set: its name, how many numbers, the numbers, of samples one after another in Julia's order."""

    def __init__(self):
        self.lines = []

    def add(self, name, values):
        numbers = numpy.asarray(values, float).ravel("F")
        self.lines.append(f"{name} {len(numbers)} " + " ".join(f"{number:.7g}" for number in numbers))

    def write(self, path):
        path.write_text("\n".join(self.lines) + "\n")


def strided(y, step):
    """Every step-th number of each sample."""
    return y.reshape(-1, y.shape[-1], order="F")[::step]


# ---- Other people's files, read by other means than Figment's ----


def read_bson(data):
    def document(at, is_list):
        end, values = at + struct.unpack_from("<i", data, at)[0] - 1, {}
        at += 4
        while at < end:
            kind, stop = data[at], data.index(0, at + 1)
            key, at = data[at + 1:stop].decode(), stop + 1
            if kind in (2, 5):
                size = struct.unpack_from("<i", data, at)[0]
                start = at + (4 if kind == 2 else 5)
                value = data[start:start + size]
                at = start + size
                if kind == 2:
                    value = value[:-1].decode()
            elif kind in (3, 4):
                size = struct.unpack_from("<i", data, at)[0]
                value, at = document(at, kind == 4), at + size
            else:
                layout = {1: "<d", 8: "<?", 10: "<0s", 16: "<i", 18: "<q"}[kind]
                value, at = struct.unpack_from(layout, data, at)[0], at + struct.calcsize(layout)
            values[key] = value
        return list(values.values()) if is_list else values

    return document(0, False)


def raise_dense(value):
    weight, bias, function = value["data"]
    arrays = [numpy.frombuffer(part["data"], "<f4").reshape(part["size"], order="F") for part in (weight, bias)]
    return dense(*arrays, Function("Base." + function["type"]["name"][-1]))


def model_zoo(path, goldens):
    document = read_bson(path.read_bytes())
    layers = [raise_dense(layer) for layer in document["decoder"]["data"][0]["data"]]
    latents = numpy.random.default_rng(1).normal(size=(2, 3)).round(3)
    goldens.add("zoo.decoder.input", latents)
    goldens.add("zoo.decoder.output", strided(run_all(layers, latents), 13))
    body, mean, deviation = (raise_dense(layer) for layer in document["encoder"]["data"])
    pictures = numpy.random.default_rng(2).uniform(size=(784, 2)).round(2)
    goldens.add("zoo.encoder.input", pictures)
    goldens.add("zoo.encoder.output", numpy.concatenate([run(mean, run(body, pictures)),
                                                         run(deviation, run(body, pictures))]))


def quantized_vae(path, goldens):
    import h5py

    with h5py.File(path) as file:
        def load(reference):
            return file[reference][()].T

        def dense_of(part):
            return dense(load(part["weight"]), load(part["bias"]), Function("Base.#tanh"))

        def conv_of(part, kind):
            fields = {"σ": IDENTITY, "weight": load(part["weight"]), "bias": load(part["bias"])}
            fields |= {name: tuple(part[name]) for name in ("stride", "pad", "dilation")} | {"groups": part["groups"]}
            return Struct(kind, fields)

        def norm_of(reference):
            part = file[reference][()]
            fields = {name: load(part[name]) for name in ("β", "γ", "μ", "σ²")}
            return Struct("BatchNorm", fields | {"λ": IDENTITY, "ϵ": part["ϵ"]})

        def blocks(layers, names, kind):
            found = []
            for conv, norm in names:
                found.append(conv_of(layers[conv], kind))
                if norm is not None:
                    found += [norm_of(layers[norm]), Function("#relu")]
            return found

        encoder, decoder = (file["autoencoder"][()][name]["layers"] for name in ("1", "2"))
        first = blocks(encoder, [("1", "2"), ("4", "5"), ("7", "8"), ("10", "11")], "Conv")
        first += [Function("#flatten"), *(dense_of(encoder[name]) for name in ("14", "15", "16", "17")), SIGMOID]
        second = [dense_of(decoder[name]) for name in ("1", "2", "3", "4")] + [reshape_to(4, 4, 12)]
        second += blocks(decoder, [("6", "7"), ("9", "10"), ("12", "13"), ("15", None)], "ConvTranspose") + [SIGMOID]
    pictures = numpy.random.default_rng(3).uniform(size=(28, 28, 1, 2)).round(2)
    codes = run_all(first, pictures)
    goldens.add("vqvae.encoder.input", pictures)
    goldens.add("vqvae.encoder.output", codes)
    codes = numpy.random.default_rng(4).uniform(size=(12, 3)).round(3)
    goldens.add("vqvae.decoder.input", codes)
    goldens.add("vqvae.decoder.output", strided(run_all(second, codes), 11))


def main():
    mnist = pathlib.Path(sys.argv[1]) / "train-images-idx3-ubyte"
    images = numpy.frombuffer(mnist.read_bytes()[16:], numpy.uint8).reshape(-1, PIXELS).astype(numpy.float32) / 255
    goldens = Goldens()

    encoder, decoder = train_vae(images)
    # MNIST's pictures are (width, height) in MLDatasets: flattened, the width runs fastest, as in the files.
    write_bson(HERE / "flux_vae.bson", {"decoder": decoder, "encoder": encoder})
    write_jld2(HERE / "flux_vae.jld2", {"decoder": decoder})
    latents = numpy.random.default_rng(6).normal(size=(LATENT, 3)).round(3)
    goldens.add("vae.decoder.input", latents)
    goldens.add("vae.decoder.output", strided(run(decoder, latents), 7))
    goldens.add("vae.encoder.input", images[:1].T.round(3))
    goldens.add("vae.encoder.output", run(encoder, images[:1].T.round(3).astype(float)))

    encoder, decoder = many_layers(numpy.random.default_rng(7))
    values = {"model": NamedTuple(encoder=encoder, decoder=decoder), "epoch": 3, "note": "many layers"}
    write_bson(HERE / "flux_layers.bson", values)
    write_jld2(HERE / "flux_layers.jld2", values)
    write_jld2(HERE / "flux_layers_all_fields.jld2", values, True)
    pictures = numpy.random.default_rng(8).normal(size=(5, 7, 3, 2)).round(3)
    codes = run(encoder, pictures)
    goldens.add("layers.encoder.input", pictures)
    goldens.add("layers.encoder.output", codes)
    layers = list(decoder["layers"])
    layers[3] = reshape_to(3, 2, 2)
    goldens.add("layers.decoder.input", codes.round(5))
    goldens.add("layers.decoder.output", run_all(layers, codes.round(5)))
    goldens.write(HERE / "flux.txt")

    if len(sys.argv) > 2:
        goldens, models = Goldens(), pathlib.Path(sys.argv[2])
        model_zoo(models / "flux-bson/fluxml-vae-mnist/model.bson", goldens)
        quantized_vae(models / "flux-jld2/vqvae-matteofriedrich/autoencoder.jld2", goldens)
        goldens.write(HERE / "flux_others.txt")


if __name__ == "__main__":
    main()
