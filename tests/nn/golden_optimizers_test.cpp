// Every case of every file of the family "optimizer" among the golden models.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "kernels/vector.hpp"
#include "model/safetensors.hpp"
#include "nn/optim/optimizer.hpp"
#include "support/golden.hpp"

namespace recloom::nn {
namespace {

using Rows = std::map<std::int64_t, std::vector<float>>;

OptimizerOptions options_of(const Json& settings) {
  static const std::map<std::string, OptimizerKind> kinds{
      {"Adam", OptimizerKind::adam},       {"AdamW", OptimizerKind::adamw},
      {"SGD", OptimizerKind::sgd},         {"Adagrad", OptimizerKind::adagrad},
      {"RMSprop", OptimizerKind::rmsprop}, {"SparseAdam", OptimizerKind::sparse_adam}};
  OptimizerOptions options;
  options.kind = kinds.at(settings.at("optimizer").get<std::string>());
  options.weight_decay = settings.value("weight_decay", 0.0);
  if (settings.contains("betas")) {
    options.beta1 = settings["betas"][0];
    options.beta2 = settings["betas"][1];
  }
  if (settings.contains("eps")) options.epsilon = settings["eps"].get<double>();
  options.alpha = settings.value("alpha", options.alpha);
  options.momentum = settings.value("momentum", 0.0);
  options.nesterov = settings.value("nesterov", false);
  options.centered = settings.value("centered", false);
  options.rate_decay = settings.value("lr_decay", 0.0);
  options.initial_accumulator = settings.value("initial_accumulator_value", 0.0);
  return options;
}

class OptimizerCase : public ::testing::Test {
 public:
  OptimizerCase(std::filesystem::path file, std::string name)
      : path_(std::move(file)), name_(std::move(name)), file_(path_.string()) {}

  void TestBody() override {
    const Json settings = Json::parse(file_.metadata().at("case." + name_));
    ASSERT_EQ(settings.value("dampening", 0.0), 0.0) << "not an option of recloom";
    ASSERT_FALSE(settings.value("amsgrad", false)) << "not an option of recloom";
    const TensorView& out = tensor("out." + name_);
    steps_ = static_cast<std::size_t>(out.shape[0]);
    const std::size_t rows = static_cast<std::size_t>(out.shape[1]);
    columns_ = static_cast<std::size_t>(out.shape[2]);
    size_ = rows * columns_;
    const auto start = tensor("input.init").as<float>(),
               start_b = tensor("input.init_b").as<float>();
    std::vector<float> a(start.begin(), start.end()), b(start_b.begin(), start_b.end());
    const bool two = file_.find("out." + name_ + ".b") != nullptr;

    std::vector<OptimizerTensor> tensors{{"a", a, columns_}};
    if (two) tensors.push_back({"b", b, 1});
    Optimizer optimizer(options_of(settings), tensors);
    for (std::size_t step = 0; step < steps_; ++step) {
      optimizer.begin_step(settings.at("lr"));
      take_step(optimizer, settings.at("gradient"), step, two);
      compare("out." + name_, a, step * size_);
      if (two) compare("out." + name_ + ".b", b, step * b.size());
      if (HasFatalFailure()) return;
    }
    for (const OptimizerTensor& state : optimizer.state())
      if (state.name.starts_with("a."))
        compare("out." + name_ + ".state." + state.name.substr(2), state.values, 0);
    EXPECT_EQ(optimizer.steps(), static_cast<std::int64_t>(steps_));
  }

 private:
  const TensorView& tensor(const std::string& name) const {
    const TensorView* found = file_.find(name);
    if (found == nullptr) throw std::runtime_error("no tensor " + name + " in " + path_.string());
    return *found;
  }

  void take_step(Optimizer& optimizer, const std::string& kind, std::size_t step, bool two) {
    if (kind == "dense") {
      optimizer.update(0, 0, tensor("input.grad_dense").as<float>().subspan(step * size_, size_),
                       1);
    } else if (kind.starts_with("clip:")) {
      ASSERT_TRUE(two);
      clipped_step(optimizer, kind.substr(5), step);
    } else {
      const Rows rows = rows_of(step, kind.starts_with("rowsdup"));
      if (optimizer.sparse()) {
        ASSERT_TRUE(kind.ends_with("-sparse"));
        for (const auto& [row, gradient] : rows)
          optimizer.update_row(0, static_cast<std::size_t>(row), gradient, 1);
        return;
      }
      std::vector<float> dense(size_);
      for (const auto& [row, gradient] : rows)
        std::copy(gradient.begin(), gradient.end(),
                  dense.begin() + row * static_cast<std::int64_t>(columns_));
      optimizer.update(0, 0, dense, 1);
    }
  }

