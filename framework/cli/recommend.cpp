#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>

#include "cli/command.hpp"
#include "cli/histories.hpp"
#include "cli/shell.hpp"
#include "cli/table.hpp"

namespace recloom::cli {
namespace {

struct RecommendCommand {
  std::string model, output, seen = "protocol";
  std::optional<std::string> allow, block;
  int k = 10;
  HistoryOptions histories;

  int run(Program& program) const;
  RecommendOptions options(const Vocabulary& vocabulary, const RunContext& run) const;
  void check() const;
};

/// Appends text to what the command prints or writes.
using Append = std::function<void(std::string_view)>;

/// Histories, and items of their lists, that are looked at together.
constexpr int kPiece = 4096, kPieceItems = 1 << 20;

constexpr const char* kExamples =
    R"(  recloom recommend runs/shop --history "22423 22697 22699"
  recloom recommend runs/shop --history "22423" --user 12347 -k 5 --seen hide --block sold-out.txt
  recloom recommend runs/shop --input histories.tsv --output top10.tsv
Lines of --output: user, item, rank, score, name (.tsv; tabs, line ends and backslashes in them are
written \t, \n, \r and \\), or an object per history (.jsonl, --json).
A user that the model never saw gets the mean of all users' vectors.)";

bool ends_with(const std::string& text, std::string_view ending) {
  return std::string_view(text).ends_with(ending);
}

SeenItems seen_items(const std::string& seen) {
  if (seen == "protocol") return SeenItems::protocol;
  if (seen == "keep") return SeenItems::keep;
  if (seen == "hide") return SeenItems::hide;
  throw ConfigError(fmt::format("--seen {}: must be protocol, keep or hide", seen));
}

int length_of(const std::string& text) {
  int k = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, k);
  if (error != std::errc() || rest != end || k < 1)
    throw ConfigError(fmt::format("k = {}: must be an integer from 1 to {}", text,
                                  std::numeric_limits<int>::max()));
  return k;
}

/// Leave out what the model does not know, once for all histories. A list of nothing else is left
/// to be refused.
void drop_unknown(const char* name, std::vector<std::string>& items, const Vocabulary& vocabulary,
                  const RunContext& run) {
  const auto unknown = [&](const std::string& item) { return vocabulary.item(item) == 0; };
  const std::size_t size = items.size();
  if (std::all_of(items.begin(), items.end(), unknown)) return;
  std::erase_if(items, unknown);
  if (items.size() < size)
    run.warning(fmt::format("{}: {} of {} items are unknown to the model", name,
                            size - items.size(), size));
}

/// What can be said before anything is read.
void RecommendCommand::check() const {
  if (model.empty()) throw ConfigError("recommend: needs a run folder or model file");
  if (!histories.any())
    throw ConfigError("recommend: needs --history \"A B C\", --user U or --input FILE");
  if (!histories.input.empty() && (histories.has_history || !histories.user.empty()))
    throw ConfigError("recommend: --input does not go with --history or --user");
  if (ends_with(output, ".csv"))
    throw ConfigError(fmt::format("--output {}: must end in .tsv, .jsonl or .json", output));
  require_new_place("--output", output,
                    {model, histories.input, allow.value_or(""), block.value_or("")});
  seen_items(seen);
  histories.unknown_items();
}

RecommendOptions RecommendCommand::options(const Vocabulary& vocabulary,
                                           const RunContext& run) const {
  RecommendOptions options;
  options.k = k;
  options.unknown = histories.unknown_items();
  options.seen = seen_items(seen);
  if (allow) options.allow = items_of("--allow", *allow, vocabulary, run);
  if (block) options.block = items_of("--block", *block, vocabulary, run);
  if (options.unknown == UnknownItems::skip) {
    drop_unknown("allow list", options.allow, vocabulary, run);
    drop_unknown("block list", options.block, vocabulary, run);
  }
  if (allow && options.allow.empty())
    throw ConfigError(fmt::format("--allow {}: names no item", *allow));
  return options;
}

std::string with_name(const Vocabulary& vocabulary, const std::string& token) {
  const std::string_view name = vocabulary.item_name(vocabulary.item(token));
  return name.empty() ? token : fmt::format("{} {}", token, name);
}

/// For people: what was asked, what was skipped, the list.
std::string for_people(const RecommendedList& list, const Vocabulary& vocabulary) {
  std::string text = "history: ";
  for (std::size_t item = 0; item < list.history.size(); ++item)
    text += (item > 0 ? " | " : "") + display_text(with_name(vocabulary, list.history[item]));
  text += list.history.empty() ? "(empty)\n" : "\n";
  bool named = false;
  for (const RecommendedItem& found : list.items) named |= !found.name.empty();
  Table table(named ? std::vector<std::string>{"rank", "item", "score", "name"}
                    : std::vector<std::string>{"rank", "item", "score"});
  for (std::size_t rank = 0; rank < list.items.size(); ++rank) {
    const RecommendedItem& found = list.items[rank];
    table.add(
        {fmt::to_string(rank + 1), found.item, fmt::format("{:.4f}", found.score), found.name});
  }
  return text + "\n" + table.text();
}

/// user, item, rank, score, name; a user that was not named is empty.
std::string tsv_lines(const RecommendedList& list) {
  std::string text;
  for (std::size_t rank = 0; rank < list.items.size(); ++rank) {
    const RecommendedItem& found = list.items[rank];
    text += fmt::format("{}\t{}\t{}\t{}\t{}\n", tsv_cell(list.user), tsv_cell(found.item), rank + 1,
                        found.score, tsv_cell(found.name));
  }
  return text;
}

std::string skipped_items(const std::vector<std::string>& unknown) {
  constexpr std::size_t kShown = 10;
  const bool commas = std::any_of(unknown.begin(), unknown.end(), [](const std::string& item) {
    return item.find(',') != std::string::npos;
  });
  const std::size_t shown = std::min(unknown.size(), kShown);
  const std::string more =
      unknown.size() > shown
          ? fmt::format(" and {} more", grouped(static_cast<std::int64_t>(unknown.size() - shown)))
          : "";
  return fmt::format(
      "skipped items that the model does not know: {}{}{}",
      fmt::join(unknown.begin(), unknown.begin() + static_cast<std::ptrdiff_t>(shown), " "), more,
      commas ? " (items of a history are separated by spaces)" : "");
}

int RecommendCommand::run(Program& program) const {
  check();
  const Recommender recommender = Recommender::load(model, program.plugins());
  RunContext& run = program.start(program.seed());
  const RecommendOptions chosen = options(recommender.vocabulary(), run);
  const bool batch = !histories.input.empty() || !output.empty();
  const bool json =
      program.common.json || ends_with(output, ".jsonl") || ends_with(output, ".json");
  const auto text_of = [&](const RecommendedList& list) {
    if (json) return list.to_json() + "\n";
    return batch ? tsv_lines(list) : for_people(list, recommender.vocabulary());
  };
  // Long lists come a few at a time.
  const int longest = std::min(chosen.k, recommender.catalogue().n_items);
  const auto most = static_cast<std::size_t>(std::clamp(kPieceItems / longest, 1, kPiece));
  std::int64_t skipped = 0;
  const auto recommend_all = [&](const Append& append) {
    if (batch && !json) append("user\titem\trank\tscore\tname\n");
    histories.for_each_piece(
        recommender.vocabulary(), most, run, [&](const std::vector<QueryHistory>& piece) {
          for (const RecommendedList& list : recommender.recommend(piece, chosen, run)) {
            skipped += static_cast<std::int64_t>(list.unknown.size());
            if (!batch && !list.unknown.empty()) run.warning(skipped_items(list.unknown));
            append(text_of(list));
          }
        });
  };
  if (output.empty())
    recommend_all([&](std::string_view text) { program.print(text); });
  else
    write_file(output, recommend_all);
  if (batch && skipped > 0)
    run.warning(
        fmt::format("skipped {} history items that the model does not know", grouped(skipped)));
  return 0;
}

}  // namespace

void add_recommend(CLI::App& app, Program& program, Commands& commands) {
  const auto command = std::make_shared<RecommendCommand>();
  CLI::App& parser = add_command(app, "recommend", "Recommend what comes next after a history");
  add_option(parser, "MODEL", command->model, "Run folder or model file");
  command->histories.add_to(parser);
  add_parsed(
      parser, "-k", [command](const std::string& text) { command->k = length_of(text); },
      "Length of the list (default 10)");
  add_option(parser, "--seen", command->seen,
             "Items of the history: protocol (default, as in evaluation), keep or hide");
  add_option(parser, "--allow", command->allow, "Only these items: a file, or a list with commas");
  add_option(parser, "--block", command->block, "Never these items: a file, or a list with commas");
  add_path(parser, "--output", command->output, "Write to this file (.tsv or .jsonl)");
  add_common(parser, program, kExamples);
  commands.push_back({&parser, [command](Program& p) { return command->run(p); }});
}

}  // namespace recloom::cli
