# The browser: WebAssembly with SIMD, by Emscripten (Debian: the package emscripten, with its own Emscripten.cmake,
# which this file wraps and which sets CMAKE_SYSTEM_NAME). Any Emscripten from 3.1.6 on will do.
#
#   ./figment --target web build
find_program(FIGMENT_EMCONFIG em-config)
if(NOT FIGMENT_EMCONFIG)
  message(FATAL_ERROR "Emscripten is missing; install the package emscripten.")
endif()
execute_process(COMMAND ${FIGMENT_EMCONFIG} EMSCRIPTEN_ROOT
  OUTPUT_VARIABLE emscripten OUTPUT_STRIP_TRAILING_WHITESPACE)
include(${emscripten}/cmake/Modules/Platform/Emscripten.cmake)

# XNNPACK stays out: the portable loops are written so that compilers turn them into SIMD, in a tenth of its size.
set(FIGMENT_PLACE web CACHE STRING "The place to build for: a folder of targets/")
set(FIGMENT_XNNPACK OFF CACHE BOOL "The fast backend (x86-64 and ARM)")

set(CMAKE_CXX_FLAGS_INIT "-msimd128 -fno-exceptions -fno-rtti")
# What the library of older Emscriptens lacks of C++20.
string(APPEND CMAKE_CXX_FLAGS_INIT " -isystem ${CMAKE_CURRENT_LIST_DIR}/../web")

# Emscripten's file names / alone; FlatBuffers' headers and compiler are this machine's.
list(APPEND CMAKE_SYSTEM_PREFIX_PATH /usr/local /usr)
# The page is no program that node could run.
unset(CMAKE_CROSSCOMPILING_EMULATOR)
