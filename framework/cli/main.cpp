#include <csignal>

#include "cli/command.hpp"

int main(int argc, char** argv) {
  // A closed pipe shows as an error of write(); a log that nobody reads must not end a training.
  std::signal(SIGPIPE, SIG_IGN);
  return recloom::cli::run_program(argc, argv);
}
