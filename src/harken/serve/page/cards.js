// Replies as cards, newest first, and spoken to screen readers once they are complete.

import { clock } from "./story.js";

const MOUTHS = {
  normal: "M6 12.5h6",
  happy: "M5.5 11q3.5 4 7 0",
  sad: "M5.5 13.5q3.5-4 7 0",
  angry: "M6 13h6M4.5 5.5l3 1.4M13.5 5.5l-3 1.4",
  surprise: "M9 11a1.6 1.6 0 1 0 .01 0z",
  urgent: "M9 3.8v6.4M9 13.2v.6",
};
const NAMES = { normal: "calm", surprise: "surprised" };
const FULL_CARDS = 300; // older ones leave the page; the export has them all

export class Cards {
  /** list: an <ol>. spoken: a live region. onTime(seconds): a card's time was chosen. */
  constructor({ list, empty, count, spoken, onTime }) {
    Object.assign(this, { list, empty, count, spoken, onTime });
    this.cards = new Map();
  }

  clear() {
    this.list.replaceChildren();
    this.keep();
    this.#count();
  }

  /** Another session begins: what is here stays, and nothing changes it any more. */
  keep() {
    this.cards.clear();
  }

  /** A reply has grown or is complete. */
  show(reply) {
    const card = this.cards.get(reply.response_id) ?? this.#add(reply);
    card.text.textContent = reply.text.trim();
    const emotion = reply.emotion || "normal";
    card.item.dataset.emotion = emotion;
    card.mood.replaceChildren(face(emotion), NAMES[emotion] ?? emotion);
    card.item.classList.toggle("growing", !reply.isDone);
    if (reply.isDone) {
      card.facts.replaceChildren(...facts(reply));
      this.spoken.textContent = `${NAMES[emotion] ?? emotion}: ${reply.text.trim()}`;
    }
  }

  /** Whether it sounds, and when it was cut: "speaking", "", or words. */
  voice(id, state) {
    const card = this.cards.get(id);
    if (!card) return;
    card.item.classList.toggle("speaking", state === "speaking");
    card.voice.textContent = state;
  }

  /** Bring a card into view and put the focus on it. */
  focus(id) {
    const card = this.cards.get(id);
    card?.item.scrollIntoView({ block: "nearest" });
    card?.time.focus({ preventScroll: true });
  }

  #add(reply) {
    const item = document.createElement("li");
    item.className = "card";
    const head = element("div", "card-head");
    const time = element("button", "card-time", clock(reply.time_s));
    time.type = "button";
    time.setAttribute("aria-label", `Show ${clock(reply.time_s)} on the timeline`);
    time.onclick = () => this.onTime(reply.time_s);
    const mood = element("span", "mood");
    const voice = element("span", "voice-state");
    head.append(time, mood, voice);
    const text = element("p", "card-text");
    const facts = element("p", "card-facts");
    item.append(head, text, facts);
    this.list.prepend(item);
    const card = { item, time, mood, voice, text, facts };
    this.cards.set(reply.response_id, card);
    if (this.list.children.length > FULL_CARDS) this.list.lastElementChild.remove();
    this.#count();
    return card;
  }

  #count() {
    const n = this.list.children.length;
    this.empty.hidden = n > 0;
    this.count.textContent = n || "";
  }
}

function facts(reply) {
  const parts = [];
  if (reply.cause) parts.push(["after", reply.cause]);
  parts.push(["first word", time(reply.first_token_ms)], ["all", time(reply.done_ms)]);
  if (reply.is_cancelled) parts.push(["", "stopped"]);
  return parts.map(([name, value]) => {
    const fact = element("span", name === "after" ? "fact cause" : "fact");
    if (name) fact.append(element("span", "fact-name", `${name} `));
    fact.append(element("span", "fact-value", value));
    return fact;
  });
}

function time(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function face(emotion) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 18 18");
  svg.setAttribute("aria-hidden", "true");
  const eyes = emotion === "urgent" ? "" : "M6.2 7.2v.8M11.8 7.2v.8";
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", `M9 1.2a7.8 7.8 0 1 0 .01 0z${eyes}${MOUTHS[emotion] ?? MOUTHS.normal}`);
  svg.append(path);
  return svg;
}

function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
