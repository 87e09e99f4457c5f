#include "train/excluding_sampler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <set>

#include "recloom/core/error.hpp"

namespace recloom {

UserItems::UserItems(const TrainingData& data) {
  const UserId n_users = data.catalogue().n_users;
  begins_.reserve(static_cast<std::size_t>(n_users) + 1);
  begins_.push_back(0);
  for (UserId user = 0; user < n_users; ++user) {
    const auto first = static_cast<std::ptrdiff_t>(items_.size());
    const std::span<const ItemId> events = data.sequence(user);
    items_.insert(items_.end(), events.begin(), events.end());
    std::sort(items_.begin() + first, items_.end());
    items_.erase(std::unique(items_.begin() + first, items_.end()), items_.end());
    begins_.push_back(static_cast<std::int64_t>(items_.size()));
  }
}

bool UserItems::contains(UserId user, ItemId item) const {
  const ItemId* items = items_.data();
  const auto u = static_cast<std::size_t>(user);
  return std::binary_search(items + begins_[u], items + begins_[u + 1], item);
}

std::int64_t UserItems::count(UserId user) const {
  const auto u = static_cast<std::size_t>(user);
  return begins_[u + 1] - begins_[u];
}

void ExcludingSampler::prepare(const SamplerContext& context) {
  n_items_ = context.catalogue.n_items - 1;
  sampler_.prepare(context);
}

void ExcludingSampler::sample(const Row& row, Rng rng, std::span<ItemId> negatives) const {
  constexpr std::uint64_t kMostRounds = 10000;
  const auto wanted = distinct_ ? static_cast<std::int64_t>(negatives.size()) : 1;
  if (n_items_ - n_excluded(row) < wanted) fail(row, negatives.size());
  sampler_.sample(row, rng, negatives);
  for (std::uint64_t round = 1; round <= kMostRounds; ++round) {
    const std::vector<std::uint32_t> places = unwanted(row.user, negatives);
    if (places.empty()) return;
    const Rng draws = rng.fork("redraw", round);
    for (const std::uint32_t place : places)
      sampler_.sample(row, draws.fork("place", place), negatives.subspan(place, 1));
  }
  fail(row, negatives.size());
}

bool ExcludingSampler::log_probabilities(std::span<float> log_q) const {
  return sampler_.log_probabilities(log_q);
}

/// Places to be drawn again; of items that repeat, all but the first.
std::vector<std::uint32_t> ExcludingSampler::unwanted(UserId user,
                                                      std::span<const ItemId> negatives) const {
  std::vector<std::uint32_t> places;
  const auto has = [&](std::size_t at) {
    return user_items_ != nullptr && user_items_->contains(user, negatives[at]);
  };
  if (!distinct_) {
    for (std::uint32_t at = 0; at < negatives.size(); ++at)
      if (has(at)) places.push_back(at);
    return places;
  }
  std::vector<std::uint32_t> order(negatives.size());
  for (std::uint32_t at = 0; at < order.size(); ++at) order[at] = at;
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
    return negatives[a] != negatives[b] ? negatives[a] < negatives[b] : a < b;
  });
  for (std::size_t at = 0; at < order.size(); ++at)
    if ((at > 0 && negatives[order[at]] == negatives[order[at - 1]]) || has(order[at]))
      places.push_back(order[at]);
  return places;
}

std::int64_t ExcludingSampler::n_excluded(const Row& row) const {
  if (user_items_ != nullptr) return user_items_->count(row.user);
  const std::set<ItemId> targets(row.targets.begin(), row.targets.end());
  return static_cast<std::int64_t>(targets.size());
}

void ExcludingSampler::fail(const Row& row, std::size_t n_negatives) const {
  const std::string wanted =
      fmt::format("{}{} negatives", n_negatives, distinct_ ? " different" : "");
  const std::string_view distinct = distinct_ ? " or --set train.distinct_negatives=false" : "";
  if (user_items_ == nullptr)
    throw DataError(fmt::format(
        "{} of a row are not to be found: {} of {} items are its targets, and train.sampler draws "
        "too few others; --set train.n_negatives to less{}",
        wanted, n_excluded(row), n_items_, distinct));
  throw DataError(fmt::format(
      "{} are not to be found for user '{}', which has {} of {} items in training: train.sampler "
      "draws too few others; --set train.n_negatives to less, --set "
      "train.negatives_exclude=target{}, or drop such users (data.user_interval)",
      wanted, name_of_(row.user), n_excluded(row), n_items_, distinct));
}

}  // namespace recloom
