// Matrix products of the CPU backend: packed weights, `linear` on every weight type, and float GEMM.
// This header is the whole interface; nothing here depends on an instruction set. Not here: threads, memory, tensors.
//
// Every function that takes (thread, n_threads) is called once by each thread of a pool with the same arguments and
// does its own share. Each output element is computed by exactly one thread in one fixed order of operations, so
// results are the same bits for any number of threads. `linear` gives the same bits for a token whatever the number of
// tokens in the call (decode and prefill agree) on one instruction set; instruction sets may differ in the last bits.
#pragma once
#include "../dtype.h"

namespace cria {

// ---- packed weights --------------------------------------------------------------------------------------------
// Rows are stored in groups of kGroupRows: the same bytes as ggml's rows (padded with zero rows to a whole group, and
// bf16 to an even number of columns), interleaved so that one vector holds the same columns of neighbouring rows. The
// packed layout is the same on every instruction set and every platform, so a packed file can be cached and mapped.

constexpr size_t kGroupRows = 16;
constexpr size_t kPackedAlign = 64;  // packed weights, scratch memory and activations start at this alignment

// True when `linear` takes weights of this type (f32, f16, bf16 and every block format of dtype.h).
bool linear_supports(Dtype dtype);

// Bytes of a packed matrix; 0 when the type is not supported or `cols` is not a multiple of the block.
size_t packed_bytes(Dtype dtype, size_t rows, size_t cols);

// Packs rows [row_begin, row_end) of a matrix in ggml's layout. `src` is row 0; `dst` the start of the packed matrix.
// row_begin must be a multiple of kGroupRows, row_end too unless it is `rows`: threads take ranges of whole groups.
void pack(Dtype dtype, void* dst, const void* src, size_t rows, size_t cols, size_t row_begin, size_t row_end);

// The exact inverse: the bytes given to `pack` come back, bit for bit. `dst` is row 0 of the ggml matrix.
void unpack(Dtype dtype, void* dst, const void* packed, size_t rows, size_t cols, size_t row_begin, size_t row_end);

// Writes row `row` of a packed matrix as f32 (embedding lookup). `out` holds `cols` floats.
void dequant_row(Dtype dtype, const void* packed, size_t rows, size_t cols, size_t row, float* out);

// ---- linear ----------------------------------------------------------------------------------------------------

enum LinearFlags : uint32_t {
  kLinearAccumulate = 1,      // y += x·Wᵀ (+ bias): the residual connection for free
  kLinearBf16Activations = 2, // bf16 weights only: round x to bf16 too (twice the speed, ~3 significant digits)
  kLinearInt8Activations = 4, // quantised weights only: round x to 8 bits, as llama.cpp does, instead of 15 (up to twice
                              // the speed with many tokens, none with one; about 100 times the rounding error)
};

// How `prepare` stores activations. Two linears over the same x and the same kind may share one prepared area.
enum ActivationKind : uint8_t {
  kActF32 = 0,   // f32 and f16 weights, and bf16 without kLinearBf16Activations
  kActBF16 = 1,  // bf16 weights with kLinearBf16Activations (where the CPU has a bf16 dot product; else kActF32)
  kActQ15 = 2,   // quantised weights: 15-bit integers in blocks of 32 with an f32 scale
  kActQ8 = 3,    // quantised weights with kLinearInt8Activations: 8-bit integers
};

struct LinearArgs {
  const float* x;    // [tokens, cols] f32, rows x_stride floats apart
  size_t x_stride;
  size_t tokens;
  const void* w;     // packed weights [rows, cols]
  Dtype dtype;
  uint32_t flags;    // LinearFlags
  size_t rows, cols;
  const float* bias; // [rows] or null
  float* y;          // [tokens, rows] f32, rows y_stride floats apart; must not overlap x
  size_t y_stride;
  void* activations;    // activation_bytes(...) bytes, shared by all threads, filled by prepare
  void* thread_scratch; // linear_thread_bytes(...) bytes for each thread, one after another
};

// Called by every thread where all must have arrived before any goes on.
struct Barrier {
  void (*wait)(void* context, int thread);
  void* context;
};

// ---- float matrix product --------------------------------------------------------------------------------------

// C[m,n] = (accumulate ? C : 0) + op(A)·op(B), for `batch` matrices. op(A) is [m,k]: element (i,p) is a[i*lda + p], or
// a[p*lda + i] with trans_a; op(B) is [k,n]: element (p,j) is b[p*ldb + j], or b[j*ldb + p] with trans_b. Strides are
// in elements; a batch stride of 0 shares that operand. C is f32 and must not overlap the inputs.
struct MatmulArgs {
  const void* a;
  const void* b;
  float* c;
  Dtype type_a, type_b;  // f32, bf16 or f16; products are accumulated in f32
  bool trans_a, trans_b, accumulate;
  size_t m, n, k;
  size_t lda, ldb, ldc;
  size_t batch, batch_stride_a, batch_stride_b, batch_stride_c;
  void* thread_scratch;  // matmul_thread_bytes() bytes for each thread, one after another
  bool bf16;             // round both sides to bf16 before they are multiplied
};

// ---- the table of one instruction set ---------------------------------------------------------------------------

struct LinearKernels {
  const char* isa;

  ActivationKind (*activation_kind)(Dtype dtype, uint32_t flags);
  // Shared memory for prepared activations; a multiple of kPackedAlign. Never 0 (T = 1 included).
  size_t (*activation_bytes)(ActivationKind kind, size_t tokens, size_t cols);
  // Private memory of one thread for compute (a multiple of kPackedAlign).
  size_t (*linear_thread_bytes)(Dtype dtype, uint32_t flags, size_t tokens, size_t rows, size_t cols);

  // Phase 1: turns x into args.activations. Reads x, x_stride, tokens, cols, activations; dtype and flags give the kind.
  // All threads must have finished before any calls compute. Prepared activations may be used by several computes.
  void (*prepare)(const LinearArgs& args, int thread, int n_threads);
  // Phase 2: y = x·Wᵀ from the prepared activations. No barrier inside.
  void (*compute)(const LinearArgs& args, int thread, int n_threads);
  // Both phases with the caller's barrier between them. Ends without a barrier.
  void (*linear)(const LinearArgs& args, const Barrier& barrier, int thread, int n_threads);

  size_t (*matmul_thread_bytes)();
  // No barrier inside.
  void (*matmul)(const MatmulArgs& args, int thread, int n_threads);
};

// One per translation unit linear_<isa>.cpp. Only call one whose instruction set the CPU has (see cpu.h of the addon).
const LinearKernels* linear_kernels_generic();   // any target: plain C++, autovectorised by the compiler's baseline
const LinearKernels* linear_kernels_avx2();      // AVX2, FMA, F16C
const LinearKernels* linear_kernels_avx512();    // F, BW, VL, DQ, VNNI, BF16
const LinearKernels* linear_kernels_amx();       // the same, with products of bf16 on AMX tiles
const LinearKernels* linear_kernels_neon();      // ARMv8.2 with dot product
const LinearKernels* linear_kernels_wasm();      // SIMD128
const LinearKernels* linear_kernels_wasm_relaxed();

}  // namespace cria
