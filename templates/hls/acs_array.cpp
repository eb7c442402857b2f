#include "acs_array.hpp"

#include "acs_post.hpp"

namespace acs {

uint64_t run_array(const Job &job, const Job &next, bool has_next, Lists &lists, params_port params,
                   Memories &memories, Loader &loader) {
  Lanes lanes;
#pragma HLS ARRAY_PARTITION variable=lanes.sums complete dim=0
#pragma HLS ARRAY_PARTITION variable=lanes.leaving complete dim=0
  Walker walker = Walker();
#pragma HLS ARRAY_PARTITION variable=walker.round.item complete
#pragma HLS ARRAY_PARTITION variable=walker.round.reads complete
#pragma HLS ARRAY_PARTITION variable=walker.round.constants complete
  Dealer dealer = Dealer();
#pragma HLS ARRAY_PARTITION variable=dealer.round.item complete
#pragma HLS ARRAY_PARTITION variable=dealer.round.reads complete
#pragma HLS ARRAY_PARTITION variable=dealer.round.constants complete
  Post post = Post();
#pragma HLS ARRAY_PARTITION variable=post.entry complete
#pragma HLS ARRAY_PARTITION variable=post.residual complete
#pragma HLS ARRAY_PARTITION variable=post.pixel complete
  Writer writer = Writer();
#pragma HLS ARRAY_PARTITION variable=writer.pixel complete
  Clearer clearer = Clearer();
#pragma HLS ARRAY_PARTITION variable=clearer.arriving complete
  segment_t kept[acs_isa::SEGMENTS] = {};  // the first window's words, under the taps of a row
#pragma HLS ARRAY_PARTITION variable=kept complete
  uint64_t iterations = 0;

  start_loader(job, loader);
  start_clearer(job, clearer);
  bool busy = true;
LANE_ARRAY:
  while (busy) {
#pragma HLS PIPELINE II=1 style=flp
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_ARRAY
// A result meets neither its source nor its residual: no word that is written is read in this loop.
#pragma HLS DEPENDENCE variable=memories.half type=inter dependent=false
// Words of rows are used MARGIN iterations after they were stored.
#pragma HLS DEPENDENCE variable=memories.weights type=inter direction=RAW distance=8 dependent=true
#pragma HLS DEPENDENCE variable=memories.first_rows type=inter direction=RAW distance=8 dependent=true
#pragma HLS DEPENDENCE variable=memories.records type=inter direction=RAW distance=8 dependent=true
// Entries that are written into the lists belong to the next instruction.
#pragma HLS DEPENDENCE variable=lists.inputs type=inter dependent=false
#pragma HLS DEPENDENCE variable=lists.output_rows type=inter dependent=false
#pragma HLS DEPENDENCE variable=lists.output_channels type=inter dependent=false
    ACS_LOOP(LANE_ARRAY);
    static_assert(MARGIN == 8, "the distance of the pragmas");

    // Every unit decides by registers as the iteration before left them: counters that step by one,
    // compared with numbers that stay.  Downstream units come first.

    // The loop ends an iteration late, so that its end hangs on nothing that this one computes.
    busy = !(loader.chunker.done || loader.chunker.next) || loader.undealt != 0u || dealer.full ||
           walker.busy || post.busy || writer.left != 0u || clearer.busy ||
           loader.storer.entries_left != 0u;

    const bool last = at_last_iteration(job, walker);
    const bool walks = walker.busy && !lacks_words(loader, walker);
    const bool reads = walks && reads_window(job, walker);
    const bool residual = wants_residual(job, post);
    // Where the taps of a row share what is read, a residual waits for an iteration that reads
    // nothing, which is the next one.  Otherwise, and where taps have time, a tap waits for it.
    const bool waits = residual && reads && shares_reads(job, walker) && !walker.round.brief;
    const bool takes = residual && !waits;
    const bool adds = walks && !(takes && reads) && (!last || post_free(job, post));

    if (takes || adds) {
      const Tap tap = locate_tap(job, lists, walker);
      FeatureReads wanted;
      Window window;
      plan_windows(tap, walker.round.block, walker.round.second, wanted, window);
      if (takes) plan_block(post.entry[int(post.item)].residual, wanted);
      const FeatureData data = read_features(memories, wanted);
      if (takes) take_residual(data, post.entry[int(post.item)].residual, post);
      if (adds && reads) keep_words(data, window, kept);
      const FeatureData seen[WINDOWS] = {in_both_halves(kept), data};
      bool in_columns[acs_isa::LANES];
#pragma HLS ARRAY_PARTITION variable=in_columns complete
      // Those whose column, moved by the tap, is inside the plane.
      const signed_t<8> start = -int(tap.dx);
      const signed_t<8> end = int(tap.columns) - int(tap.dx);
      find_columns(int(start), int(end), int(tap.row_log2), in_columns);
      segment_t pixels[WINDOWS][acs_isa::SEGMENTS];
#pragma HLS ARRAY_PARTITION variable=pixels complete dim=0
    EACH_WINDOW:
      for (int which = 0; which < WINDOWS; ++which) {
#pragma HLS UNROLL
        shift_window(seen[which], window, tap, which, in_columns, pixels[which]);
      }
      if (adds) {
        weight_t weight[LANE_GROUPS];
#pragma HLS ARRAY_PARTITION variable=weight complete
        read_weights(job, memories, walker, tap, weight);
        const bool first = walker.input == 0u && walker.tap == 0u;
        add_tap(job, walker, first, pixels, weight, lanes);
      }
    }
    const bool cleared = !clearer.any;
    const bool ends = write_features(job, memories, writer, clearer);
    find_masked(job, memories, ends, cleared, clearer);
    if (!waits) post_slice(job, lanes, post, writer);

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

    if (store_word(job, next, params, memories, lists, loader)) {
      // Rows are stored group by group: no other ones are on their way into a round.
      walker.round.growing = false;
      dealer.round.growing = false;
    }
    ask_burst(job, next, lists, params, loader);
    name_chunk(job, next, has_next, lists, loader);
  }
  return iterations;
}

}  // namespace acs
