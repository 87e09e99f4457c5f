#include "host/trained_rows.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "core/hash.hpp"
#include "host/config_sections.hpp"
#include "recloom/recloom.hpp"

namespace recloom {
namespace {

/// Hash over items in their order, one after the other. Tokens go in by their hashes, each of which
/// is computed once.
class ItemChain {
 public:
  explicit ItemChain(const Vocabulary& vocabulary) {
    tokens_.reserve(vocabulary.items().size());
    for (const std::string& token : vocabulary.items()) tokens_.push_back(hash64(token));
  }
  std::uint64_t next(std::uint64_t hash, ItemId item) const {
    return link(hash, tokens_[static_cast<std::size_t>(item)]);
  }
  std::uint64_t of(std::span<const ItemId> items) const {
    std::uint64_t hash = 0;
    for (const ItemId item : items) hash = next(hash, item);
    return hash;
  }
  static std::uint64_t link(std::uint64_t hash, std::uint64_t value) {
    const std::array<std::uint64_t, 2> both{hash, value};
    return hash64({reinterpret_cast<const char*>(both.data()), sizeof(both)});
  }

 private:
  std::vector<std::uint64_t> tokens_;
};

struct Stretch {
  UserId user;
  std::int64_t begin, end;
};

/// Rows of a user mostly come one after the other: what is sorted is short.
std::vector<Stretch> stretches_of(const Batch& rows) {
  std::vector<Stretch> stretches;
  for (const Batch::Entry& row : rows.entries()) {
    const std::int64_t end = row.begin + row.history_length + row.n_targets;
    if (stretches.empty() || stretches.back().begin != row.begin)
      stretches.push_back({row.user, row.begin, end});
    else
      stretches.back().end = std::max(stretches.back().end, end);
  }
  std::ranges::sort(stretches, {}, [](const Stretch& stretch) {
    return std::tuple(stretch.user, stretch.begin, -stretch.end);
  });
  const auto same = [](const Stretch& a, const Stretch& b) { return a.begin == b.begin; };
  stretches.erase(std::ranges::unique(stretches, same).begin(), stretches.end());
  return stretches;
}

/// Compares what a model was trained on with the events of a log.
class Comparison {
 public:
  Comparison(const TrainedRows& trained, const Dataset& dataset)
      : trained_(trained), dataset_(dataset), chain_(dataset.vocabulary()) {}

  /// How many events from `begin` on are those of a training stretch; -1: the user was trained on
  /// with other events, 0: not at all.
  std::int64_t trained_events(const Batch::Entry& row, UserId user) {
    const auto [known, is_new] = found_.try_emplace(row.begin, 0);
    if (is_new) known->second = compare(row, user);
    return known->second;
  }

 private:
  std::int64_t compare(const Batch::Entry& row, UserId user) const {
    const auto [first, last] = std::ranges::equal_range(trained_.users, user);
    if (user == 0 || first == last) return 0;
    const auto from = static_cast<std::size_t>(first - trained_.users.begin());
    const auto to = static_cast<std::size_t>(last - trained_.users.begin());
    const auto longest =
        *std::max_element(trained_.events.data() + from, trained_.events.data() + to);
    const std::int64_t user_end = dataset_.offsets()[static_cast<std::size_t>(row.user) + 1];
    const std::int64_t length = std::min<std::int64_t>(longest, user_end - row.begin);
    std::uint64_t hash = 0;
    std::int64_t found = -1;
    for (std::int64_t n = 1; n <= length; ++n) {
      hash = chain_.next(hash, dataset_.events()[static_cast<std::size_t>(row.begin + n - 1)]);
      for (std::size_t at = from; at < to; ++at)
        if (trained_.events[at] == n && static_cast<std::uint64_t>(trained_.hashes[at]) == hash)
          found = n;
    }
    return found;
  }

  const TrainedRows& trained_;
  const Dataset& dataset_;
  ItemChain chain_;
  std::unordered_map<std::int64_t, std::int64_t> found_;  ///< By where the events begin.
};

}  // namespace

std::string hash_of_log(const Dataset& dataset) {
  const ItemChain chain(dataset.vocabulary());
  const auto events = dataset.events();
  const auto offsets = dataset.offsets();
  const std::vector<std::string>& users = dataset.vocabulary().users();
  std::uint64_t hash = 0;
  for (std::size_t user = 1; user < users.size(); ++user) {
    const auto begin = static_cast<std::size_t>(offsets[user]);
    const auto end = static_cast<std::size_t>(offsets[user + 1]);
    hash = ItemChain::link(hash, hash64(users[user]));
    hash = ItemChain::link(hash, chain.of(events.subspan(begin, end - begin)));
  }
  return hex(hash);
}

TrainedRows no_trained_rows(const Dataset& dataset) {
  TrainedRows none;
  none.known = true;
  none.counts.assign(dataset.vocabulary().items().size(), 0);
  none.log_hash = hash_of_log(dataset);
  return none;
}

TrainedRows note_trained_rows(const Dataset& dataset) {
  TrainedRows trained = no_trained_rows(dataset);
  const ItemChain chain(dataset.vocabulary());
  for (const Stretch& stretch : stretches_of(dataset.train_rows())) {
    const auto begin = static_cast<std::size_t>(stretch.begin);
    const auto length = static_cast<std::size_t>(stretch.end - stretch.begin);
    trained.users.push_back(stretch.user);
    trained.events.push_back(static_cast<std::int32_t>(length));
    trained.hashes.push_back(
        static_cast<std::int64_t>(chain.of(dataset.events().subspan(begin, length))));
  }
  trained.counts.assign(dataset.target_counts().begin(), dataset.target_counts().end());
  return trained;
}

SeenRows count_seen_rows(const TrainedRows& trained, const Dataset& dataset, const Batch& rows,
                         std::span<const Batch::Entry> known) {
  SeenRows seen;
  Comparison comparison(trained, dataset);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const Batch::Entry& entry = rows.entries()[row];
    const std::int64_t events = comparison.trained_events(entry, known[row].user);
    seen.trained += entry.history_length < events;
    seen.uncertain += events < 0;
  }
  return seen;
}

std::string EvaluationReport::protocol_hash(const RunConfig& config) const {
  Params protocol = config.protocol();
  const auto note = [&](const char* key, const std::string& value) {
    protocol.set(std::string("evaluation.") + key, value);
  };
  const auto share = [&](std::int64_t rows) {
    return std::to_string(rows) + " of " + std::to_string(result.rows + result.dropped_rows);
  };
  if (!knows_trained_rows) note("trained_rows", "unknown");
  if (trained_rows > 0) note("trained_rows", share(trained_rows));
  if (uncertain_rows > 0) note("uncertain_rows", share(uncertain_rows));
  return hash_of_protocol(protocol);
}

}  // namespace recloom
