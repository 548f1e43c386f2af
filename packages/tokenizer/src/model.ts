// What the tokenizer needs from a family of models: ids for a stretch of plain text.

import type { IdSink } from './ids.js'

/** Turns text without added tokens into ids. */
export interface TextModel {
  /** Appends the ids of `text`, which is normalised, not empty, and free of added tokens. */
  encode(text: string, sink: IdSink): void
}
