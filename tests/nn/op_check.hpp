#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nn/step/train_step.hpp"
#include "nn/toy_network.hpp"

/// Checks ops and losses two ways: values against a naive double-precision reference, gradients of
/// every parameter against central differences, of the reference (tight) and of the step's own loss
/// (looser, float).
namespace recloom::nn {

using Values = std::vector<double>;

/// The world of all cases: 4 users, 7 items, histories of 4, vectors of 3.
inline constexpr int kUsers = 4, kItems = 7, kLength = 4, kSize = 3;

struct ParameterSpec {
  std::string name;
  Shape shape;
  double low = -1, high = 1;
  bool trained = true;
};

/// What a case's recording is made of. The tables "items" [7, 3] and "users" [4, 3] are always
/// there.
struct Recorder {
  const ToyNetwork& network;
  const Inputs& in;
  Parameter p(std::string_view name) const { return network.parameters().find(name); }
  Var x() const;  ///< [4, 3]: items[history], padded right.
  Var v() const;  ///< [3]: users[user].
};

/// The same of one row, in double precision.
struct NaiveRow {
  const std::map<std::string, Values>& parameters;
  Row row;
  const Values& p(const std::string& name) const { return parameters.at(name); }
  std::vector<int> history() const;  ///< [4], padded right.
  Values x() const;
  Values v() const;
  Values row_of(const std::string& table, int index) const;
};

struct OpCase {
  std::string name;
  std::vector<ParameterSpec> parameters;
  std::function<Var(const Recorder&)> record;
  std::function<Values(const NaiveRow&)> naive;
};
/// The same for a whole loss.
struct LossCase {
  std::string name;
  std::vector<ParameterSpec> parameters;
  std::function<Loss(const Recorder&)> record;
  std::function<double(const std::vector<NaiveRow>&)> naive;  ///< Of the whole batch.
  int n_negatives = 2;
};

/// Values of every row, then check_loss() of the mean over rows of sum(y * probe), with another
/// factor for every element of y.
void check(const OpCase& c);
void check(const LossCase& c);

/// Record and run one node in training mode. @return [rows, size].
std::vector<float> run_forward(const ToyNetwork& network, const Batch& rows,
                               const std::function<Var(const Inputs&)>& record,
                               bool training = true);
/// Compare the step's gradients with central differences of its own loss. @param skipped elements
/// of a parameter, from the first, whose gradient is not the loss's (a padding row that stays).
void check_differences(NetworkRecommender& network, const StepOptions& options, const Batch& rows,
                       const std::map<std::string, std::size_t>& skipped = {});

/// The five rows of all cases: short, full, empty, unknown user, longer than the window; each with
/// `n_negatives` negatives.
ToyRows case_rows(int n_negatives);

/// A training step that has computed the gradients of the cases' rows, without negatives, in shards
/// of two.
std::unique_ptr<TrainStep> step_over_cases(NetworkRecommender& network);

/// A reference calls it with the distance of its inputs from the place where its slope jumps:
/// values are drawn anew until no difference can reach one.
void kink_at(double distance);

}  // namespace recloom::nn
