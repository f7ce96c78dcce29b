# figment_warnings: every target of ours links it. Warnings are errors. Other people's headers are
# included as SYSTEM and stay out of it.
add_library(figment_warnings INTERFACE)
target_compile_options(figment_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 sees overlaps in `"text" + std::string` that are not there (its bug 105651).
  target_compile_options(figment_warnings INTERFACE -Wno-restrict)
  if(FIGMENT_SANITIZE)
    # These two follow values through the code, which the sanitizers' checks take apart: false alarms only.
    target_compile_options(figment_warnings INTERFACE -Wno-maybe-uninitialized -Wno-stringop-overflow)
  endif()
endif()
option(FIGMENT_WERROR "Treat warnings as errors" ${PROJECT_IS_TOP_LEVEL})
if(FIGMENT_WERROR)
  target_compile_options(figment_warnings INTERFACE -Werror)
endif()
