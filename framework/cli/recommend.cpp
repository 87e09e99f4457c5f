#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "cli/command.hpp"
#include "cli/histories.hpp"
#include "cli/table.hpp"

namespace recloom::cli {
namespace {

struct RecommendCommand {
  std::string model, output, allow, block, seen = "protocol";
  int k = 10;
  HistoryOptions histories;

  int run(Program& program) const;
  RecommendOptions options() const;
};

constexpr const char* kExamples =
    R"(  recloom recommend runs/shop --history "22423 22697 22699"
  recloom recommend runs/shop --history "22423" --user 12347 -k 5 --seen hide --block sold-out.txt
  recloom recommend runs/shop --input histories.tsv --output top10.tsv
Lines of --output: user, item, rank, score, name (.tsv), or an object per history (.jsonl, --json).
A user that the model never saw gets the mean of all users' vectors.)";

RecommendOptions RecommendCommand::options() const {
  RecommendOptions options;
  options.k = k;
  options.unknown = histories.unknown_items();
  if (seen == "keep")
    options.seen = SeenItems::keep;
  else if (seen == "hide")
    options.seen = SeenItems::hide;
  else if (seen != "protocol")
    throw ConfigError(fmt::format("--seen {}: must be protocol, keep or hide", seen));
  if (!allow.empty()) options.allow = items_of(allow);
  if (!block.empty()) options.block = items_of(block);
  if (!allow.empty() && options.allow.empty())
    throw ConfigError(fmt::format("--allow {}: names no item", allow));
  return options;
}

bool ends_with(const std::string& text, std::string_view ending) {
  return std::string_view(text).ends_with(ending);
}

std::string with_name(const Vocabulary& vocabulary, const std::string& token) {
  const std::string_view name = vocabulary.item_name(vocabulary.item(token));
  return name.empty() ? token : fmt::format("{} {}", token, name);
}

/// For people: what was asked, what was skipped, the list.
std::string for_people(const RecommendedList& list, const Vocabulary& vocabulary) {
  std::string text = "history: ";
  for (std::size_t item = 0; item < list.history.size(); ++item)
    text += (item > 0 ? " | " : "") + with_name(vocabulary, list.history[item]);
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
    text += fmt::format("{}\t{}\t{}\t{}\t{}\n", list.user, found.item, rank + 1, found.score,
                        found.name);
  }
  return text;
}

std::string skipped_items(const std::vector<std::string>& unknown) {
  const bool commas = std::ranges::any_of(
      unknown, [](const std::string& item) { return item.find(',') != std::string::npos; });
  return fmt::format("skipped items that the model does not know: {}{}", fmt::join(unknown, " "),
                     commas ? " (items of a history are separated by spaces)" : "");
}

int RecommendCommand::run(Program& program) const {
  if (model.empty()) throw ConfigError("recommend: needs a run folder or model file");
  if (!histories.any())
    throw ConfigError("recommend: needs --history \"A B C\", --user U or --input FILE");
  if (!histories.input.empty() && (histories.has_history || !histories.user.empty()))
    throw ConfigError("recommend: --input does not go with --history or --user");
  if (ends_with(output, ".csv"))
    throw ConfigError(fmt::format("--output {}: must end in .tsv, .jsonl or .json", output));
  const RecommendOptions chosen = options();
  const Recommender recommender = Recommender::load(model, program.plugins());
  RunContext& run = program.start(program.seed());

  const bool batch = !histories.input.empty() || !output.empty();
  const bool json =
      program.common.json || ends_with(output, ".jsonl") || ends_with(output, ".json");
  std::string text;
  std::int64_t skipped = 0;
  if (batch && !json) text = "user\titem\trank\tscore\tname\n";
  histories.for_each_piece([&](const std::vector<QueryHistory>& piece) {
    for (const RecommendedList& list : recommender.recommend(piece, chosen, run)) {
      skipped += static_cast<std::int64_t>(list.unknown.size());
      if (!batch && !list.unknown.empty()) run.warning(skipped_items(list.unknown));
      text += json ? list.to_json() + "\n"
                   : (batch ? tsv_lines(list) : for_people(list, recommender.vocabulary()));
    }
    if (!output.empty()) return;
    program.print(text);
    text.clear();
  });
  if (batch && skipped > 0)
    run.warning(
        fmt::format("skipped {} history items that the model does not know", grouped(skipped)));
  if (output.empty())
    program.print(text);
  else
    write_file(output, text);
  return 0;
}

}  // namespace

void add_recommend(CLI::App& app, Program& program, Commands& commands) {
  const auto command = std::make_shared<RecommendCommand>();
  CLI::App& parser = *app.add_subcommand("recommend", "Recommend what comes next after a history");
  parser.add_option("MODEL", command->model, "Run folder or model file");
  command->histories.add_to(parser);
  parser.add_option("-k", command->k, "Length of the list (default 10)");
  parser.add_option("--seen", command->seen,
                    "Items of the history: protocol (default, as in evaluation), keep or hide");
  parser.add_option("--allow", command->allow, "Only these items: a file, or a list with commas");
  parser.add_option("--block", command->block, "Never these items: a file, or a list with commas");
  parser.add_option("--output", command->output, "Write to this file (.tsv or .jsonl)");
  add_common(parser, program, kExamples);
  commands.push_back({&parser, [command](Program& p) { return command->run(p); }});
}

}  // namespace recloom::cli
