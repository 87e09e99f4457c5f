#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "recloom/data/dataset.hpp"

namespace recloom::testing {

/// Rows as people write them: "u: a b > c", in order.
inline std::vector<std::string> texts_of(const Dataset& dataset, const Batch& rows) {
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < rows.size(); ++at) {
    std::string text(dataset.vocabulary().user_token(rows[at].user));
    const auto add = [&](std::span<const ItemId> items) {
      for (const ItemId item : items) (text += ' ') += dataset.vocabulary().item_token(item);
    };
    text += ':';
    add(rows.whole_history(at));
    text += " >";
    add(rows[at].targets);
    texts.push_back(text);
  }
  return texts;
}

/// Train, valid, test.
using Rows = std::array<std::vector<std::string>, 3>;

inline Rows rows_of(const Dataset& dataset) {
  return {texts_of(dataset, dataset.train_rows()), texts_of(dataset, dataset.valid()),
          texts_of(dataset, dataset.test())};
}

/// The same in alphabetical order, where that of the rows says nothing.
inline Rows sorted(Rows rows) {
  for (auto& part : rows) std::ranges::sort(part);
  return rows;
}

inline std::array<std::size_t, 3> counts_of(const Dataset& dataset) {
  return {dataset.train_rows().size(), dataset.valid().size(), dataset.test().size()};
}

}  // namespace recloom::testing