  /// Gradients by row, those of a row that occurs twice added.
  Rows rows_of(std::size_t step, bool with_duplicates) const {
    const TensorView& ids = tensor(with_duplicates ? "input.rows_dup" : "input.rows");
    const auto per_step = static_cast<std::size_t>(ids.shape[1]);
    const auto values = tensor("input.row_grad").as<float>();
    Rows rows;
    for (std::size_t i = 0; i < per_step; ++i) {
      auto& sum = rows[ids.as<std::int64_t>()[step * per_step + i]];
      sum.resize(columns_);
      for (std::size_t c = 0; c < columns_; ++c)
        sum[c] += values[(step * per_step + i) * columns_ + c];
    }
    return rows;
  }

  /// `rule` is "<norm>:<max norm>"; both tensors share one norm.
  void clipped_step(Optimizer& optimizer, const std::string& rule, std::size_t step) {
    const auto a = tensor("input.clip_grad").as<float>().subspan(step * size_, size_);
    const auto all_b = tensor("input.clip_grad_b").as<float>();
    const auto b = all_b.subspan(step * (all_b.size() / steps_), all_b.size() / steps_);
    double norm = 0;
    if (rule.starts_with("inf:")) {
      for (const std::span<const float> g : {a, b})
        for (const float x : g) norm = std::max(norm, std::abs(static_cast<double>(x)));
    } else {
      ASSERT_TRUE(rule.starts_with("2:")) << rule;
      norm = std::sqrt(kernels::squared_norm(a.size(), a.data()) +
                       kernels::squared_norm(b.size(), b.data()));
    }
    EXPECT_NEAR(norm, tensor("out." + name_ + ".norm").as<double>()[step],
                tensor("tol.out." + name_ + ".norm").as<double>()[0]);
    const double limit = std::stod(rule.substr(rule.find(':') + 1));
    const auto scale = static_cast<float>(clip_scale(norm, limit));
    optimizer.update(0, 0, a, scale);
    optimizer.update(1, 0, b, scale);
  }

  /// |x - reference| <= tol, absolute; one tolerance or one per element.
  void compare(const std::string& name, std::span<const float> values, std::size_t first) const {
    const auto reference = tensor(name).as<double>();
    const auto tolerance = tensor("tol." + name).as<double>();
    ASSERT_LE(first + values.size(), reference.size()) << name;
    for (std::size_t i = 0; i < values.size(); ++i)
      ASSERT_NEAR(values[i], reference[first + i], tolerance[tolerance.size() == 1 ? 0 : first + i])
          << name << " element " << first + i;
  }

  std::filesystem::path path_;
  std::string name_;
  SafetensorsFile file_;
  std::size_t steps_ = 0, columns_ = 0, size_ = 0;
};

/// Register one test per case. @return how many there are.
std::size_t register_cases() {
  std::size_t count = 0;
  for (const std::filesystem::path& path : testing::golden_files("models", ".safetensors")) {
    const SafetensorsFile file(path.string());
    const auto family = file.metadata().find("family");
    if (family == file.metadata().end() || family->second != "optimizer") continue;
    for (const auto& [key, settings] : file.metadata()) {
      if (!key.starts_with("case.")) continue;
      const std::string name = key.substr(5);
      ::testing::RegisterTest(
          "golden_optimizers", name.c_str(), nullptr, settings.c_str(), __FILE__, __LINE__,
          [path, name]() -> ::testing::Test* { return new OptimizerCase(path, name); });
      ++count;
    }
  }
  return count;
}

}  // namespace
}  // namespace recloom::nn

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const std::size_t cases = recloom::nn::register_cases();
  if (!recloom::testing::say_golden("optimizers", cases, "models")) return 1;
  return RUN_ALL_TESTS();
}
