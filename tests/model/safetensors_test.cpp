#include "model/safetensors.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/json.hpp"
#include "recloom/core/error.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using testing::read_text;
using testing::TemporaryFolder;

template <class T>
std::string_view bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

/// A file as another program could write it.
std::string file_with(std::string header, std::string_view data) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data);
}

std::string io_error(const std::string& file) {
  try {
    SafetensorsFile opened(file);
  } catch (const IoError& error) {
    return error.what();
  }
  return "";
}

struct Written {
  TemporaryFolder folder;
  std::string file = folder.file("m.safetensors");
  std::vector<std::uint8_t> bytes = {1, 2, 3};
  std::vector<float> floats = {1.5F, -2, 0, 4, 5, 6};
  std::vector<std::int64_t> wide = {7, -8};
  std::vector<std::int32_t> none;
  std::vector<double> scalar = {0.1};
  Written() {
    const std::vector<TensorView> tensors = {{"bytes", DType::u8, {3}, bytes_of(bytes)},
                                             {"floats", DType::f32, {2, 3}, bytes_of(floats)},
                                             {"wide", DType::i64, {2}, bytes_of(wide)},
                                             {"none", DType::i32, {0, 4}, bytes_of(none)},
                                             {"scalar", DType::f64, {}, bytes_of(scalar)}};
    write_safetensors(file, tensors, {{"format", "pt"}, {"note", "a \"quote\" and caf\xc3\xa9"}});
  }
};

TEST(Safetensors, ReadsBackWhatItWrote) {
  const Written w;
  const SafetensorsFile file(w.file);
  ASSERT_EQ(file.tensors().size(), 5U);
  EXPECT_EQ(file.tensors()[1].name, "floats");
  EXPECT_EQ(file.tensors()[1].shape, (std::vector<std::int64_t>{2, 3}));
  const auto floats = file.find("floats")->as<float>();
  EXPECT_TRUE(std::equal(floats.begin(), floats.end(), w.floats.begin(), w.floats.end()));
  EXPECT_EQ(file.find("wide")->as<std::int64_t>()[1], -8);
  EXPECT_EQ(file.find("bytes")->as<std::uint8_t>()[2], 3);
  EXPECT_TRUE(file.find("none")->as<std::int32_t>().empty());
  EXPECT_EQ(file.find("scalar")->as<double>()[0], 0.1);
  EXPECT_TRUE(file.find("scalar")->shape.empty());
  EXPECT_EQ(file.find("absent"), nullptr);
  EXPECT_EQ(file.metadata(), (std::map<std::string, std::string>{
                                 {"format", "pt"}, {"note", "a \"quote\" and caf\xc3\xa9"}}));
}

// What the format demands of every file, read without the class under test.
TEST(Safetensors, ObeysTheFormat) {
  const Written w;
  const std::string text = read_text(w.file);
  std::uint64_t length = 0;
  std::memcpy(&length, text.data(), 8);
  EXPECT_EQ((8 + length) % 64, 0U);
  const Json header = Json::parse(text.substr(8, length));
  std::map<std::uint64_t, std::uint64_t> parts;
  for (const auto& [name, tensor] : header.items()) {
    if (name == "__metadata__") continue;
    const std::uint64_t begin = tensor["data_offsets"][0], end = tensor["data_offsets"][1];
    if (begin == end) continue;
    parts[begin] = end;
    const std::string type = tensor["dtype"];
    EXPECT_EQ(begin % (type == "U8" ? 1 : type.ends_with("64") ? 8 : 4), 0U) << name;
  }
  std::uint64_t next = 0;
  for (const auto& [begin, end] : parts) {
    EXPECT_EQ(begin, next);
    next = end;
  }
  EXPECT_EQ(8 + length + next, text.size());
}

TEST(Safetensors, WritesTheSameBytesForTheSameContent) {
  EXPECT_EQ(read_text(Written().file), read_text(Written().file));
}

TEST(Safetensors, FindsEveryChangedByte) {
  const Written w;
  const std::string good = read_text(w.file);
  std::fstream stream(w.file, std::ios::in | std::ios::out | std::ios::binary);
  const auto put = [&](std::size_t at, char byte) {
    stream.seekp(static_cast<std::streamoff>(at)).put(byte).flush();
  };
  for (std::size_t at = 0; at < good.size(); ++at)
    for (const char flip : {'\x01', '\x20', '\x80'}) {
      put(at, static_cast<char>(good[at] ^ flip));
      const std::string error = io_error(w.file);
      ASSERT_NE(error, "") << "byte " << at << " xor " << int{flip};
      ASSERT_EQ(error.find('\n'), std::string::npos) << error;
      ASSERT_NE(error.find(w.file), std::string::npos) << error;
      put(at, good[at]);
    }
  EXPECT_EQ(io_error(w.file), "");
}

