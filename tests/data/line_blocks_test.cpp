#include "data/line_blocks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "data/log_text.hpp"
#include "recloom/core/error.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using Line = std::vector<std::string>;

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  std::istringstream stream{std::string(text)};
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    lines.emplace_back();
    for (std::string word; words >> word;) lines.back().push_back(word);
  }
  return lines;
}

/// Lines of "user item item", of all lengths, with blanks in odd places.
std::string random_sequences(unsigned seed) {
  std::mt19937 random(seed);
  const auto blanks = [&] {
    return std::string(1 + random() % 9 * (random() % 40 == 0 ? 30 : 0), ' ');
  };
  std::string text;
  for (int line = 0; line < 60; ++line) {
    if (random() % 5 == 0) text += random() % 2 == 0 ? blanks() : "\n";
    text += "u" + std::to_string(random() % 1000);
    const unsigned n_items = 1 + random() % (random() % 4 == 0 ? 200 : 6);
    for (unsigned item = 0; item < n_items; ++item)
      text += (random() % 30 == 0 ? "\t" : blanks()) + std::string(1 + random() % 12, 'i') +
              std::to_string(item);
    if (random() % 3 == 0) text += blanks();
    text += random() % 7 == 0 ? "\r\n" : "\n";
  }
  if (seed % 2 == 0) text.pop_back();
  return text;
}

TEST(LineBlocks, CutLongLinesBetweenItems) {
  const testing::TemporaryFolder folder;
  const RunContext run;
  std::size_t n_pieces = 0;
  for (unsigned seed = 0; seed < 40; ++seed) {
    const std::string text = random_sequences(seed);
    LineBlocks blocks(folder.write("log.txt", text), run, 0, 64);
    blocks.head();
    blocks.cut_long_lines();
    std::vector<Line> lines;
    GrowingArray<char> block;
    while (blocks.next(block)) {
      std::vector<Line> read = lines_of({block.data(), block.size()});
      ASSERT_FALSE(read.empty());
      if (blocks.continues_line()) {
        ++n_pieces;
        // A piece is a line of its own kind: the user, and one item or more.
        ASSERT_GE(read[0].size(), 2U);
        ASSERT_EQ(read[0][0], lines.back()[0]);
        lines.back().insert(lines.back().end(), read[0].begin() + 1, read[0].end());
        read.erase(read.begin());
      }
      lines.insert(lines.end(), read.begin(), read.end());
    }
    ASSERT_EQ(lines, lines_of(text)) << "seed " << seed;
  }
  EXPECT_GT(n_pieces, 1000U);
}

/// Where rows end, by a plain walk over a text: a quote opens a cell at a cell's begin, two quotes
/// within are one.
std::vector<std::size_t> row_ends(std::string_view text, std::string_view separator) {
  std::vector<std::size_t> ends;
  bool begins = true, open = false;
  for (std::size_t at = 0; at < text.size();) {
    if (open) {
      if (text[at] == '"' && text.substr(at + 1).starts_with('"'))
        ++at;
      else if (text[at] == '"')
        open = false;
      ++at;
    } else if (begins && text[at] == '"') {
      open = true, begins = false, ++at;
    } else if (text.substr(at).starts_with(separator)) {
      begins = true, at += separator.size();
    } else {
      begins = text[at++] == '\n';
      if (begins) ends.push_back(at);
    }
  }
  return ends;
}

TEST(LineBlocks, KeepQuotedRowsWhole) {
  const testing::TemporaryFolder folder;
  const RunContext run;
  std::size_t n_blocks = 0;
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    const std::string separator = seed % 3 == 0 ? "::" : seed % 3 == 1 ? "," : "\t";
    const std::vector<std::string> pieces = {"a", "bc", "\"", "\"\"", "\n", "\r\n", separator, " "};
    std::string text;
    while (text.size() < 3000) text += pieces[random() % pieces.size()];
    LineBlocks blocks(folder.write("log.csv", text), run, 0, 32 + random() % 64);
    blocks.head();
    blocks.keep_quoted_rows(separator);
    const std::vector<std::size_t> ends = row_ends(text, separator);
    std::string read;
    GrowingArray<char> block;
    while (blocks.next(block)) {
      if (!read.empty()) {
        ASSERT_TRUE(std::binary_search(ends.begin(), ends.end(), read.size())) << "seed " << seed;
      }
      read.append(block.data(), block.size());
      ++n_blocks;
    }
    ASSERT_EQ(read, text) << "seed " << seed;
  }
  EXPECT_GT(n_blocks, 3000U);
}

TEST(LineBlocks, ReadOneUserOfManyItems) {
  std::string text = "bo mug tea\nann", items;
  for (int item = 0; item < 200000; ++item) items += " i" + std::to_string(item * 7919 % 1000);
  text += items + "\nbo pot\n";
  ASSERT_GT(text.size(), 6 * LineBlocks::kBlockBytes);
  const Dataset dataset = testing::open_log(text, {}, {}, "toy.txt");
  EXPECT_EQ(" " + testing::items_of(dataset, "ann"), items);
  EXPECT_EQ(testing::items_of(dataset, "bo"), "mug tea pot");
  EXPECT_EQ(testing::error_of_log<DataError>(text + "cy\n", {}, {}, "toy.txt"),
            "toy.txt:4: user 'cy' has no items; a line is \"user item item ...\"");
  text.insert(text.size() - 20, 1, '\0');  // Near the end of the long line.
  EXPECT_EQ(testing::error_of_log<DataError>(text, {}, {}, "toy.txt"),
            "toy.txt:2: binary data (a zero byte); expected UTF-8 text");
}

}  // namespace
}  // namespace recloom
