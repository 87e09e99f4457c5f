// Reports as JSON text, for machines and for files.
#include "host/report_json.hpp"

#include <fmt/format.h>

#include <charconv>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/utf8.hpp"
#include "host/json_params.hpp"

namespace recloom {
namespace {

/// The number with the fewest digits that reads back as the same float, whatever the locale.
double shortest(float value) {
  const std::string text = fmt::format("{}", value);
  double number = value;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// Tokens of logs are UTF-8, those that a caller asks about may be anything.
Json as_texts(const std::vector<std::string>& tokens) {
  Json texts = Json::array();
  for (const std::string& token : tokens) texts.push_back(as_utf8(token));
  return texts;
}

const char* name_of(StopReason reason) {
  switch (reason) {
    case StopReason::finished:
      return "finished";
    case StopReason::early_stop:
      return "early_stop";
    case StopReason::max_steps:
      return "max_steps";
    case StopReason::interrupted:
      return "interrupted";
  }
  return "";
}

Json as_names(const std::vector<std::string>& files) {
  Json names = Json::array();
  for (const std::string& file : files) names.push_back(escape_bytes(file));
  return names;
}

Json dataset(const RunReport& report) {
  return {{"name", escape_bytes(report.dataset_name)},
          {"files", as_names(report.files)},
          {"users", report.users},
          {"items", report.items},
          {"interactions", report.interactions},
          {"hash", report.dataset_hash}};
}

/// Metrics by name, and which rows they are of.
Json part(const EvalReport& report) {
  Json json = report.values;
  if (report.rows + report.dropped_rows == 0) return json;
  json["rows"] = report.rows;
  json["targets"] = report.targets;
  json["cold_targets"] = report.cold_targets;
  json["dropped_rows"] = report.dropped_rows;
  return json;
}

void add_outcome(Json& json, const TrainReport& train) {
  json["steps"] = train.steps;
  json["stop"] = name_of(train.stop);
  if (train.best_epoch) {
    json["best_epoch"] = *train.best_epoch;
    json["best_valid"] = train.best_valid;
  }
  if (!train.history.empty()) json["loss"] = train.history.back().loss;
}

}  // namespace

std::string json_quote(std::string_view text) { return dump_json(Json(as_utf8(text))); }

std::string json_value(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return json_quote(*text);
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value))
    return dump_json(as_texts(*texts));
  return dump_json(std::visit([](const auto& held) { return Json(held); }, value));
}

std::string json_list(const std::vector<std::string>& elements) {
  Json list = Json::array();
  for (const std::string& element : elements) list.push_back(parse_json(element));
  return dump_json(list);
}

std::string json_object(const std::vector<std::pair<std::string, std::string>>& members) {
  Json object = Json::object();
  for (const auto& [name, value] : members) object[as_utf8(name)] = parse_json(value);
  return dump_json(object);
}

std::string RunReport::to_json() const {
  Json json = run_folder_report(*this);
  json["run_folder"] = escape_bytes(run_folder);
  json["model_file"] = escape_bytes(model_file);
  return dump_json(json);
}

Json run_folder_report(const RunReport& report) {
  Json json;
  json["model"] = report.model;
  json["plugin_version"] = report.plugin_version;
  json["seed"] = report.seed;
  json["recloom_version"] = version();
  json["protocol_hash"] = report.protocol_hash;
  json["protocol"] = to_json(report.protocol);
  json["settings"] = to_json(report.settings);
  json["dataset"] = dataset(report);
  json["train"] = {{"rows", report.train.rows}, {"epochs", report.train.epochs_run}};
  add_outcome(json["train"], report.train);
  json["valid"] = part(report.valid);
  json["test"] = part(report.test);
  json["timing"] = {{"threads", report.threads},
                    {"train_rows", report.train.rows_here},
                    {"train_seconds", report.train.seconds},
                    {"train_rows_per_second", report.train.rows_per_second},
                    {"test_seconds", report.test.seconds},
                    {"test_users_per_second", report.test.rows_per_second()}};
  return json;
}

Json history_line(const EpochReport& epoch) {
  Json json;
  json["epoch"] = epoch.epoch;
  json["loss"] = epoch.loss;
  json["penalty"] = epoch.penalty;
  json["learning_rate"] = epoch.learning_rate;
  if (!epoch.valid.empty()) json["valid"] = epoch.valid;
  json["best"] = epoch.best;
  json["timing"] = {{"seconds", epoch.seconds}};
  return json;
}

std::string DatasetStats::to_json() const {
  return dump_json({{"name", escape_bytes(name)},
                    {"hash", hash},
                    {"users", users},
                    {"items", items},
                    {"interactions", interactions},
                    {"length",
                     {{"shortest", shortest},
                      {"median", median_length},
                      {"mean", mean_length},
                      {"longest", longest}}},
                    {"density", density},
                    {"repeats", repeats},
                    {"rows", {{"train", train_rows}, {"valid", valid_rows}, {"test", test_rows}}},
                    {"targets", {{"valid", valid_targets}, {"test", test_targets}}},
                    {"read",
                     {{"format", as_utf8(read.format)},
                      {"columns", as_utf8(read.columns)},
                      {"times", as_utf8(read.times)},
                      {"first", as_utf8(read.first)}}}});
}

std::string RecommendedList::to_json() const {
  Json json;
  json["user"] = as_utf8(user);
  json["user_known"] = user_known;
  json["history"] = as_texts(history);
  json["unknown"] = as_texts(unknown);
  json["items"] = Json::array();
  for (const RecommendedItem& found : items) {
    Json item = {{"item", found.item}, {"score", shortest(found.score)}};
    if (!found.name.empty()) item["name"] = found.name;
    json["items"].push_back(std::move(item));
  }
  return dump_json(json);
}

std::string DoctorReport::to_json() const {
  Json json;
  json["healthy"] = healthy();
  for (const Fact& fact : facts) json["facts"][fact.name] = fact.value;
  json["checks"] = Json::array();
  for (const Check& check : checks)
    json["checks"].push_back({{"name", check.name}, {"problem", check.problem}});
  return dump_json(json);
}

}  // namespace recloom
