// Weights of a packed .keras archive that is refused have been unpacked, but not copied.
#include <doctest/doctest.h>
#include <hdf5.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "converter/import/import.h"
#include "tests/import/zip_builder.h"
#include "tests/limits/heap_watch.h"

namespace figment::testing {
namespace {

constexpr hsize_t kUnits = 1 << 20;

// A third of them noise, which does not pack.
std::vector<float> numbers() {
  std::vector<float> values(3 * kUnits);
  std::mt19937 random(3);
  for (std::size_t at = 0; at < values.size(); ++at)
    if (at / 256 % 3 == 0) values[at] = static_cast<float>(random());
  return values;
}

// The HDF5 file in which the first dense layer's kernel stands; its bytes.
std::string weights(const std::filesystem::path& path) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  const hsize_t shape[] = {3, kUnits};
  const hid_t space = H5Screate_simple(2, shape, nullptr);
  const hid_t kernel = H5Dcreate2(file, "layers/dense/vars/0", H5T_IEEE_F32LE, space, links,
                                  H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(kernel, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers().data());
  H5Dclose(kernel);
  H5Sclose(space);
  H5Pclose(links);
  H5Fclose(file);
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string description(const std::string& more) {
  return R"({"class_name": "Sequential", "config": {"name": "model", "layers": [
    {"class_name": "InputLayer", "config": {"batch_shape": [null, 3], "name": "x"}},
    {"class_name": "Dense", "config": {"name": "dense", "units": 1048576, "use_bias": false}})" +
         more + "]}}";
}

}  // namespace

TEST_CASE("packed weights of layers that are not known to the end") {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() /
      ("figment-" + std::to_string(std::random_device{}()) + ".keras");
  const std::string packed = weights(path);
  const auto write = [&](const std::string& more) {
    write_zip(path, {{"config.json", description(more)}, {"model.weights.h5", packed}},
              Packing::kDeflated);
  };
  write("");
  const converter::Graph graph = converter::import_file(path, {});
  CHECK(graph.tensors.size() == 3);
  write(R"(, {"class_name": "Nonsense", "config": {"name": "last"}})");
  const auto bytes = std::filesystem::file_size(path);
  REQUIRE(bytes * 3 < packed.size());
  std::string sentence;
  HeapWatch heap;
  try {
    converter::import_file(path, {});
  } catch (const converter::ConvertError& error) {
    sentence = error.what();
  }
  CHECK(heap.peak_bytes() <= 4 * bytes);
  CHECK(sentence.find("(Nonsense)") != std::string::npos);
  std::filesystem::remove(path);
}

}  // namespace figment::testing
