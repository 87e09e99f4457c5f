// What RecBole's pipeline makes of small files, case by case. Cases are found when the program
// runs, below golden_dir("data"); README.md there says what they are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/json.hpp"
#include "data/interval.hpp"
#include "data/sha256.hpp"
#include "data/split.hpp"
#include "recloom/core/error.hpp"
#include "recloom/data/dataset.hpp"
#include "recloom/data/sampler.hpp"
#include "support/golden.hpp"
#include "support/support.hpp"

namespace recloom::testing {
namespace {

namespace fs = std::filesystem;

fs::path folder() { return golden_dir("data"); }
Json read_json(const fs::path& file) { return Json::parse(read_text(file)); }

/// Add RecBole's key to a configuration of ours.
void translate_split(const Json& eval_args, Params& config) {
  const std::string order = eval_args.value("order", "RO");
  // There is no such key, so any order but RecBole's TO is refused as an unknown key.
  if (order != "TO") config.set("split.order", order);
  const auto split = eval_args.at("split").begin();
  const std::string kind = split.key();
  config.set("split.mode", kind == "LS"   ? "leave_one_out"
                           : kind == "RS" ? "ratio"
                           : kind == "TS" ? "temporal"
                                          : kind);
  if (kind == "LS") config.set("split.held_out", split.value().get<std::string>());
  if (kind == "RS" || kind == "TS")
    config.set("split.ratios", split.value().get<std::vector<double>>());
  const std::string group = eval_args.value("group_by", "user");
  if (kind == "RS") config.set("split.group", group == "none" ? "all" : group);
}

bool lists(const Json& load_col, const std::string& table, const std::string& column) {
  if (!load_col.contains(table)) return false;
  const Json& columns = load_col.at(table);
  return columns == "*" || std::find(columns.begin(), columns.end(), column) != columns.end();
}

/// Loading a table or a column is a choice in RecBole; here it is one for side tables only.
void translate_columns(const Json& config, Params& ours) {
  const Json load_col =
      config.contains("load_col") ? config.at("load_col") : Json{{"inter", {"user_id", "item_id"}}};
  if (load_col.is_null()) return;
  if (!load_col.contains("user")) ours.set("data.user_file", "none");
  if (!load_col.contains("item")) ours.set("data.item_file", "none");
  if (!lists(load_col, "inter", "timestamp")) ours.set("data.time_column", "not loaded");
}

std::vector<std::string> translate_filters(const Json& val_interval) {
  std::vector<std::string> filters;
  for (const auto& [column, legal] : val_interval.items()) {
    if (legal.is_string()) {
      filters.push_back(column + " " + legal.get<std::string>());
      continue;
    }
    std::string words;
    for (const Json& word : legal) {
      if (!words.empty()) words += ',';
      words += word.get<std::string>();
    }
    filters.push_back(column + " in " + words);
  }
  return filters;
}

Params translate(const Json& config) {
  Params ours;
  ours.set("data.missing_time", "mean");
  translate_columns(config, ours);
  for (const auto& [key, value] : config.items()) {
    if (key == "MAX_ITEM_LIST_LENGTH") {
      ours.set("data.max_length", value.get<std::int64_t>());
    } else if (key == "eval_args") {
      translate_split(value, ours);
    } else if (key == "rm_dup_inter") {
      ours.set("data.duplicates", value.get<std::string>());
    } else if (key == "user_inter_num_interval") {
      ours.set("data.user_interval", value.get<std::string>());
    } else if (key == "item_inter_num_interval") {
      ours.set("data.item_interval", value.get<std::string>());
    } else if (key == "val_interval") {
      ours.set("data.value_intervals", translate_filters(value));
    } else if (key == "filter_inter_by_user_or_item") {
      ours.set("data.filter_by_side_tables", value.get<bool>());
    } else if (key == "normalize_all") {
      ours.set("data.normalize_time", value.get<bool>());
    } else if (key == "repeatable") {
      if (!value.get<bool>()) ours.set("data.repeatable", false);
    } else if (key != "load_col" && key != "unused_col") {
      ADD_FAILURE() << "no translation of " << key;
    }
  }
  return ours;
}

Dataset open(const fs::path& file, const Params& config) {
  DataOptions data;
  SplitOptions split;
  const Params data_values = config.below("data"), split_values = config.below("split");
  ParamSchema data_schema(data_values, "data."), split_schema(split_values, "split.");
  data.describe(data_schema);
  split.describe(split_schema);
  data_schema.finish();
  split_schema.finish();
  RunContext run(1, 2);
  return Dataset::open(file.string(), data, split, run);
}

Json rows_of(const Batch& rows) {
  Json list = Json::array();
  for (std::size_t at = 0; at < rows.size(); ++at) {
    const Row row = rows[at];
    list.push_back({row.user, std::vector<ItemId>(row.history.begin(), row.history.end()),
                    row.history.size(), row.targets[0]});
  }
  return list;
}

/// A data set in the form of a result file.
Json result_of(const Dataset& dataset) {
  Json events = Json::array();
  for (std::size_t user = 0; user + 1 < dataset.offsets().size(); ++user) {
    const auto begin = dataset.events().begin() + dataset.offsets()[user];
    const auto end = dataset.events().begin() + dataset.offsets()[user + 1];
    events.push_back(std::vector<ItemId>(begin, end));
  }
  return {{"n_users", dataset.catalogue().n_users},
          {"n_items", dataset.catalogue().n_items},
          {"n_interactions", dataset.n_interactions()},
          {"users", dataset.vocabulary().users()},
          {"items", dataset.vocabulary().items()},
          {"events", events},
          {"train", rows_of(dataset.train_rows())},
          {"valid", rows_of(dataset.valid())},
          {"test", rows_of(dataset.test())}};
}

void check_error(const fs::path& file, const Params& config, const std::string& meaning) {
  try {
    open(file, config);
    ADD_FAILURE() << "expected an error: " << meaning;
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_TRUE(error.kind() == ErrorKind::config || error.kind() == ErrorKind::data) << text;
    EXPECT_GT(text.size(), 20u) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    EXPECT_NE(text.back(), '.') << text;
    // A hint that names a line is one that the message must name, too.
    if (meaning.starts_with("line 3")) {
      EXPECT_NE(text.find(file.string() + ":3:"), std::string::npos) << text;
    }
  }
}

void check_case(const Json& golden, const std::string& result) {
  const std::string name = golden.at("dataset");
  const fs::path file = folder() / "datasets" / name / (name + ".inter");
  Params config = translate(golden.at("config"));
  if (result == "float32") config.set("data.time_precision", "float32");
  if (result == "exact_raw") config.set("data.raw_cells", true);
  const Json& wanted = golden.at(result);
  if (wanted.is_object()) {
    check_error(file, config, wanted.at("error"));
    return;
  }
  const Json expected = read_json(folder() / wanted.get<std::string>());
  const Json actual = result_of(open(file, config));
  for (const auto& [key, value] : expected.items()) {
    EXPECT_EQ(value, actual.at(key)) << key << " of " << golden.at("id");
  }
}

void check_interval(const Json& golden) {
  const std::string text = golden.at("interval");
  const Json parsed = golden.value("parsed", Json::array());
  const bool reversed = !parsed.empty() && parsed[0][1].is_number() && parsed[0][2].is_number() &&
                        parsed[0][1] > parsed[0][2];
  if (parsed.empty() || reversed) {
    EXPECT_THROW(Intervals(text, "key"), ConfigError) << text;
    return;
  }
  const Intervals intervals(text, "key");
  ASSERT_EQ(intervals.parts().size(), parsed.size()) << text;
  const Json& values = golden.at("values");
  for (std::size_t at = 0; at < values.size(); ++at) {
    const double value = values[at].is_number() ? values[at].get<double>()
                                                : std::stod(values[at].get<std::string>());
    EXPECT_EQ(intervals.contains(value), golden.at("inside")[at].get<bool>())
        << text << " " << value;
  }
}

void check_ratio_split(const Json& golden) {
  const auto ratios = golden.at("ratios").get<std::vector<double>>();
  for (std::size_t at = 0; at < golden.at("n").size(); ++at) {
    const Json counts = ratio_counts(ratios, golden.at("n")[at].get<std::int64_t>());
    EXPECT_EQ(counts, golden.at("counts")[at]) << golden.at("ratios") << golden.at("n")[at];
  }
}

/// Draw often and compare with the probabilities by a chi-square test.
void check_draws(const NegativeSampler& sampler, std::span<const ItemId> targets,
                 const std::vector<double>& probability) {
  constexpr std::size_t kRows = 2000, kPerRow = 100;
  std::vector<double> counts(probability.size(), 0);
  std::vector<ItemId> negatives(kPerRow);
  Row given;
  given.targets = targets;
  for (std::size_t row = 0; row < kRows; ++row) {
    sampler.sample(given, Rng(7).fork("negatives", row), negatives);
    for (const ItemId item : negatives) ++counts.at(static_cast<std::size_t>(item));
  }
  double chi_square = 0;
  int degrees = -1;
  for (std::size_t item = 0; item < probability.size(); ++item) {
    const double expected = probability[item] * kRows * kPerRow;
    if (expected == 0) {
      EXPECT_EQ(counts[item], 0) << "item " << item << " can never be drawn";
      continue;
    }
    chi_square += (counts[item] - expected) * (counts[item] - expected) / expected;
    ++degrees;
  }
  // Mean d, deviation sqrt(2 d): four deviations above it (p about 1e-4; the draws are fixed).
  EXPECT_LT(chi_square, degrees + 4 * std::sqrt(2.0 * degrees));
}

void check_sampling(const Json& golden) {
  const std::string name = golden.at("dataset");
  Params config;
  config.set("data.missing_time", "mean");
  const Dataset dataset = open(folder() / "datasets" / name / (name + ".inter"), config);
  ASSERT_EQ(dataset.catalogue().n_items, golden.at("n_items").get<int>());
  std::unique_ptr<NegativeSampler> sampler = make_uniform_sampler();
  if (golden.contains("alpha")) {
    const auto counts = dataset.all_target_counts();
    EXPECT_EQ(Json(std::vector<std::int64_t>(counts.begin(), counts.end())),
              golden.at("target_counts"));
    sampler = make_popularity_sampler(golden.at("alpha").get<double>());
  }
  sampler->prepare({dataset.catalogue(), dataset.all_target_counts()});
  check_draws(*sampler, {}, golden.at("probability").get<std::vector<double>>());
  const Json& given = golden.at("given_target");
  const ItemId target = given.at("target").get<ItemId>();
  check_draws(*sampler, {&target, 1}, given.at("probability").get<std::vector<double>>());
}

std::string lines_of(const std::vector<std::string>& tokens) {
  std::string text;
  for (const std::string& token : tokens) text += token + "\n";
  return text;
}

/// Check a part against hashes of its canonical text, in split order and by user token.
void check_part(const Dataset& dataset, const Batch& rows, const Json& golden) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (std::size_t at = 0; at < rows.size(); ++at) {
    const Row row = rows[at];
    const std::string user(dataset.vocabulary().user_token(row.user));
    std::string line = user + "\t";
    for (std::size_t item = 0; item < row.history.size(); ++item) {
      line += item == 0 ? "" : " ";
      line += dataset.vocabulary().item_token(row.history[item]);
    }
    line += '\t';
    line += dataset.vocabulary().item_token(row.targets[0]);
    line += '\n';
    lines.emplace_back(user, line);
  }
  const auto hash = [&] {
    std::string text;
    for (const auto& line : lines) text += line.second;
    return sha256(text);
  };
  EXPECT_EQ(golden.at("rows").get<std::size_t>(), rows.size());
  EXPECT_EQ(golden.at("sha256_split_order").get<std::string>(), hash());
  std::stable_sort(lines.begin(), lines.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  EXPECT_EQ(golden.at("sha256_by_user").get<std::string>(), hash());
}

void check_ml_100k(const Json& golden, const std::string& result) {
  const fs::path file = shared_dataset("ml-100k/ml-100k.inter.gz");
  if (file.empty()) GTEST_SKIP() << "the ml-100k log is not there (RECLOOM_DATA_DIR)";
  Json recbole = golden.at("config");
  recbole["load_col"] = nullptr;
  Params config = translate(recbole);
  if (result != "exact") config.set("data.time_precision", "float32");
  if (result == "recbole_preset") config.set("data.normalize_time", true);
  const Dataset dataset = open(file, config);
  const Json& wanted = golden.at(result);
  EXPECT_EQ(dataset.catalogue().n_users, wanted.at("n_users").get<int>());
  EXPECT_EQ(dataset.catalogue().n_items, wanted.at("n_items").get<int>());
  EXPECT_EQ(dataset.n_interactions(), wanted.at("n_interactions").get<std::int64_t>());
  EXPECT_EQ(sha256(lines_of(dataset.vocabulary().users())),
            wanted.at("users_sha256").get<std::string>());
  EXPECT_EQ(sha256(lines_of(dataset.vocabulary().items())),
            wanted.at("items_sha256").get<std::string>());
  check_part(dataset, dataset.train_rows(), wanted.at("train"));
  check_part(dataset, dataset.valid(), wanted.at("valid"));
  check_part(dataset, dataset.test(), wanted.at("test"));
}

/// A test whose body is known when the program runs.
class Case : public ::testing::Test {
 public:
  explicit Case(std::function<void()> body) : body_(std::move(body)) {}
  void TestBody() override { body_(); }

