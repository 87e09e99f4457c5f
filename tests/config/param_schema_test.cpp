#include "recloom/config/param_schema.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "recloom/core/error.hpp"

namespace recloom {
namespace {

using Texts = std::vector<std::string>;

enum class Output { tied, untied };

struct Options {
  int layers = 2;
  double rate = 0.5;
  bool relu = true;
  std::string name = "adam";
  std::vector<int> ks = {10, 20};
  std::vector<double> ratios = {0.8, 0.2};
  Texts metrics = {"hit"};
  Output output = Output::tied;

  void describe(ParamSchema& s) {
    s.integer("layers", layers, {1, 8}, "how many")
        .source("section 3")
        .test_values({std::int64_t{1}});
    s.real("rate", rate, {.low = 0}, "how fast");
    s.flag("relu", relu, "whether");
    s.text("name", name, "which");
    s.integers("ks", ks, {.low = 1}, "cut-offs");
    s.reals("ratios", ratios, {0, 1}, "shares");
    s.texts("metrics", metrics, "names");
    s.choice("output", output, {{"tied", Output::tied}, {"untied", Output::untied}}, "table");
    s.suggest("train.loss", std::string("BPR"));
  }
};

Options read(const Params& values) {
  Options options;
  ParamSchema schema(values, "model.params.");
  options.describe(schema);
  schema.finish();
  return options;
}

std::string error(const Params& values) {
  try {
    read(values);
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "nothing was thrown";
}

TEST(ParamSchema, RecordsDeclarationsInOrder) {
  Options options;
  ParamSchema schema;
  options.describe(schema);
  const std::vector<ParamInfo>& all = schema.declared();
  Texts names, types;
  for (const ParamInfo& info : all) {
    names.push_back(info.name);
    types.push_back(info.type);
  }
  EXPECT_EQ(names, (Texts{"layers", "rate", "relu", "name", "ks", "ratios", "metrics", "output"}));
  EXPECT_EQ(types,
            (Texts{"integer", "real", "flag", "text", "integers", "reals", "texts", "choice"}));
  EXPECT_EQ(all[0].default_value, Value(std::int64_t{2}));
  EXPECT_EQ(all[0].range.high, 8);
  EXPECT_EQ(all[0].source, "section 3");
  EXPECT_EQ(all[0].doc, "how many");
  EXPECT_EQ(all[0].test_values, (std::vector<Value>{std::int64_t{1}}));
  EXPECT_EQ(all[7].choices, (Texts{"tied", "untied"}));
  EXPECT_EQ(all[7].default_value, Value(std::string("tied")));
  EXPECT_EQ(*schema.suggested().find("train.loss"), Value(std::string("BPR")));
}

TEST(ParamSchema, KeepsDefaultsWithoutValues) {
  const Options options = read({});
  EXPECT_EQ(options.layers, 2);
  EXPECT_EQ(options.output, Output::tied);
  EXPECT_EQ(options.ks, (std::vector<int>{10, 20}));
}

TEST(ParamSchema, AssignsWhatIsGiven) {
  const Options options = read({{"layers", std::int64_t{8}},
                                {"rate", 0.25},
                                {"relu", false},
                                {"name", std::string("sgd")},
                                {"ks", std::vector<std::int64_t>{5}},
                                {"ratios", std::vector<double>{0.5, 0.5}},
                                {"metrics", Texts{"ndcg", "mrr"}},
                                {"output", std::string("untied")}});
  EXPECT_EQ(options.layers, 8);
  EXPECT_EQ(options.rate, 0.25);
  EXPECT_FALSE(options.relu);
  EXPECT_EQ(options.name, "sgd");
  EXPECT_EQ(options.ks, (std::vector<int>{5}));
  EXPECT_EQ(options.ratios, (std::vector<double>{0.5, 0.5}));
  EXPECT_EQ(options.metrics, (Texts{"ndcg", "mrr"}));
  EXPECT_EQ(options.output, Output::untied);
}

TEST(ParamSchema, TakesIntegersForReals) {
  const Options options =
      read({{"rate", std::int64_t{2}}, {"ratios", std::vector<std::int64_t>{1, 0}}});
  EXPECT_EQ(options.rate, 2);
  EXPECT_EQ(options.ratios, (std::vector<double>{1, 0}));
}

TEST(ParamSchema, TakesAnEmptyListOfAnyType) {
  const Options options = read({{"ks", Texts()}, {"ratios", Texts()}});
  EXPECT_TRUE(options.ks.empty());
  EXPECT_TRUE(options.ratios.empty());
}

TEST(ParamSchema, ResolvesEveryName) {
  Options options;
  ParamSchema schema({{"rate", std::int64_t{2}}, {"output", std::string("untied")}});
  options.describe(schema);
  EXPECT_EQ(schema.resolved().values().size(), 8U);
  EXPECT_EQ(*schema.resolved().find("rate"), Value(2.0));
  EXPECT_EQ(*schema.resolved().find("output"), Value(std::string("untied")));
  EXPECT_EQ(*schema.resolved().find("layers"), Value(std::int64_t{2}));
  // What was resolved resolves to itself.
  Options again;
  ParamSchema second(schema.resolved());
  again.describe(second);
  EXPECT_EQ(second.resolved().values(), schema.resolved().values());
}

TEST(ParamSchema, TakesNumbersAndSingleOnesForTexts) {
  Options options;
  ParamSchema schema({{"metrics", std::vector<std::int64_t>{10, -9007199254740993}}});
  options.describe(schema);
  EXPECT_EQ(options.metrics, (std::vector<std::string>{"10", "-9007199254740993"}));
  ParamSchema reals({{"metrics", std::vector<double>{1609459200.25}}});
  options.describe(reals);
  EXPECT_EQ(options.metrics, std::vector<std::string>{"1609459200.25"});
  for (const Value& one : {Value(std::int64_t{7}), Value(std::string("7"))}) {
    ParamSchema single({{"metrics", one}});
    options.describe(single);
    EXPECT_EQ(options.metrics, std::vector<std::string>{"7"});
  }
}

TEST(ParamSchema, RefusesWrongTypesAndValuesOutOfRange) {
  const std::string p = "model.params.";
  EXPECT_EQ(error({{"layers", std::int64_t{9}}}), p + "layers = 9: must be an integer from 1 to 8");
  EXPECT_EQ(error({{"layers", std::int64_t{1} << 40}}),
            p + "layers = 1099511627776: must be an integer from 1 to 8");
  EXPECT_EQ(error({{"layers", 2.0}}), p + "layers = 2.0: must be an integer from 1 to 8");
  EXPECT_EQ(error({{"layers", std::string("two")}}),
            p + "layers = \"two\": must be an integer from 1 to 8");
  EXPECT_EQ(error({{"layers", true}}), p + "layers = true: must be an integer from 1 to 8");
  EXPECT_EQ(error({{"rate", -0.5}}), p + "rate = -0.5: must be a number of at least 0");
  EXPECT_EQ(error({{"rate", std::numeric_limits<double>::quiet_NaN()}}),
            p + "rate = nan: must be a number of at least 0");
  EXPECT_EQ(error({{"rate", std::numeric_limits<double>::infinity()}}),
            p + "rate = inf: must be a number of at least 0");
  EXPECT_EQ(error({{"relu", std::int64_t{1}}}), p + "relu = 1: must be true or false");
  EXPECT_EQ(error({{"name", std::int64_t{1}}}), p + "name = 1: must be text in quotation marks");
  EXPECT_EQ(error({{"ks", std::int64_t{10}}}),
            p + "ks = 10: must be a list of integers of at least 1, as in [10]");
  EXPECT_EQ(error({{"ks", std::vector<std::int64_t>{3, 0}}}),
            p + "ks = [3, 0]: must be a list of integers of at least 1");
  EXPECT_EQ(error({{"ratios", std::vector<double>{0.5, 1.5}}}),
            p + "ratios = [0.5, 1.5]: must be a list of numbers from 0 to 1");
  EXPECT_EQ(error({{"metrics", true}}),
            p + "metrics = true: must be a text or a list of texts, in quotation marks");
  EXPECT_EQ(error({{"output", std::string("tide")}}),
            p + "output = \"tide\": must be one of tied, untied, did you mean 'tied'?");
  EXPECT_EQ(error({{"output", false}}), p + "output = false: must be one of tied, untied");
}

TEST(ParamSchema, RefusesUnknownNames) {
  EXPECT_EQ(error({{"layer", std::int64_t{1}}}),
            "unknown key 'model.params.layer', did you mean 'model.params.layers'?");
  EXPECT_EQ(error({{"zzzzzz", std::int64_t{1}}}),
            "unknown key 'model.params.zzzzzz', legal are model.params.layers, model.params.rate, "
            "model.params.relu, model.params.name, model.params.ks, model.params.ratios, "
            "model.params.metrics, model.params.output");
  EXPECT_THROW(ParamSchema({{"x", true}}).finish(), ConfigError);
}

TEST(ParamSchema, RefusesAuthorsSlips) {
  int value = 1;
  ParamSchema schema;
  EXPECT_THROW(schema.source("x"), InternalError);
  EXPECT_THROW(schema.test_values({}), InternalError);
  schema.integer("a", value, {}, "");
  EXPECT_THROW(schema.integer("a", value, {}, ""), ModelError);
}

TEST(ParamSchema, NamesNoRangeWhereThereIsNone) {
  int value = 1;
  ParamSchema schema({{"a", true}});
  try {
    schema.integer("a", value, {}, "");
    FAIL();
  } catch (const ConfigError& e) {
    EXPECT_STREQ(e.what(), "a = true: must be an integer");
  }
}

TEST(ParamSchema, RefusesDeclarationsThatNobodyCouldUse) {
  const auto problem = [](auto declare) -> std::string {
    ParamSchema schema;
    try {
      declare(schema);
    } catch (const ModelError& error) {
      return error.what();
    }
    return "";
  };
  int number = 100;
  double real = 1;
  const auto integer = [&](const char* name, Range legal) {
    return problem([&](ParamSchema& s) { s.integer(name, number, legal, "doc"); });
  };
  EXPECT_EQ(integer("size", {1, 100}), "");
  EXPECT_EQ(integer("size", {1, 5}),
            "parameter 'size': its default 100 is not in its own range, 1 to 5");
  EXPECT_NE(integer("size", {200, 5}), "");
  for (const char* name : {"", "a.b", "1st", "a b", "\xff", "a=b", "_x"})
    EXPECT_TRUE(integer(name, {1, 100}).ends_with("a name is a letter, then letters, digits and _"))
        << name;
  EXPECT_NE(problem([&](ParamSchema& s) { s.real("rate", real, {2, 3}, "doc"); }), "");
  EXPECT_NE(problem([&](ParamSchema& s) { s.real("r", real, {}, "").real("r", real, {}, ""); }),
            "");
}

}  // namespace
}  // namespace recloom
