#!/usr/bin/env python3
"""Makes the goldens of Keras's files: small models with random weights, and what Keras computes.

    python3 -m venv V && V/bin/pip install keras jax numpy h5py && V/bin/python tests/import/goldens/keras_goldens.py

Each model NAME gives keras/NAME.keras (or .h5) and keras/NAME.txt: lines "input NAME SHAPE" or
"output NAME SHAPE STRIDE", each followed by a line of numbers (of outputs every STRIDE-th). Archives are packed again with deflate, since
Keras stores them as they are.
"""
import json
import os
import pathlib
import sys
import zipfile

os.environ["KERAS_BACKEND"] = "jax"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import h5py  # noqa: E402
import keras  # noqa: E402
import numpy  # noqa: E402
from keras import layers as L  # noqa: E402

FOLDER = pathlib.Path(__file__).parent / "keras"
BATCH = 2


def randomize(model, random):
    for weight in model.weights:
        if "seed" in weight.path:
            continue
        values = random.normal(0, 0.5, weight.shape)
        if "variance" in weight.path or "gamma" in weight.path:
            values = 0.5 + numpy.abs(values)
        weight.assign(values.astype("float32"))


def text(values):
    return " ".join(f"{value:.7g}" for value in numpy.asarray(values).ravel())


def save(name, model, suffix=".keras", integers=None):
    """`integers`: what the numbers of an input of symbols are below."""
    random = numpy.random.default_rng(len(name) * 1000 + ord(name[0]))
    randomize(model, random)
    inputs = []
    for each in model.inputs:
        shape = (BATCH,) + tuple(each.shape[1:])
        if integers:
            inputs.append(random.integers(0, integers, shape).astype("int32"))
        else:
            inputs.append(random.normal(0, 1, shape).astype("float32"))
    outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    if not isinstance(outputs, (list, tuple)):
        outputs = [outputs]
    path = FOLDER / (name + suffix)
    model.save(path)
    if suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            parts = {part: archive.read(part) for part in archive.namelist()}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for part, data in parts.items():
                archive.writestr(zipfile.ZipInfo(part, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    with open(FOLDER / (name + ".txt"), "w") as file:
        for each, values in zip(model.inputs, inputs):
            file.write(f"input {each.name.split(':')[0]} {'x'.join(map(str, values.shape))}\n{text(values)}\n")
        for number, values in enumerate(outputs):
            values = numpy.asarray(values)
            stride = 5 if values.size > 100 else 1
            file.write(f"output {number} {'x'.join(map(str, values.shape))} {stride}\n"
                       f"{text(values.ravel()[::stride])}\n")
    print(name, path.stat().st_size)


def sample(name, model, port=None, stride=7):
    """Of a large model that stands elsewhere: an input that tests make for themselves, number i being
    (i * 37 % 101) / 101 ("ramp 37 101"), and every STRIDEth number of the output."""
    shape = (BATCH,) + tuple(model.inputs[0].shape[1:])
    count = int(numpy.prod(shape))
    values = (numpy.arange(count) * 37 % 101 / 101).astype("float32").reshape(shape)
    result = numpy.asarray(model(values, training=False))
    with open(FOLDER / (name + ".txt"), "w") as file:
        file.write(f"input {port or model.inputs[0].name} {'x'.join(map(str, shape))}\nramp 37 101\n")
        file.write(f"output 0 {'x'.join(map(str, result.shape))} {stride}\n"
                   f"{text(result.ravel()[::stride])}\n")


def activations():
    x = keras.Input((6,), name="x")
    names = ["celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
             "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6",
             "selu", "sigmoid", "silu", "softmax", "softplus", "softsign", "soft_shrink", "sparse_plus",
             "sparse_sigmoid", "squareplus", "tanh", "tanh_shrink"]
    outputs = [L.Activation(name, name="a_" + name)(x) for name in names]
    outputs += [L.LeakyReLU(negative_slope=0.1)(x), L.ELU(alpha=0.7)(x), L.PReLU()(x), L.Softmax()(x),
                L.ReLU(max_value=0.8)(x), L.ReLU(negative_slope=0.2, threshold=0.3)(x),
                L.ReLU(max_value=0.5, negative_slope=0.1)(x), L.ReLU(max_value=1.0, threshold=0.2)(x)]
    return keras.Model(x, outputs)


def convolutions():
    x = keras.Input((7, 6, 4), name="picture")
    outputs = [
        L.Conv2D(3, 3, padding="same", activation="relu")(x),
        L.Conv2D(2, (3, 2), strides=(2, 3), padding="same", use_bias=False)(x),
        L.Conv2D(4, 3, strides=2, padding="valid", groups=2, activation="tanh")(x),
        L.Conv2D(2, 2, dilation_rate=2, padding="same")(x),
        L.Conv2DTranspose(3, 3, strides=2, padding="same", activation="leaky_relu")(x),
        L.Conv2DTranspose(2, 4, strides=2, padding="same")(x),
        L.Conv2DTranspose(2, (2, 3), strides=(3, 2), padding="valid")(x),
        L.Conv2DTranspose(2, 5, strides=1, padding="same", use_bias=False)(x),
        L.DepthwiseConv2D(3, depth_multiplier=2, padding="same", activation="sigmoid")(x),
        L.DepthwiseConv2D(2, strides=2, padding="valid", use_bias=False)(x),
        L.SeparableConv2D(3, 3, padding="same", depth_multiplier=2, activation="elu")(x),
    ]
    return keras.Model(x, outputs)


def pictures():
    x = keras.Input((5, 6, 2), name="picture")
    outputs = [
        L.UpSampling2D(2)(x),
        L.UpSampling2D((2, 3), interpolation="bilinear")(x),
        L.ZeroPadding2D(((1, 2), (0, 3)))(x),
        L.Cropping2D(((1, 1), (2, 1)))(x),
        L.MaxPooling2D(2)(x),
        L.MaxPooling2D(3, strides=2, padding="same")(x),
        L.AveragePooling2D(3, strides=2, padding="same")(x),
        L.AveragePooling2D((2, 1))(x),
        L.GlobalAveragePooling2D()(x),
        L.GlobalMaxPooling2D(keepdims=True)(x),
        L.Permute((3, 1, 2))(x),
        L.Flatten()(x),
        L.Reshape((6, -1))(x),
        L.Rescaling(0.5, offset=1)(x),
        L.BatchNormalization()(x),
        L.BatchNormalization(axis=1, scale=False)(x),
        L.BatchNormalization(center=False, epsilon=0.01)(x),
        L.LayerNormalization()(x),
        L.LayerNormalization(axis=[2, 3], center=False)(x),
        L.GroupNormalization(groups=2)(x),
        L.GroupNormalization(groups=-1, scale=False)(x),
        L.UnitNormalization()(x),
        L.PReLU(shared_axes=[1, 2])(x),
        L.Softmax(axis=1)(x),
        L.SpatialDropout2D(0.5)(x),
    ]
    return keras.Model(x, outputs)


def merging():
    a, b = keras.Input((4, 3), name="a"), keras.Input((4, 3), name="b")
    c, d = keras.Input((3,), name="c"), keras.Input((3,), name="d")
    shared = L.Dense(2, name="shared")
    outputs = [
        L.Add()([a, b]), L.Subtract()([a, b]), L.Multiply()([a, b, a]), L.Average()([a, b, b]),
        L.Maximum()([a, b]), L.Minimum()([a, b]), L.Concatenate()([a, b]),
        L.Concatenate(axis=1)([a, b, a]), L.Dot(axes=1)([c, d]), L.Dot(axes=(2, 2))([a, b]),
        L.Dot(axes=(1, 2))([c, a]) if False else L.Dot(axes=(2, 1))([a, c]),
        L.RepeatVector(4)(c), shared(a), shared(b), shared(c),
        a * 0.5 + b, L.GaussianNoise(1.0)(L.Dropout(0.3)(d)),
    ]
    return keras.Model([a, b, c, d], outputs)


def sequences():
    x = keras.Input((5,), dtype="int32", name="symbols")
    e = L.Embedding(9, 4, name="embedding")(x)
    whole, hidden, cell = L.LSTM(3, return_sequences=True, return_state=True)(e)
    outputs = [
        e, whole, hidden, cell,
        L.LSTM(3, recurrent_activation="hard_sigmoid", go_backwards=True)(e),
        L.LSTM(3, go_backwards=True, return_sequences=True, use_bias=False)(e),
        L.LSTM(3)(e, initial_state=[hidden, cell]),
        L.GRU(3, return_sequences=True)(e),
        L.GRU(3, reset_after=False, activation="relu")(e),
        L.SimpleRNN(3)(e),
        L.Bidirectional(L.LSTM(2, return_sequences=True))(e),
        L.Bidirectional(L.GRU(2), merge_mode="sum")(e),
        L.TimeDistributed(L.Dense(3, activation="relu"))(e),
        L.Conv1D(3, 3, padding="causal")(e),
        L.Conv1D(2, 2, strides=2, padding="same")(e),
        L.Conv1DTranspose(2, 3, strides=2, padding="same")(e),
        L.SeparableConv1D(3, 2)(e),
        L.DepthwiseConv1D(2)(e),
        L.MaxPooling1D(2)(e), L.AveragePooling1D(2, padding="same")(e), L.GlobalMaxPooling1D()(e),
        L.UpSampling1D(3)(e), L.ZeroPadding1D((1, 2))(e), L.Cropping1D(1)(e),
    ]
    return keras.Model(x, outputs)


def first_channels():
    x = keras.Input((3, 6, 5), name="picture")
    first = {"data_format": "channels_first"}
    outputs = [
        L.Conv2D(2, 3, padding="same", **first)(x), L.Conv2DTranspose(2, 3, strides=2, padding="same", **first)(x),
        L.MaxPooling2D(2, **first)(x), L.UpSampling2D(2, **first)(x), L.ZeroPadding2D(1, **first)(x),
        L.Cropping2D(1, **first)(x), L.GlobalAveragePooling2D(**first)(x), L.Flatten(**first)(x),
    ]
    return keras.Model(x, outputs)


@keras.saving.register_keras_serializable(package="vae")
class Sampling(L.Layer):
    """The mean alone, so that what Keras computes does not depend on chance."""

    def call(self, inputs):
        return inputs[0]


def autoencoder():
    """An encoder and a decoder as layers of a third model; the latent is drawn between them."""
    x = keras.Input((8,), name="x")
    h = L.Dense(6, activation="relu", name="hidden")(x)
    mean, log_var = L.Dense(2, name="z_mean")(h), L.Dense(2, name="z_log_var")(h)
    encoder = keras.Model(x, [mean, log_var, Sampling(name="z")([mean, log_var])], name="encoder")
    z = keras.Input((2,), name="latent")
    g = L.BatchNormalization(name="norm")(L.Dense(6, activation="relu", name="up")(z))
    decoder = keras.Model(z, L.Dense(8, activation="sigmoid", name="picture")(g), name="decoder")
    whole = keras.Input((8,), name="whole")
    return keras.Model(whole, decoder(encoder(whole)[2]), name="vae")


def sequential():
    return keras.Sequential([
        keras.Input((4,), name="latent"), L.Dense(12, activation="relu"), L.Reshape((2, 2, 3)),
        L.Conv2DTranspose(2, 3, strides=2, padding="same"), L.BatchNormalization(),
        keras.Sequential([L.LeakyReLU(0.2), L.Conv2D(1, 3, padding="same", activation="tanh")]),
    ])


def legacy_layer(kind, name, sources, **settings):
    """A layer of a model in Keras 1's description."""
    return {"class_name": kind, "name": name, "config": dict(settings, name=name),
            "inbound_nodes": [[[source, 0, 0] for source in sources]] if sources else []}


def write_legacy(name, config, weights):
    """A file in Keras 1's layout; weights {layer: arrays}."""
    with h5py.File(FOLDER / f"{name}.h5", "w") as file:
        file.attrs["keras_version"] = b"1.2.2"
        file.attrs["model_config"] = json.dumps(config).encode()
        groups = file.create_group("model_weights")
        groups.attrs["layer_names"] = [each["name"].encode() for each in config["config"]["layers"]]
        for each in config["config"]["layers"]:
            group = groups.create_group(each["name"])
            arrays = weights.get(each["name"], [])
            names = [f"{each['name']}_{number}:0" for number in range(len(arrays))]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, array in zip(names, arrays):
                group.create_dataset(name, data=numpy.asarray(array))


def legacy(random):
    """A file as Keras 1 wrote it, with that version's names, and what Keras 3 computes with its weights."""
    picture = {"dim_ordering": "tf", "border_mode": "same"}
    config = {"class_name": "Model", "config": {
        "name": "model_1", "input_layers": [["input_1", 0, 0]], "output_layers": [["dense_1", 0, 0]],
        "layers": [
            legacy_layer("InputLayer", "input_1", [], batch_input_shape=[None, 4, 6, 2], input_dtype="float32"),
            legacy_layer("Convolution2D", "conv_1", ["input_1"], nb_filter=3, nb_row=3, nb_col=3, subsample=[2, 2],
                  activation="relu", bias=True, **picture),
            legacy_layer("UpSampling2D", "up_1", ["conv_1"], size=[2, 2], dim_ordering="tf"),
            legacy_layer("Deconvolution2D", "deconv_1", ["conv_1"], nb_filter=2, nb_row=3, nb_col=3, subsample=[2, 2],
                  output_shape=[None, 4, 6, 2], activation="linear", bias=True, **picture),
            legacy_layer("BatchNormalization", "norm_1", ["deconv_1"], mode=0, axis=-1, epsilon=0.01),
            legacy_layer("Merge", "merge_1", ["up_1", "norm_1"], mode="concat", concat_axis=-1),
            legacy_layer("ZeroPadding2D", "pad_1", ["merge_1"], padding=[1, 0], dim_ordering="tf"),
            legacy_layer("MaxPooling2D", "pool_1", ["pad_1"], pool_size=[2, 2], strides=[2, 2], border_mode="valid",
                  dim_ordering="tf"),
            legacy_layer("Flatten", "flat_1", ["pool_1"]),
            legacy_layer("Dense", "dense_1", ["flat_1"], output_dim=3, activation="softmax", bias=True),
        ]}}
    x = keras.Input((4, 6, 2))
    convolved = L.Conv2D(3, 3, strides=2, padding="same", activation="relu", name="conv_1")(x)
    turned = L.Conv2DTranspose(2, 3, strides=2, padding="same", name="deconv_1")(convolved)
    normalized = L.BatchNormalization(epsilon=0.01, name="norm_1")(turned)
    merged = L.Concatenate()([L.UpSampling2D(2)(convolved), normalized])
    pooled = L.MaxPooling2D(2)(L.ZeroPadding2D((1, 0))(merged))
    model = keras.Model(x, L.Dense(3, activation="softmax", name="dense_1")(L.Flatten()(pooled)))
    randomize(model, random)
    weights = {name: model.get_layer(name).weights for name in ("conv_1", "deconv_1", "norm_1", "dense_1")}
    write_legacy("legacy", config, weights)
    sample("legacy", model, "input_1", 1)


def by_gate(weights, order):
    """A cell's weights as Keras 1 had them: kernel, state kernel and bias of each gate."""
    parts = [numpy.split(numpy.asarray(weight), len(order), axis=-1) for weight in weights]
    return [part[gate] for gate in order for part in parts]


@keras.saving.register_keras_serializable(package="legacy")
def old_hard_sigmoid(x):
    """Keras 1's; Keras 3 has another slope."""
    return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)


def legacy_recurrent(random):
    """Keras 1's recurrent layers, one inside a wrapper."""
    cell = {"activation": "tanh", "inner_activation": "hard_sigmoid", "consume_less": "cpu"}
    config = {"class_name": "Model", "config": {
        "name": "model_1", "input_layers": [["input_1", 0, 0]], "output_layers": [["gru_1", 0, 0]],
        "layers": [
            legacy_layer("InputLayer", "input_1", [], batch_input_shape=[None, 4, 3], input_dtype="float32"),
            legacy_layer("LSTM", "lstm_1", ["input_1"], output_dim=5, return_sequences=True, **cell),
            legacy_layer("Bidirectional", "both_1", ["lstm_1"], merge_mode="concat", layer={
                "class_name": "LSTM", "config": dict(cell, name="lstm_2", output_dim=2, return_sequences=True)}),
            legacy_layer("GRU", "gru_1", ["both_1"], output_dim=3, return_sequences=False, **cell),
        ]}}
    x = keras.Input((4, 3))
    h = L.LSTM(5, return_sequences=True, recurrent_activation=old_hard_sigmoid, name="lstm_1")(x)
    h = L.Bidirectional(L.LSTM(2, return_sequences=True, recurrent_activation=old_hard_sigmoid), name="both_1")(h)
    model = keras.Model(x, L.GRU(3, reset_after=False, recurrent_activation=old_hard_sigmoid, name="gru_1")(h))
    randomize(model, random)
    lstm, gru = [0, 2, 1, 3], [0, 1, 2]  # i c f o of i f c o; z r h
    both = model.get_layer("both_1").weights
    weights = {"lstm_1": by_gate(model.get_layer("lstm_1").weights, lstm),
               "both_1": by_gate(both[:3], lstm) + by_gate(both[3:], lstm),
               "gru_1": by_gate(model.get_layer("gru_1").weights, gru)}
    write_legacy("legacy_recurrent", config, weights)
    sample("legacy_recurrent", model, "input_1", 1)


def main():
    FOLDER.mkdir(exist_ok=True)
    save("activations", activations())
    save("convolutions", convolutions())
    save("pictures", pictures())
    save("merging", merging())
    save("sequences", sequences(), integers=9)
    save("first_channels", first_channels())
    for suffix in (".keras", ".h5"):
        name = "_h5" if suffix == ".h5" else ""
        save("autoencoder" + name, autoencoder(), suffix)
        save("sequential" + name, sequential(), suffix)
    legacy(numpy.random.default_rng(1))
    legacy_recurrent(numpy.random.default_rng(2))
    others = FOLDER.parents[3].parent / "shared/models/keras-h5"
    for path in sorted(others.glob("*/*.h5")) if others.exists() else []:
        sample(path.parent.name, keras.models.load_model(path, compile=False))


if __name__ == "__main__":
    sys.exit(main())
