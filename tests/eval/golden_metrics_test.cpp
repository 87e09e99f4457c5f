// Metric values of RecBole 1.2.1 and of an independent double-precision implementation; the cases
// and their tolerances are described where they were made.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "core/text.hpp"
#include "recloom/eval/evaluator.hpp"
#include "recloom/eval/metric_keys.hpp"
#include "recloom/eval/metric_registry.hpp"
#include "recloom/eval/rounding.hpp"
#include "recloom/eval/value_metrics.hpp"
#include "scoring/fake_models.hpp"
#include "support/golden.hpp"
#include "support/support.hpp"

namespace {

using namespace recloom;
using namespace recloom::testing;
namespace fs = std::filesystem;

constexpr double kTolerance = 1e-9;
// RecBole computes GAUC in float32.
constexpr double kGaucTolerance = 1e-6;

int failures = 0;
int checks = 0;

void expect_near(const std::string& what, double found, double wanted, double tolerance) {
  ++checks;
  if (std::abs(found - wanted) <= tolerance || found == wanted ||
      (std::isnan(found) && std::isnan(wanted)))
    return;
  ++failures;
  std::printf("FAILED %s: found %.17g, wanted %.17g\n", what.c_str(), found, wanted);
}

Json read_json(const fs::path& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error("cannot open " + file.string());
  return Json::parse(in);
}

/// A folder may lack a kind of case.
Json read_cases(const fs::path& file) { return fs::exists(file) ? read_json(file) : Json::array(); }

std::vector<float> read_npy(const fs::path& file, std::size_t size) {
  const std::string bytes = read_text(file);
  constexpr std::size_t kFixed = 10;  // Magic, version, two bytes of header length.
  if (bytes.size() < kFixed) throw std::runtime_error("not a NumPy file: " + file.string());
  const std::size_t header =
      static_cast<unsigned char>(bytes[8]) + 256U * static_cast<unsigned char>(bytes[9]);
  if (bytes.find("'<f4'") > header || bytes.size() != kFixed + header + 4 * size)
    throw std::runtime_error("unexpected shape or type: " + file.string());
  std::vector<float> values(size);
  std::memcpy(values.data(), bytes.data() + kFixed + header, 4 * size);
  return values;
}

struct RankingCase {
  std::string name;
  int n_items = 0;
  std::vector<float> scores;
  std::vector<std::vector<ItemId>> positives;
  std::vector<std::int64_t> train_counts;
  EvalOptions options;
  Json json;

