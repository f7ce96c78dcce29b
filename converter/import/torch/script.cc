// stub
#include "converter/import/torch/script.h"
namespace figment::converter {
Graph import_script(const std::filesystem::path&, const ImportOptions&) { throw ConvertError("not yet"); }
}
