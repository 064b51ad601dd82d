// What the page has shown of its session, kept in the tab, so that a reload or a crash of the page
// finds it again. Sound is not kept.

const SESSION = "harken-session";
const EVENTS = "harken-events-";
const LEVELS = "harken-levels-";
const EVERY_MS = 1000;
const BATCH = 100; // events under one key
const KEPT_TILES = 12; // of the spectrogram: two minutes

export class Memory {
  /** newest(): {number, levels} of the spectrogram, or undefined. */
  constructor({ newest }) {
    this.newest = newest;
    this.id = undefined;
    setInterval(() => this.#write(), EVERY_MS);
    addEventListener("pagehide", () => this.#write());
  }

  /** {id, began, events, levels} as they were kept; undefined when there was no session. */
  restore() {
    const session = JSON.parse(sessionStorage.getItem(SESSION));
    if (!session) return undefined;
    this.id = session.id;
    const batches = numbers(EVENTS);
    this.batch = [];
    this.number = (batches.at(-1) ?? -1) + 1;
    return {
      id: session.id,
      began: new Date(session.began),
      events: batches.flatMap((n) => JSON.parse(sessionStorage.getItem(EVENTS + n))),
      levels: numbers(LEVELS).map((number) => ({
        number,
        levels: sessionStorage.getItem(LEVELS + number),
      })),
    };
  }

  /** An event of the server; `session.started` with another id begins anew. */
  keep(event, began) {
    if (event.type === "session.output_audio.delta") return;
    if (event.type === "session.started" && event.session.id !== this.id) {
      this.clear();
      this.id = event.session.id;
      sessionStorage.setItem(SESSION, JSON.stringify({ id: this.id, began }));
    }
    if (this.id === undefined) return;
    this.batch.push(event);
    this.isStale = true;
  }

  /** There is no session any more. */
  clear() {
    this.id = undefined;
    this.batch = [];
    this.number = 0;
    this.isStale = false;
    sessionStorage.removeItem(SESSION);
    for (const kind of [EVENTS, LEVELS]) numbers(kind).forEach((n) => remove(kind, n));
  }

  #write() {
    if (!this.isStale) return;
    this.isStale = false;
    store(EVENTS, this.number, JSON.stringify(this.batch));
    if (this.batch.length >= BATCH) {
      this.batch = [];
      this.number += 1;
    }
    const newest = this.newest();
    if (!newest) return;
    store(LEVELS, newest.number, newest.levels);
    for (const n of numbers(LEVELS)) if (n <= newest.number - KEPT_TILES) remove(LEVELS, n);
  }
}

/** Keep a text; when the tab has no room for it, the oldest events make room. */
function store(kind, number, text) {
  for (;;) {
    try {
      return sessionStorage.setItem(kind + number, text);
    } catch {
      const [oldest] = numbers(EVENTS);
      if (oldest === undefined) return;
      remove(EVENTS, oldest);
    }
  }
}

/** Which numbers there are of a kind, in order. */
function numbers(kind) {
  const names = Object.keys(sessionStorage).filter((name) => name.startsWith(kind));
  return names.map((name) => Number(name.slice(kind.length))).sort((a, b) => a - b);
}

function remove(kind, number) {
  sessionStorage.removeItem(kind + number);
}
