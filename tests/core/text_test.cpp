#include "core/text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

namespace recloom {
namespace {

using Words = std::vector<std::string>;

TEST(Nearest, FindsEachKindOfSlip) {
  const Words models{"caser", "markov", "pop", "gru4rec", "sasrec"};
  EXPECT_EQ(nearest("casr", models), "caser");    // a letter lost
  EXPECT_EQ(nearest("casser", models), "caser");  // one too many
  EXPECT_EQ(nearest("cazer", models), "caser");   // another one
  EXPECT_EQ(nearest("carse", models), "caser");   // letters moved
  EXPECT_EQ(nearest("opp", models), "pop");       // neighbours swapped
  EXPECT_EQ(nearest("Caser", models), "caser");   // case
  EXPECT_EQ(nearest("GRU4Rec", models), "gru4rec");
}

TEST(Nearest, GuessesNothingThatIsFarOff) {
  const Words models{"caser", "markov", "pop"};
  EXPECT_EQ(nearest("transformer", models), "");
  EXPECT_EQ(nearest("x", models), "");
  EXPECT_EQ(nearest("", models), "");
  EXPECT_EQ(nearest("bert4rec", {}), "");
}

TEST(Nearest, PrefersTheClosest) {
  EXPECT_EQ(nearest("ndcg", Words{"ndcg@5", "ndgc", "hit"}), "ndgc");
  EXPECT_EQ(nearest("ab", Words{"ac", "ad"}), "ac");  // the first of equals
}

TEST(Nearest, KnowsDottedKeys) {
  const Words keys{"train.learning_rate", "data.max_length", "model.params.dropout_prob"};
  EXPECT_EQ(nearest("train.lerning_rate", keys), "train.learning_rate");
  EXPECT_EQ(nearest("max_length", keys), "data.max_length");        // table left out
  EXPECT_EQ(nearest("train.max_length", keys), "data.max_length");  // wrong table
  EXPECT_EQ(nearest("model.params.dropout_prb", keys), "model.params.dropout_prob");
}

TEST(Nearest, CompletesAPrefix) {
  EXPECT_EQ(nearest("dropout", Words{"embedding_size", "dropout_prob"}), "dropout_prob");
}

// Edits by the textbook: the whole table, no bounds.
std::size_t plain_distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> table(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i)
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        table[i][j] = i + j;
        continue;
      }
      table[i][j] = std::min({table[i - 1][j] + 1, table[i][j - 1] + 1,
                              table[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        table[i][j] = std::min(table[i][j], table[i - 2][j - 2] + 1);
    }
  return table[a.size()][b.size()];
}

TEST(Nearest, CountsEditsAsTheTextbookDoes) {
  std::uint64_t state = 7;
  const auto draw = [&](std::size_t n) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (state >> 33) % n;
  };
  int near = 0;
  for (int pair = 0; pair < 20000; ++pair) {
    std::string a, b;
    for (std::size_t n = draw(14) + 2; n > 0; --n) a += "abc"[draw(3)];
    for (std::size_t n = draw(14) + 1; n > 0; --n) b += "abc"[draw(3)];
    const bool expected = plain_distance(a, b) <= std::max<std::size_t>(1, (a.size() + 1) / 3) ||
                          (a.size() >= 3 && b.starts_with(a));
    ASSERT_EQ(nearest(a, Words{b}) == b, expected) << a << " " << b;
    near += expected;
  }
  EXPECT_GT(near, 500);
}

TEST(Nearest, DoesNotSearchForWhatIsNoWord) {
  const std::string longest(100, 'x'), longer(101, 'x');
  EXPECT_EQ(nearest(longest, Words{std::string(99, 'x') + "y"}), std::string(99, 'x') + "y");
  EXPECT_EQ(nearest(longest, Words{std::string(133, 'x')}), std::string(133, 'x'));
  EXPECT_EQ(nearest(longer, Words{longer}), "");
  EXPECT_EQ(nearest(std::string(10'000'000, 'a'), Words{std::string(10'000'000, 'a')}), "");
}

TEST(DidYouMean, IsAnEndingOfASentence) {
  EXPECT_EQ(did_you_mean("casr", Words{"caser"}), ", did you mean 'caser'?");
  EXPECT_EQ(did_you_mean("zzz", Words{"caser"}), "");
  // What a file brings may hold bytes that a terminal obeys.
  const std::string guess = did_you_mean("user", Words{"user\x1b[31mid"});
  EXPECT_NE(guess, "");
  EXPECT_EQ(guess.find('\x1b'), std::string::npos);
}

TEST(Split, KeepsEmptyParts) {
  EXPECT_EQ(split("a\tb\t", '\t'), (Words{"a", "b", ""}));
  EXPECT_EQ(split("", ','), (Words{""}));
}

TEST(Trim, TakesBlanksOffBothEnds) {
  EXPECT_EQ(trim(" \ta b\r\n"), "a b");
  EXPECT_EQ(trim(" \t"), "");
}

TEST(ParseNumber, TakesWholeTextsOnly) {
  double real = 7;
  EXPECT_TRUE(parse_number("1.5e3", real));
  EXPECT_EQ(real, 1500);
  EXPECT_TRUE(parse_number("+2", real));
  EXPECT_EQ(real, 2);
  for (const char* bad : {"", " 1", "1 ", "1,5", "abc", "1.5x", "+-1", "+", "0x10"}) {
    EXPECT_FALSE(parse_number(bad, real)) << bad;
    EXPECT_EQ(real, 2);
  }
  std::int64_t integer = 0;
  EXPECT_TRUE(parse_number("-9223372036854775808", integer));
  EXPECT_EQ(integer, INT64_MIN);
  for (const char* bad : {"9223372036854775808", "1.0", "", "1e3"})
    EXPECT_FALSE(parse_number(bad, integer)) << bad;
}

TEST(Printable, LeavesTextAlone) {
  EXPECT_EQ(printable("caf\xc3\xa9 \xe2\x82\xac"), "caf\xc3\xa9 \xe2\x82\xac");
}

TEST(Printable, EscapesWhatATerminalWouldObey) {
  using namespace std::string_literals;
  EXPECT_EQ(printable("a\nb\tc\rd\x1b[2J\0e\x7f"s), "a\\nb\\tc\\rd\\x1b[2J\\x00e\\x7f");
  EXPECT_EQ(printable("\xff\xc3("), "\\xff\\xc3(");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");  // a control character of Latin-1
}

TEST(Visible, ShowsEverythingAndCutsNothing) {
  EXPECT_EQ(visible(std::string(1000, 'x') + "\x1b[2J"), std::string(1000, 'x') + "\\x1b[2J");
  EXPECT_EQ(visible("a\u202eb\u2066c\u2028d"),
            "a\\xe2\\x80\\xaeb\\xe2\\x81\\xa6c\\xe2\\x80\\xa8d");  // they turn what follows
  EXPECT_EQ(visible("\u20ac \u2027\u202f\u2065\u206a"), "\u20ac \u2027\u202f\u2065\u206a");
  EXPECT_EQ(visible("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
  const std::string once = visible("caf\xe9\n");
  EXPECT_EQ(visible(once), once);
}

TEST(Printable, CutsLongTextBetweenCharacters) {
  EXPECT_EQ(printable("abcdef", 3), "abc...");
  EXPECT_EQ(printable("ab\xc3\xa9", 3), "ab...");
  EXPECT_EQ(printable("abc", 3), "abc");
}

}  // namespace
}  // namespace recloom
