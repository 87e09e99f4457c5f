#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "host/toy_log.hpp"
#include "support/support.hpp"

namespace recloom::testing {

/// Runs the program in a folder of its own.
class ProgramTest : public ::testing::Test {
 protected:
  ProgramResult recloom(std::vector<std::string> arguments,
                        const std::vector<std::string>& environment = {}) {
    arguments.insert(arguments.begin(), (binary_dir() / "bin/recloom").string());
    return run_program(arguments, environment, folder.path().string());
  }
  /// Run and return the JSON that it prints.
  Json json_of(std::vector<std::string> arguments) {
    arguments.push_back("--json");
    const ProgramResult result = recloom(std::move(arguments));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return Json::parse(result.out, nullptr, false);
  }
  std::string toy() { return folder.write("toy.inter", toy_log()); }
  /// Names in the folder, sorted.
  std::vector<std::string> left() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path()))
      names.push_back(std::filesystem::relative(entry.path(), folder.path()).string());
    std::sort(names.begin(), names.end());
    return names;
  }

  TemporaryFolder folder;
};

inline int lines_of(const std::string& text) {
  std::istringstream in(text);
  int count = 0;
  for (std::string line; std::getline(in, line);) count += !line.empty();
  return count;
}

}  // namespace recloom::testing
