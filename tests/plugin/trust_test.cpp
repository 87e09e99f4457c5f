#include "plugin/trust.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "support/support.hpp"

namespace recloom {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// A plugin's file below two folders, as the umask 022 leaves them.
class Trust : public ::testing::Test {
 protected:
  void SetUp() override {
    unsetenv("RECLOOM_TRUST_PLUGINS");
    fs::create_directories(inner());
    folder.write("outer/inner/recloom-a.so", "");
    for (const fs::path& path : {outer(), inner()}) chmod(path.c_str(), 0755);
    chmod(file().c_str(), 0644);
  }
  fs::path outer() const { return folder.path() / "outer"; }
  fs::path inner() const { return outer() / "inner"; }
  fs::path file() const { return inner() / "recloom-a.so"; }
  std::string problem() const { return trust_problem(file().string()); }
  void expect_named(const fs::path& path, const std::string& mode) const {
    EXPECT_THAT(problem(), HasSubstr("others may write " + fs::canonical(path).string() +
                                     " (mode " + mode + ", owner "));
    EXPECT_THAT(problem(), HasSubstr("chmod go-w " + fs::canonical(path).string()));
    EXPECT_THAT(problem(), HasSubstr("RECLOOM_TRUST_PLUGINS=1"));
  }
  /// A group that is not the owner's own. Only root may give files to it.
  static constexpr gid_t kOtherGroup = 12345;

  testing::TemporaryFolder folder;
};

TEST_F(Trust, IsGivenToWhatOnlyTheOwnerMayWrite) {
  EXPECT_EQ(problem(), "");
  EXPECT_EQ(trust_problem("/nowhere/recloom-a.so"), "");
}

TEST_F(Trust, IsRefusedToWhatTheWorldMayWrite) {
  chmod(file().c_str(), 0666);
  expect_named(file(), "666");
  chmod(file().c_str(), 0644);
  chmod(inner().c_str(), 0777);
  expect_named(inner(), "777");
  chmod(inner().c_str(), 0755);
  chmod(outer().c_str(), 0777);
  expect_named(outer(), "777");
  chmod(outer().c_str(), 01777);  // As /tmp: names are their owners' own.
  EXPECT_EQ(problem(), "");
}

TEST_F(Trust, IsGivenToTheOwnersPrivateGroupAlone) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may give files away";
  for (const fs::path& path : {inner(), file()}) ASSERT_EQ(chown(path.c_str(), 0, 0), 0);
  chmod(inner().c_str(), 0775);
  chmod(file().c_str(), 0664);
  EXPECT_EQ(problem(), "");
  ASSERT_EQ(chown(file().c_str(), 0, kOtherGroup), 0);
  expect_named(file(), "664");
  ASSERT_EQ(chown(file().c_str(), 0, 0), 0);
  ASSERT_EQ(chown(inner().c_str(), 0, kOtherGroup), 0);
  expect_named(inner(), "775");
}

TEST_F(Trust, IsRefusedToWhatBelongsToOthers) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may give files away";
  ASSERT_EQ(chown(file().c_str(), 65534, 65534), 0);
  EXPECT_THAT(problem(), HasSubstr("recloom-a.so (mode 644, owner 65534"));
  EXPECT_THAT(problem(), HasSubstr("belongs to neither you, root nor the owner of recloom"));
  ASSERT_EQ(chown(file().c_str(), 0, 0), 0);
  ASSERT_EQ(chown(inner().c_str(), 65534, 65534), 0);
  EXPECT_THAT(problem(), HasSubstr("inner (mode 755, owner 65534"));
}

TEST_F(Trust, FollowsLinks) {
  const fs::path link = folder.path() / "recloom-a.so";
  fs::create_symlink(file(), link);
  EXPECT_EQ(trust_problem(link.string()), "");
  chmod(file().c_str(), 0666);
  EXPECT_THAT(trust_problem(link.string()), HasSubstr("others may write"));
  chmod(file().c_str(), 0644);
  chmod(folder.path().c_str(), 0777);  // Where the link lies, it can be turned elsewhere.
  EXPECT_THAT(trust_problem(link.string()), HasSubstr("others may write"));
}

TEST_F(Trust, IsGivenByTheVariable) {
  chmod(file().c_str(), 0666);
  setenv("RECLOOM_TRUST_PLUGINS", "1", 1);
  EXPECT_EQ(problem(), "");
  unsetenv("RECLOOM_TRUST_PLUGINS");
  EXPECT_NE(problem(), "");
}

}  // namespace
}  // namespace recloom
