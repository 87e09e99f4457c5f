// Lines of JSON and of Python's literals. What strings decode to is what Python's json.loads and
// ast.literal_eval make of them.
#include "data/json_rows.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/line_blocks.hpp"
#include "data/log_text.hpp"
#include "data/python_literal.hpp"
#include "recloom/core/error.hpp"
#include "recloom/data/dataset.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using testing::error_of_log;
using testing::items_of;
using testing::open_log;

/// Read one line: the cells of these columns, or the error.
std::string cells_of(const std::string& line, const std::vector<std::string>& names) {
  std::vector<JsonColumn> columns;
  for (const std::string& name : names) columns.push_back({name, true});
  JsonRows rows(columns, line);
  if (!rows.next()) return "error: " + rows.error();
  std::string text;
  for (const std::string_view cell : rows.cells()) {
    text += (text.empty() ? "" : "|") + std::string(cell);
  }
  return text;
}

std::string cell_of(const std::string& line) { return cells_of(line, {"a"}); }

std::string error_of(const std::string& text, const DataOptions& data = {},
                     const std::string& name = "toy.jsonl") {
  return error_of_log<DataError>(text, data, {}, name);
}

Dataset open_json(const std::string& text, const DataOptions& data = {}) {
  return open_log(text, data, {}, "toy.jsonl");
}

TEST(JsonRows, ReadsTokensAsTheyAreWritten) {
  const std::vector<std::pair<std::string, std::string>> lines = {
      {R"({"a": "x"})", "x"},
      {R"({"a":12345678901234567890})", "12345678901234567890"},
      {R"({"a":123456789012345678901234567890})", "123456789012345678901234567890"},
      {R"({"a": 1.0 })", "1.0"},
      {R"({"a" : -1.50E+07,"b":2})", "-1.50E+07"},
      {R"({"a":true})", "true"},
      {R"({"a":false})", "false"},
      {R"({"a":null})", ""},
      {R"({"a":NaN})", ""},
      {R"({"b":1})", ""},
      {R"({})", ""},
      {R"({"a":""})", ""},
      {R"({"a":"NA"})", "NA"},
      {R"({"a":"007"})", "007"},
      {R"({"a":" x "})", " x "},
      {R"({"b":[1,{"a":2}],"a":"y"})", "y"},
      {R"({"b":{"a":{"a":1}},"a":"y","c":[[[]]]})", "y"},
      {R"({"a":"x","a":"y"})", "y"},
      {R"({"\u0061":"x"})", "x"},
      {"\t {\"a\":\"x\"} \r", "x"},
      {R"({"a":"\"\\\/\b\f\n\r\t"})", "\"\\/\b\f\n\r\t"},
      {R"({"a":"\u00e9\u20ac\ud83d\ude00"})", "é€😀"},
      {R"({"a":"é€😀"})", "é€😀"},
      {R"({"a":"a\u2028b"})",
       "a\xE2\x80\xA8"
       "b"},
      {R"({"a":"{\"a\":1}"})", "{\"a\":1}"},
  };
  for (const auto& [line, expected] : lines) EXPECT_EQ(cell_of(line), expected) << line;
}

TEST(JsonRows, FollowsPaths) {
  const std::vector<std::string> names = {"a.b.c", "a.x"};
  const std::vector<std::pair<std::string, std::string>> lines = {
      {R"({"a":{"b":{"c":1},"x":2}})", "1|2"},
      {R"({"a":{"x":2,"b":{"c":1,"d":[{"c":3}]}},"b":{"c":4}})", "1|2"},
      {R"({"a.b.c":1,"a.x":2})", "1|2"},
      {R"({"a":{"b":{"c":5},"x":6},"a.b.c":1,"a.x":2})", "1|2"},  // What is written so itself wins.
      {R"({"a.b.c":1,"a.x":2,"a":{"b":{"c":5},"x":6}})", "1|2"},
      {R"({"a":{"b.c":1,"x":2}})", "1|2"},
      {R"({"a.b":{"c":1},"a":{"x":2}})", "1|2"},
      {R"({"a":{"b":null,"x":2}})", "|2"},
      {R"({"a":null})", "|"},
      {R"({"a":"text"})", "|"},
      {R"({"a":[{"x":1}]})", "|"},
      {R"({"a":{"b":{"c":1}},"a":{"x":2}})", "1|2"},
      {R"({"a":{"b":{"cc":1},"xx":2}})", "|"},
  };
  for (const auto& [line, expected] : lines) {
    EXPECT_EQ(cells_of(line, names), expected == "|" ? "" : expected.substr(expected[0] == '|'))
        << line;
  }
  EXPECT_EQ(cells_of(R"({"_id":{"$oid":"x"},"at":{"$date":{"$numberLong":"1500000000000"}}})",
                     {"_id.$oid", "at.$date.$numberLong"}),
            "x|1500000000000");
}

