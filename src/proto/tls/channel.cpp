#include "tls/channel.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/assert.hpp"

namespace starling::tls {
namespace {

Channel& channel_of(BIO* bio) { return *static_cast<Channel*>(BIO_get_data(bio)); }

int bio_read(BIO* bio, char* out, std::size_t size, std::size_t* count) {
  BIO_clear_retry_flags(bio);
  *count = channel_of(bio).take_input({reinterpret_cast<std::uint8_t*>(out), size});
  if (*count != 0) return 1;
  BIO_set_retry_read(bio);
  return 0;
}

int bio_write(BIO* bio, const char* bytes, std::size_t size, std::size_t* count) {
  channel_of(bio).put_output({reinterpret_cast<const std::uint8_t*>(bytes), size});
  *count = size;
  return 1;
}

// Nothing is buffered here, so a flush has nothing to do; every other question is answered with no.
long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

const BIO_METHOD* memory_wire() {
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "starling wire");
    STARLING_ASSERT(method != nullptr);
    const bool good = BIO_meth_set_read_ex(method, bio_read) == 1 &&
                      BIO_meth_set_write_ex(method, bio_write) == 1 &&
                      BIO_meth_set_ctrl(method, bio_control) == 1;
    STARLING_ASSERT(good);
    return method;
  }();
  return kMethod;
}

// The list of ALPN: each name behind its length, libp2p last.
Bytes application_protocols(const std::vector<std::string>& muxers) {
  Bytes out;
  const auto put = [&out](std::string_view name) {
    STARLING_ASSERT(!name.empty() && name.size() <= 255);
    out.push_back(static_cast<std::uint8_t>(name.size()));
    append(out, as_bytes(name));
  };
  for (const auto& muxer : muxers) put(muxer);
  put(kNoMuxer);
  return out;
}

Errc errc_of(int reason) noexcept {
  switch (reason) {
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION: return Errc::unsupported_version;
    case SSL_AD_REASON_OFFSET + SSL_AD_NO_APPLICATION_PROTOCOL: return Errc::no_common_muxer;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return Errc::no_certificate;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_NO_PROTOCOLS_AVAILABLE: return Errc::unsupported_version;
    case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC: return Errc::decrypt_failed;
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_BAD_RECORD_TYPE:
    case SSL_R_RECORD_TOO_SMALL:
    case SSL_R_BAD_LENGTH: return Errc::bad_record;
    default: return reason > SSL_AD_REASON_OFFSET ? Errc::refused_by_peer : Errc::bad_handshake;
  }
}

// The last reason that OpenSSL named: the ones before it come from deeper layers.
Errc last_failure() noexcept { return errc_of(ERR_GET_REASON(ERR_peek_last_error())); }

}  // namespace

Channel::Channel(const Identity& identity, Role role, const std::vector<std::string>& muxers)
    : ssl_(SSL_new(identity.context())) {
  BIO* bio = BIO_new(memory_wire());
  STARLING_ASSERT(ssl_ != nullptr && bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_app_data(ssl_, this);
  if (role == Role::server) {
    SSL_set_accept_state(ssl_);
    return;
  }
  SSL_set_connect_state(ssl_);
  const Bytes protocols = application_protocols(muxers);
  const int refused = SSL_set_alpn_protos(ssl_, protocols.data(), static_cast<unsigned>(protocols.size()));
  STARLING_ASSERT(refused == 0);
}

Channel::~Channel() { SSL_free(ssl_); }

std::size_t Channel::take_input(MutableByteView out) noexcept {
  const std::size_t count = std::min(out.size(), in_.size());
  if (count != 0) std::memcpy(out.data(), in_.data(), count);
  in_ = in_.subspan(count);
  return count;
}

Result<Channel::Step> Channel::outcome(int result) {
  if (result == 1) return Step::done;
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ: return Step::wants_more;
    case SSL_ERROR_ZERO_RETURN: return Step::closed;
    default: return fail(last_failure());
  }
}

Result<Channel::Step> Channel::handshake(Judge& judge) {
  const crypto::evp::ErrorQueueGuard guard;
  ERR_clear_error();
  judge_ = &judge;
  const auto step = outcome(SSL_do_handshake(ssl_));
  judge_ = nullptr;
  if (!step && judge.verdict) return fail(*judge.verdict);
  return step;
}

Result<Channel::Step> Channel::read(MutableByteView out, std::size_t& size) {
  const crypto::evp::ErrorQueueGuard guard;
  ERR_clear_error();
  size = 0;
  STARLING_ASSIGN(const Step step, outcome(SSL_read_ex(ssl_, out.data(), out.size(), &size)));
  // A record gives its plaintext at once; what is left over would stay hidden until more arrives.
  if (!fed() || SSL_pending(ssl_) != 0) return fail(Errc::bad_record);
  return step;
}

Result<void> Channel::write(ByteView plaintext) {
  const crypto::evp::ErrorQueueGuard guard;
  ERR_clear_error();
  std::size_t written = 0;
  if (SSL_write_ex(ssl_, plaintext.data(), plaintext.size(), &written) == 1) return {};
  return fail(last_failure());
}

Result<void> Channel::update_key() {
  const crypto::evp::ErrorQueueGuard guard;
  ERR_clear_error();
  // It leaves with the next record that is written.
  if (SSL_key_update(ssl_, SSL_KEY_UPDATE_NOT_REQUESTED) == 1) return {};
  return fail(last_failure());
}

void Channel::close() {
  const crypto::evp::ErrorQueueGuard guard;
  (void)SSL_shutdown(ssl_);
}

std::string_view Channel::application_protocol() const noexcept {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  return as_text({name, size});
}

}  // namespace starling::tls
