// Sentences are put together without the heap and cut where they are too long.
#include "runtime/base/error.h"

#include <doctest/doctest.h>

#include <string>

namespace figment {
namespace {

TEST_CASE("a sentence holds text, numbers and shapes") {
  Shape shape;
  shape.rank = 3;
  shape[0] = 1;
  shape[1] = 28;
  shape[2] = 4;
  const Status status =
      bad_file({"shape ", shape, " and ", -17, " and ", INT64_MIN, " and ", Shape{}});
  CHECK(status.code == ErrorCode::kBadFile);
  CHECK(status.message() == "shape 1x28x4 and -17 and -9223372036854775808 and a scalar");
}

TEST_CASE("a long sentence is cut, not overrun") {
  const std::string words(1000, 'x');
  const Status status = bad_argument({std::string_view(words), 5});
  CHECK(status.message() == words.substr(0, Status::kMessageBytes));
}

TEST_CASE("success has no message") {
  CHECK(Status().ok());
  CHECK(Status().message().empty());
}

}  // namespace
}  // namespace figment
