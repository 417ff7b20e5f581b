#!/usr/bin/env bash
# Installs a finished build into a temporary folder and builds strangers' projects against it: once with CMake's find_package,
# once with nothing but pkg-config. usage: run.sh BUILD_DIR
set -euo pipefail
build=$(readlink -f "$1")
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" >"$work/install.log" || { tail -n 20 "$work/install.log" && exit 1; }

# expect WORD PROGRAM: the program succeeds and its output starts with the word.
expect() {
  local output
  output=$("$2")
  [[ $output == "$1 "* ]] || { echo "$2 said '$output', expected '$1 …'" && exit 1; }
  echo "$output ($(basename "$2"))"
}

with_cmake() { # folder
  if ! { cmake -S "$here/$1" -B "$work/$1" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_BUILD_TYPE=Debug &&
    cmake --build "$work/$1"; } >"$work/$1.log" 2>&1; then
    cat "$work/$1.log"
    exit 1
  fi
  expect "$1" "$work/$1/$1_consumer"
}

with_pkgconfig() { # folder package standard
  local flags
  flags=$(PKG_CONFIG_PATH="$work/prefix/lib/pkgconfig" pkg-config --cflags --libs "$2")
  # shellcheck disable=SC2086  # the flags are words
  g++ -std="$3" -Wall -Wextra -Werror "$here/$1/main.cpp" -o "$work/$1_pkgconfig" $flags
  expect "$1" "$work/$1_pkgconfig"
}

with_cmake core
with_pkgconfig core starling-core c++23
if [[ -f $work/prefix/lib/libstarling.a ]]; then
  with_cmake node
  with_pkgconfig node starling c++20
  with_cmake agent
  with_pkgconfig agent starling c++20
fi
