#pragma once
// Hosts for tests over real sockets, and what a test wants to know of the process they live in.
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "starling/host.hpp"
#include "starling/wait.hpp"

namespace starling::net {

inline constexpr const char* kLoopback = "/ip4/127.0.0.1/tcp/0";
inline constexpr const char* kEcho = "/test/echo/1";
/// Nothing here takes as long; who waits longer has found a defect.
inline constexpr std::chrono::seconds kPatience{20};

template <class T, class Start>
Outcome<T> answer(Start start) {
  return wait<T>(std::move(start), kPatience);
}

HostOptions listening();
HostOptions dialling();
/// A started host that echoes on kEcho.
std::unique_ptr<Host> start(HostOptions options);
void serve_echo(Stream stream);

Outcome<std::string> connect(Host& from, Host& to);
/// What came back of `bytes` on one stream of kEcho.
Outcome<std::vector<std::uint8_t>> echo(Host& from, const std::string& peer, std::vector<std::uint8_t> bytes);
std::vector<std::uint8_t> pattern(std::size_t count);
HostStats stats(Host& host);
std::uint64_t counter(Host& host, const std::string& name);
/// Until it holds; false after kPatience.
bool eventually(const std::function<bool()>& holds);

std::uint64_t resident_bytes();
std::size_t open_files();
/// The TCP port of an address as text.
std::uint16_t port_of(const std::string& address);

}  // namespace starling::net
