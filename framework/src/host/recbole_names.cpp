#include "host/recbole_names.hpp"

#include <fmt/format.h>

#include <array>

namespace recloom {

std::span<const std::pair<std::string_view, std::string_view>> recbole_names() {
  using Name = std::pair<std::string_view, std::string_view>;
  static constexpr std::array<Name, 28> kNames = {{
      {"MAX_ITEM_LIST_LENGTH", "data.max_length"},
      {"USER_ID_FIELD", "data.user_column"},
      {"ITEM_ID_FIELD", "data.item_column"},
      {"TIME_FIELD", "data.time_column"},
      {"field_separator", "data.separator"},
      {"encoding", "data.encoding"},
      {"val_interval", "data.value_intervals"},
      {"user_inter_num_interval", "data.user_interval"},
      {"item_inter_num_interval", "data.item_interval"},
      {"rm_dup_inter", "data.duplicates"},
      {"filter_inter_by_user_or_item", "data.filter_by_side_tables"},
      {"normalize_all", "data.normalize_time"},
      {"benchmark_filename", "split.mode"},
      {"eval_args", "split.mode"},
      {"train_batch_size", "train.batch_size"},
      {"learner", "train.optimizer"},
      {"loss_type", "train.loss"},
      {"stopping_step", "train.patience"},
      {"eval_step", "train.eval_every"},
      {"clip_grad_norm", "train.clip_norm"},
      {"train_neg_sample_args", "train.n_negatives"},
      {"topk", "eval.topk"},
      {"metrics", "eval.metrics"},
      {"eval_metric", "train.valid_metric"},
      {"epochs", "train.epochs"},
      {"learning_rate", "train.learning_rate"},
      {"weight_decay", "train.weight_decay"},
      {"valid_metric", "train.valid_metric"},
  }};
  return kNames;
}

std::string recbole_hint(std::string_view key) {
  const std::size_t dot = key.rfind('.');
  if (dot != std::string_view::npos) key.remove_prefix(dot + 1);
  for (const auto& [name, ours] : recbole_names())
    if (key == name) return fmt::format("; RecBole's {} is {} here", name, ours);
  if (key == "load_col" || key == "data_path" || key == "gpu_id" || key == "reproducibility")
    return fmt::format("; RecBole's {} has no counterpart here and is not needed", key);
  return "";
}

}  // namespace recloom
