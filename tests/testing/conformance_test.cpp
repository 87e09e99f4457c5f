#include "recloom/testing/conformance.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <sstream>

#include "recloom/core/error.hpp"
#include "recloom/plugin/abi.hpp"
#include "support/support.hpp"

namespace recloom::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

std::vector<std::string> ids_of(const ConformanceReport& report, Outcome outcome) {
  std::vector<std::string> ids;
  for (const CheckResult& check : report.checks)
    if (check.outcome == outcome) ids.push_back(check.id);
  return ids;
}

const CheckResult& find(const ConformanceReport& report, const std::string& id) {
  for (const CheckResult& check : report.checks)
    if (check.id == id) return check;
  throw InternalError("no check " + id);
}

TEST(Conformance, HoldsForEveryPluginOfTheRepository) {
  const std::string folder = (binary_dir() / "lib/recloom/plugins").string();
  const PluginRegistry plugins({folder});
  int n_plugins = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string stem = entry.path().stem().string();
    if (entry.path().extension() != ".so") continue;
    ++n_plugins;
    ASSERT_TRUE(stem.starts_with("recloom-")) << entry.path();
    const ConformanceReport report = check_plugin(plugins, stem.substr(8));
    std::printf("%s", report.to_text().c_str());
    EXPECT_TRUE(report.passed()) << report.to_text();
  }
  EXPECT_GT(n_plugins, 0) << "no plugin in " << folder;
}

// ---- The suite itself can fail ------------------------------------------------------------------

struct Wrong {
  const char* plugin;
  const char* wrong;                ///< What the fixture is asked to do wrong.
  std::vector<std::string> failed;  ///< Exactly these checks fail.
  const char* reason;               ///< Part of the first one's.
};
void PrintTo(const Wrong& wrong, std::ostream* out) { *out << wrong.plugin << " " << wrong.wrong; }

/// ThreadSanitizer delivers signals where memory is taken, not in the middle of a call.
constexpr bool kSignalsWait = std::string_view(RECLOOM_SANITIZER) == "tsan";

class WrongPlugin : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongPlugin, FailsWhatIsMeant) {
  const Wrong& wrong = GetParam();
  if (kSignalsWait && wrong.wrong == std::string("scratch"))
    GTEST_SKIP() << "this build holds signals back";
  const PluginRegistry plugins({RECLOOM_FIXTURE_DIR});
  const ConformanceReport report =
      check_plugin(plugins, wrong.plugin, {.params = {{"wrong", std::string(wrong.wrong)}}});
  EXPECT_THAT(ids_of(report, Outcome::failed), ElementsAreArray(wrong.failed)) << report.to_text();
  EXPECT_EQ(report.exit_code(), wrong.failed.empty() ? 0 : 4);
  if (wrong.failed.empty()) return;
  const CheckResult& first = find(report, wrong.failed.front());
  EXPECT_THAT(first.reason, HasSubstr(wrong.reason));
  EXPECT_EQ(first.reason.find('\n'), std::string::npos) << first.reason;
  EXPECT_NE(first.hint, "");
  EXPECT_THAT(report.to_text(), HasSubstr(first.reason));
  EXPECT_THAT(report.to_text(), HasSubstr(first.hint));
}

