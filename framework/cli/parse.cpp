// From argv to one command's action; every mistake becomes one line and an exit code.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <new>
#include <stdexcept>

#include "cli/command.hpp"

namespace recloom::cli {
namespace {

constexpr int kInternal = 70;

constexpr const char* kOutOfMemory =
    "out of memory: what takes it is the log, train.batch_size, data.max_length, the model's sizes "
    "and --threads";

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::config:
      return 2;
    case ErrorKind::data:
      return 3;
    case ErrorKind::plugin:
      return 4;
    case ErrorKind::model:
    case ErrorKind::numeric:
      return 5;
    case ErrorKind::io:
      return 6;
    case ErrorKind::internal:
      return kInternal;
    case ErrorKind::interrupted:
      return kInterrupted;
  }
  return kInternal;
}

int fail(int code, std::string text) {
  show_progress("");
  std::replace(text.begin(), text.end(), '\n', ' ');
  log(LogLevel::info, "recloom: " + text);
  return code;
}

/// "plugins list"; "" of the program itself.
std::string name_of(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  if (!parent) return "";
  const std::string above = name_of(*parent);
  return above.empty() ? command.get_name() : above + " " + command.get_name();
}

/// The name in front of a message about how a command was called.
std::string prefix_of(const CLI::App& command) {
  const std::string name = name_of(command);
  return name.empty() ? "" : name + ": ";
}

std::vector<std::string> flags_of(const CLI::App& command) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
    for (const std::string& name : option->get_snames()) flags.push_back("-" + name);
  }
  return flags;
}

std::vector<std::string> words_below(const CLI::App& command) {
  std::vector<std::string> words;
  for (const CLI::App* below : command.get_subcommands([](const CLI::App*) { return true; }))
    words.push_back(below->get_name());
  return words;
}

/// Refuse what the parser could not place: a misspelt flag, a misspelt command, a stray word.
void check_rest(const CLI::App& command) {
  const std::vector<std::string> rest = command.remaining();
  if (rest.empty()) return;
  const auto flag = std::find_if(rest.begin(), rest.end(), [](const std::string& word) {
    return word.size() > 1 && word.front() == '-';
  });
  if (flag != rest.end()) {
    const std::string name = flag->substr(0, flag->find('='));
    throw ConfigError(fmt::format("{}unknown flag {}{}", prefix_of(command), name,
                                  suggestion(name, flags_of(command))));
  }
  const std::vector<std::string> words = words_below(command);
  if (words.empty())
    throw ConfigError(
        fmt::format("{}'{}' is one argument too many", prefix_of(command), rest.front()));
  throw ConfigError(fmt::format("{}no command '{}' (there are: {}){}", prefix_of(command),
                                rest.front(), fmt::join(words, ", "),
                                suggestion(rest.front(), words)));
}

std::uint64_t seed_of(const std::string& text) {
  std::uint64_t seed = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, seed);
  if (error != std::errc() || rest != end)
    throw ConfigError(fmt::format("--seed {}: must be an integer from 0 to {}", text,
                                  std::numeric_limits<std::uint64_t>::max()));
  return seed;
}

/// The innermost command that was named.
const CLI::App* named(const CLI::App& app) {
  const auto below = app.get_subcommands();
  return below.empty() ? &app : named(*below.front());
}

int run_command(CLI::App& app, Program& program, const Commands& commands, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    program.print(named(app)->help());
    program.flush();
    return 0;
  } catch (const CLI::CallForVersion&) {
    program.print_line(fmt::format("recloom {}", version()));
    program.flush();
    return 0;
  } catch (const CLI::ParseError& error) {
    const CLI::App* command = named(app);
    check_rest(*command);
    throw ConfigError(prefix_of(*command) + error.what());
  }
  const CLI::App* command = named(app);
  check_rest(*command);
  const auto found = std::find_if(commands.begin(), commands.end(),
                                  [&](const Command& known) { return known.app == command; });
  if (found == commands.end())
    throw ConfigError(fmt::format("{}no command given (there are: {}); see recloom {}{}--help",
                                  prefix_of(*command), fmt::join(words_below(*command), ", "),
                                  name_of(*command), name_of(*command).empty() ? "" : " "));
  if (program.common.threads < 0 || program.common.threads > 4096)
    throw ConfigError(
        fmt::format("--threads {}: must be an integer from 0 (as many as the machine "
                    "has) to 4096",
                    program.common.threads));
  check_environment();
  const int code = found->action(program);
  show_progress("");
  program.flush();
  return code;
}

}  // namespace

