// What an error tells a user to paste works: it is pasted, again and again, until the log is read.
#include <regex>

#include "cli/program_test.hpp"

namespace recloom::testing {
namespace {

struct Case {
  std::string file, text;
  std::string counts;     ///< Users, items and events that come of it.
  std::string more = {};  ///< What was given in the first place, as in a shell.
};

/// The first run of --set options in a message that can be pasted as it stands: NAME must be filled
/// in.
std::string options_in(const std::string& message) {
  static const std::regex run(R"((--set ('([^']|'\\'')*'|[^ ;'"]+) ?)+)");
  for (std::sregex_iterator match(message.begin(), message.end(), run), end; match != end; ++match)
    if (match->str().find("=NAME") == std::string::npos) return match->str();
  return "";
}

std::string recipe_in(const std::string& message) {
  static const std::regex recipe(R"(--recipe [a-z0-9-]+)");
  std::smatch match;
  return std::regex_search(message, match, recipe) ? match.str() : "";
}

class Remedies : public ProgramTest {
 protected:
  ProgramResult stats(const std::string& file, const std::string& options) {
    const std::string program = (binary_dir() / "bin/recloom").string();
    return run_program({"bash", "-c", program + " data stats " + file + " --json " + options}, {},
                       folder.path().string());
  }
  static std::string counts(const ProgramResult& result) {
    const Json json = Json::parse(result.out, nullptr, false);
    return json["users"].dump() + " " + json["items"].dump() + " " + json["interactions"].dump();
  }
  /// Paste what errors say until there is none.
  void paste_until_read(const Case& one) {
    SCOPED_TRACE(one.file + ": " + one.text.substr(0, 60));
    folder.write(one.file, one.text);
    std::string options = one.more;
    ProgramResult result = stats(one.file, options);
    EXPECT_EQ(result.exit_code, 3) << result.err;
    for (int pasted = 0; pasted < 4 && result.exit_code != 0; ++pasted) {
      const std::string remedy = options_in(result.err);
      ASSERT_NE(remedy, "") << result.err;
      options += " " + remedy;
      result = stats(one.file, options);
    }
    ASSERT_EQ(result.exit_code, 0) << options << "\n" << result.err;
    EXPECT_EQ(counts(result), one.counts) << options;
  }
};

TEST_F(Remedies, OfTablesWithoutHeader) {
  const std::vector<Case> cases = {
      {"ratings.dat",
       "1::11::5::978300001\n1::12::3::978300003\n1::13::4::978300002\n1::14::4::978300004\n"
       "2::11::4::978300010\n2::13::5::978300011\n",
       "2 4 6"},
      {"u.data",
       "196\t242\t3\t881250949\n196\t302\t3\t881250950\n22\t242\t2\t881250960\n"
       "22\t51\t4\t881250963\n",
       "2 3 4"},
      {"ratings_Beauty.csv",
       "A39H,0205616461,5.0,1369699200\nA39H,0558925278,4.0,1369699300\n"
       "A3JM,0558925278,3.0,1355443200\n",
       "2 2 3"},
      {"ratings.psv", "a|x|5|978300001\na|y|3|978300002\nb|x|1|978300003\n", "2 2 3"},
      {"ratings.txt", "0 10 5.0\n0 11 3.0\n1 10 4.0\n1 13 5.0\n", "2 3 4"},
      {"train.txt", "0 0 1\n0 1 1\n1 2 1\n1 3 1\n", "2 4 4"},
      {"plays.tsv",
       "user_1\t2009-05-04T23:08:57Z\tf1b1\tDeep Dish\t\tFuji\n"
       "user_1\t2009-05-04T13:54:10Z\ta7f7\tUnderworld\tt2\tBorn\n",
       "1 2 2"},
      {"checkins.txt",
       "0\t2010-10-19T23:55:27Z\t30.2359091167\t-97.7951395833\t22847\n"
       "0\t2010-10-18T22:17:43Z\t30.2691029532\t-97.7493953705\t420315\n"
       "1\t2010-10-16T23:42:03Z\t30.2\t-97.7\t22847\n",
       "2 2 3"},
      {"clicks.dat",
       "1,2014-04-07T10:51:09.277Z,214536502,0\n1,2014-04-07T10:54:09.868Z,214536500,0\n"
       "2,2014-04-07T13:56:37.614Z,214662742,0\n",
       "2 3 3"},
      {"venues.txt",
       "470\t49bb\tArts\tTue Apr 03 18:00:09 +0000 2012\n"
       "979\t4a43\tBridge\tTue Apr 03 18:00:25 +0000 2012\n"
       "979\t49bb\tArts\tTue Apr 03 18:02:24 +0000 2012\n",
       "2 2 3"},
      {"days.txt", "a\tx\t01/13/2020\na\ty\t01/14/2020\nb\tx\t01/15/2020\n", "2 2 3"},
      {"dates.txt",
       "a\tx\t2020-01-01 10:00:00 UTC\na\ty\t2020-01-02 10:00:00 UTC\n"
       "b\tx\t2020-01-03 10:00:00 UTC\n",
       "2 2 3"},
      {"short.dat",
       "196 242 3 881250949\n196 302 3 881250950\n22 377 2 881250960\n22 51 4 881250963\n",
       "2 4 4"},
      {"first.dat", "978300760 1 10\n978300761 1 11\n978300762 2 10\n", "2 2 3"},
      {"first.dat", "978300760::1::10\n978300761::1::11\n978300762::2::10\n", "2 2 3"},
      {"first.dat", "978300760,1,10\n978300761,1,11\n978300762,2,10\n", "2 2 3"},
      {"days.dat", "2009-01-01 1 10\n2009-01-02 1 11\n2009-01-03 2 10\n", "2 2 3"},
      {"days.dat", "2009-01-01 10:00:00 1 10\n2009-01-02 10:00:00 1 11\n2009-01-03 09:00 2 10\n",
       "2 2 3"},
      {"days.dat",
       "2009-01-01 10:00:00\t1\t10\n2009-01-02 10:00:00\t1\t11\n2009-01-03 09:00\t2\t10\n",
       "2 2 3"},
      {"days.txt", "1 7 20140118\n1 9 20140119\n3 7 20140120\n", "2 2 3"},
      {"days.txt", "1 7 18.01.2014\n1 9 19.01.2014\n3 7 20.01.2014\n", "2 2 3"},
      {"clicks.txt", "u1 i1 click\nu1 i2 buy\nu2 i1 click\n", "2 2 3"},
      {"quoted.txt", "\"1\" \"10\" \"5\" \"978300760\"\n\"1\" \"11\" \"5\" \"978300761\"\n",
       "1 2 2"},
      {"titles.txt", "1 \"The Film, (1999)\" 5\n1 \"B, (2000)\" 4\n2 \"B, (2000)\" 3\n", "2 2 3"},
      {"fine.txt", "a x 1554440706123\na y 1554440706124\nb x 1554440706125\n", "2 2 3"},
  };
  for (const Case& one : cases) paste_until_read(one);
}

