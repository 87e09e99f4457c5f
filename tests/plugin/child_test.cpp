#include "plugin/child.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "support/support.hpp"

namespace recloom {
namespace {

using Send = Child::Send;
using std::chrono::minutes;

Child::Clock::time_point in_a_minute() { return Child::Clock::now() + minutes(1); }

/// How a child ends that sends nothing.
std::string ending_of(const std::function<void(const Send&)>& body) {
  Child child(body);
  Message message;
  EXPECT_EQ(child.read(message, in_a_minute()), Child::Reading::ended);
  return child.ending("here");
}

TEST(Child, SendsMessagesOfAnyBytes) {
  const std::vector<Message> sent = {
      {"a", "", std::string("\0\n\xff", 3)}, {}, {std::string(1 << 20, 'x')}};
  Child child([&](const Send& send) {
    for (const Message& message : sent) send(message);
  });
  for (const Message& wanted : sent) {
    Message message;
    ASSERT_EQ(child.read(message, in_a_minute()), Child::Reading::message);
    EXPECT_EQ(message, wanted);
  }
  Message message;
  EXPECT_EQ(child.read(message, in_a_minute()), Child::Reading::ended);
}

TEST(Child, TellsHowItEnds) {
  EXPECT_EQ(ending_of([](const Send&) { std::exit(7); }), "ends the process here (exit code 7)");
  EXPECT_EQ(ending_of([](const Send&) { _exit(0); }), "ends the process here (exit code 0)");
  EXPECT_EQ(ending_of([](const Send&) { raise(SIGKILL); }), "crashes here (signal 9)");
  EXPECT_EQ(ending_of([](const Send&) { std::abort(); }), "crashes here (signal 6)");
  EXPECT_EQ(ending_of([](const Send&) { throw 42; }), "crashes here (signal 6)");
}

TEST(Child, IsHeardToItsLastWord) {
  Child child([](const Send& send) {
    send({"last"});
    raise(SIGKILL);
  });
  Message message;
  EXPECT_EQ(child.read(message, in_a_minute()), Child::Reading::message);
  EXPECT_EQ(message, Message{"last"});
  EXPECT_EQ(child.read(message, in_a_minute()), Child::Reading::ended);
  EXPECT_EQ(child.ending("then"), "crashes then (signal 9)");
}

TEST(Child, IsNotWaitedForBeyondTheDeadline) {
  pid_t process = 0;
  {
    Child child([](const Send& send) {
      send({std::to_string(getpid())});
      for (;;) pause();
    });
    Message message;
    ASSERT_EQ(child.read(message, in_a_minute()), Child::Reading::message);
    process = std::stoi(message.front());
    EXPECT_EQ(child.read(message, Child::Clock::now()), Child::Reading::late);
  }
  EXPECT_NE(kill(process, 0), 0) << "it still runs";
}

// What a plugin starts may live on with the child's end of the pipe.
TEST(Child, EndsWithoutTheProcessesThatItStarted) {
  Child child([](const Send& send) {
    const pid_t other = fork();
    while (other == 0) pause();
    send({std::to_string(other)});
  });
  Message message;
  ASSERT_EQ(child.read(message, in_a_minute()), Child::Reading::message);
  const pid_t other = std::stoi(message.front());
  EXPECT_EQ(child.read(message, in_a_minute()), Child::Reading::ended);
  kill(other, SIGKILL);
}

TEST(Child, RunsNoHandlerOfItsParent) {
  static std::string file;
  const testing::TemporaryFolder folder;
  file = folder.write("kept", "");
  std::atexit([] {
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
  });
  ending_of([](const Send&) { std::exit(0); });
  EXPECT_TRUE(std::filesystem::exists(file));
}

TEST(Child, HoldsNoMoreMemoryThanItMay) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  Child child(
      [](const Send& send) {
        try {
          std::vector<std::string> all;
          for (;;) all.emplace_back(std::size_t{1} << 26, 'x');
        } catch (const std::bad_alloc&) {
          send({"enough"});
        }
      },
      {.memory = std::size_t{1} << 28});
  Message message;
  EXPECT_EQ(child.read(message, in_a_minute()), Child::Reading::message);
#endif
}

}  // namespace
}  // namespace recloom
