// The memory behind the engine's AXI4 port, cycle by cycle.  sim/README.md defines its timing, and
// sim/cocotb/timed_memory.py is the same in Python: change all three together.

#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <string>

namespace acs {

struct MemoryOptions {
  uint32_t latency = 32;     // edges from an address to its first beat, at least 1
  uint32_t bandwidth = 256;  // beats in 256 edges, in each direction
  uint32_t seed = 0;         // of random gaps and latencies; 0: none
  uint32_t fail_read = 0;    // number of the read beat that answers with `response`, from 1
  uint32_t fail_write = 0;   // number of the write burst that does
  uint32_t response = 2;     // SLVERR, or 3: DECERR
};

struct MemoryCounters {
  uint64_t read_beats = 0;
  uint64_t write_beats = 0;
  uint64_t stray_beats = 0;  // outside all regions, or written to a read-only one
};

// The pins that the engine drives, sampled at a clock edge.
struct EnginePins {
  bool ar_valid, aw_valid, w_valid, w_last, w_enabled, r_ready, b_ready;
  uint64_t ar_addr, aw_addr, w_data;
  uint8_t ar_len, aw_len;
};

// The pins that the memory drives after the edge.
struct MemoryPins {
  bool ar_ready = false, aw_ready = false, w_ready = false;
  bool r_valid = false, r_last = false, b_valid = false;
  uint64_t r_data = 0;
  uint8_t r_resp = 0, b_resp = 0;
};

class AxiMemory {
 public:
  // A region of `count` words at the byte address `base`; the words stay the caller's.
  void map(uint64_t base, uint64_t *words, uint64_t count, bool writable) {
    regions_[base] = Region{words, count, writable};
  }
  void unmap(uint64_t base) { regions_.erase(base); }

  // Takes effect at once; beats, bursts and random numbers start again.
  void configure(const MemoryOptions &options) {
    options_ = options;
    counters_ = MemoryCounters();
    write_bursts_ = 0;
    for (Channel &channel : channels_) channel = Channel();
    read_credit_ = write_credit_ = kMaxCredit;
  }

  void reset() {
    reads_.clear();
    writes_.clear();
    answers_.clear();
    pins_ = MemoryPins();
    write_response_ = 0;
  }

  const MemoryPins &pins() const { return pins_; }
  const MemoryCounters &counters() const { return counters_; }

  // Takes the rising edge with the number `now`.  Returns how the engine broke the AXI protocol, or
  // nothing.
  std::string edge(uint64_t now, const EnginePins &engine) {
    std::string violation;
    if (engine.ar_valid && pins_.ar_ready) {
      violation = check_burst("AR", engine.ar_addr, engine.ar_len);
      reads_.push_back({engine.ar_addr, engine.ar_len + 1u, now + delay()});
      channels_[kAr].taken(now, gap(kAr));
    }
    if (engine.aw_valid && pins_.aw_ready) {
      violation = check_burst("AW", engine.aw_addr, engine.aw_len);
      writes_.push_back({engine.aw_addr, engine.aw_len + 1u, 0});
      channels_[kAw].taken(now, gap(kAw));
    }
    if (pins_.r_valid && engine.r_ready) {
      pins_.r_valid = false;
      channels_[kR].taken(now, gap(kR));
    }
    if (pins_.b_valid && engine.b_ready) {
      pins_.b_valid = false;
      channels_[kB].taken(now, gap(kB));
    }
    if (engine.w_valid && pins_.w_ready) {
      if (engine.w_last != (writes_.front().beats == 1)) violation = "WLAST is wrong";
      write(now, engine.w_data, engine.w_enabled);
      channels_[kW].taken(now, gap(kW));
    }
    offer(now + 1);
    return violation;
  }

 private:
  enum { kAr, kR, kAw, kW, kB, kChannels };
  static constexpr size_t kMaxReads = 16, kMaxWrites = 4;
  static constexpr uint32_t kBeat = 256, kMaxCredit = 2 * kBeat;

  struct Region {
    uint64_t *words;
    uint64_t count;
    bool writable;
  };
  struct Burst {
    uint64_t address;
    unsigned beats;
    uint64_t ready_at;
  };
  struct Answer {
    uint8_t response;
    uint64_t ready_at;
  };
  // A channel rests for a random gap after each transfer.
  struct Channel {
    uint32_t transfers = 0;
    uint64_t free_at = 0;
    void taken(uint64_t now, uint32_t gap) {
      ++transfers;
      free_at = now + 1 + gap;
    }
  };

