#include "acs_sequencer.hpp"

#include "acs_array.hpp"
#include "acs_check.hpp"
#include "acs_copies.hpp"
#include "acs_vectors.hpp"

namespace acs {

namespace {

using acs_isa::Status;

// Instructions that are read in one burst and kept; a longer program comes page by page.
const int PAGE = 64;

// What the check makes of an instruction.
struct Judgement {
  Products products;
  Status status;
};

struct Page {
  uint64_t words[acs_isa::INSTRUCTION_WORDS][PAGE];
  Judgement judgements[PAGE];
};

// An instruction, and its judgement.
struct Fetched {
  Instruction op;
  Products products;
  Status status;
};

// The whole instructions of a program from its instruction `first` on, as far as a page holds them.
int instructions_left(uint32_t first, uint32_t program_words) {
  const uint32_t left = program_words / uint32_t(acs_isa::INSTRUCTION_WORDS) - first;
  return left < uint32_t(PAGE) ? int(left) : PAGE;
}

void read_page(const word_t *program, uint32_t first, int instructions, Page &page) {
  const int words = instructions * acs_isa::INSTRUCTION_WORDS;
  const word_t *const source = program + first * uint32_t(acs_isa::INSTRUCTION_WORDS);
  ACS_BURST(words);
PROGRAM:
  for (int i = 0; i < words; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_PROGRAM_WORDS
    ACS_LOOP(PROGRAM);
    ACS_PORT_TRACE(words, i % acs_isa::INSTRUCTION_WORDS, read_page, true,
                   i / acs_isa::INSTRUCTION_WORDS);
    page.words[i % acs_isa::INSTRUCTION_WORDS][i / acs_isa::INSTRUCTION_WORDS] =
        uint64_t(source[i]);
  }
}

Instruction read_instruction(const Page &page, int place, bool trace,
                             uint64_t words[acs_isa::INSTRUCTION_WORDS]) {
#pragma HLS INLINE
EACH_WORD:
  for (int i = 0; i < acs_isa::INSTRUCTION_WORDS; ++i) {
#pragma HLS UNROLL
    ACS_PORT_TRACE(words, i, read_instruction, false, place);
    words[i] = page.words[i][place];
  }
  Instruction op = acs_isa::decode(words);
  if (!trace) op.trace_addr = 0;
  return op;
}

// Judges all instructions of a page, whether or not the program will come to them.
void judge_page(const BufferSizes &sizes, bool trace, int instructions, Page &page) {
JUDGE:
  for (int i = 0; i < instructions; ++i) {
#pragma HLS PIPELINE II=2
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_INSTRUCTIONS
    ACS_LOOP(JUDGE);
    uint64_t words[acs_isa::INSTRUCTION_WORDS];
#pragma HLS ARRAY_PARTITION variable=words complete
    const Instruction op = read_instruction(page, i, trace, words);
    Judgement judgement;
    judgement.status = check_instruction(op, words, sizes, judgement.products);
    ACS_PORT_TRACE(judgements, 0, judge_page, true, i);
    page.judgements[i] = judgement;
  }
}

Fetched fetch(const word_t *program, uint32_t index, const BufferSizes &sizes, bool trace,
              Page &page) {
#pragma HLS INLINE off
  Fetched fetched;
  if (uint64_t(index + 1) * acs_isa::INSTRUCTION_WORDS > sizes.program) {
    fetched.op = Instruction();
    fetched.products = Products();
    fetched.status = acs_isa::STATUS_NO_END;
    return fetched;
  }
  const int place = int(index % PAGE);
  if (place == 0) {
    const int instructions = instructions_left(index, sizes.program);
    read_page(program, index, instructions, page);
    judge_page(sizes, trace, instructions, page);
    ACS_LOOP_AROUND(PROGRAM_STEPS);
  }
  uint64_t words[acs_isa::INSTRUCTION_WORDS];
#pragma HLS ARRAY_PARTITION variable=words complete
  fetched.op = read_instruction(page, place, trace, words);
  ACS_PORT_TRACE(judgements, 0, fetch, false, place);
  const Judgement judgement = page.judgements[place];
  fetched.products = judgement.products;
  fetched.status = judgement.status;
  return fetched;
}

// A convolution that can be prepared, and whose rows can be asked for, before the instruction in
// front of it has ended.  A table that masks choose from must be read first.
bool loads_ahead(const Fetched &fetched) {
  return fetched.status == acs_isa::STATUS_OK && fetched.op.opcode == unsigned(acs_isa::OP_CONV) &&
         !(fetched.op.has_table && is_masked(fetched.op));
}

bool is_linear(const Fetched &fetched) {
  return fetched.status == acs_isa::STATUS_OK && fetched.op.opcode == unsigned(acs_isa::OP_LINEAR);
}

void count_conv(const Job &job, Deeds &deeds) {
#pragma HLS INLINE off
// An instruction is counted once: its products wait for each other.
#pragma HLS ALLOCATION operation instances=mul limit=1
  const Instruction &op = job.op;
  typedef count_t<acs_isa::MAX_CHANNELS * acs_isa::MAX_CHANNELS> pairs_t;
  const unsigned_t<20> pixels = unsigned(job.taps) * unsigned(op.pixels);
  // Input times output of its group, over all groups.  Of active ones of one group they are one
  // product, too.
  const pairs_t all = unsigned(job.inputs) * unsigned(op.channels);
  const pairs_t executed = !is_masked(op) ? unsigned(all)
                           : lists_in_order(op)
                               ? unsigned(job.counts.pairs)
                               : unsigned(job.counts.inputs) * unsigned(job.counts.outputs);
  const pairs_t skipped = unsigned(all) - unsigned(executed);
  deeds.macs_executed = uint64_t(executed) * uint64_t(pixels);
  deeds.macs_skipped = uint64_t(skipped) * uint64_t(pixels);
  deeds.channels_executed = job.counts.outputs;
  deeds.channels_skipped = job.counts.masked;
  const unsigned rows = unsigned(job.counts.outputs) * unsigned(job.counts.row_words);
  const unsigned records =
      acs_isa::has_masked_records(op) ? unsigned(job.counts.masked) * acs_isa::RECORD_WORDS : 0u;
  const unsigned table =
      op.has_table ? unsigned(ceil_div<TABLE_ENTRIES>(int(job.inputs) + int(job.outputs))) : 0u;
  deeds.read_words = deeds.read_words + (rows + records + table);
}

// The preparations of the instruction that comes next.
struct Ahead {
  bool lists;  // its lists are made
  bool table;  // its table is in the lists
  int list;    // its place in the lists
  ListCounts counts;
};

// Runs a job of the lane array.  Masks change only in LINEAR, so that every instruction behind an
// array instruction can be prepared before it.
Status run_job(const Fetched &now, const Fetched &next, params_port params, Lists &lists,
               Memories &memories, Loader &loader, Ahead &ahead, Deeds &deeds) {
// The lists of two instructions are made one after the other: by one unit.
#pragma HLS ALLOCATION function instances=make_lists limit=1
  const Instruction &op = now.op;
  const bool conv = op.opcode == unsigned(acs_isa::OP_CONV);
  const int list = ahead.list;
  const int next_list = 1 - list;
  const bool has_next = loads_ahead(next);
  const bool makes = conv && !ahead.lists;
  const MaskedInputs inputs = masked_inputs(op, now.products, list);
  const MaskedInputs next_inputs = masked_inputs(next.op, next.products, next_list);
  // A gate masks the outputs of a convolution and the inputs of the one behind it: their lists are
  // made in one pass.
  const bool both = makes && has_next && has_mask(int(op.mask_out)) && !lists_in_order(op) &&
                    !has_mask(int(inputs.mask)) && has_mask(int(next_inputs.mask)) &&
                    !has_mask(int(next.op.mask_out));
  ListCounts counts = ahead.counts;
  ListCounts next_counts = count_all(next.op, next.products);
  InputLists made = {0, 0, 0};
  if (conv) {
    if (op.has_table) {
      const bool valid = ahead.table ? loader.storer.table.valid
                                     : read_tables(op, now.products, params, lists, list);
      if (!valid) return acs_isa::STATUS_BAD_FIELD;
    }
  }
  if (makes) {
    counts = count_all(op, now.products);
    made = make_lists(op, both ? next_inputs : inputs, now.products, memories, lists, list, counts);
    take_inputs(inputs, made, counts);
  }
  if (has_next) {
    if (!both) {
      made =
          make_lists(next.op, next_inputs, next.products, memories, lists, next_list, next_counts);
    }
    take_inputs(next_inputs, made, next_counts);
  }
  ahead.list = next_list;
  ahead.lists = has_next;
  ahead.table = has_next && next.op.has_table;
  ahead.counts = next_counts;

  const Job job = make_job(op, now.products, counts, list);
  const Job next_job = make_job(next.op, next.products, next_counts, next_list);
  const uint64_t iterations = run_array(job, next_job, has_next, lists, params, memories, loader);
  if (conv) {
    deeds.array_iterations = iterations;
    count_conv(job, deeds);
  }
  return acs_isa::STATUS_OK;
}

// Whether an EXIT ends the run: by the last decision of a GATE, or because more was multiplied than
// it allows.  There is no cycle counter, so that no number of cycles is too large.
bool leaves(const Instruction &op, bool decision, const Counters &counters) {
#pragma HLS INLINE
  return op.opcode == unsigned(acs_isa::OP_EXIT) &&
         ((op.exit_on_gate && decision) || counters.macs_executed > op.macs_limit);
}

void add_up(const Deeds &deeds, bool done, Counters &counters) {
#pragma HLS INLINE
  if (done) counters.instructions = counters.instructions + 1u;
  counters.array_iterations += deeds.array_iterations;
  counters.macs_executed += deeds.macs_executed;
  counters.macs_skipped += deeds.macs_skipped;
  counters.channels_executed += deeds.channels_executed;
  counters.channels_skipped += deeds.channels_skipped;
  counters.read_words += deeds.read_words;
  counters.written_words += deeds.written_words;
}

}  // namespace

Stop run_program(const word_t *program, params_port params, const word_t *image, result_port result,
                 const BufferSizes &sizes, bool trace, Memories &memories, Lists &lists,
                 Counters &counters) {
// The fetch before the first step and that of every step never run at once.
#pragma HLS ALLOCATION function instances=fetch limit=1
  Page page;
#pragma HLS ARRAY_PARTITION variable=page.words complete dim=1
#pragma HLS BIND_STORAGE variable=page.words type=ram_s2p impl=lutram
#pragma HLS BIND_STORAGE variable=page.judgements type=ram_s2p impl=lutram
  Loader loader = Loader();
#pragma HLS ARRAY_PARTITION variable=loader.chunk complete
#pragma HLS ARRAY_PARTITION variable=loader.age complete
#pragma HLS ARRAY_PARTITION variable=loader.due complete
#pragma HLS ARRAY_PARTITION variable=loader.stored complete

  reset_loader(loader);
  Ahead ahead = {false, false, 0, ListCounts()};
  bool unanswered = false;  // results are written, and the memory has not confirmed it
  bool asked = false;       // for the words of a LINEAR, before its turn
  bool decision = false;    // of the last GATE
  Stop stop = {acs_isa::STATUS_OK, 0, false};
  Fetched next = fetch(program, 0, sizes, trace, page);
  bool runs = true;
PROGRAM_STEPS:
  while (runs) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_INSTRUCTIONS
    ACS_LOOP(PROGRAM_STEPS);
    const Fetched now = next;
    const Instruction &op = now.op;
    Deeds deeds;
    stop.status = now.status;
    if (now.status != acs_isa::STATUS_NO_END) {
      deeds.read_words = unsigned(acs_isa::INSTRUCTION_WORDS);
    }
    runs = now.status == acs_isa::STATUS_OK && op.opcode != unsigned(acs_isa::OP_END);
    if (runs) {
      next = fetch(program, stop.index + 1, sizes, trace, page);

      if (is_linear(now) && !asked) ask_linear(op, now.products, params);
      // The next words of a LINEAR may wait at the port unless this instruction reads there, or
      // may be the last.
      asked = is_linear(next) && op.opcode != unsigned(acs_isa::OP_CONV) &&
              op.opcode != unsigned(acs_isa::OP_EXIT);
      if (asked) ask_linear(next.op, next.products, params);

      switch (int(op.opcode)) {
        case acs_isa::OP_LOAD:
          run_load(op, now.products, image, memories);
          deeds.read_words = deeds.read_words + unsigned(now.products.image_words);
          break;
        case acs_isa::OP_GAVG: run_gavg(op, now.products, memories); break;
        case acs_isa::OP_FLATTEN: break;  // copied as a traced map is
        case acs_isa::OP_LINEAR:
          run_linear(op, now.products, params, memories, result, unanswered, decision, deeds);
          break;
        case acs_isa::OP_EXIT: break;
        case acs_isa::OP_CONV:
        case acs_isa::OP_ELTWISE:
        case acs_isa::OP_POOL:
        case acs_isa::OP_SCALE:
          stop.status = run_job(now, next, params, lists, memories, loader, ahead, deeds);
          break;
        default:  // an opcode of the specification that nothing here runs
          stop.status = acs_isa::STATUS_ILLEGAL_OPCODE;
          break;
      }
      runs = stop.status == acs_isa::STATUS_OK && !leaves(op, decision, counters);
    }
    if (runs) {
      // Words of a map are those of all of its channels, gaps between them included.
      const bool flattens = acs_isa::copies_map(op);
      const bool traces = op.trace_addr != 0;
      const bool traces_map = traces && acs_isa::writes_map(op);
      const Products &made = now.products;
      const unsigned map_blocks = flattens ? unsigned(made.source_last) + unsigned(op.src_step)
                                           : unsigned(made.result_last) + unsigned(op.dst_step);
      const int map_words = int(map_blocks) * acs_isa::SEGMENTS;
      const int vector_words =
          flattens ? map_words : ceil_div<acs_isa::WORD_BYTES>(int(op.channels));
      const int traced_words = traces_map ? map_words : vector_words;
      // Channels without a distance make a map of no words: the check lets them pass.
      const bool writes = traces && traced_words != 0;
      if (writes && unanswered) result.write_response();
      if (writes) unanswered = false;
      if (writes) result.write_request(op.trace_addr, unsigned(traced_words));
      if (flattens || traces_map) {
        copy_map(op, int(flattens ? op.src_base : op.dst_base), map_words, flattens, memories,
                 result);
      }
      if (writes && !traces_map) trace_vector(op, traced_words, memories, result);
      if (writes) {
        result.write_response();
        deeds.written_words = unsigned(traced_words);
      }
      ++stop.index;
    }
    add_up(deeds, stop.status == acs_isa::STATUS_OK, counters);
  }

  stop.unanswered = unanswered;

  // Words that were asked for ahead of an instruction that cannot run.
DRAIN:
  for (open_words_t i = 0; i != loader.open_words; i = i + 1u) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=OPEN_BURSTS
    ACS_LOOP(DRAIN);
    params.read();
  }
  return stop;
}

}  // namespace acs
