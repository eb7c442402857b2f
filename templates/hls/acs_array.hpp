// The lane array: CONV, ELTWISE, POOL and SCALE in one flat loop.
#pragma once

#include "acs_loader.hpp"

namespace acs {

// Runs a job.  `next` is the instruction behind it; where `has_next` says that its weights do not
// depend on a mask, their loading begins.  Returns the iterations in which the lanes added up.
uint64_t run_array(const Job &job, const Job &next, bool has_next, Lists &lists, params_port params,
                   Memories &memories, Loader &loader);

}  // namespace acs
