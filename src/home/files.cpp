#include "home/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace starling::home {
namespace {

/// Closes on destruction.
class OpenFile {
 public:
  explicit OpenFile(int descriptor) noexcept : descriptor_(descriptor) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

bool write_all(int descriptor, ByteView content) {
  while (!content.empty()) {
    const ssize_t n = ::write(descriptor, content.data(), content.size());
    if (n <= 0) return false;
    content = content.subspan(static_cast<std::size_t>(n));
  }
  return ::fsync(descriptor) == 0;
}

}  // namespace

Result<Bytes> read_file(const std::filesystem::path& path, std::size_t bytes_max) {
  const OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return fail(Errc::cannot_read);
  Bytes out;
  FixedBytes<4096> buffer;
  while (true) {
    const ssize_t n = ::read(file.get(), buffer.data(), buffer.size());
    if (n < 0) return fail(Errc::cannot_read);
    if (n == 0) return out;
    append(out, ByteView(buffer).first(static_cast<std::size_t>(n)));
    if (out.size() > bytes_max) return fail(Errc::cannot_read);
  }
}

Result<void> write_secret(const std::filesystem::path& path, ByteView content) {
  const std::filesystem::path beside = path.string() + ".new";
  {
    ::unlink(beside.c_str());
    const OpenFile file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.get() < 0) return fail(Errc::cannot_write);
    if (!write_all(file.get(), content)) {
      ::unlink(beside.c_str());
      return fail(Errc::cannot_write);
    }
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) {
    ::unlink(beside.c_str());
    return fail(Errc::cannot_write);
  }
  const OpenFile folder(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() >= 0) ::fsync(folder.get());
  return {};
}

Result<void> check_private(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return fail(Errc::cannot_read);
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) return fail(Errc::unsafe_permissions);
  return {};
}

}  // namespace starling::home