const Wrong kWrong[] = {
    {"wrong_counter", "nothing", {}, ""},
    {"wrong_counter", "sparse", {}, ""},  // Scores begin at zero: not wrong.
    {"wrong_counter", "fit", {"train"}, "no luck today"},
    {"wrong_counter", "no_network", {"train"}, "NetworkRecommender"},
    {"wrong_counter", "random", {"repeatable", "threads"}, "same seed"},
    {"wrong_counter",
     "buffer",
     {"save-load"},
     "looks like a member that fit() fills was not given to register_buffer()"},
    {"wrong_counter", "no_buffers", {"save-load"}, "the model has no buffers: looks like a member"},
    {"wrong_counter", "unchecked", {"buffers"}, "in buffer 'popularity': "},
    {"wrong_counter",
     "abort_make",
     {"defaults", "train"},
     "the plugin crashes in this check (signal 6)"},
    {"wrong_counter", "abort_fit", {"train"}, "the plugin crashes when it is trained (signal 6)"},
    {"wrong_counter",
     "exit_fit",
     {"train"},
     "the plugin ends the process when it is trained (exit code 0)"},
    {"wrong_counter", "scratch", {"concurrent"}, "other threads"},
    {"wrong_counter", "two_items", {"two-items"}, "one item is not enough"},
    {"wrong_counter", "calls", {"save-load", "scores", "concurrent"}, "after loading"},
    {"wrong_counter", "nan", {"scores"}, "nan"},
    {"wrong_counter", "column", {"scores"}, "item 12 was given no score"},
    {"wrong_counter", "predict", {"predict"}, "predict gives"},
    {"wrong_counter", "head", {"factorised"}, "do not agree"},
    {"wrong_counter", "empty", {"histories"}, "a history of 0 items"},
    {"wrong_counter", "batch", {"predict", "batches"}, "predict gives"},
    {"wrong_counter", "thread", {"concurrent"}, "other threads"},
    {"wrong_counter", "order", {"beats-popularity", "traits"}, "mean reciprocal rank"},
    {"wrong_counter", "order_denied", {"traits"}, "uses_order is false"},
    {"wrong_counter", "user", {"traits"}, "uses_users is false"},
    {"wrong_counter", "whole", {"traits"}, "whole_history is false"},
    {"wrong_network", "nothing", {}, ""},
    {"wrong_network", "op", {"train"}, "the op has had enough"},
    {"wrong_network", "backward", {"gradients"}, "the backward pass gives"},
    {"wrong_network",
     "reach",
     {"reach", "batches"},  // In a batch of short histories there are fewer positions to look at.
     "op 'ahead' says Reach::past of operand 0, but position 0 of its output depends on position "
     "1"},
    {"wrong_network",
     "place",
     {"reach"},
     "op 'counting' says Reach::same, but given position 1 alone it computes something else than "
     "there among all"},
    {"wrong_network",
     "length",
     {"reach", "batches"},
     "op 'share' promises a reach, but of 3 positions it computes something else"},
    {"wrong_network",
     "peek",
     {"reach"},
     "op 'peek' says Reach::past of operand 0, but position 0 of its output depends on position 1"},
    {"wrong_network", "history", {"beats-popularity"}, "mean reciprocal rank"},
    {"wrong_network",
     "stuck",
     {"loss-falls", "beats-popularity", "gradients"},
     "the loss went from"},
    {"wrong_words", "nothing", {"declaration"}, "parameter 'width' has no doc"},
    {"wrong_words", "named", {"declaration"}, "no doc"},
    {"wrong_words", "memory", {"declaration"}, "no doc"},
    {"wrong_words", "exception", {"declaration", "bounds"}, "no doc"},
    {"wrong_words", "unnamed", {"declaration", "bounds"}, "no doc"},
    {"wrong_metric", "nothing", {}, ""},
    {"wrong_metric", "nan", {"values"}, "nan"},
    {"wrong_metric", "unwritten", {"values"}, "was not written"},
    {"wrong_metric", "calls", {"values-repeatable", "values-concurrent"}, "second time"},
    {"wrong_metric", "thread", {"values-concurrent"}, "other threads"},
    {"wrong_metric", "scratch", {"values-concurrent"}, "other threads"},
    {"wrong_sampler", "nothing", {}, ""},
    {"wrong_sampler",
     "padding",
     {"draws", "draws-repeatable", "draws-concurrent"},
     "it sampled item 0, legal are 1 to 12"},
    {"wrong_sampler", "target", {"draws", "probabilities"}, "the target itself"},
    {"wrong_sampler", "two_items", {"draws-two-items"}, "one item is not enough"},
    {"wrong_sampler", "state", {"draws-repeatable", "draws-concurrent"}, "second time"},
    {"wrong_sampler", "probabilities", {"probabilities"}, "is said to have probability"},
    {"wrong_sampler", "thread", {"draws-concurrent"}, "other threads"},
    {"wrong_sampler", "scratch", {"draws-concurrent"}, "other threads"},
};
INSTANTIATE_TEST_SUITE_P(Fixture, WrongPlugin, ::testing::ValuesIn(kWrong), [](const auto& test) {
  return std::string(test.param.plugin) + "_" + test.param.wrong;
});

