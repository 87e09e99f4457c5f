// Beginning a plugin, and looking into one. That a new project builds and passes is tested by
// tests/install, which has an installation.
#include "cli/program_test.hpp"

namespace recloom::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class PluginsNew : public ProgramTest {};

TEST_F(PluginsNew, WritesEveryKind) {
  for (const char* kind : {"network", "counter", "metric", "sampler"}) {
    const std::string name = std::string("my_") + kind;
    const ProgramResult result = recloom({"plugins", "new", name, "--kind", kind});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    for (const std::string file : {"CMakeLists.txt", "README.md", "/.cpp", "/_test.cpp"}) {
      const fs::path path = folder.path() / name / (file[0] == '/' ? name + file.substr(1) : file);
      ASSERT_TRUE(fs::exists(path)) << path;
      EXPECT_THAT(read_text(path), Not(HasSubstr("@"))) << path;
      EXPECT_THAT(read_text(path), HasSubstr(name)) << path;
    }
    EXPECT_THAT(read_text(folder.path() / name / (name + ".cpp")), HasSubstr("class My"));
  }
}

TEST_F(PluginsNew, TakesAFolder) {
  const Json made = json_of({"plugins", "new", "mine", "--folder", "a/b"});
  EXPECT_EQ(made["folder"], "a/b");
  EXPECT_EQ(made["files"].size(), 4U);
  EXPECT_TRUE(fs::exists(folder.path() / "a/b/mine.cpp"));
}

TEST_F(PluginsNew, RefusesWhatWouldNotWork) {
  folder.write("full/file", "kept");
  folder.write("plain", "kept");
  const auto refused = [&](std::vector<std::string> words, int code, const std::string& text) {
    words.insert(words.begin(), {"plugins", "new"});
    const ProgramResult result = recloom(words);
    EXPECT_EQ(result.exit_code, code) << text;
    EXPECT_EQ(lines_of(result.err), 1);
    EXPECT_THAT(result.err, HasSubstr(text));
  };
  refused({}, 2, "plugins new: needs a name for the plugin");
  for (const char* name : {"Mine", "9lives", "a-b", "../x", "a b", "über"})
    refused({name}, 2, "must be a letter, then letters, digits and _");
  for (const char* name : {"metric", "row", "params"})
    refused({name}, 2, "as one of recloom's is: choose another");
  refused({"mine", "--kind", "netwrok"}, 2, "did you mean 'network'?");
  refused({"mine", "--folder", "full"}, 6, "folder full holds something already");
  refused({"mine", "--folder", "plain"}, 6, "plain is there already and no folder");
  EXPECT_EQ(left(), (std::vector<std::string>{"full", "full/file", "plain"}));
}

// A limit on the size of files stands for a full disk.
TEST_F(PluginsNew, LeavesNothingOfWhatCannotBeWritten) {
  const ProgramResult result = run_program(
      {"sh", "-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" plugins new mine --folder a/b",
       (binary_dir() / "bin/recloom").string()},
      {}, folder.path().string());
  EXPECT_EQ(result.exit_code, 6) << result.err;
  EXPECT_EQ(lines_of(result.err), 1);
  EXPECT_EQ(left(), std::vector<std::string>{});
}

class PluginsProfile : public ProgramTest {
 protected:
  std::vector<std::string> profile(std::vector<std::string> words) {
    words.insert(words.begin(), {"plugins", "profile", "caser", toy(), "--set",
                                 "model.params.embedding_size=8", "--max-steps", "2"});
    return words;
  }
};

TEST_F(PluginsProfile, NamesEveryOpWithItsArithmetic) {
  const Json found = json_of(profile({}));
  EXPECT_EQ(found["steps"], 2);
  EXPECT_GT(found["peak_flops"], 1e8);
  std::map<std::string, Json> parts;
  double seconds = 0;
  for (const Json& part : found["parts"]) {
    parts[part["name"]] = part;
    seconds += part["forward_seconds"].get<double>() + part["backward_seconds"].get<double>();
  }
  EXPECT_NEAR(seconds, found["seconds"], 1e-9);
  // fc1 has (4 * 8 + 8 * 10) inputs and 8 outputs: 2 operations each, forward, and twice backward.
  const Json& fc1 = parts.at("linear fc1.weight");
  EXPECT_EQ(fc1["shape"], "[8]");
  EXPECT_EQ(fc1["flops"], found["rows"].get<double>() * 6 * (4 * 8 + 8 * 10) * 8);
  // Seven items with padding.
  EXPECT_EQ(parts.at("cross_entropy item_embedding.weight")["flops"],
            found["rows"].get<double>() * 6 * 7 * 8);
  EXPECT_TRUE(parts.contains("optimizer"));
}

TEST_F(PluginsProfile, ShowsTheGraph) {
  const ProgramResult text = recloom(profile({"--graph", "text"}));
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("fc1.weight [8, 112], fc1.bias [8]"));
  EXPECT_THAT(text.out, HasSubstr("softmax_head"));
  const ProgramResult dot = recloom(profile({"--graph", "dot", "--scoring"}));
  EXPECT_EQ(dot.exit_code, 0) << dot.err;
  EXPECT_TRUE(dot.out.starts_with("digraph network {\n"));
  EXPECT_TRUE(dot.out.ends_with("}\n"));
  EXPECT_THAT(dot.out, HasSubstr("\"fc1.weight\" -> n"));
  EXPECT_THAT(dot.out, Not(HasSubstr("softmax_head")));
}

TEST_F(PluginsProfile, RefusesACounter) {
  const ProgramResult result = recloom({"plugins", "profile", "pop", toy()});
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_EQ(result.err, "recloom: model pop is no network: it has no graph\n");
  EXPECT_EQ(recloom(profile({"--graph", "svg"})).exit_code, 2);
}

}  // namespace
}  // namespace recloom::testing
