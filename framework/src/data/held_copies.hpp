#pragma once
#include <string>

namespace recloom {

// The copies of HeldPipes, by the name of the pipe. Pipes belong to the whole process, and so does
// this. Any thread may call these.

/// @param descriptor of the copy; closed by release_held(). @return false if there is one already:
/// nothing is taken then.
bool hold_copy(const std::string& file, int descriptor);
void release_held(const std::string& file);
bool is_held(const std::string& file);
/// Open a copy at its beginning. @return a descriptor, -1 if there is none under this name.
int open_held(const std::string& file);

}  // namespace recloom
