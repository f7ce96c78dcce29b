"""The engines of the comparison, one class each, and the process that runs one of them.

    peer_engines.py ENGINE convert SETTINGS      makes the engine's own file of the model
    peer_engines.py ENGINE run SETTINGS          answers one JSON object to each line on standard input, then ends

SETTINGS is what peers.py passes on, as JSON: `model` (the path of its files, without an ending), `figment` and `plain`
(programs), `cpu` (the cap on Figment, or empty), `xnnpack_version`. An engine gets a process of its own, so that their thread pools and their
accidents stay apart and a first run is a first run. The first answer says how long making the engine and its first run
took, and comes only if the output agrees with PyTorch's; each further one is the median of a block.
"""
import importlib
import importlib.metadata
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

LEAST_RUNS = 30
LEAST_SECONDS = 0.5
WARM_UP_SECONDS = 0.1
TOLERANCE = 1e-3  # against PyTorch's output
LEAST_PSNR = 35  # dB, of int8 weights


def numbers_of(path):
    import numpy
    return numpy.load(path)


class Engine:
    """Loads the model, runs it on one thread in float32, and gives the output in ONNX's order of axes."""
    title = ""
    packages = {}  # from PyPI, pinned; the first is the engine
    converted = ()  # endings of the files that convert() makes; none: the engine reads ONNX
    module = None  # imported before the clock starts, for that is Python's work
    without_dependencies = {}
    models = ()  # that it is for; none: all
    exact = True  # agrees within TOLERANCE, else within LEAST_PSNR of what the output spans

    @classmethod
    def version(cls, settings):
        return importlib.metadata.version(next(iter(cls.packages)))

    @classmethod
    def convert(cls, settings):
        """Makes the files that the engine reads."""

    def __init__(self, settings):
        raise NotImplementedError

    def run(self):
        raise NotImplementedError

    def output(self):
        raise NotImplementedError

    def first_ms(self, made_ms):
        return made_ms

    def median_ms(self):
        """Of at least LEAST_RUNS runs and LEAST_SECONDS, after warming up."""
        end = time.perf_counter() + WARM_UP_SECONDS
        while time.perf_counter() < end:
            self.run()
        times, begun = [], time.perf_counter()
        while len(times) < LEAST_RUNS or time.perf_counter() < begun + LEAST_SECONDS:
            before = time.perf_counter()
            self.run()
            times.append(time.perf_counter() - before)
        return 1000 * statistics.median(times)


class Figment(Engine):
    title = "Figment"
    converted = (".fgm",)
    options = ()  # of figment convert

    @classmethod
    def version(cls, settings):
        return call([settings["figment"], "--version"]).split()[1]

    @classmethod
    def convert(cls, settings):
        call([settings["figment"], "convert", settings["model"] + ".onnx", "-o", settings["model"] + cls.converted[0],
              *cls.options])

    def __init__(self, settings):
        self.settings, self.file = settings, settings["model"] + self.converted[0]
        self.cap = ["--cpu", settings["cpu"]] if settings["cpu"] else []
        self.latest = self.bench(LEAST_RUNS)

    def bench(self, runs):
        return json.loads(call([self.settings["figment"], "bench", self.file, "--json", "--runs", str(runs), *self.cap]))

    def run(self):
        """Done by `figment bench`."""

    def output(self):
        result = self.settings["model"] + "_figment.npy"
        call([self.settings["figment"], "run", self.file, "--in", self.settings["model"] + "_x.npy", "--out", result,
              *self.cap])
        return numbers_of(result)

    def first_ms(self, made_ms):
        return self.latest["first_sample_ms"]

    def median_ms(self):
        enough = LEAST_SECONDS * 1000 / self.latest["latency_ms"]["median"]
        self.latest = self.bench(max(LEAST_RUNS, int(enough)))
        return self.latest["latency_ms"]["median"]


class FigmentOneAtATime(Figment):
    title = "the same, convert --one-at-a-time"
    converted = (".one.fgm",)
    options = ("--one-at-a-time",)
    models = ("seed_vae",)


class FigmentInt8(Figment):
    title = "the same, int8 weights"
    converted = (".int8.fgm",)
    options = ("--weights", "int8", "--min-psnr", str(LEAST_PSNR))
    exact = False


