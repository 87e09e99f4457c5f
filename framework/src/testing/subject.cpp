#include "testing/subject.hpp"

#include <fstream>
#include <iterator>

namespace recloom::conformance {
namespace {

constexpr int kEpochs = 24;

std::string bytes_of_file(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

const char* check_of(Step step) {
  switch (step) {
    case Step::describe:
      return "declaration";
    case Step::make:
      return "defaults";
    case Step::train:
      return "train";
    case Step::none:
    case Step::test_values:
      break;
  }
  return "";
}

template <class Body>
auto Subject::run(Step step, Body body) -> decltype(body()) {
  const auto known = impossible_.find(step);
  if (known != impossible_.end()) throw NotAvailable{check_of(step), known->second};
  listener_.on_step(step);
  try {
    auto result = body();
    listener_.on_step(Step::none);
    return result;
  } catch (...) {
    listener_.on_step(Step::none);
    impossible_[step] = current_problem();
  }
  throw NotAvailable{check_of(step), impossible_[step]};
}

const std::vector<ParamInfo>& Subject::declared() {
  if (!declared_) declared_ = run(Step::describe, [&] { return plugins_.describe(info_.name); });
  return *declared_;
}

const Params& Subject::base_params() {
  if (base_params_) return *base_params_;
  Params params;
  for (const ParamInfo& parameter : declared())
    if (!parameter.test_values.empty() && !given_.find(parameter.name))
      params.set(parameter.name, parameter.test_values.front());
  if (!params.empty()) {
    try {
      run(Step::test_values, [&] { return construct(params), true; });
    } catch (const NotAvailable&) {
      params = {};  // One at a time they are tried, and judged, by the check that is about them.
    }
  }
  base_params_ = params;
  return *base_params_;
}

Params Subject::with(const Params& params) const {
  Params all = given_;
  all.merge(params);
  return all;
}

void Subject::construct(const Params& params) {
  if (info_.kind == "metric")
    plugins_.create_metric(info_.name, with(params));
  else if (info_.kind == "sampler")
    plugins_.create_sampler(info_.name, with(params));
  else
    plugins_.create(info_.name, with(params), catalogue());
}

const Dataset& Subject::dataset(bool single_item) {
  std::optional<Dataset>& data = datasets_[single_item];
  if (!data) {
    const std::string file = scratch_file(single_item ? "single.inter" : "planted.inter");
    write_file(file, single_item ? single_item_log() : planted_log());
    DataOptions options;
    options.max_length = kLength;
    RunContext run(1, 1);
    data = Dataset::open(file, options, {}, run);
  }
  return *data;
}

// What the plugin suggests counts, but for what only fits larger data.
RunConfig Subject::config(const Training& training) {
  dataset(training.single_item);
  ConfigRequest request;
  request.data = scratch_file(training.single_item ? "single.inter" : "planted.inter");
  request.model = info_.name;
  const auto set = [&request](std::string text) {
    request.settings.push_back({"conformance suite", std::move(text)});
  };
  set("data.max_length=" + std::to_string(kLength));
  set("train.epochs=" + std::to_string(training.epochs));
  for (const char* text : {"train.batch_size=32", "train.shard_rows=8", "train.learning_rate=0.01",
                           "train.warmup_steps=0", "train.schedule=\"constant\"",
                           "train.max_steps=0", "train.eval_every=0"})
    set(text);
  const Params params = with(training.params);
  for (const auto& [name, value] : params.values())
    set("model.params." + name + "=" + to_text(value));
  return resolve_config(request, plugins_);
}

Trained Subject::train(const Training& training) {
  const RunConfig resolved = config(training);
  const Dataset& data = dataset(training.single_item);
  RunContext run(resolved.seed, training.threads);
  Trained result{Recommender::create(resolved, data, plugins_), {}};
  result.report = result.recommender.train(data, run);
  return result;
}

std::string Subject::train_to_bytes(int threads) {
  const Trained result = train({.params = base_params(), .threads = threads});
  const std::string file = scratch_file("trained.safetensors");
  result.recommender.save(file);
  return bytes_of_file(file);
}

const Trained& Subject::trained() {
  if (!trained_) {
    const Params& params = base_params();
    trained_.emplace(
        run(Step::train, [&] { return train({.params = params, .epochs = kEpochs}); }));
  }
  return *trained_;
}

int Subject::shown_length() {
  return model().traits().whole_history ? Batch::kWholeHistory : kLength;
}

std::shared_ptr<Metric> Subject::metric() {
  const Params params = with(base_params());
  return run(Step::make, [&] { return plugins_.create_metric(info_.name, params); });
}
std::shared_ptr<NegativeSampler> Subject::sampler() {
  const Params params = with(base_params());
  return run(Step::make, [&] { return plugins_.create_sampler(info_.name, params); });
}

}  // namespace recloom::conformance
