# recloom_add_plugin(NAME <name> SOURCES <files>...): builds recloom-<name>.so, whose only exported
# symbol is the descriptor that RECLOOM_PLUGIN makes. A folder presets/ beside the CMakeLists.txt
# becomes <name>/presets beside the library, where `recloom train --preset` looks. The target
# recloom-plugins builds all plugins of a project.
set(RECLOOM_PLUGIN_VERSION_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/plugin.map)

# The hash of the headers that a plugin sees, without comments, in the library and in each plugin: it
# sees what no size can, a changed virtual table or inline function. Configured anew when one changes.
function(recloom_header_hash include_dir result)
  set(headers recloom/plugin/plugin.hpp)
  set(text "")
  set(index 0)
  list(LENGTH headers count)
  while(index LESS count)
    list(GET headers ${index} header)
    file(READ ${include_dir}/${header} content)
    string(REGEX REPLACE "//[^\n]*" "" content "${content}")
    string(REGEX MATCHALL "#include \"recloom/[^\"]+" includes "${content}")
    list(TRANSFORM includes REPLACE "#include \"" "")
    list(APPEND headers ${includes})
    list(REMOVE_DUPLICATES headers)
    string(REGEX REPLACE "[ \t\r\n]+" " " content "${content}")
    string(APPEND text "${header}:${content}\n")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${include_dir}/${header})
    math(EXPR index "${index} + 1")
    list(LENGTH headers count)
  endwhile()
  string(SHA256 hash "${text}")
  string(SUBSTRING ${hash} 0 16 hash)
  set(${result} 0x${hash}ULL PARENT_SCOPE)
endfunction()

recloom_header_hash(${RECLOOM_INCLUDE_DIR} RECLOOM_HEADER_HASH)
set(RECLOOM_SDK_DEFINITIONS RECLOOM_HEADER_HASH=${RECLOOM_HEADER_HASH}
                            RECLOOM_SDK_VERSION="${recloom_VERSION}")

function(recloom_add_plugin)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES")
  set(target recloom-plugin-${arg_NAME})
  set(presets ${CMAKE_CURRENT_SOURCE_DIR}/presets)
  set(output_dir ${CMAKE_CURRENT_BINARY_DIR})
  if(RECLOOM_PLUGIN_OUTPUT_DIRECTORY)
    set(output_dir ${RECLOOM_PLUGIN_OUTPUT_DIRECTORY})
  endif()

  add_library(${target} MODULE ${arg_SOURCES})
  if(NOT TARGET recloom-plugins)
    add_custom_target(recloom-plugins)
  endif()
  add_dependencies(recloom-plugins ${target})
  target_link_libraries(${target} PRIVATE recloom::recloom)
  target_compile_definitions(${target} PRIVATE ${RECLOOM_SDK_DEFINITIONS})
  if(TARGET recloom_flags)
    target_link_libraries(${target} PRIVATE recloom_flags)
  endif()
  target_link_options(${target} PRIVATE -Wl,-z,defs
                      -Wl,--version-script=${RECLOOM_PLUGIN_VERSION_SCRIPT})
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME recloom-${arg_NAME} CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON LINK_DEPENDS ${RECLOOM_PLUGIN_VERSION_SCRIPT}
    LIBRARY_OUTPUT_DIRECTORY ${output_dir})
  if(EXISTS ${presets})
    file(MAKE_DIRECTORY ${output_dir}/${arg_NAME})
    file(CREATE_LINK ${presets} ${output_dir}/${arg_NAME}/presets SYMBOLIC)
  endif()

  if(RECLOOM_PLUGIN_INSTALL_DIR)
    set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN/../..")
    install(TARGETS ${target} LIBRARY DESTINATION ${RECLOOM_PLUGIN_INSTALL_DIR})
    if(EXISTS ${presets})
      install(DIRECTORY ${presets} DESTINATION ${RECLOOM_PLUGIN_INSTALL_DIR}/${arg_NAME})
    endif()
  endif()
endfunction()
