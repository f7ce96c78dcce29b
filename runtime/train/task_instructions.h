// What the instructions between the passes of a task do: losses, latents, labels.
#pragma once

#include "runtime/train/state.h"

namespace figment::train {

// a [count / width, width]: what the model gave; b: where its gradient goes; c or integers: the
// target. choice: 1 where the loss is a sum over an example, 0 where it is a mean over elements.
void run_loss(Context& context, const Instruction& instruction);

// The latent d [count, width] = a + e^(b/2) * c, c drawn from N(0,1); a and b have rows `choice`
// floats apart.
void run_draw(Context& context, const Instruction& instruction);
// From d, the gradient by the latent, e and f, those by a and b of run_draw. With the divergence's:
// d mean = dz + beta mean / B, d log variance = dz * noise * e^(v/2) / 2 + beta (e^v - 1) / 2B.
void run_draw_backward(Context& context, const Instruction& instruction);

// a: logits [count]; b: their gradient; choice: the side.
void run_adversarial(Context& context, const Instruction& instruction);
// a [count]: a latent from the model's prior.
void run_latent(Context& context, const Instruction& instruction);
// a [count, width]: a 1 at each number of the class.
void run_one_hot(Context& context, const Instruction& instruction);
// Weights of the discriminator stay within +-clip_weights.
void run_clip_weights(Context& context, const Instruction& instruction);

}  // namespace figment::train
