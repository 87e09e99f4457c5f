#include <algorithm>
#include <vector>

#include "recloom/recloom.hpp"

namespace recloom {

DatasetStats dataset_stats(const Dataset& dataset) {
  DatasetStats stats;
  stats.name = dataset.name();
  stats.hash = dataset.hash();
  stats.read = dataset.read_summary();
  stats.users = dataset.catalogue().n_users - 1;
  stats.items = dataset.catalogue().n_items - 1;
  stats.interactions = dataset.n_interactions();
  stats.train_rows = static_cast<std::int64_t>(dataset.train_rows().size());
  stats.valid_rows = static_cast<std::int64_t>(dataset.valid().size());
  stats.test_rows = static_cast<std::int64_t>(dataset.test().size());

  for (const Batch::Entry& row : dataset.valid().entries()) stats.valid_targets += row.n_targets;
  for (const Batch::Entry& row : dataset.test().entries()) stats.test_targets += row.n_targets;

  const auto events = dataset.events();
  const auto offsets = dataset.offsets();
  std::vector<std::int64_t> lengths;
  std::vector<UserId> last_user(static_cast<std::size_t>(dataset.catalogue().n_items), 0);
  std::int64_t repeated = 0;
  for (std::size_t user = 1; user + 1 < offsets.size(); ++user) {
    lengths.push_back(offsets[user + 1] - offsets[user]);
    for (auto p = offsets[user]; p < offsets[user + 1]; ++p) {
      UserId& seen_by = last_user[static_cast<std::size_t>(events[static_cast<std::size_t>(p)])];
      repeated += seen_by == static_cast<UserId>(user);
      seen_by = static_cast<UserId>(user);
    }
  }
  if (lengths.empty()) return stats;
  std::sort(lengths.begin(), lengths.end());
  const auto n = lengths.size();
  const auto n_events = static_cast<double>(stats.interactions);
  stats.shortest = lengths.front();
  stats.longest = lengths.back();
  stats.median_length = static_cast<double>(lengths[(n - 1) / 2] + lengths[n / 2]) / 2;
  stats.mean_length = n_events / static_cast<double>(n);
  stats.density = n_events / (static_cast<double>(stats.users) * static_cast<double>(stats.items));
  stats.repeats = static_cast<double>(repeated) / n_events;
  return stats;
}

}  // namespace recloom
