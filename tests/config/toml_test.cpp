#include "config/toml.hpp"

#include <gtest/gtest.h>

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

TEST(ParseToml, RefusesValuesThatNoParameterCanHave) {
  for (const char* bad :
       {"\nt = 2020-01-01", "\nt = [[1], [2]]", "\nt = [1, 'a']", "\nt = [true]", "\n[[t]]\na = 1"})
    EXPECT_EQ(error(bad),
              "run.toml:2: t must be true, false, a number, a text, or a list of numbers or of "
              "texts")
        << bad;
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

TEST(ParseValue, TakesTomlElseBareText) {
  EXPECT_EQ(parse_value("3"), Value(std::int64_t{3}));
  EXPECT_EQ(parse_value("1e-3"), Value(1e-3));
  EXPECT_EQ(parse_value(".5"), Value(0.5));
  EXPECT_EQ(parse_value("true"), Value(true));
  EXPECT_EQ(parse_value("\"3\""), Value(std::string("3")));
  EXPECT_EQ(parse_value("[5, 10]"), Value(Integers{5, 10}));
  EXPECT_EQ(parse_value("['hit', 'mrr']"), Value(Texts{"hit", "mrr"}));
  for (const char* bare :
       {"tied", "ndcg@10", "", "a b", "[1", "2020-01-01", "1\nx = 2", "a.b", "{ a = 1 }", "C:\\x"})
    EXPECT_EQ(parse_value(bare), Value(std::string(bare))) << bare;
}

}  // namespace
}  // namespace recloom
