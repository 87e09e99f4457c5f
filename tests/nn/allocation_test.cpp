// Counts what a warm step allocates. This executable replaces operator new, so it has no other
// test.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "nn/step/train_step.hpp"
#include "nn/toy_network.hpp"

namespace {
std::atomic<long> allocations{0};

void* counted(std::size_t size, std::size_t alignment) {
  ++allocations;
  void* p = nullptr;
  if (posix_memalign(&p, alignment < sizeof(void*) ? sizeof(void*) : alignment,
                     size == 0 ? 1 : size) != 0)
    throw std::bad_alloc();
  return p;
}
}  // namespace

// AddressSanitizer pairs operators of its own, so under it nothing is counted.
#if !defined(__SANITIZE_ADDRESS__)
void* operator new(std::size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new[](std::size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t a) {
  return counted(size, static_cast<std::size_t>(a));
}
void* operator new[](std::size_t size, std::align_val_t a) {
  return counted(size, static_cast<std::size_t>(a));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
#endif

namespace recloom::nn {
namespace {

/// Allocations of the second and the third step on `rows` rows, in shards of 256.
std::pair<long, long> allocations_of_warm_steps(std::size_t rows, const char* loss) {
  constexpr Catalogue catalogue{50, 300, 10};
  ToyNetwork network(catalogue);
  const Embedding items(network.at("items"), catalogue.n_items, 16, normal(0.1)),
      users(network.at("users"), catalogue.n_users, 16, normal(0.1));
  std::vector<TimeConv> convs;
  for (int h = 1; h <= 10; ++h) convs.emplace_back(network.at("conv", h - 1), 16, 4, h);
  const Gru gru(network.at("gru"), 16, 8);
  const TransformerEncoder encoder(network.at("encoder"), 16, {.layers = 1, .inner = 8});
  const Linear out(network.at("out"), 80, 16);
  network.parameters().initialise(1);
  network.head = {{items.weight}};
  network.on_forward = [&](const Inputs& in) {
    const Var x = items(in.history().ids());
    const Var h = conv_max_over_time(convs, x, Activation::relu);
    return relu(
        out(dropout(concat(h, in.history().last(gru(x)),
                           in.history().last(encoder(x, {.causal = true})), users(in.user())),
                    0.3)));
  };
  network.on_loss = [&](const Inputs& in) {
    return in.loss(network.forward(in), network.head) + 0.01 * norm(items.weight);
  };
  const bool pairs = std::string_view(loss) != "CE";
  const ToyRows data = random_rows(catalogue, rows, pairs ? 1 : 0);
  StepOptions options;
  options.loss = loss;
  options.batch_size = static_cast<int>(rows);
  TrainStep step(network, options);
  RunContext run(1, 1);
  step.run(data.batch(), {1, 1, 0}, 1e-3, run);
  const long start = allocations;
  step.run(data.batch(), {1, 1, 1}, 1e-3, run);
  const long second = allocations - start;
  step.run(data.batch(), {1, 1, 2}, 1e-3, run);
  return {second, allocations - start - second};
}

TEST(WarmStep, AllocatesNothingPerRow) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "allocations cannot be counted under AddressSanitizer";
#endif
  // From AVX-512 on, products are oneDNN's matmul primitive, which makes a list of its arguments in
  // each call: what is counted here is our own.
  setenv("RECLOOM_ISA", "avx2", 1);
  // What is left are short lists per task: one per piece of a parameter, one per group of rows of
  // the head. None grows with the rows.
  constexpr long kLimit = 200;
  for (const char* loss : {"CE", "BPR"}) {
    const auto few = allocations_of_warm_steps(600, loss);  // more than one shard
    const auto many = allocations_of_warm_steps(4096, loss);
    RecordProperty(std::string("allocations_") + loss, static_cast<int>(many.second));
    EXPECT_LE(many.first, kLimit) << loss;
    EXPECT_LE(many.second, kLimit) << loss;
    EXPECT_LE(many.second, few.second + 80) << loss;  // 3496 rows more
  }
}

}  // namespace
}  // namespace recloom::nn
