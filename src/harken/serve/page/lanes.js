// How each lane of the timeline is drawn. A view says where and when:
// {context, colours, width, from_s, to_s, x(time_s), top, height}.

import { CHUNK_S, clock, SOUND_GAP_S } from "./story.js";

const FONT =
  "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans CJK SC', sans-serif";
const TAG_ROWS = 3;
const TAG_HEIGHT = 20;
const LINE = 17;
const WORD_LINES = 3;
const BUBBLE_MOST = 300;
const BUBBLE_LEAST = 44;
const CAPTION_MOST = 420;
const CAPTION_LEAST = 72;
const EDGE = 6;

const words_in = (text) =>
  text.match(/\p{Script=Han}[，。！？、；：]?|[^\s\p{Script=Han}]+\s*/gu) ?? [];

/** Ticks with the time, in seconds that are easy to read. */
export function drawAxis(view) {
  const { context, colours, from_s, to_s, x, top, height } = view;
  const every_s = view.width / (to_s - from_s) > 40 ? 2 : 5;
  context.fillStyle = colours.muted;
  context.font = `11px ${FONT}`;
  context.textBaseline = "middle";
  for (let t = Math.max(0, Math.ceil(from_s / every_s) * every_s); t <= to_s; t += every_s) {
    context.fillRect(Math.round(x(t)), top, 1, 4);
    if (x(t) + 30 < view.width) context.fillText(clock(t), x(t) + 4, top + height / 2 + 1);
  }
}

/** The part of the picture that was sent and is not decided yet. */
export function drawUndecided(view, decided_s, sent_s) {
  const { context, colours, x, top, height } = view;
  const from = Math.max(0, x(decided_s));
  context.fillStyle = colours.veil;
  context.fillRect(from, top, Math.max(0, x(sent_s) - from), height);
}

/** Names of sounds over the stretch in which they are heard, in rows from the top. */
export function drawSounds(view, sounds) {
  const { context, colours, x, top } = view;
  context.font = `600 12px ${FONT}`;
  context.textBaseline = "middle";
  const free = Array(TAG_ROWS).fill(-Infinity);
  const drawn = Array(TAG_ROWS).fill(-Infinity);
  for (const sound of sounds) {
    const label = `${sound.name} ${Math.round(100 * sound.score)}%`;
    sound.width ??= context.measureText(label).width + 16;
    if (x(sound.end_s) < -400 || sound.start_s > view.to_s) continue;
    const left = x(sound.start_s);
    sound.row ??= free.findIndex((end) => end <= left); // once: it does not jump
    if (sound.row < 0) continue;
    free[sound.row] = Math.max(left + sound.width, x(sound.end_s + SOUND_GAP_S)) + 4;
    const y = top + 12 + sound.row * (TAG_HEIGHT + 4);
    const span = Math.max(3, x(sound.end_s) - left);
    context.fillStyle = colours.sound;
    context.fillRect(left, y + TAG_HEIGHT - 2, span, 2);
    // A long sound keeps its name in sight.
    const kept = Math.min(Math.max(left, 4), Math.max(left, left + span - sound.width));
    const at = inSight(view, kept, sound.width, drawn[sound.row]);
    drawn[sound.row] = at + sound.width + 4;
    pill(view, at, y, sound.width, TAG_HEIGHT, colours.tag);
    context.fillStyle = colours.sound;
    context.fillText(label, at + 8, y + TAG_HEIGHT / 2 + 0.5);
  }
}

/** Heard words as captions that begin at their time, at the foot of the picture. */
export function drawPhrases(view, phrases) {
  const { context, colours, x, top, height } = view;
  const edge = view.width - EDGE;
  let free = -Infinity;
  context.font = `500 14px ${FONT}`;
  context.textBaseline = "middle";
  phrases.forEach((phrase, i) => {
    const at = x(phrase.start_s);
    const next = phrases[i + 1] ? x(phrases[i + 1].start_s) - 6 : Infinity;
    const room = Math.max(CAPTION_LEAST, Math.min(next - at, CAPTION_MOST));
    if (at + room < 0 || at > view.width) return;
    let { lines, wide } = fitted(context, phrase.text, room, WORD_LINES, 16);
    const left = inSight(view, at, wide, free);
    if (left + wide > edge && edge - left > CAPTION_LEAST) {
      ({ lines, wide } = fitted(context, phrase.text, edge - left, WORD_LINES, 16));
    }
    free = left + wide + 6;
    const tall = lines.length * LINE + 8;
    const y = top + height - tall - 8;
    pill(view, left, y, wide, tall, colours.caption, 6);
    context.fillStyle = colours.ink;
    lines.forEach((line, k) => context.fillText(line, left + 8, y + 4 + (k + 0.5) * LINE + 0.5));
  });
}

/** One mark a chunk: a dot for silent, a block for respond, a hollow square for stop. */
export function drawDecisions(view, chunks) {
  const { context, colours, x, top, height } = view;
  const middle = top + height - 10; // its name stands above
  for (const chunk of visible(view, chunks)) {
    const left = x(chunk.time_s - CHUNK_S) + 1.5;
    const wide = x(chunk.time_s) - left - 1.5;
    if (chunk.decision === "respond") {
      pill(view, left, middle - 8, wide, 16, colours.reply, 4);
    } else if (chunk.decision === "stop") {
      context.strokeStyle = colours.ink;
      context.lineWidth = 2;
      context.strokeRect(left + 1, middle - 6, wide - 2, 12);
    } else {
      pill(view, left, middle - 2, wide, 4, colours.quiet, 2);
    }
  }
}

