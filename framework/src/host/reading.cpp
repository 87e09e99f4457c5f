// The one list of the keys that say how a log is read.
#include "host/reading.hpp"

#include <algorithm>
#include <string>

#include "host/config_sections.hpp"

namespace recloom {
namespace {

struct ReadingKey {
  std::string_view name;
  ReadingKind kind;
};

constexpr ReadingKey kReading[] = {
    {"format", ReadingKind::form},        {"separator", ReadingKind::form},
    {"columns", ReadingKind::form},       {"encoding", ReadingKind::form},
    {"time_format", ReadingKind::form},   {"time_unit", ReadingKind::form},
    {"raw_cells", ReadingKind::form},     {"user_column", ReadingKind::names},
    {"item_column", ReadingKind::names},  {"time_column", ReadingKind::names},
    {"name_column", ReadingKind::tables}, {"user_file", ReadingKind::tables},
    {"item_file", ReadingKind::tables},   {"max_events", ReadingKind::limits},
    {"max_text_gib", ReadingKind::limits}};

/// Whether seconds or dates of the settings are laid on the times of the log.
bool counts_time(const RunConfig& config) {
  const SplitOptions& split = config.split;
  return config.data.session_gap > 0 ||
         (split.mode == SplitMode::temporal && (!split.times.empty() || !split.last_days.empty()));
}

}  // namespace

bool is_reading(std::string_view name) {
  return std::ranges::find(kReading, name, &ReadingKey::name) != std::end(kReading);
}

bool is_reading_of_protocol(std::string_view name, const RunConfig& config) {
  return name == "raw_cells" || (name == "time_unit" && counts_time(config));
}

void copy_reading(DataOptions& data, const DataOptions& from,
                  std::initializer_list<ReadingKind> kinds) {
  const Params there = section_values(from);
  Params values;
  for (const auto& [name, kind] : kReading)
    if (std::ranges::find(kinds, kind) != kinds.end())
      values.set(std::string(name), *there.find(name));
  assign_section("data", data, values);
}

void forget_reading(DataOptions& data) {
  copy_reading(data, DataOptions(),
               {ReadingKind::form, ReadingKind::names, ReadingKind::tables, ReadingKind::limits});
}

bool same_form(const DataOptions& one, const DataOptions& other) {
  DataOptions copy = one;
  copy_reading(copy, other, {ReadingKind::form});
  return section_values(copy).values() == section_values(one).values();
}

}  // namespace recloom
