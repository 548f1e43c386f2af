/** Writes bytes that do not fill whole words, which the queue cannot: a dispatch merges them into the words there are. */
import type { Gpu } from './gpu.js'
import { type Dispatch, grid, header, input, output, read, written } from './wgsl/template.js'

const code = `${header([read('x0'), written('y')])}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
  let w = id.x + id.y * n.x * 64u;
  if (w >= m(0u)) { return; }
  var word = y[m(1u) + w];
  for (var k = 0u; k < 4u; k++) {
    let i = 4u * w + k;
    if (i >= m(2u) && i < m(3u)) {
      let byte = (x0[i >> 2u] >> ((i & 3u) << 3u)) & 255u;
      word = (word & ~(255u << (k << 3u))) | (byte << (k << 3u));
    }
  }
  y[m(1u) + w] = word;
}`

/** Merges `bytes` into `buffer` at any byte offset. */
export function patch(gpu: Gpu, buffer: GPUBuffer, bytes: Uint8Array, at: number): void {
  const lead = at % 4
  const words = Math.ceil((lead + bytes.byteLength) / 4)
  const padded = new Uint8Array(Math.max(16, words * 4))
  padded.set(bytes, lead)
  const source = gpu.buffer(padded.byteLength, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST)
  gpu.device.queue.writeBuffer(source, 0, padded)
  const dispatch: Dispatch = {
    code,
    meta: [words, (at - lead) / 4, lead, lead + bytes.byteLength],
    bind: [input(0), output(0)],
    groups: grid(words, 64),
  }
  const whole = (b: GPUBuffer) => ({
    buffers: [b],
    offset: 0,
    shards: [{ start: 0, rows: 1, canonical: b.size, bytes: b.size }],
  })
  const encoder = gpu.device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  gpu.encode(pass, [gpu.prepare(dispatch, [whole(source)], [whole(buffer)])])
  pass.end()
  gpu.submit(encoder)
  source.destroy()
}
