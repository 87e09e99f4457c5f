#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/command.hpp"
#include "cli/histories.hpp"
#include "cli/lists.hpp"
#include "cli/progress.hpp"
#include "cli/shell.hpp"
#include "cli/table.hpp"

namespace recloom::cli {
namespace {

struct RecommendCommand {
  std::string model, output, seen = "protocol";
  ItemList allow{"--allow", {}, {}}, block{"--block", {}, {}};
  int k = 10;
  HistoryOptions histories;

  int run(Program& program) const;
  RecommendOptions options(const Vocabulary& vocabulary, const RunContext& run) const;
  void check() const;
  std::vector<std::string> files() const;
};

/// Appends text to what the command prints or writes.
using Append = std::function<void(std::string_view)>;

/// Histories, and items of their lists, that are looked at together.
constexpr int kPiece = 4096, kPieceItems = 1 << 20;
/// Lists that one thread writes at a time.
constexpr std::size_t kTextLists = 64;

constexpr const char* kExamples =
    R"(  recloom recommend runs/shop --history "22423 22697 22699"
  recloom recommend runs/music --item "Deep Dish" --item "Sigur Ros" -k 5
  recloom recommend runs/shop --user 12347 --log online-retail --seen hide --block sold-out.txt
  recloom recommend runs/shop --input customers.csv --output top10.csv.gz
  recloom recommend runs/films --input ratings.dat --recipe movielens-1m --output top10.jsonl
  my-service | recloom recommend runs/shop --input - --input-format json
--input tells by its name and first lines what it holds; where both are possible, --input-format
decides:
  log        what train reads (.inter, CSV, "user item item ..."), with the model's own settings
             data.* unless --set, --config or --recipe give others: a list for each user
  histories  a history a line: user<TAB>A B C; user<TAB>A<TAB>B for names with blanks; or A B C
  json       {"user": "u1", "items": ["A", "B"], "candidates": ["C", "D"]} a line; without user it is
             nobody's, with candidates only these are ranked. Answers are JSON lines, too.
From a pipe each line is answered when it comes. Histories without an item that the model knows are
left out, unless --empty. Lines of --output: user, item, rank, score, name (.csv, .tsv; in .tsv tabs,
line ends and backslashes are written \t, \n, \r and \\), or an object per history (.jsonl, --json);
.gz and .zst behind it pack the file. It is there when all is done, and not before.
A user that the model never saw gets the mean of all users' vectors.)";

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

std::vector<std::string> RecommendCommand::files() const {
  std::vector<std::string> all = histories.files();
  all.push_back(model);
  for (const ItemList* list : {&allow, &block}) {
    all.insert(all.end(), list->texts.begin(), list->texts.end());
    all.insert(all.end(), list->files.begin(), list->files.end());
  }
  return all;
}

/// What can be said before anything is read.
void RecommendCommand::check() const {
  if (model.empty()) throw ConfigError("recommend: needs a run folder or model file");
  histories.check("recommend");
  seen_items(seen);
  if (output.empty()) return;
  require_new_place("--output", output, files());
  list_format_of(output, ListFormat::tsv);
}

RecommendOptions RecommendCommand::options(const Vocabulary& vocabulary,
                                           const RunContext& run) const {
  RecommendOptions options;
  options.k = k;
  options.unknown = histories.unknown_items();
  options.seen = seen_items(seen);
  options.allow = allow.read(vocabulary, run);
  options.block = block.read(vocabulary, run);
  if (options.unknown == UnknownItems::skip) {
    drop_unknown("allow list", options.allow, vocabulary, run);
    drop_unknown("block list", options.block, vocabulary, run);
  }
  if (allow.any() && options.allow.empty())
    throw ConfigError(fmt::format("--allow {}: names no item",
                                  fmt::join(allow.texts.empty() ? allow.files : allow.texts, " ")));
  return options;
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
  std::vector<std::string> names;
  for (std::size_t at = 0; at < shown; ++at) names.push_back(shown_item(unknown[at]));
  return fmt::format(
      "skipped items that the model does not know: {}{}{}", fmt::join(names, " "), more,
      commas ? " (items of a history are separated by blanks; --item takes any name)" : "");
}

/// Answers pieces of histories, one after the other.
class Answers {
 public:
  Answers(const Recommender& model, const RecommendOptions& options, ListFormat format,
          const RunContext& run)
      : model_(model), options_(options), format_(format), run_(run) {}

  /// @param asked their histories are taken.
  void add(std::vector<AskedHistory>& asked, const Append& append) {
    std::vector<QueryHistory> queries;
    for (AskedHistory& each : asked)
      if (each.error.empty()) queries.push_back(std::move(each.history));
    std::vector<RecommendedList> lists = model_.recommend(queries, options_, run_);
    for (const RecommendedList& list : lists) {
      skipped_ += static_cast<std::int64_t>(list.unknown.size());
      if (format_ == ListFormat::people && !list.unknown.empty())
        run_.warning(skipped_items(list.unknown));
    }
    const std::vector<std::string> texts = texts_of(lists, queries);
    std::size_t at = 0;
    for (const AskedHistory& each : asked)
      append(each.error.empty() ? texts[at++] : error_line(each.history.user, each.error));
    done_ += static_cast<std::int64_t>(asked.size());
  }
  std::int64_t done() const { return done_; }
  std::int64_t skipped() const { return skipped_; }

