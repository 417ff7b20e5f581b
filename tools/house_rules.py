#!/usr/bin/env python3
"""The rules of the house that no compiler knows. Each finding names the file, the line and the rule.

usage: house_rules.py [--self-test]
"""
import pathlib
import re
import sys

import repo

SOURCE = (".cpp", ".hpp", ".py", ".sh", ".go", ".rs", ".js", ".mjs", ".ts")
LINES_MAX = 800
# Texts of other people, generated files and data: nobody here wrote their words.
FOREIGN = re.compile(r"^(LICENSE|tests/conformance/vectors/|fuzz/corpus/)|(^|/)(package-lock\.json|Cargo\.lock|go\.sum|poetry\.lock)$")
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|\bnot (yet )?implem" r"ented\b|\bnot supp" r"orted yet\b")
MACHINE_PATH = re.compile(r"(?<![\w.:/}])/(home|root|Users|work|workspace|mnt)/[A-Za-z_.]")
VAGUE_TYPE = re.compile(r"\b(?:class|struct)\s+(\w*(?:Helper|Utils?|Misc))\b")
SLEEP = re.compile(r"\bsleep_(for|until)\s*\(|\b(usleep|nanosleep)\s*\(|_clock\s*::\s*now\s*\(")


def check_text(name: str, text: str) -> list[str]:
    """Violations of one file, as `line: what`."""
    found = []
    path = pathlib.PurePosixPath(name)
    lines = text.splitlines()
    if path.suffix in SOURCE and len(lines) > LINES_MAX:
        found.append(f"{LINES_MAX}: {len(lines)} lines; split it, one idea a file")
    for number, line in enumerate(lines, 1):
        if word := UNFINISHED.search(line):
            found.append(f"{number}: '{word.group(0)}': finish it, or describe the limitation as it is")
        if MACHINE_PATH.search(line):
            found.append(f"{number}: a path of one machine")
        if str(repo.ROOT) in line and len(repo.ROOT.parts) > 2:
            found.append(f"{number}: the path of this checkout")
    if path.suffix in (".cpp", ".hpp"):
        found += check_cpp(name, text)
    if re.fullmatch(r"fuzz/\w+_fuzz\.cpp", name) and not (lines and re.match(r"// fuzz-depends: \w", lines[0])):
        found.append("1: the first line of a fuzz target is '// fuzz-depends: module …'")
    return found


def check_cpp(name: str, text: str) -> list[str]:
    found = []
    code = repo.without_comments(text)
    for match in VAGUE_TYPE.finditer(code):
        found.append(f"{code.count(chr(10), 0, match.start()) + 1}: a truer name than {match.group(1)} exists")
    if name.endswith(".hpp") and "#pragma once" not in text:
        found.append("1: a header starts with #pragma once")
    real_world = name.startswith(("tests/net/", "tests/interop/", "tests/consumer/"))
    if name.endswith("_test.cpp") and not real_world:
        for match in SLEEP.finditer(code):
            found.append(f"{code.count(chr(10), 0, match.start()) + 1}: a test below tests/net neither sleeps nor reads a clock")
    return found


def check_folders() -> list[str]:
    found = []
    for folder in sorted((repo.ROOT / "src/proto").glob("*/")):
        sources = repo.files(".cpp", ".hpp", under=f"src/proto/{folder.name}/")
        if not sources:
            continue
        where = repo.relative(folder)
        for needed in ("README.md", "limits.hpp"):
            if not (folder / needed).is_file():
                found.append(f"{where}: has no {needed}")
        if not any(path.name.endswith("_test.cpp") for path in sources):
            found.append(f"{where}: has no test")
    for path in repo.files():
        if {"util", "utils", "common", "misc", "helpers"} & set(pathlib.PurePath(repo.relative(path)).parts[:-1]):
            found.append(f"{repo.relative(path)}: a folder that says nothing about what is in it")
    for target in repo.files(".cpp", under="fuzz/"):
        if target.name.endswith("_fuzz.cpp"):
            corpus = target.parent / "corpus" / target.name.removesuffix("_fuzz.cpp")
            if not corpus.is_dir() or not any(corpus.iterdir()):
                found.append(f"{repo.relative(target)}: has no corpus in {repo.relative(target.parent)}/corpus")
    return found


def check_repository() -> list[str]:
    found = []
    for path in repo.files():
        name = repo.relative(path)
        if FOREIGN.search(name):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # data
        found += [f"{name}:{violation}" for violation in check_text(name, text)]
    return found + check_folders()


PLANTED = {
    ("src/a.cpp", "// TO" "DO later\n"): "finish it",
    ("docs/a.md", "see /home/" "me/x\n"): "a path of one machine",
    ("src/a.cpp", "\n" * (LINES_MAX + 1)): "split it",
    ("src/a.hpp", "#pragma once\nclass StringHelper {};\n"): "truer name",
    ("src/a.hpp", "class A {};\n"): "#pragma once",
    ("fuzz/a_fuzz.cpp", "int x;\n"): "fuzz-depends",
    ("src/base/a_test.cpp", "void f() { sleep_for(1s); }\n"): "neither sleeps",
}
CLEAN = {
    "src/a.hpp": "#pragma once\n// mkstemp XXXXXX, https://example.org/home/page, /ipfs/id/1.0.0\nclass Utility;\n",
    "fuzz/a_fuzz.cpp": "// fuzz-depends: yamux\n",
    "tests/net/a_test.cpp": "void f() { sleep_for(1s); }\n",
}


def self_test() -> list[str]:
    failures = [f"self-test: not found: {text.strip()!r}" for (name, text), expected in PLANTED.items()
                if not any(expected in line for line in check_text(name, text))]
    return failures + [f"self-test: refused a clean {name}: {line}" for name, text in CLEAN.items() for line in check_text(name, text)]


def main() -> int:
    found = self_test() if "--self-test" in sys.argv[1:] else check_repository()
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
