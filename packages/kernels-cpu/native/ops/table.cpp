// The table of one instruction set: kernels by opcode.
#include "op.h"

namespace cria::CRIA_ISA {

extern const OpFn kOps[kOpCount];
const OpFn kOps[kOpCount] = {
#define CRIA_ENTRY(name) op_##name,
    CRIA_OPCODES(CRIA_ENTRY)
#undef CRIA_ENTRY
};

#if defined(CRIA_TILES)
void op_matmul_tiles(const Call&, const Ctx&);
extern const OpFn kTileOps[kOpCount];
#define op_matmul op_matmul_tiles
const OpFn kTileOps[kOpCount] = {
#define CRIA_ENTRY(name) op_##name,
    CRIA_OPCODES(CRIA_ENTRY)
#undef CRIA_ENTRY
};
#endif

}  // namespace cria::CRIA_ISA
