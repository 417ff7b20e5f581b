#include "proto/gossip/rpc_codec.hpp"

#include <gmock/gmock.h>

#include "format/protobuf.hpp"
#include "format/varint.hpp"
#include "proto/gossip/errors.hpp"
#include "proto/gossip/rpc_fields.hpp"
#include "testkit/testkit.hpp"

namespace starling::gossip {
namespace {

using ::testing::SizeIs;

Bytes join(const Frame& frame) {
  Bytes out;
  for (const Slice& part : frame.parts) append(out, part);
  EXPECT_EQ(out.size(), frame.size_bytes);
  return out;
}

/// The body of a frame, its length prefix checked.
Bytes body_of(const Frame& frame) {
  const Bytes bytes = join(frame);
  const auto length = format::read_minimal_varint(bytes);
  EXPECT_TRUE(length.has_value());
  EXPECT_EQ(length->value + length->size, bytes.size());
  return to_bytes(ByteView(bytes).subspan(length->size));
}

std::size_t control_size(ByteView body) {
  pb::Reader reader(body);
  std::size_t size = 0;
  while (true) {
    const auto field = reader.next();
    EXPECT_TRUE(field.has_value());
    if (!*field) return size;
    if ((*field)->id == field::kRpcControl) size += (*field)->payload.size();
  }
}

Message some_message(Rng& rng, std::size_t data_bytes) {
  Message out;
  out.from = Bytes(38, 1);
  Bytes data(data_bytes);
  rng.fill(data);
  out.data = Slice::copy(data);
  out.seqno = to_bytes(rng.bytes<8>());
  out.topic = "agent-messages";
  out.signature = to_bytes(rng.bytes<64>());
  return *decode_message(encode_message(out));
}

MessageId some_id(Rng& rng, std::size_t size = 47) {
  MessageId id(size);
  rng.fill(id);
  return id;
}

Rpc random_rpc(Rng& rng) {
  Rpc rpc;
  for (std::uint64_t i = rng.below(5); i > 0; --i)
    rpc.subscriptions.push_back({"t" + std::to_string(rng.below(100)),
                                 rng.below(2) == 0 ? Subscription::subscribe : Subscription::unsubscribe});
  for (std::uint64_t i = rng.below(4); i > 0; --i)
    rpc.messages.push_back(std::make_shared<const Message>(some_message(rng, rng.below(3000))));
  for (std::uint64_t i = rng.below(3); i > 0; --i) {
    IHave entry{"topic" + std::to_string(i), {}};
    for (std::uint64_t k = 1 + rng.below(5); k > 0; --k)
      entry.ids.push_back(some_id(rng, 1 + rng.below(100)));
    rpc.control.ihave.push_back(entry);
    rpc.control.iwant.push_back({entry.ids});
    rpc.control.graft.push_back({"g" + std::to_string(i)});
    Prune prune{"p" + std::to_string(i), {}, rng.u64() >> rng.below(64)};
    for (std::uint64_t k = rng.below(4); k > 0; --k)
      prune.peers.push_back({some_id(rng, 34), Slice::copy(some_id(rng, rng.below(300)))});
    rpc.control.prune.push_back(std::move(prune));
  }
  return rpc;
}

void expect_equal(const Rpc& a, const Rpc& b) {
  ASSERT_EQ(a.subscriptions.size(), b.subscriptions.size());
  for (std::size_t i = 0; i < a.subscriptions.size(); ++i) {
    EXPECT_EQ(a.subscriptions[i].topic, b.subscriptions[i].topic);
    EXPECT_EQ(a.subscriptions[i].change, b.subscriptions[i].change);
  }
  ASSERT_EQ(a.messages.size(), b.messages.size());
  for (std::size_t i = 0; i < a.messages.size(); ++i)
    EXPECT_TRUE(equal(a.messages[i]->raw, b.messages[i]->raw));
  ASSERT_EQ(a.control.ihave.size(), b.control.ihave.size());
  for (std::size_t i = 0; i < a.control.ihave.size(); ++i) {
    EXPECT_EQ(a.control.ihave[i].topic, b.control.ihave[i].topic);
    EXPECT_EQ(a.control.ihave[i].ids, b.control.ihave[i].ids);
    EXPECT_EQ(a.control.iwant[i].ids, b.control.iwant[i].ids);
    EXPECT_EQ(a.control.graft[i].topic, b.control.graft[i].topic);
  }
  ASSERT_EQ(a.control.prune.size(), b.control.prune.size());
  for (std::size_t i = 0; i < a.control.prune.size(); ++i) {
    const Prune& x = a.control.prune[i];
    const Prune& y = b.control.prune[i];
    EXPECT_EQ(x.topic, y.topic);
    EXPECT_EQ(x.backoff_s, y.backoff_s);
    ASSERT_EQ(x.peers.size(), y.peers.size());
    for (std::size_t k = 0; k < x.peers.size(); ++k) {
      EXPECT_EQ(x.peers[k].id, y.peers[k].id);
      EXPECT_TRUE(equal(x.peers[k].signed_record, y.peers[k].signed_record));
    }
  }
}

TEST(GossipCodec, WhatIsEncodedIsDecoded) {
  SeededRng rng(testkit::seed(5));
  for (int i = 0; i < 300; ++i) {
    const Rpc rpc = random_rpc(rng);
    const auto frames = encode(rpc);
    if (rpc.empty()) {
      EXPECT_TRUE(frames.empty());
      continue;
    }
    ASSERT_THAT(frames, SizeIs(1));
    const auto back = decode(body_of(frames[0]));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->skipped_count, 0U);
    expect_equal(rpc, *back);
  }
}

TEST(GossipCodec, PayloadsAreSharedNotCopied) {
  SeededRng rng(1);
  Rpc rpc;
  rpc.messages.push_back(std::make_shared<const Message>(some_message(rng, 5000)));
  const auto frames = encode(rpc);
  ASSERT_THAT(frames, SizeIs(1));
  ASSERT_THAT(frames[0].parts, SizeIs(2));
  EXPECT_EQ(frames[0].parts[1].data(), rpc.messages[0]->raw.data());
}

TEST(GossipCodec, AMessageWithoutItsEncodingIsEncodedOnTheWay) {
  SeededRng rng(1);
  Message bare = some_message(rng, 100);
  const Bytes expected = to_bytes(bare.raw.view());
  bare.data = Slice::copy(bare.data);
  bare.raw = {};
  Rpc rpc;
  rpc.messages.push_back(std::make_shared<const Message>(bare));
  const auto back = decode(body_of(encode(rpc)[0]));
  ASSERT_TRUE(back.has_value());
  EXPECT_TRUE(equal(back->messages.at(0)->raw, expected));
}

// §3.10 trap 4: rust closes the stream above 16 KiB of control in one RPC.
TEST(GossipCodec, ControlIsSplitIntoFramesBelowItsLimit) {
  SeededRng rng(2);
  Rpc rpc;
  for (int t = 0; t < 3; ++t) {
    IHave entry{"topic" + std::to_string(t), {}};
    for (int i = 0; i < 2000; ++i) entry.ids.push_back(some_id(rng));
    rpc.control.ihave.push_back(std::move(entry));
  }
  for (int i = 0; i < 1500; ++i) {
    rpc.control.graft.push_back({"graft" + std::to_string(i)});
    rpc.control.prune.push_back({"prune" + std::to_string(i), {}, 60});
  }
  IWant want;
  for (int i = 0; i < 2000; ++i) want.ids.push_back(some_id(rng));
  rpc.control.iwant.push_back(want);
  std::size_t ihave = 0;
  std::size_t iwant = 0;
  std::size_t grafts = 0;
  std::size_t prunes = 0;
  const auto frames = encode(rpc);
  EXPECT_GT(frames.size(), 20U);
  EXPECT_LT(frames.size(), 40U);
  DecodeLimits wide;
  wide.control_entries_max = 10000;
  for (const Frame& frame : frames) {
    const Bytes body = body_of(frame);
    EXPECT_LE(control_size(body), kControlSentBytesMax);
    EXPECT_LE(body.size(), kRpcSentBytesMax);
    const auto back = decode(body, wide);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->skipped_count, 0U);
    for (const IHave& entry : back->control.ihave) ihave += entry.ids.size();
    for (const IWant& entry : back->control.iwant) iwant += entry.ids.size();
    grafts += back->control.graft.size();
    prunes += back->control.prune.size();
  }
  EXPECT_EQ(ihave, 6000U);
  EXPECT_EQ(iwant, 2000U);
  EXPECT_EQ(grafts, 1500U);
  EXPECT_EQ(prunes, 1500U);
}

