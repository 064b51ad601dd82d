// The session as a file: every event as JSON, or what was heard and said as text.

import { clock } from "./story.js";

/** All events, in order, with when the session began. */
export function asJson(story) {
  const whole = { session_id: story.id, began: story.began, events: story.events };
  return JSON.stringify(whole, null, 1);
}

/** One line for each phrase, sound and reply, by time. */
export function asText(story) {
  const lines = [
    ...story.phrases.map((p) => [p.start_s, `heard    ${p.text}`]),
    ...story.sounds.map((s) => [s.start_s, `sound    ${s.name} (until ${clock(s.end_s)})`]),
    ...[...story.replies.values()].map((r) => [
      r.time_s,
      `harken   ${r.text.trim()}${r.emotion && r.emotion !== "normal" ? ` (${r.emotion})` : ""}`,
    ]),
  ];
  lines.sort(([a], [b]) => a - b);
  return lines.map(([time_s, line]) => `${clock(time_s).padStart(7)}  ${line}\n`).join("");
}

/** Offer a text to be saved under a name. */
export function save(name, text, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
