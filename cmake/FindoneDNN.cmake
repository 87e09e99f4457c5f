# Finds oneDNN without its own config file, which on Debian demands OpenCL.
# Defines oneDNN::oneDNN, oneDNN_VERSION, oneDNN_RUNTIME (OMP, TBB, SEQ or THREADPOOL),
# oneDNN_LIBRARY_DIR, and oneDNN_COMPILE_OPTIONS for the files that set the number of its threads.
find_path(oneDNN_INCLUDE_DIR oneapi/dnnl/dnnl.hpp)
find_library(oneDNN_LIBRARY dnnl)

if(oneDNN_INCLUDE_DIR)
  set(oneDNN_CONFIG_DIR ${oneDNN_INCLUDE_DIR}/oneapi/dnnl)
  file(STRINGS ${oneDNN_CONFIG_DIR}/dnnl_version.h _lines REGEX "define DNNL_VERSION_(MAJOR|MINOR|PATCH)")
  string(REGEX REPLACE "[^0-9]+([0-9]+)[^0-9]+([0-9]+)[^0-9]+([0-9]+).*" "\\1.\\2.\\3"
         oneDNN_VERSION "${_lines}")
  file(STRINGS ${oneDNN_CONFIG_DIR}/dnnl_config.h _runtime
       REGEX "define DNNL_CPU_THREADING_RUNTIME DNNL_RUNTIME_")
  string(REGEX REPLACE ".*DNNL_RUNTIME_" "" oneDNN_RUNTIME "${_runtime}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(oneDNN REQUIRED_VARS oneDNN_LIBRARY oneDNN_INCLUDE_DIR
                                  VERSION_VAR oneDNN_VERSION)
if(oneDNN_FOUND AND NOT TARGET oneDNN::oneDNN)
  add_library(oneDNN::oneDNN UNKNOWN IMPORTED)
  set_target_properties(oneDNN::oneDNN PROPERTIES
    IMPORTED_LOCATION ${oneDNN_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${oneDNN_INCLUDE_DIR})
  if(oneDNN_RUNTIME STREQUAL "OMP")
    find_package(OpenMP REQUIRED COMPONENTS CXX)
    # Not OpenMP::OpenMP_CXX, which would switch OpenMP on for every file that is linked.
    set_property(TARGET oneDNN::oneDNN APPEND PROPERTY INTERFACE_LINK_LIBRARIES
                 ${OpenMP_CXX_LIBRARIES})
    separate_arguments(oneDNN_COMPILE_OPTIONS NATIVE_COMMAND "${OpenMP_CXX_FLAGS}")
  endif()
endif()
if(oneDNN_FOUND)
  # Intel's builds need two libraries of its compiler. They lie beside it, where the loader does not
  # look for what a library needs that is itself only needed: so whoever links oneDNN links them too.
  cmake_path(GET oneDNN_LIBRARY PARENT_PATH oneDNN_LIBRARY_DIR)
  set(_imf ${oneDNN_LIBRARY_DIR}/libimf.so)
  set(_intlc ${oneDNN_LIBRARY_DIR}/libintlc.so.5)
  if(EXISTS ${_imf} AND EXISTS ${_intlc})
    set_property(TARGET oneDNN::oneDNN APPEND PROPERTY INTERFACE_LINK_LIBRARIES
                 -Wl,--push-state,--no-as-needed,${_imf},${_intlc},--pop-state)
  endif()
endif()
mark_as_advanced(oneDNN_INCLUDE_DIR oneDNN_LIBRARY)
