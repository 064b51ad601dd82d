// The voice of the server: pieces of sound one behind the other, dropped at once on a flush.

import { RATE } from "./pcm.js";

const REPORT_MS = 200;
const HEADROOM_S = 0.06;
const FADE_S = 0.012;

export class Player {
  /**
   * onPlayed(responseId, ms): so much of a reply has sounded, told while it sounds and at its end.
   * onSpeaking(responseId, isSpeaking).
   */
  constructor({ onPlayed, onSpeaking }) {
    this.onPlayed = onPlayed;
    this.onSpeaking = onSpeaking;
    this.queue = []; // {id, node, from, until, before_ms}: seconds of the context's clock
    this.speaking = undefined;
    this.forget();
  }

  /** Another session begins: its replies have nothing to do with those before. */
  forget() {
    this.sent_ms = new Map(); // by response: how much of it was queued
    this.dropped = new Set();
  }

  /** Browsers let a page sound only after a person did something on it; false before. */
  unlock() {
    if (!navigator.userActivation.hasBeenActive) return false;
    if (!this.context) {
      this.context = new AudioContext({ sampleRate: RATE });
      this.gain = new GainNode(this.context);
      this.gain.connect(this.context.destination);
    }
    this.context.resume();
    return true;
  }

  /** Float32Array at RATE. */
  play(id, samples) {
    if (this.dropped.has(id) || samples.length === 0 || !this.unlock()) return;
    const buffer = this.context.createBuffer(1, samples.length, RATE);
    buffer.copyToChannel(samples, 0);
    const node = new AudioBufferSourceNode(this.context, { buffer });
    node.connect(this.gain);
    const earliest = this.context.currentTime + HEADROOM_S;
    const from = Math.max(earliest, this.queue.at(-1)?.until ?? 0);
    const before_ms = this.sent_ms.get(id) ?? 0;
    this.sent_ms.set(id, before_ms + 1000 * buffer.duration);
    this.queue.push({ id, node, from, until: from + buffer.duration, before_ms });
    node.start(from);
    this.timer ??= setInterval(() => this.#report(), REPORT_MS);
  }

  /** Drop what is queued. Sound of this reply that still arrives is dropped too. */
  flush(id) {
    if (id) this.dropped.add(id);
    const sounding = this.queue[0];
    if (!sounding) return;
    this.#report();
    const now = this.context.currentTime;
    this.gain.gain.setTargetAtTime(0, now, FADE_S / 3);
    for (const piece of this.queue) piece.node.stop(now + FADE_S);
    this.queue = [];
    this.gain = new GainNode(this.context);
    this.gain.connect(this.context.destination);
    this.#report();
  }

  #report() {
    const now = this.context.currentTime;
    let sounding = this.queue[0];
    while (sounding && sounding.until <= now) {
      this.queue.shift();
      if (this.queue[0]?.id !== sounding.id) this.onPlayed(sounding.id, this.#until_ms(sounding));
      sounding = this.queue[0];
    }
    if (sounding && now > sounding.from) {
      this.onPlayed(sounding.id, Math.round(sounding.before_ms + 1000 * (now - sounding.from)));
    }
    this.#speak(sounding?.id);
    if (!sounding) {
      clearInterval(this.timer);
      this.timer = undefined;
    }
  }

  #until_ms(piece) {
    // Upwards: the reply is over for the server when all of it has sounded.
    return Math.ceil(piece.before_ms + 1000 * (piece.until - piece.from));
  }

  #speak(id) {
    if (id === this.speaking) return;
    if (this.speaking) this.onSpeaking(this.speaking, false);
    this.speaking = id;
    if (id) this.onSpeaking(id, true);
  }
}
