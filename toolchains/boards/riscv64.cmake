# 64-bit RISC-V under Linux (RV64GC): StarFive VisionFive, SiFive HiFive, Milk-V. The portable backend alone, for
# XNNPACK's kernels for RISC-V want vector instructions that neither these boards nor GCC 12 have.
set(BOARD_TRIPLE riscv64-linux-gnu)
set(BOARD_PROCESSOR riscv64)
set(BOARD_FLAGS "")
set(BOARD_DEBIAN riscv64)
set(BOARD_EMULATOR qemu-riscv64-static)
set(FIGMENT_XNNPACK OFF CACHE BOOL "The fast backend (x86-64 and ARM)")
# Debian has RISC-V from its next release on, whose protobuf this compiler cannot link.
set(FIGMENT_IMPORTERS "" CACHE STRING "The formats of trained files that the converter reads")
set(BOARD_EMULATED rv64 sifive-u54)
include(${CMAKE_CURRENT_LIST_DIR}/../linux_board.cmake)
