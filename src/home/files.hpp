#pragma once
#include <filesystem>
#include <string>

#include "base/bytes.hpp"
#include "home/errors.hpp"

namespace starling::home {

/// The whole file. Errc::cannot_read, also above `bytes_max`.
Result<Bytes> read_file(const std::filesystem::path& path, std::size_t bytes_max = 1 << 20);
/// Atomically: written beside, synced, renamed over. Mode 0600. Errc::cannot_write.
Result<void> write_secret(const std::filesystem::path& path, ByteView content);
/// Errc::unsafe_permissions when group or others may read it.
Result<void> check_private(const std::filesystem::path& path);

}  // namespace starling::home
