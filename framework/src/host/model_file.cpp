// One safetensors file. Tensors: the model's parameters and buffers under their own names, and the
// vocabulary as text tables (all tokens in a row, and where each ends). Metadata "recloom": the
// card as a JSON document.
#include "host/model_file.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <numeric>

#include "core/json.hpp"
#include "core/text.hpp"
#include "host/config_sections.hpp"
#include "host/json_params.hpp"
#include "model/safetensors.hpp"
#include "recloom/nn/network_recommender.hpp"

namespace recloom {
namespace {

constexpr int kFormatVersion = 1;
constexpr const char* kCard = "recloom";
constexpr const char* kUsers = "recloom.vocabulary.users";
constexpr const char* kItems = "recloom.vocabulary.items";
constexpr const char* kNames = "recloom.vocabulary.item_names";

template <class T>
std::string_view bytes_of(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

/// A list of texts as two tensors, <name> and <name>.ends.
struct TextTable {
  std::string text;
  std::vector<std::int64_t> ends;
  explicit TextTable(const std::vector<std::string>& list) {
    for (const std::string& entry : list) {
      text += entry;
      ends.push_back(static_cast<std::int64_t>(text.size()));
    }
  }
  void append_to(std::vector<TensorView>& tensors, const std::string& name) const {
    const auto n = static_cast<std::int64_t>(ends.size());
    tensors.push_back({name, DType::u8, {static_cast<std::int64_t>(text.size())}, text});
    tensors.push_back({name + ".ends", DType::i64, {n}, bytes_of<std::int64_t>(ends)});
  }
};

Json card_json(const ModelCard& card) {
  RunConfig config = card.config;
  // Where the side tables lay is a fact of the machine.
  for (std::string* file : {&config.data.user_file, &config.data.item_file})
    *file = std::filesystem::path(*file).filename().string();
  // So is how much it could read.
  config.data.max_events = DataOptions().max_events;
  config.data.max_text_gib = DataOptions().max_text_gib;
  Json json;
  json["format_version"] = kFormatVersion;
  json["recloom_version"] = version();
  json["plugin"] = {{"name", card.plugin}, {"version", card.plugin_version}};
  json["catalogue"] = {{"n_users", card.catalogue.n_users},
                       {"n_items", card.catalogue.n_items},
                       {"max_length", card.catalogue.max_length}};
  json["dataset_hash"] = card.dataset_hash;
  json["protocol_hash"] = config.protocol_hash();
  json["protocol"] = to_json(config.protocol());
  json["seed"] = config.seed;
  json["config"] = to_json(config.values());
  json["metrics"] = card.metrics;
  return json;
}

Params without(const Params& all, const std::string& prefix) {
  Params rest;
  for (const auto& [key, value] : all.values())
    if (!key.starts_with(prefix)) rest.set(key, value);
  return rest;
}

RunConfig config_from(const Json& json) {
  RunConfig config;
  const Params all = params_from_json(json.at("config"));
  config.model = json.at("plugin").at("name").get<std::string>();
  config.seed = json.at("seed").get<std::uint64_t>();
  config.model_params = all.below("model.params");
  Params tables = all;
  for_each_plugin_params(config, [&](const std::string& prefix, Params& params) {
    params = all.below(prefix);
    tables = without(tables, prefix + ".");
  });
  for_each_section(config, [&](std::string_view table, auto& options) {
    assign_section(table, options, tables.below(table));
  });
  return config;
}

}  // namespace

void write_model_file(const std::string& file, const ModelCard& card,
                      const SequentialRecommender& model) {
  std::vector<TensorView> tensors;
  if (const auto* network = dynamic_cast<const NetworkRecommender*>(&model)) {
    for (std::size_t index = 0; index < network->parameters().size(); ++index) {
      const nn::Parameter parameter = network->parameters()[index];
      const nn::Shape& shape = parameter.shape();
      tensors.push_back({std::string(parameter.name()),
                         DType::f32,
                         {shape.extent, shape.extent + shape.rank},
                         bytes_of<float>(parameter.values())});
    }
  }
  for (const auto& buffer : model.buffers()) {
    std::visit(
        [&](const auto* values) {
          using T = typename std::remove_reference_t<decltype(*values)>::value_type;
          tensors.push_back({buffer.name,
                             dtype_of<T>(),
                             {static_cast<std::int64_t>(values->size())},
                             bytes_of<T>(*values)});
        },
        buffer.values);
  }
  const TextTable users(card.vocabulary.users()), items(card.vocabulary.items()),
      names(card.vocabulary.item_names());
  users.append_to(tensors, kUsers);
  items.append_to(tensors, kItems);
  if (!names.ends.empty()) names.append_to(tensors, kNames);
  write_safetensors(file, tensors, {{kCard, card_json(card).dump()}});
}

struct ModelFile::Impl {
  std::string file;
  SafetensorsFile tensors;
  ModelCard card;

