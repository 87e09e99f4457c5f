#include "nn/golden_case.hpp"

#include <algorithm>
#include <cctype>

namespace recloom::nn {
namespace {

/// Of the original Caser's reference, by the plugin's parameter.
constexpr std::pair<std::string_view, std::string_view> kPaperNames[] = {
    {"user_embedding.weight", "user_embeddings.weight"},
    {"item_embedding.weight", "item_embeddings.weight"},
    {"output_embedding.weight", "W2.weight"},
    {"output_bias", "b2.weight"}};

Params paper_params(const GoldenCase& c) {
  Params params;
  const auto filters = [&](const char* name, const char* part) {
    return static_cast<std::int64_t>(c.text(part) == "true" ? c.number(name) : 0);
  };
  params.set("embedding_size", static_cast<std::int64_t>(c.number("embedding_size")));
  params.set("nv", filters("nv", "use_vertical"));
  params.set("nh", filters("nh", "use_horizontal"));
  params.set("user", c.text("use_user") == "true");
  params.set("conv_activation", c.text("phi_c"));
  params.set("fc1_activation", c.text("phi_a"));
  params.set("padding", c.text("padding"));
  params.set("padding_row", std::string("trained"));
  params.set("output", std::string("untied"));
  params.set("dropout_prob", 0.0);
  params.set("reg_weight", 0.0);
  return params;
}

}  // namespace

std::string GoldenCase::plugin() const {
  if (is_paper()) return "caser";
  std::string name = text("model");
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

/// Those of the metadata that the plugin declares.
Params GoldenCase::params(const std::vector<ParamInfo>& declared) const {
  if (is_paper()) return paper_params(*this);
  Params params;
  for (const ParamInfo& info : declared) {
    if (info.name.find("dropout") != std::string::npos) {
      params.set(info.name, 0.0);
      continue;
    }
    const auto found = file_.metadata().find(info.name);
    if (found == file_.metadata().end()) continue;
    const std::string& value = found->second;
    if (info.type == "integer") params.set(info.name, static_cast<std::int64_t>(std::stoll(value)));
    if (info.type == "real") params.set(info.name, std::stod(value));
    if (info.type == "choice" || info.type == "text") params.set(info.name, value);
  }
  return params;
}

Catalogue GoldenCase::catalogue() const {
  return {number("n_users") + (is_paper() ? 1 : 0), number("n_items"), number("max_len")};
}

StepOptions GoldenCase::step_options(std::size_t rows) const {
  StepOptions options;
  options.batch_size = static_cast<int>(rows);
  options.loss = is_paper() ? "BCE" : text("loss_type");
  if (!is_paper()) return options;
  options.reduction = sums() ? LossReduction::sum : LossReduction::balanced;
  options.n_targets = number("targets");
  options.n_negatives = number("n_neg");
  options.optimizer.weight_decay = std::stod(text("weight_decay"));
  return options;
}

std::string GoldenCase::name_of(std::string_view parameter) const {
  if (is_paper())
    for (const auto& [own, theirs] : kPaperNames)
      if (own == parameter) return std::string(theirs);
  return std::string(parameter);
}

std::vector<float> GoldenCase::start_values(std::string_view parameter, std::size_t count) const {
  const auto given = values<float>("param." + name_of(parameter));
  std::vector<float> all(count);
  std::ranges::copy_backward(given, all.end());
  return all;
}

void GoldenCase::expect_near(const std::string& tensor, std::span<const float> x) const {
  const auto reference = values<double>(tensor), tolerance = values<double>("tol." + tensor);
  ASSERT_EQ(x.size(), reference.size()) << tensor;
  for (std::size_t e = 0; e < x.size(); ++e)
    ASSERT_LE(std::abs(x[e] - reference[e]), tolerance[tolerance.size() == 1 ? 0 : e])
        << tensor << " element " << e << ": " << x[e] << " for " << reference[e];
}

void GoldenCase::expect_near(const std::string& tensor, double x, std::size_t e) const {
  const auto tolerance = values<double>("tol." + tensor);
  EXPECT_NEAR(x, values<double>(tensor)[e], tolerance[tolerance.size() == 1 ? 0 : e]) << tensor;
}

void GoldenCase::expect_parameter(const std::string& kind, std::string_view parameter,
                                  std::span<const float> x, double scale) const {
  const std::string tensor = kind + "." + name_of(parameter);
  const std::size_t n = values<double>(tensor).size();
  ASSERT_GE(x.size(), n) << tensor;
  std::vector<float> compared(x.end() - static_cast<std::ptrdiff_t>(n), x.end());
  for (float& value : compared) value = static_cast<float>(value / scale);
  expect_near(tensor, compared);
}

GoldenRows::GoldenRows(const GoldenCase& c, int repeats) {
  const auto seq = c.values<std::int64_t>("input.item_seq"),
             lengths = c.values<std::int64_t>("input.item_seq_len"),
             users = c.values<std::int64_t>("input.user"),
             target = c.values<std::int64_t>("input.target");
  max_length = c.number("max_len");
  const auto length = static_cast<std::size_t>(max_length),
             n_targets = static_cast<std::size_t>(c.number_or("targets", 1));
  const bool left = c.file().metadata().contains("padding") && c.text("padding") == "left";
  const int first_user = c.catalogue().n_users - c.number("n_users");
  for (int repeat = 0; repeat < repeats; ++repeat)
    for (std::size_t row = 0; row < users.size(); ++row) {
      const auto n = static_cast<std::size_t>(lengths[row]);
      entries.push_back({static_cast<std::int64_t>(events.size()), static_cast<std::int32_t>(n),
                         static_cast<std::int32_t>(n_targets),
                         static_cast<UserId>(users[row] + first_user)});
      for (std::size_t t = 0; t < n; ++t)
        events.push_back(static_cast<ItemId>(seq[row * length + t + (left ? length - n : 0)]));
      for (std::size_t t = 0; t < n_targets; ++t)
        events.push_back(static_cast<ItemId>(target[row * n_targets + t]));
    }
  if (!c.has("input.neg_item")) return;
  const auto drawn = c.values<std::int64_t>("input.neg_item");
  for (int repeat = 0; repeat < repeats; ++repeat)
    for (const std::int64_t item : drawn) negatives.push_back(static_cast<ItemId>(item));
}

}  // namespace recloom::nn
