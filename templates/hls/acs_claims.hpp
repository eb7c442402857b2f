// The claims of the sources about their loops, in clock cycles: the interval at which iterations
// begin, and the depth of the pipeline that every run of the loop fills once.
//
// The C simulation counts iterations and multiplies; a synthesis report says whether it is true.
// PROGRAM_STEPS is not pipelined: its interval is everything of an instruction that no other loop
// has, from fetching the next one to counting.
//
//                  loop           interval  depth
#pragma once

// clang-format off

#define ACS_CLAIMS(CLAIM)                                                     \
  CLAIM(PROGRAM_STEPS, 5, 0)   /* fetch and decode 2, dispatch 3 */           \
  CLAIM(PROGRAM, 1, 4)         /* bus to distributed RAM */                   \
  CLAIM(JUDGE, 2, 9)           /* fetch and decode 2, check 6, store 1 */     \
  CLAIM(LOAD, 1, 5)            /* bus, split, bank */                         \
  CLAIM(TABLE, 1, 5)           /* bus, range, table */                        \
  CLAIM(LISTS, 1, 8)           /* first bit 3, words 2, run 1, list 2 */      \
  CLAIM(LAST_BURSTS, 1, 2)     /* burst, list */                              \
  CLAIM(ORDERED_LISTS, 1, 6)   /* table, mask, list */                        \
  CLAIM(PAIRS, 1, 5)           /* counts, product, sum */                     \
  CLAIM(LANE_ARRAY, 1, 27)     /* list 2, address 3, bank 2, window 4, product 3, sum 1, choice 1, \
                                  scaling 4, rounding 2, packing 2, bank 1, entry and exit 2 */    \
  CLAIM(GAVG, 1, 13)           /* mask and bank 3, sum of 128 4, scaling 3, rounding 2, store 1 */ \
  CLAIM(ROWS, 1, 14)           /* bus and vector 3, products 2, sum of 8 3, scaling 3, rounding 2, \
                                  store 1 */                                                       \
  CLAIM(COPY, 1, 5)            /* bank, choice, vector or bus */              \
  CLAIM(TRACE_VECTOR, 1, 4)    /* store, bus */                               \
  CLAIM(DRAIN, 1, 2)           /* bus */                                      \
  CLAIM(HEADER, 1, 4)          /* registers, bus */
