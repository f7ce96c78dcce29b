// Julia values from a file of BSON.jl.
#pragma once

#include "converter/import/flux/julia_value.h"

namespace figment::converter {

// Reads what `BSON.@save` and `bson` write into file.root. Throws ConvertError.
void read_bson_values(JuliaFile& file);

}  // namespace figment::converter
