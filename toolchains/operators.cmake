# Reads the operator union of runtime/format/model.fbs, the only list of operators, and writes
# generated/figment/operators.cc: the table from the union's index to the operator's rooms.
#
# For a member ConvTranspose2D the portable room is runtime/ops/conv_transpose2d.cc, which defines
# figment::ops::kConvTranspose2D; the fast one, if there is such a file, is
# runtime/xnnpack/conv_transpose2d.cc, which defines figment::xnnpack::kConvTranspose2D. A member without
# its file is not an error here: the link fails and names what is missing.

# figment_schema_names(kind name variable): sets the members of the schema's `union NAME` or `enum NAME`, in order.
function(figment_schema_names kind name variable)
  set(schema ${PROJECT_SOURCE_DIR}/runtime/format/model.fbs)
  set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${schema})
  file(READ ${schema} text)
  string(REGEX REPLACE "//[^\n]*" "" text "${text}")
  if(NOT text MATCHES "${kind}[ \t\r\n]+${name}[ \t\r\n:a-z]*{([^}]*)}")
    message(FATAL_ERROR "${schema} has no ${kind} ${name}.")
  endif()
  string(REGEX REPLACE "=[^,]*" "" members "${CMAKE_MATCH_1}") # explicit values
  string(REGEX REPLACE "[ \t\r\n]" "" members "${members}")
  string(REPLACE "," ";" members "${members}")
  list(REMOVE_ITEM members "")
  set(${variable} "${members}" PARENT_SCOPE)
endfunction()

