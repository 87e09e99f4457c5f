// What an author of plugins does with an installation: begin a project, follow the tutorial, build
// the examples.
#include <gmock/gmock.h>

#include <regex>

#include "docs/markdown.hpp"
#include "install/moved_prefix.hpp"

namespace recloom::testing {
namespace {

using ::testing::HasSubstr;

class Authoring : public MovedPrefix {
 protected:
  void SetUp() override {
    MovedPrefix::SetUp();
    if (is_sanitized()) GTEST_SKIP() << kSanitizedReason;
  }
};

// The commands of the README that comes with the project: build, test, describe, check, train.
TEST_F(Authoring, ANewProjectBuildsPassesAndTrains) {
  ASSERT_EQ(recloom({"plugins", "new", "mymodel"}).exit_code, 0);
  std::string commands = fenced_blocks(read_text(folder_->path() / "mymodel/README.md"), "sh");
  ASSERT_THAT(commands, HasSubstr("recloom plugins check mymodel"));
  ASSERT_THAT(commands, HasSubstr("recloom train online-retail --model mymodel"));
  commands = std::regex_replace(commands, std::regex("<prefix>"), prefix().string());
  const ProgramResult run = shell(
      "recloom() { if [[ $1 == train ]]; then command recloom \"$@\" --max-steps 4; "
      "else command recloom \"$@\"; fi; }\ncd mymodel\n" +
      commands);
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  EXPECT_TRUE(fs::exists(folder_->path() / "mymodel/runs/mymodel/model.safetensors"));
}

TEST_F(Authoring, EveryKindOfProjectPasses) {
  for (const std::string kind : {"counter", "metric", "sampler"}) {
    const std::string name = "some_" + kind;
    ASSERT_EQ(recloom({"plugins", "new", name, "--kind", kind}).exit_code, 0);
    const std::string build = build_outside(folder_->path() / name);
    const ProgramResult test =
        run_program({build + "/" + name + "_test", build + "/recloom-" + name + ".so"});
    EXPECT_EQ(test.exit_code, 0) << test.out << test.err;
  }
}

TEST_F(Authoring, TheTutorialRuns) {
  const std::string commands =
      fenced_blocks(read_text(source_dir() / "docs/writing_a_plugin.md"), "sh");
  ASSERT_THAT(commands, HasSubstr("recloom plugins new walk"));
  const ProgramResult run = shell(
      "recloom() { if [[ $1 == train || $1 == compare ]]; then command recloom \"$@\" --set "
      "train.max_steps=4; else command recloom \"$@\"; fi; }\n" +
      commands);
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
}

TEST_F(Authoring, TheExamplesRun) {
  fs::copy(source_dir() / "examples", folder_->path() / "examples", fs::copy_options::recursive);
  const std::string build = build_outside(folder_->path() / "examples");
  const ProgramResult recommended =
      run_program({build + "/recommend", "online-retail", "markov"}, {}, folder_->path().string());
  EXPECT_EQ(recommended.exit_code, 0) << recommended.err;
  EXPECT_THAT(recommended.out, HasSubstr("ndcg@10 0.2005"));  // as README.md has it

  const ProgramResult served =
      shell("printf '22423 22697\\n85099B\\n\\n' | '" + build + "/service' model.safetensors 3");
  EXPECT_EQ(served.exit_code, 0) << served.err;
  EXPECT_TRUE(
      std::regex_match(served.out, std::regex("1\t(\\S+ ){5}\n2\t(\\S+ ){5}\n3\t(\\S+ ){5}\n")))
      << served.out;

  const ProgramResult novelty = recloom({"train", "online-retail", "--model", "pop", "--run-dir",
                                         "novelty", "--set", "eval.metrics=[\"novelty\"]"},
                                        {"RECLOOM_PLUGIN_PATH=" + build});
  EXPECT_EQ(novelty.exit_code, 0) << novelty.err;
  for (const char* name : {"novelty", "walk1", "walk2", "walk3"}) {
    const ProgramResult checked =
        recloom({"plugins", "check", name}, {"RECLOOM_PLUGIN_PATH=" + build});
    EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
  }
}

TEST_F(Authoring, TheExternalPluginPasses) {
  fs::copy(source_dir() / "examples/external_plugin", folder_->path() / "external",
           fs::copy_options::recursive);
  const std::string build = build_outside(folder_->path() / "external");
  const ProgramResult test = run_program({build + "/fpmc_test", build + "/recloom-fpmc.so"});
  EXPECT_EQ(test.exit_code, 0) << test.out << test.err;
  const ProgramResult trained =
      recloom({"train", "online-retail", "--model", "fpmc", "--preset", "online-retail",
               "--max-steps", "4", "--run-dir", "fpmc", "--plugin-path", build});
  EXPECT_EQ(trained.exit_code, 0) << trained.err;
}

}  // namespace
}  // namespace recloom::testing