/** p(respond) after each chunk, the threshold that it has to pass, and where words need more. */
export function drawCurve(view, chunks, threshold) {
  const { context, colours, x, top, height, width } = view;
  const y = (p) => top + height - 3 - p * (height - 6);
  const shown = visible(view, chunks);
  if (shown.length) {
    context.beginPath();
    context.moveTo(x(shown[0].time_s), y(0));
    for (const chunk of shown) context.lineTo(x(chunk.time_s), y(chunk.p_respond));
    context.lineTo(x(shown.at(-1).time_s), y(0));
    context.fillStyle = colours.curveFill;
    context.fill();
    context.beginPath();
    for (const chunk of shown) context.lineTo(x(chunk.time_s), y(chunk.p_respond));
    context.strokeStyle = colours.curve;
    context.lineWidth = 2;
    context.lineJoin = "round";
    context.stroke();
    for (const chunk of shown.filter(({ decision }) => decision === "respond")) {
      context.beginPath();
      context.arc(x(chunk.time_s), y(chunk.p_respond), 4, 0, 2 * Math.PI);
      context.fillStyle = colours.reply;
      context.fill();
    }
  }
  if (threshold === undefined) return;
  context.setLineDash([5, 4]);
  context.strokeStyle = colours.threshold;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(0, y(threshold));
  context.lineTo(width, y(threshold));
  for (const { time_s, needed } of shown.filter((chunk) => chunk.needed > chunk.threshold)) {
    context.moveTo(x(time_s - CHUNK_S), y(needed));
    context.lineTo(x(time_s), y(needed));
  }
  context.stroke();
  context.setLineDash([]);
}

/** Replies as cards at their time; returns where each one lies, for the pointer. */
export function drawReplies(view, replies, decisionsTop) {
  const { context, colours, x, top, height, width } = view;
  const boxes = [];
  const edge = width - EDGE;
  let free = -Infinity;
  context.textBaseline = "middle";
  replies.forEach((reply, i) => {
    const at = x(reply.time_s);
    const next = replies[i + 1] ? x(replies[i + 1].time_s) - 6 : Infinity;
    const room = Math.min(next - at, BUBBLE_MOST);
    if (at + room < 0 || at > width) return;
    const ink = reply.emotion === "urgent" ? colours.urgent : colours.reply;
    context.fillStyle = ink;
    context.globalAlpha = 0.35;
    context.fillRect(at - 0.5, decisionsTop, 1, top + 6 - decisionsTop);
    context.globalAlpha = 1;
    if (Math.min(room, edge - at) < BUBBLE_LEAST) {
      context.beginPath();
      context.arc(at + 3, top + 12, 4, 0, 2 * Math.PI);
      context.fill();
      return;
    }
    context.font = `13px ${FONT}`;
    const text = reply.text.trim() || "…";
    let { lines, wide } = fitted(context, text, room, 2, 20);
    const left = inSight(view, at, wide, free);
    if (left + wide > edge) ({ lines, wide } = fitted(context, text, edge - left, 2, 20));
    free = left + wide + 6;
    pill(view, left, top + 4, wide, height - 10, colours.card, 8);
    context.fillStyle = ink;
    context.fillRect(left, top + 8, 3, height - 18);
    context.fillStyle = colours.ink;
    const first = top + 4 + (height - 10) / 2 - ((lines.length - 1) * LINE) / 2;
    lines.forEach((line, k) => context.fillText(line, left + 11, first + k * LINE + 0.5));
    boxes.push({ id: reply.response_id, left, right: left + wide });
  });
  return boxes;
}

/**
 * Where something so wide begins that belongs at a place: there, or so far to the left that the
 * window holds it and the newest can be read at once, but not over what ends at `free`.
 */
function inSight(view, at, wide, free) {
  return Math.max(free, Math.min(at, view.width - EDGE - wide));
}

/** The lines of a text in so much room, `around` of it for the margins, and how wide all is. */
function fitted(context, text, room, most, around) {
  const lines = wrapped(context, text, room - around, most);
  const wide = Math.max(...lines.map((line) => context.measureText(line).width)) + around;
  return { lines, wide };
}

/** Lines of text that fit; the last one ends in an ellipsis when there is more. */
function wrapped(context, text, room, most) {
  const lines = [""];
  for (const word of words_in(text)) {
    const longer = lines.at(-1) + word;
    if (!lines.at(-1) || context.measureText(longer.trimEnd()).width <= room) {
      lines[lines.length - 1] = longer;
    } else {
      lines.push(word);
    }
  }
  const shown = lines.slice(0, most).map((line) => line.trimEnd());
  const isCut = lines.length > most;
  return shown.map((line, i) => shortened(context, line, room, isCut && i === most - 1));
}

function shortened(context, line, room, isCut) {
  if (!isCut && context.measureText(line).width <= room) return line;
  let kept = line;
  while (kept && context.measureText(`${kept}…`).width > room) kept = kept.slice(0, -1);
  return `${kept.trimEnd()}…`;
}

function visible(view, chunks) {
  const first = Math.max(0, Math.floor(view.from_s / CHUNK_S) - 1);
  const last = Math.ceil(view.to_s / CHUNK_S) + 1;
  return chunks.slice(first, last).filter(Boolean);
}

function pill({ context }, left, top, width, height, fill, radius = height / 2) {
  context.fillStyle = fill;
  context.beginPath();
  context.roundRect(left, top, Math.max(0, width), height, radius);
  context.fill();
}
