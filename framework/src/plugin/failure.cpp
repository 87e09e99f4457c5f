#include "plugin/failure.hpp"

#include <fmt/format.h>

#include <exception>
#include <new>
#include <string>

#include "core/text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr std::size_t kLongest = 2000;

/// Room for what a plugin reports, and its way back into an exception.
class Failure {
 public:
  plugin::RecloomFailure* out() { return &out_; }

  [[noreturn]] void rethrow(const PluginInfo& info, std::string_view call) const {
    const std::string said = printable(text_, kLongest);
    const std::string text = fmt::format("plugin '{}': {}", info.name, said);
    switch (static_cast<ErrorKind>(out_.kind)) {
      case ErrorKind::config:
        throw ConfigError(said);  // Names the key, which names the plugin.
      case ErrorKind::data:
        throw DataError(text);
      case ErrorKind::model:
        throw ModelError(text);
      case ErrorKind::numeric:
        throw NumericError(text);
      case ErrorKind::io:
        throw IoError(text);
      case ErrorKind::internal:
        throw InternalError(text);
      case ErrorKind::interrupted:
        throw Interrupted(said);
      case ErrorKind::plugin:
        break;
    }
    throw PluginError(fmt::format("plugin '{}' ({}) failed in {}: {}", info.name,
                                  printable(info.file, 400), call,
                                  said.empty() ? "it gave no reason" : said));
  }

 private:
  char text_[kLongest + 100] = {};
  plugin::RecloomFailure out_ = {text_, sizeof text_, static_cast<std::int32_t>(ErrorKind::plugin)};
};

/// Call a function of a plugin; true is success. RECLOOM_PLUGIN's functions throw nothing, but a
/// descriptor can be written by hand.
template <class Call>
void guard(const PluginInfo& info, std::string_view name, Call call) {
  Failure failure;
  try {
    const Running running(info);
    if (call(failure.out())) return;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw PluginError(fmt::format("plugin '{}' ({}) failed in {}: {}", info.name,
                                  printable(info.file, 400), name,
                                  printable(error.what(), kLongest)));
  } catch (...) {
    throw PluginError(fmt::format("plugin '{}' ({}) failed in {}: it threw no std::exception",
                                  info.name, printable(info.file, 400), name));
  }
  failure.rethrow(info, name);
}

}  // namespace

void call_describe(const LoadedPlugin& loaded, ParamSchema& schema) {
  guard(loaded.info, "describe", [&](plugin::RecloomFailure* failure) {
    return loaded.descriptor->describe(&schema, failure) != 0;
  });
}

Params resolve_params(const LoadedPlugin& loaded, const Params& params, std::string_view prefix) {
  ParamSchema schema(params, prefix);
  call_describe(loaded, schema);
  schema.finish();
  return schema.resolved();
}

void* call_create(const LoadedPlugin& loaded, const Params& params, const Catalogue& catalogue) {
  void* object = nullptr;
  guard(loaded.info, "create", [&](plugin::RecloomFailure* failure) {
    object = loaded.descriptor->create(&params, &catalogue, failure);
    return object != nullptr;
  });
  return object;
}

void rethrow_naming(const PluginInfo& plugin) {
  const auto named = [&](std::string_view text) {
    return fmt::format("plugin '{}': {}", plugin.name, printable(text, kLongest));
  };
  try {
    throw;
  } catch (const NumericError& error) {
    throw NumericError(named(error.what()));
  } catch (const ModelError& error) {
    throw PluginError(named(error.what()));
  } catch (const PluginError& error) {
    // What a metric's or sampler's own guard has named stays so.
    if (std::string_view(error.what()).starts_with("plugin '")) throw;
    throw PluginError(named(error.what()));
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw ModelError(named(
        "needs more memory than there is: lower data.max_length, train.batch_size or the model's "
        "sizes"));
  } catch (const std::exception& error) {
    throw PluginError(named(error.what()));
  } catch (...) {
    throw PluginError(named("threw something that is no std::exception"));
  }
}

}  // namespace recloom