  explicit Impl(const std::string& name) : file(name), tensors(name) {
    const auto found = tensors.metadata().find(kCard);
    if (found == tensors.metadata().end()) fail("it is no model file of recloom");
    try {
      read_card(Json::parse(found->second));
    } catch (const Json::exception& error) {
      fail(std::string("its description cannot be read: ") + error.what());
    } catch (const ConfigError& error) {
      fail(error.what());
    }
    read_vocabulary();
  }

  [[noreturn]] void fail(std::string_view reason) const {
    throw IoError(fmt::format("model file {}: {}", printable(file, 400), printable(reason, 200)));
  }

  void read_card(const Json& json) {
    const int format = json.at("format_version").get<int>();
    if (format != kFormatVersion)
      fail(fmt::format("it has format {}, this is recloom {}, which reads format {}", format,
                       version(), kFormatVersion));
    card.plugin = json.at("plugin").at("name").get<std::string>();
    card.plugin_version = json.at("plugin").at("version").get<std::string>();
    const Json& catalogue = json.at("catalogue");
    card.catalogue = {catalogue.at("n_users").get<int>(), catalogue.at("n_items").get<int>(),
                      catalogue.at("max_length").get<int>()};
    card.dataset_hash = json.at("dataset_hash").get<std::string>();
    card.metrics = json.at("metrics").get<std::map<std::string, double>>();
    card.config = config_from(json);
  }

  std::vector<std::string> read_texts(const std::string& name) const {
    const TensorView& text = tensor(name);
    text.require(DType::u8);
    std::vector<std::string> list;
    std::int64_t begin = 0;
    for (const std::int64_t end : tensor(name + ".ends").as<std::int64_t>()) {
      if (end < begin || end > static_cast<std::int64_t>(text.bytes.size()))
        fail(fmt::format("{} has an entry from {} to {}", name, begin, end));
      list.emplace_back(text.bytes.substr(static_cast<std::size_t>(begin),
                                          static_cast<std::size_t>(end - begin)));
      begin = end;
    }
    return list;
  }

  void read_vocabulary() {
    const bool named = tensors.find(kNames) != nullptr;
    card.vocabulary = Vocabulary(read_texts(kUsers), read_texts(kItems),
                                 named ? read_texts(kNames) : std::vector<std::string>());
    if (card.vocabulary.users().size() != static_cast<std::size_t>(card.catalogue.n_users) ||
        card.vocabulary.items().size() != static_cast<std::size_t>(card.catalogue.n_items))
      fail("its vocabulary has another size than its model");
  }

  const TensorView& tensor(const std::string& name) const {
    const TensorView* found = tensors.find(name);
    if (!found) fail(fmt::format("tensor '{}' is missing", name));
    return *found;
  }

  void read_parameter(const nn::Parameter& parameter) const {
    const TensorView& stored = tensor(std::string(parameter.name()));
    const nn::Shape& shape = parameter.shape();
    const std::vector<std::int64_t> wanted(shape.extent, shape.extent + shape.rank);
    if (stored.shape != wanted)
      fail(fmt::format("tensor '{}' has shape [{}], the plugin wants [{}]", stored.name,
                       fmt::join(stored.shape, ", "), fmt::join(wanted, ", ")));
    parameter.assign(stored.as<float>());
  }
};

ModelFile::ModelFile(const std::string& file) : impl_(std::make_unique<Impl>(file)) {}
ModelFile::~ModelFile() = default;
const ModelCard& ModelFile::card() const noexcept { return impl_->card; }

void ModelFile::read_into(SequentialRecommender& model) const {
  if (auto* network = dynamic_cast<NetworkRecommender*>(&model))
    for (std::size_t index = 0; index < network->parameters().size(); ++index)
      impl_->read_parameter(network->parameters()[index]);
  for (const auto& buffer : model.buffers()) {
    std::visit(
        [&](auto* values) {
          using T = typename std::remove_reference_t<decltype(*values)>::value_type;
          const auto stored = impl_->tensor(buffer.name).as<T>();
          values->assign(stored.begin(), stored.end());
        },
        buffer.values);
  }
  model.after_load();
}

}  // namespace recloom
