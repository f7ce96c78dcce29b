// Operators on pictures give the same bits on one thread and on several, for tensors that are large
// enough to be shared out.
#include <doctest/doctest.h>

#include <cstring>

#include "tests/support/threads.h"
#include "tests/train/backward/room_run.h"
namespace figment::testing {
namespace {

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

void check_threads(const format::OperatorOptionsUnion& options,
                   const std::vector<Operand>& operands) {
  CAPTURE(format::EnumNameOperatorOptions(options.type));
  const test::Threads threads(3);  // where there are none, one run must still equal the next
  const RoomResult one = run_room(options, operands, {}, Backend::kPortable, nullptr);
  const RoomResult three = run_room(options, operands, {}, Backend::kPortable, threads.get());
  CHECK(same_bits(one.output, three.output));
  for (std::size_t k = 0; k < operands.size(); ++k)
    CHECK(same_bits(one.gradients[k], three.gradients[k]));
}

template <typename Options>
Options window(int stride, int pad, int groups) {
  Options options;
  options.stride_height = options.stride_width = stride;
  options.pad_top = options.pad_bottom = options.pad_left = options.pad_right = pad;
  options.groups = groups;
  return options;
}

TEST_CASE("convolutions on several threads") {
  check_threads(options_of(window<format::Conv2DT>(2, 1, 1)),
                {random_operand({5, 30, 28, 20}, 1), random_operand({13, 4, 4, 20}, 2),
                 random_operand({13}, 3)});
  check_threads(options_of(window<format::Conv2DT>(1, 1, 1)),
                {random_operand({2, 30, 28, 20}, 1), random_operand({3, 3, 3, 20}, 2),
                 random_operand({3}, 3)});
  check_threads(options_of(window<format::Conv2DT>(1, 1, 70)),
                {random_operand({4, 9, 11, 70}, 1), random_operand({70, 3, 3, 1}, 2),
                 random_operand({70}, 3)});
  check_threads(options_of(window<format::ConvTranspose2DT>(2, 1, 1)),
                {random_operand({5, 13, 14, 20}, 1), random_operand({1, 4, 4, 13, 20}, 2),
                 random_operand({13}, 3)});
}

TEST_CASE("pooling, resizing and moves on several threads") {
  format::Pool2DT pool;
  pool.kernel_height = pool.kernel_width = 3;
  pool.stride_height = pool.stride_width = 2;
  check_threads(options_of(pool), {random_operand({4, 21, 23, 20}, 1)});
  pool.function = format::PoolFunction::Average;
  check_threads(options_of(pool), {random_operand({4, 21, 23, 20}, 1)});
  format::ResizeT resize;
  resize.mode = format::ResizeMode::Linear;
  resize.height = 30;
  resize.width = 31;
  check_threads(options_of(resize), {random_operand({4, 21, 23, 20}, 1)});
  format::DepthToSpaceT depth;
  depth.block = 2;
  check_threads(options_of(depth), {random_operand({4, 21, 23, 20}, 1)});
  format::SpaceToDepthT space;
  space.block = 2;
  check_threads(options_of(space), {random_operand({4, 22, 24, 20}, 1)});
  format::PadT pad;
  pad.mode = format::PadMode::Reflect;
  pad.before = {0, 2, 3, 0};
  pad.after = {0, 1, 2, 0};
  check_threads(options_of(pad), {random_operand({4, 22, 24, 20}, 1)});
}

}  // namespace
}  // namespace figment::testing
