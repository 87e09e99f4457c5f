#include "host/trained_rows.hpp"

#include <algorithm>
#include <array>
#include <compare>
#include <span>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/hash.hpp"
#include "data/stop_check.hpp"
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

/// Whether lines bring their histories: a row's events then end where its line does.
bool has_lines(const Dataset& dataset) {
  const auto within = [&](const Batch::Entry& row) {
    return row.begin != dataset.offsets()[static_cast<std::size_t>(row.user)];
  };
  return std::ranges::any_of(dataset.train_rows().entries(), within) ||
         std::ranges::any_of(dataset.valid().entries(), within) ||
         std::ranges::any_of(dataset.test().entries(), within);
}

/// Compares what a model was trained on with the events of a log.
class Comparison {
 public:
  Comparison(const TrainedRows& trained, const Dataset& dataset, const RunContext& run)
      : dataset_(dataset), chain_(dataset.vocabulary()), lines_(has_lines(dataset)), stop_(run) {
    known_.reserve(trained.users.size());
    for (std::size_t at = 0; at < trained.users.size(); ++at)
      known_.push_back(
          {trained.users[at], trained.events[at], static_cast<std::uint64_t>(trained.hashes[at])});
    std::ranges::sort(known_);  // A user may have as many as the log has lines.
  }

  /// How many events from `begin` on are those of a training stretch; -1: the user was trained on
  /// with other events, 0: not at all.
  std::int64_t trained_events(const Batch::Entry& row, UserId user) {
    if (lines_) return compare(row.begin, row.begin + row.history_length + row.n_targets, user);
    const auto [known, is_new] = found_.try_emplace(row.begin, 0);
    if (is_new)
      known->second =
          compare(row.begin, dataset_.offsets()[static_cast<std::size_t>(row.user) + 1], user);
    return known->second;
  }

 private:
  struct Known {
    UserId user;
    std::int64_t events;
    std::uint64_t hash;
    auto operator<=>(const Known&) const = default;
  };

  std::int64_t compare(std::int64_t begin, std::int64_t end, UserId user) {
    const auto of_user = std::ranges::equal_range(known_, user, {}, &Known::user);
    if (user == 0 || of_user.empty()) return 0;
    const std::int64_t length = std::min(of_user.back().events, end - begin);
    std::uint64_t hash = 0;
    std::int64_t found = -1;
    for (std::int64_t n = 1; n <= length; ++n) {
      stop_.step();
      hash = chain_.next(hash, dataset_.events()[static_cast<std::size_t>(begin + n - 1)]);
      if (std::ranges::binary_search(of_user, Known{user, n, hash})) found = n;
    }
    return found;
  }

  const Dataset& dataset_;
  ItemChain chain_;
  bool lines_;
  StopCheck stop_;
  std::vector<Known> known_;                              ///< Sorted.
  std::unordered_map<std::int64_t, std::int64_t> found_;  ///< By where a user's events begin.
};

}  // namespace

std::string hash_of_log(const Dataset& dataset, const RunContext& run) {
  const ItemChain chain(dataset.vocabulary());
  const auto events = dataset.events();
  const auto offsets = dataset.offsets();
  const std::vector<std::string>& users = dataset.vocabulary().users();
  std::vector<std::uint64_t> of_users(users.size());
  constexpr std::size_t kUsers = 1024;
  run.parallel_for((users.size() + kUsers - 1) / kUsers, [&](std::size_t part) {
    const std::size_t last = std::min(users.size(), (part + 1) * kUsers);
    for (std::size_t user = part * kUsers; user < last; ++user) {
      const auto begin = static_cast<std::size_t>(offsets[user]);
      const auto end = static_cast<std::size_t>(offsets[user + 1]);
      of_users[user] = chain.of(events.subspan(begin, end - begin));
    }
  });
  std::uint64_t hash = 0;
  for (std::size_t user = 1; user < users.size(); ++user) {
    hash = ItemChain::link(hash, hash64(users[user]));
    hash = ItemChain::link(hash, of_users[user]);
  }
  return hex(hash);
}

TrainedRows no_trained_rows(const Dataset& dataset) {
  TrainedRows none;
  none.known = true;
  none.counts.assign(dataset.vocabulary().items().size(), 0);
  return none;
}

TrainedRows note_trained_rows(const Dataset& dataset, std::string log_hash) {
  TrainedRows trained = no_trained_rows(dataset);
  trained.log_hash = std::move(log_hash);
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

namespace {

/// USER of a session USER#12, else the token itself.
std::string_view person_of(std::string_view user) {
  const std::size_t mark = user.rfind('#');
  if (mark == std::string_view::npos || mark + 1 == user.size()) return user;
  const bool number = user.find_first_not_of("0123456789", mark + 1) == std::string_view::npos;
  return number ? user.substr(0, mark) : user;
}

/// Whether the users of a log are sessions: all are called so. Only the training's settings say it.
bool are_sessions(std::span<const std::string> users) {
  return std::all_of(users.begin() + 1, users.end(),
                     [](const std::string& user) { return person_of(user) != user; });
}

}  // namespace

SeenRows count_seen_rows(const TrainedRows& trained, const Dataset& dataset, const Batch& rows,
                         std::span<const Batch::Entry> known, const Vocabulary& vocabulary,
                         bool trained_on_sessions, const RunContext& run) {
  SeenRows seen;
  Comparison comparison(trained, dataset, run);
  std::unordered_set<std::string_view> people;
  if (trained.known)
    for (const std::string& user : vocabulary.users())
      people.insert(trained_on_sessions ? person_of(user) : std::string_view(user));
  const bool sessions = are_sessions(dataset.vocabulary().users());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const Batch::Entry& entry = rows.entries()[row];
    const std::int64_t events = comparison.trained_events(entry, known[row].user);
    seen.trained += entry.history_length < events;
    const std::string_view user = dataset.vocabulary().user_token(entry.user);
    const bool other_name =
        known[row].user == 0 && ((trained_on_sessions && people.contains(user)) ||
                                 (sessions && people.contains(person_of(user))));
    seen.uncertain += events < 0 || other_name;
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
