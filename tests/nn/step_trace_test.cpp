#include "nn/exec/step_trace.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "nn/step/train_step.hpp"
#include "nn/toy_network.hpp"

namespace recloom::nn {
namespace {

constexpr Catalogue kCatalogue{4, 12, 3};

struct Tiny {
  ToyNetwork network{kCatalogue};
  Embedding items{network.at("items"), kCatalogue.n_items, 4, normal(0.3)};
  Tiny() {
    network.parameters().initialise(1);
    network.head = {.tables = {items.weight}};
    network.on_forward = [this](const Inputs& in) {
      return sum_over_time(items(in.history().ids()));
    };
    network.ready();
  }
};

/// Not thread safe, as a profile is not.
class Listener final : public StepTrace {
 public:
  void turn_to(const TraceStep& step) override {
    phases.emplace_back(step.phase);
    others += std::this_thread::get_id() != own_ ? 1 : 0;
  }
  std::vector<std::string> phases;
  int others = 0;

 private:
  std::thread::id own_ = std::this_thread::get_id();
};

TEST(StepTrace, HearsOfItsOwnThreadAlone) {
  Tiny trained, serving;
  Listener listener;
  set_step_trace(&listener);
  const auto serve = [&serving] {
    const ToyRows rows = random_rows(kCatalogue, 5);
    std::vector<float> scores(rows.size() * serving.network.n_items());
    for (int call = 0; call < 20; ++call)
      serving.network.full_sort_predict(rows.batch(), {scores, serving.network.n_items()});
  };
  std::thread server(serve);
  StepOptions options;
  options.batch_size = 8;
  TrainStep step(trained.network, options);
  RunContext run(1, 1);
  const ToyRows rows = random_rows(kCatalogue, 8);
  for (int s = 0; s < 20; ++s) step.run(rows.batch(), {}, 0.01, run);
  server.join();
  set_step_trace(nullptr);
  EXPECT_EQ(listener.others, 0);
  const auto heard = listener.phases.size();
  ASSERT_GT(heard, 0U);
  EXPECT_EQ(listener.phases.front(), "load rows");
  EXPECT_EQ(listener.phases.back(), "between steps");
  step.run(rows.batch(), {}, 0.01, run);
  EXPECT_EQ(listener.phases.size(), heard) << "told after it had been taken away";
}

}  // namespace
}  // namespace recloom::nn
