#!/usr/bin/env python3
"""Writes docs/limits.md from every limits.hpp, so that the page cannot say anything else than the code.

A limit is `inline constexpr <type> kName = <expression>;` with its text in a `///<` behind it or `///` lines above it; a text above
several constants holds for all of them.
usage: limits_doc.py [--check]   (--check writes nothing and fails when the page is out of date)
"""
import argparse
import pathlib
import re
import sys

import repo

PAGE = repo.ROOT / "docs/limits.md"
HEAD = """# Limits

Every bound on what a peer, a user or a file can make Starling hold, do or wait for. Generated from the `limits.hpp` files by
`./x docs`; the tests check that it is up to date. Change the constant, never this page.
"""
_CONSTANT = re.compile(r"^\s*inline\s+constexpr\s+(?P<type>[\w:<>, ]+?)\s+(?P<name>k\w+)\s*(?P<rest>[={].*)$")


def tidy_value(expression: str) -> str:
    value = " ".join(expression.split())
    return value[1:-1].strip() if value.startswith("{") and value.endswith("}") else value


def parse(text: str) -> tuple[str, list[tuple[str, str, str, str]], list[str]]:
    """(what the file's head comment says, rows of (name, type, value, meaning), constants without a text)."""
    head: list[str] = []
    rows, silent = [], []
    above: list[str] = []
    group: list[str] = []
    lines = text.splitlines()
    index = 0
    for line in lines:
        if line.startswith("// ") and not line.startswith("///"):
            head.append(line[3:].strip())
        elif head or not line.startswith("#pragma"):
            break
    while index < len(lines):
        line = lines[index]
        stripped = line.strip()
        found = _CONSTANT.match(line)
        if stripped.startswith("///") and not stripped.startswith("///<"):
            above.append(stripped[3:].strip())
            group = []
        elif found:
            statement = found.group("rest")
            while ";" not in statement.split("//")[0] and index + 1 < len(lines):
                index += 1
                statement += " " + lines[index].strip()
            code, _, tail = statement.partition(";")
            meaning = above or group
            group = meaning
            behind = re.search(r"//[/!]?<?\s*(.*)$", tail)
            if behind:
                group = []
                meaning = above + [behind.group(1).strip()]
                while index + 1 < len(lines) and lines[index + 1].strip().startswith("///<"):
                    index += 1
                    meaning.append(lines[index].strip()[4:].strip())
            value = tidy_value(code.lstrip("= ").strip() if code.startswith("=") else code)
            said = " ".join(meaning).strip()
            rows.append((found.group("name"), found.group("type"), value, said))
            if not said:
                silent.append(found.group("name"))
            above = []
        else:
            above, group = [], []
        index += 1
    return " ".join(head), rows, silent


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def value_cell(name: str, value: str) -> str:
    """The expression, and for sizes in bytes what it comes to."""
    shown = f"`{cell(value)}`"
    if "Bytes" not in name or not re.fullmatch(r"[0-9uUlLzZ'()+*<\s-]+", value):
        return shown
    size = eval(re.sub(r"[uUlLzZ']", "", value), {"__builtins__": {}})  # digits and operators only, see above
    for unit, name_of_unit in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit and size % unit == 0:
            return f"{shown} ({size // unit} {name_of_unit})"
    return shown


def section(path: pathlib.Path) -> tuple[str, list[str]]:
    where = repo.relative(path)
    head, rows, silent = parse(path.read_text(encoding="utf-8"))
    name = where.removeprefix("src/").removesuffix("/limits.hpp")
    out = [f"\n## {name}\n", f"[`{where}`](../{where})" + (f": {head}" if head else "") + "\n",
           "| constant | value | meaning |", "|---|---|---|"]
    out += [f"| `{n}` | {value_cell(n, v)} | {cell(m)} |" for n, _, v, m in rows]
    errors = [f"{where}: {constant} says neither its unit nor why" for constant in silent]
    if not rows:
        errors.append(f"{where}: no limit found")
    return "\n".join(out) + "\n", errors


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true")
    check = arguments.parse_args().check
    text, errors = HEAD, []
    for path in repo.files(".hpp"):
        if path.name == "limits.hpp":
            part, problems = section(path)
            text += part
            errors += problems
    for error in errors:
        print(error)
    if check:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
            print("docs/limits.md is out of date: run ./x docs")
            return 1
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        PAGE.write_text(text, encoding="utf-8")
        print("wrote docs/limits.md")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
