#include <csignal>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "cli/command.hpp"

namespace {

/// Large blocks go back to the system when they are freed. Left alone, glibc keeps ever larger ones
/// once it has seen some: what reading and training are done with would count against evaluation.
void return_large_blocks() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  return_large_blocks();
  // A closed pipe shows as an error of write(); a log that nobody reads must not end a training.
  std::signal(SIGPIPE, SIG_IGN);
  return recloom::cli::run_program(argc, argv);
}