TEST(JsonRows, RefusesWhatIsNoToken) {
  EXPECT_EQ(cell_of(R"({"a":[1]})"), "error: 'a' is an array; a column holds one value a line");
  EXPECT_EQ(cell_of(R"({"a":{"$oid":"x"}})"),
            "error: 'a' is an object; what lies in it is named by its path, 'a.$oid'");
  EXPECT_EQ(cells_of(R"({"a":{"b":{"c":1}}})", {"a.b"}),
            "error: 'a.b' is an object; what lies in it is named by its path, 'a.b.c'");
}

TEST(JsonRows, RefusesWhatIsNoJson) {
  const std::string deep(100000, '[');
  for (const std::string& line : {std::string(R"({"a":)"),
                                  std::string(R"({"a":1)"),
                                  std::string(R"({"a":"x)"),
                                  std::string(R"({"a":"x"}})"),
                                  std::string(R"({"a":"x"} {"a":"y"})"),
                                  std::string(R"({"a":"x"} y)"),
                                  std::string(R"({"a":"x",})"),
                                  std::string(R"({"a" "x"})"),
                                  std::string(R"({a:"x"})"),
                                  std::string(R"({"a":x})"),
                                  std::string(R"({"a":tru})"),
                                  std::string(R"({"a":truee})"),
                                  std::string(R"({"a":01})"),
                                  std::string(R"({"a":1.})"),
                                  std::string(R"({"a":.5})"),
                                  std::string(R"({"a":+1})"),
                                  std::string(R"({"a":1e})"),
                                  std::string(R"({"a":1x})"),
                                  std::string(R"({"a":-})"),
                                  std::string(R"({"a":Infinity})"),
                                  std::string(R"({"a":"x"y})"),
                                  std::string(R"({"a":"\x"})"),
                                  std::string(R"({"a":"\u12"})"),
                                  std::string(R"({"a":"\ud800"})"),
                                  std::string(R"({"a":"\ud800x"})"),
                                  std::string(R"({"a":"\udc00"})"),
                                  std::string(R"({"a":"\u0000"})"),
                                  std::string("{\"a\":\"x\ty\"}"),
                                  std::string("{\"a\":\"x\xff\"}"),
                                  std::string("{\"a\":\"x\xed\xa0\x80\"}"),
                                  std::string("{\"a\":\"x\0\"}", 11),
                                  std::string("{\"a\":1\0}", 8),
                                  std::string("x"),
                                  std::string("\"a\""),
                                  std::string("1"),
                                  std::string("null"),
                                  std::string("[1]"),
                                  std::string("{"),
                                  std::string("}"),
                                  std::string("{\"a\":1}]"),
                                  std::string("{\"b\":") + deep,
                                  deep,
                                  std::string("{\"b\":") + deep + "1}",
                                  std::string(R"({"a":1,"b":2)")}) {
    const std::string result = cell_of(line);
    EXPECT_TRUE(result.starts_with("error: ")) << line.substr(0, 100) << " gives " << result;
    EXPECT_LT(result.size(), 200U);
  }
}

TEST(JsonRows, ReadsCommasBehindTheLastElement) {
  for (const std::string line :
       {"{'a': 1,}", "{'a': 1 , }", "{'b': [1, 2,], 'a': 1}", "{'b': (1,), 'a': 1,}",
        "{'b': {'c': 'x,',}, 'a': 1}", "{'b': {}, 'a': 1}"}) {
    EXPECT_EQ(cell_of(line), "1") << line;
  }
  EXPECT_EQ(cell_of("{'a': ',}',}"), ",}");
  for (const std::string line : {"{'a': 1,,}", "{'a':,}", "{'b': 1, , 'a': 1}"}) {
    EXPECT_TRUE(cell_of(line).starts_with("error: ")) << line;
  }
}

