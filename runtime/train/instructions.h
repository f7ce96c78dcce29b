// What the instructions of a pass do. Which fields of an instruction count stands at each.
#pragma once

#include "runtime/train/state.h"

namespace figment::train {

// call: an operator's forward or backward, backward_room and room say whose.
void run_forward(Context& context, const Instruction& instruction);
void run_backward(Context& context, const Instruction& instruction);

// a: the weights that `parameter` stands for; choice: 1 where spectral normalization follows them.
void run_form(Context& context, const Instruction& instruction);
// a: input 0 of call, a constant, as float32.
void run_widen(Context& context, const Instruction& instruction);
// From a, the gradient by the weights formed, to b, that by what learns; choice: 1 where it is
// added.
void run_return_gradient(Context& context, const Instruction& instruction);
// The same for an adapter, by rows: a has room for `width` of them.
void run_adapter_rows(Context& context, const Instruction& instruction);
// a += b, `count` numbers.
void run_add(Context& context, const Instruction& instruction);

// What learns moves by a, its gradient.
void run_update(Context& context, const Instruction& instruction);
// The same by rows: a has room for the gradient of `width` of them.
void run_update_rows(Context& context, const Instruction& instruction);
// The norm of all gradients that model `choice` keeps, and the scale that brings it to the limit.
void run_clip(Context& context, const Instruction& instruction);
// The averages of what `model` learns move toward it.
void run_average(Context& context, const Instruction& instruction);

// Runs the forward operators up to context.broken again and blames the first that gives a NaN or an
// infinity.
Status blame(Context& context);

}  // namespace figment::train
