// The voices that the browser itself has, fed with whole sentences of a reply as it is written.

const SENTENCE_END = /[.!?…]["')\]]?\s|[。！？；]/;
const HAN = /\p{Script=Han}/u;

export class BrowserVoice {
  /** onSpeaking(responseId, isSpeaking). */
  constructor({ onSpeaking }) {
    this.onSpeaking = onSpeaking;
    this.forget();
  }

  /** Another session begins. */
  forget() {
    this.rest = new Map(); // by response: text that is no whole sentence yet
    this.dropped = new Set();
  }

  static get isThere() {
    return "speechSynthesis" in window;
  }

  /** Names of the voices, best first; the browser may know them only after a while. */
  static names() {
    return BrowserVoice.isThere ? speechSynthesis.getVoices().map((voice) => voice.name) : [];
  }

  /** Text of a reply; isEnd: all of it is there. */
  push(id, text, name, isEnd) {
    if (this.dropped.has(id)) return;
    let rest = (this.rest.get(id) ?? "") + text;
    for (let end; (end = rest.match(SENTENCE_END));) {
      const cut = end.index + end[0].length;
      this.#speak(id, rest.slice(0, cut), name);
      rest = rest.slice(cut);
    }
    if (isEnd && rest.trim()) this.#speak(id, rest, name);
    this.rest.set(id, isEnd ? "" : rest);
  }

  flush(id) {
    if (id) this.dropped.add(id);
    if (BrowserVoice.isThere) speechSynthesis.cancel();
  }

  #speak(id, text, name) {
    const utterance = new SpeechSynthesisUtterance(text);
    utterance.lang = HAN.test(text) ? "zh-CN" : "en-US";
    const voice = speechSynthesis.getVoices().find((one) => one.name === name);
    if (voice?.lang.slice(0, 2) === utterance.lang.slice(0, 2)) utterance.voice = voice;
    utterance.onstart = () => this.onSpeaking(id, true);
    utterance.onend = utterance.onerror = () => this.onSpeaking(id, false);
    speechSynthesis.speak(utterance);
  }
}
