// Names that people bring along from other programs.
#include "host/foreign_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <vector>

#include "core/text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

struct ForeignName {
  std::string_view name;       ///< In lower case.
  std::string_view here;       ///< Keys, commas between; of those that exist the first.
  std::string_view note = {};  ///< Where it is no key.
};

constexpr ForeignName kNames[] = {
    // Data and split.
    {"user_id_field", "data.user_column"},
    {"item_id_field", "data.item_column"},
    {"time_field", "data.time_column"},
    {"field_separator", "data.separator"},
    {"load_col", "", "columns are found by data.user_column, data.item_column, data.time_column"},
    {"max_item_list_length", "data.max_length"},
    {"item_list_length_field", "data.max_length"},
    {"maxlen", "data.max_length"},
    {"max_seq_length", "data.max_length"},
    {"l", "data.max_length"},
    {"user_inter_num_interval", "data.user_interval"},
    {"item_inter_num_interval", "data.item_interval"},
    {"min_user_inter_num", "data.user_interval"},
    {"min_item_inter_num", "data.item_interval"},
    {"val_interval", "data.value_intervals"},
    {"rm_dup_inter", "data.duplicates"},
    {"filter_inter_by_user_or_item", "data.filter_by_side_tables"},
    {"normalize_all", "data.normalize_time"},
    {"benchmark_filename", "", "files of their own are split.mode = \"given\""},
    {"eval_args", "", "its parts are split.mode, split.ratios, split.group and eval.candidates"},
    {"eval_setting", "", "its parts are split.mode, split.ratios, split.group and eval.candidates"},
    {"group_by", "split.group"},
    // Training.
    {"learner", "train.optimizer"},
    {"optimizer", "train.optimizer"},
    {"lr", "train.learning_rate"},
    {"learning_rate", "train.learning_rate"},
    {"epochs", "train.epochs"},
    {"n_iter", "train.epochs"},
    {"num_epochs", "train.epochs"},
    {"train_batch_size", "train.batch_size"},
    {"batch_size", "train.batch_size"},
    {"eval_batch_size", "", "the program finds it by itself"},
    {"stopping_step", "train.patience"},
    {"eval_step", "train.eval_every"},
    {"valid_metric", "train.valid_metric"},
    {"eval_metric", "train.valid_metric"},
    {"weight_decay", "train.weight_decay"},
    {"l2", "train.weight_decay"},
    {"l2_emb", "train.weight_decay"},
    {"clip_grad_norm", "train.clip_norm"},
    {"loss_type", "train.loss"},
    {"train_neg_sample_args", "", "its parts are train.n_negatives, train.sampler, train.loss"},
    {"neg_sampling", "", "its parts are train.n_negatives, train.sampler, train.loss"},
    {"neg_samples", "train.n_negatives"},
    {"train_neg_sample_num", "train.n_negatives"},
    // Evaluation.
    {"topk", "eval.topk"},
    {"metrics", "eval.metrics"},
    {"repeatable", "eval.mask_history"},
    // Of the program itself.
    {"model", "model.name"},
    {"gpu_id", "", "there is no GPU to choose"},
    {"use_gpu", "", "there is no GPU to choose"},
    {"use_cuda", "", "there is no GPU to choose"},
    {"worker", "", "--threads says how many"},
    {"checkpoint_dir", "", "--run-dir names the folder"},
    {"data_path", "dataset"},
    // Parameters of models.
    {"n_h", "model.params.nh"},
    {"n_v", "model.params.nv"},
    {"d", "model.params.embedding_size,model.params.hidden_size"},
    {"hidden_units", "model.params.hidden_size,model.params.embedding_size"},
    {"drop", "model.params.dropout_prob,model.params.hidden_dropout_prob"},
    {"dropout", "model.params.dropout_prob,model.params.hidden_dropout_prob"},
    {"dropout_rate", "model.params.dropout_prob,model.params.hidden_dropout_prob"},
    {"num_blocks", "model.params.n_layers,model.params.num_layers"},
    {"num_heads", "model.params.n_heads"},
    {"reg_loss_conv_h", "model.params.reg_weight"},
    {"t", "train.n_targets"},
    {"ac_conv", "model.params.conv_activation"},
    {"ac_fc", "model.params.fc1_activation"},
};

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

/// The first translation that is a key; "" if none is.
std::string key_here(const ForeignName& foreign, std::span<const std::string> legal) {
  for (const std::string& key : split(foreign.here, ','))
    if (std::ranges::find(legal, key) != legal.end()) return key;
  return "";
}

const ForeignName* find_foreign(std::string_view key) {
  const std::string name = in_lower_case(key.substr(key.rfind('.') + 1));
  const auto found = std::ranges::find(kNames, name, &ForeignName::name);
  return found == std::end(kNames) ? nullptr : found;
}

}  // namespace

std::string foreign_name_hint(std::string_view key, std::span<const std::string> legal) {
  const ForeignName* foreign = find_foreign(key);
  if (foreign == nullptr) return "";
  if (!foreign->note.empty()) return fmt::format(": {}", foreign->note);
  const std::string here = key_here(*foreign, legal);
  return here.empty() ? "" : fmt::format(", here it is '{}'", here);
}

void refuse_yaml(const std::string& file, std::span<const std::string> legal) {
  const std::string name = in_lower_case(file);
  if (!name.ends_with(".yaml") && !name.ends_with(".yml")) return;
  constexpr std::size_t kMostNamed = 12;
  std::vector<std::string> known;
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line) && known.size() < kMostNamed;) {
    const std::string_view key = trim(std::string_view(line).substr(0, line.find(':')));
    const ForeignName* foreign = key.empty() ? nullptr : find_foreign(key);
    if (foreign == nullptr || line.find(':') == std::string::npos) continue;
    const std::string here = key_here(*foreign, legal);
    if (!here.empty()) known.push_back(fmt::format("{} is {}", printable(key), here));
  }
  throw ConfigError(fmt::format(
      "{}: is YAML, settings are TOML here, for example [train] and below it epochs = 20{}{}",
      printable(file, 400), known.empty() ? "" : "; of its keys ", fmt::join(known, ", ")));
}

}  // namespace recloom
