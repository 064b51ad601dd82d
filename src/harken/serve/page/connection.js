// The websocket: it starts a session, goes back to it when the line breaks, and keeps what is said
// meanwhile.

import { encode, RATE } from "./pcm.js";

const RETRY_MS = [300, 700, 1500, 3000, 5000];
const GIVE_UP_MS = 60000; // as long as the server keeps a session by default
const KEPT_S = 30; // of audio while there is no line
const PIECE = RATE / 10;
const FINAL = { 4401: "token", 4403: "origin", 4409: "elsewhere", 4503: "full" };
const LOST = 4404;

export class Connection {
  /**
   * session(): the body of `session.start`. onEvent(event) from the server. onState(state, detail):
   * "connecting", "open", "broken" (it will try again), "lost" (another session begins),
   * "failed" (detail says why: "gone", "token", "origin", "full", "elsewhere", "expired"),
   * "closed".
   */
  constructor({ session, onEvent, onState }) {
    Object.assign(this, { session, onEvent, onState });
    this.state = "closed";
    this.waiting = [];
    this.audio = [];
    this.n_audio = 0;
  }

  /** Begin, unless it has begun. */
  open() {
    if (this.state !== "closed" && this.state !== "failed") return;
    this.retries = 0;
    this.#connect();
  }

  /** Go back to a session that the page had before it was loaded. */
  resume(id) {
    this.id = id;
    this.isReturning = true;
    this.open();
  }

  /** End the session for good. */
  close() {
    if (this.state === "open") this.#write({ type: "session.close" });
    this.#end();
  }

  #end() {
    clearTimeout(this.timer);
    this.id = undefined;
    this.isReturning = false;
    this.waiting = [];
    this.audio = [];
    this.n_audio = 0;
    const socket = this.socket;
    this.socket = undefined;
    socket?.close();
    this.#become("closed");
  }

  /** Send an event, now or as soon as there is a line. */
  send(event) {
    if (this.state === "open") this.#write(event);
    else if (this.state !== "closed") this.waiting.push(event);
  }

  /** Send samples at RATE, in pieces of a tenth of a second. */
  append(samples) {
    this.audio.push(samples);
    this.n_audio += samples.length;
    if (this.state === "open") {
      if (this.n_audio >= PIECE) this.#drain();
      return;
    }
    while (this.n_audio > KEPT_S * RATE) this.n_audio -= this.audio.shift().length;
  }

  /** Samples that wait for a line: [Float32Array]. */
  get kept() {
    return this.audio;
  }

  /** Bytes that the browser has not sent yet. */
  get unsent() {
    return this.socket?.bufferedAmount ?? 0;
  }

  #connect() {
    const url = new URL("v1/live/sessions", document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    const token = new URLSearchParams(location.search).get("token");
    if (token) url.searchParams.set("token", token);
    if (this.id) url.searchParams.set("session_id", this.id);
    this.#become("connecting");
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.onopen = () => {
      // Back in its session, the server tells of it by itself.
      if (!this.id) this.#write({ type: "session.start", session: this.session() });
    };
    socket.onmessage = ({ data }) => this.socket === socket && this.#take(JSON.parse(data));
    socket.onclose = ({ code }) => this.socket === socket && this.#broke(code);
  }

  #take(event) {
    if (event.type === "session.started") {
      this.id = event.session.id;
      this.isReturning = false;
      this.retries = 0;
      this.broke_ms = undefined;
      this.#become("open");
      for (const waiting of this.waiting.splice(0)) this.#write(waiting);
      this.onEvent(event);
      this.#drain();
    } else {
      this.onEvent(event);
      if (event.type === "session.closed") this.#end();
    }
  }

  async #broke(code) {
    this.socket = undefined;
    const hadSession = this.id !== undefined;
    this.broke_ms ??= performance.now();
    if (code in FINAL) return this.#become("failed", FINAL[code]);
    if (code === LOST) {
      this.id = undefined;
      this.audio = []; // the other session's time begins now
      this.n_audio = 0;
      if (this.isReturning) return this.#become("failed", "expired");
      this.#become("lost");
      return this.#connect();
    }
    if (performance.now() - this.broke_ms > GIVE_UP_MS || (!hadSession && this.retries > 1)) {
      return this.#become("failed", "gone");
    }
    this.#become("broken");
    const delay = RETRY_MS[Math.min(this.retries++, RETRY_MS.length - 1)];
    this.timer = setTimeout(() => this.#connect(), delay);
  }

  #drain() {
    if (!this.n_audio) return;
    const samples = new Float32Array(this.n_audio);
    let at = 0;
    for (const piece of this.audio) {
      samples.set(piece, at);
      at += piece.length;
    }
    this.audio = [];
    this.n_audio = 0;
    for (let from = 0; from < samples.length; from += 10 * PIECE) {
      const audio = encode(samples.subarray(from, from + 10 * PIECE));
      this.#write({ type: "session.input_audio.append", audio });
    }
  }

  #write(event) {
    this.socket.send(JSON.stringify(event));
  }

  #become(state, detail) {
    this.state = state;
    this.onState(state, detail);
  }
}
