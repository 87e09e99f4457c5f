#include "nn/step/train_step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "core/pool.hpp"
#include "core/untouched.hpp"
#include "nn/exec/item_ops.hpp"
#include "nn/exec/row_order.hpp"
#include "nn/exec/shard.hpp"
#include "nn/exec/step_trace.hpp"
#include "nn/optim/optimizer.hpp"
#include "nn/passes/recording.hpp"
#include "nn/passes/shorter_plans.hpp"
#include "nn/step/diagnose.hpp"
#include "nn/step/gradients.hpp"
#include "nn/step/softmax_head_run.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

Recording record_loss(const NetworkRecommender& model, const StepOptions& options,
                      bool share_past) {
  return Recording(
      graph_settings(model, options), [&](const Inputs& in) { return model.calculate_loss(in); },
      share_past);
}

/// Whether a term adds up what single rows have, in contrast to a norm.
bool is_of_rows(const LossTerm& term) {
  return term.kind == LossTerm::Kind::mean || term.kind == LossTerm::Kind::sum;
}

}  // namespace

struct TrainStep::Impl {
  /// A term that is reduced over the rows of the batch.
  struct RowTerm {
    LossTerm term;
    double norm = 0;  // of this step, for norms over the batch
  };
  struct Head {
    NodeId node, query, targets;
    std::vector<Parameter> parameters;  // tables, then the bias if there is one
    SoftmaxHeadRun run;
  };

  Impl(NetworkRecommender& network, const StepOptions& given)
      : options(given),
        full(record_loss(network, given, given.share_past)),
        gradients(plan, full.loss.terms(), given.optimizer.kind == OptimizerKind::sparse_adam),
        items(plan),
        shorter(full) {
    for (const LossTerm& term : full.loss.terms())
      if (term.value) row_terms.push_back({term});
    make_heads();
    std::vector<OptimizerTensor> tensors;
    for (Gradients::Target& target : gradients.targets())
      tensors.push_back(
          {target.parameter->name, target.parameter->values, target.parameter->columns()});
    optimizer = std::make_unique<Optimizer>(options.optimizer, std::move(tensors));
    const auto shard_rows =
        static_cast<std::size_t>(std::min(options.shard_rows, options.batch_size));
    const std::size_t past =
        options.share_past ? static_cast<std::size_t>(network.catalogue().max_length) : 0;
    for (std::size_t row = 0; row < static_cast<std::size_t>(options.batch_size); row += shard_rows)
      all_shards.push_back(std::make_unique<Shard>(plan, shard_rows + past));
  }

  void make_heads();
  void cut_shards(const Batch& rows);
  void forward(const Batch& given, const DrawKeys& keys, RunContext& context);
  void run_heads(RunContext& context);
  StepResult reduce_loss(RunContext& context);
  void seed(Shard& shard, std::size_t first_row) const;
  void backward(std::size_t shard, const RunContext* context,
                const std::function<void(NodeId)>& look = {});
  void update(double learning_rate, double scale, RunContext& context);
  StepResult compute(const Batch& rows, const StepKey& key, RunContext& context);
  StepResult compute_or_say_where(const Batch& rows, const StepKey& key, RunContext& context);
  [[noreturn]] void fail(const StepKey& key, double learning_rate);

  std::span<const std::unique_ptr<Shard>> shards() const { return {all_shards.data(), n_shards}; }
  /// What a row's value counts in the loss.
  double row_factor(const LossTerm& term) const;
  double row_factor(NodeId node) const;

  StepOptions options;
  Recording full;
  const Graph& graph = full.graph;
  const Plan& plan = *full.plan;
  Gradients gradients;
  ItemOps items;
  ShorterPlans shorter;
  LengthOrder order;
  std::vector<RowTerm> row_terms;
  std::vector<Head> heads;
  std::vector<NodeId> head_queries;
  std::unique_ptr<Optimizer> optimizer;
  std::vector<std::unique_ptr<Shard>> all_shards;
  /// Transient gradients of the shards whose backward runs.
  Pool<UntouchedFloats> transient{[] { return std::make_unique<UntouchedFloats>(); }};
  std::vector<std::size_t> shard_begins;  // Rows, and the end.
  std::size_t n_shards = 0, n_rows = 0;
};

