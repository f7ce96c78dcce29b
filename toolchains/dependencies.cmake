# Everything that Figment takes from elsewhere is found here and nowhere else. The names of the packages
# are in toolchains/packages.txt.

# ccache, where present, makes a second build of the same sources nearly free.
find_program(FIGMENT_CCACHE ccache)
if(FIGMENT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER AND PROJECT_IS_TOP_LEVEL)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${FIGMENT_CCACHE})
  if(FIGMENT_PRECOMPILE)
    # Precompiled headers are beyond it otherwise.
    list(PREPEND CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros)
  endif()
endif()

# figment_find_headers(variable header): sets `variable` to the folder in which the header-only library's
# `header` (library/file.h) stands. For another machine than this one the folder holds that library alone, by
# a link: this machine's /usr/include has headers beside it that belong to this machine's libc.
function(figment_find_headers variable header)
  # Named, for CMake looks there by itself only for systems that are like this one.
  find_path(${variable}_HERE ${header} PATHS /usr/local/include /usr/include NO_CMAKE_FIND_ROOT_PATH)
  mark_as_advanced(${variable}_HERE)
  set(folder "${${variable}_HERE}")
  if(folder AND CMAKE_CROSSCOMPILING)
    get_filename_component(library ${header} DIRECTORY)
    set(headers ${PROJECT_BINARY_DIR}/generated/headers)
    file(MAKE_DIRECTORY ${headers})
    file(CREATE_LINK ${folder}/${library} ${headers}/${library} SYMBOLIC)
    set(folder ${headers})
  endif()
  set(${variable} "${folder}" PARENT_SCOPE)
endfunction()

# A board's libraries come from a folder of their own.
if(FIGMENT_BOARD_DEBIAN)
  set(FIGMENT_SYSROOT "" CACHE PATH "The folder with the board's libraries; empty: toolchains/sysroot.sh gets them")
  if(NOT FIGMENT_SYSROOT OR NOT EXISTS "${FIGMENT_SYSROOT}/usr")
    execute_process(
      COMMAND ${PROJECT_SOURCE_DIR}/toolchains/sysroot.sh ${FIGMENT_BOARD_DEBIAN}
      OUTPUT_VARIABLE sysroot OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE result)
    if(NOT result EQUAL 0)
      message(FATAL_ERROR "The board's libraries could not be had.")
    endif()
    set(FIGMENT_SYSROOT "${sysroot}" CACHE PATH "" FORCE)
  endif()
  set(CMAKE_FIND_ROOT_PATH ${FIGMENT_SYSROOT})
endif()

# Archives before shared libraries, so that the command line can be one file (targets/host).
if(FIGMENT_BUILD_TOOLS AND NOT APPLE)
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a .so)
endif()

# FlatBuffers: the runtime uses its headers alone, the build its compiler.
figment_find_headers(FIGMENT_FLATBUFFERS_INCLUDE flatbuffers/flatbuffers.h)
find_program(FIGMENT_FLATC flatc)
if(NOT FIGMENT_FLATBUFFERS_INCLUDE OR NOT FIGMENT_FLATC)
  message(FATAL_ERROR "FlatBuffers is missing; install libflatbuffers-dev and flatbuffers-compiler.")
endif()

