"""Times Figment beside other engines on the same networks, and prints a table for the README.

    peers.py --folder FOLDER --figment PROGRAM --plain PROGRAM [--cpu avx2 --cap LIBRARY] [--xnnpack VERSION]

tests/bench/peers.sh calls this in a Python environment of its own, into which the engines are installed here. Every
engine (peer_engines.py) runs in a process of its own, on one thread and one core; its output must agree with PyTorch's
before it is timed, and all take turns. What cannot be installed, converted or run is a row with the reason.
"""
import argparse
import importlib.metadata
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

from peer_engines import ENGINES, LEAST_RUNS

MODELS = {"seed_vae": "VAE decoder 20-256-784", "dcgan64": "DCGAN-64", "taesd_dec_16": "latent decoder 16 to 128"}
FIRST_SAMPLE_MODEL = "dcgan64"
ROUNDS = 3
ENGINES_FILE = str(pathlib.Path(__file__).with_name("peer_engines.py"))


# For engines' processes: with the library that caps the processor, where there is one (cap_processor.c).
environment = dict(os.environ, OMP_NUM_THREADS="1")


class Failed(Exception):
    """The reason why there is no figure: one line."""


def say(sentence):
    print(f"peers: {sentence}", file=sys.stderr, flush=True)


def is_installed(packages):
    try:
        return all(importlib.metadata.version(name) == version for name, version in packages.items())
    except importlib.metadata.PackageNotFoundError:
        return False


def install(engine):
    for packages, more in ((engine.packages, []), (engine.without_dependencies, ["--no-deps"])):
        if is_installed(packages):
            continue
        wanted = [f"{name}=={version}" for name, version in packages.items()]
        say(f"installing {' '.join(wanted)}")
        result = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                                 *more, *wanted], capture_output=True, text=True)
        if result.returncode:
            errors = [line for line in result.stderr.splitlines() if line.startswith("ERROR")]
            raise Failed(f"not installed: {(errors or ['pip failed'])[-1].removeprefix('ERROR: ')}")


