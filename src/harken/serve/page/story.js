// What happened in a session, as values: what the timeline, the cards and the export read.

export const CHUNK_S = 0.4;
export const SOUND_GAP_S = 0.9; // the same tag goes on over a gap of so much

const SHOWN_SCORE = 0.3; // a sound is tagged from this score on
const PHRASE_GAP_S = 0.9;
const PHRASE_MOST_S = 5;
const CJK_END = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}，。！？、；：]$/u;

export class Story {
  constructor() {
    this.clear();
  }

  clear() {
    this.id = undefined;
    this.began = undefined; // Date
    this.chunks = []; // harken.chunk events, by their number
    this.phrases = []; // {start_s, end_s, text}
    this.sounds = []; // {name, start_s, end_s, score}
    this.replies = new Map(); // by response_id, in order
    this.events = []; // all of them, without audio
  }

  /** Keep an event, for the export. */
  log(event) {
    const sound = event.type === "session.output_audio.delta";
    this.events.push(sound ? { ...event, delta: `(${event.delta.length} characters)` } : event);
  }

  get lastChunk() {
    return this.chunks.at(-1);
  }

  /** Seconds of the stream that are decided. */
  get decided_s() {
    return this.lastChunk?.time_s ?? 0;
  }

  /** harken.chunk */
  chunk(event) {
    this.chunks[event.chunk] = event;
    const start_s = event.time_s - CHUNK_S;
    for (const [name, score] of event.sounds) {
      if (score < SHOWN_SCORE || name === "Silence") continue;
      const open = this.sounds.findLast((sound) => sound.name === name);
      if (open && start_s - open.end_s < SOUND_GAP_S) {
        open.end_s = event.time_s;
        open.score = Math.max(open.score, score);
      } else {
        this.sounds.push({ name, start_s, end_s: event.time_s, score });
      }
    }
  }

  /** session.input_transcript.delta: words near one another become a phrase. */
  words({ delta, start_ms, end_ms }) {
    const text = delta.trim();
    if (!text) return;
    const [start_s, end_s] = [start_ms / 1000, end_ms / 1000];
    const last = this.phrases.at(-1);
    const goesOn =
      last && start_s - last.end_s < PHRASE_GAP_S && end_s - last.start_s < PHRASE_MOST_S;
    if (goesOn) {
      last.text = joined(last.text, text);
      last.end_s = end_s;
    } else {
      this.phrases.push({ start_s, end_s, text });
    }
  }

  /** session.output_transcript.delta: a reply grows; it is returned. */
  piece({ response_id, delta, start_ms }) {
    const reply = this.#reply(response_id, start_ms / 1000);
    reply.text += delta;
    return reply;
  }

  /** harken.response: a reply is complete; it is returned. */
  response(event) {
    const reply = this.#reply(event.response_id, event.time_s);
    return Object.assign(reply, event, { isDone: true });
  }

  #reply(id, time_s) {
    if (!this.replies.has(id)) {
      const fresh = { response_id: id, time_s, text: "", emotion: "", isDone: false };
      this.replies.set(id, fresh);
    }
    return this.replies.get(id);
  }
}

function joined(before, after) {
  return CJK_END.test(before) ? before + after : `${before} ${after}`;
}

/** 75.2 -> "1:15". */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const rest = String(whole % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}
