# What every target of the project shares. Used by the top level and by `kernels` configured alone.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug, RelWithDebInfo" FORCE)
endif()
find_program(CARDIOTWIN_CCACHE ccache)
if(CARDIOTWIN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CARDIOTWIN_CCACHE})
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# cardiotwin_library(NAME kernels SOURCES ... ): cardiotwin::NAME with this folder's include/, installed and exported.
function(cardiotwin_library target alias)
  add_library(${target} ${ARGN})
  add_library(cardiotwin::${alias} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${alias} OUTPUT_NAME ${target})
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(${target} PUBLIC cxx_std_20)
  cardiotwin_warnings(${target})
  install(TARGETS ${target} EXPORT cardiotwinTargets)
  install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endfunction()

function(cardiotwin_warnings target)
  # Options are given by designated initialisers and the rest by default, hence no warning for fields left out.
  # Results must not depend on contraction across translation units; these flags keep loops vectorisable and exact.
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wshadow;-Wno-missing-field-initializers;-fno-math-errno;-fno-trapping-math;-fno-signed-zeros>)
endfunction()
