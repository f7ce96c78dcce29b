// Archives that are whole, and those that are not: one sentence each.
#include "converter/import/zip_file.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <random>

#include "converter/graph/graph.h"
#include "tests/import/zip_builder.h"

namespace figment::testing {
namespace {

using converter::ZipFile;

// A file of the temporary folder that goes with the test.
struct Place {
  Place() {
    std::string name = (std::filesystem::temp_directory_path() / "figment-zip-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    path = folder / "archive.zip";
  }
  ~Place() { std::filesystem::remove_all(folder); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  std::string bytes() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& bytes) const {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }
  std::filesystem::path folder, path;
};

std::string text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// What is said of the file when all of it is read; empty: nothing.
std::string refusal(const std::filesystem::path& path) {
  try {
    const ZipFile archive(path);
    for (const ZipFile::Entry& entry : archive.entries()) {
      archive.check(entry.name);
      archive.read(entry.name);
    }
  } catch (const converter::ConvertError& error) {
    return error.what();
  }
  return {};
}

bool mentions(const std::string& sentence, const char* what) {
  return sentence.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("entries stored and deflated are read as they were") {
  const Place place;
  const std::string long_text(3000, 'x');
  for (const Packing packing : {Packing::kStored, Packing::kDeflated}) {
    write_zip(place.path,
              {{"a/data.pkl", "hello"}, {"folder/", ""}, {"empty", ""}, {"long", long_text}},
              packing);
    CHECK(converter::is_zip(place.path));
    const ZipFile archive(place.path);
    REQUIRE(archive.entries().size() == 3);
    CHECK(archive.entries()[0].name == "a/data.pkl");
    CHECK(archive.entries()[2].bytes == 3000);
    CHECK(text(archive.read("a/data.pkl")) == "hello");
    CHECK(archive.read("empty").empty());
    CHECK(text(archive.read("long")) == long_text);
    CHECK(text(archive.read("a/data.pkl")) == "hello");
    CHECK(archive.check("long") == 3000);
    CHECK_THROWS_AS(archive.check("nothing"), converter::DamagedFile);
    CHECK(archive.find("nothing") == nullptr);
    CHECK_THROWS_AS(archive.read("nothing"), converter::DamagedFile);
  }
}

TEST_CASE("what is no whole archive is refused") {
  const Place place;
  CHECK(mentions(refusal(place.path), "check the path"));
  CHECK_FALSE(converter::is_zip(place.path));
  place.write("PK");
  CHECK_FALSE(converter::is_zip(place.path));
  CHECK(mentions(refusal(place.path), "no whole ZIP archive"));
  write_zip(place.path, {{"twice", "1"}, {"twice", "2"}});
  CHECK(mentions(refusal(place.path), "'twice' stands in it twice"));
  write_zip(place.path, {{"a\nb", "1"}});
  CHECK(mentions(refusal(place.path), "control characters"));
  write_zip(place.path, {{std::string(2000, 'n'), "1"}});
  CHECK(mentions(refusal(place.path), "too long"));
}

TEST_CASE("an archive that unpacks to far more than its size is refused before it does") {
  const Place place;
  const std::string zeros(std::size_t{3} << 20, '\0');
  write_zip(place.path, {{"zeros", zeros}}, Packing::kDeflated);
  CHECK(std::filesystem::file_size(place.path) < 10000);
  CHECK(mentions(refusal(place.path), "would unpack to more than 4 times its size (at 'zeros')"));
  // Parts that are small enough alone count together.
  const std::string part(700000, '\0');
  write_zip(place.path, {{"first", part}, {"second", part}}, Packing::kDeflated);
  CHECK(mentions(refusal(place.path), "(at 'second')"));
  write_zip(place.path, {{"first", part}}, Packing::kDeflated);
  CHECK(refusal(place.path).empty());
}

TEST_CASE("an archive that is cut off or has damaged bytes never does more than be refused") {
  const Place place;
  for (const Packing packing : {Packing::kStored, Packing::kDeflated}) {
    write_zip(place.path, {{"a/one", "hello, hello, hello"}, {"a/two", std::string(300, 'y')}},
              packing);
    const std::string whole = place.bytes();
    // The last two bytes are the length of a comment.
    for (std::size_t length = 0; length < whole.size() - 2; length += 7) {
      place.write(whole.substr(0, length));
      CAPTURE(length);
      CHECK(!refusal(place.path).empty());
    }
    std::mt19937 random(11);
    int refused = 0;
    for (int round = 0; round < 600; ++round) {
      std::string bytes = whole;
      for (int change = 0; change < 1 + round % 3; ++change)
        bytes[random() % bytes.size()] = static_cast<char>(random() % 256);
      place.write(bytes);
      const std::string sentence = refusal(place.path);
      refused += sentence.empty() ? 0 : 1;
      CHECK(sentence.find('\n') == std::string::npos);
    }
    CHECK(refused > 200);
  }
}

}  // namespace figment::testing