# XNNPACK: the folder with its include/ and lib/, from the system or the user's cache folder.
if(FIGMENT_XNNPACK)
  set(FIGMENT_XNNPACK_ROOT "" CACHE PATH "XNNPACK's folder; empty: toolchains/xnnpack.sh finds or builds it")
  set(root "${FIGMENT_XNNPACK_ROOT}")
  if(NOT root OR NOT EXISTS "${root}/include/xnnpack.h")
    message(STATUS "Looking for XNNPACK (built once if it is not there; about 4 minutes on 2 cores)")
    execute_process(
      COMMAND ${CMAKE_COMMAND} -E env CC=${CMAKE_C_COMPILER} CXX=${CMAKE_CXX_COMPILER}
        FIGMENT_TOOLCHAIN_FILE=${CMAKE_TOOLCHAIN_FILE} FIGMENT_FLAGS=${CMAKE_C_FLAGS_INIT}
        ${PROJECT_SOURCE_DIR}/toolchains/xnnpack.sh
      OUTPUT_VARIABLE root OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE result)
    if(NOT result EQUAL 0)
      message(FATAL_ERROR "XNNPACK could not be had; -DFIGMENT_XNNPACK=OFF builds the portable backend alone.")
    endif()
    set(FIGMENT_XNNPACK_ROOT "${root}" CACHE PATH "" FORCE)
  endif()
  message(STATUS "XNNPACK: ${root}")
  set(FIGMENT_XNNPACK_INCLUDE ${root}/include)
  set(libraries ${root}/lib)
  if(root STREQUAL "/usr" AND CMAKE_LIBRARY_ARCHITECTURE)
    set(libraries /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE} /usr/lib)
  endif()
  include(toolchains/xnnpack_target.cmake)
  figment_add_xnnpack_target("${FIGMENT_XNNPACK_INCLUDE}" "${libraries}")
endif()

# What the converter reads JSON with (descriptions of networks), on every machine.
if(FIGMENT_BUILD_CONVERTER)
  find_package(nlohmann_json REQUIRED)
endif()

# ONNX's messages: classes that protobuf's compiler makes of ONNX's own description, over protobuf's small library.
if(FIGMENT_BUILD_CONVERTER AND "onnx" IN_LIST FIGMENT_IMPORTERS)
  find_program(FIGMENT_PROTOC protoc)
  find_path(FIGMENT_ONNX_MESSAGES onnx/onnx.proto NO_CMAKE_FIND_ROOT_PATH)
  find_path(FIGMENT_PROTOBUF_INCLUDE google/protobuf/message_lite.h)
  find_library(FIGMENT_PROTOBUF protobuf-lite)
  if(NOT FIGMENT_PROTOC OR NOT FIGMENT_ONNX_MESSAGES OR NOT FIGMENT_PROTOBUF_INCLUDE OR NOT FIGMENT_PROTOBUF)
    message(FATAL_ERROR "Protobuf or ONNX's messages are missing; install protobuf-compiler, libprotobuf-dev and "
      "libonnx-dev, or leave onnx out of -DFIGMENT_IMPORTERS=....")
  endif()
  set(messages ${PROJECT_BINARY_DIR}/generated/onnx)
  file(READ ${FIGMENT_ONNX_MESSAGES}/onnx/onnx.proto description)
  # ONNX 1.12 does not know the default values of a function's attributes yet.
  if(NOT description MATCHES "attribute_proto")
    string(REPLACE "message FunctionProto {" "message FunctionProto {\n  repeated AttributeProto attribute_proto = 11;"
      description "${description}")
  endif()
  # Numbers that stand one by one in the file stay as they are there: as lists they would take up to 32 times the room.
  string(REGEX REPLACE "repeated (float|double|int32|int64|uint64) ([a-z0-9]+_data) = ([0-9]+) \\[packed = true\\]"
    "optional bytes \\2 = \\3" description "${description}")
  file(CONFIGURE OUTPUT ${messages}/onnx/onnx.proto CONTENT "${description}" @ONLY)
  add_custom_command(
    OUTPUT ${messages}/onnx/onnx.pb.cc ${messages}/onnx/onnx.pb.h
    COMMAND ${FIGMENT_PROTOC} -I ${messages} --cpp_out=${messages} onnx/onnx.proto
    DEPENDS ${messages}/onnx/onnx.proto
    COMMENT "Generating onnx/onnx.pb.h"
    VERBATIM)
  add_library(figment_onnx STATIC ${messages}/onnx/onnx.pb.cc)
  target_compile_options(figment_onnx PRIVATE -w)
  target_include_directories(figment_onnx SYSTEM PUBLIC ${messages} ${FIGMENT_PROTOBUF_INCLUDE})
  find_package(Threads REQUIRED)
  target_link_libraries(figment_onnx PUBLIC ${FIGMENT_PROTOBUF} Threads::Threads)
endif()

