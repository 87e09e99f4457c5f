#include "recloom/data/options.hpp"

#include <gtest/gtest.h>

#include <string>

#include "recloom/core/error.hpp"

namespace recloom {
namespace {

template <class Options>
std::string error_of(const Params& values, std::string_view prefix) {
  try {
    Options options;
    ParamSchema schema(values, prefix);
    options.describe(schema);
    schema.finish();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(DataOptions, AreFilledFromKeys) {
  DataOptions options;
  ParamSchema schema({{"max_length", std::int64_t{10}},
                      {"time_precision", std::string("float32")},
                      {"missing_time", std::string("drop")},
                      {"value_intervals", std::vector<std::string>{"rating [3,inf)"}}},
                     "data.");
  options.describe(schema);
  schema.finish();
  EXPECT_EQ(options.max_length, 10);
  EXPECT_EQ(options.time_precision, TimePrecision::float32);
  EXPECT_EQ(options.missing_time, MissingTime::drop);
  EXPECT_EQ(options.value_intervals.size(), 1u);
  EXPECT_EQ(options.duplicates, Duplicates::keep);
}

TEST(DataOptions, EveryKeyHasADescription) {
  ParamSchema data, split;
  DataOptions().describe(data);
  SplitOptions().describe(split);
  for (const ParamSchema* schema : {&data, &split}) {
    for (const ParamInfo& key : schema->declared()) EXPECT_GT(key.doc.size(), 15u) << key.name;
  }
}

TEST(DataOptions, RefuseUnknownKeysAndIllegalValues) {
  const std::string unknown = error_of<DataOptions>({{"max_lenght", std::int64_t{10}}}, "data.");
  EXPECT_NE(unknown.find("data.max_lenght"), std::string::npos) << unknown;
  EXPECT_NE(unknown.find("max_length'"), std::string::npos) << unknown;
  const std::string none = error_of<DataOptions>({{"max_length", std::int64_t{0}}}, "data.");
  EXPECT_NE(none.find("data.max_length = 0"), std::string::npos) << none;
  const std::string word = error_of<SplitOptions>({{"mode", std::string("ratios")}}, "split.");
  EXPECT_NE(word.find("leave_one_out, ratio, temporal, none"), std::string::npos) << word;
}

template <class Options>
std::string invalid(const Options& options) {
  try {
    options.validate();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(DataOptions, AreValidatedTogether) {
  EXPECT_EQ(invalid(DataOptions()), "");
  DataOptions options;
  options.item_column = options.user_column;
  EXPECT_EQ(invalid(options),
            "data.item_column and data.user_column name the same column 'user_id'");
  options = {};
  options.separator = "a\"";
  EXPECT_TRUE(invalid(options).starts_with("data.separator = 'a\"'")) << invalid(options);
  options = {};
  options.item_interval = "[5";
  EXPECT_TRUE(invalid(options).starts_with("data.item_interval: '[5'")) << invalid(options);
  options = {};
  options.value_intervals = {"rating above 3"};
  EXPECT_TRUE(invalid(options).starts_with("data.value_intervals: ")) << invalid(options);
}

TEST(SplitOptions, NeedRatiosOnlyWhereTheyAreUsed) {
  SplitOptions options;
  options.ratios = {0.5, 0.5};
  EXPECT_EQ(invalid(options), "");
  for (const SplitMode mode : {SplitMode::ratio, SplitMode::temporal}) {
    options.mode = mode;
    EXPECT_TRUE(invalid(options).starts_with("split.ratios: [0.5, 0.5]")) << invalid(options);
  }
}

}  // namespace
}  // namespace recloom
