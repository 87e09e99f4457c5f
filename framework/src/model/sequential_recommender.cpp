#include "recloom/model/sequential_recommender.hpp"

#include <algorithm>
#include <string>

#include "recloom/core/error.hpp"

namespace recloom {

Factorised::~Factorised() = default;

void Factorised::encode_all(const Batch& batch, Span2d<float> queries,
                            const RunContext& run) const {
  constexpr std::size_t kBlockRows = 128;
  const std::size_t columns = queries.columns();
  run.parallel_for((batch.size() + kBlockRows - 1) / kBlockRows, [&](std::size_t block) {
    const std::size_t first = block * kBlockRows, n = std::min(kBlockRows, batch.size() - first);
    encode(batch.rows(first, n), {queries.flat().subspan(first * columns, n * columns), columns});
  });
}

SequentialRecommender::SequentialRecommender(const Catalogue& catalogue) : catalogue_(catalogue) {}
SequentialRecommender::~SequentialRecommender() = default;

void SequentialRecommender::ready() {}
void SequentialRecommender::fit(const TrainingData&, RunContext&) {}
const Factorised* SequentialRecommender::factorised() const noexcept { return nullptr; }
void SequentialRecommender::after_load() {}

// Row by row, so that memory does not grow with the batch.
void SequentialRecommender::predict(const Batch& batch, Span2d<const ItemId> items,
                                    Span2d<float> scores) const {
  std::vector<float> all(n_items());
  for (std::size_t row = 0; row < batch.size(); ++row) {
    std::fill(all.begin(), all.end(), 0.0F);
    full_sort_predict(batch.rows(row, 1), Span2d<float>(all, n_items()));
    for (std::size_t candidate = 0; candidate < items.columns(); ++candidate)
      scores[row][candidate] = all[static_cast<std::size_t>(items[row][candidate])];
  }
}

void SequentialRecommender::register_buffer(std::string_view name, BufferRef values) {
  const auto same = [name](const Buffer& buffer) { return buffer.name == name; };
  if (std::any_of(buffers_.begin(), buffers_.end(), same))
    throw ModelError("buffer '" + std::string(name) + "' is registered twice");
  if (std::visit([](const auto* vector) { return vector == nullptr; }, values))
    throw ModelError("buffer '" + std::string(name) + "' is a null pointer");
  buffers_.push_back({std::string(name), values});
}

}  // namespace recloom
