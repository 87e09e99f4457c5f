#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "nn/op_check.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

/// y = f(x) of the history's vectors.
OpCase unary(const std::string& name, std::function<Var(Var)> record,
             std::function<double(double)> naive, double low = -1.5, double high = 1.5) {
  return {name,
          {{"items", {kItems, kSize}, low, high}},
          [record](const Recorder& r) { return record(r.x()); },
          [naive](const NaiveRow& row) {
            Values y = row.x();
            for (double& value : y) value = naive(value);
            return y;
          }};
}

TEST(ElementwiseOps, UnaryFunctions) {
  check(unary("tanh", tanh, [](double x) { return std::tanh(x); }));
  check(unary("sigmoid", sigmoid, logistic));
  check(unary("exp", exp, [](double x) { return std::exp(x); }));
  check(unary(
      "log", log, [](double x) { return std::log(x); }, 0.3, 3));
  check(unary(
      "power", [](Var x) { return power(x, -0.5); }, [](double x) { return 1 / std::sqrt(x); }, 0.3,
      3));
  check(unary(
      "offset", [](Var x) { return x + 0.75; }, [](double x) { return x + 0.75; }));
  check(unary(
      "scale", [](Var x) { return -2.5 * x; }, [](double x) { return -2.5 * x; }));
}

TEST(ElementwiseOps, Activations) {
  const auto activation = [](const char* name, Activation f, std::function<double(double)> naive) {
    check(unary(
        name, [f](Var x) { return activate(x, f); }, naive));
  };
  activation("identity", Activation::identity, [](double x) { return x; });
  activation("tanh", Activation::tanh, [](double x) { return std::tanh(x); });
  activation("sigmoid", Activation::sigmoid, logistic);
  activation("gelu", Activation::gelu,
             [](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2))); });
  activation("swish", Activation::swish, [](double x) { return x * logistic(x); });
}

TEST(ElementwiseOps, ReluAwayFromZero) {
  const auto naive = [](double x) {
    kink_at(std::abs(x));
    return std::max(x, 0.0);
  };
  check(unary("relu", relu, naive));
  check(unary(
      "activate relu", [](Var x) { return activate(x, Activation::relu); }, naive));
}

TEST(ElementwiseOps, ReluLetsNaNThrough) {
  ToyNetwork network({kUsers, kItems, kLength});
  const Parameter items = network.parameter("items", {kItems, 1}, zeros());
  std::vector<float> values(kItems, -1.0F);
  values[2] = std::nanf("");
  items.assign(values);
  ToyRows rows(kLength);
  rows.add(1, {1, 2}, 3);
  const auto y = run_forward(network, rows.batch(), [&](const Inputs& in) {
    return relu(Embedding(network.at("other"), kItems, 1, zeros())(in.history().ids()) +
                Recorder{network, in}.x());
  });
  EXPECT_EQ(y[0], 0);
  EXPECT_TRUE(std::isnan(y[1]));
}

/// A tensor of one row, with PyTorch's broadcasting: element (i, j, k) by indices that stay 0 along
/// extents of 1 and along missing leading axes.
double element(const Values& values, const Shape& s, std::array<int, 3> index) {
  int offset = 0;
  for (int axis = 0; axis < s.rank; ++axis) {
    const int i = index[static_cast<std::size_t>(axis + 3 - s.rank)];
    offset = offset * s.extent[axis] + (s.extent[axis] == 1 ? 0 : i);
  }
  return values[static_cast<std::size_t>(offset)];
}

Values broadcast(char op, const Values& a, const Shape& sa, const Values& b, const Shape& sb) {
  std::array<int, 3> extent{1, 1, 1};
  for (const Shape& s : {sa, sb})
    for (int axis = 0; axis < s.rank; ++axis) {
      int& e = extent[static_cast<std::size_t>(axis + 3 - s.rank)];
      e = std::max(e, s.extent[axis]);
    }
  Values y;
  for (int i = 0; i < extent[0]; ++i)
    for (int j = 0; j < extent[1]; ++j)
      for (int k = 0; k < extent[2]; ++k) {
        const double p = element(a, sa, {i, j, k}), q = element(b, sb, {i, j, k});
        y.push_back(op == '+' ? p + q : op == '-' ? p - q : p * q);
      }
  return y;
}

struct Operand2 {
  const char* name;
  Shape shape;
  std::function<Var(const Recorder&)> record;
  std::function<Values(const NaiveRow&)> naive;
};

/// Row tensors of every rank that a network meets.
std::vector<Operand2> row_operands() {
  const auto tail = [](Values v, std::size_t n) {
    v.resize(n);
    return v;
  };
  return {
      {"x [4, 3]",
       {4, 3},
       [](const Recorder& r) { return r.x(); },
       [](const NaiveRow& n) { return n.x(); }},
      {"v [3]",
       {3},
       [](const Recorder& r) { return r.v(); },
       [](const NaiveRow& n) { return n.v(); }},
      {"column [3, 1]",
       {3, 1},
       [](const Recorder& r) { return column(r.v()); },
       [](const NaiveRow& n) { return n.v(); }},
      {"times [4, 1]",
       {4, 1},
       [](const Recorder& r) { return slice(r.x(), 0, 1); },
       [](const NaiveRow& n) {
         const Values x = n.x();
         return Values{x[0], x[3], x[6], x[9]};
       }},
      {"one [1]",
       {1},
       [](const Recorder& r) { return slice(r.v(), 0, 1); },
       [tail](const NaiveRow& n) { return tail(n.v(), 1); }},
      {"scalar []",
       {},
       [](const Recorder& r) { return sum(r.v()); },
       [](const NaiveRow& n) { return Values{n.v()[0] + n.v()[1] + n.v()[2]}; }},
      {"wide [4, 3, 1]",
       {4, 3, 1},
       [](const Recorder& r) { return column(r.x()); },
       [](const NaiveRow& n) { return n.x(); }},
  };
}

