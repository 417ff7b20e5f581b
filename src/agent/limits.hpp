#pragma once
// Every bound of the agent protocol (PROTOCOL.md §0 to §8), with the default rates.
#include <cstddef>
#include <cstdint>

#include "base/time.hpp"

namespace starling::agent {

using Days = std::chrono::duration<std::int64_t, std::ratio<86'400>>;

// Clocks (§0).
inline constexpr Duration kClockSkewMax = 120'000ms;  ///< granted at starts only, never at ends

// Names (§1).
inline constexpr std::size_t kNetworkNameBytesMax = 32;  ///< bytes; [a-z0-9-], at least one

// Delegation (§2).
inline constexpr std::size_t kWalletSignatureBytes = 65;  ///< r ‖ s ‖ v, exactly
inline constexpr Duration kDelegationWindowMax =
    Days(90);  ///< not_after − not_before; bounds what a stolen node key is worth
inline constexpr Duration kDelegationWindowDefault = Days(14);  ///< what we sign; renewed at half time
inline constexpr std::size_t kDelegationCacheMax = 20'000;  ///< entries of 32 bytes; a miss costs one recover
inline constexpr std::size_t kFloorStrangersMax = 50'000;   ///< wallets; strangers evict strangers only
inline constexpr std::size_t kFloorMetMax = 100'000;        ///< wallets; kept on disk, least recent goes
inline constexpr Duration kFloorKept = Days(90);  ///< after last sight; the longest a delegation can live

// Presence (§3).
inline constexpr std::size_t kPresenceBytesMax = 3'072;    ///< whole SignedPresence
inline constexpr std::size_t kPresenceAddrsMax = 16;       ///< addresses in a record
inline constexpr std::size_t kPresenceAddrBytesMax = 200;  ///< bytes of one address
inline constexpr std::size_t kPresenceNameBytesMax = 64;   ///< bytes of UTF-8
inline constexpr std::size_t kAgentVersionBytesMax = 64;   ///< bytes of UTF-8
inline constexpr Duration kPresenceLifeMax = 48h;          ///< expires_at − issued_at
inline constexpr Duration kPresenceLifeDefault = 24h;      ///< what we publish
inline constexpr Duration kPresenceRepublish = 8h;         ///< a third of the life: two may fail
inline constexpr Duration kRevocationRepublish =
    24h;  ///< a withdrawn record, until the longest old delegation ended
inline constexpr std::size_t kKnownPresencesMax = 10'000;  ///< records heard by announcement, LRU
inline constexpr std::size_t kLookupAnswersWanted =
    3;  ///< different servers that must have answered GET_VALUE
inline constexpr std::size_t kLookupProvidersMax = 8;       ///< providers asked when no value was found
inline constexpr std::size_t kLookupProvidersParallel = 3;  ///< of them at a time
inline constexpr Duration kPresenceExchangeTimeout = 10s;   ///< /starling/presence/1.0.0, for an answer
inline constexpr std::size_t kPresenceRequestsPending =
    16;                                          ///< requests read ahead on one stream before we stop reading
inline constexpr std::size_t kDialAddrsMax = 4;  ///< addresses of one record that may be dialled
inline constexpr Duration kDialPause = 1min;     ///< per (record, ip, port): a record cannot make us a flood
inline constexpr std::size_t kDialMemoryMax = 8'192;  ///< (record, ip, port) remembered for kDialPause

// Envelope (§4).
inline constexpr std::uint32_t kEnvelopeVersion = 1;                 ///< the one version we speak
inline constexpr std::size_t kEnvelopeGossipBytesMax = 32 * 1024;    ///< Envelope as pubsub data
inline constexpr std::size_t kEnvelopeStreamBytesMax = 1024 * 1024;  ///< Envelope inside a SignedEnvelope
inline constexpr std::size_t kSignedEnvelopeBytesMax =
    1024 * 1024 + 1024;                                   ///< frame of /starling/message/1.0.0, up
inline constexpr std::size_t kEnvelopeIdBytes = 16;       ///< exactly; unique per sender
inline constexpr std::size_t kContentTypeBytesMax = 128;  ///< bytes of UTF-8
inline constexpr std::size_t kConversationBytesMax = 32;  ///< bytes
inline constexpr Duration kEnvelopeLifeMax = Days(7);     ///< expires_at − sent_at
inline constexpr Duration kEnvelopeLifeDefault = 24h;     ///< of what we send
inline constexpr std::size_t kSealKeyBytes = 32;          ///< X25519, exactly; enc has the same
inline constexpr std::size_t kCiphertextBytesMin = 16;    ///< an AEAD tag
inline constexpr Duration kRetryFirst = 1min;             ///< gossip retry; doubles
inline constexpr Duration kRetryMax = 1h;                 ///< the longest pause, until expires_at

// Seal keys (§4).
inline constexpr Duration kSealKeyRotation = 24h;  ///< a stolen key opens a day's messages
inline constexpr Duration kSealKeyKept =
    Days(7);  ///< after expires_at of the last record that named it: the longest envelope life
inline constexpr std::size_t kSealKeysMax = 32;  ///< private halves; rotation and life make 10

// Gossip checks (§5).
inline constexpr Duration kFreshnessMax = 5min;            ///< age of published_at, and of a status' sent_at
inline constexpr Duration kAnnouncementFreshnessMax = 8h;  ///< age of issued_at on agent-announcements
inline constexpr Duration kPublicationMemory = 10min;      ///< (from, id, published_at): twice the freshness
inline constexpr std::size_t kPublicationsMax = 200'000;  ///< 333 accepted envelopes a second for ten minutes
inline constexpr std::size_t kDeliveredMax = 200'000;     ///< (from, id) remembered until expires_at
inline constexpr std::size_t kDeliveredPerSenderMax = 20'000;  ///< of one wallet

// Receipts (§6).
inline constexpr std::size_t kReceiptBytesMax = 4'096;    ///< SignedReceipt
inline constexpr std::size_t kReceiptHintBytesMax = 128;  ///< bytes of UTF-8
inline constexpr Duration kMessageStreamIdle = 60s;       ///< /starling/message/1.0.0
inline constexpr Duration kReceiptEnvelopeLifeMax = 1h;   ///< a receipt that travels over gossip
inline constexpr Duration kReceiptPause = 1min;           ///< one receipt per message over gossip, plus ACKED
inline constexpr Duration kReceiptWait = 500ms;           ///< before the first, for a higher state

// Node status (§7).
inline constexpr std::size_t kStatusBytesMax = 2'048;  ///< NodeStatus
inline constexpr std::size_t kStatusTopicsMax = 16;    ///< TopicStat entries
inline constexpr Duration kStatusInterval = 60s;       ///< × max(1, agents known / kStatusAgentsPerStep)
inline constexpr std::size_t kStatusAgentsPerStep =
    200;  ///< agents known per further kStatusInterval between statuses
inline constexpr Duration kStatusFirstWithin = 2s;  ///< of joining the mesh

// Tables behind the rates (§8).
inline constexpr std::size_t kRatedWalletsMax = 20'000;  ///< wallets with buckets, LRU
inline constexpr std::size_t kRatedForwardersMax =
    4'096;  ///< peers with buckets, LRU; above any connection limit

/// A token bucket: `per_s` a second, at most `burst` at once.
struct Rate {
  double per_s;
  double burst;
};

/// The defaults of §8; every one can be set.
struct RateLimits {
  Rate envelopes{20, 100};              ///< per wallet
  Rate broadcasts{1, 10};               ///< per wallet; a broadcast draws on envelopes too
  Rate announcements{1.0 / 60, 5};      ///< per wallet
  Rate statuses{2.0 / 60, 4};           ///< per wallet
  Rate forwarder_messages{500, 2'000};  ///< per forwarding peer
  Rate forwarder_recovers{50, 50};      ///< per forwarding peer: wallet signatures not in the cache
  Rate strangers{200, 200};             ///< all wallets never met together, for wallets are free
};

/// The caps of the tables that peers fill; smaller ones suit small devices and tests.
struct TableLimits {
  std::size_t delegation_cache = kDelegationCacheMax;
  std::size_t floor_strangers = kFloorStrangersMax;
  std::size_t floor_met = kFloorMetMax;
  std::size_t publications = kPublicationsMax;
  std::size_t delivered = kDeliveredMax;
  std::size_t delivered_per_sender = kDeliveredPerSenderMax;
  std::size_t known_presences = kKnownPresencesMax;
  std::size_t rated_wallets = kRatedWalletsMax;
  std::size_t rated_forwarders = kRatedForwardersMax;
};

}  // namespace starling::agent
