#include "data/encoding.hpp"

#include <fmt/format.h>
#include <iconv.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "core/text.hpp"
#include "data/first_lines.hpp"
#include "data/raw_file.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 16;

bool is_utf8_name(std::string_view name) {
  const std::string letters = bare_name(name);
  return letters == "utf8" || letters == "utf8sig" || letters == "ascii" || letters == "usascii";
}

/// A converter to UTF-8. Not all that iconv_open() takes is a name: "//" begins what it is to do.
class Converter {
 public:
  explicit Converter(const std::string& encoding) {
    const bool is_name = std::all_of(encoding.begin(), encoding.end(), [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
             std::string_view("-_.:+").find(c) != std::string_view::npos;
    });
    if (!is_name || encoding.empty()) return;
    state_ = iconv_open("UTF-8", encoding.c_str());
    if (!is_open()) state_ = iconv_open("UTF-8", bare_name(encoding).c_str());
  }
  ~Converter() {
    if (is_open()) iconv_close(state_);
  }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;

  bool is_open() const noexcept { return state_ != kNone; }
  /// Convert bytes, whose ends move on. @return 0, or the errno that says why it ended before.
  int convert(std::span<char>& from, std::span<char>& to) const {
    char* in = from.data();
    char* out = to.data();
    std::size_t in_left = from.size(), out_left = to.size();
    const std::size_t result = iconv(state_, &in, &in_left, &out, &out_left);
    const int error = result == static_cast<std::size_t>(-1) ? errno : 0;
    from = from.last(in_left);
    to = to.last(out_left);
    return error;
  }
  /// Write what the converter still holds of the last character: some wait for a mark behind it.
  void flush(std::span<char>& to) const {
    char* out = to.data();
    std::size_t out_left = to.size();
    iconv(state_, nullptr, nullptr, &out, &out_left);
    to = to.last(out_left);
  }

 private:
  const iconv_t kNone = reinterpret_cast<iconv_t>(-1);
  iconv_t state_ = kNone;
};

/// Another stream's text, converted.
class ConvertedStream final : public ByteStream {
 public:
  ConvertedStream(std::string name, const std::string& encoding, std::unique_ptr<ByteStream> source)
      : name_(std::move(name)),
        encoding_(encoding),
        source_(std::move(source)),
        converter_(encoding) {}

  std::size_t read(std::span<char> into) override {
    std::size_t done = 0;
    while (done < into.size() && (n_ready_ > 0 || convert_more())) {
      const std::size_t count = std::min(n_ready_, into.size() - done);
      std::memcpy(into.data() + done, text_.data() + begin_, count);
      begin_ += count;
      n_ready_ -= count;
      done += count;
    }
    return done;
  }

 private:
  /// Convert some bytes to `text_`. @return false at the end.
  bool convert_more() {
    while (n_ready_ == 0) {
      if (!at_end_) {
        const std::size_t wanted = bytes_.size() - n_bytes_;
        const std::size_t count = source_->read({bytes_.data() + n_bytes_, wanted});
        n_bytes_ += count;
        at_end_ = count < wanted;
      }
      if (n_bytes_ == 0 && std::exchange(is_flushed_, at_end_)) return false;
      std::span<char> from(bytes_.data(), n_bytes_), to(text_);
      const int error = n_bytes_ > 0 ? converter_.convert(from, to) : 0;
      if (is_flushed_) converter_.flush(to);
      begin_ = 0;
      n_ready_ = text_.size() - to.size();
      n_lines_ +=
          std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(n_ready_), '\n');
      std::memmove(bytes_.data(), from.data(), from.size());
      n_bytes_ = from.size();
      // A character may be cut at the end of the bytes that are there, but not at the file's.
      if (n_ready_ == 0 && n_bytes_ > 0 && (error == EILSEQ || at_end_)) fail();
    }
    return true;
  }
  [[noreturn]] void fail() const {
    std::string bytes;
    for (std::size_t at = 0; at < std::min<std::size_t>(n_bytes_, 4); ++at)
      bytes += fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes_[at]));
    throw DataError(fmt::format(
        "{}:{}: the bytes {} are no text in data.encoding = \"{}\"; is the file written in another "
        "(utf-8, latin-1, windows-1252, utf-16 ...)?",
        name_, n_lines_ + 1, bytes, printable(encoding_)));
  }

  std::string name_, encoding_;
  std::unique_ptr<ByteStream> source_;
  Converter converter_;
  std::array<char, kBufferBytes> bytes_;     // Still to be converted.
  std::array<char, 2 * kBufferBytes> text_;  // Converted.
  std::size_t n_bytes_ = 0, begin_ = 0, n_ready_ = 0;
  std::int64_t n_lines_ = 0;  // Line ends that were converted.
  bool at_end_ = false, is_flushed_ = false;
};

}  // namespace

void check_encoding(const std::string& encoding) {
  if (is_utf8_name(encoding) || Converter(encoding).is_open()) return;
  throw ConfigError(fmt::format(
      "data.encoding = \"{}\": not known; legal is what `iconv -l` lists, for example utf-8, "
      "latin-1, windows-1252, utf-16, gb18030, shift_jis",
      printable(encoding)));
}

std::unique_ptr<ByteStream> open_text(const std::string& file, const std::string& encoding,
                                      const RunContext& run, std::int64_t max_bytes) {
  auto stream = open_stream(file, run, max_bytes);
  if (is_utf8_name(encoding)) return stream;
  return std::make_unique<ConvertedStream>(shown_name(file), encoding, std::move(stream));
}

}  // namespace recloom
