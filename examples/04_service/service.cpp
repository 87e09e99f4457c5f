// recloom inside a service. Requests are lines of standard input, "item item ..." (oldest first);
// answers are lines of standard output, "request<TAB>item item ...", in the order of requests.
//   service MODEL_FILE [WORKERS]
// Scoring is const and safe from any number of threads, so workers share one model. What waits is
// answered as one batch, which costs little more than one request.
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "recloom/recloom.hpp"

namespace {

struct Request {
  std::size_t number;
  recloom::QueryHistory history;
};

/// What waits to be answered. Thread safe.
class Waiting {
 public:
  void add(Request request) {
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(std::move(request));
    }
    changed_.notify_one();
  }
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
  }
  /// Wait for requests and take up to `most`; none are left if the result is empty.
  std::vector<Request> take(std::size_t most) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || !requests_.empty(); });
    std::vector<Request> taken;
    for (; taken.size() < most && !requests_.empty(); requests_.pop_front())
      taken.push_back(std::move(requests_.front()));
    return taken;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Request> requests_;
  bool closed_ = false;
};

/// Prints answers in the order of their requests. Thread safe.
class Answers {
 public:
  void give(std::size_t number, std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.emplace(number, std::move(line));
    for (auto next = lines_.find(next_); next != lines_.end(); next = lines_.find(next_)) {
      std::cout << next->second << "\n" << std::flush;
      lines_.erase(next);
      ++next_;
    }
  }

 private:
  std::mutex mutex_;
  std::map<std::size_t, std::string> lines_;
  std::size_t next_ = 1;
};

void serve(const recloom::Recommender& model, Waiting& waiting, Answers& answers) {
  const recloom::RunContext run(/*seed=*/1, /*threads=*/1);  // The workers are the threads.
  for (auto batch = waiting.take(64); !batch.empty(); batch = waiting.take(64)) {
    std::vector<recloom::QueryHistory> histories;
    for (const Request& request : batch) histories.push_back(request.history);
    const auto lists = model.recommend(histories, {.k = 5}, run);
    for (std::size_t n = 0; n < batch.size(); ++n) {
      std::string line = std::to_string(batch[n].number) + "\t";
      for (const auto& item : lists[n].items) line += item.item + " ";
      answers.give(batch[n].number, std::move(line));
    }
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 2) {
    std::cerr << "usage: service MODEL_FILE [WORKERS]\n";
    return 2;
  }
  const recloom::PluginRegistry plugins;
  const auto model = recloom::Recommender::load(argv[1], plugins);
  Waiting waiting;
  Answers answers;
  std::vector<std::thread> workers;
  for (int n = argc > 2 ? std::atoi(argv[2]) : 2; n > 0; --n)
    workers.emplace_back([&] { serve(model, waiting, answers); });
  std::string line;
  for (std::size_t number = 1; std::getline(std::cin, line); ++number) {
    Request request{number, {}};
    std::istringstream words(line);
    for (std::string item; words >> item;) request.history.items.push_back(item);
    waiting.add(std::move(request));
  }
  waiting.close();
  for (std::thread& worker : workers) worker.join();
} catch (const recloom::Error& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
