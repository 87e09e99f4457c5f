#include <fcntl.h>
#include <unistd.h>

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

/// A standard stream that is closed stays unusable: else the next file that is opened would take
/// its number, and messages would be written into a checkpoint.
void keep_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(stream, F_GETFD) < 0)
      open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);  // The lowest free number.
}

}  // namespace

int main(int argc, char** argv) {
  keep_standard_streams();
  return_large_blocks();
  // A closed pipe shows as an error of write(); a log that nobody reads must not end a training.
  std::signal(SIGPIPE, SIG_IGN);
  // So does a limit on the size of files, with the file's name.
  std::signal(SIGXFSZ, SIG_IGN);
  recloom::cli::handle_signals();
  recloom::name_plugins_in_crashes();
  return recloom::cli::run_program(argc, argv);
}
