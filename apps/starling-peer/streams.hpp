#pragma once
// The echo and request protocols that every peer serves, and their asking sides.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "starling/host.hpp"

namespace peer {

inline constexpr const char* kEchoProtocol = "/echo/1.0.0";
inline constexpr const char* kRrProtocol = "/rr/1.0.0";
inline constexpr std::size_t kRrBytes = 64;
inline constexpr std::size_t kMessageBytes = 64;
inline constexpr std::size_t kBlockBytes = 64 * 1024;

void serve_echo(starling::Stream stream);
void serve_rr(const starling::Stream& stream);

/// The byte sequence of the echo command: xorshift32, little-endian words.
std::vector<std::uint8_t> pseudo_random(std::uint32_t seed, std::size_t count);

struct Echoed {
  double ms = 0;
  std::vector<std::uint8_t> bytes;
};
/// Writes `data` and, while it writes, reads to the end.
void ask_echo(const starling::Connection& connection, std::vector<std::uint8_t> data,
              std::function<void(starling::Outcome<Echoed>)> done);
/// What a stream of messages came to.
struct Exchanged {
  std::vector<double> times_us;
  double seconds = 0;
};
/// Messages on one stream of the echo protocol, `depth` in flight until `seconds` are over; each is a write
/// of its own and has to come back as it was.
void ask_messages(const starling::Connection& connection, std::size_t depth, double seconds,
                  std::function<void(starling::Outcome<Exchanged>)> done);
/// One request on a stream of its own.
void ask_rr(const starling::Connection& connection, std::function<void(starling::Outcome<void>)> done);

}  // namespace peer
