"""Small sources that Vitis HLS would refuse or misread, for the lint's test.

``//! rule`` marks the line on which that rule must fire; nothing else may fire in the snippet, save
the rules that ``//+ rule`` names.  A rule may have several snippets.
"""

CONSTRUCTS = """
int f() { return unknown; }  //! parse
---
#include <string.h>  //! include
---
int f() { int *p = new int; return *p; }  //! dynamic-memory
---
void f(int *p) { delete p; }  //! dynamic-memory
---
#include <stdlib.h>  //+ include
void f(void *p) { free(p); }  //! dynamic-memory
---
int f(int n) { int a[n]; a[0] = 1; return a[0]; }  //! dynamic-memory
---
int f(int n) { return n ? f(n - 1) : 0; }  //! recursion
---
constexpr int bits(int n) { return n < 2 ? 1 : 1 + bits(n / 2); }
const int EIGHT = bits(255);
int f(int n) { return bits(n) + EIGHT; }  //! recursion
---
int g(int n);
int f(int n) { return g(n); }  //! recursion
int g(int n) { return f(n); }  //+ recursion
---
void f(int n) {
  if (n) throw n;  //! exception
}
---
int f(int n) { try { return n; } catch (...) { return 0; } }  //! exception
---
#include <vector>  //+ include
int f(std::vector<int> &v) { return v[0]; }  //! standard-library
---
#include <algorithm>  //+ include
int f(int a, int b) { return std::max(a, b); }  //! standard-library //+ foreign-call
---
#include <stdio.h>  //+ include
void f() { printf("x"); }  //! foreign-call
---
#include <stdlib.h>  //+ include
void f() { exit(1); }  //! foreign-call
---
struct S {
  virtual int f() { return 1; }  //! virtual
};
---
int f(int (*g)(int)) {  //! function-pointer
  return g(1);  //+ function-pointer
}
---
int f(int a) {
  auto g = [a] { return a; };  //! function-pointer
  return a;
}
---
int f(int **p) { return **p; }  //! pointer-to-pointer
---
char f(int *p) { return *reinterpret_cast<char *>(p); }  //! pointer-cast
---
char f(int *p) { return *(char *)p; }  //! pointer-cast
---
long f(int *p) { return (long)p; }  //! pointer-cast
---
int f(int n) {
again:
  if (n--) goto again;  //! goto
  return n;
}
---
union U { int i; char c; };  //! union
---
struct A { virtual ~A(); };  //+ virtual
struct B : A {};
B *f(A *a) {
  return dynamic_cast<B *>(a);  //! rtti
}
---
void f() { asm("nop"); }  //! assembly
---
int f(int n, ...) { return n; }  //! variadic
---
int f(int n) { float x = n; return int(x); }  //! floating-point
---
int f(int n) { return n * 0.5; }  //! floating-point
---
double f(int n) { return n; }  //! floating-point
---
struct S { double values[4]; };  //! floating-point
---
int counter;  //! global
---
int f() {
  static int n = 0;  //! static-local
  return ++n;
}
"""