# figment_operator_table(table wanted sources_variable): writes the table of the operators in the list `wanted`
# (empty: all) and sets the sources that it links, shared ones included. Unary alone brings every elementwise
# function, Unary:Relu that one.
#
# libfigment.a has the table of FIGMENT_OPS. A program that compiles a table of its own links that one instead:
# the linker takes the library's only where it still lacks one. So programs of one build tree may differ.
function(figment_operator_table table wanted sources_variable)
  figment_schema_names(union OperatorOptions members)
  figment_schema_names(enum UnaryFunction functions)
  list(TRANSFORM functions PREPEND "Unary:" OUTPUT_VARIABLE function_names)
  foreach(name IN LISTS wanted)
    if(NOT name IN_LIST members AND NOT name IN_LIST function_names)
      message(FATAL_ERROR "FIGMENT_OPS names '${name}', which is no operator of runtime/format/model.fbs.")
    endif()
  endforeach()
  set(unary_rows "")
  set(unary_entries "")
  set(all_functions FALSE)
  if(NOT wanted OR "Unary" IN_LIST wanted)
    set(all_functions TRUE)
  endif()
  foreach(function IN LISTS functions)
    if(all_functions OR "Unary:${function}" IN_LIST wanted)
      list(APPEND wanted_if_any Unary)
      string(APPEND unary_rows "extern const UnaryRow k${function};\n")
      string(APPEND unary_entries "    &unary::k${function},\n")
    else()
      string(APPEND unary_entries "    nullptr, // ${function}\n")
    endif()
  endforeach()
  if(wanted)
    list(APPEND wanted ${wanted_if_any})
  endif()

  # Files that belong to no member are shared by several operators and always compiled, as are the elementwise
  # functions, which recurrent layers use too.
  file(GLOB portable CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/runtime/ops/*.cc)
  file(GLOB fast CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/runtime/xnnpack/*.cc)
  set(portable_rooms "")
  set(fast_rooms "")
  set(entries "")
  foreach(member IN LISTS members)
    string(REGEX REPLACE "([a-z])([A-Z])" "\\1_\\2" file "${member}")
    string(TOLOWER "${file}" file)
    set(portable_file ${PROJECT_SOURCE_DIR}/runtime/ops/${file}.cc)
    set(fast_file ${PROJECT_SOURCE_DIR}/runtime/xnnpack/${file}.cc)
    if(wanted AND NOT member IN_LIST wanted)
      if(NOT member STREQUAL "Unary")
        list(REMOVE_ITEM portable ${portable_file})
      endif()
      list(REMOVE_ITEM fast ${fast_file})
      string(APPEND entries "    {\"${member}\", nullptr, nullptr},\n")
      continue()
    endif()
    string(APPEND portable_rooms "extern const OperatorRoom k${member};\n")
    if(FIGMENT_XNNPACK AND fast_file IN_LIST fast)
      string(APPEND fast_rooms "extern const FastRoom k${member};\n")
      string(APPEND entries "    {\"${member}\", &k${member}, &xnnpack::k${member}},\n")
    else()
      string(APPEND entries "    {\"${member}\", &k${member}, nullptr},\n")
    endif()
  endforeach()
  list(LENGTH members count)
  math(EXPR count "${count} + 1")

  # file(CONFIGURE) leaves an unchanged file alone, so that nothing is compiled again.
  file(CONFIGURE OUTPUT ${table} @ONLY CONTENT [=[
// The table of operators, in the order of the schema's union. Generated from runtime/format/model.fbs by
// toolchains/operators.cmake.
#include "runtime/ops/unary.h"

namespace figment::ops {
namespace unary {
@unary_rows@}  // namespace unary
@portable_rooms@}  // namespace figment::ops

#ifdef FIGMENT_WITH_XNNPACK
namespace figment::xnnpack {
@fast_rooms@}  // namespace figment::xnnpack
#endif

namespace figment::ops {
const OperatorEntry kOperators[] = {
    {"NONE", nullptr, nullptr},
@entries@};
const int kOperatorCount = @count@;

const UnaryRow* const kUnaryRows[] = {
@unary_entries@};
}  // namespace figment::ops
]=])
  set(sources ${portable})
  if(FIGMENT_XNNPACK)
    list(APPEND sources ${fast})
  endif()
  set(${sources_variable} ${sources} PARENT_SCOPE)
endfunction()

# figment_backward_table(table wanted sources_variable): the same for learning: figment::train::kBackwardRooms, from the
# files of runtime/train/backward. A member without its file there has no backward. The elementwise functions' table,
# kUnaryGradients, has those functions that the operators' table has.
function(figment_backward_table table wanted sources_variable)
  figment_schema_names(union OperatorOptions members)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/runtime/train/backward/*.cc)
  figment_schema_names(enum UnaryFunction unary_functions)
  string(FIND "${wanted}" "Unary:" functions)
  set(rooms "")
  set(entries "")
  foreach(member IN LISTS members)
    string(REGEX REPLACE "([a-z])([A-Z])" "\\1_\\2" file "${member}")
    string(TOLOWER "${file}" file)
    set(file ${PROJECT_SOURCE_DIR}/runtime/train/backward/${file}.cc)
    set(is_wanted TRUE)
    if(wanted AND NOT member IN_LIST wanted AND NOT (member STREQUAL "Unary" AND functions GREATER_EQUAL 0))
      set(is_wanted FALSE)
      list(REMOVE_ITEM files ${file})
    endif()
    if(is_wanted AND file IN_LIST files)
      string(APPEND rooms "extern const BackwardRoom k${member};\n")
      string(APPEND entries "    &k${member},\n")
    else()
      string(APPEND entries "    nullptr, // ${member}\n")
    endif()
  endforeach()
  set(unary_rows "")
  set(unary_entries "")
  foreach(function IN LISTS unary_functions)
    if(NOT wanted OR "Unary" IN_LIST wanted OR "Unary:${function}" IN_LIST wanted)
      string(APPEND unary_rows "extern const UnaryGradient k${function};\n")
      string(APPEND unary_entries "    &unary::k${function},\n")
    else()
      string(APPEND unary_entries "    nullptr, // ${function}\n")
    endif()
  endforeach()
  file(CONFIGURE OUTPUT ${table} @ONLY CONTENT [=[
// The table of operators that learn, in the order of the schema's union. Generated from runtime/format/model.fbs by
// toolchains/operators.cmake.
#include "runtime/train/backward.h"
#include "runtime/train/unary.h"

namespace figment::train {
namespace unary {
@unary_rows@}  // namespace unary
@rooms@
const BackwardRoom* const kBackwardRooms[] = {
    nullptr, // NONE
@entries@};

const UnaryGradient* const kUnaryGradients[] = {
@unary_entries@};
}  // namespace figment::train
]=])
  set(${sources_variable} ${files} PARENT_SCOPE)
endfunction()