TEST(JsonRows, NamesTheLineOfTheFirstRowThatIsLeftOut) {
  const std::string row = R"({"user_id": "u", "item_id": "i", "timestamp": 1})"
                          "\n";
  const std::string lacks = R"({"user_id": null, "item_id": "i", "timestamp": 1})"
                            "\n";
  const auto told = [](const std::string& text) {
    ::testing::internal::CaptureStderr();
    open_json(text);
    return ::testing::internal::GetCapturedStderr();
  };
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  std::string rows;
  for (int n = 0; n < 4000; ++n) rows += row;  // More than a block.
  EXPECT_TRUE(has(told(lacks + rows + lacks + rows),
                  "2 rows without user or item left out; the "
                  "first is line 1,"));
  EXPECT_TRUE(has(told(rows + "\n" + rows + lacks + rows + lacks), "the first is line 8002,"));
}

TEST(JsonKeys, AreBounded) {
  // A long name of many keys, many keys, and one long key.
  std::string children, many;
  for (int key = 0; key < 20'000; ++key) {
    children += (key == 0 ? "\"" : ",\"") + std::to_string(key) + "\":1";
    many += ",\"" + std::to_string(key) + "\":1";
  }
  const std::string row = R"("user_id":"u","item_id":"i","timestamp":1)";
  const std::string name(20'000, 'k'), wide(200, 'w');
  EXPECT_EQ(json_keys("{\"" + name + "\":{" + children + "}," + row + "}", "f").paths.size(), 3U);
  EXPECT_EQ(json_keys("{\"" + name + "\":1}", "f").paths.size(), 0U);
  EXPECT_LE(json_keys("{" + row + many + "}", "f").paths.size(), 10'000U);
  EXPECT_LE(json_keys("{\"" + wide + "\":{" + children + "}}", "f").paths.size(), 5'300U);
  EXPECT_EQ(json_keys(R"({"":{"b":1},"a":{"":2}})", "f").paths,
            (std::vector<std::string>{".b", "a."}));
  const std::string line = "{" + row + many + "}\n";
  EXPECT_EQ(open_json(line + line).n_interactions(), 2);
  DataOptions options;
  options.item_column = name;  // Not collected.
  EXPECT_FALSE(error_of("{\"" + name + "\":\"x\"," + row + "}\n", options).empty());
}

TEST(JsonRows, ReadsPythonsLiterals) {
  const std::vector<std::pair<std::string, std::string>> lines = {
      {"{u'a': u'x'}", "x"},
      {"{'a': 'x', 'b': None, 'c': True, 'd': False}", "x"},
      {"{'c': True, 'a': False}", "false"},
      {"{'a': None}", ""},
      {"{'a': 12345678901234567890L}", "12345678901234567890"},
      {"{'a': 1.0, 'b': [1, (2,), (), ('x', u'y')], 'c': {}}", "1.0"},
      {"{'a': -1e-05, 'b': nan}", "-1e-05"},
      {"{ 'a': \"it's\"}", "it's"},
      {"{'a': 'say \"no\"'}", "say \"no\""},
      {R"({'a': 'it\'s \\ \"'})", "it's \\ \""},
      {R"({'a': 'x\n\t\r\x41\101\7'})", "x\n\t\rAA\a"},
      {R"({u'a': u'\xe9\u20ac\U0001f600\ud83d\ude00'})", "é€😀😀"},
      {R"({'a': '\d'})", "\\d"},
      {"{'a': 'é\ttab'}", "é\ttab"},
      {"{u'b': u'True', u'a': u'None'}", "None"},
      {"{u'username': u'x', u'a': u'{y: [1, 2]}', u'page': 1}", "{y: [1, 2]}"},
  };
  for (const auto& [line, expected] : lines) EXPECT_EQ(cell_of(line), expected) << line;
  for (const std::string line :
       {"{'a': 'x", "{'a': 'x\\", "{'a': datetime.datetime(2015, 1, 2)}", "{'a': x}", "{'a': ...}",
        "{'a': '\\x4'}", "{'a': '\\u12'}", "{'a': '\\U00110000'}", "{'a': '\\N{DASH}'}",
        "{'a': '\\0'}", "{'a': '\\ud800'}", "{'a': 'x'", "{'a': r'x'}", "{'a': 'x'} 1",
        "{'a': 1_000}", "{'a': \"x'}"}) {
    EXPECT_TRUE(cell_of(line).starts_with("error: ")) << line << " gives " << cell_of(line);
  }
  EXPECT_FALSE(is_python_literal("{\"a\": 1}"));
  EXPECT_FALSE(is_python_literal("{}"));
}

TEST(JsonRows, ReadsALog) {
  DataOptions options;
  options.user_column = "reviewerID";
  options.item_column = "item.asin";
  options.time_column = "time.$date";
  const std::string text =
      "\xEF\xBB\xBF\n"
      R"({"item":{"asin":"0001"},"reviewerID":"A\tB","time":{"$date":"2014-04-07T10:51:09.277Z"}})"
      "\r\n  \n"
      R"({"reviewerID":"A\tB","time":{"$date":"2014-04-07T10:51:09.276Z"},"item":{"asin":1}})"
      "\n"
      R"({"reviewerID":null,"time":{"$date":"2014-04-07"},"item":{"asin":1}})"
      "\n"
      R"({"reviewerID":"A\tB","time":{"$date":1396867869},"item":{"asin":1.0}})";
  const Dataset dataset = open_json(text, options);
  EXPECT_EQ(items_of(dataset, "A\tB"), "1.0 1 0001");
  EXPECT_EQ(dataset.name(), "toy");
  EXPECT_EQ(open_log(text, options, {}, "toy").hash(), dataset.hash());  // By its first byte.
}

TEST(JsonRows, TimesMayBeMissingOrOfAFormat) {
  const std::string rows =
      "{\"user_id\":1,\"item_id\":\"x\",\"timestamp\":\"05 13, 2011\"}\n"
      "{\"user_id\":1,\"item_id\":\"y\",\"timestamp\":\"04 13, 2011\"}\n"
      "{\"user_id\":1,\"item_id\":\"z\"}\n";
  DataOptions options;
  options.time_format = "%m %d, %Y";
  EXPECT_TRUE(error_of(rows, options).starts_with("toy.jsonl:3: 'timestamp' is missing"));
  options.missing_time = MissingTime::drop;
  EXPECT_EQ(items_of(open_json(rows, options), "1"), "y x");
  EXPECT_TRUE(error_of(rows).starts_with("toy.jsonl:1: 'timestamp' is neither a number nor"));
}

TEST(JsonRows, FiltersByValues) {
  std::string rows;
  for (const std::string rating : {"5", "3.0", "\"4\"", "null", "2"}) {
    rows += R"({"user_id":"u","item_id":"i)" + std::to_string(rows.size()) +
            R"(","timestamp":1,"r":{"ating":)" + rating + "}}\n";
  }
  DataOptions options;
  options.value_intervals = {"r.ating [3,inf)"};
  EXPECT_EQ(open_json(rows, options).n_interactions(), 3);
  options.value_intervals = {"r.ating in 3.0,4"};
  EXPECT_EQ(open_json(rows, options).n_interactions(), 2);
}

