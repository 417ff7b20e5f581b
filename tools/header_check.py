#!/usr/bin/env python3
"""The installed headers (include/starling) show nothing of the libraries below and compile alone as C++20.

usage: header_check.py [--jobs N]
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

import repo

REFUSED = re.compile(r"boost/|openssl/|secp256k1|cryptopp/|sodium|protozero/|fmt/|spdlog/|sqlite3|toml|CLI/|google/protobuf")
COMPILERS = ["g++", "clang++-16"]


def compile_alone(compiler: str, header: pathlib.Path) -> str:
    command = [compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I", str(repo.ROOT / "include"),
               "-x", "c++", "-include", str(header), os.devnull]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"{repo.relative(header)} does not compile alone with {compiler}:\n{done.stderr.strip()}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    jobs = parser.parse_args().jobs
    headers = repo.files(".hpp", ".h", under="include/")
    found = []
    for header in headers:
        for line, name in repo.includes(header.read_text(encoding="utf-8")):
            if REFUSED.match(name):
                found.append(f"{repo.relative(header)}:{line}: a public header includes <{name}>")
            elif not name.startswith("starling/") and (repo.ROOT / "src" / name).exists():
                found.append(f"{repo.relative(header)}:{line}: a public header includes <{name}> of src/")
    compilers = [compiler for compiler in COMPILERS if shutil.which(compiler)]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        found += [text for text in pool.map(lambda pair: compile_alone(*pair), [(c, h) for h in headers for c in compilers]) if text]
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
