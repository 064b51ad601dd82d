// A recording sent as a stream: at its own speed, or as fast as the server takes it.

import { RATE } from "./pcm.js";

const PIECE_S = 0.1;
const TAIL_S = 3; // silence behind it, so that its last words and the reply to them still come
const AHEAD_S = 1; // in fast mode: so much may be sent and not decided; more would make the server hurry

/** The audio in a file: Float32Array at RATE, all channels mixed. Throws what is no audio. */
export async function decodeRecording(bytes) {
  const buffer = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(bytes);
  const mixed = new Float32Array(buffer.length);
  for (let c = 0; c < buffer.numberOfChannels; c++) {
    const channel = buffer.getChannelData(c);
    for (let i = 0; i < mixed.length; i++) mixed[i] += channel[i] / buffer.numberOfChannels;
  }
  return mixed;
}

export class Recording {
  /**
   * samples: at RATE. onSamples(piece), onEnd() when all was sent. ahead_s(): seconds that are
   * sent and not yet decided. isFast, isAudible: may be changed while it runs.
   */
  constructor({ samples, isFast, isAudible, onSamples, onEnd, ahead_s }) {
    this.samples = new Float32Array(samples.length + TAIL_S * RATE);
    this.samples.set(samples);
    Object.assign(this, { isFast, isAudible, onSamples, onEnd, ahead_s });
    this.at = 0;
  }

  begin() {
    this.clock = performance.now();
    this.timer = setInterval(() => this.#send(), 1000 * PIECE_S);
    this.#sound();
  }

  stop() {
    clearInterval(this.timer);
    this.context?.close();
    this.context = undefined;
  }

  /** Change the speed or whether it sounds, from here on. */
  change({ isFast, isAudible }) {
    Object.assign(this, { isFast, isAudible });
    this.context?.close();
    this.context = undefined;
    this.clock = performance.now() - (1000 * this.at) / RATE;
    this.#sound();
  }

  #send() {
    const piece = PIECE_S * RATE;
    const due = RATE * ((performance.now() - this.clock) / 1000);
    while (this.at < this.samples.length) {
      if (this.isFast ? this.ahead_s() > AHEAD_S : this.at + piece > due) return;
      this.onSamples(this.samples.subarray(this.at, this.at + piece));
      this.at += piece;
    }
    this.stop();
    this.onEnd();
  }

  /** Play along; only at its own speed. */
  #sound() {
    if (!this.isAudible || this.isFast) return;
    this.context = new AudioContext({ sampleRate: RATE });
    const buffer = this.context.createBuffer(1, this.samples.length, RATE);
    buffer.copyToChannel(this.samples, 0);
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.context.destination);
    source.start(0, this.at / RATE);
  }
}