TEST(JsonRows, NamesTheLineOfAnError) {
  const std::string good = "{\"user_id\":\"a\",\"item_id\":\"x\",\"timestamp\":1}\n";
  EXPECT_EQ(error_of(good + "\n{\"user_id\":[1],\"item_id\":\"x\",\"timestamp\":1}\n" + "{\n"),
            "toy.jsonl:3: 'user_id' is an array; a column holds one value a line");
  EXPECT_EQ(error_of(good + good + "user_id,item_id\n"),
            "toy.jsonl:3: expected an object, {\"key\": value, ...}, found 'user_id,item_id'");
  EXPECT_EQ(error_of(good + good + "{\"user_id\":\"a\",\"item_id\":\"x"),
            "toy.jsonl:3: a string is not closed");
  EXPECT_TRUE(error_of(good + "{\"user_id\":\"a\xff\",\"item_id\":\"x\",\"timestamp\":1}\n")
                  .starts_with("toy.jsonl:2: "));
  std::string long_text;
  for (int row = 0; row < 60000; ++row) long_text += good;
  ASSERT_GT(long_text.size(), 16 * LineBlocks::kBlockBytes);
  EXPECT_EQ(error_of(long_text + "{\"user_id\":tru}\n" + long_text + "x\n"),
            "toy.jsonl:60001: this is no JSON: 'tru'");
}

