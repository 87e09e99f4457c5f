#include "recloom/core/error.hpp"

#include "core/text.hpp"

namespace recloom {

Error::~Error() = default;

// Texts hold names and tokens of files; whoever prints them must not obey those.
#define RECLOOM_ERROR(Name, kind_name)                          \
  Name::Name(const std::string& text) : Error(visible(text)) {} \
  Name::~Name() = default;                                      \
  ErrorKind Name::kind() const noexcept { return ErrorKind::kind_name; }

RECLOOM_ERROR(ConfigError, config)
RECLOOM_ERROR(DataError, data)
RECLOOM_ERROR(PluginError, plugin)
RECLOOM_ERROR(ModelError, model)
RECLOOM_ERROR(NumericError, numeric)
RECLOOM_ERROR(IoError, io)
RECLOOM_ERROR(InternalError, internal)
RECLOOM_ERROR(Interrupted, interrupted)
#undef RECLOOM_ERROR

}  // namespace recloom
