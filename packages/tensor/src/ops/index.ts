export { gelu, relu, rsqrt, sigmoid, sign, silu, softplus, square } from './activations.js'
export { type AttentionOptions, attention, attentionWeights } from './attention.js'
export { assign, gather, pick, scatterAdd, writeRows } from './indexing.js'
export {
  dequantize,
  embedding,
  type LinearOptions,
  linear,
  type MatmulOptions,
  matmul,
  type Products,
} from './linear.js'
export { crossEntropy, type LinearCrossEntropyOptions, linearCrossEntropy, type Reduction } from './loss.js'
export { layerNorm, logSoftmax, rmsNorm, softmax, swiglu } from './nn.js'
export { type AdamWOptions, adamw, clipFactor, globalNorm } from './optim.js'
export {
  abs,
  add,
  broadcastTo,
  cast,
  concat,
  cos,
  div,
  equal,
  erf,
  exp,
  floor,
  full,
  greater,
  greaterEqual,
  iota,
  less,
  lessEqual,
  log,
  maximum,
  minimum,
  mul,
  neg,
  type Operand as ScalarOr,
  ones,
  pow,
  reshape,
  select,
  sin,
  slice,
  sqrt,
  stopGradient,
  sub,
  sum,
  tanh,
  transpose,
  zeros,
} from './primitives.js'
export { normal, randomBits, randomKey, uniform } from './random.js'
export { argmax, cumsum, logsumexp, max, mean, min, topK } from './reduce.js'
export { type RopeOptions, rope } from './rope.js'