PRAGMAS = """
void f() {
#pragma HLS PIPELIN II=1  //! pragma
}
---
void f() {
#pragma HLS PIPELINE II=one  //! pragma
}
---
void f() {
#pragma HLS PIPELINE II=0  //! pragma
}
---
void f() {
#pragma HLS PIPELINE II=1 speed=3  //! pragma
}
---
void f() {
#pragma HLS PIPELINE II=1 II=2  //! pragma
}
---
void f() {
#pragma HLS PIPELINE II  //! pragma
}
---
void f() {
#pragma HLS INLINE of  //! pragma
}
---
void f() {
#pragma HLS INLINE, off  //! pragma
}
---
#pragma omp parallel  //! pragma
---
void f() {
  int a[4];
#pragma HLS ARRAY_PARTITION variable=a cyclic  //! pragma
}
---
void f() {
  int a[4];
#pragma HLS ARRAY_PARTITION variable=a complete factor=2  //! pragma
}
---
void f() {
  int a[4];
#pragma HLS ARRAY_PARTITION variable=a type=whole  //! pragma
}
---
void f() {
#pragma HLS ARRAY_PARTITION complete dim=1  //! pragma
}
---
void f() {
  int a[4];
#pragma HLS BIND_STORAGE variable=a type=ram  //! pragma
}
---
void f() {
  int a[4];
#pragma HLS BIND_STORAGE variable=a type=ram_t2p impl=lutram  //! pragma
}
---
void f(int n) {
  L1: while (n--) {
#pragma HLS LOOP_TRIPCOUNT min=8 max=4  //! pragma
  }
}
---
const int MOST = 4;
void f(int n) {
  L2: while (n--) {
#pragma HLS LOOP_TRIPCOUNT min=8 max=MOST  //! pragma
  }
}
---
void f(int n) {
  L3: while (n--) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=MOST  //! pragma
  }
}
---
int most = 4;  //+ global
void f(int n) {
  L4: while (n--) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=most  //! pragma
  }
}
---
constexpr int NONE = 0;
void f() {
  int a[4];
#pragma HLS ARRAY_PARTITION variable=a cyclic factor=NONE  //! pragma
}
---
void top(int *a) {
#pragma HLS INTERFACE mode=m_axi port=a bundle=g offset=Slave depth=8 WRITES  //! pragma
#pragma HLS INTERFACE mode=s_axilite port=a
#pragma HLS INTERFACE mode=s_axilite port=return
}
---
#pragma HLS INLINE  //! pragma-place
void f() {}
---
void f(int n) {
  if (n) {
#pragma HLS UNROLL  //! pragma-place
  }
}
---
int f(int n) {
  n += 1;
#pragma HLS INLINE  //! pragma-place
  return n;
}
---
void f(int *a) {
  L5: for (int i = 0; i < 4; ++i) {
    a[i] = 0;
#pragma HLS PIPELINE II=1  //! pragma-place
  }
}
---
void f() {
#pragma HLS ARRAY_PARTITION variable=a complete  //! pragma-place
}
---
void f() {
  {
    int a[4];
  }
#pragma HLS ARRAY_PARTITION variable=a complete  //! pragma-place
}
---
struct S { int a[4]; };
void f() {
  S s;
#pragma HLS ARRAY_PARTITION variable=s.b complete  //! pragma-place
}
---
void f() {
  int a[4];
#pragma HLS ARRAY_PARTITION variable=a dim=2  //! pragma-place
}
---
void f() {
  int a;
#pragma HLS ARRAY_PARTITION variable=a  //! pragma-place
}
---
void f() {
  int a[4];
#pragma HLS ARRAY_PARTITION variable=a cyclic factor=8  //! pragma-place
}
---
void f(int a) {
#pragma HLS INTERFACE mode=s_axilite port=a  //! pragma-place
}
---
void top() {
#pragma HLS INTERFACE mode=s_axilite port=return
#pragma HLS INTERFACE mode=s_axilite port=b  //! pragma-place
}
---
void top(int a) {  //! interface
#pragma HLS INTERFACE mode=s_axilite port=return
}
---
void top(int *a) {
#pragma HLS INTERFACE mode=m_axi port=a bundle=g offset=slave  //! interface
#pragma HLS INTERFACE mode=s_axilite port=a
#pragma HLS INTERFACE mode=s_axilite port=return
}
"""

