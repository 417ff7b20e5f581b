#include "agent/candidate.hpp"

#include "agent/limits.hpp"

namespace starling::agent {
namespace {

Prechecked failed(Reason reason, Error detail) { return {Verdict::of(reason, detail), nullptr}; }
Prechecked undecodable(Error error) {
  return failed(error.is(Errc::too_large) ? Reason::too_large : Reason::malformed, error);
}
Prechecked bad_fields(Error error) {
  return failed(error.is(Errc::not_the_author) ? Reason::not_the_author : Reason::bad_fields, error);
}

/// The end of row 5, then done: the author is the node for which the wallet signed.
template <class Checked>
Prechecked finish(Topic topic, const PeerId& author, Slice data, Checked checked) {
  if (checked.delegation.fields.peer_id() != author) return bad_fields(make_error(Errc::not_the_author));
  auto candidate = std::make_shared<Candidate>(Candidate{topic, author, std::move(data), std::move(checked)});
  return {Verdict::of(Reason::accepted), std::move(candidate)};
}

Prechecked precheck_announcement(const PeerId& author, Slice data, const NetworkName& network) {
  auto wire = decode_signed_presence(data);
  if (!wire) return undecodable(wire.error());
  auto checked = check_fields(std::move(*wire), data, network);
  if (!checked) return bad_fields(checked.error());
  return finish(Topic::announcements, author, std::move(data), std::move(*checked));
}

Prechecked precheck_message(const PeerId& author, Slice data, const NetworkName& network) {
  if (data.size() > kEnvelopeGossipBytesMax) return undecodable(make_error(Errc::too_large));
  const auto fields = decode_envelope_fields(data);
  if (!fields) return undecodable(fields.error());
  if (const auto version = check_version(*fields); !version)
    return failed(version.error().is(Errc::no_version) ? Reason::no_version : Reason::later_version,
                  version.error());
  auto checked = check_fields(*fields, data, Path::gossip, network);
  if (!checked) return bad_fields(checked.error());
  return finish(Topic::messages, author, std::move(data), std::move(*checked));
}

Prechecked precheck_status(const PeerId& author, Slice data, const NetworkName& network) {
  auto status = decode_status(data);
  if (!status) return undecodable(status.error());
  auto checked = check_fields(std::move(*status), network);
  if (!checked) return bad_fields(checked.error());
  return finish(Topic::status, author, std::move(data), std::move(*checked));
}

}  // namespace

const CheckedDelegation& Candidate::delegation() const noexcept {
  if (const auto* checked = presence()) return checked->delegation;
  if (const auto* checked = envelope()) return checked->delegation;
  return std::get<CheckedStatus>(content).delegation;
}

Prechecked precheck(Topic topic, const PeerId& author, Slice data, const NetworkName& network) {
  switch (topic) {
    case Topic::announcements: return precheck_announcement(author, std::move(data), network);
    case Topic::messages: return precheck_message(author, std::move(data), network);
    case Topic::status: return precheck_status(author, std::move(data), network);
  }
  return {Verdict::of(Reason::malformed), nullptr};
}

SignatureOutcome check_signatures(const SignatureWork& work, const Signatures& signatures) {
  SignatureOutcome out;
  if (work.wallet) {
    if (const auto checked = verify_wallet(work.candidate->delegation(), signatures); !checked) {
      out.wallet = checked.error();
      return out;
    }
  }
  if (work.node) {
    if (const auto checked = verify_node(*work.candidate->presence(), signatures); !checked)
      out.node = checked.error();
  }
  return out;
}

}  // namespace starling::agent
