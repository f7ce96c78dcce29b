#!/usr/bin/env python3
"""The table of operators in runtime/ops/README.md is what the schema says.

usage: operators_test.py [--write]      (--write makes the table anew)

Each member of the schema's union OperatorOptions is a row: its name, the comment above its table in
runtime/format/model.fbs (the formula; its last line names the types), the functions it offers, and
whether there is an XNNPACK room besides the portable one. A member without a comment, without types,
without its room or without its test fails.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = ROOT / "runtime/ops/README.md"
BEGIN, END = "<!-- made by tests/limits/operators_test.py -->\n", "<!-- end -->\n"


def file_name(member):
    """As toolchains/operators.cmake: ConvTranspose2D -> conv_transpose2d."""
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", member).lower()


def members(schema):
    text = re.sub(r"//[^\n]*", "", schema)
    return re.findall(r"\w+", re.search(r"union OperatorOptions \{([^}]*)\}", text).group(1))


def comment_above(schema, what):
    """The /// lines right above `what`, as one line."""
    found = re.search(r"((?:^///[^\n]*\n)*)^" + re.escape(what) + r"\b", schema, re.M)
    return re.sub(r"\s+", " ", found.group(1).replace("///", " ")).strip() if found else ""


def functions(schema, member):
    """The members of the enum that the table's field `function` or `mode` or `cell` has."""
    fields = re.search(r"^table " + member + r" \{(.*?)\}", schema, re.M | re.S).group(1)
    kind = re.search(r"\b(?:function|mode|cell): (\w+);", fields)
    if not kind:
        return []
    return re.findall(r"\w+", re.search(r"enum " + kind.group(1) + r" : ubyte \{([^}]*)\}", schema).group(1))


def row(schema, member, complaints):
    comment = comment_above(schema, f"table {member}")
    formula, _, types = comment.partition("Types: ")
    room = file_name(member)
    if not formula.strip():
        complaints.append(f"table {member} has no comment that says what it computes")
    if not types:
        complaints.append(f"the comment of table {member} does not end with a line of types")
    for path in (f"runtime/ops/{room}.cc", f"tests/ops/{room}_test.cc"):
        if not (ROOT / path).exists():
            complaints.append(f"{member} has no {path}")
    formula = formula.strip().replace("|", "\\|")
    offered = functions(schema, member)
    if offered:
        formula += f" ({', '.join(offered)})"
    fast = ", XNNPACK" if (ROOT / f"runtime/xnnpack/{room}.cc").exists() else ""
    return f"| [{member}]({room}.cc) | {formula} | {types.rstrip('.')} | portable{fast} |\n"


def main():
    schema = (ROOT / "runtime/format/model.fbs").read_text()
    complaints = []
    names = members(schema)
    table = "| operator | what it computes | types | backends |\n|---|---|---|---|\n"
    table += "".join(row(schema, name, complaints) for name in names)
    text = README.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    made = before + BEGIN + table + END + after
    if "--write" in sys.argv:
        README.write_text(made)
    elif made != text:
        complaints.append(f"{README.relative_to(ROOT)} is not what the schema says; run {sys.argv[0]} --write")
    print("\n".join(complaints) or f"{len(names)} operators are described as the schema has them")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
