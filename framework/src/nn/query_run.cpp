#include "nn/query_run.hpp"

#include <algorithm>
#include <utility>

#include "nn/parameter_data.hpp"

namespace recloom::nn {
namespace {

constexpr std::size_t kBlockRows = 256;
constexpr std::size_t kChunkBlocks = 32;

}  // namespace

QueryRun::QueryRun(const NetworkRecommender& model)
    : full_(model, {.catalogue = model.catalogue(), .training = false}),
      items_(*full_.plan),
      shared_(full_.graph, items_.nodes(), false),
      shorter_(full_, [&](int length) { return record(model, length); }) {}

/// The same for shorter histories.
std::unique_ptr<Recording> QueryRun::record(const NetworkRecommender& model, int length) const {
  if (!items_.sources().empty()) return nullptr;  // ops over many rows' items know one plan
  GraphSettings settings = full_.graph.settings();
  settings.catalogue.max_length = length;
  return std::make_unique<Recording>(model, settings);
}

std::size_t QueryRun::query_size() const { return count(full_.query.shape()); }

template <class T, class Make>
std::unique_ptr<T> QueryRun::take(Pool<T>& pool, Make make) const {
  {
    const std::lock_guard lock(mutex_);
    if (!pool.free.empty()) {
      std::unique_ptr<T> item = std::move(pool.free.back());
      pool.free.pop_back();
      return item;
    }
  }
  return make();
}
template <class T>
void QueryRun::give_back(Pool<T>& pool, std::unique_ptr<T> item) const {
  const std::lock_guard lock(mutex_);
  pool.free.push_back(std::move(item));
}

void QueryRun::run(const Batch& rows, Span2d<float> queries) const {
  const bool single = rows.size() == 1;
  auto& pool = single ? single_rows_ : blocks_;
  auto shard =
      take(pool, [&] { return std::make_unique<Shard>(*full_.plan, single ? 1 : kBlockRows); });
  for (std::size_t first = 0; first < rows.size(); first += kBlockRows) {
    const Batch block = rows.rows(first, std::min(kBlockRows, rows.size() - first));
    shard->use(shorter_.plan_for(block));
    shard->load(block, {});
    shard->forward();
    std::ranges::copy(shard->value(full_.query.node()), queries[first].data());
  }
  give_back(pool, std::move(shard));
}

void QueryRun::run(const Batch& rows, Span2d<float> queries, const RunContext& context) const {
  constexpr std::size_t kChunkRows = kBlockRows * kChunkBlocks;
  auto chunk = take(chunks_, [&] { return std::make_unique<Chunk>(shared_); });
  for (std::size_t first = 0; first < rows.size(); first += kChunkRows) {
    const std::size_t n = std::min(kChunkRows, rows.size() - first);
    const std::size_t q = queries.columns();
    run_chunk(*chunk, rows.rows(first, n), {queries.flat().subspan(first * q, n * q), q}, context);
  }
  give_back(chunks_, std::move(chunk));
}

void QueryRun::run_chunk(Chunk& chunk, const Batch& given, Span2d<float> queries,
                         const RunContext& context) const {
  const Batch rows = shorter_.empty() ? given : chunk.order.sort(given, false);
  const std::size_t blocks = (rows.size() + kBlockRows - 1) / kBlockRows;
  const auto rows_of = [&rows](std::size_t block) {
    const std::size_t first = block * kBlockRows;
    return rows.rows(first, std::min(kBlockRows, rows.size() - first));
  };
  if (!chunk.items.sources().empty()) {
    while (chunk.shards.size() < blocks)
      chunk.shards.push_back(std::make_unique<Shard>(shared_, kBlockRows));
    const std::span<const std::unique_ptr<Shard>> shards(chunk.shards.data(), blocks);
    context.parallel_for(blocks, [&](std::size_t b) { shards[b]->load(rows_of(b), {}); });
    chunk.items.forward(shards, context);
  }
  context.parallel_for(blocks, [&](std::size_t b) {
    run_block(chunk, b, rows_of(b), queries, b * kBlockRows, context);
  });
}

void QueryRun::run_block(const Chunk& chunk, std::size_t block, const Batch& rows,
                         Span2d<float> queries, std::size_t first,
                         const RunContext& context) const {
  auto shard = take(blocks_, [&] { return std::make_unique<Shard>(*full_.plan, kBlockRows); });
  shard->use(shorter_.plan_for(rows));
  shard->load(rows, {});
  for (std::size_t i = 0; i < items_.sources().size(); ++i) {
    const ItemOps::Source& source = chunk.items.sources()[i];
    for (const ItemOp* op : source.ran) {
      std::ranges::copy(chunk.shards[block]->value(op->node()), shard->value(op->node()).begin());
      shard->supply(op->node());
    }
    if (source.all_ran() && !items_.sources()[i].read_by_others) shard->leave_out(source.lookup);
  }
  shard->forward(&context);
  const std::span<const float> values = shard->value(full_.query.node());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::size_t place = shorter_.empty() ? first + r : chunk.order.places()[first + r];
    std::ranges::copy(values.subspan(r * query_size(), query_size()), queries[place].data());
  }
  give_back(blocks_, std::move(shard));
}

}  // namespace recloom::nn
