// What a trained model answers.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "recloom/nn/network_recommender.hpp"
#include "scoring/model_scores.hpp"
#include "testing/concurrency.hpp"
#include "testing/scoring.hpp"
#include "testing/subject.hpp"
#include "testing/text.hpp"

namespace recloom::conformance {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// A buffer with guards around it, which must stay as they are.
class Guarded {
 public:
  Guarded(std::size_t rows, std::size_t columns, float fill)
      : columns_(columns), values_(rows * columns + 2 * kGuard, kMark) {
    std::fill(values_.begin() + kGuard, values_.end() - kGuard, fill);
  }
  std::span<float> inside() {
    return std::span(values_).subspan(kGuard, values_.size() - 2 * kGuard);
  }
  Span2d<float> matrix() { return {inside(), columns_}; }
  bool intact() const {
    const auto is_mark = [](float value) { return value == kMark; };
    return std::all_of(values_.begin(), values_.begin() + kGuard, is_mark) &&
           std::all_of(values_.end() - kGuard, values_.end(), is_mark);
  }

 private:
  static constexpr std::ptrdiff_t kGuard = 32;
  static constexpr float kMark = 12345.5F;
  std::size_t columns_;
  std::vector<float> values_;
};

std::string score_text(const Batch& rows, std::size_t row, std::size_t item, double score) {
  return "item " + std::to_string(item) + " of " + row_text(rows, row) + " has the score " +
         text_of(score);
}

/// Scores begin at zero, so a model may leave some as they are; not an item's in every row.
/// @param max_length what the host shows. @return nothing if every item is written after some
/// item.
std::optional<ItemId> never_written(const SequentialRecommender& model, int max_length) {
  constexpr float kUntouched = -4321.75F;
  const std::size_t n_items = model.n_items();
  Rows rows(max_length);
  for (ItemId item = 1; item < model.catalogue().n_items; ++item) {
    const std::vector<ItemId> before = random_history(model.catalogue(), 2, 200);
    rows.add(1, std::vector<ItemId>{item});
    rows.add(1, std::vector<ItemId>{before[0], before[1], item});
  }
  std::vector<float> scores(rows.size() * n_items, kUntouched);
  model.full_sort_predict(rows.batch(), {scores, n_items});
  for (std::size_t item = 1; item < n_items; ++item) {
    bool written = false;
    for (std::size_t row = 0; row < rows.size() && !written; ++row)
      written = scores[row * n_items + item] != kUntouched;
    if (!written) return static_cast<ItemId>(item);
  }
  return std::nullopt;
}

Finding check_scores(Subject& subject) {
  const SequentialRecommender& model = subject.model();
  const Rows probes = subject.probes();
  const Batch rows = probes.batch();
  if (const std::string problem = first_not_finite(model, probes); !problem.empty())
    return fail(problem);
  Guarded first(rows.size(), model.n_items(), 0), second(rows.size(), model.n_items(), 0);
  model.full_sort_predict(rows, first.matrix());
  model.full_sort_predict(rows, second.matrix());
  if (!first.intact() || !second.intact())
    return fail("full_sort_predict wrote outside of the rows it was given");
  const auto once = first.inside(), twice = second.inside();
  const std::string difference =
      first_difference(rows, {once.begin(), once.end()}, {twice.begin(), twice.end()}, 0);
  if (!difference.empty()) return fail("scored a second time, " + difference);
  if (const auto item = never_written(model, subject.shown_length()))
    return fail("item " + std::to_string(*item) + " was given no score after any item");
  RunContext run(1, 1);
  TopKOptions options;
  options.k = static_cast<int>(model.n_items());
  const auto best = top_k(model, rows, options, run);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    std::set<ItemId> items;
    for (const Recommendation& recommended : best[row]) items.insert(recommended.item);
    if (items.size() + 1 != model.n_items() || items.contains(0))
      return fail("the host could recommend " + std::to_string(items.size()) + " items to " +
                  row_text(rows, row) + ", not all but the padding");
  }
  return pass();
}