  std::span<const float> row(std::size_t index) const {
    const auto width = static_cast<std::size_t>(n_items);
    return std::span(scores).subspan(index * width, width);
  }
  bool finite() const {
    for (std::size_t index = 0; index < positives.size(); ++index)
      for (const float score : row(index).subspan(1))
        if (!std::isfinite(score)) return false;
    return true;
  }
};

RankingCase read_case(const fs::path& folder, const std::string& file) {
  RankingCase c;
  c.json = read_json(folder / file);
  c.name = c.json.at("name");
  c.n_items = c.json.at("n_items");
  c.positives = c.json.at("positives").get<std::vector<std::vector<ItemId>>>();
  c.scores = read_npy(folder / c.json.at("scores").get<std::string>(),
                      c.positives.size() * static_cast<std::size_t>(c.n_items));
  c.train_counts.resize(static_cast<std::size_t>(c.n_items));
  for (const auto& [item, count] : c.json.at("train_counts").items())
    c.train_counts[std::stoul(item)] = count;
  c.options.metrics = builtin_metric_names();
  c.options.topk = c.json.at("topk").get<std::vector<int>>();
  if (!c.json.at("tail_ratio").is_null()) c.options.tail_ratio = c.json.at("tail_ratio");
  return c;
}

struct Result {
  std::map<std::string, double> values;
  std::vector<std::string> ranks;  ///< Per row, from the rows file.
};

Result run_evaluator(const RankingCase& c, const SequentialRecommender& model, const Rows& rows) {
  const TemporaryFolder folder;
  RunContext run(1, 2);
  const auto metrics = builtin_metrics(c.options);
  EvalContext context;
  context.catalogue = model.catalogue();
  context.train_counts = c.train_counts;
  context.rows_file = folder.file("rows.tsv");
  Result result;
  result.values = evaluate(model, rows.batch(), context, c.options, metrics, run).values;
  for (const std::string& line : split(read_text(context.rows_file), '\n'))
    if (const auto cells = split(line, '\t'); cells.size() > 2 && cells[0] != "user")
      result.ranks.push_back(cells[2]);
  return result;
}

void check_values(const RankingCase& c, const std::string& how, const Result& result,
                  const Json& wanted) {
  for (const auto& [key, value] : wanted.items()) {
    const auto found = result.values.find(key);
    const bool gauc = key == "gauc";
    expect_near(c.name + " " + how + " " + key, found == result.values.end() ? -1 : found->second,
                value.get<double>(), gauc ? kGaucTolerance : kTolerance);
  }
}

/// Compare one way of scoring with everything that a case has.
void check_ranking(const RankingCase& c, const std::string& form,
                   const std::function<Result(const RankingCase&)>& run) {
  constexpr std::pair<TieRule, const char*> kRules[] = {{TieRule::by_id, "by_id"},
                                                        {TieRule::optimistic, "optimistic"},
                                                        {TieRule::pessimistic, "pessimistic"},
                                                        {TieRule::mean, "mean"}};
  for (const auto& [rule, word] : kRules) {
    RankingCase one = c;
    one.options.ties = rule;
    const Result result = run(one);
    const std::string how = form + " " + word;
    if (rule == TieRule::by_id) check_values(c, how, result, c.json.at("expected"));
    const std::string key = std::string("expected_") + word;
    if (c.json.contains(key)) check_values(c, how, result, c.json.at(key));
    if (c.json.contains("gauc_double"))
      expect_near(c.name + " " + how + " gauc", result.values.at("gauc"), c.json.at("gauc_double"),
                  kTolerance);
    if (!c.json.contains("ranks")) continue;
    for (std::size_t row = 0; row < c.positives.size(); ++row)
      expect_near(c.name + " " + how + " rank of row " + std::to_string(row),
                  std::stod(result.ranks.at(row)), c.json.at("ranks")[row].at(word), 0);
  }
}

Rows rows_of(const RankingCase& c) {
  Rows rows;
  for (const std::vector<ItemId>& positives : c.positives) rows.add({}, positives);
  return rows;
}

/// Every row as an evaluation of its own, so that the scores can be the bias of an item head, which
/// may be infinite; metrics of all lists together have no such form.
Result evaluate_row_by_row(const RankingCase& c) {
  Result mean;
  double gauc_weight = 0, gauc = 0;
  for (std::size_t index = 0; index < c.positives.size(); ++index) {
    Rows row;
    row.add({}, c.positives[index]);
    const std::span<const float> scores = c.row(index);
    const Result one = run_evaluator(c, BiasModel({scores.begin(), scores.end()}), row);
    mean.ranks.push_back(one.ranks.at(0));
    for (const auto& [key, value] : one.values) {
      if (key != "gauc") {
        mean.values[key] += value / static_cast<double>(c.positives.size());
      } else if (!std::isnan(value)) {
        const auto weight = static_cast<double>(c.positives[index].size());
        gauc += weight * value;
        gauc_weight += weight;
      }
    }
  }
  mean.values["gauc"] = gauc / gauc_weight;
  return mean;
}

RankingCase without_list_metrics(RankingCase c) {
  for (const char* name : {"itemcoverage", "shannonentropy", "giniindex"})
    for (const int k : c.options.topk) c.json["expected"].erase(metric_key(name, k));
  return c;
}

int check_ranking_cases(const fs::path& folder) {
  int cases = 0;
  for (const Json& entry : read_cases(folder / "ranking_index.json")) {
    const RankingCase c = read_case(folder, entry.at("file"));
    ++cases;
    const Rows rows = rows_of(c);
    check_ranking(c, "whole rows", [&](const RankingCase& one) {
      return run_evaluator(one, TableModel(one.scores, one.n_items), rows);
    });
    check_ranking(without_list_metrics(c), "bias", evaluate_row_by_row);
    if (!c.finite()) continue;
    std::vector<float> scores = c.scores;
    for (std::size_t at = 0; at < scores.size(); at += static_cast<std::size_t>(c.n_items))
      scores[at] = 1e6F;  // Infinite in the file; a good score shows whether column 0 is left out.
    check_ranking(c, "query x item", [&](const RankingCase& one) {
      return run_evaluator(one, IdentityModel(scores, one.n_items), rows);
    });
  }
  return cases;
}

/// The protocol of Caser's authors. @param shift added to all ids: with 1, what was column 0 is an
/// item that is ranked.
RankingCase author_case(const fs::path& folder, const Json& json, int shift) {
  RankingCase c;
  c.name = json.at("name");
  c.n_items = json.at("n_items").get<int>() + shift;
  c.options.metrics = {"ap", "precision", "recall"};
  c.options.topk = json.at("ks").get<std::vector<int>>();
  c.options.mask_history = MaskHistory::strict;
  c.options.precision_divisor = PrecisionDivisor::list;
  const std::size_t width = json.at("n_items"), n_users = json.at("train").size();
  const auto scores = read_npy(folder / json.at("scores").get<std::string>(), n_users * width);
  for (std::size_t user = 0; user < n_users; ++user) {
    if (json.at("test")[user].empty()) continue;
    c.scores.insert(c.scores.end(), static_cast<std::size_t>(shift), 1e6F);
    const auto row = scores.begin() + static_cast<std::ptrdiff_t>(user * width);
    c.scores.insert(c.scores.end(), row, row + static_cast<std::ptrdiff_t>(width));
  }
  return c;
}

std::vector<ItemId> shifted(const Json& items, int shift) {
  auto ids = items.get<std::vector<ItemId>>();
  for (ItemId& id : ids) id += shift;
  return ids;
}

void check_author_form(const RankingCase& c, const std::string& how, const Rows& rows,
                       const SequentialRecommender& model, const Json& wanted) {
  check_values(c, how, run_evaluator(c, model, rows), wanted);
}

int check_author_cases(const fs::path& folder) {
  int cases = 0;
  for (const Json& json : read_cases(folder / "author_protocol.json")) {
    ++cases;
    for (const auto& [shift, mean] : {std::pair(0, "mean"), std::pair(1, "mean_pad_ranked")}) {
      const RankingCase c = author_case(folder, json, shift);
      Rows all;
      std::size_t row = 0;
      for (std::size_t user = 0; user < json.at("train").size(); ++user) {
        const Json& test = json.at("test")[user];
        if (test.empty()) continue;
        const auto history = shifted(json.at("train")[user], shift);
        all.add(history, shifted(test, shift));
        Rows one;
        one.add(history, shifted(test, shift));
        const auto scores = c.row(row++);
        if (shift == 0)
          check_author_form(c, "user " + std::to_string(user), one,
                            TableModel({scores.begin(), scores.end()}, c.n_items),
                            json.at("per_user")[user]);
      }
      check_author_form(c, mean, all, TableModel(c.scores, c.n_items), json.at(mean));
      check_author_form(c, mean, all, IdentityModel(c.scores, c.n_items), json.at(mean));
    }
  }
  return cases;
}

int check_value_metrics(const fs::path& folder) {
  int cases = 0;
  for (const Json& entry : read_cases(folder / "value_metrics.json")) {
    ++cases;
    const std::string name = entry.at("name");
    const auto predictions = entry.at("pred").get<std::vector<float>>();
    const auto labels = entry.at("label").get<std::vector<float>>();
    const auto wanted = [&](const char* key) {
      const Json& value = entry.at("double").at(key);
      return value.is_string() ? std::nan("") : value.get<double>();
    };
    expect_near(name + " mae", mae(predictions, labels), wanted("mae"), kTolerance);
    expect_near(name + " rmse", rmse(predictions, labels), wanted("rmse"), kTolerance);
    if (name == "ratings") continue;  // Labels that are no classes.
    expect_near(name + " auc", auc(predictions, labels), wanted("auc"), kTolerance);
    expect_near(name + " logloss", log_loss(predictions, labels), wanted("logloss"), kTolerance);
  }
  return cases;
}

int check_rounding(const fs::path& folder) {
  int cases = 0;
  for (const Json& entry : read_cases(folder / "rounding.json")) {
    ++cases;
    const double value = entry.at("value");
    const std::string name = "rounding of " + entry.at("value").dump();
    expect_near(name + " like NumPy", round_scaled(value, 4), entry.at("numpy_round4"), 0);
    expect_near(name + " like Python", round_decimal(value, 4), entry.at("python_round4"), 0);
    expect_near(name + " of ndcg", round_as_recbole("ndcg@10", value), entry.at("numpy_round4"), 0);
    expect_near(name + " of itemcoverage", round_as_recbole("itemcoverage@10", value),
                entry.at("python_round4"), 0);
  }
  return cases;
}

/// Lists that this test knows nothing of.
std::vector<std::string> files_left_out(const fs::path& folder) {
  std::set<std::string> known{"ranking_index.json", "author_protocol.json", "value_metrics.json",
                              "rounding.json"};
  for (const Json& entry : read_cases(folder / "ranking_index.json"))
    known.insert(entry.at("file").get<std::string>());
  std::vector<std::string> left_out;
  for (const fs::path& file : golden_files("metrics", ".json"))
    if (!known.contains(file.filename().string())) left_out.push_back(file.filename().string());
  return left_out;
}

}  // namespace

int main() {
  try {
    const fs::path folder = golden_dir("metrics");
    const int ranking = check_ranking_cases(folder);
    const int author = check_author_cases(folder);
    const int value = check_value_metrics(folder);
    const int rounding = check_rounding(folder);
    std::printf("%s: %d ranking, %d author, %d value and %d rounding cases, %d checks, %d failed\n",
                folder.c_str(), ranking, author, value, rounding, checks, failures);
    const auto cases = static_cast<std::size_t>(ranking + author + value + rounding);
    return say_golden("metrics", cases, "metrics", files_left_out(folder)) && failures == 0 ? 0 : 1;
  } catch (const std::exception& e) {
    std::printf("FAILED: %s\n", e.what());
    return 1;
  }
}
