// HDF5 files are listed and read, and what they claim is compared with their size.
#include "converter/import/hdf5_file.h"

#include <doctest/doctest.h>
#include <hdf5.h>

#include <fstream>
#include <random>

using namespace figment::converter;

namespace {

// A file in the temporary folder, removed at the end of the test.
struct TemporaryFile {
  std::filesystem::path path;
  explicit TemporaryFile(const std::string& name)
      : path(std::filesystem::temp_directory_path() /
             (std::to_string(std::random_device{}()) + "-" + name)) {}
  ~TemporaryFile() { std::filesystem::remove(path); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
};

void write_text(hid_t object, const char* name, const std::string& value) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, value.size());
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attribute, type, value.data());
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
}

void write_texts(hid_t object, const char* name, std::vector<const char*> values) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  const hsize_t count = values.size();
  const hid_t space = H5Screate_simple(1, &count, nullptr);
  const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attribute, type, values.data());
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
}

void write_floats(hid_t group, const char* name, std::vector<hsize_t> shape, hid_t type,
                  const std::vector<float>& values, bool compressed = false) {
  const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
  const hid_t plan = H5Pcreate(H5P_DATASET_CREATE);
  if (compressed) {
    H5Pset_chunk(plan, static_cast<int>(shape.size()), shape.data());
    H5Pset_shuffle(plan);
    H5Pset_deflate(plan, 9);
  }
  const hid_t dataset = H5Dcreate2(group, name, type, space, H5P_DEFAULT, plan, H5P_DEFAULT);
  if (!values.empty())
    H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Dclose(dataset);
  H5Pclose(plan);
  H5Sclose(space);
}

void write_sample(const std::filesystem::path& path) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  write_text(file, "config", "{\"a\": 1}");
  const hid_t group = H5Gcreate2(file, "weights", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  write_texts(group, "names", {"kernel", "bias"});
  write_floats(group, "kernel", {2, 3}, H5T_IEEE_F32LE, {1, 2, 3, 4, 5, 6});
  write_floats(group, "bias", {3}, H5T_IEEE_F64BE, {0.5F, -1.25F, 1e-3F});
  write_floats(group, "steps", {2}, H5T_STD_I64LE, {7, -8});
  write_floats(group, "packed", {4, 4}, H5T_IEEE_F32LE, std::vector<float>(16, 2.5F), true);
  H5Gclose(group);
  H5Lcreate_external("/etc/passwd", "/", file, "elsewhere", H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(file);
}

std::vector<std::byte> read_all(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(stream)), {});
  const auto* start = reinterpret_cast<const std::byte*>(text.data());
  return {start, start + text.size()};
}

void check_sample(const Hdf5File& file) {
  CHECK(file.kind("/") == Hdf5Kind::kGroup);
  CHECK(file.kind("/weights/kernel") == Hdf5Kind::kDataset);
  CHECK(file.kind("/weights/none") == Hdf5Kind::kNone);
  CHECK(file.members("/weights") == std::vector<std::string>{"bias", "kernel", "packed", "steps"});
  CHECK(file.text("/", "config") == "{\"a\": 1}");
  CHECK(file.text("/", "none") == std::nullopt);
  CHECK(file.texts("/weights", "names") == std::vector<std::string>{"kernel", "bias"});
  const Hdf5Floats kernel = file.floats("/weights/kernel");
  CHECK(kernel.shape == std::vector<std::int64_t>{2, 3});
  CHECK(kernel.values == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(file.floats("/weights/bias").values == std::vector<float>{0.5F, -1.25F, 1e-3F});
  CHECK(file.floats("/weights/steps").values == std::vector<float>{7, -8});
  CHECK(file.floats("/weights/packed").values == std::vector<float>(16, 2.5F));
}

}  // namespace

TEST_CASE("a file is read from its path and from memory") {
  const TemporaryFile sample("sample.h5");
  write_sample(sample.path);
  CHECK(Hdf5File::looks_like(sample.path));
  check_sample(Hdf5File(sample.path));
  check_sample(Hdf5File("'memory'", read_all(sample.path)));
}

