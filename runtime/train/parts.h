// What this build can learn beside VAEs, autoencoders and supervised models: -DFIGMENT_LEARN
// (runtime/train/CMakeLists.txt). What is left out costs no code: every way to it begins with one
// of these.
#pragma once

#include "figment/train.h"

namespace figment::train {

inline constexpr bool kLearnsGans = FIGMENT_LEARN_GAN != 0;  // and what bounds their discriminators
inline constexpr bool kLearnsAdapters = FIGMENT_LEARN_ADAPTERS != 0;
inline constexpr bool kLearnsClasses = FIGMENT_LEARN_CROSS_ENTROPY != 0;

// The part that `options` need and that this build has not, by its name in FIGMENT_LEARN; null when
// it has all.
inline const char* missing_part(const TrainOptions& options) {
  if (!kLearnsGans && (options.task == figment::Task::kGan || options.spectral_normalization ||
                       options.clip_weights > 0))
    return "gan";
  if (!kLearnsAdapters &&
      (options.selection.adapter_rank > 0 || options.partner_selection.adapter_rank > 0))
    return "adapters";
  if (!kLearnsClasses && options.loss == Loss::kCrossEntropy) return "cross_entropy";
  return nullptr;
}

}  // namespace figment::train