TEST_F(Remedies, OfTablesWithAHeader) {
  const std::vector<Case> cases = {
      {"films.txt", "userId movieId rating timestamp\n1 10 5 978300001\n1 11 4 978300002\n",
       "1 2 2"},
      {"shop.csv", "User_ID,Item_ID,Timestamp\nu,x,1\nu,y,2\nv,x,3\n", "2 2 3"},
      {"films.csv", "userId,movieId,rating,timestamp\n1,10,5,978300001\n1,11,4,978300002\n",
       "1 2 2"},
      {"orders.csv", "customer;product;day\n7;a;2012-04-03\n7;b;2012-04-04\n", "1 2 2",
       "--set data.user_column=customer --set data.item_column=product"},
      {"auto.inter", "user_id:token item_id:token timestamp:float\nu 1 1\nu 2 2\nv 1 1\n", "2 2 3"},
      {"quote.csv", "user's id,item_id,timestamp\nu,x,1\nu,y,2\n", "1 2 2",
       "--set data.user_column=users_id"},
      {"named.csv", "0,1,2,3\n196,242,3,881250949\n196,302,3,881250950\n", "1 2 2",
       "--set data.user_column=0 --set data.item_column=1 --set data.time_column=three"},
  };
  for (const Case& one : cases) paste_until_read(one);
}

TEST_F(Remedies, RecipesThatAnErrorNamesReadTheFile) {
  const std::vector<Case> cases = {
      {"ratings.dat", "1::11::5::978300001\n1::12::3::978300003\n2::11::4::978300002\n", "2 2 3"},
      {"u.data", "196\t242\t3\t881250949\n196\t302\t3\t881250950\n22\t242\t2\t881250960\n",
       "2 2 3"},
      {"ratings.csv",
       "userId,movieId,rating,timestamp\n1,296,5.0,1147880044\n1,306,3.5,1147868817\n", "1 2 2"},
      {"events.csv",
       "timestamp,visitorid,event,itemid,transactionid\n1433221332117,7,view,35,\n"
       "1433224214164,7,view,36,\n",
       "1 2 2"},
  };
  for (const Case& one : cases) {
    folder.write(one.file, one.text);
    const ProgramResult refused = stats(one.file, "");
    EXPECT_EQ(refused.exit_code, 3) << refused.err;
    const std::string recipe = recipe_in(refused.err);
    ASSERT_NE(recipe, "") << refused.err;
    const ProgramResult read = stats(one.file, recipe);
    EXPECT_EQ(read.exit_code, 0) << recipe << "\n" << read.err;
    EXPECT_EQ(counts(read), one.counts);
  }
}

TEST_F(Remedies, OfACatalogueOfOtherNames) {
  folder.write("log.csv", "user_id,item_id,timestamp\nNA,x,1\na,null,2\na,x,3\na,y,4\n");
  const ProgramResult result = stats("log.csv", "");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(counts(result), "1 2 2");
  EXPECT_NE(result.err.find("line 2"), std::string::npos) << result.err;
  EXPECT_EQ(counts(stats("log.csv", "--set data.raw_cells=true")), "2 3 4");
}

TEST_F(Remedies, OfHistoriesThatAreTooLong) {
  const std::string log = toy();
  ProgramResult result = recloom({"train", log, "--model", "gru4rec", "--epochs", "1", "--set",
                                  "data.max_length=2000000", "--run-dir", "run"});
  EXPECT_EQ(result.exit_code, 2) << result.err;
  EXPECT_NE(result.err.find("--set data.max_length=6\n"), std::string::npos) << result.err;
  result = recloom({"train", log, "--model", "gru4rec", "--epochs", "1", "--set",
                    "data.max_length=6", "--run-dir", "run"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

}  // namespace
}  // namespace recloom::testing
