#include "recloom/plugin/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "core/text.hpp"
#include "plugin/failure.hpp"
#include "plugin/guarded.hpp"
#include "plugin/library_folder.hpp"
#include "plugin/loader.hpp"
#include "plugin/probe.hpp"
#include "recloom/core/error.hpp"
#include "recloom/nn/network_recommender.hpp"

namespace recloom {
namespace {

namespace fs = std::filesystem;
using plugin::RecloomPlugin;

/// Opening a file takes milliseconds. One that was asked for may lie on a slow disk.
constexpr std::chrono::seconds kLongestLook{3}, kLongestOpening{20};

/// A file that may be a plugin, not opened yet.
struct Candidate {
  std::string name, file;
};

/// Where the plugins lie that come with the library; "" if nobody knows.
std::string own_folder() {
  const std::string library = library_folder();
  return library.empty() ? "" : library + "/recloom/plugins";
}

std::vector<std::string> search_folders(std::vector<std::string> folders) {
  for (const std::string& path : folders)
    if (std::error_code error; !fs::exists(path, error))
      throw PluginError(
          fmt::format("plugin path {} is no folder and no file", printable(path, 400)));
  if (const char* variable = std::getenv("RECLOOM_PLUGIN_PATH"))
    for (std::string& folder : split(variable, ':'))
      if (!folder.empty()) folders.push_back(std::move(folder));
  if (std::string own = own_folder(); !own.empty()) folders.push_back(std::move(own));
  return folders;
}

/// Return the candidates of a folder by file name, or the file itself if `path` is one.
std::vector<Candidate> candidates_in(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    if (!fs::exists(path, error)) return {};
    return {{plugin_name(path), path}};
  }
  std::vector<Candidate> found;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    std::string file = it->path().string(), name = plugin_name(file);
    if (!name.empty()) found.push_back({std::move(name), std::move(file)});
  }
  std::sort(found.begin(), found.end(),
            [](const Candidate& a, const Candidate& b) { return a.file < b.file; });
  return found;
}

/// Parameters and buffers share one model file.
void require_own_names(const SequentialRecommender& model, const PluginInfo& plugin) {
  const auto* network = dynamic_cast<const NetworkRecommender*>(&model);
  if (network == nullptr) return;
  for (const auto& buffer : model.buffers())
    if (network->parameters().find(buffer.name))
      throw PluginError(fmt::format("plugin '{}': buffer '{}' has the name of a parameter",
                                    plugin.name, printable(buffer.name)));
}

void require_usable(const PluginInfo& plugin) {
  if (!plugin.usable())
    throw PluginError(fmt::format("plugin '{}' cannot be used: {} {}", printable(plugin.name),
                                  printable(plugin.file, 400), plugin.problem));
}

void require_kind(std::string_view kind, const PluginInfo& plugin) {
  if (plugin.kind != kind)
    throw PluginError(fmt::format("plugin '{}' is a {}, not a {}", plugin.name, plugin.kind, kind));
}

}  // namespace

struct PluginRegistry::Impl {
  std::vector<std::string> folders;
  mutable std::mutex mutex;
  mutable std::map<std::string, LoadedPlugin> loaded;  ///< By file.

  std::vector<Candidate> candidates() const {
    std::vector<Candidate> all;
    std::set<std::string> visited;
    for (const std::string& folder : folders) {
      std::error_code error;
      if (!visited.insert(fs::weakly_canonical(folder, error).string()).second) continue;
      for (Candidate& candidate : candidates_in(folder)) all.push_back(std::move(candidate));
    }
    return all;
  }

  /// Return the file that the name stands for. @throws PluginError if there is none.
  Candidate require(std::string_view name) const {
    std::vector<std::string> names;
    for (Candidate& candidate : candidates()) {
      if (candidate.name == name) return std::move(candidate);
      names.push_back(candidate.name);
    }
    std::string searched;
    for (const std::string& folder : folders)
      searched += (searched.empty() ? "" : ", ") + printable(folder, 200);
    throw PluginError(fmt::format("unknown plugin '{}'{} (searched {})", printable(name),
                                  did_you_mean(name, names), searched));
  }

  std::optional<LoadedPlugin> opened(const std::string& file) const {
    const std::lock_guard lock(mutex);
    const auto known = loaded.find(file);
    if (known == loaded.end()) return std::nullopt;
    return known->second;
  }

  /// Open a file that was opened elsewhere without harm. What comes with the library is trusted: a
  /// child for it would take a third of the time to the first recommendation.
  LoadedPlugin open(const std::string& file) const {
    if (std::optional<LoadedPlugin> known = opened(file)) return *known;
    LoadedPlugin result;
    const bool is_foreign = fs::path(file).parent_path() != own_folder();
    if (is_foreign) result.info = probe({file}, kLongestOpening).front();
    if (result.info.usable()) result = load_plugin(file);
    const std::lock_guard lock(mutex);
    if (result.descriptor) loaded.emplace(file, result);  // A broken file may be mended.
    return result;
  }