// ---- Two ways to the same score -----------------------------------------------------------------

double largest_score(std::span<const float> scores) {
  double largest = 0;
  for (const float score : scores.subspan(1)) largest = std::max(largest, std::abs(double{score}));
  return largest;
}

Finding check_predict(Subject& subject) {
  const SequentialRecommender& model = subject.model();
  const Rows probes = subject.probes();
  const Batch rows = probes.batch();
  const std::size_t n_items = model.n_items(), n_candidates = 6;
  std::vector<ItemId> items;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::vector<ItemId> drawn = random_history(model.catalogue(), 3, 1000 + row);
    items.insert(items.end(),
                 {static_cast<ItemId>(n_items - 1), drawn[0], drawn[1], drawn[0], 1, drawn[2]});
  }
  Guarded predicted(rows.size(), n_candidates, kNaN);
  model.predict(rows, Span2d<const ItemId>(items, n_candidates), predicted.matrix());
  if (!predicted.intact()) return fail("predict wrote outside of the scores it was given");
  const std::vector<float> all = scores_of(model, rows);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::span<const float> of_row = std::span(all).subspan(row * n_items, n_items);
    const double allowed = kRounding * largest_score(of_row) + 1e-6;
    for (std::size_t c = 0; c < n_candidates; ++c) {
      const auto item = static_cast<std::size_t>(items[row * n_candidates + c]);
      const float got = predicted.matrix()[row][c], wanted = of_row[item];
      const std::string where = "candidate " + std::to_string(c) + " (item " +
                                std::to_string(item) + ") of " + row_text(rows, row);
      if (std::isnan(got)) return fail("predict left " + where + " unwritten, or made it nan");
      if (std::abs(double{got} - wanted) > allowed)
        return fail("for " + where + ", predict gives " + text_of(got) + ", full_sort_predict " +
                    text_of(wanted));
    }
  }
  return pass();
}

Finding check_factorised(Subject& subject) {
  const SequentialRecommender& model = subject.model();
  const Factorised* factorised = model.factorised();
  if (factorised == nullptr) return skip("scores are not of the form query x item");
  const Rows probes = subject.probes();
  const Batch rows = probes.batch();
  const ItemHeadView head = factorised->item_head_view();
  std::int64_t width = 0;
  for (int t = 0; t < head.n_tables; ++t) width += head.tables[t].width;
  const auto size = static_cast<std::size_t>(factorised->query_size());
  if (width != factorised->query_size())
    return fail("a query has " + std::to_string(size) + " numbers, an item vector " +
                std::to_string(width));
  const std::vector<float> wanted = scores_of(model, rows);
  RunContext run(1, 2);
  for (const bool all : {false, true}) {
    const std::string name = all ? "encode_all" : "encode";
    Guarded queries(rows.size(), size, kNaN);
    if (all)
      factorised->encode_all(rows, queries.matrix(), run);
    else
      factorised->encode(rows, queries.matrix());
    if (!queries.intact()) return fail(name + " wrote outside of the queries it was given");
    std::vector<float> scores(wanted.size());
    score_all_items(model, {queries.inside(), size}, {scores, model.n_items()});
    const std::string difference = first_difference(rows, wanted, scores, kRounding);
    if (!difference.empty())
      return fail("full_sort_predict and the queries of " + name + " do not agree: " + difference);
  }
  return pass();
}

// ---- Rows of all kinds --------------------------------------------------------------------------

Finding check_histories(Subject& subject) {
  const SequentialRecommender& model = subject.model();
  for (const int length : {0, 1, kLength, 10 * kLength}) {
    const std::string name = "a history of " + std::to_string(length) + " items";
    Rows rows(subject.shown_length());
    rows.add(1, random_history(model.catalogue(), static_cast<std::size_t>(length), 7));
    try {
      if (const std::string problem = first_not_finite(model, rows); !problem.empty())
        return fail(problem);
    } catch (...) {
      return fail(name + ": " + current_problem());
    }
  }
  return pass();
}

