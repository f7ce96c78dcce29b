# figment_add_xnnpack_target(include_dir library_dir): defines the imported target figment::xnnpack, that
# is XNNPACK with its micro-kernels, pthreadpool and cpuinfo. Used by the build and by the installed
# package alike, so that both link the same list.
function(figment_add_xnnpack_target include_dir library_dir)
  if(TARGET figment::xnnpack)
    return()
  endif()
  find_package(Threads REQUIRED)
  set(found "")
  # In link order. The micro-kernels are a library of their own in some packagings and part of XNNPACK in
  # others, and a shared XNNPACK brings cpuinfo itself.
  foreach(name IN ITEMS XNNPACK xnnpack-microkernels-prod microkernels-prod pthreadpool cpuinfo)
    find_library(library NAMES ${name} PATHS ${library_dir} NO_DEFAULT_PATH
      NO_CMAKE_FIND_ROOT_PATH NO_CACHE)
    if(library)
      list(APPEND found ${library})
    elseif(name STREQUAL "XNNPACK" OR name STREQUAL "pthreadpool")
      message(FATAL_ERROR "lib${name} is not in ${library_dir}; remove that folder and build again.")
    endif()
    unset(library)
  endforeach()
  add_library(figment::xnnpack INTERFACE IMPORTED GLOBAL)
  # XNNPACK and its micro-kernels call each other, so the linker passes over them again.
  set(group ${found})
  if(NOT APPLE)
    set(group -Wl,--start-group ${found} -Wl,--end-group)
  endif()
  set_target_properties(figment::xnnpack PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${include_dir}"
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${include_dir}"
    INTERFACE_LINK_LIBRARIES "${group};Threads::Threads;m")
  set(FIGMENT_XNNPACK_LIBRARIES "${found}" PARENT_SCOPE)
endfunction()
