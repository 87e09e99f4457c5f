#pragma once
#include <oneapi/dnnl/dnnl.hpp>

#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
#include <omp.h>
#elif DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_TBB
#include <tbb/task_arena.h>
#endif

#include <signal.h>

#include <cstddef>
#include <string>
#include <utility>

#include "recloom/core/error.hpp"

// Everything in which oneDNN 2.x and 3.x, and their threading runtimes, differ. Only kernels/dnnl_*
// include it.
namespace recloom::kernels::dnnl_compat {

/// Keeps signals from this thread. oneDNN's generated code (seen in 2.6's AVX2 matrix product)
/// keeps data below the stack pointer, farther down than the 128 bytes that a signal handler
/// spares: a handler that runs on top of it corrupts what the code writes next. Faults are not held
/// back: of a blocked one the system only knows to kill, without a word to sanitizer or debugger.
class SignalsHeldBack {
 public:
  SignalsHeldBack() {
    sigset_t most;
    sigfillset(&most);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS})
      sigdelset(&most, fault);
    pthread_sigmask(SIG_BLOCK, &most, &before_);
  }
  ~SignalsHeldBack() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeldBack(const SignalsHeldBack&) = delete;
  SignalsHeldBack& operator=(const SignalsHeldBack&) = delete;

 private:
  sigset_t before_;
};

/// Call f while oneDNN is limited to one thread and no signal can interrupt it, and leave both as
/// they were. The creation and the execution of a primitive must be inside: the limit is read each
/// time.
template <class F>
void with_one_thread(F&& f) {
  const SignalsHeldBack quiet;
#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
  struct Limit {
    int before = omp_get_max_threads();
    Limit() {
      if (before != 1) omp_set_num_threads(1);
    }
    ~Limit() {
      if (before != 1) omp_set_num_threads(before);
    }
  } limit;
  std::forward<F>(f)();
#elif DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_TBB
  if (tbb::this_task_arena::max_concurrency() == 1) {
    std::forward<F>(f)();
  } else {
    thread_local tbb::task_arena alone(1);
    alone.execute(std::forward<F>(f));
  }
#else
  std::forward<F>(f)();
#endif
}

inline const char* runtime_name() {
#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
  return "OpenMP";
#elif DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_TBB
  return "TBB";
#elif DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_THREADPOOL
  return "threadpool";
#else
  return "sequential";
#endif
}

/// The process's only engine. Made before oneDNN does anything else, since RECLOOM_ISA holds for
/// oneDNN too, and that is open until its first call.
dnnl::engine& engine();

/// This thread's stream; work on it is done when execute() returns.
inline dnnl::stream& stream() {
  thread_local dnnl::stream stream(engine());
  return stream;
}

/// Attributes of every primitive: the caller brings the scratchpad. With oneDNN's own one, either
/// two threads share it (builds with concurrent execution) or a primitive may not leave the thread
/// that made it (the others).
inline dnnl::primitive_attr user_scratchpad() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

/// Turn an error of oneDNN into ours: they are not the user's fault.
[[noreturn]] inline void fail(const std::string& what, const dnnl::error& e) {
  throw InternalError("oneDNN cannot run " + what + ": " + e.what());
}

inline dnnl::matmul::primitive_desc matmul(const dnnl::memory::desc& a, const dnnl::memory::desc& b,
                                           const dnnl::memory::desc& c,
                                           const dnnl::primitive_attr& attr) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), a, b, c, attr};
#else
  return {dnnl::matmul::desc(a, b, c), attr, engine()};
#endif
}

/// Memory that a convolution over time works on, without bias and padding.
struct ConvDescs {
  dnnl::memory::desc src, weights, dst;
  dnnl::memory::dim stride = 1;
};

inline dnnl::convolution_forward::primitive_desc conv_forward(const ConvDescs& m,
                                                              const dnnl::primitive_attr& attr) {
  constexpr auto kProp = dnnl::prop_kind::forward_training;
  constexpr auto kAlgorithm = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), kProp, kAlgorithm, m.src, m.weights, m.dst, {m.stride}, {0}, {0}, attr};
#else
  return {{kProp, kAlgorithm, m.src, m.weights, m.dst, {m.stride}, {0}, {0}}, attr, engine()};
#endif
}

inline dnnl::convolution_backward_data::primitive_desc conv_backward_data(
    const ConvDescs& m, const dnnl::primitive_attr& attr,
    const dnnl::convolution_forward::primitive_desc& forward) {
  constexpr auto kAlgorithm = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), kAlgorithm, m.src, m.weights, m.dst, {m.stride}, {0}, {0}, forward, attr};
#else
  return {{kAlgorithm, m.src, m.weights, m.dst, {m.stride}, {0}, {0}}, attr, engine(), forward};
#endif
}

inline dnnl::convolution_backward_weights::primitive_desc conv_backward_weights(
    const ConvDescs& m, const dnnl::primitive_attr& attr,
    const dnnl::convolution_forward::primitive_desc& forward) {
  constexpr auto kAlgorithm = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), kAlgorithm, m.src, m.weights, m.dst, {m.stride}, {0}, {0}, forward, attr};
#else
  return {{kAlgorithm, m.src, m.weights, m.dst, {m.stride}, {0}, {0}}, attr, engine(), forward};
#endif
}

}  // namespace recloom::kernels::dnnl_compat
