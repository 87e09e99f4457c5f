// Settings that change nothing, and why: one table.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "config/toml.hpp"
#include "core/text.hpp"
#include "host/config_sections.hpp"
#include "host/recommender_impl.hpp"
#include "nn/step/train_step.hpp"
#include "recloom/nn/network_recommender.hpp"
#include "recloom/recloom.hpp"

namespace recloom {
namespace {

/// What the rules look at.
struct Facts {
  const RunConfig& config;
  std::optional<Traits> traits;  ///< None: there is no model, or nothing is known of it.
  bool convolves = true;         ///< Unless it is known that it does not.

  const DataOptions& data() const { return config.data; }
  const SplitOptions& split() const { return config.split; }
  const TrainOptions& train() const { return config.train; }
  const EvalOptions& eval() const { return config.eval; }

  bool counts() const { return traits && !traits->gradients; }
  bool has_metric(std::string_view name) const {
    return std::ranges::find(eval().metrics, name) != eval().metrics.end();
  }
  bool draws(CandidateMode mode) const {
    const auto spec = parse_candidates(eval().candidates);
    return spec && spec->mode == mode;
  }
  bool is_sequences() const { return data().format == FileFormat::sequences; }
  bool uses_ratios() const {
    return split().mode == SplitMode::ratio || split().mode == SplitMode::users ||
           (split().mode == SplitMode::temporal && split().times.empty() &&
            split().last_days.empty());
  }
  bool validates() const {
    switch (split().mode) {
      case SplitMode::leave_one_out:
        return split().held_out != HeldOut::test_only;
      case SplitMode::none:
      case SplitMode::test:
        return false;
      case SplitMode::given:
        return !split().valid_file.empty();
      default:
        if (uses_ratios()) return split().ratios[1] > 0;
        if (!split().times.empty())  // One alone is where test begins.
          return split().times.size() > 1 && split().times[0] != split().times[1];
        return split().last_days.size() > 1 && split().last_days[0] > 0;
    }
  }
};

/// A key (or several: "train.*") that does nothing where a condition holds.
struct Rule {
  std::string_view key;
  bool (*holds)(const Facts&);
  std::string_view why;
};

bool no_columns(const Facts& f) { return f.is_sequences(); }
bool loss_is_ce(const Facts& f) { return f.train().loss == "CE"; }
bool never_validates(const Facts& f) { return f.train().eval_every == 0 || !f.validates(); }

constexpr std::string_view kNoColumns = "lines of sequences have no columns and no times";
constexpr std::string_view kNoNegatives = "train.loss = \"CE\" is over all items and draws none";
constexpr std::string_view kNoValidation =
    "nothing is validated (train.eval_every = 0, or the split has no validation part)";

/// The first rule that holds for a key says why.
constexpr Rule kRules[] = {
    {"data.user_column", no_columns, kNoColumns},
    {"data.item_column", no_columns, kNoColumns},
    {"data.time_column", no_columns, kNoColumns},
    {"data.columns", no_columns, kNoColumns},
    {"data.columns", [](const Facts& f) { return f.data().format == FileFormat::atomic; },
     "an atomic file has a header"},
    {"data.columns", [](const Facts& f) { return f.data().format == FileFormat::json; },
     "JSON lines name their columns"},
    {"data.time_format", no_columns, kNoColumns},
    {"data.time_unit", no_columns, kNoColumns},
    {"data.time_precision", no_columns, kNoColumns},
    {"data.missing_time", no_columns, kNoColumns},
    {"data.normalize_time",
     [](const Facts& f) { return f.data().time_precision == TimePrecision::exact; },
     "it comes before rounding, and data.time_precision = \"exact\" rounds nothing"},
    {"data.name_column", [](const Facts& f) { return f.data().item_file == "none"; },
     "data.item_file = \"none\": there is no table of items"},
    {"data.filter_by_side_tables",
     [](const Facts& f) { return f.data().item_file == "none" && f.data().user_file == "none"; },
     "data.user_file and data.item_file are \"none\""},
    {"data.max_length",
     [](const Facts& f) {
       return f.traits && f.traits->whole_history && f.eval().mask_history != MaskHistory::input;
     },
     "the model looks at whole histories"},

    {"split.held_out", [](const Facts& f) { return f.split().mode != SplitMode::leave_one_out; },
     "it belongs to split.mode = \"leave_one_out\""},
    {"split.ratios", [](const Facts& f) { return !f.uses_ratios(); },
     "it belongs to split.mode = \"ratio\", \"users\", or \"temporal\" without times and days"},
    {"split.group", [](const Facts& f) { return f.split().mode != SplitMode::ratio; },
     "it belongs to split.mode = \"ratio\""},
    {"split.ratios_of", [](const Facts& f) { return f.split().mode != SplitMode::ratio; },
     "it belongs to split.mode = \"ratio\""},
    {"split.ratios_of", [](const Facts& f) { return f.split().group == RatioGroup::all; },
     "split.group = \"all\" cuts no user's events"},
    {"split.times", [](const Facts& f) { return f.split().mode != SplitMode::temporal; },
     "it belongs to split.mode = \"temporal\""},
    {"split.last_days", [](const Facts& f) { return f.split().mode != SplitMode::temporal; },
     "it belongs to split.mode = \"temporal\""},
    {"split.valid_file", [](const Facts& f) { return f.split().mode != SplitMode::given; },
     "it belongs to split.mode = \"given\""},
    {"split.test_file", [](const Facts& f) { return f.split().mode != SplitMode::given; },
     "it belongs to split.mode = \"given\""},
    {"split.targets",
     [](const Facts& f) {
       return f.split().targets == SplitTargets::together &&
              f.split().mode == SplitMode::leave_one_out;
     },
     "split.mode = \"leave_one_out\" holds one event of a user out"},
    {"split.targets",
     [](const Facts& f) {
       return f.split().targets != SplitTargets::together && f.split().mode != SplitMode::users &&
              f.split().mode != SplitMode::test;
     },
     "it belongs to split.mode = \"users\" and \"test\""},
    {"split.targets", [](const Facts& f) { return f.split().mode == SplitMode::none; },
     "split.mode = \"none\" holds nothing out"},
    {"split.users_seed", [](const Facts& f) { return f.split().mode != SplitMode::users; },
     "it belongs to split.mode = \"users\""},

    {"train.*", [](const Facts& f) { return f.counts(); },
     "the model counts: it looks at the training rows once and has no steps"},
    {"train.n_negatives", loss_is_ce, kNoNegatives},
    {"train.negatives_per", loss_is_ce, kNoNegatives},
    {"train.negatives_per", [](const Facts& f) { return f.train().n_targets == 1; },
     "train.n_targets = 1: a row has one target"},
    {"train.negatives_exclude", loss_is_ce, kNoNegatives},
    {"train.distinct_negatives", loss_is_ce, kNoNegatives},
    {"train.distinct_negatives", [](const Facts& f) { return f.train().negatives_of_row() == 1; },
     "a row has one negative"},
    {"train.sampler", loss_is_ce, kNoNegatives},
    {"train.sampler_params.*", loss_is_ce, kNoNegatives},
    {"train.sampler_alpha", loss_is_ce, kNoNegatives},
    {"train.sampler_alpha", [](const Facts& f) { return f.train().sampler != "popularity"; },
     "it belongs to train.sampler = \"popularity\""},
    {"train.gbce_t", [](const Facts& f) { return f.train().loss != "gBCE"; },
     "it belongs to train.loss = \"gBCE\""},
    {"train.convolution", [](const Facts& f) { return !f.convolves; },
     "the model has no convolution with a maximum over time"},
    {"train.chunk_rows", [](const Facts& f) { return f.train().batching != Batching::chunks; },
     "it belongs to train.batching = \"chunks\""},
    {"train.final_learning_rate",
     [](const Facts& f) { return f.train().schedule == Schedule::constant; },
     "train.schedule = \"constant\" ends where it begins"},
    {"train.eval_every", [](const Facts& f) { return !f.validates(); },
     "the split has no validation part"},
    {"train.valid_metric", never_validates, kNoValidation},
    {"train.patience", never_validates, kNoValidation},
    {"train.round_before_early_stop", never_validates, kNoValidation},

    {"eval.popularity_alpha", [](const Facts& f) { return !f.draws(CandidateMode::popularity); },
     "it belongs to eval.candidates = \"popN\""},
    {"eval.candidates_redrawn", [](const Facts& f) { return f.eval().candidates == "full"; },
     "eval.candidates = \"full\" draws none"},
    {"eval.tail_ratio", [](const Facts& f) { return !f.has_metric("tailpercentage"); },
     "eval.metrics does not name tailpercentage"},
    {"eval.precision_divisor", [](const Facts& f) { return !f.has_metric("precision"); },
     "eval.metrics does not name precision"},
    {"eval.topk",
     [](const Facts& f) {
       return std::ranges::all_of(f.eval().metrics, [](const std::string& name) {
         return name == "gauc" || name == "ap";
       });
     },
     "gauc and ap have no cut-off"},
};

bool is_about(const Rule& rule, std::string_view key) {
  if (rule.key.ends_with('*')) return key.starts_with(rule.key.substr(0, rule.key.size() - 1));
  return rule.key == key;
}

/// What is known of the model needs an object, which is made for few items.
void look_at_model(Facts& facts, const PluginRegistry& plugins) {
  const RunConfig& config = facts.config;
  constexpr int kShort = 64;
  const Catalogue small{3, 5, std::min(config.data.max_length, kShort)};
  const pid_t process = getpid();
  try {
    const Model model = plugins.create(config.model, config.model_params, small);
    end_if_copied(process, model.plugin());
    facts.traits = model->traits();
    nn::StepOptions step;
    step.loss = config.train.loss;
    if (const auto* network = dynamic_cast<const NetworkRecommender*>(&*model))
      facts.convolves = nn::has_convolutions(*network, step);
  } catch (...) {
    // Why it cannot be made or recorded is said where it must be.
  }
}

bool depends_on_model(const Layer& layer) {
  return std::ranges::any_of(layer.values.values(), [](const auto& setting) {
    return setting.first.starts_with("train.") || setting.first == "data.max_length";
  });
}

/// What a config file says beside the defaults: one that was printed by recloom says all.
Layer unlike_defaults(const std::string& file) {
  Layer layer{file, {}};
  const Params defaults = RunConfig().values();
  const Params written = parse_toml_file(file);
  for (const auto& [key, value] : written.values()) {
    const Value* usual = defaults.find(key);
    if (usual == nullptr || to_text(*usual) != to_text(value)) layer.values.set(key, value);
  }
  return layer;
}

}  // namespace

std::string IdleSetting::text() const {
  return fmt::format("{}: {} does nothing: {}", origin, key, why);
}

std::vector<IdleSetting> idle_settings(const ConfigRequest& request, const RunConfig& config,
                                       const PluginRegistry& plugins) {
  std::vector<Layer> layers;
  if (!request.config_file.empty()) layers.push_back(unlike_defaults(request.config_file));
  for (const auto& setting : request.settings) layers.push_back(setting_layer(setting));
  Facts facts{config, std::nullopt};
  if (!config.model.empty() && std::ranges::any_of(layers, depends_on_model))
    look_at_model(facts, plugins);
  std::vector<IdleSetting> idle;
  for (const Layer& layer : layers)
    for (const auto& [key, value] : layer.values.values()) {
      const auto holds = [&, &key = key](const Rule& rule) {
        return is_about(rule, key) && rule.holds(facts);
      };
      if (const auto rule = std::ranges::find_if(kRules, holds); rule != std::end(kRules))
        idle.push_back({layer.origin, key, std::string(rule->why)});
    }
  return idle;
}

}  // namespace recloom
