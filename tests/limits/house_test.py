#!/usr/bin/env python3
"""The rules of the house that a machine can check (README.md, "The house").

- includes point one way: the runtime knows nothing of converter/, targets/, models/ and tests/, the
  converter nothing of targets/;
- a file past 400 lines is probably two things;
- the runtime has no heap, no exceptions, no printing, no files, no abort;
- every source file opens with a comment that says what it is for.

First the rules are tried on made-up sources that break them, so that a rule that finds nothing fails.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LONGEST_FILE = 400

# Folder -> what its includes may not begin with.
FORBIDDEN_INCLUDES = {
    "runtime": ("converter/", "targets/", "models/", "tests/"),
    "converter": ("targets/", "models/", "tests/"),
    "targets": ("tests/",),
}

# What the runtime may not say, outside comments and strings.
FORBIDDEN_IN_RUNTIME = {
    "an exception": r"\b(throw|try|catch)\b",
    "RTTI": r"\b(dynamic_cast|typeid)\b",
    # Placement new is how arenas work: `new (place) T`.
    "the heap": r"(?<!\boperator )\bnew\b(?!\s*\()|\boperator\s+(new|delete)\b|\bdelete\b(?<!= delete)"
                r"|\b(malloc|calloc|realloc|aligned_alloc|posix_memalign|free|strdup|alloca)\s*\("
                r"|\bmake_(unique|shared)\b|\bstd::(unique_ptr|shared_ptr)\b",
    "a container that takes from the heap":
        r"\bstd::(vector|string|map|set|unordered_map|unordered_set|deque|list|function|any)\b(?!_view)",
    "printing": r"\b(printf|fprintf|puts|fputs|putchar|perror)\s*\(|\bstd::(cout|cerr|clog|print)\b",
    "a file": r"\b(fopen|freopen|open|creat|mmap)\s*\(\s*(\"|[a-z_]*path)|\bstd::[io]?fstream\b",
    "abort": r"(?<![\w.>:])(abort|exit|_exit|quick_exit|terminate|assert)\s*\(|\bstd::(abort|exit|terminate)\b",
}
# The exceptions: Session::arena_bytes measures with memory borrowed from the system and given back, and
# XNNPACK's start, once in a process, comes before there is an arena.
ALLOWED = {("runtime/base/arena.cc", "the heap"), ("runtime/xnnpack/allocator.cc", "the heap")}
FORBIDDEN_HEADERS_IN_RUNTIME = {
    "iostream", "fstream", "sstream", "ostream", "istream", "cstdio", "stdio.h", "vector", "string",
    "map", "set", "unordered_map", "unordered_set", "deque", "list", "memory", "functional",
    "stdexcept", "exception", "cassert", "assert.h", "thread", "mutex",
}


def without_comments_and_strings(text):
    """The code alone, line by line as it was."""
    pattern = r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![\w\'])\'(?:\\.|[^\'\\\n])+\''

    def blank(match):
        found = match.group(0)
        return '""' if found[0] in "\"R'" else "\n" * found.count("\n")

    return re.sub(pattern, blank, text, flags=re.S)


def complaints(path, text):
    """What is wrong with the file at `path` (from the root, with '/')."""
    found = []
    room = path.split("/")[0]
    lines = text.count("\n")
    if lines > LONGEST_FILE:
        found.append(f"{path}: {lines} lines; more than {LONGEST_FILE} are probably two things")
    if not text.startswith("//"):
        found.append(f"{path}:1: the file does not open with a comment that says what it is for")
    for number, line in enumerate(text.split("\n"), 1):
        include = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not include:
            continue
        target = re.sub(r"^(\.\./)+", "", include.group(2))
        if target.startswith(FORBIDDEN_INCLUDES.get(room, ())):
            found.append(f"{path}:{number}: {room}/ must not include {target}")
        if room == "runtime" and target in FORBIDDEN_HEADERS_IN_RUNTIME:
            found.append(f"{path}:{number}: the runtime does without <{target}>")
    if room == "runtime":
        for number, line in enumerate(without_comments_and_strings(text).split("\n"), 1):
            if line.lstrip().startswith("#include"):
                continue
            for what, pattern in FORBIDDEN_IN_RUNTIME.items():
                match = re.search(pattern, line)
                if match and (path, what) not in ALLOWED:
                    found.append(f"{path}:{number}: the runtime does without {what} ('{match.group(0)}')")
    return found


def try_the_rules():
    """Sources that break one rule each, and sources that break none."""
    comment = "// What it is for.\n"
    bad = [
        ("runtime/a.cc", comment + '#include "converter/convert.h"\n'),
        ("runtime/a.cc", comment + '#include "../tests/support/x.h"\n'),
        ("converter/a.cc", comment + '#include "targets/host/verbs.h"\n'),
        ("runtime/a.cc", comment + "#include <vector>\n"),
        ("runtime/a.cc", comment + "#include <iostream>\n"),
        ("converter/a.cc", "int x;\n"),
        ("converter/a.cc", comment * (LONGEST_FILE + 1)),
    ] + [("runtime/a.cc", comment + line + "\n") for line in (
        "throw 1;", "int* p = new int;", "auto p = new float[3];", "delete p;", "void* p = malloc(3);",
        "free(p);", "std::vector<int> v;", "std::string s;", 'printf("x");', "abort();", "std::abort();",
        'fopen("x", "r");', "std::cout << 1;", "std::function<void()> f;", "assert(x);",
        "dynamic_cast<A*>(b);", "auto p = std::make_unique<int>();")]
    good = [("runtime/a.cc", comment + line + "\n") for line in (
        '#include "runtime/ops/operator.h"', "#include <new>", "new (place) State();", "A(const A&) = delete;",
        'const char* text = "throw new malloc(";', "// throw new malloc()", "std::string_view name;",
        "int new_shape = 1;", "renew = free_bytes;", "Result<Model> Model::open(Bytes bytes);",
        "char quote = '\"'; int x = 1'000'000;")] + [
        ("converter/a.cc", comment + '#include "runtime/plan/plan.h"\n#include <vector>\n')]
    wrong = [f"no rule objects to: {text!r}" for path, text in bad if not complaints(path, text)]
    wrong += [f"a rule objects to: {text!r}: {complaints(path, text)}" for path, text in good
              if complaints(path, text)]
    return wrong


def main():
    wrong = try_the_rules()
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--",
                             "*.cc", "*.h"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]
    if not files:
        wrong.append("git lists no source")
    for name in files:
        wrong += complaints(name, (ROOT / name).read_text())
    print("\n".join(wrong) or f"{len(files)} files keep the rules of the house")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
