#pragma once
// Signed envelopes and the peer records inside them. Spec: libp2p/specs RFC/0002-signed-envelopes.md and
// RFC/0003-routing-records.md, with the constants of the field.
#include <string>
#include <vector>

#include "crypto/keys.hpp"
#include "format/multiaddr.hpp"
#include "format/peer_id.hpp"
#include "identify/errors.hpp"
#include "identify/limits.hpp"

namespace starling::identify {

/// Domain and payload type of a kind of record. Both are signed, so a record of one kind never passes as
/// another.
struct RecordType {
  std::string_view domain;
  std::string_view payload_type;
};
/// What go, js, nim and py use; the payload type is these two bytes, not a varint.
inline constexpr RecordType kPeerRecordType{"libp2p-peer-record", std::string_view("\x03\x01", 2)};
/// What RFC 0003 says and rust emits by default.
inline constexpr RecordType kPeerRecordTypeRfc{"libp2p-routing-state", "/libp2p/routing-state-record"};

/// Envelope { public_key = 1; payload_type = 2; payload = 3; signature = 5 }: bytes, and who signed them for
/// what.
struct Envelope {
  crypto::PublicKey signer;
  Bytes payload_type;
  Bytes payload;
  Bytes signature;

  static Envelope seal(const crypto::PrivateKey& key, const RecordType& type, ByteView payload);
  /// Does not check the signature. Errc::bad_envelope, Errc::bad_public_key.
  static Result<Envelope> decode(ByteView bytes);
  Bytes encode() const;
  /// Errc::unknown_record_type when the payload type is another, Errc::bad_signature.
  Result<void> verify(const RecordType& type) const;
};

/// PeerRecord { peer_id = 1; seq = 2; repeated addresses = 3 { multiaddr = 1 } }: where a peer says that it
/// listens.
struct PeerRecord {
  PeerId peer;
  /// Grows with every record of the peer; the newest replaces the others and is never merged with them.
  std::uint64_t seq = 0;
  std::vector<Multiaddr> addrs;
};

/// The record in an envelope signed by `key`, which must be that of `record.peer` (asserted). Default: the
/// form that go reads.
Bytes seal_record(const PeerRecord& record, const crypto::PrivateKey& key,
                  const RecordType& type = kPeerRecordType);
/// Opens an envelope of either type: signature first, then the record; signer and record.peer must be the
/// same peer. Addresses that we cannot read are skipped. Errc::bad_envelope, bad_public_key,
/// unknown_record_type, bad_signature, bad_record, foreign_record.
Result<PeerRecord> open_record(ByteView envelope);

}  // namespace starling::identify
