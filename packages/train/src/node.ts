/** `@cria/train/node`: what needs files, threads or a terminal. */
export {
  type CheckpointManifest,
  type CheckpointOptions,
  Checkpoints,
  checkpoints,
  type Resumed,
  type Run,
  type SaveNotes,
  verifyCheckpoint,
} from './node/checkpoints.js'
export type { FileRecord } from './node/files.js'
export { tokenFile } from './node/token-file.js'
