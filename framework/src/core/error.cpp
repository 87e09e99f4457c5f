#include "recloom/core/error.hpp"

namespace recloom {

Error::~Error() = default;

#define RECLOOM_ERROR(Name, kind_name)                 \
  Name::Name(const std::string& text) : Error(text) {} \
  Name::~Name() = default;                             \
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
