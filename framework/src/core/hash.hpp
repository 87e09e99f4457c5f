#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "recloom/core/export.hpp"

namespace recloom {

/// Return xxh3-64 of some bytes.
RECLOOM_API std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0) noexcept;
/// Return 16 hexadecimal digits.
RECLOOM_API std::string hex(std::uint64_t value);

/// xxh3-64 of bytes that come in pieces.
class RECLOOM_API Hasher {
 public:
  Hasher();
  ~Hasher();
  void update(std::string_view bytes);
  std::uint64_t value() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace recloom