class Fixtures : public ::testing::Test {
 protected:
  ConformanceReport check(const std::string& plugin, const std::string& wrong,
                          std::vector<std::string> only) {
    return check_plugin(plugins, plugin, {.only = std::move(only), .params = {{"wrong", wrong}}});
  }
  PluginRegistry plugins{{RECLOOM_FIXTURE_DIR}};
};

TEST_F(Fixtures, BoundsSayWhatBecameOfThem) {
  EXPECT_THAT(find(check("wrong_words", "exception", {"bounds"}), "bounds").reason,
              HasSubstr("width = 64"));
  EXPECT_THAT(find(check("wrong_words", "unnamed", {"bounds"}), "bounds").reason,
              HasSubstr("does not name it: too large"));
  EXPECT_THAT(find(check("wrong_words", "named", {"bounds"}), "bounds").reason,
              HasSubstr("1 refused by name"));
  EXPECT_THAT(find(check("wrong_words", "memory", {"bounds"}), "bounds").reason,
              HasSubstr("width = 64 needs more memory than there is"));
}

TEST_F(Fixtures, ChecksStandingOnAFailedOneAreSkipped) {
  const ConformanceReport report = check("wrong_counter", "fit", {"train", "scores"});
  EXPECT_THAT(ids_of(report, Outcome::failed), ElementsAre("train"));
  EXPECT_THAT(ids_of(report, Outcome::skipped), ElementsAre("scores"));
  EXPECT_THAT(find(report, "scores").reason, HasSubstr("'train'"));
  // Alone, it has to say itself what is wrong.
  EXPECT_THAT(find(check("wrong_counter", "fit", {"scores"}), "scores").reason,
              HasSubstr("no luck today"));
}

// Plugins that load, and throw as soon as they are asked for anything.
TEST(Conformance, SurvivesWhateverIsThrown) {
  const PluginRegistry plugins({RECLOOM_PLUGIN_FIXTURE_DIR});
  for (const char* name : {"describe_int", "describe_std", "create_int", "create_std"}) {
    const ConformanceReport report = check_plugin(plugins, name);
    EXPECT_FALSE(report.passed()) << report.to_text();
    EXPECT_EQ(find(report, "defaults").outcome, Outcome::failed) << report.to_text();
  }
}

// Training on threads goes wrong too, but not every time.
TEST_F(Fixtures, AScratchOfAnOpIsFound) {
  if (kSignalsWait) GTEST_SKIP() << "this build holds signals back";
  EXPECT_THAT(find(check("wrong_network", "scratch", {"concurrent"}), "concurrent").reason,
              HasSubstr("other threads"));
}

TEST_F(Fixtures, WhatDoesNotComeBackIsGivenUp) {
  const ConformanceReport report = check_plugin(
      plugins, "wrong_counter",
      {.only = {"scores"}, .params = {{"wrong", std::string("hang_score")}}, .seconds = 1});
  EXPECT_THAT(find(report, "scores").reason, HasSubstr("the plugin does not come back within 1 s"));
}

TEST_F(Fixtures, EveryCrashIsOfItsCheck) {
  const ConformanceReport report =
      check("wrong_counter", "abort_score", {"train", "scores", "histories", "traits"});
  EXPECT_THAT(ids_of(report, Outcome::passed), ElementsAre("train"));
  EXPECT_THAT(ids_of(report, Outcome::failed), ElementsAre("scores", "histories", "traits"));
  for (const char* id : {"scores", "histories", "traits"})
    EXPECT_EQ(find(report, id).reason, "the plugin crashes in this check (signal 6)");
}

