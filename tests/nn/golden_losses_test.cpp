// Sampled losses against PyTorch: every losses/*.json of the golden folder.
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "nn/step/train_step.hpp"
#include "nn/toy_network.hpp"
#include "support/golden.hpp"
#include "support/support.hpp"

namespace recloom::nn {
namespace {

/// Row r of the table of users is row r's scores, so the table's gradient is that of the scores.
class LossCase {
 public:
  explicit LossCase(const Json& numbers)
      : numbers_(numbers),
        scores_(numbers.at("scores").get<std::vector<std::vector<float>>>()),
        n_(static_cast<int>(scores_[0].size()) - 1),
        network_({static_cast<int>(scores_.size()), numbers.at("n_items"), 1}),
        users_(network_.at("users"), static_cast<int>(scores_.size()), 1 + n_, zeros(),
               PaddingRow::trained) {
    std::vector<float> all;
    for (const auto& row : scores_) all.insert(all.end(), row.begin(), row.end());
    users_.weight.assign(all);
  }

  void check() {
    network_.on_loss = [this](const Inputs& in) { return loss(in); };
    StepOptions options;
    options.loss = numbers_.at("loss");
    options.n_negatives = n_;
    options.batch_size = static_cast<int>(scores_.size());
    TrainStep step(network_, options);
    RunContext run(1, 1);
    EXPECT_NEAR(step.compute_gradients(rows().batch(), {}, run).loss, numbers_["value"], 1e-6);
    const auto gradient = step.gradient("users.weight");
    const auto expected = numbers_.at("gradient").get<std::vector<std::vector<double>>>();
    for (std::size_t r = 0, e = 0; r < expected.size(); ++r)
      for (const double value : expected[r]) EXPECT_NEAR(gradient[e++], value, 1e-7);
  }

 private:
  Loss loss(const Inputs& in) const {
    const Var all = users_(in.user());
    const Var positive = slice(all, 0, 1), negative = slice(all, 1, n_);
    if (numbers_["loss"] == "sampled_softmax") {
      const auto log_q = numbers_.value("log_q", std::vector<float>());
      return sampled_softmax_loss(positive, negative, in.targets(), in.negatives(), log_q);
    }
    const double beta = gbce_beta(n_, numbers_["n_items"], numbers_["t"]);
    EXPECT_NEAR(beta, numbers_["beta"], 1e-12);
    return gbce_loss(positive, negative, beta);
  }
  ToyRows rows() const {
    ToyRows rows(1);
    for (std::size_t r = 0; r < scores_.size(); ++r)
      rows.add(static_cast<UserId>(r), std::vector<ItemId>{1}, numbers_["targets"][r],
               numbers_["sampled"][r].get<std::vector<ItemId>>());
    return rows;
  }

  const Json& numbers_;
  std::vector<std::vector<float>> scores_;
  int n_;
  ToyNetwork network_;
  Embedding users_;
};

TEST(GoldenLosses, EqualPyTorch) {
  std::size_t cases = 0;
  for (const auto& file : testing::golden_files("losses", ".json")) {
    const Json golden = Json::parse(testing::read_text(file));
    for (const Json& numbers : golden.at("cases")) {
      SCOPED_TRACE(file.filename().string() + " " + numbers["loss"].get<std::string>() + " n " +
                   std::to_string(numbers["sampled"][0].size()));
      LossCase(numbers).check();
      ++cases;
    }
  }
  EXPECT_TRUE(testing::say_golden("losses", cases, "losses"));
}

}  // namespace
}  // namespace recloom::nn
