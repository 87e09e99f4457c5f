#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "nn/op_check.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

/// Each vector of n numbers goes through f.
Values per_vector(const Values& x, std::size_t n, const std::function<Values(const Values&)>& f) {
  Values y;
  for (auto at = x.begin(); at != x.end(); at += static_cast<std::ptrdiff_t>(n)) {
    const Values part = f(Values(at, at + static_cast<std::ptrdiff_t>(n)));
    y.insert(y.end(), part.begin(), part.end());
  }
  return y;
}

Values naive_linear(const Values& x, const Values& weight, const Values* bias) {
  const std::size_t out = weight.size() / x.size();
  Values y(out);
  for (std::size_t o = 0; o < out; ++o) {
    y[o] = bias ? (*bias)[o] : 0;
    for (std::size_t i = 0; i < x.size(); ++i) y[o] += weight[o * x.size() + i] * x[i];
  }
  return y;
}

TEST(LastAxisOps, Linear) {
  const std::vector<ParameterSpec> parameters{{"w", {5, kSize}}, {"b", {5}}};
  check({"vector with bias", parameters,
         [](const Recorder& r) { return linear(r.v(), r.p("w"), r.p("b")); },
         [](const NaiveRow& n) { return naive_linear(n.v(), n.p("w"), &n.p("b")); }});
  check({"vector without bias", parameters,
         [](const Recorder& r) { return linear(r.v(), r.p("w")); },
         [](const NaiveRow& n) { return naive_linear(n.v(), n.p("w"), nullptr); }});
  check({"leading axis with bias", parameters,
         [](const Recorder& r) { return linear(r.x(), r.p("w"), r.p("b")); },
         [](const NaiveRow& n) {
           return per_vector(n.x(), kSize,
                             [&](const Values& x) { return naive_linear(x, n.p("w"), &n.p("b")); });
         }});
  check({"two leading axes without bias",
         {{"w", {2, 1}}},
         [](const Recorder& r) { return linear(column(r.x()), r.p("w")); },
         [](const NaiveRow& n) {
           return per_vector(n.x(), 1,
                             [&](const Values& x) { return naive_linear(x, n.p("w"), nullptr); });
         }});
}

TEST(LastAxisOps, LinearOnItself) {
  const auto deep = [](const NaiveRow& n, const Values& v) {
    return naive_linear(naive_linear(v, n.p("w"), &n.p("b")), n.p("w"), &n.p("b"));
  };
  check({"one weight used twice",
         {{"w", {kSize, kSize}}, {"b", {kSize}}},
         [](const Recorder& r) {
           return linear(linear(r.v(), r.p("w"), r.p("b")), r.p("w"), r.p("b"));
         },
         [&](const NaiveRow& n) { return deep(n, n.v()); }});
}

Values naive_norm(const Values& x, const Values& gain, const Values& bias, double epsilon) {
  double mean = 0, variance = 0;
  for (const double value : x) mean += value / static_cast<double>(x.size());
  for (const double value : x) variance += (value - mean) * (value - mean);
  const double scale = 1 / std::sqrt(variance / static_cast<double>(x.size()) + epsilon);
  Values y;
  for (std::size_t e = 0; e < x.size(); ++e) y.push_back((x[e] - mean) * scale * gain[e] + bias[e]);
  return y;
}

TEST(LastAxisOps, LayerNorm) {
  const std::vector<ParameterSpec> parameters{{"gain", {kSize}, 0.5, 1.5}, {"bias", {kSize}}};
  for (const double epsilon : {1e-1, 1.0}) {
    check(
        {"of a vector", parameters,
         [=](const Recorder& r) { return layer_norm(r.v(), r.p("gain"), r.p("bias"), epsilon); },
         [=](const NaiveRow& n) { return naive_norm(n.v(), n.p("gain"), n.p("bias"), epsilon); }});
    check({"of every position", parameters,
           [=](const Recorder& r) { return layer_norm(r.x(), r.p("gain"), r.p("bias"), epsilon); },
           [=](const NaiveRow& n) {
             return per_vector(n.x(), kSize, [&](const Values& x) {
               return naive_norm(x, n.p("gain"), n.p("bias"), epsilon);
             });
           }});
  }
}

Values naive_softmax(const Values& x) {
  double total = 0;
  for (const double value : x) total += std::exp(value);
  Values y;
  for (const double value : x) y.push_back(std::exp(value) / total);
  return y;
}

TEST(LastAxisOps, Softmax) {
  check({"of a vector",
         {},
         [](const Recorder& r) { return softmax(r.v()); },
         [](const NaiveRow& n) { return naive_softmax(n.v()); }});
  check({"of every position",
         {},
         [](const Recorder& r) { return softmax(2 * r.x()); },
         [](const NaiveRow& n) {
           return per_vector(n.x(), kSize, [](Values x) {
             for (double& value : x) value *= 2;
             return naive_softmax(x);
           });
         }});
}

TEST(LastAxisOps, SoftmaxOfLargeNumbersStaysFinite) {
  ToyNetwork network({kUsers, kItems, kLength});
  const Parameter users = network.parameter("users", {kUsers, kSize}, zeros());
  users.assign(std::vector<float>{0, 0, 0, 1e4F, 1e4F, -1e4F, 0, 0, 0, 0, 0, 0});
  network.parameter("items", {kItems, kSize}, zeros());
  ToyRows rows(kLength);
  rows.add(1, {1}, 1);
  const auto y = run_forward(network, rows.batch(), [&](const Inputs& in) {
    return softmax(Recorder{network, in}.v());
  });
  EXPECT_EQ(y, (std::vector<float>{0.5F, 0.5F, 0}));
}