void TrainStep::Impl::make_heads() {
  for (const NodeId node : plan.nodes()) {
    const auto* work = std::get_if<SoftmaxHead>(&graph.node(node).work);
    if (work == nullptr || !plan.slot(node).used) continue;
    std::vector<Parameter> parameters = work->head.tables;
    if (work->head.bias) parameters.push_back(work->head.bias);
    std::vector<float*> destinations;
    for (const Parameter& parameter : parameters)
      destinations.push_back(gradients.head_destination(parameter));
    for (const Head& other : heads)
      for (const Parameter& a : other.parameters)
        for (const Parameter& b : parameters)
          if (a.data() == b.data())
            throw ModelError(
                fmt::format("item head: table '{}' is scored by two losses over all "
                            "items, one is possible",
                            a.name()));
    const auto& operands = graph.node(node).operands;
    head_queries.push_back(operands[0].node());
    heads.push_back(
        {node, operands[0].node(), operands[1].node(), std::move(parameters),
         SoftmaxHeadRun(work->head, graph.settings().catalogue.n_items,
                        count(graph.node(operands[1].node()).shape), std::move(destinations))});
  }
}

/// Shards of shard_rows rows; a cut waits until the rows that share a past are through, at most L.
void TrainStep::Impl::cut_shards(const Batch& rows) {
  shard_begins.assign(1, 0);
  for (std::size_t at = 0; at < n_rows; at += static_cast<std::size_t>(options.shard_rows)) {
    std::size_t cut = std::max(at, shard_begins.back());
    while (options.share_past && cut < n_rows && extends_row_before(rows, cut)) ++cut;
    if (cut > shard_begins.back() && cut < n_rows) shard_begins.push_back(cut);
  }
  shard_begins.push_back(n_rows);
  n_shards = shard_begins.size() - 1;
}

void TrainStep::Impl::forward(const Batch& given, const DrawKeys& keys, RunContext& context) {
  if (given.size() == 0 || given.size() > static_cast<std::size_t>(options.batch_size))
    throw InternalError(fmt::format("a step got {} rows, its largest batch is {}", given.size(),
                                    options.batch_size));
  n_rows = given.size();
  trace_step("load rows");
  const Batch rows = shorter.empty() ? given : order.sort(given, options.share_past);
  cut_shards(rows);
  context.parallel_for(n_shards, [&](std::size_t s) {
    const Batch own = rows.rows(shard_begins[s], shard_begins[s + 1] - shard_begins[s]);
    if (!shorter.empty()) all_shards[s]->use(shorter.plan_for(longest_history(own)));
    all_shards[s]->load(own, keys);
  });
  items.forward(shards(), context);
  context.parallel_for(n_shards, [&](std::size_t s) { all_shards[s]->forward(&context); });
}

double TrainStep::Impl::row_factor(const LossTerm& term) const {
  if (term.kind == LossTerm::Kind::sum) return term.factor;
  return term.factor / static_cast<double>(n_rows);
}

double TrainStep::Impl::row_factor(NodeId node) const {
  double factor = 0;
  for (const RowTerm& row_term : row_terms)
    if (is_of_rows(row_term.term) && row_term.term.value.node() == node)
      factor += row_factor(row_term.term);
  return factor;
}

void TrainStep::Impl::run_heads(RunContext& context) {
  gradients.begin_step();
  for (Head& head : heads) {
    trace_step({"item head", head.parameters.front().name(), &plan, head.node, n_rows});
    head.run.begin(n_rows);
    std::size_t query_at = 0, row = 0;
    for (const auto& shard : shards()) {
      const std::span<float> queries = shard->value(head.query);
      std::copy(queries.begin(), queries.end(),
                head.run.queries().begin() + static_cast<std::ptrdiff_t>(query_at));
      query_at += queries.size();
      for (const std::int32_t target : shard->ids(head.targets)) head.run.targets()[row++] = target;
    }
    head.run.run(static_cast<float>(row_factor(head.node)), context);
    row = 0;
    for (const auto& shard : shards())
      for (float& value : shard->value(head.node)) value = head.run.losses()[row++];
    for (std::size_t p = 0; p < head.parameters.size(); ++p)
      gradients.add_head_copies(head.parameters[p], head.run.diff_copies(p));
  }
}

