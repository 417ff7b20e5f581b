#pragma once
// The libp2p daemon: what a control client may ask for, hold and leave unread.
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace starling::daemon {

/// Bytes of one request. Room for the largest gossip message and the largest DHT record; go's daemon reads
/// 4 MiB and then refuses what does not fit there.
inline constexpr std::size_t kRequestBytesMax = std::size_t{2} << 20;
/// Addresses in one request, and protocols in one.
inline constexpr std::size_t kAddrsPerRequestMax = 64;
inline constexpr std::size_t kProtocolsPerRequestMax = 64;
/// Bytes of a protocol's name: what fits into a multistream message with its newline.
inline constexpr std::size_t kProtocolNameBytesMax = 1023;
/// Entries of a list in an answer that a client of ours decodes.
inline constexpr std::size_t kListEntriesMax = 65'536;

/// Control connections at once, those included that have become streams; further ones are closed at once.
inline constexpr std::size_t kControlConnectionsMax = 4'096;
/// Protocols with a handler.
inline constexpr std::size_t kHandlersMax = 1'024;
/// Inbound streams that handlers have, those included whose handler is still being dialled; further ones are
/// reset. Apart from kControlConnectionsMax, so that peers cannot shut out control clients.
inline constexpr std::size_t kHandlerStreamsMax = 4'096;
/// Time until a handler has accepted the connection for a stream and taken what it is told of it.
inline constexpr std::chrono::seconds kHandlerDialTime{10};
/// Bytes read from a control socket at once; as much of a stream waits in the daemon per direction.
inline constexpr std::size_t kSpliceBytes = 64 * 1024;
/// Gossip messages, and their bytes, that wait for one subscriber to read; further ones are dropped for it
/// and counted.
inline constexpr std::size_t kSubscriberMessagesMax = 1'024;
inline constexpr std::size_t kSubscriberBytesMax = std::size_t{8} << 20;
/// Subscriptions at once.
inline constexpr std::size_t kSubscriptionsMax = 1'024;
/// Gossip messages on their way from the host to the control thread; further ones are dropped and counted.
inline constexpr std::size_t kMessagesOnTheWayMax = 4'096;
/// Time for a request that names none, and the most that one may name.
inline constexpr std::chrono::seconds kRequestTime{60};
inline constexpr std::chrono::seconds kRequestTimeMax{3'600};
/// Providers that FIND_PROVIDERS looks for when it names no count, as in go's daemon, and the most.
inline constexpr std::size_t kProvidersDefault = 20;
inline constexpr std::size_t kProvidersMax = 1'000;
/// The weight of a tag is cut to plus and minus this.
inline constexpr std::int32_t kTagWeightMax = 1'000'000;
/// Connections waiting in the kernel for accept().
inline constexpr int kControlBacklog = 128;
/// Silence of the control socket after the process ran out of file descriptors.
inline constexpr std::chrono::milliseconds kAcceptPause{100};
/// Topics for which dropped messages are counted one by one; those of further ones are counted together.
inline constexpr std::size_t kDropTopicsMax = 1'024;

/// The limits above that a daemon can be given otherwise.
struct Limits {
  std::size_t control_connections = kControlConnectionsMax;
  std::size_t handler_streams = kHandlerStreamsMax;
  std::size_t subscriptions = kSubscriptionsMax;
  std::size_t messages_on_the_way = kMessagesOnTheWayMax;
  std::chrono::milliseconds request_time = kRequestTime;
};

}  // namespace starling::daemon
