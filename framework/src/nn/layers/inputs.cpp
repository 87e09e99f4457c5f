#include "recloom/nn/inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "nn/graph/graph.hpp"
#include "nn/ops/head.hpp"
#include "nn/ops/history.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {

Ids History::ids() const { return ids_; }
Ids History::positions() const {
  return ids_.graph()->ids_once("positions", [this] {
    return IdsSource{.shape = ids_.shape(),
                     .fill =
                         [](const Derivation&, std::span<std::int32_t> out) {
                           for (std::size_t t = 0; t < out.size(); ++t)
                             out[t] = static_cast<std::int32_t>(t);
                         },
                     .constant = true,
                     .over_positions = true};
  });
}
Var History::mask() const { return not_zero(ids_); }
Var History::length() const { return length_of(ids_); }
Var History::last(Var x) const {
  const int length = ids_.shape().extent[0];
  const Shape shape = x.shape();
  if (shape.rank != 2 || shape.extent[0] != length)
    throw ModelError(fmt::format("last: '{}' has shape {}, not one vector for each of {} positions",
                                 x.graph()->node(x.node()).name, to_text(shape), length));
  const Ids at = ids_.graph()->ids_once("last_position", [side = padding_, length] {
    return IdsSource{.shape = {},
                     .fill = [side, length](const Derivation& d, std::span<std::int32_t> out) {
                       const auto items = static_cast<int>(d.row.history.size());
                       out[0] = side == Padding::left ? length - 1 : std::max(1, items) - 1;
                     }};
  });
  ids_.graph()->last_position_node = at.node();
  return select(x, at);
}
Ids History::last_item() const {
  return ids_.graph()->ids_once("last_item", [] {
    return IdsSource{.shape = {}, .fill = [](const Derivation& d, std::span<std::int32_t> out) {
                       out[0] = d.row.history.empty() ? 0 : d.row.history.back();
                     }};
  });
}

bool Inputs::training() const noexcept { return graph_->settings().training; }
std::string_view Inputs::loss_name() const { return graph_->settings().loss; }

Ids Inputs::user() const {
  const Ids user = graph_->ids_once("user", [] {
    return IdsSource{.shape = {}, .fill = [](const Derivation& d, std::span<std::int32_t> out) {
                       out[0] = d.row.user;
                     }};
  });
  graph_->user_node = user.node();
  return user;
}

History Inputs::history(Padding padding) const {
  if (graph_->padding.value_or(padding) != padding)
    throw ModelError("history: a model pads on one side only, this one asks for both");
  graph_->padding = padding;
  const Ids ids = graph_->ids_once("history", [this, padding] {
    return IdsSource{.shape = {graph_->max_length()},
                     .fill =
                         [padding](const Derivation& d, std::span<std::int32_t> out) {
                           const auto items = d.row.history;
                           if (items.size() > out.size())
                             throw InternalError(
                                 fmt::format("a row brings a history of {}, the model looks at {}",
                                             items.size(), out.size()));
                           const std::size_t pads = out.size() - items.size();
                           const std::size_t first = padding == Padding::left ? pads : 0;
                           std::fill(out.begin(), out.end(), 0);
                           std::copy(items.begin(), items.end(),
                                     out.begin() + static_cast<std::ptrdiff_t>(first));
                         },
                     .over_positions = true};
  });
  graph_->history_node = ids.node();
  return {ids, padding};
}

Ids Inputs::targets() const {
  if (!training()) throw ModelError("targets: only a loss may ask for them");
  return graph_->ids_once("targets", [this] {
    return IdsSource{
        .shape = {graph_->settings().n_targets},
        .fill = [](const Derivation& d, std::span<std::int32_t> out) {
          const auto targets = d.row.targets;
          if (targets.empty() || targets.size() > out.size())
            throw InternalError(fmt::format("a training row brings {} targets, the loss wants {}",
                                            targets.size(), out.size()));
          const auto first = out.size() - targets.size();
          std::fill(out.begin(), out.end(), 0);
          std::ranges::copy(targets, out.begin() + static_cast<std::ptrdiff_t>(first));
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
  return graph_->ids_once("negatives", [this] {
    return IdsSource{
        .shape = {graph_->settings().n_negatives},
        .fill = [](const Derivation& d, std::span<std::int32_t> out) {
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
      fmt::format("derive.{}", name),
      {.shape = {size},
       .fill = [fill = std::move(fill)](const Derivation& d, std::span<std::int32_t> out) {
         std::fill(out.begin(), out.end(), 0);
         fill(d, out);
       }});
}

Var Inputs::score(Var query, const ItemHead& head, Ids items) const {
  require_fitting(head, static_cast<std::size_t>(graph_->settings().catalogue.n_items));
  return head.tables.empty() ? pick(query, items) : score_items(query, head, items);
}

Loss Inputs::loss(Var query, const ItemHead& head) const {
  const Loss loss = loss_of_rows(query, head);
  return graph_->settings().reduction == LossReduction::sum ? sum(loss) : loss;
}

Loss Inputs::loss_of_rows(Var query, const ItemHead& head) const {
  const std::string_view name = loss_name();
  require_fitting(head, static_cast<std::size_t>(graph_->settings().catalogue.n_items));
  if (name == "CE") {
    return mean(head.tables.empty() ? logits_cross_entropy(query, targets())
                                    : softmax_cross_entropy(query, head, targets()));
  }
  const GraphSettings& settings = graph_->settings();
  const Var positive = score(query, head, targets()), negative = score(query, head, negatives());
  if (name == "BPR") return bpr_loss(positive, negative);
  if (name == "BCE")
    return settings.reduction == LossReduction::balanced ? balanced_bce_loss(positive, negative)
                                                         : bce_loss(positive, negative);
  if (name == "gBCE")
    return gbce_loss(positive, negative,
                     gbce_beta(settings.n_negatives, settings.catalogue.n_items, settings.gbce_t));
  if (name == "sampled_softmax")
    return sampled_softmax_loss(positive, negative, targets(), negatives(), settings.log_q);
  throw ConfigError(
      fmt::format("train.loss = \"{}\" is none of CE, BPR, BCE, gBCE, sampled_softmax", name));
}

}  // namespace recloom::nn
