#pragma once
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "recloom/core/random.hpp"
#include "recloom/data/batch.hpp"
#include "recloom/nn/network_recommender.hpp"

namespace recloom::nn {

/// A network that a test puts together from functions.
class ToyNetwork final : public NetworkRecommender {
 public:
  using NetworkRecommender::at;
  using NetworkRecommender::NetworkRecommender;
  using NetworkRecommender::parameter;
  Var forward(const Inputs& in) const override { return on_forward(in); }
  ItemHead item_head() const override { return head; }
  Loss calculate_loss(const Inputs& in) const override {
    return on_loss ? on_loss(in) : NetworkRecommender::calculate_loss(in);
  }

  std::function<Var(const Inputs&)> on_forward;
  std::function<Loss(const Inputs&)> on_loss;  ///< Empty: the loss of the config.
  ItemHead head;
};

/// Rows that are written one by one: each has events of its own.
class ToyRows {
 public:
  explicit ToyRows(int max_length) : max_length_(max_length) {}
  void add(UserId user, std::span<const ItemId> history, ItemId target,
           std::span<const ItemId> negatives = {}) {
    entries_.push_back({static_cast<std::int64_t>(events_.size()),
                        static_cast<std::int32_t>(history.size()), 1, user});
    events_.insert(events_.end(), history.begin(), history.end());
    events_.push_back(target);
    negatives_.insert(negatives_.end(), negatives.begin(), negatives.end());
  }
  void add(UserId user, std::initializer_list<ItemId> history, ItemId target,
           std::initializer_list<ItemId> negatives = {}) {
    add(user, std::span(history.begin(), history.size()), target,
        std::span(negatives.begin(), negatives.size()));
  }
  Batch batch() const { return {events_, entries_, max_length_, negatives_}; }
  std::size_t size() const { return entries_.size(); }

 private:
  std::vector<ItemId> events_, negatives_;
  std::vector<Batch::Entry> entries_;
  int max_length_;
};

/// Rows with random histories of 0..1.5 L items.
inline ToyRows random_rows(const Catalogue& c, std::size_t n, std::size_t n_negatives = 0,
                           std::uint64_t seed = 1) {
  ToyRows rows(c.max_length);
  Rng rng = Rng(seed).fork("toy rows");
  const auto item = [&] { return static_cast<ItemId>(1 + rng.below(c.n_items - 1)); };
  for (std::size_t r = 0; r < n; ++r) {
    std::vector<ItemId> history(static_cast<std::size_t>(rng.below(c.max_length * 3 / 2 + 1)));
    for (ItemId& i : history) i = item();
    std::vector<ItemId> negatives(n_negatives);
    for (ItemId& i : negatives) i = item();
    rows.add(static_cast<UserId>(rng.below(c.n_users)), history, item(), negatives);
  }
  return rows;
}

/// Draw values from [low, high), keyed by the parameter's name.
inline void fill(Parameter p, double low, double high, std::uint64_t seed = 7) {
  Rng rng = Rng(seed).fork(p.name());
  std::vector<float> values(p.values().size());
  for (float& v : values) v = static_cast<float>(low + (high - low) * rng.uniform());
  p.assign(values);
}
inline void fill_all(NetworkRecommender& network, double low, double high) {
  for (std::size_t p = 0; p < network.parameters().size(); ++p)
    fill(network.parameters()[p], low, high);
}

/// Values of every parameter, one after the other.
inline std::vector<float> snapshot(const NetworkRecommender& network) {
  std::vector<float> all;
  for (std::size_t p = 0; p < network.parameters().size(); ++p) {
    const auto values = network.parameters()[p].values();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

}  // namespace recloom::nn
