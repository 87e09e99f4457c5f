#include "eval/candidates.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "recloom/core/error.hpp"

namespace recloom {
namespace {

// What CandidateSampler::Workspace knows of an item.
constexpr std::uint8_t kFree = 0, kExcluded = 1, kDrawn = 2;

}  // namespace

CandidateSampler::CandidateSampler(const CandidateSpec& spec, bool with_replacement, double alpha,
                                   std::span<const std::int64_t> counts, int n_items, Rng rng)
    : spec_(spec),
      with_replacement_(with_replacement),
      n_items_(n_items),
      n_drawable_(static_cast<std::size_t>(n_items - 1)),
      rng_(rng) {
  // More than there are cannot be drawn without replacement.
  if (!with_replacement) spec_.count = std::min<std::int64_t>(spec_.count, n_items - 1);
  if (spec.mode != CandidateMode::popularity) return;
  if (counts.size() != static_cast<std::size_t>(n_items))
    throw InternalError("popN candidates need the count of every item");
  double sum = 0;
  for (std::size_t item = 0; item < counts.size(); ++item) {
    const bool drawn = item != 0 && counts[item] > 0;
    weights_.push_back(drawn ? std::pow(static_cast<double>(counts[item]), alpha) : 0);
    cumulative_.push_back(sum += weights_.back());
  }
  n_drawable_ = static_cast<std::size_t>(
      std::ranges::count_if(weights_, [](double weight) { return weight > 0; }));
  if (!(sum > 0 && std::isfinite(sum)))
    throw ConfigError(
        "eval.candidates asks for popN, but the counts of the items to the power of "
        "eval.popularity_alpha have no finite sum above 0");
}

void CandidateSampler::draw(std::int64_t row_id, std::span<const ItemId> excluded, Workspace& work,
                            std::vector<ItemId>& candidates) const {
  candidates.clear();
  work.taken_[0] = kExcluded;
  work.free_ = n_drawable_;
  for (const ItemId item : excluded) {
    std::uint8_t& mark = work.taken_[static_cast<std::size_t>(item)];
    if (mark != kExcluded && drawable(item)) --work.free_;
    mark = kExcluded;
  }
  Rng rng = rng_.fork("row", static_cast<std::uint64_t>(row_id));
  if (spec_.mode == CandidateMode::uniform) {
    draw_uniform(rng, work, candidates);
  } else {
    draw_popular(rng, work, candidates);
  }
  for (const ItemId item : excluded) work.taken_[static_cast<std::size_t>(item)] = kFree;
  for (const ItemId item : candidates) work.taken_[static_cast<std::size_t>(item)] = kFree;
  std::ranges::sort(candidates);
}

// Redrawing what is taken is cheap while most items are free; else the free ones are listed.
void CandidateSampler::draw_uniform(Rng& rng, Workspace& work,
                                    std::vector<ItemId>& candidates) const {
  const auto wanted = static_cast<std::size_t>(spec_.count);
  const std::size_t left = work.free_ - (with_replacement_ ? 0 : std::min(wanted, work.free_));
  if (left < static_cast<std::size_t>(n_items_) / 2) {
    draw_from_pool(rng, work, candidates);
    return;
  }
  for (std::size_t drawn = 0; drawn < wanted && candidates.size() < work.free_;) {
    const auto item = static_cast<ItemId>(1 + rng.below(n_items_ - 1));
    drawn += take(item, work, candidates);
  }
}

void CandidateSampler::draw_from_pool(Rng& rng, Workspace& work,
                                      std::vector<ItemId>& candidates) const {
  std::vector<ItemId>& pool = work.pool_;
  pool.clear();
  for (ItemId item = 1; item < n_items_; ++item)
    if (work.taken_[static_cast<std::size_t>(item)] == kFree) pool.push_back(item);
  if (pool.empty()) return;
  const auto wanted = static_cast<std::size_t>(spec_.count);
  if (with_replacement_) {
    for (std::size_t drawn = 0; drawn < wanted && candidates.size() < pool.size(); ++drawn)
      take(pool[static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(pool.size())))], work,
           candidates);
    return;
  }
  const std::size_t count = std::min(wanted, pool.size());
  for (std::size_t place = 0; place < count; ++place) {
    const auto left = static_cast<std::int64_t>(pool.size() - place);
    std::swap(pool[place], pool[place + static_cast<std::size_t>(rng.below(left))]);
  }
  candidates.assign(pool.begin(), pool.begin() + static_cast<std::ptrdiff_t>(count));
}

bool CandidateSampler::take(ItemId item, Workspace& work, std::vector<ItemId>& candidates) const {
  std::uint8_t& mark = work.taken_[static_cast<std::size_t>(item)];
  if (mark == kExcluded) return false;
  if (mark == kDrawn) return with_replacement_;
  mark = kDrawn;
  candidates.push_back(item);
  return true;
}

ItemId CandidateSampler::popular_item(Rng& rng) const {
  const double point = rng.uniform() * cumulative_.back();
  const auto found = std::ranges::upper_bound(cumulative_, point);
  // Rounding may put the point on the sum itself.
  const auto last = std::ranges::lower_bound(cumulative_, cumulative_.back());
  return static_cast<ItemId>(std::min(found, last) - cumulative_.begin());
}

void CandidateSampler::draw_popular(Rng& rng, Workspace& work,
                                    std::vector<ItemId>& candidates) const {
  const auto wanted = static_cast<std::size_t>(spec_.count);
  // Redrawing gives the right distribution, but no end if what is left has hardly any weight. Where
  // all are wanted, their order does not matter.
  const bool all = !with_replacement_ && wanted >= work.free_;
  const std::size_t most_tries = all ? 0 : 16 * wanted + 1024;
  std::size_t drawn = 0;
  for (std::size_t tries = 0;
       drawn < wanted && tries < most_tries && candidates.size() < work.free_; ++tries)
    drawn += take(popular_item(rng), work, candidates);
  if (drawn < wanted && !with_replacement_) race(rng, work, candidates);
}

// The order of exponential clocks with rates w is a draw without replacement in proportion to w
// (Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006).
void CandidateSampler::race(Rng& rng, Workspace& work, std::vector<ItemId>& candidates) const {
  auto& races = work.races_;
  races.clear();
  for (ItemId item = 1; item < n_items_; ++item) {
    const auto index = static_cast<std::size_t>(item);
    if (work.taken_[index] != kFree || !(weights_[index] > 0)) continue;
    races.emplace_back(-std::log1p(-rng.uniform()) / weights_[index], item);
  }
  const std::size_t count =
      std::min(static_cast<std::size_t>(spec_.count) - candidates.size(), races.size());
  std::ranges::partial_sort(races, races.begin() + static_cast<std::ptrdiff_t>(count));
  for (std::size_t place = 0; place < count; ++place) candidates.push_back(races[place].second);
}

}  // namespace recloom
