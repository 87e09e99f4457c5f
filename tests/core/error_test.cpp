#include "recloom/core/error.hpp"

#include <gtest/gtest.h>

namespace recloom {
namespace {

template <class T>
ErrorKind kind_when_caught_as_base() {
  try {
    throw T("what, where");
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "what, where");
    return error.kind();
  }
}

TEST(Error, EachLeafHasItsKind) {
  EXPECT_EQ(kind_when_caught_as_base<ConfigError>(), ErrorKind::config);
  EXPECT_EQ(kind_when_caught_as_base<DataError>(), ErrorKind::data);
  EXPECT_EQ(kind_when_caught_as_base<PluginError>(), ErrorKind::plugin);
  EXPECT_EQ(kind_when_caught_as_base<ModelError>(), ErrorKind::model);
  EXPECT_EQ(kind_when_caught_as_base<NumericError>(), ErrorKind::numeric);
  EXPECT_EQ(kind_when_caught_as_base<IoError>(), ErrorKind::io);
  EXPECT_EQ(kind_when_caught_as_base<InternalError>(), ErrorKind::internal);
}

TEST(Error, IsOneLineThatATerminalDoesNotObey) {
  EXPECT_STREQ(IoError("cannot open a\nb\x1b[2J").what(), "cannot open a\\nb\\x1b[2J");
}

}  // namespace
}  // namespace recloom
