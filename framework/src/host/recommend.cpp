// Recommendations and vectors for histories that are given as item tokens.
#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "eval/row_candidates.hpp"
#include "host/recommender_impl.hpp"
#include "plugin/failure.hpp"
#include "recloom/recloom.hpp"

namespace recloom {
namespace {

std::string unknown_item(const std::string& token, const std::string& where,
                         const Vocabulary& vocabulary) {
  return fmt::format("{}: the model does not know item '{}'{}", where, printable(token),
                     did_you_mean(token, vocabulary.items()));
}

/// Histories as rows over events of their own.
struct Queries {
  std::vector<ItemId> events;
  std::vector<Batch::Entry> entries;
  std::vector<RecommendedList> lists;  ///< One per row, still without items.
  std::vector<std::vector<ItemId>>
      candidates;  ///< One list per row, ascending; empty: none has one.

  Queries(std::span<const QueryHistory> histories, UnknownItems unknown,
          const Vocabulary& vocabulary) {
    for (const QueryHistory& history : histories) {
      RecommendedList list;
      list.user = history.user;
      const UserId user = history.user.empty() ? 0 : vocabulary.user(history.user);
      list.user_known = user != 0;
      const auto begin = static_cast<std::int64_t>(events.size());
      for (const std::string& token : history.items) {
        const ItemId item = vocabulary.item(token);
        if (item == 0 && unknown == UnknownItems::refuse)
          throw DataError(
              unknown_item(token, fmt::format("history {}", lists.size() + 1), vocabulary));
        if (item != 0) events.push_back(item);
        (item != 0 ? list.history : list.unknown).push_back(token);
      }
      entries.push_back({begin, static_cast<std::int32_t>(list.history.size()), 0, user});
      if (!history.candidates.empty()) add_candidates(history, unknown, vocabulary, list);
      lists.push_back(std::move(list));
    }
  }
  Batch batch(int max_length) const { return {events, entries, max_length}; }

 private:
  void add_candidates(const QueryHistory& history, UnknownItems unknown,
                      const Vocabulary& vocabulary, RecommendedList& list) {
    candidates.resize(lists.size() + 1);
    std::vector<ItemId>& own = candidates.back();
    for (const std::string& token : history.candidates) {
      const ItemId item = vocabulary.item(token);
      if (item == 0 && unknown == UnknownItems::refuse)
        throw DataError(unknown_item(
            token, fmt::format("candidates of history {}", lists.size() + 1), vocabulary));
      if (item == 0) list.unknown.push_back(token);
      own.push_back(
          item);  // Padding, which nobody gets, keeps a list of unknown ones from being none.
    }
    std::sort(own.begin(), own.end());
  }
};

/// Ids of a list of allowed or blocked items. Unknown ones cannot be recommended anyway.
std::vector<ItemId> known_items(const std::vector<std::string>& tokens, const char* name,
                                UnknownItems unknown, const Vocabulary& vocabulary,
                                const RunContext& run) {
  std::vector<ItemId> items;
  std::size_t skipped = 0;
  for (const std::string& token : tokens) {
    const ItemId item = vocabulary.item(token);
    if (item == 0 && unknown == UnknownItems::refuse)
      throw DataError(unknown_item(token, name, vocabulary));
    if (item == 0) ++skipped;
    if (item != 0) items.push_back(item);
  }
  if (!tokens.empty() && items.empty())
    throw DataError(fmt::format("{}: the model knows none of its {} items, the first is '{}'", name,
                                tokens.size(), printable(tokens.front())));
  if (skipped > 0)
    run.warning(
        fmt::format("{}: {} of {} items are unknown to the model", name, skipped, tokens.size()));
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return items;
}

const Factorised& factorised_form(const Model& model) {
  const Factorised* form = model->factorised();
  if (!form)
    throw ModelError(
        fmt::format("model {} has no query and item vectors: its scores are of another form",
                    model.plugin().name));
  return *form;
}

}  // namespace

void RecommendOptions::validate() const {
  if (k < 1) throw ConfigError(fmt::format("k = {}: must be an integer of at least 1", k));
}

std::vector<RecommendedList> Recommender::recommend(std::span<const QueryHistory> histories,
                                                    const RecommendOptions& options,
                                                    const RunContext& run) const {
  const Vocabulary& vocabulary = impl_->card.vocabulary;
  const Catalogue& catalogue = impl_->card.catalogue;
  options.validate();
  Queries queries(histories, options.unknown, vocabulary);
  const auto allow = known_items(options.allow, "allow list", options.unknown, vocabulary, run);
  const auto block = known_items(options.block, "block list", options.unknown, vocabulary, run);

  TopKOptions top;
  top.k = std::min(options.k, catalogue.n_items);
  top.hide_history = options.seen == SeenItems::protocol
                         ? impl_->card.config.eval.mask_history != MaskHistory::none
                         : options.seen == SeenItems::hide;
  top.allow = allow;
  top.block = block;
  if (!queries.candidates.empty()) queries.candidates.resize(queries.lists.size());
  const auto best = naming(plugin(), [&] {
    return top_k_of(*impl_->model, queries.batch(impl_->shown_length()), top, queries.candidates,
                    run);
  });
  for (std::size_t row = 0; row < best.size(); ++row)
    for (const Recommendation& found : best[row])
      queries.lists[row].items.push_back({std::string(vocabulary.item_token(found.item)),
                                          std::string(vocabulary.item_name(found.item)),
                                          found.score});
  return std::move(queries.lists);
}

VectorTable Recommender::item_vectors() const {
  const ItemHeadView head = factorised_form(impl_->model).item_head_view();
  VectorTable table;
  table.rows = static_cast<std::size_t>(impl_->card.catalogue.n_items);
  for (int t = 0; t < head.n_tables; ++t)
    table.columns += static_cast<std::size_t>(head.tables[t].width);
  table.values.reserve(table.rows * table.columns);
  for (std::size_t item = 0; item < table.rows; ++item)
    for (int t = 0; t < head.n_tables; ++t) {
      const auto width = static_cast<std::size_t>(head.tables[t].width);
      const float* row = head.tables[t].data + item * width;
      table.values.insert(table.values.end(), row, row + width);
    }
  return table;
}

VectorTable Recommender::query_vectors(std::span<const QueryHistory> histories,
                                       UnknownItems unknown, const RunContext& run) const {
  constexpr std::size_t kPiece = 256;
  const Factorised& form = factorised_form(impl_->model);
  const Queries queries(histories, unknown, impl_->card.vocabulary);
  const Batch batch = queries.batch(impl_->shown_length());
  VectorTable table;
  table.rows = batch.size();
  table.columns = static_cast<std::size_t>(form.query_size());
  table.values.resize(table.rows * table.columns);
  run.parallel_for((table.rows + kPiece - 1) / kPiece, [&](std::size_t piece) {
    const std::size_t first = piece * kPiece, count = std::min(kPiece, table.rows - first);
    const std::span<float> out(table.values);
    form.encode(batch.rows(first, count),
                {out.subspan(first * table.columns, count * table.columns), table.columns});
  });
  return table;
}

}  // namespace recloom
