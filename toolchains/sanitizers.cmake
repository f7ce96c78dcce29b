# FIGMENT_SANITIZE: builds everything of ours with the address and undefined-behaviour sanitizers; the
# first finding ends the program. XNNPACK stays as it is: its kernels read past the ends of their inputs
# on purpose (XNN_EXTRA_BYTES), and code that is not instrumented is not checked.
option(FIGMENT_SANITIZE "Build with ASan and UBSan" OFF)
if(FIGMENT_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  # The virtual-table check needs RTTI, which the runtime does without.
  add_compile_options(-fno-sanitize=vptr)
  add_link_options(-fsanitize=address,undefined)
endif()