TEST(JsonRows, SaysWhatKeysThereAre) {
  EXPECT_EQ(error_of("{\"user\":\"a\",\"item\":{\"id\":1},\"tags\":[]}\n{\"timestamp\":1}\n"),
            "toy.jsonl: none of the first lines has the key 'user_id'; they have user, item.id, "
            "tags, timestamp; --set data.user_column=KEY names another");
  // The first line may lack one.
  EXPECT_EQ(items_of(open_json("{\"user_id\":\"u\",\"item_id\":\"i\",\"timestamp\":2}\n"
                               "{\"user_id\":\"u\",\"timestamp\":1,\"item_id\":\"j\"}\n"),
                     "u"),
            "j i");
}

TEST(JsonRows, SaysHowToConvertOtherJson) {
  const std::string object = "{\"user_id\":\"a\",\n\"item_id\":\"x\",\n\"timestamp\":1}\n";
  for (const std::string name : {"toy.json", "toy"}) {
    EXPECT_EQ(error_of_log<DataError>("[\n" + object + "]", {}, {}, name),
              name + ":1: the file is a JSON array; jq -c '.[]' " + name + " > " + name +
                  ".lines.jsonl writes one object a line");
    EXPECT_EQ(error_of_log<DataError>(object, {}, {}, name),
              name +
                  ":1: the line ends within an object; if it goes on over several lines, jq -c "
                  ". " +
                  name + " > " + name + ".lines.jsonl writes one object a line");
  }
}

TEST(JsonRows, RefusesGivenColumns) {
  DataOptions options;
  options.columns = {"user_id", "item_id", "timestamp"};
  const std::string line = "{\"user_id\":\"u\",\"item_id\":\"i\",\"timestamp\":2}\n";
  EXPECT_TRUE(error_of(line, options).starts_with("toy.jsonl:1: lines of JSON have keys"));
}

TEST(JsonRows, ContinueALogOfSeveralFiles) {
  const testing::TemporaryFolder folder;
  RunContext run(1, 2);
  const std::string table = folder.write("a.csv", "user_id,item_id,timestamp\nu,b,20\nu,c,30\n");
  const std::string json =
      folder.write("b.jsonl",
                   "{\"user_id\":\"u\",\"item_id\":\"d\",\"timestamp\":30.5}\n"
                   "{\"user_id\":\"u\",\"item_id\":\"a\",\"timestamp\":\"1970-01-01T00:00:10\"}\n");
  const Dataset dataset = Dataset::open(std::vector<std::string>{table, json, table}, DataOptions(),
                                        SplitOptions(), run);
  EXPECT_EQ(items_of(dataset, "u"), "a b b c c d");
  EXPECT_EQ(dataset.read_summary().times, "ISO 8601; integers and decimals, as seconds");
}

TEST(JsonRows, SideTablesMayBeJson) {
  const testing::TemporaryFolder folder;
  RunContext run(1, 2);
  DataOptions options;
  options.item_file = "meta.json";
  folder.write("meta.json",
               "{'item_id': 'x', 'description': ['a', 'b'], 'title': 'The \"X\"'}\n"
               "{'item_id': 'y', 'title': u'caf\\xe9'}\n");
  const std::string log = folder.write("log.jsonl",
                                       "{\"user_id\":1,\"item_id\":\"x\",\"timestamp\":1}\n"
                                       "{\"user_id\":1,\"item_id\":\"y\",\"timestamp\":2}\n");
  const Dataset dataset = Dataset::open(log, options, {}, run);
  EXPECT_EQ(dataset.vocabulary().item_name(dataset.vocabulary().item("x")), "The \"X\"");
  EXPECT_EQ(dataset.vocabulary().item_name(dataset.vocabulary().item("y")), "café");
}

/// Random values, with the cells that they must give.
class Writer {
 public:
  explicit Writer(unsigned seed) : random_(seed) {}

  std::string line(std::vector<std::string>& cells) {
    std::string text = "{";
    const std::vector<std::string> keys = {"a", "b", "c.d", "e", "f"};
    for (const std::string& key : keys) {
      const bool nested = key == "c.d" && draw(2) == 0;
      cells.emplace_back();
      if (draw(8) == 0) continue;
      if (text.size() > 1) text += ',';
      text += blanks() + quoted(nested ? "c" : key) + blanks() + ':' + blanks();
      text += nested ? "{\"x\":[" + other() + "]," + quoted("d") + ":" + value(cells.back()) + "}"
                     : value(cells.back());
      text += blanks();
      if (draw(3) == 0) text += "," + quoted("other") + ":" + other();
    }
    return text + "}";
  }

