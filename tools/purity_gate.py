#!/usr/bin/env python3
"""Keeps the core pure: no clock, socket, thread, file, environment, randomness or mutable global below the purity line.

  --sources          scans the core's files for includes and calls that have no business there
  --archive FILE     looks at what the linked core archive imports (nm) and which writable globals it defines (objdump)
  --self-test        plants one violation of each sort and proves that it is found

In the archive every C symbol is refused unless it is on the list below with its reason; C++ names are refused when they
belong to a part of the standard library or of another library that touches the world. So something new must be judged
once: pure → one line here, otherwise → it comes in through Env or happens in runtime/.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import repo

# What an archive member may import from C libraries: (pattern, reason).
C_ALLOWED = [
    (r"_Znw.*|_Zna.*|_Zdl.*|_Zda.*|malloc|calloc|realloc|free|aligned_alloc", "memory"),
    (r"(__)?(mem|str)[a-z0-9]+(_chk)?|bcmp", "bytes and texts in memory"),
    (r"__cxa_.*|__gxx_personality_v0|_Unwind_Resume|__dso_handle|_ITM_.*|__gmon_start__|__libc_single_threaded", "C++ run time"),
    (r"__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|__u?(div|mod|mul|divmod)[dt]i[34]|__popcount[dt]i2|__(float|fix)\w+", "compiler"),
    (r"(exp|log|pow|sqrt|floor|ceil|round|trunc|fmod|ldexp|frexp|exp2|log2|log10|log1p|expm1|lround|llround|nearbyint|cbrt)[fl]?",
     "arithmetic"),
    (r"abort|(__)?v?fprintf(_chk)?|fwrite|fputs|fputc|stderr|__assert_fail", "the assertion's last words (base/assert.hpp)"),
    (r"(__)?v?snprintf(_chk)?|strto[a-z]+", "texts from and to numbers"),
    (r"sodium_init|crypto_scalarmult(_base)?",
     "libsodium: arithmetic of X25519 on what it is given; it is initialised to choose the code for this processor"),
    (r"secp256k1_.*", "libsecp256k1: arithmetic; it takes its nonces and its blinding from us"),
    (r"(SSL|TLS_method|BIO_(meth_|get_new_index|get_data|set_data|set_init|set_flags|clear_flags)).*",
     "libssl over a wire in memory; keys of handshakes come from its own generator (docs/adr/0003)"),
    (r"(EVP|OSSL_PARAM|BN|EC|ECDSA|RSA|ASN1|X509|i2d|d2i|OPENSSL|CRYPTO|HMAC|PKCS5_PBKDF2|ERR|OBJ|BIO_(new|free|s_mem|new_mem_buf|read|write|ctrl)\b)"
     r"_?.*", "OpenSSL: what C_REFUSED leaves of it"),
]
# Looked at first, so that the wide patterns above cannot hide these: (pattern, what it is).
C_REFUSED = [
    (r"RAND_.*|EVP_PKEY_(keygen|paramgen|generate|Q_keygen).*|EVP_PKEY_Q_keygen|EC_KEY_generate_key|RSA_generate_.*|ECDSA_(do_)?sign.*|"
     r"BN_(priv_|pseudo_)?rand.*", "OpenSSL's own randomness: keys and nonces come from Env's Rng"),
    (r"BIO_(new_file|s_file|s_fd|s_socket|s_connect|s_accept|new_socket|new_connect).*|OPENSSL_init_.*|CONF_.*|.*_load_file", "a file or socket"),
    (r"X509_(cmp_current_time|gmtime_adj|time_adj.*)|ASN1_TIME_(set|adj|check|diff)", "a clock"),
    (r"CRYPTO_THREAD_.*", "threads"),
    (r"randombytes.*|crypto_(sign|box|kx)_keypair|sodium_(mlock|malloc|allocarray)", "libsodium's own randomness and memory"),
    (r"strftime.*", "local time"),
]
# C++ names that are refused wherever they come from: (pattern on the demangled name, what it is).
CXX_REFUSED = [
    (r"std::chrono::_V2::|std::chrono::\w+_clock::now", "a clock"),
    (r"std::(thread|jthread|this_thread|condition_variable|_V2::condition_variable|__future_base|mutex|__recursive)\b|"
     r"std::__(atomic_futex|detail::__.*wait)", "threads"),
    (r"std::basic_[io]?f(stream|buf)|std::basic_[io]?fstream|std::basic_filebuf|std::filesystem|__gnu_cxx::stdio", "files"),
    (r"std::(cout|cin|cerr|clog|wcout|wcerr)\b|std::ios_base::Init", "a global stream"),
    (r"std::random_device", "randomness"),
    (r"std::locale::(global|classic)|std::locale::locale\(\)$", "the process's locale"),
    (r"boost::(asio|beast|filesystem|thread)", "input and output"),
    (r"^[^(]*CryptoPP::(OS_Generate|AutoSeeded|Nonblocking|Blocking|RandomNumberGenerator|RandomPool|File|Socket|Timer|ThreadUser)",
     "Crypto++'s own randomness, files or clocks"),
    (r"fmt::v\d+::(v?print|output_file|buffered_file|file)\b", "output"),
    (r"spdlog::|sqlite3_", "log or database"),
]
# Writable data of the core that is accepted: (pattern on the demangled name, reason).
GLOBALS_ALLOWED = [
    (r"^guard variable for .*", "belongs to the object it guards, which is judged itself"),
    (r"^\.L|^__odr_asan|^DW\.ref\.", "compiler"),
    (r"\)(::|\[[^]]*\]::)*k[A-Z]\w*$", "a function's constant, made at its first call and the same in every run; clang-tidy keeps the "
     "kName for constants"),
]

HEADERS_REFUSED = [
    (r"thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier|stop_token", "threads"),
    (r"fstream|filesystem|iostream|sqlite3\.h", "files and streams"),
    (r"random", "randomness: use Env's Rng"),
    (r"boost/(asio|beast|filesystem|thread)(/.*)?(\.hpp)?", "input and output"),
    (r"sys/.*|netinet/.*|arpa/.*|net/.*|netdb\.h|poll\.h|unistd\.h|fcntl\.h|pthread\.h|signal\.h|dirent\.h|ifaddrs\.h|time\.h|ctime",
     "the operating system"),
    (r"openssl/rand\.h|cryptopp/osrng\.h|cryptopp/files\.h", "the library's own randomness or files"),
    (r"spdlog/.*", "logging goes to Env's Log"),
]
# Allowed in .cpp files of one layer at the most, never in a header.
IMPLEMENTATION_ONLY = [
    (r"openssl/.*|secp256k1.*|cryptopp/.*|sodium.*", {"crypto", "proto/tls"}, "cryptographic libraries stay inside .cpp files of src/crypto and src/proto/tls"),
    (r"protozero/.*", None, "protozero stays inside .cpp files"),
    (r"fmt/.*", None, "fmt stays inside .cpp files"),
]
CALLS_REFUSED = [
    (r"(?<!\w)\w*(clock|Clock)\s*::\s*now\s*\(", "reads a clock"),
    (r"(?<![\w.>])(clock_gettime|gettimeofday|nanosleep|usleep|getenv|secure_getenv|getrandom|getentropy|srand|rand)\s*\(",
     "asks the operating system"),
    (r"std\s*::\s*(this_thread|thread|jthread|mutex|shared_mutex|async|random_device|getenv|ifstream|ofstream|fstream|filesystem|"
     r"cout|cerr|clog|time|rand)\b", "touches the world"),
    (r"\bthread_local\b", "is a global"),
    (r"\bthrow\b(?!\s*\(\s*\))", "throws: below the purity line errors are Results"),
]


def scan_text(where: str, layer: str, text: str) -> list[str]:
    """Violations of one file; a test of the core may use <random> engines and throw, nothing more."""
    test = where.endswith("_test.cpp")
    header = where.endswith(".hpp")
    found = []
    for line, name in repo.includes(text):
        for pattern, what in HEADERS_REFUSED:
            if re.fullmatch(pattern, name) and not (test and name in ("random", "iostream")):
                found.append(f"{where}:{line}: includes <{name}>: {what}")
        for pattern, layers, what in IMPLEMENTATION_ONLY:
            if re.fullmatch(pattern, name) and (header or (layers and not any(where.startswith(f"src/{l}/") for l in layers))):
                found.append(f"{where}:{line}: includes <{name}>: {what}")
    code = repo.without_comments(text)
    for pattern, what in CALLS_REFUSED:
        if test and "throw" in pattern:
            continue
        for match in re.finditer(pattern, code):
            line = code.count("\n", 0, match.start()) + 1
            found.append(f"{where}:{line}: `{match.group(0).strip()}` {what}")
    return found


def scan_sources() -> list[str]:
    found, count = [], 0
    for layer in repo.core_layers():
        for path in repo.files(".hpp", ".cpp", under=f"src/{layer}/"):
            count += 1
            found += scan_text(repo.relative(path), layer, path.read_text(encoding="utf-8"))
    if count == 0:
        found.append("purity: no source of the core found, nothing was checked")
    return found


def demangle(names: list[str]) -> dict[str, str]:
    text = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True).stdout
    return dict(zip(names, text.splitlines()))


def judge_import(symbol: str, demangled: str) -> str | None:
    """Why the import is refused; nothing when it is fine."""
    if not symbol.startswith("_Z") or re.fullmatch(C_ALLOWED[0][0], symbol):
        for pattern, what in C_REFUSED:
            if re.fullmatch(pattern, symbol):
                return what
        if any(re.fullmatch(pattern, symbol) for pattern, _ in C_ALLOWED):
            return None
        return "not on the list of pure symbols (tools/purity_gate.py)"
    for pattern, what in CXX_REFUSED:
        if re.search(pattern, demangled):
            return what
    return None


def scan_imports(archive: pathlib.Path) -> list[str]:
    listing = subprocess.run(["nm", "-A", "-P", str(archive)], capture_output=True, text=True, check=True).stdout
    defined: set[str] = set()
    wanted: dict[str, str] = {}
    for line in listing.splitlines():
        where, _, rest = line.rpartition(": ")
        name, kind = rest.split()[:2]
        if kind in "UwvN":
            wanted.setdefault(name, re.sub(r"^.*\[|\]$", "", where))
        else:
            defined.add(name)
    imports = sorted(set(wanted) - defined)
    if not imports or not defined:
        return [f"{archive.name}: no symbols found, nothing was checked"]
    plain = demangle(imports)
    return [f"{archive.name}({wanted[name]}): imports {plain[name]}: {what}"
            for name in imports if (what := judge_import(name, plain[name]))]


def scan_globals(archive: pathlib.Path) -> list[str]:
    """Objects in writable sections; .data.rel.ro is constant once loaded."""
    listing = subprocess.run(["objdump", "-t", str(archive)], capture_output=True, text=True, check=True).stdout
    member, found = "", []
    pattern = re.compile(r"^[0-9a-f]+ .{7} (\.(?:data|bss|tdata|tbss)\S*|\*COM\*)\s+([0-9a-f]+) (?:\.hidden )?(\S+)$")
    for line in listing.splitlines():
        if line.endswith("file format elf64-x86-64") or "file format" in line:
            member = line.split(":")[0]
            continue
        match = pattern.match(line)
        if match and not match.group(1).startswith(".data.rel.ro") and int(match.group(2), 16) > 0:
            found.append((member, match.group(3)))
    names = demangle([name for _, name in found]) if found else {}
    return [f"{archive.name}({where}): writable global {names[name]}" for where, name in found
            if not any(re.search(allowed, names[name]) for allowed, _ in GLOBALS_ALLOWED)]


PLANTED_SOURCES = {
    "#include <thread>\n": "threads", "#include <fstream>": "files", "#include <random>": "randomness",
    "#include <boost/asio.hpp>": "input and output", "#include <sys/socket.h>": "the operating system",
    "#include <openssl/evp.h>": "cryptographic libraries", "#include <protozero/pbf_reader.hpp>": "protozero",
    "auto t = std::chrono::steady_clock::now();": "reads a clock", "auto t = Clock::now ();": "reads a clock",
    "const char* e = getenv(\"HOME\");": "asks the operating system", "int r = rand();": "asks the operating system",
    "std::mutex lock;": "touches the world", "thread_local int calls;": "is a global", "throw 1;": "throws",
}
CLEAN_SOURCE = """#pragma once
#include <chrono>  // #include <thread>
/* std::mutex, std::chrono::steady_clock::now() */
inline const char* text = "std::random_device getenv(";
inline int operand(int n) noexcept { return n; }
inline int x = operand(1'000'000);  // throw
"""
PLANTED_OBJECTS = {
    "a clock": "#include <chrono>\nlong f() { return std::chrono::steady_clock::now().time_since_epoch().count(); }",
    "threads": "#include <thread>\nvoid f() { std::thread t([] {}); t.detach(); }",
    "files": "#include <fstream>\nbool f(const char* p) { std::ifstream s(p); return s.good(); }",
    "randomness": "#include <random>\nunsigned f() { std::random_device d; return d(); }",
    "a global stream": "#include <iostream>\nvoid f() { std::cout << 1; }",
    "imports socket": "#include <sys/socket.h>\nint f() { return socket(1, 1, 0); }",
    "imports getenv": "#include <cstdlib>\nconst char* f() { return getenv(\"A\"); }",
    "imports clock_gettime": "#include <ctime>\nlong f() { timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_nsec; }",
    "imports fopen": "#include <cstdio>\nvoid* f() { return fopen(\"a\", \"r\"); }",
    "imports rand": "#include <cstdlib>\nint f() { return rand(); }",
    "OpenSSL's own randomness": "extern \"C\" int RAND_bytes(unsigned char*, int);\nint f(unsigned char* p) { return RAND_bytes(p, 1); }",
    "writable global counter": "int counter = 3;\nint f() { return ++counter; }",
    "writable global (anonymous namespace)::calls": "namespace { int calls; }\nint f() { return ++calls; }",
    "writable global last": "thread_local int last;\nint f() { return ++last; }",
    "writable global f()::seen": "int f() { static int seen; return ++seen; }",
    "writable global kTable": "int kTable[2] = {1, 2};\nint f(int i) { return ++kTable[i]; }",
}
CLEAN_OBJECT = """#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
struct Base { virtual ~Base() = default; virtual int g() const = 0; };
struct Derived : Base { int g() const override { return 1; } };
static const char* const kNames[] = {"a", "b"};
const std::string& name() {
  static const std::string kName(100, 'x');
  return kName;
}
int f(int n, double d) {
  std::map<std::string, std::shared_ptr<Base>> m;
  m[kNames[n & 1]] = std::make_shared<Derived>();
  if (n > 5) { std::fprintf(stderr, "no %d\\n", n); std::abort(); }
  return m.begin()->second->g() + static_cast<int>(std::log(d));
}
"""


def self_test() -> list[str]:
    failures = []
    for text, expected in PLANTED_SOURCES.items():
        if not any(expected in line for line in scan_text("src/base/planted.hpp", "base", text)):
            failures.append(f"self-test: not found in the source: {text.strip()}")
    failures += [f"self-test: a clean source was refused: {line}" for line in scan_text("src/base/clean.hpp", "base", CLEAN_SOURCE)]

    def findings(folder: pathlib.Path, code: str) -> list[str]:
        (folder / "f.cpp").write_text(code, encoding="utf-8")
        for command in (["g++", "-std=c++20", "-O1", "-c", "f.cpp", "-o", "f.o"], ["ar", "rcs", "f.a", "f.o"]):
            subprocess.run(command, cwd=folder, check=True)
        archive = folder / "f.a"
        found = scan_imports(archive) + scan_globals(archive)
        archive.unlink()
        return found

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for expected, code in PLANTED_OBJECTS.items():
            if not any(expected in line for line in findings(folder, code)):
                failures.append(f"self-test: not found in the archive: {expected}")
        failures += [f"self-test: a clean archive was refused: {line}" for line in findings(folder, CLEAN_OBJECT)]
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", action="store_true")
    parser.add_argument("--archive", type=pathlib.Path)
    parser.add_argument("--self-test", action="store_true")
    chosen = parser.parse_args()
    if not (chosen.sources or chosen.archive or chosen.self_test):
        parser.error("say what to check")
    found = self_test() if chosen.self_test else []
    found += scan_sources() if chosen.sources else []
    found += scan_imports(chosen.archive) + scan_globals(chosen.archive) if chosen.archive else []
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
