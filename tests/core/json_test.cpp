#include "core/json.hpp"

#include <gtest/gtest.h>

#include "recloom/core/error.hpp"
#include "support/io_error.hpp"

namespace recloom {
namespace {

using testing::io_error;

std::string nested(int levels) {
  const auto n = static_cast<std::size_t>(levels);
  return std::string(n, '[') + std::string(n, ']');
}

TEST(ParseJson, KeepsTheOrderOfKeys) {
  EXPECT_EQ(parse_json(R"({"b": [1, {"x": null}], "a": {"b": 2}})").dump(),
            R"({"b":[1,{"x":null}],"a":{"b":2}})");
}

TEST(ParseJson, RefusesWhatIsNone) {
  EXPECT_EQ(io_error([] { parse_json(""); }), "it is no JSON (byte 1)");
  EXPECT_EQ(io_error([] { parse_json("{\"a\": 1} 2"); }), "it is no JSON (byte 10)");
  EXPECT_EQ(io_error([] { parse_json("[\"\xff\"]"); }), "it is no JSON (byte 3)");
  EXPECT_EQ(io_error([] { parse_json("[1e999]"); }), "it is no JSON (a number that is too large)");
  EXPECT_EQ(io_error([] { parse_json("[NaN]"); }), "it is no JSON (byte 2)");
}

TEST(ParseJson, BoundsHowDeepValuesLie) {
  EXPECT_NO_THROW(parse_json(nested(32)));
  for (const int levels : {34, 1000, 10'000'000})
    EXPECT_EQ(io_error([&] { parse_json(nested(levels)); }),
              "values are nested deeper than 32 times");
}

TEST(ParseJson, RefusesKeysThatComeTwice) {
  EXPECT_EQ(io_error([] { parse_json(R"({"a": 1, "b": {"a": 2}, "a": 3})"); }),
            "the key 'a' comes twice");
  EXPECT_NO_THROW(parse_json(R"([{"a": 1}, {"a": {"a": 1}}])"));
}

TEST(ParseJson, BoundsTheKeysOfAnObject) {
  std::string keys = "{";
  for (int key = 0; key < 20000; ++key)
    keys += (key > 0 ? ",\"" : "\"") + std::to_string(key) + "\":0";
  EXPECT_EQ(io_error([&] { parse_json(keys + "}"); }), "an object has more than 16384 keys");
}

// The largest number of a type, one more, and the numbers that a narrowing cast would accept.
TEST(JsonObject, TakesNoIntegerForAnother) {
  const Json json = parse_json(
      R"({"a": 2147483647, "b": 2147483648, "c": 4294967297, "d": -1, "e": 18446744073709551615,
          "f": 18446744073709551616, "g": 1.0, "h": "1", "i": -9223372036854775808, "j": true})");
  const JsonObject object(json);
  EXPECT_EQ(object.integer<int>("a"), 2147483647);
  EXPECT_EQ(object.integer<std::uint64_t>("e"), 18446744073709551615U);
  EXPECT_EQ(object.integer<std::int64_t>("i"), INT64_MIN);
  EXPECT_EQ(object.integer<int>("d"), -1);
  EXPECT_EQ(io_error([&] { object.integer<int>("c"); }),
            "c = 4294967297: must be an integer from -2147483648 to 2147483647");
  for (const char* key : {"b", "c", "e", "f", "g", "h", "i", "j", "none"})
    EXPECT_THROW(object.integer<int>(key), IoError) << key;
  for (const char* key : {"d", "f", "i"})
    EXPECT_THROW(object.integer<std::uint64_t>(key), IoError) << key;
  EXPECT_THROW(object.integer<std::int64_t>("e"), IoError);
  EXPECT_EQ(io_error([&] { object.integer<int>("d", 0, 9); }),
            "d = -1: must be an integer from 0 to 9");
}

TEST(JsonObject, NamesFieldValueAndWhatIsLegal) {
  const Json json = parse_json(R"({"a": {"b": "x\u001b[2J", "n": 0.5}, "l": [1]})");
  const JsonObject object(json);
  EXPECT_EQ(object.object("a").number("n"), 0.5);
  EXPECT_EQ(object.array("l").size(), 1U);
  EXPECT_EQ(io_error([&] { object.object("a").number("b"); }),
            "a.b = \"x\\u001b[2J\": must be a number");
  EXPECT_EQ(io_error([&] { object.object("a").text("n"); }), "a.n = 0.5: must be a text");
  EXPECT_EQ(io_error([&] { object.object("a").flag("n"); }), "a.n = 0.5: must be true or false");
  EXPECT_EQ(io_error([&] { object.object("a").text("z"); }), "a.z is missing");
  EXPECT_EQ(io_error([&] { object.object("l"); }), "l is no object");
  EXPECT_EQ(io_error([&] { object.array("a"); }),
            "a = {\"b\":\"x\\u001b[2J\",\"n\":0.5}: must be a list");
  EXPECT_EQ(io_error([&] { JsonObject{json["l"]}; }), "the document is no object");
}

}  // namespace
}  // namespace recloom
