/** `@cria/weights`: model files of every kind. Safe in browsers; files on disk are in `@cria/weights/node`. */
export { canonical } from './canonical.js'
export { checkConfig } from './config/check.js'
export { readGgufConfig } from './config/gguf.js'
export { readHfConfig } from './config/hf.js'
export { readLlama2cConfig } from './config/llama2c.js'
export { metaFfnDim, readMetaParams } from './config/meta.js'
export type { Architecture, ModelConfig, RopeScaling } from './config/types.js'
export { expectedTensors, verifyTensors } from './config/verify.js'
export { type ConvertOptions, type ConvertProgress, type ConvertReport, convert } from './convert/convert.js'
export { llama3Divisors } from './convert/gguf-metadata.js'
export { hfConfig } from './convert/hf-config.js'
export { reorderRows } from './convert/rotation.js'
export { fittingDType, type TargetDType, targetDTypes, type WrittenDType } from './convert/types.js'
export {
  decodeTensor,
  encodeFloats,
  type FileDType,
  isBlockDType,
  type StorageDType,
  tensorBytes,
  unitOf,
} from './dtype.js'
export { WeightsError, type WeightsErrorCode, type WeightsErrorDetail } from './errors.js'
export type { GgufArray, GgufScalarType, GgufValue } from './gguf/format.js'
export { type GgufFile, openGguf } from './gguf/read.js'
export { type GgufInput, writeGguf } from './gguf/write.js'
export { type HttpSourceOptions, httpSource } from './http.js'
export {
  chooseFiles,
  type HubFile,
  type HubOptions,
  type HubRepo,
  type HubSpec,
  hubFolder,
  listRepo,
  parseHubSpec,
} from './hub/repo.js'
export { type Llama2cHeader, openLlama2c } from './llama2c/read.js'
export { canonicalName, ggufNameOfHf, hfNameOfGguf, hfNameOfMeta } from './names.js'
export {
  blobFolder,
  type Folder,
  findWeights,
  type Model,
  openModel,
  openSingle,
  openWeightsIn,
  readConfigIn,
  readJson,
  sourceFolder,
} from './open.js'
export { mergeMeta } from './pytorch/meta.js'
export { openPytorch } from './pytorch/read.js'
export { encodeBlocks, isQuantDType, type QuantDType, quantDTypes } from './quantize/index.js'
export { openSafetensors } from './safetensors/read.js'
export { type SafetensorsInput, writeSafetensors } from './safetensors/write.js'
export { openShards } from './shards.js'
export { type ByteSink, memorySink, type TensorInput } from './sink.js'
export { type ByteSource, blobSource, bytesSource } from './source.js'
export type { Naming, TensorInfo, TensorLocation, WeightFile, WeightFormat } from './types.js'