  /// Find out about files, in order; those that are open are known.
  std::vector<PluginInfo> probe(const std::vector<std::string>& files,
                                std::chrono::seconds limit) const {
    std::vector<std::string> closed;
    for (const std::string& file : files)
      if (!opened(file)) closed.push_back(file);
    std::vector<PluginInfo> probed = probe_plugins(closed, limit), rows;
    for (std::size_t index = 0; const std::string& file : files) {
      const bool is_closed = index < closed.size() && closed[index] == file;
      rows.push_back(is_closed ? std::move(probed[index++]) : opened(file)->info);
    }
    return rows;
  }
};

PluginRegistry::PluginRegistry(std::vector<std::string> search_path)
    : impl_(std::make_unique<Impl>()) {
  impl_->folders = search_folders(std::move(search_path));
}
PluginRegistry::~PluginRegistry() = default;

const std::vector<std::string>& PluginRegistry::folders() const noexcept { return impl_->folders; }

std::vector<std::string> PluginRegistry::names() const {
  std::vector<std::string> names;
  std::set<std::string> known;
  for (const Candidate& candidate : impl_->candidates())
    if (!candidate.name.empty() && known.insert(candidate.name).second)
      names.push_back(candidate.name);
  return names;
}

bool PluginRegistry::has(std::string_view name) const {
  const std::vector<std::string> all = names();
  return std::ranges::find(all, name) != all.end();
}

std::vector<PluginInfo> PluginRegistry::list() const {
  const std::vector<Candidate> candidates = impl_->candidates();
  std::map<std::string, std::string> first_file;
  std::vector<std::string> files;
  for (const Candidate& candidate : candidates)
    if (first_file.emplace(candidate.name, candidate.file).second) files.push_back(candidate.file);
  std::vector<PluginInfo> seen = impl_->probe(files, kLongestLook), rows;
  for (std::size_t index = 0; const Candidate& candidate : candidates) {
    if (index < seen.size() && seen[index].file == candidate.file) {
      rows.push_back(std::move(seen[index++]));
      continue;
    }
    PluginInfo hidden;
    hidden.name = candidate.name;
    hidden.file = candidate.file;
    hidden.problem = "is hidden by " + printable(first_file[candidate.name], 400);
    rows.push_back(std::move(hidden));
  }
  return rows;
}

PluginInfo PluginRegistry::probe(std::string_view name) const {
  const PluginInfo info = impl_->probe({impl_->require(name).file}, kLongestOpening).front();
  require_usable(info);
  return info;
}

Plugin PluginRegistry::open(std::string_view name) const {
  LoadedPlugin found = impl_->open(impl_->require(name).file);
  require_usable(found.info);
  return Plugin(std::move(found));
}

// ---- An open plugin -----------------------------------------------------------------------------

struct Model::Impl {
  LoadedPlugin plugin;
  Params params;
  SequentialRecommender* object = nullptr;
  ~Impl() {
    if (object) plugin.descriptor->destroy(object);
  }
};

Model::Model() : impl_(std::make_unique<Impl>()) {}
Model::~Model() = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
SequentialRecommender& Model::operator*() const noexcept { return *impl_->object; }
SequentialRecommender* Model::operator->() const noexcept { return impl_->object; }
const PluginInfo& Model::plugin() const noexcept { return impl_->plugin.info; }
const Params& Model::params() const noexcept { return impl_->params; }

Plugin::Plugin(LoadedPlugin loaded)
    : loaded_(std::make_shared<const LoadedPlugin>(std::move(loaded))) {}

const PluginInfo& Plugin::info() const noexcept { return loaded_->info; }

std::vector<ParamInfo> Plugin::describe() const {
  ParamSchema schema;
  call_describe(*loaded_, schema);
  return schema.declared();
}

Params Plugin::suggested() const {
  ParamSchema schema;
  call_describe(*loaded_, schema);
  return schema.suggested();
}

Params Plugin::resolve(const Params& params, std::string_view prefix) const {
  return resolve_params(*loaded_, params, prefix);
}

Model Plugin::create(const Params& params, const Catalogue& catalogue) const {
  require_kind("model", info());
  Model model;
  model.impl_->plugin = *loaded_;
  model.impl_->params = resolve_params(*loaded_, params, "model.params.");
  model.impl_->object =
      static_cast<SequentialRecommender*>(call_create(*loaded_, model.impl_->params, catalogue));
  require_own_names(*model.impl_->object, info());
  return model;
}

std::shared_ptr<Metric> Plugin::create_metric(const Params& params) const {
  require_kind("metric", info());
  const Params resolved = resolve_params(*loaded_, params, info().name + ".");
  return guarded(std::shared_ptr<Metric>(static_cast<Metric*>(call_create(*loaded_, resolved, {})),
                                         loaded_->descriptor->destroy),
                 info());
}

std::shared_ptr<NegativeSampler> Plugin::create_sampler(const Params& params) const {
  require_kind("sampler", info());
  const Params resolved = resolve_params(*loaded_, params, info().name + ".");
  return guarded(std::shared_ptr<NegativeSampler>(
                     static_cast<NegativeSampler*>(call_create(*loaded_, resolved, {})),
                     loaded_->descriptor->destroy),
                 info());
}

}  // namespace recloom
