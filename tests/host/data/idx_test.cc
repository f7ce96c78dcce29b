// IDX files: MNIST's format, whole and damaged, plain and compressed.
#include "targets/host/data/idx.h"

#include <zlib.h>

#include "tests/host/data/files.h"

namespace figment::testing {
namespace {

using host::ExitCode;
using host::open_data_set;

std::string compress(const std::string& text) {
  std::string bytes(text.size() + 100, '\0');
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  bytes.resize(stream.total_out);
  deflateEnd(&stream);
  return bytes;
}

}  // namespace

TEST_CASE("bytes of an IDX file are pixels between black and white") {
  const ScratchFolder folder;
  write_text(folder / "x", idx_file(8, {2, 2, 2}, std::string("\0\xff\x33\x66zzzz", 8)));
  host::ExampleForm form = form_of({1, 4});
  form.low = -1;
  const auto data = open_data_set(folder / "x", form);
  CHECK(data->count() == 2);
  const std::vector<float> values = read_example(*data, form, 0);
  CHECK(values[0] == -1);
  CHECK(values[1] == 1);
  CHECK(values[2] == doctest::Approx(-0.6));
  CHECK(values[3] == doctest::Approx(-0.2));
}

TEST_CASE("an IDX file's labels are whole numbers, of the highest byte first") {
  const ScratchFolder folder;
  const host::ExampleForm form = form_of({1}, {}, DataType::kInt32);
  write_text(folder / "bytes", idx_file(8, {3}, "\x01\x02\xff"));
  CHECK(read_example<std::int32_t>(*open_data_set(folder / "bytes", form), form, 2)[0] == 255);
  write_text(folder / "ints", idx_file(12, {2}, std::string("\0\0\1\2\xff\xff\xff\xfe", 8)));
  CHECK(read_example<std::int32_t>(*open_data_set(folder / "ints", form), form, 0)[0] == 258);
  CHECK(read_example<std::int32_t>(*open_data_set(folder / "ints", form), form, 1)[0] == -2);
}

TEST_CASE("a compressed IDX file is read as what is inside") {
  const ScratchFolder folder;
  const std::string plain = idx_file(8, {3, 200}, std::string(600, '\x7f'));
  const std::string packed = compress(plain);
  const host::ExampleForm form = form_of({1, 200});
  write_text(folder / "x.gz", packed);
  CHECK(open_data_set(folder / "x.gz", form)->count() == 3);
  // Two members make one file.
  write_text(folder / "two.gz", compress(plain.substr(0, 100)) + compress(plain.substr(100)));
  CHECK(open_data_set(folder / "two.gz", form)->count() == 3);

  write_text(folder / "cut.gz", packed.substr(0, packed.size() - 9));
  check_refused([&] { open_data_set(folder / "cut.gz", form); }, ExitCode::kBadFile, "cut short");
  std::string damaged = packed;
  damaged[14] = static_cast<char>(damaged[14] ^ 0x55);
  damaged[15] = static_cast<char>(damaged[15] ^ 0x55);
  write_text(folder / "damaged.gz", damaged);
  check_refused([&] { open_data_set(folder / "damaged.gz", form); }, ExitCode::kBadFile,
                "damaged.gz");
}

TEST_CASE("an IDX file that is not what it says is refused") {
  const ScratchFolder folder;
  const host::ExampleForm form = form_of({1, 4});
  const auto refuse = [&](const std::string& bytes, ExitCode code, const std::string& words) {
    write_text(folder / "x", bytes);
    check_refused([&] { open_data_set(folder / "x", form); }, code, words);
  };
  refuse("", ExitCode::kBadFile, "is empty");
  refuse("nothing of the kind", ExitCode::kBadFile, "is no data");
  refuse(idx_file(8, {2, 4}, "1234567"), ExitCode::kBadFile, "cut short");
  refuse(idx_file(8, {2, 4}, "123456789"), ExitCode::kBadFile, "more than its shape says");
  refuse(idx_file(8, {2, 4}, "").substr(0, 9), ExitCode::kBadFile, "cut short");
  refuse(idx_file(8, {0xffffffff, 0xffffffff, 0xffffffff}, "1234"), ExitCode::kBadFile,
         "cut short");
  refuse(idx_file(8, {0, 4}, ""), ExitCode::kBadArgument, "holds no example");
  refuse(idx_file(8, {2, 3}, "123456"), ExitCode::kBadArgument,
         "holds examples of shape 3 but input 'x' takes 4");
}

}  // namespace figment::testing
