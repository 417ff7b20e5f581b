#include "multistream/fixtures.hpp"

namespace starling::multistream {
namespace {

TEST(MultistreamInitiator, SendsHeaderAndFirstProposalInOneFlight) {
  Initiator initiator({"/noise", "/tls/1.0.0"}, Lazy::no, kStart);
  EXPECT_EQ(drain(initiator), wire({kHeader, "/noise"}));
  EXPECT_TRUE(initiator.to_send().empty());
  EXPECT_FALSE(initiator.outcome());
}

TEST(MultistreamInitiator, MayWriteAtOnceOnlyWhenLazyWithOneProposal) {
  EXPECT_TRUE(Initiator({"/a"}, Lazy::yes, kStart).may_write());
  EXPECT_FALSE(Initiator({"/a"}, Lazy::no, kStart).may_write());
  EXPECT_FALSE(Initiator({"/a", "/b"}, Lazy::yes, kStart).may_write());
}

TEST(MultistreamInitiator, AgreesWhenTheProposalIsEchoed) {
  Initiator initiator({"/a"}, Lazy::no, kStart);
  const Bytes answer = wire({kHeader, "/a"});
  EXPECT_EQ(initiator.receive(answer), answer.size());
  ASSERT_TRUE(initiator.outcome() && initiator.outcome()->has_value());
  EXPECT_EQ((*initiator.outcome())->protocol, "/a");
  EXPECT_TRUE(initiator.may_write());
  EXPECT_TRUE(initiator.deadline().is_never());
}

TEST(MultistreamInitiator, TriesItsProposalsInOrder) {
  Initiator initiator({"/a", "/b", "/c"}, Lazy::no, kStart);
  drain(initiator);
  ASSERT_TRUE(initiator.receive(wire({kHeader, kNotAvailable})));
  EXPECT_EQ(initiator.proposed(), "/b");
  EXPECT_EQ(drain(initiator), wire({"/b"}));
  ASSERT_TRUE(initiator.receive(wire({kNotAvailable})));
  EXPECT_EQ(drain(initiator), wire({"/c"}));
  ASSERT_TRUE(initiator.receive(wire({"/c"})));
  EXPECT_EQ((*initiator.outcome())->protocol, "/c");
}

TEST(MultistreamInitiator, EndsWithoutACommonProtocolWhenAllAreRefused) {
  Initiator initiator({"/a"}, Lazy::yes, kStart);
  const Bytes answer = wire({kHeader, kNotAvailable});
  EXPECT_EQ(initiator.receive(answer), answer.size()) << "an outcome, not a failure of the stream";
  ASSERT_TRUE(initiator.outcome());
  EXPECT_TRUE(initiator.outcome()->error().is(Errc::no_common_protocol));
  EXPECT_EQ(initiator.outcome()->error().kind(), Kind::unsupported);
  EXPECT_FALSE(initiator.may_write());
}

TEST(MultistreamInitiator, RefusesAnAnswerAboutSomethingElse) {
  for (const auto* answer : {"/b", "ls", "", "/a/", "NA"}) {
    Initiator initiator({"/a", "/c"}, Lazy::no, kStart);
    EXPECT_TRUE(initiator.receive(wire({kHeader, answer})).error().is(Errc::unexpected_answer)) << answer;
    EXPECT_TRUE(initiator.outcome()->error().is(Errc::unexpected_answer));
    EXPECT_EQ(initiator.receive(wire({"/a"})), 0u) << "nothing is consumed after the outcome";
  }
}

TEST(MultistreamInitiator, RefusesAnotherHeader) {
  for (const auto* header : {"/multistream/2.0.0", "na", "/a", ""}) {
    Initiator initiator({"/a"}, Lazy::no, kStart);
    EXPECT_TRUE(initiator.receive(wire({header})).error().is(Errc::bad_header)) << header;
  }
}

TEST(MultistreamInitiator, FailsOnMalformedBytesAndStaysFailed) {
  Initiator initiator({"/a"}, Lazy::no, kStart);
  EXPECT_TRUE(initiator.receive(testkit::hex("ffff")).error().is(Errc::bad_length));
  EXPECT_TRUE(initiator.outcome()->error().is(Errc::bad_length));
  EXPECT_TRUE(initiator.deadline().is_never());
}

TEST(MultistreamInitiator, KeepsOneDeadlineForTheWholeNegotiation) {
  Initiator initiator({"/a"}, Lazy::no, kStart);
  const Bytes answer = wire({kHeader, "/a"});
  // A byte every five seconds: progress does not move the deadline.
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(initiator.receive(ByteView(answer).subspan(static_cast<std::size_t>(i), 1)));
    EXPECT_EQ(initiator.deadline(), kStart + kNegotiationTimeMax);
    EXPECT_TRUE(initiator.on_deadline(kStart + i * 5s).has_value());
  }
  EXPECT_TRUE(initiator.on_deadline(kStart + kNegotiationTimeMax - 1ns).has_value());
  EXPECT_TRUE(initiator.on_deadline(kStart + kNegotiationTimeMax).error().is(Errc::timed_out));
  EXPECT_EQ(initiator.outcome()->error().kind(), Kind::timeout);
  EXPECT_TRUE(initiator.on_deadline(kStart + 60s).has_value())
      << "the outcome is known, nothing more happens";
}

TEST(MultistreamListener, SaysNothingBeforeThePeerDoes) {
  const Known known({"/a"});
  Listener listener(known, kStart);
  EXPECT_TRUE(listener.to_send().empty());
  const Bytes header = wire({kHeader});
  ASSERT_TRUE(listener.receive(ByteView(header).first(header.size() - 1)));
  EXPECT_TRUE(listener.to_send().empty());
  ASSERT_TRUE(listener.receive(ByteView(header).last(1)));
  EXPECT_EQ(drain(listener), header);
}

TEST(MultistreamListener, EchoesWhatItSupportsAndLeavesTheRestAlone) {
  const Known known({"/b"});
  Listener listener(known, kStart);
  Bytes stream = wire({kHeader, "/a", "/b"});
  const std::size_t negotiation_bytes = stream.size();
  append(stream, wire({"/b"}));  // looks like a message and is application data
  EXPECT_EQ(listener.receive(stream), negotiation_bytes);
  EXPECT_EQ(drain(listener), wire({kHeader, kNotAvailable, "/b"}));
  EXPECT_EQ((*listener.outcome())->protocol, "/b");
  EXPECT_EQ(listener.receive(wire({"/b"})), 0u);
  EXPECT_TRUE(listener.to_send().empty());
}

TEST(MultistreamListener, AnswersLsAndUnknownNamesWithNotAvailable) {
  const Known known({"/a"});
  Listener listener(known, kStart);
  ASSERT_TRUE(listener.receive(wire({kHeader, "ls", "", "na", "/A", "/a "})));
  EXPECT_EQ(drain(listener),
            wire({kHeader, kNotAvailable, kNotAvailable, kNotAvailable, kNotAvailable, kNotAvailable}));
  EXPECT_FALSE(listener.outcome());
}

// threats E.2 #2: 10,000 proposals, `ls` flood.
TEST(MultistreamListener, StopsAtItsLimitOfProposals) {
  const Known known({"/a"});
  for (const auto* proposal : {"/x", "ls"}) {
    Listener listener(known, kStart);
    ASSERT_TRUE(listener.receive(wire({kHeader})));
    std::size_t answered = 0;
    std::optional<Error> error;
    for (int i = 0; i < 10'000 && !error; ++i) {
      const auto consumed = listener.receive(wire({proposal}));
      if (consumed)
        ++answered;
      else
        error = consumed.error();
    }
    EXPECT_EQ(answered, kProposalsMax);
    ASSERT_TRUE(error);
    EXPECT_TRUE(error->is(Errc::too_many_proposals));
    EXPECT_LE(listener.to_send().size(), wire({kHeader}).size() + 4 * kProposalsMax);
  }
}

TEST(MultistreamListener, TakesAProposalAtItsLimit) {
  const Known known({"/a"});
  Listener listener(known, kStart, Limits{.time = 1s, .proposals = 3});
  ASSERT_TRUE(listener.receive(wire({kHeader, "/x", "/x", "/a"})));
  EXPECT_EQ((*listener.outcome())->protocol, "/a");
}

// threats E.2 #2: token above 1,024 bytes, never-ending varint, missing newline.
TEST(MultistreamListener, RefusesMalformedMessages) {
  const Known known({"/a"});
  const std::pair<std::string, Errc> cases[] = {
      {"8108", Errc::bad_length}, {"ffffffff", Errc::bad_length},      {"00", Errc::bad_length},
      {"8000", Errc::bad_length}, {"036e6120", Errc::missing_newline},
  };
  for (const auto& [bytes, expected] : cases) {
    Listener as_header(known, kStart);
    EXPECT_TRUE(as_header.receive(testkit::hex(bytes)).error().is(expected)) << bytes;
    Listener as_proposal(known, kStart);
    ASSERT_TRUE(as_proposal.receive(wire({kHeader})));
    const auto result = as_proposal.receive(testkit::hex(bytes));
    ASSERT_FALSE(result.has_value());
    EXPECT_TRUE(result.error().is(expected)) << bytes;
    EXPECT_EQ(result.error().kind(), Kind::malformed);
  }
}

TEST(MultistreamListener, RefusesAnotherHeader) {
  const Known known({"/a"});
  for (const auto* header : {"/multistream/0.9.0", "/a", "ls", ""}) {
    Listener listener(known, kStart);
    EXPECT_TRUE(listener.receive(wire({header, "/a"})).error().is(Errc::bad_header)) << header;
    EXPECT_TRUE(listener.to_send().empty());
  }
}

TEST(MultistreamListener, DoesNotBlameALazyInitiatorForDataBehindARefusal) {
  const Known known({"/a"});
  Listener listener(known, kStart);
  Bytes flight = wire({kHeader, "/b"});
  append(flight, testkit::hex("ffffffffff"));  // data of /b, sent before our `na` could arrive
  const auto result = listener.receive(flight);
  ASSERT_FALSE(result.has_value());
  EXPECT_TRUE(result.error().is(Errc::no_common_protocol));
  EXPECT_EQ(result.error().kind(), Kind::unsupported);
  EXPECT_EQ(drain(listener), wire({kHeader, kNotAvailable})) << "the refusal still goes out";
}

// threats E.2 #2: one byte per five seconds.
TEST(MultistreamListener, CutsASlowPeerAtTheDeadlineOfTheWholeNegotiation) {
  const Known known({"/a"});
  Listener listener(known, kStart);
  const Bytes stream = wire({kHeader, "/a"});
  Instant now = kStart;
  std::optional<Error> error;
  for (std::size_t i = 0; i < stream.size() && !error; ++i, now = now + 5s) {
    ASSERT_TRUE(listener.receive(ByteView(stream).subspan(i, 1)));
    if (const auto result = listener.on_deadline(now); !result) error = result.error();
  }
  ASSERT_TRUE(error);
  EXPECT_TRUE(error->is(Errc::timed_out));
  EXPECT_EQ(now, kStart + kNegotiationTimeMax + 5s);
  EXPECT_TRUE(listener.deadline().is_never());
}

TEST(MultistreamListener, SendsItsAnswersInPieces) {
  const Known known({"/a"});
  Listener listener(known, kStart);
  ASSERT_TRUE(listener.receive(wire({kHeader, "/a"})));
  Bytes sent;
  while (!listener.to_send().empty()) {
    sent.push_back(listener.to_send().front());
    listener.sent(1);
  }
  EXPECT_EQ(sent, wire({kHeader, "/a"}));
}

// Both machines against each other under random cuts, compared with what a reader of the two lists would say.
TEST(MultistreamPair, AgreesOnTheFirstProposalThatTheListenerKnows) {
  SeededRng rng(testkit::seed(102));
  for (int round = 0; round < 1000; ++round) {
    std::vector<std::string> proposals;
    std::set<std::string, std::less<>> names;
    std::optional<std::string> expected;
    for (std::uint64_t i = 0, n = 1 + rng.below(6); i < n; ++i)
      proposals.push_back("/p" + std::to_string(i) + std::string(rng.below(300), 'x'));
    for (const auto& proposal : proposals)
      if (rng.below(3) == 0) names.insert(proposal);
    for (const auto& proposal : proposals)
      if (!expected && names.contains(proposal)) expected = proposal;

    const Known known(names);
    Listener listener(known, kStart);
    const bool lazy = rng.below(2) == 0;
    Initiator initiator(proposals, lazy ? Lazy::yes : Lazy::no, kStart);
    const Bytes early = initiator.may_write() ? Bytes(rng.below(50), 0xee) : Bytes();
    Bytes to_listener;
    Bytes to_initiator;
    Bytes behind;  // what the listener hands to the agreed protocol
    bool first = true;
    bool moved = true;
    while (moved) {
      moved = false;
      append(to_listener, drain(initiator));
      if (std::exchange(first, false)) append(to_listener, early);
      append(to_initiator, drain(listener));
      const auto step = [&](auto& machine, Bytes& pipe, Bytes* rest) {
        if (pipe.empty()) return;
        const std::size_t offered = 1 + rng.below(pipe.size());
        const auto consumed = machine.receive(ByteView(pipe).first(offered));
        if (!consumed) {
          EXPECT_TRUE(consumed.error().is(Errc::no_common_protocol));
          pipe.clear();
          return;
        }
        if (*consumed == 0 && rest == nullptr) return;
        const std::size_t taken = *consumed == 0 ? offered : *consumed;
        if (*consumed == 0) append(*rest, ByteView(pipe).first(offered));
        pipe.erase(pipe.begin(), pipe.begin() + static_cast<std::ptrdiff_t>(taken));
        moved = true;
      };
      step(listener, to_listener, &behind);
      step(initiator, to_initiator, nullptr);
      moved = moved || !initiator.to_send().empty() || !listener.to_send().empty();
    }
    ASSERT_TRUE(initiator.outcome());
    if (!expected) {
      EXPECT_TRUE(initiator.outcome()->error().is(Errc::no_common_protocol));
      continue;
    }
    ASSERT_TRUE(initiator.outcome()->has_value() && listener.outcome() && listener.outcome()->has_value());
    EXPECT_EQ((*initiator.outcome())->protocol, *expected);
    EXPECT_EQ((*listener.outcome())->protocol, *expected);
    EXPECT_EQ(behind, early);
  }
}

TEST(MultistreamErrors, HaveATextAndAKindEach) {
  for (std::uint16_t code = 1; code <= static_cast<std::uint16_t>(Errc::timed_out); ++code) {
    EXPECT_NE(make_error(static_cast<Errc>(code)).message(), "unknown error");
    EXPECT_NE(make_error(static_cast<Errc>(code)).kind(), Kind::internal);
  }
}

}  // namespace
}  // namespace starling::multistream
