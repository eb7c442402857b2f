// hls::burst_maxi for analysis: the ports of the tool's class, without bodies, so that a request or
// a read stands in the LLVM IR as one call and no model of a bus comes between.
#ifndef ACS_ANALYSIS_HLS_BURST_MAXI_H
#define ACS_ANALYSIS_HLS_BURST_MAXI_H

#include <stddef.h>

namespace hls {

template <typename T>
struct burst_maxi {
  T *port;
  burst_maxi(T *pointer) : port(pointer) {}

  void read_request(size_t offset, unsigned length);
  T read();
  void write_request(size_t offset, unsigned length);
  void write(const T &value);
  void write_response();
};

}  // namespace hls

#endif
