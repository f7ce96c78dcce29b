#!/usr/bin/env python3
"""A firmware computes and draws what this machine does.

It prints the latents that it drew for a seed and a SHA-256 of its outputs; `figment run --backend portable`
computes from the same latents here, and every bit must agree. Then the picture's letters must be those of
the numbers here, or the texts those of `figment sample`.

usage: agreement_test.py HOST_COMMAND MODEL EMULATOR... FIRMWARE
"""
import hashlib
import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

SEED = "7"  # not the golden's
SHADES = " .:-=+*#%@"


def output_of(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{done.stdout}\n{' '.join(command)} ended with code {done.returncode}")
    return done.stdout


def write_npy(path, shape, kind, data):
    """Version 1.0: the mark, the header's length, the header, the numbers."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)


def read_npy(path):
    """The numbers' bytes."""
    data = path.read_bytes()
    return data[10 + struct.unpack("<H", data[8:10])[0]:]


def float32(number):
    return struct.unpack("<f", struct.pack("<f", number))[0]


def letters(image, numbers):
    """The picture as the firmware prints it; one channel."""
    span = float32(image["high"] - image["low"])
    levels = [float32(float32(float32(float32(n - image["low"]) / span) * 255) + 0.5) for n in numbers]
    light = [int(min(max(level, 0), 255)) for level in levels]
    width = image["width"]
    rows = [light[at:at + width] for at in range(0, len(light), width)]
    return ["".join(SHADES[(a + b) * (len(SHADES) - 1) // 510] for a, b in zip(above, below))
            for above, below in zip(rows[::2], rows[1::2])]


def compute_here(host, model, facts, latents):
    """The outputs' bytes, one after another."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        command = [host, "run", model, "--backend", "portable", "--noise-seed", SEED]
        for port in facts["inputs"]:
            path = folder / f"{port['name']}.npy"
            kind = "<f4" if port["type"] == "float32" else "<i4"
            write_npy(path, port["shape"], kind, bytes.fromhex(latents[port["name"]]))
            command += ["--in", f"{port['name']}={path}"]
        outputs = [folder / f"out{index}.npy" for index in range(len(facts["outputs"]))]
        for port, path in zip(facts["outputs"], outputs):
            command += ["--out", f"{port['name']}={path}"]
        output_of(command)
        return b"".join(map(read_npy, outputs))


def main():
    host, model, *board = sys.argv[1:]
    facts = json.loads(output_of([host, "show", model, "--json"]))
    printed = output_of([*board, "digest", "--seed", SEED])
    print(printed)

    # What the board says of the arena: exact there, and no more than what was shown here.
    need, room = map(int, re.search(r"arena (\d+) of (\d+) bytes", printed).groups())
    shown = facts["plan"]["portable"]["arena_bytes"]
    if not 0 < need <= room == shown:
        sys.exit(f"the arena takes {need} bytes of {room}, and figment show says {shown}")

    outputs = compute_here(host, model, facts, dict(re.findall(r"^input (\S+) ([0-9a-f]+)$", printed, re.M)))
    computed = hashlib.sha256(outputs).hexdigest()
    print(f"here    {computed}")
    if f"\noutputs {computed}\n" not in printed:
        sys.exit("the board computed other bits than this machine")

    count = "1" if "image" in facts else "20"
    drawn = output_of([*board, "--seed", SEED, "--count", count])
    print(drawn)
    if "image" in facts:
        expected = letters(facts["image"], struct.unpack(f"<{len(outputs) // 4}f", outputs))
    else:
        expected = output_of([host, "sample", model, "--backend", "portable", "--seed", SEED,
                              "--count", count]).splitlines()
    if drawn.splitlines()[1:-2] != expected or len(set("".join(expected))) < 5:
        print("\n".join(expected))
        sys.exit("the board drew something else than the above, which this machine draws")


main()