TEST(Safetensors, FindsEveryCut) {
  const Written w;
  const std::size_t size = read_text(w.file).size();
  std::filesystem::resize_file(w.file, size + 1);
  EXPECT_NE(io_error(w.file), "");
  for (std::size_t left = size; left-- > 0;) {
    std::filesystem::resize_file(w.file, left);
    ASSERT_NE(io_error(w.file), "") << left << " bytes";
  }
}

TEST(Safetensors, ReadsDataThatLiesUnaligned) {
  const TemporaryFolder folder;
  const std::vector<double> values = {0.25, -3};
  const std::string header = R"({"a":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}})";
  for (std::size_t pad = 0; pad < 8; ++pad) {
    const SafetensorsFile file(
        folder.write("f", file_with(header + std::string(pad, ' '), bytes_of(values))));
    const auto read = file.find("a")->as<double>();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(read.data()) % alignof(double), 0U);
    EXPECT_EQ(read[0], 0.25);
    EXPECT_EQ(read[1], -3);
  }
}

TEST(Safetensors, RefusesAWrongType) {
  const Written w;
  const SafetensorsFile file(w.file);
  EXPECT_THROW(file.find("floats")->as<double>(), IoError);
  EXPECT_THROW(file.find("floats")->as<std::int32_t>(), IoError);
}

TEST(Safetensors, MissesHashesWhereTheyAreRequired) {
  const Written w;
  EXPECT_EQ(SafetensorsFile(w.file, Hashes::required).tensors().size(), 5U);
  const std::string plain = w.folder.write("plain", file_with("{}", ""));
  EXPECT_TRUE(SafetensorsFile(plain).tensors().empty());
  try {
    const SafetensorsFile file(plain, Hashes::required);
    FAIL() << "a file without hashes was read";
  } catch (const IoError& error) {
    EXPECT_EQ(error.what(), plain +
                                " is no safetensors file or damaged: it lacks the hashes that "
                                "recloom writes into its files (xxh3, xxh3_header)");
  }
}

// What a file says of its sizes is compared with the file before memory is taken.
TEST(Safetensors, TakesNoMemoryForWhatIsNotThere) {
  const TemporaryFolder folder;
  const std::string file = folder.write("huge", std::string("\0\0\0\0\0\1\0\0{}", 10));
  std::filesystem::resize_file(file, std::uintmax_t{1} << 42);  // No more than a hole.
  EXPECT_NE(io_error(file).find("its header has 1099511627776 bytes, at most 100000000 are legal"),
            std::string::npos)
      << io_error(file);
  const std::string gap = folder.write("gap", file_with("{}", ""));
  std::filesystem::resize_file(gap, std::uintmax_t{1} << 42);
  EXPECT_NE(io_error(gap).find("bytes follow the last tensor"), std::string::npos);
}

TEST(Safetensors, RefusesHeadersThatOverrunAReader) {
  const TemporaryFolder folder;
  const auto reason = [&](const std::string& header) {
    return io_error(folder.write("f", file_with(header, "")));
  };
  const std::string deep(300000, '['), end(300000, ']');
  EXPECT_NE(reason(R"({"a":)" + deep + end + "}").find("nested deeper than 32"), std::string::npos);
  EXPECT_NE(reason(R"({"a":{"dtype":)" + deep).find("nested deeper than 32"), std::string::npos);
  std::string objects;
  for (int level = 0; level < 100000; ++level) objects += "{\"a\":";
  EXPECT_NE(reason(objects).find("nested deeper than 32"), std::string::npos);
  EXPECT_NE(reason(R"({"a":1,"a":1})").find("the key 'a' comes twice"), std::string::npos);
  std::string axes = "1";
  for (int axis = 0; axis < 8; ++axis) axes += ",1";
  EXPECT_NE(reason(R"({"a":{"dtype":"U8","shape":[)" + axes + R"(],"data_offsets":[0,0]}})")
                .find("more than 8 axes"),
            std::string::npos);
}

TEST(Safetensors, RefusesTensorsThatContradictThemselves) {
  const TemporaryFolder folder;
  const std::vector<float> two = {1, 2};
  const auto write = [&](std::vector<TensorView> tensors) {
    write_safetensors(folder.file("x"), tensors, {});
  };
  EXPECT_THROW(write({{"a", DType::f32, {3}, bytes_of(two)}}), InternalError);
  EXPECT_THROW(
      write({{"a", DType::f32, {2}, bytes_of(two)}, {"a", DType::f32, {2}, bytes_of(two)}}),
      InternalError);
}