class PlainXnnpack(Engine):
    """The XNNPACK that Figment is built with, for models that are a chain (plain_xnnpack_bench.cc)."""
    title = "XNNPACK's own operators"

    @classmethod
    def version(cls, settings):
        return settings["xnnpack_version"]

    def __init__(self, settings):
        self.settings = settings
        self.median_ms()  # checks its output against Figment's, which is checked against PyTorch's

    def output(self):
        return None

    def first_ms(self, made_ms):
        return None

    def median_ms(self):
        result = call([self.settings["plain"], self.settings["model"] + ".fgm", "--json", "--runs", str(LEAST_RUNS)])
        return json.loads(result)["xnnpack_ms"]["median"]


class OnnxRuntime(Engine):
    title = "ONNX Runtime"
    packages = {"onnxruntime": "1.32.0"}
    module = "onnxruntime"

    def __init__(self, settings):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(settings["model"] + ".onnx", options,
                                                    providers=["CPUExecutionProvider"])
        # Bound once, so that a run copies nothing.
        self.x = onnxruntime.OrtValue.ortvalue_from_numpy(settings["x"])
        self.binding = self.session.io_binding()
        self.binding.bind_ortvalue_input("z", self.x)
        self.binding.bind_output("y")
        self.run()

    def run(self):
        self.session.run_with_iobinding(self.binding)

    def output(self):
        return self.binding.copy_outputs_to_cpu()[0]


class Ncnn(Engine):
    title = "ncnn"
    converted = (".ncnn.param", ".ncnn.bin")
    packages = {"ncnn": "1.0.20261020"}
    module = "ncnn"
    # pnnx converts; its package asks for PyTorch, which its program does not need.
    without_dependencies = {"pnnx": "20261020"}

    @classmethod
    def convert(cls, settings):
        program = importlib.metadata.distribution("pnnx").locate_file("pnnx/pnnx")
        shape = ",".join(str(extent) for extent in settings["x"].shape)
        call([str(program), settings["model"] + ".onnx", f"inputshape=[{shape}]", "fp16=0"])

    def __init__(self, settings):
        import ncnn
        self.net = ncnn.Net()
        self.net.opt.num_threads = 1
        for shorter in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage"):
            setattr(self.net.opt, shorter, False)
        if self.net.load_param(settings["model"] + ".ncnn.param") or self.net.load_model(settings["model"] + ".ncnn.bin"):
            raise RuntimeError("ncnn does not load what pnnx wrote")
        self.x = ncnn.Mat(settings["x"][0]).clone()  # it has no batch
        self.run()

    def run(self):
        extractor = self.net.create_extractor()
        extractor.input("in0", self.x)
        _, self.y = extractor.extract("out0")

    def output(self):
        import numpy
        return numpy.array(self.y)[None]


class LiteRt(Engine):
    title = "LiteRT (XNNPACK delegate)"
    converted = (".tflite",)
    packages = {"ai-edge-litert": "2.3.0", "onnx": "1.23.2"}
    module = "ai_edge_litert.interpreter"

    @classmethod
    def convert(cls, settings):
        import write_tflite
        write_tflite.convert(pathlib.Path(settings["model"] + ".onnx"), pathlib.Path(settings["model"] + ".tflite"))

    def __init__(self, settings):
        from ai_edge_litert.interpreter import Interpreter
        self.interpreter = Interpreter(model_path=settings["model"] + ".tflite", num_threads=1)
        self.interpreter.allocate_tensors()
        x = settings["x"]
        self.interpreter.set_tensor(self.interpreter.get_input_details()[0]["index"],
                                    x.transpose(0, 2, 3, 1) if x.ndim == 4 else x)
        self.run()

    def run(self):
        self.interpreter.invoke()

    def output(self):
        y = self.interpreter.get_tensor(self.interpreter.get_output_details()[0]["index"])
        return y.transpose(0, 3, 1, 2) if y.ndim == 4 else y


