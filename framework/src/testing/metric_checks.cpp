// What a metric makes of ranked rows.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "testing/concurrency.hpp"
#include "testing/subject.hpp"
#include "testing/text.hpp"

namespace recloom::conformance {
namespace {

constexpr std::array kKs = {1, 3, 10};
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kUnwritten = -98765.25;

/// Rows as the evaluator hands them out: found at the top, in the middle, shared places, missed,
/// more than one relevant item.
struct Ranked {
  std::vector<ItemId> history, targets, top;
  std::vector<double> ranks, mean_ranks;

  RankedRow row() const {
    return {.row = {.user = 1, .id = 5, .history = history, .targets = targets, .negatives = {}},
            .ranks = ranks,
            .mean_ranks = mean_ranks,
            .n_candidates = 12,
            .top = top};
  }
};

const std::vector<Ranked>& ranked_rows() {
  static const std::vector<ItemId> kTop = {7, 3, 1, 12, 2, 4, 5, 6, 8, 9};
  static const std::vector<Ranked> all = {
      {{1, 2}, {7}, kTop, {1}, {1}},
      {{2}, {1}, kTop, {3}, {3}},
      {{}, {3}, kTop, {2}, {2.5}},
      {{1, 2, 3}, {11}, kTop, {12}, {12}},
      {{4}, {10}, kTop, {kInfinity}, {kInfinity}},
      {{5, 5}, {7, 12, 11}, kTop, {1, 4, 12}, {1, 4, 12}},
      {{6}, {3, 10}, kTop, {2, kInfinity}, {2, kInfinity}},
  };
  return all;
}

std::size_t n_values(const Metric& metric) { return metric.at_k() ? kKs.size() : 1; }

void prepare(Metric& metric) {
  static const std::vector<std::int64_t> counts = {0, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1, 0, 1};
  metric.prepare({.catalogue = Subject::catalogue(), .item_counts = counts, .ks = kKs});
}

/// Values of every row, one after the other; of a metric of lists, one for each k.
/// @param first the row to begin with; those before it come last.
std::vector<double> values_of(const Metric& metric, std::size_t first = 0) {
  std::vector<double> all;
  if (const auto* lists = dynamic_cast<const ListMetric*>(&metric)) {
    const std::vector<std::int64_t> counts = {0, 4, 3, 3, 2, 2, 1, 1, 0, 0, 0, 0, 5};
    for (const int k : kKs) all.push_back(lists->value(counts, 7, k));
    return all;
  }
  // Little beside row() itself: it is where the check of several callers is to stop.
  const std::vector<Ranked>& rows = ranked_rows();
  const std::size_t n = n_values(metric);
  all.assign(rows.size() * (n + 2), kUnwritten);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const Ranked& ranked = rows[(first + r) % rows.size()];
    const std::span<double> values = std::span(all).subspan(r * (n + 2), n + 2);
    metric.row(ranked.row(), values.first(n));
    values.back() = metric.weight(ranked.row());
  }
  return all;
}

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return std::ranges::equal(a, b, [](double x, double y) {
    return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
  });
}

/// "row 4 (ranks inf)"
std::string ranks_text(const Ranked& ranked, std::size_t row) {
  std::string text = "row " + std::to_string(row) + " (ranks";
  for (const double rank : ranked.ranks) text += " " + text_of(rank);
  return text + ")";
}

Finding check_values(Subject& subject) {
  const std::shared_ptr<Metric> metric = subject.metric();
  prepare(*metric);
  const std::vector<double> all = values_of(*metric);
  if (dynamic_cast<const ListMetric*>(metric.get()) != nullptr) {
    for (std::size_t n = 0; n < all.size(); ++n)
      if (!std::isfinite(all[n]))
        return fail("value() for k = " + std::to_string(kKs[n]) + " is " + text_of(all[n]));
    return pass("a metric of all lists together");
  }
  const std::size_t n = n_values(*metric);
  for (std::size_t row = 0; row < ranked_rows().size(); ++row) {
    const std::span<const double> values = std::span(all).subspan(row * (n + 2), n + 2);
    const std::string where = " of " + ranks_text(ranked_rows()[row], row);
    for (std::size_t v = 0; v < n; ++v) {
      if (values[v] == kUnwritten)
        return fail("value " + std::to_string(v) + where + " was not written");
      if (!std::isfinite(values[v]))
        return fail("value " + std::to_string(v) + where + " is " + text_of(values[v]));
    }
    if (values[n] != kUnwritten)
      return fail("row() wrote more than the " + std::to_string(n) + " values" + where);
    if (!(values[n + 1] >= 0) || !std::isfinite(values[n + 1]))
      return fail("weight()" + where + " is " + text_of(values[n + 1]));
  }
  return pass(std::to_string(n) + (metric->at_k() ? " values a row, one per k" : " value a row"));
}

Finding check_repeatable(Subject& subject) {
  const std::shared_ptr<Metric> first = subject.metric(), second = subject.metric();
  prepare(*first);
  prepare(*second);
  const std::vector<double> values = values_of(*first);
  if (!same_bits(values, values_of(*first)))
    return fail("the same rows gave other values the second time");
  if (!same_bits(values, values_of(*second)))
    return fail("two metrics with the same settings gave other values");
  prepare(*first);
  return judge(same_bits(values, values_of(*first))
                   ? ""
                   : "prepared again, it gave other values for the same rows");
}

Finding check_concurrent(Subject& subject) {
  const std::shared_ptr<Metric> metric = subject.metric();
  prepare(*metric);
  std::vector<std::vector<double>> alone;
  for (std::size_t caller = 0; caller < kCallers; ++caller)
    alone.push_back(values_of(*metric, caller));
  const std::string problem = concurrently([&](std::size_t caller) -> std::string {
    return same_bits(values_of(*metric, caller), alone[caller]) ? "" : "values differ";
  });
  return judge(problem.empty() ? "" : "while other threads called row(), " + problem);
}

constexpr Check kChecks[] = {
    {"values", kMetrics,
     "every value is written and finite, one per k (one alone if at_k() is false), also of rows "
     "whose target cannot be ranked",
     "row(): a miss has rank infinity; the ks are those of prepare(), ascending", check_values},
    {"values-repeatable", kMetrics, "the same rows give the same values, also prepared anew",
     "members that row() changes, or that prepare() does not set afresh", check_repeatable},
    {"values-concurrent", kMetrics, "8 threads that call row() at a time get the same values",
     "mutable members and static variables: row() is const and shares the metric",
     check_concurrent},
};

}  // namespace

std::span<const Check> metric_checks() { return kChecks; }

}  // namespace recloom::conformance
