#include <gtest/gtest.h>

#include <clocale>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "core/json.hpp"
#include "recloom/recloom.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

RecommendedList some_list() {
  RecommendedList list;
  list.user = "u\xff";
  list.unknown = {"caf\xe9", "a\\xe9"};
  list.items = {{"i1", "", 0.1F}, {"i2", "", 1234567.0F}, {"i3", "", -1e-30F}};
  return list;
}

// A host may have set any locale, and with it another decimal point.
TEST(ReportJson, DoesNotDependOnTheLocale) {
  const std::string expected = some_list().to_json();
  EXPECT_NE(expected.find("\"score\":0.1}"), std::string::npos) << expected;
  const testing::TemporaryFolder folder;
  const std::string made = folder.file("de_DE");
  const testing::ProgramResult made_locale =
      testing::run_program({"/usr/bin/localedef", "-i", "de_DE", "-f", "ISO-8859-1", made});
  if (!std::filesystem::exists(made)) GTEST_SKIP() << "no locale can be made: " << made_locale.err;
  const std::string before = std::setlocale(LC_ALL, nullptr);
  setenv("LOCPATH", folder.path().c_str(), 1);
  ASSERT_NE(std::setlocale(LC_ALL, "de_DE"), nullptr);
  const std::string found = some_list().to_json(), comma = std::localeconv()->decimal_point;
  std::setlocale(LC_ALL, before.c_str());
  unsetenv("LOCPATH");
  EXPECT_EQ(comma, ",");
  EXPECT_EQ(found, expected);
}

TEST(ReportJson, IsValidWhateverBytesTokensHave) {
  const Json json = Json::parse(some_list().to_json());
  EXPECT_EQ(json["user"], "u\\xFF");
  EXPECT_EQ(json["unknown"][0], "caf\\xE9");
  EXPECT_EQ(json["unknown"][1], "a\\xe9") << "what is UTF-8 stays as it is";
  EXPECT_EQ(Json::parse(json_quote("a\xe9\n")), "a\\xE9\n");
}

TEST(ReportJson, PutsTextsTogether) {
  EXPECT_EQ(json_object({{"b", json_list({"1", "\"x\"", "null"})}, {"a\xff", json_value(true)}}),
            R"({"b":[1,"x",null],"a\\xFF":true})");
  EXPECT_EQ(json_object({}) + json_list({}), "{}[]");
  EXPECT_THROW(json_list({"1,2"}), IoError);
}

TEST(ReportJson, WritesEveryValueOfASetting) {
  const std::vector<std::pair<Value, std::string>> cases = {
      {true, "true"},
      {std::int64_t{-3}, "-3"},
      {0.1, "0.1"},
      {HUGE_VAL, "null"},
      {std::string("a\xe9"), R"("a\\xE9")"},
      {std::vector<std::int64_t>{1, 2}, "[1,2]"},
      {std::vector<double>{0.5}, "[0.5]"},
      {std::vector<std::string>{"x", "y"}, R"(["x","y"])"}};
  for (const auto& [value, text] : cases) EXPECT_EQ(json_value(value), text);
}

// Names of files can be had back: an escape's own backslash is escaped too.
TEST(ReportJson, KeepsNamesOfFiles) {
  RunReport report;
  report.dataset_name = "caf\xe9";
  report.run_folder = "runs/caf\xe9";
  report.model_file = "a\\xe9";
  const Json json = Json::parse(report.to_json());
  EXPECT_EQ(json["dataset"]["name"], "caf\\xE9");
  EXPECT_EQ(json["run_folder"], "runs/caf\\xE9");
  EXPECT_EQ(json["model_file"], "a\\x5Cxe9");
}

}  // namespace
}  // namespace recloom