CLI::App& add_command(CLI::App& above, const std::string& name, const std::string& doc) {
  CLI::App& command = *above.add_subcommand(name, doc);
  above.require_subcommand(0, 1);  // Behind a command no word is another: a log may be called data.
  command.allow_extras();          // check_rest() has better messages for them.
  return command;
}

template <class T>
void add_option(CLI::App& command, const std::string& name, T& value, const std::string& doc) {
  command.add_option(name, value, doc);
}
template void add_option(CLI::App&, const std::string&, std::string&, const std::string&);
template void add_option(CLI::App&, const std::string&, int&, const std::string&);
template void add_option(CLI::App&, const std::string&, double&, const std::string&);
template void add_option(CLI::App&, const std::string&, std::optional<std::string>&,
                         const std::string&);
template void add_option(CLI::App&, const std::string&, std::optional<std::int64_t>&,
                         const std::string&);

void add_parsed(CLI::App& command, const std::string& name,
                const std::function<void(const std::string&)>& take, const std::string& doc) {
  command.add_option_function<std::string>(name, take, doc);
}

void add_list(CLI::App& command, const std::string& name, std::vector<std::string>& values,
              const std::string& doc, char delimiter) {
  CLI::Option& option = *command.add_option(name, values, doc);
  option.allow_extra_args(false);
  if (delimiter != 0) option.delimiter(delimiter);
}

void add_arguments(CLI::App& command, const std::string& name, std::vector<std::string>& values,
                   const std::string& doc) {
  command.add_option(name, values, doc);
}

void add_data_arguments(CLI::App& command, std::vector<std::string>& data) {
  add_arguments(
      command, "DATA", data,
      "A shipped set's name, a folder with dataset.toml, a log; several files or patterns, "
      "read as one log; or - for standard input");
}

void add_path(CLI::App& command, const std::string& name, std::string& path,
              const std::string& doc) {
  command.add_option(name, path, doc)->check([](const std::string& text) {
    return text.empty() ? std::string("must not be empty") : std::string();
  });
}

void add_flag(CLI::App& command, const std::string& name, bool& flag, const std::string& doc) {
  command.add_flag(name, flag, doc);
}

void add_common(CLI::App& command, Program& program, const std::string& examples) {
  CommonOptions& common = program.common;
  add_option(command, "--threads", common.threads, "Threads; 0: as many as the machine has");
  add_parsed(
      command, "--seed", [&common](const std::string& text) { common.seed = seed_of(text); },
      "Seed of every random draw (default 1)");
  add_flag(command, "--json", common.json, "Print the result as JSON");
  add_list(command, "--plugin-path", common.plugin_path, "Folder to look for plugins in first");
  command.footer("Examples:\n" + examples);
}

void append_seed(const Program& program, std::vector<ConfigRequest::Setting>& settings) {
  if (program.common.seed)
    settings.push_back({"--seed", fmt::format("seed={}", *program.common.seed)});
}

std::vector<ConfigRequest::Setting> as_settings(const std::vector<std::string>& texts) {
  std::vector<ConfigRequest::Setting> settings;
  for (const std::string& text : texts) settings.push_back({"--set", text});
  return settings;
}

int run_program(int argc, char** argv) {
  Program program;
  CLI::App app("recloom: sequential recommendation. Models are plugins, found by name.", "recloom");
  app.set_version_flag("--version", std::string(version()), "Print the version");
  app.allow_extras();
  app.footer(
      "recloom COMMAND --help says more, with examples.\n"
      "Exit codes: 0 done; 2 arguments or settings; 3 data; 4 plugin; 5 model, numbers or memory;\n"
      "6 files; 70 an error of recloom's own; 130 interrupted.");
  Commands commands;
  for (const auto add : {add_train, add_evaluate, add_compare, add_recommend, add_export,
                         add_plugins, add_settings, add_data, add_doctor})
    add(app, program, commands);
  try {
    return run_command(app, program, commands, argc, argv);
  } catch (const Error& error) {
    return fail(exit_code(error.kind()), error.what());
  } catch (const std::filesystem::filesystem_error& error) {
    return fail(exit_code(ErrorKind::io), error.what());
  } catch (const std::bad_alloc&) {
    return fail(exit_code(ErrorKind::model), kOutOfMemory);
  } catch (const std::length_error&) {  // More than any memory.
    return fail(exit_code(ErrorKind::model), kOutOfMemory);
  } catch (const std::exception& error) {
    return fail(kInternal, std::string("internal error: ") + error.what());
  }
}

}  // namespace recloom::cli
