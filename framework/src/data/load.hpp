#pragma once
#include <string>
#include <vector>

#include "data/raw_log.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/data/options.hpp"

namespace recloom {

/// A file of a given split that is no file of the log.
struct PartFile {
  std::string file;
  LogPart part = LogPart::valid;
};

/// What a split wants of a log.
struct LogUse {
  bool histories = false;       ///< Read those that stand in its lines, in a column ITEM_list.
  bool given_split = false;     ///< Rows are marked with their part; those of `files` train.
  std::vector<PartFile> parts;  ///< Of a given split: read behind `files`, into the same log.
};

/// Read a log of one or more files and the side tables that belong to the first. Its tokens have
/// codes, but can no longer be looked up. What the first file says of columns holds for all.
/// @param options validated; its limits hold for all files together.
/// @throws DataError, ConfigError, IoError.
RECLOOM_API RawLog load_log(const std::vector<std::string>& files, const DataOptions& options,
                            const RunContext& run, const LogUse& use = {});

/// Return where a file that belongs to a log lies: beside it, unless there is none; so a data set's
/// folder can be moved.
RECLOOM_API std::string find_beside(const std::string& log, const std::string& file);

/// Return how a log is written, by its name, its first lines and what the options say.
/// @throws as load_log().
RECLOOM_API FileFormat log_format(const std::string& file, const DataOptions& options,
                                  const RunContext& run);

/// Return whether a log's header, columns and cells can be read so; side tables and filters do not
/// count. Says nothing on the log. @throws Interrupted.
RECLOOM_API bool can_read(const std::string& file, const DataOptions& options,
                          const RunContext& run);

/// Return a file's name without folder and endings (.gz, .zst, .inter, .csv, .jsonl, .dat, ...); of
/// standard input "stdin".
RECLOOM_API std::string log_name(const std::string& file);

}  // namespace recloom