TEST(GossipCodec, MessagesAreSplitUnlessASingleOneIsBigger) {
  SeededRng rng(3);
  Rpc rpc;
  for (int i = 0; i < 30; ++i)
    rpc.messages.push_back(std::make_shared<const Message>(some_message(rng, 9000)));
  rpc.messages.push_back(std::make_shared<const Message>(some_message(rng, 200'000)));
  rpc.messages.push_back(std::make_shared<const Message>(some_message(rng, 10)));
  std::size_t count = 0;
  std::size_t above = 0;
  for (const Frame& frame : encode(rpc)) {
    const auto back = decode(body_of(frame));
    ASSERT_TRUE(back.has_value());
    count += back->messages.size();
    if (frame.size_bytes > kRpcSentBytesMax + 3) {
      ++above;
      EXPECT_THAT(back->messages, SizeIs(1));
    }
  }
  EXPECT_EQ(count, 32U);
  EXPECT_EQ(above, 1U);
}

TEST(GossipCodec, NoFrameCarriesMoreMessagesThanTheLimit) {
  SeededRng rng(3);
  Rpc rpc;
  const auto message = std::make_shared<const Message>(some_message(rng, 1));
  for (std::size_t i = 0; i < kMessagesPerRpcSentMax + 1; ++i) rpc.messages.push_back(message);
  const auto frames = encode(rpc);
  ASSERT_THAT(frames, SizeIs(2));
  EXPECT_THAT(decode(body_of(frames[0]))->messages, SizeIs(kMessagesPerRpcSentMax));
}

TEST(GossipCodec, TheFirstFrameHoldsAllSubscriptions) {
  Rpc rpc;
  for (int i = 0; i < 150; ++i) rpc.subscriptions.push_back({"topic-number-" + std::to_string(i)});
  for (int i = 0; i < 900; ++i) rpc.control.graft.push_back({std::string(100, 'g') + std::to_string(i)});
  const auto frames = encode(rpc);
  EXPECT_GT(frames.size(), 1U);
  EXPECT_THAT(decode(body_of(frames[0]))->subscriptions, SizeIs(150));
}

TEST(GossipCodec, APruneTooBigLosesItsRecordsThenItsPeers) {
  Rpc rpc;
  Prune prune{"topic", {}, 60};
  for (int i = 0; i < 16; ++i) prune.peers.push_back({Bytes(39, 7), Slice::copy(Bytes(4000, 1))});
  rpc.control.prune.push_back(prune);
  auto back = decode(body_of(encode(rpc).at(0)));
  ASSERT_THAT(back->control.prune, SizeIs(1));
  EXPECT_THAT(back->control.prune[0].peers, SizeIs(16));
  EXPECT_TRUE(back->control.prune[0].peers[0].signed_record.empty());
  EncodeLimits tight;
  tight.control_bytes_max = 300;
  back = decode(body_of(encode(rpc, tight).at(0)));
  EXPECT_GE(back->control.prune[0].peers.size(), 4U);
  EXPECT_LT(back->control.prune[0].peers.size(), 16U);
  EXPECT_EQ(back->control.prune[0].backoff_s, 60U);
}

// E.3 #5 and #6: unlimited SUBSCRIBE entries.
TEST(GossipCodec, ASubscriptionFloodIsCutBeforeItIsStored) {
  Bytes body;
  for (int i = 0; i < 40000; ++i) {
    Bytes inner;
    pb::Writer writer(inner);
    writer.varint(field::kSubOptsSubscribe, 1);
    writer.string(field::kSubOptsTopic, "t" + std::to_string(i));
    pb::Writer(body).bytes(field::kRpcSubscriptions, inner);
  }
  const auto rpc = decode(body);
  ASSERT_TRUE(rpc.has_value());
  EXPECT_THAT(rpc->subscriptions, SizeIs(kSubscriptionsPerRpcMax));
  EXPECT_EQ(rpc->skipped_count, 40000 - kSubscriptionsPerRpcMax);
}

// E.3 #7: 1 MiB of one-byte ids, and every other kind of entry.
TEST(GossipCodec, AControlFloodIsCutBeforeItIsStored) {
  for (const std::uint32_t kind : {field::kControlIhave, field::kControlIwant}) {
    Bytes entry;
    if (kind == field::kControlIhave) pb::Writer(entry).string(field::kIhaveTopic, "t");
    const std::uint32_t id_field = kind == field::kControlIhave ? field::kIhaveIds : field::kIwantIds;
    while (entry.size() < kRpcBytesMax - 100) pb::Writer(entry).bytes(id_field, Bytes{1});
    Bytes control;
    pb::Writer(control).bytes(kind, entry);
    Bytes body;
    pb::Writer(body).bytes(field::kRpcControl, control);
    const auto rpc = decode(body);
    ASSERT_TRUE(rpc.has_value());
    EXPECT_EQ((rpc->control.ihave.empty() ? rpc->control.iwant.at(0).ids : rpc->control.ihave[0].ids).size(),
              kIdsPerRpcMax);
    EXPECT_GT(rpc->skipped_count, 300'000U);
  }
  for (const std::uint32_t kind :
       {field::kControlIhave, field::kControlIwant, field::kControlGraft, field::kControlPrune}) {
    Bytes entry;
    pb::Writer(entry).string(1, "t");
    if (kind == field::kControlIhave) pb::Writer(entry).bytes(field::kIhaveIds, Bytes{1});
    Bytes control;
    for (int i = 0; i < 5000; ++i) pb::Writer(control).bytes(kind, entry);
    Bytes body;
    pb::Writer(body).bytes(field::kRpcControl, control);
    const auto rpc = decode(body);
    ASSERT_TRUE(rpc.has_value());
    EXPECT_EQ(rpc->control.ihave.size() + rpc->control.iwant.size() + rpc->control.graft.size() +
                  rpc->control.prune.size(),
              kControlEntriesPerRpcMax);
    EXPECT_EQ(rpc->skipped_count, 5000 - kControlEntriesPerRpcMax);
  }
}

TEST(GossipCodec, AMessageFloodIsCutBeforeItIsStored) {
  Bytes body;
  for (int i = 0; i < 100'000; ++i) pb::Writer(body).bytes(field::kRpcPublish, {});
  const auto rpc = decode(body);
  ASSERT_TRUE(rpc.has_value());
  EXPECT_THAT(rpc->messages, SizeIs(kMessagesPerRpcMax));
  EXPECT_EQ(rpc->skipped_count, 100'000 - kMessagesPerRpcMax);
}

TEST(GossipCodec, OversizedFieldsAreSkippedOneByOne) {
  const auto prune_with = [](std::size_t peers, std::size_t id_bytes, std::size_t record_bytes) {
    Bytes prune;
    pb::Writer(prune).string(field::kPruneTopic, "t");
    for (std::size_t i = 0; i < peers; ++i) {
      Bytes peer;
      pb::Writer(peer).bytes(field::kPxPeerId, Bytes(id_bytes, 1));
      pb::Writer(peer).bytes(field::kPxRecord, Bytes(record_bytes, 1));
      pb::Writer(prune).bytes(field::kPrunePeers, peer);
    }
    Bytes control;
    pb::Writer(control).bytes(field::kControlPrune, prune);
    Bytes body;
    pb::Writer(body).bytes(field::kRpcControl, control);
    return decode(body);
  };
  EXPECT_THAT(prune_with(100, 39, 1)->control.prune.at(0).peers, SizeIs(kPxPeersPerPruneMax));
  EXPECT_THAT(prune_with(1, kPxPeerIdBytesMax + 1, 1)->control.prune.at(0).peers, SizeIs(0));
  EXPECT_TRUE(
      prune_with(1, 39, kPxRecordBytesMax + 1)->control.prune.at(0).peers.at(0).signed_record.empty());
  EXPECT_EQ(prune_with(1, 39, kPxRecordBytesMax)->control.prune.at(0).peers.at(0).signed_record.size(),
            kPxRecordBytesMax);

  Message long_topic;
  long_topic.topic = std::string(kTopicBytesMax + 1, 't');
  Message long_author;
  long_author.from = Bytes(kAuthorBytesMax + 1, 1);
  Message long_seqno;
  long_seqno.seqno = Bytes(kSeqnoKeptBytesMax + 1, 1);
  Message long_signature;
  long_signature.signature = Bytes(kSignatureBytesMax + 1, 1);
  Message long_key;
  long_key.key = Bytes(kKeyBytesMax + 1, 1);
  for (const Message* m : {&long_topic, &long_author, &long_seqno, &long_signature, &long_key}) {
    EXPECT_TRUE(decode_message(encode_message(*m)).error().is(Errc::too_large));
    Bytes body;
    pb::Writer(body).bytes(field::kRpcPublish, encode_message(*m));
    const auto rpc = decode(body);
    ASSERT_TRUE(rpc.has_value());
    EXPECT_TRUE(rpc->messages.empty());
    EXPECT_EQ(rpc->skipped_count, 1U);
  }
  Rpc topics;
  topics.subscriptions.push_back({std::string(kTopicBytesMax + 1, 't')});
  topics.control.graft.push_back({std::string(kTopicBytesMax + 1, 't')});
  const auto rpc = decode(body_of(encode(topics).at(0)));
  EXPECT_TRUE(rpc->empty());
  EXPECT_EQ(rpc->skipped_count, 2U);
}

TEST(GossipCodec, ABodyAboveTheLimitIsRefusedUnread) {
  EXPECT_TRUE(decode(Bytes(kRpcBytesMax + 1)).error().is(Errc::too_large));
}

// E.3 #9 (CL-2020-07): the frame reader bounds the length before it allocates.
TEST(GossipCodec, ALengthPrefixWithoutABodyAllocatesNothing) {
  for (const std::uint64_t length :
       {std::uint64_t{kRpcBytesMax} + 1, std::uint64_t{1} << 31, std::uint64_t{1} << 63}) {
    format::FrameReader reader(kRpcBytesMax);
    Bytes prefix;
    format::put_varint(prefix, length);
    reader.receive(prefix);
    EXPECT_FALSE(reader.next().has_value());
  }
  format::FrameReader reader(kRpcBytesMax);
  Bytes prefix;
  format::put_varint(prefix, kRpcBytesMax);
  reader.receive(prefix);
  const auto frame = reader.next();
  ASSERT_TRUE(frame.has_value());
  EXPECT_FALSE(frame->has_value());
  EXPECT_LE(reader.buffered_bytes(), prefix.size());
}

TEST(GossipCodec, MalformedBytesAreNamedSo) {
  const std::vector<Bytes> bad = {
      {0x0a},                                                              // a length that is missing
      {0x0a, 0x05, 1},                                                     // beyond the end
      {0x08, 0x01},                                                        // subscriptions as a varint
      {0x10, 0x01},                                                        // publish as a varint
      {0x18, 0x01},                                                        // control as a varint
      {0x0a, 0x02, 0x10, 0x01},                                            // topic as a varint
      {0x0a, 0x02, 0x0a, 0x00},                                            // subscribe as bytes
      {0x12, 0x02, 0x08, 0x01},                                            // from as a varint
      {0x1a, 0x02, 0x08, 0x01},                                            // ihave as a varint
      {0x1a, 0x04, 0x22, 0x02, 0x1a, 0x00},                                // backoff as bytes
      {0x0b, 0x0c},                                                        // a group
      {0x00, 0x00},                                                        // field number 0
      {0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},  // a length over 64 bits
  };
  for (std::size_t i = 0; i < bad.size(); ++i) {
    const auto rpc = decode(bad[i]);
    ASSERT_FALSE(rpc.has_value()) << i;
    EXPECT_TRUE(rpc.error().is(Errc::malformed)) << i;
  }
}

TEST(GossipCodec, NewerPeersFieldsAreTolerated) {
  Bytes idontwant;
  pb::Writer(idontwant).bytes(1, Bytes(20, 1));
  Bytes control;
  pb::Writer(control).bytes(5, idontwant);          // IDONTWANT of 1.2
  pb::Writer(control).bytes(6, Bytes{0x08, 0x01});  // extensions of 1.3
  pb::Writer(control).bytes(field::kControlGraft, Bytes{0x0a, 0x01, 't'});
  Bytes body;
  pb::Writer(body).bytes(field::kRpcControl, control);
  pb::Writer(body).bytes(10, Bytes{1, 2, 3});  // partial messages
  pb::Writer(body).varint(6492434, 1);         // an experimental extension
  const auto rpc = decode(body);
  ASSERT_TRUE(rpc.has_value());
  EXPECT_THAT(rpc->control.graft, SizeIs(1));
  EXPECT_EQ(rpc->skipped_count, 0U);
}

TEST(GossipCodec, UnknownFieldsOfAMessageAreNotPassedOn) {
  SeededRng rng(6);
  const Message clean = some_message(rng, 50);
  Bytes bytes = to_bytes(clean.raw.view());
  pb::Writer(bytes).bytes(99, Bytes(500, 1));
  const auto message = decode_message(bytes);
  ASSERT_TRUE(message.has_value());
  EXPECT_TRUE(equal(message->raw, clean.raw));
}

TEST(GossipCodec, ASmallMessageDoesNotPinTheFrameItCameIn) {
  SeededRng rng(6);
  const Message clean = some_message(rng, 50);
  Bytes body;
  pb::Writer(body).bytes(field::kRpcPublish, clean.raw);
  pb::Writer(body).bytes(77, Bytes(500'000, 0));
  const auto rpc = decode(body);
  ASSERT_TRUE(rpc.has_value());
  const Message& message = *rpc->messages.at(0);
  EXPECT_EQ(message.raw.size(), clean.raw.size());
  EXPECT_TRUE(message.raw.data() < body.data() || message.raw.data() >= body.data() + body.size());
}

TEST(GossipCodec, AnySequenceOfBytesIsDecodedOrRefused) {
  SeededRng rng(testkit::seed(7));
  for (int i = 0; i < 3000; ++i) {
    const Rpc rpc = random_rpc(rng);
    if (rpc.empty()) continue;
    Bytes body = body_of(encode(rpc).at(0));
    for (std::uint64_t k = 1 + rng.below(4); k > 0; --k)
      body[rng.below(body.size())] ^= static_cast<std::uint8_t>(1 << rng.below(8));
    if (rng.below(4) == 0) body.resize(rng.below(body.size()));
    if (const auto back = decode(body)) {
      encode(*back);
    } else {
      EXPECT_TRUE(back.error().is(Errc::malformed));
    }
  }
}

}  // namespace
}  // namespace starling::gossip
