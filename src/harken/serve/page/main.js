// The page: parts of it are made here, and events go from one to the other.

import { Cards } from "./cards.js";
import { Connection } from "./connection.js";
import { asJson, asText, save } from "./export.js";
import { Meters } from "./meters.js";
import { Notices } from "./notices.js";
import { Orders } from "./orders.js";
import { decode, RATE } from "./pcm.js";
import { Sources } from "./sources.js";
import { Spectrogram } from "./spectrogram.js";
import { Story } from "./story.js";
import { Theme } from "./theme.js";
import { Threshold } from "./threshold.js";
import { Timeline } from "./timeline.js";
import { Voices } from "./voices.js";

const $ = (id) => document.getElementById(id);

const story = new Story();
const spectrogram = new Spectrogram();
let sent_s = 0;
let heard = ""; // what is listened to now, empty for nothing

const notices = new Notices($("notice"));
const meters = new Meters({
  lag: $("lag"),
  context: $("context"),
  level: $("level"),
  shed: $("shed"),
});
const cards = new Cards({
  list: $("cards"),
  empty: $("no-cards"),
  count: $("card-count"),
  spoken: $("spoken"),
  onTime: (time_s) => timeline.show(time_s),
});
const threshold = new Threshold({
  slider: $("threshold"),
  reset: $("threshold-reset"),
  value: $("threshold-value"),
  timeline: () => timeline,
  onSet: (value) => connection.send({ type: "harken.threshold.set", threshold: value }),
});
const timeline = new Timeline({
  canvas: $("timeline"),
  story,
  spectrogram,
  sent_s: () => sent_s,
  threshold: () => threshold.now,
  onReply: (id) => cards.focus(id),
  onFollow: (isFollowing) => ($("back").hidden = isFollowing),
});
new Theme({ button: $("theme"), onChange: () => timeline.recolour() });
const connection = new Connection({ session, onEvent, onState });
const voices = new Voices({
  toggle: $("voice-on"),
  select: $("voice"),
  send: (event) => connection.send(event),
  onSpeaking: (id, isSpeaking) => cards.voice(id, isSpeaking ? "speaking" : ""),
});
const orders = new Orders({
  list: $("orders"),
  form: $("order-form"),
  ideas: $("order-ideas"),
  onAdd: (text) => order({ type: "harken.order.add", text }),
  onRemove: (id) => order({ type: "harken.order.remove", id }),
});
const sources = new Sources({
  page: {
    listen: $("listen"),
    file: $("file"),
    samples: $("samples"),
    fast: $("fast"),
    aloud: $("aloud"),
    drop: document,
  },
  onSamples,
  onBegin: begin,
  onState: (what) => {
    heard = what;
    status();
  },
  onNotice: (name) => notices.show(name),
  ahead_s: () =>
    connection.state === "open" && connection.unsent < 1e6 ? sent_s - story.decided_s : Infinity,
});

/** A person did something that begins to listen. */
function begin() {
  notices.clear();
  voices.unlock();
  if (story.id && !connection.id) forget();
  story.began ??= new Date();
  connection.open();
}

/** The body of `session.start`. */
function session() {
  return {
    model: "harken",
    audio: { format: { type: "audio/pcm", rate: RATE } },
    harken: {
      events: true,
      policy: policy(),
      voice: voices.name,
      threshold: threshold.chosen,
    },
  };
}

function policy() {
  return document.querySelector("input[name=policy]:checked").value;
}

/** An order opens the session too: it is kept there. */
function order(event) {
  begin();
  connection.send(event);
}

function onSamples(samples) {
  spectrogram.push(samples);
  sent_s += samples.length / RATE;
  connection.append(samples);
}

