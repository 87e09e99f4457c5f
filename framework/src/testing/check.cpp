#include "testing/check.hpp"

#include <exception>
#include <new>

#include "recloom/core/error.hpp"
#include "testing/text.hpp"

namespace recloom::conformance {

std::string current_problem() {
  try {
    throw;
  } catch (const NotAvailable& missing) {
    return missing.reason;
  } catch (const Error& error) {
    return one_line(error.what());
  } catch (const std::bad_alloc&) {
    return "needs more memory than there is";
  } catch (const std::exception& error) {
    return "an exception that is none of recloom's: " + one_line(error.what());
  } catch (...) {
    return "threw something that is no std::exception";
  }
}

Finding run_check(const Check& check, Subject& subject, const std::set<std::string>& reported) {
  try {
    return check.run(subject);
  } catch (const NotAvailable& missing) {
    if (reported.contains(missing.check))
      return skip("needs what '" + missing.check + "' failed to get");
    return fail(missing.reason);
  } catch (...) {
    return fail(current_problem());
  }
}

}  // namespace recloom::conformance
