#include "data/stream.hpp"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <new>
#include <string_view>
#include <utility>

#include "data/raw_file.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";
constexpr std::int64_t kGiB = std::int64_t{1} << 30;
/// What text may have if no limit is given. Logs pack to a fifth or a tenth of their size.
constexpr std::int64_t kUsualBytes = 64 * kGiB, kSmallBytes = kGiB, kUsualExpansion = 100;

/// Look at the first bytes of a file. A pipe may give them one by one: it is waited for as many as
/// tell an archive, but for no more, since it may answer to a short line.
std::string_view first_bytes(RawFile& file) {
  std::string_view first = file.peek();
  const auto begins = [&](std::string_view magic) {
    return !first.empty() && first.size() < magic.size() && magic.starts_with(first);
  };
  while (begins(kGzipMagic) || begins(kZstdMagic)) {
    const std::size_t before = first.size();
    first = file.peek(before + 1);
    if (first.size() == before) break;
  }
  return first;
}

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(RawFile& file) : file_(file) {}
  std::size_t read(std::span<char> into) override { return file_.read(into); }

 private:
  RawFile& file_;
};

class GzipStream final : public ByteStream {
 public:
  explicit GzipStream(RawFile& file) : file_(file) {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    const int result = inflateInit2(&state_, kGzipOnly);
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result != Z_OK) throw InternalError("zlib cannot be initialised");
  }
  ~GzipStream() override { inflateEnd(&state_); }

  std::size_t read(std::span<char> into) override {
    std::size_t done = 0;
    while (done < into.size() && !finished_) {
      const std::string_view input = file_.peek();
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
    throw DataError(fmt::format("{}: {}", file_.name(), what));
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
    file_.consume(input.size());
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
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      fail(fmt::format("gzip archive is damaged ({})", state_.msg ? state_.msg : "bad data"));
    }
    file_.consume(input.size() - state_.avail_in);
    between_members_ = result == Z_STREAM_END;
    return room - state_.avail_out;
  }

  RawFile& file_;
  z_stream state_{};
  bool between_members_ = false;
  bool finished_ = false;
};

class ZstdStream final : public ByteStream {
 public:
  explicit ZstdStream(RawFile& file) : file_(file), state_(ZSTD_createDStream()) {
    if (state_ == nullptr) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(state_, ZSTD_d_windowLogMax, kWindowLog);
  }
  ~ZstdStream() override { ZSTD_freeDStream(state_); }

  std::size_t read(std::span<char> into) override {
    ZSTD_outBuffer out{into.data(), into.size(), 0};
    while (out.pos < out.size) {
      const std::string_view bytes = file_.peek();
      ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
      const std::size_t before = out.pos;
      const std::size_t hint = ZSTD_decompressStream(state_, &out, &in);
      if (ZSTD_isError(hint) != 0) fail(hint);
      file_.consume(in.pos);
      if (bytes.empty() && out.pos == before) {
        if (!at_frame_end_) throw DataError(file_.name() + ": zstd archive is truncated");
        break;
      }
      at_frame_end_ = hint == 0;
    }
    return out.pos;
  }

 private:
  /// A frame says how much memory it takes to unpack it; this is what `zstd --long` asks for.
  static constexpr int kWindowLog = 27;

  [[noreturn]] void fail(std::size_t code) const {
    switch (ZSTD_getErrorCode(code)) {
      case ZSTD_error_memory_allocation:
        throw std::bad_alloc();
      case ZSTD_error_frameParameter_windowTooLarge:
        throw DataError(
            fmt::format("{}: zstd archive needs more than {} MiB of memory to be unpacked; pack it "
                        "again without --ultra and with --long={} at most",
                        file_.name(), (1 << kWindowLog) >> 20, kWindowLog));
      default:
        throw DataError(
            fmt::format("{}: zstd archive is damaged ({})", file_.name(), ZSTD_getErrorName(code)));
    }
  }

  RawFile& file_;
  ZSTD_DStream* state_;
  bool at_frame_end_ = false;
};

/// A file with what unpacks it. Ends a file that holds more than it may.
class BoundedStream final : public ByteStream {
 public:
  BoundedStream(std::unique_ptr<RawFile> file, std::unique_ptr<ByteStream> content, bool is_packed,
                std::int64_t max_bytes, const RunContext& run)
      : file_(std::move(file)),
        content_(std::move(content)),
        is_packed_(is_packed),
        max_bytes_(max_bytes),
        run_(run) {}

  std::size_t read(std::span<char> into) override {
    run_.check_stop();
    const std::size_t count = content_->read(into);
    n_bytes_ += static_cast<std::int64_t>(count);
    if (n_bytes_ > limit()) fail();
    return count;
  }

 private:
  std::int64_t limit() const {
    if (max_bytes_ > 0) return max_bytes_;
    if (!is_packed_) return kUsualBytes;
    const std::int64_t packed = std::min(file_->size(), kUsualBytes / kUsualExpansion);
    return std::max(kSmallBytes, kUsualExpansion * packed);
  }
  [[noreturn]] void fail() const {
    const std::int64_t most = limit();
    const double gib = static_cast<double>(most) / static_cast<double>(kGiB);
    if (max_bytes_ == 0 && is_packed_) {
      throw DataError(
          fmt::format("{}: {} bytes unpack to more than {:.4g} GiB, which no usual log does; "
                      "data.max_text_gib = {:.0f} allows more",
                      file_->name(), file_->size(), gib, 8 * gib));
    }
    throw DataError(
        fmt::format("{}: the text has more than {:.4g} GiB ({} bytes); "
                    "data.max_text_gib sets another limit",
                    file_->name(), gib, most));
  }

  std::unique_ptr<RawFile> file_;
  std::unique_ptr<ByteStream> content_;
  bool is_packed_;
  std::int64_t max_bytes_;
  const RunContext& run_;
  std::int64_t n_bytes_ = 0;
};

}  // namespace

ByteStream::~ByteStream() = default;

std::unique_ptr<ByteStream> open_stream(const std::string& file, const RunContext& run,
                                        std::int64_t max_bytes) {
  auto raw = std::make_unique<RawFile>(file, run);
  const std::string_view first = first_bytes(*raw);
  std::unique_ptr<ByteStream> content;
  const bool is_gzip = first.starts_with(kGzipMagic), is_zstd = first.starts_with(kZstdMagic);
  if (is_gzip) content = std::make_unique<GzipStream>(*raw);
  if (is_zstd) content = std::make_unique<ZstdStream>(*raw);
  for (const std::string_view suffix : {".gz", ".zst"}) {
    if (!content && file.ends_with(suffix)) {
      throw DataError(fmt::format("{}: {} archive is {}", raw->name(),
                                  suffix == ".gz" ? "gzip" : "zstd",
                                  first.empty() ? "empty" : "damaged (wrong first bytes)"));
    }
  }
  if (!content) content = std::make_unique<PlainStream>(*raw);
  return std::make_unique<BoundedStream>(std::move(raw), std::move(content), is_gzip || is_zstd,
                                         max_bytes, run);
}

}  // namespace recloom
