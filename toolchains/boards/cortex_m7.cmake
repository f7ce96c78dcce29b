# ARM's MPS2 board with its image AN500: a Cortex-M7 at 25 MHz that computes float32 and float64. QEMU has it.
set(CMAKE_SYSTEM_NAME Generic)
set(FIGMENT_CPU_FLAGS "-mcpu=cortex-m7 -mfpu=fpv5-d16 -mfloat-abi=hard")
set(FIGMENT_FLASH "0x00000000 4M" CACHE STRING "Where code and the model go: begin and length")
set(FIGMENT_RAM "0x20000000 4M" CACHE STRING "Where data, the arena and the stack go: begin and length")
set(CMAKE_CROSSCOMPILING_EMULATOR ${CMAKE_CURRENT_LIST_DIR}/../../targets/cortex_m/emulate.sh mps2-an500)
include(${CMAKE_CURRENT_LIST_DIR}/../cortex_m_gcc.cmake)