Finding check_batches(Subject& subject) {
  const SequentialRecommender& model = subject.model();
  const Rows probes = subject.probes();
  const Batch rows = probes.batch();
  const std::vector<float> together = scores_of(model, rows);
  for (const std::size_t size : {std::size_t{1}, std::size_t{3}, std::size_t{7}}) {
    std::vector<float> apart;
    for (std::size_t first = 0; first < rows.size(); first += size) {
      const std::size_t count = std::min(size, rows.size() - first);
      const std::vector<float> part = scores_of(model, rows.rows(first, count));
      apart.insert(apart.end(), part.begin(), part.end());
    }
    const std::string difference = first_difference(rows, together, apart, kRounding);
    if (!difference.empty())
      return fail("in batches of " + std::to_string(rows.size()) + " and of " +
                  std::to_string(size) + " rows, " + difference);
  }
  return pass();
}

Finding check_concurrent(Subject& subject) {
  const SequentialRecommender& model = subject.model();
  const Rows probes = subject.probes();
  const Batch rows = probes.batch();
  std::vector<std::vector<float>> alone;
  const auto part = [&](std::size_t caller) { return rows.rows(caller, rows.size() - caller); };
  for (std::size_t caller = 0; caller < kCallers; ++caller)
    alone.push_back(scores_of(model, part(caller)));
  const std::string problem = concurrently([&](std::size_t caller) {
    return first_difference(part(caller), alone[caller], scores_of(model, part(caller)), 0);
  });
  return judge(problem.empty() ? "" : "while other threads scored, " + problem);
}

// ---- Traits -------------------------------------------------------------------------------------

/// Scores of pairs of rows that differ in what a trait is about.
/// @param change makes the second row of a pair: user and history.
std::string difference_by(Subject& subject,
                          void (*change)(UserId& user, std::vector<ItemId>& history)) {
  const SequentialRecommender& model = subject.model();
  Rows given(subject.shown_length()), changed(subject.shown_length());
  for (std::uint64_t key = 0; key < 12; ++key) {
    UserId user = 1 + static_cast<UserId>(key % 3);
    std::vector<ItemId> history = random_history(model.catalogue(), 2 + key % kLength, 50 + key);
    given.add(user, history);
    change(user, history);
    changed.add(user, history);
  }
  return first_difference(given.batch(), scores_of(model, given.batch()),
                          scores_of(model, changed.batch()), kRounding);
}

void permute(UserId&, std::vector<ItemId>& history) {
  // Among the items that are shown: none leaves them.
  const auto shown = std::min<std::ptrdiff_t>(std::ssize(history), kLength);
  std::reverse(history.end() - shown, history.end());
}
void change_user(UserId& user, std::vector<ItemId>&) { user = user == 1 ? 0 : 1; }

/// Rows of L items, and the same with more before.
std::string difference_by_old_items(Subject& subject) {
  const SequentialRecommender& model = subject.model();
  Rows given(subject.shown_length()), changed(subject.shown_length());
  for (std::uint64_t key = 0; key < 6; ++key) {
    const std::vector<ItemId> shown = random_history(model.catalogue(), kLength, 70 + key);
    std::vector<ItemId> longer = random_history(model.catalogue(), 4, 90 + key);
    longer.insert(longer.end(), shown.begin(), shown.end());
    given.add(1, shown);
    changed.add(1, longer);
  }
  return first_difference(given.batch(), scores_of(model, given.batch()),
                          scores_of(model, changed.batch()), kRounding);
}

