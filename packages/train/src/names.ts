/** Layers by the names that checkpoints give their weights: Hugging Face's, Meta's and GPT-2's. */

/** A table that ids are looked up in. */
export const isEmbedding = (name: string): boolean => /(^|\.)(embed_tokens|tok_embeddings|wte|wpe)\./.test(name)

/** The layer that makes logits; absent where the embedding does (tied). */
export const isOutputLayer = (name: string): boolean => /(^|\.)(lm_head|output)\./.test(name)
