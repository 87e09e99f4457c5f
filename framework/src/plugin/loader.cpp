#include "plugin/loader.hpp"

#define BOOST_DLL_USE_STD_FS
#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>
#include <unistd.h>

#include <boost/dll/shared_library.hpp>
#include <cstdint>
#include <cstring>
#include <exception>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "core/text.hpp"
#include "plugin/elf.hpp"
#include "plugin/running.hpp"
#include "plugin/trust.hpp"

namespace recloom {
namespace {

namespace dll = boost::dll;
namespace fs = std::filesystem;
using plugin::RecloomPlugin;

constexpr std::string_view kPrefix = "recloom-", kSuffix = ".so";
constexpr const char* kSymbol = "recloom_plugin";

// Reachable for ever and never destroyed. The lock also serialises dlopen itself, which is not
// thread safe on every system.
struct OpenLibraries {
  std::mutex mutex;
  std::vector<std::unique_ptr<dll::shared_library>> all;
};
OpenLibraries& open_libraries() {
  static auto* libraries = new OpenLibraries;
  return *libraries;
}

/// Return the linker's own words, without those that Boost puts around them.
std::string linker_message(std::string_view text, const std::string& file) {
  constexpr std::string_view kOpen = "dlerror system message: ";
  const std::size_t begin = text.find(kOpen), end = text.rfind(')');
  if (begin != std::string_view::npos && end != std::string_view::npos && end > begin)
    text = text.substr(begin + kOpen.size(), end - begin - kOpen.size());
  if (text.starts_with(file + ": ")) text.remove_prefix(file.size() + 2);
  return printable(text, 400);
}

/// Return the library, or null and the problem.
dll::shared_library* open_library(const std::string& file, std::string& problem) {
  OpenLibraries& libraries = open_libraries();
  const std::lock_guard lock(libraries.mutex);
  try {
    auto library = std::make_unique<dll::shared_library>(
        fs::path(file), dll::load_mode::rtld_now | dll::load_mode::rtld_local);
    libraries.all.push_back(std::move(library));
    return libraries.all.back().get();
  } catch (const std::exception& error) {
    problem = "cannot be opened: " + linker_message(error.what(), file);
  }
  return nullptr;
}

/// Tell whether the symbol is data of the size that it must have.
bool is_descriptor(const void* address) {
  Dl_info info;
  void* entry = nullptr;
  if (dladdr1(address, &info, &entry, RTLD_DL_SYMENT) == 0 || !entry)
    return true;  // No symbol table to ask: magic and size tell.
  const auto* symbol = static_cast<const ElfW(Sym)*>(entry);
  return ELF64_ST_TYPE(symbol->st_info) == STT_OBJECT &&
         symbol->st_size >= 2 * sizeof(std::uint64_t);
}

/// Return why a descriptor does not fit, "" if it does. What a later check reads is known to be
/// where it is expected by the earlier ones.
std::string mismatch(const RecloomPlugin& d) {
  if (std::memcmp(d.magic, plugin::kMagic, sizeof d.magic) != 0)
    return "has no descriptor of recloom";
  if (d.abi_number != plugin::kAbiNumber)
    return fmt::format("was built for ABI {}, this is ABI {}: build it again", d.abi_number,
                       plugin::kAbiNumber);
  if (d.struct_size != sizeof(RecloomPlugin))
    return fmt::format("has a descriptor of {} bytes instead of {}: build it again", d.struct_size,
                       sizeof(RecloomPlugin));
  const std::string_view built = d.fingerprint ? d.fingerprint : "";
  if (built != RECLOOM_FINGERPRINT)
    return fmt::format("was built with [{}], this is [{}]: build it with the same compiler flags",
                       printable(built, 200), RECLOOM_FINGERPRINT);
  if (d.layout_hash != plugin::kLayoutHash)
    return "was built with another layout of the interface's types: build it again";
  if (d.header_hash == 0) return "was built without recloom_add_plugin, which records the headers";
  if (d.header_hash != RECLOOM_HEADER_HASH)
    return fmt::format("was built against other headers (SDK {}), this is SDK {}: build it again",
                       printable(d.sdk_version ? d.sdk_version : "?"), RECLOOM_SDK_VERSION);
  if (!d.name || !d.version || !d.summary || !d.describe || !d.create || !d.destroy)
    return "has an incomplete descriptor";
  return "";
}

const char* kind_name(std::uint32_t kind) {
  switch (kind) {
    case plugin::kModel:
      return "model";
    case plugin::kMetric:
      return "metric";
    case plugin::kSampler:
      return "sampler";
    default:
      return nullptr;
  }
}

/// Find the descriptor and check it. @return the problem, or "".
std::string find_descriptor(const dll::shared_library& library, const std::string& name,
                            const RecloomPlugin*& found) {
  if (!library.has(kSymbol)) return fmt::format("exports no symbol {}", kSymbol);
  // A symbol of that name may be anything, a function for example, and lie anywhere.
  const char* symbol = &library.get<const char>(kSymbol);
  const bool aligned = reinterpret_cast<std::uintptr_t>(symbol) % alignof(RecloomPlugin) == 0;
  if (!aligned || !is_descriptor(reinterpret_cast<const RecloomPlugin*>(symbol)))
    return "has no descriptor of recloom";
  const auto& descriptor = *reinterpret_cast<const RecloomPlugin*>(symbol);
  std::string problem = mismatch(descriptor);
  if (!problem.empty()) return problem;
  if (!kind_name(descriptor.kind)) return fmt::format("has the unknown kind {}", descriptor.kind);
  if (descriptor.name != name)
    return fmt::format("calls itself '{}', so its file must be named {}{}{}",
                       printable(descriptor.name), kPrefix, printable(descriptor.name), kSuffix);
  found = &descriptor;
  return "";
}

}  // namespace

std::string plugin_name(const std::string& file) {
  std::string name = fs::path(file).filename().string();
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix) ||
      name.size() <= kPrefix.size() + kSuffix.size())
    return "";
  return name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
}

std::string file_problem(const std::string& file) {
  if (plugin_name(file).empty()) return fmt::format("is not named {}<name>{}", kPrefix, kSuffix);
  if (std::string problem = trust_problem(file); !problem.empty()) return problem;
  return elf_problem(file);
}

pid_t fork_between_openings() {
  const std::lock_guard lock(open_libraries().mutex);
  return fork();
}

LoadedPlugin load_plugin(const std::string& file) {
  LoadedPlugin loaded;
  PluginInfo& info = loaded.info;
  info.name = plugin_name(file);
  info.file = file;
  info.problem = file_problem(file);
  if (!info.problem.empty()) return loaded;
  const Running running(info);
  // An absolute path: the loader would look a bare name up in the system's folders.
  const dll::shared_library* library = open_library(fs::absolute(file).string(), info.problem);
  if (!library) return loaded;
  const RecloomPlugin* descriptor = nullptr;
  info.problem = find_descriptor(*library, info.name, descriptor);
  if (!descriptor) return loaded;
  info.version = descriptor->version;
  info.summary = descriptor->summary;
  info.kind = kind_name(descriptor->kind);
  loaded.descriptor = descriptor;
  return loaded;
}

}  // namespace recloom