 private:
  std::function<void()> body_;
};

std::size_t n_registered = 0;

void add(const std::string& suite, std::string name, std::function<void()> body) {
  for (char& letter : name)
    letter = std::isalnum(static_cast<unsigned char>(letter)) ? letter : '_';
  ::testing::RegisterTest(
      suite.c_str(), name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
      [body = std::move(body)]() -> ::testing::Test* { return new Case(body); });
  ++n_registered;
}

/// Add a test for each entry of a list in a file, if the file is there.
template <class Check>
void add_list(const std::string& suite, const std::string& file, const Check& check) {
  if (!fs::exists(folder() / file)) return;
  std::size_t number = 0;
  for (const Json& golden : read_json(folder() / file)) {
    add(suite, std::to_string(number++), [golden, check] { check(golden); });
  }
}

void add_index_cases() {
  const fs::path file = folder() / "index.json";
  if (!fs::exists(file)) return;
  const Json index = read_json(file);
  for (const Json& golden : index.at("cases")) {
    for (const std::string result : {"exact", "float32", "exact_raw"}) {
      if (!golden.contains(result)) continue;
      add("GoldenData", golden.at("id").get<std::string>() + "." + result,
          [golden, result] { check_case(golden, result); });
    }
  }
}

void register_cases() {
  add_index_cases();
  add_list("GoldenIntervals", "intervals.json", check_interval);
  add_list("GoldenRatioSplit", "ratio_split.json", check_ratio_split);
  add_list("GoldenSampling", "sampling.json", check_sampling);
  for (const std::string result : {"exact", "recbole_raw_float32", "recbole_preset"}) {
    add_list("GoldenMl100k_" + result, "ml-100k.json",
             [result](const Json& golden) { check_ml_100k(golden, result); });
  }
}

}  // namespace
}  // namespace recloom::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  try {
    recloom::testing::register_cases();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", recloom::testing::folder().c_str(), error.what());
    return 1;
  }
  if (!recloom::testing::say_golden("data", recloom::testing::n_registered, "data")) return 1;
  return RUN_ALL_TESTS();
}
