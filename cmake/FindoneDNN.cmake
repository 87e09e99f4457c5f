# Finds oneDNN without its own config file, which on Debian demands OpenCL.
# Defines oneDNN::oneDNN, oneDNN_VERSION and oneDNN_RUNTIME (OMP, TBB, SEQ or THREADPOOL).
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
    set_property(TARGET oneDNN::oneDNN APPEND PROPERTY INTERFACE_LINK_LIBRARIES OpenMP::OpenMP_CXX)
  endif()
endif()
mark_as_advanced(oneDNN_INCLUDE_DIR oneDNN_LIBRARY)
