// The table of one instruction set: kernels by opcode.
#include "op.h"

namespace cria::CRIA_ISA {

extern const OpFn kOps[kOpCount];
const OpFn kOps[kOpCount] = {
#define CRIA_ENTRY(name) op_##name,
    CRIA_OPCODES(CRIA_ENTRY)
#undef CRIA_ENTRY
};

}  // namespace cria::CRIA_ISA
