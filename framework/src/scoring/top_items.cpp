#include "scoring/top_items.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

#include "kernels/rank.hpp"

namespace recloom {
namespace {

constexpr std::uint32_t kSign = 0x80000000U;

/// One number that orders as (score, smaller id first) does. -0 counts as +0, as in comparisons.
std::uint64_t key_of(float score, std::int32_t id) {
  const auto bits = std::bit_cast<std::uint32_t>(score + 0.0F);
  const std::uint32_t ordered = (bits & kSign) != 0 ? ~bits : bits | kSign;
  return (static_cast<std::uint64_t>(ordered) << 32) | ~static_cast<std::uint32_t>(id);
}

Recommendation from_key(std::uint64_t key) {
  const auto ordered = static_cast<std::uint32_t>(key >> 32);
  const std::uint32_t bits = (ordered & kSign) != 0 ? ordered & ~kSign : ~ordered;
  return {static_cast<ItemId>(~static_cast<std::uint32_t>(key)), std::bit_cast<float>(bits)};
}

}  // namespace

TopItems::TopItems(int k, std::size_t most_rows)
    : k_(static_cast<std::size_t>(k)),
      capacity_(k_ + std::clamp<std::size_t>(3 * k_, 32, 4096)),
      stride_(capacity_ + kernels::kCollectSlack),
      keys_(most_rows * stride_),
      sizes_(most_rows),
      thresholds_(most_rows),
      new_scores_(stride_),
      new_ids_(stride_) {}

void TopItems::start(std::size_t rows) {
  std::fill_n(sizes_.begin(), rows, std::size_t{0});
  std::fill_n(thresholds_.begin(), rows, -HUGE_VALF);
}

bool TopItems::offer(std::size_t row, std::span<const float> scores, ItemId first) {
  if (sizes_[row] == 0) raise_threshold(row, scores);
  for (std::size_t at = 0; at < scores.size();) {
    if (sizes_[row] >= capacity_) shrink(row);
    const kernels::Collected found = kernels::collect_above(
        scores.size() - at, scores.data() + at, thresholds_[row], first + static_cast<ItemId>(at),
        stride_ - sizes_[row], new_scores_.data(), new_ids_.data());
    at += found.scanned;
    std::uint64_t* to = keys_.data() + row * stride_ + sizes_[row];
    for (std::size_t index = 0; index < found.kept; ++index) {
      if (std::isnan(new_scores_[index])) return false;
      *to++ = key_of(new_scores_[index], new_ids_[index]);
    }
    sizes_[row] += found.kept;
  }
  return true;
}

// k groups have a score of at least the k-th largest of their maxima, so nothing below that can be
// among the best: most of a first tile need not be kept.
void TopItems::raise_threshold(std::size_t row, std::span<const float> scores) {
  const std::size_t n_groups = scores.size() / kernels::kMaximaGroup;
  if (n_groups < k_ + k_ / 4) return;
  maxima_.resize(n_groups);
  kernels::group_maxima(scores.size(), scores.data(), maxima_.data());
  if (std::ranges::any_of(maxima_, [](float score) { return std::isnan(score); })) return;
  const auto kth = maxima_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
  std::ranges::nth_element(maxima_, kth, std::greater{});
  // Scores equal to it stay in.
  thresholds_[row] = std::max(thresholds_[row], std::nextafter(*kth, -HUGE_VALF));
}

void TopItems::shrink(std::size_t row) {
  const std::span<std::uint64_t> all = keys(row);
  if (all.size() <= k_) return;
  std::ranges::nth_element(all, all.begin() + static_cast<std::ptrdiff_t>(k_ - 1), std::greater{});
  sizes_[row] = k_;
  // An item of the same score that comes later has a larger id, so it has to be above.
  thresholds_[row] = from_key(all[k_ - 1]).score;
}

std::span<const Recommendation> TopItems::best(std::size_t row) {
  shrink(row);
  std::ranges::sort(keys(row), std::greater{});
  best_.clear();
  for (const std::uint64_t key : keys(row)) best_.push_back(from_key(key));
  return best_;
}

}  // namespace recloom
