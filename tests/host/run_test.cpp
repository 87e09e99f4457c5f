// Whole runs that are asked to stop at a given point, and what they leave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <functional>
#include <thread>

#include "core/json.hpp"
#include "host/toy_log.hpp"
#include "recloom/recloom.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

namespace fs = std::filesystem;

class Run : public ::testing::Test {
 protected:
  Run() {
    request.data = folder.write("toy.inter", testing::toy_log(40, 12, 8));
    request.model = "caser";
    request.settings = {{"--set", "train.epochs=3"},
                        {"--set", "train.batch_size=64"},
                        {"--set", "data.max_length=4"}};
  }
  RunReport run(const std::string& name) {
    const RunConfig config = resolve_config(request, plugins);
    RunContext context(config.seed, 1, &stop);
    options.run_folder = folder.file(name);
    return train_run(config, options, plugins, context);
  }
  RunReport resume(const std::string& name) {
    stop = false;
    options.callbacks = {};
    options.resume = true;
    return run(name);
  }
  void expect_equal_runs(const std::string& a, const std::string& b) {
    const auto bytes = [this](const std::string& file) {
      return testing::read_text(folder.path() / file);
    };
    for (const char* file : {"/model.safetensors", "/checkpoint.safetensors", "/config.toml"})
      EXPECT_EQ(bytes(a + file), bytes(b + file)) << file;
    Json left = Json::parse(bytes(a + "/report.json")),
         right = Json::parse(bytes(b + "/report.json"));
    left.erase("timing");
    right.erase("timing");
    EXPECT_EQ(left, right);
  }
  bool exists(const std::string& name) const { return fs::exists(folder.path() / name); }

  testing::TemporaryFolder folder;
  PluginRegistry plugins;
  ConfigRequest request;
  RunOptions options;
  std::atomic<bool> stop = false;
};

TEST_F(Run, StoppedAtAnyEpochOrBehindTheLastGoesOnToTheSameBytes) {
  run("whole");
  for (int epoch = 1; epoch <= 3; ++epoch) {
    SCOPED_TRACE(epoch);
    const std::string name = "stopped" + std::to_string(epoch);
    options.resume = false;
    options.callbacks.on_epoch = [&](const EpochReport& now) { stop = now.epoch == epoch; };
    const RunReport cut = run(name);
    EXPECT_TRUE(cut.interrupted());
    EXPECT_TRUE(cut.resumable);
    EXPECT_FALSE(exists(name + "/report.json"));
    EXPECT_FALSE(exists(name + "/.lock"));
    EXPECT_FALSE(resume(name).interrupted());
    expect_equal_runs("whole", name);
  }
}

// The configuration is written anew between training and the last evaluations.
TEST_F(Run, StoppedInItsLastEvaluationsKeepsItsModel) {
  request.data = folder.write("large.inter", testing::toy_log(20000, 50, 5));
  request.settings.push_back({"--set", "train.max_steps=2"});
  std::jthread watching([&](const std::stop_token& done) {
    const std::string file = folder.file("stopped/config.toml");
    ino_t first = 0;
    while (!done.stop_requested() && !stop) {
      struct stat status {};
      if (::stat(file.c_str(), &status) == 0) {
        if (first == 0) first = status.st_ino;
        stop = status.st_ino != first;
      }
      std::this_thread::yield();
    }
  });
  const RunReport cut = run("stopped");
  watching.request_stop();
  watching.join();
  ASSERT_TRUE(cut.interrupted());
  EXPECT_EQ(cut.train.steps, 2);
  EXPECT_TRUE(exists("stopped/model.safetensors"));
  EXPECT_FALSE(exists("stopped/report.json"));
  EXPECT_TRUE(cut.resumable);
  EXPECT_FALSE(resume("stopped").interrupted());
  options.resume = false;
  run("whole");
  expect_equal_runs("whole", "stopped");
}

TEST_F(Run, StoppedBeforeItHasAnythingLeavesNothing) {
  stop = true;
  for (const char* model : {"caser", "pop"}) {
    request.model = model;
    const RunReport report = run("runs/one");
    EXPECT_TRUE(report.interrupted());
    EXPECT_FALSE(report.resumable);
    EXPECT_FALSE(exists("runs"));
  }
}

TEST_F(Run, StoppedBeforeItIsResumedCanStillBeResumed) {
  run("whole");
  options.callbacks.on_epoch = [&](const EpochReport&) { stop = true; };
  run("stopped");
  options.resume = true;
  const RunReport cut = run("stopped");
  EXPECT_TRUE(cut.interrupted());
  EXPECT_TRUE(cut.resumable);
  resume("stopped");
  expect_equal_runs("whole", "stopped");
}

// A reader must not take the report of fewer epochs for that of the new model.
TEST_F(Run, ReplacesItsModelOnlyAfterItsReport) {
  run("run");
  request.settings.push_back({"--set", "train.epochs=4"});
  std::string report_then;
  options.callbacks.on_epoch = [&](const EpochReport& epoch) {
    if (epoch.epoch == 4) {
      report_then = testing::read_text(folder.path() / "run/report.json");
      fs::remove(folder.path() / "run/model.safetensors");
      fs::create_directory(folder.path() / "run/model.safetensors");  // It cannot be written.
    }
  };
  options.resume = true;
  EXPECT_THROW(run("run"), IoError);
  EXPECT_NE(report_then, "");
  EXPECT_FALSE(exists("run/report.json"));
}

TEST_F(Run, ChecksAFolderWithoutTouchingIt) {
  const RunConfig config = resolve_config(request, plugins);
  options.run_folder = folder.file("new");
  check_run_folder(config, options);
  EXPECT_FALSE(exists("new"));
  run("new");
  EXPECT_THROW(check_run_folder(config, options), IoError);
  options.replace = true;
  check_run_folder(config, options);
  EXPECT_TRUE(exists("new/report.json"));
}

}  // namespace
}  // namespace recloom
