# What every Cortex-M board's toolchain file shares: GCC without an operating system, newlib-nano's libc, no
# heap. The board's file sets CPU flags, memory and emulator, and includes this.
#
#   FIGMENT_CPU_FLAGS       the core and its floating-point unit, for the compiler
#   FIGMENT_FLASH, _RAM     where the memories begin and how long they are: "0x00000000 4M"
#   CMAKE_CROSSCOMPILING_EMULATOR  what boots a firmware here; without it the tests have nothing to run in
set(CMAKE_SYSTEM_PROCESSOR arm)

# The place to build for, and what it does without.
set(FIGMENT_PLACE cortex_m CACHE STRING "")
set(FIGMENT_XNNPACK OFF CACHE BOOL "")
set(FIGMENT_HEAP OFF CACHE BOOL "")

set(FIGMENT_COMPILER_PREFIX arm-none-eabi- CACHE STRING "What the compiler's name begins with, or its folder and that")
find_program(FIGMENT_CROSS_GCC ${FIGMENT_COMPILER_PREFIX}gcc NO_CMAKE_FIND_ROOT_PATH)
find_program(FIGMENT_CROSS_GXX ${FIGMENT_COMPILER_PREFIX}g++ NO_CMAKE_FIND_ROOT_PATH)
mark_as_advanced(FIGMENT_CROSS_GCC FIGMENT_CROSS_GXX)
if(NOT FIGMENT_CROSS_GCC OR NOT FIGMENT_CROSS_GXX)
  message(FATAL_ERROR "${FIGMENT_COMPILER_PREFIX}g++ is missing; install the Debian packages gcc-arm-none-eabi, "
    "libnewlib-arm-none-eabi and libstdc++-arm-none-eabi-newlib.")
endif()
set(CMAKE_C_COMPILER ${FIGMENT_CROSS_GCC})
set(CMAKE_CXX_COMPILER ${FIGMENT_CROSS_GXX})
# CMake's trial programs cannot be linked without a startup and a linker script.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES FIGMENT_COMPILER_PREFIX)

set(CMAKE_C_FLAGS_INIT "-mthumb ${FIGMENT_CPU_FLAGS}")
# What C++ would keep in a program without exceptions, destructors at exit or threads.
# -Wno-psabi: a remark about compilers from before 2017.
set(CMAKE_CXX_FLAGS_INIT "${CMAKE_C_FLAGS_INIT} -Wno-psabi -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-use-cxa-atexit")
# -O3, which the presets set, takes a tenth more code here and is no faster.
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_EXE_LINKER_FLAGS_INIT "--specs=nano.specs -nostartfiles")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
