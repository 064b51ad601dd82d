// A spectrogram of everything that was sent: levels once, pictures of them when they are looked at.

import { base64, RATE } from "./pcm.js";

const FFT = 1024;
const HOP = 600; // 25 ms
const BANDS = 72;
const LOW_HZ = 60;
const HIGH_HZ = 8000;
const FLOOR_DB = -92;
const TOP_DB = -22;
const TILE = 400; // columns in a picture: 10 s
const KEPT_TILES = 24; // pictures; the levels of the whole session stay

export class Spectrogram {
  constructor() {
    this.window = Float32Array.from(
      { length: FFT },
      (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / FFT),
    );
    this.edges = bandEdges();
    this.palette = new Uint32Array(256); // level -> a pixel
    this.clear();
  }

  clear() {
    this.rest = new Float32Array(FFT - HOP);
    this.tiles = []; // Uint8Array of [column][band]
    this.n_columns = 0;
    this.pictures = new Map();
  }

  /** The newest stretch of levels, base64, and its number; undefined before the first. */
  get newest() {
    const number = Math.floor((this.n_columns - 1) / TILE);
    const tile = this.tiles[number];
    return tile && { number, levels: base64(tile) };
  }

  /** Put a stretch of levels back. */
  restore({ number, levels }) {
    this.tiles[number] = Uint8Array.from(atob(levels), (letter) => letter.charCodeAt(0));
  }

  /** Go on at a time of the stream; what was drawn beyond it is drawn anew. */
  seek(seconds) {
    this.n_columns = Math.round((seconds * RATE) / HOP);
    this.rest = new Float32Array(FFT - HOP);
    this.pictures.clear();
  }

  /** stops: colours from silence to loud, [[r, g, b], ...]. */
  paint(stops) {
    for (let i = 0; i < 256; i++) {
      const at = (i / 255) * (stops.length - 1);
      const low = Math.min(Math.floor(at), stops.length - 2);
      const [r, g, b] = stops[low].map((c, j) => c + (at - low) * (stops[low + 1][j] - c));
      new Uint8ClampedArray(this.palette.buffer, 4 * i, 4).set([r, g, b, 255]);
    }
    this.pictures.clear();
  }

  /** Samples at RATE. */
  push(samples) {
    const input = new Float32Array(this.rest.length + samples.length);
    input.set(this.rest);
    input.set(samples, this.rest.length);
    let at = 0;
    for (; at + FFT <= input.length; at += HOP) this.#column(input.subarray(at, at + FFT));
    this.rest = input.slice(at);
  }

  /** Draw the stretch from_s..to_s into a rectangle of a 2D context. */
  draw(context, from_s, to_s, x, y, width, height) {
    const perColumn = width / (((to_s - from_s) * RATE) / HOP);
    const first = Math.max(0, Math.floor((from_s * RATE) / HOP / TILE));
    const last = Math.min(this.tiles.length - 1, Math.floor((to_s * RATE) / HOP / TILE));
    for (let t = first; t <= last; t++) {
      if (!this.tiles[t]) continue; // forgotten when the page was loaded again
      const left = x + (t * TILE - (from_s * RATE) / HOP) * perColumn;
      context.drawImage(this.#picture(t), left, y, TILE * perColumn, height);
    }
  }

  #column(frame) {
    const re = new Float32Array(FFT);
    const im = new Float32Array(FFT);
    for (let i = 0; i < FFT; i++) re[i] = frame[i] * this.window[i];
    transform(re, im);
    const tile = Math.floor(this.n_columns / TILE);
    const column = this.n_columns % TILE;
    this.tiles[tile] ??= new Uint8Array(TILE * BANDS);
    for (let b = 0; b < BANDS; b++) {
      let power = 0;
      for (let k = this.edges[b]; k < this.edges[b + 1]; k++) {
        power = Math.max(power, re[k] * re[k] + im[k] * im[k]);
      }
      const db = 10 * Math.log10(power + 1e-12) - 20 * Math.log10(FFT / 4);
      const level = (db - FLOOR_DB) / (TOP_DB - FLOOR_DB);
      this.tiles[tile][column * BANDS + b] = 255 * Math.max(0, Math.min(1, level));
    }
    this.#draw_column(tile, column);
    this.n_columns += 1;
  }

  #draw_column(tile, column) {
    const picture = this.pictures.get(tile);
    if (!picture) return;
    picture.getContext("2d").putImageData(this.#pixels(tile, column, 1), column, 0);
  }

  #picture(tile) {
    if (!this.pictures.has(tile)) {
      const picture = new OffscreenCanvas(TILE, BANDS);
      const filled = Math.min(TILE, this.n_columns - tile * TILE);
      const context = picture.getContext("2d");
      if (filled > 0) context.putImageData(this.#pixels(tile, 0, filled), 0, 0);
      this.pictures.set(tile, picture);
      if (this.pictures.size > KEPT_TILES) this.pictures.delete(this.pictures.keys().next().value);
    }
    return this.pictures.get(tile);
  }

  #pixels(tile, from, n) {
    const image = new ImageData(n, BANDS);
    const pixels = new Uint32Array(image.data.buffer);
    for (let i = 0; i < n; i++) {
      for (let b = 0; b < BANDS; b++) {
        const level = this.tiles[tile][(from + i) * BANDS + b];
        pixels[(BANDS - 1 - b) * n + i] = this.palette[level];
      }
    }
    return image;
  }
}

/** Bins of the FFT where the bands begin, evenly on the mel scale; each band has at least one. */
function bandEdges() {
  const mel = (hz) => Math.log(1 + hz / 700);
  const edges = [];
  for (let b = 0; b <= BANDS; b++) {
    const at = mel(LOW_HZ) + (b / BANDS) * (mel(HIGH_HZ) - mel(LOW_HZ));
    const bin = Math.round((700 * (Math.exp(at) - 1) * FFT) / RATE);
    edges.push(b ? Math.max(bin, edges[b - 1] + 1) : bin);
  }
  return edges;
}

/** The discrete Fourier transform, in place, for a power of two (Cooley and Tukey 1965). */
function transform(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    const half = size / 2;
    for (let k = 0; k < half; k++) {
      const cos = Math.cos((-Math.PI * k) / half);
      const sin = Math.sin((-Math.PI * k) / half);
      for (let i = k; i < n; i += size) {
        const j = i + half;
        const x = re[j] * cos - im[j] * sin;
        const y = re[j] * sin + im[j] * cos;
        re[j] = re[i] - x;
        im[j] = im[i] - y;
        re[i] += x;
        im[i] += y;
      }
    }
  }
}
