#include "recloom/plugin/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "core/text.hpp"
#include "plugin/failure.hpp"
#include "plugin/guarded.hpp"
#include "plugin/loader.hpp"
#include "recloom/core/error.hpp"
#include "recloom/nn/network_recommender.hpp"

namespace recloom {
namespace {

namespace fs = std::filesystem;
using plugin::RecloomPlugin;

/// A file that may be a plugin, not opened yet.
struct Candidate {
  std::string name, file;
};

std::vector<std::string> search_folders(std::vector<std::string> folders) {
  for (const std::string& path : folders)
    if (std::error_code error; !fs::exists(path, error))
      throw PluginError(
          fmt::format("plugin path {} is no folder and no file", printable(path, 400)));
  if (const char* variable = std::getenv("RECLOOM_PLUGIN_PATH"))
    for (std::string& folder : split(variable, ':'))
      if (!folder.empty()) folders.push_back(std::move(folder));
  if (const std::string library = library_folder(); !library.empty())
    folders.push_back(library + "/recloom/plugins");
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

}  // namespace

namespace {

/// Parameters and buffers share one model file.
void require_own_names(const SequentialRecommender& model, const PluginInfo& plugin) {
  const auto* network = dynamic_cast<const NetworkRecommender*>(&model);
  if (network == nullptr) return;
  for (const auto& buffer : model.buffers())
    if (network->parameters().find(buffer.name))
      throw PluginError(fmt::format("plugin '{}': buffer '{}' has the name of a parameter",
                                    plugin.name, printable(buffer.name)));
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

  LoadedPlugin load(const std::string& file) const {
    const std::lock_guard lock(mutex);
    const auto known = loaded.find(file);
    if (known != loaded.end()) return known->second;
    LoadedPlugin result = load_plugin(file);
    if (result.descriptor) loaded.emplace(file, result);  // A broken file may be mended.
    return result;
  }

  LoadedPlugin require(std::string_view name) const {
    std::vector<std::string> names;
    for (const Candidate& candidate : candidates()) {
      if (candidate.name == name) return usable(load(candidate.file));
      names.push_back(candidate.name);
    }
    std::string searched;
    for (const std::string& folder : folders)
      searched += (searched.empty() ? "" : ", ") + printable(folder, 200);
    throw PluginError(fmt::format("unknown plugin '{}'{} (searched {})", printable(name),
                                  did_you_mean(name, names), searched));
  }

  LoadedPlugin require(std::string_view name, std::string_view kind) const {
    LoadedPlugin found = require(name);
    if (found.info.kind != kind)
      throw PluginError(
          fmt::format("plugin '{}' is a {}, not a {}", found.info.name, found.info.kind, kind));
    return found;
  }

  static LoadedPlugin usable(LoadedPlugin found) {
    if (!found.descriptor)
      throw PluginError(fmt::format("plugin '{}' cannot be used: {} {}", printable(found.info.name),
                                    printable(found.info.file, 400), found.info.problem));
    return found;
  }
};

PluginRegistry::PluginRegistry(std::vector<std::string> search_path)
    : impl_(std::make_unique<Impl>()) {
  impl_->folders = search_folders(std::move(search_path));
}
PluginRegistry::~PluginRegistry() = default;

const std::vector<std::string>& PluginRegistry::folders() const noexcept { return impl_->folders; }

std::vector<PluginInfo> PluginRegistry::list() const {
  std::vector<PluginInfo> rows;
  std::map<std::string, std::string> first_file;
  for (const Candidate& candidate : impl_->candidates()) {
    const auto [first, is_new] = first_file.emplace(candidate.name, candidate.file);
    if (is_new) {
      rows.push_back(impl_->load(candidate.file).info);
      continue;
    }
    PluginInfo hidden;
    hidden.name = candidate.name;
    hidden.file = candidate.file;
    hidden.problem = "is hidden by " + printable(first->second, 400);
    rows.push_back(std::move(hidden));
  }
  return rows;
}

PluginInfo PluginRegistry::find(std::string_view name) const { return impl_->require(name).info; }

std::vector<ParamInfo> PluginRegistry::describe(std::string_view name) const {
  ParamSchema schema;
  call_describe(impl_->require(name), schema);
  return schema.declared();
}

Params PluginRegistry::suggested(std::string_view name) const {
  ParamSchema schema;
  call_describe(impl_->require(name), schema);
  return schema.suggested();
}

Params PluginRegistry::resolve(std::string_view name, const Params& params,
                               std::string_view prefix) const {
  return resolve_params(impl_->require(name), params, prefix);
}

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

Model PluginRegistry::create(std::string_view name, const Params& params,
                             const Catalogue& catalogue) const {
  Model model;
  model.impl_->plugin = impl_->require(name, "model");
  model.impl_->params = resolve_params(model.impl_->plugin, params, "model.params.");
  model.impl_->object = static_cast<SequentialRecommender*>(
      call_create(model.impl_->plugin, model.impl_->params, catalogue));
  require_own_names(*model.impl_->object, model.impl_->plugin.info);
  return model;
}

std::shared_ptr<Metric> PluginRegistry::create_metric(std::string_view name,
                                                      const Params& params) const {
  const LoadedPlugin found = impl_->require(name, "metric");
  const Params resolved = resolve_params(found, params, found.info.name + ".");
  return guarded(std::shared_ptr<Metric>(static_cast<Metric*>(call_create(found, resolved, {})),
                                         found.descriptor->destroy),
                 found.info);
}

std::shared_ptr<NegativeSampler> PluginRegistry::create_sampler(std::string_view name,
                                                                const Params& params) const {
  const LoadedPlugin found = impl_->require(name, "sampler");
  const Params resolved = resolve_params(found, params, found.info.name + ".");
  return guarded(std::shared_ptr<NegativeSampler>(
                     static_cast<NegativeSampler*>(call_create(found, resolved, {})),
                     found.descriptor->destroy),
                 found.info);
}

}  // namespace recloom
