#pragma once
#include <optional>
#include <string>
#include <vector>

#include "crypto/keys.hpp"
#include "format/multiaddr.hpp"
#include "format/peer_id.hpp"
#include "identify/signed_record.hpp"

namespace starling::identify {

inline constexpr std::string_view kProtocolId = "/ipfs/id/1.0.0";
inline constexpr std::string_view kPushProtocolId = "/ipfs/id/push/1.0.0";

/// What a peer says about itself. Empty = absent, for every field: a push with an empty field leaves what was
/// known. Nothing in it is certified but what certified_record() returns.
struct Info {
  std::string protocol_version;
  std::string agent_version;
  std::optional<crypto::PublicKey> public_key;
  std::vector<Multiaddr> listen_addrs;
  /// Our address as the peer sees it.
  std::optional<Multiaddr> observed_addr;
  std::vector<std::string> protocols;
  /// A signed envelope as it came (kept for handing on), not checked.
  Bytes signed_peer_record;
};

/// The key, when there is one, must be that of the connection's peer: Errc::wrong_public_key. To be called
/// before anything of `info` is used.
Result<void> verify(const Info& info, const PeerId& peer);
/// The signed record, checked: about and by `peer`. Nothing when there is none, or when its seq is below
/// `newest_seq` (an older record may arrive late without ill will; it is never used). Errors of
/// open_record(), Errc::foreign_record.
Result<std::optional<PeerRecord>> certified_record(const Info& info, const PeerId& peer,
                                                   std::optional<std::uint64_t> newest_seq);
/// Replaces in `known` each field that `update` has. Lists are replaced, not joined, so that repeated pushes
/// cannot make them grow.
void merge_push(Info& known, const Info& update);

}  // namespace starling::identify
