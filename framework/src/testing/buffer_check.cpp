// Buffers of a model file, tampered with.
#include "testing/buffer_check.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <variant>
#include <vector>

#include "testing/scoring.hpp"
#include "testing/subject.hpp"
#include "testing/text.hpp"

namespace recloom::conformance {
namespace {

/// A buffer's numbers with something changed.
template <class T>
struct Tampered {
  std::string what;  ///< "one number fewer"
  std::vector<T> values;
};

template <class T>
void add_other_sizes(const std::vector<T>& sound, std::vector<Tampered<T>>& all) {
  const auto add = [&](const char* what, std::size_t size) {
    std::vector<T> values = sound;
    values.resize(size, sound.empty() ? T{} : sound.back());
    if (values.size() != sound.size()) all.push_back({what, std::move(values)});
  };
  add("no numbers", 0);
  add("one number fewer", sound.empty() ? 0 : sound.size() - 1);
  add("one number more", sound.size() + 1);
  add("twice as many numbers", 2 * sound.size());
}

/// Numbers that no sound file holds: not finite, no id, no offset.
template <class T>
std::vector<T> strange_numbers(std::size_t n_items) {
  using Limits = std::numeric_limits<T>;
  if constexpr (std::is_floating_point_v<T>)
    return {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity(), Limits::max()};
  else
    return {T{-1}, static_cast<T>(n_items), Limits::max(), Limits::min()};
}

template <class T>
void add_other_numbers(const std::vector<T>& sound, std::size_t n_items,
                       std::vector<Tampered<T>>& all) {
  if (sound.empty()) return;
  for (const T number : strange_numbers<T>(n_items))
    for (const std::size_t at : {std::size_t{0}, sound.size() / 2, sound.size() - 1}) {
      std::vector<T> values = sound;
      values[at] = number;
      all.push_back({"number " + std::to_string(at) + " = " + text_of(static_cast<double>(number)),
                     std::move(values)});
    }
  all.push_back({"its numbers in reverse order", {sound.rbegin(), sound.rend()}});
  all.push_back({"all numbers 0", std::vector<T>(sound.size(), T{})});
}

/// Load and score. @return what is wrong, "" if it was refused or scores are as they may be.
std::string try_file(Subject& subject, const std::string& file) {
  try {
    const Recommender loaded = Recommender::load(file, subject.plugins());
    return first_not_finite(loaded.model(), subject.probes());
  } catch (const InternalError& error) {
    return one_line(error.what());
  } catch (const Error&) {
    return "";
  }
}

/// @return what is wrong, "" if nothing is.
template <class T>
std::string try_buffer(Subject& subject, const Recommender& copy, const std::string& name,
                       std::vector<T>& buffer, int& n_tried) {
  const std::vector<T> sound = buffer;
  std::vector<Tampered<T>> all;
  add_other_sizes(sound, all);
  add_other_numbers(sound, copy.model().n_items(), all);
  const std::string file = subject.scratch_file("tampered.safetensors");
  for (Tampered<T>& tampered : all) {
    const std::string where = "with " + tampered.what + " in buffer '" + one_line(name) + "'";
    subject.note(where);
    buffer = std::move(tampered.values);
    copy.save(file);
    buffer = sound;
    if (const std::string problem = try_file(subject, file); !problem.empty())
      return where + ": " + problem;
    ++n_tried;
  }
  return "";
}

}  // namespace

Finding check_buffers(Subject& subject) {
  if (!first_not_finite(subject.model(), subject.probes()).empty())
    return skip("needs finite scores of the model itself");
  const std::string file = subject.scratch_file("sound.safetensors");
  subject.trained().recommender.save(file);
  // Its buffers are changed for each file; it is never scored.
  const Recommender copy = Recommender::load(file, subject.plugins());
  if (copy.model().buffers().empty()) return skip("the model has no buffers");
  int n_tried = 0;
  for (const auto& buffer : copy.model().buffers()) {
    const std::string problem = std::visit(
        [&](auto* values) { return try_buffer(subject, copy, buffer.name, *values, n_tried); },
        buffer.values);
    if (!problem.empty()) return fail(problem);
  }
  return pass(std::to_string(n_tried) + " changed files");
}

}  // namespace recloom::conformance