Finding check_traits(Subject& subject) {
  const SequentialRecommender& model = subject.model();
  const Traits traits = model.traits();
  const bool is_network = dynamic_cast<const NetworkRecommender*>(&model) != nullptr;
  if (traits.gradients && !is_network)
    return fail("traits().gradients is true, but the class is no NetworkRecommender");
  const std::string by_order = difference_by(subject, permute);
  if (!traits.uses_order && !by_order.empty())
    return fail("traits().uses_order is false, but with its history reversed, " + by_order);
  // A network's traits follow from its graph, which cannot tell.
  if (traits.uses_order && !is_network && by_order.empty())
    return fail("traits().uses_order is true, but reversing a history changes no score");
  if (!traits.uses_users)
    if (const std::string by_user = difference_by(subject, change_user); !by_user.empty())
      return fail("traits().uses_users is false, but for another user, " + by_user);
  if (!traits.whole_history)
    if (const std::string by_old = difference_by_old_items(subject); !by_old.empty())
      return fail("traits().whole_history is false, but with more items before the last L, " +
                  by_old);
  return pass();
}

constexpr Check kChecks[] = {
    {"scores", kModels,
     "every score but that of the padding is finite and the same the second time, every item is "
     "given scores; the host can recommend every item but the padding",
     "full_sort_predict() or forward(): divisions by zero, members that scoring changes, loops "
     "that go too far",
     check_scores},
    {"predict", kModels, "predict() gives the columns of full_sort_predict()",
     "the override of predict(); without one, the host takes the columns itself", check_predict},
    {"factorised", kModels, "queries times item vectors are the scores of full_sort_predict()",
     "encode(), encode_all() and item_head_view(): every number of a query is written, and scale, "
     "bias and similarity are those of full_sort_predict()",
     check_factorised},
    {"histories", kModels, "histories of 0, 1, L and 10 L items are scored",
     "what takes the last item, or divides by the length, of an empty history", check_histories},
    {"batches", kModels, "a row has the same scores in every batch, also alone",
     "what is summed or normalised over the rows of a batch; a fixed number of rows",
     check_batches},
    {"concurrent", kModels, "8 threads that score at a time get what one gets alone",
     "mutable members and static variables: scoring is const and shares the model",
     check_concurrent},
    {"traits", kModels, "the model depends on what traits() says, and on nothing else",
     "traits(): uses_order, uses_users, whole_history, gradients", check_traits},
};

}  // namespace

std::vector<float> scores_of(const SequentialRecommender& model, const Batch& rows) {
  std::vector<float> scores(rows.size() * model.n_items());
  model.full_sort_predict(rows, Span2d<float>(scores, model.n_items()));
  return scores;
}

std::string row_text(const Batch& rows, std::size_t row) {
  return "row " + std::to_string(row) + " (user " + std::to_string(rows[row].user) +
         ", history of " + std::to_string(rows[row].history.size()) + " items)";
}

std::string first_not_finite(const SequentialRecommender& model, const Rows& rows) {
  const Batch batch = rows.batch();
  const std::vector<float> scores = scores_of(model, batch);
  for (std::size_t row = 0; row < batch.size(); ++row)
    for (std::size_t item = 1; item < model.n_items(); ++item)
      if (const float score = scores[row * model.n_items() + item]; !std::isfinite(score))
        return score_text(batch, row, item, score);
  return "";
}

std::string first_difference(const Batch& rows, const std::vector<float>& a,
                             const std::vector<float>& b, double tolerance) {
  const std::size_t columns = a.size() / rows.size();
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const double largest = largest_score(std::span(a).subspan(row * columns, columns));
    for (std::size_t item = 1; item < columns; ++item) {
      const float x = a[row * columns + item], y = b[row * columns + item];
      const bool same = std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y) ||
                        (tolerance > 0 && std::abs(double{x} - y) <= tolerance * largest + 1e-6);
      if (!same)
        return "item " + std::to_string(item) + " of " + row_text(rows, row) + " has the scores " +
               text_of(x) + " and " + text_of(y);
    }
  }
  return "";
}

std::span<const Check> scoring_checks() { return kChecks; }

}  // namespace recloom::conformance