TEST_F(Fixtures, MemoryIsLimited) {
  if (std::string_view(RECLOOM_SANITIZER) != "none") GTEST_SKIP() << "an instrumented build";
  const ConformanceReport report = check_plugin(plugins, "wrong_counter",
                                                {.only = {"train"},
                                                 .params = {{"wrong", std::string("memory_fit")}},
                                                 .memory = std::size_t{1} << 29});
  EXPECT_THAT(find(report, "train").reason, HasSubstr("needs more memory than there is"));
}

// For a debugger; what is made here starts no thread.
TEST_F(Fixtures, RunInThisProcessIfAskedTo) {
  const auto options = [](bool isolate) {
    return ConformanceOptions{.only = {"declaration", "defaults"}, .isolate = isolate};
  };
  EXPECT_TRUE(check_plugin(plugins, "wrong_metric", options(false)).passed());
  EXPECT_TRUE(check_plugin(plugins, "wrong_metric", options(true)).passed());
}

TEST_F(Fixtures, UnknownNamesAreRefused) {
  EXPECT_THROW(check_plugin(plugins, "none_of_these"), PluginError);
  EXPECT_THROW(check("wrong_counter", "nothing", {"scoers"}), ConfigError);
  EXPECT_THROW(check_plugin(plugins, "wrong_counter", {.params = {{"worng", true}}}), ConfigError);
}

TEST_F(Fixtures, EveryCheckOfAKindRunsInOrder) {
  std::vector<std::string> seen, listed;
  const ConformanceReport report =
      check_plugin(plugins, "wrong_sampler",
                   {.on_check = [&](const CheckResult& result) { seen.push_back(result.id); }});
  for (const CheckInfo& check : conformance_checks())
    if (std::ranges::find(check.kinds, "sampler") != check.kinds.end()) listed.push_back(check.id);
  EXPECT_EQ(seen, listed);
  EXPECT_EQ(report.checks.size(), listed.size());
  EXPECT_THAT(report.to_json(), HasSubstr("\"passed\":true"));
}

// ---- The page and the program -------------------------------------------------------------------

TEST(ConformancePage, ListsEveryCheckAndNoOther) {
  const std::string page = read_text(source_dir() / "docs/conformance.md");
  std::vector<std::string> on_page, ids;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("| `")) on_page.push_back(line.substr(3, line.find('`', 3) - 3));
  for (const CheckInfo& check : conformance_checks()) ids.push_back(check.id);
  EXPECT_EQ(on_page, ids);
}

TEST(PluginsCheck, JudgesByNameAndByFile) {
  const std::string recloom = (binary_dir() / "bin/recloom").string();
  const std::string file = std::string(RECLOOM_FIXTURE_DIR) + "/recloom-wrong_words.so";
  const ProgramResult failed = run_program({recloom, "plugins", "check", file});
  EXPECT_EQ(failed.exit_code, 4) << failed.err;
  EXPECT_THAT(failed.out, HasSubstr("parameter 'width' has no doc"));
  EXPECT_EQ(failed.err, "");
  const ProgramResult passed =
      run_program({recloom, "plugins", "check", "wrong_words", "--plugin-path", RECLOOM_FIXTURE_DIR,
                   "--only", "defaults", "--json"});
  EXPECT_EQ(passed.exit_code, 0) << passed.err;
  EXPECT_THAT(passed.out, HasSubstr("\"outcome\":\"passed\""));
  EXPECT_EQ(run_program({recloom, "plugins", "check", "no_such_plugin"}).exit_code, 4);
  EXPECT_EQ(run_program({recloom, "plugins", "check", "pop.txt"}).exit_code, 4);
  EXPECT_EQ(run_program({recloom, "plugins", "check"}).exit_code, 2);
  const ProgramResult list = run_program({recloom, "plugins", "check", "--list"});
  EXPECT_EQ(list.exit_code, 0);
  for (const CheckInfo& check : conformance_checks()) EXPECT_THAT(list.out, HasSubstr(check.id));
}

}  // namespace
}  // namespace recloom::testing