LOOPS = """
void f(int *a, int n) {
  L6: for (int i = 0; i < n; ++i) {  //! trip-count
    a[i] = 0;
  }
}
---
void f(int *a, int n) {
  L7: for (int i = 0; i < n; ++i) a[i] = 0;  //! trip-count
}
---
void f(int n) {
  L8: for (int i = 0; i < 4; i += n) {  //! trip-count
  }
}
---
void f(int n) {
  L9: for (int i = 0; i < 4; ++i) {  //! trip-count
    i += n;
  }
}
---
void f(int n) {
  L10: while (n--) {  //! trip-count
  }
}
---
void f(int n) {
  L11: do {  //! trip-count
  } while (n--);
}
---
void f(int n) {
  L12: for (int i = 0; i < n; ++i) {  //! trip-count
    L13: for (int j = 0; j < 4; ++j) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=4
    }
  }
}
---
void f(int n) {
  L14: for (int i = 0; i < n; ++i) {  //! unroll
#pragma HLS UNROLL
#pragma HLS LOOP_TRIPCOUNT min=1 max=4
  }
}
---
void f(int n) {
  L15: for (int i = 0; i < 4; ++i) {
#pragma HLS PIPELINE II=1
    L16: for (int j = 0; j < n; ++j) {  //! pipeline
#pragma HLS LOOP_TRIPCOUNT min=1 max=4
    }
  }
}
---
void g(int n) {
  L17: while (n--) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=4
  }
}
void h(int n) { g(n); }
void f(int n) {
#pragma HLS PIPELINE II=1
  h(n);  //! pipeline
}
---
void f(int n) {
#pragma HLS DATAFLOW
  n = 1;  //! dataflow
}
---
void g();
void f(int n) {
#pragma HLS DATAFLOW
  if (n) g();  //! dataflow
}
---
int g();
void f() {
#pragma HLS DATAFLOW
  g();  //! dataflow
}
---
void g();
void f(int n, int step) {
  L18: for (int i = 0; i < n; i += step) {  //! dataflow
#pragma HLS DATAFLOW
#pragma HLS LOOP_TRIPCOUNT min=1 max=4
    g();
  }
}
---
struct Size { int n; };
void g();
void f(const Size &size) {
  L19: for (int i = 0; i < size.n; ++i) {  //! dataflow
#pragma HLS DATAFLOW
#pragma HLS LOOP_TRIPCOUNT min=1 max=4
    g();
  }
}
---
void make(int a[4]);
void take(const int a[4]);
void f() {
#pragma HLS DATAFLOW
  int a[4];  //! dataflow
  make(a);
  take(a);
  take(a);
}
---
void make(int a[4]);
void take(const int a[4]);
void f() {
#pragma HLS DATAFLOW
  int a[4];  //! dataflow
  take(a);
  make(a);
}
"""

