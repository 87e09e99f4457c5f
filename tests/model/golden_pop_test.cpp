// Popularity against RecBole's counts: every models/pop*.safetensors of the golden folder.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "model/safetensors.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/plugin/registry.hpp"
#include "support/golden.hpp"

namespace recloom {
namespace {

int number(const SafetensorsFile& file, const std::string& key) {
  return std::stoi(file.metadata().at(key));
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::span<const double> reference(const SafetensorsFile& file, std::string_view name) {
  return file.find(name)->as<double>();
}

// Every number of `found` against the reference, with one tolerance or one per number.
void expect_close(const SafetensorsFile& file, const std::string& name,
                  std::span<const float> found) {
  const auto wanted = reference(file, name), tolerance = reference(file, "tol." + name);
  ASSERT_EQ(found.size(), wanted.size()) << name;
  for (std::size_t n = 0; n < found.size(); ++n)
    EXPECT_NEAR(found[n], wanted[n], tolerance[tolerance.size() == 1 ? 0 : n]) << name << " " << n;
}

void check(const SafetensorsFile& file) {
  const Catalogue catalogue{
      .n_users = number(file, "n_users"), .n_items = number(file, "n_items"), .max_length = 1};
  const auto n_items = static_cast<std::size_t>(catalogue.n_items);
  const Model model = PluginRegistry().create(lower(file.metadata().at("model")), {}, catalogue);

  const auto stored = file.find("input.train_items")->as<std::int64_t>();
  const std::vector<ItemId> events(stored.begin(), stored.end());
  std::vector<Batch::Entry> entries;
  for (std::size_t event = 0; event < events.size(); ++event)
    entries.push_back({static_cast<std::int64_t>(event), 0, 1, 1});
  const std::vector<std::int64_t> offsets(static_cast<std::size_t>(catalogue.n_users));
  RunContext run(1, 1);
  const Batch rows(events, entries, 1);
  model->fit(TrainingData(catalogue, rows, events, offsets, offsets), run);

  const auto targets = file.find("input.target")->as<std::int64_t>();
  std::vector<float> scores(targets.size() * n_items);
  model->full_sort_predict(rows.rows(0, targets.size()), {scores, n_items});
  expect_close(file, "out.full_sort_true_count", scores);

  const auto counts = file.find("out.true_count")->as<std::int64_t>();
  const auto largest = static_cast<double>(std::ranges::max(counts));
  for (std::size_t item = 0; item < n_items; ++item)
    EXPECT_NEAR(scores[item] * largest, static_cast<double>(counts[item]), 1e-5) << item;

  const std::vector<ItemId> candidates(targets.begin(), targets.end());
  std::vector<float> predicted(candidates.size());
  model->predict(rows.rows(0, targets.size()), {candidates, 1}, {predicted, 1});
  for (std::size_t row = 0; row < candidates.size(); ++row)
    EXPECT_EQ(predicted[row], scores[row * n_items + static_cast<std::size_t>(candidates[row])]);
}

TEST(Golden, Pop) {
  std::size_t cases = 0;
  for (const std::filesystem::path& path : testing::golden_files("models", ".safetensors")) {
    if (!path.filename().string().starts_with("pop")) continue;
    ++cases;
    SCOPED_TRACE(path.string());
    check(SafetensorsFile(path.string()));
  }
  EXPECT_TRUE(testing::say_golden("popularity", cases, "models"));
}

}  // namespace
}  // namespace recloom

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