 private:
  unsigned draw(unsigned n) { return static_cast<unsigned>(random_() % n); }
  std::string blanks() { return std::string(draw(3), ' '); }
  std::string quoted(std::string_view text) {
    std::string json = "\"";
    for (const char c : text) {
      if (draw(6) == 0 && static_cast<unsigned char>(c) < 0x80) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        json += "\\u00";
        json += kDigits[static_cast<unsigned char>(c) >> 4];
        json += kDigits[static_cast<unsigned char>(c) & 15];
      } else if (c == '"' || c == '\\') {
        json += {'\\', c};
      } else {
        json += c == '\n' ? "\\n" : c == '\t' ? "\\t" : std::string(1, c);
      }
    }
    return json + "\"";
  }
  std::string text() {
    const std::vector<std::string> parts = {"x", "é", "\"", "\\", "{", "]",
                                            ":", ",", "\n", "\t", "😀", "long part of a string"};
    std::string text = "t";
    for (unsigned n = draw(8); n > 0; --n) text += parts[draw(12)];
    return text;
  }
  std::string value(std::string& cell) {
    switch (draw(4)) {
      case 0:
        return "null";
      case 1:
        return cell = std::to_string(draw(1000000)) + (draw(2) == 0 ? "" : ".50");
      default:
        return quoted(cell = text());
    }
  }
  std::string other() {
    switch (draw(4)) {
      case 0:
        return "[" + quoted(text()) + ",{\"a\":" + other() + "}]";
      case 1:
        return "{\"a\":1,\"b\":{},\"c\":[]}";
      default:
        return quoted(text());
    }
  }

  std::mt19937 random_;
};

TEST(JsonRows, GivesTheCellsThatWereWritten) {
  Writer writer(3);
  std::string text;
  std::vector<std::vector<std::string>> expected;
  for (int line = 0; line < 3000; ++line) text += writer.line(expected.emplace_back()) + "\n";
  std::vector<JsonColumn> columns;
  for (const char* name : {"a", "b", "c.d", "e", "f"}) columns.push_back({name, true});
  JsonRows rows(columns, text);
  for (const std::vector<std::string>& cells : expected) {
    ASSERT_TRUE(rows.next()) << rows.n_lines() << ": " << rows.error();
    EXPECT_EQ((std::vector<std::string>(rows.cells().begin(), rows.cells().end())), cells);
  }
  EXPECT_FALSE(rows.next());
  EXPECT_EQ(rows.error(), "");
}

TEST(JsonRows, SurvivesDamagedLines) {
  Writer writer(5);
  std::mt19937 random(9);
  const std::vector<JsonColumn> columns = {{"a", true}, {"c.d", true}};
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> cells;
    std::string line = writer.line(cells);
    if (round % 2 == 1) {
      for (char& c : line) c = c == '"' ? '\'' : c;
    }
    for (int change = 0; change < 3; ++change) {
      const std::size_t at = random() % line.size();
      if (random() % 2 == 0) line[at] = static_cast<char>(random());
      if (random() % 4 == 0) line.resize(at + 1);
    }
    JsonRows rows(columns, line);
    while (rows.next()) EXPECT_EQ(rows.cells().size(), 2U);
  }
}

TEST(JsonRows, DoNotDependOnThreads) {
  std::string text;
  std::mt19937 random(4);
  for (int row = 0; row < 60000; ++row) {
    text += R"({"user_id":"u)" + std::to_string(random() % 3000) +
            R"(","x":{"y":[1,2]},"item_id":)" + std::to_string(random() % 5000) +
            R"(,"timestamp":)" + std::to_string(random() % 100000) + "}\n";
  }
  ASSERT_GT(text.size(), 20 * LineBlocks::kBlockBytes);
  const testing::TemporaryFolder folder;
  const std::string file = folder.write("toy.ndjson", text);
  std::string hash;
  for (const int threads : {1, 2, 4}) {
    RunContext run(1, threads);
    const Dataset dataset = Dataset::open(file, {}, {}, run);
    EXPECT_EQ(dataset.n_interactions(), 60000);
    if (hash.empty()) hash = dataset.hash();
    EXPECT_EQ(dataset.hash(), hash);
  }
}

}  // namespace
}  // namespace recloom
