// Model files with tensors of more than 2^31 and 2^32 bytes.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/untouched.hpp"
#include "large/large.hpp"
#include "model/safetensors.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

class LargeFile : public ::testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Bytes, LargeFile,
                         ::testing::Values((std::size_t{1} << 31) + 4096,
                                           (std::size_t{1} << 32) + 4096));

/// Numbers at the ends of the tensor and on both sides of 2^31 and 2^32 bytes.
std::vector<std::pair<std::size_t, float>> marks(std::size_t n) {
  std::vector<std::pair<std::size_t, float>> all;
  for (const std::size_t place : {std::size_t{0}, (std::size_t{1} << 29) - 1, std::size_t{1} << 29,
                                  (std::size_t{1} << 30) - 1, std::size_t{1} << 30, n - 1})
    if (place < n) all.emplace_back(place, static_cast<float>(all.size()) + 0.5F);
  return all;
}

TEST_P(LargeFile, ComesBackAsItWasWritten) {
  RECLOOM_REQUIRE_LARGE(5);
  const testing::TemporaryFolder folder;
  const std::string file = folder.file("large.safetensors");
  const std::size_t n = GetParam() / sizeof(float);
  const float behind = 42;
  {
    UntouchedFloats floats(n);
    for (const auto& [place, value] : marks(n)) floats.data()[place] = value;
    const TensorView tensors[] = {
        {"large",
         DType::f32,
         {static_cast<std::int64_t>(n)},
         {reinterpret_cast<const char*>(floats.data()), n * sizeof(float)}},
        {"behind", DType::f32, {1}, {reinterpret_cast<const char*>(&behind), sizeof(behind)}}};
    write_safetensors(file, tensors, {});
  }
  EXPECT_GT(std::filesystem::file_size(file), GetParam());
  const SafetensorsFile read(file);  // Its hashes are compared.
  const auto values = read.find("large")->as<float>();
  ASSERT_EQ(values.size(), n);
  for (const auto& [place, value] : marks(n)) EXPECT_EQ(values[place], value) << place;
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(values, 0.0F)), n - marks(n).size());
  EXPECT_EQ(read.find("behind")->as<float>()[0], behind);
}

}  // namespace
}  // namespace recloom
