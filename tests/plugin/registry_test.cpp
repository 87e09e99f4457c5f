#include "recloom/plugin/registry.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <thread>
#include <utility>

#include "recloom/core/error.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/plugin/abi.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryFolder;

const std::string kFixtures = RECLOOM_FIXTURE_DIR;
constexpr Catalogue kCatalogue{.n_users = 2, .n_items = 3, .max_length = 4};

template <class Call>
std::pair<std::string, int> failure(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return {error.what(), static_cast<int>(error.kind())};
  }
  return {"nothing was thrown", -1};
}
template <class Call>
std::string message(Call call) {
  return failure(call).first;
}

class Registry : public ::testing::Test {
 protected:
  PluginRegistry plugins_{{kFixtures}};
  std::string create_error(const std::string& name, const Params& params = {}) {
    return message([&] { plugins_.create(name, params, kCatalogue); });
  }
};

TEST_F(Registry, ListsEveryFileInOrder) {
  const std::vector<PluginInfo> rows = plugins_.list();
  const auto fixtures = std::count_if(rows.begin(), rows.end(), [](const PluginInfo& row) {
    return row.file.starts_with(kFixtures);
  });
  const auto files = std::distance(fs::directory_iterator(kFixtures), fs::directory_iterator());
  EXPECT_EQ(fixtures, files);
  EXPECT_TRUE(std::is_sorted(rows.begin(), rows.begin() + fixtures,
                             [](const auto& a, const auto& b) { return a.file < b.file; }));
  for (const PluginInfo& row : rows) {
    EXPECT_FALSE(row.name.empty());
    EXPECT_EQ(row.usable(), !row.version.empty()) << row.name;
    EXPECT_EQ(row.problem.find('\n'), std::string::npos) << row.problem;
  }
}

TEST_F(Registry, ReportsFilesThatAreNoLibraries) {
  const TemporaryFolder folder;
  folder.write("recloom-text.so", "text");
  folder.write("recloom-empty.so", "");
  folder.write("notes.txt", "no candidate");
  fs::create_directory(folder.file("recloom-folder.so"));
  fs::create_symlink("/nowhere", folder.file("recloom-link.so"));
  const PluginRegistry plugins({folder.path().string()});
  const std::vector<PluginInfo> rows = plugins.list();
  ASSERT_GE(rows.size(), 4U);
  EXPECT_EQ(rows[0].problem, "is empty");
  EXPECT_EQ(rows[1].problem, "is a folder");
  EXPECT_EQ(rows[2].problem, "is a link to nothing");
  EXPECT_EQ(rows[3].problem, "is no shared library");
  EXPECT_EQ(
      message([&] { plugins.find("text"); }),
      "plugin 'text' cannot be used: " + folder.file("recloom-text.so") + " is no shared library");
}

TEST_F(Registry, TakesTheFirstOfAName) {
  const TemporaryFolder folder;
  fs::copy_file(kFixtures + "/recloom-good_model.so", folder.file("recloom-good_model.so"));
  const PluginRegistry plugins({kFixtures, folder.path().string(), kFixtures});
  EXPECT_EQ(plugins.find("good_model").file, kFixtures + "/recloom-good_model.so");
  const std::vector<PluginInfo> rows = plugins.list();
  const auto second = std::find_if(rows.begin(), rows.end(), [&](const PluginInfo& row) {
    return row.file == folder.file("recloom-good_model.so");
  });
  ASSERT_NE(second, rows.end());
  EXPECT_EQ(second->problem, "is hidden by " + kFixtures + "/recloom-good_model.so");
}

TEST_F(Registry, NamesTheNearestOfAMisspeltName) {
  const std::string text = message([&] { plugins_.find("good_modle"); });
  EXPECT_TRUE(text.starts_with(
      "unknown plugin 'good_modle', did you mean 'good_model'? (searched " + kFixtures + ", "))
      << text;
  EXPECT_TRUE(text.ends_with("/recloom/plugins)")) << text;
  EXPECT_EQ(failure([&] { plugins_.find("x"); }).second, static_cast<int>(ErrorKind::plugin));
}

TEST_F(Registry, SearchesGivenPlacesOnly) {
  const auto before = fs::current_path();
  fs::current_path(kFixtures);
  EXPECT_THROW(PluginRegistry().find("good_model"), PluginError);
  fs::current_path(before);
}

TEST_F(Registry, ReadsTheEnvironment) {
  const TemporaryFolder folder;
  const std::string path = ":/nowhere/at/all:" + kFixtures;
  setenv("RECLOOM_PLUGIN_PATH", path.c_str(), 1);
  const PluginRegistry plugins({folder.path().string()});
  unsetenv("RECLOOM_PLUGIN_PATH");
  EXPECT_EQ(plugins.find("good_model").version, "1.2.3");
  ASSERT_EQ(plugins.folders().size(), 4U);
  EXPECT_EQ(plugins.folders()[0], folder.path().string());
  EXPECT_EQ(plugins.folders()[2], kFixtures);
}

