# recloom_add_plugin(NAME <name> SOURCES <files>...): builds recloom-<name>.so, whose only exported
# symbol is the descriptor that RECLOOM_PLUGIN makes.
set(RECLOOM_PLUGIN_VERSION_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/plugin.map)

function(recloom_add_plugin)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES")
  set(target recloom-plugin-${arg_NAME})
  add_library(${target} MODULE ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE recloom::recloom)
  if(TARGET recloom_flags)
    target_link_libraries(${target} PRIVATE recloom_flags)
  endif()
  target_link_options(${target} PRIVATE -Wl,-z,defs
                      -Wl,--version-script=${RECLOOM_PLUGIN_VERSION_SCRIPT})
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME recloom-${arg_NAME} CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON LINK_DEPENDS ${RECLOOM_PLUGIN_VERSION_SCRIPT})
  if(RECLOOM_PLUGIN_OUTPUT_DIRECTORY)
    set_target_properties(${target} PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY ${RECLOOM_PLUGIN_OUTPUT_DIRECTORY})
  endif()
endfunction()
