#include "agent/roles.hpp"

namespace starling::agent {

std::string_view to_string(Role role) noexcept {
  for (const RolePreset& preset : kRolePresets)
    if (preset.role == role) return preset.name;
  return "other";
}

std::optional<Role> parse_role(std::string_view name) noexcept {
  for (const RolePreset& preset : kRolePresets)
    if (preset.name == name) return preset.role;
  return std::nullopt;
}

const RolePreset& preset_of(Role role) noexcept {
  const RolePreset* fallback = &kRolePresets[0];
  for (const RolePreset& preset : kRolePresets) {
    if (preset.role == role) return preset;
    if (preset.role == Role::agent) fallback = &preset;
  }
  return *fallback;
}

}  // namespace starling::agent
