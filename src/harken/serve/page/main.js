// The page: parts of it are made here, and events go from one to the other.

import { Cards } from "./cards.js";
import { Connection } from "./connection.js";
import { asJson, asText, save } from "./export.js";
import { Memory } from "./memory.js";
import { Meters } from "./meters.js";
import { Notices } from "./notices.js";
import { Orders } from "./orders.js";
import { decode, RATE } from "./pcm.js";
import { Sources } from "./sources.js";
import { Spectrogram } from "./spectrogram.js";
import { Status } from "./status.js";
import { Story } from "./story.js";
import { Theme } from "./theme.js";
import { Threshold } from "./threshold.js";
import { Timeline } from "./timeline.js";
import { Voices } from "./voices.js";

const $ = (id) => document.getElementById(id);

const story = new Story();
const spectrogram = new Spectrogram();
const memory = new Memory({ newest: () => spectrogram.newest });
let sent_s = 0;
let heard = ""; // what is listened to now, empty for nothing
let opening = ""; // what will be, once it is there
let isReturned = false; // the page was loaded again, and nothing was listened to since

const notices = new Notices($("notice"));
const line = new Status({
  words: $("status"),
  listen: $("listen"),
  label: $("listen-label"),
  hint: $("hint"),
});
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
  onRemove: (id) =>
    connection.id ? order({ type: "harken.order.remove", id }) : orders.drop(id),
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
  onState: (...what) => {
    [heard, opening] = what;
    status();
  },
  onNotice: (name, title) => notices.show(name, title),
  ahead_s: () =>
    connection.state === "open" && connection.unsent < 1e6 ? sent_s - story.decided_s : Infinity,
});

/** A person did something that begins to listen. */
function begin() {
  const isOver = story.id && !connection.id;
  isReturned = false;
  notices.clear();
  voices.unlock();
  story.began ??= new Date();
  connection.open();
  if (isOver) again();
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

function choosePolicy(name) {
  const choice = document.querySelector(`input[name=policy][value="${CSS.escape(name)}"]`);
  if (choice) choice.checked = true;
}

/** An order opens the session too: it is kept there. */
function order(event) {
  begin();
  connection.send(event);
}

function onSamples(samples) {
  listenTo(samples);
  connection.append(samples);
}

function listenTo(samples) {
  spectrogram.push(samples);
  sent_s += samples.length / RATE;
}

function onEvent(event) {
  memory.keep(event, story.began);
  show(event);
  act(event);
}

/** What is to be seen of an event, now or after the page was loaded again. */
function show(event) {
  story.log(event);
  switch (event.type) {
    case "session.started":
      story.id = event.session.id;
      break;
    case "session.input_transcript.delta":
      story.words(event);
      break;
    case "session.output_transcript.delta":
      cards.show(story.piece(event));
      break;
    case "harken.chunk":
      story.chunk(event);
      threshold.take(event.threshold);
      meters.chunk(event, Math.max(0, sent_s - event.time_s));
      $("now").textContent = now(event);
      status();
      break;
    case "harken.response":
      cards.show(story.response(event));
      break;
    case "harken.playback.flush":
      cards.voice(event.response_id, "cut off");
      break;
    case "harken.orders":
      orders.show(event.orders);
      break;
    case "harken.lag":
      meters.shedding(event.policy);
      break;
  }
  timeline.touch();
}

/** What an event makes the page do. */
function act(event) {
  switch (event.type) {
    case "session.started":
      started(event.session.harken);
      break;
    case "session.output_transcript.delta":
      voices.text(event.response_id, event.delta, false);
      break;
    case "session.output_audio.delta":
      voices.sound(event.response_id, decode(event.delta));
      break;
    case "harken.response":
      voices.text(event.response_id, "", true);
      line.replied();
      break;
    case "harken.playback.flush":
      voices.flush(event.response_id);
      break;
    case "session.closed":
      sources.stop();
      notices.show("closed");
      break;
    case "error":
      failed(event.error);
      break;
  }
}

/** The session goes on as the server has it, which has heard so much of what was sent. */
function started({ voices: names, policy, threshold: chosen, heard_s, resumed }) {
  voices.offer(names);
  notices.clear("broken", "gone", "full");
  if (!resumed) return;
  choosePolicy(policy);
  threshold.restore(chosen);
  sent_s = heard_s;
  spectrogram.seek(heard_s);
  for (const samples of connection.kept) listenTo(samples);
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
    again();
    notices.show("lost");
  }
  if (state === "failed") {
    sources.stop();
    notices.show(detail);
  }
  status();
}

/** Another session begins, with the same orders. */
function again() {
  const texts = orders.texts;
  forget();
  for (const text of texts) connection.send({ type: "harken.order.add", text });
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
  const { isBehind } = meters;
  line.show({ line: connection?.state, heard, opening, sent_s, isBehind, isReturned });
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
  memory.clear();
  $("now").textContent = "";
  status();
};

/** Show what the page had shown before it was loaded again, and go back to its session. */
function restore({ id, began, events, levels }) {
  story.began = began;
  events.forEach(show);
  $("spoken").textContent = ""; // these replies have been read out before
  levels.forEach((piece) => spectrogram.restore(piece));
  story.id = id;
  sent_s = story.decided_s;
  spectrogram.seek(sent_s);
  if (events.at(-1)?.type === "session.closed") return;
  isReturned = true;
  connection.resume(id);
}

/** What the address asks for: `play`, `policy` and `voice` by name, `order` as text. */
function grant(wish) {
  choosePolicy(wish.get("policy") ?? policy());
  voices.choose(wish.get("voice"));
  if (wish.has("order")) orders.add(wish.get("order"));
  if (wish.has("play")) sources.playSample(wish.get("play"));
}

sources.offerSamples();
status();
const kept = memory.restore();
if (kept) restore(kept);
else grant(new URLSearchParams(location.search));
