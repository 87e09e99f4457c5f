// train.convolution on its way to the network.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "recloom/nn/network_recommender.hpp"
#include "recloom/train/trainer.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

/// Convolves what is no looked-up history.
class ConvolvedSums final : public NetworkRecommender {
 public:
  explicit ConvolvedSums(const Catalogue& catalogue) : NetworkRecommender(catalogue) {
    items_ = nn::Embedding(at("item_embedding"), catalogue.n_items, 8, nn::normal(0.1));
    conv_.emplace_back(at("conv"), 8, 8, 2);
  }
  nn::Var forward(const nn::Inputs& in) const override {
    const nn::Var x = items_(in.history().ids()) + 0.5;
    return conv_max_over_time(conv_, x, nn::Activation::relu).named("maxima");
  }
  nn::ItemHead item_head() const override { return {.tables = {items_.weight}}; }

 private:
  nn::Embedding items_;
  std::vector<nn::TimeConv> conv_;
};

/// What a training of one step says.
std::string said(nn::Convolution way) {
  testing::TemporaryFolder folder;
  std::string log;
  for (const char* user : {"u1", "u2", "u3"}) log += std::string(user) + " i1 i2 i3 i4 i5 i6\n";
  DataOptions data;
  data.format = FileFormat::sequences;
  data.max_length = 4;
  RunContext run(1, 1);
  const Dataset dataset = Dataset::open(folder.write("log.txt", log), data, {}, run);
  ConvolvedSums model(dataset.catalogue());
  model.ready();
  TrainJob job;
  job.train.convolution = way;
  job.train.max_steps = 1;
  job.train.eval_every = 0;
  ::testing::internal::CaptureStderr();
  train_model(model, dataset, job, run);
  EXPECT_EQ(model.convolution(), way);
  return ::testing::internal::GetCapturedStderr();
}

TEST(TrainConvolution, IsFollowedOrSaidWhereItIsNot) {
  EXPECT_NE(said(nn::Convolution::taps)
                .find("train.convolution = taps: 'maxima' is not over looked-up histories whose "
                      "rows are computed apart: computed by windows"),
            std::string::npos);
  for (const auto way :
       {nn::Convolution::automatic, nn::Convolution::dnnl, nn::Convolution::windows})
    EXPECT_EQ(said(way), "");
}

}  // namespace
}  // namespace recloom
