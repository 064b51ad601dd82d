// Samples as the wire wants them: mono float32 <-> 16-bit little-endian PCM in base64.

/** Samples per second on the wire, in both directions. */
export const RATE = 24000;

/** Float32Array from -1 to 1 -> base64. */
export function encode(samples) {
  const pcm = new DataView(new ArrayBuffer(2 * samples.length));
  for (let i = 0; i < samples.length; i++) {
    const level = Math.max(-1, Math.min(1, samples[i]));
    pcm.setInt16(2 * i, Math.round(level * 32767), true);
  }
  return base64(new Uint8Array(pcm.buffer));
}

/** Uint8Array -> base64. */
export function base64(bytes) {
  const parts = [];
  for (let i = 0; i < bytes.length; i += 8192) {
    parts.push(String.fromCharCode(...bytes.subarray(i, i + 8192)));
  }
  return btoa(parts.join(""));
}

/** base64 -> Float32Array from -1 to 1. */
export function decode(text) {
  const raw = atob(text);
  const samples = new Float32Array(raw.length >> 1);
  for (let i = 0; i < samples.length; i++) {
    const unsigned = raw.charCodeAt(2 * i) | (raw.charCodeAt(2 * i + 1) << 8);
    samples[i] = ((unsigned << 16) >> 16) / 32768;
  }
  return samples;
}
