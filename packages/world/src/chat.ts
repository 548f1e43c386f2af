/** The formats as a conversation: for whatever talks through a chat template. */

/**
 * A chat template (Jinja) that says a conversation in the formats of {@link formatInstruction} and {@link formatQuestion}. What
 * begins with "tell" or "write" is an order for a story, what ends with a question mark a question about the last one,
 * anything else the beginning of a new one. The model reads one story at a time: earlier ones and questions are left out.
 *
 * @example
 * const { ids } = renderChat(tokenizer, [{ role: 'user', content: 'Tell a story about a fox.' }], { template: chatTemplate }) // of @cria/tokenizer/chat
 */
export const chatTemplate: string = [
  "{%- set now = namespace(story='', telling=false, prompt='') -%}",
  '{%- for message in messages -%}',
  '{%- set text = message.content | trim -%}',
  "{%- if message.role == 'assistant' -%}",
  '{%- if now.telling -%}{%- set now.story = (now.story + message.content) | trim -%}{%- endif -%}',
  "{%- elif message.role != 'user' -%}",
  "{{- raise_exception('a ' + message.role + ' message: a storyteller reads those of user and assistant alone') -}}",
  "{%- elif text.endswith('?') -%}",
  "{%- if now.story == '' -%}{{- raise_exception('a question before a story: begin one, or say: Tell a story about a fox.') -}}{%- endif -%}",
  '{%- set now.telling = false -%}',
  "{%- set now.prompt = now.story + '\\n\\nQuestion: ' + text + '\\nAnswer:' -%}",
  "{%- elif (text | lower).startswith('tell ') or (text | lower).startswith('write ') -%}",
  '{%- set now.telling = true -%}',
  '{%- set text = (text[0] | upper) + text[1:] -%}',
  "{%- if not (text.endswith('.') or text.endswith('!')) -%}{%- set text = text + '.' -%}{%- endif -%}",
  "{%- set now.story = '' -%}",
  "{%- set now.prompt = 'Instruction: ' + text + '\\nStory:\\n' -%}",
  '{%- else -%}',
  '{%- set now.telling = true -%}',
  '{%- set now.story = text -%}',
  '{%- set now.prompt = text -%}',
  '{%- endif -%}',
  '{%- endfor -%}',
  '{{- bos_token + now.prompt -}}',
].join('\n')

/** The word that begins a question. Those are for the other side to ask, so its token ends a turn as the end of text does. */
export const turnEnd = 'Question'