StepResult TrainStep::Impl::reduce_loss(RunContext& context) {
  StepResult result;
  for (RowTerm& row_term : row_terms) {
    const LossTerm& term = row_term.term;
    const bool of_rows = is_of_rows(term);
    double sum = 0;
    for (const auto& shard : shards())
      for (const float value : shard->value(term.value.node()))
        sum += of_rows ? value : static_cast<double>(value) * value;
    if (of_rows) {
      result.loss += term.kind == LossTerm::Kind::sum
                         ? term.factor * sum
                         : term.factor * sum / static_cast<double>(n_rows);
      continue;
    }
    row_term.norm = std::sqrt(sum);
    const double divisor =
        term.kind == LossTerm::Kind::norm_per_row ? static_cast<double>(n_rows) : 1;
    result.penalty += term.factor * row_term.norm / divisor;
  }
  result.penalty += gradients.penalties(context);
  return result;
}

void TrainStep::Impl::seed(Shard& shard, std::size_t first_row) const {
  for (const RowTerm& row_term : row_terms) {
    const LossTerm& term = row_term.term;
    const NodeId node = term.value.node();
    const std::span<float> diff = shard.diff(node);
    if (diff.empty()) continue;
    if (is_of_rows(term)) {
      for (float& d : diff) d += static_cast<float>(row_factor(term));
      continue;
    }
    if (row_term.norm == 0) continue;
    double factor = term.factor / row_term.norm;
    if (term.kind == LossTerm::Kind::norm_per_row) factor /= static_cast<double>(n_rows);
    const std::span<float> value = shard.value(node);
    for (std::size_t e = 0; e < diff.size(); ++e) diff[e] += static_cast<float>(factor) * value[e];
  }
  for (const Head& head : heads) {
    const std::span<float> diff = shard.diff(head.query);
    if (diff.empty()) continue;
    const std::size_t q = diff.size() / shard.rows();
    const float* from = head.run.diff_queries().data() + first_row * q;
    for (std::size_t e = 0; e < diff.size(); ++e) diff[e] += from[e];
  }
}

void TrainStep::Impl::backward(std::size_t index, const RunContext* context,
                               const std::function<void(NodeId)>& look) {
  Shard& shard = *all_shards[index];
  trace_step("clear gradients");
  shard.clear_diffs(head_queries, index == 0);
  seed(shard, shard_begins[index]);
  const std::size_t size = std::max(plan.transient_per_row() * shard.capacity(),
                                    shard.plan().transient_per_row() * shard.rows());
  const auto memory = transient.borrow();
  if (memory->size() < size) *memory = UntouchedFloats(size);
  shard.backward({memory->data(), memory->size()}, context, look);
}

StepResult TrainStep::Impl::compute(const Batch& rows, const StepKey& key, RunContext& context) {
  forward(rows, {key.seed, key.epoch}, context);
  run_heads(context);
  trace_step("loss and penalties");
  StepResult result = reduce_loss(context);
  context.parallel_for(n_shards, [&](std::size_t s) { backward(s, &context); });
  items.backward(shards(), context);
  for (const ItemOps::Source& source : items.sources()) gradients.add_items(source);
  trace_step("sum gradients");
  result.gradient_norm = gradients.assemble(shards(), context);
  return result;
}

StepResult TrainStep::Impl::compute_or_say_where(const Batch& rows, const StepKey& key,
                                                 RunContext& context) {
  try {
    return compute(rows, key, context);
  } catch (const PluginError& error) {
    throw PluginError(fmt::format("step {} of epoch {}: {}", key.step, key.epoch, error.what()));
  }
}

