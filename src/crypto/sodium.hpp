#pragma once

namespace starling::crypto::sodium {

/// Before any other call of libsodium: it chooses what this processor does fastest, once in a process, and is
/// a look at a flag from then on. Internal to crypto.
void prepare() noexcept;

}  // namespace starling::crypto::sodium
