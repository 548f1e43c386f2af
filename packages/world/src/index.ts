/** Stories from a small simulated world, with questions, instructions, documents and a checker. */
export { type CheckOptions, checkStory, type Facts, type Problem, type Report } from './checker.js'
export { formatQuestion, type Question, questions } from './questions.js'
export { Random } from './random.js'
export { type Split, type Story, splitOf, story } from './story.js'