void TrainStep::Impl::update(double learning_rate, double scale, RunContext& context) {
  optimizer->begin_step(learning_rate);
  const auto units = gradients.units();
  context.parallel_for_whole(units.size(), [&](std::size_t u) {
    const Gradients::Target& target = gradients.targets()[units[u].target];
    const std::size_t columns = target.parameter->columns();
    const std::size_t first = units[u].first_row * columns, n = units[u].rows * columns;
    const std::span<const float> diff(target.diff.data() + first, n);
    if (!optimizer->sparse() || !target.touched_rows_only)
      return optimizer->update(units[u].target, first, diff, static_cast<float>(scale));
    for (std::size_t r = 0; r < units[u].rows; ++r) {
      const std::size_t row = units[u].first_row + r;
      if (target.row_begin[row] != target.row_begin[row + 1])
        optimizer->update_row(units[u].target, row, diff.subspan(r * columns, columns),
                              static_cast<float>(scale));
    }
  });
  for (Gradients::Target& target : gradients.targets()) ++target.parameter->version;
}

void TrainStep::Impl::fail(const StepKey& key, double learning_rate) {
  std::vector<NodeId> head_nodes;
  for (const Head& head : heads) head_nodes.push_back(head.node);
  throw NumericError(fmt::format("step {} of epoch {}: {} (learning rate {})", key.step, key.epoch,
                                 first_not_finite(plan, shards(), gradients, head_nodes,
                                                  [this](std::size_t shard, const auto& look) {
                                                    backward(shard, nullptr, look);
                                                  }),
                                 learning_rate));
}

GraphSettings graph_settings(const NetworkRecommender& model, const StepOptions& options) {
  return {.catalogue = model.catalogue(),
          .training = true,
          .loss = options.loss,
          .reduction = options.reduction,
          .n_targets = options.n_targets,
          .n_negatives = options.loss == "CE" ? 0 : options.n_negatives,
          .gbce_t = options.gbce_t,
          .log_q = options.log_q,
          .convolution = model.convolution()};
}

std::string obstacle_to_sharing(const NetworkRecommender& model, const StepOptions& options) {
  return record_loss(model, options, false).causality.obstacle;
}

bool has_convolutions(const NetworkRecommender& model, const StepOptions& options) {
  return !ItemOps(*record_loss(model, options, false).plan).convolutions().empty();
}

std::string obstacle_to_convolution(const NetworkRecommender& model, const StepOptions& options) {
  if (model.convolution() != Convolution::taps) return "";
  const Recording recording = record_loss(model, options, options.share_past);
  return ItemOps(*recording.plan).obstacle_to_taps();
}

std::string obstacle_to_fewer_positions(const NetworkRecommender& model,
                                        const StepOptions& options) {
  const Recording recording = record_loss(model, options, false);
  return ShorterPlans(recording).obstacle();
}

TrainStep::TrainStep(NetworkRecommender& model, const StepOptions& options)
    : impl_(std::make_unique<Impl>(model, options)) {}
TrainStep::~TrainStep() = default;

StepResult TrainStep::compute_gradients(const Batch& rows, const StepKey& key,
                                        RunContext& context) {
  return impl_->compute(rows, key, context);
}

StepResult TrainStep::run(const Batch& rows, const StepKey& key, double learning_rate,
                          RunContext& context) {
  const StepResult result = impl_->compute_or_say_where(rows, key, context);
  if (!std::isfinite(result.loss + result.penalty) || !std::isfinite(result.gradient_norm))
    impl_->fail(key, learning_rate);
  trace_step("optimizer");
  impl_->update(learning_rate, clip_scale(result.gradient_norm, impl_->options.clip_norm), context);
  trace_step("between steps");
  return result;
}

std::span<const float> TrainStep::gradient(std::string_view parameter) const {
  for (const Gradients::Target& target : impl_->gradients.targets())
    if (target.parameter->name == parameter) return {target.diff.data(), target.diff.size()};
  return {};
}

Optimizer& TrainStep::optimizer() noexcept { return *impl_->optimizer; }

}  // namespace recloom::nn
