# What the toolchain files of Linux boards have in common. A board's file says what it is and includes this:
#
#   BOARD_TRIPLE        how its compiler is called: aarch64-linux-gnu
#   BOARD_PROCESSOR     as CMake and XNNPACK call it: aarch64
#   BOARD_FLAGS         for the compiler: which instructions it may use
#   BOARD_DEBIAN        its architecture in Debian, whose libraries are linked; toolchains/sysroot.sh fetches them
#   BOARD_EMULATOR      runs its programs on this machine, if it is installed
#   BOARD_EMULATED      processors of the emulator on which the tests try every shipped model
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${BOARD_PROCESSOR})

find_program(BOARD_CXX ${BOARD_TRIPLE}-g++)
if(NOT BOARD_CXX)
  message(FATAL_ERROR "There is no ${BOARD_TRIPLE}-g++; install the package g++-${BOARD_TRIPLE}.")
endif()
set(CMAKE_C_COMPILER ${BOARD_TRIPLE}-gcc)
set(CMAKE_CXX_COMPILER ${BOARD_CXX})
set(CMAKE_C_FLAGS_INIT "${BOARD_FLAGS}")
set(CMAKE_CXX_FLAGS_INIT "${BOARD_FLAGS}")
set(CMAKE_LIBRARY_ARCHITECTURE ${BOARD_TRIPLE})

# One file to copy to a board, whatever libraries it has.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE BOTH)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE BOTH)

find_program(BOARD_EMULATOR_PROGRAM ${BOARD_EMULATOR})
if(BOARD_EMULATOR_PROGRAM)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${BOARD_EMULATOR_PROGRAM})
endif()
# Trained files are converted on a host, as a rule.
set(FIGMENT_IMPORTERS onnx CACHE STRING "The formats of trained files that the converter reads")
set(FIGMENT_BOARD_EMULATED ${BOARD_EMULATED})
set(FIGMENT_BOARD_DEBIAN ${BOARD_DEBIAN} CACHE STRING "The board's architecture in Debian")
