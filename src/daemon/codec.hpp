#pragma once
// The bytes of the control protocol: protobuf in frames of a varint length. Pure.
#include "base/result.hpp"
#include "daemon/errors.hpp"
#include "daemon/messages.hpp"

namespace starling::daemon {

// Message bodies, without the length in front. Decoding is strict (ADR 0002): a singular field may stand
// once, unknown fields are skipped, and what the proto file requires must be there. Errc::bad_message,
// Errc::unknown_type, Errc::too_many_entries, errors of pb::Reader.
Bytes encode(const Request& request);
Result<Request> decode_request(ByteView body);
Bytes encode(const Response& response);
Result<Response> decode_response(ByteView body);
Bytes encode(const StreamInfo& info);
Result<StreamInfo> decode_stream_info(ByteView body);
Bytes encode(const DhtResponse& response);
Result<DhtResponse> decode_dht_response(ByteView body);
Bytes encode(const PubsubMessage& message);
Result<PubsubMessage> decode_pubsub_message(ByteView body);

}  // namespace starling::daemon
