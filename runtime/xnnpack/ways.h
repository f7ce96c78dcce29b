// Operators that can be run in several ways: the choice among them, and what follows from it.
//
// A way is a room of its own with an estimate of its cost; the operator's room lists its ways. This
// is the one place that chooses.
#pragma once

#include "runtime/xnnpack/lowering.h"

namespace figment::xnnpack {

// Everything that a way does, in the time of one multiply-add of a matrix product that runs at the
// processor's full speed.
using Cost = double;

struct Way {
  const char* name;  // what Build::lowering becomes
  FastRoom room;
  Cost (*cost)(const Operation& operation);
};

// Every way of any operator, by name.
std::span<const char* const> way_names();

// Whether any way accepts the operation.
bool any_way_accepts(std::span<const Way* const> ways, const Operation& operation);
// Creates the way that the file wishes for, or else the cheapest, of those that accept the
// operation. The state is for bind_way and run_way.
Status create_best(std::span<const Way* const> ways, const Operation& operation, Build& build);
bool bind_way(const Operation& operation, void* state);
bool run_way(const Operation& operation, void* state);

// The multiply-adds of `rows` rows, with columns rounded up to whole vectors.
Cost product_cost(double rows, double columns, double depth);
// Weights that do not stay in a second-level cache from run to run are read anew, however few the
// rows. That goes on beside the arithmetic: the longer of the two counts.
Cost weights_cost(double bytes);
// Both, for weights that are multiplied as they are stored: int8 as integers.
Cost matrix_cost(const Tensor& weights, double rows, double columns, double depth);

// What products of integers cost beside their multiply-adds: rows quantized, sums made numbers.
Cost integers_cost(double rows, double columns, double depth);

extern const Way kDirectConv2D;
extern const Way kSmallWinograd;
extern const Way kLargeWinograd;
extern const Way kSmallWinogradInt8;
extern const Way kLargeWinogradInt8;
extern const Way kDenseConvTranspose2D;
extern const Way kColumnsWay;
extern const Way kWindowsWay;
extern const Way kPhasesWay;
extern const Way kDirectConvTranspose2D;

}  // namespace figment::xnnpack
