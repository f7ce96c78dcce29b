# 64-bit ARM under Linux: Raspberry Pi 3 and later with a 64-bit system, and most boards since. The instructions
# of ARMv8.0 alone are taken for granted; XNNPACK looks for more (dot products, float16) when it starts.
set(BOARD_TRIPLE aarch64-linux-gnu)
set(BOARD_PROCESSOR aarch64)
set(BOARD_FLAGS "")
set(BOARD_DEBIAN arm64)
set(BOARD_EMULATOR qemu-aarch64-static)
# Without dot products and float16 (A53, A72), with both (A76, Neoverse N1), with all that the emulator knows.
set(BOARD_EMULATED cortex-a53 cortex-a72 cortex-a76 neoverse-n1 max)
include(${CMAKE_CURRENT_LIST_DIR}/../linux_board.cmake)
