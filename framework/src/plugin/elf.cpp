#include "plugin/elf.hpp"

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>

#include "core/file.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

namespace fs = std::filesystem;

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);

#if defined(__x86_64__)
constexpr int kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr int kMachine = EM_AARCH64;
#else
constexpr int kMachine = EM_NONE;  // Left to the dynamic loader.
#endif
constexpr int kClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;

template <class T>
std::optional<T> read_at(std::string_view bytes, std::uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

bool lies_inside(std::string_view bytes, std::uint64_t offset, std::uint64_t size) {
  return offset <= bytes.size() && size <= bytes.size() - offset;
}

std::string header_problem(const Header& header) {
  if (header.e_ident[EI_CLASS] != kClass || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      (kMachine != EM_NONE && header.e_machine != kMachine))
    return "is a library for another machine";
  if (header.e_type != ET_DYN) return "is no shared library";
  if (header.e_phentsize != sizeof(Segment) || header.e_phnum == 0) return "is a damaged library";
  return "";
}

std::string layout_problem(std::string_view bytes, const Header& header) {
  constexpr const char* kCut = "is a library that was cut short";
  // Linkers put the section table last, so that even a small cut takes some of it.
  if (header.e_shoff != 0 &&
      !lies_inside(bytes, header.e_shoff, std::uint64_t{header.e_shnum} * header.e_shentsize))
    return kCut;
  for (std::uint64_t index = 0; index < header.e_phnum; ++index) {
    const auto segment = read_at<Segment>(bytes, header.e_phoff + index * sizeof(Segment));
    if (!segment) return kCut;
    const bool has_bytes = segment->p_type == PT_LOAD || segment->p_type == PT_DYNAMIC;
    if (has_bytes && !lies_inside(bytes, segment->p_offset, segment->p_filesz)) return kCut;
  }
  return "";
}

}  // namespace

std::string elf_problem(const std::string& file) {
  std::error_code error;
  if (fs::is_symlink(file, error) && !fs::exists(file, error)) return "is a link to nothing";
  if (fs::is_directory(file, error)) return "is a folder";
  try {
    const MappedFile mapped(file);
    const std::string_view bytes = mapped.bytes();
    if (bytes.empty()) return "is empty";
    if (!bytes.starts_with(std::string_view(ELFMAG, SELFMAG))) return "is no shared library";
    const auto header = read_at<Header>(bytes, 0);
    if (!header) return "is a library that was cut short";
    const std::string problem = header_problem(*header);
    return problem.empty() ? layout_problem(bytes, *header) : problem;
  } catch (const IoError& io) {
    return io.what();
  }
}

}  // namespace recloom
