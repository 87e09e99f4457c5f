#include "nn/query/query_run.hpp"

#include <algorithm>

namespace recloom::nn {
namespace {

constexpr std::size_t kBlockRows = 256;
constexpr std::size_t kChunkBlocks = 32;

}  // namespace

QueryRun::QueryRun(const Catalogue& catalogue, const Recording::Forward& forward,
                   Convolution convolution)
    : full_(catalogue, forward, convolution),
      items_(*full_.plan),
      shared_(full_.graph, {.outputs = items_.nodes()}),
      shorter_(full_),
      single_rows_([this] { return std::make_unique<Shard>(*full_.plan, 1); }),
      blocks_([this] { return std::make_unique<Shard>(*full_.plan, kBlockRows); }),
      chunks_([this] { return std::make_unique<Chunk>(shared_); }) {}

std::size_t QueryRun::query_size() const { return count(full_.query.shape()); }

void QueryRun::run(const Batch& rows, Span2d<float> queries) const {
  const bool by_items = full_.graph.settings().convolution == Convolution::taps;
  if (by_items && !items_.sources().empty()) return run(rows, queries, RunContext(1, 1));
  const auto shard = (rows.size() == 1 ? single_rows_ : blocks_).borrow();
  for (std::size_t first = 0; first < rows.size(); first += kBlockRows) {
    const Batch block = rows.rows(first, std::min(kBlockRows, rows.size() - first));
    shard->use(shorter_.plan_for(longest_history(block)));
    shard->load(block, {});
    shard->forward();
    std::ranges::copy(shard->value(full_.query.node()), queries[first].data());
  }
}

void QueryRun::run(const Batch& rows, Span2d<float> queries, const RunContext& context) const {
  constexpr std::size_t kChunkRows = kBlockRows * kChunkBlocks;
  const auto chunk = chunks_.borrow();
  for (std::size_t first = 0; first < rows.size(); first += kChunkRows) {
    const std::size_t n = std::min(kChunkRows, rows.size() - first);
    const std::size_t q = queries.columns();
    run_chunk(*chunk, rows.rows(first, n), {queries.flat().subspan(first * q, n * q), q}, context);
  }
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
  const auto shard = blocks_.borrow();
  shard->use(shorter_.plan_for(longest_history(rows)));
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
}

}  // namespace recloom::nn
