# What `cmake --install` writes. The prefix can be moved: every path in it is relative to librecloom.so.
#   bin/recloom  lib/librecloom.so  lib/librecloom-testing.a  lib/recloom/plugins  lib/cmake/recloom
#   include/recloom  share/recloom/datasets  share/recloom/templates  share/doc/recloom
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/recloom)
file(RELATIVE_PATH lib_from_bin /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_LIBDIR})

# A oneDNN that the loader does not find by itself; an absolute path, since it is no part of recloom.
if(NOT oneDNN_LIBRARY_DIR IN_LIST CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES)
  set_target_properties(recloom PROPERTIES INSTALL_RPATH "${oneDNN_LIBRARY_DIR}")
endif()
install(TARGETS recloom recloom-testing EXPORT recloom-targets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY framework/include/recloom DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(TARGET recloom-cli)
  set_target_properties(recloom-cli PROPERTIES INSTALL_RPATH "$ORIGIN/${lib_from_bin}")
  install(TARGETS recloom-cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

install(DIRECTORY datasets/ DESTINATION ${CMAKE_INSTALL_DATADIR}/recloom/datasets)
install(DIRECTORY framework/templates/ DESTINATION ${CMAKE_INSTALL_DATADIR}/recloom/templates)
install(DIRECTORY docs examples DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES README.md LICENSE NOTICE CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

install(EXPORT recloom-targets NAMESPACE recloom:: DESTINATION ${package_dir})
configure_package_config_file(cmake/recloom-config.cmake.in
  ${PROJECT_BINARY_DIR}/recloom-config.cmake INSTALL_DESTINATION ${package_dir}
  NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Below 1.0 a minor version may break the ABI.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/recloom-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/recloom-config.cmake
              ${PROJECT_BINARY_DIR}/recloom-config-version.cmake
              cmake/RecloomPlugin.cmake cmake/plugin.map DESTINATION ${package_dir})
