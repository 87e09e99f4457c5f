#include "nn/step/gradients.hpp"

#include <algorithm>
#include <cmath>

#include "core/scratch.hpp"
#include "kernels/vector.hpp"

namespace recloom::nn {
namespace {

constexpr std::size_t kUnitFloats = 16384;

/// dst = the sum of some sources over a range, as a balanced binary tree over their index.
void tree_sum(std::span<const float* const> sources, std::size_t first, std::size_t n, float* dst) {
  if (sources.size() == 1) {
    if (sources[0] + first != dst) std::copy_n(sources[0] + first, n, dst);
    return;
  }
  const std::size_t half = (sources.size() + 1) / 2;
  tree_sum(sources.first(half), first, n, dst);
  Scratch scratch;
  float* const right = scratch.floats(n);
  tree_sum(sources.subspan(half), first, n, right);
  kernels::add(n, right, dst);
}

}  // namespace

Gradients::Gradients(const Plan& plan, std::span<const LossTerm> terms, bool sparse_updates)
    : plan_(plan) {
  const auto target_of = [this](Parameter parameter) -> Target& {
    if (Target* known = find(parameter.data())) return *known;
    Target& target = targets_.emplace_back();
    target.parameter = parameter.data();
    target.diff = UntouchedFloats(parameter.data()->values.size());
    target.touched_rows_only = true;
    return target;
  };
  for (const Plan::Dense& dense : plan.dense()) {
    Target& target = target_of(dense.parameter);
    target.dense = &dense;
    target.touched_rows_only = false;
  }
  for (const NodeId node : plan.nodes()) {
    if (!plan.slot(node).used || !plan.slot(node).gradient) continue;
    const Node& recorded = plan.graph().node(node);
    if (const auto* work = std::get_if<Lookup>(&recorded.work))
      target_of(work->table).lookups.push_back(node);
    if (const auto* work = std::get_if<RowScores>(&recorded.work);
        work != nullptr && work->table.data()->trained)
      target_of(work->table).lookups.push_back(node);
    if (const auto* work = std::get_if<SoftmaxHead>(&recorded.work)) {
      std::vector<Parameter> parameters = work->head.tables;
      if (work->head.bias) parameters.push_back(work->head.bias);
      for (const Parameter& parameter : parameters)
        if (parameter.data()->trained) target_of(parameter).touched_rows_only = false;
    }
  }
  for (const LossTerm& term : terms) {
    if (!term.parameter || !term.parameter.data()->trained) continue;
    Target& target = target_of(term.parameter);
    if (term.kind == LossTerm::Kind::parameter_norm) target.norm_factor += term.factor;
    if (term.kind == LossTerm::Kind::parameter_abs) target.abs_factor += term.factor;
    if (term.kind == LossTerm::Kind::parameter_squares) target.squares_factor += term.factor;
  }
  for (Target& target : targets_) {
    const bool penalised =
        target.norm_factor != 0 || target.abs_factor != 0 || target.squares_factor != 0;
    // What a penalty alone reads has no rows that anything looks up: all of them move.
    if (target.lookups.empty()) target.touched_rows_only = false;
    target.rows_apart = target.touched_rows_only && (sparse_updates || !penalised);
  }
  for (std::size_t index = 0; index < targets_.size(); ++index) {
    const ParameterData& parameter = *targets_[index].parameter;
    const std::size_t step = std::max<std::size_t>(1, kUnitFloats / parameter.columns());
    for (std::size_t row = 0; row < parameter.rows(); row += step)
      units_.push_back({index, row, std::min(step, parameter.rows() - row), {}});
  }
  unit_squares_.resize(units_.size());
}

Gradients::Target* Gradients::find(const ParameterData* parameter) {
  const auto found = std::find_if(targets_.begin(), targets_.end(), [&](const Target& target) {
    return target.parameter == parameter;
  });
  return found == targets_.end() ? nullptr : &*found;
}

float* Gradients::head_destination(Parameter table) {
  Target* target = find(table.data());
  return target == nullptr ? nullptr : target->diff.data();
}

double Gradients::penalties(RunContext& context) {
  context.parallel_for(units_.size(), [&](std::size_t u) {
    const Unit& unit = units_[u];
    const Target& target = targets_[unit.target];
    const std::size_t columns = target.parameter->columns();
    unit_squares_[u] = 0;
    if (target.norm_factor != 0 || target.squares_factor != 0)
      unit_squares_[u] = kernels::squared_norm(
          unit.rows * columns, target.parameter->values.data() + unit.first_row * columns);
  });
  double total = 0;
  for (Target& target : targets_) target.norm = 0;
  for (std::size_t u = 0; u < units_.size(); ++u)
    targets_[units_[u].target].norm += unit_squares_[u];
  for (Target& target : targets_) {
    const double squares = target.norm;
    target.norm = std::sqrt(squares);
    total += target.norm_factor * target.norm + target.squares_factor * squares;
    if (target.abs_factor != 0)
      for (const float value : target.parameter->values)
        total += target.abs_factor * std::abs(value);
  }
  return total;
}

void Gradients::begin_step() {
  for (Target& target : targets_) {
    target.head_copies.clear();
    target.sources.clear();
  }
}
void Gradients::add_items(const ItemOps::Source& source) {
  const Node& lookup = plan_.graph().node(source.lookup);
  if (Target* target = find(std::get<Lookup>(lookup.work).table.data()))
    target->sources.push_back(&source);
}
void Gradients::add_head_copies(Parameter table, std::span<const float* const> copies) {
  if (Target* target = find(table.data())) target->head_copies.push_back(copies);
}

template <class Body>
void Gradients::for_each_entry(const Target& target, std::span<const std::unique_ptr<Shard>> shards,
                               Body&& body) const {
  const std::size_t columns = target.parameter->columns();
  for (const NodeId node : target.lookups) {
    const Node& recorded = plan_.graph().node(node);
    const auto* lookup = std::get_if<Lookup>(&recorded.work);
    const bool row_0 =
        lookup != nullptr ? lookup->trains_row_0 : std::get<RowScores>(recorded.work).trains_row_0;
    const std::size_t n = plan_.slot(node).size;
    for (const auto& shard : shards) {
      if (shard->left_out(node)) continue;
      const std::span<const float> diff = shard->diff(node);
      const std::span<const std::int32_t> ids = shard->lookup_ids(node);
      const float* query =
          lookup != nullptr ? nullptr : shard->value(recorded.operands[0].node()).data();
      for (std::size_t e = 0; e < ids.size(); ++e) {
        if (ids[e] == 0 && !row_0) continue;
        if (lookup != nullptr)
          body(ids[e], Entry{diff.data() + e * columns, 1});
        else
          body(ids[e], Entry{query + e / n * columns, diff[e]});
      }
    }
  }
  for (const ItemOps::Source* source : target.sources) {
    const Node& recorded = plan_.graph().node(source->lookup);
    const bool row_0 = std::get<Lookup>(recorded.work).trains_row_0;
    const std::span<const std::int32_t> items = source->items.items();
    for (const ItemOp* op : source->ran)
      for (std::size_t group = 0; group < op->n_groups(); ++group)
        for (std::size_t slot = 0; slot < items.size(); ++slot)
          if (items[slot] != 0 || row_0)
            body(items[slot], Entry{op->vector_diffs(group) + slot * columns, 1});
  }
}

void Gradients::index_lookups(Target& target,
                              std::span<const std::unique_ptr<Shard>> shards) const {
  std::vector<std::int64_t>& begin = target.row_begin;
  begin.assign(target.parameter->rows() + 2, 0);
  // A counting sort: count, sum up, place. Placing in the order of nodes, shards and rows (then of
  // ops, groups and items) keeps each row's list in that order.
  for_each_entry(target, shards, [&](std::int32_t row, const Entry&) {
    ++begin[static_cast<std::size_t>(row) + 2];
  });
  for (std::size_t row = 2; row < begin.size(); ++row) begin[row] += begin[row - 1];
  target.entries.resize(static_cast<std::size_t>(begin.back()));
  for_each_entry(target, shards, [&](std::int32_t row, const Entry& entry) {
    target.entries[static_cast<std::size_t>(begin[static_cast<std::size_t>(row) + 1]++)] = entry;
  });
}

double Gradients::assemble(std::span<const std::unique_ptr<Shard>> shards, RunContext& context) {
  context.parallel_for(targets_.size(), [&](std::size_t index) {
    if (!targets_[index].lookups.empty()) index_lookups(targets_[index], shards);
  });
  context.parallel_for(units_.size(), [&](std::size_t u) {
    Unit& unit = units_[u];
    const Target& target = targets_[unit.target];
    if (target.rows_apart) {
      unit_squares_[u] = assemble_rows(unit);
      return;
    }
    assemble(unit, shards);
    const std::size_t columns = target.parameter->columns();
    unit_squares_[u] =
        kernels::squared_norm(unit.rows * columns, target.diff.data() + unit.first_row * columns);
  });
  double squares = 0;
  for (const double unit : unit_squares_) squares += unit;
  return std::sqrt(squares);
}

void Gradients::add_entries(const Target& target, std::size_t row, float* diff) {
  const auto begin = static_cast<std::size_t>(target.row_begin[row]);
  const auto end = static_cast<std::size_t>(target.row_begin[row + 1]);
  for (std::size_t e = begin; e < end; ++e)
    kernels::axpy(target.parameter->columns(), target.entries[e].factor, target.entries[e].vector,
                  diff);
}

double Gradients::assemble_rows(Unit& unit) {
  Target& target = targets_[unit.target];
  const std::size_t columns = target.parameter->columns();
  for (const std::size_t row : unit.touched)
    std::fill_n(target.diff.data() + row * columns, columns, 0.0F);
  unit.touched.clear();
  double squares = 0;
  for (std::size_t row = unit.first_row; row < unit.first_row + unit.rows; ++row) {
    if (target.row_begin[row] == target.row_begin[row + 1]) continue;
    unit.touched.push_back(row);
    float* diff = target.diff.data() + row * columns;
    add_entries(target, row, diff);
    add_penalties(target, row * columns, columns, diff);
    squares += kernels::squared_norm(columns, diff);
  }
  return squares;
}

void Gradients::assemble(const Unit& unit, std::span<const std::unique_ptr<Shard>> shards) {
  Target& target = targets_[unit.target];
  const std::size_t columns = target.parameter->columns();
  const std::size_t first = unit.first_row * columns, n = unit.rows * columns;
  float* diff = target.diff.data() + first;
  Scratch scratch;
  float* const part = scratch.floats(n);
  bool empty = true;
  const auto add = [&](std::span<const float* const> sources) {
    if (empty) return tree_sum(sources, first, n, diff), void(empty = false);
    tree_sum(sources, first, n, part);
    kernels::add(n, part, diff);
  };
  for (const auto& copies : target.head_copies)
    if (!copies.empty()) add(copies);
  if (target.dense != nullptr) {
    const std::span<const float*> sources = scratch.take<const float*>(shards.size());
    std::size_t n_sources = 0;
    for (const auto& shard : shards) {
      sources[n_sources++] = shard->dense_diff(target.dense->offset);
      if (shard->supplied(target.dense->only_user)) break;  // computed for all, in the first
    }
    add(sources.first(n_sources));
  }
  if (empty) std::fill_n(diff, n, 0.0F);
  if (!target.lookups.empty())
    for (std::size_t row = 0; row < unit.rows; ++row)
      add_entries(target, unit.first_row + row, diff + row * columns);
  add_penalties(target, first, n, diff);
}

void Gradients::add_penalties(const Target& target, std::size_t first, std::size_t n,
                              float* diff) const {
  const float* values = target.parameter->values.data() + first;
  double factor = 2 * target.squares_factor;
  if (target.norm > 0) factor += target.norm_factor / target.norm;
  if (factor != 0) kernels::axpy(n, static_cast<float>(factor), values, diff);
  if (target.abs_factor != 0)
    for (std::size_t e = 0; e < n; ++e)
      diff[e] += static_cast<float>(target.abs_factor) *
                 static_cast<float>((values[e] > 0) - (values[e] < 0));
}

}  // namespace recloom::nn