struct Damage {
  const char* name;
  const char* header;
  std::size_t data;
  const char* reason;
};
class DamagedFile : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedFile, IsNamedWithItsReason) {
  const TemporaryFolder folder;
  const std::string file =
      folder.write("f", file_with(GetParam().header, std::string(GetParam().data, 'x')));
  const std::string error = io_error(file);
  EXPECT_TRUE(error.starts_with(file + " is no safetensors file or damaged: ")) << error;
  EXPECT_NE(error.find(GetParam().reason), std::string::npos) << error;
}

#define TENSOR(dtype, shape, offsets) \
  R"({"dtype":)" dtype R"(,"shape":)" shape R"(,"data_offsets":)" offsets "}"
INSTANTIATE_TEST_SUITE_P(
    Kinds, DamagedFile,
    ::testing::Values(
        Damage{"json", "{\"a\":", 0, "it is no JSON (byte 6)"},
        Damage{"list", "[]", 0, "no JSON object"},
        Damage{"utf8", "{\"\xff\":1}", 0, "it is no JSON (byte 3)"},
        Damage{"number", R"({"a":1})", 0, "tensor 'a' lacks"},
        Damage{"lacks", R"({"a":{"dtype":"F32"}})", 0, "tensor 'a' lacks"},
        Damage{"type", "{\"a\":" TENSOR("\"F8\"", "[1]", "[0,1]") "}", 1, "has type \"F8\""},
        Damage{"type_number", "{\"a\":" TENSOR("8", "[1]", "[0,1]") "}", 1, "has type 8"},
        Damage{"shape", "{\"a\":" TENSOR("\"U8\"", "[0.5]", "[0,1]") "}", 1, "list of integers"},
        Damage{"no_shape", "{\"a\":" TENSOR("\"U8\"", "1", "[0,1]") "}", 1, "has no shape"},
        Damage{"negative", "{\"a\":" TENSOR("\"U8\"", "[-1]", "[0,1]") "}", 1, "contradicts"},
        Damage{"size", "{\"a\":" TENSOR("\"F32\"", "[2]", "[0,4]") "}", 4, "contradicts"},
        Damage{"overflow", "{\"a\":" TENSOR("\"F32\"", "[4611686018427387904,4]", "[0,0]") "}", 0,
               "contradicts"},
        Damage{"beyond", "{\"a\":" TENSOR("\"U8\"", "[5]", "[0,5]") "}", 4, "from 0 to 5 of 4"},
        Damage{"backwards", "{\"a\":" TENSOR("\"U8\"", "[1]", "[3,2]") "}", 4, "from 3 to 2"},
        Damage{"offsets", "{\"a\":" TENSOR("\"U8\"", "[1]", "[-1,0]") "}", 4, "bad offsets"},
        Damage{"one_offset", "{\"a\":" TENSOR("\"U8\"", "[1]", "[0]") "}", 4, "bad offsets"},
        Damage{"overlap",
               "{\"a\":" TENSOR("\"U8\"", "[3]", "[0,3]") ",\"b\":" TENSOR("\"U8\"", "[2]",
                                                                           "[2,4]") "}",
               4, "overlap or leave a gap"},
        Damage{"gap",
               "{\"a\":" TENSOR("\"U8\"", "[1]", "[0,1]") ",\"b\":" TENSOR("\"U8\"", "[2]",
                                                                           "[2,4]") "}",
               4, "overlap or leave a gap"},
        Damage{"tail", "{\"a\":" TENSOR("\"U8\"", "[1]", "[0,1]") "}", 4, "bytes follow"},
        Damage{"metadata", R"({"__metadata__":1})", 0, "metadata is no JSON object"},
        Damage{"metadata_number", R"({"__metadata__":{"a":1}})", 0, "metadata 'a' is no text"},
        Damage{"one_hash", R"({"__metadata__":{"xxh3":"2d06800538d394c2"}})", 0,
               "one of its two hashes is missing"}),
    [](const auto& damage) { return damage.param.name; });
#undef TENSOR

TEST(Safetensors, NamesAFileThatIsNone) {
  const TemporaryFolder folder;
  EXPECT_EQ(io_error(folder.file("none")),
            "cannot open " + folder.file("none") + ": No such file or directory");
  EXPECT_EQ(io_error(folder.write("short", "abc")),
            folder.file("short") + " is no safetensors file or damaged: it has 3 bytes");
  EXPECT_EQ(io_error(folder.write("text", "a plain text file")),
            folder.file("text") +
                " is no safetensors file or damaged: its header should have 2336921123803897953 "
                "bytes, the file has 17");
}

}  // namespace
}  // namespace recloom
