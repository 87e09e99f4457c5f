#include "plugin/guarded.hpp"

#include <fmt/format.h>

#include <utility>

#include "plugin/failure.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

class GuardedMetric final : public Metric {
 public:
  GuardedMetric(std::shared_ptr<Metric> metric, PluginInfo plugin)
      : metric_(std::move(metric)), plugin_(std::move(plugin)) {}
  bool needs_items() const noexcept override { return metric_->needs_items(); }
  bool higher_is_better() const noexcept override { return metric_->higher_is_better(); }
  bool at_k() const noexcept override { return metric_->at_k(); }
  void prepare(const MetricContext& context) override {
    naming(plugin_, [&] { metric_->prepare(context); });
  }
  void row(const RankedRow& row, std::span<double> values) const override {
    naming(plugin_, [&] { metric_->row(row, values); });
  }
  double weight(const RankedRow& row) const override {
    return naming(plugin_, [&] { return metric_->weight(row); });
  }

 private:
  std::shared_ptr<Metric> metric_;
  PluginInfo plugin_;
};

class GuardedListMetric final : public ListMetric {
 public:
  GuardedListMetric(std::shared_ptr<Metric> metric, PluginInfo plugin)
      : metric_(std::move(metric)),
        lists_(dynamic_cast<const ListMetric&>(*metric_)),
        plugin_(std::move(plugin)) {}
  bool higher_is_better() const noexcept override { return metric_->higher_is_better(); }
  bool at_k() const noexcept override { return metric_->at_k(); }
  void prepare(const MetricContext& context) override {
    naming(plugin_, [&] { metric_->prepare(context); });
  }
  double value(std::span<const std::int64_t> counts, std::int64_t n_rows, int k) const override {
    return naming(plugin_, [&] { return lists_.value(counts, n_rows, k); });
  }

 private:
  std::shared_ptr<Metric> metric_;
  const ListMetric& lists_;
  PluginInfo plugin_;
};

class GuardedSampler final : public NegativeSampler {
 public:
  GuardedSampler(std::shared_ptr<NegativeSampler> sampler, PluginInfo plugin)
      : sampler_(std::move(sampler)), plugin_(std::move(plugin)) {}
  void prepare(const SamplerContext& context) override {
    n_items_ = context.catalogue.n_items;
    naming(plugin_, [&] { sampler_->prepare(context); });
  }
  void sample(const Row& row, Rng rng, std::span<ItemId> negatives) const override {
    naming(plugin_, [&] { sampler_->sample(row, rng, negatives); });
    for (const ItemId item : negatives)
      if (item < 1 || item >= n_items_)
        throw PluginError(fmt::format("plugin '{}': it sampled item {}, legal are 1 to {}",
                                      plugin_.name, item, n_items_ - 1));
  }
  bool log_probabilities(std::span<float> log_q) const override {
    return naming(plugin_, [&] { return sampler_->log_probabilities(log_q); });
  }

 private:
  std::shared_ptr<NegativeSampler> sampler_;
  PluginInfo plugin_;
  ItemId n_items_ = 0;
};

}  // namespace

std::shared_ptr<Metric> guarded(std::shared_ptr<Metric> metric, const PluginInfo& plugin) {
  if (dynamic_cast<const ListMetric*>(metric.get()) != nullptr)
    return std::make_shared<GuardedListMetric>(std::move(metric), plugin);
  return std::make_shared<GuardedMetric>(std::move(metric), plugin);
}

std::shared_ptr<NegativeSampler> guarded(std::shared_ptr<NegativeSampler> sampler,
                                         const PluginInfo& plugin) {
  return std::make_shared<GuardedSampler>(std::move(sampler), plugin);
}

}  // namespace recloom