  // The pins that the engine sees at edge `next`.
  void offer(uint64_t next) {
    read_credit_ = std::min(read_credit_ + options_.bandwidth, kMaxCredit);
    write_credit_ = std::min(write_credit_ + options_.bandwidth, kMaxCredit);
    pins_.ar_ready = reads_.size() < kMaxReads && next >= channels_[kAr].free_at;
    pins_.aw_ready = writes_.size() < kMaxWrites && next >= channels_[kAw].free_at;
    pins_.w_ready = !writes_.empty() && write_credit_ >= kBeat && next >= channels_[kW].free_at;
    if (!pins_.r_valid && !reads_.empty() && reads_.front().ready_at <= next &&
        read_credit_ >= kBeat && next >= channels_[kR].free_at) {
      read();
    }
    if (!pins_.b_valid && !answers_.empty() && answers_.front().ready_at <= next &&
        next >= channels_[kB].free_at) {
      pins_.b_valid = true;
      pins_.b_resp = answers_.front().response;
      answers_.pop_front();
    }
  }

  void read() {
    Burst &burst = reads_.front();
    const uint64_t *word = locate(burst.address, false);
    read_credit_ -= kBeat;
    ++counters_.read_beats;
    pins_.r_valid = true;
    pins_.r_data = word ? *word : 0xBADBADBADBADBADBull;
    pins_.r_resp = !word ? 3 : counters_.read_beats == options_.fail_read ? options_.response : 0;
    pins_.r_last = --burst.beats == 0;
    burst.address += 8;
    if (burst.beats == 0) reads_.pop_front();
  }

  // A word without strobes takes its time, and writes nothing.
  void write(uint64_t now, uint64_t data, bool enabled) {
    Burst &burst = writes_.front();
    write_credit_ -= kBeat;
    if (enabled) {
      ++counters_.write_beats;
      if (uint64_t *word = locate(burst.address, true)) {
        *word = data;
      } else {
        write_response_ = 3;
      }
    }
    burst.address += 8;
    if (--burst.beats == 0) {
      if (++write_bursts_ == options_.fail_write) write_response_ = options_.response;
      answers_.push_back({write_response_, now + std::max(options_.latency, 1u)});
      write_response_ = 0;
      writes_.pop_front();
    }
  }

  uint64_t *locate(uint64_t address, bool write) {
    auto region = regions_.upper_bound(address);
    if (region != regions_.begin()) {
      --region;
      const uint64_t index = (address - region->first) / 8;
      if (index < region->second.count && (!write || region->second.writable)) {
        return region->second.words + index;
      }
    }
    ++counters_.stray_beats;
    return nullptr;
  }

  static std::string check_burst(const char *channel, uint64_t address, uint8_t len) {
    if (address % 8 != 0) return std::string(channel) + " is not aligned to a word";
    if (address % 4096 + (len + 1u) * 8 > 4096) return std::string(channel) + " crosses 4 KiB";
    return "";
  }

  // Random 32 bits of the transfer that a channel is at.
  uint32_t random(int channel) const {
    uint32_t x = options_.seed * 0x9E3779B9u ^ (channel + 1) * 0x85EBCA6Bu ^
                 (channels_[channel].transfers + 1) * 0xC2B2AE35u;
    x = (x ^ (x >> 16)) * 0x7FEB352Du;
    x = (x ^ (x >> 15)) * 0x846CA68Bu;
    return x ^ (x >> 16);
  }
  uint32_t gap(int channel) const {
    const uint32_t drawn = random(channel);
    return options_.seed != 0 && drawn % 4 == 0 ? (drawn >> 8) % 8 : 0;
  }
  uint32_t delay() const {
    const uint32_t jitter = options_.seed != 0 ? (random(kAr) >> 16) % 16 : 0;
    return std::max(options_.latency, 1u) + jitter;
  }

  std::map<uint64_t, Region> regions_;
  MemoryOptions options_;
  MemoryCounters counters_;
  MemoryPins pins_;
  std::deque<Burst> reads_, writes_;
  std::deque<Answer> answers_;
  Channel channels_[kChannels];
  uint32_t read_credit_ = kMaxCredit, write_credit_ = kMaxCredit;
  uint32_t write_bursts_ = 0;
  uint8_t write_response_ = 0;
};

}  // namespace acs
