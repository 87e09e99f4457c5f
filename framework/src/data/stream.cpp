#include "data/stream.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 18;
constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";

/// A file descriptor with a buffer, so that the first bytes can be looked at.
class RawFile {
 public:
  explicit RawFile(const std::string& file) : name_(file), buffer_(kBufferBytes) {
    descriptor_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0) {
      throw IoError(fmt::format("cannot open '{}': {}", file, std::strerror(errno)));
    }
    struct stat info {};
    if (::fstat(descriptor_, &info) == 0 && S_ISDIR(info.st_mode)) {
      ::close(descriptor_);
      throw IoError(fmt::format("cannot read '{}': it is a folder", file));
    }
  }
  ~RawFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;

  const std::string& name() const { return name_; }
  /// Bytes that are buffered; reads more if there are none.
  std::string_view peek() {
    if (begin_ == end_) {
      begin_ = 0;
      end_ = read_some(buffer_.data(), buffer_.size());
    }
    return {buffer_.data() + begin_, end_ - begin_};
  }
  void consume(std::size_t count) { begin_ += count; }
  std::size_t read(std::span<char> into) {
    std::size_t done = 0;
    if (begin_ != end_) {
      done = std::min(into.size(), end_ - begin_);
      std::memcpy(into.data(), buffer_.data() + begin_, done);
      begin_ += done;
    }
    while (done < into.size()) {
      const std::size_t count = read_some(into.data() + done, into.size() - done);
      if (count == 0) break;
      done += count;
    }
    return done;
  }

 private:
  std::size_t read_some(char* into, std::size_t size) {
    for (;;) {
      const ssize_t count = ::read(descriptor_, into, size);
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno == EINTR) continue;
      throw IoError(fmt::format("cannot read '{}': {}", name_, std::strerror(errno)));
    }
  }

  std::string name_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  int descriptor_ = -1;
};

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(std::unique_ptr<RawFile> file) : file_(std::move(file)) {}
  std::size_t read(std::span<char> into) override { return file_->read(into); }

 private:
  std::unique_ptr<RawFile> file_;
};

class GzipStream final : public ByteStream {
 public:
  explicit GzipStream(std::unique_ptr<RawFile> file) : file_(std::move(file)) {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (inflateInit2(&state_, kGzipOnly) != Z_OK) throw InternalError("zlib cannot be initialised");
  }
  ~GzipStream() override { inflateEnd(&state_); }

  std::size_t read(std::span<char> into) override {
    std::size_t done = 0;
    while (done < into.size() && !finished_) {
      const std::string_view input = file_->peek();
      if (input.empty()) {
        if (!between_members_) fail("gzip archive is truncated");
        finished_ = true;
        break;
      }
      if (between_members_ && !begin_member(input)) break;
      done += inflate_some(input, into.subspan(done));
    }
    return done;
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    throw DataError(fmt::format("{}: {}", file_->name(), what));
  }
  /// An archive may be several members in a row; zeros after the last one are legal padding.
  bool begin_member(std::string_view input) {
    if (input[0] == kGzipMagic[0]) {
      inflateReset(&state_);
      between_members_ = false;
      return true;
    }
    if (input.find_first_not_of('\0') != std::string_view::npos) {
      fail("gzip archive is damaged (unknown bytes after its end)");
    }
    file_->consume(input.size());
    return true;
  }
  std::size_t inflate_some(std::string_view input, std::span<char> into) {
    if (between_members_) return 0;
    state_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    state_.avail_in = static_cast<uInt>(input.size());
    state_.next_out = reinterpret_cast<Bytef*>(into.data());
    const auto room = static_cast<uInt>(std::min(into.size(), std::size_t{1} << 30));
    state_.avail_out = room;
    const int result = inflate(&state_, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      fail(fmt::format("gzip archive is damaged ({})", state_.msg ? state_.msg : "bad data"));
    }
    file_->consume(input.size() - state_.avail_in);
    between_members_ = result == Z_STREAM_END;
    return room - state_.avail_out;
  }

  std::unique_ptr<RawFile> file_;
  z_stream state_{};
  bool between_members_ = false;
  bool finished_ = false;
};

class ZstdStream final : public ByteStream {
 public:
  explicit ZstdStream(std::unique_ptr<RawFile> file)
      : file_(std::move(file)), state_(ZSTD_createDStream()) {
    if (state_ == nullptr) throw InternalError("zstd cannot be initialised");
  }
  ~ZstdStream() override { ZSTD_freeDStream(state_); }

  std::size_t read(std::span<char> into) override {
    ZSTD_outBuffer out{into.data(), into.size(), 0};
    while (out.pos < out.size) {
      const std::string_view bytes = file_->peek();
      ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
      const std::size_t before = out.pos;
      const std::size_t hint = ZSTD_decompressStream(state_, &out, &in);
      if (ZSTD_isError(hint)) {
        throw DataError(fmt::format("{}: zstd archive is damaged ({})", file_->name(),
                                    ZSTD_getErrorName(hint)));
      }
      file_->consume(in.pos);
      if (bytes.empty() && out.pos == before) {
        if (!at_frame_end_) throw DataError(file_->name() + ": zstd archive is truncated");
        break;
      }
      at_frame_end_ = hint == 0;
    }
    return out.pos;
  }

 private:
  std::unique_ptr<RawFile> file_;
  ZSTD_DStream* state_;
  bool at_frame_end_ = false;
};

}  // namespace

ByteStream::~ByteStream() = default;

std::unique_ptr<ByteStream> open_stream(const std::string& file) {
  auto raw = std::make_unique<RawFile>(file);
  const std::string_view first = raw->peek();
  if (first.starts_with(kGzipMagic)) return std::make_unique<GzipStream>(std::move(raw));
  if (first.starts_with(kZstdMagic)) return std::make_unique<ZstdStream>(std::move(raw));
  for (const std::string_view suffix : {".gz", ".zst"}) {
    if (file.ends_with(suffix)) {
      throw DataError(fmt::format("{}: {} archive is {}", file, suffix == ".gz" ? "gzip" : "zstd",
                                  first.empty() ? "empty" : "damaged (wrong first bytes)"));
    }
  }
  return std::make_unique<PlainStream>(std::move(raw));
}

}  // namespace recloom