bool fits(const Shape& a, const Shape& b) {
  for (int axis = 1; axis <= std::min(a.rank, b.rank); ++axis) {
    const int p = a.extent[a.rank - axis], q = b.extent[b.rank - axis];
    if (p != q && p != 1 && q != 1) return false;
  }
  return true;
}

TEST(ElementwiseOps, BroadcastingOfTwoRowTensors) {
  int legal = 0;
  for (const Operand2& a : row_operands())
    for (const Operand2& b : row_operands()) {
      if (!fits(a.shape, b.shape)) continue;
      ++legal;
      for (const char op : {'+', '-', '*'})
        check(OpCase{std::string(a.name) + " " + op + " " + b.name,
                     {},
                     [&](const Recorder& r) {
                       const Var p = a.record(r), q = b.record(r);
                       return op == '+' ? p + q : op == '-' ? p - q : p * q;
                     },
                     [&](const NaiveRow& n) {
                       return broadcast(op, a.naive(n), a.shape, b.naive(n), b.shape);
                     }});
    }
  EXPECT_GE(legal, 30);
}

TEST(ElementwiseOps, BroadcastingOfRowTensorAndParameter) {
  int legal = 0;
  for (const Operand2& a : row_operands())
    for (const Shape& shape : {Shape{4, 3}, Shape{3}, Shape{1}, Shape{4, 1}, Shape{1, 3}, Shape{},
                               Shape{2, 4, 3}, Shape{2, 1, 1}}) {
      if (!fits(a.shape, shape)) continue;
      ++legal;
      for (const char op : {'+', '*'})
        check(OpCase{
            std::string(a.name) + " " + op + " parameter of rank " + std::to_string(shape.rank),
            {{"b", shape}},
            [&](const Recorder& r) {
              return op == '+' ? a.record(r) + r.p("b") : a.record(r) * r.p("b");
            },
            [&](const NaiveRow& n) {
              return broadcast(op, a.naive(n), a.shape, n.p("b"), shape);
            }});
    }
  EXPECT_GE(legal, 35);
}

TEST(ElementwiseOps, SameTensorTwiceAndUsedAgain) {
  check({"x * x + x",
         {},
         [](const Recorder& r) {
           const Var x = r.x();
           return x * x + x;
         },
         [](const NaiveRow& n) {
           Values y = n.x();
           for (double& value : y) value = value * value + value;
           return y;
         }});
}

TEST(ElementwiseOps, ShapesThatDoNotFitAreRefusedByName) {
  ToyNetwork network({kUsers, kItems, kLength});
  network.parameter("items", {kItems, kSize}, zeros());
  network.parameter("users", {kUsers, 2}, zeros());
  ToyRows rows = case_rows(0);
  try {
    run_forward(network, rows.batch(), [&](const Inputs& in) {
      const Recorder r{network, in};
      return r.x() * r.v();
    });
    FAIL() << "no error";
  } catch (const ModelError& e) {
    EXPECT_STREQ(e.what(), "multiply: shapes [4, 3] and [2] do not fit");
  }
}

TEST(ElementwiseOps, DetachStopsTheGradient) {
  ToyNetwork network({kUsers, kItems, kLength});
  fill(network.parameter("items", {kItems, kSize}, zeros()), -1, 1);
  fill(network.parameter("users", {kUsers, kSize}, zeros()), -1, 1);
  network.on_loss = [&](const Inputs& in) {
    const Recorder r{network, in};
    return mean(sum(detach(r.v()) * r.v()) + sum(detach(exp(sum_over_time(r.x())))));
  };
  const auto step = step_over_cases(network);
  const auto users = network.parameters().find("users").values();
  const std::array<float, kUsers> lookups{1, 2, 1, 1};  // of each user in the five rows
  for (std::size_t e = 0; e < users.size(); ++e)
    EXPECT_FLOAT_EQ(step->gradient("users")[e], users[e] * lookups[e / kSize] / 5);
  for (const float g : step->gradient("items")) EXPECT_EQ(g, 0);
}

TEST(Elementwise, AViewThatOnlyADetachedNodeReadsLeavesOtherGradientsAlone) {
  ToyNetwork network({kUsers, kItems, kLength});
  fill(network.parameter("items", {kItems, kSize}, zeros()), -1, 1);
  fill(network.parameter("users", {kUsers, kSize}, zeros()), -1, 1);
  const auto gradients = [&](bool view_first) {
    network.on_loss = [&](const Inputs& in) {
      const Recorder r{network, in};
      const Var s = tanh(r.x());
      const Var w = sum(sum_over_time(exp(s)));  // reads s before the view does
      const Var n = tanh(exp(r.v()));
      const Var fixed = view_first ? detach(flatten(s)) : flatten(detach(s));
      return mean(w + sum(n * slice(fixed, 0, kSize)));
    };
    const auto step = step_over_cases(network);
    std::vector<float> all;
    for (const char* name : {"items", "users"})
      all.insert(all.end(), step->gradient(name).begin(), step->gradient(name).end());
    return all;
  };
  const std::vector<float> got = gradients(true);
  EXPECT_EQ(got, gradients(false));
  EXPECT_GT(std::ranges::count_if(got, [](float g) { return g != 0; }), 10);
}

}  // namespace
}  // namespace recloom::nn