TEST(LastAxisOps, ConcatAndSlice) {
  check({"vectors",
         {},
         [](const Recorder& r) { return concat(r.v(), sum_over_time(r.x()), r.v()); },
         [](const NaiveRow& n) {
           Values y = n.v(), x = n.x();
           for (int e = 0; e < kSize; ++e)
             y.push_back(x[static_cast<std::size_t>(e)] + x[static_cast<std::size_t>(e + 3)] +
                         x[static_cast<std::size_t>(e + 6)] + x[static_cast<std::size_t>(e + 9)]);
           for (const double value : n.v()) y.push_back(value);
           return y;
         }});
  check({"positions, an empty part left out",
         {},
         [](const Recorder& r) { return concat(slice(r.x(), 1, 2), Var(), slice(r.x(), 0, 2)); },
         [](const NaiveRow& n) {
           return per_vector(n.x(), kSize, [](const Values& x) {
             return Values{x[1], x[2], x[0], x[1]};
           });
         }});
}

TEST(LastAxisOps, ConcatOfOnePartIsThePart) {
  check({"one part",
         {},
         [](const Recorder& r) { return concat(Var(), r.v()); },
         [](const NaiveRow& n) { return n.v(); }});
}

TEST(LastAxisOps, SumAndDot) {
  check({"sum of a vector",
         {},
         [](const Recorder& r) { return sum(r.v()); },
         [](const NaiveRow& n) { return Values{n.v()[0] + n.v()[1] + n.v()[2]}; }});
  check({"sum of every position",
         {},
         [](const Recorder& r) { return sum(r.x()); },
         [](const NaiveRow& n) {
           return per_vector(n.x(), kSize,
                             [](const Values& x) { return Values{x[0] + x[1] + x[2]}; });
         }});
  check({"positions with a vector",
         {},
         [](const Recorder& r) { return dot(r.x(), r.v()); },
         [](const NaiveRow& n) {
           const Values v = n.v();
           return per_vector(n.x(), kSize, [&](const Values& x) {
             return Values{x[0] * v[0] + x[1] * v[1] + x[2] * v[2]};
           });
         }});
}

TEST(LastAxisOps, FlattenColumnAndPick) {
  check({"flatten",
         {},
         [](const Recorder& r) { return flatten(r.x()); },
         [](const NaiveRow& n) { return n.x(); }});
  check({"column",
         {},
         [](const Recorder& r) { return column(column(r.v())); },
         [](const NaiveRow& n) { return n.v(); }});
  check({"pick, one place twice",
         {},
         [](const Recorder& r) {
           const Ids places = r.in.derive("places", 3, [](const Derivation& d, auto out) {
             out[0] = d.row.user % 3;
             out[1] = 2;
             out[2] = 2;
           });
           return pick(r.v(), places);
         },
         [](const NaiveRow& n) {
           const Values v = n.v();
           return Values{v[static_cast<std::size_t>(n.row.user % 3)], v[2], v[2]};
         }});
}

TEST(LastAxisOps, ShapesThatDoNotFitAreRefusedByName) {
  ToyNetwork network({kUsers, kItems, kLength});
  network.parameter("items", {kItems, kSize}, zeros());
  network.parameter("users", {kUsers, kSize}, zeros());
  const Parameter wide = network.parameter("wide", {5, 4}, zeros()),
                  square = network.parameter("square", {5, kSize}, zeros()),
                  four = network.parameter("four", {4}, zeros()),
                  three = network.parameter("three", {3}, zeros());
  ToyRows rows = case_rows(0);
  const auto refused = [&](const char* text, const std::function<Var(const Recorder&)>& record) {
    try {
      run_forward(network, rows.batch(), [&](const Inputs& in) { return record({network, in}); });
      ADD_FAILURE() << "no error, expected: " << text;
    } catch (const ModelError& e) {
      EXPECT_STREQ(e.what(), text);
    }
  };
  refused("linear: input [3] does not fit weight [5, 4]",
          [&](const Recorder& r) { return linear(r.v(), wide); });
  refused("linear: bias [4] does not fit weight [5, 3]",
          [&](const Recorder& r) { return linear(r.v(), square, four); });
  refused("layer_norm: input [4, 3] does not fit gain [4] and bias [3]",
          [&](const Recorder& r) { return layer_norm(r.x(), four, three, 1e-5); });
  refused("layer_norm: input [4, 3] does not fit gain [3] and bias [4]",
          [&](const Recorder& r) { return layer_norm(r.x(), three, four, 1e-5); });
  refused("concat: shapes [4, 3] and [3] do not fit",
          [&](const Recorder& r) { return concat(r.x(), r.v()); });
  refused("concat: every part is empty", [&](const Recorder&) { return concat(Var(), Var()); });
  refused("slice: 3 columns from 2 on of shape [4, 3]",
          [&](const Recorder& r) { return slice(r.x(), 2, 3); });
  refused("pick: shape [4, 3] is no vector",
          [&](const Recorder& r) { return pick(r.x(), r.in.history().ids()); });
  refused("column: [4, 3, 1, 1] has four axes",
          [&](const Recorder& r) { return column(column(column(r.x()))); });
}

}  // namespace
}  // namespace recloom::nn
