// Julia values from a file of JLD2.
#pragma once

#include "converter/import/flux/julia_value.h"

namespace figment::converter {

// Reads what `JLD2.@save` and `jldsave` write into file.root. Throws ConvertError.
void read_jld2_values(JuliaFile& file);

}  // namespace figment::converter
