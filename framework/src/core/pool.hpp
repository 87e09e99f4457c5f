#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace recloom {

/// Lends workspaces to tasks: as many as tasks run at the same time, each made once. What a task
/// gets is in the state that some task left it in, so results must not depend on that. Thread safe.
template <class Workspace>
class Pool {
 public:
  using Make = std::function<std::unique_ptr<Workspace>()>;
  explicit Pool(Make make) : make_(std::move(make)) {}

  /// Gives the workspace back at its end.
  class Loan {
   public:
    Loan(Pool& pool, std::unique_ptr<Workspace> workspace)
        : pool_(pool), workspace_(std::move(workspace)) {}
    ~Loan() {
      const std::lock_guard lock(pool_.mutex_);
      pool_.idle_.push_back(std::move(workspace_));
    }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    Workspace* operator->() const { return workspace_.get(); }
    Workspace& operator*() const { return *workspace_; }

   private:
    Pool& pool_;
    std::unique_ptr<Workspace> workspace_;
  };

  Loan borrow() {
    std::unique_ptr<Workspace> workspace;
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        workspace = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    return Loan(*this, workspace ? std::move(workspace) : make_());
  }

  /// Visit every workspace, in no fixed order, when none is lent.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (const auto& workspace : idle_) visit(*workspace);
  }

 private:
  Make make_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> idle_;
};

}  // namespace recloom
