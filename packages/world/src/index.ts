/** Stories from a small simulated world, with questions, instructions, documents, preference pairs and a checker. */
export { chatTemplate, turnEnd } from './chat.js'
export { type CheckOptions, checkStory, type Facts, type Problem, type Report } from './checker.js'
export {
  type DocumentKind,
  type DocumentOptions,
  document,
  documents,
  formatInstruction,
  type WorldDocument,
} from './documents.js'
export { WorldError } from './errors.js'
export { checkInstruction, type Instruction, type InstructionReport, instructionFor } from './instructions.js'
export { references } from './lexicon/people.js'
export { type MutationKind, mutate, mutationKinds } from './mutate.js'
export { type Preference, preference } from './preferences.js'
export { formatQuestion, type Question, questions } from './questions.js'
export { Random } from './random.js'
export { type Constraints, parseInstruction } from './request.js'
export { type Split, type Story, splitOf, story } from './story.js'
