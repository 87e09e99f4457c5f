// What training comes to.
#include <algorithm>
#include <cmath>

#include "recloom/nn/network_recommender.hpp"
#include "recloom/testing/gradient_check.hpp"
#include "testing/buffer_check.hpp"
#include "testing/reach_check.hpp"
#include "testing/scoring.hpp"
#include "testing/subject.hpp"
#include "testing/text.hpp"

namespace recloom::conformance {
namespace {

/// Describe the first loss that is not finite; "" if all are.
std::string bad_loss(const Trained& trained) {
  for (const EpochReport& epoch : trained.report.history)
    if (!std::isfinite(epoch.loss + epoch.penalty))
      return "the loss of epoch " + std::to_string(epoch.epoch) + " is " +
             text_of(epoch.loss + epoch.penalty);
  return "";
}

/// @return what is wrong with a trained model, "" if nothing is.
std::string why_unsound(const Trained& trained) {
  const SequentialRecommender& model = trained.model();
  const std::string loss = bad_loss(trained);
  return loss.empty() ? first_not_finite(model, probe_rows(model.catalogue(), kLength)) : loss;
}

/// Values that are meant to be trained with: test values, choices, both flags.
std::vector<Value> small_values(const ParamInfo& parameter) {
  std::vector<Value> values = parameter.test_values;
  for (const std::string& choice : parameter.choices) values.emplace_back(choice);
  if (parameter.type == "flag") values.insert(values.end(), {true, false});
  return values;
}

Finding check_train(Subject& subject) {
  if (const std::string problem = bad_loss(subject.trained()); !problem.empty())
    return fail(problem);
  int n_values = 0;
  for (const ParamInfo& parameter : subject.declared())
    for (const Value& value : small_values(parameter)) {
      const std::string setting = parameter.name + " = " + to_text(value);
      try {
        const Trained trained = subject.train({.params = {{parameter.name, value}}, .epochs = 1});
        if (const std::string problem = why_unsound(trained); !problem.empty())
          return fail("with " + setting + ": " + problem);
      } catch (const ConfigError& error) {
        // What does not go together is refused by name; "bounds" judges how.
        if (std::string_view(error.what()).find(parameter.name) == std::string_view::npos)
          return fail("with " + setting + ": " + one_line(error.what()));
      } catch (...) {
        return fail("with " + setting + ": " + current_problem());
      }
      ++n_values;
    }
  return pass(n_values == 0 ? "" : "also with " + std::to_string(n_values) + " other values");
}

Finding check_loss(Subject& subject) {
  const TrainReport& report = subject.trained().report;
  if (!subject.model().traits().gradients) return skip("the model has no loss");
  if (report.history.size() < 2) return fail("training ended after its first epoch");
  const EpochReport &first = report.history.front(), &last = report.history.back();
  const double begin = first.loss + first.penalty, end = last.loss + last.penalty;
  const std::string course = "from " + text_of(begin) + " in the first epoch to " + text_of(end) +
                             " in the last of " + std::to_string(report.history.size());
  return end < 0.98 * begin ? pass(course) : fail("the loss went " + course);
}

// ---- Against popularity -------------------------------------------------------------------------

/// Mean over rows of 1 / rank of the target; ties share their ranks' mean, so that a model that
/// scores all alike wins nothing.
double reciprocal_rank(const Batch& rows, const std::vector<float>& scores, std::size_t n_items) {
  double sum = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const float* of_row = scores.data() + row * n_items;
    const float target = of_row[static_cast<std::size_t>(rows[row].targets.front())];
    double rank = 0.5;
    for (std::size_t item = 1; item < n_items; ++item)
      rank += of_row[item] > target ? 1 : of_row[item] == target ? 0.5 : 0;
    sum += 1 / rank;
  }
  return sum / static_cast<double>(rows.size());
}

Finding check_beats_popularity(Subject& subject) {
  const SequentialRecommender& model = subject.model();
  if (!model.traits().uses_order) return skip("traits().uses_order is false");
  const Dataset& data = subject.dataset();
  const Batch rows(data.test().events(), data.test().entries(), subject.shown_length());
  const std::size_t n_items = model.n_items();
  std::vector<float> popularity;
  for (std::size_t row = 0; row < rows.size(); ++row)
    for (const std::int64_t count : data.target_counts())
      popularity.push_back(static_cast<float>(count));
  const double theirs = reciprocal_rank(rows, popularity, n_items);
  const double ours = reciprocal_rank(rows, scores_of(model, rows), n_items);
  const std::string both =
      "mean reciprocal rank " + text_of(ours) + ", that of popularity is " + text_of(theirs);
  return ours > theirs + 0.1 ? pass(both)
                             : fail(both +
                                    " (wanted: more by 0.1, on items that follow each other "
                                    "in circles of three)");
}

// ---- Same again ---------------------------------------------------------------------------------

Finding check_repeatable(Subject& subject) {
  subject.trained();
  if (subject.train_to_bytes(1) == subject.train_to_bytes(1)) return pass();
  return fail("two trainings with the same seed, data and settings wrote different model files");
}

Finding check_threads(Subject& subject) {
  subject.trained();
  const std::string one = subject.train_to_bytes(1);
  for (const int threads : {2, 4})
    if (subject.train_to_bytes(threads) != one)
      return fail("training on " + std::to_string(threads) +
                  " threads wrote another model file than on 1");
  return pass();
}

/// The commonest slip, said as such. @param loaded scores of the model that lost something.
std::string why_lost(Subject& subject, const Batch& rows, const std::vector<float>& loaded) {
  const SequentialRecommender& model = subject.model();
  if (dynamic_cast<const NetworkRecommender*>(&model) != nullptr) return "";
  const std::string member =
      "looks like a member that fit() fills was not given to register_buffer()";
  const Model fresh = subject.plugins().create(
      subject.info().name, subject.with(subject.base_params()), model.catalogue());
  if (model.buffers().empty()) return "; the model has no buffers: " + member;
  if (first_difference(rows, loaded, scores_of(*fresh, rows), 0).empty())
    return "; it scores like one that fit() never saw: " + member;
  return "; " + member + ", or is not rebuilt in after_load()";
}

Finding check_save_load(Subject& subject) {
  const Trained& trained = subject.trained();
  const std::string file = subject.scratch_file("saved.safetensors");
  trained.recommender.save(file);
  const Recommender loaded = Recommender::load(file, subject.plugins());
  const Rows rows = subject.probes();
  const std::vector<float> before = scores_of(trained.model(), rows.batch()),
                           after = scores_of(loaded.model(), rows.batch());
  const std::string difference = first_difference(rows.batch(), before, after, 0);
  if (difference.empty()) return pass();
  const bool repeatable =
      first_difference(rows.batch(), before, scores_of(trained.model(), rows.batch()), 0).empty();
  return fail("after loading, " + difference +
              (repeatable ? why_lost(subject, rows.batch(), after) : ""));
}

// ---- Gradients ----------------------------------------------------------------------------------

Finding check_gradients(Subject& subject) {
  subject.trained();
  const Model model = subject.plugins().create(
      subject.info().name, subject.with(subject.base_params()), Subject::catalogue());
  auto* network = dynamic_cast<NetworkRecommender*>(&*model);
  if (network == nullptr) return skip("the model is no network");
  const TrainOptions train = subject.config({.params = subject.base_params()}).train;
  const bool whole = model->traits().whole_history;
  Rows rows(whole ? Batch::kWholeHistory : kLength);
  for (const int length : {2, kLength, 1, 2 * kLength, kLength - 1, 3, kLength + 1}) {
    const auto key = static_cast<std::uint64_t>(length);
    rows.add(static_cast<UserId>(1 + length % 3),
             random_history(model->catalogue(), static_cast<std::size_t>(length), key),
             random_history(model->catalogue(), 1, 100 + key).front());
  }
  const testing::GradientReport report =
      testing::check_gradients(*network, rows.batch(),
                               {.loss = train.loss,
                                .reduction = train.loss_reduction,
                                .n_targets = train.n_targets,
                                .n_negatives = train.negatives_of_row(),
                                .gbce_t = train.gbce_t});
  if (!report.not_applicable.empty()) return skip(report.not_applicable);
  if (!report.problem.empty()) return fail(report.problem);
  return pass(std::to_string(report.compared) + " derivatives of " +
              std::to_string(report.parameters) + " parameters");
}

// ---- The smallest catalogue ---------------------------------------------------------------------

Finding check_two_items(Subject& subject) {
  subject.trained();
  const Trained trained =
      subject.train({.params = subject.base_params(), .epochs = 1, .single_item = true});
  return judge(why_unsound(trained));
}

constexpr Check kChecks[] = {
    {"train", kModels,
     "it trains on toy data to finite losses, also with each test value, choice and flag",
     "fit(), calculate_loss() and forward(); a value that is not finite names step and op",
     check_train},
    {"loss-falls", kModels, "24 epochs on toy data lower the training loss",
     "calculate_loss(), and the gradients check; settings that describe() suggests", check_loss},
    {"beats-popularity", kModels,
     "a model that uses the order of histories ranks a planted pattern better than popularity does",
     "that forward() or full_sort_predict() looks at the history; traits().uses_order",
     check_beats_popularity},
    {"repeatable", kModels, "two trainings with the same seed give the same bytes",
     "random numbers from elsewhere than RunContext::rng or an op's key, the clock, addresses, the "
     "order of an unordered container, members that are not initialised",
     check_repeatable},
    {"threads", kModels, "1, 2 and 4 threads give the same bytes",
     "sums whose order depends on threads: in fit(), or in an own op that keeps state",
     check_threads},
    {"save-load", kModels, "a model that was saved and loaded gives the same scores, bit for bit",
     "state that is neither a parameter nor given to register_buffer(), or not rebuilt in "
     "after_load()",
     check_save_load},
    {"buffers", kModels,
     "a model file with other numbers in its buffers is refused, or scored in bounds",
     "after_load(): throw ModelError where sizes, ids or offsets do not fit together and n_items()",
     check_buffers},
    {"gradients", kModels, "gradients agree with finite differences of the loss",
     "the backward() of an own op: it adds to diff_inputs, for every operand", check_gradients},
    {"reach", kModels,
     "ops look no further than Op::reach() says, and those that say same give at one position "
     "alone what they give there among all",
     "the reach() of an own op: past if position t of the output depends on none behind t, same if "
     "on t alone, else unknown; what depends on t itself asks OpContext::position()",
     check_reach},
    {"two-items", kModels, "a catalogue of the padding and one item can be trained and scored",
     "divisions by a count of other items; loops that look for another item", check_two_items},
};

}  // namespace

std::span<const Check> training_checks() { return kChecks; }

}  // namespace recloom::conformance
