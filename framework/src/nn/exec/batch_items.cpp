#include "nn/exec/batch_items.hpp"

#include <algorithm>

#include "kernels/vector.hpp"
#include "nn/graph/parameter_data.hpp"

namespace recloom::nn {

BatchItems::BatchItems(const Plan& plan, NodeId lookup)
    : table_(*std::get<Lookup>(plan.graph().node(lookup).work).table.data()),
      ids_(plan.graph().node(lookup).operands.front().node()),
      length_(plan.slot(ids_).size),
      columns_(table_.columns()),
      slot_of_item_(table_.rows(), -1) {}

void BatchItems::collect(Shards shards) {
  collect_items(shards);
  find_runs(shards);
  vectors_.resize(std::max(vectors_.size(), items_.size() * columns_));
  kernels::gather_rows(items_.size(), columns_, table_.values.data(), items_.data(),
                       vectors_.data());
}

void BatchItems::collect_items(Shards shards) {
  for (const std::int32_t item : items_) slot_of_item_[static_cast<std::size_t>(item)] = -1;
  items_.clear();
  for (const auto& shard : shards) {
    table_.require_rows(shard->ids(ids_));
    for (const std::int32_t item : shard->ids(ids_)) {
      std::int32_t& slot = slot_of_item_[static_cast<std::size_t>(item)];
      if (slot >= 0) continue;
      items_.push_back(item);
      slot = 0;
    }
  }
  std::ranges::sort(items_);
  for (std::size_t slot = 0; slot < items_.size(); ++slot)
    slot_of_item_[static_cast<std::size_t>(items_[slot])] = static_cast<std::int32_t>(slot);
}

void BatchItems::find_runs(Shards shards) {
  runs_.clear();
  slots_.clear();
  row_slots_.clear();
  const auto push = [this](std::int32_t item) {
    slots_.push_back(slot_of_item_[static_cast<std::size_t>(item)]);
  };
  for (const auto& shard : shards) {
    const std::int32_t* ids = shard->ids(ids_).data();
    for (std::size_t row = 0; row < shard->rows(); ++row, ids += length_) {
      if (row > 0 && length_ > 1 && std::equal(ids, ids + length_ - 1, ids - length_ + 1)) {
        ++runs_.back().rows;
        push(ids[length_ - 1]);
      } else {
        runs_.push_back({n_rows(), 1, slots_.size()});
        std::for_each(ids, ids + length_, push);
      }
      row_slots_.push_back(slots_.size() - length_);
    }
  }
}

}  // namespace recloom::nn
