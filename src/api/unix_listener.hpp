#pragma once
#include <filesystem>

#include "api/errors.hpp"

namespace starling::api {

/// A listening Unix socket of mode 0600: whoever may open the file may connect, so the file system is the
/// access control. Replaces the socket file of a program that is gone, and nothing else. The caller owns the
/// descriptor and unlinks the path in the end. Errc::socket_path, cannot_listen.
Result<int> open_unix_listener(const std::filesystem::path& path, int backlog);

}  // namespace starling::api
