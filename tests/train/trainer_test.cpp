#include "recloom/train/trainer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "nn/running_mean.hpp"
#include "recloom/core/error.hpp"
#include "recloom/eval/metric_registry.hpp"
#include "recloom/nn/network_recommender.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using testing::TemporaryFolder;

/// The query is the sum of the history's item vectors; small, but with dropout and a penalty.
class SumOfItems final : public NetworkRecommender {
 public:
  explicit SumOfItems(const Catalogue& catalogue) : NetworkRecommender(catalogue) {
    items_ = nn::Embedding(at("item_embedding"), catalogue.n_items, 8, nn::normal(0.1));
    output_ = nn::Linear(at("output"), 8, 8);
  }
  nn::Var forward(const nn::Inputs& in) const override {
    const auto history = in.history();
    return output_(dropout(sum_over_time(items_(history.ids()) * history.mask()), 0.1));
  }
  nn::ItemHead item_head() const override { return {.tables = {items_.weight}}; }
  nn::Loss calculate_loss(const nn::Inputs& in) const override {
    return in.loss(forward(in), item_head()) + 1e-3 * reg_loss(items_.weight);
  }

 private:
  nn::Embedding items_;
  nn::Linear output_;
};

/// The query is what a causal op makes of the items so far, at the last of them.
class MeanSoFar final : public NetworkRecommender {
 public:
  explicit MeanSoFar(const Catalogue& catalogue) : NetworkRecommender(catalogue) {
    items_ = nn::Embedding(at("item_embedding"), catalogue.n_items, 8, nn::normal(0.1));
    output_ = nn::Linear(at("output"), 16, 8);
    rate_ = parameter("rate", {1}, nn::ones());
  }
  nn::Var forward(const nn::Inputs& in) const override {
    const auto history = in.history();
    const nn::Var x = dropout(items_(history.ids()), 0.1);
    const nn::Var mean = call(std::make_shared<nn::RunningMean>(), x, rate_);
    return output_(history.last(concat(x, mean)));
  }
  nn::ItemHead item_head() const override { return {.tables = {items_.weight}}; }

 private:
  nn::Embedding items_;
  nn::Linear output_;
  nn::Parameter rate_;
};

/// Passes its operand through, and says when.
class Tap final : public nn::Op {
 public:
  static inline std::function<void(bool in_backward)> look;

  std::string_view name() const noexcept override { return "tap"; }
  nn::Shape output_shape(const nn::OpShapes& shapes) const override { return shapes.inputs[0]; }
  void forward(const nn::OpForward& c) const override {
    std::ranges::copy(c.inputs[0], c.output.begin());
    if (look) look(false);
  }
  void backward(const nn::OpBackward& c) const override {
    std::ranges::copy(c.diff_output, c.diff_inputs[0].begin());
    if (look) look(true);
  }
};

/// Two taps, one behind the other, in every shard.
class Tapped final : public NetworkRecommender {
 public:
  explicit Tapped(const Catalogue& catalogue) : NetworkRecommender(catalogue) {
    items_ = nn::Embedding(at("item_embedding"), catalogue.n_items, 8, nn::normal(0.1));
    output_ = nn::Linear(at("output"), 8, 8);
  }
  nn::Var forward(const nn::Inputs& in) const override {
    const auto history = in.history();
    return tap(output_(tap(sum_over_time(items_(history.ids()) * history.mask()))));
  }
  nn::ItemHead item_head() const override { return {.tables = {items_.weight}}; }

 private:
  static nn::Var tap(const nn::Var& x) { return call(std::make_shared<Tap>(), x); }
  nn::Embedding items_;
  nn::Linear output_;
};

/// Counts how often it is fitted; traits as asked for.
class Counter final : public SequentialRecommender {
 public:
  Counter(const Catalogue& catalogue, bool gradients)
      : SequentialRecommender(catalogue), gradients_(gradients) {}
  Traits traits() const override { return {.gradients = gradients_}; }
  void fit(const TrainingData& data, RunContext&) override {
    ++fits;
    rows = data.rows().size();
  }
  void full_sort_predict(const Batch&, Span2d<float>) const override {}
  int fits = 0;
  std::size_t rows = 0;

 private:
  bool gradients_;
};

/// 40 users who walk through 20 items in a circle, each from a place of its own: what comes next is
/// a function of what came last.
std::string circle_log() {
  std::ostringstream log;
  for (int user = 0; user < 40; ++user) {
    log << 'u' << user;
    for (int event = 0; event < 12; ++event) log << " i" << (7 * user + event) % 20;
    log << '\n';
  }
  return log.str();
}

