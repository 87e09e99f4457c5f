// What a file without a format is taken for: a real log, written in the ways that logs are found
// in.
#include "data/format_guess.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/text.hpp"
#include "data/log_text.hpp"
#include "data/stream.hpp"
#include "recloom/core/error.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using testing::error_of_log;
using testing::items_of;
using testing::open_log;

struct Event {
  std::string user, item, time;
};

/// The first rows of the shipped log.
std::vector<Event> events() {
  const RunContext run;
  const auto file = testing::source_dir() / "datasets" / "online-retail" / "online-retail.inter.gz";
  std::string text(1 << 15, ' ');
  text.resize(open_stream(file.string(), run)->read(text));
  std::vector<Event> list;
  for (const std::string& line : split(text, '\n')) {
    const std::vector<std::string> cells = split(line, '\t');
    if (cells.size() == 3 && list.size() < 500) list.push_back({cells[0], cells[1], cells[2]});
  }
  list.erase(list.begin());  // The header.
  return list;
}

/// Rows of user, item, rating and time, written by a function.
std::string rows(const std::function<std::string(const Event&, const std::string& rating)>& write,
                 const std::string& header = "") {
  std::string text = header;
  int rating = 0;
  for (const Event& event : events()) {
    rating = rating % 5 + 1;
    text += write(event, std::to_string(rating)) + "\n";
  }
  return text;
}

std::string joined(const Event& event, const std::string& rating, const std::string& mark) {
  return event.user + mark + event.item + mark + rating + mark + event.time;
}

void refuses(const std::string& text, const std::string& sign, const DataOptions& data = {}) {
  const std::string message = error_of_log<DataError>(text, data, {}, "toy.txt");
  EXPECT_TRUE(message.starts_with("toy.txt:1: this looks like a table (" + sign)) << message;
  for (const std::string key : {"data.format = csv", "data.user_column", "data.item_column",
                                "data.time_column", "data.format = sequences"})
    EXPECT_NE(message.find(key), std::string::npos) << message;
}

TEST(FormatGuess, NeverTakesATableForSequences) {
  for (const std::string mark : {"\t", " "}) {
    const auto write = [&](const Event& event, const std::string& rating) {
      return joined(event, rating, mark);
    };
    refuses(rows(write), "lines of 4 cells, the last of them a time");
    refuses(rows(write, "userId" + mark + "movieId" + mark + "rating" + mark + "timestamp\n"),
            "line 1 has the names 'userId' and 'movieId'");
    refuses(rows(write, "wer" + mark + "was" + mark + "wie" + mark + "wann\n"),
            mark == "\t" ? "lines of 4 cells, parted by tabs"
                         : "lines of 4 cells, the last of them a time");
  }
  for (const std::string mark : {",", ";", "|", "::"}) {
    const auto write = [&](const Event& event, const std::string& rating) {
      return joined(event, rating, mark);
    };
    refuses(rows(write), "lines of 4 cells, parted by '" + mark + "'");
    refuses(rows(write, "CustomerID" + mark + "ProductID" + mark + "Stars" + mark + "When\n"),
            "line 1 has the names 'CustomerID' and 'ProductID'");
  }
  refuses(rows([](const Event& e, const std::string&) {
            return e.user + "\t" + e.item + "\t" + e.time;
          }),
          "lines of 3 cells, the last of them a time");
  refuses(
      rows([](const Event& e, const std::string& r) { return e.user + " " + e.item + " " + r; }),
      "lines of 3 cells, the last of them a rating");
  refuses(rows([](const Event& e, const std::string& r) {
            return e.user + " " + e.item + " " + r + " 2010-12-01 08:26:00";
          }),
          "lines of 5 cells, the same of them a date");
  refuses(rows([](const Event& e, const std::string& r) {
            return "u" + e.user + "\ti" + e.item + "\tr" + r;
          }),
          "lines of 3 cells, parted by tabs");
  refuses(rows([](const Event& e, const std::string& r) {
            return R"({"reviewerID": "A)" + e.user + R"(", "asin": ")" + e.item +
                   R"(", "overall": )" + r + "}";
          }),
          "line 1 has the names 'reviewerID' and 'asin'");
}

TEST(FormatGuess, TakesSequencesForWhatTheyAre) {
  std::map<std::string, std::string> line_of;
  for (const Event& event : events()) line_of[event.user] += " " + event.item;
  std::string text, pairs;
  for (const auto& [user, items] : line_of) text += user + items + "\n";
  for (const Event& event : events()) pairs += event.user + " " + event.item + "\n";
  ASSERT_GT(line_of.size(), 3U);
  for (const std::string& log : {text, pairs}) {
    const Dataset dataset = open_log(log, {}, {}, "toy.txt");
    EXPECT_EQ(dataset.n_interactions(), static_cast<std::int64_t>(events().size()));
    for (const auto& [user, items] : line_of) EXPECT_EQ(" " + items_of(dataset, user), items);
  }
  // The same number of items in every line.
  std::string tabs = pairs;
  for (char& c : tabs) c = c == ' ' ? '\t' : c;
  EXPECT_EQ(open_log(tabs, {}, {}, "toy.txt").catalogue().n_users,
            static_cast<int>(line_of.size()) + 1);
  EXPECT_EQ(
      items_of(open_log("ann tea mug pot\nbo mug tea ink\ncy ink mug tea\n", {}, {}, "t"), "bo"),
      "mug tea ink");
}

TEST(FormatGuess, DoesWhatTheOptionsSay) {
  const auto write = [](const Event& e, const std::string& r) { return joined(e, r, " "); };
  DataOptions options;
  options.format = FileFormat::sequences;
  const Dataset sequences = open_log(rows(write), options, {}, "toy.txt");
  EXPECT_EQ(sequences.n_interactions(), static_cast<std::int64_t>(3 * events().size()));
  // Names of columns that the header has make it a table, whatever parts its cells.
  options = {};
  options.user_column = "wer";
  options.item_column = "was";
  options.time_column = "wann";
  const Dataset table = open_log(rows(write, "wer was wie wann\n"), options, {}, "toy.txt");
  EXPECT_EQ(table.n_interactions(), static_cast<std::int64_t>(events().size()));
  EXPECT_TRUE(table.times().known);
}

TEST(FormatGuess, RefusesOtherLineEnds) {
  std::string text(testing::kHeader);
  text += "a\tx\t1\na\ty\t2\n";
  for (char& c : text) c = c == '\n' ? '\r' : c;
  for (const char* name : {"toy.inter", "toy.txt"})
    EXPECT_TRUE(error_of_log<DataError>(text, {}, {}, name)
                    .ends_with(":1: a carriage return within the line; lines must end with a line "
                               "feed (\\n or \\r\\n)"));
}

}  // namespace
}  // namespace recloom
