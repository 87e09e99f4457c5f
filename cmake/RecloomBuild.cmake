# What every target of this repository is compiled with.
# Not the distribution's multiarch folder: plugins and data are found relative to librecloom.so.
set(CMAKE_INSTALL_LIBDIR lib CACHE PATH "Folder of librecloom.so below the prefix")
include(GNUInstallDirs)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# The build tree is laid out as the installed one: bin/recloom finds lib/librecloom.so and
# lib/recloom/plugins beside it, wherever the tree is moved.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(RECLOOM_PLUGIN_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/recloom/plugins)
set(RECLOOM_PLUGIN_INSTALL_DIR ${CMAKE_INSTALL_LIBDIR}/recloom/plugins)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/share/recloom)
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/datasets ${PROJECT_BINARY_DIR}/share/recloom/datasets SYMBOLIC)
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/framework/templates ${PROJECT_BINARY_DIR}/share/recloom/templates
     SYMBOLIC)
set(CMAKE_BUILD_RPATH_USE_ORIGIN ON)
set(RECLOOM_INCLUDE_DIR ${PROJECT_SOURCE_DIR}/framework/include)

find_program(RECLOOM_CCACHE ccache)
if(RECLOOM_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${RECLOOM_CCACHE})
endif()

add_library(recloom_flags INTERFACE)
target_compile_options(recloom_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow
                       -Wnon-virtual-dtor -Woverloaded-virtual
                       # Without them sqrt and friends block vectorisation; results stay exact.
                       -fno-math-errno -fno-trapping-math
                       # gcc 12 reports an overlap in std::string concatenation that is none.
                       $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
                       $<$<BOOL:${RECLOOM_WERROR}>:-Werror>)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(recloom_flags INTERFACE -march=x86-64-v2)
endif()
if(RECLOOM_SANITIZE)
  target_compile_options(recloom_flags INTERFACE -fsanitize=${RECLOOM_SANITIZE}
                         -fno-sanitize-recover=all -fno-omit-frame-pointer
                         # Instrumented code makes gcc see uninitialised values that are none.
                         $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(recloom_flags INTERFACE -fsanitize=${RECLOOM_SANITIZE})
endif()