class Runner:
    """An engine's process with one model. The first answer comes with it."""

    def __init__(self, name, settings):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([sys.executable, ENGINES_FILE, name, "run", json.dumps(settings)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, env=environment)
        self.first = self.read_answer()

    def read_answer(self):
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        code = self.process.wait()
        raise Failed(last_line(self.log) if code > 0 else f"ended by signal {-code}")

    def median_ms(self):
        try:
            os.write(self.process.stdin.fileno(), b"\n")
        except BrokenPipeError:
            pass  # it has ended, and the answer that is not there says why
        return self.read_answer()["median_ms"]

    def end(self):
        self.process.stdin.close()  # with no line left the process ends
        self.process.wait()


def last_line(log):
    log.seek(0)
    return (log.read().strip().splitlines() or ["it failed without a word"])[-1]


def convert(name, settings):
    with tempfile.TemporaryFile("w+") as log:
        code = subprocess.run([sys.executable, ENGINES_FILE, name, "convert", json.dumps(settings)], stdout=log,
                              stderr=log).returncode
        if code:
            raise Failed(f"not converted: {last_line(log) if code > 0 else f'ended by signal {-code}'}")


class Row:
    """What is known of an engine: figures, or reasons why there are none."""

    def __init__(self, name):
        self.name, self.engine = name, ENGINES[name]
        self.version = next(iter(self.engine.packages.values()), "")
        self.failure = None  # a Failed of the whole engine
        self.ms = {}  # by model: a figure, a Failed, or None where the engine is not for it
        self.first_ms = []  # by fresh process

    def prepare(self, settings_of):
        """Installs the engine and converts every model."""
        try:
            install(self.engine)
        except Failed as reason:
            self.failure = reason
            return
        for model in MODELS:
            if self.engine.models and model not in self.engine.models:
                self.ms[model] = None
                continue
            try:
                convert(self.name, settings_of(model))
            except Failed as reason:
                self.ms[model] = reason


def measure(rows, model, settings):
    """The engines take turns on one model."""
    runners = {}
    for row in rows:
        if row.failure or model in row.ms:
            continue
        try:
            runners[row] = Runner(row.name, settings)
            row.version = runners[row].first["version"]
        except Failed as reason:
            row.ms[model] = reason
    medians = {row: [] for row in runners}
    for turn in range(ROUNDS):
        say(f"{MODELS[model]}, turn {turn + 1} of {ROUNDS}")
        for row, runner in runners.items():
            try:
                if model not in row.ms:
                    medians[row].append(runner.median_ms())
            except Failed as reason:
                row.ms[model] = reason
    for row, runner in runners.items():
        runner.end()
        if model in row.ms:
            continue
        row.ms[model] = statistics.median(medians[row])
        if model == FIRST_SAMPLE_MODEL and runner.first["first_ms"] is not None:
            row.first_ms.append(runner.first["first_ms"])


def measure_first_samples(rows, settings):
    """Each in fresh processes; the one that was timed was such a one too."""
    for _ in range(ROUNDS - 1):
        for row in rows:
            if not row.first_ms or row.failure:
                continue
            try:
                runner = Runner(row.name, settings)
                row.first_ms.append(runner.first["first_ms"])
                runner.end()
            except Failed as reason:
                row.failure = reason  # once it ran and once not: no figure of it counts


def cap_engines(library):
    """True when engines will see no more than AVX2."""
    capped = environment | {"LD_PRELOAD": library}
    if not library or subprocess.run(["true"], env=capped, stderr=subprocess.DEVNULL).returncode:
        say("this processor or kernel cannot be capped for other engines; Figment alone is")
        return False
    environment.update(capped)
    return True


def processor_name():
    told = subprocess.run(["lscpu"], capture_output=True, text=True, env=os.environ | {"LC_ALL": "C"}).stdout
    names = [line.split(":", 1)[1].strip() for line in told.splitlines() if line.startswith("Model name:")]
    return names[0] if names else platform.machine()


def cell(row, model, figment):
    ms = row.ms[model]
    if ms is None:
        return ""
    if isinstance(ms, Failed):
        return str(ms).replace("|", "/")
    digits = 4 if ms < 0.1 else 2 if ms < 10 else 1
    ratio = "" if row is figment or isinstance(figment.ms[model], Failed) else f" ({ms / figment.ms[model]:.2f})"
    return f"{ms:.{digits}f}{ratio}"


def print_table(rows, core, cpu, all_capped):
    figment = rows[0]
    print(f"On {processor_name()}, core {core}: one thread, batch 1, float32 where nothing else is said, median of {LEAST_RUNS} or more runs, median "
          f"of {ROUNDS} turns, in ms; in brackets, how many times Figment's."
          + (f" All see a processor with no more than {cpu.upper()}." if all_capped else
             f" Figment alone is capped at {cpu.upper()}; the others use all that the processor has." if cpu else "")
          + " Engines other than Figment and XNNPACK are called from Python, which adds some microseconds to each run."
          " First sample: of DCGAN-64, for Figment from the start of the process, for the others from a fresh process's"
          " imports on.\n")
    print("| engine | version | " + " | ".join(MODELS.values()) + " | first sample |")
    print("|---|---|" + "---|" * (len(MODELS) + 1))
    for row in rows:
        title = row.engine.title + (f", {cpu.upper()} at most" if row is figment and cpu and not all_capped else "")
        if row.failure:
            cells = [str(row.failure).replace("|", "/")] + [""] * len(MODELS)
        else:
            cells = [cell(row, model, figment) for model in MODELS]
            cells.append(f"{statistics.median(row.first_ms):.1f}" if row.first_ms else "")
        print(f"| {title} | {row.version} | " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(prog="peers")
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--figment", required=True)
    parser.add_argument("--plain", required=True)
    parser.add_argument("--xnnpack", default="")
    parser.add_argument("--cpu", choices=["avx2"], default="")
    parser.add_argument("--cap", default="")
    arguments = parser.parse_args()
    core = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    all_capped = bool(arguments.cpu) and cap_engines(arguments.cap)

    def settings_of(model):
        return {"model": str(arguments.folder / model), "figment": arguments.figment, "plain": arguments.plain,
                "cpu": arguments.cpu, "xnnpack_version": arguments.xnnpack}

    rows = [Row(name) for name in ENGINES]
    for row in rows:
        row.prepare(settings_of)
    for model in MODELS:
        measure(rows, model, settings_of(model))
    measure_first_samples(rows, settings_of(FIRST_SAMPLE_MODEL))
    print_table(rows, core, arguments.cpu, all_capped)


if __name__ == "__main__":
    main()
