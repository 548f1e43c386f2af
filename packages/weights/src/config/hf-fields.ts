/**
 * The fields of `config.json` that may stand there. Every other one is refused by name: a field nobody reads may well
 * be the one that makes the model another (`attn_logit_scale`, `use_qk_norm`, `norm_type`).
 */

/** Fields that would change the maths, with the values that do not (null never does). */
export const fieldValues: Readonly<Record<string, readonly unknown[]>> = {
  hidden_act: ['silu', 'swish'],
  activation: ['swiglu'],
  // `false` attends to what comes after, in transformers as well.
  is_causal: [true],
  is_llama_config: [true],
  is_encoder_decoder: [false],
  use_rope: [true],
  num_local_experts: [0, 1],
  num_experts: [0, 1],
  logit_scale: [1],
  logits_scaling: [1],
  embedding_multiplier: [1],
  residual_multiplier: [1],
  chunk_size_feed_forward: [0],
}

const words = (text: string): string[] => text.trim().split(/\s+/)

/** What `readHfConfig` reads. Of these some count for one class only, as in transformers. */
const read = words(`
  model_type hidden_size num_hidden_layers num_attention_heads num_key_value_heads head_dim intermediate_size vocab_size
  max_position_embeddings original_max_position_embeddings rms_norm_eps rope_theta rope_scaling rope_parameters
  partial_rotary_factor tie_word_embeddings attention_bias mlp_bias sliding_window use_sliding_window max_window_layers
  layer_types bos_token_id eos_token_id pad_token_id
`)

/** How a model was trained, stored or packaged, and how its outputs are wanted. */
const harmless = words(`
  architectures transformers_version torch_dtype dtype use_cache pretraining_tp initializer_range auto_map name_or_path
  attn_implementation use_flash_attention use_flash_attn torchscript use_bfloat16 return_dict output_attentions
  output_hidden_states tie_last_hidden_states tie_encoder_decoder is_decoder pruned_heads gradient_checkpointing
  attention_dropout hidden_dropout attn_dropout resid_dropout embd_dropout attn_pdrop resid_pdrop embd_pdrop
  hidden_dropout_prob attention_probs_dropout_prob neftune_noise_alpha router_aux_loss_coef
  id2label label2id num_labels problem_type finetuning_task task_specific_params prefix tokenizer_class
  unk_token_id sep_token_id mask_token_id cls_token_id decoder_start_token_id ignore_index
  model_max_length max_sequence_length seq_length transformers.js_config unsloth_fixed unsloth_version
  cross_attention_hidden_size tf_legacy_loss
`)

/** Generation's settings, which older files keep here. transformers ignores them too. */
const generation = words(`
  bad_words_ids begin_suppress_tokens diversity_penalty do_sample early_stopping encoder_no_repeat_ngram_size
  encoder_repetition_penalty epsilon_cutoff eta_cutoff exponential_decay_length_penalty forced_bos_token_id
  forced_eos_token_id length_penalty max_length max_new_tokens min_length min_p no_repeat_ngram_size num_beam_groups
  num_beams num_return_sequences output_scores remove_invalid_values repetition_penalty return_dict_in_generate
  suppress_tokens temperature top_k top_p typical_p assistant_confidence_threshold assistant_lookbehind
  num_assistant_tokens num_assistant_tokens_schedule target_lookbehind
`)

const free = new Set([...read, ...harmless, ...generation])

/** Rules for the fields of a file that are in none of these lists: a switch that is off adds nothing. */
export function unknownFields(keys: readonly string[]): Record<string, readonly unknown[]> {
  // An underscore marks what transformers notes for itself (`_name_or_path`, `_attn_implementation_autoset`).
  const unknown = keys.filter(key => !free.has(key) && !Object.hasOwn(fieldValues, key) && !key.startsWith('_'))
  return Object.fromEntries(unknown.map(key => [key, [false]]))
}
