#include "kernels/self_test.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "kernels/conv.hpp"
#include "kernels/dnnl_gemm.hpp"
#include "kernels/optimizer_kernels.hpp"
#include "kernels/vector.hpp"

namespace recloom::kernels {
namespace {

using Floats = std::vector<float>;

/// n numbers between -1 and 1 without a pattern that an error could keep.
Floats numbers(int n, int salt) {
  Floats values;
  for (int i = 0; i < n; ++i) values.push_back(static_cast<float>(std::sin(i * 1.7 + salt)));
  return values;
}

/// The largest difference found so far, for sums of products of such numbers.
class Compare {
 public:
  explicit Compare(double allowed = 1e-5) : allowed_(allowed) {}
  void operator()(double got, double expected) {
    const double difference = std::abs(got - expected);
    worst_ = difference <= worst_ ? worst_ : difference;  // NaN is taken over.
  }
  SelfTestResult result(std::string name) const {
    return {std::move(name), worst_ <= allowed_,
            fmt::format("largest error {:.1e}, allowed {:.0e}", worst_, allowed_)};
  }

 private:
  double allowed_, worst_ = 0;
};

SelfTestResult gemm_result(GemmPath path) {
  Compare compare;
  constexpr int kM = 9, kN = 17, kK = 21;
  const Floats a = numbers(kM * kK, 1), b = numbers(kK * kN, 2), start = numbers(kM * kN, 3);
  for (int flags = 0; flags < 8; ++flags) {
    const bool ta = flags & 1, tb = flags & 2, accumulate = flags & 4;
    Floats c = start;
    gemm({.transpose_a = ta,
          .transpose_b = tb,
          .m = kM,
          .n = kN,
          .k = kK,
          .a = a.data(),
          .lda = ta ? kM : kK,
          .b = b.data(),
          .ldb = tb ? kK : kN,
          .c = c.data(),
          .ldc = kN,
          .accumulate = accumulate},
         path);
    for (int row = 0; row < kM; ++row)
      for (int column = 0; column < kN; ++column) {
        double sum = accumulate ? start[row * kN + column] : 0;
        for (int i = 0; i < kK; ++i)
          sum += double{a[ta ? i * kM + row : row * kK + i]} *
                 b[tb ? column * kK + i : i * kN + column];
        compare(c[row * kN + column], sum);
      }
  }
  return compare.result(path == GemmPath::matmul ? "gemm (matmul)" : "gemm (sgemm)");
}

/// Visit every product of a convolution: f(index of src, of weights, of dst).
void for_products(const Conv1d& s, int rows, const std::function<void(int, int, int)>& f) {
  for (int row = 0; row < rows; ++row)
    for (int t = 0; t < s.positions(); ++t)
      for (int filter = 0; filter < s.filters; ++filter)
        for (int j = 0; j < s.height; ++j)
          for (int c = 0; c < s.channels; ++c)
            f((row * s.length + t + j) * s.channels + c, (filter * s.height + j) * s.channels + c,
              (row * s.positions() + t) * s.filters + filter);
}

struct ConvData {
  static constexpr int kRows = 3;
  Conv1d shape;
  Floats src, weights, d_dst;
  ConvFilters filters;
  ConvData(int channels, int height)
      : shape{.length = 10, .channels = channels, .filters = 6, .height = height},
        src(numbers(kRows * shape.length * channels, 1)),
        weights(numbers(shape.filters * height * channels, 2)),
        d_dst(numbers(kRows * shape.positions() * shape.filters, 4)),
        filters(shape, true) {
    filters.assign(weights.data());
  }
};

void compare_forward(const ConvData& d, Compare& compare) {
  Floats dst(d.d_dst.size()), at_t(static_cast<std::size_t>(ConvData::kRows * d.shape.filters));
  for (int t = 0; t < d.shape.positions(); ++t) {
    d.filters.windows(ConvData::kRows, t, d.src.data(), at_t.data());
    for (int row = 0; row < ConvData::kRows; ++row)
      std::copy_n(at_t.data() + row * d.shape.filters, d.shape.filters,
                  dst.data() + (row * d.shape.positions() + t) * d.shape.filters);
  }
  std::vector<double> expected(dst.size());
  for_products(d.shape, ConvData::kRows, [&](int s, int w, int o) {
    expected[static_cast<std::size_t>(o)] += double{d.src[s]} * d.weights[w];
  });
  for (std::size_t i = 0; i < dst.size(); ++i) compare(dst[i], expected[i]);
}

void compare_backward(const ConvData& d, Compare& data, Compare& weights) {
  Floats d_src(d.src.size()), d_weights(d.weights.size());
  d.filters.backward(ConvData::kRows, d.src.data(), d.d_dst.data(), d_src.data(), d_weights.data());
  std::vector<double> src(d_src.size()), w(d_weights.size());
  for_products(d.shape, ConvData::kRows, [&](int s, int k, int o) {
    src[static_cast<std::size_t>(s)] += double{d.d_dst[o]} * d.weights[k];
    w[static_cast<std::size_t>(k)] += double{d.d_dst[o]} * d.src[s];
  });
  for (std::size_t i = 0; i < src.size(); ++i) data(d_src[i], src[i]);
  for (std::size_t i = 0; i < w.size(); ++i) weights(d_weights[i], w[i]);
}

void add_convolutions(std::vector<SelfTestResult>& results) {
  Compare forward, data, weights;
  // One channel, a height of the whole length and a height of one are where libraries go wrong;
  // tall filters come in pieces.
  for (const auto& [channels, height] : {std::pair{10, 3}, {1, 3}, {4, 10}, {16, 1}}) {
    const ConvData d(channels, height);
    compare_forward(d, forward);
    compare_backward(d, data, weights);
  }
  results.push_back(forward.result("convolution forward"));
  results.push_back(data.result("convolution backward, data"));
  results.push_back(weights.result("convolution backward, weights"));
}

SelfTestResult vector_result() {
  Compare compare;
  constexpr int kN = 37;
  const Floats x = numbers(kN, 1), y = numbers(kN, 2);
  Floats z = y;
  axpy(kN, 0.5F, x.data(), z.data());
  double product = 0;
  for (int i = 0; i < kN; ++i) {
    compare(z[i], y[i] + 0.5 * x[i]);
    product += double{x[i]} * y[i];
  }
  compare(dot(kN, x.data(), y.data()), product);
  return compare.result("vector loops");
}

SelfTestResult cross_entropy_result() {
  Compare compare(1e-6);
  constexpr int kN = 37, kTarget = 5;
  const Floats x = numbers(kN, 1);
  Floats gradient = x;
  double total = 0;
  for (const float v : x) total += std::exp(double{v});
  compare(cross_entropy_row(kN, kTarget, 1, gradient.data()), std::log(total) - x[kTarget]);
  for (int i = 0; i < kN; ++i)
    compare(gradient[i], std::exp(double{x[i]}) / total - (i == kTarget ? 1 : 0));
  return compare.result("softmax cross-entropy");
}

// Words of Philox4x32-10 for counter 0 and key 0, as its authors published them.
SelfTestResult dropout_result() {
  constexpr double kWords[] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  const Floats ones(4, 1.0F);
  Compare compare(0);
  for (const double p : {0.3, 0.5, 0.7, 0.8}) {
    Floats y(4);
    dropout(0, 0, p, 4, ones.data(), y.data(), false);
    for (int i = 0; i < 4; ++i)
      compare(y[i], kWords[i] >= p * 0x1p32 ? static_cast<float>(1 / (1 - p)) : 0.0F);
  }
  return compare.result("dropout mask");
}

SelfTestResult adam_result() {
  Compare compare;
  constexpr int kN = 37;
  const Floats gradient = numbers(kN, 1), start = numbers(kN, 2);
  Floats p = start, m(kN), v(kN);
  const AdamUpdate u{.one_minus_beta1 = 0.1F,
                     .beta2 = 0.999F,
                     .one_minus_beta2 = 0.001F,
                     .step = 0.01F,
                     .correction = 0.03F,
                     .epsilon = 1e-8F};
  adam_update(kN, u, gradient.data(), p.data(), m.data(), v.data());
  for (int i = 0; i < kN; ++i) {
    const double g = gradient[i];
    compare(p[i], start[i] - 0.01 * 0.1 * g / (std::sqrt(0.001 * g * g) / 0.03 + 1e-8));
  }
  return compare.result("Adam update");
}

}  // namespace

std::vector<SelfTestResult> self_test() {
  std::vector<SelfTestResult> results;
  const auto run = [&](const char* name, const std::function<void()>& body) {
    try {
      body();
    } catch (const std::exception& e) {
      results.push_back({name, false, e.what()});
    }
  };
  run("gemm (matmul)", [&] { results.push_back(gemm_result(GemmPath::matmul)); });
  run("gemm (sgemm)", [&] { results.push_back(gemm_result(GemmPath::sgemm)); });
  run("convolution", [&] { add_convolutions(results); });
  run("vector loops", [&] { results.push_back(vector_result()); });
  run("softmax cross-entropy", [&] { results.push_back(cross_entropy_result()); });
  run("dropout mask", [&] { results.push_back(dropout_result()); });
  run("Adam update", [&] { results.push_back(adam_result()); });
  return results;
}

}  // namespace recloom::kernels
