// Every recipe reads a few lines of our own in the layout of its log. What these lines hold is
// noted in tests/data/recipes/expected.tsv.
#include <map>

#include "cli/program_test.hpp"
#include "core/text.hpp"
#include "data/log_text.hpp"
#include "recloom/recloom.hpp"

namespace recloom::testing {
namespace {

using ::testing::HasSubstr;

struct Sample {
  std::string recipe, file, users, items, events, user, order;
  std::string path() const {
    return (source_dir() / "tests/data/recipes" / recipe / file).string();
  }
};

std::map<std::string, Sample> samples() {
  std::map<std::string, Sample> all;
  const std::string table = read_text(source_dir() / "tests/data/recipes/expected.tsv");
  for (const std::string& line : split(table, '\n')) {
    const std::vector<std::string> cells = split(line, '\t');
    if (cells.size() == 7 && cells[0] != "recipe")
      all[cells[0]] = {cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6]};
  }
  return all;
}

std::string dump(const Json& json) { return json.dump(); }

/// A user's items as the configuration of a request orders them, joined by '|'.
std::string order_of(const ConfigRequest& request, const std::string& user) {
  RunContext run(1, 2);
  const Dataset dataset = open_dataset(resolve_data_config(request), run);
  const auto id = static_cast<std::size_t>(dataset.vocabulary().user(user));
  std::string text;
  for (auto at = dataset.offsets()[id]; at < dataset.offsets()[id + 1]; ++at) {
    if (!text.empty()) text += '|';
    text += dataset.vocabulary().item_token(dataset.events()[static_cast<std::size_t>(at)]);
  }
  return text;
}

class Recipes : public ProgramTest {
 protected:
  std::string counts(const Json& stats) {
    return dump(stats["users"]) + " " + dump(stats["items"]) + " " + dump(stats["interactions"]);
  }
  static std::string counts(const Sample& sample) {
    return sample.users + " " + sample.items + " " + sample.events;
  }
};

TEST_F(Recipes, EachReadsItsLayout) {
  const std::map<std::string, Sample> known = samples();
  const Json listed = json_of({"data", "recipes"});
  ASSERT_GT(listed.size(), 40U);
  for (const Json& recipe : listed) {
    const std::string name = recipe["name"].get<std::string>();
    SCOPED_TRACE(name);
    ASSERT_TRUE(known.contains(name)) << "no sample in tests/data/recipes";
    const Sample& sample = known.at(name);
    const Json stats = json_of({"data", "stats", sample.path(), "--recipe", name});
    if (stats.is_discarded()) continue;
    EXPECT_EQ(counts(stats), counts(sample));
    EXPECT_THAT(stats["read"]["first"].get<std::string>(), HasSubstr(sample.user));
    ConfigRequest request;
    request.data = sample.path();
    request.recipe = name;
    EXPECT_EQ(order_of(request, sample.user), sample.order);
  }
}

// Without the recipe a file is either read as the recipe would read it, or the recipe is named.
TEST_F(Recipes, FilesThatFitAreToldSo) {
  for (const auto& [name, sample] : samples()) {
    SCOPED_TRACE(name);
    const ProgramResult result = recloom({"data", "stats", sample.path(), "--json"});
    if (result.err.find("--recipe " + name) != std::string::npos) continue;
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(counts(Json::parse(result.out, nullptr, false)), counts(sample));
    ConfigRequest request;
    request.data = sample.path();
    EXPECT_EQ(order_of(request, sample.user), sample.order);
  }
}

TEST_F(Recipes, AFileOfAnotherLayoutIsNotToldSo) {
  const std::string log = folder.write("u.data", "ann tea mug\nbo mug tea ink\ncy ink mug tea\n");
  const ProgramResult read = recloom({"data", "stats", log});
  EXPECT_EQ(read.exit_code, 0) << read.err;
  EXPECT_EQ(read.err.find("--recipe"), std::string::npos) << read.err;
  const std::string blanks =
      folder.write("log.inter", "user_id:token item_id:token timestamp:float\nu 1 1\nu 2 2\n");
  const ProgramResult refused = recloom({"data", "stats", blanks});
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_EQ(refused.err.find("--recipe"), std::string::npos) << refused.err;
}

// Asked for as something else, a file that fits a recipe is read so, and the recipe named.
TEST_F(Recipes, AreNamedWhereTheyReadOtherwise) {
  const Sample sample = samples().at("movielens-100k");
  const ProgramResult read =
      recloom({"data", "stats", sample.path(), "--set", "data.format=sequences"});
  EXPECT_EQ(read.exit_code, 0) << read.err;
  EXPECT_THAT(read.err, HasSubstr("otherwise: --recipe movielens-100k"));
}

// A recipe is no answer to an error that it would not mend.
TEST_F(Recipes, AreNamedOnlyWhereTheyHelp) {
  const auto told = [&](const std::string& log, std::vector<std::string> options) {
    options.insert(options.begin(), {"data", "stats", log});
    return recloom(options);
  };
  const std::string typed = folder.write(
      "log.inter", "user_id:token\titem_id:token\ttimestamp:float\nu\t1\t1\nu\t2\tx\n");
  const std::string pairs = folder.write("Beauty.txt", "1 10\n1 11\n2 10\n");
  const std::string rated = samples().at("movielens-1m").path();
  for (const auto& [log, options] : std::vector<std::pair<std::string, std::vector<std::string>>>{
           {typed, {}},
           {typed, {"--set", "data.time_column=none"}},
           {pairs, {}},
           {pairs, {"--set", "data.user_interval=[9,inf)"}},
           {rated,
            {"--set", "data.format=csv", "--set", "data.columns=[u,i,r,t]", "--set",
             "data.separator=::", "--set", "data.user_column=u", "--set", "data.item_column=i",
             "--set", "data.time_column=t", "--set", "data.user_interval=[99,inf)"}}}) {
    const ProgramResult result = told(log, options);
    EXPECT_EQ(result.err.find("--recipe"), std::string::npos) << result.err;
  }
}

// Lines of two words: a table of another width is none of theirs.
TEST_F(Recipes, OfPairsTakeNothingElse) {
  for (const char* recipe : {"sasrec", "bert4rec"})
    for (const char* text :
         {"1 10 5 978300760\n1 11 4 978300761\n", "1,10\n1,11\n", "1 10 11\n2 10\n"}) {
      const std::string log = folder.write("ml-1m.txt", text);
      EXPECT_EQ(recloom({"data", "stats", log, "--recipe", recipe}).exit_code, 3) << text;
    }
}

TEST_F(Recipes, StandBelowWhatIsWritten) {
  const Sample sample = samples().at("retailrocket");
  const Json stats = json_of({"data", "stats", sample.path(), "--recipe", "retailrocket", "--set",
                              R"(data.value_intervals=["event in view"])"});
  EXPECT_EQ(dump(stats["items"]), "2");
  const std::string config = folder.write("my.toml", "[data]\nitem_column = \"event\"\n");
  EXPECT_EQ(dump(json_of({"data", "stats", sample.path(), "--recipe", "retailrocket", "--config",
                          config})["items"]),
            "2");
}

TEST_F(Recipes, AreForgottenByNobody) {
  const Sample sample = samples().at("movielens-1m");
  ProgramResult result = recloom({"train", sample.path(), "--recipe", "movielens-1m", "--model",
                                  "caser", "--epochs", "1", "--run-dir", "run"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("first event"));
  EXPECT_THAT(read_text(folder.file("run/config.toml")), HasSubstr("separator = \"::\""));
  result = recloom({"train", "--resume", "--run-dir", "run", "--epochs", "2"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  result = recloom({"evaluate", "run", sample.path(), "--recipe", "movielens-1m"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  result =
      recloom({"compare", sample.path(), "--recipe", "movielens-1m", "--models", "pop,markov"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

// A model of another log, with names and forms of its own.
TEST_F(Recipes, TakeThePlaceOfTheTrainingsReading) {
  folder.write("log.csv",
               "2001|101|01.02.2020|1\n2002|101|02.02.2020|1\n2003|101|03.02.2020|1\n"
               "0015616461|7|01.02.2020|1\n0025616461|7|02.02.2020|1\n2001|7|03.02.2020|1\n");
  ProgramResult result =
      recloom({"train", "log.csv", "--model", "pop", "--run-dir", "run", "--set",
               "data.columns=[thing,who,when,_]", "--set", "data.separator=|", "--set",
               "data.user_column=who", "--set", "data.item_column=thing", "--set",
               "data.time_column=when", "--set", "data.time_format=%d.%m.%Y"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const char* name : {"amazon-2018-reviews", "movielens-100k"}) {
    const Sample sample = samples().at(name);
    folder.write(sample.file, read_text(sample.path()));
    result = recloom({"evaluate", "run", sample.file, "--recipe", name, "--json"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    result = recloom({"recommend", "run", "--input", sample.file, "--recipe", name, "-k", "1"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(lines_of(result.out), 4) << result.out;  // A heading and three users.
  }
  result = recloom({"evaluate", "run", "log.csv", "--recipe", "movielens-1n"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("did you mean 'movielens-1m'?"));
}

TEST_F(Recipes, AreShownAndMissedByName) {
  const ProgramResult shown = recloom({"data", "recipes", "movielens-1m"});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  for (const char* part : {"https://files.grouplens.org", "licence = ", "separator = \"::\"",
                           "recloom data stats ratings.dat --recipe movielens-1m"})
    EXPECT_THAT(shown.out, HasSubstr(part));
  const ProgramResult missed = recloom({"data", "stats", toy(), "--recipe", "movielens-1n"});
  EXPECT_EQ(missed.exit_code, 2);
  EXPECT_THAT(missed.err, HasSubstr("did you mean 'movielens-1m'?"));
}

}  // namespace
}  // namespace recloom::testing
