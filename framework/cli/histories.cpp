#include "cli/histories.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>

#include "cli/shell.hpp"

namespace recloom::cli {
namespace {

/// Text of the histories of one piece: what bounds the memory for long ones.
constexpr std::size_t kPieceBytes = std::size_t{16} << 20;
constexpr std::string_view kBlanks = " \t\r\v\f\n";

bool knows_any(const std::vector<std::string>& items, const Vocabulary& vocabulary) {
  return std::ranges::any_of(items,
                             [&](const std::string& item) { return vocabulary.item(item) != 0; });
}

/// @return what is wrong, "" if the model knows all.
std::string first_unknown(const QueryHistory& history, const Vocabulary& vocabulary) {
  for (const auto* items : {&history.items, &history.candidates})
    for (const std::string& item : *items)
      if (vocabulary.item(item) == 0)
        return fmt::format("the model does not know item '{}'{}", shown_item(item),
                           suggestion(item, vocabulary.items()));
  return "";
}

std::string nothing_known(const QueryHistory& history) {
  if (history.items.empty())
    return "the history is empty; --empty asks for what is recommended without one";
  const bool commas = std::ranges::any_of(
      history.items, [](const std::string& item) { return item.find(',') != std::string::npos; });
  return fmt::format(
      "the model knows no item of the history ({}{}){}; --empty asks for what is recommended "
      "without one",
      shown_item(history.items.front()), history.items.size() > 1 ? " ..." : "",
      commas ? "; items are parted by blanks, --item takes a name with blanks or commas" : "");
}

std::size_t bytes_of(const QueryHistory& history) {
  std::size_t bytes = history.user.size();
  for (const auto* items : {&history.items, &history.candidates})
    for (const std::string& item : *items) bytes += item.size() + sizeof(std::string);
  return bytes;
}

/// Whether a text that names no file looks as if it should.
bool looks_like_a_file(const std::string& text) {
  return text.find_first_of("./") != std::string::npos &&
         text.find_first_of(", \t") == std::string::npos;
}

InputFormat input_format_of(const std::string& text) {
  if (text == "auto") return InputFormat::automatic;
  if (text == "histories") return InputFormat::histories;
  if (text == "log") return InputFormat::log;
  if (text == "json") return InputFormat::json;
  throw ConfigError(fmt::format("--input-format {}: must be auto, histories, log or json", text));
}

}  // namespace

std::string shown_item(const std::string& item) {
  constexpr std::size_t kMost = 60;
  std::size_t end = std::min(item.size(), kMost);
  while (end < item.size() && (static_cast<unsigned char>(item[end]) & 0xC0U) == 0x80U) --end;
  return display_text(item.substr(0, end)) + (end < item.size() ? "..." : "");
}

void HistoryOptions::add_to(CLI::App& command) {
  add_list(command, "--history", histories,
           "Item tokens, oldest first: \"A B C\"; given again, another history");
  add_list(command, "--item", items,
           "One item of the history, blanks and commas included; given again, the next item");
  add_option(command, "--user", user, "Token of the user; one that the model never saw is fine");
  add_path(command, "--log", log, "Log that holds the history of --user, in any format of train");
  add_path(command, "--input", input,
           "Log in any format of train, a list for each of its users; or a file with a history a "
           "line (user<TAB>items, or JSON); - is standard input");
  add_option(command, "--input-format", input_format,
             "What --input holds: auto (default), histories, log or json");
  add_list(command, "--set", sets, "One setting data.* of how the log is read");
  add_path(command, "--config", config_file, "TOML file whose settings data.* say the same");
  add_option(command, "--recipe", recipe, "Public log whose layout the log has");
  add_option(command, "--unknown", unknown,
             "Items that the model never saw: skip (default) or refuse");
}

void HistoryOptions::add_answers_to(CLI::App& command) {
  add_flag(command, "--empty", empty, "Answer histories without a known item, too");
  add_flag(command, "--keep-going", keep_going,
           "Tell of wrong lines of --input and go on (JSON lines: an answer {\"error\": ...})");
}

bool HistoryOptions::any() const {
  return !histories.empty() || !items.empty() || !user.empty() || !log.empty() || !input.empty();
}

void HistoryOptions::check(const std::string& command) const {
  const bool given = !histories.empty() || !items.empty();
  if (!any())
    throw ConfigError(command +
                      ": needs --history \"A B C\", --item A, --user U --log FILE or --input FILE");
  if (!input.empty() && (given || !user.empty() || !log.empty()))
    throw ConfigError(command + ": --input does not go with --history, --item, --user or --log");
  if (!histories.empty() && !items.empty())
    throw ConfigError(command +
                      ": --item makes a history of its own, it does not go with --history");
  if (histories.size() > 1 && !user.empty())
    throw ConfigError(command +
                      ": --user goes with one --history; for several use --input with lines of "
                      "user<TAB>items");
  if (!log.empty() && (given || user.empty()))
    throw ConfigError(
        command +
        ": --log takes the history of --user U out of a log (--input FILE answers for "
        "every user of one)");
  if (!given && !user.empty() && log.empty() && !empty)
    throw ConfigError(fmt::format(
        "--user {}: a history is needed, a model holds none; --log FILE takes the user's own out "
        "of "
        "a log, --history \"A B C\" gives one, --empty asks for what is recommended without one",
        user));
  if (input.empty() && log.empty() &&
      (!sets.empty() || !config_file.empty() || !recipe.empty() || input_format != "auto"))
    throw ConfigError(command +
                      ": --set, --config, --recipe and --input-format say how --input or --log is "
                      "read, and neither is given");
  const InputFormat format = input_format_of(input_format);
  if ((format == InputFormat::histories || format == InputFormat::json) &&
      (!sets.empty() || !config_file.empty() || !recipe.empty() || !log.empty()))
    throw ConfigError(fmt::format(
        "--input-format {}: does not go with --log, --set, --config or --recipe, which are about "
        "logs",
        input_format));
  unknown_items();
}

UnknownItems HistoryOptions::unknown_items() const {
  if (unknown != "skip" && unknown != "refuse")
    throw ConfigError(fmt::format("--unknown {}: must be skip or refuse", unknown));
  return unknown == "skip" ? UnknownItems::skip : UnknownItems::refuse;
}

std::vector<std::string> HistoryOptions::files() const {
  std::vector<std::string> all = {config_file};
  for (const std::string& data : {log, input}) {
    if (data.empty()) continue;
    const std::vector<std::string> behind = files_behind(data, recipe);
    all.insert(all.end(), behind.begin(), behind.end());
  }
  for (const std::string& setting : sets)  // A side table: data.item_file=items.csv.
    all.push_back(setting.substr(setting.find('=') + 1));
  return all;
}

HistoryInput HistoryOptions::source(const std::string& file) const {
  HistoryInput source{file, input_format_of(input_format)};
  source.log.recipe = recipe;
  source.log.config_file = config_file;
  source.log.settings = as_settings(sets);
  return source;
}

Histories::Histories(const HistoryOptions& options, const Recommender& model, const RunContext& run)
    : options_(options), model_(model), run_(run) {
  if (options.input.empty())
    take_given();
  else
    reader_ = std::make_unique<HistoryReader>(options.source(options.input), model, run);
  answers_all_ = in_json();
  warn_of_sessions();
}

/// A model of visits, asked by the whole history of a customer.
void Histories::warn_of_sessions() const {
  const double gap = model_.config().data.session_gap;
  const bool log = !options_.log.empty() || (reader_ && reader_->format() == InputFormat::log);
  const bool asked = std::ranges::any_of(
      options_.sets, [](const std::string& set) { return set.starts_with("data.session_gap"); });
  if (gap == 0 || !log || asked) return;
  run_.warning(
      fmt::format("the model was trained on sessions and is asked by whole users here; --set "
                  "data.session_gap={} cuts them into sessions, USER#1 and so on",
                  gap));
}

void Histories::take_given() {
  const Vocabulary& vocabulary = model_.vocabulary();
  if (!options_.log.empty()) {
    add_given(history_of_user(options_.user, options_.source(options_.log), model_, run_), false);
    return;
  }
  for (const std::string& text : options_.histories)
    add_given({options_.user, parse_items(text, kBlanks, vocabulary, "--history")},
              text.find_first_not_of(kBlanks) == std::string::npos);
  if (!options_.items.empty()) add_given({options_.user, options_.items}, false);
  if (given_.empty()) add_given({options_.user, {}}, false);
}

void Histories::add_given(QueryHistory history, bool may_be_empty) {
  const Vocabulary& vocabulary = model_.vocabulary();
  if (options_.unknown_items() == UnknownItems::refuse)
    if (const std::string error = first_unknown(history, vocabulary); !error.empty())
      throw DataError("--history: " + error);
  if (!may_be_empty && !options_.empty && !knows_any(history.items, vocabulary))
    throw DataError(nothing_known(history));
  given_.push_back({std::move(history), ""});
}

bool Histories::in_json() const { return reader_ && reader_->format() == InputFormat::json; }

void Histories::answer_in_json() { answers_all_ = in_json() || (reader_ && options_.input == "-"); }

/// @return whether what was read is to be given on, as a history or as an error.
bool Histories::take(AskedHistory& asked, Counts& counts) const {
  if (!asked.error.empty()) {
    ++counts.wrong;
    if (!answers_all_) run_.warning(asked.error);
    return answers_all_;
  }
  if (options_.empty || knows_any(asked.history.items, model_.vocabulary())) {
    ++counts.taken;
    return true;
  }
  ++counts.empty;
  if (answers_all_)
    asked.error = fmt::format("{}: {}", reader_->place(), nothing_known(asked.history));
  return answers_all_;
}

Histories::Counts Histories::for_each_piece(std::size_t most,
                                            const std::function<void(Piece&)>& body) {
  Counts counts;
  if (!reader_) {
    counts.taken = static_cast<std::int64_t>(given_.size());
    Piece all{given_, 1, false};
    body(all);
    return counts;
  }
  const bool refuse = options_.unknown_items() == UnknownItems::refuse;
  Piece piece;
  std::size_t bytes = 0;
  const auto give = [&](bool waits) {
    piece.share = reader_->share();
    piece.waits = waits;
    if (!piece.asked.empty()) body(piece);
    piece.asked.clear();
    bytes = 0;
  };
  bool any = false;
  for (AskedHistory asked; reader_->next(asked); any = true) {
    if (refuse && asked.error.empty())
      if (std::string error = first_unknown(asked.history, model_.vocabulary()); !error.empty())
        asked.error = fmt::format("{}: {}", reader_->place(), error);
    if (!asked.error.empty() && !options_.keep_going) {
      give(false);  // What came before has its answers.
      throw DataError(asked.error);
    }
    if (take(asked, counts)) {
      bytes += bytes_of(asked.history);
      piece.asked.push_back(std::move(asked));
    }
    const bool waits = !piece.asked.empty() && !reader_->ready();
    if (waits || piece.asked.size() >= most || bytes >= kPieceBytes) give(waits);
  }
  give(false);
  if (!any) run_.warning(fmt::format("{}: no histories", reader_->name()));
  return counts;
}

void ItemList::add_to(CLI::App& command, const std::string& doc) {
  add_list(command, flag, texts, doc + ": a file, or a list with commas; may be given again");
  add_list(command, flag + "-file", files, doc + ": a file with an item a line, blanks included");
}

std::vector<std::string> ItemList::read(const Vocabulary& vocabulary, const RunContext& run) const {
  std::vector<std::string> all;
  const auto add = [&all](std::vector<std::string> items) {
    std::move(items.begin(), items.end(), std::back_inserter(all));
  };
  for (const std::string& file : files)
    for_each_line(file, run, [&](const std::string& line, const std::string&) {
      if (line.find_first_not_of(kBlanks) != std::string::npos) all.push_back(line);
    });
  for (const std::string& text : texts) {
    std::error_code none;
    const auto type = std::filesystem::status(text, none).type();
    const bool known = vocabulary.item(text) != 0;
    if (std::filesystem::exists(std::filesystem::file_status(type)) &&
        !(known && type == std::filesystem::file_type::directory)) {
      for_each_line(text, run, [&](const std::string& line, const std::string& place) {
        add(parse_items(line, kBlanks, vocabulary, place));
      });
      continue;
    }
    if (!known && looks_like_a_file(text))
      throw DataError(fmt::format("{} {}: there is no such file, and the model knows no such item",
                                  flag, text));
    for (const std::string& part : parse_items(text, ",", vocabulary, flag))
      add(parse_items(part, kBlanks, vocabulary, flag));
  }
  return all;
}

}  // namespace recloom::cli
