# figment_warnings: every target of ours links it. Warnings are errors. Other people's headers are
# included as SYSTEM and stay out of it.
add_library(figment_warnings INTERFACE)
target_compile_options(figment_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow)
option(FIGMENT_WERROR "Treat warnings as errors" ${PROJECT_IS_TOP_LEVEL})
if(FIGMENT_WERROR)
  target_compile_options(figment_warnings INTERFACE -Werror)
endif()
