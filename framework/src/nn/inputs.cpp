// What a row brings into the graph: histories, users, targets, derived integers, and the losses
// against items.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "nn/graph_impl.hpp"
#include "nn/ops_internal.hpp"
#include "nn/parameter_data.hpp"
#include "recloom/core/error.hpp"
#include "recloom/nn/network_recommender.hpp"

namespace recloom::nn {

Var lookup(Parameter table, Ids ids, PaddingRow padding_row) {
  Shape shape = ids.shape();
  table.shape();  // it was made
  Graph& graph = *ids.graph();
  if (shape.rank == 4)
    throw ModelError(fmt::format("lookup: ids have shape {}, no axis is left", to_text(shape)));
  shape.extent[shape.rank++] = to_extent(table.data()->columns());
  const bool of_users = ids.node() == graph.user_node;
  return graph.add("lookup", shape, Lookup{table, padding_row == PaddingRow::trained, of_users},
                   {ids});
}

Ids History::ids() const { return ids_; }
Ids History::positions() const {
  return ids_.graph()->ids_once("positions", ids_.shape(), [] {
    return IdsSource{.fill =
                         [](const Derivation&, std::span<std::int32_t> out) {
                           for (std::size_t t = 0; t < out.size(); ++t)
                             out[t] = static_cast<std::int32_t>(t);
                         },
                     .constant = true};
  });
}
Var History::mask() const { return not_zero(ids_); }
Var History::length() const { return length_of(ids_); }
Var History::last(Var x) const {
  const Padding side = padding_;
  const int length = ids_.shape().extent[0];
  const Ids at = ids_.graph()->ids_once("last_position", {}, [side, length] {
    return IdsSource{.fill = [side, length](const Derivation& d, std::span<std::int32_t> out) {
      const auto items = static_cast<int>(d.row.history.size());
      out[0] = side == Padding::left ? length - 1 : std::max(1, items) - 1;
    }};
  });
  ids_.graph()->last_position_node = at.node();
  return select(x, at);
}
Ids History::last_item() const {
  return ids_.graph()->ids_once("last_item", {}, [] {
    return IdsSource{.fill = [](const Derivation& d, std::span<std::int32_t> out) {
      out[0] = d.row.history.empty() ? 0 : d.row.history.back();
    }};
  });
}

bool Inputs::training() const noexcept { return graph_->settings().training; }
std::string_view Inputs::loss_name() const { return graph_->settings().loss; }

Ids Inputs::user() const {
  const Ids user = graph_->ids_once("user", {}, [] {
    return IdsSource{
        .fill = [](const Derivation& d, std::span<std::int32_t> out) { out[0] = d.row.user; }};
  });
  graph_->user_node = user.node();
  return user;
}

History Inputs::history(Padding padding) const {
  if (graph_->history_side >= 0 && graph_->history_side != static_cast<int>(padding))
    throw ModelError("history: a model pads on one side only, this one asks for both");
  graph_->history_side = static_cast<int>(padding);
  const Ids ids = graph_->ids_once("history", {graph_->settings().catalogue.max_length}, [padding] {
    return IdsSource{.fill = [padding](const Derivation& d, std::span<std::int32_t> out) {
      const auto items = d.row.history;
      if (items.size() > out.size())
        throw InternalError(fmt::format("a row brings a history of {}, the model looks at {}",
                                        items.size(), out.size()));
      const std::size_t pads = out.size() - items.size();
      const std::size_t first = padding == Padding::left ? pads : 0;
      std::fill(out.begin(), out.end(), 0);
      std::copy(items.begin(), items.end(), out.begin() + static_cast<std::ptrdiff_t>(first));
    }};
  });
  graph_->history_node = ids.node();
  return {ids, padding};
}

Ids Inputs::targets() const {
  if (!training()) throw ModelError("targets: only a loss may ask for them");
  return graph_->ids_once("targets", {1}, [] {
    return IdsSource{.fill = [](const Derivation& d, std::span<std::int32_t> out) {
      if (d.row.targets.empty()) throw InternalError("a training row brings no target");
      out[0] = d.row.targets.front();
    }};
  });
}

Ids Inputs::negatives() const {
  if (!training()) throw ModelError("negatives: only a loss may ask for them");
  if (graph_->settings().n_negatives < 1)
    throw ModelError(
        fmt::format("negatives: train.loss = \"{}\" draws none, another loss does (BPR, "
                    "BCE, gBCE, sampled_softmax)",
                    loss_name()));
  return graph_->ids_once("negatives", {graph_->settings().n_negatives}, [] {
    return IdsSource{.fill = [](const Derivation& d, std::span<std::int32_t> out) {
      if (d.row.negatives.size() != out.size())
        throw InternalError(fmt::format("a row brings {} negatives, the loss wants {}",
                                        d.row.negatives.size(), out.size()));
      std::copy(d.row.negatives.begin(), d.row.negatives.end(), out.begin());
    }};
  });
}

Ids Inputs::derive(std::string_view name, int size, DeriveFunction fill) const {
  if (size < 1)
    throw ModelError(fmt::format("derive: size {} of '{}' is not at least 1", size, name));
  if (!fill) throw ModelError(fmt::format("derive: '{}' has no function to fill it", name));
  // A name of its own kind: "history" or "user" of an author is not the host's.
  return graph_->add_ids(
      fmt::format("derive.{}", name), {size},
      {.fill = [fill = std::move(fill)](const Derivation& d, std::span<std::int32_t> out) {
        std::fill(out.begin(), out.end(), 0);
        fill(d, out);
      }});
}

void require_fitting(const ItemHead& head, std::size_t n_items) {
  for (auto table = head.tables.begin(); table != head.tables.end(); ++table) {
    if (!*table) throw ModelError("item head: a table is empty, it was never made");
    if (table->data()->rows() != n_items)
      throw ModelError(
          fmt::format("item head: table '{}' has shape {}, it needs one row for each of {} items",
                      table->name(), to_text(table->shape()), n_items));
    if (std::any_of(head.tables.begin(), table,
                    [&](const Parameter& other) { return other.data() == table->data(); }))
      throw ModelError(fmt::format("item head: table '{}' stands in it twice", table->name()));
  }
  if (head.bias && count(head.bias.shape()) != n_items)
    throw ModelError(
        fmt::format("item head: bias '{}' has shape {}, it needs one number for each of {} items",
                    head.bias.name(), to_text(head.bias.shape()), n_items));
}

void require_fitting(const ItemHead& head, Var query) {
  std::size_t width = 0;
  for (const Parameter& table : head.tables) width += table.data()->columns();
  if (count(query.shape()) != width)
    throw ModelError(
        fmt::format("item head: the query has shape {}, the item vectors have {} columns",
                    to_text(query.shape()), width));
  if (head.similarity != Similarity::dot)
    throw ModelError("item head: losses are there for the dot product only");
}

Var Inputs::score(Var query, const ItemHead& head, Ids items) const {
  require_fitting(head, static_cast<std::size_t>(graph_->settings().catalogue.n_items));
  if (head.tables.empty()) return pick(query, items);
  require_fitting(head, query);
  Var score;
  int first = 0;
  for (const Parameter& table : head.tables) {
    const int width = to_extent(table.data()->columns());
    const Var part = head.tables.size() == 1 ? query : slice(query, first, width);
    const Var s = graph_->add("row_scores", items.shape(), RowScores{table}, {part, items});
    score = score ? score + s : s;
    first += width;
  }
  if (head.scale != 1) score = head.scale * score;
  if (head.bias) score = score + flatten(lookup(head.bias, items, PaddingRow::frozen));
  return score;
}

Loss Inputs::loss(Var query, const ItemHead& head) const {
  const std::string_view name = loss_name();
  require_fitting(head, static_cast<std::size_t>(graph_->settings().catalogue.n_items));
  if (name == "CE") {
    return mean(head.tables.empty() ? logits_cross_entropy(query, targets())
                                    : softmax_cross_entropy(query, head, targets()));
  }
  const GraphSettings& settings = graph_->settings();
  const Var positive = score(query, head, targets()), negative = score(query, head, negatives());
  if (name == "BPR") return bpr_loss(positive, negative);
  if (name == "BCE") return bce_loss(positive, negative);
  if (name == "gBCE")
    return gbce_loss(positive, negative,
                     gbce_beta(settings.n_negatives, settings.catalogue.n_items, settings.gbce_t));
  if (name == "sampled_softmax")
    return sampled_softmax_loss(positive, negative, targets(), negatives(), settings.log_q);
  throw ConfigError(
      fmt::format("train.loss = \"{}\" is none of CE, BPR, BCE, gBCE, sampled_softmax", name));
}

}  // namespace recloom::nn
