#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "recloom/recloom.hpp"

namespace CLI {
class App;
}

namespace recloom::cli {

constexpr int kInterrupted = 130;  ///< Exit code of a command that a signal has ended.

/// Options that every command has.
struct CommonOptions {
  int threads = 0;
  std::optional<std::uint64_t> seed;
  bool json = false;
  std::vector<std::string> plugin_path;
};

/// One run of the program: what was asked for, and what commands share. Commands make nothing
/// before they need it, so that a mistake costs one line and no time.
class Program {
 public:
  CommonOptions common;

  const PluginRegistry& plugins();
  /// From now on a signal asks the run to stop at the next safe point, a second one kills; before,
  /// a signal ends the program.
  RunContext& start(std::uint64_t seed);
  /// Return --seed, or 1: for commands whose result no other seed decides.
  std::uint64_t seed() const;
  /// Append to standard output. @throws IoError by flush() if it did not arrive, Interrupted if
  /// nobody takes it.
  void print(std::string_view text);
  void print_line(std::string_view text);
  void flush();

 private:
  std::unique_ptr<PluginRegistry> plugins_;
  std::unique_ptr<RunContext> run_;
  std::string pending_;
};

/// What a command does once its arguments are read; returns the exit code.
using Action = std::function<int(Program&)>;
/// A command's parser with what it does.
struct Command {
  CLI::App* app;
  Action action;
};
using Commands = std::vector<Command>;

/// Each adds one command (or several below one word).
void add_train(CLI::App& app, Program& program, Commands& commands);
void add_evaluate(CLI::App& app, Program& program, Commands& commands);
void add_compare(CLI::App& app, Program& program, Commands& commands);
void add_recommend(CLI::App& app, Program& program, Commands& commands);
void add_export(CLI::App& app, Program& program, Commands& commands);
void add_plugins(CLI::App& app, Program& program, Commands& commands);
void add_settings(CLI::App& app, Program& program, Commands& commands);
void add_data(CLI::App& app, Program& program, Commands& commands);
void add_doctor(CLI::App& app, Program& program, Commands& commands);

/// The same below `plugins`.
void add_plugins_check(CLI::App& plugins, Program& program, Commands& commands);
void add_plugins_new(CLI::App& plugins, Program& program, Commands& commands);
void add_plugins_profile(CLI::App& plugins, Program& program, Commands& commands);
/// The same below `data`.
void add_data_recipes(CLI::App& data, Program& program, Commands& commands);

// Arguments of commands. CLI11 is behind these functions, in parse.cpp alone, since it takes a file
// that includes it six seconds to be compiled. Text that a value cannot be made of is an error.

/// Add a command below another one, or below the program.
CLI::App& add_command(CLI::App& above, const std::string& name, const std::string& doc);
/// Add a value: --name VALUE, or an argument without dashes. What is there is the default.
/// T: std::string, int, double, std::optional of std::string or std::int64_t.
template <class T>
void add_option(CLI::App& command, const std::string& name, T& value, const std::string& doc);
/// The same for a text that `take` makes something of.
void add_parsed(CLI::App& command, const std::string& name,
                const std::function<void(const std::string&)>& take, const std::string& doc);
/// Add an option that may be given again. @param delimiter splits what is given; 0: nothing does.
void add_list(CLI::App& command, const std::string& name, std::vector<std::string>& values,
              const std::string& doc, char delimiter = 0);
/// Add arguments without dashes, as many as are given.
void add_arguments(CLI::App& command, const std::string& name, std::vector<std::string>& values,
                   const std::string& doc);
/// Add DATA: what names a log.
void add_data_arguments(CLI::App& command, std::vector<std::string>& data);
/// Add the name of a file or folder. An empty one is an error: a variable of a script that was
/// never set.
void add_path(CLI::App& command, const std::string& name, std::string& path,
              const std::string& doc);
void add_flag(CLI::App& command, const std::string& name, bool& flag, const std::string& doc);

/// Add --recipe NAME.
void add_recipe(CLI::App& command, std::string& recipe);

/// Give a command the options of CommonOptions, and examples below its help.
void add_common(CLI::App& command, Program& program, const std::string& examples);
/// Return --seed as a setting, to stand behind all others.
void append_seed(const Program& program, std::vector<ConfigRequest::Setting>& settings);
/// Return `--set` texts as settings.
std::vector<ConfigRequest::Setting> as_settings(const std::vector<std::string>& texts);

/// Take SIGINT, SIGTERM and, unless `nohup` has it ignored, SIGHUP as requests to stop.
void handle_signals();
/// Parse arguments and run the command. @return the exit code.
int run_program(int argc, char** argv);

}  // namespace recloom::cli
