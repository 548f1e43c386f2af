/** `@cria/train/node`: what needs files, threads or a terminal. */
export { loadAdapter, saveAdapter } from './node/adapter-files.js'
export {
  type CheckpointOptions,
  Checkpoints,
  checkpoints,
  type Resumed,
  type Run,
  type SaveNotes,
} from './node/checkpoints.js'
export {
  type Document,
  jsonlDocuments,
  type PromptDocument,
  type TextDocument,
  type TokenDocument,
  textDocuments,
} from './node/documents.js'
export type { FileRecord } from './node/files.js'
export { jsonl, readEvents } from './node/jsonl.js'
export { type CheckpointManifest, verifyCheckpoint } from './node/manifest.js'
export { type ReportOptions, report, reportHtml } from './node/report.js'
export {
  readTokenManifest,
  type ShardRecord,
  type TokenFolderOptions,
  type TokenManifest,
  tokenFolder,
} from './node/shards.js'
export { type TerminalOptions, type TerminalStream, terminal } from './node/terminal.js'
export { tokenFile } from './node/token-file.js'
export { type TokenizeOptions, tokenize } from './node/tokenize.js'