 private:
  /// Write on all threads, and let go there of what is written: a history may be long.
  std::vector<std::string> texts_of(std::vector<RecommendedList>& lists,
                                    std::vector<QueryHistory>& queries) const {
    std::vector<std::string> texts(lists.size());
    run_.parallel_for((lists.size() + kTextLists - 1) / kTextLists, [&](std::size_t part) {
      const std::size_t last = std::min(lists.size(), (part + 1) * kTextLists);
      for (std::size_t at = part * kTextLists; at < last; ++at) {
        texts[at] = list_text(lists[at], format_, model_.vocabulary());
        lists[at] = {};
        queries[at] = {};
      }
    });
    if (format_ == ListFormat::people)
      for (std::size_t at = 1; at < texts.size(); ++at) texts[at].insert(0, "\n");
    return texts;
  }

  const Recommender& model_;
  const RecommendOptions& options_;
  ListFormat format_;
  const RunContext& run_;
  std::int64_t done_ = 0, skipped_ = 0;
};

/// What a file holds and how long it took, for people or as JSON.
std::string report(const std::string& file, std::int64_t lists, double seconds, bool json) {
  const double rate = static_cast<double>(lists) / std::max(seconds, 1e-9);
  if (json)
    return json_object({{"file", json_quote(file)},
                        {"histories", fmt::to_string(lists)},
                        {"seconds", json_value(seconds)},
                        {"histories_per_second", json_value(rate)}});
  return fmt::format("{}: {} histories in {} ({}/s)", display_text(file), grouped(lists),
                     duration(seconds), grouped(std::llround(rate)));
}

void warn_of(const Histories::Counts& counts, std::int64_t skipped, const RunContext& run) {
  if (skipped > 0)
    run.warning(
        fmt::format("skipped {} history items that the model does not know", grouped(skipped)));
  if (counts.empty > 0)
    run.warning(
        fmt::format("{} histories without an item that the model knows have no list; --empty "
                    "gives them one",
                    grouped(counts.empty)));
  if (counts.wrong > 0)
    run.warning(fmt::format("{} lines are wrong and have no list", grouped(counts.wrong)));
}

int RecommendCommand::run(Program& program) const {
  check();
  const Recommender recommender = Recommender::load(model, program.plugins());
  RunContext& run = program.start(program.seed());
  const RecommendOptions chosen = options(recommender.vocabulary(), run);
  Histories asked(histories, recommender, run);
  const bool batch = !histories.input.empty() || !output.empty();
  const ListFormat plain = program.common.json || asked.in_json() ? ListFormat::json
                           : batch                                ? ListFormat::tsv
                                                                  : ListFormat::people;
  const ListFormat format = output.empty() ? plain : list_format_of(output, plain);
  if (format == ListFormat::json) asked.answer_in_json();
  if (asked.in_json() && format != ListFormat::json && histories.keep_going)
    throw ConfigError("--keep-going answers wrong JSON lines by JSON lines: --output FILE.jsonl");
  // Long lists come a few at a time.
  const int longest = std::min(chosen.k, recommender.catalogue().n_items);
  const auto most = static_cast<std::size_t>(std::clamp(kPieceItems / longest, 1, kPiece));
  Answers answers(recommender, chosen, format, run);
  const bool to_file = !output.empty() && !is_device(output);
  Histories::Counts counts;
  const auto begin = std::chrono::steady_clock::now();
  CountProgress progress("histories");
  const auto recommend_all = [&](const Append& append) {
    append(list_heading(format));
    counts = asked.for_each_piece(most, [&](Histories::Piece& piece) {
      answers.add(piece.asked, append);
      if (piece.waits && output.empty()) program.flush();
      if (batch && (!output.empty() || !piece.waits)) progress.show(answers.done(), piece.share);
    });
  };
  if (output.empty()) {
    try {
      recommend_all([&](std::string_view text) { program.print(text); });
    } catch (const DataError&) {
      program.flush();  // What was asked before has its answers.
      throw;
    }
  } else {
    try {
      write_packed(output, recommend_all);
    } catch (const Interrupted&) {
      throw Interrupted(fmt::format("interrupted after {} histories; {} was not written",
                                    grouped(answers.done()), output));
    }
  }
  show_progress("");
  if (to_file) {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    program.print_line(report(output, answers.done(), took.count(), program.common.json));
  }
  if (batch) warn_of(counts, answers.skipped(), run);
  return 0;
}

}  // namespace

void add_recommend(CLI::App& app, Program& program, Commands& commands) {
  const auto command = std::make_shared<RecommendCommand>();
  CLI::App& parser = add_command(app, "recommend", "Recommend what comes next after a history");
  add_option(parser, "MODEL", command->model, "Run folder or model file");
  command->histories.add_to(parser);
  command->histories.add_answers_to(parser);
  add_parsed(
      parser, "-k", [command](const std::string& text) { command->k = length_of(text); },
      "Length of the list (default 10)");
  add_option(parser, "--seen", command->seen,
             "Items of the history: protocol (default, as in evaluation), keep or hide");
  command->allow.add_to(parser, "Only these items");
  command->block.add_to(parser, "Never these items");
  add_path(parser, "--output", command->output,
           "Write to this file (.csv, .tsv or .jsonl; with .gz or .zst behind it packed)");
  add_common(parser, program, kExamples);
  commands.push_back({&parser, [command](Program& p) { return command->run(p); }});
}

}  // namespace recloom::cli
