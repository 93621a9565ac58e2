# install(EXPORT) and the package files behind find_package(cardiotwin).
include(CMakePackageConfigHelpers)
set(where ${CMAKE_INSTALL_LIBDIR}/cmake/cardiotwin)
install(EXPORT cardiotwinTargets NAMESPACE cardiotwin:: DESTINATION ${where})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/cardiotwinConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/cardiotwinConfig.cmake INSTALL_DESTINATION ${where})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/cardiotwinConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/cardiotwinConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/cardiotwinConfigVersion.cmake DESTINATION ${where})
