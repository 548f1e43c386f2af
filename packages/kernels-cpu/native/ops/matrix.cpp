// Matrix products: views of the calls for the matrix kernels (linear/linear.h), and rows of weights as f32.
#include "../executor/linear-table.h"
#include "../linear/dequant-block.h"
#include "op.h"

namespace cria::CRIA_ISA {

static const LinearKernels* kernels() { return CRIA_JOIN(linear_kernels_, CRIA_ISA)(); }

// Operands a, b, c; attributes transA, transB, m, n, k, batch, elements between batches of a and of b, then 1: add to c, 2: products of
// operands rounded to bf16.
static void product(const Call& c, const Ctx& ctx, const LinearKernels* kernels) {
  const bool ta = c.attr(0), tb = c.attr(1);
  const size_t m = (size_t)c.attr(2), n = (size_t)c.attr(3), k = (size_t)c.attr(4);
  MatmulArgs args{};
  args.a = c.op(0).as<void>();
  args.b = c.op(1).as<void>();
  args.c = c.op(2).as();
  args.type_a = c.op(0).type();
  args.type_b = c.op(1).type();
  args.trans_a = ta;
  args.trans_b = tb;
  args.accumulate = c.attr(8) & 1;
  args.bf16 = c.attr(8) & 2;
  args.m = m;
  args.n = n;
  args.k = k;
  args.lda = ta ? m : k;
  args.ldb = tb ? k : n;
  args.ldc = n;
  args.batch = (size_t)c.attr(5);
  args.batch_stride_a = (size_t)c.attr(6);
  args.batch_stride_b = (size_t)c.attr(7);
  args.batch_stride_c = m * n;
  args.thread_scratch = ctx.scratch;
  kernels->matmul(args, ctx.thread, ctx.n_threads);
}
void op_matmul(const Call& c, const Ctx& ctx) { product(c, ctx, kernels()); }
#if defined(CRIA_TILES)
void op_matmul_tiles(const Call& c, const Ctx& ctx) { product(c, ctx, linear_kernels_amx()); }
#endif

// Operands x, w, y, prepared activations; attribute 0: LinearFlags.
static LinearArgs linear_args(const Call& c, const Ctx& ctx) {
  LinearArgs args{};
  const Operand &x = c.op(0), &w = c.op(1);
  args.x = x.as();
  args.x_stride = args.cols = x.last();
  args.tokens = x.rows();
  args.w = w.as<void>();
  args.dtype = w.type();
  args.flags = (uint32_t)c.attr(0);
  args.rows = (size_t)w.dims[0];
  args.y = c.op(2).as();
  args.y_stride = args.rows;
  args.activations = c.op(3).as<void>();
  args.thread_scratch = ctx.scratch;
  return args;
}

void op_linear_prepare(const Call& c, const Ctx& ctx) {
  kernels()->prepare(linear_args(c, ctx), ctx.thread, ctx.n_threads);
}
void op_linear_compute(const Call& c, const Ctx& ctx) {
  kernels()->compute(linear_args(c, ctx), ctx.thread, ctx.n_threads);
}

CRIA_INLINE void row_as_f32(const Operand& w, size_t cols, size_t row, float* y) {
  const size_t at = row * cols;
  if (w.packed()) return dequant_row(w.type(), w.as<void>(), (size_t)w.dims[0], cols, row, y);
  const size_t whole = cols / W * W, rest = cols - whole;
  switch (w.type()) {
    case kF32: memcpy(y, w.as() + at, cols * 4); return;
    case kF16: {
      const uint16_t* x = w.as<uint16_t>() + at;
      for (size_t i = 0; i < whole; i += W) fstore(y + i, load_f16(x + i));
      if (rest) fstore_n(y + whole, load_f16_n(x + whole, rest), rest);
      return;
    }
    case kBF16: {
      const uint16_t* x = w.as<uint16_t>() + at;
      for (size_t i = 0; i < whole; i += W) fstore(y + i, load_bf16(x + i));
      if (rest) fstore_n(y + whole, load_bf16_n(x + whole, rest), rest);
      return;
    }
    default: {
      const size_t n = block_elems(w.type());
      const uint8_t* block = w.as<uint8_t>() + row * row_bytes(w.type(), cols);
      for (size_t i = 0; i < cols; i += n, block += block_bytes(w.type())) dequant_block(w.type(), block, y + i);
    }
  }
}

void op_dequantize(const Call& c, const Ctx& ctx) {
  const Operand& x = c.op(0);
  const size_t cols = x.last();
  const Range r = share(x.rows(), 16, ctx);
  for (size_t row = r.begin; row < r.end; row++) row_as_f32(x, cols, row, c.op(1).as() + row * cols);
}

// Operands ids, table, y. Ids out of range give zeros.
void op_embedding(const Call& c, const Ctx& ctx) {
  const Operand& table = c.op(1);
  const size_t cols = table.last(), rows = (size_t)table.dims[0];
  const Range r = share(c.op(0).size(), 1, ctx);
  for (size_t i = r.begin; i < r.end; i++) {
    const int32_t id = c.op(0).as<int32_t>()[i];
    float* y = c.op(2).as() + i * cols;
    if (id < 0 || (size_t)id >= rows) memset(y, 0, cols * 4);
    else row_as_f32(table, cols, (size_t)id, y);
  }
}

}  // namespace cria::CRIA_ISA
