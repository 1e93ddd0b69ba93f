// Reading what packing.py wrote: joints and times out of base64 and deflate.

/** Bytes of base64 text. */
function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * The recording: `times` [T] in seconds, and for each track `frames` [F], `steps` [N, C, F] from
 * the middle of the scene, `sure` [N, F] (0 missing, else 1 + confidence in steps).
 */
async function readRecording(facts, text) {
  const bytes = await inflate(fromBase64(text));
  const times = new Float64Array(facts.frames);
  const moves = new DataView(bytes.buffer);
  for (let i = 0, ticks = 0; i < facts.frames; i++) {
    ticks += moves.getUint32(4 * i, true);
    times[i] = facts.first + ticks * facts.tick;
  }
  let at = 4 * facts.frames;
  const tracks = facts.tracks.map((track) => {
    const frames = expandRuns(track.runs);
    const rows = facts.joints.length * facts.dims;
    const count = rows * frames.length;
    const steps = sumMoves(bytes, at, rows, frames.length);
    const sure = bytes.subarray(at + 2 * count, at + 2 * count + facts.joints.length * frames.length);
    at += 2 * count + sure.length;
    return { frames, steps, sure };
  });
  return { times, tracks };
}

function expandRuns(runs) {
  const frames = new Int32Array(runs.reduce((sum, [, count]) => sum + count, 0));
  let at = 0;
  for (const [first, count] of runs) for (let i = 0; i < count; i++) frames[at++] = first + i;
  return frames;
}

/** Zigzag differences, low bytes before high bytes, summed up along each row. */
function sumMoves(bytes, at, rows, length) {
  const steps = new Int16Array(rows * length);
  const high = at + steps.length;
  for (let row = 0, i = 0; row < rows; row++) {
    let value = 0;
    for (let end = i + length; i < end; i++) {
      const zigzag = bytes[at + i] | (bytes[high + i] << 8);
      value += (zigzag >>> 1) ^ -(zigzag & 1);
      steps[i] = value; // wraps around as the differences did
    }
  }
  return steps;
}

/** The last place of a rising array whose value is at most `value`; -1 before the first. */
function lastAtMost(rising, value) {
  let low = 0;
  let high = rising.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rising[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