function onEvent(event) {
  story.log(event);
  switch (event.type) {
    case "session.started":
      started(event.session);
      break;
    case "session.input_transcript.delta":
      story.words(event);
      break;
    case "session.output_transcript.delta":
      cards.show(story.piece(event));
      voices.text(event.response_id, event.delta, false);
      break;
    case "session.output_audio.delta":
      voices.sound(event.response_id, decode(event.delta));
      break;
    case "harken.chunk":
      story.chunk(event);
      threshold.take(event.threshold);
      meters.chunk(event, Math.max(0, sent_s - event.time_s));
      $("now").textContent = now(event);
      break;
    case "harken.response":
      cards.show(story.response(event));
      voices.text(event.response_id, "", true);
      break;
    case "harken.playback.flush":
      voices.flush(event.response_id);
      cards.voice(event.response_id, "cut off");
      break;
    case "harken.orders":
      orders.show(event.orders);
      break;
    case "harken.lag":
      meters.shedding(event.policy);
      break;
    case "session.closed":
      sources.stop();
      notices.show("closed");
      break;
    case "error":
      failed(event.error);
      break;
  }
  timeline.touch();
}

function started({ id, harken }) {
  story.id = id;
  if (harken?.voices) voices.offer(harken.voices);
  notices.clear("broken", "gone", "full");
}

/** The newest words, or else the loudest idea of a sound. */
function now({ time_s, sounds, words }) {
  const phrase = story.phrases.at(-1);
  if (words || (phrase && time_s - phrase.end_s < 2)) return phrase ? `“${phrase.text}”` : words;
  const [name, score] = sounds[0] ?? ["", 0];
  return score >= 0.3 && name !== "Silence" ? name : "quiet";
}

function failed({ code, message, param }) {
  if (connection.state !== "open") return; // refused: the close code has its own notice
  if (param === "voice" || /voice/i.test(message)) voices.refused();
  notices.show(code, `The server says: ${message}`);
}

function onState(state, detail) {
  if (state === "broken") notices.show("broken");
  if (state === "lost") {
    const kept = orders.texts;
    forget();
    for (const text of kept) connection.send({ type: "harken.order.add", text });
    notices.show("lost");
  }
  if (state === "failed") {
    sources.stop();
    notices.show(detail);
  }
  status();
}

/** The stream begins again at zero; replies stay on the page. */
function forget() {
  story.clear();
  cards.keep();
  voices.reset();
  story.began = new Date();
  spectrogram.clear();
  meters.clear();
  orders.show([]);
  sent_s = 0;
  timeline.reset();
}

function status() {
  const line = connection?.state;
  const isOn = Boolean(heard);
  const words =
    line === "connecting" && isOn
      ? "Connecting…"
      : line === "broken"
        ? "Reconnecting…"
        : isOn
          ? `Listening to ${heard}`
          : sent_s
            ? "Paused: nothing is heard"
            : "Ready";
  $("status").textContent = words;
  document.body.dataset.state = line === "broken" ? "broken" : isOn ? "listening" : "idle";
  $("listen-label").textContent = isOn ? "Stop" : "Listen";
  $("listen").setAttribute("aria-pressed", isOn);
  $("hint").hidden = isOn || sent_s > 0;
}

for (const choice of document.querySelectorAll("input[name=policy]")) {
  choice.onchange = () => connection.send({ type: "harken.policy.set", policy: policy() });
}
$("back").onclick = () => {
  timeline.follow();
  $("timeline").focus();
};
$("hush").onclick = hush;
document.addEventListener("keydown", (event) => event.key === "Escape" && hush());

/** End what is being said. */
function hush() {
  voices.flush();
  connection.send({ type: "harken.response.cancel" });
}

const stamp = () => (story.began ?? new Date()).toISOString().slice(0, 16).replace(/[:T]/g, "-");
$("save-json").onclick = () => save(`harken-${stamp()}.json`, asJson(story), "application/json");
$("save-text").onclick = () => save(`harken-${stamp()}.txt`, asText(story), "text/plain");
$("new").onclick = () => {
  sources.stop();
  connection.close();
  forget();
  cards.clear();
  notices.clear();
  $("now").textContent = "";
  status();
};

sources.offerSamples();
status();
