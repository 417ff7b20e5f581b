#include "identify/info.hpp"

namespace starling::identify {

Result<void> verify(const Info& info, const PeerId& peer) {
  if (info.public_key && PeerId::of(*info.public_key) != peer) return fail(Errc::wrong_public_key);
  return {};
}

Result<std::optional<PeerRecord>> certified_record(const Info& info, const PeerId& peer,
                                                   std::optional<std::uint64_t> newest_seq) {
  if (info.signed_peer_record.empty()) return std::optional<PeerRecord>();
  STARLING_ASSIGN(auto record, open_record(info.signed_peer_record));
  if (record.peer != peer) return fail(Errc::foreign_record);
  if (newest_seq && record.seq < *newest_seq) return std::optional<PeerRecord>();
  return std::optional<PeerRecord>(std::move(record));
}

void merge_push(Info& known, const Info& update) {
  if (!update.protocol_version.empty()) known.protocol_version = update.protocol_version;
  if (!update.agent_version.empty()) known.agent_version = update.agent_version;
  if (update.public_key) known.public_key = update.public_key;
  if (!update.listen_addrs.empty()) known.listen_addrs = update.listen_addrs;
  if (update.observed_addr) known.observed_addr = update.observed_addr;
  if (!update.protocols.empty()) known.protocols = update.protocols;
  if (!update.signed_peer_record.empty()) known.signed_peer_record = update.signed_peer_record;
}

}  // namespace starling::identify
