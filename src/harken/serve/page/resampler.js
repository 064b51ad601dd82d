// Another sample rate for a stream in pieces: a windowed sinc, the same for pieces as for the whole.

const ZERO_CROSSINGS = 16;
const PHASES = 256;

/** Streams float32 samples from one rate to another; it is late by half the filter, under 1 ms. */
export class Resampler {
  constructor(fromRate, toRate) {
    this.step = fromRate / toRate;
    // Going down, the filter also removes what the new rate cannot hold.
    this.cutoff = Math.min(1, toRate / fromRate) * 0.95;
    this.half = Math.ceil(ZERO_CROSSINGS / this.cutoff);
    this.table = kernels(this.half, this.cutoff);
    this.rest = new Float32Array(2 * this.half);
    this.at = this.half;
  }

  /** Float32Array in, Float32Array out; about `length / step` samples. */
  push(piece) {
    const input = new Float32Array(this.rest.length + piece.length);
    input.set(this.rest);
    input.set(piece, this.rest.length);
    const { half, table, step } = this;
    const taps = 2 * half;
    const output = [];
    let at = this.at;
    for (; at + half + 1 <= input.length; at += step) {
      const whole = Math.floor(at);
      const phase = Math.round((at - whole) * PHASES) * taps;
      let sum = 0;
      for (let k = 0; k < taps; k++) sum += input[whole - half + 1 + k] * table[phase + k];
      output.push(sum);
    }
    const kept = Math.floor(at) - half;
    this.rest = input.slice(kept);
    this.at = at - kept;
    return Float32Array.from(output);
  }
}

/** One filter for each fraction of a sample, [PHASES + 1, 2 * half] flattened, each summing to 1. */
function kernels(half, cutoff) {
  const taps = 2 * half;
  const table = new Float32Array((PHASES + 1) * taps);
  for (let phase = 0; phase <= PHASES; phase++) {
    const row = table.subarray(phase * taps, (phase + 1) * taps);
    let sum = 0;
    for (let k = 0; k < taps; k++) {
      const x = k - half + 1 - phase / PHASES;
      const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / (half + 1));
      const angle = Math.PI * x * cutoff;
      row[k] = (angle === 0 ? 1 : Math.sin(angle) / angle) * window;
      sum += row[k];
    }
    for (let k = 0; k < taps; k++) row[k] /= sum;
  }
  return table;
}
