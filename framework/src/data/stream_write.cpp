// The writing side of stream.cpp.
#include "data/stream_write.hpp"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <new>
#include <vector>

#include "core/file.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

using Append = std::function<void(std::string_view)>;
using Write = std::function<void(const Append& append)>;

constexpr std::size_t kBlock = std::size_t{1} << 17;
/// Lists of items repeat themselves: higher levels take times as long for a few percent.
constexpr int kGzipLevel = 4, kZstdLevel = 3;

class GzipWriter {
 public:
  explicit GzipWriter(const Append& append) : append_(append), block_(kBlock) {
    constexpr int kGzip = 16 + MAX_WBITS, kMemory = 8;
    const int result =
        deflateInit2(&state_, kGzipLevel, Z_DEFLATED, kGzip, kMemory, Z_DEFAULT_STRATEGY);
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result != Z_OK) throw InternalError("zlib cannot be initialised");
  }
  ~GzipWriter() { deflateEnd(&state_); }
  GzipWriter(const GzipWriter&) = delete;
  GzipWriter& operator=(const GzipWriter&) = delete;

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::string_view piece = bytes.substr(0, std::size_t{1} << 30);
      bytes.remove_prefix(piece.size());
      run(piece, Z_NO_FLUSH);
    }
  }
  void finish() { run({}, Z_FINISH); }

 private:
  void run(std::string_view bytes, int flush) {
    state_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    state_.avail_in = static_cast<uInt>(bytes.size());
    do {
      state_.next_out = reinterpret_cast<Bytef*>(block_.data());
      state_.avail_out = static_cast<uInt>(block_.size());
      if (deflate(&state_, flush) == Z_STREAM_ERROR) throw InternalError("zlib cannot pack");
      append_({block_.data(), block_.size() - state_.avail_out});
    } while (state_.avail_out == 0);
  }

  const Append& append_;
  std::vector<char> block_;
  z_stream state_{};
};

class ZstdWriter {
 public:
  explicit ZstdWriter(const Append& append)
      : append_(append), block_(kBlock), state_(ZSTD_createCCtx(), ZSTD_freeCCtx) {
    if (!state_) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(state_.get(), ZSTD_c_compressionLevel, kZstdLevel);
    ZSTD_CCtx_setParameter(state_.get(), ZSTD_c_checksumFlag, 1);
  }
  void write(std::string_view bytes) { run(bytes, ZSTD_e_continue); }
  void finish() { run({}, ZSTD_e_end); }

 private:
  void run(std::string_view bytes, ZSTD_EndDirective end) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    std::size_t left = 0;
    do {
      ZSTD_outBuffer out{block_.data(), block_.size(), 0};
      left = ZSTD_compressStream2(state_.get(), &out, &in, end);
      if (ZSTD_isError(left))
        throw InternalError(fmt::format("zstd cannot pack: {}", ZSTD_getErrorName(left)));
      append_({block_.data(), out.pos});
    } while (end == ZSTD_e_end ? left != 0 : in.pos < in.size);
  }

  const Append& append_;
  std::vector<char> block_;
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> state_;
};

template <class Writer>
void write_through(const Append& append, const Write& write) {
  Writer writer(append);
  write([&writer](std::string_view bytes) { writer.write(bytes); });
  writer.finish();
}

}  // namespace

void write_packed_atomically(const std::string& file, const Write& write) {
  write_file_atomically(file, [&](const Append& append) {
    if (file.ends_with(".gz"))
      write_through<GzipWriter>(append, write);
    else if (file.ends_with(".zst"))
      write_through<ZstdWriter>(append, write);
    else
      write(append);
  });
}

}  // namespace recloom
