#include "eval/item_lists.hpp"

#include <algorithm>

namespace recloom {

void ItemLists::close_as_set(int n_items) {
  const auto first = items_.begin() + static_cast<std::ptrdiff_t>(ends_.empty() ? 0 : ends_.back());
  auto last =
      std::remove_if(first, items_.end(), [&](ItemId item) { return !is_real(item, n_items); });
  std::sort(first, last);
  last = std::unique(first, last);
  items_.erase(last, items_.end());
  close();
}

}  // namespace recloom
