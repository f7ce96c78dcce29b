# figment_warnings: every target of ours links it. Warnings are errors. Other people's headers are
# included as SYSTEM and stay out of it.
add_library(figment_warnings INTERFACE)
target_compile_options(figment_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False alarms of GCC 12: overlaps in `"text" + std::string` (its bug 105651), and std::optional's
  # contents taken for uninitialized (80635).
  target_compile_options(figment_warnings INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
  # A remark about compilers from before 2017 (32-bit ARM).
  target_compile_options(figment_warnings INTERFACE -Wno-psabi)
  if(FIGMENT_SANITIZE)
    # Follows values through the code, which the sanitizers' checks take apart.
    target_compile_options(figment_warnings INTERFACE -Wno-stringop-overflow)
  endif()
endif()
# Not for boards, whose compilers come in many versions with false alarms of their own.
set(errors ${PROJECT_IS_TOP_LEVEL})
if(CMAKE_CROSSCOMPILING)
  set(errors OFF)
endif()
option(FIGMENT_WERROR "Treat warnings as errors" ${errors})
if(FIGMENT_WERROR)
  target_compile_options(figment_warnings INTERFACE -Werror)
endif()
