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

// Commands in backquotes, with the file's name in the place of FILE.
TEST_F(Remedies, OfTextThatIsNoTable) {
  const std::vector<Case> cases = {
      {"short.dat",
       "1::10::5::978300001\n1::11::3::978300002\n2::10\n2::11::4::978300003\n"
       "2::10::1::978300004\n",
       "2 2 4"},
      {"pairs.txt", "1 10 1300000000 11 1300000001\n2 10 1300000002\n", "2 2 3"},
      {"marked.txt", "1 10@1300000000 11@1300000001\n2 10@1300000002\n", "2 2 3"},
      {"counts.txt", "1 2 a b\n2 3 a b c\n3 1 a\n", "3 3 6"},
      {"visits.txt", "s1 1300000000 a b\ns2 1300000009 a\ns3 1300000010 b c d\n", "3 4 6"},
      {"lists.txt", "s1\t1300000000\ti1 i2\ns2\t1300000009\ti1 i2 i3\ns3\t1300000010\ti2 i3\n",
       "3 3 7"},
      {"stars.txt", "u1 a/5 b/3\nu2 a/4 c/1 b/2\n", "2 3 5"},
      {"named.log", "ts=1300000000 user=1 item=7\nts=1300000001 user=1 item=9\n", "1 2 2"},
      {"access.log",
       "10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] \"GET /a HTTP/1.0\" 200 23\n"
       "10.0.0.1 - - [10/Oct/2000:13:55:39 -0700] \"GET /b HTTP/1.0\" 200 45\n",
       "1 2 2"},
      {"dump.sql",
       "INSERT INTO `r` VALUES (1, 10, '2014-02-03 10:00:00'),(1, 11, '2014-02-04 10:00:00');\n"
       "INSERT INTO `r` VALUES (2, 10, '2014-02-05 10:00:00');\n",
       "2 2 3"},
      {"dump.txt", "SET x = 1;\nCOPY r (user_id, item_id) FROM stdin;\n1\t10\n1\t11\n\\.\n",
       "1 2 2"},
      {"psql.txt",
       " user_id | item_id\n---------+---------\n       1 |      10\n       1 |      11\n"
       "(2 rows)\n",
       "1 2 2"},
      {"mysql.txt",
       "+------+-------+\n| user | movie |\n+------+-------+\n| 1    | A b   |\n"
       "| 1    | C     |\n+------+-------+\n",
       "1 2 2"},
      {"prize.txt", "1:\n14,3,2005-09-06\n82,5,2005-05-13\n2:\n82,4,2005-10-19\n", "2 2 3"},
      {"matrix.txt", "0 1 0 0 1 1 0 1 1\n1 1 0 0 0 0 1 0 0\n0 0 0 0 0 0 0 1 1\n", "3 7 10"},
      {"r.mtx", "%%MatrixMarket matrix coordinate real general\n3 9 3\n1 2 5.0\n1 3 4.0\n3 2 1.0\n",
       "2 2 3"},
  };
  static const std::regex command("`([^`]* \\| recloom data stats -[^`]*)`");
  for (const Case& one : cases) {
    SCOPED_TRACE(one.file);
    folder.write(one.file, one.text);
    const ProgramResult refused = stats(one.file, "");
    std::smatch match;
    ASSERT_TRUE(std::regex_search(refused.err, match, command)) << refused.err;
    const std::string pasted = std::regex_replace(match[1].str(), std::regex("FILE"), one.file);
    const ProgramResult result = run_program(
        {"bash", "-c", "PATH=" + (binary_dir() / "bin").string() + ":$PATH; " + pasted + " --json"},
        {}, folder.path().string());
    ASSERT_EQ(result.exit_code, 0) << pasted << "\n" << result.err;
    EXPECT_EQ(counts(result), one.counts) << pasted;
  }
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