Dataset open(const TemporaryFolder& folder, const std::string& log, SplitMode mode) {
  DataOptions data;
  data.format = FileFormat::sequences;
  data.max_length = 4;
  SplitOptions split;
  split.mode = mode;
  RunContext run(1, 1);
  return Dataset::open(folder.write("log.txt", log), data, split, run);
}

/// A training run of a model on the circle.
template <class Network>
struct TrainingOf {
  TemporaryFolder folder;
  Dataset dataset;
  Network model;
  TrainJob job;
  TrainReport report;
  std::atomic<bool> stop = false;

  explicit TrainingOf(SplitMode mode = SplitMode::leave_one_out)
      : dataset(open(folder, circle_log(), mode)), model(dataset.catalogue()) {
    model.ready();
    job.train.epochs = 4;
    job.train.batch_size = 64;
    job.train.shard_rows = 16;
    job.train.learning_rate = 0.02;
    job.eval.metrics = {"ndcg", "hit"};
    job.eval.topk = {5, 10};
    job.metrics = builtin_metrics(job.eval);
    job.checkpoint_file = folder.file("checkpoint.safetensors");
    job.config = Params{{"train.learning_rate", 0.02}};
  }
  const TrainReport& run(int threads = 1, std::uint64_t seed = 1, std::int64_t stop_after = 0) {
    RunContext context(seed, threads, &stop);
    std::int64_t steps = 0;
    job.callbacks.on_progress = [&](const TrainProgress&) {
      if (++steps == stop_after) context.request_stop();
    };
    return report = train_model(model, dataset, job, context);
  }
  std::string message() {
    try {
      run();
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was thrown";
  }
  std::vector<float> parameters() const {
    std::vector<float> all;
    for (std::size_t index = 0; index < model.parameters().size(); ++index) {
      const auto values = model.parameters()[index].values();
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }
  std::string checkpoint() const { return testing::read_text(job.checkpoint_file); }
};

using Training = TrainingOf<SumOfItems>;

template <class Run>
void expect_same(const Run& training, const Run& expected) {
  EXPECT_EQ(training.parameters(), expected.parameters());
  EXPECT_EQ(training.checkpoint(), expected.checkpoint());
  ASSERT_EQ(training.report.history.size(), expected.report.history.size());
  for (std::size_t epoch = 0; epoch < expected.report.history.size(); ++epoch) {
    EXPECT_EQ(training.report.history[epoch].loss, expected.report.history[epoch].loss);
    EXPECT_EQ(training.report.history[epoch].penalty, expected.report.history[epoch].penalty);
    EXPECT_EQ(training.report.history[epoch].valid, expected.report.history[epoch].valid);
  }
}

class TrainModelByLoss : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Losses, TrainModelByLoss,
                         ::testing::Values("CE", "BPR", "BCE", "gBCE", "sampled_softmax"),
                         [](const auto& loss) { return std::string(loss.param); });

TEST_P(TrainModelByLoss, LearnsTheCircle) {
  Training training;
  training.job.train.loss = GetParam();
  training.job.train.n_negatives = 2;
  training.job.train.epochs = 20;
  training.job.train.patience = 20;
  training.job.checkpoint_file.clear();
  const TrainReport& report = training.run();
  EXPECT_EQ(report.stop, StopReason::finished);
  EXPECT_EQ(report.epochs_run, 20);
  // 40 users of 12 events: 11 rows each, of which leave-one-out takes 2.
  EXPECT_EQ(report.rows, 20 * 40 * 9);
  EXPECT_LT(report.history.back().loss, 0.7 * report.history.front().loss);
  EXPECT_GT(report.history.back().penalty, 0);
  EXPECT_GT(report.best_valid, 0.6);
  EXPECT_EQ(
      report.history[static_cast<std::size_t>(report.best_epoch.value()) - 1].valid.at("ndcg@10"),
      report.best_valid);
}

TEST_P(TrainModelByLoss, GivesTheSameBitsForAnyNumberOfThreads) {
  Training one;
  one.job.train.loss = GetParam();
  one.run(1);
  for (const int threads : {2, 4}) {
    SCOPED_TRACE(threads);
    Training more;
    more.job.train.loss = GetParam();
    more.run(threads);
    expect_same(more, one);
  }
  Training other_seed;
  other_seed.job.train.loss = GetParam();
  other_seed.run(1, 2);
  EXPECT_NE(other_seed.parameters(), one.parameters());
}

TEST_P(TrainModelByLoss, ResumesInMidEpochAsIfNothingHadHappened) {
  Training expected;
  expected.job.train.loss = GetParam();
  expected.run();
  for (const std::int64_t step : {1, 5, 6, 7, 20}) {
    SCOPED_TRACE(step);
    Training first;
    first.job.train.loss = GetParam();
    EXPECT_EQ(first.run(1, 1, step).stop, StopReason::interrupted);
    Training second;
    second.job = first.job;
    second.job.resume = true;
    second.run(2);
    EXPECT_EQ(second.report.stop, StopReason::finished);
    EXPECT_EQ(second.report.rows, expected.report.rows);
    expect_same(second, expected);
  }
}

// Odd calls are those of the first tap forward, of the last tap backward: the other one's work in
// the same shard is not begun.
TEST(TrainModel, AStopRequestEndsAStepBetweenTwoOps) {
  TrainingOf<Tapped> expected;
  expected.run();
  for (const bool in_backward : {false, true})
    for (const int call : {1, 2, 3, 35, 70}) {
      SCOPED_TRACE((in_backward ? "backward " : "forward ") + std::to_string(call));
      TrainingOf<Tapped> first;
      int calls = 0;
      Tap::look = [&](bool backward) {
        if (backward == in_backward && ++calls == call) first.stop = true;
      };
      EXPECT_EQ(first.run().stop, StopReason::interrupted);
      Tap::look = {};
      EXPECT_EQ(calls, call);
      TrainingOf<Tapped> second;
      second.job = first.job;
      second.job.resume = true;
      second.run();
      expect_same(second, expected);
    }
}

template <class Network>
void expect_same_bits_however_run(Batching batching) {
  const auto prepare = [batching](TrainingOf<Network>& training) {
    training.job.train.batching = batching;
    training.job.train.chunk_rows = 4;
    training.job.train.loss = "BPR";
    training.job.train.schedule = Schedule::linear;
  };
  TrainingOf<Network> expected;
  prepare(expected);
  expected.run();
  for (const int threads : {2, 4})
    for (const std::int64_t step : {1, 6, 7, 20}) {
      SCOPED_TRACE(step);
      TrainingOf<Network> first;
      prepare(first);
      EXPECT_EQ(first.run(threads, 1, step).stop, StopReason::interrupted);
      TrainingOf<Network> second;
      prepare(second);
      second.job.checkpoint_file = first.job.checkpoint_file;
      second.job.resume = true;
      second.run(threads);
      EXPECT_EQ(second.report.rows, expected.report.rows);
      expect_same(second, expected);
    }
  TrainingOf<Network> rows;
  prepare(rows);
  rows.job.train.batching = Batching::rows;
  rows.run();
  EXPECT_NE(rows.parameters(), expected.parameters());
}

TEST(TrainModel, GivesTheSameBitsInChunksHoweverRun) {
  expect_same_bits_however_run<SumOfItems>(Batching::chunks);
}
TEST(TrainModel, GivesTheSameBitsInSequencesHoweverRun) {
  expect_same_bits_however_run<MeanSoFar>(Batching::sequences);
}

template <class Network>
void expect_to_learn_the_circle(Batching batching) {
  TrainingOf<Network> training;
  training.job.train.batching = batching;
  training.job.train.chunk_rows = 4;
  training.job.train.epochs = 20;
  training.job.train.patience = 20;
  const TrainReport& report = training.run();
  EXPECT_EQ(report.rows, 20 * 40 * 9);
  EXPECT_GT(report.best_valid, 0.6);
}

TEST(TrainModel, LearnsTheCircleInChunksAndSequences) {
  expect_to_learn_the_circle<SumOfItems>(Batching::chunks);
  expect_to_learn_the_circle<MeanSoFar>(Batching::sequences);
}

TEST(TrainModel, RefusesSequencesOfAModelThatLooksAhead) {
  Training training;
  training.job.train.batching = Batching::sequences;
  EXPECT_EQ(training.message(),
            "train.batching = sequences does not fit the model: op 'sum_over_time' may look at any "
            "position, not at the past alone (legal: rows, chunks)");
}

TEST(TrainModel, ResumesWithTheStateOfEveryOptimizer) {
  using enum nn::OptimizerKind;
  for (const nn::OptimizerKind kind : {adam, adamw, sgd, adagrad, rmsprop, sparse_adam}) {
    SCOPED_TRACE(static_cast<int>(kind));
    const auto prepare = [kind](Training& training) {
      training.job.train.optimizer = kind;
      training.job.train.epochs = 2;
      training.job.train.clip_norm = 0.5;
      training.job.train.schedule = Schedule::cosine;
    };
    Training expected;
    prepare(expected);
    expected.run();
    Training first;
    prepare(first);
    first.run(1, 1, 8);
    EXPECT_NE(first.checkpoint(), expected.checkpoint());
    Training second;
    second.job = first.job;
    second.job.resume = true;
    second.run();
    expect_same(second, expected);
  }
}

TEST(TrainModel, DrawsNegativesFromTheSamplerItIsGiven) {
  struct FirstItem final : NegativeSampler {
    void prepare(const SamplerContext& context) override { n_items = context.catalogue.n_items; }
    void sample(const Row& row, Rng, std::span<ItemId> negatives) const override {
      for (ItemId& item : negatives) item = row.targets[0] == 1 ? 2 : 1;
    }
    int n_items = 0;
  } sampler;
  Training given;
  given.job.train.loss = "BPR";
  given.job.train.sampler = "a plugin";
  given.job.sampler = &sampler;
  given.run();
  EXPECT_EQ(sampler.n_items, 21);
  Training uniform;
  uniform.job.train.loss = "BPR";
  uniform.run();
  for (const char* loss : {"BPR", "sampled_softmax"}) {
    Training popularity;
    popularity.job.train.loss = loss;
    popularity.job.train.sampler = "popularity";
    EXPECT_EQ(popularity.run().stop, StopReason::finished);
  }
  given.job.train.loss = "sampled_softmax";
  EXPECT_EQ(given.message(),
            "train.loss = sampled_softmax needs to know how likely each item is drawn, "
            "train.sampler = 'a plugin' does not tell");
}

TEST(TrainModel, SampledSoftmaxTakesTheProposalOff) {
  // The same draws, once called uniform: only the correction differs.
  struct ByCount final : NegativeSampler {
    explicit ByCount(bool tell) : tells(tell) { counts->prepare({{1, 21, 4}, weights}); }
    void prepare(const SamplerContext&) override {}
    void sample(const Row& row, Rng rng, std::span<ItemId> negatives) const override {
      counts->sample(row, rng, negatives);
    }
    bool log_probabilities(std::span<float> log_q) const override {
      return !tells || counts->log_probabilities(log_q);
    }
    std::vector<std::int64_t> weights = [] {
      std::vector<std::int64_t> all(21);
      for (std::size_t item = 1; item < all.size(); ++item)
        all[item] = static_cast<std::int64_t>(item * item);
      return all;
    }();
    std::unique_ptr<NegativeSampler> counts = make_popularity_sampler(1);
    bool tells;
  } tells(true), hides(false);
  const auto first_loss = [](NegativeSampler& sampler) {
    Training training;
    training.job.train.loss = "sampled_softmax";
    training.job.train.n_negatives = 8;
    training.job.sampler = &sampler;
    return training.run().history.front().loss;
  };
  EXPECT_NE(first_loss(tells), first_loss(hides));
}

TEST(TrainModel, TrainsWithSparseAdamAndEverySampledLoss) {
  for (const char* loss : {"BPR", "BCE", "gBCE", "sampled_softmax"}) {
    SCOPED_TRACE(loss);
    const auto prepare = [loss](Training& training) {
      training.job.train.optimizer = nn::OptimizerKind::sparse_adam;
      training.job.train.loss = loss;
      training.job.train.n_negatives = 4;
      training.job.train.epochs = 10;
    };
    Training one, two;
    prepare(one);
    prepare(two);
    const TrainReport& report = one.run(1);
    EXPECT_LT(report.history.back().loss, 0.9 * report.history.front().loss);
    two.run(2);
    expect_same(two, one);
  }
}

TEST(TrainModel, TakesTheLastEpochWithoutAValidationPart) {
  Training training(SplitMode::none);
  training.job.train.valid_metric = "not looked at";
  const TrainReport& report = training.run();
  EXPECT_FALSE(report.best_epoch);
  EXPECT_EQ(report.rows, 4 * 40 * 11);
  EXPECT_TRUE(report.history[0].valid.empty());
}

TEST(TrainModel, FitsACounterOnceAndRunsNoEpochs) {
  Training training;
  Counter counter(training.dataset.catalogue(), false);
  RunContext run(1, 1);
  training.job.resume = true;  // there is no checkpoint: a counter starts anew
  const TrainReport report = train_model(counter, training.dataset, training.job, run);
  EXPECT_EQ(counter.fits, 1);
  EXPECT_EQ(counter.rows, 360U);
  EXPECT_EQ(report.rows, 360);
  EXPECT_EQ(report.epochs_run, 0);
  EXPECT_EQ(report.stop, StopReason::finished);
}

TEST(TrainModel, RefusesGradientsWithoutANetwork) {
  Training training;
  Counter counter(training.dataset.catalogue(), true);
  RunContext run(1, 1);
  EXPECT_THROW(train_model(counter, training.dataset, training.job, run), ModelError);
}

TEST(TrainModel, RefusesAValidMetricThatIsNotComputed) {
  Training training;
  training.job.train.valid_metric = "NDCG@10";
  EXPECT_EQ(training.message(),
            "train.valid_metric = 'NDCG@10' is not computed: eval.metrics and eval.topk give "
            "ndcg@5, ndcg@10, hit@5, hit@10, did you mean 'ndcg@10'?");
}

TEST(TrainModel, WarnsOfAWarmUpThatNeverEnds) {
  const auto said = [](int warmup, int most) {
    Training training;
    training.job.train.warmup_steps = warmup;
    training.job.train.max_steps = most;
    ::testing::internal::CaptureStderr();
    training.run();
    return ::testing::internal::GetCapturedStderr();
  };
  EXPECT_NE(said(3, 3).find("train.warmup_steps = 3 is no less than the 3 steps of the run"),
            std::string::npos);
  EXPECT_EQ(said(2, 3), "");
}

TEST(TrainModel, TakesAListMetricThatIsNotAtK) {
  /// Recommended items.
  class Distinct final : public ListMetric {
   public:
    bool at_k() const noexcept override { return false; }
    double value(std::span<const std::int64_t> counts, std::int64_t, int) const override {
      return static_cast<double>(
          std::ranges::count_if(counts, [](std::int64_t count) { return count > 0; }));
    }
  };
  Training training;
  training.job.metrics = {{"distinct", std::make_shared<Distinct>()}};
  training.job.train.valid_metric = "distinct@10";
  EXPECT_NE(training.message().find("eval.topk give distinct"), std::string::npos);
  training.job.train.valid_metric = "distinct";
  training.run();
  ASSERT_EQ(training.report.epochs_run, 4);
  for (const EpochReport& epoch : training.report.history)
    EXPECT_GE(epoch.valid.at("distinct"), 10);
}

TEST(TrainModel, RefusesOptionsThatDoNotGoTogether) {
  Training sampler;
  sampler.job.train.loss = "BPR";
  sampler.job.train.sampler = "unifrom";
  EXPECT_EQ(sampler.message(),
            "train.sampler = 'unifrom' is neither uniform, popularity nor a plugin, did you mean "
            "'uniform'?");
  Training decay;
  decay.job.train.optimizer = nn::OptimizerKind::sparse_adam;
  decay.job.train.weight_decay = 0.1;
  EXPECT_EQ(decay.message(),
            "train.weight_decay = 0.1 with train.optimizer = sparse_adam (legal: 0)");
}

TEST(TrainModel, RefusesToResumeAnotherRun) {
  Training first;
  first.job.train.epochs = 1;
  first.run();
  Training second;
  second.job.checkpoint_file = first.job.checkpoint_file;
  second.job.resume = true;
  second.job.config = Params{{"train.learning_rate", 0.5}};
  EXPECT_EQ(second.message(), "cannot resume from " + first.job.checkpoint_file +
                                  " with another config: train.learning_rate was 0.02, now 0.5");
  Training third(SplitMode::none);
  third.job.checkpoint_file = first.job.checkpoint_file;
  third.job.resume = true;
  const std::string other_data = third.message();
  EXPECT_NE(other_data.find("dataset hash was "), std::string::npos) << other_data;
  Training fourth;
  fourth.job.resume = true;
  const std::string missing = fourth.message();
  EXPECT_NE(missing.find("no checkpoint to resume from"), std::string::npos) << missing;
}

TEST(TrainModel, NamesTheLastGoodCheckpointWhenALossIsNotFinite) {
  Training training;
  training.job.train.optimizer = nn::OptimizerKind::sgd;
  training.job.train.learning_rate = 1e30;
  try {
    training.run();
    FAIL() << "nothing was thrown";
  } catch (const NumericError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("the last good checkpoint is " + training.job.checkpoint_file),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("1e+30"), std::string::npos) << text;
  }
  EXPECT_NO_THROW(testing::read_text(training.job.checkpoint_file));
}

}  // namespace
}  // namespace recloom