// As JLD2 packs arrays: the newest layout has a kind of its own for them.
TEST_CASE("a dataset in a single chunk of the newest layout") {
  const TemporaryFile sample("one_chunk.h5");
  const hid_t plan = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(plan, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
  const hid_t id = H5Fcreate(sample.path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, plan);
  std::vector<float> values(2048);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 3;
  write_floats(id, "packed", {32, 64}, H5T_IEEE_F32LE, values, true);
  H5Fclose(id);
  H5Pclose(plan);
  const Hdf5File file(sample.path);
  CHECK(file.check_floats("/packed") == std::vector<std::int64_t>{32, 64});
  CHECK(file.values("/packed") == values);
}

TEST_CASE("links to other files lead nowhere") {
  const TemporaryFile sample("links.h5");
  write_sample(sample.path);
  const Hdf5File file(sample.path);
  CHECK(file.kind("/elsewhere") == Hdf5Kind::kNone);
  CHECK_THROWS_AS(file.floats("/elsewhere"), DamagedFile);
  CHECK_THROWS_AS(file.members("/elsewhere"), DamagedFile);
}

TEST_CASE("a dataset that claims more than the file holds is refused") {
  const TemporaryFile sample("claims.h5");
  const hid_t id = H5Fcreate(sample.path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  write_floats(id, "huge", {1 << 30}, H5T_IEEE_F32LE, {});  // never written: takes no room
  write_floats(id, "zeros", {1 << 20}, H5T_IEEE_F32LE, std::vector<float>(1 << 20), true);
  write_floats(id, "small", {1 << 12}, H5T_IEEE_F32LE, std::vector<float>(1 << 12, 1));
  H5Fclose(id);
  const Hdf5File file(sample.path);
  CHECK_THROWS_AS(file.floats("/huge"), DamagedFile);
  CHECK_THROWS_AS(file.floats("/zeros"), DamagedFile);
  // One dataset read again and again comes to an end, too.
  const auto read_often = [&] {
    for (int time = 0; time < 1000; ++time) static_cast<void>(file.floats("/small"));
  };
  CHECK_THROWS_AS(read_often(), DamagedFile);
}

TEST_CASE("what is no HDF5 file is refused") {
  const TemporaryFile sample("text.h5");
  std::ofstream(sample.path) << "not HDF5";
  CHECK_FALSE(Hdf5File::looks_like(sample.path));
  CHECK_THROWS_AS(Hdf5File{sample.path}, DamagedFile);
  CHECK_THROWS_AS(Hdf5File("'memory'", std::vector<std::byte>(100)), DamagedFile);
  CHECK_THROWS_AS(Hdf5File("'memory'", std::vector<std::byte>()), DamagedFile);
}

TEST_CASE("damaged files end in a sentence") {
  const TemporaryFile sample("damage.h5");
  write_sample(sample.path);
  const std::vector<std::byte> whole = read_all(sample.path);
  const auto attempt = [](std::vector<std::byte> bytes) {
    try {
      const Hdf5File file("'memory'", std::move(bytes));
      for (const char* attribute : {"config", "names"})
        for (const char* object : {"/", "/weights"})
          static_cast<void>(file.texts(object, attribute));
      for (const std::string& name : file.members("/weights"))
        static_cast<void>(file.floats("/weights/" + name));
    } catch (const ConvertError&) {
      return;
    }
  };
  for (std::size_t length = 0; length < whole.size(); length += 61)
    attempt({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
  std::mt19937 random(7);
  for (int time = 0; time < 5000; ++time) {
    std::vector<std::byte> bytes = whole;
    for (int flip = 0; flip <= time % 3; ++flip)
      bytes[random() % bytes.size()] ^= static_cast<std::byte>(1U << (random() % 8));
    attempt(std::move(bytes));
  }
}
