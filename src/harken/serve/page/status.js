// What the page is doing, in words at the top; in the title, how many replies came unseen.

export class Status {
  /** words: the line of text; listen, label: the button; hint: what stands there at first. */
  constructor({ words, listen, label, hint }) {
    Object.assign(this, { words, listen, label, hint });
    this.title = document.title;
    this.unseen = 0;
    document.addEventListener("visibilitychange", () => document.hidden || this.#count(0));
  }

  /**
   * line: the connection's state. heard, opening: what is listened to and what will be, or "".
   * sent_s: seconds so far. isBehind: the server is. isReturned: the page was loaded again.
   */
  show(state) {
    const { line, heard, opening, sent_s } = state;
    const isOn = Boolean(heard || opening);
    const words = inWords(state);
    if (this.words.textContent !== words) this.words.textContent = words; // it is read out
    document.body.dataset.state = line === "broken" ? "broken" : heard ? "listening" : "idle";
    this.label.textContent = isOn ? "Stop" : "Listen";
    this.listen.setAttribute("aria-pressed", isOn);
    this.hint.hidden = isOn || sent_s > 0;
  }

  /** A reply is complete. */
  replied() {
    if (document.hidden) this.#count(this.unseen + 1);
  }

  #count(unseen) {
    this.unseen = unseen;
    document.title = unseen ? `(${unseen}) ${this.title}` : this.title;
  }
}

function inWords({ line, heard, opening, sent_s, isBehind, isReturned }) {
  if (opening) return `Opening ${opening}…`;
  if (line === "broken") return "Reconnecting…";
  if (line === "connecting" && heard) return "Connecting…";
  if (heard) return `Listening to ${heard}${isBehind ? ", and is behind" : ""}`;
  if (!sent_s) return "Ready";
  if (isBehind) return "Paused: what was heard is still being decided";
  return `Paused: ${isReturned ? "press Listen to go on" : "nothing is heard"}`;
}
