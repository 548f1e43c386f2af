// Which special tokens end a generation. Files name one; models use more (Llama 3's end of turn besides its end of
// text), and a text loop that does not know them never stops.

/** Contents that end a generation when a tokenizer has them as special tokens. */
const ENDS: ReadonlySet<string> = /* @__PURE__ */ new Set([
  '</s>',
  '<eos>',
  '<|eot_id|>',
  '<|eom_id|>',
  '<|eot|>',
  '<|eom|>',
  '<|im_end|>',
  '<|end|>',
  '<|return|>',
  '<|call|>',
  '<end_of_turn>',
  '<|end_of_turn|>',
  '<|END_OF_TURN_TOKEN|>',
  '<|endoftext|>',
  '<|end_of_text|>',
  '<end_of_utterance>',
  '<EOT>',
  '<｜end▁of▁sentence｜>',
])

/** The named end ids, then those known by content, without repetition. */
export function endIds(
  named: readonly (number | undefined)[],
  special: Iterable<{ readonly id: number; readonly content: string }>,
): number[] {
  const ids = new Set<number>()
  for (const id of named) if (id !== undefined) ids.add(id)
  for (const { id, content } of special) if (ENDS.has(content)) ids.add(id)
  return [...ids]
}

/** Whether a token of this content ends a generation. */
export const endsGeneration = (content: string): boolean => ENDS.has(content)
