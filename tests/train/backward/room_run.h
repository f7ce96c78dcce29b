// One forward and backward of a room by hand: for numbers from elsewhere, and for sizes at which
// threads share the work.
#pragma once

#include <map>
#include <memory>

#include "tests/train/backward/harness.h"

namespace figment::testing {

class RoomRun {
 public:
  // `test` must outlive the run; its definition is not used.
  explicit RoomRun(const BackwardCase& test, pthreadpool* threads = nullptr,
                   Backend backend = Backend::kPortable);
  ~RoomRun();
  RoomRun(const RoomRun&) = delete;
  RoomRun& operator=(const RoomRun&) = delete;

  void set_momentum(float momentum);
  void forward();
  // All gradients that there are.
  void backward(const std::vector<float>& output_gradient);

  const std::vector<float>& output() const;
  const std::vector<float>& operand(std::size_t index) const;
  const std::vector<float>& gradient(std::size_t index) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

struct RoomResult {
  std::vector<float> output;
  std::vector<std::vector<float>> gradients;  // of every operand
};

// Both at once. `output_gradient`: as many numbers as the output has; empty: random ones.
RoomResult run_room(const format::OperatorOptionsUnion& options, std::vector<Operand> operands,
                    std::vector<float> output_gradient, Backend backend, pthreadpool* threads);

// Output and gradients have the same bits on one thread and on two.
void check_threads(const BackwardCase& test);

// Named arrays that a make_goldens_*.py wrote to goldens/: lines of name, rank, extents, numbers.
class Goldens {
 public:
  explicit Goldens(const std::string& name);

  const Operand& at(const std::string& name) const;
  // `values` are those of `name` within 1e-4.
  void check(const std::string& name, const std::vector<float>& values) const;

 private:
  std::map<std::string, Operand> arrays_;
};

}  // namespace figment::testing
