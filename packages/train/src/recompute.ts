/** Recomputation by block: activations inside a block are made again in the backward pass instead of being kept. */
import { type Device, parameters, recompute, type Tensor } from '@cria/tensor'
import { TrainError } from './errors.js'

/** Anything with a forward pass that gives one tensor. */
export interface Forward {
  forward(...inputs: never[]): Tensor
}

/**
 * Makes the blocks recompute their inside: memory for one block's activations and one hidden state for each block,
 * against one more forward pass (about a third more time). Values and gradients stay the same. Plans made before are not
 * changed. Returns what undoes it.
 *
 * @example
 * const undo = recomputeBlocks(model.model.layers)
 */
export function recomputeBlocks(blocks: readonly Forward[]): () => void {
  const undo = blocks.map(block => {
    const device = deviceOf(block)
    const original = block.forward
    block.forward = (...inputs) => recompute(() => original.apply(block, inputs), device)
    return () => {
      block.forward = original
    }
  })
  return () => {
    for (const restore of undo) restore()
  }
}

function deviceOf(block: Forward): Device {
  const first = Object.values(parameters(block))[0]
  if (first === undefined)
    throw new TrainError('recompute_blocks: got a block without tensors, expected a module with parameters')
  return first.device
}
