"""What the tools share: which files the repository holds, and C++ text without its comments."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent

_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^()\s\\]{0,16})\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)
_DIGIT_SEPARATOR = re.compile(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])")
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]', re.MULTILINE)


def files(*suffixes: str, under: str = "") -> list[pathlib.Path]:
    """Files of the work tree that are tracked or could be, sorted; every file when no suffix is given."""
    # A checkout may belong to somebody else than who runs this, in a container for one.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    wanted = (ROOT / name for name in sorted(set(listed)) if name and name.startswith(under))
    return [path for path in wanted if path.is_file() and (not suffixes or path.suffix in suffixes)]


def relative(path: pathlib.Path) -> str:
    return path.resolve().relative_to(ROOT).as_posix()


def core_layers() -> list[str]:
    """The layers below the purity line, as the build defines them."""
    text = (ROOT / "cmake/StarlingModule.cmake").read_text(encoding="utf-8")
    found = re.search(r"set\(STARLING_CORE_LAYERS ([a-z ]+)\)", text)
    if not found:
        raise SystemExit("cmake/StarlingModule.cmake does not set STARLING_CORE_LAYERS")
    return found.group(1).split()


def without_comments(source: str, keep_strings: bool = False) -> str:
    """The text with comments (and the insides of literals) blanked; line numbers stay."""
    def blank(found: re.Match) -> str:
        token = found.group(0)
        if token.startswith(("//", "/*")):
            return re.sub(r"[^\n]", " ", token)
        return token if keep_strings else '"' + "\n" * token.count("\n") + '"'
    return _TOKEN.sub(blank, _DIGIT_SEPARATOR.sub("", source))


def includes(source: str) -> list[tuple[int, str]]:
    """(line, header) of every #include."""
    text = without_comments(source, keep_strings=True)
    return [(text.count("\n", 0, found.start()) + 1, found.group(1)) for found in _INCLUDE.finditer(text)]
