#include "testing/isolation.hpp"

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "plugin/child.hpp"
#include "testing/text.hpp"

namespace recloom::conformance {
namespace {

using Clock = Child::Clock;

/// First words of the messages of a child.
constexpr const char *kRefused = "refused", *kBegins = "begins", *kStep = "step", *kNote = "note",
                     *kFound = "found";

const char* words_of(Step step) {
  switch (step) {
    case Step::describe:
      return "in describe()";
    case Step::test_values:
    case Step::make:
      return "when it is made";
    case Step::train:
      return "when it is trained";
    case Step::none:
      break;
  }
  return "in this check";
}

std::string number(int value) { return std::to_string(value); }

/// What a child does.
void run_here(const Origin& origin, std::span<const Check* const> checks,
              const Impossible& impossible, std::set<std::string> reported,
              const Child::Send& send) {
  try {
    if (!origin.given.empty())
      origin.plugins.resolve(origin.info.name, origin.given, origin.info.name + ".");
  } catch (const ConfigError& error) {
    send({kRefused, error.what()});
    return;
  } catch (...) {  // The plugin is wrong, not the parameters: checks will tell.
  }
  Subject subject(origin, impossible,
                  {[&](Step step) {
                     send({kStep, number(static_cast<int>(step))});
                   },
                   [&](const std::string& note) {
                     send({kNote, note});
                   }});
  for (const Check* check : checks) {
    send({kBegins});
    const Finding finding = run_check(*check, subject, reported);
    if (finding.outcome == Outcome::failed) reported.insert(check->id);
    send({kFound, number(static_cast<int>(finding.outcome)), one_line(finding.text)});
  }
}

/// The parent's side: what is known so far, and what is left to do.
class Isolation {
 public:
  Isolation(const Origin& origin, std::span<const Check* const> checks,
            const IsolationLimits& limits,
            const std::function<void(const Check&, const Finding&, double)>& done)
      : origin_(origin), left_(checks), limits_(limits), done_(done) {}

  void run() {
    while (!left_.empty()) run_child();
  }

 private:
  void run_child() {
    Child child(
        [this](const Child::Send& send) { run_here(origin_, left_, impossible_, reported_, send); },
        {.quiet = false, .memory = limits_.memory});
    step_ = Step::none;
    start_ = Clock::now();
    for (Message message; !left_.empty();) {
      const auto limit = std::chrono::duration<double>(limits_.seconds);
      switch (child.read(message, start_ + std::chrono::ceil<Clock::duration>(limit))) {
        case Child::Reading::message:
          take(message);
          break;
        case Child::Reading::ended:
          return give_up(child.ending(words_of(step_)));
        case Child::Reading::late:
          return give_up("does not come back within " + text_of(limits_.seconds) + " s " +
                         words_of(step_));
      }
    }
  }

  void take(const Message& message) {
    const std::string& word = message.front();
    if (word == kRefused) throw ConfigError(message.at(1));
    if (word == kNote) note_ = message.at(1);
    if (word == kBegins) {
      start_ = Clock::now();
      note_.clear();
    }
    if (word == kStep) step_ = static_cast<Step>(std::stoi(message.at(1)));
    if (word == kFound) finish({static_cast<Outcome>(std::stoi(message.at(1))), message.at(2)});
  }

  /// The check in progress killed its process.
  void give_up(const std::string& what) {
    const std::string reason = (note_.empty() ? "" : note_ + ": ") + "the plugin " + what;
    const std::string owner = check_of(step_);
    if (step_ != Step::none) impossible_[step_] = reason;
    if (step_ == Step::test_values) return;  // The check is tried again without them.
    if (reported_.contains(owner)) return finish(skip("needs what '" + owner + "' failed to get"));
    finish(fail(reason));
  }

  void finish(const Finding& finding) {
    const Check& check = *left_.front();
    left_ = left_.subspan(1);
    if (finding.outcome == Outcome::failed) reported_.insert(check.id);
    done_(check, finding, std::chrono::duration<double>(Clock::now() - start_).count());
    start_ = Clock::now();
  }

  const Origin& origin_;
  std::span<const Check* const> left_;
  IsolationLimits limits_;
  const std::function<void(const Check&, const Finding&, double)>& done_;
  Impossible impossible_;
  std::set<std::string> reported_;
  Step step_ = Step::none;
  std::string note_;
  Clock::time_point start_;
};

}  // namespace

void run_isolated(const Origin& origin, std::span<const Check* const> checks,
                  const IsolationLimits& limits,
                  const std::function<void(const Check&, const Finding&, double seconds)>& done) {
  Isolation(origin, checks, limits, done).run();
}

}  // namespace recloom::conformance
