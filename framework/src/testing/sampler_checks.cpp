// What a sampler draws.
#include <algorithm>
#include <cmath>
#include <vector>

#include "recloom/data/sampler.hpp"
#include "testing/concurrency.hpp"
#include "testing/subject.hpp"
#include "testing/text.hpp"

namespace recloom::conformance {
namespace {

const std::vector<std::int64_t>& target_counts() {
  static const std::vector<std::int64_t> counts = {0, 40, 1, 7, 3, 2, 9, 5, 4, 1, 2, 8, 6};
  return counts;
}

void prepare(NegativeSampler& sampler) {
  sampler.prepare({.catalogue = Subject::catalogue(), .target_counts = target_counts()});
}

std::vector<ItemId> draw(const NegativeSampler& sampler, ItemId target, std::uint64_t key,
                         std::size_t count) {
  const std::vector<ItemId> history = random_history(Subject::catalogue(), 3, key);
  const std::vector<ItemId> targets = {target};
  std::vector<ItemId> negatives(count, -1);
  sampler.sample({.user = 1,
                  .id = static_cast<std::int64_t>(key),
                  .history = history,
                  .targets = targets,
                  .negatives = {}},
                 Rng(key).fork("row", key), negatives);
  return negatives;
}

Finding check_draws(Subject& subject) {
  const std::shared_ptr<NegativeSampler> sampler = subject.sampler();
  prepare(*sampler);
  const ItemId n_items = Subject::catalogue().n_items;
  for (ItemId target = 1; target < n_items; ++target)
    for (const ItemId item : draw(*sampler, target, static_cast<std::uint64_t>(target), 64)) {
      const std::string what = "for target " + std::to_string(target) + " of items 1 to " +
                               std::to_string(n_items - 1) + ", ";
      if (item == -1) return fail(what + "a negative was not written");
      if (item < 1 || item >= n_items) return fail(what + "it drew " + std::to_string(item));
      if (item == target) return fail(what + "it drew the target itself");
    }
  return pass();
}

Finding check_two_items(Subject& subject) {
  const std::shared_ptr<NegativeSampler> sampler = subject.sampler();
  const std::vector<std::int64_t> counts = {0, 3};
  sampler->prepare(
      {.catalogue = {.n_users = 2, .n_items = 2, .max_length = kLength}, .target_counts = counts});
  const std::vector<ItemId> targets = {1};
  std::vector<ItemId> negatives(8, -1);
  sampler->sample({.user = 1, .id = 0, .history = {}, .targets = targets, .negatives = {}}, Rng(1),
                  negatives);
  for (const ItemId item : negatives)
    if (item != 1) return fail("of the only item 1, it drew " + std::to_string(item));
  return pass();
}

Finding check_repeatable(Subject& subject) {
  const std::shared_ptr<NegativeSampler> first = subject.sampler(), second = subject.sampler();
  prepare(*first);
  prepare(*second);
  for (std::uint64_t key = 0; key < 20; ++key) {
    const auto target = static_cast<ItemId>(1 + key % 12);
    const std::vector<ItemId> drawn = draw(*first, target, key, 16);
    if (drawn != draw(*first, target, key, 16))
      return fail("the same row and rng gave other items the second time");
    if (drawn != draw(*second, target, key, 16))
      return fail("two samplers with the same settings drew other items");
  }
  return pass();
}

/// What is drawn against what is said: q(i), and none of the target.
Finding check_probabilities(Subject& subject) {
  constexpr std::size_t kDraws = 20000;
  const std::shared_ptr<NegativeSampler> sampler = subject.sampler();
  prepare(*sampler);
  std::vector<float> log_q(target_counts().size());
  if (!sampler->log_probabilities(log_q)) return skip("log_probabilities() states none");
  for (const ItemId target : {ItemId{2}, ItemId{1}}) {
    std::vector<double> expected(log_q.size()), found(log_q.size());
    double total = 0;
    for (std::size_t item = 1; item < log_q.size(); ++item) {
      if (!std::isfinite(log_q[item]))
        return fail("the logarithm for item " + std::to_string(item) + " is " +
                    text_of(log_q[item]));
      if (item != static_cast<std::size_t>(target))
        total += expected[item] = std::exp(double{log_q[item]});
    }
    for (const ItemId item : draw(*sampler, target, 5, kDraws)) {
      if (item < 1 || static_cast<std::size_t>(item) >= found.size())
        return fail("it drew " + std::to_string(item));
      found[static_cast<std::size_t>(item)] += 1.0 / kDraws;
    }
    for (std::size_t item = 1; item < log_q.size(); ++item) {
      const double share = expected[item] / total;
      // Six standard deviations of a share.
      const double tolerance = 6 * std::sqrt(share * (1 - share) / kDraws) + 2.0 / kDraws;
      // What is never drawn may have any finite logarithm.
      if (found[item] > 0 && std::abs(found[item] - share) > tolerance)
        return fail("beside target " + std::to_string(target) + ", item " + std::to_string(item) +
                    " is said to have probability " + text_of(share) + ", and was " +
                    text_of(found[item]) + " of what was drawn");
    }
  }
  return pass();
}

Finding check_concurrent(Subject& subject) {
  const std::shared_ptr<NegativeSampler> sampler = subject.sampler();
  prepare(*sampler);
  const auto all = [&](std::size_t caller) {
    std::vector<ItemId> drawn;
    for (std::uint64_t key = caller; key < caller + 20; ++key)
      for (const ItemId item : draw(*sampler, static_cast<ItemId>(1 + key % 12), key, 8))
        drawn.push_back(item);
    return drawn;
  };
  std::vector<std::vector<ItemId>> alone;
  for (std::size_t caller = 0; caller < kCallers; ++caller) alone.push_back(all(caller));
  const std::string problem = concurrently([&](std::size_t caller) -> std::string {
    return all(caller) == alone[caller] ? "" : "they drew other items than one alone";
  });
  return judge(problem.empty() ? "" : "while other threads drew, " + problem);
}

constexpr Check kChecks[] = {
    {"draws", kSamplers, "it draws items 1 to n_items - 1, and not the target",
     "sample(): every negative is written; item 0 is padding; row.targets", check_draws},
    {"draws-two-items", kSamplers, "a catalogue of the padding and one item can be drawn from",
     "loops that look for an item other than the target", check_two_items},
    {"draws-repeatable", kSamplers, "the same row and rng give the same items",
     "randomness from elsewhere than the rng that is given; members that sample() changes",
     check_repeatable},
    {"probabilities", kSamplers, "items are drawn as log_probabilities() says",
     "log_probabilities(), or the draws: one of them has another distribution",
     check_probabilities},
    {"draws-concurrent", kSamplers, "8 threads that draw at a time get what one gets alone",
     "mutable members and static variables: sample() is const and shares the sampler",
     check_concurrent},
};

}  // namespace

std::span<const Check> sampler_checks() { return kChecks; }

}  // namespace recloom::conformance
