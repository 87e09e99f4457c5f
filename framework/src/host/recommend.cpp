// Recommendations and vectors for histories that are given as item tokens.
#include "eval/recommend.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "host/recommender_impl.hpp"
#include "host/vector_form.hpp"
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
  std::vector<RecommendedList> lists;           ///< One per row, still without items.
  std::vector<std::vector<ItemId>> candidates;  ///< One list per row, ascending; "": every item.

  Queries(std::span<const QueryHistory> histories, UnknownItems unknown,
          const Vocabulary& vocabulary, const RunContext& run)
      : entries(histories.size()), lists(histories.size()), candidates(histories.size()) {
    constexpr std::size_t kPiece = 64;
    std::vector<std::vector<ItemId>> ids(histories.size());
    const auto find = [&](std::size_t row) {
      const QueryHistory& history = histories[row];
      lists[row].user = history.user;
      entries[row].user = history.user.empty() ? 0 : vocabulary.user(history.user);
      lists[row].user_known = entries[row].user != 0;
      find_history(history, row, unknown, vocabulary, ids[row]);
      find_candidates(history, row, unknown, vocabulary);
    };
    run.parallel_for((histories.size() + kPiece - 1) / kPiece, [&](std::size_t piece) {
      const std::size_t last = std::min(histories.size(), (piece + 1) * kPiece);
      for (std::size_t row = piece * kPiece; row < last; ++row) find(row);
    });
    for (std::size_t row = 0; row < ids.size(); ++row) {
      entries[row].begin = static_cast<std::int64_t>(events.size());
      entries[row].history_length = static_cast<std::int32_t>(ids[row].size());
      events.insert(events.end(), ids[row].begin(), ids[row].end());
    }
  }
  Batch batch(int max_length) const { return {events, entries, max_length}; }

 private:
  void find_history(const QueryHistory& history, std::size_t row, UnknownItems unknown,
                    const Vocabulary& vocabulary, std::vector<ItemId>& ids) {
    ids.reserve(history.items.size());
    lists[row].history.reserve(history.items.size());
    for (const std::string& token : history.items) {
      const ItemId item = vocabulary.item(token);
      if (item == 0 && unknown == UnknownItems::refuse)
        throw DataError(unknown_item(token, fmt::format("history {}", row + 1), vocabulary));
      if (item != 0) ids.push_back(item);
      (item != 0 ? lists[row].history : lists[row].unknown).push_back(token);
    }
  }
  void find_candidates(const QueryHistory& history, std::size_t row, UnknownItems unknown,
                       const Vocabulary& vocabulary) {
    std::vector<ItemId>& own = candidates[row];
    for (const std::string& token : history.candidates) {
      const ItemId item = vocabulary.item(token);
      if (item == 0 && unknown == UnknownItems::refuse)
        throw DataError(
            unknown_item(token, fmt::format("candidates of history {}", row + 1), vocabulary));
      if (item == 0) lists[row].unknown.push_back(token);
      own.push_back(
          item);  // Padding, which nobody gets: a list of unknown ones is not "every item".
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
  Queries queries(histories, options.unknown, vocabulary, run);
  const auto allow = known_items(options.allow, "allow list", options.unknown, vocabulary, run);
  const auto block = known_items(options.block, "block list", options.unknown, vocabulary, run);

  TopKOptions top;
  top.k = std::min(options.k, catalogue.n_items);
  top.hide_history = options.seen == SeenItems::protocol
                         ? impl_->card.config.eval.mask_history != MaskHistory::none
                         : options.seen == SeenItems::hide;
  top.allow = allow;
  top.block = block;
  if (std::ranges::all_of(queries.candidates, [](const auto& own) { return own.empty(); }))
    queries.candidates.clear();
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
  const VectorForm form(factorised_form(impl_->model));
  VectorTable table;
  table.rows = static_cast<std::size_t>(impl_->card.catalogue.n_items);
  table.columns = form.columns();
  table.values.resize(table.rows * table.columns);
  for (std::size_t item = 0; item < table.rows; ++item)
    form.write_item(static_cast<ItemId>(item),
                    std::span(table.values).subspan(item * table.columns, table.columns));
  return table;
}

VectorTable Recommender::query_vectors(std::span<const QueryHistory> histories,
                                       UnknownItems unknown, const RunContext& run) const {
  constexpr std::size_t kPiece = 256;
  const Factorised& model = factorised_form(impl_->model);
  const VectorForm form(model);
  const Queries queries(histories, unknown, impl_->card.vocabulary, run);
  const Batch batch = queries.batch(impl_->shown_length());
  const auto size = static_cast<std::size_t>(model.query_size());
  VectorTable table;
  table.rows = batch.size();
  table.columns = form.columns();
  table.values.resize(table.rows * table.columns);
  run.parallel_for((table.rows + kPiece - 1) / kPiece, [&](std::size_t piece) {
    const std::size_t first = piece * kPiece, count = std::min(kPiece, table.rows - first);
    std::vector<float> encoded(count * size);
    model.encode(batch.rows(first, count), {std::span(encoded), size});
    for (std::size_t row = 0; row < count; ++row) {
      const std::span<float> out =
          std::span(table.values).subspan((first + row) * table.columns, table.columns);
      std::ranges::copy(std::span(encoded).subspan(row * size, size), out.begin());
      form.finish_query(out);
    }
  });
  return table;
}

std::string Recommender::vector_note() const {
  return VectorForm(factorised_form(impl_->model)).text();
}

}  // namespace recloom