TEST_F(Registry, TakesAFileAsAPlace) {
  const PluginRegistry plugins({kFixtures + "/recloom-good_model.so"});
  EXPECT_TRUE(plugins.find("good_model").usable());
  EXPECT_THROW(plugins.find("good_metric"), PluginError);
}

TEST_F(Registry, RefusesAPlaceThatIsNone) {
  EXPECT_EQ(message([] { PluginRegistry plugins({"/nowhere"}); }),
            "plugin path /nowhere is no folder and no file");
}

TEST_F(Registry, DescribesParametersAndSuggestions) {
  const std::vector<ParamInfo> params = plugins_.describe("good_model");
  ASSERT_EQ(params.size(), 3U);
  EXPECT_EQ(params[0].name, "width");
  EXPECT_EQ(params[0].default_value, Value(std::int64_t{8}));
  EXPECT_EQ(params[0].range.high, 64);
  EXPECT_EQ(params[0].doc, "how wide");
  EXPECT_EQ(*plugins_.suggested("good_model").find("train.loss"), Value(std::string("BPR")));
}

float first_score(const SequentialRecommender& model) {
  const std::vector<ItemId> events = {1, 2};
  const std::vector<Batch::Entry> entries = {{0, 1, 1, 1}};
  std::vector<float> scores(3);
  model.full_sort_predict(Batch(events, entries, 4), {scores, 3});
  return scores[0];
}

TEST_F(Registry, CreatesAModelWithItsParameters) {
  const Model model = plugins_.create("good_model", {{"width", std::int64_t{5}}}, kCatalogue);
  EXPECT_EQ(model->n_items(), 3U);
  EXPECT_EQ(first_score(*model), 5);
  EXPECT_EQ(model.plugin().name, "good_model");
  EXPECT_EQ(model.params().values().size(), 3U);
  EXPECT_EQ(*model.params().find("width"), Value(std::int64_t{5}));
  EXPECT_EQ(*model.params().find("rate"), Value(0.5));
}

TEST_F(Registry, ModelsOutliveTheirRegistry) {
  std::optional<PluginRegistry> plugins;
  plugins.emplace(std::vector<std::string>{kFixtures});
  Model model = plugins->create("good_model", {}, kCatalogue);
  plugins.reset();
  Model moved = std::move(model);
  EXPECT_EQ(first_score(*moved), 8);
}

TEST_F(Registry, CreatesMetricsAndSamplers) {
  const auto metric = plugins_.create_metric("good_metric", {{"factor", 3.0}});
  const std::vector<double> ranks = {2};
  double value = 0;
  metric->row({.row = {}, .ranks = ranks, .mean_ranks = ranks, .top = {}}, {&value, 1});
  EXPECT_EQ(value, 6);
  const auto sampler = plugins_.create_sampler("good_sampler");
  sampler->prepare({.catalogue = kCatalogue, .target_counts = {}});
  ItemId negative = 0;
  sampler->sample({}, Rng(1), {&negative, 1});
  EXPECT_EQ(negative, 2);
}

TEST_F(Registry, NamesASamplerThatDrawsWhatIsNoItem) {
  const auto sampler = plugins_.create_sampler("good_sampler", {{"last", std::int64_t{1000}}});
  sampler->prepare({.catalogue = kCatalogue, .target_counts = {}});
  ItemId negative = 0;
  EXPECT_EQ(failure([&] {
              sampler->sample({}, Rng(1), {&negative, 1});
            }),
            std::pair(std::string("plugin 'good_sampler': it sampled item 1000, legal are 1 to 2"),
                      static_cast<int>(ErrorKind::plugin)));
}

TEST_F(Registry, RefusesAnotherKind) {
  EXPECT_EQ(create_error("good_metric"), "plugin 'good_metric' is a metric, not a model");
  EXPECT_EQ(message([&] { plugins_.create_metric("good_sampler"); }),
            "plugin 'good_sampler' is a sampler, not a metric");
  EXPECT_EQ(message([&] { plugins_.create_sampler("good_model"); }),
            "plugin 'good_model' is a model, not a sampler");
}

TEST_F(Registry, NamesTheKeyOfAWrongParameter) {
  EXPECT_EQ(create_error("good_model", {{"width", std::int64_t{0}}}),
            "model.params.width = 0: must be an integer from 1 to 64");
  EXPECT_EQ(create_error("good_model", {{"widht", std::int64_t{1}}}),
            "unknown key 'model.params.widht', did you mean 'model.params.width'?");
  EXPECT_EQ(message([&] {
              plugins_.create_metric("good_metric", {{"factor", true}});
            }),
            "good_metric.factor = true: must be a number from 0 to 10");
  EXPECT_EQ(message([&] {
              plugins_.create_sampler("good_sampler", {{"x", true}});
            }),
            "unknown key 'good_sampler.x', legal are good_sampler.last");
}

