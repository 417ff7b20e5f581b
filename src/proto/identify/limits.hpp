#pragma once
// Every bound of identify and of signed peer records in one place.
#include <cstddef>

#include "base/time.hpp"

namespace starling::identify {

/// Bytes of one message that we accept (go and js: the same).
inline constexpr std::size_t kMessageBytesMax = 8192;
/// Messages of one identify or push that are read and merged (go: the same).
inline constexpr std::size_t kMessagesMax = 10;
/// Protocols kept per peer; the rest is dropped (go: the same).
inline constexpr std::size_t kProtocolsMax = 1024;
/// Bytes of a protocol id; a longer one is dropped.
inline constexpr std::size_t kProtocolBytesMax = 256;
/// Listen addresses kept per connected peer; the rest is dropped (go: the same).
inline constexpr std::size_t kAddressesMax = 500;
/// Bytes of protocol_version and agent_version; a longer one counts as absent.
inline constexpr std::size_t kVersionBytesMax = 256;
/// Messages that we send at most: go counts the end of the stream as one of its ten.
inline constexpr std::size_t kSentMessagesMax = 9;
/// Time for a whole identify exchange (go: the same).
inline constexpr Duration kExchangeTimeMax = 5s;
/// Pushes that are taken on average: one per this time and per /24 (IPv4) or /56 (IPv6) of the sender,
/// loopback excepted (go: the same).
inline constexpr Duration kPushIntervalMin = 5s;
/// Pushes from one such group that may come at once (go: the same).
inline constexpr std::size_t kPushBurst = 10;
/// Above this total, the signed record goes into a message of its own, because old peers read 2 KiB only.
inline constexpr std::size_t kSingleMessageBytesMax = 2048;
/// Bytes of any message that we send: rust refuses more than 4,096 with its prefix.
inline constexpr std::size_t kSentMessageBytesMax = 4000;
/// Bytes of a signed envelope that we open: a message's size.
inline constexpr std::size_t kEnvelopeBytesMax = kMessageBytesMax;
/// Addresses of a signed record; a record with more is cut.
inline constexpr std::size_t kRecordAddressesMax = 500;

}  // namespace starling::identify