# figment_filter_shared_imports(list folder): takes out of a list of sources what only importers that are not built share.
function(figment_filter_shared_imports list folder)
  foreach(row IN ITEMS "hdf5_:keras;flux" "zip_:keras;torch" "pickle:torch" "layers[/_]:keras;tfjs")
    string(REGEX REPLACE ":.*" "" name "${row}")
    string(REGEX REPLACE ".*:" "" formats "${row}")
    set(wanted FALSE)
    foreach(format IN LISTS formats)
      if(format IN_LIST FIGMENT_IMPORTERS)
        set(wanted TRUE)
      endif()
    endforeach()
    if(NOT wanted)
      list(FILTER ${list} EXCLUDE REGEX "(^|/)${folder}/${name}")
    endif()
  endforeach()
  set(${list} "${${list}}" PARENT_SCOPE)
endfunction()

# Numbers in HDF5 files may be compressed.
if(FIGMENT_BUILD_CONVERTER AND ("keras" IN_LIST FIGMENT_IMPORTERS OR "flux" IN_LIST FIGMENT_IMPORTERS))
  find_package(ZLIB REQUIRED)
endif()

# Keras's .keras and PyTorch's files are ZIP archives. Minizip, since Debian has libzip as a shared library alone and
# the command line is one static file.
if(FIGMENT_BUILD_CONVERTER AND ("keras" IN_LIST FIGMENT_IMPORTERS OR "torch" IN_LIST FIGMENT_IMPORTERS))
  find_path(FIGMENT_MINIZIP_INCLUDE minizip/unzip.h)
  find_library(FIGMENT_MINIZIP NAMES libminizip.a minizip)
  if(NOT FIGMENT_MINIZIP_INCLUDE OR NOT FIGMENT_MINIZIP)
    message(FATAL_ERROR
      "Minizip is missing; install libminizip-dev, or leave keras and torch out of -DFIGMENT_IMPORTERS=....")
  endif()
  find_package(ZLIB REQUIRED)
  add_library(figment_zip INTERFACE)
  target_include_directories(figment_zip SYSTEM INTERFACE ${FIGMENT_MINIZIP_INCLUDE})
  target_link_libraries(figment_zip INTERFACE ${FIGMENT_MINIZIP} ZLIB::ZLIB)
endif()

# The command line: arguments, --json, pictures, compressed data.
if(FIGMENT_BUILD_TOOLS)
  find_package(CLI11 REQUIRED)
  find_package(nlohmann_json REQUIRED)
  find_package(PNG REQUIRED)
  find_package(ZLIB REQUIRED) # libpng's own
  find_package(Threads REQUIRED)
endif()

if(FIGMENT_BUILD_TESTS AND FIGMENT_PLACE STREQUAL "host")
  figment_find_headers(FIGMENT_DOCTEST_INCLUDE doctest/doctest.h)
  if(NOT FIGMENT_DOCTEST_INCLUDE)
    message(FATAL_ERROR "doctest is missing; install doctest-dev, or configure with -DFIGMENT_BUILD_TESTS=OFF.")
  endif()
  # The reader of HDF5 files is tested with files that HDF5's own library writes.
  if("keras" IN_LIST FIGMENT_IMPORTERS OR "flux" IN_LIST FIGMENT_IMPORTERS)
    find_path(FIGMENT_HDF5_INCLUDE hdf5.h PATH_SUFFIXES hdf5/serial)
    find_library(FIGMENT_HDF5 NAMES hdf5_serial hdf5)
    if(NOT FIGMENT_HDF5_INCLUDE OR NOT FIGMENT_HDF5)
      message(FATAL_ERROR "HDF5 is missing; install libhdf5-dev, or configure with -DFIGMENT_BUILD_TESTS=OFF.")
    endif()
    add_library(figment_hdf5 INTERFACE)
    target_include_directories(figment_hdf5 SYSTEM INTERFACE ${FIGMENT_HDF5_INCLUDE})
    target_link_libraries(figment_hdf5 INTERFACE ${FIGMENT_HDF5} sz aec ZLIB::ZLIB m ${CMAKE_DL_LIBS})
  endif()
  add_library(figment_doctest INTERFACE)
  target_include_directories(figment_doctest SYSTEM INTERFACE ${FIGMENT_DOCTEST_INCLUDE})
endif()
