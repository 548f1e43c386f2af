/** A checkpoint is a model that every loader opens: `config.json` and the tokenizer beside the weights. */
import type { LlamaConfig } from '@cria/llama'
import { type Tokenizer, toTokenizerJson } from '@cria/tokenizer'
import { chatTemplate, turnEnd } from '@cria/world'

/** The small files of a model folder in Hugging Face's layout, by name. */
export function modelFiles(config: LlamaConfig, tokenizer: Tokenizer): Record<string, string> {
  const piece = (id: number | undefined): string | null => (id === undefined ? null : tokenizer.piece(id))
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
  return {
    'config.json': json({
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      hidden_act: 'silu',
      hidden_size: config.hiddenSize,
      intermediate_size: config.intermediateSize,
      num_hidden_layers: config.numHiddenLayers,
      num_attention_heads: config.numAttentionHeads,
      num_key_value_heads: config.numKeyValueHeads,
      head_dim: config.headDim,
      vocab_size: config.vocabSize,
      max_position_embeddings: config.maxPositionEmbeddings,
      rms_norm_eps: config.rmsNormEps,
      rope_theta: config.ropeTheta,
      rope_scaling: null,
      tie_word_embeddings: config.tieWordEmbeddings,
      attention_bias: false,
      mlp_bias: false,
      bos_token_id: tokenizer.bosId ?? null,
      eos_token_id: tokenizer.eosId ?? null,
      torch_dtype: 'float32',
    }),
    'tokenizer.json': JSON.stringify(toTokenizerJson(tokenizer)),
    'tokenizer_config.json': json({
      tokenizer_class: 'PreTrainedTokenizerFast',
      bos_token: piece(tokenizer.bosId),
      eos_token: piece(tokenizer.eosId),
      unk_token: piece(tokenizer.unkId),
      ...(tokenizer.idOf(turnEnd) !== undefined && { eot_token: turnEnd }),
      chat_template: chatTemplate,
      add_bos_token: true,
      add_eos_token: false,
    }),
  }
}
