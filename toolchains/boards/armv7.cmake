# 32-bit ARM under Linux with NEON and hard float: Raspberry Pi 2 and later with a 32-bit system, BeagleBone, and
# other Cortex-A7, A8, A9 and A15 boards.
set(BOARD_TRIPLE arm-linux-gnueabihf)
set(BOARD_PROCESSOR armv7)
set(BOARD_FLAGS "-march=armv7-a+fp -mfpu=neon -mfloat-abi=hard")
set(BOARD_DEBIAN armhf)
set(BOARD_EMULATOR qemu-arm-static)
# A8 and A9 have no fused multiply-add, A7 and A15 do; max has float16 and dot products too.
set(BOARD_EMULATED cortex-a7 cortex-a8 cortex-a9 cortex-a15 max)
include(${CMAKE_CURRENT_LIST_DIR}/../linux_board.cmake)
