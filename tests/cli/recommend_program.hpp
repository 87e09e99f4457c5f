#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "cli/program_test.hpp"

namespace recloom::testing {

/// `recommend` for a model of the toy log, where item k + 1 comes after item k.
class Recommend : public ProgramTest {
 protected:
  Recommend() {
    const ProgramResult trained =
        recloom({"train", toy(), "--model", "markov", "--run-dir", "run"});
    EXPECT_EQ(trained.exit_code, 0) << trained.err;
  }
  ProgramResult recommend(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"recommend", "run"});
    return recloom(std::move(arguments));
  }
  /// Run below a shell, which can close or fill standard input.
  ProgramResult shell(const std::string& command) {
    return run_program(
        {"/bin/sh", "-c", (binary_dir() / "bin/recloom").string() + " recommend run " + command},
        {}, folder.path().string());
  }
  /// Expect one line on standard error, no output, and nothing left behind.
  void refuses(const ProgramResult& result, int exit_code, const std::vector<std::string>& named) {
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    EXPECT_EQ(lines_of(result.err), 1) << result.err;
    for (const std::string& text : named) EXPECT_THAT(result.err, ::testing::HasSubstr(text));
    for (const std::string& name : left()) EXPECT_FALSE(name.ends_with(".tmp")) << name;
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "out.tsv"));
  }
  std::vector<std::string> lines(const std::string& file) {
    std::istringstream in(read_text(folder.path() / file));
    std::vector<std::string> all;
    for (std::string line; std::getline(in, line);) all.push_back(line);
    return all;
  }
};

}  // namespace recloom::testing
