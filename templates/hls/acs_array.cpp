#include "acs_array.hpp"

#include "acs_post.hpp"

namespace acs {

uint64_t run_array(const Job &job, const Job &next, bool has_next, Lists &lists,
                   params_port params, Memories &memories, Loader &loader) {
  Lanes lanes;
  Walker walker = Walker();
  Dealer dealer = Dealer();
  Post post = Post();
  Writer writer = Writer();
  Clearer clearer = Clearer();
  uint64_t iterations = 0;

  start_loader(job, loader);
  start_clearer(job, clearer);
  bool busy = true;
LANE_ARRAY:
  while (busy) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_ARRAY
    ACS_LOOP(LANE_ARRAY);

    const bool residual = wants_residual(job, post);
    const bool last = at_last_iteration(job, walker);
    const bool adds = walker.busy && !residual && (!last || post_free(job, post));

    if (residual || adds) {
      const int leaving = int(post.entry[int(post.item)].residual);
      Tap tap;
      FeatureReads reads;
      Window window;
      if (residual) {
        plan_block(leaving, reads);
      } else {
        tap = locate_tap(job, lists, walker);
        plan_windows(job, tap, int(walker.round.block), walker.round.second, reads, window);
      }
      const FeatureData data = read_features(memories, reads);
      if (residual) {
        take_residual(data, leaving, post);
      } else {
        add_tap(job, memories, walker, tap, data, window, lanes);
      }
    }
    write_features(job, memories, writer, clearer);
    find_masked(job, memories, clearer);
    post_slice(job, lanes, post, writer);

    if (adds) {
      if (!walker.round.blank) ++iterations;
      next_tap(job, walker);
    }
    if (adds && last) {
      leave(walker.round, lanes, post);
      if (walker.round.last) release_chunk(walker.round.place, loader);
    }
    deal_item(job, memories, lists, loader, dealer);
    if ((adds && last) || !walker.busy) take_round(dealer, walker);

    store_word(job, next, params, memories, lists, loader);
    ask_burst(job, next, lists, params, loader);
    name_chunk(job, next, has_next, lists, loader);

    busy = !(loader.chunker.done || loader.chunker.next) || loader.undealt != 0u || dealer.full ||
           walker.busy || post.busy || writer.left != 0u || clearer.busy ||
           loader.storer.entries_left != 0u;
  }
  return iterations;
}

}  // namespace acs
