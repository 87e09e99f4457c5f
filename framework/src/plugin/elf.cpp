#include "plugin/elf.hpp"

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "core/file.hpp"
#include "recloom/core/error.hpp"
#include "recloom/plugin/abi.hpp"

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

/// The names of what a library needs and exports; "" where they cannot be found.
std::string_view dynamic_strings(std::string_view bytes, const Header& header) {
  std::vector<Segment> segments;
  for (std::uint64_t index = 0; index < header.e_phnum; ++index)
    if (const auto segment = read_at<Segment>(bytes, header.e_phoff + index * sizeof(Segment)))
      segments.push_back(*segment);
  std::uint64_t address = 0, size = 0;
  for (const Segment& segment : segments)
    for (std::uint64_t at = 0; segment.p_type == PT_DYNAMIC && at < segment.p_filesz;
         at += sizeof(ElfW(Dyn))) {
      const auto entry = read_at<ElfW(Dyn)>(bytes, segment.p_offset + at);
      if (!entry || entry->d_tag == DT_NULL) break;
      if (entry->d_tag == DT_STRTAB) address = entry->d_un.d_ptr;
      if (entry->d_tag == DT_STRSZ) size = entry->d_un.d_val;
    }
  for (const Segment& segment : segments)
    if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
        address - segment.p_vaddr < segment.p_filesz) {
      const std::uint64_t offset = segment.p_offset + (address - segment.p_vaddr);
      return lies_inside(bytes, offset, size) ? bytes.substr(offset, size) : std::string_view();
    }
  return "";
}

/// A sanitizer's library ends the process if it is not loaded first.
std::string sanitizer_problem(std::string_view names) {
  constexpr std::array kSanitizers{std::array{"asan", "libasan.so", "AddressSanitizer"},
                                   std::array{"tsan", "libtsan.so", "ThreadSanitizer"}};
  for (const auto& [own, library, title] : kSanitizers)
    if (std::string_view(RECLOOM_SANITIZER) != own && names.find(library) != std::string_view::npos)
      return fmt::format("was built with {}, this was not: build it with the same compiler flags",
                         title);
  return "";
}

}  // namespace

std::string elf_problem(const std::string& file) {
  std::error_code error;
  if (fs::is_symlink(file, error) && !fs::exists(file, error)) return "is a link to nothing";
  if (fs::is_directory(file, error)) return "is a folder";
  if (fs::exists(file, error) && !fs::is_regular_file(file, error)) return "is no regular file";
  try {
    const std::string content = read_file(file);
    const std::string_view bytes = content;
    if (bytes.empty()) return "is empty";
    if (!bytes.starts_with(std::string_view(ELFMAG, SELFMAG))) return "is no shared library";
    const auto header = read_at<Header>(bytes, 0);
    if (!header) return "is a library that was cut short";
    const std::string problem = header_problem(*header);
    if (!problem.empty()) return problem;
    if (std::string cut = layout_problem(bytes, *header); !cut.empty()) return cut;
    return sanitizer_problem(dynamic_strings(bytes, *header));
  } catch (const IoError& io) {
    return io.what();
  }
}

}  // namespace recloom
