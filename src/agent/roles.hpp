#pragma once
// Roles (PROTOCOL.md §7): presets of values that can each be set alone.
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace starling::agent {

/// The number on the wire is an int32; unknown ones are kept and shown as "other".
enum class Role : std::int32_t { agent = 0, bootstrap = 1, server = 2, light = 3 };

/// How a node takes part in the DHT.
enum class DhtMode : std::uint8_t {
  client,               ///< keeps a table, answers nobody
  server,               ///< answers from the start
  server_if_reachable,  ///< answers once it is known to be reachable
  puts_and_gets,        ///< no upkeep: PUT and GET only
};

struct RolePreset {
  Role role;
  std::string_view name;
  DhtMode dht;
  bool gossip;  ///< all topics, or none: then it is reached by streams only
  std::uint32_t connections;
  std::string_view meant_for;
};

inline constexpr std::array<RolePreset, 4> kRolePresets{{
    {Role::bootstrap, "bootstrap", DhtMode::server, true, 1'000, "first contact, directory"},
    {Role::agent, "agent", DhtMode::client, true, 50, "regular nodes"},
    {Role::server, "server", DhtMode::server_if_reachable, true, 100, "always-on helpers"},
    {Role::light, "light", DhtMode::puts_and_gets, false, 10, "small devices"},
}};

/// "other" for a number that we do not know.
std::string_view to_string(Role role) noexcept;
std::optional<Role> parse_role(std::string_view name) noexcept;
/// An unknown role's preset is the agent's.
const RolePreset& preset_of(Role role) noexcept;

}  // namespace starling::agent
