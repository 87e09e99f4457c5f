// Plugins that do harm as soon as they are opened, beside those that are used; and one that does it
// when it is used.
#include "cli/program_test.hpp"

namespace recloom::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct Hostile {
  const char* name;
  const char* problem;
};
void PrintTo(const Hostile& hostile, std::ostream* out) { *out << hostile.name; }

class HostileNeighbour : public ProgramTest, public ::testing::WithParamInterface<Hostile> {
 protected:
  ProgramResult beside(std::vector<std::string> words) {
    words.insert(words.end(),
                 {"--plugin-path", std::string(RECLOOM_HOSTILE_DIR) + "/" + GetParam().name});
    return recloom(words);
  }
};

TEST_P(HostileNeighbour, IsNotOpenedByWhatDoesNotUseIt) {
  const ProgramResult trained = beside(
      {"train", toy(), "--model", "pop", "--run-dir", "run", "--set", "eval.metrics=[\"ndcg\"]"});
  EXPECT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_TRUE(fs::exists(folder.path() / "run/model.safetensors"));
  EXPECT_TRUE(fs::exists(folder.path() / "run/report.json"));
  EXPECT_EQ(beside({"evaluate", "run", toy()}).exit_code, 0);
  EXPECT_EQ(beside({"plugins", "check", "pop", "--only", "declaration"}).exit_code, 0);
}

TEST_P(HostileNeighbour, IsNamed) {
  const ProgramResult list = beside({"plugins", "list"});
  EXPECT_EQ(list.exit_code, 0);
  EXPECT_EQ(list.err, "");
  EXPECT_THAT(list.out, HasSubstr(GetParam().problem));
  const ProgramResult doctor = beside({"doctor"});
  EXPECT_EQ(doctor.exit_code, 4);
  EXPECT_EQ(lines_of(doctor.err), 1) << doctor.err;
  EXPECT_THAT(doctor.err,
              HasSubstr("plugin " + std::string(GetParam().name) + ": " + GetParam().problem));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, HostileNeighbour,
    ::testing::Values(Hostile{"open_abort", "crashes when it is opened (signal 6)"},
                      Hostile{"open_exit", "ends the process when it is opened (exit code 0)"},
                      Hostile{"open_quick_exit",
                              "ends the process when it is opened (exit code 3)"}),
    [](const auto& hostile) { return hostile.param.name; });

class HostilePlugin : public ProgramTest {
 protected:
  ProgramResult train(const std::string& name, const std::string& setting) {
    return recloom({"train", toy(), "--model", name, "--run-dir", "run", "--set", setting,
                    "--plugin-path", std::string(RECLOOM_HOSTILE_DIR) + "/" + name});
  }
};

TEST_F(HostilePlugin, IsRefusedByName) {
  const ProgramResult result = train("open_exit", "seed=1");
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_EQ(lines_of(result.err), 1) << result.err;
  EXPECT_THAT(result.err, HasSubstr("plugin 'open_exit' cannot be used: "));
  EXPECT_THAT(result.err, HasSubstr("ends the process when it is opened (exit code 0)"));
}

TEST_F(HostilePlugin, DoesNotEndARunAsASuccess) {
  const ProgramResult result = train("open_quietly", "model.params.wrong=\"exit\"");
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_EQ(lines_of(result.err), 2) << result.err;  // The first: how the log was read.
  EXPECT_THAT(result.err, HasSubstr("plugin 'open_quietly' ("));
  EXPECT_THAT(result.err, HasSubstr("called exit(0) before it was done"));
}

TEST_F(HostilePlugin, ThatKeepsNothingIsWarnedOf) {
  const ProgramResult result = train("open_quietly", "seed=1");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("plugin 'open_quietly' registers no buffer"));
}

TEST_F(HostilePlugin, MakesNoModelFileThatCannotBeRead) {
  const ProgramResult result = train("open_quietly", "model.params.wrong=\"resize\"");
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.err,
              HasSubstr("plugin 'open_quietly': buffer 'counts' has 2 values after fit() "
                        "and had 3 after construction"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "run"));
}

TEST_F(HostilePlugin, DoesNotPassForAStopRequest) {
  const ProgramResult result = train("open_quietly", "model.params.wrong=\"interrupt\"");
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.err, HasSubstr("plugin 'open_quietly' threw Interrupted"));
}

TEST_F(HostilePlugin, DoesNotRunTwice) {
  const ProgramResult result = train("open_quietly", "model.params.wrong=\"fork\"");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out.find("protocol"), result.out.rfind("protocol"));
}

TEST_F(HostilePlugin, IsNamedWhenItCrashes) {
  const ProgramResult result = train("open_quietly", "model.params.wrong=\"abort\"");
  EXPECT_EQ(result.exit_code, 128 + 6);
  EXPECT_THAT(result.err, HasSubstr("recloom: crashed (signal 6) while plugin 'open_quietly' ("));
}

}  // namespace
}  // namespace recloom::testing