class Mnn(Engine):
    title = "MNN"
    converted = (".mnn",)
    packages = {"MNN": "3.6.1"}
    module = "MNN"

    @classmethod
    def convert(cls, settings):
        program = pathlib.Path(sys.executable).parent / "mnnconvert"
        call([str(program), "-f", "ONNX", "--modelFile", settings["model"] + ".onnx", "--MNNModel",
              settings["model"] + ".mnn", "--bizCode", "bench"])

    def __init__(self, settings):
        import MNN
        self.interpreter = MNN.Interpreter(settings["model"] + ".mnn")
        self.session = self.interpreter.createSession({"backend": "CPU", "numThread": 1, "precision": "high"})
        x = settings["x"]
        self.x = MNN.Tensor(x.shape, MNN.Halide_Type_Float, x, MNN.Tensor_DimensionType_Caffe)
        self.input = self.interpreter.getSessionInput(self.session)
        self.run()

    def run(self):
        self.input.copyFrom(self.x)  # each time, for a run may use the input's memory for something else
        self.interpreter.runSession(self.session)

    def output(self):
        import MNN
        import numpy
        y = self.interpreter.getSessionOutput(self.session)
        values = MNN.Tensor(y.getShape(), MNN.Halide_Type_Float, numpy.zeros(y.getShape(), numpy.float32),
                            MNN.Tensor_DimensionType_Caffe)
        y.copyToHostTensor(values)
        return numpy.array(values.getData()).reshape(y.getShape())


class OpenVino(Engine):
    title = "OpenVINO"
    packages = {"openvino": "2026.4.1"}
    module = "openvino"

    def __init__(self, settings):
        import openvino
        compiled = openvino.Core().compile_model(settings["model"] + ".onnx", "CPU", {
            "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32",
            "ENABLE_CPU_PINNING": False, "PERFORMANCE_HINT": "LATENCY"})
        self.request = compiled.create_infer_request()
        self.request.set_input_tensor(openvino.Tensor(settings["x"]))
        self.run()

    def run(self):
        self.request.infer()

    def output(self):
        return self.request.get_output_tensor().data


ENGINES = {cls.__name__: cls for cls in (Figment, FigmentOneAtATime, FigmentInt8, PlainXnnpack, OnnxRuntime, Ncnn,
                                        LiteRt, Mnn, OpenVino)}


def call(command):
    """What the program prints; when it fails, its last word is the reason."""
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        words = (result.stderr.strip() or result.stdout.strip() or f"it ended with {result.returncode}").splitlines()
        name = pathlib.Path(command[0]).name
        raise RuntimeError(words[-1] if words[-1].startswith(name) else f"{name}: {words[-1]}")
    return result.stdout


def convert_anew(engine_class, settings):
    """A file of another day must not pass for this one's: not every converter that fails says so."""
    files = [pathlib.Path(settings["model"] + ending) for ending in engine_class.converted]
    for file in files:
        file.unlink(missing_ok=True)
    engine_class.convert(settings)
    for file in files:
        if not file.exists():
            raise RuntimeError(f"the converter left no {file.name}")


def require_agreement(engine_class, settings, y):
    import numpy
    expected = numbers_of(settings["model"] + "_y.npy")
    if y.shape != expected.shape:
        raise RuntimeError(f"the output has shape {y.shape}, PyTorch's {expected.shape}")
    difference = float(numpy.abs(y - expected).max())
    if not engine_class.exact:
        noise = numpy.sqrt(numpy.mean((y - expected) ** 2, dtype=numpy.float64))
        psnr = float(20 * numpy.log10(numpy.ptp(expected) / noise))
        if not psnr >= LEAST_PSNR:
            raise RuntimeError(f"the output is at {psnr:.1f} dB of PyTorch's")
    elif not difference <= TOLERANCE:
        raise RuntimeError(f"the output differs from PyTorch's by {difference:.2g}")
    return difference


def answer_blocks(engine_class, settings, answers):
    if engine_class.module:
        importlib.import_module(engine_class.module)
    begun = time.perf_counter()
    engine = engine_class(settings)
    made_ms = 1000 * (time.perf_counter() - begun)
    y = engine.output()
    difference = None if y is None else require_agreement(engine_class, settings, y)
    print(json.dumps({"version": engine.version(settings), "first_ms": engine.first_ms(made_ms),
                      "difference": difference}), file=answers, flush=True)
    for _ in sys.stdin:
        print(json.dumps({"median_ms": engine.median_ms()}), file=answers, flush=True)


def main():
    # Some engines print as they please: the answers keep standard output for themselves.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    engine_class, task, settings = ENGINES[sys.argv[1]], sys.argv[2], json.loads(sys.argv[3])
    try:
        settings["x"] = numbers_of(settings["model"] + "_x.npy")
        if task == "convert":
            convert_anew(engine_class, settings)
        else:
            answer_blocks(engine_class, settings, answers)
    except Exception as error:  # whatever an engine throws is its reason in the table
        print(" ".join(str(error).split()) or type(error).__name__, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
