#include "recloom/train/options.hpp"

#include <fmt/format.h>

#include <limits>

#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr double kMaxInt = std::numeric_limits<int>::max();
constexpr double kLargest = std::numeric_limits<double>::max();
constexpr double kSmallest = std::numeric_limits<double>::min();
constexpr const char* kRecBole = "RecBole 1.2.1, properties/overall.yaml";

}  // namespace

void TrainOptions::describe(ParamSchema& schema) {
  using enum nn::OptimizerKind;
  schema.integer("epochs", epochs, {1, kMaxInt}, "Passes over the training rows, at most")
      .source(kRecBole)
      .test_values({std::int64_t{2}});
  schema.integer("batch_size", batch_size, {1, kMaxInt}, "Rows of one step")
      .source(kRecBole)
      .test_values({std::int64_t{16}});
  schema.integer("shard_rows", shard_rows, {1, 65536},
                 "Rows that one thread works on at a time; results depend on it, unlike on the "
                 "number of threads");
  schema.choice(
      "batching", batching,
      {{"rows", Batching::rows}, {"chunks", Batching::chunks}, {"sequences", Batching::sequences}},
      "How rows are put together, shuffled anew in every epoch; rows: single rows; chunks: runs of "
      "consecutive rows of one user, whose overlapping histories cost less, the same rows in "
      "another "
      "order; sequences: runs of at most data.max_length rows that see nothing before their run, "
      "for "
      "causal models, another training set for users with more rows than that");
  schema
      .integer("chunk_rows", chunk_rows, {1, 65536},
               "chunks: rows of a run, at most; where a user's rows are cut changes in every epoch")
      .test_values({std::int64_t{3}});
  schema.choice("convolution", convolution,
                {{"auto", Convolution::automatic},
                 {"dnnl", Convolution::dnnl},
                 {"windows", Convolution::windows},
                 {"taps", Convolution::taps}},
                "How convolutions with a maximum over time are computed, in training and wherever "
                "the model scores later, all with the same results but for rounding; auto: the "
                "cheapest by counts; dnnl: oneDNN's convolution primitives; windows: a matrix "
                "product for each start of a window; taps: sums of products of the batch's "
                "distinct items");
  schema
      .choice(
          "rows", rows, {{"prefix", TrainRows::prefix}, {"windows", TrainRows::windows}},
          "Which rows a user's training events make; prefix: every event but the first is asked "
          "for once; windows: only those behind data.max_length others, so that no history is "
          "padded; users too short for that have one row")
      .source("windows: Tang and Wang, WSDM 2018, section 4.2");
  schema
      .integer("n_targets", n_targets, {1, 256},
               "T: how many of the next items are the targets of a row")
      .source("Tang and Wang, WSDM 2018, section 3.1: skip behaviours");
  schema
      .choice(
          "loss", loss,
          {{"CE", "CE"},
           {"BPR", "BPR"},
           {"BCE", "BCE"},
           {"gBCE", "gBCE"},
           {"sampled_softmax", "sampled_softmax"}},
          "CE: cross-entropy over all items; the others cost nothing for the rest of the "
          "catalogue. BPR, BCE: against sampled negatives; gBCE: BCE corrected for their share; "
          "sampled_softmax: cross-entropy among the target and sampled negatives")
      .source(kRecBole);
  schema.choice(
      "loss_reduction", loss_reduction,
      {{"mean", LossReduction::mean},
       {"balanced", LossReduction::balanced},
       {"sum", LossReduction::sum}},
      "How the losses of targets and negatives become one number; mean: over rows, within "
      "a row over targets (BCE, gBCE: the sum over targets and negatives); balanced: "
      "BCE's mean over targets plus its mean over negatives; sum: over the rows of a "
      "batch");
  schema.integer("n_negatives", n_negatives, {1, 65536}, "Negatives of a row (all losses but CE)");
  schema.choice("negatives_per", negatives_per,
                {{"row", NegativesPer::row}, {"target", NegativesPer::target}},
                "What train.n_negatives is the number for: a row, or each of its targets");
  schema.choice("negatives_exclude", negatives_exclude,
                {{"target", NegativesExclude::target}, {"user", NegativesExclude::user}},
                "What is no negative; target: the row's targets; user: all items that its user has "
                "in training");
  schema.flag("distinct_negatives", distinct_negatives,
              "Whether the negatives of a row are all different");
  schema
      .real("gbce_t", gbce_t, {0, 1},
            "gBCE: how far scores are calibrated; 0: not at all, the loss is BCE; 1: fully")
      .source("gSASRec, Petrov and Macdonald, RecSys 2023");
  schema.text("sampler", sampler,
              "Where negatives come from (all losses but CE): uniform, popularity or the name of a "
              "plugin");
  schema.real("sampler_alpha", sampler_alpha, {0, kLargest},
              "popularity: an item's probability is proportional to its count to this power");
  schema
      .choice("optimizer", optimizer,
              {{"adam", adam},
               {"adamw", adamw},
               {"sgd", sgd},
               {"adagrad", adagrad},
               {"rmsprop", rmsprop},
               {"sparse_adam", sparse_adam}},
              "The optimizer, with PyTorch's defaults for all that is no key here. sparse_adam, "
              "for large catalogues: adam that leaves item and user vectors alone in steps that do "
              "not look them up; other parameters, and with CE the item vectors, move in each step")
      .source(kRecBole);
  schema.real("learning_rate", learning_rate, {kSmallest, kLargest}, "Step size after warm-up")
      .source(kRecBole);
  schema
      .real("weight_decay", weight_decay, {0, kLargest},
            "L2 penalty added to the gradients; decoupled from them for adamw, none for "
            "sparse_adam")
      .source(kRecBole);
  schema.real("clip_norm", clip_norm, {0, kLargest},
              "Largest norm of all gradients together; 0: no clipping");
  schema.choice("schedule", schedule,
                {{"constant", Schedule::constant},
                 {"linear", Schedule::linear},
                 {"cosine", Schedule::cosine}},
                "How the learning rate goes on from the end of the warm-up to the last step of all "
                "epochs");
  schema.integer("warmup_steps", warmup_steps, {0, kMaxInt},
                 "Steps over which the learning rate rises linearly from 0");
  schema.real("final_learning_rate", final_learning_rate, {0, 1},
              "linear, cosine: where they end, as a share of learning_rate");
  schema
      .integer("eval_every", eval_every, {0, kMaxInt},
               "Epochs between two evaluations on the validation part; 0: never, the last epoch "
               "is the model")
      .source(kRecBole);
  schema.text("valid_metric", valid_metric,
              "What the best epoch is chosen by, for example ndcg@10");
  schema
      .integer("patience", patience, {0, kMaxInt},
               "Training ends when more than this many evaluations in a row bring no improvement")
      .source(kRecBole);
  schema
      .flag("round_before_early_stop", round_before_early_stop,
            "Compare the metric rounded to 4 decimals and count a tie as improvement; otherwise "
            "only an exactly better value is one")
      .source("RecBole 1.2.1, trainer/utils.py, early_stopping");
  schema.integer("max_steps", max_steps, {0, kMaxInt},
                 "Stop after this many steps, also in mid-epoch; 0: no limit");
  schema.integer("checkpoint_minutes", checkpoint_minutes, {0, kMaxInt},
                 "Minutes between two checkpoints in mid-epoch; 0: only at the end of an epoch");
}

void TrainOptions::validate() const {
  constexpr int kMostNegatives = 65536;
  if (loss != "CE" && negatives_per == NegativesPer::target &&
      n_negatives > kMostNegatives / n_targets)
    throw ConfigError(fmt::format(
        "train.n_negatives = {} for each of train.n_targets = {}: a row has {} negatives at most "
        "(legal: --set train.n_negatives={} or --set train.negatives_per=row)",
        n_negatives, n_targets, kMostNegatives, kMostNegatives / n_targets));
  if (loss_reduction == LossReduction::balanced && loss != "BCE")
    throw ConfigError(fmt::format(
        "train.loss_reduction = balanced with train.loss = {} (legal: train.loss = BCE, or mean or "
        "sum)",
        loss));
  if (rows == TrainRows::windows && batching == Batching::sequences)
    throw ConfigError(
        "train.rows = windows with train.batching = sequences, whose rows see one item more than "
        "the row before (legal: train.batching = rows or chunks, or train.rows = prefix)");
  if (optimizer == nn::OptimizerKind::sparse_adam && weight_decay != 0)
    throw ConfigError(fmt::format(
        "train.weight_decay = {} with train.optimizer = sparse_adam (legal: 0)", weight_decay));
}

}  // namespace recloom
