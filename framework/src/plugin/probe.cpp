#include "plugin/probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <memory>

#include "plugin/child.hpp"
#include "plugin/loader.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr std::size_t kAtATime = 16;
constexpr const char* kWhen = "when it is opened";

/// One file, with the child that opens it.
struct Probe {
  PluginInfo info;
  std::unique_ptr<Child> child;  ///< Null: the file says enough.
};

Probe start(const std::string& file) {
  Probe probe;
  probe.info.name = plugin_name(file);
  probe.info.file = file;
  probe.info.problem = file_problem(file);
  if (!probe.info.problem.empty()) return probe;
  try {
    probe.child = std::make_unique<Child>([&file](const Child::Send& send) {
      const PluginInfo info = load_plugin(file).info;
      send({info.version, info.summary, info.kind, info.problem});
    });
  } catch (const IoError&) {  // No process to be had: better at a risk than not at all.
    probe.info = load_plugin(file).info;
  }
  return probe;
}

PluginInfo finish(Probe probe, Child::Clock::time_point deadline, std::chrono::seconds limit) {
  if (!probe.child) return probe.info;
  Message fields;
  switch (probe.child->read(fields, deadline)) {
    case Child::Reading::message:
      if (fields.size() != 4) break;
      probe.info.version = fields[0];
      probe.info.summary = fields[1];
      probe.info.kind = fields[2];
      probe.info.problem = fields[3];
      break;
    case Child::Reading::ended:
      probe.info.problem = probe.child->ending(kWhen);
      break;
    case Child::Reading::late:
      probe.info.problem = fmt::format("does not come back within {} s {}", limit.count(), kWhen);
      break;
  }
  return probe.info;
}

}  // namespace

std::vector<PluginInfo> probe_plugins(std::span<const std::string> files,
                                      std::chrono::seconds limit) {
  std::vector<PluginInfo> rows;
  while (!files.empty()) {
    const auto some = files.first(std::min(files.size(), kAtATime));
    std::vector<Probe> probes;
    for (const std::string& file : some) probes.push_back(start(file));
    const auto deadline = Child::Clock::now() + limit;
    for (Probe& probe : probes) rows.push_back(finish(std::move(probe), deadline, limit));
    files = files.subspan(some.size());
  }
  return rows;
}

}  // namespace recloom
