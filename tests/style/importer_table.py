#!/usr/bin/env python3
"""The table in converter/README.md of what each importer reads, made from the rows in its sources.

usage: importer_table.py [--write]     without it: fails where the table is not what the sources say
"""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parents[2]
readme = root / "converter/README.md"
begin, end = "<!-- made by tests/style/importer_table.py --write -->\n", "<!-- end -->\n"
titles = {"onnx": "ONNX", "keras": "Keras, TensorFlow.js layers", "tfjs": "TensorFlow.js graphs",
          "tflite": "TFLite", "torch": "PyTorch, safetensors", "flux": "Flux.jl"}


def names():
    """Format -> what its rows are called: arrays kRows, kLayers of {"name", function}."""
    found = {}
    for source in sorted((root / "converter/import").rglob("*.cc")):
        form = source.relative_to(root / "converter/import").parts[0].split("_")[0].removesuffix(".cc")
        form = "keras" if form == "layers" else form  # TensorFlow.js has the same layers
        if form not in titles:
            continue
        for rows in re.findall(r"\bk(?:Rows|Layers)\[\] = \{\n(.*?)\n\};", source.read_text(), re.S):
            found.setdefault(form, set()).update(re.findall(r'\{\s*"([^"]+)"', rows))
    return found


def table():
    lines = ["| format | operators and layers |\n", "|---|---|\n"]
    found = names()
    for form, title in titles.items():
        if form in found:
            lines.append(f"| {title} | {', '.join(sorted(found[form], key=lambda name: (name.lower(), name)))} |\n")
    return "".join(lines)


def main():
    text = readme.read_text()
    before, rest = text.split(begin)
    old, after = rest.split(end)
    new = table()
    if "--write" in sys.argv[1:]:
        readme.write_text(before + begin + new + end + after)
    elif old != new:
        sys.exit("converter/README.md does not list what the importers read; run "
                 "tests/style/importer_table.py --write")


main()
