#include "config/toml.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "recloom/core/error.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using Texts = std::vector<std::string>;
using Integers = std::vector<std::int64_t>;

std::string error(std::string_view text) {
  try {
    parse_toml(text, "run.toml");
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "nothing was thrown";
}

TEST(ParseToml, FlattensTables) {
  const Params params = parse_toml(
      "top = 1\n[train]\nlearning_rate = 1e-3\nloss = \"CE\"\n[model.params]\nnv = 4\n"
      "flag = true\nks = [1, 2]\nmixed = [1, 2.5]\nnames = ['a', 'b']\nnone = []\n"
      "inline = { a = 1 }\n",
      "f");
  EXPECT_EQ(params.values().size(), 10U);
  EXPECT_EQ(*params.find("top"), Value(std::int64_t{1}));
  EXPECT_EQ(*params.find("train.learning_rate"), Value(0.001));
  EXPECT_EQ(*params.find("train.loss"), Value(std::string("CE")));
  EXPECT_EQ(*params.find("model.params.nv"), Value(std::int64_t{4}));
  EXPECT_EQ(*params.find("model.params.flag"), Value(true));
  EXPECT_EQ(*params.find("model.params.ks"), Value(Integers{1, 2}));
  EXPECT_EQ(*params.find("model.params.mixed"), Value(std::vector<double>{1, 2.5}));
  EXPECT_EQ(*params.find("model.params.names"), Value(Texts{"a", "b"}));
  EXPECT_EQ(*params.find("model.params.none"), Value(Texts()));
  EXPECT_EQ(*params.find("model.params.inline.a"), Value(std::int64_t{1}));
}

TEST(ParseToml, NamesFileAndLineOfBadSyntax) {
  for (const char* bad : {"a = 1\nb =\n", "a = 1\nb = [1\nc", "x = 1\nx = 2", "a = 1\n\x01"}) {
    const std::string text = error(bad);
    EXPECT_TRUE(text.starts_with("run.toml:2: ") || text.starts_with("run.toml:3: ")) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  }
}

TEST(ParseToml, TakesDatesForTexts) {
  const Params params = parse_toml(
      "a = 2011-06-01\nb = [2011-06-01, 2011-09-01T08:30:00.000000001Z]\nc = 08:30:00", "run.toml");
  EXPECT_EQ(*params.find("a"), Value(std::string("2011-06-01")));
  EXPECT_EQ(*params.find("b"), Value(Texts({"2011-06-01", "2011-09-01T08:30:00.000000001Z"})));
  EXPECT_EQ(*params.find("c"), Value(std::string("08:30:00")));
  EXPECT_EQ(parse_value("[2011-06-01]"), Value(Texts({"2011-06-01"})));
  EXPECT_EQ(parse_value("2011-06-01"), Value(std::string("2011-06-01")));
}

TEST(ParseToml, RefusesValuesThatNoParameterCanHave) {
  for (const char* bad : {"\nt = [[1], [2]]", "\nt = [1, 'a']", "\nt = [true]", "\n[[t]]\na = 1"})
    EXPECT_EQ(error(bad),
              "run.toml:2: t must be true, false, a number, a text, or a list of numbers or of "
              "texts")
        << bad;
}

std::string repeated(std::string_view part, int times) {
  std::string text;
  for (int n = 0; n < times; ++n) text += part;
  return text;
}

// Each of them overran the parser's stack.
TEST(ParseToml, BoundsHowDeepThingsLie) {
  const std::string dots = repeated("a.", 100000);
  EXPECT_EQ(error("x = 1\n" + dots + "b = 1"), "run.toml:2: a key has more than 16 parts");
  EXPECT_EQ(error("[" + dots + "b]"), "run.toml:1: a key has more than 16 parts");
  EXPECT_EQ(error("[[" + dots + "b]]"), "run.toml:1: a key has more than 16 parts");
  EXPECT_EQ(error("x = { " + dots + "b = 1 }"), "run.toml:1: a key has more than 16 parts");
  EXPECT_EQ(error(repeated("\"a\".", 100000) + "b = 1"),
            "run.toml:1: a key has more than 16 parts");
  EXPECT_EQ(error("\nx = " + repeated("[", 100000)),
            "run.toml:2: brackets are nested deeper than 32 times");
  EXPECT_EQ(error("x = " + repeated("[\n", 100000)),
            "run.toml:33: brackets are nested deeper than 32 times");
  EXPECT_EQ(error("x = " + repeated("{ a = ", 100000)),
            "run.toml:1: brackets are nested deeper than 32 times");
  EXPECT_EQ(error("s = \"\"\"x\"\"\"\"\"\nx = " + repeated("[", 100000)),
            "run.toml:2: brackets are nested deeper than 32 times");
}

TEST(ParseToml, CountsNoBracketsOfStringsAndComments) {
  const std::string brackets = repeated("[{.", 1000), end = "\ny = 1";
  for (const std::string& text :
       {"# " + brackets, "x = \"" + brackets + "\"", "x = '" + brackets + "'",
        "x = \"\"\"\n" + brackets + "\"\"\"", "x = '''\n" + brackets + "''\n'''",
        "x = \"\\\"" + brackets + "\"", "x = \"\"\"\"a\\\"\"\"" + brackets + "\"\"\"\"\"",
        "x = \"\" # " + brackets})
    EXPECT_EQ(*parse_toml(text + end, "f").find("y"), Value(std::int64_t{1})) << text.substr(0, 20);
}

TEST(ParseToml, RefusesBytesThatAreNoText) {
  EXPECT_EQ(error("a = 1\ncaf\xe9 = 1"), "run.toml:2: '\\xe9' is no UTF-8");
  EXPECT_EQ(error("\xc3"), "run.toml:1: '\\xc3' is no UTF-8");
  EXPECT_EQ(error("a = \"\x1b[2J\""), "run.toml:1: '\\x1b' is a control character");
  EXPECT_EQ(error(std::string_view("a = 1\0", 6)), "run.toml:1: '\\x00' is a control character");
}

// Names of files are bytes, TOML is UTF-8.
TEST(ParseToml, ReadsBytesThatAreEscaped) {
  const Params params{{"data.item_file", std::string("caf\xe9 \\xE9.item")},
                      {"list", Texts{"\xff", "\u00e9"}}};
  EXPECT_EQ(to_toml(params),
            "list = [\"\\\\xFF\", \"\u00e9\"]\n\n[data]\n"
            "item_file = \"caf\\\\xE9 \\\\x5CxE9.item\"\n");
  EXPECT_EQ(parse_toml(to_toml(params), "f").values(), params.values());
  EXPECT_EQ(parse_value("caf\xe9"), Value(std::string("caf\xe9")));
}

TEST(ParseTomlFile, RefusesMoreThanAMegabyte) {
  const testing::TemporaryFolder folder;
  const std::string file = folder.write("a.toml", std::string((1 << 20) + 1, '\n'));
  EXPECT_THROW(parse_toml_file(file), IoError);
  std::filesystem::resize_file(file, 1 << 20);
  EXPECT_TRUE(parse_toml_file(file).empty());
}

TEST(ParseTomlFile, ReadsAFile) {
  const testing::TemporaryFolder folder;
  const std::string file = folder.write("a.toml", "[t]\na = 1\n");
  EXPECT_EQ(*parse_toml_file(file).find("t.a"), Value(std::int64_t{1}));
  EXPECT_THROW(parse_toml_file(folder.file("none")), IoError);
  folder.write("b.toml", "\xff\xfe\x00");
  EXPECT_THROW(parse_toml_file(folder.file("b.toml")), ConfigError);
}

TEST(ToToml, WritesNestedTables) {
  const Params params{{"z", std::int64_t{1}},
                      {"a.b", 0.5},
                      {"a.c.d", Texts{"x"}},
                      {"a.c.e", true},
                      {"m.p.q", std::string("t")}};
  EXPECT_EQ(to_toml(params),
            "z = 1\n\n[a]\nb = 0.5\n\n[a.c]\nd = [\"x\"]\ne = true\n\n[m.p]\nq = \"t\"\n");
  EXPECT_EQ(to_toml({}), "");
}

TEST(ToToml, ReadsBackToTheSame) {
  const Params params{{"a-b.c", std::string("quo\"te\\\n\x7f")},
                      {"a.x", 1e300},
                      {"a.y", -0.1},
                      {"a0.z", Integers{1, -2}},
                      {"key with blank", 3.0},
                      {"r", std::vector<double>{1, 2}},
                      {"big", INT64_MIN}};
  EXPECT_EQ(parse_toml(to_toml(params), "f").values(), params.values());
}

TEST(ParseValue, RefusesWhatIsNestedTooDeep) {
  EXPECT_THROW(parse_value(repeated("[", 50000)), ConfigError);
  EXPECT_THROW(parse_value(repeated("{a=", 50000)), ConfigError);
  EXPECT_THROW(parse_value("{" + repeated("a.", 50000) + "b=1}"), ConfigError);
}

TEST(ParseValue, TakesTomlElseBareText) {
  EXPECT_EQ(parse_value("3"), Value(std::int64_t{3}));
  EXPECT_EQ(parse_value("1e-3"), Value(1e-3));
  EXPECT_EQ(parse_value(".5"), Value(0.5));
  EXPECT_EQ(parse_value("true"), Value(true));
  EXPECT_EQ(parse_value("\"3\""), Value(std::string("3")));
  EXPECT_EQ(parse_value("[5, 10]"), Value(Integers{5, 10}));
  EXPECT_EQ(parse_value("['hit', 'mrr']"), Value(Texts{"hit", "mrr"}));
  const std::string far = repeated("../", 40) + "x.item";
  EXPECT_EQ(parse_value(far), Value(far));
  for (const char* bare :
       {"tied", "ndcg@10", "", "a b", "[1", "2020-01-01", "1\nx = 2", "a.b", "{ a = 1 }", "C:\\x"})
    EXPECT_EQ(parse_value(bare), Value(std::string(bare))) << bare;
}

}  // namespace
}  // namespace recloom