TEST_F(Registry, KeepsTypesAcrossTheBoundary) {
  const Model data = plugins_.create("good_model", {{"raise", std::string("data")}}, kCatalogue);
  EXPECT_THROW(first_score(*data), DataError);
  const Model plain = plugins_.create("good_model", {{"raise", std::string("std")}}, kCatalogue);
  EXPECT_THROW(first_score(*plain), std::runtime_error);
}

struct Failing {
  const char* name;
  ErrorKind kind;
  std::string text;
};
class FailingPlugin : public Registry, public ::testing::WithParamInterface<Failing> {};

TEST_P(FailingPlugin, GivesATypedErrorOnOneLine) {
  const auto [text, kind] = failure([&] { plugins_.create(GetParam().name, {}, kCatalogue); });
  EXPECT_EQ(kind, static_cast<int>(GetParam().kind));
  EXPECT_EQ(text, GetParam().text);
}

std::string failed(const std::string& name, const std::string& reason) {
  return "plugin '" + name + "' (" + kFixtures + "/recloom-" + name + ".so) failed in " + reason;
}
INSTANTIATE_TEST_SUITE_P(
    Kinds, FailingPlugin,
    ::testing::Values(
        Failing{"describe_config", ErrorKind::config, "width and depth differ"},
        Failing{"describe_std", ErrorKind::plugin, failed("describe_std", "describe: two\\nlines")},
        Failing{"describe_int", ErrorKind::plugin,
                failed("describe_int", "describe: threw something that is no std::exception")},
        Failing{"create_data", ErrorKind::data, "plugin 'create_data': no rows"},
        Failing{"create_model", ErrorKind::plugin, failed("create_model", "create: shapes differ")},
        Failing{"create_numeric", ErrorKind::numeric, "plugin 'create_numeric': not finite"},
        Failing{"create_io", ErrorKind::io, "plugin 'create_io': no file"},
        Failing{"create_std", ErrorKind::model,
                "plugin 'create_std': needs more memory than there is: lower data.max_length or "
                "the model's sizes"},
        Failing{"create_int", ErrorKind::plugin,
                failed("create_int", "create: threw something that is no std::exception")},
        Failing{"null_create", ErrorKind::plugin,
                failed("null_create", "create: it gave no reason")},
        Failing{"escaping_create", ErrorKind::plugin,
                failed("escaping_create", "create: it threw no std::exception")},
        Failing{"escaping_describe", ErrorKind::plugin,
                failed("escaping_describe", "describe: escaped")},
        Failing{"wrong_abi", ErrorKind::plugin,
                "plugin 'wrong_abi' cannot be used: " + kFixtures +
                    "/recloom-wrong_abi.so was built for ABI 999, this is ABI " +
                    std::to_string(plugin::kAbiNumber) + ": build it again"}),
    [](const auto& failing) { return failing.param.name; });

TEST_F(Registry, ServesManyThreads) {
  const RunContext run(1, 4);
  std::vector<float> scores(64);
  run.parallel_for(64, [&](std::size_t index) {
    if (index % 8 == 0) plugins_.list();
    scores[index] = first_score(*plugins_.create("good_model", {}, kCatalogue));
  });
  EXPECT_EQ(std::count(scores.begin(), scores.end(), 8.0F), 64);
}

// Each test is a process of its own, so nothing is open yet.
TEST(Registries, LoadSeveralPluginsFromFourThreads) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP()
      << "AddressSanitizer's allocator keeps its locks over fork(): the child that tries a "
         "plugin out may wait for one that another thread of its parent held";
#endif
  const std::vector<std::string> names = {"good_model",  "failing_network", "stripped",
                                          "good_metric", "good_sampler",    "wrong_abi",
                                          "unresolved",  "create_std"};
  std::vector<int> usable(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < usable.size(); ++t)
    threads.emplace_back([&, t] {
      const PluginRegistry plugins({kFixtures});
      for (std::size_t n = 0; n < names.size(); ++n) {
        const std::string& name = names[(n + 2 * t) % names.size()];
        try {
          usable[t] += plugins.find(name).usable() ? 1 : 0;
          plugins.describe(name);
        } catch (const PluginError&) {
          usable[t] += 100;
        }
      }
      usable[t] += first_score(*plugins.create("good_model", {}, kCatalogue)) == 8 ? 1000 : 0;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(usable, std::vector<int>(4, 1206));
}

}  // namespace
}  // namespace recloom
