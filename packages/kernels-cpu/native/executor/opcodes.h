// Kernels by number. The order is part of the program format and is repeated in src/opcodes.ts (a test compares them).
#pragma once

#define CRIA_OPCODES(X) \
  X(unary)              \
  X(binary)             \
  X(select)             \
  X(cast)               \
  X(permute)            \
  X(copy)               \
  X(fill)               \
  X(iota)               \
  X(reduce)             \
  X(reduce_parts)       \
  X(cumsum)             \
  X(top_k)              \
  X(matmul)             \
  X(linear_prepare)     \
  X(linear_compute)     \
  X(dequantize)         \
  X(embedding)          \
  X(gather)             \
  X(scatter_add)        \
  X(pick)               \
  X(write_rows)         \
  X(softmax)            \
  X(rms_norm)           \
  X(layer_norm)         \
  X(swiglu)             \
  X(rope)               \
  X(attention_tiles)    \
  X(attention_parts)    \
  X(attention_join)     \
  X(cross_entropy)      \
  X(adamw)              \
  X(random_bits)        \
  X(rms_norm_grad)      \
  X(swiglu_grad)        \
  X(attention_grad)     \
  X(cross_entropy_grad)

namespace cria {
enum Opcode : int {
#define CRIA_ENUM(name) kOp_##name,
  CRIA_OPCODES(CRIA_ENUM)
#undef CRIA_ENUM
  kOpCount
};
}  // namespace cria
