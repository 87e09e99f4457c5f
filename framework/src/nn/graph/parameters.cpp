#include "recloom/nn/parameters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>

#include "nn/graph/parameter_data.hpp"
#include "recloom/core/error.hpp"
#include "recloom/core/random.hpp"

namespace recloom::nn {

namespace {
const ParameterData& made(const ParameterData* data) {
  if (data == nullptr) throw ModelError("a Parameter is empty: it was never made");
  return *data;
}
}  // namespace

std::string_view Parameter::name() const { return made(data_).name; }
const Shape& Parameter::shape() const { return made(data_).shape; }
std::span<const float> Parameter::values() const { return made(data_).values; }
void Parameter::assign(std::span<const float> values) const {
  if (values.size() != made(data_).values.size())
    throw ModelError(fmt::format("parameter {} has {} values, not {}", data_->name,
                                 data_->values.size(), values.size()));
  std::copy(values.begin(), values.end(), data_->values.begin());
  ++data_->version;
}

constexpr double kMostNumbers = 1e11;

struct Parameters::Impl {
  std::deque<ParameterData> tensors;  // a deque: handles point into it
};
Parameters::Parameters() : impl_(std::make_unique<Impl>()) {}
Parameters::~Parameters() = default;
std::size_t Parameters::size() const noexcept { return impl_->tensors.size(); }
Parameter Parameters::operator[](std::size_t index) const {
  return Parameter(&impl_->tensors[index]);
}
Parameter Parameters::find(std::string_view name) const {
  for (ParameterData& tensor : impl_->tensors)
    if (tensor.name == name) return Parameter(&tensor);
  return {};
}
Parameter Parameters::add(std::string name, const Shape& shape, Init init, Trained trained) {
  if (find(name)) throw ModelError(fmt::format("parameter {} is declared twice", name));
  DeclarationWatch::show(name, shape);
  double size = 1;
  for (int axis = 0; axis < shape.rank; ++axis) {
    size *= shape.extent[axis];
    if (shape.extent[axis] <= 0)
      throw ModelError(fmt::format("parameter {} has shape {}, every extent must be positive", name,
                                   to_text(shape)));
  }
  if (size > kMostNumbers)
    throw ModelError(fmt::format("parameter {} has shape {}: {} numbers, at most {} are possible",
                                 name, to_text(shape), size, kMostNumbers));
  ParameterData& tensor = impl_->tensors.emplace_back();
  tensor.name = std::move(name);
  tensor.shape = shape;
  tensor.init = init;
  tensor.trained = trained == Trained::yes;
  tensor.values.assign(count(shape), 0.0F);
  return Parameter(&tensor);
}

namespace {

// Xavier's fans as PyTorch counts them: [out, in, receptive field...].
std::pair<double, double> fans(const Shape& shape) {
  double field = 1;
  for (int axis = 2; axis < shape.rank; ++axis) field *= shape.extent[axis];
  const double out = shape.rank > 0 ? shape.extent[0] : 1;
  const double in = shape.rank > 1 ? shape.extent[1] : out;
  return {in * field, out * field};
}

void draw(ParameterData& tensor, Rng rng) {
  const auto [in, out] = fans(tensor.shape);
  const Init& init = tensor.init;
  switch (init.kind) {
    case Init::Kind::constant:
      std::fill(tensor.values.begin(), tensor.values.end(), static_cast<float>(init.scale));
      return;
    case Init::Kind::normal:
      for (float& v : tensor.values) v = static_cast<float>(init.scale * rng.normal());
      return;
    case Init::Kind::xavier_normal:
      for (float& v : tensor.values)
        v = static_cast<float>(init.scale * std::sqrt(2 / (in + out)) * rng.normal());
      return;
    case Init::Kind::uniform:
      for (float& v : tensor.values) v = static_cast<float>(init.scale * (2 * rng.uniform() - 1));
      return;
    case Init::Kind::xavier_uniform:
      for (float& v : tensor.values)
        v = static_cast<float>(init.scale * std::sqrt(6 / (in + out)) * (2 * rng.uniform() - 1));
      return;
  }
}

}  // namespace

void Parameters::initialise(std::uint64_t seed) {
  for (ParameterData& tensor : impl_->tensors) {
    draw(tensor, Rng(seed).fork(tensor.name));
    ++tensor.version;
  }
}

Scope::Scope(Parameters* owner, std::string prefix) : owner_(owner), prefix_(std::move(prefix)) {}
Scope Scope::at(std::string_view child) const {
  return {owner_, fmt::format("{}{}{}", prefix_, prefix_.empty() ? "" : ".", child)};
}
Scope Scope::at(std::string_view child, int index) const {
  return at(fmt::format("{}.{}", child, index));
}
Parameter Scope::parameter(std::string_view name, const Shape& shape, Init init,
                           Trained trained) const {
  return owner_->add(at(name).prefix_, shape, init, trained);
}

}  // namespace recloom::nn
