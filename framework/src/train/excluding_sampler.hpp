#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/data/batch.hpp"
#include "recloom/data/sampler.hpp"

namespace recloom {

/// The distinct items that users have in training. Memory: 4 bytes an item of a user.
class RECLOOM_API UserItems {
 public:
  explicit UserItems(const TrainingData& data);
  bool contains(UserId user, ItemId item) const;
  std::int64_t count(UserId user) const;

 private:
  std::vector<std::int64_t> begins_;  ///< [n_users + 1]
  std::vector<ItemId> items_;         ///< Of one user after the other, ascending.
};

/// A sampler whose unwanted draws are drawn again: those that a user has in training, and those
/// that stand in the row already. What is left is distributed as the given sampler's draws are,
/// given that they are none of those.
class RECLOOM_API ExcludingSampler final : public NegativeSampler {
 public:
  /// @param user_items null: only repeats are unwanted. @param distinct no item twice in a row.
  /// @param name_of a user's token, for errors. All three outlive the sampler.
  ExcludingSampler(NegativeSampler& sampler, const UserItems* user_items, bool distinct,
                   std::function<std::string(UserId)> name_of)
      : sampler_(sampler),
        user_items_(user_items),
        distinct_(distinct),
        name_of_(std::move(name_of)) {}

  void prepare(const SamplerContext& context) override;
  /// @throws DataError there are not enough other items, or 10,000 draws were in vain; it names the
  /// user.
  void sample(const Row& row, Rng rng, std::span<ItemId> negatives) const override;
  bool log_probabilities(std::span<float> log_q) const override;

 private:
  std::vector<std::uint32_t> unwanted(UserId user, std::span<const ItemId> negatives) const;
  /// How many items a row's negatives must not be.
  std::int64_t n_excluded(const Row& row) const;
  [[noreturn]] void fail(const Row& row, std::size_t n_negatives) const;

  NegativeSampler& sampler_;
  const UserItems* user_items_;
  bool distinct_;
  std::function<std::string(UserId)> name_of_;
  int n_items_ = 0;
};

}  // namespace recloom
