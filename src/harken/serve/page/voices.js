// Who speaks the replies: a voice of the server, one of the browser's, or nobody.

import { BrowserVoice } from "./browser-voice.js";
import { Player } from "./player.js";

const KEY = "harken-voice";
const ON = "harken-voice-on"; // of this tab: a reload finds it as it was
const BROWSER = "browser:";

export class Voices {
  /** toggle: a checkbox; select: of voices. send(event). onSpeaking(responseId, isSpeaking). */
  constructor({ toggle, select, send, onSpeaking }) {
    Object.assign(this, { toggle, select, send });
    this.player = new Player({
      onPlayed: (response_id, played_ms) =>
        send({ type: "harken.playback.played", response_id, played_ms }),
      onSpeaking,
    });
    this.browser = new BrowserVoice({ onSpeaking });
    this.server = ["kokoro", "espeak"];
    this.wanted = localStorage.getItem(KEY) ?? "";
    toggle.checked = sessionStorage.getItem(ON) === "true";
    toggle.onchange = () => this.#changed();
    select.onchange = () => this.#changed();
    if (BrowserVoice.isThere) speechSynthesis.onvoiceschanged = () => this.#fill();
    this.#fill();
  }

  /** The server's voices; one that it lacks is not offered. */
  offer(names) {
    this.server = names;
    this.#fill();
  }

  /** Speak with one of the voices; a name that is none of them changes nothing. */
  choose(name) {
    if (![...this.select.options].some(({ value }) => value === name)) return;
    this.select.value = name;
    this.toggle.checked = true;
    this.#changed();
  }

  /** What the server is to speak with. */
  get name() {
    const chosen = this.select.value;
    return this.toggle.checked && chosen && !chosen.startsWith(BROWSER) ? chosen : "none";
  }

  /** The server has no such voice: go on without. */
  refused() {
    this.toggle.checked = false;
    this.#changed();
  }

  unlock() {
    this.player.unlock();
  }

  sound(id, samples) {
    this.player.play(id, samples);
  }

  text(id, text, isEnd) {
    const chosen = this.select.value;
    if (!this.toggle.checked || !chosen.startsWith(BROWSER)) return;
    this.browser.push(id, text, chosen.slice(BROWSER.length), isEnd);
  }

  /** Another session begins. */
  reset() {
    this.flush();
    this.player.forget();
    this.browser.forget();
  }

  flush(id) {
    this.player.flush(id);
    this.browser.flush(id);
  }

  #changed() {
    if (this.select.value) localStorage.setItem(KEY, (this.wanted = this.select.value));
    this.select.disabled = !this.toggle.checked;
    sessionStorage.setItem(ON, this.toggle.checked);
    if (!this.toggle.checked) this.flush();
    this.send({ type: "harken.voice.set", voice: this.name });
  }

  #fill() {
    const groups = [
      group(
        "From the server",
        this.server.map((name) => [name, name]),
      ),
      group(
        "From this browser",
        BrowserVoice.names().map((name) => [BROWSER + name, name]),
      ),
    ];
    this.select.replaceChildren(...groups.filter((one) => one.children.length));
    if ([...this.select.options].some(({ value }) => value === this.wanted)) {
      this.select.value = this.wanted;
    }
    this.select.disabled = !this.toggle.checked;
  }
}

function group(label, choices) {
  const made = document.createElement("optgroup");
  made.label = label;
  made.append(...choices.map(([value, text]) => new Option(text, value)));
  return made;
}
