#include "recloom/nn/network_recommender.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "nn/graph/parameter_data.hpp"
#include "nn/ops/head.hpp"
#include "nn/query/query_run.hpp"
#include "recloom/core/error.hpp"
#include "scoring/model_scores.hpp"

namespace recloom {

struct NetworkRecommender::Impl final : Factorised {
  nn::Parameters parameters;
  nn::Convolution convolution = nn::Convolution::automatic;
  std::unique_ptr<nn::QueryRun> query;
  nn::ItemHead head;

  int query_size() const noexcept override { return static_cast<int>(query->query_size()); }
  void encode(const Batch& batch, Span2d<float> queries) const override {
    query->run(batch, queries);
  }
  void encode_all(const Batch& batch, Span2d<float> queries, const RunContext& run) const override {
    query->run(batch, queries, run);
  }
  ItemHeadView item_head_view() const override {
    ItemHeadView view;
    view.n_tables = static_cast<std::int32_t>(head.tables.size());
    for (std::size_t t = 0; t < head.tables.size(); ++t)
      view.tables[t] = {head.tables[t].values().data(),
                        static_cast<std::int64_t>(head.tables[t].data()->columns())};
    view.similarity = head.similarity;
    view.bias = head.bias ? head.bias.values().data() : nullptr;
    view.scale = head.scale;
    return view;
  }
};

NetworkRecommender::NetworkRecommender(const Catalogue& catalogue)
    : SequentialRecommender(catalogue), impl_(std::make_unique<Impl>()) {}
NetworkRecommender::~NetworkRecommender() = default;

void NetworkRecommender::ready() {
  record_query();
  impl_->head = item_head();
  const auto limit = std::size(ItemHeadView{}.tables);
  if (impl_->head.tables.size() > limit)
    throw ModelError("item head: at most " + std::to_string(limit) + " tables side by side");
  std::size_t width = impl_->head.tables.empty() ? n_items() : 0;
  nn::require_fitting(impl_->head, n_items());
  for (const nn::Parameter& table : impl_->head.tables) width += table.data()->columns();
  if (impl_->query->query_size() != width)
    throw ModelError("item head: forward() gives " + std::to_string(impl_->query->query_size()) +
                     " numbers, the item vectors have " + std::to_string(width) + " columns");
}

void NetworkRecommender::record_query() {
  impl_->query = std::make_unique<nn::QueryRun>(
      catalogue(), [this](const nn::Inputs& in) { return forward(in); }, impl_->convolution);
}

void NetworkRecommender::set_convolution(nn::Convolution convolution) {
  if (std::exchange(impl_->convolution, convolution) == convolution || !impl_->query) return;
  record_query();
}
nn::Convolution NetworkRecommender::convolution() const noexcept { return impl_->convolution; }

void NetworkRecommender::fit(const TrainingData&, RunContext& run) {
  impl_->parameters.initialise(run.seed());
}

Traits NetworkRecommender::traits() const {
  return {.uses_users = impl_->query->uses_users(), .gradients = true};
}
const nn::Parameters& NetworkRecommender::parameters() const noexcept { return impl_->parameters; }
nn::Parameters& NetworkRecommender::parameters() noexcept { return impl_->parameters; }

const Factorised* NetworkRecommender::factorised() const noexcept {
  return impl_->head.tables.empty() ? nullptr : impl_.get();
}

void NetworkRecommender::full_sort_predict(const Batch& batch, Span2d<float> scores) const {
  if (batch.size() == 0) return;
  if (impl_->head.tables.empty()) return impl_->query->run(batch, scores);
  score_all_items(*this, batch, scores);
}

void NetworkRecommender::predict(const Batch& batch, Span2d<const ItemId> items,
                                 Span2d<float> scores) const {
  if (impl_->head.tables.empty()) return SequentialRecommender::predict(batch, items, scores);
  score_given_items(*this, batch, items, scores);
}

nn::Scope NetworkRecommender::at(std::string_view name) const {
  return nn::Scope(impl_->parameters).at(name);
}
nn::Scope NetworkRecommender::at(std::string_view name, int index) const {
  return nn::Scope(impl_->parameters).at(name, index);
}
nn::Parameter NetworkRecommender::parameter(std::string_view name, const nn::Shape& shape,
                                            nn::Init init, nn::Trained trained) {
  return impl_->parameters.add(std::string(name), shape, init, trained);
}

}  // namespace recloom
