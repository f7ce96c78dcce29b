#!/usr/bin/env python3
"""clang-tidy has nothing to say about runtime/, converter/ and targets/.

usage: clang_tidy.py BUILD_FOLDER      (the folder with compile_commands.json)

A source that passed is not looked at again until it, a header that it includes, its flags, or
.clang-tidy changes: BUILD_FOLDER/clang_tidy keeps an empty file named by the hash of all of these.
FIGMENT_TIDY_SHARE=3 looks at every third source, with each commit at the next ones, where time is short.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77


def fingerprint(command, folder, settings):
    """Hash of the preprocessed source and the settings; None when it does not preprocess."""
    words = [word for word in shlex.split(command) if not word.endswith("ccache")]
    output = words.index("-o")
    del words[output:output + 2]
    words[words.index("-c")] = "-E"
    result = subprocess.run(words, cwd=folder, capture_output=True)
    if result.returncode != 0:
        return None
    return hashlib.sha256(settings + command.encode() + result.stdout).hexdigest()


def check(entry, build, passed, settings):
    """Returns what clang-tidy says about one source, empty when it is content."""
    key = fingerprint(entry["command"], entry["directory"], settings)
    if key and (passed / key).exists():
        return ""
    result = subprocess.run(["clang-tidy", "--quiet", "-p", str(build),
                             # The flags are written for the compiler in use, perhaps GCC.
                             "--extra-arg=-Wno-unknown-warning-option", entry["file"]],
                            capture_output=True, text=True)
    if result.returncode != 0:
        return result.stdout + result.stderr
    if key:
        (passed / key).touch()
    return ""


def share_of(entries):
    share = int(os.environ.get("FIGMENT_TIDY_SHARE", "1"))
    count = subprocess.run(["git", "rev-list", "--count", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    commits = int(count.stdout) if count.returncode == 0 else 0
    return sorted(entries, key=lambda entry: entry["file"])[commits % share::share]


def main():
    if not shutil.which("clang-tidy"):
        print("clang-tidy is not installed")
        return SKIPPED
    build = pathlib.Path(sys.argv[1])
    passed = build / "clang_tidy"
    passed.mkdir(exist_ok=True)
    settings = (ROOT / ".clang-tidy").read_bytes()
    # Generated sources are not ours to please; the tests are left out for the time they take.
    rooms = [ROOT / room for room in ("runtime", "converter", "targets")]
    entries = [entry for entry in json.loads((build / "compile_commands.json").read_text())
               if any(pathlib.Path(entry["file"]).is_relative_to(room) for room in rooms)]
    # A source that is compiled for several instruction sets is looked at once.
    entries = list({entry["file"]: entry for entry in entries}.values())
    entries = share_of(entries)
    if not entries:
        print("compile_commands.json lists no source of ours")
        return 1
    complaints = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for entry, said in zip(entries, pool.map(
                lambda entry: check(entry, build, passed, settings), entries)):
            if said:
                complaints += 1
                print(f"--- {pathlib.Path(entry['file']).relative_to(ROOT)}\n{said}")
    print(f"{len(entries)} sources, {complaints} with complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