FORM = """
int f(int n) {
  int sum = 0;
  for (int i = 0; i < 4; ++i) sum += i;  //! label
  return sum;
}
---
void f(int n) {
  while (n--) {  //! label
#pragma HLS LOOP_TRIPCOUNT min=1 max=4
  }
}
---
void f(int *a) {
  SAME: for (int i = 0; i < 4; ++i) a[i] = 0;
}
void g(int *a) {
  SAME: for (int i = 0; i < 4; ++i) a[i] = 1;  //! label
}
---
int f(int a, int b) { return a / b; }  //! division
---
int f(int a, int b) { return a % b; }  //! division
---
int f(int a, int b) {
  a /= b;  //! division
  return a;
}
---
const int GROUPS = 12;
int f(int a) { return a % GROUPS; }  //! division
---
#include <ap_int.h>
int f(ap_uint<8> a, ap_uint<8> b) {
  const ap_uint<8> quotient = a / b;  //! division
  return quotient;
}
---
template <int N>
int f(int a) { return a / N; }  //! division
int g(int a) { return f<12>(a); }
---
#define SHARE(a, b) ((a) / (b))
int f(int a, int b) { return SHARE(a, b); }  //! division
---
template <typename T>
T f(T a, T b) { return a % b; }  //! division
int g(int a, int b) { return f<int>(a, b); }
---
template <typename T>
struct S {
  T v;
  T f(T b) { return v / b; }  //! division
};
int g(int a, int b) { S<int> s = {a}; return s.f(b); }
---
constexpr int halves(int a, int by) { return a / by; }
const int FOUR = halves(16, 4);
int f(int a) { return halves(a, FOUR); }  //! division
---
void table(int *a) { a[0] = 1; }  //! reserved
---
void Entity(int *a) { a[0] = 1; }  //! reserved
---
void f(int *a) {
  int buffer[4];  //! reserved
#pragma HLS BIND_STORAGE variable=buffer type=ram_t2p impl=bram
  buffer[0] = a[0];
  a[1] = buffer[0];
}
---
struct S { int reg[4]; };  //! reserved
void f(int *a) {
  static S s;  //+ static-local
#pragma HLS BIND_STORAGE variable=s.reg type=ram_t2p impl=bram
  s.reg[a[0] & 3] = a[1];
}
---
void top(int program) {  //! reserved
#pragma HLS INTERFACE mode=s_axilite port=program
#pragma HLS INTERFACE mode=s_axilite port=return
}
---
void top(const int *a) {
#pragma HLS INTERFACE mode=m_axi port=a bundle=g offset=slave depth=8 latency=32  //! interface
#pragma HLS INTERFACE mode=s_axilite port=a
#pragma HLS INTERFACE mode=s_axilite port=return
}
---
void top(const int *a) {
#pragma HLS INTERFACE mode=m_axi port=a bundle=g offset=slave depth=8 WRITES  //! interface
#pragma HLS INTERFACE mode=s_axilite port=a
#pragma HLS INTERFACE mode=s_axilite port=return
}
---
void top(const int *a) {
#pragma HLS INTERFACE mode=m_axi port=a bundle=g offset=slave depth=8 NO_LATENCY  //! interface
#pragma HLS INTERFACE mode=s_axilite port=a
#pragma HLS INTERFACE mode=s_axilite port=return
}
---
struct bus { int *words; };
void top(bus a) {
#pragma HLS INTERFACE mode=m_axi port=a bundle=g offset=slave depth=8 latency=32  //! interface
#pragma HLS INTERFACE mode=s_axilite port=a
#pragma HLS INTERFACE mode=s_axilite port=return
}
---
void g(int &count);
void f(int n, int &count) {
  L: for (int i = 0; i < n; ++i) {
#pragma HLS DATAFLOW
#pragma HLS LOOP_TRIPCOUNT min=1 max=4
    g(count);  //! dataflow
  }
}
---
void g(int at);
void f(int n) {
  L: for (int i = 0; i < n; ++i) {
#pragma HLS DATAFLOW
#pragma HLS LOOP_TRIPCOUNT min=1 max=4
    g(i + 1);  //! dataflow
  }
}
---
struct S { int n; };
void make(S &s);
void take(S &s);
void f(S &s) {
#pragma HLS DATAFLOW
  make(s);
  take(s);  //! dataflow
}
---
struct S { int n; void step(); };
void f(S &s) {
#pragma HLS DATAFLOW
  s.step();  //! dataflow
}
---
struct Size { int n; };
void g(int at);
void f(const Size &size) {
#pragma HLS DATAFLOW
  g(size.n);  //! dataflow
}
"""

#: Options of a bus, in pragmas above, by the way that its words go.
OPTIONS = {
    "READS": "latency=32 max_read_burst_length=16 num_read_outstanding=4",
    "NO_LATENCY": "max_read_burst_length=16 num_read_outstanding=4",
    "WRITES": "latency=32 max_write_burst_length=16 num_write_outstanding=4",
}


def with_options(text: str) -> str:
    """Put the options in place of their names."""
    for name, options in OPTIONS.items():
        text = text.replace(f" {name}", f" {options}")
    return text


SNIPPETS = [
    with_options(snippet.lstrip("\n"))
    for section in (CONSTRUCTS, PRAGMAS, LOOPS, FORM)
    for snippet in section.split("---\n")
]
