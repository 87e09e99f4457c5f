#include "plugin/library_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace recloom {
namespace {

TEST(LibraryFolder, HoldsTheLibrary) {
  EXPECT_TRUE(std::filesystem::exists(library_folder() + "/librecloom.so"));
}

}  // namespace
}  // namespace recloom
