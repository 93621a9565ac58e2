# Writes HEADER with the commit of SOURCE; run at every build, touches the header where the commit changed.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND git describe --always --dirty --tags WORKING_DIRECTORY ${SOURCE}
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed OR commit STREQUAL "")
  set(commit "unknown")
endif()
file(CONFIGURE OUTPUT ${HEADER} CONTENT
"#pragma once
namespace cardiotwin::bench {
inline constexpr const char* commit = \"@commit@\";
}
" @ONLY)
