// What a benchmark wants to know of this process: when it began, how much memory it has held.
#pragma once

#include <cstddef>

namespace figment::host {

// Milliseconds of a clock that never goes back.
double now_ms();

// To be called first in main(). The loader's work before main is counted by the processor time used
// so far, which is finer than the start time that the kernel keeps (10 ms).
void note_process_start();

double ms_since_process_start();

// The most memory that this process has held at once; 0 where the system does not tell.
std::size_t peak_resident_bytes();

}  // namespace figment::host
