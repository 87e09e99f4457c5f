#include <fmt/format.h>

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/command.hpp"
#include "cli/histories.hpp"
#include "cli/lists.hpp"
#include "cli/shell.hpp"
#include "cli/table.hpp"

namespace recloom::cli {
namespace {

struct ExportCommand {
  std::string model, items, item_tokens, queries;
  HistoryOptions histories;

  int run(Program& program) const;
  void check_places() const;
};

constexpr std::size_t kPiece = 4096;

constexpr const char* kExamples =
    R"(  recloom export runs/shop --items items.npy --item-tokens items.txt
  recloom export runs/shop --queries queries.npy --input histories.tsv
Row i of items.npy belongs to line i of items.txt; row 0 is the padding. The dot product of a query
and an item vector ranks as `recommend` does: an item's bias is one more column, in which queries
have 1; lengths and scale of other similarities are multiplied in. What was done is said. Tabs, line
ends and backslashes of tokens are written \t, \n, \r and \\.)";

void ExportCommand::check_places() const {
  const std::vector<std::pair<std::string_view, std::string>> outputs = {
      {"--items", items}, {"--item-tokens", item_tokens}, {"--queries", queries}};
  std::vector<std::string> inputs = histories.files();
  inputs.push_back(model);
  for (const auto& [flag, file] : outputs) require_new_place(flag, file, inputs);
  require_different_places(outputs);
}

int ExportCommand::run(Program& program) const {
  if (model.empty()) throw ConfigError("export: needs a run folder or model file");
  if (items.empty() && item_tokens.empty() && queries.empty())
    throw ConfigError("export: needs --items FILE, --item-tokens FILE or --queries FILE");
  if (!queries.empty() || histories.any()) histories.check("export");
  check_places();
  const UnknownItems unknown = histories.unknown_items();
  const Recommender recommender = Recommender::load(model, program.plugins());
  RunContext& run = program.start(program.seed());
  // Nothing else stands in the stream that takes an output.
  const bool says = !is_device(items) && !is_device(item_tokens) && !is_device(queries);
  std::vector<std::pair<std::string, std::string>> written;
  const auto note = [&](const char* what, const std::string& file, std::size_t rows,
                        std::size_t columns) {
    written.emplace_back(
        what, json_object({{"file", json_quote(file)},
                           {"shape", json_list({fmt::to_string(rows), fmt::to_string(columns)})}}));
    if (says && !program.common.json)
      program.print_line(fmt::format("{}  [{}, {}]", file, rows, columns));
  };
  if (!items.empty()) {
    const VectorTable table = recommender.item_vectors();
    write_npy(items, table);
    note("items", items, table.rows, table.columns);
  }
  if (!item_tokens.empty()) {
    write_file(item_tokens, [&](const auto& append) {
      for (const std::string& token : recommender.vocabulary().items())
        append(tsv_cell(token) + "\n");
    });
    note("item_tokens", item_tokens, recommender.vocabulary().items().size(), 1);
  }
  if (!queries.empty()) {
    std::size_t rows = 0, columns = 0;
    Histories asked(histories, recommender, run);
    write_npy(queries, [&](const AppendVectors& append) {
      const VectorTable none = recommender.query_vectors({}, unknown, run);
      append(none);  // The columns, though there may be no histories.
      columns = none.columns;
      asked.for_each_piece(kPiece, [&](Histories::Piece& piece) {
        std::vector<QueryHistory> taken;
        for (AskedHistory& each : piece.asked) taken.push_back(std::move(each.history));
        const VectorTable part = recommender.query_vectors(taken, unknown, run);
        append(part);
        rows += part.rows;
      });
    });
    note("queries", queries, rows, columns);
  }
  if (!items.empty() || !queries.empty()) {
    const std::string meaning = recommender.vector_note();
    if (says && !meaning.empty() && !program.common.json) program.print_line(meaning);
    written.emplace_back("note", json_quote(meaning));
  }
  if (says && program.common.json) program.print_line(json_object(written));
  return 0;
}

}  // namespace

void add_export(CLI::App& app, Program& program, Commands& commands) {
  const auto command = std::make_shared<ExportCommand>();
  CLI::App& parser = add_command(app, "export", "Write item and query vectors for NumPy");
  add_option(parser, "MODEL", command->model, "Run folder or model file");
  add_path(parser, "--items", command->items, "Write the item vectors to this .npy file");
  add_path(parser, "--item-tokens", command->item_tokens, "Write the item tokens, one a line");
  add_path(parser, "--queries", command->queries, "Write the histories' vectors to this .npy file");
  command->histories.add_to(parser);
  command->histories.empty = true;  // A row for each, whatever is known of it.
  add_common(parser, program, kExamples);
  commands.push_back({&parser, [command](Program& p) { return command->run(p); }});
}

}  // namespace recloom::cli
