// The parallel reader against a plain one: the same columns, codes and errors.
#include "data/table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "data/line_blocks.hpp"
#include "data/marks.hpp"
#include "recloom/core/error.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

/// A column of tokens as a plain reader codes it.
struct PlainColumn {
  std::vector<std::int32_t> codes;
  std::vector<std::string> tokens;
  std::map<std::string, std::int32_t> code_of;

  void add(const std::string& token) {
    const auto next = static_cast<std::int32_t>(tokens.size());
    const auto [found, is_new] = code_of.emplace(token, next);
    if (is_new) tokens.push_back(token);
    codes.push_back(found->second);
  }
};

struct PlainTable {
  PlainColumn users, items;
  std::vector<std::int64_t> times;
};

std::string random_token(std::mt19937& random, std::size_t n_tokens) {
  // Of every length up to 40 and beyond: short ones, those that fill a key, and hashed ones.
  std::mt19937 letters(static_cast<std::uint32_t>(random() % n_tokens));
  std::string token(1 + letters() % 40, ' ');
  for (char& c : token) c = static_cast<char>('a' + letters() % 26);
  return token;
}

/// Rows with all that a file may have: blank lines, both line ends, quotes, empty cells.
std::string random_log(std::size_t n_rows, std::size_t n_tokens, PlainTable& expected) {
  std::mt19937 random(7);
  std::string text = "user_id:token\titem_id:token\tnote:token\ttimestamp:float\n";
  for (std::size_t row = 0; row < n_rows; ++row) {
    const std::string user = random_token(random, n_tokens), item = random_token(random, n_tokens);
    const auto time = static_cast<std::int64_t>(random() % 3000000000U);
    const bool quoted = random() % 17 == 0, no_item = random() % 23 == 0;
    text += quoted ? '"' + user + '"' : user;
    text += '\t' + (no_item ? std::string() : item) + "\tx\t" + std::to_string(time);
    text += random() % 5 == 0 ? "\r\n" : "\n";
    if (random() % 29 == 0) text += random() % 2 == 0 ? "\n" : "  \r\n";
    if (no_item) continue;
    expected.users.add(user);
    expected.items.add(item);
    expected.times.push_back(time);
  }
  text.pop_back();  // The last line has no end.
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

Table read(const std::string& file, int threads, CellRules rules = CellRules::pandas) {
  TableSyntax syntax;
  syntax.rules = rules;
  const RunContext run(1, threads);
  TableReader reader(file, syntax, run);
  TableRequest request;
  request.token_columns = {"user_id", "item_id"};
  request.n_required = 2;
  request.times.emplace().column = "timestamp";
  return reader.read(request);
}

template <class T>
std::vector<T> list(const GrowingArray<T>& array) {
  return {array.begin(), array.end()};
}

std::vector<std::string> tokens_of(const TokenTable& table) {
  std::vector<std::string> tokens;
  for (std::size_t code = 0; code < table.size(); ++code) {
    tokens.emplace_back(table[static_cast<std::int32_t>(code)]);
  }
  return tokens;
}

void expect_same(const Table& table, const PlainTable& expected) {
  EXPECT_EQ(list(table.codes[0]), expected.users.codes);
  EXPECT_EQ(list(table.codes[1]), expected.items.codes);
  EXPECT_EQ(list(table.times), expected.times);
  EXPECT_EQ(tokens_of(table.tokens[0]), expected.users.tokens);
  EXPECT_EQ(tokens_of(table.tokens[1]), expected.items.tokens);
}

TEST(Table, EqualsAPlainReaderForAnyNumberOfThreads) {
  const testing::TemporaryFolder folder;
  for (const std::size_t n_tokens : {50, 100000}) {
    PlainTable expected;
    // Several rounds of blocks, so that later ones meet tokens of earlier ones.
    const std::string text = random_log(90000, n_tokens, expected);
    ASSERT_GT(text.size(), 20 * LineBlocks::kBlockBytes);
    const std::string file = folder.write("log.inter", text);
    for (const int threads : {1, 2, 4}) {
      SCOPED_TRACE(threads);
      expect_same(read(file, threads), expected);
    }
  }
}

TEST(Table, ReadsALineThatIsLongerThanABlock) {
  const testing::TemporaryFolder folder;
  const std::string huge(3 * LineBlocks::kBlockBytes, 'h');
  const Table table =
      read(folder.write("log.inter", "user_id:token\titem_id:token\ttimestamp:float\n" + huge +
                                         "\tx\t1\nb\t" + huge + "\t2\n" + huge + "\ty\t3"),
           2);
  EXPECT_EQ(list(table.codes[0]), (std::vector<std::int32_t>{0, 1, 0}));
  EXPECT_EQ(table.tokens[0][0], huge);
  EXPECT_EQ(list(table.times), (std::vector<std::int64_t>{1, 2, 3}));
}

std::string error_of(const std::string& file, CellRules rules = CellRules::pandas) {
  std::string message;
  for (const int threads : {1, 4}) {
    try {
      read(file, threads, rules);
      ADD_FAILURE() << "no error";
    } catch (const DataError& error) {
      EXPECT_TRUE(message.empty() || message == error.what()) << error.what();
      message = error.what();
    }
  }
  return message.substr(message.rfind('/') + 1);
}

TEST(Table, NamesTheFirstOfSeveralWrongLines) {
  const testing::TemporaryFolder folder;
  std::string rows = "user_id:token\titem_id:token\ttimestamp:float\n";
  for (int row = 0; row < 100000; ++row) rows += "a\tx\t" + std::to_string(row) + "\n";
  const std::string bad_text = "a\t\xFF\x80\t1\n", bad_time = "a\tx\t1a\n",
                    long_line = "a\tx\t1\t\n";
  EXPECT_EQ(
      error_of(folder.write("a.inter", rows + bad_text + bad_time + long_line)),
      "a.inter:100002: token '\\xff\\x80' is not valid UTF-8 (--set data.encoding=latin-1, or "
      "another, reads it)");
  EXPECT_TRUE(error_of(folder.write("a.inter", rows + bad_time + bad_text))
                  .starts_with("a.inter:100002: 'timestamp' is neither a number nor an ISO 8601 "
                               "time: '1a'"));
  EXPECT_EQ(error_of(folder.write("a.inter", rows + "\n" + long_line + bad_text)),
            "a.inter:100003: too many cells; the header has 3");
  EXPECT_EQ(error_of(folder.write("a.inter", rows + "a\tx\n" + bad_text), CellRules::raw),
            "a.inter:100002: too few cells: 2; the header has 3");
}

TEST(Table, ReadsAHeaderOfManyColumns) {
  const testing::TemporaryFolder folder;
  std::string header = "user_id:token\titem_id:token\ttimestamp:float", row = "a\tx\t1";
  for (int column = 0; column < 100000; ++column) {
    header += "\tcolumn" + std::to_string(column) + ":token";
    row += "\t0";
  }
  const Table table = read(folder.write("wide.inter", header + "\n" + row + "\n" + row), 1);
  EXPECT_EQ(table.n_rows(), 2U);
  EXPECT_TRUE(error_of(folder.write("wide.inter", header + "\tcolumn7:float\n" + row))
                  .starts_with("wide.inter:1: two columns have the name 'column7'"));
}

TEST(Marks, AreWhereAPlainSearchFindsThem) {
  std::mt19937 random(3);
  for (std::size_t size = 0; size < 300; ++size) {
    std::string text(size, 'a');
    for (char& c : text) c = "ab\t\n\xFF\x89\x8A"[random() % 7];
    const std::size_t from = size / 3;
    Marks marks(text, '\t');
    marks.seek(text.data() + from);
    std::size_t at = from;
    do {
      at = std::min(text.find_first_of("\t\n", at), size);
      ASSERT_EQ(marks.next() - text.data(), static_cast<std::ptrdiff_t>(at)) << size;
    } while (at++ < size);
  }
}

TEST(Cells, ParsesDigitsAsIntegersOnly) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 2000; ++round) {
    std::string text = std::to_string(random() % 1000000000000000000ULL);
    text.resize(random() % (text.size() + 1));
    if (text.empty()) continue;
    std::int64_t value = 0;
    ASSERT_TRUE(parse_digits(text, value)) << text;
    ASSERT_EQ(value, std::stoll(text));
    text[random() % text.size()] = "/:a-. \xB0\xFF"[random() % 8];
    ASSERT_FALSE(parse_digits(text, value)) << text;
  }
  std::int64_t value = 0;
  EXPECT_FALSE(parse_digits("", value));
  EXPECT_FALSE(parse_digits("1000000000000000000", value));  // 19 digits are left to others.
}

}  // namespace
}  // namespace recloom
